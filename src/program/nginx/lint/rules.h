/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules are made of: the places that pass to upstreams by TLS, the addresses that servers
 * listen at, what a setting is at a block, the certificates in a file.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LINT_RULES_H
#define TLSFAIL_PROGRAM_NGINX_LINT_RULES_H

#include "program/nginx/lint/lint.h"
#include "program/nginx/url.h"
#include "tls/x509view.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define LINT_CERTS_MAX	 32
#define LINT_MISSING_MAX 256

typedef const struct nginxconf_directive directive;

/* A place that passes. */
struct lint_place {
	directive *pass;    /* proxy_pass ... */
	directive *block;   /* that it stands in */
	const char *prefix; /* of its settings, "proxy_" */
	bool stream;
	bool tls;
	const char *target; /* without its scheme */
	bool symbolic;	    /* it has a variable */
	struct nginxtarget url;
	directive *upstream; /* block of that name, or NULL */
};

/* A listen directive in a server of http, stream or mail. */
struct lint_listen {
	directive *listen;
	directive *server;
	const char *module; /* "http", "stream", "mail" */
	char address[64];   /* as nginx would have it: "*:443" */
	bool ssl, proxy_protocol, is_default, udp;
};

struct lint {
	const struct nginxconf *conf;
	const struct lint_settings *settings;
	struct lint_place *places;
	size_t place_count;
	directive **upstreams; /* blocks of that name */
	size_t upstream_count;
	struct lint_listen *listens;
	size_t listen_count;
	struct lint_finding *findings;
	size_t count;
	size_t missing;
	directive *missing_of[LINT_MISSING_MAX]; /* that name them */
	const struct lint_rule *rule;		 /* that is looking */
	bool interrupted;
	bool located; /* the place that was asked for is there */
	bool failed;  /* out of memory */
};

/* Certificates of a file, as far as they were read. */
struct lint_certs {
	bool read; /* the file could be */
	size_t count, more;
	struct x509_view items[LINT_CERTS_MAX];
	unsigned char key_ids[LINT_CERTS_MAX][32]; /* SHA-256 of their public keys */
};

/* The directive that sets it for the block, from the inside out; NULL: none does. */
directive *lint_setting(directive *block, const char *prefix, const char *name);

/* Is it set to that word? */
bool lint_is(directive *block, const char *prefix, const char *name, const char *word);

/* The next directive of the whole configuration after this one, in its order; NULL: none. */
directive *lint_next(directive *d);

/* Is it inside of a block of that name? */
bool lint_inside(directive *d, const char *name);

/* Adds a finding, unless the configuration asks to ignore it there. The words are as printf has
 * them. NULL: there is no room. */
struct lint_finding *lint_add(struct lint *lint, const struct lint_rule *rule, directive *at,
			      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Proposes directives behind `at`, or instead of it. */
void lint_propose(struct lint_finding *finding, enum lint_edit_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* May it go on? Else it has been interrupted, and it stays so. */
bool lint_goes_on(struct lint *lint);

/* Reads the certificates that a directive names; nothing of a variable or of "data:". */
struct lint_certs *lint_certs_read(struct lint *lint, directive *d);

/* Is the private key in that file the one of the public key? -1: not known. */
int lint_key_fits(struct lint *lint, directive *d, const unsigned char key_id[32]);

/* Does the file hold a key that asks for a password? */
bool lint_key_has_password(struct lint *lint, directive *d);

/* "2026-11-21" */
void lint_day(int64_t seconds, char day[16]);

/* The tables, one a file. */
extern const struct lint_rule lint_upstream_rules[];
extern const size_t lint_upstream_rule_count;
extern const struct lint_rule lint_server_rules[];
extern const size_t lint_server_rule_count;
extern const struct lint_rule lint_file_rules[];
extern const size_t lint_file_rule_count;

#endif
