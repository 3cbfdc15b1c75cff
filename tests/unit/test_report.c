// SPDX-License-Identifier: BSD-2-Clause
/*
 * The report: reading events, summing them up, redaction, and the page that comes of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "report/event.h"
#include "report/model.h"
#include "report/page/page.h"
#include "report/redact.h"

#define SECOND	1000000000ULL
#define NOON_NS (1795694400ULL * SECOND) /* 2026-11-26T12:00:00Z */
#define FAILURE_AT                                                                                 \
	"{\"@timestamp\":\"2026-11-26T12:00:%02dZ\",\"event.name\":\"%s\",\"error.type\":\"%s\","  \
	"\"network.peer.address\":\"%s\",\"network.peer.port\":443%s}"

static int parse(const char *line, struct report_event *event, char *buf, size_t size)
{
	struct text problem;

	text_init(&problem, buf, size);
	return report_event_parse(line, strlen(line), event, &problem);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		const char *words;
	} cases[] = {
		{ "x", "no JSON" },
		{ "[]", "no JSON object" },
		{ "{}", "event.name" },
		{ "{\"event.name\":\"tls.handshake.failure\"}", "@timestamp" },
		{ "{\"event.name\":\"tlsfail.loss\",\"@timestamp\":\"2026-13-01T00:00:00Z\"}",
		  "@timestamp" },
		{ "{\"event.name\":\"tlsfail.loss\",\"@timestamp\":\"2026-12-01T00:00:00+01:00\"}",
		  "@timestamp" },
		{ "{\"event.name\":\"tls.handshake.failure\",\"@timestamp\":\"2026-12-01T00:00:00Z\"}",
		  "error.type" },
		{ "{\"event.name\":\"tls.handshake.failure\",\"@timestamp\":\"2026-12-01T00:00:00Z\","
		  "\"error.type\":\"<b>\"}",
		  "error.type" },
		{ "{\"a\":1,\"a\":2}", "no JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report_event event;
		char buf[256];

		assert_int_equal(parse(cases[i].line, &event, buf, sizeof(buf)), -EBADMSG);
		assert_non_null(strstr(buf, cases[i].words));
	}
}

static void test_times(void **state)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "a", "2026-11-26T12:00:00.000000001Z", "b",
			      "1970-01-01T00:00:00Z", "c", "2026-11-26T12:00:00");
	uint64_t ns;

	(void)state;
	assert_true(report_time(o, "a", &ns));
	assert_int_equal(ns, NOON_NS + 1);
	assert_true(report_time(o, "b", &ns));
	assert_int_equal(ns, 0);
	assert_false(report_time(o, "c", &ns));
	assert_false(report_time(o, "d", &ns));
	json_decref(o);
}

static void test_ecs(void **state)
{
	struct report_event event;
	char buf[256];

	(void)state;
	assert_int_equal(
		parse("{\"ecs.version\":\"8.11.0\",\"event.action\":\"tls.handshake.failure\","
		      "\"@timestamp\":\"2026-11-26T12:00:00Z\",\"error.type\":\"x\","
		      "\"destination.ip\":\"192.0.2.1\",\"destination.port\":443}",
		      &event, buf, sizeof(buf)),
		0);
	assert_int_equal(event.kind, REPORT_FAILURE);
	assert_string_equal(report_string(event.object, "network.peer.address"), "192.0.2.1");
	assert_int_equal(report_number(event.object, "network.peer.port"), 443);
	json_decref(event.object);
}

static void feed(struct report *r, struct redact *redact, uint32_t file, int second,
		 const char *name, const char *cause, const char *address, const char *more)
{
	struct report_event event;
	char line[2048], buf[256];
	struct text t;

	text_init(&t, line, sizeof(line));
	text_addf(&t, FAILURE_AT, second, name, cause, address, more);
	assert_int_equal(parse(line, &event, buf, sizeof(buf)), 0);
	if (redact)
		assert_int_equal(redact_event(redact, event.object), 0);
	assert_int_equal(report_add(r, &event, file), 0);
	json_decref(event.object);
}

#define FAILURE	  "tls.handshake.failure"
#define RECOVERED "tlsfail.peer.recovered"

/* Two outages of one peer, out of order and from two files; another that does not recover. */
static void test_outages(void **state)
{
	struct report *r = report_new();
	const struct report_outage *o;
	const struct report_peer *peers;

	(void)state;
	feed(r, NULL, 0, 10, FAILURE, "sni-missing", "192.0.2.1", "");
	feed(r, NULL, 0, 12, FAILURE, "sni-missing", "192.0.2.1", "");
	feed(r, NULL, 0, 18, RECOVERED, "", "192.0.2.1",
	     ",\"tlsfail.peer.last_success\":\"2026-11-26T12:00:15Z\"");
	feed(r, NULL, 0, 30, FAILURE, "verify-expired", "192.0.2.1", "");
	feed(r, NULL, 1, 30, FAILURE, "verify-expired", "192.0.2.1", ""); /* the same */
	feed(r, NULL, 1, 5, FAILURE, "sni-missing", "2001:db8::1", "");
	assert_int_equal(report_finish(r), 0);

	assert_int_equal(r->failures, 4);
	assert_int_equal(r->duplicates, 1);
	assert_int_equal(r->first_ns, NOON_NS + 5 * SECOND);
	assert_int_equal(r->last_ns, NOON_NS + 30 * SECOND);
	assert_int_equal(r->outages.count, 3);
	o = r->outages.items;
	assert_int_equal(o[0].recovered_ns, 0);
	assert_int_equal(o[1].first_ns, NOON_NS + 10 * SECOND);
	assert_int_equal(o[1].last_ns, NOON_NS + 12 * SECOND);
	assert_int_equal(o[1].recovered_ns, NOON_NS + 15 * SECOND);
	assert_int_equal(o[1].failures, 2);
	assert_int_equal(o[2].recovered_ns, 0);
	peers = r->peers.items;
	assert_string_equal(peers[0].label, "192.0.2.1:443");
	assert_string_equal(peers[1].label, "[2001:db8::1]:443");
	assert_true(peers[0].failing);
	assert_int_equal(r->causes.count, 2);
	assert_string_equal(REPORT_ROW(&r->causes, struct report_cause, 0)->cause, "sni-missing");
	assert_int_equal(REPORT_ROW(&r->causes, struct report_cause, 0)->peers, 2);
	report_free(r);
}

static void test_counts(void **state)
{
	struct report *r = report_new();

	(void)state;
	feed(r, NULL, 0, 1, FAILURE, "sni-missing", "192.0.2.1", "");
	feed(r, NULL, 0, 50, "tlsfail.folded", "sni-missing", "192.0.2.1",
	     ",\"tlsfail.suppressed\":1000,\"event.duration\":40000000000");
	/* these are no failures of their own */
	feed(r, NULL, 0, 51, "tlsfail.summary", "sni-missing", "192.0.2.1",
	     ",\"tlsfail.peer.failures\":1001");
	feed(r, NULL, 0, 52, "tls.handshake.confirmed", "sni-missing", "192.0.2.1",
	     ",\"tlsfail.confirmed\":\"works with SNI\"");
	feed(r, NULL, 0, 53, "tlsfail.later", "", "192.0.2.1", "");
	feed(r, NULL, 0, 54, "tlsfail.loss", "", "",
	     ",\"tlsfail.lost.findings\":7,\"message\":\"m\"");
	assert_int_equal(report_finish(r), 0);
	assert_int_equal(r->failures, 1001);
	assert_int_equal(r->others, 1);
	assert_int_equal(r->lost_failures, 7);
	assert_int_equal(r->last_ns, NOON_NS + 50 * SECOND);
	assert_string_equal(REPORT_ROW(&r->kinds, struct report_kind_row, 0)->confirmed,
			    "works with SNI");
	report_free(r);
}

/* What a page says of the events that were fed. */
static char *page_of(struct report *r, bool redacted)
{
	const struct page_input input = { .name = "x.ndjson", .lines = 1 };
	const struct page_options options = {
		.version = "0", .redacted = redacted, .inputs = &input, .input_count = 1
	};
	char *page;
	size_t len;
	FILE *out = open_memstream(&page, &len);

	assert_int_equal(report_finish(r), 0);
	assert_int_equal(page_write(out, r, &options), 0);
	assert_int_equal(fclose(out), 0);
	return page;
}

static void test_hostile(void **state)
{
	struct report *r = report_new();
	char *page;

	(void)state;
	feed(r, NULL, 0, 1, FAILURE, "sni-missing", "<script>alert(1)</script>",
	     ",\"message\":\"a\\u202eb \\u0007 <img src=x onerror='1'> & \\\"q\\\"\","
	     "\"tlsfail.timeline\":[{\"t\":-5,\"dir\":\"<b>\",\"what\":\"</svg>\"},7]");
	page = page_of(r, false);
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "<b>:"));
	assert_null(strstr(page, "\u202e"));
	assert_non_null(strstr(page,
			       "a\\u{202e}b \\u{7} &lt;img src=x onerror=&#39;1&#39;&gt; &amp; "
			       "&quot;q&quot;"));
	free(page);
	report_free(r);
}

static void test_configuration(void **state)
{
	struct report *r = report_new();
	char *page;

	(void)state;
	feed(r, NULL, 0, 1, FAILURE, "sni-missing", "192.0.2.1",
	     ",\"nginx.config.file\":\"/etc/n.conf\",\"nginx.config.location\":\"location /\","
	     "\"nginx.config.settings\":[\"proxy_ssl_verify on\",\"proxy_ssl_server_name off\"]");
	feed(r, NULL, 0, 9, FAILURE, "sni-missing", "192.0.2.1",
	     ",\"nginx.config.file\":\"/etc/n.conf\",\"nginx.config.location\":\"location /\","
	     "\"nginx.config.settings\":[\"proxy_ssl_verify on\",\"proxy_ssl_server_name on\"]");
	page = page_of(r, false);
	assert_non_null(strstr(page, "removed: </span><span aria-hidden=\"true\">− </span><code>"
				     "proxy_ssl_server_name off"));
	assert_non_null(strstr(page, "added: </span><span aria-hidden=\"true\">+ </span><code>"
				     "proxy_ssl_server_name on"));
	free(page);
	report_free(r);
}

static void test_redacted(void **state)
{
	static const char *const secrets[] = { "192.0.2.7",    "198.51.100.9", "shop",	   "alice",
					       "Example Corp", "secret.conf",  "deadbeef", "bob@",
					       "2001:db8::77", "/home",	       "internal", "Zed" };
	struct redact *redact = redact_new();
	struct report *r = report_new();
	char *page;

	(void)state;
	feed(r, redact, 0, 1, FAILURE, "sni-missing", "192.0.2.7",
	     ",\"host.name\":\"shop\",\"message\":\"192.0.2.7:443 refused the ClientHello of "
	     "shop.internal, 198.51.100.9:99 and [2001:db8::77]:1 too, says alice's bob@x.y.\","
	     "\"tlsfail.hint\":\"at /home/alice/secret.conf:26 set proxy_ssl_server_name on;\","
	     "\"tls.server.subject\":\"CN=shop.internal, O=Example Corp\","
	     "\"tlsfail.evidence\":[\"certificate of Example Corp\",\"shop\",\"TLS 1.3, 35 ms\"],"
	     "\"tlsfail.patch\":\"--- /home/alice\",\"unknown.key\":\"Zed\","
	     "\"tlsfail.first_bytes\":\"deadbeef\"");
	page = page_of(r, true);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(strstr(page, secrets[i]));
	assert_non_null(strstr(page, "address-1:443 refused the ClientHello of "));
	assert_non_null(strstr(page, "set proxy_ssl_server_name on;"));
	assert_non_null(strstr(page, "TLS 1.3, 35 ms"));
	assert_non_null(strstr(page, "subject-1"));
	free(page);
	report_free(r);
	redact_free(redact);
}

static void test_pseudonyms(void **state)
{
	struct redact *redact = redact_new();

	(void)state;
	assert_string_equal(redact_name(redact, REDACT_ADDRESS, "192.0.2.1"), "address-1");
	assert_string_equal(redact_name(redact, REDACT_ADDRESS, "192.0.2.2"), "address-2");
	assert_string_equal(redact_name(redact, REDACT_NAME, "192.0.2.1"), "address-1");
	redact_free(redact);
}

static void test_empty(void **state)
{
	struct report *r = report_new();
	char *page = page_of(r, false);

	(void)state;
	assert_non_null(strstr(page, "No failed handshake"));
	free(page);
	report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_times),
		cmocka_unit_test(test_ecs),	      cmocka_unit_test(test_outages),
		cmocka_unit_test(test_counts),	      cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_configuration), cmocka_unit_test(test_redacted),
		cmocka_unit_test(test_pseudonyms),    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
