// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the model to rows of a table: which, and in which order.
 */
#define _GNU_SOURCE /* strcasestr() */
#include "view/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "view/entity.h"

#define WORD_LEN 96

/* Nothing was heard for so long of how handshakes stand: how many there are now is not known. */
#define SILENCE_NS (5 * NS_PER_S)

const char *view_state_name(enum view_state state)
{
	static const char *const names[] = {
		[VIEW_UNKNOWN] = "-",		[VIEW_OK] = "ok",
		[VIEW_RECOVERED] = "recovered", [VIEW_FLAPPING] = "flapping",
		[VIEW_FAILING] = "failing",
	};

	return names[state];
}

/* -- totals --------------------------------------------------------------------------------------- */

static double rate_of(const struct view *v, const struct history_rate *rate, uint64_t count)
{
	uint64_t span = v->last_ns - v->first_ns;

	if (!v->recorded)
		return v->last_ns - v->standing_ns < SILENCE_NS ? history_rate(rate) : -1;
	/* of less than a second it would be no more than a guess */
	return span >= NS_PER_S ? (double)count * NS_PER_S / (double)span : -1;
}

/* A recording has no counters of the kernel, but for each peer that failed. */
static void totals_add_up(const struct view *v, struct view_totals *t)
{
	for (size_t i = 0; i < v->peers.count; i++) {
		t->client_done += v->peers.items[i].done;
		t->client_failed += v->peers.items[i].failed;
	}
	for (size_t i = 0; i < v->clients.count; i++)
		t->server_failed += v->clients.items[i].failed;
	t->client_rate = rate_of(v, &v->client, t->client_done + t->client_failed);
	t->server_rate = -1;
}

void view_totals(const struct view *v, struct view_totals *t)
{
	const struct standing *s = &v->totals;

	*t = (struct view_totals){
		.time_ns = v->last_ns,
		.first_ns = v->first_ns,
		.bucket_ns = v->time.width,
		.processes = s->processes,
		.lost = v->lost + s->lost,
		.forgotten = v->forgotten,
	};
	if (!v->has_totals) {
		totals_add_up(v, t);
	} else {
		t->client_done = s->client_done;
		t->client_failed = s->client_failed;
		t->server_done = s->server_done;
		t->server_failed = s->server_failed;
		t->client_rate = rate_of(v, &v->client, s->client_done + s->client_failed);
		t->server_rate = rate_of(v, &v->server, s->server_done + s->server_failed);
		t->latency_ns =
			entity_latency(&v->latency, &v->done_at, s->latency_ns, s->client_done);
	}
	t->has_rates = t->client_rate >= 0;
}

/* -- filters -------------------------------------------------------------------------------------- */

static bool has(const char *text, const char *word)
{
	return strcasestr(text, word);
}

/* Each word of the filter is in one of these; peers may have two names. */
static bool passes(const char *filter, const char *peer, const char *upstream, const char *cause,
		   const char *name)
{
	while (*filter) {
		size_t len = strcspn(filter, " ");
		char buf[WORD_LEN];
		const char *word = buf;
		struct text t;
		bool in_peer = true, in_cause = true, in_name = true;

		text_init(&t, buf, sizeof(buf));
		text_addf(&t, "%.*s", (int)len, filter);
		if (!strncmp(word, "peer:", 5)) {
			in_cause = in_name = false;
			word += 5;
		} else if (!strncmp(word, "cause:", 6)) {
			in_peer = in_name = false;
			word += 6;
		} else if (!strncmp(word, "name:", 5)) {
			in_peer = in_cause = false;
			word += 5;
		}
		if (!(in_peer && (has(peer, word) || has(upstream, word))) &&
		    !(in_cause && has(cause, word)) && !(in_name && has(name, word)))
			return false;
		filter += len;
		filter += strspn(filter, " ");
	}
	return true;
}

static const char *filter_of(const struct view_query *query)
{
	return query->filter ? query->filter : "";
}

/* -- rows ----------------------------------------------------------------------------------------- */

static const struct table *table_of(const struct view *v, enum view_kind kind)
{
	return kind == VIEW_CAUSES ? &v->causes : kind == VIEW_CLIENTS ? &v->clients : &v->peers;
}

static bool has_shares(enum view_kind kind)
{
	return kind == VIEW_PEERS || kind == VIEW_UPSTREAMS;
}

/* The name that an entity has among upstreams. */
static const char *group_of(const struct entity *e)
{
	return e->upstream[0] ? e->upstream : e->name;
}

static void row_fill(const struct view *v, enum view_kind kind, const struct entity *e,
		     const char *name, unsigned int peers, struct view_row *row)
{
	uint64_t done, failed;
	struct text t;

	history_sum(&e->history, &v->time, &done, &failed);
	*row = (struct view_row){
		.peers = peers,
		.done = e->done,
		.failed = e->failed,
		.rate = rate_of(v, &e->ended, e->done + e->failed),
		.share = has_shares(kind) && done + failed
				 ? 100 * (double)failed / (double)(done + failed)
				 : -1,
		.state = entity_state(v, e, failed),
		.not_after = e->not_after,
		.latency_ns = entity_latency(&e->latency, &e->done_at, e->latency_ns, e->done),
		.last_ns = e->last_failed_ns,
	};
	text_init(&t, row->name, sizeof(row->name));
	text_add(&t, name);
	text_init(&t, row->cause, sizeof(row->cause));
	text_add(&t, e->cause);
	history_levels(&e->history, &v->time, has_shares(kind), row->levels);
}

/* Peers of one upstream block, as one. */
static void group_add(const struct view *v, struct entity *group, enum view_state *worst,
		      double *rate, const struct entity *e)
{
	double own = rate_of(v, &e->ended, e->done + e->failed);
	uint64_t done, failed;

	history_sum(&e->history, &v->time, &done, &failed);
	if (entity_state(v, e, failed) > *worst)
		*worst = entity_state(v, e, failed);
	if (own >= 0)
		*rate = *rate < 0 ? own : *rate + own;
	group->done += e->done;
	group->failed += e->failed;
	group->latency_ns += e->latency_ns;
	if (e->last_failed_ns >= group->last_failed_ns) {
		group->last_failed_ns = e->last_failed_ns;
		memcpy(group->cause, e->cause, sizeof(group->cause));
	}
	if (e->not_after && (!group->not_after || e->not_after < group->not_after))
		group->not_after = e->not_after;
	history_merge(&group->history, &e->history, &v->time);
}

static bool is_first_of_group(const struct view *v, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(group_of(&v->peers.items[k]), group_of(&v->peers.items[i])))
			return false;
	return true;
}

/* False: it is not asked for. */
static bool group_row(const struct view *v, const struct view_query *query, size_t first,
		      struct view_row *row)
{
	const char *name = group_of(&v->peers.items[first]);
	struct entity group = { .counted = true };
	enum view_state worst = VIEW_UNKNOWN;
	bool wanted = false;
	unsigned int peers = 0;
	double rate = -1;

	if (!is_first_of_group(v, first))
		return false;
	for (size_t i = first; i < v->peers.count; i++) {
		const struct entity *e = &v->peers.items[i];

		if (strcmp(group_of(e), name) != 0)
			continue;
		wanted |= passes(filter_of(query), e->name, e->upstream, e->cause, e->server_name);
		group_add(v, &group, &worst, &rate, e);
		peers++;
	}
	if (!wanted)
		return false;
	row_fill(v, VIEW_UPSTREAMS, &group, name, peers, row);
	row->state = worst;
	row->rate = rate;
	return true;
}

static bool entity_row(const struct view *v, const struct view_query *query, const struct entity *e,
		       struct view_row *row)
{
	bool is_cause = query->kind == VIEW_CAUSES;

	if (!passes(filter_of(query), is_cause ? "" : e->name, e->upstream, e->cause,
		    e->server_name))
		return false;
	row_fill(v, query->kind, e, e->name, 0, row);
	return true;
}

/* -- order ---------------------------------------------------------------------------------------- */

static int compare_numbers(double a, double b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

/* Less than 0: a comes first. */
static int compare(enum view_sort sort, const struct view_row *a, const struct view_row *b)
{
	switch (sort) {
	case VIEW_BY_RATE:
		return compare_numbers(a->rate, b->rate);
	case VIEW_BY_SHARE:
		return compare_numbers(a->share, b->share);
	case VIEW_BY_FAILED:
		return compare_numbers((double)a->failed, (double)b->failed);
	case VIEW_BY_CAUSE:
		return strcmp(b->cause, a->cause);
	case VIEW_BY_CERTIFICATE:
		/* what ends first; what is not known, last */
		return compare_numbers(-(double)(a->not_after ? a->not_after : INT64_MAX),
				       -(double)(b->not_after ? b->not_after : INT64_MAX));
	case VIEW_BY_LATENCY:
		return compare_numbers((double)a->latency_ns, (double)b->latency_ns);
	case VIEW_BY_LAST:
		return compare_numbers((double)a->last_ns, (double)b->last_ns);
	case VIEW_BY_STATE:
		return a->state != b->state ? (a->state < b->state ? 1 : -1)
		       : a->share != b->share
			       ? compare_numbers(a->share, b->share)
			       : compare_numbers((double)a->failed, (double)b->failed);
	case VIEW_BY_NAME:
	case VIEW_SORTS:
		break;
	}
	return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct view_query *query = context;
	const struct view_row *one = a, *other = b;
	int order = compare(query->sort, one, other);

	if (!order)
		order = strcmp(one->name, other->name);
	return query->reverse ? -order : order;
}

size_t view_rows(struct view *v, const struct view_query *query, struct view_row *rows, size_t max)
{
	const struct table *t = table_of(v, query->kind);
	struct view_row *all = calloc(t->count + 1, sizeof(*all));
	struct view_query by = *query;
	size_t n = 0;

	for (size_t i = 0; all && i < t->count; i++) {
		bool wanted = query->kind == VIEW_UPSTREAMS
				      ? group_row(v, query, i, &all[n])
				      : entity_row(v, query, &t->items[i], &all[n]);

		n += wanted && (!query->failing_only || all[n].failed);
	}
	if (all)
		qsort_r(all, n, sizeof(*all), compare_rows, &by);
	if (n)
		memcpy(rows, all, (n < max ? n : max) * sizeof(*rows));
	free(all);
	return n;
}

/* -- failures --------------------------------------------------------------------------------------- */

static bool is_of(const struct kept *k, enum view_kind kind, const char *row)
{
	switch (kind) {
	case VIEW_PEERS:
		return !k->server && !strcmp(k->peer, row);
	case VIEW_UPSTREAMS:
		return !k->server && (!strcmp(k->upstream, row) || !strcmp(k->peer, row));
	case VIEW_CAUSES:
		return !strcmp(k->cause, row);
	case VIEW_CLIENTS:
		return k->server && !strcmp(k->peer, row);
	case VIEW_KINDS:
		break;
	}
	return false;
}

static void example_set(struct view_failure *f, const struct kept *k)
{
	if (!*f->name)
		f->name = k->server_name;
	if (f->example)
		return;
	f->example = k->whole ? k->line : k->example;
	f->example_len = k->whole ? k->len : k->example_len;
}

/* Adds it to one of the failures that is like it. */
static bool fold_into(struct view_failure *failures, size_t n, const struct kept *k)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(failures[i].peer, k->peer) && !strcmp(failures[i].cause, k->cause)) {
			failures[i].count += k->count;
			example_set(&failures[i], k);
			return true;
		}
	return false;
}

size_t view_failures(const struct view *v, const struct view_query *query, const char *row,
		     bool fold, struct view_failure *failures, size_t max)
{
	size_t n = 0;

	for (size_t i = 1; i <= v->kept_count; i++) {
		const struct kept *k =
			&v->kept[(v->kept_next + VIEW_FAILURES_MAX - i) % VIEW_FAILURES_MAX];

		if (row ? !is_of(k, query->kind, row)
			: !passes(filter_of(query), k->peer, k->upstream, k->cause, k->server_name))
			continue;
		if ((fold && fold_into(failures, n, k)) || n == max)
			continue;
		failures[n] = (struct view_failure){
			.time_ns = k->time_ns,
			.count = k->count,
			.peer = k->peer,
			.cause = k->cause,
			.name = k->server_name,
			.line = k->line,
			.len = k->len,
		};
		example_set(&failures[n++], k);
	}
	return n;
}
