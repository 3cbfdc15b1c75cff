// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rule table. Order matters: certain and specific rows first, what a silent close leaves open
 * last. Words in braces are facts of the failure, see add_word() in explain.c.
 */
#include "diagnose/causes.h"

#include <string.h>

#include "tls/names.h"

/* Of both kinds of long ClientHello. */
#define UNANSWERED "{peer} did not answer a ClientHello of {length} bytes{bulk}; {end}."
/* clang-format off */
#define UNANSWERED_CANDIDATES                                                                      \
	{                                                                                          \
		{ "peer-reset-in-handshake", O_PEER_RST },                                         \
		{ "peer-closed-in-handshake", O_PEER_FIN },                                        \
		{ "handshake-blackholed", O_UNACKED },                                             \
		{ "handshake-timeout", O_LOCAL | O_TIMER },                                        \
		{ "sni-missing", O_NO_SNI },                                                       \
	}
/* clang-format on */
#define UNANSWERED_DOUBT                                                                           \
	"Some servers and middleboxes drop a hello that takes two packets; an ACL, an SNI filter " \
	"and a server that hangs look the same."

const char cause_note_resumed[] =
	" The session was resumed: this is the verify result of the handshake that began it, here or for "
	"another location with the same proxy_pass.";

const char cause_hint_resumed[] =
	"; if that is so here already, a location that shares the session is to blame: "
	"proxy_ssl_session_reuse off; in one of them keeps them apart";

const char cause_note_hidden[] =
	" An earlier session was offered and not resumed: until now resumption may have hidden this.";

const struct cause cause_table[] = {
	{
		.slug = "connection-refused",
		.when = { .all = O_REFUSED },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_PEER_DID_TLS,
		.evidence = "the SYN was answered by RST; no TLS was spoken",
		.message = "{peer} refused the TCP connection: nothing listens on that port.",
		.doubt = "No TLS was ever seen with this peer, so TLS may not be what it speaks.",
		.hint = "start the upstream, or correct the address or port in proxy_pass or "
			"upstream",
	},

	/* -- what we refused, after looking at the certificate -- */
	{
		.slug = "verify-expired",
		.when = { .verify = { 10 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 10, and the program asked for the result",
		.message = "A certificate that {peer} sent has expired (verify code 10).",
		.with_cert = "Certificate {subject} of {peer} ended {ended}.",
		.hint = "renew it on the upstream and reload it there",
	},
	{
		.slug = "verify-not-yet-valid",
		.when = { .verify = { 9 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 9, and the program asked for the result",
		.message = "A certificate that {peer} sent is not valid yet (verify code 9).",
		.with_cert = "Certificate {subject} of {peer} is valid only from {begins}.",
		.hint = "check the clocks of both hosts; if they are right, the upstream serves "
			"the wrong certificate",
	},
	{
		.slug = "verify-self-signed",
		.when = { .verify = { 18 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 18, and the program asked for the result",
		.message = "The certificate of {peer} is self-signed and not trusted here (verify "
			   "code 18).",
		.with_cert = "Certificate {subject} of {peer} is self-signed and not trusted here.",
		.hint = "add that certificate, or the CA that should have issued it, to the file "
			"of proxy_ssl_trusted_certificate",
	},
	{
		.slug = "verify-chain-incomplete",
		.when = { .all = O_ISSUER_MISSING, .verify = { 20, 21 } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { "verify-untrusted-issuer", 0 } },
		.evidence = "X509 verify code 20 or 21; several certificates came, without the "
			    "leaf's issuer",
		.message = "{peer} sent a chain that lacks the issuer of its certificate (verify "
			   "code {verify}).",
		.with_cert = "Certificate {subject} of {peer} was issued by {issuer}, which is "
			     "neither trusted here nor in the chain that it sent.",
		.hint = "have the upstream send its intermediate certificates after its own",
	},
	{
		.slug = "verify-untrusted-issuer",
		.when = { .verify = { 20, 21 } },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.evidence = "X509 verify code 20 or 21, and the program asked for the result",
		.message = "The issuer of the certificate of {peer} is not among the trusted CAs "
			   "(verify code {verify}).",
		.with_cert = "Certificate {subject} of {peer} was issued by {issuer}, which is not "
			     "trusted here.",
		.candidates = { { "verify-chain-incomplete", O_ONE_CERT },
				{ "verify-depth-exceeded", O_ISSUER_SENT } },
		.doubt = "If that is an intermediate CA, the upstream should send it.",
		.hint = "put the CA that issued it into the file of proxy_ssl_trusted_certificate; "
			"have the upstream send its whole chain",
	},
	{
		.slug = "verify-self-signed-in-chain",
		.when = { .verify = { 19 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 19, and the program asked for the result",
		.message = "The chain that {peer} sent ends in a root that is not trusted here "
			   "(verify code 19).",
		.with_cert =
			"The chain of certificate {subject} of {peer}, issued by {issuer}, ends "
			"in a root that is not trusted here (verify code 19).",
		.hint = "add that root to the file of proxy_ssl_trusted_certificate, if you mean "
			"to trust it",
	},
	{
		.slug = "verify-depth-exceeded",
		.when = { .verify = { 22 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 22, and the program asked for the result",
		.message = "The certificate chain of {peer} is longer than is allowed here (verify "
			   "code 22).",
		.with_cert = "The chain of certificate {subject} of {peer}, which sent {chain}, is "
			     "longer than is allowed here (verify code 22).",
		.hint = "raise proxy_ssl_verify_depth",
	},
	{
		.slug = "verify-revoked",
		.when = { .verify = { 23 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 23, and the program asked for the result",
		.message = "The certificate of {peer} is revoked (verify code 23).",
		.with_cert = "Certificate {subject} of {peer}, issued by {issuer}, is revoked "
			     "(verify code 23).",
		.hint = "have the upstream's certificate replaced; proxy_ssl_crl is what says that "
			"it is revoked",
	},
	{
		.slug = "verify-crl-missing",
		.when = { .verify = { 3, 12 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 3 or 12, and the program asked for the result",
		.message = "No current revocation list (CRL) of the issuer of {peer} is known here "
			   "(verify code {verify}).",
		.with_cert = "No current revocation list (CRL) for the chain of certificate "
			     "{subject} of {peer}, issued by {issuer}, is known here (verify code "
			     "{verify}).",
		.hint = "put a current CRL of each CA of the chain into the file of proxy_ssl_crl",
	},
	{
		.slug = "verify-purpose",
		.when = { .verify = { 26 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 26, and the program asked for the result",
		.message = "The certificate of {peer} is not meant for a TLS server (verify code "
			   "26).",
		.with_cert = "Certificate {subject} of {peer} is not meant for a TLS server "
			     "(verify code 26).",
		.hint = "have it reissued with extendedKeyUsage serverAuth",
	},
	{
		.slug = "weak-certificate",
		.when = { .verify = { 66, 67, 68 } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "X509 verify code 66, 67 or 68, and the program asked for the result",
		.message = "A key or signature in the chain of {peer} is too weak for this host's "
			   "OpenSSL (verify code {verify}).",
		.with_cert = "A key or signature in the chain of {peer} is too weak for this "
			     "host's OpenSSL (verify code {verify}); certificate {subject} has: "
			     "{key}.",
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
		.hint = "set proxy_ssl_name to a name in the certificate, or have it reissued with "
			"that name",
	},

	/* -- what the peer is not -- */
	{
		.slug = "peer-not-tls-http",
		.when = { .all = O_NOT_TLS | O_HTTP },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the first bytes received are HTTP or HTML (OpenSSL reason 267)",
		.message = "{peer} answered the ClientHello in plain HTTP.",
		.hint = "use proxy_pass http://, or the port on which the upstream speaks TLS",
	},
	{
		.slug = "peer-not-tls-other",
		.when = { .all = O_NOT_TLS },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the first bytes received are no TLS record (OpenSSL reason 267)",
		.message = "{peer} does not speak TLS; it answered {first}.",
		.hint = "correct the port; a service with STARTTLS needs another kind of proxy",
	},

	/* -- what the peer said -- */
	{
		.slug = "sni-unrecognized",
		.when = { .all = O_SNI, .alert = { TLS_ALERT_UNRECOGNIZED_NAME } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "server_name sent; fatal alert 112 received",
		.message = "{peer} does not serve the name {sni} that was asked for (SNI).",
		.hint = "set proxy_ssl_name to a name that the upstream serves",
	},
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI,
			  .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_UNRECOGNIZED_NAME, TLS_ALERT_HANDSHAKE_FAILURE,
				     TLS_ALERT_INTERNAL_ERROR } },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_UNRECOGNIZED,
		.candidates = { { "cipher-mismatch", 0 } },
		.evidence = "no server_name in the ClientHello; fatal alert 112, 40 or 80 as the "
			    "first answer",
		.message = "{peer} refused the ClientHello (alert {alert}), which named no server "
			   "(SNI).",
		.doubt = "Many servers answer so when they need the name.",
		.hint = "set proxy_ssl_server_name on;",
	},
	{
		.slug = "client-cert-required",
		.when = { .all = O_DONE,
			  .any = O_CERT_ALERT | O_CERT_EMPTY,
			  .alert = { TLS_ALERT_CERTIFICATE_REQUIRED, TLS_ALERT_BAD_CERTIFICATE,
				     TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_CERTIFICATE_UNKNOWN } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "TLS 1.3: the handshake was done, then fatal alert 116 received; or "
			    "alert 42, 40 or 46, and the lengths of the encrypted records say "
			    "that the request for a certificate was answered with none",
		.message = "{peer} requires a client certificate and got none.",
		.hint = "set proxy_ssl_certificate and proxy_ssl_certificate_key",
	},
	{
		.slug = "client-cert-required-legacy",
		.when = { .all = O_CERT_REQUESTED | O_CERT_EMPTY,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_BAD_CERTIFICATE,
				     TLS_ALERT_CERTIFICATE_REQUIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence =
			"TLS 1.2 or older: CertificateRequest received, empty Certificate sent, "
			"fatal alert 40 (or 42, 116) received",
		.message = "{peer} asked for a client certificate, got none, and refused (alert "
			   "{alert}).",
		.hint = "set proxy_ssl_certificate and proxy_ssl_certificate_key",
	},
	{
		.slug = "client-cert-untrusted",
		.when = { .alert = { TLS_ALERT_UNKNOWN_CA } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "fatal alert 48 received",
		.message = "{peer} does not trust the CA of our client certificate (alert 48).",
		.hint = "use a client certificate (proxy_ssl_certificate) from a CA that the "
			"upstream trusts, or add its CA there",
	},
	{
		.slug = "client-cert-expired",
		.when = { .alert = { TLS_ALERT_CERTIFICATE_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.resumption_hides = true,
		.evidence = "fatal alert 45 received",
		.message = "{peer} says that our client certificate has expired (alert 45).",
		.hint = "renew the file of proxy_ssl_certificate and reload nginx",
	},
	{
		.slug = "client-cert-rejected",
		.when = { .all = O_CERT_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { "client-cert-required", O_CERT_LACKED },
				{ "client-cert-untrusted", O_CERT_SENT | O_CERT_VAGUE },
				{ "client-cert-expired", O_CERT_SENT | O_CERT_VAGUE } },
		.evidence =
			"fatal alert 42, 43, 44 or 46 received, or 49 after a certificate was sent",
		.message = "{peer} refused our client certificate{or_none} (alert {alert}).",
		.doubt = "What the alert means depends on the server's implementation.",
		.hint = "check the certificate of proxy_ssl_certificate: key usage clientAuth, "
			"revocation, and the subject that the upstream expects",
	},
	{
		.slug = "alpn-mismatch",
		.when = { .alert = { TLS_ALERT_NO_APPLICATION_PROTOCOL } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 120 received",
		.message = "{peer} speaks none of the application protocols that were offered "
			   "(ALPN).",
		.hint = "compare what is proxied (HTTP/1.1, or h2 with grpc_pass) with what the "
			"upstream serves",
	},
	{
		.slug = "peer-access-denied",
		.when = { .alert = { TLS_ALERT_ACCESS_DENIED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 49 received",
		.message = "{peer} denies access to this client (alert 49).",
		.hint = "look at the upstream's access rules, also those for client certificates",
	},
	{
		.slug = "corrupt-record",
		.when = { .alert = { TLS_ALERT_BAD_RECORD_MAC } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 20 received",
		.message = "{peer} could not decrypt what we sent (alert 20).",
		.doubt = "Bytes were changed on the way, or one side has a bug.",
		.hint = "look for a middlebox or a broken NIC offload on the way; compare with a "
			"capture on the other side",
	},
	{
		.slug = "peer-internal-error",
		.when = { .alert = { TLS_ALERT_INTERNAL_ERROR } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "protocol-version-rejected", 0 } },
		.evidence = "fatal alert 80 received",
		.message = "{peer} had an internal error in the handshake (alert 80).",
		.doubt = "Some servers say so when they accept none of the offered TLS versions.",
		.hint = "look at the upstream's own log for that moment",
	},
	{
		.slug = "protocol-version-rejected",
		.when = { .alert = { TLS_ALERT_PROTOCOL_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 70 received",
		.message =
			"{peer} accepts none of the TLS versions that were offered ({versions}).",
		.hint = "widen proxy_ssl_protocols to a version that the upstream speaks",
	},
	{
		.slug = "protocol-version-too-old",
		.when = { .reason = { 258 } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 258, alert 70 sent",
		.message = "{peer} chose {version}, which is not allowed here (offered "
			   "{versions}).",
		.hint = "upgrade the upstream's TLS; only if that cannot be done, and knowingly, "
			"allow the old version in proxy_ssl_protocols",
	},
	{
		.slug = "no-protocols-available",
		.when = { .reason = { 191 } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 191, no ClientHello sent",
		.message = "No ClientHello was sent to {peer}: the configuration leaves no TLS "
			   "version to offer.",
		.hint = "widen proxy_ssl_protocols, or the system's MinProtocol in openssl.cnf",
	},
	{
		.slug = "dh-key-too-small",
		.when = { .reason = { 394 } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 394",
		.message = "{peer} chose a Diffie-Hellman key that is too small for this host's "
			   "OpenSSL.",
		.hint = "have the upstream use ECDHE, or a DH group of 2048 bits; only if that "
			"cannot be done, and knowingly, exclude DHE in proxy_ssl_ciphers",
	},
	{
		.slug = "legacy-renegotiation",
		.when = { .reason = { 338 } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 338",
		.message = "{peer} does not support secure renegotiation (RFC 5746).",
		.hint = "upgrade the upstream's TLS; only if that cannot be done, and knowingly: "
			"proxy_ssl_conf_command Options UnsafeLegacyServerConnect;",
	},
	{
		.slug = "legacy-signature",
		.when = { .reason = { 333, 118, 376 } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 333, 118 or 376",
		.message = "{peer} signs with an algorithm that this host's OpenSSL does not "
			   "accept.",
		.hint = "upgrade the upstream's TLS and certificate to SHA-256 or better",
	},
	{
		.slug = "peer-broken-answer",
		.when = { .alert_sent = { TLS_ALERT_UNEXPECTED_MESSAGE, TLS_ALERT_ILLEGAL_PARAMETER,
					  TLS_ALERT_DECODE_ERROR, TLS_ALERT_DECRYPT_ERROR } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 10, 47, 50 or 51 sent",
		.message = "{peer} answered with {answer} TLS does not allow here (alert {alert} "
			   "sent).",
		.doubt = "The peer is broken, or something on the way is.",
		.hint = "update the upstream's TLS; look for a middlebox that changes handshakes",
	},
	{
		.slug = "group-mismatch",
		.when = { .any = O_RETRY | O_ILLEGAL,
			  .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE, TLS_ALERT_ILLEGAL_PARAMETER } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "cipher-mismatch", 0 } },
		.evidence = "fatal alert 40 or 47 after a HelloRetryRequest, or 47 as the first "
			    "answer",
		.message = "{peer} refused the ClientHello{after_retry} (alert {alert}), most "
			   "likely for its groups; offered were {groups}.",
		.doubt = "The alert does not say that.",
		.hint = "compare the groups (curves) that the upstream accepts with those that are "
			"offered, which proxy_ssl_conf_command Groups sets",
	},
	{
		.slug = "cipher-mismatch",
		.when = { .none = O_SERVER_HELLO | O_DONE,
			  .alert = { TLS_ALERT_HANDSHAKE_FAILURE } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "sni-missing", O_NO_SNI },
				{ "protocol-version-rejected", O_NARROW },
				{ "group-mismatch", O_TLS13 } },
		.evidence = "fatal alert 40 as the first answer",
		.message = "{peer} refused the ClientHello (alert 40): no cipher suite, group or "
			   "signature algorithm in common. Offered were {ciphers} and the groups "
			   "{groups}.",
		.doubt = "The alert does not say which.",
		.hint = "compare proxy_ssl_ciphers and proxy_ssl_protocols with what the upstream "
			"accepts",
	},

	/* -- silent ends, after the handshake -- */
	{
		.slug = "prematurely-closed-after-handshake",
		.when = { .all = O_DONE, .none = O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "client-cert-required", O_CERT_LACKED | O_NO_SUCCESS },
				{ "client-cert-untrusted", O_CERT_SENT | O_NO_SUCCESS },
				{ "client-cert-rejected", O_CERT_SENT | O_NO_SUCCESS } },
		.evidence =
			"handshake done, then FIN after the request, or RST, and no application data",
		.message =
			"{peer} completed the handshake and then closed the connection without an "
			"answer.",
		.doubt = "A crashed or overloaded application does this{silent_refusal}.",
		.hint = "look at the upstream's own log for that moment",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a silent refusal of the client "
				   "certificate, or an application that cannot work at all.",
			  .hint = "look at the upstream's own log; check whether it wants a "
				   "client certificate (proxy_ssl_certificate)" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: an application that crashes or is overloaded, "
				   "or one request that it cannot bear.",
			  .hint = "look at the upstream's own log for that moment, and at its "
				   "load" },
		},
	},

	/* -- silent ends, before it was done -- */
	{
		.slug = "pqc-hello-intolerant",
		.when = { .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE,
			  .any = O_PEER_FIN | O_PEER_RST | O_UNACKED | O_TIMER,
			  .none = O_DONE | O_ERROR | O_HELLO_UNREAD | O_EXITING | O_PEER_DID_TLS },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = UNANSWERED_CANDIDATES,
		.close_kind = "timeout",
		.evidence =
			"ClientHello of more than 1,400 bytes with a key share of a post-quantum "
			"group, then silence, FIN or RST, and nothing received; this peer has "
			"not done TLS before",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to find out, and until what drops it is updated, offer this upstream no "
			"post-quantum group: proxy_ssl_conf_command Groups X25519:P-256:P-384;",
	},
	{
		.slug = "large-hello-intolerant",
		.when = { .all = O_LARGE | O_RX_NONE,
			  .any = O_PEER_FIN | O_PEER_RST | O_UNACKED | O_TIMER,
			  .none = O_DONE | O_ERROR | O_HELLO_UNREAD | O_EXITING | O_POST_QUANTUM },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = UNANSWERED_CANDIDATES,
		.close_kind = "timeout",
		.evidence =
			"ClientHello of more than 1,400 bytes without a post-quantum group, then "
			"silence, FIN or RST, and nothing received",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to find out, and until what drops it is updated, make the hello shorter: "
			"{shorten}",
	},
	{
		.slug = "peer-closed-before-hello",
		.when = { .all = O_HELLO_UNREAD, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_TLS | O_PEER_DID_TLS,
		.evidence = "FIN before the ClientHello was sent, or FIN and then RST for it",
		.message = "{peer} accepted the connection and closed it before it read the "
			   "ClientHello.",
		.doubt = "No TLS was ever seen with this peer, so TLS may not be what it speaks.",
		.hint = "look at the upstream: crashed worker, connection limit, ACL, or a load "
			"balancer without a backend",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time, and no TLS was ever seen with this "
				   "peer, so TLS may not be what it speaks.",
			  .hint = "look at the upstream: an ACL that leaves this host out, the "
				   "wrong port, a load balancer without a backend" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: a connection limit, or workers that crash.",
			  .hint = "look at the upstream: connection limit, crashed workers, a "
				   "pool of which some members are gone" },
		},
	},
	{
		.slug = "peer-closed-mid-handshake",
		.when = { .any = O_SERVER_HELLO | O_RETRY, .none = O_DONE | O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "client-cert-required-legacy", O_CERT_EMPTY },
				{ "client-cert-untrusted", O_CERT_SENT },
				{ "client-cert-rejected", O_CERT_SENT },
				{ "group-mismatch", O_RETRY } },
		.evidence = "FIN or RST after the ServerHello, or after a HelloRetryRequest",
		.message = "{peer} began the handshake and closed in its middle, without an alert.",
		.doubt = "It may have died, or refused without saying so.",
		.hint = "look at the upstream's own log; a client certificate that it wants is one "
			"reason",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a refusal without a word, rather than a "
				   "crash.",
			  .hint = "look at the upstream's own log; a client certificate that it "
				   "wants is one reason" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: it may have died, or was overloaded.",
			  .hint = "look at the upstream's own log for that moment, and at its "
				   "load" },
		},
	},
	{
		.slug = "peer-reset-in-handshake",
		.when = { .all = O_PEER_RST, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "sni-missing", O_NO_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ "sni-unrecognized", O_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ "protocol-version-rejected",
				  O_NARROW | O_RX_NONE | O_NO_SUCCESS },
				{ "pqc-hello-intolerant", O_LARGE | O_POST_QUANTUM | O_RX_NONE } },
		.evidence = "RST, no alert, handshake not done",
		.message = "{peer} reset the connection in the handshake, without an alert.",
		.doubt = "The upstream crashed, or a firewall or an SNI filter cut the connection.",
		.hint = "look at the upstream's log and at firewalls on the way",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a firewall, an ACL, an SNI filter, or "
				   "the wrong port.",
			  .hint = "look at firewalls on the way, at the upstream's ACL and at "
				   "the port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the upstream crashes or is overloaded, or a "
				   "pool has members that are gone.",
			  .hint = "look at the upstream's log and load for that moment" },
		},
	},
	{
		.slug = "peer-closed-in-handshake",
		.when = { .all = O_PEER_FIN, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "sni-missing", O_NO_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ "sni-unrecognized", O_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ "protocol-version-rejected",
				  O_NARROW | O_RX_NONE | O_NO_SUCCESS },
				{ "pqc-hello-intolerant", O_LARGE | O_POST_QUANTUM | O_RX_NONE } },
		.evidence = "FIN, no alert, handshake not done",
		.message =
			"{peer} read the ClientHello and closed the connection without an answer.",
		.doubt =
			"An ACL, an SNI filter, a wrong port and an overloaded server all look so.",
		.hint = "look at the upstream's own log for that moment",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: an ACL, an SNI filter, or the wrong "
				   "port.",
			  .hint = "look at the upstream's ACL, at the names that it serves (SNI) "
				   "and at the port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the upstream crashes or is overloaded, or a "
				   "pool has members that are gone.",
			  .hint = "look at the upstream's own log and load for that moment" },
		},
	},

	/* -- we gave up -- */
	{
		.slug = "local-process-exited",
		.when = { .role = OF_EITHER, .all = O_LOCAL | O_EXITING, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_HIGH,
		.close_kind = "abort",
		.evidence = "closed by the exit of the process, nothing wrong with TLS so far",
		.message = "The process here ended after {elapsed} of the handshake with {peer}.",
		.hint = "look in error.log for \"worker process ... exited on signal\", and for a "
			"shutdown or reload at that moment",
	},
	{
		.slug = "handshake-blackholed",
		.when = { .all = O_LOCAL | O_UNACKED | O_RX_NONE, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_HIGH,
		.close_kind = "timeout",
		.evidence = "ClientHello retransmitted, never acknowledged by the peer's kernel",
		.message =
			"The ClientHello to {peer} was sent again and again and never acknowledged, "
			"although TCP had connected; nginx gave up after {elapsed}.",
		.hint = "look for what drops it on the way: a firewall that reads the SNI, the MTU of "
			"a tunnel, asymmetric routing",
	},
	{
		.slug = "handshake-timeout",
		.when = { .all = O_LOCAL | O_TIMER, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_TIMER_REPEATED,
		.candidates = { { "local-abort", 0 },
				{ "pqc-hello-intolerant", O_LARGE | O_POST_QUANTUM | O_RX_NONE } },
		.close_kind = "timeout",
		.evidence = "closed here, nothing wrong so far, after a whole number of seconds or "
			    "after the same time as others",
		.message = "{peer} did not finish the handshake; nginx gave up after {elapsed}.",
		.hint = "find out what the upstream waits for; proxy_connect_timeout covers the "
			"TCP connect and the TLS handshake together",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = NULL,
			  .hint = "nothing came within the time, again and again: find out what "
				   "the upstream waits for; proxy_connect_timeout covers the TCP "
				   "connect and the TLS handshake together" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: an upstream, or a path to it, that is slow at "
				   "times.",
			  .hint = "look at the upstream's load for that moment; "
				   "proxy_connect_timeout covers the TCP connect and the TLS "
				   "handshake together" },
		},
	},
	{
		.slug = "local-abort",
		.when = { .all = O_LOCAL, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { "handshake-timeout", 0 } },
		.close_kind = "abort",
		.evidence = "closed here, nothing wrong so far, at no time that looks like a timer",
		.message =
			"nginx itself ended the handshake with {peer} after {elapsed}, most likely "
			"because the client went away.",
		.hint = "none is needed for a client that went away; if many do, the upstream is "
			"slow to answer",
	},

/* -- we are the server -- */
#include "diagnose/causes_server.h"

	{
		.slug = "unknown",
		.when = { .role = OF_EITHER },
		.confidence = CONFIDENCE_LOW,
		.evidence = "none of the above; the raw evidence is shown",
		.message = "The handshake with {peer} failed in a way that no rule knows: {raw}.",
		.hint = "see the evidence (-v, or tlsfail.evidence in JSON) and report it",
	},
};
const size_t cause_table_len = sizeof(cause_table) / sizeof(cause_table[0]);

const struct cause *cause_find(const char *slug)
{
	for (size_t i = 0; i < cause_table_len; i++)
		if (!strcmp(cause_table[i].slug, slug))
			return &cause_table[i];
	return NULL;
}
