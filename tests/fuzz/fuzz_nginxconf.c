// SPDX-License-Identifier: BSD-2-Clause
/*
 * A configuration of nginx, and all that is made of it: the tree, the places, their flat form, the
 * hint and the diff. Input: the text; a line "=== NAME" begins a file that can be included.
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/causes.h"
#include "fuzz.h"
#include "harmless.h"
#include "program/nginx/advice.h"
#include "program/nginx/conf.h"
#include "program/nginx/servers.h"
#include "program/nginx/map.h"

#define FILES_MAX 8
#define SEPARATOR "\n=== "
#define NAME_LEN  64

struct input {
	size_t count;
	char names[FILES_MAX][NAME_LEN];
	const uint8_t *texts[FILES_MAX];
	size_t lens[FILES_MAX];
};

static struct nginx_places places;
static struct nginx_places again;
static struct nginxtell tell;
static struct finding finding;

static void input_split(const uint8_t *data, size_t size, struct input *in)
{
	*in = (struct input){ .count = 1, .names = { "/main" }, .texts = { data } };
	while (in->count < FILES_MAX) {
		size_t last = in->count - 1, left = size - (size_t)(in->texts[last] - data), len;
		const uint8_t *next = memmem(in->texts[last], left, SEPARATOR, strlen(SEPARATOR));
		const uint8_t *end;

		in->lens[last] = next ? (size_t)(next - in->texts[last]) : left;
		if (!next)
			return;
		next += strlen(SEPARATOR);
		end = memchr(next, '\n', size - (size_t)(next - data));
		if (!end)
			return;
		len = (size_t)(end - next) < NAME_LEN - 2 ? (size_t)(end - next) : NAME_LEN - 2;
		in->names[in->count][0] = '/';
		memcpy(in->names[in->count] + 1, next, len);
		in->texts[in->count++] = end + 1;
	}
	in->lens[in->count - 1] = size - (size_t)(in->texts[in->count - 1] - data);
}

static int input_read(void *context, const char *path, char **text, size_t *len)
{
	const struct input *in = context;

	for (size_t i = 0; i < in->count; i++) {
		if (strcmp(in->names[i], path) != 0)
			continue;
		*len = in->lens[i];
		*text = malloc(*len ? *len : 1);
		if (!*text)
			abort();
		memcpy(*text, in->texts[i], *len);
		return 0;
	}
	return -ENOENT;
}

static int input_expand(void *context, const char *pattern, int (*found)(void *, const char *path),
			void *found_context)
{
	const struct input *in = context;
	int err = 0;

	for (size_t i = 0; i < in->count && !err; i++)
		if (!fnmatch(pattern, in->names[i], FNM_PATHNAME))
			err = found(found_context, in->names[i]);
	return err;
}

static void check_finding(void)
{
	const struct finding_config *c = &finding.config;

	FUZZ_ASSERT(is_harmless(finding.hint));
	for (unsigned int i = 0; i < c->place_count; i++) {
		FUZZ_ASSERT(is_harmless(c->places[i].file));
		FUZZ_ASSERT(is_harmless(c->places[i].location));
		FUZZ_ASSERT(is_harmless(c->places[i].server));
		FUZZ_ASSERT(is_harmless(c->places[i].upstream));
	}
	for (unsigned int i = 0; i < c->setting_count; i++)
		FUZZ_ASSERT(is_harmless(c->settings[i]));
	for (const char *at = c->patch; *at; at++)
		FUZZ_ASSERT(*at == '\n' || *at == '\t' || (unsigned char)*at >= ' ');
}

/* All that is said of the places, for every cause there is. */
static void places_use(void)
{
	uint8_t flat[12000];
	size_t len = 0;

	FUZZ_ASSERT(nginx_places_write(&places, flat, sizeof(flat), &len));
	FUZZ_ASSERT(nginx_places_read(flat, len, &again));
	FUZZ_ASSERT(again.count + again.more == places.count + places.more);
	for (size_t i = 0; i < cause_count(); i++) {
		finding = (struct finding){ .cause = cause_at(i)->slug };
		finding.certificate.known = true;
		finding.certificate.chain_length = 3;
		finding.certificate.name_count = 1;
		memcpy(finding.certificate.names[0], "a.test", sizeof("a.test"));
		nginxadvice_fill(&finding, &again);
		check_finding();
	}
}

static void conf_use(const struct nginxconf *conf)
{
	static const uint8_t addr[16] = { 192, 0, 2, 1 };
	static const uint16_t ports[] = { 443, 80, 8443 };
	struct nginxmap_peer peer = {
		.family = 2,
		.addr = addr,
		.server_name = "",
		.hosts = "192.0.2.1 a.test\n192.0.2.2 b.test",
	};
	struct nginxmap *map = NULL;

	if (nginxmap_new(conf, &map))
		abort();
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		peer.port = ports[i];
		nginxmap_match(map, &peer, &places);
		FUZZ_ASSERT(places.count + places.more <= nginxmap_count(map));
		if (places.count)
			places_use();
		peer.has_hello = true;
		peer.server_name = "a.test";
		nginxlisten_match(conf, 1022001, &tell, &peer, &places);
		if (places.count)
			places_use();
		peer.has_hello = false;
		peer.server_name = "";
	}
	nginxmap_free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	struct nginxconf_source source = { .read = input_read,
					   .expand = input_expand,
					   .context = &in };
	struct nginxconf_request request = { "/main", "/", nginxmap_wants };
	struct nginxconf *conf = NULL;
	char buf[256];
	struct text problem;
	int err;

	input_split(data, size, &in);
	text_init(&problem, buf, sizeof(buf));
	err = nginxconf_read(&source, &request, &conf, &problem);
	FUZZ_ASSERT(is_harmless(buf));
	FUZZ_ASSERT(err ? problem.len > 0 : conf != NULL);
	if (!err)
		conf_use(conf);
	nginxconf_free(conf);
	return 0;
}
