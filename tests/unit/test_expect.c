/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLS library of a program that does not run: where its dependencies lead, as the dynamic loader
 * would go.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "children.h"
#include "fixture.h"
#include "target/target.h"

static const char main_source[] = "int SSL_do_handshake(void);\n"
				  "int main(void) { return SSL_do_handshake(); }\n";

static struct target_tls tls;

static int setup(void **state)
{
	if (children_setup(state))
		return -1;
	if (fixture_run("mkdir lib deep && cp libssl.so.3 lib"))
		return -1;
	return fixture_compile("lib/libcrypto.so.3", "int X509_check_host(void) { return 1; }\n",
			       "-shared -fPIC -nostdlib -Wl,-soname,libcrypto.so.3") ||
	       fixture_compile("lib/libstrange.so.9", "int SSL_do_handshake(void) { return 1; }\n",
			       "-shared -fPIC -nostdlib -Wl,-soname,libstrange.so.9");
}

static int teardown(void **state)
{
	(void)state;
	target_tls_close(&tls);
	return 0;
}

/* A program that is linked so, and that stands in the fixture's directory. */
static void compile(const char *name, const char *options)
{
	char all[512];

	snprintf(all, sizeof(all), "-Wl,--allow-shlib-undefined -Wl,--no-as-needed %s", options);
	assert_int_equal(fixture_compile(name, main_source, all), 0);
}

static void expect(const char *name)
{
	target_tls_close(&tls);
	assert_int_equal(target_tls_expect(fixture_path(name), &tls), 0);
}

static void assert_is(const struct target_library *library, const char *name)
{
	struct stat ours, st;

	assert_true(library->fd >= 0);
	assert_int_equal(fstat(library->fd, &ours), 0);
	assert_int_equal(stat(fixture_path(name), &st), 0);
	assert_int_equal(ours.st_ino, st.st_ino);
	assert_int_equal(library->file.ino, st.st_ino);
}

static void assert_none(const char *name)
{
	expect(name);
	assert_int_equal(tls.outcome, TARGET_TLS_NONE);
	assert_int_equal(tls.ssl.fd, -1);
	assert_int_equal(tls.crypto.fd, -1);
}

static void test_runpath(void **state)
{
	static const char *const options[] = {
		"lib/libssl.so.3 lib/libcrypto.so.3 -Wl,-rpath,'$ORIGIN/lib' -Wl,--enable-new-dtags",
		"lib/libssl.so.3 lib/libcrypto.so.3 -Wl,-rpath,'$ORIGIN/lib' -Wl,--disable-new-dtags",
		"lib/libssl.so.3 lib/libcrypto.so.3 -Wl,-rpath,/absent:relative:\"$PWD\"/lib",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		compile("program", options[i]);
		expect("program");
		assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
		assert_is(&tls.ssl, "lib/libssl.so.3");
		assert_is(&tls.crypto, "lib/libcrypto.so.3");
	}
}

/* A dependency with a '/' in it is a path. */
static void test_path(void **state)
{
	(void)state;
	compile("program", "\"$PWD\"/libother.so");
	expect("program");
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_is(&tls.ssl, "libother.so");
	assert_int_equal(tls.crypto.fd, -1);
}

/* Of a library that is linked with another one: that one's runpath counts. */
static void test_indirect(void **state)
{
	static const char between[] = "int SSL_do_handshake(void);\n"
				      "int between(void) { return SSL_do_handshake(); }\n";
	static const char uses_it[] = "int between(void);\nint main(void) { return between(); }\n";

	(void)state;
	assert_int_equal(fixture_compile("deep/libbetween.so", between,
					 "-shared -fPIC -nostdlib lib/libssl.so.3 "
					 "-Wl,-soname,libbetween.so -Wl,-rpath,'$ORIGIN/../lib'"),
			 0);
	assert_int_equal(fixture_compile("program", uses_it,
					 "deep/libbetween.so -Wl,-rpath,'$ORIGIN/deep' "
					 "-Wl,--allow-shlib-undefined"),
			 0);
	expect("program");
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_is(&tls.ssl, "lib/libssl.so.3");
}

/* RPATH is for the dependencies of dependencies, too, unless they have a RUNPATH of their own; RUNPATH is
 * not. */
static void test_inherited(void **state)
{
	static const char between[] = "int SSL_do_handshake(void);\n"
				      "int between(void) { return SSL_do_handshake(); }\n";
	static const char uses_it[] = "int between(void);\nint main(void) { return between(); }\n";
	static const struct {
		const char *of_program, *of_library;
		bool found;
	} cases[] = {
		{ "-Wl,--disable-new-dtags", "", true },
		{ "-Wl,--enable-new-dtags", "", false },
		{ "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags -Wl,-rpath,/absent", false },
		{ "-Wl,--disable-new-dtags", "-Wl,--disable-new-dtags -Wl,-rpath,/absent", true },
		{ "-Wl,--enable-new-dtags", "-Wl,--disable-new-dtags -Wl,-rpath,'$ORIGIN/../lib'",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char options[512];

		snprintf(options, sizeof(options),
			 "-shared -fPIC -nostdlib lib/libstrange.so.9 -Wl,-soname,libbetween.so %s",
			 cases[i].of_library);
		assert_int_equal(fixture_compile("deep/libbetween.so", between, options), 0);
		snprintf(options, sizeof(options),
			 "deep/libbetween.so -Wl,--allow-shlib-undefined "
			 "-Wl,-rpath,'$ORIGIN/deep:$ORIGIN/lib' %s",
			 cases[i].of_program);
		assert_int_equal(fixture_compile("program", uses_it, options), 0);
		expect("program");
		if ((tls.outcome == TARGET_TLS_FOUND) != cases[i].found)
			fail_msg("case %zu: outcome %d", i, (int)tls.outcome);
		if (cases[i].found)
			assert_is(&tls.ssl, "lib/libstrange.so.9");
	}
}

static void test_linked_in(void **state)
{
	(void)state;
	expect("static");
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_is(&tls.ssl, "static");
	assert_is(&tls.crypto, "static");
}

/* This very program has the libssl of this host, found by the loader's cache. */
static void test_cache(void **state)
{
	char *path = realpath("/proc/self/exe", NULL);

	(void)state;
	assert_non_null(TLS_method()); /* what it does not use the linker leaves out */
	assert_non_null(path);
	assert_int_equal(target_tls_expect(path, &tls), 0);
	free(path);
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_non_null(strstr(tls.ssl.path, "libssl"));
	assert_non_null(strstr(tls.crypto.path, "libcrypto"));
	assert_int_equal(access(tls.ssl.path, R_OK), 0);
}

static void test_none(void **state)
{
	(void)state;
	assert_none("sleeper");
	assert_none("absent");
	assert_none("");
	/* not of this mount namespace */
	assert_int_equal(target_tls_expect("/proc/self/exe", &tls), 0);
	assert_int_equal(tls.outcome, TARGET_TLS_NONE);
	/* what is found is no library */
	compile("program", "lib/libstrange.so.9 -Wl,-rpath,'$ORIGIN/lib'");
	expect("program");
	assert_is(&tls.ssl, "lib/libstrange.so.9");
	/* nor is it one where whoever starts the program happens to be */
	assert_int_equal(chdir(fixture_path("")), 0);
	compile("relative", "lib/libstrange.so.9 -Wl,-rpath,lib");
	assert_none("relative");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(fixture_run("echo junk > lib/libstrange.so.9"), 0);
	assert_none("program");
	assert_int_equal(fixture_run("rm lib/libstrange.so.9 && mkfifo lib/libstrange.so.9"), 0);
	assert_none("program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_runpath, teardown),
		cmocka_unit_test_teardown(test_path, teardown),
		cmocka_unit_test_teardown(test_indirect, teardown),
		cmocka_unit_test_teardown(test_inherited, teardown),
		cmocka_unit_test_teardown(test_linked_in, teardown),
		cmocka_unit_test_teardown(test_cache, teardown),
		cmocka_unit_test_teardown(test_none, teardown),
	};

	return cmocka_run_group_tests_name("expect", tests, setup, fixture_teardown);
}
