// SPDX-License-Identifier: BSD-2-Clause
/*
 * Of a file of trusted CAs the names of those are known that it holds, if they are few.
 */
#define _GNU_SOURCE /* memmem() */
#include "program/nginx/trust.h"

#include <string.h>

#define DEPTH_NGINX 1 /* default of ssl_verify_depth */

/* What is known to be in the trusted file, or NULL. */
static const struct nginx_note *trusted_note(const struct nginx_place *p)
{
	for (uint32_t i = 0; i < p->note_count; i++) {
		const struct nginx_note *n = &p->notes[i];

		if (n->kind == NGINX_NOTE_HOLDS && n->setting == NGINX_SSL_TRUSTED_CERTIFICATE)
			return n;
	}
	return NULL;
}

/* Is one of the names, which stand with ", " between them, that one? */
static bool names_have(struct nginx_words names, const char *name)
{
	size_t len = strlen(name);
	const char *end = names.data + names.len, *at = names.data;

	while ((at = memmem(at, (size_t)(end - at), name, len))) {
		bool begins = at == names.data || at[-1] == ' ';

		if (begins && (at + len == end || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

bool nginxtrust_holds_top(const struct finding *f, const struct nginx_place *place)
{
	const struct nginx_note *held = trusted_note(place);

	return held && f->certificate.top_issuer[0] &&
	       names_have(held->words, f->certificate.top_issuer);
}

unsigned int nginxtrust_depth_needed(const struct finding *f, const struct nginx_place *place)
{
	const struct nginx_value *now = nginx_place_value(place, NGINX_SSL_VERIFY_DEPTH);
	unsigned int depth = now ? 0 : DEPTH_NGINX, needed;

	for (uint32_t i = 0; now && i < now->value.len && depth < 1000; i++)
		depth = depth * 10 + (unsigned int)(now->value.data[i] - '0');
	if (f->certificate.chain_length < 2 || f->certificate.chain_length > 10)
		return 0;
	/* What came without the leaf; the root is not counted by OpenSSL. */
	needed = f->certificate.chain_length - 1;
	return needed > depth ? needed : 0;
}

/* Is it possible, as far as is known? */
static bool may_hold_top(const struct nginxfix_advice *a)
{
	return !trusted_note(a->place) || !a->f->certificate.top_issuer[0] ||
	       nginxtrust_holds_top(a->f, a->place);
}

void nginxtrust_propose_depth(struct nginxfix_advice *a)
{
	unsigned int needed = nginxtrust_depth_needed(a->f, a->place);
	char value[16];
	struct text t;

	text_init(&t, value, sizeof(value));
	text_addf(&t, "%u", needed);
	if (needed && may_hold_top(a))
		nginxfix_change(a, NGINX_SSL_VERIFY_DEPTH, value);
}

/* OpenSSL looked for the issuer of the one certificate that came, and did not take the one of that name
 * in the file (X509_check_issued(): the key identifier differs, or it may sign nothing). */
static bool explain_namesake(const struct nginxfix_advice *a, struct text *t)
{
	const struct finding_certificate *c = &a->f->certificate;

	if (c->chain_length != 1 || c->seen_ns || !c->top_issuer[0] || !trusted_note(a->place))
		return false;
	text_add(t, "compare the CA named ");
	text_add(t, c->top_issuer);
	text_addf(t,
		  " in the file of %sssl_trusted_certificate with the one that issued the "
		  "certificate: OpenSSL did not accept it as the issuer, so either its key is "
		  "different (a CA recreated under its old name), or it may not issue "
		  "certificates, or the file was changed after nginx read it; once the right one "
		  "is there, reload nginx",
		  nginx_module_prefix(a->place->module));
	return true;
}

/* The chain is not too long for what is trusted: that is missing. */
bool nginxtrust_explain_top(const struct nginxfix_advice *a, struct text *t)
{
	if (may_hold_top(a))
		return explain_namesake(a, t);
	if (a->f->certificate.chain_length == 1) {
		text_add(t, "if ");
		text_add(t, a->f->certificate.top_issuer);
		text_add(t, " is an intermediate CA, have the upstream send its certificate, too; "
			    "otherwise ");
	}
	text_add(t, "put ");
	text_add(t, a->f->certificate.top_issuer);
	text_addf(t,
		  ", which issued the last certificate received, into the file of "
		  "%sssl_trusted_certificate if you want to trust it",
		  nginx_module_prefix(a->place->module));
	return true;
}
