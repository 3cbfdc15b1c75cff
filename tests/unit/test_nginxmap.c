/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which places of a configuration a connection came from, how sure that is, and what holds there.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"
#include "program/nginx/map.h"
#include "program/nginx/redact.h"

static struct nginxconf *conf;
static struct nginxmap *map;
static struct nginx_places places;
static uint64_t hosts_steps;
static const char *hosts = "";

static int teardown(void **state)
{
	(void)state;
	conffiles_unmap(&conf, &map);
	hosts = "";
	hosts_steps = 0;
	return 0;
}

static void parse(const char *text)
{
	teardown(NULL);
	conffiles_map(text, &conf, &map);
}

/* In the http block of a configuration, on line 1. */
static void parse_http(const char *text)
{
	char *whole = malloc(strlen(text) + 16);

	assert_non_null(whole);
	strcpy(whole, "http { ");
	strcat(whole, text);
	strcat(whole, " }");
	parse(whole);
	free(whole);
}

/* Was plain text sent? */
static bool plain;

/* server_name NULL: not known. Returns the number of places. */
static uint32_t match(const char *address, uint16_t port, const char *server_name)
{
	uint8_t addr[16] = { 0 };
	struct nginxmap_peer peer = {
		.family = strchr(address, ':') ? AF_INET6 : AF_INET,
		.addr = addr,
		.port = port,
		.plain = plain,
		.has_hello = server_name,
		.server_name = server_name ? server_name : "",
		.hosts = hosts,
	};

	assert_int_equal(inet_pton((int)peer.family, address, addr), 1);
	if (hosts_steps)
		peer.steps = &hosts_steps;
	nginxmap_match(map, &peer, &places);
	return places.count;
}

static void assert_is(const struct nginx_words *words, const char *string)
{
	if (!nginx_words_are(words, string))
		fail_msg("%.*s is not %s", (int)words->len, words->data, string);
}

static void assert_value(enum nginx_setting setting, const char *value, bool own)
{
	const struct nginx_value *v = nginx_place_value(&places.items[0], setting);

	if (!value) {
		assert_null(v);
		return;
	}
	assert_non_null(v);
	assert_is(&v->value, value);
	assert_int_equal(v->own, own);
}

static void test_addresses(void **state)
{
	(void)state;
	parse("http {\n server {\n  server_name a.test b.test;\n  location /x {\n"
	      "   proxy_pass https://192.0.2.7:8443/path;\n  }\n"
	      "  location = /y { proxy_pass https://[2001:db8::7]; }\n }\n}\n");
	assert_int_equal(nginxmap_count(map), 2);
	assert_int_equal(match("192.0.2.7", 8443, ""), 1);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_int_equal(places.items[0].module, NGINX_MODULE_PROXY);
	assert_int_equal(places.items[0].line, 5);
	assert_is(&places.items[0].file, CONFFILES_MAIN);
	assert_is(&places.items[0].location, "location /x");
	assert_is(&places.items[0].server, "a.test b.test");
	assert_is(&places.items[0].target, "https://192.0.2.7:8443/path");
	assert_is(&places.items[0].upstream, "");
	assert_is(&places.items[0].peer_name, "");
	assert_int_equal(match("2001:db8::7", 443, ""), 1);
	assert_is(&places.items[0].location, "location = /y");
	assert_int_equal(match("192.0.2.7", 443, ""), 0);
	assert_int_equal(match("192.0.2.8", 8443, ""), 0);
	assert_int_equal(match("2001:db8::8", 443, ""), 0);
}

/* Where plain text is sent from. */
static void test_plain(void **state)
{
	(void)state;
	parse_http("server { location / { proxy_pass http://192.0.2.7:443; } "
		   "location /a { grpc_pass 192.0.2.7:443; } "
		   "location /b { grpc_pass grpc://192.0.2.7:443; } "
		   "location /c { uwsgi_pass 192.0.2.7:443; } "
		   "location /d { fastcgi_pass 192.0.2.7:443; } "
		   "location /e { proxy_pass https://192.0.2.7:443; } "
		   "location /f { proxy_pass http://192.0.2.8; } }");
	assert_int_equal(match("192.0.2.7", 443, ""), 1);
	assert_is(&places.items[0].location, "location /e");
	plain = true;
	assert_int_equal(match("192.0.2.7", 443, NULL), 4);
	assert_is(&places.items[0].location, "location /");
	assert_is(&places.items[3].location, "location /c");
	assert_int_equal(match("192.0.2.8", 80, NULL), 1);
	parse("stream { server { proxy_pass 192.0.2.7:443; } "
	      "server { proxy_pass 192.0.2.7:443; proxy_ssl on; } }");
	assert_int_equal(match("192.0.2.7", 443, NULL), 1);
	assert_int_equal(places.items[0].module, NGINX_MODULE_STREAM);
	plain = false;
}

/* What is not TLS to a TCP peer is no place. */
static void test_no_tls(void **state)
{
	(void)state;
	parse_http("server { location / { proxy_pass http://192.0.2.7; } "
		   "location /a { grpc_pass 192.0.2.7:443; } "
		   "location /b { grpc_pass grpc://192.0.2.7:443; } "
		   "location /c { uwsgi_pass 192.0.2.7:443; } "
		   "location /d { fastcgi_pass 192.0.2.7:443; } }");
	assert_int_equal(nginxmap_count(map), 0);
	parse_http("server { location / { proxy_pass https://unix:/run/a.sock; } }");
	assert_int_equal(match("192.0.2.7", 443, ""), 0);
	parse("stream { server { proxy_pass 192.0.2.7:443; } "
	      "server { proxy_pass 192.0.2.7:443; proxy_ssl off; } }");
	assert_int_equal(nginxmap_count(map), 0);
	parse("events { }");
	assert_int_equal(match("192.0.2.7", 443, NULL), 0);
}

static void test_upstreams(void **state)
{
	(void)state;
	parse("http {\n upstream Pool {\n  zone z 64k;\n  server 192.0.2.1:8443 weight=5;\n"
	      "  server 192.0.2.2:8443 backup;\n  server [2001:db8::1]:8443;\n"
	      "  server unix:/run/a.sock;\n  server 192.0.2.3;\n }\n"
	      " server { location / { proxy_pass https://pool/x; } }\n}\n");
	assert_int_equal(match("192.0.2.2", 8443, ""), 1);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_is(&places.items[0].upstream, "Pool");
	assert_int_equal(places.items[0].upstream_line, 5);
	assert_int_equal(match("2001:db8::1", 8443, ""), 1);
	/* A server without a port is at 80, whatever the scheme is. */
	assert_int_equal(match("192.0.2.3", 443, ""), 0);
	assert_int_equal(match("192.0.2.3", 80, ""), 1);
	assert_int_equal(match("192.0.2.9", 8443, ""), 0);
}

/* http and stream have upstream blocks of their own. */
static void test_stream(void **state)
{
	(void)state;
	parse("http { upstream a { server 192.0.2.1:1; } }\n"
	      "stream { proxy_ssl on; upstream a { server 192.0.2.2:2; }\n"
	      " server { listen 1; proxy_pass a; proxy_ssl_name x.test; proxy_ssl_server_name on; }\n"
	      " server { listen 2; proxy_pass 192.0.2.3:3; }\n"
	      " server { listen 3; proxy_ssl off; proxy_pass 192.0.2.3:3; } }");
	assert_int_equal(nginxmap_count(map), 2);
	assert_int_equal(match("192.0.2.1", 1, ""), 0);
	assert_int_equal(match("192.0.2.2", 2, "x.test"), 1);
	assert_int_equal(places.items[0].module, NGINX_MODULE_STREAM);
	assert_is(&places.items[0].location, "server");
	assert_is(&places.items[0].upstream, "a");
	assert_value(NGINX_SSL, "on", false);
	assert_value(NGINX_SSL_NAME, "x.test", true);
	assert_int_equal(match("192.0.2.3", 3, ""), 1);
	assert_int_equal(places.items[0].line, 4);
}

static void test_other_modules(void **state)
{
	(void)state;
	parse_http("grpc_ssl_verify on; proxy_ssl_verify off; uwsgi_ssl_protocols TLSv1.3; "
		   "server { location /g { grpc_pass grpcs://192.0.2.1; } "
		   "location /u { uwsgi_pass suwsgi://192.0.2.2:9; } }");
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	assert_int_equal(places.items[0].module, NGINX_MODULE_GRPC);
	assert_value(NGINX_SSL_VERIFY, "on", false);
	assert_int_equal(match("192.0.2.2", 9, ""), 1);
	assert_int_equal(places.items[0].module, NGINX_MODULE_UWSGI);
	assert_value(NGINX_SSL_VERIFY, NULL, false);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.3", false);
}

/* From the inside out, each directive for itself. */
static void test_inheritance(void **state)
{
	(void)state;
	parse_http("proxy_ssl_verify on; proxy_ssl_verify_depth 3; proxy_ssl_ciphers A:B; "
		   "proxy_ssl_conf_command Options X; "
		   "server { proxy_ssl_verify off; proxy_ssl_crl c.crl; "
		   "location /x { proxy_ssl_verify_depth 5; "
		   "location /x/y { proxy_pass https://192.0.2.1; proxy_ssl_protocols TLSv1.2 "
		   "TLSv1.3; proxy_ssl_conf_command Groups P-256; "
		   "proxy_ssl_conf_command MinProtocol TLSv1.2; } } }");
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	assert_is(&places.items[0].location, "location /x/y");
	assert_value(NGINX_SSL_VERIFY, "off", false);
	assert_value(NGINX_SSL_VERIFY_DEPTH, "5", false);
	assert_value(NGINX_SSL_CIPHERS, "A:B", false);
	assert_value(NGINX_SSL_CRL, "c.crl", false);
	assert_value(NGINX_SSL_PROTOCOLS, "TLSv1.2 TLSv1.3", true);
	/* All of those in one block, and none of those around it. */
	assert_value(NGINX_SSL_CONF_COMMAND, "Groups P-256", true);
	assert_int_equal(places.items[0].value_count, 7);
	assert_is(&places.items[0].values[6].value, "MinProtocol TLSv1.2");
}

/* "if" takes no settings: those of the location hold, and that is where they are changed. */
static void test_if(void **state)
{
	const struct nginx_spot *spot;

	(void)state;
	parse_http("server {\nlocation /x {\nproxy_ssl_verify on;\nif ($a) {\nproxy_pass "
		   "https://192.0.2.1;\n} } }");
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	assert_is(&places.items[0].location, "location /x");
	assert_value(NGINX_SSL_VERIFY, "on", true);
	spot = nginx_place_spot(&places.items[0], NGINX_BLOCK);
	assert_non_null(spot);
	assert_memory_equal(spot->text.data + spot->from, "location /x {", spot->to - spot->from);
}

static void test_names(void **state)
{
	(void)state;
	parse_http("server { location /a { proxy_pass https://a.test:8443; } "
		   "location /b { proxy_pass https://b.test:8443; proxy_ssl_server_name on; } "
		   "location /c { proxy_pass https://c.test:8443; proxy_ssl_server_name on; } }");
	/* No name is sent, so it is the one that sends none. */
	assert_int_equal(match("192.0.2.1", 8443, ""), 1);
	assert_is(&places.items[0].location, "location /a");
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_int_equal(match("192.0.2.1", 8443, "C.test"), 1);
	assert_is(&places.items[0].location, "location /c");
	assert_int_equal(match("192.0.2.1", 8443, "d.test"), 0);
	assert_int_equal(match("192.0.2.1", 8443, NULL), 3);
	assert_int_equal(match("192.0.2.1", 443, NULL), 0);
}

static void test_hosts(void **state)
{
	(void)state;
	parse_http("server { location /a { proxy_pass https://a.test:8443; } "
		   "location /b { proxy_pass https://b.test:8443; } }");
	hosts = "# 192.0.2.1 b.test\n192.0.2.1\tx.test A.test # b.test\n\n192.0.2.2 a.test\n"
		"2001:db8::1 a.test\nnonsense a.test";
	assert_int_equal(match("192.0.2.1", 8443, ""), 2);
	assert_is(&places.items[0].location, "location /a");
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_is(&places.items[1].location, "location /b");
	assert_int_equal(match("2001:db8::1", 8443, ""), 2);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	/* a.test is known to be elsewhere: it may have been there before. */
	assert_int_equal(match("192.0.2.3", 8443, ""), 2);
	assert_is(&places.items[0].location, "location /b");
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_is(&places.items[1].location, "location /a");
	assert_int_equal(places.items[1].certainty, NGINX_MOVED);
	assert_int_equal(places.items[1].notes[0].kind, NGINX_NOTE_MOVED);
	assert_is(&places.items[1].notes[0].words, "192.0.2.1");
}

/* What is looked up at run time is asked of nginx's resolver, which reads no hosts file. */
static void test_resolver(void **state)
{
	(void)state;
	hosts = "192.0.2.9 a.test\n";
	parse_http("upstream u { server a.test:8443 resolve; } server { set $b a.test; "
		   "location /a { proxy_pass https://u; } "
		   "location /b { proxy_pass https://$b:8443; } }");
	hosts = "192.0.2.9 a.test\n";
	assert_int_equal(match("192.0.2.1", 8443, ""), 2);
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_int_equal(places.items[1].certainty, NGINX_LIKELY);
}

static void test_lua(void **state)
{
	(void)state;
	parse_http("upstream u { server 0.0.0.1; balancer_by_lua_block { a = {} } keepalive 4; } "
		   "server { location /a { proxy_pass https://u; } "
		   "location /b { proxy_pass https://192.0.2.1:8443; } }");
	assert_int_equal(match("192.0.2.2", 8443, ""), 1);
	assert_is(&places.items[0].location, "location /a");
	assert_int_equal(places.items[0].certainty, NGINX_POSSIBLE);
	assert_int_equal(match("192.0.2.1", 8443, ""), 2);
	assert_is(&places.items[0].location, "location /b");
}

/* The server name tells places with the same address apart. */
static void test_several_places(void **state)
{
	(void)state;
	parse_http("proxy_ssl_server_name on; server { "
		   "location /a { proxy_pass https://192.0.2.1; proxy_ssl_name a.test; } "
		   "location /b { proxy_pass https://192.0.2.1; proxy_ssl_name b.test; } "
		   "location /c { proxy_pass https://192.0.2.1; proxy_ssl_name b.test; } "
		   "location /d { proxy_pass https://192.0.2.1; } "
		   "location /e { proxy_pass https://192.0.2.1; proxy_ssl_name $host; } }");
	assert_int_equal(match("192.0.2.1", 443, "a.test"), 2);
	assert_is(&places.items[0].location, "location /a");
	assert_is(&places.items[1].location, "location /e");
	assert_int_equal(match("192.0.2.1", 443, "b.test"), 3);
	/* An address is not sent as a name. */
	assert_int_equal(match("192.0.2.1", 443, ""), 2);
	assert_is(&places.items[0].location, "location /d");
	assert_int_equal(match("192.0.2.1", 443, NULL), 5);
}

static void test_contradiction(void **state)
{
	(void)state;
	parse_http("server { location /a { proxy_pass https://192.0.2.1; } }");
	assert_int_equal(match("192.0.2.1", 443, "other.test"), 0);
}

static void test_more_than_fit(void **state)
{
	char text[4096] = "server { ";

	(void)state;
	for (int i = 0; i < NGINX_PLACES_MAX + 3; i++)
		strcat(text, "location /a { proxy_pass https://192.0.2.1; } ");
	strcat(text, "}");
	parse_http(text);
	assert_int_equal(match("192.0.2.1", 443, ""), NGINX_PLACES_MAX);
	assert_int_equal(places.more, 3);
}

static void test_variables(void **state)
{
	(void)state;
	parse_http("server { set $b c.test:8443; set $u https://192.0.2.7:9; set $v $u; "
		   "location /a { proxy_pass https://$a; } "
		   "location /b { proxy_pass https://$b; } "
		   "location /c { proxy_pass https://d.test:1$request_uri; } "
		   "location /d { proxy_pass ${u}/x; } "
		   "location /e { proxy_pass $v; } "
		   "location /f { proxy_pass https://192.0.2.8$request_uri; } "
		   "location /g { proxy_pass http://$a; } }");
	assert_int_equal(nginxmap_count(map), 6);
	/* The others are behind it: whatever a variable is may have been it. */
	assert_int_equal(match("192.0.2.1", 8443, ""), 3);
	assert_is(&places.items[0].location, "location /b");
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_int_equal(match("192.0.2.7", 9, ""), 3);
	assert_is(&places.items[0].location, "location /d");
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
	assert_int_equal(match("192.0.2.8", 443, ""), 3);
	assert_is(&places.items[0].location, "location /f");
	assert_int_equal(match("192.0.2.1", 7, ""), 2);
	assert_is(&places.items[0].location, "location /a");
	assert_is(&places.items[1].location, "location /e");
	assert_int_equal(places.items[0].certainty, NGINX_POSSIBLE);
}

static void test_spots(void **state)
{
	const char *text = "http {\n server {\n  location / {\n\n   proxy_pass\n"
			   "      https://192.0.2.1;\n   proxy_ssl_verify on;\n  }\n }\n}";
	const struct nginx_spot *spot;

	(void)state;
	parse(text);
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	spot = nginx_place_spot(&places.items[0], NGINX_PASS);
	assert_int_equal(spot->line, 2);
	assert_memory_equal(spot->text.data + spot->from, "proxy_pass\n      https://192.0.2.1;",
			    spot->to - spot->from);
	assert_is(&spot->text, " server {\n  location / {\n\n   proxy_pass\n"
			       "      https://192.0.2.1;\n   proxy_ssl_verify on;\n  }\n }\n");
	spot = nginx_place_spot(&places.items[0], NGINX_SSL_VERIFY);
	assert_int_equal(spot->line, 7); /* half of a directive is no context */
	assert_memory_equal(spot->text.data + spot->from, "proxy_ssl_verify on;",
			    spot->to - spot->from);
	nginxconf_drop_texts(conf);
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	assert_int_equal(places.items[0].spot_count, 0);
}

/* Lines that hold a password stay where they are. */
static void assert_context(const char *lines, const char *text)
{
	const struct nginx_spot *spot;

	parse(lines);
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	spot = nginx_place_spot(&places.items[0], NGINX_PASS);
	if (!text) {
		assert_null(spot);
		return;
	}
	assert_non_null(spot);
	assert_is(&spot->text, text);
}

static void test_secrets(void **state)
{
	(void)state;
	/* headers, also in several lines; directives that nobody has thought of; comments */
	assert_context(
		"http {\n server {\n  location / {\n   proxy_set_header\n    Authorization\n"
		"    \"Basic eDp5\";\n   proxy_pass https://192.0.2.1;\n   b 1;\n  }\n }\n}\n",
		"   proxy_pass https://192.0.2.1;\n");
	assert_context(
		"http {\n server {\n  location / {\n  # password: x\n"
		"   proxy_pass https://192.0.2.1;\n   proxy_ssl_verify on; # x\n  }\n }\n}\n",
		"   proxy_pass https://192.0.2.1;\n");
	assert_context("http {\n server {\n  location / {\n   proxy_ssl_name a;\n"
		       "   proxy_pass https://192.0.2.1;\n\n   proxy_pass_header x;\n  }\n }\n}\n",
		       " server {\n  location / {\n   proxy_ssl_name a;\n"
		       "   proxy_pass https://192.0.2.1;\n\n");
	/* on the very line */
	assert_context("http { server { location / { proxy_set_header X-Vault-Key x; proxy_pass "
		       "https://192.0.2.1; } } }",
		       NULL);
	assert_context("http {\n server {\n location / {\n proxy_pass https://192.0.2.1; # key x\n"
		       " } } }",
		       NULL);
}

static bool may_show(const char *lines)
{
	return nginxredact_may_show(lines, strlen(lines));
}

/* What is after a '?' and before an '@' in a URL, and the PIN of a token. */
static void test_secrets_in_arguments(void **state)
{
	(void)state;
	parse_http("server { location / { proxy_ssl_certificate a.crt; proxy_ssl_certificate_key "
		   "\"engine:pkcs11:token=x;pin-value=1234\"; "
		   "proxy_pass https://192.0.2.1/a?sig=x; } }");
	assert_int_equal(match("192.0.2.1", 443, ""), 1);
	assert_is(&places.items[0].target, "https://192.0.2.1/a");
	assert_value(NGINX_SSL_CERTIFICATE, "a.crt", true);
	assert_value(NGINX_SSL_CERTIFICATE_KEY, "", true);
	assert_int_equal(nginxredact_shown("proxy_pass", "https://u:p@h/", 14), strlen("https://"));
	assert_int_equal(nginxredact_shown("server", "a@b", 3), 0);
	assert_true(may_show("location ~ ^/(?:a|b)@ {\n"));
	assert_true(may_show("proxy_pass https://${host}:1;\n"));
	assert_false(may_show("proxy_pass https://$a?b;\n"));
	assert_true(may_show("proxy_ssl_ciphers ALL:@SECLEVEL=0;\n"));
	assert_int_equal(nginxredact_shown("proxy_ssl_ciphers", "ALL:@SECLEVEL=0", 15), 15);
	assert_false(may_show("proxy_ssl_name a\n"));
	assert_false(may_show("proxy_ssl_name \"a;\";\n"));
	assert_false(may_show("serverx a;\n"));
	assert_true(may_show("}\n"));
	assert_false(may_show("a }\n"));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

/* -- configurations that are made to cost ------------------------------------------------------ */

#define MANY 60000

/* So many times the line, with its number in it, in an http block. */
static void parse_many(const char *before, const char *line, const char *after)
{
	char *whole = malloc(256 + strlen(before) + strlen(after) + MANY * (strlen(line) + 8));
	const char *hash = strchr(line, '#');
	char *at = whole;

	assert_non_null(whole);
	at += sprintf(at, "http { %s", before);
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "%.*s%d%s", (int)(hash - line), line, i, hash + 1);
	sprintf(at, "%s }", after);
	parse(whole);
	free(whole);
}

/* What holds for a location is not looked for among all others: that took minutes. */
static void test_many_locations(void **state)
{
	(void)state;
	parse_many("server { ", "location /# { proxy_pass https://192.0.2.1; }\n",
		   "proxy_ssl_name late.test; }");
	assert_int_equal(match("192.0.2.1", 443, NULL), NGINX_PLACES_MAX);
	assert_int_equal(places.more, MANY - NGINX_PLACES_MAX);
	assert_value(NGINX_SSL_NAME, "late.test", false);
}

/* Nor is an upstream block looked through for each place that passes to it. */
static void test_many_passes_to_many_servers(void **state)
{
	char upstream[16 * 3000 + 64] = "upstream u { ", *at = upstream + strlen(upstream);

	(void)state;
	for (int i = 0; i < 3000; i++)
		at += sprintf(at, "server h%d:1;", i);
	strcpy(at, "server 192.0.2.1:443; } server {");
	parse_many(upstream, "location /# { proxy_pass https://u; }\n", "}");
	assert_int_equal(match("192.0.2.1", 443, NULL), NGINX_PLACES_MAX);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
}

static void test_many_variables(void **state)
{
	(void)state;
	parse_many("server { ", "set $v# a; location /# { proxy_pass https://$w; }\n", "}");
	assert_int_equal(match("192.0.2.1", 443, NULL), NGINX_PLACES_MAX);
	assert_int_equal(places.items[0].certainty, NGINX_POSSIBLE);
}

/* Behind so many lines of the hosts file a name is not known, and nothing is claimed of it. */
static void test_hosts_are_bounded(void **state)
{
	(void)state;
	parse_http("server { location / { proxy_pass https://b; } }");
	hosts = "192.0.2.9 a\n192.0.2.1 b\n";
	assert_int_equal(match("192.0.2.1", 443, NULL), 1);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	hosts_steps = 1;
	assert_int_equal(match("192.0.2.1", 443, NULL), 1);
	assert_int_equal(places.items[0].certainty, NGINX_LIKELY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_plain),
		TEST(test_no_tls),
		TEST(test_upstreams),
		TEST(test_stream),
		TEST(test_other_modules),
		TEST(test_inheritance),
		TEST(test_if),
		TEST(test_names),
		TEST(test_hosts),
		TEST(test_several_places),
		TEST(test_contradiction),
		TEST(test_resolver),
		TEST(test_lua),
		TEST(test_more_than_fit),
		TEST(test_variables),
		TEST(test_spots),
		TEST(test_secrets),
		TEST(test_secrets_in_arguments),
		TEST(test_many_locations),
		TEST(test_many_passes_to_many_servers),
		TEST(test_many_variables),
		TEST(test_hosts_are_bounded),
	};

	return cmocka_run_group_tests_name("nginxmap", tests, NULL, NULL);
}
