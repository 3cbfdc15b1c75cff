// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes in which we are the server. {peer} is the client, {local} our address and port that it
 * came to.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
#include "tls/names.h"

#define CERTIFICATE_HINT                                                                           \
	"check {setting:certificate_file}: it must hold the whole chain, the server's own "        \
	"certificate first, be issued by a CA that the client trusts, not be expired, and be "     \
	"valid for that name"

#define VERSIONS_HINT                                                                              \
	"have both allow a version in common: compare {setting:server_versions} with what the "    \
	"client is told to offer"

#define CIPHERS_HINT                                                                               \
	"compare them with {setting:server_ciphers} and with the key type of "                     \
	"{setting:certificate} (RSA or ECDSA); {setting:second_certificate} can serve both kinds " \
	"of clients"

static const struct cause rows[] = {
	/* -- no TLS at all -- */
	{
		.slug = "https-proxy-request",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_PROXY_REQUEST },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are CONNECT (or error \"https proxy request\")",
		.message =
			"Client {peer} uses {local} as a proxy: it sent HTTP CONNECT to the TLS "
			"port.",
		.hint = "correct the client's proxy setting (https_proxy or similar); nothing "
			"needs to change on this host, unless it is meant to be a proxy",
	},
	{
		.slug = "proxy-protocol-to-https",
		.when = { .role = OF_SERVER, .all = O_PROXY_PROTOCOL },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are a PROXY protocol header",
		.message =
			"{peer} sent a PROXY protocol header to {local}, which expects TLS "
			"immediately.",
		.hint = "{setting:accept_proxy_protocol}, or turn it off in the load balancer",
	},
	{
		.slug = "plain-http-to-https",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_HTTP },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are an HTTP request (or error \"http request\")",
		.message = "Client {peer} sent plain HTTP ({first}) to the TLS port {local}.",
		.hint = "have the client use https://{setting:plain_clients}",
	},
	{
		.slug = "client-not-tls",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_NOT_TLS },
		.noise = true,
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"the client's first bytes are neither TLS nor HTTP (error \"wrong version number\")",
		.message = "Client {peer} does not speak TLS; it sent {first} to {local}.",
		.hint = "do nothing if it is a scanner, which is most likely",
	},

	/* -- what the client said -- */
	{
		.slug = "client-rejects-cert",
		.when = { .role = OF_SERVER,
			  .alert = { TLS_ALERT_BAD_CERTIFICATE, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
				     TLS_ALERT_CERTIFICATE_REVOKED, TLS_ALERT_CERTIFICATE_EXPIRED,
				     TLS_ALERT_CERTIFICATE_UNKNOWN, TLS_ALERT_UNKNOWN_CA } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 42, 43, 44, 45, 46 or 48 received",
		.message = "Client {peer} does not accept the certificate it got for {name} "
			   "(alert {alert}).",
		.hint = CERTIFICATE_HINT,
	},
	{
		.slug = "client-rejects-status",
		.when = { .role = OF_SERVER, .alert = { TLS_ALERT_CERTIFICATE_STATUS } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "fatal alert 113 received",
		.message = "Client {peer} does not accept the OCSP status of the certificate it got "
			   "for {name} (alert {alert}).",
		.hint = "check the OCSP answer that is stapled to {setting:certificate_file}: a "
			"certificate with must-staple needs one that is good and not out of date",
	},
	{
		.slug = "client-refuses-handshake",
		.when = { .role = OF_SERVER, .all = O_ALERT },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "another fatal alert received",
		.message = "Client {peer} ended the handshake for {name} (alert {alert}).",
		.doubt = "The alert says nothing more.",
		.hint = "check the client's own log; compare {setting:server_versions} and "
			"{setting:server_ciphers} with what it supports",
	},

	{
		.slug = "client-rejects-cert",
		.when = { .role = OF_SERVER,
			  .all = O_SERVER_HELLO,
			  .none = O_DONE | O_ERROR,
			  .with = C_ALERT_MUTE },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-refuses-handshake" } },
		.evidence = "after the ServerHello an alert received instead of the client's Finished, "
			    "which is encrypted or was not read; the TLS library's error is not known",
		.message = "Client {peer} ended the handshake for {name} by an alert, once it had the "
			   "server's answer.",
		.doubt = "What the alert says is encrypted, or was not read: most likely that the client "
			 "does not accept the certificate.",
		.hint = CERTIFICATE_HINT,
	},

	/* -- nothing in common -- */
	{
		.slug = "client-protocol-too-old",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"unsupported protocol\"; or alert 70 sent",
		.message = "Client {peer} offers {versions}, which this server does not allow.",
		.hint = VERSIONS_HINT,
		.wordings = {
			{ .with = C_ONLY_SSL,
			  .hint = "update the client, or leave it refused if it is a scanner: SSL "
				  "2.0 and 3.0 are broken, and no current TLS library supports "
				  "them" },
			{ .when = O_OLD_CLIENT,
			  .hint = "update the client; only as a last resort, and knowing the risk, "
				  "allow its version in {setting:server_versions}, and, if the TLS "
				  "library here refuses it even so, set its security level to 0" },
		},
	},
	{
		.slug = "server-no-shared-cipher",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_SHARED_CIPHER } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"no shared cipher\", alert 40 sent",
		.message = "Client {peer} offers no cipher suite that this server allows (it has "
			   "{ciphers}).",
		.hint = CIPHERS_HINT,
	},
	{
		.slug = "server-no-shared-group",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_SHARED_GROUP } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"no shared groups\" or \"no suitable key share\", alert 40 sent",
		.message =
			"Client {peer} offers no key exchange group that this server allows (it "
			"has {groups}).",
		.hint = "add one of them to {setting:server_groups}",
	},
	{
		.slug = "server-no-shared-signature",
		.when = { .role = OF_SERVER,
			  .alert_sent = { TLS_ALERT_HANDSHAKE_FAILURE },
			  .reason = { TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"no suitable signature algorithm\" or \"no shared signature "
"algorithms\", alert 40 sent",
		.message =
			"Client {peer} accepts no signature algorithm that the key of "
			"{setting:certificate} can use.",
		.hint = "add a certificate with another type of key{with:second_certificate}, RSA "
			"or ECDSA P-256; or update the client",
	},
	{
		.slug = "client-protocol-too-old",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .all = O_OLD_CLIENT,
			  .none = O_RAISED | O_SERVER_HELLO,
			  .alert_sent = { TLS_ALERT_HANDSHAKE_FAILURE,
					  TLS_ALERT_INSUFFICIENT_SECURITY } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-no-shared-cipher" } },
		.evidence = "alert 40 or 71 sent in clear to a client that has no version after "
			    "TLS 1.1, and the TLS library's error is not known",
		.message = "Client {peer} offers {versions}, and {program} has nothing in common "
			   "with it.",
		.doubt = "Most likely it does not allow that version; it may also be the cipher "
			 "suites.",
		.hint = VERSIONS_HINT,
	},
	{
		.slug = "server-no-shared-cipher",
		.when = { .role = OF_SERVER,
			  .none = O_RAISED | O_SERVER_HELLO,
			  .alert_sent = { TLS_ALERT_HANDSHAKE_FAILURE,
					  TLS_ALERT_INSUFFICIENT_SECURITY } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-no-shared-group" },
				{ .slug = "server-no-shared-signature" } },
		.evidence = "alert 40 or 71 sent in clear instead of a ServerHello, and the TLS "
			    "library's error is not known",
		.message = "Client {peer} and {program} have nothing in common. The client offers "
			   "these cipher suites: {ciphers}; and these groups: {groups}.",
		.doubt = "The alert does not say what is missing: a cipher suite, a group, or a "
			 "signature algorithm.",
		.hint = CIPHERS_HINT,
	},
	{
		.slug = "server-rejects-sni",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NAME_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"callback failed\"; or alert 112 sent in clear",
		.message = "Client {peer} asked for {name}, and {program} refuses to serve that "
			   "name.",
		.hint = "{setting:add_server_name}",
	},
	{
		.slug = "server-alpn-mismatch",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_APPLICATION_PROTOCOL } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"no application protocol\"; or alert 120 sent in clear",
		.message = "Client {peer} offers no application protocol that this server "
			   "supports: it offers {protocols} (ALPN).",
		.hint = "{setting:serve_protocol}",
	},
	{
		.slug = "inappropriate-fallback",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_FALLBACK_OR_DOWNGRADE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"inappropriate fallback\"; or alert 86 sent in clear",
		.message = "Client {peer} retried with an older TLS version ({versions}) after a "
			   "failure, and {library} refused it because this server supports a "
			   "newer one.",
		.hint = "find out why its first attempt failed: a middlebox, or an earlier "
			"failure on this host",
	},
	{
		.slug = "server-certificate-callback-failed",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_CERTIFICATE_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "error \"certificate callback error\", alert 80 sent",
		.message = "{program} could not load the certificate for {name} while client "
			   "{peer} waited.",
		.hint = "{setting:certificate_log}",
	},

	{
		.slug = "server-cert-unusable",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .reason = { TLS_REASON_OWN_CERTIFICATE_UNUSABLE,
				      TLS_REASON_OWN_CERTIFICATE_WEAK } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "an error about our own certificate (\"private key mismatch\", \"ee key too "
"small\" and the like)",
		.message = "{library} on this host cannot use the certificate for {name} with "
			   "client {peer} ({error}).",
		.hint = "check {setting:certificate_file}: its key must belong to it, and key and "
			"signatures must be strong enough for the security level of this host",
	},

	/* -- the client's certificate -- */
	{
		.slug = "client-cert-missing",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_CLIENT_NO_CERT },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"error \"peer did not return a certificate\"; or the session was discarded "
"after the handshake, "
			"and the client had sent no certificate",
		.message = "Client {peer} must present a certificate for {name} and sent none.",
		.hint = "give the client a certificate from {setting:client_cas}; "
			"{setting:verify_client} is what requires it",
	},
	{
		.slug = "client-cert-verify-failed",
		.when = { .role = OF_SERVER, .all = O_CLIENT_REFUSED },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"error \"certificate verify failed\"; or the session was discarded after "
"the handshake, "
			"and the client had sent a certificate; or the program asked for the "
			"verify code, which was not 0, and closed before the handshake was "
			"complete",
		.message = "This server refused the certificate of client {peer} ({verdict}).",
		.with_cert =
			"This server refused certificate {subject} of client {peer}, issued by "
			"{issuer} ({verdict}).",
		.hint = "{client_fix}",
	},

	{
		.slug = "client-cert-missing",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_CERT_EMPTY,
			  .none = O_DONE | O_ERROR | O_TIMER },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-abort" } },
		.evidence = "closed by this side with no error known, after the client had answered "
			    "the request for a certificate with none",
		.message = "{program} asked client {peer} for a certificate for {name}, got none, and "
			   "closed the connection.",
		.hint = "give the client a certificate from {setting:client_cas}; "
			"{setting:verify_client} is what requires it",
	},
	{
		.slug = "client-cert-verify-failed",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_CERT_SENT,
			  .none = O_DONE | O_ERROR | O_TIMER },
		.confidence = CONFIDENCE_LOW,
		.candidates = { { .slug = "server-abort" } },
		.evidence = "closed by this side with no error known, after the client had answered "
			    "the request for a certificate with one",
		.message = "{program} asked client {peer} for a certificate for {name}, got one, and "
			   "closed the connection.",
		.doubt = "Most likely it does not accept that certificate.",
		.hint = "{client_fix}",
	},

	/* -- other errors here -- */
	{
		.slug = "server-internal-error",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER, .alert_sent = { TLS_ALERT_INTERNAL_ERROR } },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-protocol-too-old" } },
		.evidence = "fatal alert 80 sent",
		.message = "{library} on this host had an internal error ({error}) in the "
			   "handshake with client {peer}, which offers {versions}.",
		.doubt = "It also reports this when its security level allows none of those "
			 "versions.",
		.hint = "check {setting:log} at that time; if the client is old, update it",
		.wordings = {
			{ .when = O_OLD_CLIENT,
			  .doubt = "Its security level allows none of those versions, which is "
				   "the most likely reason.",
			  .hint = "update the client; only as a last resort, and knowing that it "
				  "allows weak keys and signatures too: {setting:lower_security}" },
		},
	},
	{
		.slug = "client-broken-handshake",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .any = O_PEER_BROKE },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 10, 20, 47, 50 or 51 sent, or an error that says that a "
			    "message was malformed, unexpected, too long or contradictory",
		.message = "Client {peer} sent something that TLS does not allow at that "
			   "point{our_alert}.",
		.doubt = "The client is broken, something on the path is, or it is a scanner.",
		.hint = "if the client matters, update it; look for a middlebox on the path",
	},

	/* -- silent ends -- */
	{
		.slug = "client-handshake-timeout",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_LOCAL | O_TIMER, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_TIMER_REPEATED,
		.candidates = { { .slug = "server-abort" } },
		.close_kind = "timeout",
		.evidence = "closed by this side with nothing wrong so far, after a whole number "
			    "of seconds or after the same time as others",
		.message = "Client {peer} {stopped}; {program} gave up after {elapsed}.",
		.hint = "check the client and the network to it: a client that connects but "
			"cannot send anything may be behind a link with a broken MTU; the limit "
			"is {setting:client_timeout}",
	},
	/* Some libraries say nothing when there is nothing in common (lighttpd with GnuTLS). */
	{
		.slug = "client-protocol-too-old",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_OLD_CLIENT,
			  .none = O_DONE | O_ERROR | O_TIMER,
			  .with = C_NO_ANSWER },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-no-shared-cipher" }, { .slug = "server-abort" } },
		.evidence = "closed by this side without an answer to the ClientHello of a client that "
			    "has no version after TLS 1.1, and the TLS library's error is not known",
		.message = "Client {peer} offers {versions}, and {program} closed the connection without "
			   "an answer.",
		.doubt = "Most likely it does not allow that version.",
		.hint = VERSIONS_HINT,
	},
	{
		.slug = "server-no-shared-cipher",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_HELLO,
			  .none = O_DONE | O_ERROR | O_TIMER,
			  .with = C_NO_ANSWER | C_FEW_SUITES },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-abort" } },
		.evidence = "closed by this side without an answer to a ClientHello with few cipher suites "
			    "or signature schemes, and the TLS library's error is not known",
		.message = "Client {peer} offers few cipher suites ({ciphers}), and {program} closed the "
			   "connection without an answer.",
		.doubt = "Most likely it allows none of them, or its key fits none.",
		.hint = CIPHERS_HINT,
	},
	{
		.slug = "server-abort",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER, .all = O_LOCAL, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-protocol-too-old", .all = O_OLD_CLIENT },
				{ .slug = "client-handshake-timeout" } },
		.close_kind = "abort",
		.evidence = "closed by this side with nothing wrong so far, at a time that does "
			    "not look like a timer",
		.message =
			"{program} itself closed the connection of client {peer} after {elapsed}, "
			"{reached}.",
		.hint = "{setting:abort_log}",
	},
	{
		.slug = "port-scan",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .none = O_HELLO | O_DONE | O_ERROR | O_LOCAL,
			  .any = O_PEER_FIN | O_PEER_RST },
		.noise = true,
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client connected and went away before sending a ClientHello",
		.message = "Client {peer} connected to {local} and went away {progress}: a health "
			   "check, a scanner, or a browser's spare connection.",
		.hint = "do nothing; if it is a load balancer's health check, let it do a full "
			"TLS handshake, which checks more",
	},
	{
		.slug = "client-closed-in-handshake",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .none = O_DONE | O_ERROR | O_LOCAL,
			  .any = O_PEER_FIN | O_PEER_RST },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-rejects-cert", .all = O_SERVER_HELLO } },
		.evidence = "FIN or RST from the client, no alert, handshake not complete",
		.message = "Client {peer} went away during the handshake for {name}, {progress}.",
		.doubt = "It may have lost patience, or not liked what it got: some clients "
			 "refuse a certificate without sending an alert.",
		.hint = "check the client; if many do this, test {setting:certificate} with a "
			"client of that kind",
		.wordings = {
			{ .when = O_CERT_REQUESTED,
			  .doubt = "It was asked for a certificate: a browser goes away like this "
				   "when its user has none or does not choose one.",
			  .hint = "if the client has no certificate, give it one, or stop asking "
				  "for one ({setting:verify_client}); otherwise check the client" },
		},
	},
};

const struct cause_part causes_server = { rows, ARRAY_LEN(rows) };
