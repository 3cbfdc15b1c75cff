/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate that each peer showed last: a resumed session brings none, and the failure may be
 * about it all the same. Pure, and of bounded size.
 */
#ifndef TLSFAIL_DIAGNOSE_CERTMEMO_H
#define TLSFAIL_DIAGNOSE_CERTMEMO_H

#include "finding/finding.h"

/* Peers that are remembered at a time; the one that was put first makes room. */
#define CERTMEMO_MAX 128

struct certmemo;

/* NULL when out of memory. */
struct certmemo *certmemo_new(void);
void certmemo_free(struct certmemo *memo);

/* The peer of the finding showed its certificate: it is copied. */
void certmemo_put(struct certmemo *memo, const struct finding *f);

/* What that peer showed last, with seen_ns, when that was; NULL: it is not known. It lives until the next
 * one is put. */
const struct finding_certificate *certmemo_get(const struct certmemo *memo,
					       const struct finding_endpoint *peer);

#endif
