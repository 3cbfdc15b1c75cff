// SPDX-License-Identifier: BSD-2-Clause
/*
 * What only the whole can say: in the order of time, what two files both have, how long each peer
 * failed, how the causes compare.
 */
#include "report/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/list.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_points(const void *left, const void *right)
{
	const struct report_point *a = left, *b = right;
	int order = compare_numbers(a->time_ns, b->time_ns);

	if (!order)
		order = compare_numbers(a->kind, b->kind);
	if (!order)
		order = compare_numbers(a->peer, b->peer);
	if (!order)
		order = compare_numbers(a->port, b->port);
	return order ? order : compare_numbers(a->file, b->file);
}

static bool is_duplicate(const struct report_point *a, const struct report_point *b)
{
	return a->time_ns == b->time_ns && a->kind == b->kind && a->peer == b->peer &&
	       a->port == b->port && a->file != b->file;
}

static void points_order(struct report *r)
{
	struct report_point *points = r->points.items;
	size_t kept = 0;

	if (r->points.count)
		qsort(points, r->points.count, sizeof(*points), compare_points);
	for (size_t i = 0; i < r->points.count; i++) {
		if (kept && is_duplicate(&points[kept - 1], &points[i]))
			r->duplicates += points[i].kind != REPORT_NO_KIND ? points[i].count : 0;
		else
			points[kept++] = points[i];
	}
	r->points.count = kept;
}

static void span_add(uint64_t *first, uint64_t *last, uint64_t t)
{
	if (!*first)
		*first = t;
	*last = t;
}

static void failure_count(struct report *r, const struct report_point *p)
{
	struct report_peer *peer = REPORT_ROW(&r->peers, struct report_peer, p->peer);
	struct report_kind_row *kind = REPORT_ROW(&r->kinds, struct report_kind_row, p->kind);

	r->failures += p->count;
	peer->failures += p->count;
	peer->failing = true;
	kind->count += p->count;
	span_add(&r->first_ns, &r->last_ns, p->time_ns);
	span_add(&peer->first_ns, &peer->last_ns, p->time_ns);
	span_add(&kind->first_ns, &kind->last_ns, p->time_ns);
}

/* open: by peer, the number of its outage that goes on, plus one. */
static int outage_add(struct report *r, const struct report_point *p, size_t *open)
{
	struct report_outage *outage;

	if (!*open) {
		outage = report_list_add(&r->outages, sizeof(*outage));
		if (!outage)
			return -ENOMEM;
		outage->peer = p->peer;
		outage->first_ns = p->time_ns;
		*open = r->outages.count;
	}
	outage = REPORT_ROW(&r->outages, struct report_outage, *open - 1);
	outage->last_ns = p->time_ns;
	outage->failures += p->count;
	return 0;
}

static void recovered(struct report *r, const struct report_point *p, size_t *open)
{
	REPORT_ROW(&r->peers, struct report_peer, p->peer)->failing = false;
	if (*open)
		REPORT_ROW(&r->outages, struct report_outage, *open - 1)->recovered_ns = p->time_ns;
	*open = 0;
}

/* A peer with which some handshakes succeed is not down. */
static void flapping_find(struct report *r, const size_t *open)
{
	for (size_t i = 0; i < r->peers.count; i++) {
		struct report_peer *peer = REPORT_ROW(&r->peers, struct report_peer, i);
		struct report_outage *outage;

		if (!open[i])
			continue;
		outage = REPORT_ROW(&r->outages, struct report_outage, open[i] - 1);
		outage->flapping = peer->success_ns > outage->first_ns;
		peer->flapping = outage->flapping;
	}
}

static int points_count(struct report *r)
{
	size_t *open = calloc(r->peers.count + 1, sizeof(*open));
	int err = open ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < r->points.count; i++) {
		const struct report_point *p = REPORT_ROW(&r->points, struct report_point, i);

		if (p->kind == REPORT_NO_KIND) {
			recovered(r, p, &open[p->peer]);
			continue;
		}
		failure_count(r, p);
		err = outage_add(r, p, &open[p->peer]);
	}
	if (!err)
		flapping_find(r, open);
	free(open);
	return err;
}

static struct report_cause *cause_of(struct report *r, const struct report_kind_row *kind)
{
	struct report_cause *cause;
	char key[128];
	struct text t;
	bool is_new;
	int64_t at;

	text_init(&t, key, sizeof(key));
	text_addf(&t, "cause %s", kind->cause);
	at = report_row_of(r, key, &r->causes, sizeof(*cause), &is_new);
	if (at < 0)
		return NULL;
	cause = REPORT_ROW(&r->causes, struct report_cause, at);
	cause->cause = kind->cause;
	return cause;
}

static int compare_causes(const void *left, const void *right)
{
	const struct report_cause *a = left, *b = right;
	int order = compare_numbers(b->count, a->count);

	return order ? order : strcmp(a->cause, b->cause);
}

static int causes_count(struct report *r)
{
	for (size_t i = 0; i < r->kinds.count; i++) {
		const struct report_kind_row *kind =
			REPORT_ROW(&r->kinds, struct report_kind_row, i);
		struct report_cause *cause = kind->count ? cause_of(r, kind) : NULL;

		if (!kind->count)
			continue;
		if (!cause)
			return -ENOMEM;
		cause->count += kind->count;
		cause->peers++;
		if (!cause->first_ns || kind->first_ns < cause->first_ns)
			cause->first_ns = kind->first_ns;
		if (kind->last_ns > cause->last_ns)
			cause->last_ns = kind->last_ns;
		if (!cause->example)
			cause->example = kind->example;
	}
	if (r->causes.count)
		qsort(r->causes.items, r->causes.count, sizeof(struct report_cause),
		      compare_causes);
	return 0;
}

int report_finish(struct report *r)
{
	int err;

	points_order(r);
	err = points_count(r);
	return err ? err : causes_count(r);
}
