/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate watch: told once, told again when it changes, warned of by the clock of the
 * records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certificate.h"
#include "diagnose/certwatch.h"
#include "tls/x509view.h"

#define NS_PER_SEC 1000000000ULL
#define DAY	   86400

static struct finding finding;

static struct tlsfail_certs record = {
	.pid = 42,
	.cert_count = 1,
	.family = 2,
	.rport = 8443,
	.raddr = { 10, 0, 2, 88 },
};

/* A certificate of that name, which ends so many days after it began. *begins: its notBefore. */
static struct sighting sighting_make(const char *subject, long days, uint8_t **der, int64_t *begins)
{
	struct certificate_spec spec = { subject, "CA", 0, days * DAY };
	X509 *x = certificate_make(&spec);
	struct x509_view view;
	struct sighting s = { .record = &record, .exe = "/usr/sbin/nginx", .host = "lab" };
	int len;

	assert_non_null(x);
	*der = NULL;
	len = i2d_X509(x, der);
	X509_free(x);
	assert_true(len > 0);
	assert_true(x509_view_read(*der, (size_t)len, false, &view));
	*begins = view.not_before;
	s.certs[0] = (struct tls_capture){ .data = *der, .len = (size_t)len };
	s.time_ns = (uint64_t)view.not_before * NS_PER_SEC;
	return s;
}

static void test_seen_once(void **state)
{
	struct certwatch_options options = { .seen = true };
	struct certwatch *w = certwatch_new(&options, NULL);
	uint8_t *der, *other;
	int64_t begins;
	struct sighting s = sighting_make("one.test", 90, &der, &begins);
	struct sighting changed = sighting_make("two.test", 90, &other, &begins);

	(void)state;
	assert_non_null(w);
	assert_true(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	assert_int_equal(finding.kind, FINDING_CERTIFICATE_SEEN);
	assert_string_equal(finding.peer.address, "10.0.2.88");
	assert_string_equal(finding.certificate.subject, "CN=one.test");
	assert_non_null(strstr(finding.message, "CN=one.test"));
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	assert_true(certwatch_tell(w, &changed, CERTWATCH_SEEN, &finding));
	record.rport++;
	assert_true(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	record.rport--;
	assert_false(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	certwatch_free(w);
	OPENSSL_free(der);
	OPENSSL_free(other);
}

/* The next process does not tell what the one before it has told, and believes nothing that cannot be. */
static void test_goes_on(void **state)
{
	static _Alignas(64) uint8_t memory[1 << 20];
	struct estate first = { .memory = memory, .size = sizeof(memory) }, next = first,
		      third = first;
	struct certwatch_options options = { .seen = true };
	struct certwatch *w = certwatch_new(&options, &first);
	uint8_t *der;
	int64_t begins;
	struct sighting s = sighting_make("one.test", 90, &der, &begins);

	(void)state;
	assert_non_null(w);
	assert_true(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	certwatch_free(w);
	w = certwatch_new(&options, &next);
	assert_non_null(w);
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	certwatch_free(w);
	memset(memory, 0xff, sizeof(memory));
	w = certwatch_new(&options, &third);
	assert_non_null(w);
	assert_true(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	certwatch_free(w);
	OPENSSL_free(der);
}

static void test_expiring(void **state)
{
	struct certwatch_options options = { .warn_s = 30 * DAY };
	struct certwatch *w = certwatch_new(&options, NULL);
	uint8_t *der;
	int64_t begins;
	struct sighting s = sighting_make("one.test", 90, &der, &begins);

	(void)state;
	assert_non_null(w);
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	assert_false(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	s.time_ns = (uint64_t)(begins + 61 * DAY) * NS_PER_SEC;
	assert_true(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	assert_int_equal(finding.kind, FINDING_CERTIFICATE_EXPIRING);
	assert_non_null(strstr(finding.message, " expires in 29 days, on "));
	s.time_ns = (uint64_t)(begins + 91 * DAY) * NS_PER_SEC;
	assert_true(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	assert_non_null(strstr(finding.message, " expired on "));
	/* Without a clock nothing is known of the time that is left. */
	s.time_ns = 0;
	assert_false(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	certwatch_free(w);
	OPENSSL_free(der);
}

/* The leaf's end, and that of the certificate that ends first; whatever the options. */
static void test_ends(void **state)
{
	static const struct certwatch_options options;
	struct certwatch *w = certwatch_new(&options, NULL);
	struct certificate_ends ends;
	uint8_t *leaf, *ca;
	int64_t begins;
	struct sighting s = sighting_make("one.test", 90, &leaf, &begins);
	struct sighting issuer = sighting_make("CA", 30, &ca, &begins);

	(void)state;
	assert_non_null(w);
	assert_true(certwatch_ends(w, &s, &ends));
	assert_string_equal(ends.peer.address, "10.0.2.88");
	assert_int_equal(ends.peer.port, 8443);
	assert_int_equal(ends.time_ns, s.time_ns);
	assert_true(ends.leaf == ends.chain);
	s.certs[1] = issuer.certs[0];
	assert_true(certwatch_ends(w, &s, &ends));
	assert_in_range(ends.leaf - ends.chain, 60 * DAY - 10, 60 * DAY + 10);
	s.certs[0].data = NULL;
	assert_false(certwatch_ends(w, &s, &ends));
	certwatch_free(w);
	OPENSSL_free(leaf);
	OPENSSL_free(ca);
}

static void test_unreadable(void **state)
{
	static const uint8_t junk[] = { 0x30, 0x82, 1, 2, 3 };
	struct certwatch_options options = { .seen = true, .warn_s = DAY };
	struct certwatch *w = certwatch_new(&options, NULL);
	struct sighting s = { .record = &record, .exe = "", .host = "" };

	(void)state;
	assert_non_null(w);
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	s.certs[0] = (struct tls_capture){ .data = junk, .len = sizeof(junk) };
	assert_false(certwatch_tell(w, &s, CERTWATCH_SEEN, &finding));
	assert_false(certwatch_tell(w, &s, CERTWATCH_EXPIRING, &finding));
	certwatch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen_once),  cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_expiring),   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests_name("certwatch", tests, NULL, NULL);
}
