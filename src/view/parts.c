// SPDX-License-Identifier: BSD-2-Clause
/*
 * Figures and graphs.
 */
#include "view/parts.h"

#include "base/calendar.h"
#include "base/text.h"
#include "base/units.h"

#define DAY_S 86400

#define DAYS_SOON 14

#define FAILURE_WIDE 100

const char *part_rate(char *buf, double rate)
{
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (rate < 0)
		text_add(&t, "-");
	else if (rate >= 99.95)
		text_addf(&t, "%.0f", rate);
	else
		text_addf(&t, rate > 0 && rate < 0.05 ? "<0.1" : "%.1f", rate);
	return buf;
}

const char *part_share(char *buf, double share)
{
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (share < 0)
		text_add(&t, "-");
	else if (share > 0 && share < 0.1)
		text_add(&t, "<.1%");
	else if (share > 0 && share < 9.95)
		text_addf(&t, "%.1f%%", share);
	else
		/* not all of them is not 100 % */
		text_addf(&t, "%.0f%%", share < 100 && share > 99 ? 99 : share);
	return buf;
}

const char *part_latency(char *buf, uint64_t ns)
{
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (!ns)
		text_add(&t, "-");
	else if (ns < NS_PER_MS)
		text_addf(&t, "%uus", (unsigned int)(ns / NS_PER_US));
	else if (ns < NS_PER_S)
		text_addf(&t, "%ums", (unsigned int)(ns / NS_PER_MS));
	else
		text_addf(&t, "%.1fs", (double)ns / NS_PER_S);
	return buf;
}

/* Whole days, rounded towards the worse. */
static int64_t days_left(int64_t not_after, uint64_t now_ns)
{
	int64_t left = not_after - (int64_t)(now_ns / NS_PER_S);

	return left < 0 ? -((-left + DAY_S - 1) / DAY_S) : left / DAY_S;
}

const char *part_days(char *buf, int64_t not_after, uint64_t now_ns)
{
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (!not_after)
		text_add(&t, "-");
	else if (days_left(not_after, now_ns) / 1000)
		text_addf(&t, "%lldy", (long long)(days_left(not_after, now_ns) / 365));
	else
		text_addf(&t, "%lldd", (long long)days_left(not_after, now_ns));
	return buf;
}

enum canvas_style part_days_style(int64_t not_after, uint64_t now_ns)
{
	int64_t days = not_after ? days_left(not_after, now_ns) : INT64_MAX;

	return days < 0 ? STYLE_BAD : days < DAYS_SOON ? STYLE_WARNING : STYLE_PLAIN;
}

const char *part_time(char *buf, uint64_t time_ns, int64_t zone_s, uint64_t now_ns)
{
	int64_t seconds = (int64_t)(time_ns / NS_PER_S) + zone_s;
	int64_t today = (int64_t)(now_ns / NS_PER_S) + zone_s;
	struct calendar d;
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (!time_ns || !calendar_of(seconds, &d))
		text_add(&t, "-");
	else if (seconds / DAY_S == today / DAY_S)
		text_addf(&t, "%02d:%02d:%02d", d.hour, d.minute, d.second);
	else
		text_addf(&t, "%02d-%02d %02d:%02d", d.month, d.day, d.hour, d.minute);
	return buf;
}

void part_failure(const struct page *p, struct canvas *c, int row, const struct view_failure *f)
{
	/* the longest cause is whole where the name has as much room */
	int cause = c->columns >= FAILURE_WIDE ? 34 : 24;
	int count = 35 + cause + 1, name = count + 6;
	char time[PART_LEN];

	canvas_put(c, row, 1, 11, STYLE_PLAIN,
		   part_time(time, f->time_ns, p->zone_s, p->totals.time_ns));
	canvas_put(c, row, 13, 21, STYLE_PLAIN, f->peer);
	canvas_put(c, row, 35, cause, STYLE_BAD, f->cause);
	if (f->count > 1)
		canvas_putf(c, row, count, 5, STYLE_PLAIN, "%llux", (unsigned long long)f->count);
	if (name < c->columns)
		canvas_put(c, row, name, c->columns - name, STYLE_DIM, f->name);
}

const char *part_span(char *buf, uint64_t ns)
{
	uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;
	struct text t;

	text_init(&t, buf, PART_LEN);
	if (!s)
		text_add(&t, "<1 s");
	else if (s < 120)
		text_addf(&t, "%u s", (unsigned int)s);
	else if (s < 7200)
		text_addf(&t, "%u min", (unsigned int)(s / 60));
	else if (s < 2 * DAY_S)
		text_addf(&t, "%u h", (unsigned int)(s / 3600));
	else
		text_addf(&t, "%u days", (unsigned int)(s / DAY_S));
	return buf;
}

enum canvas_style part_state_style(enum view_state state)
{
	switch (state) {
	case VIEW_FAILING:
		return STYLE_BAD;
	case VIEW_FLAPPING:
		return STYLE_WARNING;
	case VIEW_OK:
	case VIEW_RECOVERED:
		return STYLE_GOOD;
	case VIEW_UNKNOWN:
		break;
	}
	return STYLE_PLAIN;
}

void part_graph(struct canvas *c, int row, int column, int width,
		const uint8_t levels[VIEW_BUCKETS])
{
	static const char *const blocks[] = { " ",	"\u00b7", "\u2581", "\u2582", "\u2583",
					      "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { " ", ".", "1", "2", "3", "4", "5", "6", "7", "#" };
	const char *const *glyphs = c->utf8 ? blocks : ascii;

	_Static_assert(sizeof(blocks) / sizeof(blocks[0]) == VIEW_LEVEL_MAX + 1, "a glyph each");
	if (width > VIEW_BUCKETS)
		width = VIEW_BUCKETS;
	for (int i = 0; i < width; i++) {
		uint8_t level = levels[VIEW_BUCKETS - width + i];

		canvas_put(c, row, column + i, 1,
			   level > VIEW_LEVEL_GOOD    ? STYLE_BAD
			   : level == VIEW_LEVEL_GOOD ? STYLE_GOOD
						      : STYLE_PLAIN,
			   glyphs[level]);
	}
}
