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
/* clang-format on */
#define UNANSWERED_DOUBT                                                                           \
	"Some servers and middleboxes drop a hello that takes two packets; an ACL, an SNI filter " \
	"and a server that hangs look the same."

static const struct cause rows[] = {
	/* -- silent ends, after the handshake -- */
	{
		.slug = "prematurely-closed-after-handshake",
		.when = { .all = O_DONE, .none = O_LOCAL | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "client-cert-required", .all = O_CERT_LACKED | O_NO_SUCCESS },
				{ .slug = "client-cert-untrusted", .all = O_CERT_SENT | O_NO_SUCCESS },
				{ .slug = "client-cert-rejected", .all = O_CERT_SENT | O_NO_SUCCESS } },
		.evidence =
			"handshake done, then FIN after the request, or RST, and no application "
			"data",
		.message =
			"{peer} completed the handshake and then closed the connection without an "
			"answer.",
		.doubt = "A crashed or overloaded application does this{silent_refusal}.",
		.hint = "look at the {upstream}'s own log for that moment",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a silent refusal of the client "
				"certificate, or an application that cannot work at all.",
			  .hint = "look at the {upstream}'s own log; check whether it wants a "
				"client certificate{with:client_certificate}" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: an application that crashes or is overloaded, "
				"or one request that it cannot bear.",
			  .hint = "look at the {upstream}'s own log for that moment, and at its "
				"load" },
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
			"ClientHello of more than 1,400 bytes with a key share of a post-quantum "
			"group, not acknowledged, and nothing received; this peer has not done TLS "
			"before",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to find out, and until what drops it is updated, offer this {upstream} no "
			"post-quantum group: {setting:classic_groups}",
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
		.hint = "to find out, and until what drops it is updated, make the hello shorter: "
			"{shorten}",
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
			"ClientHello of more than 1,400 bytes, most of it the session to resume, then "
			"silence, FIN or RST, and nothing received; without the session it had worked",
		.message = UNANSWERED,
		.doubt = UNANSWERED_DOUBT,
		.hint = "to find out, and until what drops it is updated, make the hello shorter: "
			"{shorten}",
	},
	{
		.slug = "peer-closed-before-hello",
		.responsible = RESPONSIBLE_UPSTREAM,
		.when = { .all = O_HELLO_UNREAD, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_LOW,
		.high_if = O_TLS | O_PEER_DID_TLS,
		.evidence = "FIN before the ClientHello was sent, or FIN and then RST for it",
		.message = "{peer} accepted the connection and closed it before it read the "
			"ClientHello.",
		.doubt = "No TLS was ever seen with this peer, so TLS may not be what it speaks.",
		.hint = "look at the {upstream}: crashed worker, connection limit, ACL, or a load "
			"balancer without a backend",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time, and no TLS was ever seen with this peer, "
				"so TLS may not be what it speaks.",
			  .hint = "look at the {upstream}: an ACL that leaves this host out, the "
				"wrong port, a load balancer without a backend" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: a connection limit, or workers that crash.",
			  .hint = "look at the {upstream}: connection limit, crashed workers, a "
				"pool of which some members are gone" },
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
		.message = "{peer} began the handshake and closed in its middle, without an alert.",
		.doubt = "It may have died, or refused without saying so.",
		.hint = "look at the {upstream}'s own log; a client certificate that it wants is "
			"one reason",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a refusal without a word, rather than a "
				"crash.",
			  .hint = "look at the {upstream}'s own log; a client certificate that it "
				"wants is one reason" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: it may have died, or was overloaded.",
			  .hint = "look at the {upstream}'s own log for that moment, and at its "
				"load" },
		},
	},
	{
		.slug = "peer-reset-in-handshake",
		.when = { .all = O_PEER_RST, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "sni-missing", .all = O_NO_SNI | O_RX_NONE | O_NO_SUCCESS,
				  .without = C_SNI_NEEDLESS },
				{ .slug = "sni-unrecognized", .all = O_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ .slug = "protocol-version-rejected",
				  .all = O_NARROW | O_RX_NONE | O_NO_SUCCESS },
				{ .slug = "pqc-hello-intolerant", .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE },
				{ .slug = "large-hello-intolerant", .all = O_LARGE | O_RX_NONE } },
		.evidence = "RST, no alert, handshake not done",
		.message = "{peer} reset the connection in the handshake, without an alert.",
		.doubt = "The {upstream} crashed, or a firewall or an SNI filter cut the "
			"connection.",
		.hint = "look at the {upstream}'s log and at firewalls on the way",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: a firewall, an ACL, an SNI filter, or "
				"the wrong port.",
			  .hint = "look at firewalls on the way, at the {upstream}'s ACL and at "
				"the port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream} crashes or is overloaded, or a "
				"pool has members that are gone.",
			  .hint = "look at the {upstream}'s log and load for that moment" },
		},
	},
	{
		.slug = "peer-closed-in-handshake",
		.when = { .all = O_PEER_FIN, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_MEDIUM,
		.candidates = { { .slug = "sni-missing", .all = O_NO_SNI | O_RX_NONE | O_NO_SUCCESS,
				  .without = C_SNI_NEEDLESS },
				{ .slug = "sni-unrecognized", .all = O_SNI | O_RX_NONE | O_NO_SUCCESS },
				{ .slug = "protocol-version-rejected",
				  .all = O_NARROW | O_RX_NONE | O_NO_SUCCESS },
				{ .slug = "pqc-hello-intolerant", .all = O_LARGE | O_POST_QUANTUM | O_RX_NONE },
				{ .slug = "large-hello-intolerant", .all = O_LARGE | O_RX_NONE } },
		.evidence = "FIN, no alert, handshake not done",
		.message =
			"{peer} read the ClientHello and closed the connection without an answer.",
		.doubt =
			"An ACL, an SNI filter, a wrong port and an overloaded server all look so.",
		.hint = "look at the {upstream}'s own log for that moment",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = "It does so each time: an ACL, an SNI filter, or the wrong "
				"port.",
			  .hint = "look at the {upstream}'s ACL, at the names that it serves (SNI) "
				"and at the port" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream} crashes or is overloaded, or a "
				"pool has members that are gone.",
			  .hint = "look at the {upstream}'s own log and load for that moment" },
		},
	},

	/* -- we gave up -- */
	{
		.slug = "local-process-exited",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_EITHER, .all = O_LOCAL | O_EXITING, .none = O_DONE | O_ERROR },
		.confidence = CONFIDENCE_HIGH,
		.close_kind = "abort",
		.evidence = "closed by the exit of the process, nothing wrong with TLS so far",
		.message = "The process here ended after {elapsed} of the handshake with {peer}.",
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
			"The ClientHello to {peer} was sent again and again and never "
			"acknowledged, although TCP had connected; {program} gave up after "
			"{elapsed}.",
		.hint = "look for what drops it on the way: a firewall that reads the SNI, the MTU "
			"of a tunnel, asymmetric routing",
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
		.evidence = "closed here, nothing wrong so far, after a whole number of seconds or "
			"after the same time as others",
		.message = "{peer} did not finish the handshake; {program} gave up after "
			"{elapsed}.",
		.hint = "find out what the {upstream} waits for{way_back}; "
			"{setting:connect_timeout}",
		.wordings = {
			{ .when = O_PEER_FAILS,
			  .doubt = NULL,
			  .hint = "nothing came within the time, again and again: find out what "
				"the {upstream} waits for{way_back}; {setting:connect_timeout}" },
			{ .when = O_PEER_SUCCEEDS,
			  .doubt = "Others succeed: the {upstream}, or the path to it, is slow at "
				"times.",
			  .hint = "look at the {upstream}'s load for that moment; "
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
		.evidence = "closed here, nothing wrong so far, at no time that looks like a timer",
		.message =
			"{program} itself ended the handshake with {peer} after {elapsed}, most "
			"likely because the client went away.",
		.hint = "none is needed for a client that went away; if many do, the {upstream} is "
			"slow to answer",
		.wordings = {
			/* A program asks once its library is done, and the last flight has not left:
			 * it keeps the bytes itself, and has seen the certificate. */
			{ .with = C_FOUND_GOOD,
			  .message = "{program} itself ended the handshake with {peer} after "
				     "{elapsed}, when it had asked its TLS library whether the "
				     "certificate is good, and that had nothing against it.",
			  .doubt = "A program that compares the name, or a fingerprint, by itself "
				   "ends like this when that does not fit.",
			  .hint = "compare the names in the {upstream}'s certificate with the name "
				  "that {program} asked for; look at its own log" },
		},
	},
};

const struct cause_part causes_silent = { rows, ARRAY_LEN(rows) };
