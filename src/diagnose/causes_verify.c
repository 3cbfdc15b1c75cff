// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes: the peer's certificate was looked at and refused here, as the client.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
static const struct cause rows[] = {
	{
		.slug = "connection-refused",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_REFUSED },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.high_with = C_USES_TLS,
		.evidence = "the SYN was answered by RST; no TLS was spoken",
		.message = "{peer} refused the TCP connection: nothing listens on that port.",
		.doubt = "No TLS was ever seen with this peer, so TLS may not be what it speaks.",
		.hint = "start the {upstream}, or correct {setting:address}",
	},

	/* -- what we refused, after looking at the certificate -- */
	{
		.slug = "verify-expired",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 10, and the program asked for the result",
		.message = "A certificate that {peer} sent has expired{code}.",
		.with_cert = "Certificate {subject} of {peer} ended {ended}.",
		.hint = "renew it on the {upstream} and reload it there",
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "renew it on the {upstream} and reload it there; if that shows "
				  "another one when it is asked by name, {setting:send_sni}" },
		},
	},
	{
		.slug = "verify-not-yet-valid",
		.when = { .verify = { TLS_VERIFY_NOT_YET_VALID } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 9, and the program asked for the result",
		.message = "A certificate that {peer} sent is not valid yet{code}.",
		.with_cert = "Certificate {subject} of {peer} is valid only from {begins}.",
		.hint = "check the clocks of both hosts; if they are right, the {upstream} serves "
			"the wrong certificate",
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "check the clocks of both hosts; if they are right, the "
				  "{upstream} serves the wrong certificate; if it shows another "
				  "one when it is asked by name, {setting:send_sni}" },
		},
	},
	{
		.slug = "verify-self-signed",
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 18, and the program asked for the result",
		.message = "The certificate of {peer} is self-signed and not trusted here{code}.",
		.with_cert = "Certificate {subject} of {peer} is self-signed and not trusted here.",
		.hint = "add that certificate, or the CA that should have issued it, to "
			"{setting:trusted_cas}",
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "{setting:send_sni} and see whether the {upstream} then shows "
				  "another one; else add that certificate, or the CA that should "
				  "have issued it, to {setting:trusted_cas}" },
		},
	},
	{
		.slug = "verify-chain-incomplete",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_ISSUER_MISSING,
			  .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-untrusted-issuer" } },
		.evidence =
			"X509 verify code 20 or 21; several certificates came, without the leaf's "
			"issuer",
		.message = "{peer} sent a chain that lacks the issuer of its certificate{code}.",
		.with_cert =
			"Certificate {subject} of {peer} was issued by {issuer}, which is neither "
			"trusted here nor in the chain that it sent.",
		.hint = "have the {upstream} send its intermediate certificates after its own",
	},
	{
		.slug = "verify-untrusted-issuer",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.evidence = "X509 verify code 20 or 21, and the program asked for the result",
		.message = "The issuer of the certificate of {peer} is not among the trusted "
			   "CAs{code}.",
		.with_cert = "Certificate {subject} of {peer} was issued by {issuer}, which is not "
			     "trusted here.",
		.candidates = { { .slug = "verify-chain-incomplete", .with = C_NO_CHAIN },
				{ .slug = "verify-depth-exceeded", .all = O_ISSUER_SENT } },
		.doubt = "If that is an intermediate CA, the {upstream} should send it.",
		.hint = "put the CA that issued it into {setting:trusted_cas}; have the {upstream} "
			"send its whole chain",
		.wordings = {
			{ .when = O_ISSUER_SENT,
			  .doubt = "Its certificate came too, so it is the CA above it that is not "
				   "trusted, or the chain is longer than is allowed.",
			  .hint = "put the root of that chain into {setting:trusted_cas}" },
		},
	},
	{
		.slug = "verify-self-signed-in-chain",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED_IN_CHAIN } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 19, and the program asked for the result",
		.message = "The chain that {peer} sent ends in a root that is not trusted "
			   "here{code}.",
		.with_cert =
			"The chain of certificate {subject} of {peer}, issued by {issuer}, ends in "
			"a root that is not trusted here{code}.",
		.hint = "add that root to {setting:trusted_cas}, if you mean to trust it",
	},
	{
		.slug = "verify-depth-exceeded",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CHAIN_TOO_LONG } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 22, and the program asked for the result",
		.message = "The certificate chain of {peer} is longer than is allowed here{code}.",
		.with_cert = "The chain of certificate {subject} of {peer}, which sent {chain}, is "
			     "longer than is allowed here{code}.",
		.hint = "raise {setting:verify_depth}",
	},
	{
		.slug = "verify-revoked",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_REVOKED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 23, and the program asked for the result",
		.message = "The certificate of {peer} is revoked{code}.",
		.with_cert =
			"Certificate {subject} of {peer}, issued by {issuer}, is revoked{code}.",
		.hint = "have the {upstream}'s certificate replaced; {setting:crl} is what says "
			"that it is revoked",
	},
	{
		.slug = "verify-crl-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CRL_MISSING, TLS_VERIFY_CRL_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 3 or 12, and the program asked for the result",
		.message = "No current revocation list (CRL) of the issuer of {peer} is known "
			   "here{code}.",
		.with_cert =
			"No current revocation list (CRL) for the chain of certificate {subject} "
			"of {peer}, issued by {issuer}, is known here{code}.",
		.hint = "put a current CRL of each CA of the chain into {setting:crl_file}",
	},
	{
		.slug = "verify-purpose",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_PURPOSE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 26, and the program asked for the result",
		.message = "The certificate of {peer} is not meant for a TLS server{code}.",
		.with_cert = "Certificate {subject} of {peer} is not meant for a TLS server{code}.",
		.hint = "have it reissued with extendedKeyUsage serverAuth",
	},
	{
		.slug = "weak-certificate",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_KEY_TOO_SMALL, TLS_VERIFY_CA_KEY_TOO_SMALL,
				      TLS_VERIFY_DIGEST_TOO_WEAK } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 66, 67 or 68, and the program asked for the result",
		.message = "A key or signature in the chain of {peer} is too weak for the "
			   "{library} here{code}.",
		.with_cert =
			"A key or signature in the chain of {peer} is too weak for the {library} "
			"here{code}; certificate {subject} has: {key}.",
		.hint = "have the certificate reissued with a stronger key and SHA-256 or better",
	},
	{
		.slug = "verify-root-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CA_WITHOUT_ISSUER } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 2, and the program asked for the result",
		.message = "The chain of {peer} leads to a CA that is known here, whose own issuer "
			   "is not{code}.",
		.with_cert = "The chain of {peer} leads to an intermediate CA that is known here, "
			     "but {missing_issuer} is not{code}.",
		.hint = "add the root, {missing_issuer}, to {setting:trusted_cas}: intermediate "
			"CAs alone do not do",
	},
	{
		.slug = "verify-signature-mismatch",
		.when = { .verify = { TLS_VERIFY_BAD_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 4 or 7, and the program asked for the result",
		.message = "A certificate of {peer} was not signed with the key of the CA of that "
			   "name that is known here{code}.",
		.with_cert = "A signature in the chain of certificate {subject} of {peer}, issued "
			     "by {issuer}, was not made with the key that the CA of that name has "
			     "here{code}.",
		.hint = "the CA may have got a new key under its old name: replace its certificate "
			"in {setting:trusted_cas} by the present one; if the CA has no new key, "
			"the certificate is forged or broken",
	},
	{
		.slug = "verify-invalid-ca",
		.when = { .verify = { TLS_VERIFY_INVALID_CA, TLS_VERIFY_PATH_LENGTH } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 25, 32, 37 or 79 (24 before OpenSSL 3.0), and the "
			    "program asked for the result",
		.message = "A CA certificate in the chain of {peer} may not issue what it issued: "
			   "{what}{code}.",
		.with_cert = "A CA certificate above {subject} of {peer} may not issue what it "
			     "issued: {what}{code}; {issuer} is the CA right above.",
		.hint = "have the CA's certificate reissued, with basicConstraints CA:TRUE, a path "
			"length that suffices, and keyUsage keyCertSign, and put it where the old "
			"one was",
	},
	{
		.slug = "verify-crl-unusable",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CRL_UNUSABLE, TLS_VERIFY_CRL_NOT_YET_VALID } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 5, 8, 11, 15, 16, 33, 35, 36, 44, 54 or 101, and the "
			    "program asked for the result",
		.message = "A revocation list (CRL) for the chain of {peer} cannot be used here: "
			   "{what}{code}.",
		.hint = "get the revocation list again from the CA that issued it, and put it into "
			"{setting:crl_file}; if it is not valid yet, check the clock of this host",
	},
	{
		.slug = "verify-ocsp",
		.when = { .verify = { TLS_VERIFY_OCSP } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 73 to 75 or 96 to 100, and the program asked for the "
			    "result",
		.message = "The status (OCSP) of the certificate of {peer} is not good: "
			   "{what}{code}.",
		.with_cert = "The status (OCSP) of certificate {subject} of {peer}, issued by "
			     "{issuer}, is not good: {what}{code}.",
		.hint = "ask the OCSP responder that the certificate names, and see that this host "
			"reaches it; have the {upstream} staple a fresh response",
	},
	{
		.slug = "verify-name-constraints",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_NAME_CONSTRAINTS } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 47 to 49 or 51 to 53, and the program asked for the "
			    "result",
		.message = "A CA above the certificate of {peer} may not certify such a name: "
			   "{what}{code}.",
		.with_cert = "A CA above certificate {subject} of {peer}, which is valid for "
			     "{names}, may not certify such names: {what}{code}.",
		.hint = "have the certificate reissued for names that the CA may certify, or by "
			"another CA",
	},
	{
		.slug = "verify-algorithm",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_ALGORITHM } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 56 to 61, 76 to 78 or 94, and the program asked for "
			    "the result",
		.message = "A key or a signature in the chain of {peer} is of a kind that is not "
			   "accepted here: {what}{code}.",
		.with_cert = "A key or a signature in the chain of {peer} is of a kind that is not "
			     "accepted here: {what}{code}; certificate {subject} has: {key}.",
		.hint = "have the certificate, or that of the CA above it, reissued with a common "
			"kind of key (ECDSA on a named curve, or RSA of 2048 bits) and SHA-256",
	},
	{
		.slug = "verify-trust-setting",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_TRUST_SETTING } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 27 or 28, and the program asked for the result",
		.message = "The CA of {peer} is known here, and marked as not trusted for TLS "
			   "servers{code}.",
		.hint = "look at the CA's certificate in {setting:trusted_cas} (openssl x509 "
			"-text: Trusted Uses, Rejected Uses), and put it there as a plain "
			"certificate if you mean to trust it",
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
		.hint = "set {setting:name} to a name in the certificate, if that is the server "
			"that you mean; else have it reissued with that name",
		.wordings = {
			{ .with = C_NAME_IS_ADDRESS,
			  .message = "The certificate of {peer} is for {names}; the name that is "
				     "compared with it is an address, {host}, and only DNS names count.",
			  .hint = "set {setting:name} to a DNS name in the certificate, or have it "
				  "reissued with one" },
		},
	},
	{
		.slug = "verify-refused",
		.when = { .any = O_VERIFY_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-untrusted-issuer", .all = O_VERIFY_UNKNOWN },
				{ .slug = "verify-hostname-mismatch", .all = O_VERIFY_UNKNOWN },
				{ .slug = "verify-depth-exceeded", .all = O_VERIFY_UNKNOWN } },
		.high_if = O_VERIFY_CODE,
		.evidence = "any other X509 verify code that the program asked for; or the library "
			    "refused the certificate inside the handshake, and nothing says why",
		.message = "The certificate of {peer} is refused here: {what}{code}.",
		.with_cert = "Certificate {subject} of {peer}, issued by {issuer}, is refused "
			     "here: {what}{code}.",
		.doubt = "The program checked it in the handshake and kept the reason to itself.",
		.hint = "get the chain (openssl s_client -showcerts) and check it with openssl "
			"verify and the CAs that are trusted here; have what is wrong with it "
			"reissued",
	},
};

const struct cause_part causes_verify = { rows, ARRAY_LEN(rows) };
