/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates that were read before. Reading one takes OpenSSL some 100 us, and what fails ten
 * thousand times a second fails with the same few certificates.
 */
#ifndef TLSFAIL_TLS_X509CACHE_H
#define TLSFAIL_TLS_X509CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/x509view.h"

struct x509_cache;

/* NULL when out of memory. */
struct x509_cache *x509_cache_new(void);
void x509_cache_free(struct x509_cache *cache);

/* As x509_view_read(), with the same result, byte for byte. cache may be NULL. */
bool x509_cache_read(struct x509_cache *cache, const uint8_t *der, size_t len, bool cut,
		     struct x509_view *view);

#endif
