/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer accepts. The server picks, the pick is taken off the list, and it is asked again; so each
 * thing costs one connection, and one more tells that there is nothing left.
 */
#ifndef TLSFAIL_PROBE_ENUMERATE_H
#define TLSFAIL_PROBE_ENUMERATE_H

#include "finding/finding.h"
#include "probe/answer.h"
#include "probe/vary.h"

#define ENUMERATE_VERSIONS    5
#define ENUMERATE_CIPHERS_MAX 160
#define ENUMERATE_GROUPS_MAX  40
#define ENUMERATE_SCHEMES_MAX 24
#define ENUMERATE_NAMES_MAX   4

/* ORDER_MIXED: it is the server's, but depends on that of the client. */
enum enumerate_order {
	ORDER_UNKNOWN,
	ORDER_SERVER,
	ORDER_CLIENT,
	ORDER_MIXED
};

struct enumerated {
	uint16_t version;
	bool accepted;
	struct answer refusal; /* how the last offer was refused */
	unsigned int cipher_count;
	uint16_t ciphers[ENUMERATE_CIPHERS_MAX];
	enum enumerate_order order;
	unsigned int dh_bits; /* the smallest of DHE, 0 none */
	unsigned int group_count;
	uint16_t groups[ENUMERATE_GROUPS_MAX];
	unsigned int scheme_count;
	uint16_t schemes[ENUMERATE_SCHEMES_MAX];
	bool resumes; /* an earlier session */
	bool resumption_tried;
};

/* What became of a handshake with another server name. */
enum enumerate_name {
	NAME_UNTRIED,
	NAME_SAME,  /* the same certificate */
	NAME_OTHER, /* another one */
	NAME_REFUSED,
};

struct enumeration {
	unsigned int connections;
	unsigned int suite_connections; /* of them, for versions and cipher suites */
	bool interrupted;
	struct enumerated versions[ENUMERATE_VERSIONS]; /* highest first */
	unsigned int alpn_count;
	char alpn[ENUMERATE_NAMES_MAX][64];
	enum enumerate_name without_name;
	enum enumerate_name strange_name;
	char other_subject[256]; /* of the certificate without a name, when it is another one */
	bool large_tried;
	struct answer large; /* to a hello that takes two packets */
	bool shaken;	     /* one handshake worked; what follows is about it */
	bool stapled;
	int staple_status;
	bool certificate_requested;
	unsigned int ca_name_count;
	char ca_names[HANDSHAKE_CA_NAMES_MAX][256];
	size_t cert_count;
	uint32_t sent_count; /* certificates that were sent; the first TLSFAIL_CERTS_MAX are here */
	struct x509_view certs[TLSFAIL_CERTS_MAX];
	bool chain_linked;   /* each is the issuer of the one before */
	bool chain_complete; /* and the last one's issuer is trusted by this host, or it is a root */
};

/* Fills in *e. client says the name, what comes before TLS, and the certificate. */
void enumerate(const struct client *client, const struct dial_peer *peer,
	       const struct vary_options *options, struct enumeration *e);

#endif
