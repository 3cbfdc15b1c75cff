/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was seen of a connection excludes places that it cannot have come from.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"
#include "program/nginx/exclude.h"
#include "program/nginx/map.h"

static struct nginxconf *conf;
static struct nginxmap *map;
static struct nginx_places places;
static struct finding f;
static const char *both; /* directives of both places */

static int setup(void **state)
{
	(void)state;
	f = (struct finding){ 0 };
	both = "";
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	conffiles_unmap(&conf, &map);
	return 0;
}

/* Two locations that pass to one peer, of which the second has these directives. */
static void configure(const char *second)
{
	static const uint8_t addr[16] = { 192, 0, 2, 1 };
	struct nginxmap_peer peer = {
		.family = AF_INET, .addr = addr, .port = 443, .server_name = "", .hosts = ""
	};
	char text[4096] = "http { server { ";

	strcat(text, both);
	strcat(text, "location /a { proxy_pass https://192.0.2.1; } "
		     "location /b { proxy_pass https://192.0.2.1; ");
	strcat(text, second);
	strcat(text, " } } }");
	conffiles_map(text, &conf, &map);
	nginxmap_match(map, &peer, &places);
	assert_int_equal(places.count, 2);
}

/* The connection came from both ("ab"), from none (""), or from one of them. */
static void assert_left(const char *expected)
{
	char left[8] = "";
	struct nginx_places copy = places;

	nginxplaces_exclude(&copy, &f);
	for (uint32_t i = 0; i < copy.count; i++)
		strncat(left, &copy.items[i].location.data[strlen("location /")], 1);
	assert_string_equal(left, expected);
	assert_true(copy.count + copy.excluded <= 2);
}

static void test_nothing_seen(void **state)
{
	(void)state;
	configure("proxy_ssl_verify on; proxy_ssl_certificate c; proxy_ssl_protocols TLSv1.2;"
		  "proxy_ssl_name b.test;");
	assert_left("ab");
}

static void test_verify(void **state)
{
	(void)state;
	configure("proxy_ssl_verify on;");
	f.verify.known = true;
	assert_left("b");
	f.verify.known = false;
	f.established = true;
	assert_left("ab"); /* of a program whose library is not known, nothing is */
	strcpy(f.openssl.version, "OpenSSL 3.0.0");
	assert_left("a");
	/* It may not have been seen: so it may be the only place. */
	places.items[0] = places.items[1];
	assert_left("bb");
	/* The name is compared only where the rest is verified. */
	configure("proxy_ssl_verify on;");
	f.name_check.known = true;
	strcpy(f.name_check.name, "192.0.2.1");
	assert_left("b");
}

/* HTTP/2 is always offered by ALPN. */
static void test_http_version(void **state)
{
	(void)state;
	configure("proxy_http_version 2;");
	f.hello.known = true;
	assert_left("a");
	f.hello.alpn_count = 1;
	strcpy(f.hello.alpn[0], "h2");
	assert_left("b");
	/* The other one may not have been seen: so it may be the only place. */
	places.items[1] = places.items[0];
	assert_left("aa");
}

static void test_name(void **state)
{
	(void)state;
	both = "proxy_ssl_verify on; ";
	configure("proxy_ssl_name b.test;");
	f.name_check.known = true;
	strcpy(f.name_check.name, "B.test");
	assert_left("b");
	strcpy(f.name_check.name, "192.0.2.1");
	assert_left("a");
	strcpy(f.name_check.name, "c.test");
	assert_left("");
	f.name_check.cut = true;
	assert_left("ab");
	f.name_check.cut = false;
	configure("proxy_ssl_name $host;");
	assert_left("b");
}

static void test_client_certificate(void **state)
{
	(void)state;
	configure("proxy_ssl_certificate c;");
	f.has_certificate_sent = f.has_certificate_requested = f.certificate_requested = true;
	assert_left("a");
	f.certificate_sent = true;
	assert_left("b");
	/* One that cannot be used is not sent: so it may be the only place. */
	f.certificate_sent = false;
	configure("proxy_ssl_certificate c;");
	places.items[0] = places.items[1];
	assert_left("bb");
}

static void offer(const char *highest, const char *lowest, unsigned int ciphers,
		  unsigned int groups)
{
	f.hello = (struct finding_hello){ .known = true,
					  .versions = { highest, lowest },
					  .version_count = lowest ? 2 : 1,
					  .cipher_count = ciphers,
					  .group_count = groups };
}

static void test_offer(void **state)
{
	(void)state;
	configure("proxy_ssl_protocols TLSv1.2;");
	offer("1.3", "1.2", 30, 5);
	assert_left("a");
	configure("proxy_ssl_protocols TLSv1.2 TLSv1.3;");
	offer("1.2", NULL, 30, 5);
	assert_left("a");
	configure(
		"proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_conf_command MaxProtocol TLSv1.2;");
	assert_left("ab");
	configure("proxy_ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;");
	assert_left("a");
	offer("1.2", NULL, 1, 5);
	assert_left("b");
	configure("proxy_ssl_conf_command Groups X25519;");
	offer("1.2", NULL, 30, 1);
	assert_left("b");
	offer("1.2", NULL, 30, 5);
	assert_left("a");
	f.hello.offers_session = true;
	configure("proxy_ssl_session_reuse off;");
	assert_left("a");
}

/* Of one that is less sure, nothing is told while a surer one is left. */
static void test_certainty(void **state)
{
	(void)state;
	configure("proxy_ssl_verify on;");
	places.items[0].certainty = NGINX_CERTAIN;
	places.items[1].certainty = NGINX_LIKELY;
	assert_left("a");
	f.verify.known = true;
	assert_left("b");
}

/* Places for which there was no room are as unsure as the last that is here. */
static void test_no_room(void **state)
{
	(void)state;
	both = "proxy_ssl_verify on; ";
	configure("proxy_ssl_name b.test;");
	places.items[0].certainty = NGINX_CERTAIN;
	places.items[1].certainty = NGINX_MOVED;
	places.more = 17;
	f.name_check.known = true;
	strcpy(f.name_check.name, "192.0.2.1");
	nginxplaces_exclude(&places, &f);
	assert_int_equal(places.count, 1);
	assert_int_equal(places.more, 0);
	assert_int_equal(places.excluded, 0); /* it does not connect to this peer */
	configure("proxy_ssl_name b.test;");
	places.more = 17;
	nginxplaces_exclude(&places, &f);
	assert_int_equal(places.count, 1);
	assert_int_equal(places.more, 17);
	assert_int_equal(places.excluded, 1);
}

static void test_header(void **state)
{
	static const struct nginx_value header = { .setting = NGINX_PROXY_PROTOCOL,
						   .value = { "on", 2 } };

	(void)state;
	configure("");
	places.items[0].module = places.items[1].module = NGINX_MODULE_STREAM;
	places.items[1].values[places.items[1].value_count++] = header;
	assert_left("ab");
	f.has_bytes_before_hello = true;
	assert_left("a");
	f.bytes_before_hello = 43;
	assert_left("b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_seen),
		TEST(test_verify),
		TEST(test_http_version),
		TEST(test_name),
		TEST(test_client_certificate),
		TEST(test_offer),
		TEST(test_certainty),
		TEST(test_header),
		TEST(test_no_room),
	};

	return cmocka_run_group_tests_name("nginxexclude", tests, NULL, NULL);
}
