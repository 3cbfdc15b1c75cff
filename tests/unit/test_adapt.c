/* SPDX-License-Identifier: BSD-2-Clause */
/* adapt: what is attached to, by what it has brought lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/adapt.h"

static const bool all_allowed[LIB_FACT_COUNT] = {
	[LIB_CERTIFICATE] = true,
	[LIB_VERIFY] = true,
	[LIB_HANDSHAKE] = true,
};

static struct adapt adapt;
static __u64 demands[TLSFAIL_DEMANDS];

static int setup(void **state)
{
	(void)state;
	memset(demands, 0, sizeof(demands));
	adapt_init(&adapt, all_allowed);
	return 0;
}

/* The next change is this one, and it is the only one. */
static void assert_change(enum lib_fact fact, bool on, uint64_t now)
{
	const struct adapt_fact *f = adapt_next(&adapt, demands, now);

	assert_non_null(f);
	assert_int_equal(f->fact, fact);
	assert_int_equal(f->on, on);
	assert_null(adapt_next(&adapt, demands, now));
}

static void assert_no_change(uint64_t now)
{
	assert_null(adapt_next(&adapt, demands, now));
}

static void test_nothing_happens(void **state)
{
	(void)state;
	assert_no_change(0);
	assert_no_change(100 * ADAPT_HOLD_NS);
}

static void test_certificates_in_vain(void **state)
{
	(void)state;
	demands[TLSFAIL_D_CERT_NEWS] = 1;
	assert_no_change(0);
	demands[TLSFAIL_D_CERT_KNOWN] = ADAPT_CERT_VAIN - 1;
	assert_no_change(1);
	/* news: counted anew */
	demands[TLSFAIL_D_CERT_NEWS] = 2;
	demands[TLSFAIL_D_CERT_KNOWN] += 10;
	assert_no_change(2);
	demands[TLSFAIL_D_CERT_KNOWN] += ADAPT_CERT_VAIN - 1;
	assert_no_change(3);
	demands[TLSFAIL_D_CERT_KNOWN]++;
	assert_change(LIB_CERTIFICATE, false, 4);
	/* a peer whose certificate is not known */
	demands[TLSFAIL_D_CERT_NEWS]++;
	assert_change(LIB_CERTIFICATE, true, 5);
}

static void test_failure_holds(void **state)
{
	(void)state;
	demands[TLSFAIL_D_CERT_KNOWN] = ADAPT_CERT_VAIN;
	assert_change(LIB_CERTIFICATE, false, 0);
	demands[TLSFAIL_D_CERT_FAILED] = 1;
	assert_change(LIB_CERTIFICATE, true, 10);
	demands[TLSFAIL_D_CERT_KNOWN] += 1000;
	assert_no_change(9 + ADAPT_HOLD_NS);
	assert_change(LIB_CERTIFICATE, false, 10 + ADAPT_HOLD_NS);
}

static void test_once_a_day(void **state)
{
	(void)state;
	demands[TLSFAIL_D_CERT_KNOWN] = ADAPT_CERT_VAIN;
	assert_change(LIB_CERTIFICATE, false, 7);
	assert_no_change(6 + ADAPT_CERT_AGAIN_NS);
	assert_change(LIB_CERTIFICATE, true, 7 + ADAPT_CERT_AGAIN_NS);
	demands[TLSFAIL_D_CERT_KNOWN] += ADAPT_CERT_VAIN;
	assert_change(LIB_CERTIFICATE, false, 8 + ADAPT_CERT_AGAIN_NS);
	assert_no_change(9 + ADAPT_CERT_AGAIN_NS);
}

static void test_verify_of_a_server(void **state)
{
	(void)state;
	demands[TLSFAIL_D_VERIFY_IDLE] = ADAPT_VERIFY_VAIN;
	assert_change(LIB_VERIFY, false, 0);
	demands[TLSFAIL_D_VERIFY_FAILED] = 1;
	assert_change(LIB_VERIFY, true, 1);
	demands[TLSFAIL_D_VERIFY_IDLE] += ADAPT_VERIFY_VAIN;
	assert_no_change(2);
	assert_change(LIB_VERIFY, false, 1 + ADAPT_HOLD_NS);
}

/* Whether a handshake failed is known by it. */
static void test_verify_of_a_client_stays(void **state)
{
	(void)state;
	demands[TLSFAIL_D_VERIFY_CLIENT] = 1;
	demands[TLSFAIL_D_VERIFY_IDLE] = 1000 * ADAPT_VERIFY_VAIN;
	assert_no_change(0);
	demands[TLSFAIL_D_VERIFY_IDLE] += 1000 * ADAPT_VERIFY_VAIN;
	assert_no_change(10 * ADAPT_HOLD_NS);
}

static void test_handshakes_for_uncertain_errors(void **state)
{
	(void)state;
	demands[TLSFAIL_D_OWNER] = 1;
	assert_change(LIB_HANDSHAKE, true, 1);
	assert_no_change(ADAPT_HOLD_NS);
	demands[TLSFAIL_D_OWNER] = 2;
	assert_no_change(ADAPT_HOLD_NS);
	assert_no_change(1 + ADAPT_HOLD_NS);
	assert_change(LIB_HANDSHAKE, false, 2 * ADAPT_HOLD_NS);
}

static void test_what_is_not_allowed(void **state)
{
	static const bool none[LIB_FACT_COUNT] = { false };

	(void)state;
	adapt_init(&adapt, none);
	demands[TLSFAIL_D_OWNER] = 1;
	demands[TLSFAIL_D_CERT_KNOWN] = 1000;
	demands[TLSFAIL_D_VERIFY_IDLE] = 1000;
	assert_no_change(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_happens, setup),
		cmocka_unit_test_setup(test_certificates_in_vain, setup),
		cmocka_unit_test_setup(test_failure_holds, setup),
		cmocka_unit_test_setup(test_once_a_day, setup),
		cmocka_unit_test_setup(test_verify_of_a_server, setup),
		cmocka_unit_test_setup(test_verify_of_a_client_stays, setup),
		cmocka_unit_test_setup(test_handshakes_for_uncertain_errors, setup),
		cmocka_unit_test_setup(test_what_is_not_allowed, setup),
	};

	return cmocka_run_group_tests_name("adapt", tests, NULL, NULL);
}
