// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes that only the circumstances show, as the client: what the program is configured to do, whom it
 * asked for, what the peer did before. They come before what the failure shows by itself, which is then
 * a candidate.
 */
#include "diagnose/cause_rows.h"

#include "tls/names.h"

#define ENDED (O_PEER_FIN | O_PEER_RST)

#define STARTTLS_HINT                                                                              \
	"use the port on which it speaks TLS from the start, if there is one; otherwise pass the " \
	"connection through and leave TLS to the clients"

static const struct cause rows[] = {
	{
		.slug = "plain-text-to-tls",
		.when = { .with = C_REFUSED_PLAIN },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"plain text was sent, and the answer is a TLS alert, or an HTTP status 400 "
			"that says that TLS is expected",
		.message = "{program} sent plain text to {peer}, which expects TLS on that port.",
		.hint = "use {setting:use_tls}, or the port on which the {upstream} speaks plain text",
	},
	{
		.slug = "plain-text-to-tls",
		.when = { .with = C_IGNORED_PLAIN },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"plain text was sent to a peer that has spoken TLS before, or to port 443, "
			"and it closed the connection without an answer",
		.message =
			"{program} sent plain text to {peer}, which closed the connection without "
			"an answer; it seems to expect TLS on that port.",
		.doubt = "It may have closed it for another reason.",
		.hint = "use {setting:use_tls}, or the port on which the {upstream} speaks plain text",
	},
	{
		.slug = "client-cert-unloadable",
		.when = { .with = C_NOTHING_SAID },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"TCP was connected and closed here at once, without a byte; which client "
			"certificate or key is used depends on a variable",
		.message =
			"{program} connected to {peer} and closed the connection before it sent a "
			"ClientHello, most likely because it could not load the client "
			"certificate, which depends on a variable.",
		.doubt = "It may have closed it for another reason.",
		.hint = "{setting:client_certificate_log}",
	},
	{
		.slug = "peer-moved",
		.when = { .with = C_MOVED | C_STRANGE_CERT },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence = "the name configured for the peer now resolves to another address, and "
			    "the certificate does not match the name asked for",
		.message = "The name in the configuration no longer resolves to {peer}; {program} "
			   "still connects there, and refused its certificate.",
		.with_cert =
			"The name in the configuration no longer resolves to {peer}; {program} "
			"still connects there, and refused its certificate, which is for {names}.",
		.hint = "{setting:reload}: it resolves names only when it starts",
	},
	{
		.slug = "peer-moved",
		.when = { .with = C_MOVED,
			  .any = O_REFUSED | ENDED | O_ALERT | O_TIMER | O_UNACKED | O_NOT_TLS,
			  .none = O_EXITING },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence = "the name configured for the peer now resolves to another address",
		.message = "The name in the configuration no longer resolves to {peer}, but "
			   "{program} still connects there.",
		.doubt = "It may fail for another reason as well.",
		.hint = "{setting:reload}: it resolves names only when it starts",
	},
	{
		.slug = "proxy-protocol-unexpected",
		.when = { .with = C_HEADER_FIRST,
			  .any = O_NOT_TLS | O_ALERT | ENDED,
			  .none = O_SERVER_HELLO | O_DONE | O_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.high_if = O_NOT_TLS | O_HTTP,
		.or_next = true,
		.evidence = "a PROXY protocol header was sent before the ClientHello, and no "
			    "ServerHello came back",
		.message = "{peer} refused the connection because it was sent a PROXY protocol "
			   "header, which it does not expect.",
		.doubt = "There may be another reason.",
		.hint = "make the {upstream} accept the header, or stop sending it",
	},
	{
		.slug = "proxy-protocol-missing",
		.when = { .with = C_OTHERS_SEND_HEADER,
			  .any = ENDED,
			  .none = O_SERVER_HELLO | O_DONE | O_ERROR | O_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence = "no PROXY protocol header was sent to a peer that gets one from other "
			    "places in the configuration; it answered with a close or a reset",
		.message = "{peer} closed the connection without an answer; other places in the "
			   "configuration send it a PROXY protocol header, but this one does not.",
		.doubt = "There may be another reason.",
		.hint = "send the header here as well, if the {upstream} expects it",
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
		.evidence = "the server_name is not one that RFC 6066 allows: an IP address, an "
			    "underscore, a trailing dot, an empty label; the first answer is alert "
			    "10, 40, 47, 49, 50, 80 or 112, a close or a reset",
		.message = "{peer} refused the ClientHello{refusal}; the server name in it (SNI), "
			   "{sni}, is not a valid host name: {flaw}.",
		.doubt = "Some servers refuse such names.",
		.hint = "set {setting:name} to a host name that the {upstream} serves",
	},
	{
		.slug = "starttls-expected",
		.when = { .with_any = C_STARTTLS_PORT | C_STARTTLS_SPOKEN,
			  .any = O_NOT_TLS | ENDED | O_TIMER,
			  .none = O_SERVER_HELLO | O_DONE | O_ALERT | O_PEER_DID_TLS | O_HTTP |
				  O_REFUSED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.high_if = O_NOT_TLS,
		.or_next = true,
		.evidence =
			"the answer, or the port, belongs to a protocol that starts in plain text "
			"and switches to TLS with a command (SMTP, IMAP, POP3, LDAP, PostgreSQL, "
			"MySQL ...)",
		.message = "{peer} did not accept a ClientHello: its port is used for "
			   "{port_protocol}, which starts in plain text and switches to TLS with a "
			   "command (STARTTLS).",
		.doubt = "There may be another reason.",
		.hint = STARTTLS_HINT,
		.wordings = { { .with = C_STARTTLS_SPOKEN,
				.message = "{peer} speaks {port_protocol}, which starts in plain "
					   "text and switches to TLS with a command (STARTTLS); it "
					   "answered the ClientHello with {first}.",
				.doubt = "There may be another reason.",
				.hint = STARTTLS_HINT } },
	},
	{
		.slug = "resumption-refused",
		.when = { .with = C_SESSION | C_REFUSED_HELLO,
			  .without = C_SNI_MALFORMED | C_OFFER_OF_ONE_PLACE,
			  .none = O_UNRECOGNIZED | O_LARGE,
			  .any = O_ALERT },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_UPSTREAM,
		.high_with = C_SESSION_FAILS,
		.or_next = true,
		.evidence =
			"an earlier session was offered; the first answer is alert 10, 40, 47, 49, "
			"50 or 80",
		.message = "{peer} refused a ClientHello that offered to resume an earlier "
			   "session (alert {alert}).",
		.doubt = "The handshake that created the session succeeded, so the peer cannot "
			 "resume sessions, or it has changed since.",
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
		.evidence = "the first answer is a close or a reset whenever a session is offered, "
			    "and handshakes in between succeed",
		.message =
			"{peer} closes every handshake that offers to resume an earlier session, "
			"while others succeed.",
		.hint = "{setting:no_session_reuse}",
	},
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI | O_UNRECOGNIZED },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence = "no server_name in the ClientHello; fatal alert 112",
		.message = "{peer} refused the ClientHello (alert {alert}) because it carried no "
			   "server name (SNI).",
		.hint = "{setting:send_sni}",
	},
	/* Its default certificate, rather than that of the server that is meant. */
	{
		.slug = "sni-missing",
		.when = { .all = O_NO_SNI, .with = C_STRANGE_CERT | C_CAN_SEND_NAME },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence = "no server_name in the ClientHello; this side refused the certificate, "
			    "which does not match the name asked for",
		.message = "{program} sent no server name (SNI) to {peer} and refused the "
			   "certificate it got, which is for another server.",
		.with_cert = "{program} sent no server name (SNI) to {peer} and refused the "
			     "certificate it got, which is for {names}.",
		.doubt = "If asked by name, it may present another certificate.",
		.hint = "{setting:send_sni}",
	},
	/* The verify result of a session is that of the handshake which began it. */
	{
		.slug = "verify-expired",
		.when = { .with = C_SHOWN_EXPIRED },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_UPSTREAM,
		.or_next = true,
		.evidence =
			"a session was resumed; its verify result is that an issuer is missing; and what "
			"the peer showed before has expired",
		.message = "A certificate that {peer} showed before has expired{code}.",
		.with_cert = "Certificate {subject} of {peer} ended {ended}; the session that was "
			     "resumed has another verify result{code}.",
		.doubt = "It may have been renewed since.",
		.hint = "renew it on the {upstream} and reload it there",
	},
	{
		.slug = "session-verify-result",
		.when = { .with = C_RESULT_FOREIGN, .without = C_ONE_PLACE },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"a session was resumed; its verify result is that an issuer is missing; the "
			"issuer of what the peer showed before is in the file of trusted CAs here, "
			"and other places connect to the peer",
		.message =
			"{program} resumed a session with {peer} that began at another place, where "
			"the certificate could not be verified{code}: it is refused for that here.",
		.with_cert =
			"{program} resumed a session with {peer} that began at another place, where "
			"certificate {subject} could not be verified{code}: it is refused for that "
			"here, where its issuer, {issuer}, is trusted.",
		.hint = "{setting:no_session_reuse}, so that no session of another place is resumed",
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
			"no server_name in the ClientHello, for a host that has a name; the first "
			"answer is a close or a reset, and no handshake has succeeded before",
		.message = "{peer} closed the connection without an answer after a ClientHello "
			   "without a server name (SNI).",
		.doubt = "Proxies that route by name (Envoy, Istio, SNI filters) do this; so does "
			 "an ACL, the wrong port or an overloaded server.",
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
			"server_name is the name of an upstream group, or has no dot; the first "
			"answer is alert 10, 40, 47, 49, 50 or 80, a close or a reset",
		.message =
			"{peer} refused the ClientHello{refusal}, most likely because the server "
			"name in it (SNI), {sni}, is not a host name.",
		.doubt = "The refusal itself does not say why.",
		.hint = "set {setting:name} to a name that the {upstream} serves",
	},
	{
		.slug = "trusted-ca-expired",
		.when = { .all = O_CERT | O_VERIFY_CODE,
			  .with = C_OTHER_EXPIRED,
			  .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_HIGH,
		.responsible = RESPONSIBLE_THIS_HOST,
		.evidence =
			"the verify result is \"certificate has expired\", and none of the certificates received has expired",
		.message = "A CA certificate on this host that is used to verify {peer} has "
			   "expired{code}; none of the certificates it sent has.",
		.hint = "renew the CA certificates in {setting:trusted_cas}",
	},
	{
		.slug = "trusted-ca-expired",
		.when = { .with = C_OTHER_EXPIRED,
			  .none = O_CERT,
			  .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"a session was resumed; its verify result is \"certificate has expired\", and none of "
			"the certificates that the peer showed before has expired",
		.message = "A CA certificate on this host that was used to verify {peer} had "
			   "expired when the resumed session began{code}; none of the certificates "
			   "that it showed has.",
		.doubt = "It may have shown other certificates then.",
		.hint = "renew the CA certificates in {setting:trusted_cas}",
	},
	/* By the alert alone it may be a revocation list as well. */
	{
		.slug = "trusted-ca-expired",
		.when = { .with = C_OTHER_EXPIRED,
			  .none = O_VERIFY_CODE,
			  .verify = { TLS_VERIFY_EXPIRED } },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.candidates = { { .slug = "verify-crl-missing" } },
		.evidence = "fatal alert 45 sent for a certificate, and none of those received has "
			    "expired",
		.message = "A CA certificate on this host that is used to verify {peer} has "
			   "expired; none of the certificates it sent has.",
		.hint = "renew the CA certificates in {setting:trusted_cas}",
	},
	{
		.slug = "accept-queue-full",
		.when = { .all = O_LOCAL | O_UNACKED | O_RX_NONE,
			  .none = O_DONE | O_ERROR | O_LARGE | O_EXITING },
		.confidence = CONFIDENCE_LOW,
		.responsible = RESPONSIBLE_UPSTREAM,
		.medium_if = O_PEER_SUCCEEDS,
		.candidates = { { .slug = "handshake-blackholed" } },
		.close_kind = "timeout",
		.evidence = "TCP was connected; a ClientHello of one packet was retransmitted and "
			    "never acknowledged",
		.message = "{peer} accepted the TCP connection, but its kernel never acknowledged "
			   "the ClientHello ({length} bytes); {program} gave up after {elapsed}.",
		.doubt = "This happens when the {upstream} is overloaded or hung and its accept "
			 "queue is full, or when something on the path drops the packets.",
		.hint = "check whether the {upstream} accepts connections (its accept queue is "
			"full if ss -lt there shows Recv-Q at Send-Q) and how loaded it is; then "
			"check for a firewall that filters by SNI, and check routing",
	},
};

const struct cause_part causes_context = { rows, ARRAY_LEN(rows) };
