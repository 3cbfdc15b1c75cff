// SPDX-License-Identifier: BSD-2-Clause
/*
 * A fact is one of all places that are left: which of them it was is not known.
 */
#include "program/nginx/observe.h"

#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "program/nginx/exclude.h"
#include "program/nginx/fixes.h"
#include "program/nginx/trust.h"

static bool is_same(const struct nginx_words *a, const struct nginx_words *b)
{
	return a->len == b->len && !strncasecmp(a->data, b->data, a->len);
}

static void observe_name(const struct nginx_places *places, struct program_facts *facts)
{
	const struct nginx_place *first = &places->items[0];
	struct nginx_words name = nginxplace_name(first);
	struct text t;

	for (uint32_t i = 1; i < places->count; i++) {
		struct nginx_words other = nginxplace_name(&places->items[i]);

		if (!is_same(&name, &other))
			return;
	}
	text_init(&t, facts->name, sizeof(facts->name));
	text_add_hostile(&t, name.data, name.len);
	facts->is_group_name = first->upstream.len && !nginx_place_value(first, NGINX_SSL_NAME);
}

static bool client_certificate_ended(const struct finding *f, const struct nginx_place *p)
{
	const struct nginx_note *ends = nginxplace_note(p, NGINX_NOTE_ENDS);

	return ends && ends->setting == NGINX_SSL_CERTIFICATE && f->time_ns &&
	       ends->number < (int64_t)(f->time_ns / NS_PER_S);
}

void nginxplaces_observe(const struct finding *f, struct nginx_places *places,
			 struct program_facts *facts)
{
	nginxplaces_exclude(places, f);
	if (!places->count || nginx_module_is_server(places->items[0].module))
		return;
	observe_name(places, facts);
	facts->place_count = places->count + places->excluded + places->more;
	facts->uses_tls = true;
	facts->can_send_name = true;
	facts->sends_header = true;
	facts->moved = true;
	facts->trusts_issuer = true;
	facts->depth_is_short = true;
	facts->client_cert_ended = true;
	facts->client_cert_unfit = true;
	for (uint32_t i = 0; i < places->count; i++) {
		const struct nginx_place *p = &places->items[i];

		facts->can_send_name &= nginxfix_can_send_name(f, p);
		facts->others_name_another |= nginxplace_note(p, NGINX_NOTE_NAMED) != NULL;
		facts->sends_header &= nginxplace_sends_header(p);
		facts->moved &= p->certainty == NGINX_MOVED;
		facts->trusts_issuer &= nginxtrust_holds_top(f, p);
		facts->depth_is_short &= nginxtrust_depth_needed(f, p) > 0;
		facts->client_cert_ended &= client_certificate_ended(f, p);
		facts->client_cert_unfit &= nginxplace_note(p, NGINX_NOTE_NO_CLIENT_USE) != NULL;
		facts->client_cert_varies |= nginxplace_certificate_varies(p);
	}
	for (uint32_t i = 0; i < places->count + places->excluded; i++)
		facts->speaks_grpc |= places->items[i].module == NGINX_MODULE_GRPC;
	for (uint32_t i = places->count; i < places->count + places->excluded; i++)
		facts->others_send_header |= nginxplace_sends_header(&places->items[i]);
}
