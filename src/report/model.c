// SPDX-License-Identifier: BSD-2-Clause
/*
 * Adding: one event at a time, in any order. What depends on the order is left to summing.c.
 */
#include "report/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/list.h"

#define KEY_LEN	     8192
#define SETTINGS_LEN 8192
#define NAMES_LEN    2048
#define FOLD_POINTS  16 /* that failures which came folded are spread over */

struct report *report_new(void)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->index = json_object();
	r->hosts = json_object();
	if (r->index && r->hosts)
		return r;
	report_free(r);
	return NULL;
}

static void certificate_free(struct report_certificate *c)
{
	free(c->subject);
	free(c->issuer);
	free(c->names);
	free(c->key);
}

static void place_free(struct report_place *p)
{
	for (uint32_t i = 0; i < p->version_count; i++)
		free(p->versions[i].settings);
	free(p->name);
}

void report_free(struct report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->peers.count; i++) {
		free(REPORT_ROW(&r->peers, struct report_peer, i)->label);
		free(REPORT_ROW(&r->peers, struct report_peer, i)->upstream);
	}
	for (size_t i = 0; i < r->kinds.count; i++) {
		struct report_kind_row *kind = REPORT_ROW(&r->kinds, struct report_kind_row, i);

		free(kind->cause);
		free(kind->confirmed);
		json_decref(kind->example);
	}
	for (size_t i = 0; i < r->certificates.count; i++)
		certificate_free(REPORT_ROW(&r->certificates, struct report_certificate, i));
	for (size_t i = 0; i < r->places.count; i++)
		place_free(REPORT_ROW(&r->places, struct report_place, i));
	for (size_t i = 0; i < r->losses.count; i++)
		free(REPORT_ROW(&r->losses, struct report_loss, i)->message);
	report_list_free(&r->points);
	report_list_free(&r->peers);
	report_list_free(&r->kinds);
	report_list_free(&r->causes);
	report_list_free(&r->certificates);
	report_list_free(&r->places);
	report_list_free(&r->outages);
	report_list_free(&r->losses);
	json_decref(r->index);
	json_decref(r->hosts);
	free(r);
}

static void span_add(uint64_t *first, uint64_t *last, uint64_t t)
{
	if (!*first || t < *first)
		*first = t;
	if (t > *last)
		*last = t;
}

static void label_add(struct text *t, const char *address, uint64_t port)
{
	text_addf(t, strchr(address, ':') ? "[%s]:%llu" : "%s:%llu", *address ? address : "?",
		  (unsigned long long)port);
}

/* Clients of a server come from any port of anywhere: what they connect to is what fails. */
static int64_t peer_of(struct report *r, const json_t *o)
{
	bool server = !strcmp(report_string(o, "tlsfail.role"), "server");
	const char *upstream = report_string(o, "nginx.config.upstream");
	char key[KEY_LEN];
	struct report_peer *peer;
	struct text t;
	bool is_new;
	int64_t at;

	text_init(&t, key, sizeof(key));
	text_add(&t, server ? "clients of " : "peer ");
	label_add(&t, report_string(o, server ? "network.local.address" : "network.peer.address"),
		  report_number(o, server ? "network.local.port" : "network.peer.port"));
	at = report_row_of(r, key, &r->peers, sizeof(struct report_peer), &is_new);
	if (at < 0)
		return at;
	peer = REPORT_ROW(&r->peers, struct report_peer, at);
	if (is_new) {
		peer->label = strdup(server ? key : key + strlen("peer "));
		peer->server = server;
	}
	if (!peer->upstream && !server && *upstream)
		peer->upstream = strdup(upstream);
	return peer->label ? at : -1;
}

static int64_t kind_of(struct report *r, uint32_t peer, const json_t *o)
{
	const char *cause = report_string(o, "error.type");
	struct report_kind_row *kind;
	char key[128];
	struct text t;
	bool is_new;
	int64_t at;

	text_init(&t, key, sizeof(key));
	text_addf(&t, "kind %u %s", peer, cause);
	at = report_row_of(r, key, &r->kinds, sizeof(struct report_kind_row), &is_new);
	if (at < 0)
		return at;
	kind = REPORT_ROW(&r->kinds, struct report_kind_row, at);
	if (is_new) {
		kind->peer = peer;
		kind->cause = strdup(cause);
		REPORT_ROW(&r->peers, struct report_peer, peer)->kind_count++;
	}
	return kind->cause ? at : -1;
}

/* The first event that shows how the handshake went stands for its kind. */
static void example_take(struct report *r, struct report_kind_row *kind, const json_t *o)
{
	if (!kind->example && r->examples >= REPORT_EXAMPLES_MAX)
		return;
	if (kind->example && (json_object_get(kind->example, "tlsfail.timeline") ||
			      !json_object_get(o, "tlsfail.timeline")))
		return;
	r->examples += !kind->example;
	json_decref(kind->example);
	kind->example = json_incref((json_t *)o);
}

static int point_add(struct report *r, const struct report_point *point)
{
	struct report_point *p = report_list_add(&r->points, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = *point;
	return 0;
}

/* Failures that came as a number are spread evenly over the time in which they happened. */
static int folded_add(struct report *r, const json_t *o, const struct report_point *last)
{
	uint64_t count = report_number(o, "tlsfail.suppressed");
	uint64_t duration = report_number(o, "event.duration");
	uint64_t steps = count < FOLD_POINTS ? count : FOLD_POINTS;

	if (duration > last->time_ns)
		duration = 0;
	for (uint64_t i = 0; i < steps; i++) {
		struct report_point p = *last;

		p.time_ns -= duration / steps * (steps - 1 - i);
		p.count = count / steps + (i < count % steps);
		if (point_add(r, &p))
			return -ENOMEM;
	}
	return 0;
}

static void success_take(struct report_peer *peer, const struct report_event *e)
{
	uint64_t success;

	if (report_time(e->object, "tlsfail.peer.last_success", &success) &&
	    success > peer->success_ns)
		peer->success_ns = success;
}

static int failure_add(struct report *r, const struct report_event *e, uint32_t file)
{
	const char *confirmed = report_string(e->object, "tlsfail.confirmed");
	struct report_point point = { .time_ns = e->time_ns, .count = 1, .file = file };
	struct report_kind_row *kind;
	int64_t peer = peer_of(r, e->object), at;

	at = peer < 0 ? -1 : kind_of(r, (uint32_t)peer, e->object);
	if (at < 0)
		return -ENOMEM;
	kind = REPORT_ROW(&r->kinds, struct report_kind_row, at);
	success_take(REPORT_ROW(&r->peers, struct report_peer, peer), e);
	example_take(r, kind, e->object);
	if (!kind->confirmed && *confirmed)
		kind->confirmed = strdup(confirmed);
	if (e->kind == REPORT_CONFIRMED)
		return 0; /* its failure was counted when it came */
	point.peer = (uint32_t)peer;
	point.kind = (uint32_t)at;
	point.port = (uint32_t)report_number(e->object, "network.local.port") << 16 |
		     (uint32_t)(report_number(e->object, "network.peer.port") & 0xffff);
	return e->kind == REPORT_FOLDED ? folded_add(r, e->object, &point) : point_add(r, &point);
}

static int recovery_add(struct report *r, const struct report_event *e, uint32_t file)
{
	struct report_point point = { .time_ns = e->time_ns, .kind = REPORT_NO_KIND, .file = file };
	int64_t peer = peer_of(r, e->object);
	uint64_t success;

	if (peer < 0)
		return -ENOMEM;
	if (report_time(e->object, "tlsfail.peer.last_success", &success) && success < e->time_ns)
		point.time_ns = success;
	point.peer = (uint32_t)peer;
	return point_add(r, &point);
}

/* Appends the strings of an array, with that between them. */
static void joined_add(struct text *t, const json_t *array, const char *between)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s)
			text_addf(t, "%s%s", t->len ? between : "", s);
	}
}

static void certificate_peer(struct report_certificate *c, uint32_t peer)
{
	for (uint32_t i = 0; i < c->peer_count; i++)
		if (c->peers[i] == peer)
			return;
	if (c->peer_count == REPORT_CERT_PEERS)
		c->more_peers = true;
	else
		c->peers[c->peer_count++] = peer;
}

static bool certificate_fill(struct report_certificate *c, const json_t *o, bool client)
{
	char buf[NAMES_LEN];
	struct text t;

	c->client = client;
	c->subject = strdup(report_string(o, client ? "tls.client.subject" : "tls.server.subject"));
	c->issuer = strdup(report_string(o, client ? "tls.client.issuer" : "tls.server.issuer"));
	text_init(&t, buf, sizeof(buf));
	joined_add(&t, json_object_get(o, client ? "tls.client.san" : "tls.server.san"), ", ");
	c->names = strdup(buf);
	text_init(&t, buf, sizeof(buf));
	text_add(&t, report_string(o, client ? "tls.client.public_key_algorithm"
					     : "tls.server.public_key_algorithm"));
	if (report_number(o, client ? "tls.client.public_key_size" : "tls.server.public_key_size"))
		text_addf(&t, " %llu",
			  (unsigned long long)report_number(o,
							    client ? "tls.client.public_key_size"
								   : "tls.server.public_key_size"));
	c->key = strdup(buf);
	c->has_validity = report_time(o, client ? "tls.client.not_before" : "tls.server.not_before",
				      &c->not_before_ns) &&
			  report_time(o, client ? "tls.client.not_after" : "tls.server.not_after",
				      &c->not_after_ns);
	return c->subject && c->issuer && c->names && c->key;
}

static int certificate_add(struct report *r, const struct report_event *e, bool client)
{
	const json_t *o = e->object;
	struct report_certificate *c;
	char key[KEY_LEN];
	struct text t;
	bool is_new;
	int64_t at, peer;

	if (!json_object_get(o, client ? "tls.client.subject" : "tls.server.subject"))
		return 0;
	text_init(&t, key, sizeof(key));
	text_addf(&t, "certificate %d %s %s %s %s", client,
		  report_string(o, client ? "tls.client.hash.sha256" : "tls.server.hash.sha256"),
		  report_string(o, client ? "tls.client.not_after" : "tls.server.not_after"),
		  report_string(o, client ? "tls.client.subject" : "tls.server.subject"),
		  report_string(o, client ? "tls.client.issuer" : "tls.server.issuer"));
	peer = peer_of(r, o);
	at = report_row_of(r, key, &r->certificates, sizeof(*c), &is_new);
	if (at < 0 || peer < 0)
		return -ENOMEM;
	c = REPORT_ROW(&r->certificates, struct report_certificate, at);
	if (is_new && !certificate_fill(c, o, client))
		return -ENOMEM;
	span_add(&c->first_ns, &c->last_ns, e->time_ns);
	certificate_peer(c, (uint32_t)peer);
	return 0;
}

static int version_add(struct report_place *place, const char *settings, uint64_t t)
{
	struct report_version *v = place->versions;

	while (v < place->versions + place->version_count && strcmp(v->settings, settings) != 0)
		v++;
	if (v == place->versions + REPORT_VERSIONS_MAX) {
		place->more = true;
		return 0;
	}
	if (v == place->versions + place->version_count) {
		v->settings = strdup(settings);
		if (!v->settings)
			return -ENOMEM;
		place->version_count++;
	}
	span_add(&v->first_ns, &v->last_ns, t);
	return 0;
}

static int place_add(struct report *r, const struct report_event *e)
{
	const char *file = report_string(e->object, "nginx.config.file");
	char key[KEY_LEN], settings[SETTINGS_LEN];
	struct report_place *place;
	struct text t, s;
	bool is_new;
	int64_t at;

	if (!*file || !json_object_get(e->object, "nginx.config.settings"))
		return 0;
	text_init(&s, settings, sizeof(settings));
	joined_add(&s, json_object_get(e->object, "nginx.config.settings"), "\n");
	/* Without the line: what stands above may have been changed, too. */
	text_init(&t, key, sizeof(key));
	text_addf(&t, "place %s, %s", file, report_string(e->object, "nginx.config.location"));
	at = report_row_of(r, key, &r->places, sizeof(*place), &is_new);
	if (at < 0)
		return -ENOMEM;
	place = REPORT_ROW(&r->places, struct report_place, at);
	if (is_new)
		place->name = strdup(key + strlen("place "));
	return place->name ? version_add(place, settings, e->time_ns) : -ENOMEM;
}

static int loss_add(struct report *r, const struct report_event *e)
{
	struct report_loss *loss;

	r->lost_failures += report_number(e->object, "tlsfail.lost.findings");
	r->lost_wires += report_number(e->object, "tlsfail.lost.wires");
	r->lost_untracked += report_number(e->object, "tlsfail.lost.untracked");
	r->lost_processes += report_number(e->object, "tlsfail.lost.processes");
	r->lost_output += report_number(e->object, "tlsfail.lost.output");
	if (r->losses.count == REPORT_NOTES_MAX)
		return 0;
	loss = report_list_add(&r->losses, sizeof(*loss));
	if (!loss)
		return -ENOMEM;
	loss->time_ns = e->time_ns;
	loss->message = strdup(report_string(e->object, "message"));
	return loss->message ? 0 : -ENOMEM;
}

static int kind_add(struct report *r, const struct report_event *e, uint32_t file)
{
	switch (e->kind) {
	case REPORT_FAILURE:
	case REPORT_CONFIRMED:
	case REPORT_FOLDED:
		return failure_add(r, e, file);
	case REPORT_RECOVERED:
		return recovery_add(r, e, file);
	case REPORT_LOSS:
		return loss_add(r, e);
	case REPORT_OTHER:
		r->others++;
		return 0;
	default:
		return 0;
	}
}

int report_add(struct report *r, const struct report_event *e, uint32_t file)
{
	const char *host = report_string(e->object, "host.name");
	int err;

	if (e->kind == REPORT_VIEW)
		return 0;
	err = kind_add(r, e, file);
	r->events++;
	span_add(&r->begin_ns, &r->end_ns, e->time_ns);
	if (!err && *host && json_object_set_new_nocheck(r->hosts, host, json_true()))
		err = -ENOMEM;
	if (!err)
		err = certificate_add(r, e, false);
	if (!err)
		err = certificate_add(r, e, true);
	return err ? err : place_add(r, e);
}
