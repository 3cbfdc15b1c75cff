/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text: the one place where strings are built. Never allocates, never overflows, always
 * terminated; what does not fit is cut and remembered. Bytes that a peer or a traced process
 * chose go through text_add_hostile().
 */
#ifndef TLSFAIL_BASE_TEXT_H
#define TLSFAIL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a terminal, in characters. */
#define TEXT_COLUMNS 80

struct text {
	char *buf;
	size_t size; /* of buf, at least 1 */
	size_t len;  /* without the terminator */
	bool cut;    /* something did not fit */
};

/* Begins an empty text in buf, which the caller keeps alive. size must be at least 1. */
void text_init(struct text *t, char *buf, size_t size);

/* Appends s. A NULL s appends nothing. */
void text_add(struct text *t, const char *s);

/* Appends as printf does. */
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with the arguments of somebody else. */
void text_addv(struct text *t, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * Appends len bytes that somebody else chose, so that they can be printed on a terminal and are
 * valid UTF-8: printable ASCII but the backslash, and well-formed UTF-8 other than control and
 * direction-changing characters, as they are; every other byte as \xNN.
 */
void text_add_hostile(struct text *t, const void *bytes, size_t len);

/*
 * Appends words, wrapped between them at TEXT_COLUMNS. The caller has filled the first line up to
 * column hang; the others hang there too. A word that is longer than a line stands alone on one,
 * uncut. line_end goes before each line break and line_begin behind the indentation after it:
 * colours, or "". The last line is not ended.
 */
void text_add_wrapped(struct text *t, int hang, const char *words, const char *line_end,
		      const char *line_begin);

/* The same in lines of so many columns. */
void text_add_filled(struct text *t, int columns, int hang, const char *words, const char *line_end,
		     const char *line_begin);

/* Appends len bytes that only make sense together: all of them, or none. */
void text_add_bytes(struct text *t, const void *bytes, size_t len);

/* Appends a decimal number. */
void text_add_number(struct text *t, uint64_t number);

/* Are these len bytes well-formed UTF-8? */
bool text_is_utf8(const char *s, size_t len);

/* Appends len bytes as lower-case hexadecimal, no separators. */
void text_add_hex(struct text *t, const void *bytes, size_t len);

/* Appends an address: family is AF_INET (2) or AF_INET6 (10), addr in network order (4 or 16
 * bytes); an IPv4-mapped IPv6 address prints as IPv4. Another family prints as "?". */
void text_add_address(struct text *t, unsigned int family, const uint8_t *addr);

/* Appends a duration in ns for people: "350 ms", "1.002 s", "75 us". */
void text_add_duration(struct text *t, uint64_t ns);

#endif
