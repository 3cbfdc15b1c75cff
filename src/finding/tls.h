/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a finding that the bytes of the handshake tell: what the ClientHello offered and what
 * the server chose of it. Pure.
 */
#ifndef TLSFAIL_FINDING_TLS_H
#define TLSFAIL_FINDING_TLS_H

#include "finding/finding.h"
#include "base/text.h"
#include "tls/wire.h"
#include "tls/x509view.h"

/* Fills in hello, choice and protocol_version, which are to be zero. */
void finding_tls_fill(struct finding *f, const struct tls_view *view);

/* Appends the application protocols that were offered. */
void finding_add_protocols(struct text *t, const struct finding_hello *hello);

/* Appends the cipher suites that were offered: their names when they are few, else their number. */
void finding_add_ciphers(struct text *t, const struct finding_hello *hello);

/* Appends the groups that were offered, the first few of them. */
void finding_add_groups(struct text *t, const struct finding_hello *hello);

/* Appends what the server asked for with a HelloRetryRequest, and what is wrong with that. */
void finding_add_retry(struct text *t, const struct finding_choice *choice);

/* Appends the groups of the key shares. */
void finding_add_key_shares(struct text *t, const struct finding_hello *hello);

/* Appends the rest of what was offered, as evidence: ", 31 cipher suites, key share x25519". */
void finding_add_offer(struct text *t, const struct finding_hello *hello);

/* Appends what was chosen, as evidence: ", TLS_AES_256_GCM_SHA384, x25519". */
void finding_add_choice(struct text *t, const struct finding_choice *choice);

/* Appends the name of a number, or the number as 0x1234. */
void finding_add_code(struct text *t, const struct finding_code *code);

/* Copies what the finding holds of a certificate; chain_length is the number that the peer sent. */
void finding_certificate_set(struct finding_certificate *to, const struct x509_view *from,
			     unsigned int chain_length);

/* Appends "RSA key of 2048 bits, signed with sha256WithRSAEncryption". */
void finding_add_key(struct text *t, const struct finding_certificate *cert);

/* Appends what people call a certificate by: "CN=...", or its whole subject in quotes. */
void finding_add_subject(struct text *t, const struct finding_certificate *cert);

#endif
