/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rule table as data: every row is well-formed, can be reached, and is not hidden by a row
 * above it. A new row needs a line in the fixtures here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/causes.h"
#include "diagnose/diagnose.h"
#include "diagnose/words.h"
#include "program/nginx/nginx.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SLUG_MAX     34 /* what the headline of the text sink has room for */

/* The least that each row asks for; a row may have more than one way to be reached. */
static const struct fixture {
	const char *slug;
	struct symptoms symptoms;
} fixtures[] = {
#define ALERT(n)  .has_alert = true, .alert = (n)
#define SENT(n)	  .has_alert_sent = true, .alert_sent = (n)
#define VERIFY(n) .verify = TLS_VERIFY_##n
#define REASON(n) .reason = TLS_REASON_##n
	{ "connection-refused", { .observed = O_REFUSED } },
	{ "connect-unreachable", { .observed = O_LOCAL, .context = C_UNREACHABLE } },
	{ "local-ports-exhausted", { .observed = O_LOCAL, .context = C_NO_LOCAL_PORT } },
	{ "connect-timeout", { .observed = O_LOCAL, .context = C_UNANSWERED } },
	{ "verify-expired", { VERIFY(EXPIRED) } },
	{ "verify-not-yet-valid", { VERIFY(NOT_YET_VALID) } },
	{ "verify-self-signed", { VERIFY(SELF_SIGNED) } },
	{ "verify-chain-incomplete", { .observed = O_ISSUER_MISSING, VERIFY(NO_ISSUER_LOCALLY) } },
	{ "verify-chain-incomplete",
	  { .observed = O_ISSUER_MISSING, VERIFY(CANNOT_VERIFY_FIRST) } },
	{ "verify-untrusted-issuer", { VERIFY(NO_ISSUER_LOCALLY) } },
	{ "verify-untrusted-issuer", { .observed = O_ONE_CERT, VERIFY(CANNOT_VERIFY_FIRST) } },
	{ "verify-self-signed-in-chain", { VERIFY(SELF_SIGNED_IN_CHAIN) } },
	{ "verify-depth-exceeded", { VERIFY(CHAIN_TOO_LONG) } },
	{ "verify-revoked", { VERIFY(REVOKED) } },
	{ "verify-crl-missing", { VERIFY(CRL_MISSING) } },
	{ "verify-crl-missing", { VERIFY(CRL_EXPIRED) } },
	{ "verify-purpose", { VERIFY(PURPOSE) } },
	{ "verify-invalid-ca", { .observed = O_LEAF_FOR_SERVERS, VERIFY(PURPOSE) } },
	{ "weak-certificate", { VERIFY(KEY_TOO_SMALL) } },
	{ "weak-certificate", { VERIFY(CA_KEY_TOO_SMALL) } },
	{ "weak-certificate", { VERIFY(DIGEST_TOO_WEAK) } },
	{ "verify-root-missing", { VERIFY(CA_WITHOUT_ISSUER) } },
	{ "verify-signature-mismatch", { VERIFY(BAD_SIGNATURE) } },
	{ "verify-invalid-ca", { VERIFY(INVALID_CA) } },
	{ "verify-invalid-ca", { VERIFY(PATH_LENGTH) } },
	{ "verify-crl-unusable", { VERIFY(CRL_UNUSABLE) } },
	{ "verify-crl-unusable", { VERIFY(CRL_NOT_YET_VALID) } },
	{ "verify-ocsp", { VERIFY(OCSP) } },
	{ "verify-name-constraints", { VERIFY(NAME_CONSTRAINTS) } },
	{ "verify-algorithm", { VERIFY(ALGORITHM) } },
	{ "verify-trust-setting", { VERIFY(TRUST_SETTING) } },
	{ "verify-refused", { .observed = O_SERVER_HELLO | O_LOCAL, .context = C_ALERT_HIDDEN } },
	{ "verify-refused", { .observed = O_VERIFY_REFUSED | O_VERIFY_CODE, VERIFY(MALFORMED) } },
	{ "verify-refused",
	  { .observed = O_VERIFY_REFUSED | O_VERIFY_UNKNOWN, REASON(VERIFY_FAILED) } },
	{ "verify-hostname-mismatch",
	  { .observed = O_VERIFY_REFUSED | O_VERIFY_UNKNOWN,
	    .context = C_NOT_FOR_SNI,
	    REASON(VERIFY_FAILED) } },
	{ "verify-hostname-mismatch",
	  { .observed = O_SERVER_HELLO, .context = C_NOT_FOR_SNI, SENT(40) } },
	{ "verify-hostname-mismatch", { .observed = O_HOST_REFUSED } },
	{ "verify-hostname-mismatch", { .observed = O_HOST_REFUSED, VERIFY(HOSTNAME_MISMATCH) } },

	{ "peer-not-tls-http", { .observed = O_NOT_TLS | O_HTTP, REASON(NOT_TLS) } },
	{ "peer-not-tls-other", { .observed = O_NOT_TLS, REASON(NOT_TLS), SENT(70) } },

	{ "sni-unrecognized", { .observed = O_SNI, ALERT(112) } },
	{ "sni-missing", { .observed = O_NO_SNI | O_UNRECOGNIZED, ALERT(112) } },
	{ "sni-missing", { .observed = O_NO_SNI, ALERT(40) } },
	{ "sni-missing", { .observed = O_NO_SNI, ALERT(80) } },
	{ "sni-missing",
	  { .observed = O_NO_SNI,
	    .context = C_STRANGE_CERT | C_CAN_SEND_NAME,
	    VERIFY(SELF_SIGNED) } },
	{ "sni-missing",
	  { .observed = O_NO_SNI | O_RX_NONE | O_PEER_RST,
	    .context = C_REFUSED_HELLO | C_CAN_SEND_NAME } },
	{ "sni-unrecognized",
	  { .observed = O_SNI, .context = C_SNI_ODD | C_REFUSED_HELLO, ALERT(40) } },
	{ "sni-malformed",
	  { .observed = O_SNI, .context = C_SNI_MALFORMED | C_REFUSED_HELLO, ALERT(47) } },
	{ "peer-moved", { .observed = O_HOST_REFUSED, .context = C_MOVED | C_STRANGE_CERT } },
	{ "peer-moved", { .observed = O_REFUSED, .context = C_MOVED } },
	{ "proxy-protocol-unexpected",
	  { .observed = O_NOT_TLS | O_HTTP, .context = C_HEADER_FIRST } },
	{ "proxy-protocol-missing", { .observed = O_PEER_FIN, .context = C_OTHERS_SEND_HEADER } },
	{ "starttls-expected", { .observed = O_NOT_TLS, .context = C_STARTTLS_PORT } },
	{ "starttls-expected", { .observed = O_NOT_TLS, .context = C_STARTTLS_SPOKEN } },
	{ "resumption-refused",
	  { .observed = O_ALERT, .context = C_SESSION | C_REFUSED_HELLO, ALERT(80) } },
	{ "resumption-refused",
	  { .observed = O_PEER_FIN, .context = C_SESSION | C_REFUSED_HELLO | C_SESSION_FAILS } },
	{ "trusted-ca-expired", { .context = C_OTHER_EXPIRED, VERIFY(EXPIRED) } },
	{ "trusted-ca-expired",
	  { .observed = O_CERT, .context = C_OTHER_EXPIRED, VERIFY(EXPIRED) } },
	{ "trusted-ca-expired",
	  { .observed = O_CERT | O_VERIFY_CODE, .context = C_OTHER_EXPIRED, VERIFY(EXPIRED) } },
	{ "plain-text-to-tls", { .context = C_REFUSED_PLAIN } },
	{ "plain-text-to-tls", { .observed = O_PEER_FIN, .context = C_IGNORED_PLAIN } },
	{ "client-cert-unloadable", { .observed = O_LOCAL, .context = C_NOTHING_SAID } },
	{ "verify-hostname-mismatch", { .observed = O_DONE | O_LOCAL, .context = C_NAME_UNFIT } },
	{ "verify-expired", { .observed = O_DONE | O_LOCAL, .context = C_UNUSED_EXPIRED } },
	{ "verify-not-yet-valid", { .observed = O_DONE | O_LOCAL, .context = C_UNUSED_EARLY } },
	{ "verify-expired", { .context = C_SHOWN_EXPIRED, VERIFY(NO_ISSUER_LOCALLY) } },
	{ "session-verify-result", { .context = C_RESULT_FOREIGN, VERIFY(NO_ISSUER_LOCALLY) } },
	{ "verify-untrusted-issuer",
	  { .context = C_RESULT_FOREIGN | C_ONE_PLACE, VERIFY(NO_ISSUER_LOCALLY) } },
	{ "verify-depth-exceeded", { .context = C_DEPTH_SHORT, VERIFY(NO_ISSUER_LOCALLY) } },
	{ "cipher-mismatch", { .observed = O_NO_SNI, .context = C_NO_NAME, ALERT(40) } },
	{ "cipher-mismatch",
	  { .observed = O_ALERT | O_ILLEGAL,
	    .context = C_SESSION | C_REFUSED_HELLO | C_FEW_SUITES | C_OFFER_OF_ONE_PLACE,
	    ALERT(47) } },
	{ "accept-queue-full", { .observed = O_LOCAL | O_UNACKED | O_RX_NONE } },
	{ "cipher-mismatch", { .observed = O_NO_SNI, .context = C_SNI_NEEDLESS, ALERT(40) } },
	{ "group-mismatch", { .observed = O_NO_SNI, .context = C_FEW_GROUPS, ALERT(40) } },
	{ "client-cert-required", { .observed = O_DONE | O_CERT_ALERT, ALERT(116) } },
	{ "client-cert-required", { .observed = O_DONE | O_CERT_EMPTY, ALERT(42) } },
	{ "client-cert-required", { .observed = O_DONE | O_CERT_EMPTY, ALERT(46) } },
	{ "client-cert-required-legacy",
	  { .observed = O_CERT_REQUESTED | O_CERT_EMPTY | O_SERVER_HELLO, ALERT(40) } },
	{ "client-cert-required-legacy",
	  { .observed = O_CERT_REQUESTED | O_CERT_EMPTY | O_NO_SNI | O_SERVER_HELLO, ALERT(42) } },
	{ "client-cert-untrusted", { ALERT(48) } },
	{ "client-cert-expired", { ALERT(45) } },
	{ "client-cert-required",
	  { .observed = O_DONE | O_CERT_EMPTY | O_NO_SUCCESS | O_PEER_FIN } },
	{ "client-cert-required-legacy",
	  { .observed = O_CERT_REQUESTED | O_CERT_EMPTY | O_NO_SUCCESS | O_PEER_FIN |
			O_SERVER_HELLO } },
	{ "client-cert-untrusted", { .observed = O_CERT_SENT | O_NO_SUCCESS | O_PEER_RST } },
	{ "client-cert-untrusted",
	  { .observed = O_CERT_SENT | O_CERT_VAGUE | O_CERT_REFUSED, ALERT(42) } },
	{ "client-cert-expired",
	  { .observed = O_CERT_SENT | O_NO_SUCCESS | O_PEER_FIN, .context = C_CLIENT_CERT_ENDED } },
	{ "client-cert-expired",
	  { .observed = O_CERT_SENT | O_CERT_VAGUE | O_CERT_REFUSED,
	    .context = C_CLIENT_CERT_ENDED,
	    ALERT(46) } },
	{ "client-cert-rejected",
	  { .observed = O_CERT_SENT | O_CERT_VAGUE | O_CERT_REFUSED,
	    .context = C_CLIENT_CERT_UNFIT,
	    ALERT(42) } },
	{ "client-cert-rejected", { .observed = O_CERT_REFUSED, ALERT(42) } },
	{ "client-cert-rejected", { .observed = O_DONE | O_CERT_REFUSED, ALERT(42) } },
	{ "client-cert-rejected", { .observed = O_DONE | O_CERT_REFUSED, ALERT(49) } },
	{ "client-cert-rejected", { .observed = O_CERT_REFUSED, ALERT(43) } },
	{ "client-cert-rejected", { .observed = O_CERT_REFUSED, ALERT(44) } },
	{ "client-cert-rejected", { .observed = O_CERT_REFUSED, ALERT(46) } },
	{ "alpn-mismatch", { ALERT(120) } },
	{ "peer-access-denied", { .observed = O_SNI, ALERT(49) } },
	{ "peer-access-denied", { .observed = O_NO_SNI, .context = C_SNI_NEEDLESS, ALERT(49) } },
	{ "peer-access-denied", { .observed = O_NO_SNI | O_SERVER_HELLO, ALERT(49) } },
	{ "sni-missing", { .observed = O_NO_SNI, ALERT(49) } },
	{ "corrupt-record", { ALERT(20) } },
	{ "peer-internal-error", { .observed = O_SNI, ALERT(80) } },
	{ "protocol-version-rejected", { .observed = O_SNI | O_OLD_CLIENT, ALERT(80) } },
	{ "protocol-version-rejected", { .observed = O_NO_SNI | O_OLD_CLIENT, ALERT(80) } },
	{ "protocol-version-rejected", { ALERT(70) } },
	{ "protocol-version-too-old", { REASON(UNSUPPORTED_VERSION), SENT(70) } },
	{ "no-protocols-available", { REASON(NO_VERSION_ENABLED), SENT(70) } },
	{ "dh-key-too-small", { REASON(DH_KEY_TOO_SMALL), SENT(40) } },
	{ "legacy-renegotiation", { REASON(LEGACY_RENEGOTIATION), SENT(40) } },
	{ "legacy-signature", { REASON(SIGNATURE_NOT_ACCEPTED), SENT(40) } },
	{ "legacy-signature", { REASON(NO_SHARED_SIGNATURE), SENT(40) } },
	{ "old-version-signature",
	  { .observed = O_OLD_VERSION | O_RAISED, REASON(SIGNATURE_NOT_ACCEPTED) } },
	{ "old-version-signature",
	  { .observed = O_OLD_VERSION | O_RAISED, REASON(NO_SHARED_SIGNATURE) } },
	{ "downgrade-detected", { REASON(FALLBACK_OR_DOWNGRADE), SENT(47) } },
	{ "peer-signature-wrong", { REASON(BAD_PEER_SIGNATURE), SENT(51) } },
	{ "session-mismatch", { REASON(SESSION_MISMATCH) } },
	{ "session-mismatch", { REASON(EARLY_DATA) } },
	{ "client-cert-unusable", { REASON(OWN_CERTIFICATE_UNUSABLE) } },
	{ "client-cert-unusable", { REASON(OWN_CERTIFICATE_WEAK) } },
	{ "no-ciphers-available", { REASON(NO_CIPHER_ENABLED) } },
	{ "peer-broken-answer", { .observed = O_PEER_BROKE | O_RAISED, SENT(10) } },
	{ "insufficient-security", { .observed = O_ALERT | O_ALERT_NAMED, ALERT(71) } },
	{ "peer-ended-handshake", { .observed = O_ALERT | O_ALERT_NAMED, ALERT(10) } },
	{ "peer-ended-handshake",
	  { .observed = O_ALERT | O_ALERT_NAMED | O_SNI | O_SERVER_HELLO, ALERT(40) } },
	{ "local-tls-error", { .observed = O_RAISED | O_ERROR | O_LOCAL, REASON(INTERNAL) } },
	{ "group-mismatch", { .observed = O_SNI | O_RETRY, ALERT(40) } },
	{ "group-mismatch", { .observed = O_ILLEGAL, ALERT(47) } },
	{ "cipher-mismatch", { .observed = O_SNI, ALERT(40) } },

	{ "prematurely-closed-after-handshake", { .observed = O_DONE | O_PEER_FIN } },
	{ "prematurely-closed-after-handshake", { .observed = O_DONE | O_PEER_RST } },
	{ "alpn-missing", { .observed = O_DONE | O_PEER_FIN, .context = C_NO_ALPN | C_GRPC } },
	{ "prematurely-closed-after-handshake",
	  { .observed = O_DONE | O_PEER_FIN, .context = C_GRPC } },
	{ "pqc-hello-intolerant",
	  { .observed = O_LARGE | O_POST_QUANTUM | O_RX_NONE | O_LOCAL | O_UNACKED } },
	{ "peer-closed-in-handshake",
	  { .observed = O_LARGE | O_POST_QUANTUM | O_RX_NONE | O_PEER_FIN } },
	{ "large-hello-intolerant", { .observed = O_LARGE | O_RX_NONE | O_LOCAL | O_UNACKED } },
	{ "large-hello-intolerant",
	  { .observed = O_LARGE | O_RX_NONE | O_PEER_RST, .context = C_SHORTER_WORKS } },
	{ "handshake-blackholed",
	  { .observed =
		    O_LOCAL | O_UNACKED | O_RX_NONE | O_LARGE | O_POST_QUANTUM | O_PEER_DID_TLS } },
	{ "peer-closed-before-hello", { .observed = O_HELLO_UNREAD | O_PEER_FIN | O_RX_NONE } },
	{ "peer-closed-mid-handshake", { .observed = O_SERVER_HELLO | O_PEER_FIN } },
	{ "peer-closed-mid-handshake", { .observed = O_SERVER_HELLO | O_PEER_RST } },
	{ "peer-closed-mid-handshake", { .observed = O_RETRY | O_PEER_FIN } },
	{ "peer-reset-in-handshake", { .observed = O_PEER_RST | O_RX_NONE } },
	{ "peer-closed-in-handshake", { .observed = O_PEER_FIN | O_RX_NONE } },
	{ "accept-queue-full", { .observed = O_LOCAL | O_UNACKED | O_RX_NONE | O_TIMER } },
	{ "local-process-exited", { .observed = O_LOCAL | O_EXITING } },
	{ "local-process-exited", { .observed = O_LOCAL | O_EXITING | O_TIMER } },
	{ "handshake-timeout", { .observed = O_LOCAL | O_TIMER } },
	{ "handshake-timeout", { .observed = O_LOCAL | O_TIMER | O_SERVER_HELLO } },
	{ "local-abort", { .observed = O_LOCAL } },

	/* what a row must not have, so that it is another one, or none */
	{ "peer-internal-error", { .observed = O_NO_SNI | O_DONE | O_ERROR, ALERT(80) } },
	{ "unknown", { .observed = O_NO_SNI | O_SERVER_HELLO | O_ERROR, ALERT(112) } },
	{ "unknown", { .observed = O_SNI | O_SERVER_HELLO | O_ERROR, ALERT(40) } },
	{ "unknown", { .observed = O_SNI | O_DONE | O_ERROR, ALERT(40) } },
	{ "unknown", { .observed = O_DONE | O_LOCAL | O_TIMER } },
	{ "unknown", { .observed = O_DONE | O_LOCAL | O_HELLO_UNREAD } },
	{ "unknown", { .observed = O_DONE | O_LOCAL | O_PEER_RST } },
	{ "unknown", { .observed = O_DONE | O_LOCAL | O_PEER_FIN } },
	{ "unknown", { .observed = O_DONE | O_PEER_FIN | O_ERROR } },
	{ "unknown", { .observed = O_DONE | O_LOCAL | O_UNACKED | O_RX_NONE } },
	{ "unknown", { .observed = O_HELLO_UNREAD | O_ERROR } },
	{ "unknown", { .observed = O_SERVER_HELLO | O_PEER_FIN | O_ERROR } },
	{ "unknown", { .observed = O_PEER_RST | O_ERROR } },
	{ "unknown", { .observed = O_LOCAL | O_TIMER | O_ERROR } },
	{ "unknown", { .observed = O_LOCAL | O_UNACKED | O_RX_NONE | O_ERROR } },
	{ "local-abort", { .observed = O_LOCAL | O_SERVER_HELLO } },
	{ "local-abort", { .observed = O_LOCAL | O_LARGE | O_RX_NONE } },
	{ "local-abort", { .observed = O_LOCAL | O_LARGE | O_POST_QUANTUM | O_RX_NONE } },
	{ "peer-closed-before-hello",
	  { .observed = O_HELLO_UNREAD | O_PEER_FIN | O_RX_NONE | O_LARGE | O_POST_QUANTUM } },
	{ "peer-closed-in-handshake",
	  { .observed = O_PEER_FIN | O_RX_NONE | O_LARGE | O_POST_QUANTUM | O_PEER_DID_TLS } },

/* as the server */
#define SERVER .server = true
	{ "https-proxy-request", { SERVER, .observed = O_NOT_TLS | O_HTTP | O_PROXY_REQUEST } },
	{ "proxy-protocol-to-https", { SERVER, .observed = O_NOT_TLS | O_PROXY_PROTOCOL } },
	{ "plain-http-to-https", { SERVER, .observed = O_NOT_TLS | O_HTTP, REASON(HTTP_REQUEST) } },
	{ "client-not-tls", { SERVER, .observed = O_NOT_TLS | O_LOCAL } },
	{ "closed-after-early-data",
	  { SERVER, .observed = O_LOCAL | O_SERVER_HELLO | O_HELLO, .context = C_EARLY_DATA } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(42) } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(43) } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(44) } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(45) } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(46) } },
	{ "client-rejects-cert", { SERVER, .observed = O_ALERT, ALERT(48) } },
	{ "client-rejects-cert", { SERVER, .observed = O_SERVER_HELLO, .context = C_ALERT_MUTE } },
	{ "client-rejects-status", { SERVER, .observed = O_ALERT, ALERT(113) } },
	{ "client-refuses-handshake", { SERVER, .observed = O_ALERT, ALERT(40) } },
	{ "client-refuses-handshake", { SERVER, .observed = O_ALERT, ALERT(112) } },
	{ "client-protocol-too-old", { SERVER, REASON(UNSUPPORTED_VERSION), SENT(70) } },
	{ "client-protocol-too-old",
	  { SERVER, .observed = O_HELLO | O_OLD_CLIENT | O_LOCAL, SENT(40) } },
	{ "server-no-shared-cipher", { SERVER, REASON(NO_SHARED_CIPHER), SENT(40) } },
	{ "server-no-shared-group", { SERVER, REASON(NO_SHARED_GROUP), SENT(40) } },
	{ "server-no-shared-group", { SERVER, REASON(NO_SHARED_GROUP) } },
	{ "server-no-shared-signature", { SERVER, REASON(NO_SHARED_SIGNATURE), SENT(40) } },
	{ "server-no-shared-cipher", { SERVER, .observed = O_HELLO | O_ERROR, SENT(40) } },
	{ "server-no-shared-cipher", { SERVER, .observed = O_HELLO | O_ERROR, SENT(71) } },
	{ "client-protocol-too-old",
	  { SERVER, .observed = O_HELLO | O_OLD_CLIENT | O_NARROW, REASON(NO_SHARED_SIGNATURE),
	    SENT(80) } },
	{ "server-protocol-too-old",
	  { SERVER, .observed = O_HELLO, REASON(NO_SHARED_SIGNATURE), SENT(80) } },
	{ "server-protocol-too-old",
	  { SERVER, .observed = O_HELLO | O_TLS13, REASON(UNSUPPORTED_VERSION), SENT(70) } },
	{ "server-internal-error",
	  { SERVER, .observed = O_HELLO | O_SERVER_HELLO, REASON(NO_SHARED_SIGNATURE), SENT(80) } },
	{ "server-rejects-sni",
	  { SERVER, .observed = O_SNI, REASON(NAME_CALLBACK_FAILED), SENT(112) } },
	{ "server-rejects-no-sni",
	  { SERVER, .observed = O_NO_SNI, REASON(NAME_CALLBACK_FAILED), SENT(112) } },
	{ "server-callback-failed",
	  { SERVER, .observed = O_OTHER_SENT, REASON(NAME_CALLBACK_FAILED), SENT(80) } },
	{ "server-protocol-too-old",
	  { SERVER, .observed = O_TLS13 | O_NARROW, REASON(UNSUPPORTED_VERSION), SENT(70) } },
	{ "proxy-header-missing", { SERVER, .observed = O_LOCAL | O_AWAITS_PROXY } },
	{ "proxy-header-missing", { SERVER, .observed = O_LOCAL | O_AWAITS_PROXY | O_HTTP } },
	{ "proxy-header-missing", { SERVER, .observed = O_LOCAL | O_HELLO_UNTAKEN } },
	{ "tls-to-plain-port", { SERVER, .observed = O_LOCAL, .context = C_HELLO_TO_PLAIN } },
	{ "plain-mail-to-tls", { SERVER, .observed = O_MAIL_COMMAND | O_NOT_TLS } },
	{ "client-cert-ocsp-refused",
	  { SERVER, .observed = O_CLIENT_REFUSED | O_BY_STATUS | O_DONE } },
	{ "server-alpn-mismatch", { SERVER, REASON(NO_APPLICATION_PROTOCOL), SENT(120) } },
	{ "inappropriate-fallback", { SERVER, REASON(FALLBACK_OR_DOWNGRADE), SENT(86) } },
	{ "server-certificate-callback-failed",
	  { SERVER, REASON(CERTIFICATE_CALLBACK_FAILED), SENT(80) } },
	{ "client-cert-missing", { SERVER, .observed = O_CLIENT_NO_CERT | O_DONE } },
	{ "client-cert-verify-failed", { SERVER, .observed = O_CLIENT_REFUSED, VERIFY(EXPIRED) } },
	{ "client-cert-missing",
	  { SERVER, .observed = O_LOCAL | O_CERT_REQUESTED | O_CERT_EMPTY } },
	{ "client-cert-verify-failed",
	  { SERVER, .observed = O_LOCAL | O_CERT_REQUESTED | O_CERT_SENT } },
	{ "client-broken-handshake", { SERVER, .observed = O_PEER_BROKE, SENT(50) } },
	{ "server-cert-unusable", { SERVER, REASON(OWN_CERTIFICATE_UNUSABLE) } },
	{ "server-cert-unusable", { SERVER, REASON(OWN_CERTIFICATE_WEAK) } },
	{ "local-tls-error", { SERVER, .observed = O_RAISED | O_ERROR } },
	{ "client-handshake-timeout", { SERVER, .observed = O_LOCAL | O_TIMER } },
	{ "client-handshake-timeout", { SERVER, .observed = O_LOCAL | O_TIMER | O_HELLO } },
	{ "client-protocol-too-old",
	  { SERVER, .observed = O_LOCAL | O_OLD_CLIENT, .context = C_NO_ANSWER } },
	{ "server-no-shared-cipher",
	  { SERVER, .observed = O_LOCAL | O_HELLO, .context = C_NO_ANSWER | C_FEW_SUITES } },
	{ "server-abort", { SERVER, .observed = O_LOCAL } },
	{ "local-process-exited", { SERVER, .observed = O_LOCAL | O_EXITING | O_TIMER } },
	{ "port-scan", { SERVER, .observed = O_PEER_FIN | O_RX_NONE } },
	{ "port-scan", { SERVER, .observed = O_PEER_RST } },
	{ "client-closed-in-handshake", { SERVER, .observed = O_HELLO | O_PEER_FIN } },
	{ "client-closed-in-handshake", { SERVER, .observed = O_HELLO | O_PEER_RST } },
	{ "unknown", { SERVER, .observed = O_LOCAL | O_ERROR } },
	{ "unknown", { SERVER, .observed = O_REFUSED | O_HOST_REFUSED | O_UNACKED | O_ERROR } },
	{ "unknown", { SERVER, VERIFY(EXPIRED) } },
	{ "unknown", { SERVER, REASON(LEGACY_RENEGOTIATION), SENT(70) } },
	{ "unknown", { SERVER } },
#undef SERVER

	{ "unknown", { 0 } },
	{ "unknown", { ALERT(200) } },
	{ "unknown", { REASON(UNLISTED) } },
	{ "unknown", { .observed = O_DONE | O_LOCAL, VERIFY(OTHER) } },
	{ "unknown", { .observed = O_PEER_FIN | O_PEER_RST | O_ERROR, REASON(NO_SHARED_GROUP) } },
#undef ALERT
#undef SENT
#undef VERIFY
#undef REASON
};

/* Words that make a connection easier to attack; whoever follows such a hint must have a reason. */
static const char *const weakening[] = {
	"proxy_ssl_verify off",
	"ssl_verify_client off",
	"SECLEVEL",
	"old version",
	"SSLv",
	"TLSv1;",
	"TLSv1.1",
	"UnsafeLegacy",
};

static void test_slugs(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const char *slug = cause_at(i)->slug;
		size_t len = strlen(slug);

		assert_in_range(len, 1, SLUG_MAX);
		assert_int_equal(strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-"), len);
		assert_true(slug[0] != '-' && slug[len - 1] != '-' && !strstr(slug, "--"));
		/* rows of one cause say the same of what to do */
		assert_string_equal(cause_find(slug)->hint, cause_at(i)->hint);
	}
	assert_null(cause_find(""));
	assert_null(cause_find("no-such-cause"));
	assert_null(cause_find("verify"));
}

/* What is only said where it is so: by the program's own words for a setting. */
static const char *const names_of_programs[] = {
	"nginx",     "proxy_ssl",  "grpc_",	   "ssl_",	"proxy_pass",
	"error.log", "error_page", "server block", "upstream ", "server_name ",
};

static bool word_exists(const char *word, size_t len)
{
	static const struct program_view none = { .executable = "" };
	char buf[512];
	struct text t;

	for (size_t i = 0; words_name(i); i++)
		if (strlen(words_name(i)) == len && !memcmp(words_name(i), word, len))
			return true;
	text_init(&t, buf, sizeof(buf));
	return program_add_word(&t, &none, word, len);
}

/* A sentence has words, and every brace that is opened is closed around one. */
static void assert_words(const char *words)
{
	assert_non_null(words);
	assert_true(strlen(words) > 0);
	assert_true(words[0] != ' ' && words[strlen(words) - 1] != ' ');
	assert_null(strstr(words, "  "));
	for (const char *at = strpbrk(words, "{}"); at; at = strpbrk(at + 1, "{}")) {
		size_t len;

		assert_int_equal(*at, '{');
		len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_:");
		assert_true(len > 0);
		if (!word_exists(at + 1, len))
			fail_msg("there is no {%.*s}", (int)len, at + 1);
		at += 1 + len;
		assert_int_equal(*at, '}');
	}
	for (size_t i = 0; i < ARRAY_LEN(names_of_programs); i++)
		if (strstr(words, names_of_programs[i]))
			fail_msg("\"%s\" is no neutral word: %s", names_of_programs[i], words);
}

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);

		assert_true(strlen(cause->evidence) > 0);
		assert_null(strpbrk(cause->evidence, "{}"));
		/* another library has other numbers */
		assert_null(strstr(cause->evidence, "OpenSSL reason"));
		assert_null(strstr(cause->evidence, "X509 verify code"));
		assert_words(cause->message);
		assert_words(cause->hint);
		assert_non_null(strstr(cause->message, "{peer}"));
		if (cause->with_cert)
			assert_words(cause->with_cert);
		if (cause->doubt)
			assert_words(cause->doubt);
		for (size_t n = 0; n < CAUSE_WORDINGS_MAX && cause->wordings[n].when; n++) {
			assert_words(cause->wordings[n].hint);
			if (cause->wordings[n].doubt)
				assert_words(cause->wordings[n].doubt);
		}
	}
}

/* A doubt, and other candidates, are shown only while confidence is not high. */
static void test_confidence(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);

		assert_in_range(cause->confidence, CONFIDENCE_LOW, CONFIDENCE_HIGH);
		if (cause->confidence != CONFIDENCE_HIGH || cause->medium_with)
			continue;
		assert_null(cause->doubt);
		assert_null(cause->candidates[0].slug);
		assert_int_equal(cause->high_if, 0);
	}
}

static void test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause_when *when = &cause_at(i)->when;

		assert_int_equal(when->all & when->none, 0);
		assert_int_equal(when->any & (when->all | when->none), 0);
		assert_int_equal(cause_at(i)->high_if & when->none, 0);
		for (size_t n = 0; n < CAUSE_NUMBERS_MAX; n++) {
			assert_in_range(when->alert[n], 0, UINT8_MAX);
			assert_in_range(when->alert_sent[n], 0, UINT8_MAX);
		}
	}
}

static void test_candidates(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);

		for (size_t n = 0; n < CAUSE_CANDIDATES_MAX && cause->candidates[n].slug; n++) {
			const char *slug = cause->candidates[n].slug;

			assert_string_not_equal(slug, cause->slug);
			if (!cause_find(slug))
				fail_msg("%s: no cause is named %s", cause->slug, slug);
			assert_int_equal(cause->candidates[n].all & cause->when.none, 0);
			for (size_t m = 0; m < n; m++)
				assert_string_not_equal(slug, cause->candidates[m].slug);
		}
	}
}

static void test_last_row_always_fits(void **state)
{
	static const struct cause_when anything = { .role = OF_EITHER };
	const struct cause *last = cause_at(cause_count() - 1);

	(void)state;
	assert_string_equal(last->slug, "unknown");
	assert_memory_equal(&last->when, &anything, sizeof(anything));
	assert_int_equal(last->confidence, CONFIDENCE_LOW);
}

/* No other row says "whatever it is": it would hide all below it. */
static void test_rows_ask_for_something(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count() - 1; i++) {
		const struct cause_when *w = &cause_at(i)->when;

		if (!w->all && !w->any && !w->with && !w->alert[0] && !w->alert_sent[0] &&
		    !w->reason[0] && !w->verify[0])
			fail_msg("%s fits everything", cause_at(i)->slug);
	}
}

static void test_fixtures_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		const struct cause *cause = diagnose_match(&fixtures[i].symptoms);

		if (strcmp(cause->slug, fixtures[i].slug) != 0)
			fail_msg("fixture %zu: %s, not %s", i, cause->slug, fixtures[i].slug);
	}
}

/* Whatever is observed, a row of the other role does not fit. */
static void test_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		struct symptoms symptoms = fixtures[i].symptoms;
		const struct cause *cause;

		for (int server = 0; server < 2; server++) {
			symptoms.server = server;
			cause = diagnose_match(&symptoms);
			assert_true(cause->when.role == OF_EITHER ||
				    cause->when.role == (server ? OF_SERVER : OF_CLIENT));
		}
	}
}

static void test_every_row_has_a_fixture(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		size_t n = 0;

		while (n < ARRAY_LEN(fixtures) &&
		       diagnose_match(&fixtures[n].symptoms) != cause_at(i))
			n++;
		if (n == ARRAY_LEN(fixtures))
			fail_msg("no fixture for %s, row %zu", cause_at(i)->slug, i);
	}
}

/* What must not be there keeps each row from matching, and its fixture is then another cause. */
static void test_exclusions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		const struct cause *cause = diagnose_match(&fixtures[i].symptoms);

		for (uint64_t bit = 1; bit; bit <<= 1) {
			struct symptoms symptoms = fixtures[i].symptoms;

			if (!(cause->when.none & bit))
				continue;
			symptoms.observed |= bit;
			assert_ptr_not_equal(diagnose_match(&symptoms), cause);
		}
		for (uint64_t bit = 1; bit; bit <<= 1) {
			struct symptoms symptoms = fixtures[i].symptoms;

			if (!(cause->when.without & bit))
				continue;
			symptoms.context |= bit;
			assert_ptr_not_equal(diagnose_match(&symptoms), cause);
		}
	}
}

/* And what must be there is needed: without it the row does not match. */
static void test_requirements(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		const struct cause *cause = diagnose_match(&fixtures[i].symptoms);

		for (uint64_t bit = 1; bit; bit <<= 1) {
			struct symptoms symptoms = fixtures[i].symptoms;

			if (!(cause->when.all & bit))
				continue;
			symptoms.observed &= ~bit;
			assert_ptr_not_equal(diagnose_match(&symptoms), cause);
		}
		for (uint64_t bit = 1; bit; bit <<= 1) {
			struct symptoms symptoms = fixtures[i].symptoms;

			if (!(cause->when.with & bit))
				continue;
			symptoms.context &= ~bit;
			assert_ptr_not_equal(diagnose_match(&symptoms), cause);
		}
	}
}

/* And at least one of those of which any will do. */
static void test_alternatives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		const struct cause *cause = diagnose_match(&fixtures[i].symptoms);
		struct symptoms symptoms = fixtures[i].symptoms;

		if (!cause->when.any)
			continue;
		symptoms.observed &= ~cause->when.any;
		assert_ptr_not_equal(diagnose_match(&symptoms), cause);
	}
}

/* Neither a number that is not known nor 0 is in any list. */
static void test_unknown_numbers_do_not_match(void **state)
{
	static const struct symptoms unknown[] = {
		{ .alert = 48 },
		{ .alert_sent = 47 },
		{ .has_alert = true },
		{ .has_alert_sent = true },
		{ .reason = TLS_REASON_UNLISTED },
		{ .verify = TLS_VERIFY_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		struct symptoms server = unknown[i];

		assert_string_equal(diagnose_match(&unknown[i])->slug, "unknown");
		server.server = true;
		assert_string_equal(diagnose_match(&server)->slug, "unknown");
	}
}

static void assert_safe(const char *slug, const char *words)
{
	static const struct program_view nginx = { .program = &program_nginx };
	char hint[FINDING_HINT_LEN];
	struct text t;

	text_init(&t, hint, sizeof(hint));
	program_add_words(&t, &nginx, words);
	for (size_t n = 0; n < ARRAY_LEN(weakening); n++) {
		const char *at = strstr(hint, weakening[n]), *only = strstr(hint, "only ");

		if (at && (!only || only > at))
			fail_msg("%s: \"%s\" without \"only\" before it", slug, weakening[n]);
	}
}

/* What weakens security is never the first thing to do. */
static void test_hints_are_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);

		assert_safe(cause->slug, cause->hint);
		for (size_t n = 0; n < CAUSE_WORDINGS_MAX && cause->wordings[n].when; n++)
			assert_safe(cause->slug, cause->wordings[n].hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slugs),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_confidence),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_last_row_always_fits),
		cmocka_unit_test(test_rows_ask_for_something),
		cmocka_unit_test(test_fixtures_match),
		cmocka_unit_test(test_every_row_has_a_fixture),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_exclusions),
		cmocka_unit_test(test_requirements),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_unknown_numbers_do_not_match),
		cmocka_unit_test(test_hints_are_safe),
	};

	return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
