/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which server block a client is connected to.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"
#include "program/nginx/servers.h"

static struct nginxconf *conf;
static struct nginxtell tell;
static struct nginx_places places;
static unsigned int version = 1022001;

static int teardown(void **state)
{
	(void)state;
	nginxconf_free(conf);
	conf = NULL;
	return 0;
}

static void parse(const char *text)
{
	teardown(NULL);
	conf = conffiles_parse(text);
}

/* The line of the server block; 0: none. name NULL: not known. */
static uint32_t match(const char *address, uint16_t port, const char *name)
{
	uint8_t addr[16] = { 0 };
	struct nginxmap_peer local = {
		.family = strchr(address, ':') ? AF_INET6 : AF_INET,
		.addr = addr,
		.port = port,
		.has_hello = name,
		.server_name = name ? name : "",
		.hosts = "",
	};

	assert_int_equal(inet_pton((int)local.family, address, addr), 1);
	nginxlisten_match(conf, version, &tell, &local, &places);
	return places.count ? places.items[0].line : 0;
}

static void test_addresses(void **state)
{
	(void)state;
	parse("http {\n"
	      "server { listen 443 ssl; }\n"
	      "server { listen 192.0.2.1:443 ssl; listen [2001:db8::1]:443 ssl; }\n"
	      "server { listen [::]:8443 ssl; listen *:444 ssl; listen unix:/run/a; }\n"
	      "server { }\n"
	      "server { listen 192.0.2.2; }\n"
	      "}\nstream { server { listen 9000 ssl; } }\n");
	assert_int_equal(match("192.0.2.9", 443, ""), 2);
	assert_int_equal(match("192.0.2.1", 443, ""), 3);
	assert_int_equal(match("2001:db8::1", 443, ""), 3);
	assert_int_equal(match("2001:db8::2", 443, ""), 0);
	assert_int_equal(match("2001:db8::2", 8443, ""), 4);
	assert_int_equal(match("192.0.2.9", 8443, ""), 0);
	assert_int_equal(match("192.0.2.9", 444, ""), 4);
	assert_int_equal(match("192.0.2.9", 80, ""), 5);
	assert_int_equal(match("192.0.2.2", 80, ""), 6);
	assert_int_equal(match("192.0.2.2", 9000, ""), 8);
	assert_int_equal(match("192.0.2.2", 1, ""), 0);
	/* One socket for IPv4, too, and a client that used it. */
	assert_int_equal(match("::ffff:192.0.2.9", 8443, ""), 4);
	assert_int_equal(match("::ffff:192.0.2.1", 443, ""), 3);
}

static void test_names(void **state)
{
	(void)state;
	parse("http {\n"
	      "server { listen 443 ssl; server_name first.test; }\n"
	      "server { listen 443 ssl default_server; server_name _; }\n"
	      "server { listen 443 ssl; server_name *.a.test .b.test; }\n"
	      "server { listen 443 ssl; server_name x.a.test www.*; }\n"
	      "}\n");
	assert_int_equal(match("192.0.2.1", 443, "FIRST.test"), 2);
	assert_int_equal(match("192.0.2.1", 443, "other.test"), 3);
	assert_int_equal(match("192.0.2.1", 443, ""), 3);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_int_equal(match("192.0.2.1", 443, "y.a.test"), 4);
	assert_int_equal(match("192.0.2.1", 443, "a.test"), 3);
	assert_int_equal(match("192.0.2.1", 443, "b.test"), 4);
	assert_int_equal(match("192.0.2.1", 443, "y.b.test"), 4);
	assert_int_equal(match("192.0.2.1", 443, "x.a.test"), 5);
	assert_int_equal(match("192.0.2.1", 443, "www.anything"), 5);
	assert_int_equal(match("192.0.2.1", 443, NULL), 3);
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
}

/* The first that matches, behind names and wildcards. */
static void test_expressions(void **state)
{
	(void)state;
	parse("http {\nserver { listen 1 ssl; server_name a; }\n"
	      "server { listen 1 ssl; server_name ~^b\\d+\\.test$; }\n"
	      "server { listen 1 ssl; server_name ~^(?<sub>.+)\\.test$; }\n"
	      "server { listen 1 ssl; server_name *.c.test; }\n}\n");
	assert_int_equal(match("192.0.2.1", 1, "b12.test"), 3);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_int_equal(match("192.0.2.1", 1, "B.test"), 4);
	assert_int_equal(match("192.0.2.1", 1, "d.c.test"), 5);
	assert_int_equal(match("192.0.2.1", 1, "other"), 2);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
}

/* The first is the default one; a regular expression that is not tried may have been what matched. */
static void test_default(void **state)
{
	(void)state;
	parse("http {\nserver { listen 1 ssl; server_name a; }\n"
	      "server { listen 1 ssl; server_name ~^(?=b); }\n}\n");
	assert_int_equal(match("192.0.2.1", 1, "b.test"), 2);
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_int_equal(match("192.0.2.1", 1, "a"), 2);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
}

static void test_what_is_told(void **state)
{
	const struct nginx_place *p = &places.items[0];

	(void)state;
	parse("http {\nssl_protocols TLSv1.3; proxy_ssl_protocols TLSv1;\nserver {\n"
	      " listen 443 ssl; server_name a.test b.test;\n"
	      " ssl_certificate rsa.crt; ssl_certificate ec.crt; ssl_verify_client on;\n}\n}\n");
	assert_int_equal(match("192.0.2.1", 443, "b.test"), 3);
	assert_int_equal(p->module, NGINX_MODULE_SERVER);
	assert_true(nginx_words_are(&p->location, "server"));
	assert_true(nginx_words_are(&p->server, "a.test b.test"));
	assert_int_equal(p->value_count, 7);
	assert_true(nginx_words_are(&p->values[0].value, "1022001")); /* NGINX_VERSION */
	assert_int_equal(p->values[1].setting, NGINX_NAMED);
	assert_true(nginx_words_are(&p->values[2].value, "rsa.crt"));
	assert_true(nginx_words_are(&p->values[3].value, "ec.crt"));
	assert_true(nginx_words_are(&nginx_place_value(p, NGINX_SSL_PROTOCOLS)->value, "TLSv1.3"));
	assert_false(nginx_place_value(p, NGINX_SSL_PROTOCOLS)->own);
	assert_true(nginx_words_are(&nginx_place_value(p, NGINX_SSL_VERIFY_CLIENT)->value, "on"));
	assert_non_null(nginx_place_spot(p, NGINX_BLOCK));
}

/* The value that counts, and whether it is the default server's. */
static void assert_value(enum nginx_setting setting, const char *value, bool of_default)
{
	const struct nginx_value *v = nginx_place_value(&places.items[0], setting);

	assert_non_null(v);
	assert_true(nginx_words_are(&v->value, value));
	assert_int_equal(v->of_default, of_default);
}

/* What OpenSSL has copied before the name is known stays the default server's. */
static void test_whose_value_counts(void **state)
{
	(void)state;
	parse("http {\nserver { listen 1 ssl; server_name a; ssl_protocols TLSv1.3;\n"
	      " ssl_ciphers A; ssl_conf_command MinProtocol TLSv1.3; ssl_conf_command Options X; }\n"
	      "server { listen 1 ssl; server_name b; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers B;\n"
	      " ssl_ecdh_curve P-384; ssl_conf_command Groups P-521; ssl_conf_command Options Y; }\n"
	      "}\n");
	assert_int_equal(match("192.0.2.1", 1, "b"), 4);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.3", true);
	assert_value(NGINX_SSL_CIPHERS, "B", false);
	assert_value(NGINX_SSL_ECDH_CURVE, "", true);
	assert_int_equal(nginx_place_value(&places.items[0], NGINX_SSL_ECDH_CURVE)->line, 2);
	assert_value(NGINX_SSL_CONF_COMMAND, "Options Y", false);
	assert_value(NGINX_LISTEN, "1 ssl", false);
	assert_int_equal(places.count, 2);
	assert_int_equal(places.items[1].line, 2);
	assert_true(nginx_words_are(&places.items[1].server, "a"));
	assert_int_equal(match("192.0.2.1", 1, "a"), 2);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.3", false);
	assert_int_equal(places.count, 1);

	/* from this version on, ssl_protocols is the named server's */
	version = 1029002;
	assert_int_equal(match("192.0.2.1", 1, "b"), 4);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.2 TLSv1.3", false);
	assert_value(NGINX_SSL_ECDH_CURVE, "", true);
	version = 0;
	assert_int_equal(match("192.0.2.1", 1, "b"), 4);
	assert_null(nginx_place_value(&places.items[0], NGINX_SSL_PROTOCOLS));
	version = 1022001;
}

/* One listen with it is enough for all servers of the address. */
static void test_proxy_protocol(void **state)
{
	(void)state;
	parse("http {\nserver { listen 1 ssl; server_name a; }\n"
	      "server { listen 1 ssl proxy_protocol; server_name b; }\n}\n");
	assert_int_equal(match("192.0.2.1", 1, "a"), 2);
	assert_value(NGINX_LISTEN, "1 ssl proxy_protocol", false);
}

static void test_mail(void **state)
{
	(void)state;
	parse("mail {\nssl_protocols TLSv1.2;\nserver { listen 465 ssl; protocol smtp; }\n"
	      "server { listen 25; starttls on; }\nserver { protocol imap; }\n}\n");
	assert_int_equal(match("192.0.2.1", 465, ""), 3);
	assert_int_equal(places.items[0].module, NGINX_MODULE_MAIL_SERVER);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.2", false);
	assert_int_equal(match("192.0.2.1", 25, ""), 4);
	assert_value(NGINX_STARTTLS, "on", false);
	assert_int_equal(match("192.0.2.1", 80, ""), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),	   TEST(test_names),	    TEST(test_default),
		TEST(test_expressions),	   TEST(test_what_is_told), TEST(test_whose_value_counts),
		TEST(test_proxy_protocol), TEST(test_mail),
	};

	return cmocka_run_group_tests_name("nginxlisten", tests, NULL, NULL);
}
