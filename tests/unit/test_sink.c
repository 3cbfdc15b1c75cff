/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sinks, read as their users read them: lines of text within 80 columns, and JSON that parses
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"
#include "base/text.h"

#define COLUMNS	     80
#define OUTPUT_LEN   65536
#define LONGEST_SLUG "prematurely-closed-after-handshake"
#define LONGER_SLUG  "a-slug-that-is-longer-than-any-there-is-now"
#define LONGEST_IPV6 "2001:db8:85a3:8d3:1319:8a2e:370:7348"
#define HEADER	     "TIME     PID     PEER                  CAUSE\n"

static struct finding finding;
static char output[OUTPUT_LEN];

/* The least that a failure has. */
static void finding_set_least(void)
{
	memset(&finding, 0, sizeof(finding));
	finding.kind = FINDING_FAILURE;
	finding.time_ns = TIME_NS;
	finding.cause = "unknown";
	finding.confidence = CONFIDENCE_LOW;
	SET(finding.message, "The handshake failed.");
	finding.role = "client";
	finding.phase = "hello";
}

static void finding_set_expired(void)
{
	finding_set_least();
	finding.cause = "verify-expired";
	finding.confidence = CONFIDENCE_HIGH;
	SET(finding.message, "The upstream's certificate has expired (X509_V 10).");
	SET(finding.hint, "renew the certificate on the upstream and reload it");
	finding.network_type = "ipv4";
	SET(finding.peer.address, "10.0.2.88");
	finding.peer.port = 8443;
	finding.pid = 4242;
}

/* Every fact known, each with a value of its own. */
static void finding_set_full(void)
{
	finding_set_expired();
	finding.duration_ns = 5000000;
	finding.confidence = CONFIDENCE_MEDIUM;
	finding.candidates[finding.candidate_count++] = "verify-not-yet-valid";
	finding.candidates[finding.candidate_count++] = "local-abort";
	SET(finding.evidence[finding.evidence_count++], "verify result 10 was asked for");
	SET(finding.evidence[finding.evidence_count++], "closed by this side 40 us later");
	finding.phase = "finished";
	finding.closed_by = "local";
	finding.close_kind = "fin";
	finding.bytes_sent = 700;
	finding.bytes_received = 2900;
	SET(finding.first_bytes, "160303007a020000");
	finding.established = true;
	finding.protocol_version = "1.3";
	finding.has_certificate_requested = true;
	finding.certificate_requested = true;
	finding.has_certificate_sent = true;
	finding.hello = (struct finding_hello){
		.known = true,
		.length = 512,
		.has_server_name = true,
		.server_name = "api.example.org",
		.version_count = 2,
		.versions = { "1.3", "1.2" },
		.cipher_count = 2,
		.ciphers = { { 0x1301, "TLS_AES_128_GCM_SHA256" }, { 0x00fe, NULL } },
		.group_count = 1,
		.groups = { { 29, "x25519" } },
		.scheme_count = 1,
		.schemes = { { 0x0807, "ed25519" } },
		.key_share_count = 2,
		.key_shares = { { 29, "x25519" }, { 0x1234, NULL } },
		.alpn_count = 2,
		.alpn = { "h2", "http/1.1" },
	};
	finding.choice = (struct finding_choice){
		.cipher = { 0x1301, "TLS_AES_128_GCM_SHA256" },
		.group = { 0x1234, NULL },
		.next_protocol = "h2",
		.retry_count = 1,
		.retry_group = { 29, "x25519" },
		.has_resumed = true,
		.resumed = true,
	};
	finding.alert = (struct finding_alert){ .known = true,
						.inferred = true,
						.fatal = true,
						.code = 45,
						.name = "certificate_expired" };
	finding.openssl = (struct finding_openssl){
		.reason_code = 134,
		.reason = "certificate verify failed",
		.function = "tls_process_server_certificate",
		.version = "3.0.15",
	};
	finding.verify = (struct finding_verify){
		.known = true, .enforced = true, .code = 10, .name = "cert_has_expired"
	};
	finding.tcp = (struct finding_tcp){
		.known = true,
		.has_rtt = true,
		.rtt_ns = 350000,
		.retransmits = 1,
		.has_hello_acked = true,
		.hello_acked = true,
	};
	SET(finding.local.address, "10.0.2.1");
	finding.local.port = 40112;
	SET(finding.executable_path, "/usr/sbin/nginx");
	SET(finding.executable_name, "nginx");
	SET(finding.host_name, "edge-1");
}

static void finding_set_loss(void)
{
	memset(&finding, 0, sizeof(finding));
	finding.kind = FINDING_LOSS;
	finding.time_ns = TIME_NS;
	finding.loss.findings = 12;
	finding.loss.untracked = 1;
	SET(finding.host_name, "edge-1");
}

/* Output is then what the finding looks like with that format. */
static void finding_print(const char *name, bool verbose, bool colors)
{
	const struct sink_type *type = sink_type_find(name);
	struct sink_options options = { .verbose = verbose, .color = colors };
	struct text t;

	assert_non_null(type);
	text_init(&t, output, sizeof(output));
	type->format(&options, &finding, &t);
	assert_false(t.cut);
}

static void assert_columns(void)
{
	for (const char *line = output; line[0]; line = strchr(line, '\n') + 1) {
		size_t columns = 0;

		for (const char *c = line; *c != '\n'; c++)
			columns += (*c & 0xc0) != 0x80;
		if (columns > COLUMNS)
			fail_msg("%zu columns: %s", columns, line);
	}
}

static void assert_has(const char *part)
{
	if (!strstr(output, part))
		fail_msg("no \"%s\" in:\n%s", part, output);
}

static void assert_has_not(const char *part)
{
	if (strstr(output, part))
		fail_msg("\"%s\" in:\n%s", part, output);
}

/* ---- Text ---- */

static void test_text_block(void **state)
{
	(void)state;
	finding_set_expired();
	finding_print("text", false, false);
	assert_string_equal(output,
			    "15:04:05 4242    10.0.2.88:8443        verify-expired\n"
			    "         The upstream's certificate has expired (X509_V 10).\n"
			    "         fix: renew the certificate on the upstream and reload it\n");
}

/* Whose problem it is, where it is one's alone. */
static void test_text_responsible(void **state)
{
	(void)state;
	finding_set_expired();
	finding_print("text", false, false);
	assert_has_not("who: ");
	finding.responsible = RESPONSIBLE_THIS_HOST;
	finding_print("text", false, false);
	assert_has("         who: this host; it can be fixed here alone\n");
	finding.responsible = RESPONSIBLE_UPSTREAM;
	finding_print("text", false, false);
	assert_has("         who: the upstream\n");
	finding_print("json", false, false);
	assert_has("\"tlsfail.responsible\":\"upstream\"");
}

static void test_text_least(void **state)
{
	(void)state;
	finding_set_least();
	finding_print("text", true, false);
	assert_string_equal(output, "15:04:05 -       -                     unknown (low)\n"
				    "         The handshake failed.\n"
				    "         confidence: low\n"
				    "         peer:       -\n"
				    "         local:      -\n");
}

static void test_text_verbose(void **state)
{
	(void)state;
	finding_set_full();
	SET(finding.local.address, LONGEST_IPV6);
	finding_print("text", true, false);
	assert_string_equal(output,
			    "15:04:05 4242    10.0.2.88:8443        verify-expired (medium)\n"
			    "         The upstream's certificate has expired (X509_V 10).\n"
			    "         fix: renew the certificate on the upstream and reload it\n"
			    "         or: verify-not-yet-valid, local-abort\n"
			    "         . verify result 10 was asked for\n"
			    "         . closed by this side 40 us later\n"
			    "         confidence: medium\n"
			    "         program:    /usr/sbin/nginx\n"
			    "         peer:       10.0.2.88:8443\n"
			    "         local:      [" LONGEST_IPV6 "]:40112\n");
}

/* Certain is certain: the others are not worth a line. */
static void test_text_high_confidence_has_no_candidates(void **state)
{
	(void)state;
	finding_set_full();
	finding.confidence = CONFIDENCE_HIGH;
	finding_print("text", false, false);
	assert_has_not("or:");
	assert_has_not("(high)");
}

/* The address gives way to the cause and the confidence, then the confidence does. */
static void test_text_first_line_fits(void **state)
{
	static const struct {
		const char *address;
		const char *cause;
		enum confidence confidence;
		const char *want;
	} cases[] = {
		{ LONGEST_IPV6, LONGEST_SLUG, CONFIDENCE_HIGH,
		  "[2001:db8:85a3..7348]:65535 " LONGEST_SLUG "\n" },
		{ LONGEST_IPV6, LONGEST_SLUG, CONFIDENCE_MEDIUM,
		  "[2001..7348]:65535  " LONGEST_SLUG " (medium)\n" },
		{ LONGEST_IPV6, LONGEST_SLUG, CONFIDENCE_LOW,
		  "[2001:db8..7348]:65535 " LONGEST_SLUG " (low)\n" },
		{ LONGEST_IPV6, LONGER_SLUG, CONFIDENCE_LOW,
		  "[2001..7348]:65535  " LONGER_SLUG "\n" },
		{ LONGEST_IPV6, "unknown", CONFIDENCE_LOW,
		  "[" LONGEST_IPV6 "]:65535 unknown (low)\n" },
		{ "203.113.195.141", LONGEST_SLUG, CONFIDENCE_HIGH,
		  "203.113.195.141:65535 " LONGEST_SLUG "\n" },
		{ "203.113.195.141", LONGEST_SLUG, CONFIDENCE_MEDIUM,
		  "203.113..141:65535  " LONGEST_SLUG " (medium)\n" },
		{ "2001:db8::1", LONGEST_SLUG, CONFIDENCE_HIGH,
		  "[2001:db8::1]:65535   " LONGEST_SLUG "\n" },
	};
	static const char start[] = "15:04:05 4194304 ";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		finding_set_full();
		finding.cause = cases[i].cause;
		finding.confidence = cases[i].confidence;
		finding.pid = 4194304;
		SET(finding.peer.address, cases[i].address);
		finding.peer.port = 65535;
		finding_print("text", false, false);
		assert_columns();
		strchr(output, '\n')[1] = '\0';
		assert_memory_equal(output, start, strlen(start));
		assert_string_equal(output + strlen(start), cases[i].want);
	}
}

/* The first two lines are 80 columns exactly, the second with a character of two bytes. */
static void test_text_wraps(void **state)
{
	(void)state;
	finding_set_expired();
	SET(finding.message,
	    "Seventy-one columns of words are what one line can hold of a paragraph, "
	    "then it goes on below, and caf\xc3\xa9 counts as four columns, as it should be "
	    "now.");
	SET(finding.hint, "one two three four five six seven eight nine ten eleven twelve "
			  "thirteen fourteen fifteen");
	finding_print("text", false, false);
	assert_columns();
	assert_has(
		"verify-expired\n"
		"         Seventy-one columns of words are what one line can hold of a paragraph,\n"
		"         then it goes on below, and caf\xc3\xa9 counts as four columns, as it "
		"should "
		"be\n"
		"         now.\n"
		"         fix: one two three four five six seven eight nine ten eleven twelve\n"
		"              thirteen fourteen fifteen\n");
}

static void test_text_does_not_cut_words(void **state)
{
	char word[100];
	struct text message;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	finding_set_expired();
	text_init(&message, finding.message, sizeof(finding.message));
	text_addf(&message, "before %s  after", word);
	finding_print("text", false, false);
	assert_has("         before\n         wwww");
	assert_has(word);
	assert_has("wwww\n         after\n");
}

static void test_text_worst_case_is_whole(void **state)
{
	(void)state;
	finding_set_full();
	memset(finding.message, 'm', sizeof(finding.message) - 1);
	memset(finding.hint, 'h', sizeof(finding.hint) - 1);
	for (size_t i = 1; i < sizeof(finding.hint) - 1; i += 2)
		finding.hint[i] = ' ';
	finding.evidence_count = FINDING_EVIDENCE_MAX;
	for (size_t i = 0; i < FINDING_EVIDENCE_MAX; i++) {
		memset(finding.evidence[i], 'e', FINDING_EVIDENCE_LEN - 1);
		for (size_t j = 3; j < FINDING_EVIDENCE_LEN - 1; j += 70)
			finding.evidence[i][j] = ' ';
	}
	finding.candidate_count = FINDING_CANDIDATES_MAX;
	for (size_t i = 0; i < FINDING_CANDIDATES_MAX; i++)
		finding.candidates[i] = LONGEST_SLUG;
	memset(finding.executable_path, 'p', sizeof(finding.executable_path) - 1);
	finding.log_line = (struct finding_log_line){ .known = true, .level = "error" };
	memset(finding.log_line.message, 'l', sizeof(finding.log_line.message) - 1);
	finding_print("text", true, true);
	assert_has("\n         local:      10.0.2.1:40112\n");
}

/* Takes the escape sequences out of output. */
static void output_strip_colors(void)
{
	char *to = output;

	for (const char *from = output; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
}

static void test_text_colors(void **state)
{
	static char plain[OUTPUT_LEN];

	(void)state;
	finding_set_full();
	SET(finding.peer.address, LONGEST_IPV6);
	SET(finding.hint, "a remedy of so many words that it has to go on in the next line, where "
			  "it is green again");
	finding_print("text", true, false);
	assert_has_not("\033");
	memcpy(plain, output, sizeof(plain));

	finding_print("text", true, true);
	assert_has(" \033[1;31mverify-expired\033[0m (medium)\n");
	assert_has("         \033[32mfix: a remedy of");
	assert_has("line,\033[0m\n              \033[32mwhere");
	assert_has("again\033[0m\n");
	output_strip_colors();
	assert_string_equal(output, plain);

	finding.confidence = CONFIDENCE_LOW;
	finding_print("text", false, true);
	assert_has(" \033[1;33mverify-expired\033[0m (low)\n");
}

static void test_text_loss(void **state)
{
	(void)state;
	finding_set_loss();
	finding_print("text", false, false);
	assert_columns();
	assert_string_equal(
		output,
		"15:04:05 tlsfail lost 12 failures, 1 connection\n"
		"         fix: give this output a faster reader, or tlsfail more CPU; trace fewer\n"
		"              processes: the connection table was full\n");

	finding.loss = (struct finding_loss){ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0 };
	finding_print("text", false, true);
	output_strip_colors();
	assert_columns();
	assert_has("18446744073709551615\n         processes\n");

	finding.loss = (struct finding_loss){ .processes = 2 };
	finding_print("text", false, false);
	assert_has("15:04:05 tlsfail lost 2 processes\n         fix: restart tlsfail");
}

static void test_line_loss(void **state)
{
	(void)state;
	finding_set_loss();
	finding_print("line", false, false);
	assert_has("Z - - - lost: tlsfail lost 12 failures, 1 connection\n");
}

/* ---- JSON ---- */

static json_t *json_print(void)
{
	json_t *object;
	json_error_t error;

	finding_print("json", false, false);
	assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
	object = json_loads(output, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s in %s", error.text, output);
	return object;
}

/* The whole line, so that order and presence are checked too. */
static void test_json_full(void **state)
{
	(void)state;
	finding_set_full();
	json_decref(json_print());
	assert_string_equal(
		output,
		"{\"@timestamp\":\"2026-01-02T15:04:05.000000042Z\","
		"\"event.name\":\"tls.handshake.failure\",\"event.outcome\":\"failure\","
		"\"event.duration\":5000000,\"error.type\":\"verify-expired\","
		"\"message\":\"The upstream's certificate has expired (X509_V 10).\","
		"\"tlsfail.schema_version\":1,\"tlsfail.confidence\":\"medium\","
		"\"tlsfail.responsible\":\"unknown\","
		"\"tlsfail.candidates\":[\"verify-not-yet-valid\",\"local-abort\"],"
		"\"tlsfail.hint\":\"renew the certificate on the upstream and reload it\","
		"\"tlsfail.evidence\":[\"verify result 10 was asked for\","
		"\"closed by this side 40 us later\"],"
		"\"tlsfail.role\":\"client\",\"tlsfail.phase\":\"finished\","
		"\"tlsfail.closed_by\":\"local\",\"tlsfail.close_kind\":\"fin\","
		"\"tlsfail.bytes_sent\":700,\"tlsfail.bytes_received\":2900,"
		"\"tlsfail.first_bytes\":\"160303007a020000\","
		"\"tls.established\":true,\"tls.protocol.version\":\"1.3\","
		"\"tls.cipher\":\"TLS_AES_128_GCM_SHA256\",\"tls.curve\":\"0x1234\","
		"\"tls.next_protocol\":\"h2\",\"tls.hello_retry.count\":1,"
		"\"tls.hello_retry.group\":\"x25519\",\"tls.resumed\":true,"
		"\"tls.client.supported_versions\":[\"1.3\",\"1.2\"],"
		"\"tls.client.supported_ciphers\":[\"TLS_AES_128_GCM_SHA256\",\"0x00fe\"],"
		"\"tls.client.supported_groups\":[\"x25519\"],"
		"\"tls.client.supported_signature_schemes\":[\"ed25519\"],"
		"\"tls.client.key_shares\":[\"x25519\",\"0x1234\"],"
		"\"tls.client.alpn\":[\"h2\",\"http/1.1\"],"
		"\"tls.client.server_name\":\"api.example.org\","
		"\"tls.client.session_offered\":false,\"tls.client.hello_length\":512,"
		"\"tls.client.hello_cut\":false,"
		"\"tls.client.certificate_requested\":true,\"tls.client.certificate_sent\":false,"
		"\"tls.alert.direction\":\"sent\",\"tls.alert.level\":\"fatal\","
		"\"tls.alert.code\":45,\"tls.alert.name\":\"certificate_expired\","
		"\"tls.alert.inferred\":true,"
		"\"tls.openssl.reason_code\":134,"
		"\"tls.openssl.reason\":\"certificate verify failed\","
		"\"tls.openssl.function\":\"tls_process_server_certificate\","
		"\"tls.openssl.version\":\"3.0.15\","
		"\"tls.verify.code\":10,\"tls.verify.name\":\"cert_has_expired\","
		"\"tls.verify.enforced\":true,"
		"\"network.transport\":\"tcp\",\"network.type\":\"ipv4\","
		"\"network.local.address\":\"10.0.2.1\",\"network.local.port\":40112,"
		"\"network.peer.address\":\"10.0.2.88\",\"network.peer.port\":8443,"
		"\"tcp.rtt\":350000,\"tcp.retransmits\":1,\"tcp.hello_acked\":true,"
		"\"process.pid\":4242,\"process.executable.path\":\"/usr/sbin/nginx\","
		"\"process.executable.name\":\"nginx\",\"host.name\":\"edge-1\"}\n");
}

/* More was offered than is kept: no more than that is shown. */
static void test_json_lists_cut(void **state)
{
	json_t *object, *list;

	(void)state;
	finding_set_least();
	finding.hello.known = true;
	finding.hello.cipher_count = FINDING_CIPHERS_MAX + 1;
	finding.hello.alpn_count = FINDING_ALPN_MAX + 1;
	object = json_print();
	list = json_object_get(object, "tls.client.supported_ciphers");
	assert_int_equal(json_array_size(list), FINDING_CIPHERS_MAX);
	list = json_object_get(object, "tls.client.alpn");
	assert_int_equal(json_array_size(list), FINDING_ALPN_MAX);
	json_decref(object);
}

/* Of a certificate that never was valid, and always is. */
static void test_json_validity(void **state)
{
	(void)state;
	finding_set_least();
	finding.certificate.known = true;
	finding.certificate.has_validity = true;
	finding.certificate.not_before = -62167219200;
	finding.certificate.not_after = 253402300799;
	json_decref(json_print());
	assert_non_null(strstr(output, "\"tls.server.not_before\":\"0000-01-01T00:00:00Z\""));
	assert_non_null(strstr(output, "\"tls.server.not_after\":\"9999-12-31T23:59:59Z\""));
}

/* What is unknown has no key. */
static void test_json_least(void **state)
{
	(void)state;
	finding_set_least();
	json_decref(json_print());
	assert_string_equal(
		output, "{\"@timestamp\":\"2026-01-02T15:04:05.000000042Z\","
			"\"event.name\":\"tls.handshake.failure\",\"event.outcome\":\"failure\","
			"\"error.type\":\"unknown\",\"message\":\"The handshake failed.\","
			"\"tlsfail.schema_version\":1,\"tlsfail.confidence\":\"low\","
			"\"tlsfail.responsible\":\"unknown\","
			"\"tlsfail.role\":\"client\",\"tlsfail.phase\":\"hello\","
			"\"tlsfail.bytes_sent\":0,\"tlsfail.bytes_received\":0,"
			"\"tls.established\":false,\"network.transport\":\"tcp\"}\n");
}

/* A 0 that is known is a fact. */
static void test_json_known_zeros(void **state)
{
	json_t *object;

	(void)state;
	finding_set_least();
	finding.alert.known = true;
	finding.alert.received = true;
	finding.verify.known = true;
	finding.tcp.known = true;
	object = json_print();
	assert_int_equal(json_integer_value(json_object_get(object, "tls.alert.code")), 0);
	assert_has("\"tls.alert.direction\":\"received\",\"tls.alert.level\":\"warning\","
		   "\"tls.alert.code\":0,\"tls.alert.inferred\":false");
	assert_has("\"tls.verify.code\":0,\"tls.verify.enforced\":false");
	assert_has("\"tcp.retransmits\":0}");
	json_decref(object);
}

static void test_json_loss(void **state)
{
	(void)state;
	finding_set_loss();
	json_decref(json_print());
	assert_string_equal(
		output,
		"{\"@timestamp\":\"2026-01-02T15:04:05.000000042Z\",\"event.name\":\"tlsfail.loss\",\"message\":\"tlsfail "
		"lost 12 failures, 1 "
		"connection\",\"tlsfail.schema_version\":1,\"tlsfail.hint\":\"give this "
		"output a faster reader, or tlsfail more CPU; trace fewer processes: the "
		"connection table was "
		"full\",\"tlsfail.lost.findings\":12,\"tlsfail.lost.wires\":0,\"tlsfail.lost.untracked\":1,\"tlsfail.lost.processes\":0,\"tlsfail.lost.output\":0,\"host.name\":\"edge-1\"}\n"
		"");
}

static void test_json_not_utf8(void **state)
{
	json_t *object;

	(void)state;
	finding_set_full();
	memset(finding.executable_path, 0xff, sizeof(finding.executable_path) - 1);
	SET(finding.evidence[0], "a\xc3\x28\x1b");
	object = json_print();
	assert_int_equal(json_string_length(json_object_get(object, "process.executable.path")),
			 4 * (FINDING_PATH_LEN - 1));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(object, "tlsfail.evidence"), 0)),
		"a\\xc3(\\x1b");
	json_decref(object);
}

/* A number that JSON's readers would take for negative stays at the largest. */
static void test_json_large_numbers(void **state)
{
	json_t *object;

	(void)state;
	finding_set_least();
	finding.bytes_sent = UINT64_MAX;
	object = json_print();
	assert_true(json_integer_value(json_object_get(object, "tlsfail.bytes_sent")) == INT64_MAX);
	json_decref(object);
}

static void test_types(void **state)
{
	(void)state;
	assert_string_equal(sink_type_find("text")->name, "text");
	assert_string_equal(sink_type_find("json")->name, "json");
	assert_null(sink_type_find("xml"));
	assert_null(sink_type_find(""));
}

static void test_text_header(void **state)
{
	static const struct sink_options options;
	struct text t;

	(void)state;
	text_init(&t, output, sizeof(output));
	sink_type_find("text")->header(&options, &t);
	assert_string_equal(output, HEADER);
	assert_null(sink_type_find("json")->header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_block),
		cmocka_unit_test(test_text_responsible),
		cmocka_unit_test(test_text_least),
		cmocka_unit_test(test_text_verbose),
		cmocka_unit_test(test_text_high_confidence_has_no_candidates),
		cmocka_unit_test(test_text_first_line_fits),
		cmocka_unit_test(test_text_wraps),
		cmocka_unit_test(test_text_does_not_cut_words),
		cmocka_unit_test(test_text_worst_case_is_whole),
		cmocka_unit_test(test_text_colors),
		cmocka_unit_test(test_text_loss),
		cmocka_unit_test(test_line_loss),
		cmocka_unit_test(test_json_full),
		cmocka_unit_test(test_json_lists_cut),
		cmocka_unit_test(test_json_validity),
		cmocka_unit_test(test_json_least),
		cmocka_unit_test(test_json_known_zeros),
		cmocka_unit_test(test_json_loss),
		cmocka_unit_test(test_json_not_utf8),
		cmocka_unit_test(test_json_large_numbers),
		cmocka_unit_test(test_text_header),
		cmocka_unit_test(test_types),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
