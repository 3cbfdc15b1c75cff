// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes in which we are the server and turn a client away for what it says first, or does not say.
 * They are more special than those of causes_server.c.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"
#include "tls/names.h"

static const struct cause rows[] = {
	/* -- before TLS -- */
	{
		.slug = "proxy-header-missing",
		.when = { .role = OF_SERVER,
			  .all = O_LOCAL | O_AWAITS_PROXY,
			  .none = O_TLS | O_DONE | O_PROXY_PROTOCOL | O_TIMER },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_HELLO | O_HTTP,
		.candidates = { { .slug = "server-abort" } },
		.close_kind = "abort",
		.evidence = "closed here before a handshake began, on a listener whose "
			    "configuration wants a header of the PROXY protocol first; what came "
			    "does not begin with one",
		.message = "Client {peer} came to {local} without a header of the PROXY protocol, "
			   "which has to come before TLS there.",
		.doubt = "What the client sent was not read, so that is concluded from the "
			 "configuration.",
		.hint = "have the client come through the load balancer, or have that send the "
			"header{with:expect_no_proxy_protocol}",
	},
	{
		.slug = "plain-mail-to-tls",
		.responsible = RESPONSIBLE_CLIENT,
		.when = { .role = OF_SERVER, .all = O_MAIL_COMMAND, .none = O_TLS },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "the client's first bytes are a command of SMTP, IMAP or POP3, on a "
			    "port that is for mail",
		.message = "Client {peer} began in plain text ({first}) on {local}, where TLS "
			   "begins at once.",
		.hint = "set the client to \"SSL/TLS\", not \"STARTTLS\", for that port; or give "
			"it the port for STARTTLS",
	},

	/* -- versions -- */
	{
		.slug = "server-protocol-too-old",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_TLS13 | O_NARROW,
			  .reason = { TLS_REASON_UNSUPPORTED_VERSION } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "unsupported version, alert 70 sent; the client offers TLS 1.3 and "
			    "nothing older",
		.message = "Client {peer} offers only {versions}, which is not available here: the "
			   "server is too old, or set up so, not the client.",
		.hint = "allow TLS 1.3 in {setting:server_versions}; if the TLS library here has "
			"none, update it (OpenSSL 1.1.1 was the first with TLS 1.3)",
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
			    "had no server_name",
		.message = "Client {peer} sent no server name (SNI), and {program} refuses clients "
			   "that do not say whom they want.",
		.hint = "have the client send the server's name (an address instead of a name in "
			"its URL is one reason for none){with:serve_without_name}; scanners send "
			"none either, and for them nothing is needed",
	},
	{
		.slug = "server-callback-failed",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_SERVER,
			  .all = O_OTHER_SENT,
			  .reason = { TLS_REASON_NAME_CALLBACK_FAILED } },
		.confidence = CONFIDENCE_HIGH,
		.evidence = "a callback of the program refused the handshake, with another alert "
			    "than 112",
		.message = "{program} itself refused the handshake with client {peer} for {name} "
			   "(alert {alert} sent); the alert says that it is not for the name.",
		.hint = "look in {setting:log} for that moment",
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
		.evidence = "closed here, nothing wrong so far, in a session that was resumed and "
			    "with early data (0-RTT) of the client",
		.message = "{program} closed the connection of client {peer} before the client's "
			   "Finished came. The client's request came as early data, and was most "
			   "likely answered at once.",
		.hint = "none is needed: a server that does not keep the connection closes it "
			"after its answer, and with early data that is before the handshake is "
			"over",
	},

	/* -- the client's certificate -- */
	{
		.slug = "client-cert-ocsp-refused",
		.when = { .role = OF_SERVER, .all = O_CLIENT_REFUSED | O_BY_STATUS },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-cert-verify-failed" } },
		.evidence = "the session was thrown away after the handshake, no verify code says "
			    "why, and the configuration asks for the status of client "
			    "certificates by OCSP",
		.message = "The certificate of client {peer} is refused here, and no verify code "
			   "says why: most likely for its status by OCSP.",
		.with_cert = "Certificate {subject} of client {peer}, issued by {issuer}, is "
			     "refused here, and no verify code says why: most likely for its "
			     "status by OCSP.",
		.hint = "look in {setting:log} for that moment: where it says that the certificate "
			"is revoked, give the client a new one; where it says that the responder "
			"did not answer, nothing is wrong with the client: get the OCSP responder "
			"to answer{with:ocsp}",
	},
};

const struct cause_part causes_clients = { rows, ARRAY_LEN(rows) };
