/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of a place show: missing, changed, out of date, not for clients, not belonging together,
 * without a root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "asked.h"
#include "fixture.h"
#include "pki.h"
#include "program/nginx/live/check.h"
#include "system/clock.h"

#define LONG_AGO 0
#define TOMORROW (int64_t)(clock_realtime() + 86400 * NS_PER_S)

static struct pki_cert root, intermediate, leaf, expired_root, for_servers, stranger;
static struct nginxread read_;
static struct nginx_place place;
static char words[4096];

static void pem_write(const char *name, char *pem)
{
	assert_int_equal(fixture_write(name, pem, strlen(pem)), 0);
	free(pem);
}

static int setup(void **state)
{
	const struct pki_cert *both[2];
	char path[256], buf[256];
	struct text problem;

	if (fixture_setup(state))
		return -1;
	root = pki_make(&(struct pki_spec){ .subject = "Root", .authority = true });
	intermediate = pki_make(&(struct pki_spec){
		.subject = "Intermediate", .issuer = &root, .authority = true });
	leaf = pki_make(&(struct pki_spec){ .subject = "leaf", .issuer = &intermediate });
	for_servers = pki_make(
		&(struct pki_spec){ .subject = "server", .issuer = &root, .usage = "serverAuth" });
	expired_root = pki_make(&(struct pki_spec){ .subject = "Old Root",
						    .authority = true,
						    .begins = -20 * PKI_DAY,
						    .ends = -10 * PKI_DAY });
	stranger = pki_make(&(struct pki_spec){ .subject = "stranger" });
	pem_write("root.pem", pki_pem_one(&root));
	pem_write("intermediate.pem", pki_pem_one(&intermediate));
	pem_write("leaf.pem", pki_pem_one(&leaf));
	pem_write("leaf.key", pki_pem_key(&leaf));
	pem_write("server.pem", pki_pem_one(&for_servers));
	pem_write("stranger.key", pki_pem_key(&stranger));
	both[0] = &root;
	both[1] = &expired_root;
	pem_write("roots.pem", pki_pem(both, 2));
	both[0] = &leaf;
	both[1] = &intermediate;
	pem_write("chain.pem", pki_pem(both, 2));
	pem_write("root.crl", pki_pem_crl(&root, NULL));
	if (fixture_write("nginx.conf", "", 0) || fixture_write("junk.pem", "no PEM\n", 7))
		return -1;
	text_init(&problem, buf, sizeof(buf));
	strncpy(path, fixture_path("nginx.conf"), sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	if (nginxread_open_whole(path, &read_, &problem))
		return -1;
	/* now as a process sees them, whoever may open them */
	read_.pid = getpid();
	return asked_begin(NULL);
}

static int teardown(void **state)
{
	struct pki_cert *all[] = { &root,	  &intermediate, &leaf,
				   &expired_root, &for_servers,	 &stranger };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	nginxread_close(&read_);
	return fixture_teardown(state);
}

static void value_set(enum nginx_setting setting, const char *value)
{
	place.values[place.value_count++] = (struct nginx_value){
		.setting = setting,
		.value = { value, (uint32_t)strlen(value) },
	};
}

/* Looks at the place, as a worker has it that was started then. */
static void check(int64_t started_ns)
{
	struct text buf;

	text_init(&buf, words, sizeof(words));
	nginxcheck_place(&read_, started_ns, &place, &buf);
}

/* The one setting, looked at on its own. */
static void check_one(enum nginx_setting setting, const char *value)
{
	place = (struct nginx_place){ .module = NGINX_MODULE_PROXY };
	value_set(setting, value);
	check(TOMORROW);
}

static const struct nginx_note *note_of(enum nginx_note_kind kind)
{
	const struct nginx_note *note = nginxplace_note(&place, kind);

	assert_non_null(note);
	return note;
}

static void test_nothing_named(void **state)
{
	static const char *const no_files[] = { "",	  "$cert",	"data:$cert",
						"data:x", "engine:e:k", "store:s" };

	(void)state;
	place = (struct nginx_place){ 0 };
	check(TOMORROW);
	assert_int_equal(place.note_count, 0);
	assert_false(place.changed);
	for (size_t i = 0; i < sizeof(no_files) / sizeof(no_files[0]); i++) {
		check_one(NGINX_SSL_CERTIFICATE, no_files[i]);
		assert_int_equal(place.note_count, 0);
	}
}

static void test_missing(void **state)
{
	static const enum nginx_setting all[] = { NGINX_SSL_CERTIFICATE, NGINX_SSL_CERTIFICATE_KEY,
						  NGINX_SSL_TRUSTED_CERTIFICATE, NGINX_SSL_CRL,
						  NGINX_SSL_CLIENT_CERTIFICATE };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		check_one(all[i], "absent.pem");
		assert_int_equal(place.note_count, 1);
		assert_int_equal(note_of(NGINX_NOTE_MISSING)->setting, all[i]);
		assert_true(note_of(NGINX_NOTE_MISSING)->words.len > 0);
	}
}

/* What is no certificate says nothing, but for its time. */
static void test_unreadable(void **state)
{
	(void)state;
	check_one(NGINX_SSL_CERTIFICATE, "junk.pem");
	assert_int_equal(place.note_count, 0);
	check_one(NGINX_SSL_TRUSTED_CERTIFICATE, "junk.pem");
	assert_int_equal(place.note_count, 0);
	check_one(NGINX_SSL_CRL, "root.crl");
	assert_int_equal(place.note_count, 0);
}

static void test_changed(void **state)
{
	(void)state;
	place = (struct nginx_place){ 0 };
	value_set(NGINX_SSL_CRL, "root.crl");
	check(LONG_AGO);
	assert_true(note_of(NGINX_NOTE_CHANGED)->number > 1000000000);
	assert_int_equal(note_of(NGINX_NOTE_CHANGED)->setting, NGINX_SSL_CRL);
	/* the configuration itself is younger, too */
	assert_true(place.changed);
}

static void test_client_certificate(void **state)
{
	const int64_t now = (int64_t)time(NULL);

	(void)state;
	check_one(NGINX_SSL_CERTIFICATE, "leaf.pem");
	assert_true(note_of(NGINX_NOTE_BEGINS)->number < now);
	assert_true(note_of(NGINX_NOTE_ENDS)->number > now);
	assert_true(nginx_words_are(&note_of(NGINX_NOTE_ISSUER)->words, "CN=Intermediate"));
	assert_null(nginxplace_note(&place, NGINX_NOTE_NO_CLIENT_USE));
	/* its issuer does not stand in the file */
	assert_true(nginx_words_are(&note_of(NGINX_NOTE_NO_ROOT)->words, "CN=Intermediate"));
	check_one(NGINX_SSL_CERTIFICATE, "server.pem");
	assert_non_null(nginxplace_note(&place, NGINX_NOTE_NO_CLIENT_USE));
	/* of a server's certificate nobody expects that */
	place = (struct nginx_place){ .module = NGINX_MODULE_SERVER };
	value_set(NGINX_SSL_CERTIFICATE, "server.pem");
	check(TOMORROW);
	assert_null(nginxplace_note(&place, NGINX_NOTE_NO_CLIENT_USE));
}

static void test_bundles(void **state)
{
	(void)state;
	check_one(NGINX_SSL_CERTIFICATE, "chain.pem");
	assert_int_equal(note_of(NGINX_NOTE_HOLDS)->number, 2);
	assert_true(nginx_words_are(&note_of(NGINX_NOTE_HOLDS)->words, "CN=leaf, CN=Intermediate"));
	assert_true(nginx_words_are(&note_of(NGINX_NOTE_NO_ROOT)->words, "CN=Root"));
	check_one(NGINX_SSL_TRUSTED_CERTIFICATE, "root.pem");
	assert_int_equal(note_of(NGINX_NOTE_HOLDS)->number, 1);
	assert_null(nginxplace_note(&place, NGINX_NOTE_NO_ROOT));
	assert_null(nginxplace_note(&place, NGINX_NOTE_EXPIRED));
	check_one(NGINX_SSL_TRUSTED_CERTIFICATE, "intermediate.pem");
	assert_int_equal(note_of(NGINX_NOTE_NO_ROOT)->setting, NGINX_SSL_TRUSTED_CERTIFICATE);
	check_one(NGINX_SSL_CLIENT_CERTIFICATE, "roots.pem");
	assert_int_equal(note_of(NGINX_NOTE_EXPIRED)->setting, NGINX_SSL_CLIENT_CERTIFICATE);
	assert_true(nginx_words_are(&note_of(NGINX_NOTE_EXPIRED)->words, "CN=Old Root"));
	assert_true(note_of(NGINX_NOTE_EXPIRED)->number < (int64_t)time(NULL));
}

/* A file that trusts half the world is not listed. */
static void test_large_bundle(void **state)
{
	const struct pki_cert *many[12];

	(void)state;
	for (size_t i = 0; i < 12; i++)
		many[i] = &root;
	pem_write("many.pem", pki_pem(many, 12));
	check_one(NGINX_SSL_TRUSTED_CERTIFICATE, "many.pem");
	assert_int_equal(place.note_count, 0);
}

static void pair_check(const char *key, int64_t started_ns)
{
	place = (struct nginx_place){ 0 };
	value_set(NGINX_SSL_CERTIFICATE, "leaf.pem");
	value_set(NGINX_SSL_CERTIFICATE_KEY, key);
	check(started_ns);
}

/* Of a server, whose certificate wants its status stapled: not of a client, nor where that is done. */
static void test_stapling(void **state)
{
	const struct pki_spec spec = { .subject = "stapled.test",
				       .issuer = &root,
				       .stapled = true };
	struct pki_cert cert = pki_make(&spec);

	(void)state;
	pem_write("stapled.pem", pki_pem_one(&cert));
	pki_free(&cert);
	check_one(NGINX_SSL_CERTIFICATE, "stapled.pem");
	assert_null(nginxplace_note(&place, NGINX_NOTE_STAPLED));
	place = (struct nginx_place){ .module = NGINX_MODULE_SERVER };
	value_set(NGINX_SSL_CERTIFICATE, "leaf.pem");
	check(TOMORROW);
	assert_null(nginxplace_note(&place, NGINX_NOTE_STAPLED));
	place = (struct nginx_place){ .module = NGINX_MODULE_SERVER };
	value_set(NGINX_SSL_CERTIFICATE, "stapled.pem");
	check(TOMORROW);
	assert_non_null(nginxplace_note(&place, NGINX_NOTE_STAPLED));
	place.note_count = 0;
	value_set(NGINX_SSL_STAPLING, "on");
	check(TOMORROW);
	assert_null(nginxplace_note(&place, NGINX_NOTE_STAPLED));
}

/* As long as nothing has changed nginx itself has seen to it. */
static void test_key(void **state)
{
	(void)state;
	pair_check("leaf.key", LONG_AGO);
	assert_null(nginxplace_note(&place, NGINX_NOTE_KEY_MISMATCH));
	pair_check("stranger.key", LONG_AGO);
	assert_non_null(nginxplace_note(&place, NGINX_NOTE_KEY_MISMATCH));
	pair_check("stranger.key", TOMORROW);
	assert_null(nginxplace_note(&place, NGINX_NOTE_KEY_MISMATCH));
	pair_check("junk.pem", LONG_AGO);
	assert_null(nginxplace_note(&place, NGINX_NOTE_KEY_MISMATCH));
}

/* Where there is no room for words a note goes without them, and no more than fit are made. */
static void test_no_room(void **state)
{
	struct text buf;
	char little[8];

	(void)state;
	place = (struct nginx_place){ 0 };
	value_set(NGINX_SSL_CERTIFICATE, "chain.pem");
	text_init(&buf, little, sizeof(little));
	nginxcheck_place(&read_, TOMORROW, &place, &buf);
	assert_int_equal(note_of(NGINX_NOTE_ISSUER)->words.len, 0);
	place.note_count = NGINX_NOTES_MAX;
	nginxcheck_place(&read_, TOMORROW, &place, &buf);
	assert_int_equal(place.note_count, NGINX_NOTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_named),	   cmocka_unit_test(test_missing),
		cmocka_unit_test(test_unreadable),	   cmocka_unit_test(test_changed),
		cmocka_unit_test(test_client_certificate), cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_large_bundle),	   cmocka_unit_test(test_key),
		cmocka_unit_test(test_stapling),	   cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("nginxcheck", tests, setup, teardown);
}
