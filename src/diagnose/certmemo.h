/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate that each peer showed last: a resumed session brings none, and the failure may be
 * about it all the same. Pure, and of bounded size.
 */
#ifndef TLSFAIL_DIAGNOSE_CERTMEMO_H
#define TLSFAIL_DIAGNOSE_CERTMEMO_H

#include "finding/finding.h"
#include "tls/x509view.h"

/* Peers that are remembered at a time; the one that was put first makes room. */
#define CERTMEMO_MAX 128

struct certmemo;

/* NULL when out of memory. */
struct certmemo *certmemo_new(void);
void certmemo_free(struct certmemo *memo);

/* What a peer showed: its own certificate, and that one of the chain which ends first. Of both seen_ns
 * is when that was. */
struct certmemo_shown {
	struct finding_certificate leaf;
	struct finding_certificate first_to_end;
};

/* The peer, as it is reached from the network namespace netns, showed a chain at time_ns: count certificates of it, its own first, of the sent ones that
 * came. They are copied. Of none nothing is remembered. */
void certmemo_put(struct certmemo *memo, const struct finding_endpoint *peer, uint64_t netns,
		  uint64_t time_ns, const struct x509_view *certs, size_t count, unsigned int sent);

/* What that peer showed last; NULL: it is not known. It lives until the next one is put. */
const struct certmemo_shown *certmemo_get(const struct certmemo *memo,
					  const struct finding_endpoint *peer, uint64_t netns);

#endif
