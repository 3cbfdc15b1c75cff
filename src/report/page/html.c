// SPDX-License-Identifier: BSD-2-Clause
/*
 * Escapes, numbers, times.
 */
#include "report/page/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "base/units.h"

#define TEXT_LEN_MAX  1200
#define TEXT_LEN_LATE 64 /* where there is no room any more */

void html_add(struct html *h, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vfprintf(h->out, format, args);
	va_end(args);
	if (len > 0)
		h->written += (size_t)len;
}

bool html_has_room(const struct html *h)
{
	return h->written < HTML_ROOM;
}

static void put(struct html *h, const char *s, size_t len)
{
	h->written += fwrite(s, 1, len, h->out);
}

static const char *entity_of(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Controls, marks without a width, and what turns the direction of a line (UAX #9), as in text.c. */
static bool is_unseen(uint32_t c)
{
	return (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffd) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* The character at s, of at most len bytes, and how many bytes it has. */
static uint32_t character(const char *s, size_t len, size_t *bytes)
{
	const uint8_t *u = (const uint8_t *)s;
	size_t need = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t c = need == 1 ? u[0] : u[0] & (0x7fU >> need);

	*bytes = need <= len ? need : len;
	for (size_t i = 1; i < *bytes; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

void html_text_part(struct html *h, const char *s, size_t len)
{
	size_t max = html_has_room(h) ? TEXT_LEN_MAX : TEXT_LEN_LATE;
	size_t shown = len > max ? max : len;

	for (size_t at = 0, bytes; at < shown; at += bytes) {
		uint32_t c = character(s + at, len - at, &bytes);
		const char *entity = entity_of(s[at]);

		if (is_unseen(c))
			html_add(h, "\\u{%" PRIx32 "}", c);
		else if (entity)
			put(h, entity, strlen(entity));
		else
			put(h, s + at, bytes);
	}
	if (shown < len)
		html_add(h, "… (cut)");
}

void html_text(struct html *h, const char *s)
{
	html_text_part(h, s, strlen(s));
}

void html_count(struct html *h, uint64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++)
		html_add(h, "%s%c", i && (len - i) % 3 == 0 ? "," : "", digits[i]);
}

void html_counted(struct html *h, uint64_t n, const char *one, const char *many)
{
	html_count(h, n);
	html_add(h, " %s", n == 1 ? one : many);
}

void html_time_words(struct html *h, uint64_t ns)
{
	struct calendar d;

	if (calendar_of((int64_t)(ns / NS_PER_S), &d))
		html_add(h, "%04d-%02d-%02d %02d:%02d:%02d", d.year, d.month, d.day, d.hour,
			 d.minute, d.second);
}

void html_time(struct html *h, uint64_t ns)
{
	char stamp[64];
	struct text t;

	text_init(&t, stamp, sizeof(stamp));
	if (!calendar_add_ns(&t, ns, 3))
		return;
	html_add(h, "<time datetime=\"%s\">", stamp);
	html_time_words(h, ns);
	html_add(h, "</time>");
}

void html_duration(struct html *h, uint64_t ns)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t s = ns / NS_PER_S;
	size_t i = 0;

	if (s < 10) {
		html_add(h, "%" PRIu64 ".%03u s", s, (unsigned int)(ns / 1000000 % 1000));
		return;
	}
	while (s < units[i].seconds)
		i++;
	html_add(h, "%" PRIu64 " %s", s / units[i].seconds, units[i].name);
	s %= units[i].seconds;
	if (i < 3 && s / units[i + 1].seconds)
		html_add(h, " %" PRIu64 " %s", s / units[i + 1].seconds, units[i + 1].name);
}
