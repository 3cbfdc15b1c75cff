/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rule table: root causes as data. A row says what must have been observed, how certain the
 * conclusion is, and what to tell the operator. The first row that fits wins; the last one,
 * "unknown", always fits. Slugs are stable API.
 */
#ifndef TLSFAIL_DIAGNOSE_CAUSES_H
#define TLSFAIL_DIAGNOSE_CAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "finding/finding.h"

/* What was observed, as bits; diagnose.c derives them from a failure. */
enum observation {
	O_REFUSED = 1 << 0,	    /* the SYN was answered by RST */
	O_PEER_DID_TLS = 1 << 1,    /* this peer has sent TLS records before */
	O_DONE = 1 << 2,	    /* the handshake completed on our side */
	O_PEER_FIN = 1 << 3,	    /* the peer closed */
	O_PEER_RST = 1 << 4,	    /* the peer reset */
	O_LOCAL = 1 << 5,	    /* we closed while the peer had not */
	O_HELLO_UNREAD = 1 << 6,    /* the peer closed before it read the ClientHello */
	O_RX_NONE = 1 << 8,	    /* no byte of the handshake came back */
	O_SERVER_HELLO = 1 << 9,    /* a ServerHello came */
	O_NOT_TLS = 1 << 10,	    /* what came back is not TLS */
	O_HTTP = 1 << 11,	    /* it is HTTP */
	O_SNI = 1 << 12,	    /* the ClientHello had a server_name */
	O_NO_SNI = 1 << 13,	    /* it certainly had none */
	O_CERT_REQUESTED = 1 << 14, /* the server asked for a client certificate */
	O_CERT_EMPTY = 1 << 15,	    /* answered with no certificate */
	O_CERT_SENT = 1LL << 39,    /* answered with one */
	O_CERT_LACKED = 1LL << 40,  /* none was sent that is known of, and that none was asked for
				     * is not known either */
	O_CERT_ALERT = 1LL << 41,   /* fatal alert 116, certificate_required, received */
	O_CERT_VAGUE = 1LL << 42,   /* fatal alert 42, 46 or 49 to a certificate, which some send
				   * whatever is wrong with it */
	O_CERT_REFUSED = 1LL << 44, /* fatal alert 42, 43, 44 or 46; 49, if one was sent */
	O_NARROW = 1LL << 43,	    /* it offered not both TLS 1.2 and TLS 1.3 */
	O_HOST_REFUSED = 1 << 16,   /* X509_check_host said no */
	O_HOST_RETURN = 1 << 26,    /* and was seen to; else it is concluded */
	O_TIMER = 1 << 17,	    /* the connection lasted as long as a timer would let it */
	O_TIMER_REPEATED = 1 << 18, /* and others of this process lasted as long */
	O_UNRECOGNIZED = 1 << 20,   /* fatal alert 112, unrecognized_name, received */
	O_CERT = 1 << 21,	    /* the peer's certificate was read */
	O_ONE_CERT = 1 << 22,	    /* exactly one came, and it is not self-issued */
	O_ISSUER_MISSING = 1 << 23, /* more came, and the leaf's issuer is not among them */
	O_TLS = 1 << 24,	    /* a handshake was begun */
	O_UNACKED = 1 << 25,	    /* the ClientHello was sent again, and never acknowledged */
	O_EXITING = 1 << 7,	    /* our process was ending */
	O_ERROR = 1 << 19,	    /* an alert, or an error that says more than the close */
	O_LARGE = 1 << 27,	    /* the ClientHello is longer than one packet */
	O_POST_QUANTUM = 1 << 28,   /* it has a key share of a post-quantum group */
	O_TLS13 = 1 << 29,	    /* it offered TLS 1.3 */
	O_RETRY = 1 << 30,	    /* a HelloRetryRequest came */
	O_ILLEGAL = 1LL << 31,	    /* fatal alert 47, illegal_parameter, received */
	O_ISSUER_SENT = 1LL << 32,  /* the leaf's issuer came with it */
	O_HELLO = 1LL << 33,	    /* a ClientHello, as far as is here */
	O_ALERT = 1LL << 34,	    /* a fatal alert was received */
	/* as the server */
	O_PROXY_REQUEST = 1LL << 35,  /* what came is HTTP's CONNECT */
	O_PROXY_PROTOCOL = 1LL << 36, /* it is the header of the PROXY protocol */
	O_CLIENT_NO_CERT = 1LL << 37, /* refused, because the client has no certificate */
	O_CLIENT_REFUSED = 1LL << 38, /* refused for the certificate that it has */
	/* what the peer did before */
	O_PEER_FAILS = 1LL << 48,    /* all handshakes with this peer fail */
	O_PEER_SUCCEEDS = 1LL << 49, /* others with it, at about the same time, do not */
	O_NO_SUCCESS = 1LL << 50,    /* it is not known that any of them succeeds */
};

#define CAUSE_NUMBERS_MAX    6
#define CAUSE_CANDIDATES_MAX 6
#define CAUSE_WORDINGS_MAX   2

/* Whose failure a row is about: a word of a server and the same of a client differ in all. */
enum cause_role {
	OF_CLIENT,
	OF_SERVER,
	OF_EITHER,
};

/* Numbers a row accepts; the list ends with 0. An empty list accepts anything. */
struct cause_when {
	enum cause_role role;
	uint64_t all;				/* observations that must be there */
	uint64_t none;				/* and must not */
	uint64_t any;				/* one of which must be there; 0: none need be */
	uint16_t alert[CAUSE_NUMBERS_MAX];	/* fatal alert received */
	uint16_t alert_sent[CAUSE_NUMBERS_MAX]; /* fatal alert sent, seen or inferred */
	uint16_t reason[CAUSE_NUMBERS_MAX];	/* first OpenSSL reason */
	uint16_t verify[CAUSE_NUMBERS_MAX];	/* verify code that was asked for, or enforced */
};

struct cause_candidate {
	const char *slug;
	uint64_t all; /* named only when this was observed */
};

/* Other words for the same cause, where what the peer did before says more. */
struct cause_wording {
	uint64_t when; /* one observation; 0: there is no such wording */
	const char *doubt;
	const char *hint;
};

struct cause {
	const char *slug;
	struct cause_when when;
	/* Everybody sees that all day, and nobody has to do anything: counted, and told only when all
	 * is asked for (-v). */
	bool noise;
	enum confidence confidence;
	uint64_t high_if; /* any of these observations makes it high; 0: none */
	struct cause_candidate candidates[CAUSE_CANDIDATES_MAX];
	const char *close_kind; /* of a close here, instead of what the socket tells; or NULL */
	const char *evidence;	/* what is observed, for `tlsfail causes` */
	/* One sentence and what to do; {words} are filled in by diagnose.c. */
	const char *message;
	const char *with_cert; /* instead of it, when the certificate is known; or NULL */
	/* resumption skips what fails here, so that it can hide this cause for a while */
	bool resumption_hides;
	const char *doubt; /* appended to the message while confidence is not high, or NULL */
	const char *hint;
	struct cause_wording wordings[CAUSE_WORDINGS_MAX]; /* the first that was observed counts */
};

/* Appended to the message when a session was resumed, and the verify result came from it; and when
 * one was offered that could have been resumed. */
extern const char cause_note_resumed[];
extern const char cause_hint_resumed[]; /* appended to the hint then */
extern const char cause_note_hidden[];

extern const struct cause cause_table[];
extern const size_t cause_table_len;

/* The row with that slug, or NULL. */
const struct cause *cause_find(const char *slug);

#endif
