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

static void put(struct certmemo *memo, uint16_t port, const char *subject, int64_t above_ends)
{
	struct finding_endpoint peer = { "192.0.2.1", port };
	struct x509_view certs[2] = { { .has_validity = true, .not_after = 20 },
				      { .has_validity = true, .not_after = above_ends } };

	snprintf(certs[0].subject, sizeof(certs[0].subject), "%s", subject);
	snprintf(certs[1].subject, sizeof(certs[1].subject), "above");
	snprintf(certs[1].issuer, sizeof(certs[1].issuer), "root");
	certmemo_put(memo, &peer, 1, 7, certs, 2, 2);
}

static const char *shown(const struct certmemo *memo, uint16_t port)
{
	struct finding_endpoint peer = { "192.0.2.1", port };
	const struct certmemo_shown *s = certmemo_get(memo, &peer, 1);

	return s ? s->leaf.subject : "none";
}

static void test_memo(void **state)
{
	struct certmemo *memo = certmemo_new();
	struct finding_endpoint peer = { "192.0.2.1", 1 };

	(void)state;
	assert_string_equal(shown(memo, 1), "none");
	put(memo, 1, "a", 30);
	put(memo, 2, "b", 30);
	assert_string_equal(certmemo_get(memo, &peer, 1)->first_to_end.subject, "a");
	put(memo, 1, "c", 10);
	assert_string_equal(shown(memo, 1), "c");
	assert_string_equal(shown(memo, 2), "b");
	assert_int_equal(certmemo_get(memo, &peer, 1)->leaf.seen_ns, 7);
	assert_string_equal(certmemo_get(memo, &peer, 1)->leaf.top_issuer, "root");
	assert_int_equal(certmemo_get(memo, &peer, 1)->leaf.chain_length, 2);
	assert_string_equal(certmemo_get(memo, &peer, 1)->first_to_end.subject, "above");
	/* The same address elsewhere is another peer. */
	assert_null(certmemo_get(memo, &peer, 2));
	/* A handshake that brought none is not taken for one. */
	certmemo_put(memo, &peer, 1, 8, NULL, 0, 0);
	assert_string_equal(shown(memo, 1), "c");
	for (uint16_t port = 3; port < CERTMEMO_MAX + 2; port++)
		put(memo, port, "e", 30);
	assert_string_equal(shown(memo, 1), "none");
	assert_string_equal(shown(memo, CERTMEMO_MAX + 1), "e");
	certmemo_free(memo);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_memo) };

	return cmocka_run_group_tests_name("certmemo", tests, NULL, NULL);
}
