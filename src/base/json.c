// SPDX-License-Identifier: BSD-2-Clause
/*
 * No tree is built: what an event costs is one pass over its bytes.
 */
#include "base/json.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define HOSTILE_LEN 256 /* bytes that are escaped at a time */

static void value_begin(struct jsonout *j)
{
	if (j->comma)
		text_add_bytes(j->text, ",", 1);
	j->comma = true;
}

void jsonout_begin(struct jsonout *j, const char *begin)
{
	value_begin(j);
	text_add_bytes(j->text, begin, 1);
	j->comma = false;
}

void jsonout_end(struct jsonout *j, const char *end)
{
	text_add_bytes(j->text, end, 1);
	j->comma = true;
}

void jsonout_key(struct jsonout *j, const char *key)
{
	value_begin(j);
	text_add_bytes(j->text, "\"", 1);
	text_add_bytes(j->text, key, strlen(key));
	text_add_bytes(j->text, "\":", 2);
	j->comma = false;
}

/* The escape of a byte that may not stand in a string as it is, NULL when it may. */
static const char *escape_of(unsigned char byte)
{
	switch (byte) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return byte < 0x20 ? "" : NULL;
	}
}

static void add_control(struct text *t, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char escape[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

	text_add_bytes(t, escape, sizeof(escape));
}

static void add_escaped(struct text *t, const char *s, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)s[i];
		const char *escape =
			byte >= 0x20 && byte != '"' && byte != '\\' ? NULL : escape_of(byte);

		if (!escape)
			continue;
		text_add_bytes(t, s + begin, i - begin);
		if (escape[0])
			text_add_bytes(t, escape, 2);
		else
			add_control(t, byte);
		begin = i + 1;
	}
	text_add_bytes(t, s + begin, len - begin);
}

/* len, or less: so that s[0 .. len) ends with the end of a character, if it is UTF-8 there. */
static size_t part_len(const char *s, size_t len)
{
	size_t end = len;

	while (len - end < 3 && end > 1 && ((unsigned char)s[end] & 0xc0) == 0x80)
		end--;
	return end;
}

/* A few bytes at a time. */
static void add_hostile(struct text *t, const char *s, size_t len)
{
	size_t part;

	for (size_t i = 0; i < len; i += part) {
		char escaped[4 * HOSTILE_LEN + 1];
		struct text words;

		part = len - i <= HOSTILE_LEN ? len - i : part_len(s + i, HOSTILE_LEN);
		text_init(&words, escaped, sizeof(escaped));
		text_add_hostile(&words, s + i, part);
		add_escaped(t, escaped, words.len);
	}
}

void jsonout_string(struct jsonout *j, const char *s)
{
	size_t len = strlen(s);

	value_begin(j);
	text_add_bytes(j->text, "\"", 1);
	if (text_is_utf8(s, len))
		add_escaped(j->text, s, len);
	else
		add_hostile(j->text, s, len);
	text_add_bytes(j->text, "\"", 1);
}

void jsonout_integer(struct jsonout *j, int64_t value)
{
	value_begin(j);
	if (value < 0)
		text_add_bytes(j->text, "-", 1);
	text_add_number(j->text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void jsonout_integer_string(struct jsonout *j, int64_t value)
{
	value_begin(j);
	j->comma = false;
	text_add_bytes(j->text, "\"", 1);
	jsonout_integer(j, value);
	text_add_bytes(j->text, "\"", 1);
}

void jsonout_boolean(struct jsonout *j, bool value)
{
	value_begin(j);
	text_add(j->text, value ? "true" : "false");
}
