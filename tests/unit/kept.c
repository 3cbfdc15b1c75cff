/* SPDX-License-Identifier: BSD-2-Clause */
/* A fact that a part reports is one that the whole reports: see kept.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kept.h"

static void assert_implies(bool part, bool whole)
{
	if (part)
		assert_true(whole);
}

static void assert_number_kept(uint32_t part, uint32_t whole)
{
	if (part)
		assert_int_equal(part, whole);
}

static void assert_bytes_kept(struct tls_bytes part, struct tls_bytes whole)
{
	if (part.len == 0)
		return;
	assert_int_equal(part.len, whole.len);
	assert_memory_equal(part.data, whole.data, part.len);
}

static void assert_alert_kept(const struct tls_alert *part, const struct tls_alert *whole)
{
	if (!part->seen)
		return;
	assert_true(whole->seen);
	assert_int_equal(part->description, whole->description);
}

static void assert_records_kept(const struct tls_records *part, const struct tls_records *whole)
{
	if (part->framing != TLS_FRAMING_UNKNOWN)
		assert_int_equal(part->framing, whole->framing);
	assert_implies(part->malformed, whole->malformed);
	assert_implies(part->change_cipher_spec, whole->change_cipher_spec);
	assert_implies(part->application_data, whole->application_data);
	assert_implies(part->encrypted_alert, whole->encrypted_alert);
	assert_alert_kept(&part->fatal, &whole->fatal);
	assert_alert_kept(&part->warning, &whole->warning);
}

static void assert_hello_kept(const struct tls_client_hello *part,
			      const struct tls_client_hello *whole)
{
	assert_implies(part->present, whole->present);
	assert_implies(part->malformed, whole->malformed);
	assert_number_kept(part->length, whole->length);
	assert_number_kept(part->legacy_version, whole->legacy_version);
	assert_number_kept(part->max_version, whole->max_version);
	assert_implies(part->versions_listed, whole->versions_listed);
	assert_bytes_kept(part->versions, whole->versions);
	assert_bytes_kept(part->session_id, whole->session_id);
	assert_bytes_kept(part->ciphers, whole->ciphers);
	assert_bytes_kept(part->groups, whole->groups);
	assert_bytes_kept(part->signature_schemes, whole->signature_schemes);
	assert_number_kept(part->key_share_count, whole->key_share_count);
	for (unsigned int i = 0; i < part->key_share_count; i++)
		assert_int_equal(part->key_shares[i], whole->key_shares[i]);
	assert_implies(part->has_server_name, whole->has_server_name);
	assert_bytes_kept(part->server_name, whole->server_name);
	assert_bytes_kept(part->alpn, whole->alpn);
	assert_implies(part->has_session_ticket, whole->has_session_ticket);
	assert_implies(part->has_psk, whole->has_psk);
	/* A hello that is here as a whole has all its facts. */
	if (part->present && !part->cut) {
		assert_int_equal(part->has_server_name, whole->has_server_name);
		assert_int_equal(part->max_version, whole->max_version);
	}
}

void assert_view_kept(const struct tls_view *part, const struct tls_view *whole)
{
	assert_records_kept(&part->client.records, &whole->client.records);
	assert_hello_kept(&part->client.hello, &whole->client.hello);
	assert_hello_kept(&part->client.retry, &whole->client.retry);
	assert_implies(part->client.certificate_sent, whole->client.certificate_sent);
	if (part->client.certificate_sent)
		assert_int_equal(part->client.certificate_empty, whole->client.certificate_empty);
	if (part->client.auth != TLS_CLIENT_AUTH_UNKNOWN)
		assert_int_equal(part->client.auth, whole->client.auth);
	assert_records_kept(&part->server.records, &whole->server.records);
	assert_implies(part->server.server_hello, whole->server.server_hello);
	assert_true(part->server.retry_count <= whole->server.retry_count);
	assert_number_kept(part->server.version, whole->server.version);
	assert_number_kept(part->server.cipher, whole->server.cipher);
	assert_number_kept(part->server.group, whole->server.group);
	assert_number_kept(part->server.retry_group, whole->server.retry_group);
	assert_number_kept(part->server.dh_bits, whole->server.dh_bits);
	assert_bytes_kept(part->server.alpn, whole->server.alpn);
	assert_implies(part->server.has_resumed, whole->server.has_resumed);
	if (part->server.has_resumed)
		assert_int_equal(part->server.resumed, whole->server.resumed);
	assert_implies(part->server.certificate, whole->server.certificate);
	assert_number_kept(part->server.certificate_length, whole->server.certificate_length);
	assert_implies(part->server.certificate_request, whole->server.certificate_request);
	assert_implies(part->server.server_hello_done, whole->server.server_hello_done);
}
