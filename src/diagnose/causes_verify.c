// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes: the peer's certificate was looked at and refused here, as the client.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
#include "tls/names.h"

#define INVALID_CA_HINT                                                                                 \
	"have the CA's certificate reissued with basicConstraints CA:TRUE, a sufficient path length, "  \
	"keyUsage keyCertSign and, if it has an extendedKeyUsage, serverAuth, and install it in place " \
	"of the old one"

#define TAKE_ITS_NAME                                                                              \
	"set {setting:name} to a name in the certificate, if that is the server you mean; "        \
	"otherwise have it reissued with that name"
#define CHECK_CLOCKS                                                                               \
	"check the clocks of both hosts; if they are right, the {upstream} serves the wrong "      \
	"certificate"

/* Of what a program refuses by itself there is no error. */
#define UNUSED                                                                                     \
	"{program} completed the handshake with {peer} and closed the connection without a "       \
	"request"
#define SO_DO_CHECKS                                                                               \
	"Programs that look at the certificate themselves do this, and so do health checks."

static const struct cause rows[] = {
	{
		.slug = "connection-refused",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_REFUSED },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.high_with = C_USES_TLS,
		.evidence = "the SYN was answered with RST; no TLS was spoken",
		.message = "{peer} refused the TCP connection: nothing listens on that port, or a "
			   "firewall answers instead.",
		.doubt = "No TLS has been seen with this peer so far, so it may not speak TLS at "
			 "all.",
		.hint = "start the {upstream}, or correct {setting:address}; if it listens there, "
			"check firewalls that reject with a TCP reset",
	},

	{
		.slug = "connect-unreachable",
		.when = { .with = C_UNREACHABLE },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.high_with = C_USES_TLS,
		.evidence = "TCP was not connected: the network reported an error by ICMP (no route "
			    "to the host, prohibited, port unreachable); no TLS was spoken",
		.message = "The TCP connection to {peer} failed after {elapsed}: the network "
			   "reported it as unreachable.",
		.doubt = "No TLS has been seen with this peer so far, so it may not speak TLS at "
			 "all.",
		.hint = "check that the host of the {upstream} is up, the route to it, and "
			"firewalls on the way that reject; check {setting:address}",
	},
	{
		.slug = "local-ports-exhausted",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .with = C_NO_LOCAL_PORT },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.high_with = C_USES_TLS,
		.evidence = "connect() failed at once, without a packet, and the socket had no "
			    "local port",
		.message = "No local port was left for a connection to {peer}: every one that the "
			   "kernel may choose was in use with that address and port.",
		.doubt = "No TLS has been seen with this peer so far, so it may not speak TLS at "
			 "all.",
		.hint = "{setting:keep_connections}; widen net.ipv4.ip_local_port_range, or spread "
			"over more addresses of the {upstream} (ss -tan shows who holds the ports)",
	},
	{
		.slug = "connect-timeout",
		.when = { .with = C_UNANSWERED },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.high_with = C_USES_TLS,
		.close_kind = "timeout",
		.evidence = "TCP was not connected: the SYN was not answered; no TLS was spoken",
		.message = "{peer} did not answer the TCP connect; {program} gave up after "
			   "{elapsed}.",
		.doubt = "No TLS has been seen with this peer so far, so it may not speak TLS at "
			 "all.",
		.hint = "check that the host of the {upstream} is up, for a firewall or security "
			"group that drops the packets, and whether the accept queue of the "
			"{upstream} is full; {setting:connect_timeout}",
	},

	/* -- what we refused, after looking at the certificate -- */
	{
		.slug = "verify-expired",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.medium_with = C_NAME_UNSENT,
		.candidates = { { .slug = "sni-missing", .with = C_NAME_UNSENT } },
		.resumption_hides = true,
		.evidence = "the verify result is \"certificate has expired\", and the program asked for the result",
		.message = "A certificate sent by {peer} has expired{code}.",
		.with_cert = "Certificate {subject} of {peer} expired on {ended}.",
		.hint = "renew it on the {upstream} and reload it there",
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "renew it on the {upstream} and reload it there; if the "
				  "{upstream} presents another one when asked by name, "
				  "{setting:send_sni}" },
			{ .with = C_NOT_FOR_SNI,
			  .hint = "find out why the {upstream} presents this one when asked for "
				  "{sni}, which it is not for; if it has none for that name, get it "
				  "one: a renewed one for other names would be refused, too" },
		},
	},
	{
		.slug = "verify-not-yet-valid",
		.when = { .verify = { TLS_VERIFY_NOT_YET_VALID } },
		.confidence = CONFIDENCE_HIGH,
		.medium_with = C_NAME_UNSENT,
		.candidates = { { .slug = "sni-missing", .with = C_NAME_UNSENT } },
		.resumption_hides = true,
		.evidence = "the verify result is \"certificate is not yet valid\", and the program asked for the result",
		.message = "A certificate sent by {peer} is not valid yet{code}.",
		.with_cert = "Certificate {subject} of {peer} is not valid until {begins}.",
		.hint = CHECK_CLOCKS,
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "check the clocks of both hosts; if they are right, the "
				  "{upstream} serves the wrong certificate; if it presents "
				  "another one when asked by name, {setting:send_sni}" },
		},
	},
	{
		.slug = "verify-self-signed",
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED } },
		.confidence = CONFIDENCE_HIGH,
		.medium_with = C_NAME_UNSENT,
		.candidates = { { .slug = "sni-missing", .with = C_NAME_UNSENT } },
		.resumption_hides = true,
		.evidence = "the verify result is \"self-signed certificate\", and the program asked for the result",
		.message = "The certificate of {peer} is self-signed and not trusted on this "
			   "host{code}.",
		.with_cert = "Certificate {subject} of {peer} is self-signed and not trusted on "
			     "this host.",
		.hint = "add that certificate (compare its fingerprint with its owner first), or "
			"the CA that should have issued it, to {setting:trusted_cas}, if you want "
			"to trust it",
		.wordings = {
			{ .with = C_NAME_UNSENT,
			  .hint = "{setting:send_sni} and see whether the {upstream} then "
				  "presents another one; otherwise add that certificate (compare "
				  "its fingerprint with its owner first), or the CA that should "
				  "have issued it, to {setting:trusted_cas}, if you want to trust "
				  "it" },
			{ .with = C_NOT_FOR_SNI,
			  .hint = "find out why the {upstream} presents this one when asked for "
				  "{sni}, which it is not for: trusting it would not help" },
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
			"the verify result is that an issuer is missing here or first in the chain; several certificates were received, but not "
			"the issuer of the leaf",
		.message = "{peer} sent a chain without the issuer of its certificate{code}.",
		.with_cert =
			"Certificate {subject} of {peer} was issued by {issuer}, which is neither "
			"trusted on this host nor in the chain it sent.",
		.hint = "make the {upstream} send its intermediate certificates after its own",
	},
	/* OpenSSL 3 says of it that an issuer is missing. */
	{
		.slug = "verify-depth-exceeded",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .with = C_DEPTH_SHORT,
			  .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-untrusted-issuer" } },
		.evidence =
			"the verify result is that an issuer is missing; the chain is longer than the configuration "
			"allows, and the issuer of its last certificate is in the file of trusted CAs",
		.message = "The certificate chain of {peer} is longer than is allowed here{code}.",
		.with_cert = "The chain of certificate {subject} of {peer}, which sent {chain}, is "
			     "longer than is allowed here{code}.",
		.doubt = "The CA above it is trusted here, by its name.",
		.hint = "raise {setting:verify_depth}",
	},
	{
		.slug = "verify-untrusted-issuer",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_NO_ISSUER_LOCALLY,
				      TLS_VERIFY_CANNOT_VERIFY_FIRST } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.evidence = "the verify result is \"unable to get local issuer certificate\" or \"unable to verify the first certificate\", and the program asked for the result",
		.message = "The certificate of {peer} was issued by a CA that is not trusted on "
			   "this host{code}.",
		.with_cert = "Certificate {subject} of {peer} was issued by {issuer}, which is "
			     "not trusted on this host.",
		.candidates = { { .slug = "verify-chain-incomplete", .with = C_NO_CHAIN },
				{ .slug = "verify-depth-exceeded", .all = O_ISSUER_SENT } },
		.doubt = "If that is an intermediate CA, the {upstream} should send it.",
		.hint = "add the CA that issued it to {setting:trusted_cas}; make the {upstream} "
			"send its whole chain",
		.wordings = {
			{ .when = O_ISSUER_SENT,
			  .doubt = "The issuer's certificate was sent too, so it is the CA above "
				   "it that is not trusted, or the chain is longer than allowed.",
			  .hint = "add the root of that chain to {setting:trusted_cas}" },
			{ .with = C_NAMESAKE,
			  .message = "Certificate {subject} of {peer} was issued by {issuer}; the CA "
				     "of that name that is trusted on this host was not accepted as "
				     "its issuer{code}.",
			  .doubt = "It may have been recreated under its old name.",
			  .hint = "replace that CA in {setting:trusted_cas} with the one that issued "
				  "the certificate" },
		},
	},
	{
		.slug = "verify-self-signed-in-chain",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_SELF_SIGNED_IN_CHAIN } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is \"self-signed certificate in certificate chain\", and the program asked for the result",
		.message = "The chain sent by {peer} ends in a root that is not trusted on this "
			   "host{code}.",
		.with_cert =
			"The chain of certificate {subject} of {peer}, issued by {issuer}, ends "
			"in a root that is not trusted on this host{code}.",
		.hint = "add that root to {setting:trusted_cas} if you want to trust it",
	},
	{
		.slug = "verify-depth-exceeded",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CHAIN_TOO_LONG } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is \"certificate chain too long\", and the program asked for the result",
		.message = "The certificate chain of {peer} is longer than this host "
			   "allows{code}.",
		.with_cert = "The chain of certificate {subject} of {peer}, which sent {chain}, "
			     "is longer than this host allows{code}.",
		.hint = "raise {setting:verify_depth}",
	},
	{
		.slug = "verify-revoked",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_REVOKED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is \"certificate revoked\", and the program asked for the result",
		.message = "The certificate of {peer} is revoked{code}.",
		.with_cert =
			"Certificate {subject} of {peer}, issued by {issuer}, is revoked{code}.",
		.hint = "have the {upstream}'s certificate replaced; it is listed as revoked in "
			"{setting:crl}",
	},
	{
		.slug = "verify-crl-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CRL_MISSING, TLS_VERIFY_CRL_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a CRL is missing or has expired, and the program asked for the result",
		.message = "This host has no current revocation list (CRL) from the issuer of "
			   "{peer}{code}.",
		.with_cert =
			"This host has no current revocation list (CRL) for the chain of "
			"certificate {subject} of {peer}, issued by {issuer}{code}.",
		.hint = "put a current CRL from each CA of the chain into {setting:crl_file}",
	},
	/* X509_V_ERR_INVALID_PURPOSE is said of a CA, too, and last where all errors are passed over. */
	{
		.slug = "verify-invalid-ca",
		.when = { .all = O_LEAF_FOR_SERVERS, .verify = { TLS_VERIFY_PURPOSE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a certificate is for another purpose, the "
			    "program asked for the result, and the leaf is for servers",
		.message = "A CA certificate in the chain of {peer} may not issue certificates for "
			   "TLS servers{code}.",
		.with_cert = "A CA certificate above {subject} of {peer} may not issue certificates "
			     "for TLS servers{code}; the CA directly above is {issuer}.",
		.hint = INVALID_CA_HINT,
		.wordings = {
			{ .when = O_ONE_CERT,
			  .hint = "the {upstream} sent no CA, so it is about one in "
				  "{setting:trusted_cas}: replace it with one whose extendedKeyUsage, "
				  "if it has one, has serverAuth, and, if it is a TRUSTED CERTIFICATE, "
				  "whose trust settings allow TLS servers" },
		},
	},
	{
		.slug = "verify-purpose",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_PURPOSE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that the certificate is for another purpose, and the program asked for the result",
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
		.evidence = "the verify result is that a key or a digest is too weak, and the program asked for the result",
		.message = "A key or signature in the chain of {peer} is too weak for {library} "
			   "on this host{code}.",
		.with_cert =
			"A key or signature in the chain of {peer} is too weak for {library} on "
			"this host{code}; certificate {subject} has: {key}.",
		.hint = "have the certificate reissued with a stronger key and SHA-256 or better",
	},
	{
		.slug = "verify-root-missing",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CA_WITHOUT_ISSUER } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is \"unable to get issuer certificate\", and the program asked for the result",
		.message = "The chain of {peer} leads to a trusted CA whose own issuer is missing "
			   "on this host{code}.",
		.with_cert = "The chain of {peer} leads to a trusted intermediate CA, but "
			     "{missing_issuer} is missing on this host{code}.",
		.hint = "add the root, {missing_issuer}, to {setting:trusted_cas}: an "
			"intermediate CA alone is not enough",
	},
	{
		.slug = "verify-signature-mismatch",
		.when = { .verify = { TLS_VERIFY_BAD_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a signature is wrong, and the program asked for the result",
		.message = "A certificate of {peer} was not signed with the key of the CA of that "
			   "name on this host{code}.",
		.with_cert = "A signature in the chain of certificate {subject} of {peer}, issued "
			     "by {issuer}, was not made with the key of the CA of that name on "
			     "this host{code}.",
		.hint = "replace the CA's certificate in {setting:trusted_cas} with its current "
			"one: the CA may have a new key under its old name; if it has no new key, "
			"the certificate is forged or corrupt",
	},
	{
		.slug = "verify-invalid-ca",
		.when = { .verify = { TLS_VERIFY_INVALID_CA, TLS_VERIFY_PATH_LENGTH } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a CA may not issue certificates, or not this one, and the "
			    "program asked for the result",
		.message = "A CA certificate in the chain of {peer} may not issue what it issued: "
			   "{what}{code}.",
		.with_cert = "A CA certificate above {subject} of {peer} may not issue what it "
			     "issued: {what}{code}; the CA directly above is {issuer}.",
		.hint = INVALID_CA_HINT,
	},
	{
		.slug = "verify-crl-unusable",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_CRL_UNUSABLE, TLS_VERIFY_CRL_NOT_YET_VALID } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a CRL cannot be used, and the "
			    "program asked for the result",
		.message = "This host cannot use a revocation list (CRL) for the chain of {peer}: "
			   "{what}{code}.",
		.hint = "get the revocation list again from the CA that issued it and put it into "
			"{setting:crl_file}; if it is not valid yet, check the clock of this host",
	},
	{
		.slug = "verify-ocsp",
		.when = { .verify = { TLS_VERIFY_OCSP } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is about the OCSP status, and the program asked for the "
			    "result",
		.message = "The OCSP status of the certificate of {peer} is not good: "
			   "{what}{code}.",
		.with_cert = "The OCSP status of certificate {subject} of {peer}, issued by "
			     "{issuer}, is not good: {what}{code}.",
		.hint = "query the OCSP responder named in the certificate, and make sure that "
			"this host can reach it; have the {upstream} staple a fresh response",
	},
	{
		.slug = "verify-name-constraints",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .verify = { TLS_VERIFY_NAME_CONSTRAINTS } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is about a CA's name constraints, and the program asked for the "
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
		.when = { .verify = { TLS_VERIFY_ALGORITHM, TLS_VERIFY_SUITE_B } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that an algorithm is not accepted, and the program asked for "
			    "the result",
		.message = "A key or signature in the chain of {peer} is of a type that this host "
			   "does not accept: {what}{code}.",
		.with_cert = "A key or signature in the chain of {peer} is of a type that this "
			     "host does not accept: {what}{code}; certificate {subject} has: "
			     "{key}.",
		.hint = "have the certificate, or that of the CA above it, reissued with a common "
			"type of key (ECDSA on a named curve, or RSA with 2048 bits) and SHA-256",
		.wordings = {
			{ .with = C_SUITE_B,
			  .hint = "take SUITEB out of {setting:ciphers}, with which this host demands "
				  "Suite B; or have every certificate of the chain reissued with a "
				  "key of P-256 or P-384" },
		},
	},
	{
		.slug = "verify-trust-setting",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .verify = { TLS_VERIFY_TRUST_SETTING } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "the verify result is that a CA is marked as not trusted for this, and the program asked for the result",
		.message = "The CA of {peer} is marked on this host as not trusted for TLS "
			   "servers{code}.",
		.hint = "check the CA's certificate in {setting:trusted_cas} (openssl x509 -text: "
			"Trusted Uses, Rejected Uses), and install it there as a plain "
			"certificate if you want to trust it",
	},
	{
		.slug = "verify-hostname-mismatch",
		.when = { .all = O_HOST_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_HOST_RETURN,
		.evidence = "X509_check_host refused the name, or the verify result is \"hostname mismatch\"",
		.message = "The certificate of {peer} is not valid for the name {host}.",
		.doubt = "The result of the check is inferred from the close that followed it.",
		.with_cert = "The certificate of {peer} is valid for {names}, not for {host}.",
		.hint = TAKE_ITS_NAME,
		.wordings = {
			{ .with = C_NAME_DOTTED,
			  .message = "The certificate of {peer} is for {names}; it was compared "
				     "with \"{host}\", and the dot at its end belongs to no name "
				     "in a certificate.",
			  .hint = "set {setting:name} without the dot at its end" },
			{ .with = C_NAME_IS_ADDRESS,
			  .message = "The certificate of {peer} is for {names}, but it is "
				     "compared with an IP address, {host}, and only DNS names "
				     "count.",
			  .hint = "set {setting:name} to a DNS name in the certificate, or have it "
				  "reissued with one" },
		},
	},
	{
		.slug = "verify-expired",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .with = C_UNUSED_EXPIRED },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "verify-hostname-mismatch", .with = C_NAME_UNFIT } },
		.evidence = "handshake done, and the connection closed here at once, without a "
			    "request; the certificate has expired",
		.message = UNUSED "; a certificate has expired.",
		.with_cert = UNUSED "; certificate {subject} expired on {ended}.",
		.doubt = SO_DO_CHECKS,
		.hint = "renew it on the {upstream} and reload it there",
	},
	{
		.slug = "verify-not-yet-valid",
		.when = { .with = C_UNUSED_EARLY },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "verify-hostname-mismatch", .with = C_NAME_UNFIT } },
		.evidence = "handshake done, and the connection closed here at once, without a "
			    "request; the certificate is not valid yet",
		.message = UNUSED "; a certificate is not valid yet.",
		.with_cert = UNUSED "; certificate {subject} is not valid until {begins}.",
		.doubt = SO_DO_CHECKS,
		.hint = CHECK_CLOCKS,
	},
	{
		.slug = "verify-hostname-mismatch",
		.when = { .with = C_NAME_UNFIT },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "handshake done, and the connection closed here at once, without a "
			    "request; the certificate is not for the name asked for",
		.message = UNUSED "; the certificate is not for {asked}.",
		.with_cert = UNUSED "; the certificate is for {names}, not for {asked}.",
		.doubt = SO_DO_CHECKS,
		.hint = TAKE_ITS_NAME,
	},
	{
		/* Seen of Erlang 25, for a name that does not match. */
		.slug = "verify-hostname-mismatch",
		.when = { .all = O_SERVER_HELLO,
			  .alert_sent = { TLS_ALERT_HANDSHAKE_FAILURE },
			  .with = C_NOT_FOR_SNI },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "alert 40 sent once the peer's certificate was there, which is not for "
			    "the server_name that was sent",
		.message = "{program} ended the handshake with {peer} by alert 40, once it had the "
			   "certificate, which is not for {asked}.",
		.with_cert = "{program} ended the handshake with {peer} by alert 40, once it had the "
			     "certificate, which is for {names}, not for {asked}.",
		.doubt = "The alert does not name the reason: it may be another one.",
		.hint = TAKE_ITS_NAME,
	},
	{
		.slug = "verify-hostname-mismatch",
		.when = { .all = O_VERIFY_UNKNOWN, .with = C_NOT_FOR_SNI },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-untrusted-issuer" },
				{ .slug = "verify-depth-exceeded" } },
		.evidence = "the library refused the certificate during the handshake, and nothing "
			    "says why; the certificate is not for the server_name that was sent",
		.message = "{program} refused the certificate of {peer}, which is not for {asked}.",
		.with_cert = "{program} refused the certificate of {peer}: it is for {names}, not "
			     "for {asked}.",
		.doubt = "The program did not reveal the reason: it may be another one.",
		.hint = TAKE_ITS_NAME,
	},
	{
		.slug = "verify-refused",
		.when = { .any = O_VERIFY_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-untrusted-issuer", .all = O_VERIFY_UNKNOWN },
				{ .slug = "verify-hostname-mismatch", .all = O_VERIFY_UNKNOWN },
				{ .slug = "verify-depth-exceeded", .all = O_VERIFY_UNKNOWN },
				{ .slug = "trusted-ca-expired", .all = O_VERIFY_UNKNOWN } },
		.high_if = O_VERIFY_CODE,
		.evidence = "any other verify result that the program asked for; or the "
			    "library refused the certificate during the handshake, and nothing "
			    "says why",
		.message = "This host refused the certificate of {peer}: {what}{code}.",
		.with_cert = "This host refused certificate {subject} of {peer}, issued by "
			     "{issuer}: {what}{code}.",
		.doubt = "The program checked it during the handshake and did not reveal the "
			 "reason.",
		.hint = "get the chain (openssl s_client -showcerts) and check it with openssl "
			"verify and the CAs trusted on this host; have the faulty certificate "
			"reissued",
	},
	{
		.slug = "verify-refused",
		.when = { .all = O_SERVER_HELLO | O_LOCAL,
			  .none = O_DONE | O_ERROR,
			  .with = C_ALERT_HIDDEN,
			  .without = C_FOUND_GOOD },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "verify-expired" },
				{ .slug = "verify-untrusted-issuer" },
				{ .slug = "verify-hostname-mismatch" } },
		.evidence = "TLS 1.3, and the client ended the handshake by what has the size of an "
			    "encrypted alert; the TLS library's error is not known",
		.message = "{program} ended the handshake with {peer} by an encrypted alert, once it "
			   "had the server's answer.",
		.doubt = "Nothing says why: most likely it refused the certificate.",
		.hint = "get the chain (openssl s_client -showcerts) and check it with openssl "
			"verify and the CAs trusted on this host; have the faulty certificate "
			"reissued",
	},
};

const struct cause_part causes_verify = { rows, ARRAY_LEN(rows) };
