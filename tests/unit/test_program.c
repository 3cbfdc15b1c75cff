/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words for settings: of each kind of program, and neutral ones for the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command/programs.h"
#include "diagnose/causes.h"

static char output[2048];

static const char *words_of(const char *executable, const char *words)
{
	const struct program_view view = { .program = programs_find(executable, "comm"),
					   .executable = "other" };
	struct text t;

	text_init(&t, output, sizeof(output));
	program_add_words(&t, &view, words);
	assert_false(t.cut);
	return output;
}

static void test_kinds(void **state)
{
	static const char words[] = "raise {setting:verify_depth}{with:client_certificate}";

	(void)state;
	assert_string_equal(words_of("/usr/sbin/nginx", words),
			    "raise proxy_ssl_verify_depth (proxy_ssl_certificate)");
	assert_string_equal(words_of("/usr/sbin/apache2", words),
			    "raise SSLProxyVerifyDepth (SSLProxyMachineCertificateFile)");
	assert_string_equal(words_of("/usr/bin/curl", words),
			    "raise the allowed length of the chain (--cert)");
	assert_string_equal(words_of("/usr/bin/psql", words),
			    "raise the allowed length of the chain");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(words_of("/usr/sbin/haproxy", "{program} and its {upstream}"),
			    "HAProxy and its server");
	assert_string_equal(words_of("/usr/sbin/nginx", "{program} and its {upstream}"),
			    "nginx and its upstream");
	assert_string_equal(words_of("/usr/bin/psql", "{program} and its {upstream}"),
			    "other and its server");
	assert_null(programs_find("/usr/bin/psql", "nginx"));
	assert_non_null(programs_find("", "nginx"));
}

static void test_other_braces(void **state)
{
	(void)state;
	assert_string_equal(words_of("", "{peer} {setting:nothing} {setting:"),
			    "{peer} {setting:nothing} {setting:");
	assert_string_equal(words_of("/usr/sbin/nginx", "{setting:lowest_security_level}"),
			    "proxy_ssl_ciphers DEFAULT:@SECLEVEL=0; with that version in "
			    "proxy_ssl_protocols");
}

/* Nobody but nginx is told of nginx. */
static void test_no_nginx_for_others(void **state)
{
	static const char *const others[] = { "/usr/sbin/haproxy", "/usr/sbin/apache2",
					      "/usr/bin/curl", "/usr/bin/psql" };
	static const char *const words[] = { "nginx", "proxy_", "grpc_", "ssl_", "error.log" };

	(void)state;
	for (size_t i = 0; i < cause_count(); i++)
		for (size_t n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
			const char *hint = words_of(others[n], cause_at(i)->hint);

			for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
				if (strstr(hint, words[k]))
					fail_msg("%s: %s", cause_at(i)->slug, hint);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_other_braces),
		cmocka_unit_test(test_no_nginx_for_others),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
