// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks numbers up in the tables of the backends.
 */
#include "tls/library.h"

#include <string.h>

#include "tls/backend.h"

/* SSL_AD_REASON_OFFSET, include/openssl/ssl.h: a received alert N raises 1000 + N. */
#define ALERT_BASE 1000

static const struct tls_backend *const backends[] = {
	[TLS_LIBRARY_OPENSSL] = &tls_backend_openssl,
	[TLS_LIBRARY_OPENSSL_1] = &tls_backend_openssl_1,
	[TLS_LIBRARY_BORINGSSL] = &tls_backend_boringssl,
};

enum tls_library tls_library_of(uint32_t source, const char *version)
{
	if (source == TLS_ERROR_BORINGSSL || strstr(version, "BoringSSL") ||
	    strstr(version, "AWS-LC"))
		return TLS_LIBRARY_BORINGSSL;
	return !strncmp(version, "1.", 2) ? TLS_LIBRARY_OPENSSL_1 : TLS_LIBRARY_OPENSSL;
}

const char *tls_library_name(enum tls_library library)
{
	return backends[library]->name;
}

static const struct tls_reason_row *reason_find(enum tls_library library, uint32_t number)
{
	const struct tls_backend *b = backends[library];

	for (size_t i = 0; i < b->reason_count; i++)
		if (b->reasons[i].number == number)
			return &b->reasons[i];
	return NULL;
}

static const struct tls_verify_row *verify_find(enum tls_library library, int32_t code)
{
	for (const struct tls_backend *b = backends[library]; b; b = b->verify_base)
		for (size_t i = 0; i < b->verify_count; i++)
			if (b->verifies[i].code == code)
				return &b->verifies[i];
	return NULL;
}

enum tls_reason tls_reason_of(enum tls_library library, uint32_t number)
{
	const struct tls_reason_row *row;

	if (!number)
		return TLS_REASON_NONE;
	row = reason_find(library, number);
	if (row)
		return row->reason;
	return tls_reason_is_alert(number, NULL) ? TLS_REASON_ALERT : TLS_REASON_UNLISTED;
}

const char *tls_reason_words(enum tls_library library, uint32_t number)
{
	const struct tls_reason_row *row = reason_find(library, number);

	if (row)
		return row->words;
	return tls_reason_is_alert(number, NULL) ? "alert received" : NULL;
}

bool tls_reason_is_alert(uint32_t number, uint8_t *alert)
{
	if (number < ALERT_BASE || number > ALERT_BASE + UINT8_MAX)
		return false;
	if (alert)
		*alert = (uint8_t)(number - ALERT_BASE);
	return true;
}

enum tls_verify tls_verify_of(enum tls_library library, int32_t code)
{
	const struct tls_verify_row *row = verify_find(library, code);

	if (!code)
		return TLS_VERIFY_OK;
	return row ? row->result : TLS_VERIFY_OTHER;
}

const char *tls_verify_name(enum tls_library library, int32_t code)
{
	const struct tls_verify_row *row = verify_find(library, code);

	return row ? row->name : NULL;
}

const char *tls_verify_words(enum tls_library library, int32_t code)
{
	const struct tls_verify_row *row = verify_find(library, code);

	return row ? row->words : NULL;
}

bool tls_alert_for(enum tls_library library, uint32_t number, int32_t code, uint8_t *alert)
{
	const struct tls_reason_row *row = reason_find(library, number);
	const struct tls_verify_row *verify;

	if (row && row->reason == TLS_REASON_VERIFY_FAILED) {
		verify = verify_find(library, code);
		if (verify)
			*alert = verify->alert;
		return verify;
	}
	if (!row || row->alert == TLS_NO_ALERT)
		return false;
	*alert = (uint8_t)row->alert;
	return true;
}
