/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx as the server: what its configuration says of a handshake, and the fixes by module and version.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"
#include "program/nginx/advice.h"
#include "program/nginx/clients.h"
#include "program/nginx/servers.h"

static struct nginxconf *conf;
static struct nginxtell tell;
static struct nginx_places places;
static struct finding f;
static uint8_t record[1 << 16];
static size_t record_len;
static unsigned int version;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	version = 1022001;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nginxconf_free(conf);
	conf = NULL;
	return 0;
}

/* A client has come to 192.0.2.1:443 and wants the name. */
static void client(const char *text, const char *name)
{
	static const uint8_t addr[16] = { 192, 0, 2, 1 };
	const struct nginxmap_peer local = {
		.family = AF_INET,
		.addr = addr,
		.port = 443,
		.has_hello = true,
		.server_name = name,
		.hosts = "",
	};

	teardown(NULL);
	conf = conffiles_parse(text);
	nginxlisten_match(conf, version, &tell, &local, &places);
	assert_true(places.count > 0);
	record_len = 0;
	assert_true(nginx_places_write(&places, record, sizeof(record), &record_len));
}

static unsigned int facts(void)
{
	return nginxclients_facts(&f, record, record_len);
}

static void offer_groups(uint16_t first, uint16_t second)
{
	f.hello.known = true;
	f.hello.group_count = second ? 2 : 1;
	f.hello.groups[0] = (struct finding_code){ first, "first" };
	f.hello.groups[1] = (struct finding_code){ second, "second" };
}

static void assert_hint(const char *cause, const char *words)
{
	f.role = "server";
	f.cause = cause;
	f.hint[0] = '\0';
	f.config.place_count = 0;
	f.config.setting_count = 0;
	nginxadvice_fill(&f, &places);
	if (!strstr(f.hint, words))
		fail_msg("\"%s\" is not in \"%s\"", words, f.hint);
}

static void test_groups(void **state)
{
	(void)state;
	client("http { server { listen 443 ssl; ssl_ecdh_curve secp384r1:P-521; } }\n", "");
	offer_groups(23, 0);
	assert_int_equal(facts(), PROGRAM_NO_GROUP);
	assert_hint("server-no-shared-group", "to ssl_ecdh_curve: secp384r1:P-521:first");
	offer_groups(23, 24);
	assert_int_equal(facts(), 0);
	/* one whose name says nothing, none set, and what is applied last */
	offer_groups(23, 0);
	client("http { server { listen 443 ssl; ssl_ecdh_curve secp384r1:new; } }\n", "");
	assert_int_equal(facts(), 0);
	client("http { server { listen 443 ssl; } }\n", "");
	assert_int_equal(facts(), 0);
	client("http { server { listen 443 ssl; ssl_ecdh_curve prime256v1;\n"
	       " ssl_conf_command Groups X448; } }\n",
	       "");
	assert_int_equal(facts(), PROGRAM_NO_GROUP);
	/* a list that is cut may have gone on */
	f.hello.cut = true;
	assert_int_equal(facts(), 0);
}

static void test_other_facts(void **state)
{
	(void)state;
	client("stream { server { listen 443 ssl proxy_protocol; } }\n", "");
	assert_int_equal(facts(), PROGRAM_AWAITS_PROXY);
	assert_string_equal(nginxclients_words(SETTING_CLIENT_TIMEOUT, record, record_len),
			    "ssl_handshake_timeout");
	client("mail { server { listen 443 ssl; protocol imap; } }\n", "");
	assert_int_equal(facts(), PROGRAM_IS_MAIL);
	assert_non_null(strstr(nginxclients_words(SETTING_CLIENT_TIMEOUT, record, record_len),
			       "mail block"));
	client("http { server { listen 443 ssl; ssl_ocsp leaf; } }\n", "");
	assert_int_equal(facts(), PROGRAM_OCSP);
	client("http { server { listen 443 ssl; ssl_ocsp off; } }\n", "");
	assert_int_equal(facts(), 0);
	client("http { server { listen 443 ssl; } }\n", "");
	assert_null(nginxclients_words(SETTING_CLIENT_TIMEOUT, record, record_len));
	record[0] = 0xff;
	assert_int_equal(facts(), 0);
}

static void test_names(void **state)
{
	static const char text[] =
		"http {\nserver { listen 443 ssl; ssl_reject_handshake on; }\n"
		"server { listen 443 ssl; server_name a; ssl_reject_handshake on; }"
		"\n}\n";

	(void)state;
	client(text, "a");
	assert_hint("server-rejects-sni", "off in the server block of that name");
	client(text, "b");
	assert_hint("server-rejects-sni", "no server block has that name");
}

static void offer_version(const char *name)
{
	f.hello.known = true;
	f.hello.version_count = 1;
	f.hello.versions[0] = name;
}

static void test_versions(void **state)
{
	static const char text[] = "http { server { listen 443 ssl; } }\n";

	(void)state;
	offer_version("1.3");
	client(text, "");
	assert_hint("server-protocol-too-old",
		    "allow TLSv1.3 in ssl_protocols (now TLSv1 TLSv1.1 TLSv1.2)");
	/* the default has it, so that is not what is missing */
	version = 1026000;
	client(text, "");
	assert_hint("server-protocol-too-old", "");
	assert_null(strstr(f.hint, "what is missing"));
	version = 0;
	client(text, "");
	assert_hint("server-protocol-too-old", "");
	assert_null(strstr(f.hint, "what is missing"));
	client("http { server { listen 443 ssl; ssl_protocols TLSv1.3; } }\n", "");
	offer_version("1.2");
	assert_hint("client-protocol-too-old", "allow TLSv1.2 in ssl_protocols (now TLSv1.3)");
	offer_version("1.0");
	assert_hint("server-internal-error", "@SECLEVEL=0");
	assert_hint("server-internal-error", "as a last resort");
	/* it is not ssl_protocols that refuses what it has */
	assert_hint("client-protocol-too-old", "");
	client("http { server { listen 443 ssl; ssl_protocols TLSv1 TLSv1.2; } }\n", "");
	assert_hint("client-protocol-too-old", "@SECLEVEL=0");
	offer_version("1.1");
	assert_hint("client-protocol-too-old", "");
	assert_null(strstr(f.hint, "SECLEVEL"));
}

static void test_application_protocols(void **state)
{
	static const char text[] = "http { server { listen 443 ssl; } }\n";

	(void)state;
	f.hello.alpn_count = 1;
	strcpy(f.hello.alpn[0], "h2");
	client(text, "");
	assert_hint("server-alpn-mismatch", "add http2 to that listen");
	version = 1025001;
	client(text, "");
	assert_hint("server-alpn-mismatch", "set http2 on;");
	strcpy(f.hello.alpn[0], "imap");
	assert_hint("server-alpn-mismatch", "this is an HTTP server (http/1.1)");
	client("stream { server { listen 443 ssl; ssl_alpn smtp; } }\n", "");
	assert_hint("server-alpn-mismatch", "to ssl_alpn");
	client("mail { server { listen 443 ssl; } }\n", "");
	assert_hint("server-alpn-mismatch", "this is a mail server");
}

static void test_kinds_of_keys(void **state)
{
	(void)state;
	client("http { server { listen 443 ssl; ssl_certificate a.crt; } }\n", "");
	f.hello.cipher_count = 1;
	f.hello.ciphers[0] = (struct finding_code){ 0xc02f, "TLS_ECDHE_RSA_WITH_X" };
	assert_hint("server-no-shared-cipher", "need a certificate with an RSA key");
	f.hello.cipher_count = 2;
	f.hello.ciphers[1] = (struct finding_code){ 0xc02b, "TLS_ECDHE_ECDSA_WITH_X" };
	assert_hint("server-no-shared-cipher", "");
	assert_null(strstr(f.hint, "need a certificate"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups),   TEST(test_other_facts),	       TEST(test_names),
		TEST(test_versions), TEST(test_application_protocols), TEST(test_kinds_of_keys),
	};

	return cmocka_run_group_tests_name("nginxclients", tests, NULL, NULL);
}
