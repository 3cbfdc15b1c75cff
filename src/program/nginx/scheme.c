// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scheme is part of what is passed to; in stream a directive of its own says it.
 */
#include "program/nginx/scheme.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "program/nginx/exclude.h"

/* What follows "://", or all of it. */
static struct nginx_words behind_scheme(const struct nginx_words *target)
{
	for (uint32_t i = 0; i + 3 <= target->len; i++)
		if (!memcmp(target->data + i, "://", 3))
			return (struct nginx_words){ target->data + i + 3, target->len - i - 3 };
	return *target;
}

/* With TLS, or without it. */
static void propose_scheme(struct nginxfix_advice *a, bool with_tls)
{
	static const char *const schemes[NGINX_MODULE_COUNT][2] = {
		[NGINX_MODULE_PROXY] = { "http://", "https://" },
		[NGINX_MODULE_GRPC] = { "grpc://", "grpcs://" },
		[NGINX_MODULE_UWSGI] = { "uwsgi://", "suwsgi://" },
	};
	const char *now = schemes[a->place->module][!with_tls];
	struct nginx_words target = a->place->target;
	char value[NGINXFIX_VALUE_LEN];
	struct text t;

	if (a->place->module == NGINX_MODULE_STREAM) {
		nginxfix_change(a, NGINX_SSL, with_tls ? "on" : "off");
		return;
	}
	if (with_tls && behind_scheme(&target).len == target.len)
		now = "";
	if (!now || target.len < strlen(now) || strncasecmp(target.data, now, strlen(now)) != 0)
		return;
	text_init(&t, value, sizeof(value));
	text_addf(&t, "%s%.*s", schemes[a->place->module][with_tls],
		  (int)(target.len - strlen(now)), target.data + strlen(now));
	if (!t.cut)
		nginxfix_change(a, NGINX_PASS, value);
}

/* A SETTINGS frame, of stream 0, came first (RFC 9113, section 3.4). */
bool nginxscheme_needs_http2(const struct nginxfix_advice *a)
{
	const char *bytes = a->f->first_bytes;

	return !strncmp(bytes, "0000", 4) && strlen(bytes) >= 18 && !strncmp(bytes + 6, "04", 2) &&
	       a->place->module != NGINX_MODULE_GRPC &&
	       !nginx_place_value(a->place, NGINX_HTTP_VERSION);
}

/* Others of the block, which may well speak TLS, would be spoken to in clear, too. */
void nginxscheme_propose_plain(struct nginxfix_advice *a)
{
	if (!nginxplace_sends_header(a->place) && !nginxscheme_needs_http2(a) &&
	    !nginxplace_note(a->place, NGINX_NOTE_OTHER_SERVERS))
		propose_scheme(a, false);
}

/* https:// without a port would go to another one; in an upstream block each server has its own, and the
 * others of it may well speak no TLS. */
void nginxscheme_propose_tls(struct nginxfix_advice *a)
{
	struct nginx_words host = behind_scheme(&a->place->target);
	bool has_port = memchr(host.data, ':', host.len);

	if ((a->place->module != NGINX_MODULE_STREAM && !a->place->upstream.len && !has_port) ||
	    nginxplace_note(a->place, NGINX_NOTE_OTHER_SERVERS))
		return;
	propose_scheme(a, true);
}
