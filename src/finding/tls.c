// SPDX-License-Identifier: BSD-2-Clause
/*
 * Numbers get their names here, so that a sink needs no table.
 */
#include "finding/tls.h"

#include <string.h>

#include "tls/names.h"

/* More cipher suites, or groups, than these are not listed in a sentence. */
#define CODES_FEW 4

/* By member: what lies between them stays zero, and findings can be compared as bytes. */
static void code_set(struct finding_code *code, uint16_t number, const char *(*name_of)(uint16_t))
{
	code->number = number;
	if (number != 0)
		code->name = name_of(number);
}

/* Returns how many numbers the list has; the first max of them are kept. */
static unsigned int codes_fill(struct finding_code *codes, unsigned int max, struct tls_bytes list,
			       const char *(*name_of)(uint16_t))
{
	unsigned int count = 0;
	uint16_t number;

	while (tls_list_next(&list, &number)) {
		if (count < max)
			code_set(&codes[count], number, name_of);
		count++;
	}
	return count;
}

static void versions_fill(struct finding_hello *h, const struct tls_client_hello *hello)
{
	struct tls_bytes list = hello->versions;
	uint16_t version;

	while (tls_list_next(&list, &version) && h->version_count < FINDING_VERSIONS_MAX) {
		if (tls_version_name(version))
			h->versions[h->version_count++] = tls_version_name(version);
	}
	if (!hello->versions_listed && tls_version_name(hello->max_version))
		h->versions[h->version_count++] = tls_version_name(hello->max_version);
}

static void ciphers_fill(struct finding_hello *h, struct tls_bytes list)
{
	uint16_t cipher;

	while (tls_list_next(&list, &cipher)) {
		h->is_fallback |= cipher == TLS_CIPHER_FALLBACK_SCSV;
		if (cipher == TLS_CIPHER_FALLBACK_SCSV || cipher == TLS_CIPHER_RENEGOTIATION_SCSV)
			continue;
		if (h->cipher_count < FINDING_CIPHERS_MAX)
			code_set(&h->ciphers[h->cipher_count], cipher, tls_cipher_name);
		h->cipher_count++;
	}
}

static void protocol_fill(char protocol[FINDING_PROTOCOL_LEN], struct tls_bytes name)
{
	struct text t;

	text_init(&t, protocol, FINDING_PROTOCOL_LEN);
	text_add_hostile(&t, name.data, name.len);
}

static void alpn_fill(struct finding_hello *h, struct tls_bytes list)
{
	struct tls_bytes name;

	while (tls_names_next(&list, &name)) {
		if (h->alpn_count < FINDING_ALPN_MAX)
			protocol_fill(h->alpn[h->alpn_count], name);
		h->alpn_count++;
	}
}

/* In a hello that offers TLS 1.3 a session id means nothing (RFC 8446, appendix D.4). */
static bool offers_session_id(const struct tls_client_hello *hello)
{
	return hello->session_id.len > 0 && hello->max_version &&
	       hello->max_version <= TLS_VERSION_1_2;
}

static void hello_fill(struct finding_hello *h, const struct tls_client_hello *hello)
{
	struct text t;

	if (!hello->present || hello->malformed)
		return;
	h->known = true;
	h->cut = hello->cut;
	h->length = hello->length;
	h->record_count = hello->record_count;
	h->has_server_name = hello->has_server_name;
	text_init(&t, h->server_name, sizeof(h->server_name));
	text_add_hostile(&t, hello->server_name.data, hello->server_name.len);
	versions_fill(h, hello);
	ciphers_fill(h, hello->ciphers);
	h->group_count = codes_fill(h->groups, FINDING_GROUPS_MAX, hello->groups, tls_group_name);
	h->scheme_count = codes_fill(h->schemes, FINDING_SCHEMES_MAX, hello->signature_schemes,
				     tls_scheme_name);
	h->key_share_count = hello->key_share_count;
	for (unsigned int i = 0; i < hello->key_share_count && i < FINDING_KEY_SHARES_MAX; i++)
		code_set(&h->key_shares[i], hello->key_shares[i], tls_group_name);
	alpn_fill(h, hello->alpn);
	h->key_shares_length = hello->key_shares_length;
	h->offers_session = hello->has_session_ticket || hello->has_psk || offers_session_id(hello);
	h->session_length = hello->session_length;
}

static void second_hello_fill(struct finding_second_hello *second,
			      const struct tls_client_hello *retry)
{
	if (!retry->present)
		return;
	second->length = retry->length;
	if (retry->key_share_count)
		code_set(&second->key_share, retry->key_shares[0], tls_group_name);
}

static bool is_offered(uint16_t group, struct tls_bytes list)
{
	uint16_t number;

	while (tls_list_next(&list, &number))
		if (number == group)
			return true;
	return false;
}

static enum finding_retry_flaw retry_flaw(const struct tls_view *view)
{
	const struct tls_client_hello *hello = &view->client.hello;
	uint16_t group = view->server.retry_group;

	if (view->server.retry_count > 1)
		return RETRY_TWICE;
	if (!view->server.retry_count || !group || !hello->present || hello->cut ||
	    hello->malformed)
		return RETRY_RIGHT;
	for (unsigned int i = 0; i < hello->key_share_count && i < TLS_KEY_SHARES_MAX; i++)
		if (hello->key_shares[i] == group)
			return RETRY_NEEDLESS;
	return is_offered(group, hello->groups) ? RETRY_RIGHT : RETRY_NOT_OFFERED;
}

static void choice_fill(struct finding_choice *choice, const struct tls_server_flight *server)
{
	struct tls_bytes list = server->alpn;
	struct tls_bytes protocol;

	code_set(&choice->cipher, server->cipher, tls_cipher_name);
	code_set(&choice->group, server->group, tls_group_name);
	code_set(&choice->retry_group, server->retry_group, tls_group_name);
	choice->retry_count = server->retry_count;
	choice->dh_bits = server->dh_bits;
	choice->has_resumed = server->has_resumed;
	choice->resumed = server->resumed;
	if (tls_names_next(&list, &protocol))
		protocol_fill(choice->next_protocol, protocol);
}

void finding_tls_fill(struct finding *f, const struct tls_view *view)
{
	f->protocol_version = tls_version_name(view->server.version);
	hello_fill(&f->hello, &view->client.hello);
	second_hello_fill(&f->second_hello, &view->client.retry);
	choice_fill(&f->choice, &view->server);
	f->choice.retry_flaw = retry_flaw(view);
}

/* ---- Words ----------------------------------------------------------------------------------- */

void finding_add_code(struct text *t, const struct finding_code *code)
{
	if (code->name)
		text_add(t, code->name);
	else
		text_addf(t, "0x%04x", code->number);
}

/* Appends the first few of count codes. */
static void add_few_codes(struct text *t, const struct finding_code *codes, unsigned int count)
{
	for (unsigned int i = 0; i < count && i < CODES_FEW; i++) {
		text_add(t, i ? ", " : "");
		finding_add_code(t, &codes[i]);
	}
	if (count > CODES_FEW)
		text_addf(t, " and %u more", count - CODES_FEW);
}

void finding_add_ciphers(struct text *t, const struct finding_hello *hello)
{
	if (hello->cipher_count == 0 || hello->cipher_count > CODES_FEW)
		text_addf(t, "%u cipher suites", hello->cipher_count);
	else
		add_few_codes(t, hello->ciphers, hello->cipher_count);
}

void finding_add_groups(struct text *t, const struct finding_hello *hello)
{
	if (hello->group_count)
		add_few_codes(t, hello->groups, hello->group_count);
	else
		text_add(t, hello->known && !hello->cut ? "none" : "unknown");
}

void finding_add_retry(struct text *t, const struct finding_choice *choice)
{
	static const char *const flaws[] = {
		[RETRY_RIGHT] = "",
		[RETRY_TWICE] = ", and another one",
		[RETRY_NOT_OFFERED] = ", a group that was not offered",
		[RETRY_NEEDLESS] = ", a group whose key share was there",
	};

	text_add(t, "HelloRetryRequest");
	if (choice->retry_group.number) {
		text_add(t, " for ");
		finding_add_code(t, &choice->retry_group);
	}
	text_add(t, flaws[choice->retry_flaw]);
}

void finding_add_key_shares(struct text *t, const struct finding_hello *hello)
{
	for (unsigned int i = 0; i < hello->key_share_count && i < FINDING_KEY_SHARES_MAX; i++) {
		text_add(t, i ? ", " : "");
		finding_add_code(t, &hello->key_shares[i]);
	}
}

void finding_add_protocols(struct text *t, const struct finding_hello *hello)
{
	for (unsigned int i = 0; i < hello->alpn_count && i < FINDING_ALPN_MAX; i++)
		text_addf(t, "%s%s", i ? ", " : "", hello->alpn[i]);
}

void finding_add_offer(struct text *t, const struct finding_hello *hello)
{
	if (hello->record_count > 1)
		text_addf(t, ", in %u records", hello->record_count);
	if (hello->cipher_count || !hello->cut)
		text_addf(t, ", %u cipher suite%s", hello->cipher_count,
			  hello->cipher_count == 1 ? "" : "s");
	if (hello->key_share_count) {
		text_add(t, ", key share ");
		finding_add_key_shares(t, hello);
	}
	if (hello->offers_session)
		text_add(t, ", a session to resume");
	if (hello->session_length)
		text_addf(t, " (%u bytes)", hello->session_length);
	if (hello->is_fallback)
		text_add(t, ", marked as a fallback");
	if (hello->cut)
		text_add(t, ", and more that did not come or was not kept");
}

void finding_add_choice(struct text *t, const struct finding_choice *choice)
{
	if (choice->cipher.number) {
		text_add(t, ", ");
		finding_add_code(t, &choice->cipher);
	}
	if (choice->group.number) {
		text_add(t, ", ");
		finding_add_code(t, &choice->group);
	}
	if (choice->dh_bits)
		text_addf(t, ", DH of %u bits", choice->dh_bits);
	if (choice->next_protocol[0])
		text_addf(t, ", protocol %s", choice->next_protocol);
	if (choice->resumed)
		text_add(t, ", session resumed");
}

/* The common name is what people call it by; without one, the whole subject. */
void finding_add_subject(struct text *t, const struct finding_certificate *cert)
{
	if (cert->common_name[0])
		text_addf(t, "CN=%s", cert->common_name);
	else
		text_addf(t, "\"%s\"", cert->subject);
}

void finding_add_key(struct text *t, const struct finding_certificate *cert)
{
	text_addf(t, "%s key", cert->key);
	if (cert->key_bits)
		text_addf(t, " of %u bits", cert->key_bits);
	if (cert->signature[0])
		text_addf(t, ", signed with %s", cert->signature);
}

void finding_certificate_set(struct finding_certificate *to, const struct x509_view *from,
			     unsigned int chain_length)
{
	to->known = true;
	to->cut = from->cut;
	memcpy(to->subject, from->subject, sizeof(to->subject));
	memcpy(to->issuer, from->issuer, sizeof(to->issuer));
	memcpy(to->common_name, from->common_name, sizeof(to->common_name));
	to->has_validity = from->has_validity;
	to->not_before = from->not_before;
	to->not_after = from->not_after;
	to->name_count = (unsigned int)from->name_count;
	memcpy(to->names, from->names, sizeof(to->names));
	memcpy(to->key, from->key, sizeof(to->key));
	to->key_bits = from->key_bits;
	memcpy(to->signature, from->signature, sizeof(to->signature));
	memcpy(to->sha256, from->sha256, sizeof(to->sha256));
	to->chain_length = chain_length;
}
