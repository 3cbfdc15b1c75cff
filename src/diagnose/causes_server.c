// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes in which we are the server. {peer} is the client, {local} our address and port that it
 * came to.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
#include "tls/names.h"

static const struct cause rows[] = {
	/* -- no TLS at all -- */
	{
		.slug = "https-proxy-request",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_PROXY_REQUEST },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are CONNECT (or OpenSSL reason 155)",
		.message =
			"Client {peer} takes {local} for a proxy: it sent HTTP CONNECT to the TLS "
			"port.",
		.hint = "nothing here, unless this is meant to be a proxy: correct the client's "
			"proxy setting (https_proxy and the like)",
	},
	{
		.slug = "proxy-protocol-to-https",
		.when = { .role = OF_SERVER, .all = O_PROXY_PROTOCOL },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are a header of the PROXY protocol",
		.message =
			"{peer} sent a header of the PROXY protocol to {local}, which expects TLS "
			"at once.",
		.hint = "{setting:accept_proxy_protocol}, or turn it off in the load balancer",
	},
	{
		.slug = "plain-http-to-https",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_HTTP },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are an HTTP request (or OpenSSL reason 156)",
		.message = "Client {peer} sent plain HTTP ({first}) to the TLS port {local}.",
		.hint = "have it use https://{setting:plain_clients}",
	},
	{
		.slug = "client-not-tls",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_NOT_TLS },
		.noise = true,
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"the client's first bytes are neither TLS nor HTTP (OpenSSL reason 267)",
		.message = "Client {peer} does not speak TLS; it sent {first} to {local}.",
		.hint = "none is needed for a scanner, which this most likely is",
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
		.message = "Client {peer} does not accept the certificate that it got for {name} "
			   "(alert {alert}).",
		.hint = "check {setting:certificate_file}: the whole chain, own certificate first, "
			"from a CA that the client knows, not expired, and valid for that name",
	},
	{
		.slug = "client-refuses-handshake",
		.when = { .role = OF_SERVER, .all = O_ALERT },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "another fatal alert received",
		.message = "Client {peer} ended the handshake for {name} (alert {alert}).",
		.doubt = "The alert says no more.",
		.hint = "look at the client's own log; compare {setting:server_versions} and "
			"{setting:server_ciphers} with what it can",
	},

	/* -- nothing in common -- */
	{
		.slug = "client-protocol-too-old",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 258, alert 70 sent",
		.message = "Client {peer} offers {versions}, of which none is allowed "
			   "here{with:server_versions}.",
		.hint = "update the client; only if that cannot be done, and knowingly, allow its "
			"version in {setting:server_versions}",
		.wordings = {
			{ .with = C_ONLY_SSL,
			  .hint = "update the client, or leave it refused if it is a scanner: SSL "
				  "2.0 and 3.0 are broken, and no TLS library of today has them" },
		},
	},
	{
		.slug = "server-no-shared-cipher",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_SHARED_CIPHER } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 193, alert 40 sent",
		.message = "Client {peer} offers no cipher suite that is allowed here (it has "
			   "{ciphers}).",
		.hint = "compare that with {setting:server_ciphers}, and with the kind of key of "
			"{setting:certificate} (RSA or ECDSA); {setting:second_certificate} can "
			"serve both",
	},
	{
		.slug = "server-no-shared-group",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_SHARED_GROUP } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 410 or 101, alert 40 sent",
		.message =
			"Client {peer} offers no group for the key exchange that is allowed here "
			"(it has {groups}).",
		.hint = "add one of them to {setting:server_groups}",
	},
	{
		.slug = "server-no-shared-signature",
		.when = { .role = OF_SERVER,
			  .alert_sent = { TLS_ALERT_HANDSHAKE_FAILURE },
			  .reason = { TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 118 or 376, alert 40 sent",
		.message =
			"Client {peer} accepts no signature that the key of {setting:certificate} "
			"can make.",
		.hint = "add a certificate with another kind of key{with:second_certificate}, RSA "
			"or ECDSA P-256; or update the client",
	},
	{
		.slug = "server-rejects-sni",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NAME_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 234, alert 112 sent",
		.message = "Client {peer} wants {name}, and {program} refuses to serve that name.",
		.hint = "{setting:add_server_name}",
	},
	{
		.slug = "server-alpn-mismatch",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_NO_APPLICATION_PROTOCOL } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 235, alert 120 sent",
		.message = "Client {peer} speaks none of the application protocols that are served "
			   "here: it offers {protocols} (ALPN).",
		.hint = "{setting:serve_protocol}",
	},
	{
		.slug = "inappropriate-fallback",
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_FALLBACK_OR_DOWNGRADE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 373, alert 86 sent",
		.message = "Client {peer} came back with an older version ({versions}) after a "
			   "failure, and was refused: a newer one is served here.",
		.hint = "look for what made its first attempt fail: a middlebox, or a failure here "
			"before this one",
	},
	{
		.slug = "server-certificate-callback-failed",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER, .reason = { TLS_REASON_CERTIFICATE_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 377, alert 80 sent",
		.message = "The certificate for {name} could not be loaded while client {peer} "
			   "waited.",
		.hint = "{setting:certificate_log}",
	},

	{
		.slug = "server-cert-unusable",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .reason = { TLS_REASON_OWN_CERTIFICATE_UNUSABLE,
				      TLS_REASON_OWN_CERTIFICATE_WEAK } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "OpenSSL reason 177, 179, 190, 221, 288, 397 to 399 and the like",
		.message = "The certificate for {name} cannot be used here with client {peer} "
			   "({error}).",
		.hint = "check {setting:certificate_file}: does its key belong to it, and are key "
			"and signatures strong enough for the security level here?",
	},

	/* -- the client's certificate -- */
	{
		.slug = "client-cert-missing",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_CLIENT_NO_CERT },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"OpenSSL reason 199; or the handshake was done, then the session thrown "
			"away, and the client had sent no certificate",
		.message = "Client {peer} has to show a certificate for {name} and has none.",
		.hint = "give it one from {setting:client_cas}; {setting:verify_client} is what "
			"asks for it",
	},
	{
		.slug = "client-cert-verify-failed",
		.when = { .role = OF_SERVER, .all = O_CLIENT_REFUSED },
		.confidence = CONFIDENCE_HIGH,
		.evidence =
			"OpenSSL reason 134; or the handshake was done, then the session thrown "
			"away, and the client had sent a certificate; or the program asked for the "
			"verify code, which was not 0, and closed before the handshake was over",
		.message = "The certificate of client {peer} is refused here ({verdict}).",
		.with_cert =
			"Certificate {subject} of client {peer}, issued by {issuer}, is refused "
			"here ({verdict}).",
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
		.message = "{library} here had an internal error ({error}) in the handshake with "
			   "client {peer}, which offers {versions}.",
		.doubt = "It does so too when its security level allows none of those versions.",
		.hint = "look in {setting:log} for that moment; if the client is an old one, "
			"update it",
		.wordings = {
			{ .when = O_OLD_CLIENT,
			  .doubt = "Its security level allows none of those versions, which is the "
				   "likeliest reason.",
			  .hint = "update the client; only if that cannot be done, and knowingly, "
				  "as it allows weak keys and signatures too: "
				  "{setting:lower_security}" },
		},
	},
	{
		.slug = "client-broken-handshake",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .any = O_PEER_BROKE },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "fatal alert 10, 20, 47, 50 or 51 sent, or an error that says that a "
			    "message was malformed, unexpected, too long or contradictory",
		.message = "Client {peer} sent something that TLS does not allow there{our_alert}.",
		.doubt = "The client is broken, or something on the way, or it is a scanner.",
		.hint = "if it is a client that matters, update it; look for a middlebox on the "
			"way",
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
		.evidence = "closed here, nothing wrong so far, after a whole number of seconds or "
			    "after the same time as others",
		.message = "Client {peer} {stopped}; {program} gave up after {elapsed}.",
		.hint = "{setting:client_timeout} is what ended it; a client that connects and "
			"cannot say a word may be behind a broken MTU",
	},
	{
		.slug = "server-abort",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER, .all = O_LOCAL, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-handshake-timeout" } },
		.close_kind = "abort",
		.evidence = "closed here, nothing wrong so far, at no time that looks like a timer",
		.message =
			"{program} itself closed the connection of client {peer} {progress}, after "
			"{elapsed}.",
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
		.evidence = "the client connected and went away before it had sent a ClientHello",
		.message = "Client {peer} connected to {local} and went away {progress}: a health "
			   "check, a scanner, or a browser's spare connection.",
		.hint = "none is needed; have the health check of a load balancer do a handshake, "
			"and it tells more",
	},
	{
		.slug = "client-closed-in-handshake",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .none = O_DONE | O_ERROR | O_LOCAL,
			  .any = O_PEER_FIN | O_PEER_RST },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-rejects-cert", .all = O_SERVER_HELLO } },
		.evidence = "FIN or RST of the client, no alert, handshake not done",
		.message = "Client {peer} went away in the handshake for {name}, {progress}.",
		.doubt = "It may have lost patience, or not liked what it got: some clients refuse "
			 "a certificate without a word.",
		.hint = "look at the client; if many do so, test {setting:certificate} with a "
			"client of that kind",
		.wordings = {
			{ .when = O_CERT_REQUESTED,
			  .doubt = "It was asked for a certificate: a browser whose user has none, "
				   "or does not choose one, goes away like this.",
			  .hint = "if the client has no certificate, give it one, or do not ask "
				   "for it ({setting:verify_client}); else look at the client" },
		},
	},
};

const struct cause_part causes_server = { rows, ARRAY_LEN(rows) };
