/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate that a peer showed last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/certmemo.h"

static struct finding f;

static void put(struct certmemo *memo, uint16_t port, const char *subject)
{
	memset(&f, 0, sizeof(f));
	strcpy(f.peer.address, "192.0.2.1");
	f.peer.port = port;
	f.time_ns = 7;
	f.certificate.known = true;
	snprintf(f.certificate.subject, sizeof(f.certificate.subject), "%s", subject);
	certmemo_put(memo, &f);
}

static const char *shown(const struct certmemo *memo, uint16_t port)
{
	struct finding_endpoint peer = { "192.0.2.1", port };
	const struct finding_certificate *c = certmemo_get(memo, &peer);

	return c ? c->subject : "none";
}

static void test_memo(void **state)
{
	struct certmemo *memo = certmemo_new();
	struct finding_endpoint peer = { "192.0.2.1", 1 };

	(void)state;
	assert_string_equal(shown(memo, 1), "none");
	put(memo, 1, "a");
	put(memo, 2, "b");
	put(memo, 1, "c");
	assert_string_equal(shown(memo, 1), "c");
	assert_string_equal(shown(memo, 2), "b");
	assert_int_equal(certmemo_get(memo, &peer)->seen_ns, 7);
	/* What is remembered is not taken for what was shown again. */
	f.certificate.seen_ns = 7;
	strcpy(f.certificate.subject, "d");
	certmemo_put(memo, &f);
	assert_string_equal(shown(memo, 1), "c");
	for (uint16_t port = 3; port < CERTMEMO_MAX + 2; port++)
		put(memo, port, "e");
	assert_string_equal(shown(memo, 1), "none");
	assert_string_equal(shown(memo, CERTMEMO_MAX + 1), "e");
	certmemo_free(memo);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_memo) };

	return cmocka_run_group_tests_name("certmemo", tests, NULL, NULL);
}
