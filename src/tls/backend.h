/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of one TLS library, as library.c looks them up. Pure.
 */
#ifndef TLSFAIL_TLS_BACKEND_H
#define TLSFAIL_TLS_BACKEND_H

#include "tls/library.h"

#define TLS_NO_ALERT (-1)

struct tls_reason_row {
	uint16_t number;
	uint16_t reason; /* enum tls_reason */
	int16_t alert;	 /* sent by who raises it; TLS_NO_ALERT: none, or not always the same */
	const char *words;
};

struct tls_verify_row {
	uint8_t code;
	uint8_t result; /* enum tls_verify */
	uint8_t alert;	/* sent for it */
	const char *name;
	const char *words;
};

struct tls_backend {
	const char *name;
	const struct tls_reason_row *reasons;
	size_t reason_count;
	const struct tls_verify_row *verifies;
	size_t verify_count;
	const struct tls_backend
		*verify_base; /* asked for a code that is not among these, or NULL */
};

extern const struct tls_backend tls_backend_openssl;
extern const struct tls_backend tls_backend_openssl_1;
extern const struct tls_backend tls_backend_boringssl;

#endif
