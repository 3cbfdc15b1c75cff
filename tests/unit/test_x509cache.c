/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of certificates gives what reading them gives, whatever was read before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certificate.h"
#include "tls/x509cache.h"

#define CERTIFICATES 200 /* more than it has places */
#define ROUNDS	     5

struct der {
	uint8_t *bytes;
	size_t len;
};

static struct der ders[CERTIFICATES];

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < CERTIFICATES; i++) {
		const struct certificate_spec spec = {
			.subject = "a.test", .issuer = "ca", .begins = -i, .ends = 1000
		};
		X509 *x = certificate_make(&spec);
		int len = i2d_X509(x, &ders[i].bytes);

		X509_free(x);
		if (len <= 0)
			return -1;
		ders[i].len = (size_t)len;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < CERTIFICATES; i++)
		OPENSSL_free(ders[i].bytes);
	return 0;
}

static void assert_same(struct x509_cache *cache, const uint8_t *der, size_t len, bool cut)
{
	struct x509_view want, got;
	bool good = x509_view_read(der, len, cut, &want);

	memset(&got, 0xa5, sizeof(got));
	assert_int_equal(x509_cache_read(cache, der, len, cut, &got), good);
	assert_memory_equal(&got, &want, sizeof(want));
}

static void test_same_as_read(void **state)
{
	struct x509_cache *cache = x509_cache_new();

	(void)state;
	assert_non_null(cache);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < CERTIFICATES; i++)
			assert_same(cache, ders[i].bytes, ders[i].len, false);
	/* at once again, from its place */
	for (int i = 0; i < CERTIFICATES; i++) {
		assert_same(cache, ders[i].bytes, ders[i].len, false);
		assert_same(cache, ders[i].bytes, ders[i].len, false);
	}
	x509_cache_free(cache);
}

/* The same bytes, but said to be cut; other bytes of the same end; what is none. */
static void test_near_misses(void **state)
{
	struct x509_cache *cache = x509_cache_new();
	uint8_t *other = malloc(ders[0].len);

	(void)state;
	assert_same(cache, ders[0].bytes, ders[0].len, false);
	assert_same(cache, ders[0].bytes, ders[0].len, true);
	assert_same(cache, ders[0].bytes, ders[0].len, false);
	assert_same(cache, ders[0].bytes, ders[0].len / 2, true);
	memcpy(other, ders[0].bytes, ders[0].len);
	for (size_t i = 0; i < 60; i++) {
		other[i] ^= 1;
		assert_same(cache, other, ders[0].len, false);
		other[i] ^= 1;
	}
	assert_same(cache, (const uint8_t *)"", 0, false);
	assert_same(NULL, ders[0].bytes, ders[0].len, false);
	free(other);
	x509_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_read),
		cmocka_unit_test(test_near_misses),
	};

	return cmocka_run_group_tests_name("x509cache", tests, setup, teardown);
}
