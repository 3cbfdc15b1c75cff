// SPDX-License-Identifier: BSD-2-Clause
/*
 * Causes: nobody said anything; the connection just ended. As the client, and of both roles.
 */
#include "diagnose/cause_rows.h"

#include "diagnose/circumstances.h"

/* Of both kinds of long ClientHello. */
#define UNANSWERED "{peer} did not answer a ClientHello of {length} bytes{bulk}; {end}."
/* clang-format off */
#define UNANSWERED_CANDIDATES                                                                      \
	{                                                                                          \
		{ .slug = "peer-reset-in-handshake", .all = O_PEER_RST },                                         \
		{ .slug = "peer-closed-in-handshake", .all = O_PEER_FIN },                                        \
		{ .slug = "handshake-blackholed", .all = O_UNACKED },                                             \
		{ .slug = "handshake-timeout", .all = O_LOCAL | O_TIMER },                                        \
		{ .slug = "sni-missing", .all = O_NO_SNI, .without = C_SNI_NEEDLESS },                            \
	}
/* Of both ways to cut a handshake off. */
#define CUT_CANDIDATES                                                                             \
	{                                                                                          \
		{ .slug = "sni-missing", .all = O_NO_SNI | O_RX_NONE | O_NO_SUCCESS, .without = C_SNI_NEEDLESS }, \
		{ .slug = "sni-unrecognized", .all = O_SNI | O_RX_NONE | O_NO_SUCCESS },                          \
		{ .slug = "proxy-protocol-missing", .all = O_RX_NONE | O_NO_SUCCESS, .without = C_HEADER_FIRST | C_SUCCEEDED }, \
		{ .slug = "protocol-version-rejected", .all = O_NARROW | O_RX_NONE | O_NO_SUCCESS },              \
		{ .slug = "pqc-hello-intolerant", .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE },                  \
		{ .slug = "large-hello-intolerant", .all = O_LARGE | O_RX_NONE },                                 \
	}
/* clang-format on */
#define UNANSWERED_DOUBT                                                                           \
	"Some servers and middleboxes drop a ClientHello that takes two packets; an ACL, an SNI "  \
	"filter or a server that hangs looks the same."

static const struct cause rows[] = {
	/* -- silent ends, where a client certificate was asked for -- */
	{
		.slug = "client-cert-required",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_DONE | O_CERT_EMPTY | O_NO_SUCCESS, .none = O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "prematurely-closed-after-handshake" } },
		.evidence =
			"TLS 1.3: the lengths of the encrypted records say that the request for a "
			"certificate was answered with none; handshake done, then FIN or RST without "
			"application data; no success of this peer is known",
		.message = "{peer} asked for a client certificate, got none, and closed the "
			   "connection without an answer.",
		.doubt = "A crashed or overloaded application may do this, too.",
		.hint = "{setting:give_certificate}",
	},
	{
		.slug = "client-cert-required-legacy",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_CERT_REQUESTED | O_CERT_EMPTY | O_NO_SUCCESS,
			  .any = O_PEER_FIN | O_PEER_RST,
			  .none = O_DONE | O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "peer-closed-mid-handshake" } },
		.evidence = "CertificateRequest received, empty Certificate sent, then FIN or RST; no "
			    "success of this peer is known",
		.message = "{peer} asked for a client certificate, got none, and closed the "
			   "connection without an alert.",
		.doubt = "It may have died.",
		.hint = "{setting:give_certificate}",
	},
	{
		.slug = "client-cert-expired",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .all = O_CERT_SENT | O_NO_SUCCESS,
			  .any = O_PEER_FIN | O_PEER_RST,
			  .none = O_LOCAL | O_ERROR,
			  .with = C_CLIENT_CERT_ENDED },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.candidates = { { .slug = "client-cert-untrusted" } },
		.evidence = "a client certificate was sent, which has expired, then FIN or RST; no "
			    "success of this peer is known",
		.message = "{peer} got a client certificate that has expired, and closed the "
			   "connection without an answer.",
		.doubt = "It may have closed it for another reason.",
		.hint = "renew the client certificate{with:client_certificate} and "
			"{setting:reload}",
	},
	{
		.slug = "client-cert-untrusted",
		.when = { .all = O_CERT_SENT | O_NO_SUCCESS,
			  .any = O_PEER_FIN | O_PEER_RST,
			  .none = O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.resumption_hides = true,
		.or_next = true,
		.candidates = { { .slug = "client-cert-rejected" } },
		.evidence = "a client certificate was sent, then FIN or RST; no success of this peer "
			    "is known",
		.message = "{peer} got our client certificate and closed the connection without an "
			   "answer, most likely as it does not trust its CA.",
		.doubt = "It may refuse it for another reason, or have crashed.",
		.hint = "use a client certificate{with:client_certificate} from a CA that the "
			"{upstream} trusts, or add its CA there",
	},

	/* -- silent ends, after the handshake -- */
	{
		.slug = "alpn-missing",
		.when = { .all = O_DONE, .none = O_LOCAL | O_ERROR, .with = C_NO_ALPN | C_GRPC },
		.confidence = CONFIDENCE_MEDIUM,
		.responsible = RESPONSIBLE_THIS_HOST,
		.or_next = true,
		.evidence =
			"handshake done, then FIN or RST and no application data; no ALPN was "
			"offered, and the peer speaks gRPC, by its port or by other places of the "
			"configuration",
		.message =
			"{peer} completed the handshake and then closed the connection; no "
			"application protocol (ALPN) was offered, and gRPC servers insist on h2.",
		.doubt = "It may have closed for another reason.",
		.hint = "{setting:offer_alpn}",
	},
	{
		.slug = "prematurely-closed-after-handshake",
		.when = { .all = O_DONE, .none = O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-cert-required", .all = O_CERT_LACKED | O_NO_SUCCESS },
				{ .slug = "client-cert-untrusted", .all = O_CERT_SENT | O_NO_SUCCESS },
				{ .slug = "client-cert-rejected", .all = O_CERT_SENT | O_NO_SUCCESS },
				{ .slug = "alpn-missing",
				  .all = O_UNASKED | O_NO_SUCCESS,
				  .with = C_NO_ALPN } },
		.evidence =
			"handshake complete, then FIN after the request, or RST, and no "
			"application data",
		.message =
			"{peer} completed the handshake and then closed the connection without an "
			"answer.",
		.doubt = "A crashed or overloaded application does this{silent_refusal}.",
		.hint = "check the {upstream}'s own log at that time",
		.wordings = {
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed, which points to an application that crashes "
				   "or is overloaded, or to one request that it cannot handle.",
			  .hint = "check the {upstream}'s own log at that time, and its load" },
			{ .when = O_UNASKED,
			  .doubt = "It had not read a request: an application protocol (ALPN) that "
				   "it insists on, a limit on connections and an ACL do this"
				   "{silent_refusal}.",
			  .hint = "check the {upstream}'s own log at that time; check which "
				  "application protocol (ALPN) it expects" },
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so every time, which points to a silent refusal of "
				   "the client certificate, or an application that does not work "
				   "at all.",
			  .hint = "check the {upstream}'s own log; check whether it wants a "
				  "client certificate{with:client_certificate}" },
		},
	},

	/* -- silent ends, before it was done -- */
	{
		.slug = "pqc-hello-intolerant",
		.when = { .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE,
			  .any = O_UNACKED,
			  .none = O_DONE | O_ERROR | O_HELLO_UNREAD | O_EXITING | O_PEER_DID_TLS },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = UNANSWERED_CANDIDATES,
		.close_kind = "timeout",
		.evidence =
			"ClientHello of more than 1,400 bytes with a key share for a post-quantum "
			"group, not acknowledged, and nothing received; no TLS was seen with this "
			"peer before",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to test this, and as a workaround until what drops it is updated, offer "
			"this {upstream} no post-quantum group: {setting:classic_groups}",
	},
	{
		.slug = "large-hello-intolerant",
		.when = { .all = O_LARGE | O_RX_NONE | O_UNACKED,
			  .none = O_DONE | O_ERROR | O_HELLO_UNREAD | O_EXITING | O_POST_QUANTUM },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = UNANSWERED_CANDIDATES,
		.close_kind = "timeout",
		.evidence =
			"ClientHello of more than 1,400 bytes without a post-quantum group, not "
			"acknowledged, and nothing received",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to test this, and as a workaround until what drops it is updated, make "
			"the ClientHello shorter: {shorten}",
	},
	{
		.slug = "large-hello-intolerant",
		.when = { .all = O_LARGE | O_RX_NONE,
			  .any = O_PEER_FIN | O_PEER_RST | O_TIMER,
			  .none = O_DONE | O_ERROR | O_HELLO_UNREAD | O_EXITING,
			  .with = C_SHORTER_WORKS },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = UNANSWERED_CANDIDATES,
		.close_kind = "timeout",
		.evidence =
			"ClientHello of more than 1,400 bytes, most of it the session to resume, "
			"then silence, FIN or RST, and nothing received; it worked without the "
			"session",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to test this, and as a workaround until what drops it is updated, make "
			"the ClientHello shorter: {shorten}",
	},
	{
		.slug = "peer-closed-before-hello",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_HELLO_UNREAD, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_TLS | O_PEER_DID_TLS,
		.evidence = "FIN before the ClientHello was sent, or FIN and then RST for it",
		.message = "{peer} accepted the connection and closed it without reading the "
			   "ClientHello.",
		.doubt = "No TLS has been seen with this peer so far, so it may not speak TLS at "
			 "all.",
		.hint = "check the {upstream}: crashed worker, connection limit, ACL, or a load "
			"balancer without a backend",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so every time, and no TLS has been seen with this "
				   "peer so far, so it may not speak TLS at all.",
			  .hint = "check the {upstream}: an ACL that excludes this host, the "
				  "wrong port, a load balancer without a backend" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed, which points to a connection limit or to "
				   "workers that crash.",
			  .hint = "check the {upstream}: connection limit, crashed workers, a "
				  "pool with some members gone" },
		},
	},
	{
		.slug = "peer-closed-mid-handshake",
		.when = { .any = O_SERVER_HELLO | O_RETRY, .none = O_DONE | O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-cert-required-legacy", .all = O_CERT_EMPTY },
				{ .slug = "client-cert-untrusted", .all = O_CERT_SENT },
				{ .slug = "client-cert-rejected", .all = O_CERT_SENT },
				{ .slug = "group-mismatch", .all = O_RETRY } },
		.evidence = "FIN or RST after the ServerHello, or after a HelloRetryRequest",
		.message = "{peer} began the handshake and closed the connection in the middle of "
			   "it, without an alert.",
		.doubt = "It may have crashed, or refused without saying so.",
		.hint = "check the {upstream}'s own log; a missing client certificate is one "
			"possible reason",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so every time, which points to a silent refusal "
				   "rather than a crash.",
			  .hint = "check the {upstream}'s own log; a missing client certificate "
				  "is one possible reason" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: it may have crashed or been overloaded.",
			  .hint = "check the {upstream}'s own log at that time, and its load" },
		},
	},
	{
		.slug = "peer-reset-in-handshake",
		.when = { .all = O_PEER_RST, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_LOW,
		.medium_if = O_PEER_FAILS | O_PEER_SUCCEEDS,
		.candidates = CUT_CANDIDATES,
		.evidence = "RST, no alert, handshake not complete",
		.message = "{peer} reset the connection during the handshake, without an alert.",
		.doubt = "The {upstream} crashed, or a firewall or an SNI filter cut the "
			"connection.",
		.hint = "check the {upstream}'s log and firewalls on the path",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so every time, which points to a firewall, an ACL, an "
				   "SNI filter, or the wrong port.",
			  .hint = "check firewalls on the path, the {upstream}'s ACL and the port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream} crashes or is overloaded, or "
				   "some members of a pool are gone.",
			  .hint = "check the {upstream}'s log and load at that time" },
		},
	},
	{
		.slug = "peer-closed-in-handshake",
		.when = { .all = O_PEER_FIN, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_LOW,
		.medium_if = O_PEER_FAILS | O_PEER_SUCCEEDS,
		.candidates = CUT_CANDIDATES,
		.evidence = "FIN, no alert, handshake not complete",
		.message =
			"{peer} read the ClientHello and closed the connection without an answer.",
		.doubt =
			"An ACL, an SNI filter, a wrong port and an overloaded server all look "
			"like this.",
		.hint = "check the {upstream}'s own log at that time",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so every time, which points to an ACL, an SNI filter, "
				   "or the wrong port.",
			  .hint = "check the {upstream}'s ACL, the names it serves (SNI) and the "
				  "port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream} crashes or is overloaded, or "
				   "some members of a pool are gone.",
			  .hint = "check the {upstream}'s own log and load at that time" },
		},
	},

	/* -- we gave up -- */
	{
		.slug = "local-process-exited",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_EITHER, .all = O_LOCAL | O_EXITING, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_HIGH,
		.close_kind = "abort",
		.evidence = "closed by the exit of the process, with nothing wrong with TLS so "
			    "far",
		.message = "The process on this host exited {elapsed} into the handshake with "
			   "{peer}.",
		.hint = "{setting:exit_log}",
	},
	{
		.slug = "handshake-blackholed",
		.responsible = RESPONSIBLE_NETWORK,
		.when = { .all = O_LOCAL | O_UNACKED | O_RX_NONE, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_HIGH,
		.close_kind = "timeout",
		.evidence = "ClientHello retransmitted, never acknowledged by the peer's kernel",
		.message =
			"The ClientHello to {peer} was retransmitted and never acknowledged, "
			"although TCP had connected; {program} gave up after {elapsed}.",
		.hint = "find out what drops it on the path: a firewall that filters by SNI, the "
			"MTU of a tunnel, asymmetric routing",
	},
	{
		.slug = "handshake-timeout",
		.when = { .all = O_LOCAL | O_TIMER, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.high_if = O_TIMER_REPEATED,
		.candidates = { { .slug = "local-abort" },
				{ .slug = "pqc-hello-intolerant", .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE },
				{ .slug = "large-hello-intolerant", .all = O_LARGE | O_RX_NONE } },
		.close_kind = "timeout",
		.evidence = "closed by this side with nothing wrong so far, after a whole number "
			    "of seconds or after the same time as others",
		.message = "{peer} did not finish the handshake; {program} gave up after "
			"{elapsed}.",
		.hint = "find out what the {upstream} is waiting for{way_back}; "
			"{setting:connect_timeout}",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = NULL,
			  .hint = "it never answers in time: find out what the {upstream} is "
				  "waiting for{way_back}; {setting:connect_timeout}" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream}, or the path to it, is "
				   "sometimes slow.",
			  .hint = "check the {upstream}'s load at that time; "
				  "{setting:connect_timeout}" },
		},
	},
	{
		.slug = "local-abort",
		.when = { .all = O_LOCAL, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "verify-hostname-mismatch", .with = C_FOUND_GOOD },
				{ .slug = "handshake-timeout" } },
		.close_kind = "abort",
		.evidence = "closed by this side with nothing wrong so far, at a time that does "
			    "not look like a timer",
		.message =
			"{program} itself ended the handshake with {peer} after {elapsed}, most "
			"likely because the client went away.",
		.hint = "do nothing if a client went away; if many do, check why the {upstream} "
			"is slow to answer",
		.wordings = {
			/* A program asks once its library is done, and the last flight has not left:
			 * it keeps the bytes itself, and has seen the certificate. */
			{ .with = C_FOUND_GOOD,
			  .message = "{program} itself ended the handshake with {peer} after "
				     "{elapsed}, although its TLS library had found the "
				     "certificate good.",
			  .doubt = "Programs that compare the name or a fingerprint themselves "
				   "end like this when it does not match.",
			  .hint = "compare the names in the {upstream}'s certificate with the "
				  "name that {program} asked for; check its own log" },
		},
	},
};

const struct cause_part causes_silent = { rows, ARRAY_LEN(rows) };
