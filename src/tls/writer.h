/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded writing of TLS's presentation language, the other way round of reader.h: numbers in network
 * order, and vectors behind their length, which is filled in when they end.
 */
#ifndef TLSFAIL_TLS_WRITER_H
#define TLSFAIL_TLS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What does not fit fails the writer, and nothing is written any more. */
struct tls_writer {
	uint8_t *buf;
	size_t size;
	size_t len;
	bool failed;
};

static inline void tls_write_bytes(struct tls_writer *w, const void *bytes, size_t len)
{
	w->failed |= len > w->size - w->len;
	for (size_t i = 0; i < len && !w->failed; i++)
		w->buf[w->len++] = ((const uint8_t *)bytes)[i];
}

/* A number of `size` bytes, at most 4. */
static inline void tls_write_number(struct tls_writer *w, uint32_t number, size_t size)
{
	w->failed |= size > w->size - w->len;
	for (size_t i = size; i > 0 && !w->failed; i--)
		w->buf[w->len++] = (uint8_t)(number >> (8 * (i - 1)));
}

/* Begins a vector whose length takes `size` bytes. Returns what its end is to be given. */
static inline size_t tls_write_begin(struct tls_writer *w, size_t size)
{
	tls_write_number(w, 0, size);
	return w->len;
}

static inline void tls_write_end(struct tls_writer *w, size_t begin, size_t size)
{
	size_t len = w->len - begin;

	if (w->failed)
		return;
	w->failed = len >> (8 * size);
	for (size_t i = 0; i < size; i++)
		w->buf[begin - size + i] = (uint8_t)(len >> (8 * (size - 1 - i)));
}

#endif
