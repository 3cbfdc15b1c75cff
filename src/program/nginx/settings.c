// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words point into the configuration where they can.
 */
#include "program/nginx/settings.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "program/nginx/redact.h"

#define CONTEXT_LINES  3 /* of a diff */
#define SPOT_BYTES_MAX 2048
#define NGINX_NAME_LEN 64 /* of a directive */

struct nginx_words nginxtell_string(const char *string)
{
	return (struct nginx_words){ string, (uint32_t)strlen(string) };
}

struct nginx_words nginxtell_join(struct nginxtell *tell, const struct nginxconf_directive *d,
				  uint32_t from)
{
	char *start = tell->scratch + tell->len;
	struct text t;

	if (tell->len == sizeof(tell->scratch))
		return nginxtell_string("");
	text_init(&t, start, sizeof(tell->scratch) - tell->len);
	for (uint32_t i = from; i < d->word_count; i++) {
		text_add(&t, i > from ? " " : "");
		text_add(&t, d->words[i]);
	}
	if (t.cut)
		return nginxtell_string("");
	tell->len += t.len + 1;
	return (struct nginx_words){ start, (uint32_t)t.len };
}

struct nginx_words nginxtell_shown(struct nginxtell *tell, const struct nginxconf_directive *d)
{
	struct nginx_words words = nginxtell_join(tell, d, 1);

	words.len = (uint32_t)nginxredact_shown(d->words[0], words.data, words.len);
	return words;
}

/* -- settings ---------------------------------------------------------------------------------- */

const struct nginxconf_directive *nginxtell_setting(const struct nginxconf_directive *block,
						    enum nginx_module module,
						    enum nginx_setting setting)
{
	const struct nginxconf_directive *d;
	char name[NGINX_NAME_LEN];
	struct text t;

	text_init(&t, name, sizeof(name));
	text_add(&t, nginx_module_prefix(module));
	text_add(&t, nginx_setting_name(setting));
	for (; block; block = block->parent) {
		d = nginxconf_first(block, name);
		while (d && d->is_block)
			d = nginxconf_find(d->next, name);
		if (d)
			return d;
	}
	return NULL;
}

/* -- the lines --------------------------------------------------------------------------------- */

static const char *line_start(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

/* Behind the end of the line. */
static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

void nginxtell_spot(struct nginx_place *place, enum nginx_setting setting,
		    const struct nginxconf_directive *d)
{
	const char *text = d->file->text, *from, *to, *other;
	uint32_t line = d->line;
	const char *file_end;

	if (!text || place->spot_count == NGINX_SPOTS_MAX)
		return;
	file_end = text + d->file->len;
	from = line_start(text, text + d->start);
	to = line_end(text + d->end, file_end);
	if (!nginxredact_may_show(from, (size_t)(to - from)))
		return;
	for (int i = 0; i < CONTEXT_LINES && from > text; i++, line--) {
		other = line_start(text, from - 1);
		if (!nginxredact_may_show(other, (size_t)(from - other)))
			break;
		from = other;
	}
	for (int i = 0; i < CONTEXT_LINES && to < file_end; i++) {
		other = line_end(to, file_end);
		if (!nginxredact_may_show(to, (size_t)(other - to)))
			break;
		to = other;
	}
	if (to - from > SPOT_BYTES_MAX)
		return;
	place->spots[place->spot_count++] = (struct nginx_spot){
		.setting = setting,
		.shared = d->file->shared,
		.line = line,
		.from = (uint32_t)(text + d->start - from),
		.to = (uint32_t)(text + d->end - from),
		.file = nginxtell_string(d->file->real),
		.text = { from, (uint32_t)(to - from) },
	};
}

/* -- all that holds ---------------------------------------------------------------------------- */

void nginxtell_directive(struct nginxtell *tell, struct nginx_place *place,
			 enum nginx_setting setting, const struct nginxconf_directive *d, bool own)
{
	if (place->value_count == NGINX_SETTINGS_MAX)
		return;
	place->values[place->value_count++] = (struct nginx_value){
		.setting = setting,
		.own = own,
		.line = d->line,
		.file = nginxtell_string(d->file->path),
		.value = nginxtell_shown(tell, d),
	};
	if (own)
		nginxtell_spot(place, setting, d);
}

void nginxtell_fact(struct nginxtell *tell, struct nginx_place *place, enum nginx_setting setting,
		    unsigned int number)
{
	char *start = tell->scratch + tell->len;
	struct text t;

	if (place->value_count == NGINX_SETTINGS_MAX || sizeof(tell->scratch) - tell->len < 12)
		return;
	text_init(&t, start, sizeof(tell->scratch) - tell->len);
	text_addf(&t, "%u", number);
	tell->len += t.len + 1;
	place->values[place->value_count++] = (struct nginx_value){
		.setting = setting,
		.value = { start, (uint32_t)t.len },
	};
}

/* May it be given more than once in a block? */
static bool is_repeated(enum nginx_module module, enum nginx_setting setting)
{
	return setting == NGINX_SSL_CONF_COMMAND ||
	       (nginx_module_is_server(module) &&
		(setting == NGINX_SSL_CERTIFICATE || setting == NGINX_SSL_CERTIFICATE_KEY));
}

void nginxtell_value(struct nginxtell *tell, struct nginx_place *place, enum nginx_setting setting,
		     const struct nginxconf_directive *block)
{
	const struct nginxconf_directive *d = nginxtell_setting(block, place->module, setting);
	const struct nginxconf_directive *level = d ? d->parent : NULL;

	/* of the versions of HTTP, only 2 shows in a handshake */
	if (d && setting == NGINX_HTTP_VERSION && strcmp(nginxconf_word(d, 1), "2") != 0)
		return;
	while (d) {
		nginxtell_directive(tell, place, setting, d, level == block);
		d = is_repeated(place->module, setting) ? nginxconf_find(d->next, d->words[0])
							: NULL;
	}
}

void nginxtell_values(struct nginxtell *tell, struct nginx_place *place,
		      const struct nginxconf_directive *block)
{
	for (int i = NGINX_SSL; i < NGINX_SETTING_COUNT; i++)
		if (nginx_setting_is_directive(i))
			nginxtell_value(tell, place, i, block);
}
