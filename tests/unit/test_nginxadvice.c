/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a cause and a configuration to the hint and the diff: what is proposed for each cause, and
 * what is told when nothing can be.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/causes.h"
#include "conffiles.h"
#include "harmless.h"
#include "program/nginx/advice.h"
#include "program/nginx/fixes.h"
#include "program/nginx/map.h"

#define TIME_S 1767366245ULL /* 2026-01-02 15:04:05 UTC */

static struct nginxconf *conf;
static struct nginxmap *map;
static struct nginx_places places;
static struct finding f;

static int setup(void **state)
{
	(void)state;
	f = (struct finding){ .time_ns = TIME_S * 1000000000ULL };
	strcpy(f.hint, "the general hint");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	conffiles_unmap(&conf, &map);
	return 0;
}

/* Do they pass plain text? */
static bool plain;

/* The places that pass to 192.0.2.1:443 in a configuration with these lines in its server. */
static void configure(const char *server)
{
	static const uint8_t addr[16] = { 192, 0, 2, 1 };
	struct nginxmap_peer peer = { .family = AF_INET,
				      .addr = addr,
				      .port = 443,
				      .plain = plain,
				      .server_name = "",
				      .hosts = "" };
	char text[4096] = "http {\nserver {\n";

	strcat(text, server);
	strcat(text, "}\n}\n");
	conffiles_map(text, &conf, &map);
	nginxmap_match(map, &peer, &places);
	assert_true(places.count > 0);
}

static void advise(const char *cause)
{
	f.cause = cause;
	nginxadvice_fill(&f, &places);
	assert_true(is_harmless(f.hint));
}

static void assert_hint(const char *expected)
{
	assert_string_equal(f.hint, expected);
}

/* The diff has a line "+ADDED". */
static void assert_added(const char *added)
{
	char line[512] = "\n+";

	strcat(line, added);
	strcat(line, "\n");
	if (!strstr(f.config.patch, line))
		fail_msg("no %s in: %s", added, f.config.patch);
}

#define PLACE "location / {\n\tproxy_pass https://192.0.2.1;\n"
#define AT    CONFFILES_MAIN ":4"

static void test_slugs(void **state)
{
	size_t i = 0;

	(void)state;
	for (; nginxfix_slug(i); i++)
		if (!cause_find(nginxfix_slug(i)))
			fail_msg("%s is no cause", nginxfix_slug(i));
	assert_true(i > 20);
}

static void test_places(void **state)
{
	(void)state;
	configure("server_name a.test;\n" PLACE "proxy_ssl_verify on;\n}\n"
		  "location /b { proxy_pass https://192.0.2.1; }\n");
	advise("peer-access-denied");
	assert_hint("the general hint");
	assert_int_equal(f.config.place_count, 2);
	assert_string_equal(f.config.certainty, "several");
	assert_int_equal(f.config.setting_count, 0);
	setup(NULL);
	f.verify.known = true;
	advise("peer-access-denied");
	assert_int_equal(f.config.place_count, 1);
	assert_string_equal(f.config.places[0].file, CONFFILES_MAIN);
	assert_int_equal(f.config.places[0].line, 5);
	assert_string_equal(f.config.places[0].location, "location /");
	assert_string_equal(f.config.places[0].server, "a.test");
	assert_string_equal(f.config.certainty, "certain");
	assert_int_equal(f.config.setting_count, 1);
	assert_string_equal(f.config.settings[0], "proxy_ssl_verify on");
	assert_string_equal(f.config.patch, "");
}

static void test_sni_missing(void **state)
{
	(void)state;
	configure("proxy_ssl_name b.test;\n" PLACE "}\n");
	advise("sni-missing");
	assert_hint("at " CONFFILES_MAIN ":5 set proxy_ssl_server_name on; (not set now); "
		    "proxy_ssl_name is b.test (line 3)");
	assert_added("\tproxy_ssl_server_name on;");
}

/* An address is not sent as a name. */
static void test_sni_missing_without_a_name(void **state)
{
	(void)state;
	configure(PLACE "}\n");
	advise("sni-missing");
	assert_non_null(strstr(f.hint, "proxy_ssl_name to a name"));
	assert_string_equal(f.config.patch, "");
}

/* nginx sends no address as a name, and turning names on would change nothing. */
static void test_sni_missing_with_an_address_as_name(void **state)
{
	static const char *const addresses[] = { "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char server[256];

		snprintf(server, sizeof(server), PLACE "proxy_ssl_name %s;\n}\n", addresses[i]);
		configure(server);
		advise("sni-missing");
		assert_non_null(strstr(f.hint, "proxy_ssl_name to a name"));
		assert_string_equal(f.config.patch, "");
	}
}

static void test_sni_missing_of_an_upstream(void **state)
{
	(void)state;
	teardown(NULL);
	configure(PLACE "}\n");
	places.items[0].upstream = (struct nginx_words){ "pool", 4 };
	places.items[0].peer_name = (struct nginx_words){ "c.test", 6 };
	advise("sni-missing");
	assert_hint("at " AT " set proxy_ssl_name c.test; (not set now) and "
		    "proxy_ssl_server_name on; (not set now)");
	assert_added("\tproxy_ssl_name c.test;");
	assert_added("\tproxy_ssl_server_name on;");
}

/* Set where it concerns this place only, it is changed; set further out, it is overridden. */
static void test_own_and_inherited(void **state)
{
	(void)state;
	configure("proxy_ssl_name b.test;\n" PLACE "\tproxy_ssl_server_name off;\n}\n");
	advise("sni-missing");
	assert_non_null(strstr(f.hint, "proxy_ssl_server_name on; (now off, line 6)"));
	assert_non_null(strstr(f.config.patch, "\n-\tproxy_ssl_server_name off;\n"));
	assert_added("\tproxy_ssl_server_name on;");
	setup(NULL);
	configure("proxy_ssl_name b.test; proxy_ssl_server_name off;\n" PLACE "}\n");
	advise("sni-missing");
	assert_non_null(strstr(f.hint, "(now off, line 3)"));
	assert_null(strstr(f.config.patch, "\n-"));
	assert_added("\tproxy_ssl_server_name on;");
}

/* It is right in the file, but the worker is older. */
static void test_already_so(void **state)
{
	(void)state;
	configure("proxy_ssl_name b.test;\n" PLACE "\tproxy_ssl_server_name on;\n}\n");
	places.items[0].changed = true;
	strcpy(f.hint, "set it");
	advise("sni-missing");
	assert_non_null(strstr(f.hint, "a reload may be all that is needed"));
	assert_true(f.config.changed);
	assert_string_equal(f.config.patch, "");
}

static void test_names(void **state)
{
	(void)state;
	/* An address says nothing of who the peer has to be: but the certificate does not either. */
	configure(PLACE "}\n");
	f.certificate.known = true;
	f.certificate.name_count = 1;
	strcpy(f.certificate.names[0], "right.test");
	advise("verify-hostname-mismatch");
	assert_added("\tproxy_ssl_name right.test;");
	assert_non_null(strstr(f.config.review, "only if you know"));
	/* What the operator has said is not replaced by what the peer presents. */
	configure(PLACE "\tproxy_ssl_name wrong.test;\n}\n");
	setup(NULL);
	f.certificate.known = true;
	f.certificate.name_count = 1;
	strcpy(f.certificate.names[0], "right.test");
	strcpy(f.peer.address, "192.0.2.1");
	advise("verify-hostname-mismatch");
	assert_string_equal(f.config.patch, "");
	assert_non_null(strstr(f.hint, "check that wrong.test is still served at 192.0.2.1"));
	/* But it stays the same without a dot at its end, which no certificate has. */
	configure(PLACE "\tproxy_ssl_name right.test.;\n}\n");
	setup(NULL);
	f.certificate.known = true;
	f.certificate.name_count = 1;
	strcpy(f.certificate.names[0], "*.test");
	advise("verify-hostname-mismatch");
	assert_added("\tproxy_ssl_name right.test;");
	assert_null(f.config.review);
	/* Nor is it sent; what is malformed without it, too, is left. */
	configure(PLACE "\tproxy_ssl_name right.test.;\n}\n");
	setup(NULL);
	strcpy(f.hello.server_name, "right.test.");
	advise("sni-malformed");
	assert_added("\tproxy_ssl_name right.test;");
	assert_null(f.config.review);
	configure(PLACE "\tproxy_ssl_name a_b.test.;\n}\n");
	setup(NULL);
	strcpy(f.hello.server_name, "a_b.test.");
	advise("sni-malformed");
	assert_string_equal(f.config.patch, "");
	/* Which of two is meant, nobody knows; a wildcard is no name. */
	configure(PLACE "}\n");
	setup(NULL);
	f.certificate.known = true;
	f.certificate.name_count = 2;
	strcpy(f.certificate.names[0], "right.test");
	strcpy(f.certificate.names[1], "left.test");
	advise("verify-hostname-mismatch");
	assert_string_equal(f.config.patch, "");
	assert_non_null(strstr(f.hint,
			       "never with IP addresses: set proxy_ssl_name to right.test or "
			       "left.test"));
	/* The server of an upstream block has been named. */
	places.items[0].upstream = (struct nginx_words){ "pool", 4 };
	places.items[0].peer_name = (struct nginx_words){ "a.right.test", 12 };
	setup(NULL);
	f.certificate.known = true;
	f.certificate.name_count = 2;
	strcpy(f.certificate.names[0], "other.test");
	strcpy(f.certificate.names[1], "*.right.test");
	advise("verify-hostname-mismatch");
	assert_added("\tproxy_ssl_name a.right.test;");
	assert_null(f.config.review);
}

/* No name was sent, so what came may be for another: nothing the peer presents is trusted. */
static void test_name_not_sent(void **state)
{
	(void)state;
	configure("proxy_ssl_name b.test;\n" PLACE "}\n");
	f.hello.known = true;
	f.certificate.known = true;
	f.certificate.name_count = 1;
	strcpy(f.certificate.names[0], "right.test");
	advise("verify-hostname-mismatch");
	assert_added("\tproxy_ssl_server_name on;");
	assert_null(strstr(f.config.patch, "right.test"));
}

/* One proposal for all places that are left is told, and one that differs is not; neither is a patch. */
static void test_several_places(void **state)
{
	(void)state;
	configure("proxy_ssl_name b.test;\n" PLACE
		  "}\nlocation /b { proxy_pass https://192.0.2.1; }\n");
	advise("sni-missing");
	assert_hint("at " CONFFILES_MAIN ":5 or " CONFFILES_MAIN
		    ":7 set proxy_ssl_server_name on;");
	assert_string_equal(f.config.patch, "");
	configure("proxy_ssl_name b.test;\n" PLACE "}\nlocation /b { proxy_pass https://192.0.2.1;"
		  " proxy_ssl_server_name on; }\n");
	setup(NULL);
	advise("sni-missing");
	assert_hint(
		"set proxy_ssl_server_name on; and set proxy_ssl_name to a name that the upstream "
		"serves: the target here is an IP address or the name of an upstream block");
}

/* The name stands for another address now: that is what is wrong, whatever came of it. */
static void test_moved(void **state)
{
	(void)state;
	configure(PLACE "}\n");
	strcpy(f.peer.address, "192.0.2.1");
	places.items[0].certainty = NGINX_MOVED;
	places.items[0].peer_name = (struct nginx_words){ "a.test", 6 };
	places.items[0].notes[places.items[0].note_count++] =
		(struct nginx_note){ .kind = NGINX_NOTE_MOVED, .words = { "192.0.2.7", 9 } };
	advise("verify-hostname-mismatch");
	assert_hint("at " AT
		    " nginx passes to a.test, which it resolved when it started; that name "
		    "now resolves to 192.0.2.7, no longer to 192.0.2.1 (/etc/hosts): reload "
		    "nginx");
	assert_string_equal(f.config.patch, "");
}

/* The server takes the header of the PROXY protocol for plain HTTP. */
static void test_header(void **state)
{
	static struct nginx_value header = { .setting = NGINX_PROXY_PROTOCOL,
					     .value = { "on", 2 } };

	(void)state;
	configure(PLACE "}\n");
	places.items[0].module = NGINX_MODULE_STREAM;
	places.items[0].values[places.items[0].value_count++] = header;
	advise("peer-not-tls-http");
	assert_string_equal(f.config.patch, "");
	assert_non_null(strstr(f.hint, "proxy_protocol on; sends"));
}

/* HTTP/2 is what ALPN is about. */
static void test_http_version(void **state)
{
	(void)state;
	configure("location / {\n\tproxy_pass https://192.0.2.1;\n\tproxy_http_version 2;\n}\n");
	advise("alpn-mismatch");
	assert_non_null(strstr(f.hint, "set proxy_http_version 1.1;"));
	configure("proxy_http_version 2;\nlocation / {\n\tproxy_pass https://192.0.2.1;\n"
		  "\tproxy_http_version 1.1;\n}\n");
	f.hint[0] = '\0';
	advise("alpn-mismatch");
	assert_null(strstr(f.hint, "proxy_http_version"));
}

/* Plain text was sent: a patch only where it goes to the same port then. */
static void test_plain_text(void **state)
{
	(void)state;
	plain = true;
	configure("location / {\n\tproxy_pass http://192.0.2.1:443/x;\n}\n");
	advise("plain-text-to-tls");
	assert_added("\tproxy_pass https://192.0.2.1:443/x;");
	configure("location / {\n\tgrpc_pass 192.0.2.1:443;\n}\n");
	setup(NULL);
	advise("plain-text-to-tls");
	assert_added("\tgrpc_pass grpcs://192.0.2.1:443;");
	plain = false;
}

static void test_certificate_by_variable(void **state)
{
	(void)state;
	configure(PLACE "}\nlocation /b {\n\tproxy_pass https://192.0.2.1;\n"
			"\tproxy_ssl_certificate /c/$who.crt;\n}\n");
	assert_int_equal(places.count, 2);
	advise("client-cert-unloadable");
	assert_int_equal(f.config.place_count, 1);
	assert_string_equal(f.config.places[0].location, "location /b");
	assert_non_null(strstr(f.hint, "proxy_ssl_certificate is /c/$who.crt"));
}

/* A directive of proxy_pass is named as the module that passes has it. */
static void test_other_module(void **state)
{
	(void)state;
	configure("location / {\n\tgrpc_pass grpcs://192.0.2.1;\n}\n");
	strcpy(f.hint, "set proxy_ssl_verify_depth, and proxy_protocol, and proxy_ssl_crl");
	advise("peer-access-denied");
	assert_hint("set grpc_ssl_verify_depth, and proxy_protocol, and grpc_ssl_crl");
}

static void test_protocols(void **state)
{
	(void)state;
	configure(PLACE "\tproxy_ssl_protocols TLSv1.1 TLSv1.2;\n}\n");
	f.hello.version_count = 2;
	f.hello.versions[0] = "1.2";
	f.hello.versions[1] = "1.1";
	advise("protocol-version-rejected");
	assert_added("\tproxy_ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;");
	/* All that is safe was offered: what is left weakens, and is said to. */
	setup(NULL);
	f.hello.version_count = 2;
	f.hello.versions[0] = "1.3";
	f.hello.versions[1] = "1.2";
	configure(PLACE "}\n");
	advise("protocol-version-rejected");
	assert_string_equal(f.config.patch, "");
	assert_non_null(strstr(f.hint, "only as a last resort"));
}

static void test_depth(void **state)
{
	(void)state;
	configure(PLACE "}\n");
	f.certificate.known = true;
	f.certificate.chain_length = 4;
	advise("verify-depth-exceeded");
	assert_added("\tproxy_ssl_verify_depth 3;");
	setup(NULL);
	f.certificate.chain_length = 2; /* 1 is the default */
	advise("verify-untrusted-issuer");
	assert_string_equal(f.config.patch, "");
}

static void test_ciphers(void **state)
{
	(void)state;
	configure(PLACE "\tproxy_ssl_ciphers HIGH;\n}\n");
	advise("cipher-mismatch");
	assert_added("\tproxy_ssl_ciphers DEFAULT;");
	setup(NULL);
	configure(PLACE "}\n");
	advise("cipher-mismatch");
	assert_hint("the general hint");
}

/* What another place uses with the same peer. */
/* A key share that is too long, and a session that is. */
static void test_long_hellos(void **state)
{
	(void)state;
	f.hello.length = 1500;
	f.hello.key_shares_length = 1222;
	configure(PLACE "}\n");
	advise("pqc-hello-intolerant");
	assert_added("\tproxy_ssl_conf_command Groups X25519:P-256:P-384;");
	configure(PLACE "proxy_ssl_conf_command Groups ffdhe8192;\n}\n");
	advise("large-hello-intolerant");
	assert_added("proxy_ssl_conf_command Groups X25519:P-256:P-384;");
	assert_non_null(strstr(f.hint, "(now Groups ffdhe8192, line 5)"));
	f.hello.key_shares_length = 36;
	f.hello.session_length = 1200;
	configure(PLACE "}\n");
	advise("large-hello-intolerant");
	assert_added("\tproxy_ssl_session_reuse off;");
}

/* Another command of OpenSSL's would be lost. */
static void test_other_commands(void **state)
{
	(void)state;
	configure(PLACE "proxy_ssl_conf_command Options PrioritizeChaCha;\n}\n");
	advise("pqc-hello-intolerant");
	assert_hint(
		"the general hint; proxy_ssl_conf_command is Options PrioritizeChaCha (line 5)");
	assert_string_equal(f.config.patch, "");
}

static void test_client_certificate(void **state)
{
	(void)state;
	configure(PLACE "}\nlocation /b { proxy_pass https://192.0.2.1; "
			"proxy_ssl_certificate c.crt; proxy_ssl_certificate_key c.key; }\n");
	f.has_certificate_requested = f.certificate_requested = f.has_certificate_sent = true;
	advise("client-cert-required");
	assert_added("\tproxy_ssl_certificate c.crt;");
	assert_added("\tproxy_ssl_certificate_key c.key;");
	setup(NULL);
	configure(PLACE "}\n");
	advise("client-cert-required");
	assert_hint("the general hint; proxy_ssl_certificate is not set");
	assert_string_equal(f.config.patch, "");
}

static void test_plain(void **state)
{
	(void)state;
	configure(PLACE "}\n");
	advise("peer-not-tls-http");
	assert_string_equal(f.config.review, "all traffic is then unencrypted");
	assert_added("\tproxy_pass http://192.0.2.1;");
	assert_non_null(strstr(f.hint, "unencrypted"));
}

/* What holds for one server of a block may not for the others: no patch. */
static void assert_none_of_many(const char *text, const char *slug)
{
	configure(text);
	places.items[0].notes[places.items[0].note_count++] =
		(struct nginx_note){ .kind = NGINX_NOTE_OTHER_SERVERS };
	advise(slug);
	assert_string_equal(f.config.patch, "");
}

static void test_of_many(void **state)
{
	(void)state;
	assert_none_of_many(PLACE "}\n", "peer-not-tls-http");
	plain = true;
	assert_none_of_many("location / {\n\tproxy_pass http://192.0.2.1:443;\n}\n",
			    "plain-text-to-tls");
	plain = false;
}

/* What is set there already can be set anew, but is so for all; what is added may be there twice. */
static void test_shared_file(void **state)
{
	(void)state;
	configure(PLACE "}\n");
	places.items[0].spots[0].shared = true;
	advise("resumption-refused");
	assert_string_equal(f.config.patch, "");
	configure(PLACE "\tproxy_ssl_session_reuse on;\n}\n");
	for (uint32_t i = 0; i < places.items[0].spot_count; i++)
		places.items[0].spots[i].shared = true;
	advise("resumption-refused");
	assert_non_null(strstr(f.config.patch, "+\tproxy_ssl_session_reuse off;"));
	assert_non_null(strstr(f.config.review, "included more than once"));
}

static void note(enum nginx_note_kind kind, enum nginx_setting setting, int64_t number,
		 const char *words)
{
	struct nginx_place *p = &places.items[0];

	p->notes[p->note_count++] =
		(struct nginx_note){ kind, setting, number, { words, (uint32_t)strlen(words) } };
}

static void test_notes(void **state)
{
	(void)state;
	configure(PLACE "proxy_ssl_certificate c.crt;\nproxy_ssl_certificate_key c.key;\n}\n");
	note(NGINX_NOTE_BEGINS, NGINX_SSL_CERTIFICATE, TIME_S - 5, "");
	note(NGINX_NOTE_ENDS, NGINX_SSL_CERTIFICATE, TIME_S - 5, "");
	note(NGINX_NOTE_ISSUER, NGINX_SSL_CERTIFICATE, 0, "CN=CA");
	note(NGINX_NOTE_CHANGED, NGINX_SSL_CERTIFICATE, TIME_S, "");
	note(NGINX_NOTE_KEY_MISMATCH, NGINX_SSL_CERTIFICATE_KEY, 0, "");
	note(NGINX_NOTE_MISSING, NGINX_SSL_CRL, 0, "Permission denied");
	advise("client-cert-expired");
	assert_hint("the general hint; proxy_ssl_certificate is c.crt (line 5); c.crt expired on "
		    "2026-01-02 15:04:00 UTC; c.crt was issued by CN=CA; c.crt was changed on "
		    "2026-01-02 15:04:05 UTC, after this worker read it: reload nginx; c.key is "
		    "not the key of the certificate");
}

static void test_no_place(void **state)
{
	(void)state;
	places = (struct nginx_places){ .more = 3 };
	advise("sni-missing");
	assert_hint("the general hint");
	assert_int_equal(f.config.place_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slugs),
		TEST(test_places),
		TEST(test_sni_missing),
		TEST(test_sni_missing_without_a_name),
		TEST(test_sni_missing_with_an_address_as_name),
		TEST(test_sni_missing_of_an_upstream),
		TEST(test_own_and_inherited),
		TEST(test_already_so),
		TEST(test_names),
		TEST(test_name_not_sent),
		TEST(test_several_places),
		TEST(test_moved),
		TEST(test_header),
		TEST(test_http_version),
		TEST(test_plain_text),
		TEST(test_certificate_by_variable),
		TEST(test_other_module),
		TEST(test_protocols),
		TEST(test_depth),
		TEST(test_ciphers),
		TEST(test_long_hellos),
		TEST(test_other_commands),
		TEST(test_client_certificate),
		TEST(test_plain),
		TEST(test_of_many),
		TEST(test_shared_file),
		TEST(test_notes),
		TEST(test_no_place),
	};

	return cmocka_run_group_tests_name("nginxadvice", tests, NULL, NULL);
}
