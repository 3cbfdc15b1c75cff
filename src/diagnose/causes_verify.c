// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes: the peer's certificate was looked at and refused here, as the client.
 */
#include "diagnose/cause_rows.h"

static const struct cause rows[] = {
	{
		.slug = "connection-refused",
		.when = { .all = O_REFUSED },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.evidence = "the SYN was answered by RST; no TLS was spoken",
		.message = "{peer} refused the TCP connection: nothing listens on that port.",
		.doubt = "No TLS was ever seen with this peer, so TLS may not be what it speaks.",
		.hint = "start the {upstream}, or correct {setting:address}",
	},

	/* -- what we refused, after looking at the certificate -- */
	{
		.slug = "verify-expired",
		.when = { .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 10, and the program asked for the result",
		.message = "A certificate that {peer} sent has expired (verify code 10).",
		.with_cert = "Certificate {subject} of {peer} ended {ended}.",
		.hint = "renew it on the {upstream} and reload it there",
	},
	{
		.slug = "verify-not-yet-valid",
		.when = { .verify = { TLS_VERIFY_NOT_YET_VALID } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 9, and the program asked for the result",
		.message = "A certificate that {peer} sent is not valid yet (verify code 9).",
		.with_cert = "Certificate {subject} of {peer} is valid only from {begins}.",
		.hint = "check the clocks of both hosts; if they are right, the {upstream} serves "
			"the wrong certificate",
	},
	{
		.slug = "verify-self-signed",
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 18, and the program asked for the result",
		.message = "The certificate of {peer} is self-signed and not trusted here (verify "
			   "code 18).",
		.with_cert = "Certificate {subject} of {peer} is self-signed and not trusted here.",
		.hint = "add that certificate, or the CA that should have issued it, to "
			"{setting:trusted_cas}",
	},
	{
		.slug = "verify-chain-incomplete",
		.when = { .all = O_ISSUER_MISSING,
			  .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { "verify-untrusted-issuer", 0 } },
		.evidence =
			"X509 verify code 20 or 21; several certificates came, without the leaf's "
			"issuer",
		.message =
			"{peer} sent a chain that lacks the issuer of its certificate (verify code "
			"{verify}).",
		.with_cert =
			"Certificate {subject} of {peer} was issued by {issuer}, which is neither "
			"trusted here nor in the chain that it sent.",
		.hint = "have the {upstream} send its intermediate certificates after its own",
	},
	{
		.slug = "verify-untrusted-issuer",
		.when = { .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.evidence = "X509 verify code 20 or 21, and the program asked for the result",
		.message = "The issuer of the certificate of {peer} is not among the trusted CAs "
			   "(verify code {verify}).",
		.with_cert = "Certificate {subject} of {peer} was issued by {issuer}, which is not "
			     "trusted here.",
		.candidates = { { "verify-chain-incomplete", O_ONE_CERT },
				{ "verify-depth-exceeded", O_ISSUER_SENT } },
		.doubt = "If that is an intermediate CA, the {upstream} should send it.",
		.hint = "put the CA that issued it into {setting:trusted_cas}; have the {upstream} "
			"send its whole chain",
	},
	{
		.slug = "verify-self-signed-in-chain",
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED_IN_CHAIN } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 19, and the program asked for the result",
		.message = "The chain that {peer} sent ends in a root that is not trusted here "
			   "(verify code 19).",
		.with_cert =
			"The chain of certificate {subject} of {peer}, issued by {issuer}, ends in "
			"a root that is not trusted here (verify code 19).",
		.hint = "add that root to {setting:trusted_cas}, if you mean to trust it",
	},
	{
		.slug = "verify-depth-exceeded",
		.when = { .verify = { TLS_VERIFY_CHAIN_TOO_LONG } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 22, and the program asked for the result",
		.message = "The certificate chain of {peer} is longer than is allowed here (verify "
			   "code 22).",
		.with_cert = "The chain of certificate {subject} of {peer}, which sent {chain}, is "
			     "longer than is allowed here (verify code 22).",
		.hint = "raise {setting:verify_depth}",
	},
	{
		.slug = "verify-revoked",
		.when = { .verify = { TLS_VERIFY_REVOKED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 23, and the program asked for the result",
		.message = "The certificate of {peer} is revoked (verify code 23).",
		.with_cert =
			"Certificate {subject} of {peer}, issued by {issuer}, is revoked (verify "
			"code 23).",
		.hint = "have the {upstream}'s certificate replaced; {setting:crl} is what says "
			"that it is revoked",
	},
	{
		.slug = "verify-crl-missing",
		.when = { .verify = { TLS_VERIFY_CRL_MISSING, TLS_VERIFY_CRL_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 3 or 12, and the program asked for the result",
		.message = "No current revocation list (CRL) of the issuer of {peer} is known here "
			   "(verify code {verify}).",
		.with_cert =
			"No current revocation list (CRL) for the chain of certificate {subject} "
			"of {peer}, issued by {issuer}, is known here (verify code {verify}).",
		.hint = "put a current CRL of each CA of the chain into {setting:crl_file}",
	},
	{
		.slug = "verify-purpose",
		.when = { .verify = { TLS_VERIFY_PURPOSE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 26, and the program asked for the result",
		.message =
			"The certificate of {peer} is not meant for a TLS server (verify code 26).",
		.with_cert =
			"Certificate {subject} of {peer} is not meant for a TLS server (verify "
			"code 26).",
		.hint = "have it reissued with extendedKeyUsage serverAuth",
	},
	{
		.slug = "weak-certificate",
		.when = { .verify = { TLS_VERIFY_KEY_TOO_SMALL, TLS_VERIFY_CA_KEY_TOO_SMALL,
				      TLS_VERIFY_DIGEST_TOO_WEAK } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 66, 67 or 68, and the program asked for the result",
		.message = "A key or signature in the chain of {peer} is too weak for this host's "
			   "OpenSSL (verify code {verify}).",
		.with_cert =
			"A key or signature in the chain of {peer} is too weak for this host's "
			"OpenSSL (verify code {verify}); certificate {subject} has: {key}.",
		.hint = "have the certificate reissued with a stronger key and SHA-256 or better",
	},
	{
		.slug = "verify-hostname-mismatch",
		.when = { .all = O_HOST_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_HOST_RETURN,
		.evidence = "X509_check_host refused the name, or X509 verify code 62",
		.message = "The certificate of {peer} is not valid for the name {host}.",
		.doubt = "What the check returned is concluded from the close that followed it.",
		.with_cert = "The certificate of {peer} is valid for {names}, not for {host}.",
		.hint = "set {setting:name} to a name in the certificate, or have it reissued with "
			"that name",
	},
};

const struct cause_part causes_verify = { rows, ARRAY_LEN(rows) };
