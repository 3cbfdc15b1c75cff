// SPDX-License-Identifier: BSD-2-Clause
/*
 * The certificates of the peer: those that its TLS library read, or, before TLS 1.3, where they are in clear,
 * those on the wire.
 */
#include "diagnose/chain.h"

#include <string.h>

#include "diagnose/observations.h"
#include "tls/reader.h"

/* Up to the first that cannot be read. */
static void library_read(const struct failure *failure, struct diagnose_work *work)
{
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++) {
		const struct tls_capture *der = &failure->certs[i];

		if (!der->data ||
		    !x509_cache_read(work->x509, der->data, der->len, der->cut, &work->certs[i]))
			break;
		work->cert_count++;
	}
	work->certs_sent = failure->conn->cert_count;
}

/* A list of certificates, each behind its length of three bytes (RFC 5246, section 7.4.2); the last may be cut. */
static void wire_read(struct tls_bytes list, struct diagnose_work *work)
{
	struct tls_reader r = { .at = list.data, .left = list.len };
	bool readable = true;

	while (r.left) {
		size_t len = tls_read_u24(&r), here = len < r.left ? len : r.left;
		struct tls_bytes der = tls_read_bytes(&r, here);

		work->certs_sent++;
		readable &= !r.failed && work->cert_count < TLSFAIL_CERTS_MAX &&
			    x509_cache_read(work->x509, der.data, der.len, here < len,
					    &work->certs[work->cert_count]);
		work->cert_count += readable;
	}
}

void chain_read(const struct failure *failure, struct diagnose_work *work)
{
	const struct tls_view *view = &work->view;

	work->cert_count = 0;
	library_read(failure, work);
	if (!work->certs_sent)
		wire_read(symptoms_is_server(failure->conn) ? view->client.chain
							    : view->server.chain,
			  work);
}

/* Did the issuer of the leaf come too? */
static uint64_t observe_issuer(const struct diagnose_work *work)
{
	const struct x509_view *leaf = &work->certs[0];

	if (leaf->self_issued)
		return 0;
	if (work->certs_sent == 1)
		return O_ONE_CERT;
	for (size_t i = 1; i < work->cert_count; i++)
		if (!strcmp(work->certs[i].subject, leaf->issuer))
			return O_ISSUER_SENT;
	return work->cert_count == work->certs_sent ? O_ISSUER_MISSING : 0;
}

uint64_t chain_observe(const struct diagnose_work *work)
{
	if (!work->cert_count)
		return 0;
	return O_CERT | (work->certs[0].for_servers ? O_LEAF_FOR_SERVERS : 0) |
	       observe_issuer(work);
}
