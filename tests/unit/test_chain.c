/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peer's certificates: before TLS 1.3 they are read from the wire, where the TLS library tells of none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

#define CERTIFICATE  11 /* RFC 5246, section 7.4 */
#define LENGTH_BYTES 3

/* In seconds, so that it is valid at the time of a scene, too */
#define DECADE (10 * 365 * 86400L)

static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -DECADE, DECADE };
static const struct certificate_spec intermediate = { "Intermediate", "Root", -DECADE, DECADE };

static size_t put_length(uint8_t *to, size_t length)
{
	to[0] = (uint8_t)(length >> 16);
	to[1] = (uint8_t)(length >> 8);
	to[2] = (uint8_t)length;
	return LENGTH_BYTES;
}

static size_t put_certificate(uint8_t *to, const struct certificate_spec *spec)
{
	X509 *certificate = certificate_make(spec);
	uint8_t *der = NULL;
	int len;

	assert_non_null(certificate);
	len = i2d_X509(certificate, &der);
	assert_true(len > 0);
	put_length(to, (size_t)len);
	memcpy(to + LENGTH_BYTES, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(certificate);
	return LENGTH_BYTES + (size_t)len;
}

/* A message with both; the bytes of the first. */
static size_t put_chain(struct direction *direction)
{
	static uint8_t body[4096];
	size_t first = LENGTH_BYTES + put_certificate(body + LENGTH_BYTES, &leaf);
	size_t len = first + put_certificate(body + first, &intermediate);

	put_length(body, len - LENGTH_BYTES);
	scene_message(direction, CERTIFICATE, body, len);
	return first;
}

/* Bytes of the record and of the message before the list. */
#define HEADERS 9

static void begin(void)
{
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
}

static void test_of_the_server(void **state)
{
	(void)state;
	begin();
	put_chain(&scene.received);
	scene_alert(&scene.sent, 42);
	diagnose_scene();
	assert_string_equal(finding.certificate.subject, "CN=leaf.test");
	assert_int_equal(finding.certificate.chain_length, 2);
	assert_true(finding.certificate.issuer_sent);
	assert_string_equal(finding.cause, "verify-hostname-mismatch");
}

/* The end of the last one, and of the first, did not come; what is there of a certificate is read. */
static void test_cut(void **state)
{
	size_t start, first;

	(void)state;
	begin();
	start = scene.received.len;
	put_chain(&scene.received);
	scene.received.len--;
	diagnose_scene();
	assert_string_equal(finding.certificate.subject, "CN=leaf.test");
	assert_int_equal(finding.certificate.chain_length, 2);
	begin();
	first = put_chain(&scene.received);
	scene.received.len = start + HEADERS + first - 1;
	diagnose_scene();
	assert_int_equal(work.cert_count, work.certs_sent);
	assert_int_equal(work.certs_sent, 1);
	begin();
	put_chain(&scene.received);
	scene.received.len = start + HEADERS + LENGTH_BYTES + 1;
	diagnose_scene();
	assert_int_equal(work.cert_count, 0);
}

static void test_of_the_client(void **state)
{
	(void)state;
	begin();
	put_chain(&scene.sent);
	scene_turn(&scene);
	diagnose_scene();
	assert_string_equal(finding.certificate.subject, "CN=leaf.test");
}

/* It is what the TLS library read that was judged. */
static void test_library_first(void **state)
{
	static const struct certificate_spec other = { "other.test", "Root", -DECADE, DECADE };

	(void)state;
	begin();
	put_chain(&scene.received);
	scene_certificate(&scene, &other);
	diagnose_scene();
	assert_string_equal(finding.certificate.subject, "CN=other.test");
	assert_int_equal(finding.certificate.chain_length, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_the_server),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_of_the_client),
		cmocka_unit_test(test_library_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
