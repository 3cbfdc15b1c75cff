/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of tlswire share: the bytes of a direction, and what is to be true of a view.
 * After cmocka.h.
 */
#ifndef TLSFAIL_TEST_WIRE_H
#define TLSFAIL_TEST_WIRE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tls/wire.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct direction {
	uint8_t bytes[16384];
	size_t len;
};

/* Appends a record. */
static inline void record_put(struct direction *out, uint8_t type, const void *payload, size_t len)
{
	uint8_t *at = out->bytes + out->len;

	assert_true(out->len + 5 + len <= sizeof(out->bytes));
	at[0] = type;
	at[1] = 3;
	at[2] = 3;
	at[3] = len >> 8;
	at[4] = len & 0xff;
	memcpy(at + 5, payload, len);
	out->len += 5 + len;
}

static inline void assert_no_alert(const struct tls_records *records)
{
	assert_false(records->fatal.seen);
	assert_false(records->warning.seen);
	assert_false(records->encrypted_alert);
}

static inline void assert_fatal(const struct tls_records *records, uint8_t description)
{
	assert_true(records->fatal.seen);
	assert_int_equal(records->fatal.description, description);
	assert_false(records->warning.seen);
}

static inline void assert_server_name(const struct tls_client_hello *hello, const char *want)
{
	assert_true(hello->has_server_name);
	assert_int_equal(hello->server_name.len, strlen(want));
	assert_memory_equal(hello->server_name.data, want, strlen(want));
}

/* That the list is these count numbers. */
static inline void assert_list(struct tls_bytes list, int count, ...)
{
	uint16_t number;
	va_list want;

	va_start(want, count);
	for (int i = 0; i < count; i++) {
		assert_true(tls_list_next(&list, &number));
		assert_int_equal(number, va_arg(want, int));
	}
	va_end(want);
	assert_false(tls_list_next(&list, &number));
}

/* That the list is this one name, or no name when it is NULL. */
static inline void assert_name(struct tls_bytes list, const char *want)
{
	struct tls_bytes name;

	if (want) {
		assert_true(tls_names_next(&list, &name));
		assert_int_equal(name.len, strlen(want));
		assert_memory_equal(name.data, want, name.len);
	}
	assert_false(tls_names_next(&list, &name));
}

#endif
