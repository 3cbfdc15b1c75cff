/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which certificate of the chain a finding is about, and what it says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "diagnosis.h"

#define DAY 86400

static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -DAY, DAY };
static const struct certificate_spec ended = { "Intermediate", "Root", -2 * DAY, -DAY };

/* Makes the time of the failure that of the certificates, which is now. */
static void begin_certificates(int32_t verify)
{
	begin_hello();
	scene.conn.flags |= TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = verify;
	scene.failure.time_ns = (uint64_t)time(NULL) * 1000000000;
}

static void test_certificate_is_the_leaf(void **state)
{
	(void)state;
	begin_certificates(20);
	scene_certificate(&scene, &leaf);
	scene_certificate(&scene, &ended);
	diagnose_kept_scene();
	assert_true(finding.certificate.known);
	assert_string_equal(finding.certificate.common_name, "leaf.test");
	assert_string_equal(finding.certificate.subject, "CN=leaf.test");
	assert_string_equal(finding.certificate.issuer, "CN=Intermediate");
	assert_int_equal(finding.certificate.chain_length, 2);
	assert_int_equal(strlen(finding.certificate.sha256), 64);
	assert_true(finding.certificate.has_validity);
	assert_int_equal(finding.certificate.not_after - finding.certificate.not_before, 2 * DAY);
	scene_free(&scene);

	begin_hello();
	diagnose_kept_scene();
	assert_false(finding.certificate.known);
}

static void test_certificate_at_fault(void **state)
{
	(void)state;
	begin_certificates(10);
	scene_certificate(&scene, &leaf);
	scene_certificate(&scene, &ended);
	diagnose_kept_scene();
	assert_string_equal(finding.cause, "verify-expired");
	assert_string_equal(finding.certificate.common_name, "Intermediate");
	assert_non_null(strstr(finding.message, "Intermediate"));
	scene_free(&scene);
}

static void test_certificate_unreadable(void **state)
{
	(void)state;
	begin_certificates(10);
	scene_certificate(&scene, &ended);
	scene_certificate(&scene, &leaf);
	scene.cert_lens[0]--;
	diagnose_kept_scene();
	assert_false(finding.certificate.known);
	assert_string_equal(finding.cause, "verify-expired");
	scene.cert_lens[0]++;
	scene_end(&scene);
	scene.failure.certs[0].cut = true;
	scene.failure.certs[0].len = 20;
	diagnose(&scene.failure, &work, &finding);
	assert_false(finding.certificate.known);
	scene_free(&scene);
}

/* One that is longer than what is kept: who it is and how long it is valid, but no names. */
static void test_certificate_long(void **state)
{
	(void)state;
	begin_certificates(10);
	scene_certificate(&scene, &ended);
	scene_end(&scene);
	scene.failure.certs[0].cut = true;
	scene.failure.certs[0].len -= 40;
	diagnose(&scene.failure, &work, &finding);
	assert_true(finding.certificate.known);
	assert_true(finding.certificate.cut);
	assert_string_equal(finding.certificate.common_name, "Intermediate");
	assert_true(finding.certificate.has_validity);
	assert_string_equal(finding.certificate.sha256, "");
	assert_int_equal(finding.certificate.name_count, 0);
	scene_free(&scene);
}

/* Whether the issuer came is said only when all that came could be read. */
static void test_issuer_sent(void **state)
{
	static const struct certificate_spec root = { "Root", "Root", -60, 3600 };
	static const struct certificate_spec issuer = { "Intermediate", "Root", -60, 3600 };

	(void)state;
	begin_certificates(20);
	scene_certificate(&scene, &leaf);
	diagnose_kept_scene();
	assert_true(finding.certificate.has_issuer_sent);
	assert_false(finding.certificate.issuer_sent);
	scene_free(&scene);
	begin_certificates(20);
	scene_certificate(&scene, &leaf);
	scene_certificate(&scene, &issuer);
	diagnose_kept_scene();
	assert_true(finding.certificate.has_issuer_sent);
	assert_true(finding.certificate.issuer_sent);
	scene_free(&scene);
	begin_certificates(18);
	scene_certificate(&scene, &root);
	diagnose_kept_scene();
	assert_false(finding.certificate.has_issuer_sent);
	scene_free(&scene);
	begin_certificates(20);
	scene_certificate(&scene, &leaf);
	scene_certificate(&scene, &root);
	scene.cert_lens[1]--;
	diagnose_kept_scene();
	assert_false(finding.certificate.has_issuer_sent);
	assert_string_equal(finding.cause, "verify-untrusted-issuer");
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_is_the_leaf),
		cmocka_unit_test(test_certificate_at_fault),
		cmocka_unit_test(test_certificate_unreadable),
		cmocka_unit_test(test_certificate_long),
		cmocka_unit_test(test_issuer_sent),
	};

	return cmocka_run_group_tests_name("diagnose_certs", tests, NULL, NULL);
}
