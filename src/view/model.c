// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counts come from standings where there are such: they know the handshakes that succeed, and are
 * exact where findings are folded. A file of findings alone has what the findings say.
 */
#include "view/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/units.h"
#include "view/entity.h"

#define CAUSES_MAX     128
#define KEPT_BYTES_MAX (16 * 1024 * 1024)
#define STANDING_WIDTH (2 * NS_PER_S) /* they come each second, or somewhat later */

/* How long it is worth saying that a peer works again. */
#define RECOVERED_NS (300 * NS_PER_S)

/* As in diagnose/peers.c: so many failures in a row are no chance. */
#define STREAK_MIN 3

static bool table_make(struct table *t, size_t max)
{
	t->max = max;
	t->items = calloc(max, sizeof(*t->items));
	return t->items;
}

struct view *view_new(bool recorded)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->recorded = recorded;
	v->time.grows = recorded;
	if (table_make(&v->peers, VIEW_ROWS_MAX) && table_make(&v->causes, CAUSES_MAX) &&
	    table_make(&v->clients, VIEW_ROWS_MAX))
		return v;
	view_free(v);
	return NULL;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	free(v->peers.items);
	free(v->causes.items);
	free(v->clients.items);
	for (size_t i = 0; i < VIEW_FAILURES_MAX; i++) {
		free(v->kept[i].line);
		free(v->kept[i].example);
	}
	free(v);
}

/* -- time ----------------------------------------------------------------------------------------- */

static void table_halve(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		history_halve(&t->items[i].history);
}

static void tables_halve(struct view *v)
{
	table_halve(&v->peers);
	table_halve(&v->causes);
	table_halve(&v->clients);
}

static void time_to(struct view *v, uint64_t t)
{
	if (!t)
		return;
	if (!v->first_ns)
		v->first_ns = t;
	if (t > v->last_ns)
		v->last_ns = t;
	while (history_time_to(&v->time, t))
		tables_halve(v);
}

static void table_sample(struct table *t, uint64_t now)
{
	for (size_t i = 0; i < t->count; i++) {
		struct entity *e = &t->items[i];

		history_sample(&e->ended, now, e->done + e->failed);
		history_sample(&e->latency, now, e->latency_ns);
		history_sample(&e->done_at, now, e->done);
	}
}

void view_tick(struct view *v, uint64_t now)
{
	if (v->recorded)
		return;
	time_to(v, now);
	table_sample(&v->peers, now);
	table_sample(&v->causes, now);
	table_sample(&v->clients, now);
}

/* -- entities --------------------------------------------------------------------------------------- */

static void set(char *to, size_t size, const char *from)
{
	struct text t;

	text_init(&t, to, size);
	text_add(&t, from);
}
#define SET(array, from) set(array, sizeof(array), from)

/* That of this name, which is made, in the place of the one that was quiet for longest if need be. */
static struct entity *entity_get(struct view *v, struct table *t, const char *name)
{
	uint64_t hash = hash_add(HASH_EMPTY, name, strlen(name));
	struct entity *quiet = &t->items[0], *e = t->items;

	for (; e < t->items + t->count; e++) {
		if (e->hash == hash && !strcmp(e->name, name))
			return e;
		if (e->seen_ns < quiet->seen_ns)
			quiet = e;
	}
	if (t->count < t->max) {
		t->count++;
	} else {
		v->forgotten++;
		e = quiet;
	}
	*e = (struct entity){ .hash = hash, .seen_ns = v->last_ns };
	SET(e->name, name);
	return e;
}

static void endpoint_name(char name[VIEW_NAME_LEN], const struct finding_endpoint *peer)
{
	struct text t;

	text_init(&t, name, VIEW_NAME_LEN);
	if (peer->port)
		text_addf(&t, strchr(peer->address, ':') ? "[%s]:%u" : "%s:%u", peer->address,
			  peer->port);
	else
		text_add(&t, peer->address[0] ? peer->address : "-");
}

uint64_t entity_latency(const struct history_rate *latency, const struct history_rate *done,
			uint64_t latency_ns, uint64_t count)
{
	unsigned int last = latency->used - 1;

	if (latency->used > 1 && done->used == latency->used &&
	    done->counts[last] > done->counts[0] && latency->counts[last] > latency->counts[0])
		return (latency->counts[last] - latency->counts[0]) /
		       (done->counts[last] - done->counts[0]);
	return count ? latency_ns / count : 0;
}

enum view_state entity_state(const struct view *v, const struct entity *e, uint64_t failures)
{
	bool fresh = e->recovered_ns && v->last_ns - e->recovered_ns < RECOVERED_NS;

	if (e->counted && e->streak && e->last_failed_ns >= e->last_done_ns &&
	    (!e->done || e->streak >= STREAK_MIN))
		return VIEW_FAILING;
	if (!e->counted && e->told != VIEW_RECOVERED)
		return e->told;
	if (fresh)
		return VIEW_RECOVERED;
	if (e->counted && failures)
		return VIEW_FLAPPING;
	return e->done || e->recovered_ns ? VIEW_OK : VIEW_UNKNOWN;
}

/* -- findings ------------------------------------------------------------------------------------- */

/* What a finding says of handshakes that succeeded, where nobody else does. */
static void history_take(struct view *v, struct entity *e, const struct finding_peer *h)
{
	static const enum view_state states[] = {
		[FINDING_PEER_OK] = VIEW_OK,
		[FINDING_PEER_FLAPPING] = VIEW_FLAPPING,
		[FINDING_PEER_FAILING] = VIEW_FAILING,
		[FINDING_PEER_RECOVERED] = VIEW_RECOVERED,
	};
	uint64_t done;

	if (!h->known)
		return;
	e->told = states[h->state];
	done = h->handshakes > h->failures ? h->handshakes - h->failures : 0;
	if (!e->counted && (!e->history_since_ns || e->history_since_ns == h->since_ns) &&
	    done > e->history_done) {
		history_add(&e->history, &v->time, done - e->history_done, 0);
		e->done += done - e->history_done;
	}
	e->history_since_ns = h->since_ns;
	e->history_done = done;
	if (h->last_success_ns > e->last_done_ns)
		e->last_done_ns = h->last_success_ns;
}

static void failures_count(struct view *v, struct entity *e, const struct finding *f,
			   uint64_t count)
{
	SET(e->cause, f->cause);
	if (f->hello.server_name[0])
		SET(e->server_name, f->hello.server_name);
	for (unsigned int i = 0; i < f->config.place_count && !*e->upstream; i++)
		SET(e->upstream, f->config.places[i].upstream);
	e->seen_ns = f->time_ns;
	if (f->time_ns > e->last_failed_ns)
		e->last_failed_ns = f->time_ns;
	if (e->counted)
		return;
	e->failed += count;
	history_add(&e->history, &v->time, 0, count);
}

/* What a failure looked like is worth more than that it came again: it stays with the next that says no
 * more than that, if there is one. */
static void example_pass(struct view *v, struct kept *from)
{
	char **line = from->whole ? &from->line : &from->example;
	size_t *len = from->whole ? &from->len : &from->example_len;

	for (size_t i = v->kept_count; *line && i--;) {
		struct kept *k = &v->kept[(v->kept_next + 2 * VIEW_FAILURES_MAX - 1 - i) %
					  VIEW_FAILURES_MAX];

		if (k == from || strcmp(k->peer, from->peer) != 0 ||
		    strcmp(k->cause, from->cause) != 0)
			continue;
		if (k->whole || k->example)
			return;
		k->example = *line;
		k->example_len = *len;
		if (!*k->server_name)
			SET(k->server_name, from->server_name);
		*line = NULL;
		*len = 0;
	}
}

static void kept_drop(struct view *v, struct kept *k)
{
	example_pass(v, k);
	v->kept_bytes -= k->len + k->example_len;
	free(k->example);
	free(k->line);
	*k = (struct kept){ 0 };
}

static void keep(struct view *v, const struct finding *f, const char *peer, const char *line,
		 size_t len, uint64_t count)
{
	struct kept *k = &v->kept[v->kept_next];
	char *copy = malloc(len ? len : 1);

	if (!copy)
		return;
	if (v->kept_count == VIEW_FAILURES_MAX)
		kept_drop(v, k);
	else
		v->kept_count++;
	memcpy(copy, line, len);
	*k = (struct kept){ .line = copy,
			    .len = len,
			    .whole = f->kind == FINDING_FAILURE,
			    .time_ns = f->time_ns,
			    .count = count,
			    .server = !strcmp(f->role, "server") };
	SET(k->peer, peer);
	SET(k->cause, f->cause);
	SET(k->server_name, f->hello.server_name);
	for (unsigned int i = 0; i < f->config.place_count && !*k->upstream; i++)
		SET(k->upstream, f->config.places[i].upstream);
	v->kept_next = (v->kept_next + 1) % VIEW_FAILURES_MAX;
	v->kept_bytes += len;
	while (v->kept_bytes > KEPT_BYTES_MAX && v->kept_count > 1) {
		kept_drop(v, &v->kept[(v->kept_next + VIEW_FAILURES_MAX - v->kept_count) %
				      VIEW_FAILURES_MAX]);
		v->kept_count--;
	}
}

static void failure_take(struct view *v, const struct finding *f, const char *line, size_t len)
{
	bool server = !strcmp(f->role, "server");
	uint64_t count = f->kind == FINDING_FOLDED ? f->suppressed : f->kind == FINDING_FAILURE;
	struct finding_endpoint client = f->peer;
	char name[VIEW_NAME_LEN];
	struct entity *e;

	/* each connection of a client has a port of its own */
	if (server)
		client.port = 0;
	endpoint_name(name, &client);
	failures_count(v, entity_get(v, &v->causes, f->cause), f, count);
	e = entity_get(v, server ? &v->clients : &v->peers, name);
	failures_count(v, e, f, count);
	if (!server)
		history_take(v, e, &f->history);
	if (!server && f->certificate.known && f->certificate.has_validity)
		e->not_after = f->certificate.not_after;
	keep(v, f, name, line, len, count);
}

static void certificate_take(struct view *v, const struct finding *f)
{
	char name[VIEW_NAME_LEN];

	if (!f->certificate.has_validity)
		return;
	endpoint_name(name, &f->peer);
	entity_get(v, &v->peers, name)->not_after = f->certificate.not_after;
}

static void recovery_take(struct view *v, const struct finding *f)
{
	char name[VIEW_NAME_LEN];
	struct entity *e;

	endpoint_name(name, &f->peer);
	e = entity_get(v, &v->peers, name);
	history_take(v, e, &f->history);
	e->told = VIEW_RECOVERED;
	e->recovered_ns = f->time_ns;
	e->seen_ns = f->time_ns;
}

void view_finding(struct view *v, const struct finding *f, const char *line, size_t len)
{
	time_to(v, f->time_ns);
	switch (f->kind) {
	case FINDING_FAILURE:
	case FINDING_CONFIRMED:
	case FINDING_FOLDED:
		failure_take(v, f, line, len);
		break;
	case FINDING_RECOVERED:
		recovery_take(v, f);
		break;
	case FINDING_CERTIFICATE_SEEN:
	case FINDING_CERTIFICATE_EXPIRING:
	case FINDING_CERTIFICATE_UNSENT:
		certificate_take(v, f);
		break;
	case FINDING_LOSS:
		v->lost += f->loss.findings + f->loss.untracked + f->loss.output;
		break;
	case FINDING_SUMMARY:
	case FINDING_PLAINTEXT:
		break;
	}
}

/* -- standings ------------------------------------------------------------------------------------ */

/* What it has more than before. Of the first standing, what is not known from findings is from before
 * this view, unless a recording began with it. Counts that go back are those of another run. */
static uint64_t growth(const struct view *v, const struct entity *e, uint64_t before, uint64_t now)
{
	if (now < before || (!e->counted && !v->recorded && v->standings == 1))
		return 0;
	return now - before;
}

static void counts_take(struct view *v, struct entity *e, uint64_t done, uint64_t failed)
{
	uint64_t more_done = growth(v, e, e->done, done);
	uint64_t more_failed = growth(v, e, e->failed, failed);

	if (more_done || more_failed) {
		history_add(&e->history, &v->time, more_done, more_failed);
		e->seen_ns = v->last_ns;
	}
	e->done = done;
	e->failed = failed;
	e->counted = true;
}

static void peer_take(struct view *v, const struct standing_peer *p)
{
	char name[VIEW_NAME_LEN];
	struct entity *e;

	endpoint_name(name, &p->peer);
	e = entity_get(v, &v->peers, name);
	/* It is known by its certificate only. */
	if (p->done || p->failed)
		counts_take(v, e, p->done, p->failed);
	e->streak = p->streak;
	e->last_done_ns = p->last_done_ns;
	if (p->last_failed_ns > e->last_failed_ns)
		e->last_failed_ns = p->last_failed_ns;
	e->latency_ns = p->latency_ns;
	if (p->not_after)
		e->not_after = p->not_after;
}

static void totals_take(struct view *v, const struct standing *s)
{
	struct standing *t = &v->totals;

	v->has_totals = s->has_totals;
	t->client_done = s->client_done;
	t->client_failed = s->client_failed;
	t->server_done = s->server_done;
	t->server_failed = s->server_failed + s->noise;
	t->latency_ns = s->latency_ns;
	t->processes = s->processes;
	t->lost = s->lost;
	history_sample(&v->client, s->time_ns, s->client_done + s->client_failed);
	history_sample(&v->server, s->time_ns, t->server_done + t->server_failed);
	history_sample(&v->latency, s->time_ns, s->latency_ns);
	history_sample(&v->done_at, s->time_ns, s->client_done);
}

void view_standing(struct view *v, const struct standing *s)
{
	time_to(v, s->time_ns);
	while (history_time_widen(&v->time, STANDING_WIDTH))
		tables_halve(v);
	v->standings++;
	v->standing_ns = s->time_ns;
	totals_take(v, s);
	for (unsigned int i = 0; i < s->peer_count; i++)
		peer_take(v, &s->peers[i]);
	for (unsigned int i = 0; i < s->cause_count; i++) {
		struct entity *e = entity_get(v, &v->causes, s->causes[i].slug);

		SET(e->cause, s->causes[i].slug);
		if (growth(v, e, e->failed, s->causes[i].count))
			e->last_failed_ns = s->time_ns;
		counts_take(v, e, 0, s->causes[i].count);
	}
}
