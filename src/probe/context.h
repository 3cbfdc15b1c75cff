/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client as libssl wants it: the context that ngx_ssl_create() and what follows it make.
 */
#ifndef TLSFAIL_PROBE_CONTEXT_H
#define TLSFAIL_PROBE_CONTEXT_H

#include <openssl/ssl.h>

#include "base/text.h"
#include "probe/client.h"

/* NULL: it cannot be made, and problem has a sentence. *ctx is the caller's to SSL_CTX_free(). */
SSL_CTX *context_make(const struct client *client, struct text *problem);

/* The first certificate of a file, the caller's to X509_free(); NULL: none. */
X509 *context_certificate(const struct client_file *file);

/* Verifies the chain of the peer once more, with the certificates of the file beside those that it sent.
 * Returns X509_V_.... */
int context_verify_with(SSL *ssl, const struct client_file *file);

#endif
