/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What speaks no TLS, by the first bytes that come from it: protocols whose server speaks first, or
 * answers a ClientHello with an error of its own.
 */
#ifndef TLSFAIL_TLS_GREETING_H
#define TLSFAIL_TLS_GREETING_H

#include <stddef.h>
#include <stdint.h>

enum tls_greeting_kind {
	TLS_GREETING_OTHER,
	TLS_GREETING_HTTP,
	TLS_GREETING_STARTTLS, /* it starts in clear, and switches to TLS when it is asked to */
};

struct tls_greeting {
	const char *protocol;
	enum tls_greeting_kind kind;
	size_t text_at; /* where in the bytes a text begins that says more */
};

/* NULL: it is none that is known. */
const struct tls_greeting *tls_greeting_of(const uint8_t *bytes, size_t len);

#endif
