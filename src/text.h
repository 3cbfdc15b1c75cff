/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text: the one place where strings are built. Never allocates, never overflows, always
 * terminated; what does not fit is cut and remembered. Bytes that a peer or a traced process
 * chose go through text_add_hostile().
 */
#ifndef TLSFAIL_TEXT_H
#define TLSFAIL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * Appends len bytes that somebody else chose, so that they can be printed on a terminal and are
 * valid UTF-8: printable ASCII but the backslash, and well-formed UTF-8 other than control and
 * direction-changing characters, as they are; every other byte as \xNN.
 */
void text_add_hostile(struct text *t, const void *bytes, size_t len);

/* Appends len bytes as lower-case hexadecimal, no separators. */
void text_add_hex(struct text *t, const void *bytes, size_t len);

/* Appends an address: family is AF_INET (2) or AF_INET6 (10), addr in network order (4 or 16
 * bytes); an IPv4-mapped IPv6 address prints as IPv4. Another family prints as "?". */
void text_add_address(struct text *t, unsigned int family, const uint8_t *addr);

/* Appends a duration in ns for people: "350 ms", "1.002 s", "75 us". */
void text_add_duration(struct text *t, uint64_t ns);

#endif
