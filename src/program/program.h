/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of program is traced: what it calls its settings, where its configuration sets them,
 * what it logs. The diagnosis speaks through this and knows no kind by name. Pure.
 */
#ifndef TLSFAIL_PROGRAM_PROGRAM_H
#define TLSFAIL_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "finding/finding.h"

/*
 * Settings, and other things that each program calls by a name of its own:
 * X(name, the words for a program that has no name for it). Of those with "" nothing is said then.
 * {setting:name} in the rule table, name in lower case, stands for the words;
 * {with:name} for the program's name in parentheses with a space before it, and for nothing when it
 * has none.
 */
/* clang-format off */
#define PROGRAM_SETTINGS(X)                                                                        \
	/* as the client */                                                                        \
	X(ADDRESS, "the address or the port")                                                      \
	X(PLAIN, "a connection without TLS")                                                       \
	X(SEND_SNI, "have it send the server's name (SNI)")                                        \
	X(NAME, "the name it asks for")                                                      \
	X(TRUSTED_CAS, "the file of trusted CAs")                                                  \
	X(VERIFY_DEPTH, "the allowed length of the chain")                                 \
	X(CRL, "the revocation list (CRL)")                                                        \
	X(CRL_FILE, "the file of revocation lists (CRLs)")                                         \
	X(CLIENT_CERTIFICATE, "the client certificate")                                            \
	X(GIVE_CERTIFICATE, "configure a client certificate and its key")                          \
	X(CLIENT_CERTIFICATE_LOG, "check its log for why the client certificate could not be loaded") \
	X(USE_TLS, "a connection with TLS")                                                        \
	X(OFFER_ALPN, "have it offer h2 by ALPN, if that is what it is to speak")                   \
	X(PROTOCOL, "the application protocol")                                     \
	X(VERSIONS, "the allowed TLS versions")                                           \
	X(CIPHERS, "the allowed cipher suites")                                           \
	X(GROUPS, "Groups in openssl.cnf")                                                         \
	X(CLASSIC_GROUPS, "Groups = X25519:P-256:P-384 in its openssl.cnf")                        \
	X(NO_SESSION_REUSE, "turn session resumption off")                                         \
	X(LEGACY_RENEGOTIATION, "Options = UnsafeLegacyServerConnect in its openssl.cnf")          \
	X(LOWEST_SECURITY_LEVEL, "use the cipher suites DEFAULT:@SECLEVEL=0 for that server alone")    \
	X(CONNECT_TIMEOUT, "the time allowed for connecting may cover the TLS handshake too")      \
	X(KEEP_CONNECTIONS, "have it keep connections open and use them again")                    \
	X(SESSION_ORIGIN, "which may have been on another connection")                              \
	X(SESSION_APART, "")                                                                       \
	/* as the server */                                                                        \
	X(CERTIFICATE, "the server's certificate")                                                 \
	X(CERTIFICATE_FILE, "the certificate file")                                                \
	X(SECOND_CERTIFICATE, "a second certificate")                                              \
	X(CERTIFICATE_LOG, "check its log for why the certificate could not be loaded")          \
	X(SERVER_VERSIONS, "the allowed TLS versions")                                    \
	X(SERVER_CIPHERS, "the allowed cipher suites")                                    \
	X(SERVER_GROUPS, "the allowed groups")                                            \
	X(ACCEPT_PROXY_PROTOCOL, "make the server expect that header")                             \
	X(EXPECT_NO_PROXY_PROTOCOL, "")                                                            \
	X(SERVE_WITHOUT_NAME, "")                                                                  \
	X(OCSP, "")                                                                                \
	X(LOWER_SECURITY, "lower the security level of its TLS library to 0")                      \
	X(PLAIN_CLIENTS, "")                                                                       \
	X(ADD_SERVER_NAME, "make the server serve that name, if clients should ask for it")        \
	X(SERVE_PROTOCOL, "make the server support that protocol, if it should")                     \
	X(CLIENT_CAS, "a CA that is trusted here for clients")                                           \
	X(CLIENT_VERIFY_DEPTH, "the allowed length of the chain")                          \
	X(CLIENT_CRL, "the file of revocation lists (CRLs)")                                       \
	X(VERIFY_CLIENT, "its configuration")                                                      \
	X(CLIENT_CHECKS, "the length of the chain, a revocation list and OCSP")                    \
	X(CLIENT_TIMEOUT, "a timeout")                                                             \
	/* as either */                                                                            \
	X(RELOAD, "restart the program")                                                           \
	X(LOG, "its log")                                                                          \
	X(EXIT_LOG, "check its log for a crash, and for a shutdown or restart at that time")   \
	X(ABORT_LOG, "check its log at that time")
/* clang-format on */

enum program_setting {
#define PROGRAM_SETTING(name, words) SETTING_##name,
	PROGRAM_SETTINGS(PROGRAM_SETTING)
#undef PROGRAM_SETTING
	SETTING_COUNT,
};

/* What its configuration says of a handshake with a client, as bits. */
enum program_fact {
	PROGRAM_NO_GROUP = 1 << 0,     /* it allows none of the groups that the client has */
	PROGRAM_AWAITS_PROXY = 1 << 1, /* it wants a header of the PROXY protocol first */
	PROGRAM_IS_MAIL = 1 << 2,      /* it serves SMTP, IMAP or POP3 there */
	PROGRAM_OCSP = 1 << 3,	       /* it checks client certificates by OCSP */
};

/* What the configuration says about the connection that failed. */
struct program_facts {
	unsigned int place_count;    /* that connect to the peer; 0 unknown */
	bool uses_tls;		     /* a place in it connects to the peer with TLS */
	char name[FINDING_NAME_LEN]; /* whom that means: what it checks, or sends; "" unknown */
	bool is_group_name;	     /* it is the name of a group of servers, not of one */
	bool can_send_name;	     /* it could send a server's name, and sends none */
	bool trusts_issuer;	  /* who issued the last certificate that came is trusted there */
	bool depth_is_short;	  /* the chain that came is longer than it allows */
	bool client_cert_ended;	  /* its client certificate has expired, */
	bool client_cert_unfit;	  /* or is not meant for clients */
	bool client_cert_varies;  /* of a place that connects to it, it depends on a variable */
	bool others_name_another; /* or none: other places that connect to it */
	bool others_send_header;  /* other places that connect to the peer send such a header */
	bool speaks_grpc;	  /* a place that connects to it is for gRPC */
	bool sends_header;	  /* a header of the PROXY protocol goes out first */
	bool moved;		  /* its name for the peer stands for another address now */
};

/* A kind of program. All of it may be missing: then the neutral words stand. */
struct program {
	const char *name; /* of the kind, "nginx"; NULL: that of its executable */
	const char *peer; /* what it calls the server that it connects to; NULL: "server" */
	/* Its comparison of names with a certificate shows, or it closes connections without having used
	 * them for other reasons: that it did says nothing of the name. */
	bool closes_unused;
	bool compares_addresses; /* a peer that it has no name for has to have its address in it */
	/* Its words, by setting. '@' in them is what scope() gives, '@@' is '@'. */
	const char *words[SETTING_COUNT];
	/* The prefix of a setting's name at the places of its configuration that a record has. */
	const char *(*scope)(const uint8_t *places, size_t len);
	/* Its words at those places, where they are others than those above; else NULL. */
	const char *(*words_at)(enum program_setting setting, const uint8_t *places, size_t len);
	/* enum program_fact; only what is certain. Of finding, the ClientHello is looked at. */
	unsigned int (*facts)(const struct finding *finding, const uint8_t *places, size_t len);
	/* Fills in the facts, which are all zero, from such a record. The finding is complete but for its
	 * cause, and what comes of that. */
	void (*observe)(const struct finding *finding, const uint8_t *places, size_t len,
			struct program_facts *facts);
	/* Fills in finding->config from such a record, and makes finding->hint concrete. */
	void (*advise)(struct finding *finding, const uint8_t *places, size_t len);
	const char *(*log_level)(uint8_t level); /* of a line of its log */
};

/* What is known of the program that failed. */
struct program_view {
	const struct program *program; /* NULL: of no known kind */
	const uint8_t *places;	       /* of its configuration, as its kind records them; or NULL */
	size_t places_len;
	const char *executable; /* its name; "" unknown */
};

/* "nginx"; the name of the executable; "the program". */
void program_add_name(struct text *t, const struct program_view *view);

/* "upstream", "server" */
void program_add_peer(struct text *t, const struct program_view *view);

/* Of a word such as "verify_depth", of len bytes; false when there is no such setting. With
 * in_parentheses for {with:word}. */
bool program_add_setting(struct text *t, const struct program_view *view, const char *word,
			 size_t len, bool in_parentheses);

/* Appends the text with what is in braces and the program's filled in; other braces stay. */
void program_add_words(struct text *t, const struct program_view *view, const char *words);

/* One {word} of a text, without its braces: true when it was the program's, and appended. */
bool program_add_word(struct text *t, const struct program_view *view, const char *word,
		      size_t len);

#endif
