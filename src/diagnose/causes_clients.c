// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes in which we are the server and turn a client away for what it says first, or does not say.
 * They are more special than those of causes_server.c.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
#include "tls/names.h"

#define SERVER_UPDATE_HINT                                                                         \
	"allow TLS 1.3 in {setting:server_versions}; if the TLS library on this host does not "    \
	"support it, update the library (TLS 1.3 needs OpenSSL 1.1.1 or later)"

static const struct cause rows[] = {
	/* -- before TLS -- */
	{
		.slug = "proxy-header-missing",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_AWAITS_PROXY,
			  .none = O_TLS | O_DONE | O_PROXY_PROTOCOL | O_TIMER },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_HELLO | O_HELLO_UNTAKEN | O_HTTP,
		.candidates = { { .slug = "server-abort" } },
		.close_kind = "abort",
		.evidence = "closed by this side before a handshake began, on a listener "
			    "configured to expect a PROXY protocol header first; the bytes "
			    "received do not begin with one",
		.message = "Client {peer} connected to {local} without sending the PROXY protocol "
			   "header that must precede TLS there.",
		.doubt = "What the client sent was not read, so this is inferred from the "
			 "configuration.",
		.hint = "have the client connect through the load balancer, or make the load "
			"balancer send the header{with:expect_no_proxy_protocol}",
	},
	{
		.slug = "proxy-header-missing",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_HELLO_UNTAKEN,
			  .none = O_TLS | O_DONE | O_TIMER },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-abort" } },
		.close_kind = "abort",
		.evidence = "closed by this side before a handshake began; it had looked at "
			    "the first bytes, which begin a ClientHello, and not read them",
		.message = "{program} closed the connection of client {peer} to {local} after a "
			   "look at the beginning of its ClientHello, without a handshake.",
		.doubt = "A server that expects a PROXY protocol header first does this.",
		.hint = "have the client connect through the load balancer, or make the load "
			"balancer send the header{with:expect_no_proxy_protocol}",
	},
	{
		.slug = "tls-to-plain-port",
		.when = { .role = OF_SERVER, .with = C_HELLO_TO_PLAIN, .none = O_DONE },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are a ClientHello, and this side answered "
			    "in plain HTTP",
		.message = "Client {peer} began a TLS handshake with {local}, where {program} "
			   "speaks no TLS: it answered in plain HTTP.",
		.hint = "turn TLS on for that port if it is meant to speak it; otherwise correct "
			"the client's port, or do nothing if it is a scanner",
	},
	{
		.slug = "plain-mail-to-tls",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_MAIL_COMMAND, .none = O_HELLO },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are an SMTP, IMAP or POP3 command, on a "
			    "mail port",
		.message = "Client {peer} started in plain text ({first}) on {local}, where TLS "
			   "must start immediately.",
		.hint = "set the client to \"SSL/TLS\" instead of \"STARTTLS\" for that port, or "
			"point it at the STARTTLS port",
	},

	/* -- versions -- */
	{
		.slug = "server-protocol-too-old",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_TLS13 | O_NARROW,
			  .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "unsupported version, alert 70 sent; the client offers only TLS 1.3",
		.message = "Client {peer} offers only {versions}, which this server does not have "
			   "or does not allow: it is the server that is out of date, not the "
			   "client.",
		.hint = SERVER_UPDATE_HINT,
	},

	{
		.slug = "server-protocol-too-old",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_TLS13,
			  .none = O_NARROW,
			  .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "unsupported version, alert 70 sent; the client offers TLS 1.3 and "
			    "older versions",
		.message = "Client {peer} offers {versions}, and this server allows none of them: "
			   "its settings exclude them, not the client's.",
		.hint = SERVER_UPDATE_HINT,
		.wordings = { { .when = O_TLS13,
				.doubt = "Without a certificate a server has no TLS 1.3, whatever "
					 "it allows.",
				.hint = "allow TLS 1.2 and TLS 1.3 in {setting:server_versions}, "
					"and check that the server has a certificate" } },
	},
	/* tls_choose_sigalg() of OpenSSL raises it with that alert only where it has chosen a version before
	 * TLS 1.2. */
	{
		.slug = "client-protocol-too-old",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER,
			  .all = O_OLD_CLIENT,
			  .none = O_SERVER_HELLO,
			  .alert_sent = { TLS_ALERT_INTERNAL_ERROR },
			  .reason = { TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "nothing newer than TLS 1.1 was offered; error \"no suitable signature "
			    "algorithm\", alert 80 sent",
		.message =
			"Client {peer} offers {versions}. Before TLS 1.2 handshakes are signed "
			"with MD5 and SHA-1, which the security level of {library} on this host, "
			"or its FIPS mode, does not accept.",
		.hint = "have both allow a version in common: compare {setting:server_versions} "
			"with what the client is told to offer",
		.wordings = { { .when = O_OLD_CLIENT,
				.hint = "update the client; only as a last resort, and knowing that "
					"it allows weak keys and signatures too: "
					"{setting:lower_security}" } },
	},
	{
		.slug = "server-protocol-too-old",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_HELLO,
			  .none = O_OLD_CLIENT | O_SERVER_HELLO,
			  .alert_sent = { TLS_ALERT_INTERNAL_ERROR },
			  .reason = { TLS_REASON_NO_SHARED_SIGNATURE } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "TLS 1.2 or newer was offered; error \"no suitable signature "
			    "algorithm\", alert 80 sent, as for an older version",
		.message =
			"Client {peer} offers {versions}, but this server allows nothing newer "
			"than TLS 1.1, whose signatures with MD5 and SHA-1 the security level of "
			"{library} on this host, or its FIPS mode, does not accept.",
		.hint = SERVER_UPDATE_HINT,
		.wordings = { { .when = O_HELLO,
				.hint = "allow TLS 1.2 and TLS 1.3 in {setting:server_versions}" } },
	},

	/* -- names -- */
	{
		.slug = "server-rejects-no-sni",
		.when = { .role = OF_SERVER,
			  .all = O_NO_SNI,
			  .none = O_OTHER_SENT,
			  .reason = { TLS_REASON_NAME_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "a callback refused the handshake with alert 112, and the ClientHello "
			    "had no server_name extension",
		.message = "Client {peer} sent no server name (SNI), and {program} refuses "
			   "clients that do not send one.",
		.hint = "have the client send the server's name (clients send none if their URL "
			"has an IP address){with:serve_without_name}; ignore it if the client is "
			"a scanner",
	},
	{
		.slug = "server-callback-failed",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_OTHER_SENT,
			  .reason = { TLS_REASON_NAME_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "a callback of the program refused the handshake with an alert other "
			    "than 112",
		.message = "{program} itself refused the handshake with client {peer} for {name} "
			   "(alert {alert} sent); according to the alert, the name is not the "
			   "reason.",
		.hint = "check {setting:log} at that time",
	},

	/* -- early data -- */
	{
		.slug = "closed-after-early-data",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_SERVER_HELLO,
			  .none = O_DONE | O_ERROR | O_TIMER,
			  .with = C_EARLY_DATA },
		.noise = true,
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "server-abort" } },
		.close_kind = "abort",
		.evidence = "closed by this side with nothing wrong so far, in a resumed session "
			    "with early data (0-RTT) from the client",
		.message = "{program} closed the connection of client {peer} before the client's "
			   "Finished message arrived. The request arrived as early data and was "
			   "most likely answered immediately.",
		.hint = "do nothing: a server without keepalive closes the connection after its "
			"answer, and with early data that is before the handshake is complete",
	},

	/* -- the client's certificate -- */
	{
		.slug = "client-cert-ocsp-refused",
		.when = { .role = OF_SERVER, .all = O_CLIENT_REFUSED | O_BY_STATUS },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-cert-verify-failed" } },
		.evidence = "the session was discarded after the handshake, no verify code says "
			    "why, and the configuration checks client certificates by OCSP",
		.message = "{program} refused the certificate of client {peer} without a verify "
			   "code that says why: most likely because of its OCSP status.",
		.with_cert = "{program} refused certificate {subject} of client {peer}, issued by "
			     "{issuer}, without a verify code that says why: most likely because "
			     "of its OCSP status.",
		.hint = "check {setting:log} at that time: if it says that the certificate is "
			"revoked, give the client a new one; if it says that the responder did "
			"not answer, nothing is wrong with the client: get the OCSP responder to "
			"answer{with:ocsp}",
	},
};

const struct cause_part causes_clients = { rows, ARRAY_LEN(rows) };
