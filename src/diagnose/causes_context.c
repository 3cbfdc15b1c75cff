// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes that only the circumstances show, as the client: what the program is configured to do, whom it
 * asked for, what the peer did before. They come before what the failure shows by itself, which is then
 * a candidate.
 */
#include "diagnose/cause_rows.h"

#include "tls/names.h"

#define ENDED (O_PEER_FIN | O_PEER_RST)

static const struct cause rows[] = {
	{
		.slug = "peer-moved",
		.when = { .with = C_MOVED | C_STRANGE_CERT },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"the name that the peer is configured by stands for another address now, "
			"and the certificate is not for the name that is asked for",
		.message = "{peer} is no longer what its name in the configuration stands for; "
			   "{program} still connects to it, and refused its certificate.",
		.with_cert =
			"{peer} is no longer what its name in the configuration stands for; "
			"{program} still connects to it, and refused its certificate, which is for "
			"{names}.",
		.hint = "{setting:reload}: names are looked up when it starts",
	},
	{
		.slug = "peer-moved",
		.when = { .with = C_MOVED,
			  .any = O_REFUSED | ENDED | O_ALERT | O_TIMER | O_UNACKED | O_NOT_TLS,
			  .none = O_EXITING },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"the name that the peer is configured by stands for another address now",
		.message = "{peer} is no longer what its name in the configuration stands for; "
			   "{program} still connects to it.",
		.doubt = "It may fail for another reason, too.",
		.hint = "{setting:reload}: names are looked up when it starts",
	},
	{
		.slug = "proxy-protocol-unexpected",
		.when = { .with = C_HEADER_FIRST,
			  .any = O_NOT_TLS | O_ALERT | ENDED,
			  .none = O_SERVER_HELLO | O_DONE },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.high_if = O_NOT_TLS | O_HTTP,
		.or_next = true,
		.evidence =
			"a header of the PROXY protocol was sent before the ClientHello, and no "
			"ServerHello came",
		.message = "{peer} refused the connection: a header of the PROXY protocol was sent "
			   "before the ClientHello, and it does not expect one.",
		.doubt = "It may refuse for another reason.",
		.hint = "have the {upstream} accept that header, or send none",
	},
	{
		.slug = "proxy-protocol-missing",
		.when = { .with = C_OTHERS_SEND_HEADER,
			  .any = ENDED,
			  .none = O_SERVER_HELLO | O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"no header of the PROXY protocol was sent to a peer that gets one from other "
			"places of the configuration; a close or a reset as the first answer",
		.message = "{peer} ended the connection without an answer; it gets a header of the "
			   "PROXY protocol from other places, and got none here.",
		.doubt = "It may end it for another reason.",
		.hint = "send that header here, too, if the {upstream} expects it",
	},
	{
		.slug = "sni-malformed",
		.when = { .all = O_SNI,
			  .with = C_SNI_MALFORMED | C_REFUSED_HELLO,
			  .without = C_SUCCEEDED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.high_if = O_UNRECOGNIZED,
		.or_next = true,
		.evidence =
			"the server_name is none that RFC 6066 allows: an address, an underscore, "
			"a dot at its end, an empty label; alert 10, 40, 47, 50, 80 or 112, a "
			"close or a reset as the first answer",
		.message =
			"{peer} refused the ClientHello{refusal}; the name in it (SNI), {sni}, is "
			"none of a host: {flaw}.",
		.doubt = "Some servers refuse such names.",
		.hint = "set {setting:name} to the host name that the {upstream} serves",
	},
	{
		.slug = "starttls-expected",
		.when = { .with = C_STARTTLS_PORT,
			  .any = O_NOT_TLS | ENDED | O_TIMER,
			  .none = O_SERVER_HELLO | O_DONE | O_ALERT | O_PEER_DID_TLS | O_HTTP },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.high_if = O_NOT_TLS,
		.or_next = true,
		.evidence =
			"the port is one of a protocol that begins in clear and goes over to TLS by "
			"a command (SMTP, IMAP, POP3, LDAP, PostgreSQL, MySQL ...)",
		.message =
			"{peer} did not take a ClientHello: its port is that of {port_protocol}, "
			"which begins in clear and goes over to TLS by a command (STARTTLS).",
		.doubt = "It may refuse for another reason.",
		.hint = "use the port on which it speaks TLS from the start, if it has one; else pass "
			"the connection through and leave TLS to its clients",
	},
	{
		.slug = "resumption-refused",
		.when = { .with = C_SESSION | C_REFUSED_HELLO,
			  .without = C_SNI_MALFORMED,
			  .none = O_UNRECOGNIZED | O_LARGE,
			  .any = O_ALERT },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_UPSTREAM,
		.high_with = C_SESSION_FAILS,
		.or_next = true,
		.evidence =
			"an earlier session was offered; alert 10, 40, 47, 50 or 80 as the first "
			"answer",
		.message = "{peer} refused a ClientHello that offers to resume an earlier session "
			   "(alert {alert}).",
		.doubt =
			"The handshake that began the session had succeeded: the peer cannot resume, or "
			"was changed since.",
		.hint = "{setting:no_session_reuse}",
	},
	{
		.slug = "resumption-refused",
		.when = { .with = C_SESSION | C_REFUSED_HELLO | C_SESSION_FAILS,
			  .none = O_LARGE,
			  .any = ENDED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_UPSTREAM,
		.or_next = true,
		.evidence =
			"a close or a reset as the first answer, whenever a session is offered, and "
			"success in between",
		.message =
			"{peer} ends each handshake that offers to resume an earlier session, and "
			"others succeed.",
		.hint = "{setting:no_session_reuse}",
	},
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI | O_UNRECOGNIZED },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence = "no server_name in the ClientHello; fatal alert 112",
		.message = "{peer} refused the ClientHello (alert {alert}), which named no server "
			   "(SNI).",
		.hint = "{setting:send_sni}",
	},
	/* Its default certificate, rather than that of the server that is meant. */
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI, .with = C_STRANGE_CERT | C_CAN_SEND_NAME },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"no server_name in the ClientHello; the certificate is refused here, and is "
			"not for the name that is asked for",
		.message = "{peer} was not told which server is meant (no SNI), and its "
			   "certificate, which is not for that one, was refused here.",
		.with_cert = "{peer} was not told which server is meant (no SNI), and showed a "
			     "certificate for another one, {names}, which was refused here.",
		.doubt = "With the name it may show another one.",
		.hint = "{setting:send_sni}",
	},
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI | O_RX_NONE,
			  .any = ENDED,
			  .with = C_REFUSED_HELLO | C_CAN_SEND_NAME,
			  .without = C_SNI_NEEDLESS | C_SUCCEEDED,
			  .none = O_EXITING },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.candidates = { { .slug = "proxy-protocol-missing" } },
		.evidence =
			"no server_name in the ClientHello, for a host that has a name; a close or "
			"a reset as the first answer, and no success before",
		.message = "{peer} ended the connection after a ClientHello that named no server "
			   "(SNI), without an answer.",
		.doubt =
			"Proxies that choose by name (Envoy, Istio, SNI filters) do so; so do an ACL, "
			"the wrong port and an overloaded server.",
		.hint = "{setting:send_sni}",
	},
	{
		.slug = "sni-unrecognized",
		.when = { .all = O_SNI,
			  .none = O_UNRECOGNIZED,
			  .with = C_SNI_ODD | C_REFUSED_HELLO,
			  .without = C_SUCCEEDED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"server_name is the name of a group of servers, or has no dot; alert 10, 40, "
			"47, 50 or 80, a close or a reset as the first answer",
		.message =
			"{peer} refused the ClientHello{refusal}, most likely for the name that it "
			"asked for (SNI), {sni}, which is none of a host.",
		.doubt = "The refusal does not say why.",
		.hint = "set {setting:name} to a name that the {upstream} serves",
	},
	{
		.slug = "trusted-ca-expired",
		.when = { .with = C_OTHER_EXPIRED, .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"X509 verify code 10, and none of the certificates that came has expired",
		.message = "A certificate on this side has expired, with which that of {peer} is "
			   "verified (verify code 10): none of those that came has.",
		.hint = "renew the CA certificates in {setting:trusted_cas}",
	},
	{
		.slug = "accept-queue-full",
		.when = { .all = O_LOCAL | O_UNACKED | O_RX_NONE,
			  .none = O_DONE | O_ERROR | O_LARGE | O_EXITING },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_UPSTREAM,
		.candidates = { { .slug = "handshake-blackholed" } },
		.close_kind = "timeout",
		.evidence =
			"TCP was connected; a ClientHello of one packet was sent again and again and "
			"never acknowledged",
		.message = "TCP had connected to {peer}, but its kernel never acknowledged the "
			   "ClientHello ({length} bytes); {program} gave up after {elapsed}.",
		.doubt =
			"So it is when the {upstream} is overloaded or hangs and its accept queue is "
			"full, and when something on the way drops the packets.",
		.hint = "look whether the {upstream} accepts connections (ss -lt there: Recv-Q at "
			"Send-Q), and at its load; then at a firewall that reads the SNI, and at routing",
	},
};

const struct cause_part causes_context = { rows, ARRAY_LEN(rows) };
