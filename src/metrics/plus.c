// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a failure counts as is in tables: by cause, by the alert that was received, and by the verify
 * code of X509_V_ERR_... (https://nginx.org/en/docs/http/ngx_http_api_module.html#def_nginx_ssl_object).
 */
#include "metrics/plus.h"

#include <string.h>

#include "base/estate.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* -- what a failure counts as ------------------------------------------------------------------ */

struct number_counter {
	int number;
	enum plus_counter counter;
};

static const struct number_counter by_verify_code[] = {
	{ 10, PLUS_EXPIRED_CERT }, /* X509_V_ERR_CERT_HAS_EXPIRED */
	{ 23, PLUS_REVOKED_CERT }, /* X509_V_ERR_CERT_REVOKED */
	{ 62, PLUS_HOSTNAME_MISMATCH },
};

/* RFC 8446, section 6.2: what is said of a certificate. */
static const struct number_counter by_alert_received[] = {
	{ 42, PLUS_PEER_REJECTED_CERT }, { 43, PLUS_PEER_REJECTED_CERT },
	{ 44, PLUS_PEER_REJECTED_CERT }, { 45, PLUS_PEER_REJECTED_CERT },
	{ 46, PLUS_PEER_REJECTED_CERT }, { 48, PLUS_PEER_REJECTED_CERT },
	{ 70, PLUS_NO_COMMON_PROTOCOL },
};

static const struct {
	const char *cause;
	enum plus_counter counter;
} by_cause[] = {
	{ "client-protocol-too-old", PLUS_NO_COMMON_PROTOCOL },
	{ "server-protocol-too-old", PLUS_NO_COMMON_PROTOCOL },
	{ "protocol-version-rejected", PLUS_NO_COMMON_PROTOCOL },
	{ "protocol-version-too-old", PLUS_NO_COMMON_PROTOCOL },
	{ "no-protocols-available", PLUS_NO_COMMON_PROTOCOL },
	{ "server-no-shared-cipher", PLUS_NO_COMMON_CIPHER },
	{ "cipher-mismatch", PLUS_NO_COMMON_CIPHER },
	{ "client-handshake-timeout", PLUS_HANDSHAKE_TIMEOUT },
	{ "handshake-timeout", PLUS_HANDSHAKE_TIMEOUT },
	{ "handshake-blackholed", PLUS_HANDSHAKE_TIMEOUT },
	{ "client-cert-missing", PLUS_NO_CERT },
	{ "verify-hostname-mismatch", PLUS_HOSTNAME_MISMATCH },
	{ "client-cert-verify-failed", PLUS_OTHER },
};

static enum plus_counter number_find(const struct number_counter *table, size_t len, int number,
				     enum plus_counter otherwise)
{
	for (size_t i = 0; i < len; i++)
		if (table[i].number == number)
			return table[i].counter;
	return otherwise;
}

/* PLUS_COUNTER_COUNT: as a failure, and as nothing else. */
static enum plus_counter counter_of(const struct finding *f)
{
	enum plus_counter counter = PLUS_COUNTER_COUNT;

	if (f->verify.known && f->verify.enforced && f->verify.code)
		return number_find(by_verify_code, ARRAY_LEN(by_verify_code), f->verify.code,
				   PLUS_OTHER);
	if (f->alert.known && f->alert.received)
		counter = number_find(by_alert_received, ARRAY_LEN(by_alert_received),
				      f->alert.code, counter);
	for (size_t i = 0; i < ARRAY_LEN(by_cause) && counter == PLUS_COUNTER_COUNT; i++)
		if (!strcmp(by_cause[i].cause, f->cause))
			counter = by_cause[i].counter;
	return counter;
}

/* -- rows -------------------------------------------------------------------------------------- */

static void endpoint_print(char *buf, const struct finding_endpoint *endpoint)
{
	struct text t;

	text_init(&t, buf, PLUS_LABEL_LEN);
	text_addf(&t, strchr(endpoint->address, ':') ? "[%s]:%u" : "%s:%u", endpoint->address,
		  endpoint->port);
}

/* The first word of server_name, the name of the upstream block; else where it listens. */
static void name_print(char *buf, const struct finding *f, const struct finding_endpoint *endpoint,
		       const char *words)
{
	size_t len = strcspn(words, " ");

	if (!f->config.place_count || !len || len >= PLUS_LABEL_LEN) {
		endpoint_print(buf, endpoint);
		return;
	}
	memcpy(buf, words, len);
	buf[len] = '\0';
}

static struct plus_row *row_get(struct plus *plus, enum plus_kind kind, const struct plus_row *key)
{
	struct plus_row *row;

	for (unsigned int i = 0; i < plus->count[kind]; i++) {
		row = &plus->rows[kind][i];
		if (!strcmp(row->name, key->name) && !strcmp(row->server, key->server))
			return row;
	}
	if (plus->count[kind] == PLUS_ROWS_MAX)
		return &plus->others[kind];
	row = &plus->rows[kind][plus->count[kind]++];
	*row = *key;
	return row;
}

static bool row_is_sound(const struct plus_row *row)
{
	return estate_is_string(row->name, sizeof(row->name)) &&
	       estate_is_string(row->server, sizeof(row->server));
}

bool plus_is_sound(const struct plus *plus)
{
	for (int kind = 0; kind < PLUS_KIND_COUNT; kind++) {
		if (plus->count[kind] > PLUS_ROWS_MAX || !row_is_sound(&plus->others[kind]))
			return false;
		for (unsigned int i = 0; i < plus->count[kind]; i++)
			if (!row_is_sound(&plus->rows[kind][i]))
				return false;
	}
	return true;
}

void plus_failure(struct plus *plus, const struct finding *f)
{
	bool server = !strcmp(f->role, "server");
	enum plus_kind kind = server ? PLUS_SERVER_ZONE : PLUS_UPSTREAM_SERVER;
	enum plus_counter counter = counter_of(f);
	struct plus_row key = { 0 }, *row;

	/* A given-up or unbegun handshake is no failed one. */
	if (strncmp(f->executable_name, "nginx", strlen("nginx")) != 0 || f->noise ||
	    !strcmp(f->cause, "local-abort") || !strcmp(f->phase, "connect"))
		return;
	if (!server)
		endpoint_print(key.server, &f->peer);
	name_print(key.name, f, server ? &f->local : &f->peer,
		   server ? f->config.places[0].server : f->config.places[0].upstream);
	row = row_get(plus, kind, &key);
	plus->failed++;
	row->n[PLUS_HANDSHAKES_FAILED]++;
	if (counter != PLUS_COUNTER_COUNT)
		row->n[counter]++;
}

void plus_succeeded(struct plus *plus, const struct finding_endpoint *peer, uint64_t handshakes)
{
	char server[PLUS_LABEL_LEN];

	endpoint_print(server, peer);
	for (unsigned int i = 0; i < plus->count[PLUS_UPSTREAM_SERVER]; i++) {
		struct plus_row *row = &plus->rows[PLUS_UPSTREAM_SERVER][i];

		if (!strcmp(row->server, server) && handshakes > row->n[PLUS_HANDSHAKES])
			row->n[PLUS_HANDSHAKES] = handshakes;
	}
}

/* -- the page ---------------------------------------------------------------------------------- */

struct family {
	enum plus_counter counter;
	const char *name[PLUS_KIND_COUNT]; /* NULL: it is not known of that kind */
	const char *help;
};

#define NAMES(name)                                                                                \
	{                                                                                          \
		"nginxplus_server_zone_ssl_" name, "nginxplus_upstream_server_ssl_" name           \
	}

static const struct family families[] = {
	{ PLUS_HANDSHAKES,
	  { NULL, "nginxplus_upstream_server_ssl_handshakes" },
	  "Successful SSL handshakes." },
	{ PLUS_HANDSHAKES_FAILED, NAMES("handshakes_failed"), "Failed SSL handshakes." },
	{ PLUS_NO_COMMON_PROTOCOL, NAMES("no_common_protocol"),
	  "SSL handshakes that failed because there was no common protocol." },
	{ PLUS_NO_COMMON_CIPHER, NAMES("no_common_cipher"),
	  "SSL handshakes that failed because there was no shared cipher." },
	{ PLUS_HANDSHAKE_TIMEOUT, NAMES("handshake_timeout"),
	  "SSL handshakes that failed because of a timeout." },
	{ PLUS_PEER_REJECTED_CERT, NAMES("peer_rejected_cert"),
	  "SSL handshakes in which the peer rejected the certificate with an alert." },
};

static const char *const verify_families[PLUS_KIND_COUNT] = NAMES("verify_failures");

static const struct {
	enum plus_counter counter;
	const char *reason;
} verify_reasons[] = {
	{ PLUS_NO_CERT, "no_cert" },
	{ PLUS_EXPIRED_CERT, "expired_cert" },
	{ PLUS_REVOKED_CERT, "revoked_cert" },
	{ PLUS_HOSTNAME_MISMATCH, "hostname_mismatch" },
	{ PLUS_OTHER, "other" },
};

static void sample_write(struct exposition *e, enum plus_kind kind, const struct plus_row *row,
			 enum plus_counter counter, const char *reason)
{
	const char *name = row->name[0] ? row->name : "other";
	const char *server = row->server[0] ? row->server : "other";
	const struct exposition_label of_zone[] = { { "server_zone", name },
						    { "reason", reason },
						    { 0 } };
	const struct exposition_label of_peer[] = {
		{ "upstream", name }, { "server", server }, { "reason", reason }, { 0 }
	};

	exposition_integer(e, kind == PLUS_SERVER_ZONE ? of_zone : of_peer, row->n[counter]);
}

static void rows_write(const struct plus *plus, struct exposition *e, enum plus_kind kind,
		       enum plus_counter counter, const char *reason)
{
	for (unsigned int i = 0; i < plus->count[kind]; i++)
		sample_write(e, kind, &plus->rows[kind][i], counter, reason);
	if (plus->others[kind].n[PLUS_HANDSHAKES_FAILED])
		sample_write(e, kind, &plus->others[kind], counter, reason);
}

void plus_write(const struct plus *plus, struct exposition *e, uint64_t handshakes)
{
	exposition_family(e, EXPOSITION_UNKNOWN, "nginxplus_ssl_handshakes", NULL,
			  "Successful SSL handshakes.");
	exposition_integer(e, NULL, handshakes);
	exposition_family(e, EXPOSITION_UNKNOWN, "nginxplus_ssl_handshakes_failed", NULL,
			  "Failed SSL handshakes.");
	exposition_integer(e, NULL, plus->failed);
	for (int kind = 0; kind < PLUS_KIND_COUNT; kind++) {
		for (size_t i = 0; i < ARRAY_LEN(families); i++) {
			if (!families[i].name[kind])
				continue;
			exposition_family(e, EXPOSITION_UNKNOWN, families[i].name[kind], NULL,
					  families[i].help);
			rows_write(plus, e, kind, families[i].counter, NULL);
		}
		exposition_family(e, EXPOSITION_UNKNOWN, verify_families[kind], NULL,
				  "Certificates that failed verification, by why.");
		for (size_t i = 0; i < ARRAY_LEN(verify_reasons); i++)
			rows_write(plus, e, kind, verify_reasons[i].counter,
				   verify_reasons[i].reason);
	}
}
