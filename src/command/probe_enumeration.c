// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of names, best first as the server has them.
 */
#include "command/probe_enumeration.h"

#include <openssl/ocsp.h>
#include <string.h>

#include "tls/names.h"
#include "base/calendar.h"

#define INDENT 4

typedef const char *name_fn(uint16_t number);

static void number_name(char buf[64], name_fn *name, uint16_t number)
{
	struct text t;

	text_init(&t, buf, 64);
	if (name(number))
		text_add(&t, name(number));
	else
		text_addf(&t, "0x%04x", number);
}

static const char *version_words(uint16_t version)
{
	return version == TLS_VERSION_SSL3  ? "SSL 3.0"
	       : version == TLS_VERSION_1_0 ? "TLS 1.0"
	       : version == TLS_VERSION_1_1 ? "TLS 1.1"
	       : version == TLS_VERSION_1_2 ? "TLS 1.2"
					    : "TLS 1.3";
}

static const char *order_name(enum enumerate_order order)
{
	return order == ORDER_SERVER ? "server" : order == ORDER_CLIENT ? "client" : "mixed";
}

/* How an answer that is no ServerHello looks. */
static void answer_words(struct text *t, const struct answer *a)
{
	static const char *const words[] = {
		[ANSWER_NONE] = "no answer",	  [ANSWER_HELLO] = "answered",
		[ANSWER_NOT_TLS] = "no TLS",	  [ANSWER_CLOSED] = "closed",
		[ANSWER_RESET] = "reset",	  [ANSWER_SILENT] = "silence",
		[ANSWER_FLOOD] = "endless bytes", [ANSWER_NO_CONNECTION] = "no connection",
		[ANSWER_ALERT] = "alert",
	};

	text_add(t, words[a->kind]);
	if (a->kind == ANSWER_ALERT)
		text_addf(t, " %u%s%s", a->alert, tls_alert_name(a->alert) ? " " : "",
			  tls_alert_name(a->alert) ? tls_alert_name(a->alert) : "");
}

static const char *name_words(enum enumerate_name name)
{
	return name == NAME_SAME    ? "the same certificate"
	       : name == NAME_OTHER ? "another certificate"
				    : "refused";
}

static const char *staple_words(int status)
{
	return status == V_OCSP_CERTSTATUS_GOOD	     ? "good"
	       : status == V_OCSP_CERTSTATUS_REVOKED ? "revoked"
						     : "unknown";
}

/* -- text -------------------------------------------------------------------------------------- */

static void line_begin(struct text *t, const char *what)
{
	text_addf(t, "%*s%-20s ", INDENT, "", what);
}

static void wrapped_line(struct text *t, const char *what, const char *words)
{
	line_begin(t, what);
	text_add_wrapped(t, INDENT + 21, words, "", "");
	text_add(t, "\n");
}

static void list_line(struct text *t, const char *what, name_fn *name, const uint16_t *numbers,
		      unsigned int count)
{
	char words[8192], buf[64];
	struct text w;

	if (!count)
		return;
	text_init(&w, words, sizeof(words));
	for (unsigned int i = 0; i < count; i++) {
		number_name(buf, name, numbers[i]);
		text_addf(&w, "%s%s", i ? ", " : "", buf);
	}
	wrapped_line(t, what, words);
}

static void version_text(struct text *t, const struct enumerated *v)
{
	text_addf(t, "  %s: ", version_words(v->version));
	if (!v->accepted) {
		text_add(t, "no (");
		answer_words(t, &v->refusal);
		text_add(t, ")\n");
		return;
	}
	text_add(t, "yes\n");
	list_line(t, "cipher suites", tls_cipher_name, v->ciphers, v->cipher_count);
	if (v->order == ORDER_SERVER || v->order == ORDER_CLIENT) {
		line_begin(t, "order");
		text_addf(t, "the %s's\n", order_name(v->order));
	}
	list_line(t, "groups", tls_group_name, v->groups, v->group_count);
	list_line(t, "signatures", tls_scheme_name, v->schemes, v->scheme_count);
	if (v->dh_bits) {
		line_begin(t, "DH prime");
		text_addf(t, "%u bits\n", v->dh_bits);
	}
	if (v->resumption_tried) {
		line_begin(t, "resumption");
		text_add(t, v->resumes ? "yes\n" : "no\n");
	}
}

static void chain_text(struct text *t, const struct enumeration *e)
{
	char words[1024];
	struct text w;

	for (size_t i = 0; i < e->cert_count; i++) {
		text_init(&w, words, sizeof(words));
		text_addf(&w, "%s, issued by %s", e->certs[i].subject, e->certs[i].issuer);
		if (e->certs[i].has_validity) {
			text_add(&w, ", from ");
			calendar_add_words(&w, e->certs[i].not_before);
			text_add(&w, " to ");
			calendar_add_words(&w, e->certs[i].not_after);
		}
		wrapped_line(t, i ? "" : "chain", words);
	}
	if (e->cert_count)
		wrapped_line(t, "",
			     !e->chain_linked ? "not in order, or a certificate is missing in "
						"between"
			     : e->chain_complete
				     ? "complete"
				     : "this host does not trust the issuer of the last "
				       "certificate: an intermediate is missing, or the CA is "
				       "private");
}

static void rest_text(struct text *t, const struct enumeration *e)
{
	char words[4096];
	struct text w;

	text_init(&w, words, sizeof(words));
	for (unsigned int i = 0; i < e->alpn_count; i++)
		text_addf(&w, "%s%s", i ? ", " : "", e->alpn[i]);
	if (*words || !e->interrupted)
		wrapped_line(t, "ALPN", *words ? words : "none");
	if (e->without_name != NAME_UNTRIED)
		wrapped_line(t, "without SNI", name_words(e->without_name));
	if (e->strange_name != NAME_UNTRIED)
		wrapped_line(t, "unknown SNI", name_words(e->strange_name));
	text_init(&w, words, sizeof(words));
	text_add(&w, e->certificate_requested ? "requested" : "not requested");
	for (unsigned int i = 0; i < e->ca_name_count; i++)
		text_addf(&w, "%s%s", i ? ", " : "; accepted CAs: ", e->ca_names[i]);
	wrapped_line(t, "client certificate", words);
	wrapped_line(t, "OCSP stapling", e->stapled ? staple_words(e->staple_status) : "no");
	chain_text(t, e);
}

void probe_enumeration_text(struct text *t, const struct enumeration *e)
{
	for (size_t i = 0; i < ENUMERATE_VERSIONS; i++)
		if (e->versions[i].accepted || e->versions[i].refusal.kind != ANSWER_NONE)
			version_text(t, &e->versions[i]);
	if (e->large_tried) {
		line_begin(t, "large ClientHello");
		answer_words(t, &e->large);
		text_add(t, "\n");
	}
	if (e->shaken)
		rest_text(t, e);
	text_addf(t, "  %u connection%s%s\n", e->connections, e->connections == 1 ? "" : "s",
		  e->interrupted ? "; interrupted: the rest was not tested" : "");
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void list_json(struct jsonout *j, const char *key, name_fn *name, const uint16_t *numbers,
		      unsigned int count)
{
	char buf[64];

	if (!count)
		return;
	jsonout_key(j, key);
	jsonout_begin(j, "[");
	for (unsigned int i = 0; i < count; i++) {
		number_name(buf, name, numbers[i]);
		jsonout_string(j, buf);
	}
	jsonout_end(j, "]");
}

static void answer_json(struct jsonout *j, const char *key, const struct answer *a)
{
	char words[64];
	struct text w;

	text_init(&w, words, sizeof(words));
	answer_words(&w, a);
	jsonout_key(j, key);
	jsonout_string(j, words);
}

static void version_json(struct jsonout *j, const struct enumerated *v)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "version");
	jsonout_string(j, tls_version_name(v->version));
	jsonout_key(j, "accepted");
	jsonout_boolean(j, v->accepted);
	if (!v->accepted)
		answer_json(j, "refusal", &v->refusal);
	list_json(j, "ciphers", tls_cipher_name, v->ciphers, v->cipher_count);
	if (v->order != ORDER_UNKNOWN) {
		jsonout_key(j, "order");
		jsonout_string(j, order_name(v->order));
	}
	list_json(j, "groups", tls_group_name, v->groups, v->group_count);
	list_json(j, "signature_schemes", tls_scheme_name, v->schemes, v->scheme_count);
	if (v->dh_bits) {
		jsonout_key(j, "dh_bits");
		jsonout_integer(j, v->dh_bits);
	}
	if (v->resumption_tried) {
		jsonout_key(j, "resumes");
		jsonout_boolean(j, v->resumes);
	}
	jsonout_end(j, "}");
}

static void time_json(struct jsonout *j, const char *key, int64_t seconds)
{
	char words[40];
	struct text w;

	text_init(&w, words, sizeof(words));
	calendar_add_words(&w, seconds);
	jsonout_key(j, key);
	jsonout_string(j, words);
}

static void chain_json(struct jsonout *j, const struct enumeration *e)
{
	jsonout_key(j, "chain");
	jsonout_begin(j, "[");
	for (size_t i = 0; i < e->cert_count; i++) {
		jsonout_begin(j, "{");
		jsonout_key(j, "subject");
		jsonout_string(j, e->certs[i].subject);
		jsonout_key(j, "issuer");
		jsonout_string(j, e->certs[i].issuer);
		if (e->certs[i].has_validity) {
			time_json(j, "not_before", e->certs[i].not_before);
			time_json(j, "not_after", e->certs[i].not_after);
		}
		jsonout_end(j, "}");
	}
	jsonout_end(j, "]");
	jsonout_key(j, "chain_complete");
	jsonout_boolean(j, e->chain_complete);
}

static void names_json(struct jsonout *j, const char *key, const char *names, size_t size,
		       unsigned int count)
{
	jsonout_key(j, key);
	jsonout_begin(j, "[");
	for (unsigned int i = 0; i < count; i++)
		jsonout_string(j, names + i * size);
	jsonout_end(j, "]");
}

static void rest_json(struct jsonout *j, const struct enumeration *e)
{
	static const char *const names[] = {
		[NAME_SAME] = "same",
		[NAME_OTHER] = "other",
		[NAME_REFUSED] = "refused",
	};

	names_json(j, "alpn", e->alpn[0], sizeof(e->alpn[0]), e->alpn_count);
	if (e->without_name != NAME_UNTRIED) {
		jsonout_key(j, "without_sni");
		jsonout_string(j, names[e->without_name]);
	}
	if (e->strange_name != NAME_UNTRIED) {
		jsonout_key(j, "unknown_sni");
		jsonout_string(j, names[e->strange_name]);
	}
	jsonout_key(j, "client_certificate_requested");
	jsonout_boolean(j, e->certificate_requested);
	names_json(j, "accepted_cas", e->ca_names[0], sizeof(e->ca_names[0]), e->ca_name_count);
	jsonout_key(j, "ocsp_stapled");
	jsonout_boolean(j, e->stapled);
	chain_json(j, e);
}

void probe_enumeration_json(struct jsonout *j, const struct enumeration *e)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "connections");
	jsonout_integer(j, e->connections);
	jsonout_key(j, "connections_for_suites");
	jsonout_integer(j, e->suite_connections);
	jsonout_key(j, "complete");
	jsonout_boolean(j, !e->interrupted);
	jsonout_key(j, "versions");
	jsonout_begin(j, "[");
	for (size_t i = 0; i < ENUMERATE_VERSIONS; i++)
		if (e->versions[i].accepted || e->versions[i].refusal.kind != ANSWER_NONE)
			version_json(j, &e->versions[i]);
	jsonout_end(j, "]");
	if (e->large_tried)
		answer_json(j, "large_hello", &e->large);
	if (e->shaken)
		rest_json(j, e);
	jsonout_end(j, "}");
}
