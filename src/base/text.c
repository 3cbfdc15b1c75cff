/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text: see text.h. A text that was cut stays a prefix of what it should have been:
 * nothing is appended after the cut, and no half character, escape or hexadecimal pair is left.
 */
#include "base/text.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MS_PER_S   1000U
#define US_PER_MS  1000U
#define MAPPED_LEN 12 /* of the prefix ::ffff:0:0/96 */

/* The well-formed UTF-8 byte sequences (Unicode, table 3-7), by their first byte. */
struct utf8_form {
	uint8_t first_min;
	uint8_t first_max;
	uint8_t second_min; /* what excludes overlong forms, surrogates and too large values */
	uint8_t second_max;
	uint8_t len;
};

static const struct utf8_form utf8_forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Characters that are not for a terminal to show, and the one that begins our escapes. */
struct code_range {
	uint32_t first;
	uint32_t last;
};

static const struct code_range escaped_ranges[] = {
	{ 0x0000, 0x001f }, /* C0 controls */
	{ '\\', '\\' },	    /* so that an escape cannot be forged */
	{ 0x007f, 0x009f }, /* DEL and the C1 controls */
	{ 0x061c, 0x061c }, /* Arabic letter mark */
	{ 0x200e, 0x200f }, /* left-to-right and right-to-left mark */
	{ 0x2028, 0x202e }, /* line and paragraph separators, embeddings and overrides */
	{ 0x2066, 0x206f }, /* isolates, and the deprecated format characters */
};

static const char hex_digits[] = "0123456789abcdef";

static bool utf8_is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

static const struct utf8_form *utf8_form_find(uint8_t first)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++) {
		if (first >= utf8_forms[i].first_min && first <= utf8_forms[i].first_max)
			return &utf8_forms[i];
	}
	return NULL;
}

/* The length of the character at the beginning of bytes, 0 when it is not well-formed. */
static size_t utf8_decode(const uint8_t *bytes, size_t len, uint32_t *code)
{
	const struct utf8_form *form = utf8_form_find(bytes[0]);

	if (!form || len < form->len)
		return 0;
	if (form->len == 1) {
		*code = bytes[0];
		return 1;
	}
	if (bytes[1] < form->second_min || bytes[1] > form->second_max)
		return 0;

	*code = bytes[0] & (0x7fU >> form->len);
	for (size_t i = 1; i < form->len; i++) {
		if (!utf8_is_continuation(bytes[i]))
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3fU);
	}
	return form->len;
}

/* len, less a character at the end of s that is begun there and not complete. */
static size_t utf8_whole(const char *s, size_t len)
{
	size_t start = len;
	const struct utf8_form *form;

	while (start > 0 && len - start < 3 && utf8_is_continuation((uint8_t)s[start - 1]))
		start--;
	if (start == 0)
		return len;
	start--;
	form = utf8_form_find((uint8_t)s[start]);
	return form && len - start < form->len ? start : len;
}

static size_t text_room(const struct text *t)
{
	return t->cut ? 0 : t->size - 1 - t->len;
}

void text_add_bytes(struct text *t, const void *bytes, size_t len)
{
	if (len > text_room(t)) {
		t->cut = true;
		return;
	}
	memcpy(t->buf + t->len, bytes, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

static void text_add_escape(struct text *t, uint8_t byte)
{
	const char escape[] = { '\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15] };

	text_add_bytes(t, escape, sizeof(escape));
}

void text_init(struct text *t, char *buf, size_t size)
{
	*t = (struct text){ .buf = buf, .size = size };
	buf[0] = '\0';
}

void text_add(struct text *t, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len > text_room(t)) {
		len = utf8_whole(s, text_room(t));
		text_add_bytes(t, s, len);
		t->cut = true;
		return;
	}
	text_add_bytes(t, s ? s : "", len);
}

void text_addv(struct text *t, const char *format, va_list args)
{
	size_t room = text_room(t);
	int len;

	if (t->cut)
		return;
	len = vsnprintf(t->buf + t->len, room + 1, format, args);

	if (len < 0) {
		len = 0;
		t->cut = true;
	} else if ((size_t)len > room) {
		len = (int)utf8_whole(t->buf + t->len, room);
		t->cut = true;
	}
	t->len += (size_t)len;
	t->buf[t->len] = '\0';
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(t, format, args);
	va_end(args);
}

void text_add_number(struct text *t, uint64_t number)
{
	char digits[sizeof("18446744073709551615")];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	text_add_bytes(t, digits + at, sizeof(digits) - at);
}

bool text_is_utf8(const char *s, size_t len)
{
	const uint8_t *byte = (const uint8_t *)s;
	size_t i = 0;

	while (i < len) {
		uint32_t code;
		size_t used = byte[i] < 0x80 ? 1 : utf8_decode(byte + i, len - i, &code);

		if (!used)
			return false;
		i += used;
	}
	return true;
}

static bool code_is_escaped(uint32_t code)
{
	for (size_t i = 0; i < sizeof(escaped_ranges) / sizeof(escaped_ranges[0]); i++) {
		if (code >= escaped_ranges[i].first && code <= escaped_ranges[i].last)
			return true;
	}
	return false;
}

/* How many bytes of printable ASCII stand at the beginning: most of what there is. */
static size_t plain_len(const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] >= ' ' && bytes[n] <= '~' && bytes[n] != '\\')
		n++;
	return n;
}

/* As much of it as there is room for. */
static void plain_add(struct text *t, const uint8_t *bytes, size_t len)
{
	size_t room = text_room(t);

	text_add_bytes(t, bytes, len < room ? len : room);
	t->cut |= len > room;
}

void text_add_hostile(struct text *t, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;
	size_t i = 0;

	while (i < len && !t->cut) {
		size_t plain = plain_len(byte + i, len - i), used, end;
		uint32_t code;

		plain_add(t, byte + i, plain);
		i += plain;
		if (i == len)
			break;
		used = utf8_decode(byte + i, len - i, &code);
		end = i + (used > 0 ? used : 1);
		if (used > 0 && !code_is_escaped(code)) {
			text_add_bytes(t, byte + i, used);
			i = end;
		}
		while (i < end)
			text_add_escape(t, byte[i++]);
	}
}

/* Columns that the first len bytes of s take. */
static int text_width(const char *s, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len; i++)
		width += !utf8_is_continuation((uint8_t)s[i]);
	return width;
}

void text_add_filled(struct text *t, int columns, int hang, const char *words, const char *line_end,
		     const char *line_begin)
{
	int column = hang;

	while (words[0]) {
		size_t gap = strspn(words, " ");
		size_t len = strcspn(words + gap, " ");
		int width = text_width(words + gap, len);

		if (column > hang && column + (int)gap + width > columns) {
			text_addf(t, "%s\n%*s%s", line_end, hang, "", line_begin);
			column = hang;
			words += gap;
			gap = 0;
		}
		text_addf(t, "%.*s", (int)(gap + len), words);
		column += (int)gap + width;
		words += gap + len;
	}
}

void text_add_wrapped(struct text *t, int hang, const char *words, const char *line_end,
		      const char *line_begin)
{
	text_add_filled(t, TEXT_COLUMNS, hang, words, line_end, line_begin);
}

void text_add_hex(struct text *t, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < len; i++) {
		const char pair[] = { hex_digits[byte[i] >> 4], hex_digits[byte[i] & 15] };

		text_add_bytes(t, pair, sizeof(pair));
	}
}

void text_add_address(struct text *t, unsigned int family, const uint8_t *addr)
{
	static const uint8_t mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };
	char name[INET6_ADDRSTRLEN];

	if (family == AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		addr += sizeof(mapped);
	}
	if ((family == AF_INET || family == AF_INET6) &&
	    inet_ntop((int)family, addr, name, sizeof(name)))
		text_add(t, name);
	else
		text_add(t, "?");
}

/* Rounded, so that 999.6 us is 1 ms and not 1000 us. */
static uint64_t ns_round(uint64_t ns, uint64_t unit)
{
	return ns / unit + (ns % unit >= unit / 2);
}

void text_add_duration(struct text *t, uint64_t ns)
{
	uint64_t us = ns_round(ns, NS_PER_US);
	uint64_t ms = ns_round(ns, NS_PER_MS);

	if (ns < NS_PER_US)
		text_addf(t, "%" PRIu64 " ns", ns);
	else if (us < US_PER_MS)
		text_addf(t, "%" PRIu64 " us", us);
	else if (ms < MS_PER_S)
		text_addf(t, "%" PRIu64 " ms", ms);
	else
		text_addf(t, "%" PRIu64 ".%03" PRIu64 " s", ms / MS_PER_S, ms % MS_PER_S);
}
