/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate that the library refuses inside the handshake, for a program that does not ask why:
 * HAProxy, Apache, libpq. What is wrong follows from the certificates and from the alert.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "diagnosis.h"

/* Validity is relative to now, of the test; the scene is of early 2026. */
static void certificate_of(const char *subject, const char *issuer, long begins, long ends)
{
	const long now = (long)time(NULL), then = (long)(SCENE_TIME_NS / 1000000000);
	const struct certificate_spec spec = { subject, issuer, begins + then - now,
					       ends + then - now };

	begin_hello();
	scene_certificate(&scene, &spec);
}

/* For the name that was sent, and for another. */
static void fitting_certificate(void)
{
	certificate_of("api.test", "Intermediate", -7200, 3600);
}

static void good_certificate(void)
{
	certificate_of("leaf.test", "Intermediate", -7200, 3600);
}

static void expired_certificate(void)
{
	certificate_of("leaf.test", "Intermediate", -7200, -3600);
}

static void expired_and_said(void)
{
	expired_certificate();
	scene_alert(&scene.sent, TLS_ALERT_CERTIFICATE_EXPIRED);
}

/* None that came has: it is a CA or a revocation list here. */
static void expired_locally(void)
{
	certificate_of("leaf.test", "Intermediate", -7200, 3600);
	scene_alert(&scene.sent, TLS_ALERT_CERTIFICATE_EXPIRED);
}

static void early_certificate(void)
{
	certificate_of("leaf.test", "Intermediate", 3600, 7200);
}

static void self_signed(void)
{
	certificate_of("leaf.test", "leaf.test", -7200, 3600);
}

static void issuer_unknown(void)
{
	certificate_of("leaf.test", "Intermediate", -7200, 3600);
	scene_alert(&scene.sent, TLS_ALERT_UNKNOWN_CA);
}

#define ASKED                                                                                      \
	(TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_NOTIFY | TLSFAIL_F_LOCAL_FIN)

static const struct row rows[] = {
	/* and for one that does */
	{ "verify-expired", expired_certificate, ASKED, 0, 10 },
	{ "verify-self-signed", self_signed, ASKED, 0, 18 },
	{ "verify-refused", good_certificate, ASKED, 0, 18 },
	{ "verify-not-yet-valid", early_certificate, ASKED, 0, 9 },
	/* which contradicts the dates, so it is about something else than what came */
	{ "trusted-ca-expired", good_certificate, ASKED, 0, 10 },
	{ "verify-refused", good_certificate, ASKED, 0, 9 },
	{ "verify-refused", NULL, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-refused", fitting_certificate, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-hostname-mismatch", good_certificate, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-expired", expired_certificate, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-expired", expired_and_said, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "trusted-ca-expired", expired_locally, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-not-yet-valid", early_certificate, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-self-signed", self_signed, TLSFAIL_F_LOCAL_FIN, 134, 0 },
	{ "verify-untrusted-issuer", issuer_unknown, TLSFAIL_F_LOCAL_FIN, 134, 0 },
};

static void test_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_row(&rows[i], i, begin_hello);
}

/* What the alert says and the certificate shows is certain; what only the certificate shows is not. */
static void test_concluded(void **state)
{
	(void)state;
	expired_and_said();
	scene_error(&scene, 134, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-expired");
	assert_int_equal(finding.confidence, CONFIDENCE_HIGH);
	assert_false(finding.verify.known);
	assert_null(strstr(finding.message, "verify code"));

	expired_certificate();
	scene_error(&scene, 134, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-expired");
	assert_int_equal(finding.confidence, CONFIDENCE_MEDIUM);
	assert_non_null(strstr(finding.message, "inferred from the certificates"));

	/* nothing that came has expired, so none of it is said to have */
	expired_locally();
	scene_error(&scene, 134, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "trusted-ca-expired");
	assert_int_equal(finding.confidence, CONFIDENCE_MEDIUM);
	assert_string_equal(finding.candidates[0], "verify-crl-missing");
	assert_null(strstr(finding.message, "ended"));
	assert_null(strstr(finding.message, "verify code"));
}

/* As the server, the client's certificate: what to do depends on what is wrong with it. */
static void test_clients(void **state)
{
	(void)state;
	expired_certificate();
	scene_turn(&scene);
	scene_error(&scene, 134, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "client-cert-verify-failed");
	assert_non_null(strstr(finding.hint, "renew the client's certificate"));

	self_signed();
	scene_turn(&scene);
	scene_error(&scene, 134, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "client-cert-verify-failed");
	assert_non_null(strstr(finding.hint, "instead of a self-signed one"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_concluded),
		cmocka_unit_test(test_clients),
	};

	return cmocka_run_group_tests_name("diagnose_refused", tests, NULL, NULL);
}
