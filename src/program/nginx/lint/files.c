// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules for the files that a configuration names: certificates, keys, lists of CAs. A file that is
 * not here, as in CI, is not looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "program/nginx/lint/rules.h"

#define DAY_S 86400

/* Does the name end with these words, with the prefix of a module or without? */
static bool ends_with(const char *name, const char *words)
{
	size_t len = strlen(name), n = strlen(words);

	return len >= n && !strcmp(name + len - n, words);
}

/* Calls look for the certificates of each directive of that name. */
static void each_file(struct lint *lint, const struct lint_rule *rule, const char *name,
		      void (*look)(struct lint *lint, const struct lint_rule *rule, directive *d,
				   const struct lint_certs *certs))
{
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		struct lint_certs *certs;

		if (!ends_with(d->words[0], name) || d->word_count != 2)
			continue;
		certs = lint_certs_read(lint, d);
		if (certs && certs->read && certs->count)
			look(lint, rule, d, certs);
		free(certs);
	}
}

static void look_at_end(struct lint *lint, const struct lint_rule *rule, directive *d,
			const struct lint_certs *certs)
{
	const struct lint_settings *s = lint->settings;
	bool about_expired = !strcmp(rule->slug, "certificate-expired");

	for (size_t i = 0; i < certs->count; i++) {
		const struct x509_view *cert = &certs->items[i];
		bool expired = cert->not_after < s->now;
		long long days = llabs(cert->not_after - s->now) / DAY_S;
		char day[16];

		if (!cert->has_validity || expired != about_expired ||
		    (!expired && cert->not_after - s->now >= s->cert_days * DAY_S))
			continue;
		lint_day(cert->not_after, day);
		lint_add(lint, rule, d, "%s in %s %s on %s, %lld day%s %s", cert->subject,
			 nginxconf_word(d, 1), expired ? "expired" : "expires", day, days,
			 days == 1 ? "" : "s", expired ? "ago" : "from now");
		return;
	}
}

static void check_end(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "ssl_certificate", look_at_end);
}

/* A list of CAs of the world always has one that ends. */
static void look_at_ca_end(struct lint *lint, const struct lint_rule *rule, directive *d,
			   const struct lint_certs *certs)
{
	size_t expired = 0, last = 0;
	char day[16];

	for (size_t i = 0; i < certs->count; i++)
		if (certs->items[i].has_validity &&
		    certs->items[i].not_after < lint->settings->now) {
			expired++;
			last = i;
		}
	if (!expired || certs->more || (certs->count > 8 && expired < certs->count))
		return;
	lint_day(certs->items[last].not_after, day);
	lint_add(lint, rule, d, "%s in %s expired on %s", certs->items[last].subject,
		 nginxconf_word(d, 1), day);
}

static void check_ca_end(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "ssl_trusted_certificate", look_at_ca_end);
	each_file(lint, rule, "ssl_client_certificate", look_at_ca_end);
}

static const struct x509_view *issuer_in(const struct lint_certs *certs,
					 const struct x509_view *cert)
{
	for (size_t i = 0; i < certs->count; i++)
		if (!strcmp(certs->items[i].subject, cert->issuer) && &certs->items[i] != cert)
			return &certs->items[i];
	return NULL;
}

static void look_at_root(struct lint *lint, const struct lint_rule *rule, directive *d,
			 const struct lint_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		if (certs->items[i].self_issued)
			return;
	/* the root may be in the other file */
	if (certs->more || (!strcmp(d->words[0], "ssl_client_certificate") &&
			    lint_setting(d->parent, "", "ssl_trusted_certificate")))
		return;
	lint_add(lint, rule, d,
		 "%s holds no root certificate: %s was issued by %s, and nothing can be verified "
		 "without that",
		 nginxconf_word(d, 1), certs->items[0].subject, certs->items[0].issuer);
}

static void check_root(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "_ssl_trusted_certificate", look_at_root);
	each_file(lint, rule, "ssl_client_certificate", look_at_root);
}

/* How many intermediates stand between a certificate that the last one issues and its root. */
static unsigned int intermediates(const struct lint_certs *certs)
{
	unsigned int most = 0;

	for (size_t i = 0; i < certs->count; i++) {
		const struct x509_view *cert = &certs->items[i];
		unsigned int n = 0;

		while (cert && !cert->self_issued && n < LINT_CERTS_MAX) {
			n++;
			cert = issuer_in(certs, cert);
		}
		/* a chain without its root is another rule's */
		if (cert && cert->self_issued && n > most)
			most = n;
	}
	return most;
}

static void look_at_depth(struct lint *lint, const struct lint_rule *rule, directive *d,
			  const struct lint_certs *certs)
{
	const char *name = d->words[0];
	const char *prefix = !strncmp(name, "grpc_", 5)	   ? "grpc_"
			     : !strncmp(name, "uwsgi_", 6) ? "uwsgi_"
			     : !strncmp(name, "proxy_", 6) ? "proxy_"
							   : "";
	directive *set = lint_setting(d->parent, prefix, "ssl_verify_depth");
	unsigned long depth = set ? strtoul(nginxconf_word(set, 1), NULL, 10) : 1;
	unsigned int needed = intermediates(certs);

	if (certs->more || certs->count > 8 || needed <= depth)
		return;
	lint_propose(lint_add(lint, rule, set ? set : d,
			      "%s has chains of %u intermediates, and %sssl_verify_depth is %lu",
			      nginxconf_word(d, 1), needed, prefix, depth),
		     set ? LINT_EDIT_REPLACE : LINT_EDIT_BEHIND, "%sssl_verify_depth %u;", prefix,
		     needed);
}

static void check_depth(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "_ssl_trusted_certificate", look_at_depth);
	each_file(lint, rule, "ssl_client_certificate", look_at_depth);
}

/* The key of a certificate's directive: the next of its name, or further out. */
static directive *key_of(directive *d)
{
	size_t len = strlen(d->words[0]);

	for (directive *k = d->next; k; k = k->next)
		if (!strncmp(k->words[0], d->words[0], len) && !strcmp(k->words[0] + len, "_key"))
			return k;
	for (directive *k = d->parent ? d->parent->first : NULL; k; k = k->next)
		if (!strncmp(k->words[0], d->words[0], len) && !strcmp(k->words[0] + len, "_key"))
			return k;
	return NULL;
}

static void look_at_key(struct lint *lint, const struct lint_rule *rule, directive *d,
			const struct lint_certs *certs)
{
	directive *key = key_of(d);

	if (key && lint_key_fits(lint, key, certs->key_ids[0]) == 0)
		lint_add(lint, rule, key, "%s is not the key of %s in %s", nginxconf_word(key, 1),
			 certs->items[0].subject, nginxconf_word(d, 1));
}

static void check_key_fits(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "ssl_certificate", look_at_key);
}

static void check_password(struct lint *lint, const struct lint_rule *rule)
{
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		char prefix[16] = "";
		size_t len = strlen(d->words[0]);
		size_t n = strlen("ssl_certificate_key");

		if (!ends_with(d->words[0], "ssl_certificate_key") || d->word_count != 2 ||
		    len - n >= sizeof(prefix))
			continue;
		memcpy(prefix, d->words[0], len - n);
		if (!lint_setting(d->parent, prefix, "ssl_password_file") &&
		    lint_key_has_password(lint, d))
			lint_add(lint, rule, d,
				 "%s has a password, and %sssl_password_file is not set: nginx "
				 "does not start, or it asks for the password",
				 nginxconf_word(d, 1), prefix);
	}
}

static void look_at_chain(struct lint *lint, const struct lint_rule *rule, directive *d,
			  const struct lint_certs *certs)
{
	const struct x509_view *cert = &certs->items[0];

	if (certs->count == 1 && !cert->self_issued)
		lint_add(lint, rule, d,
			 "%s holds one certificate, %s, but not that of its issuer %s: if that is "
			 "an intermediate, the other side cannot verify it",
			 nginxconf_word(d, 1), cert->subject, cert->issuer);
}

static void check_chain(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "ssl_certificate", look_at_chain);
}

static void look_at_order(struct lint *lint, const struct lint_rule *rule, directive *d,
			  const struct lint_certs *certs)
{
	for (size_t i = 0; i + 1 < certs->count; i++)
		if (strcmp(certs->items[i].issuer, certs->items[i + 1].subject) != 0) {
			lint_add(lint, rule, d, "in %s, %s did not issue %s, which precedes it",
				 nginxconf_word(d, 1), certs->items[i + 1].subject,
				 certs->items[i].subject);
			return;
		}
}

static void check_order(struct lint *lint, const struct lint_rule *rule)
{
	each_file(lint, rule, "ssl_certificate", look_at_order);
}

const struct lint_rule lint_file_rules[] = {
	{ "certificate-expired", LINT_ERROR, "a certificate has expired",
	  "The other side refuses it.", "renew it and reload nginx", 0, check_end },
	{ "certificate-ends", LINT_WARNING, "a certificate expires soon",
	  "The other side will refuse it then.", "renew it and reload nginx", 0, check_end },
	{ "ca-expired", LINT_WARNING, "a trusted CA has expired",
	  "Certificates that it issued are no longer accepted.",
	  "put the new CA certificate into the file", 0, check_ca_end },
	{ "trusted-without-root", LINT_ERROR, "trusted certificates without a root",
	  "OpenSSL verifies up to a self-signed root; an intermediate alone is not enough (code 2 "
	  "or 20).",
	  "add the root to the file", 0, check_root },
	{ "depth-too-small", LINT_WARNING,
	  "chains in the trusted file are longer than the verify "
	  "depth",
	  "The default depth of 1 allows one intermediate.", "set the verify depth", 0,
	  check_depth },
	{ "key-of-other-certificate", LINT_ERROR, "a key that belongs to another certificate",
	  "nginx does not start, or the handshakes fail.",
	  "use the key that belongs to the certificate", 0, check_key_fits },
	{ "key-with-password", LINT_ERROR, "a key with a password that is not configured",
	  "nginx does not start without it.",
	  "set ssl_password_file, or store the key without a "
	  "password",
	  0, check_password },
	{ "chain-order", LINT_WARNING, "the certificates of a chain in the wrong order",
	  "The server's certificate must come first, then each issuer; some clients fail "
	  "otherwise.",
	  "put them in that order", 0, check_order },
	{ "chain-without-issuer", LINT_OFF, "a certificate without its intermediate",
	  "Clients and upstreams that have only the root cannot verify it.",
	  "append the intermediate to the file", 0, check_chain },
};

const size_t lint_file_rule_count = ARRAY_LEN(lint_file_rules);
