/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates that no decent CA would issue: what is read from them is right where it can be, and
 * never does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "harmless.h"
#include "tls/x509view.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A string with its length: NULs are in some. */
#define BYTES(s) (s), sizeof(s) - 1

static EVP_PKEY *key;

static int key_make(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key ? 0 : -1;
}

static int key_free(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* ---- Certificates ---------------------------------------------------------------------------- */

/* With the subject and issuer CN=test, valid for a day from 2001-09-09 01:46:40 UTC. */
static X509 *certificate_new(void)
{
	X509 *x = X509_new();

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), 1000000000));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), 1000086400));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN", MBSTRING_ASC,
				   (const uint8_t *)"test", -1, -1, 0);
	return x;
}

/* Adds to the subject, in a string of the ASN.1 type, whether or not the bytes are of it. */
static void subject_add(X509 *x, int nid, int type, const char *bytes, size_t len)
{
	assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(x), nid, type,
						    (const uint8_t *)bytes, (int)len, -1, 0),
			 1);
}

static void name_add(GENERAL_NAMES *names, int type, const char *bytes, size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	int string = type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING;
	ASN1_STRING *value = ASN1_STRING_type_new(string);

	assert_int_equal(ASN1_STRING_set(value, bytes, (int)len), 1);
	GENERAL_NAME_set0_value(name, type, value);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

/* Takes over names. */
static void names_set(X509 *x, GENERAL_NAMES *names)
{
	assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0), 1);
	GENERAL_NAMES_free(names);
}

static void time_set(ASN1_TIME *time, int type, const char *value)
{
	assert_int_equal(ASN1_STRING_set(time, value, -1), 1);
	time->type = type;
}

/* Signs and frees x. The result is the caller's to OPENSSL_free(). */
static uint8_t *certificate_encode(X509 *x, size_t *len)
{
	uint8_t *der = NULL;
	int ret;

	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	ret = i2d_X509(x, &der);
	assert_true(ret > 0);
	X509_free(x);
	*len = (size_t)ret;
	return der;
}

static void assert_harmless(const struct x509_view *view)
{
	assert_true(is_harmless(view->subject));
	assert_true(is_harmless(view->issuer));
	assert_true(is_harmless(view->common_name));
	for (size_t i = 0; i < view->name_count && i < X509VIEW_NAMES_MAX; i++)
		assert_true(is_harmless(view->names[i]));
	assert_true(is_harmless(view->key));
	assert_true(is_harmless(view->signature));
	assert_true(is_harmless(view->sha256));
}

/* Reads x, which is freed. */
static void view_make(X509 *x, struct x509_view *view)
{
	size_t len;
	uint8_t *der = certificate_encode(x, &len);
	struct x509_view again;

	memset(view, 0xa5, sizeof(*view));
	assert_true(x509_view_read(der, len, false, view));
	assert_harmless(view);
	assert_true(x509_view_read(der, len, false, &again));
	assert_memory_equal(view, &again, sizeof(again));
	assert_int_equal(strlen(view->sha256), 64);
	OPENSSL_free(der);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void test_plain(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct x509_view view;
	X509 *x = certificate_new();

	(void)state;
	subject_add(x, NID_countryName, V_ASN1_PRINTABLESTRING, BYTES("DE"));
	subject_add(x, NID_organizationName, V_ASN1_UTF8STRING,
		    BYTES("B\xc3\xbc"
			  "cher, Inc."));
	subject_add(x, NID_commonName, V_ASN1_UTF8STRING, BYTES("www.example.org"));
	name_add(names, GEN_DNS, BYTES("www.example.org"));
	name_add(names, GEN_EMAIL, BYTES("a@example.org"));
	name_add(names, GEN_IPADD, BYTES("\xc0\x00\x02\x01"));
	name_add(names, GEN_IPADD, BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
	names_set(x, names);
	view_make(x, &view);
	assert_string_equal(view.subject, "CN=www.example.org,O=\"B\xc3\xbc"
					  "cher, Inc.\",C=DE");
	assert_string_equal(view.issuer, "CN=test");
	assert_string_equal(view.common_name, "www.example.org");
	assert_false(view.self_issued);
	assert_int_equal(view.name_count, 3);
	assert_string_equal(view.names[0], "www.example.org");
	assert_string_equal(view.names[1], "192.0.2.1");
	assert_string_equal(view.names[2], "2001:db8::1");
	assert_string_equal(view.key, "EC");
	assert_int_equal(view.key_bits, 256);
	assert_string_equal(view.signature, "ecdsa-with-SHA256");
	assert_true(view.has_validity);
	assert_int_equal(view.not_before, 1000000000);
	assert_int_equal(view.not_after, 1000086400);
}

/* What has no extendedKeyUsage may be a server's. */
static void test_purposes(void **state)
{
	static const struct {
		const char *usage;
		bool for_servers;
	} rows[] = { { NULL, true },
		     { "serverAuth", true },
		     { "clientAuth", false },
		     { "clientAuth,serverAuth", true } };
	struct x509_view view;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		X509 *x = certificate_new();

		if (rows[i].usage) {
			X509_EXTENSION *e =
				X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, rows[i].usage);

			assert_int_equal(X509_add_ext(x, e, -1), 1);
			X509_EXTENSION_free(e);
		}
		view_make(x, &view);
		assert_int_equal(view.for_servers, rows[i].for_servers);
	}
}

static void test_subject_empty(void **state)
{
	struct x509_view view;

	(void)state;
	view_make(certificate_new(), &view);
	assert_string_equal(view.subject, "");
	assert_string_equal(view.common_name, "");
	assert_int_equal(view.name_count, 0);
	assert_false(view.self_issued);
}

static void test_common_names(void **state)
{
	static const struct {
		int type;
		const char *bytes;
		size_t len;
		const char *want;
	} rows[] = {
		{ V_ASN1_UTF8STRING, BYTES("a\x1b[31mb"), "a\\x1b[31mb" },
		{ V_ASN1_UTF8STRING, BYTES("a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f" },
		{ V_ASN1_UTF8STRING, BYTES("good.org\0.evil.org"), "good.org\\x00.evil.org" },
		{ V_ASN1_UTF8STRING,
		  BYTES("\xe2\x80\xae"
			"gro.doog"),
		  "\\xe2\\x80\\xaegro.doog" },
		{ V_ASN1_UTF8STRING, BYTES("a\\b"), "a\\x5cb" },
		{ V_ASN1_BMPSTRING, BYTES("\0B\0\xfc\0r"), "B\xc3\xbcr" },
		{ V_ASN1_BMPSTRING, BYTES("\0a\0\x1b"), "a\\x1b" },
		{ V_ASN1_T61STRING, BYTES("B\xfcr"), "B\xc3\xbcr" },
		{ V_ASN1_PRINTABLESTRING,
		  BYTES("a\x9b"
			"2J"),
		  "a\\xc2\\x9b2J" },
		{ V_ASN1_IA5STRING, BYTES(""), "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct x509_view view;
		X509 *x = certificate_new();

		subject_add(x, NID_commonName, rows[i].type, rows[i].bytes, rows[i].len);
		view_make(x, &view);
		assert_string_equal(view.common_name, rows[i].want);
		assert_memory_equal(view.subject, "CN=", 3);
		if (rows[i].len > 0)
			assert_true(strlen(view.subject) > 3);
	}
}

/* Puts bytes over the first place in the DER that has as many 'x'. */
static void overwrite(uint8_t *der, size_t len, const char *bytes, size_t count)
{
	static const char marks[] = "xxxxxxxx";

	for (size_t i = 0; i + count <= len; i++) {
		if (memcmp(der + i, marks, count) == 0) {
			memcpy(der + i, bytes, count);
			return;
		}
	}
	fail();
}

/* Values that are not of their type: libcrypto does not take such a certificate, nor make one. */
static void test_subject_invalid(void **state)
{
	static const struct {
		int type;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ V_ASN1_UTF8STRING, BYTES("\xff\xfe\xff\xfe") },
		{ V_ASN1_UTF8STRING, BYTES("abc\xc3") },
		{ V_ASN1_UTF8STRING, BYTES("\xc0\x80"
					   "ab") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		X509 *x = certificate_new();
		struct x509_view view;
		uint8_t *der;
		size_t len;

		subject_add(x, NID_commonName, rows[i].type, BYTES("xxxx"));
		der = certificate_encode(x, &len);
		overwrite(der, len, rows[i].bytes, rows[i].len);
		assert_false(x509_view_read(der, len, false, &view));
		OPENSSL_free(der);
	}
}

/* Values of types that hold no text, and an attribute that nobody knows. */
static void test_subject_not_text(void **state)
{
	struct x509_view view;
	X509 *x = certificate_new();
	ASN1_OBJECT *object = OBJ_txt2obj("1.3.9999.1", 1);

	(void)state;
	subject_add(x, NID_commonName, V_ASN1_BIT_STRING, BYTES("\x1b[2J"));
	X509_NAME_add_entry_by_OBJ(X509_get_subject_name(x), object, V_ASN1_UTF8STRING,
				   (const uint8_t *)"\x1b", 1, -1, 0);
	ASN1_OBJECT_free(object);
	view_make(x, &view);
	assert_string_equal(view.common_name, "");
	assert_string_equal(view.subject, "1.3.9999.1=#0C011B,CN=#0305011B5B324A");
}

static void test_common_name_last(void **state)
{
	struct x509_view view;
	X509 *x = certificate_new();

	(void)state;
	subject_add(x, NID_commonName, V_ASN1_UTF8STRING, BYTES("first.org"));
	subject_add(x, NID_commonName, V_ASN1_UTF8STRING, BYTES("b\xc3\xbc.org"));
	view_make(x, &view);
	assert_string_equal(view.common_name, "b\xc3\xbc.org");
	assert_string_equal(view.subject, "CN=b\xc3\xbc.org,CN=first.org");
}

static void test_names_hostile(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct x509_view view;
	X509 *x = certificate_new();

	(void)state;
	name_add(names, GEN_DNS, BYTES("good.org\0.evil.org"));
	name_add(names, GEN_DNS, BYTES("\x1b]0;title\x07"));
	name_add(names, GEN_DNS, BYTES("\xff\xfe"));
	name_add(names, GEN_DNS, BYTES(""));
	name_add(names, GEN_IPADD, BYTES("\1\2\3"));
	names_set(x, names);
	view_make(x, &view);
	assert_int_equal(view.name_count, 4);
	assert_string_equal(view.names[0], "good.org\\x00.evil.org");
	assert_string_equal(view.names[1], "\\x1b]0;title\\x07");
	assert_string_equal(view.names[2], "\\xff\\xfe");
	assert_string_equal(view.names[3], "");
}

static void test_absurd_size(void **state)
{
	static char long_name[100000];
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct x509_view view;
	X509 *x = certificate_new();

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	subject_add(x, NID_commonName, V_ASN1_UTF8STRING, long_name, sizeof(long_name));
	name_add(names, GEN_DNS, long_name, sizeof(long_name));
	for (int i = 0; i < 5000; i++)
		name_add(names, GEN_DNS, BYTES("a.example.org"));
	names_set(x, names);
	view_make(x, &view);
	assert_int_equal(strlen(view.subject), sizeof(view.subject) - 1);
	assert_int_equal(strlen(view.common_name), sizeof(view.common_name) - 1);
	assert_int_equal(view.name_count, 5001);
	assert_int_equal(strlen(view.names[0]), sizeof(view.names[0]) - 1);
	assert_string_equal(view.names[7], "a.example.org");
}

/* A cut is never in the middle of a character or of an escape. */
static void test_cut_names(void **state)
{
	for (size_t len = 100; len < 140; len++) {
		static const char *const ends[] = { "\xc3\xbc\xc3\xbc\xc3\xbc", "\x1b\x1b\x1b" };

		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			char bytes[160];
			struct x509_view view;
			X509 *x = certificate_new();

			(void)state;
			memset(bytes, 'x', len);
			memcpy(bytes + len, ends[i], strlen(ends[i]));
			subject_add(x, NID_commonName, V_ASN1_UTF8STRING, bytes,
				    len + strlen(ends[i]));
			view_make(x, &view);
		}
	}
}

/* ---- Validity -------------------------------------------------------------------------------- */

static void test_validity(void **state)
{
	static const struct {
		int type;
		const char *value;
		bool known;
		int64_t seconds;
	} rows[] = {
		{ V_ASN1_GENERALIZEDTIME, "99991231235959Z", true, 253402300799 },
		{ V_ASN1_GENERALIZEDTIME, "19691231235959Z", true, -1 },
		{ V_ASN1_GENERALIZEDTIME, "16010101000000Z", true, -11644473600 },
		{ V_ASN1_UTCTIME, "500101000000Z", true, -631152000 },
		{ V_ASN1_UTCTIME, "491231235959Z", true, 2524607999 },
		{ V_ASN1_GENERALIZEDTIME, "99999999999999Z", false, 0 },
		{ V_ASN1_GENERALIZEDTIME, "20260231000000Z", false, 0 },
		{ V_ASN1_GENERALIZEDTIME, "-0010101000000Z", false, 0 },
		{ V_ASN1_GENERALIZEDTIME, "", false, 0 },
		{ V_ASN1_UTCTIME, "\x1b[2J", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct x509_view view;
		X509 *x = certificate_new();

		time_set(X509_getm_notAfter(x), rows[i].type, rows[i].value);
		view_make(x, &view);
		assert_int_equal(view.has_validity, rows[i].known);
		if (rows[i].known)
			assert_int_equal(view.not_after, rows[i].seconds);
	}
}

/* It ends before it begins. */
static void test_validity_negative(void **state)
{
	struct x509_view view;
	X509 *x = certificate_new();

	(void)state;
	time_set(X509_getm_notAfter(x), V_ASN1_UTCTIME, "700101000000Z");
	view_make(x, &view);
	assert_true(view.has_validity);
	assert_int_equal(view.not_after, 0);
	assert_int_equal(view.not_before, 1000000000);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static uint8_t *certificate_rich(size_t *len)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	X509 *x = certificate_new();

	subject_add(x, NID_organizationName, V_ASN1_BMPSTRING, BYTES("\0B\0\xfc"));
	subject_add(x, NID_commonName, V_ASN1_UTF8STRING, BYTES("a.example.org"));
	name_add(names, GEN_DNS, BYTES("a.example.org"));
	name_add(names, GEN_IPADD, BYTES("\x7f\0\0\1"));
	names_set(x, names);
	return certificate_encode(x, len);
}

/* In an allocation of its own, so that a read past the end is caught. */
static void test_cut(void **state)
{
	static const struct x509_view nothing;
	size_t len;
	uint8_t *der = certificate_rich(&len);

	(void)state;
	for (size_t part = 0; part < len; part++) {
		uint8_t *copy = malloc(part + 1);
		struct x509_view view;

		memcpy(copy + 1, der, part);
		memset(&view, 0xa5, sizeof(view));
		assert_false(x509_view_read(copy + 1, part, false, &view));
		assert_memory_equal(&view, &nothing, sizeof(view));
		free(copy);
	}
	OPENSSL_free(der);
}

/* The beginning of a certificate: all of its subject or nothing, and no fact that is another one. */
static void test_beginnings(void **state)
{
	static const struct x509_view nothing;
	struct x509_view whole, part;
	size_t len, found = 0;
	uint8_t *der = certificate_rich(&len);

	(void)state;
	assert_true(x509_view_read(der, len, false, &whole));
	for (size_t n = 0; n <= len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, der, n);
		memset(&part, 0xa5, sizeof(part));
		if (x509_view_read(copy, n, true, &part)) {
			found++;
			assert_true(part.cut);
			assert_harmless(&part);
			assert_string_equal(part.subject, whole.subject);
			assert_string_equal(part.issuer, whole.issuer);
			assert_string_equal(part.common_name, whole.common_name);
			assert_true(part.has_validity);
			assert_int_equal(part.not_before, whole.not_before);
			assert_int_equal(part.not_after, whole.not_after);
			assert_true(!part.key[0] || !strcmp(part.key, whole.key));
			assert_int_equal(part.name_count, 0);
			assert_string_equal(part.sha256, "");
		} else {
			assert_int_equal(found, 0);
			assert_memory_equal(&part, &nothing, sizeof(part));
		}
		free(copy);
	}
	assert_true(found > 0);
	assert_string_equal(part.key, "EC");
	assert_int_equal(part.key_bits, 256);
	OPENSSL_free(der);
}

static void test_flipped(void **state)
{
	size_t len;
	uint8_t *der = certificate_rich(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct x509_view view;

			der[i] ^= 1 << bit;
			x509_view_read(der, len, false, &view);
			assert_harmless(&view);
			x509_view_read(der, len, true, &view);
			assert_harmless(&view);
			der[i] ^= 1 << bit;
		}
	}
	OPENSSL_free(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_subject_empty),
		cmocka_unit_test(test_common_names),
		cmocka_unit_test(test_subject_invalid),
		cmocka_unit_test(test_subject_not_text),
		cmocka_unit_test(test_common_name_last),
		cmocka_unit_test(test_names_hostile),
		cmocka_unit_test(test_absurd_size),
		cmocka_unit_test(test_cut_names),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_validity_negative),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_flipped),
	};

	return cmocka_run_group_tests_name("x509view", tests, key_make, key_free);
}
