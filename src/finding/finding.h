/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A finding: what the sinks see. Everything in it is decoded, escaped text or plain numbers, so
 * that a sink formats and judges nothing. A fact that is unknown is absent: an empty string, a
 * false has_..., a count of 0.
 */
#ifndef TLSFAIL_FINDING_FINDING_H
#define TLSFAIL_FINDING_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/library.h"

#define FINDING_SCHEMA_VERSION 1

#define FINDING_ADDRESS_LEN    48
#define FINDING_NAME_LEN       256
#define FINDING_MESSAGE_LEN    512
#define FINDING_HINT_LEN       1024
#define FINDING_PATH_LEN       4096
#define FINDING_CANDIDATES_MAX 6
#define FINDING_EVIDENCE_MAX   38
#define FINDING_EVIDENCE_LEN   400 /* a host name, or a DN, and some words */
#define FINDING_VERSIONS_MAX   6
#define FINDING_SAN_MAX	       8
#define FINDING_CIPHERS_MAX    64
#define FINDING_GROUPS_MAX     32
#define FINDING_SCHEMES_MAX    48
#define FINDING_KEY_SHARES_MAX 4
#define FINDING_ALPN_MAX       8
#define FINDING_PROTOCOL_LEN   64
#define FINDING_TIMELINE_MAX   40
#define FINDING_LOG_LEN	       4096
#define FINDING_PLACES_MAX     8
#define FINDING_SETTINGS_MAX   20
#define FINDING_SETTING_LEN    320
#define FINDING_PATCH_LEN      8192

enum confidence {
	CONFIDENCE_LOW,
	CONFIDENCE_MEDIUM,
	CONFIDENCE_HIGH,
	CONFIDENCE_PROVEN, /* a probe has shown it */
};

/* Who has to do something about it. */
enum responsible {
	RESPONSIBLE_UNKNOWN, /* more than one can be */
	RESPONSIBLE_THIS_HOST,
	RESPONSIBLE_UPSTREAM,
	RESPONSIBLE_CLIENT,
	RESPONSIBLE_NETWORK,
};

enum finding_kind {
	FINDING_FAILURE, /* event.name tls.handshake.failure */
	FINDING_LOSS,	 /* event.name tlsfail.loss: records were lost */
	/* of a healthy handshake: tls.certificate.seen, tls.certificate.expiring, and
	 * tls.certificate.unsent, of a client certificate that was asked for */
	FINDING_CERTIFICATE_SEEN,
	FINDING_CERTIFICATE_EXPIRING,
	FINDING_CERTIFICATE_UNSENT,
	FINDING_RECOVERED, /* event.name tlsfail.peer.recovered: a peer that failed works again */
	FINDING_SUMMARY,   /* event.name tlsfail.summary: how a peer stood */
	FINDING_CONFIRMED, /* event.name tls.handshake.confirmed: a probe has settled a failure that
			    * was told */
	FINDING_PLAINTEXT, /* event.name tls.plaintext.sent: a peer expects TLS, and got none */
	FINDING_FOLDED,	   /* event.name tlsfail.folded: more failures of a kind that was told */
};

struct finding_endpoint {
	char address[FINDING_ADDRESS_LEN];
	uint16_t port;
};

struct finding_alert {
	bool known;
	bool received; /* else sent */
	bool inferred; /* concluded from the error, not seen */
	bool fatal;
	uint8_t code;
	const char *name; /* IANA name, NULL when unassigned */
};

struct finding_openssl {
	const char *library;  /* whose numbers they are, "OpenSSL" */
	uint32_t reason_code; /* 0: none */
	const char *reason;   /* constant words for the number, NULL when unknown */
	char function[64];    /* that raised it */
	char version[64];     /* of the library */
};

struct finding_verify {
	bool known;
	bool enforced; /* the program asked for the result */
	int32_t code;
	const char *name;  /* X509_V_ERR_... in lower case without the prefix, NULL when unknown */
	const char *words; /* what it says; NULL when unknown */
	enum tls_verify result; /* asked for, or concluded */
};

/* A name that the program compared with those in the peer's certificate. */
struct finding_name_check {
	bool known;
	bool refused;
	bool cut; /* it is longer than what is kept */
	char name[FINDING_NAME_LEN];
};

/* A number of TLS. */
struct finding_code {
	uint16_t number;
	const char *name; /* IANA's, NULL when it has none */
};

/* The ClientHello, where it could be read. Of each list there may have been more than is kept. */
struct finding_hello {
	bool known;
	bool cut; /* not all of it was kept: what is absent here may have been there */
	uint32_t length;
	unsigned int record_count; /* TLS records that it was sent in, 0 unknown */
	bool has_server_name;
	char server_name[FINDING_NAME_LEN];
	unsigned int version_count;
	const char *versions[FINDING_VERSIONS_MAX]; /* "1.3", "1.2" ... offered, highest first */
	/* offered, preferred ones first; of ciphers without the signalling values */
	unsigned int cipher_count;
	struct finding_code ciphers[FINDING_CIPHERS_MAX];
	unsigned int group_count;
	struct finding_code groups[FINDING_GROUPS_MAX];
	unsigned int scheme_count;
	struct finding_code schemes[FINDING_SCHEMES_MAX];
	unsigned int key_share_count;
	struct finding_code key_shares[FINDING_KEY_SHARES_MAX];
	unsigned int alpn_count;
	char alpn[FINDING_ALPN_MAX][FINDING_PROTOCOL_LEN];
	uint32_t key_shares_length;
	bool offers_session; /* an earlier session, to be resumed */
	uint32_t session_length;
	bool is_fallback; /* TLS_FALLBACK_SCSV: the client has tried a higher version before */
};

/* How a HelloRetryRequest broke the rules of RFC 8446, section 4.1.4. */
enum finding_retry_flaw {
	RETRY_RIGHT,
	RETRY_TWICE,
	RETRY_NOT_OFFERED, /* for a group that the client does not have */
	RETRY_NEEDLESS,	   /* for a group of which it had sent a key share */
};

/* The second ClientHello, after a HelloRetryRequest. */
struct finding_second_hello {
	uint32_t length;	       /* 0: there was none */
	struct finding_code key_share; /* the first, which is the only one */
};

/* What the server chose. A number of 0: unknown. */
struct finding_choice {
	struct finding_code cipher;
	struct finding_code group;
	unsigned int dh_bits; /* size of the prime of DHE, 0 none, or unknown */
	char next_protocol[FINDING_PROTOCOL_LEN];
	bool has_resumed;
	bool resumed;
	unsigned int retry_count;	 /* HelloRetryRequests before it */
	struct finding_code retry_group; /* that the first one asked for */
	enum finding_retry_flaw retry_flaw;
};

/* The certificate that the finding is about: the peer's leaf, or the one that is at fault. */
struct finding_certificate {
	bool known;
	bool cut; /* it is longer than what is kept: its names and its hash are not known */
	/* It did not come with this handshake, which resumed a session: the peer showed it then. */
	uint64_t seen_ns;
	char subject[FINDING_NAME_LEN];
	char issuer[FINDING_NAME_LEN];
	char common_name[128];
	bool has_validity;
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
	unsigned int name_count; /* subject alternative names; the first of them are kept */
	char names[FINDING_SAN_MAX][128];
	char key[32];	       /* "EC", "RSA" ..., "" unknown */
	unsigned int key_bits; /* 0 unknown */
	char signature[64];    /* algorithm of the issuer's signature, "" unknown */
	char sha256[65];
	unsigned int chain_length;	   /* certificates that the peer sent */
	char top_issuer[FINDING_NAME_LEN]; /* of the last of them; "" unknown */
	bool has_issuer_sent;
	bool issuer_sent; /* the certificate of its issuer was among them */
};

/* One step of the connection. */
struct finding_event {
	uint64_t t_ns;	 /* since the start of the connection */
	const char *dir; /* "sent", "received", "local" */
	char what[160];
};

struct finding_tcp {
	bool known;
	bool has_rtt;
	uint64_t rtt_ns;
	uint32_t retransmits;
	bool has_hello_acked;
	bool hello_acked;
};

/* What nginx itself logged of it. */
struct finding_log_line {
	bool known;
	const char *level; /* "error" */
	char message[FINDING_LOG_LEN];
	char file[FINDING_PATH_LEN];
	uint64_t connection; /* nginx's number of the client's connection, 0 unknown */
};

/* A place in nginx's configuration that passes to the peer. */
struct finding_place {
	char file[FINDING_NAME_LEN];
	uint32_t line;
	char location[FINDING_NAME_LEN]; /* "location = /x", or "server" */
	char server[FINDING_NAME_LEN];	 /* its server_name */
	char upstream[FINDING_NAME_LEN]; /* the upstream block that it passes to, "" none */
};

/* Nothing is known when there are no places. */
struct finding_config {
	unsigned int place_count;
	struct finding_place places[FINDING_PLACES_MAX];
	unsigned int more;     /* places that match, too */
	const char *certainty; /* "certain", "likely", "possible" */
	bool changed;	       /* the configuration is younger than the worker */
	unsigned int setting_count;
	/* at the first of the places, "proxy_ssl_verify on" */
	char settings[FINDING_SETTINGS_MAX][FINDING_SETTING_LEN];
	char patch[FINDING_PATCH_LEN]; /* unified diff, "" none */
	const char *review; /* why somebody has to think before it is applied; NULL: it is safe */
};

enum finding_peer_state {
	FINDING_PEER_OK,
	FINDING_PEER_FLAPPING, /* handshakes fail, and others succeed */
	FINDING_PEER_FAILING,  /* handshakes fail, and none succeeds */
	FINDING_PEER_RECOVERED,
};

/* How handshakes with the peer went. Times are CLOCK_REALTIME in ns, 0 unknown, or never. */
struct finding_peer {
	bool known;
	enum finding_peer_state state;
	uint64_t since_ns; /* from then on, so many have ended, and so many of them failed */
	uint64_t handshakes;
	uint64_t failures;
	uint64_t failing_since_ns; /* from then on none has succeeded, and so many have failed */
	uint64_t failures_in_row;
	uint64_t last_success_ns;
	/* FINDING_SUMMARY only */
	bool first;	    /* of the peers of a summary */
	bool whole;	    /* it is about the whole run, else about what came since the last one */
	unsigned int peers; /* of an upstream group that is summed up; 0: it is a peer */
	char upstream[64];  /* name of the group, "" unknown */
	uint64_t retried;   /* failures that were followed by another attempt, inferred */
	uint64_t cause_count; /* failures of the finding's cause */
};

struct finding_loss {
	uint64_t findings;  /* failures lost on the way to the collector */
	uint64_t wires;	    /* evidence bytes lost */
	uint64_t untracked; /* connections never followed: the table was full */
	uint64_t processes; /* process starts lost */
	uint64_t output;    /* events that the output did not take */
};

struct finding {
	enum finding_kind kind;
	uint64_t time_ns;     /* CLOCK_REALTIME, when the failure was complete */
	uint64_t duration_ns; /* from connect to the end */

	const char *cause; /* slug */
	bool nothing;	   /* it has not failed, and nothing is known against it */
	bool noise;	   /* nobody has to do anything: not for those who want to act */
	enum confidence confidence;
	enum responsible responsible;
	unsigned int candidate_count;
	const char *candidates[FINDING_CANDIDATES_MAX]; /* other slugs, likeliest first */
	char message[FINDING_MESSAGE_LEN];		/* one sentence */
	char hint[FINDING_HINT_LEN];			/* what to do */
	unsigned int contradictions; /* causes withdrawn, as these facts contradict them */
	unsigned int wording; /* which words of the cause these are: other evidence, other words */
	unsigned int evidence_count;
	char evidence[FINDING_EVIDENCE_MAX][FINDING_EVIDENCE_LEN];

	char confirmed[FINDING_EVIDENCE_LEN]; /* what a probe has shown, "" nothing */

	const char *role;      /* "client", "server" */
	const char *phase;     /* connect, hello, certificate, finished, post_handshake */
	const char *closed_by; /* "local", "peer", NULL unknown */
	const char *close_kind;
	uint64_t bytes_sent;
	uint64_t bytes_received;
	char first_bytes[2 * 16 + 1]; /* hex */
	bool has_bytes_before_hello;
	uint64_t bytes_before_hello; /* sent in clear, as the header of the PROXY protocol is */

	bool established;	      /* the handshake had completed on our side */
	const char *protocol_version; /* negotiated: "1.2", "1.3"; NULL unknown */
	bool has_certificate_requested;
	bool certificate_requested;
	bool has_certificate_sent;
	bool certificate_sent;

	struct finding_hello hello;
	struct finding_second_hello second_hello;
	struct finding_choice choice;
	struct finding_alert alert;
	struct finding_openssl openssl;
	struct finding_verify verify;
	struct finding_name_check name_check;
	struct finding_certificate certificate;
	struct finding_tcp tcp;
	struct finding_log_line log_line;

	unsigned int timeline_count;
	struct finding_event timeline[FINDING_TIMELINE_MAX]; /* in the order of time */

	const char *network_type; /* "ipv4", "ipv6" */
	struct finding_endpoint local;
	struct finding_endpoint peer;
	struct finding_peer history; /* of the peer */
	/* Attempts that belong together, as nginx tries the servers of a pool for one request:
	 * inferred. 0: unknown. */
	uint64_t group;
	unsigned int attempt;

	uint64_t netns;	       /* inode of the process's network namespace, 0 unknown */
	char container_id[65]; /* of the container that it is in, "" none or unknown */
	uint32_t pid;
	char executable_path[FINDING_PATH_LEN];
	char executable_name[FINDING_NAME_LEN];
	char host_name[FINDING_NAME_LEN];

	struct finding_config config;

	struct finding_loss loss; /* FINDING_LOSS only */
	uint64_t suppressed;	  /* FINDING_FOLDED only: how many, within duration_ns */
};

#endif
