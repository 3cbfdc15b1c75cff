/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OTLP/HTTP: log records as JSON, in batches, gzipped, to an OpenTelemetry collector. What is tried
 * again and what is not is as the specification of OTLP has it.
 */
#include "output/sink.h"
#include "output/sink_event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>
#include <zlib.h>

#include "output/curllib.h"
#include "finding/finding.h"
#include "base/json.h"
#include "base/text.h"

#define BATCH_RECORDS	   256
#define BATCH_BYTES	   (1024 * 1024) /* before they are compressed; a single record may be more */
#define ENVELOPE_LEN	   1024
#define HEADER_LEN	   4096
#define RESPONSE_LEN	   16384
#define CONNECT_TIMEOUT_MS 5000L
#define TIMEOUT_MS	   10000L
#define POLL_MS		   1000
#define GZIP_WINDOW	   (15 + 16) /* the largest, with gzip's header */
#define GZIP_LEN	   32	     /* what gzip has beside zlib */
#define SEVERITY_INFO	   9
#define SEVERITY_WARN	   13
#define MS_PER_S	   1000

struct sink {
	const struct curllib *curl;
	int stop;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	char begin[ENVELOPE_LEN]; /* of a request, up to its first record */
	char *json;
	unsigned char *gzip;
	size_t gzip_size;
	char trouble[CURL_ERROR_SIZE];
	size_t response_len;
	char response[RESPONSE_LEN];
};

static const char request_end[] = "]}]}]}";

/* ---- A log record ---- */

static void add_string_value(struct jsonout *j, const char *s)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "stringValue");
	jsonout_string(j, s);
	jsonout_end(j, "}");
}

/* In JSON, Protobuf's 64-bit integers are strings. */
static void add_integer_value(struct jsonout *j, int64_t integer)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "intValue");
	jsonout_integer_string(j, integer);
	jsonout_end(j, "}");
}

static void begin_pair(struct jsonout *j, const char *key)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "key");
	jsonout_string(j, key);
	jsonout_key(j, "value");
}

static void add_string_pair(struct jsonout *j, const char *key, const char *s)
{
	begin_pair(j, key);
	add_string_value(j, s);
	jsonout_end(j, "}");
}

/* A list, of values or of pairs, is an object around an array of the name "values". */
static void begin_list(struct jsonout *j, const char *kind)
{
	jsonout_begin(j, "{");
	jsonout_key(j, kind);
	jsonout_begin(j, "{");
	jsonout_key(j, "values");
	jsonout_begin(j, "[");
}

static void end_list(struct jsonout *j)
{
	jsonout_end(j, "]");
	jsonout_end(j, "}");
	jsonout_end(j, "}");
}

static void add_step(struct jsonout *j, const struct finding_event *step)
{
	begin_list(j, "kvlistValue");
	begin_pair(j, "t");
	add_integer_value(j, (int64_t)step->t_ns);
	jsonout_end(j, "}");
	add_string_pair(j, "dir", step->dir);
	add_string_pair(j, "what", step->what);
	end_list(j);
}

static void add_value(struct jsonout *j, const struct sink_value *value)
{
	switch (value->kind) {
	case SINK_STRING:
		add_string_value(j, value->string);
		break;
	case SINK_INTEGER:
		add_integer_value(j, value->integer);
		break;
	case SINK_BOOLEAN:
		jsonout_begin(j, "{");
		jsonout_key(j, "boolValue");
		jsonout_boolean(j, value->boolean);
		jsonout_end(j, "}");
		break;
	case SINK_STRINGS:
		begin_list(j, "arrayValue");
		for (unsigned int i = 0; i < value->count; i++)
			add_string_value(j, value->strings[i]);
		end_list(j);
		break;
	case SINK_STEPS:
		begin_list(j, "arrayValue");
		for (unsigned int i = 0; i < value->count; i++)
			add_step(j, &value->steps[i]);
		end_list(j);
		break;
	}
}

/* What the record has in a field of its own is no attribute. */
static void take_attribute(void *context, const char *key, const struct sink_value *value)
{
	struct jsonout *j = context;

	if (!strcmp(key, "@timestamp") || !strcmp(key, "message"))
		return;
	begin_pair(j, key);
	add_value(j, value);
	jsonout_end(j, "}");
}

static void add_field_of(struct jsonout *j, const char *field, const struct finding *f,
			 const char *key)
{
	char words[FINDING_MESSAGE_LEN + 1];
	struct text t;

	text_init(&t, words, sizeof(words));
	sink_event_add(f, key, &t);
	jsonout_key(j, field);
	if (!strcmp(field, "body"))
		add_string_value(j, words);
	else
		jsonout_string(j, words);
}

static void otlp_format(const struct sink_options *options, const struct finding *f, struct text *t)
{
	bool warning = sink_event_severity(f) <= 4;
	struct jsonout j = { .text = t };

	(void)options;
	jsonout_begin(&j, "{");
	jsonout_key(&j, "timeUnixNano");
	jsonout_integer_string(&j, (int64_t)f->time_ns);
	jsonout_key(&j, "observedTimeUnixNano");
	jsonout_integer_string(&j, (int64_t)f->time_ns);
	jsonout_key(&j, "severityNumber");
	jsonout_integer(&j, warning ? SEVERITY_WARN : SEVERITY_INFO);
	jsonout_key(&j, "severityText");
	jsonout_string(&j, warning ? "WARN" : "INFO");
	add_field_of(&j, "eventName", f, "event.name");
	add_field_of(&j, "body", f, "message");
	jsonout_key(&j, "attributes");
	jsonout_begin(&j, "[");
	sink_event_each(f, take_attribute, &j);
	jsonout_end(&j, "]");
	jsonout_end(&j, "}");
}

/* ---- A request ---- */

/* All that stands before the first record: who is speaking. */
static int envelope_make(struct sink *s)
{
	char host[FINDING_NAME_LEN] = "";
	struct text t;
	struct jsonout j = { .text = &t };

	text_init(&t, s->begin, sizeof(s->begin));
	jsonout_begin(&j, "{");
	jsonout_key(&j, "resourceLogs");
	jsonout_begin(&j, "[");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "resource");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "attributes");
	jsonout_begin(&j, "[");
	add_string_pair(&j, "service.name", "tlsfail");
	add_string_pair(&j, "service.version", TLSFAIL_VERSION);
	if (!gethostname(host, sizeof(host) - 1))
		add_string_pair(&j, "host.name", host);
	jsonout_end(&j, "]");
	jsonout_end(&j, "}");
	jsonout_key(&j, "scopeLogs");
	jsonout_begin(&j, "[");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "scope");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "name");
	jsonout_string(&j, "tlsfail");
	jsonout_key(&j, "version");
	jsonout_string(&j, TLSFAIL_VERSION);
	jsonout_end(&j, "}");
	jsonout_key(&j, "logRecords");
	jsonout_begin(&j, "[");
	return t.cut ? -EMSGSIZE : 0;
}

/* How many of the items go into one request: one at least. */
static size_t batch_count(const struct queue_item *items, size_t count)
{
	size_t bytes = 0, n = 0;

	while (n < count && (n == 0 || bytes + items[n].len < BATCH_BYTES))
		bytes += items[n++].len + 1;
	return n;
}

static size_t request_make(struct sink *s, const struct queue_item *items, size_t count)
{
	struct text t;

	text_init(&t, s->json, BATCH_BYTES + SINK_FINDING_LEN + ENVELOPE_LEN);
	text_add(&t, s->begin);
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_add_bytes(&t, ",", 1);
		text_add_bytes(&t, items[i].data, items[i].len);
	}
	text_add(&t, request_end);
	return t.len;
}

/* Compresses the request. Returns its length, 0 when that cannot be. */
static size_t request_compress(struct sink *s, size_t len)
{
	z_stream z = { .next_in = (unsigned char *)s->json,
		       .avail_in = (unsigned int)len,
		       .next_out = s->gzip,
		       .avail_out = (unsigned int)s->gzip_size };
	int result;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	result = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return result == Z_STREAM_END ? z.total_out : 0;
}

/* Keeps the beginning of the answer. */
static size_t response_take(char *data, size_t size, size_t count, void *context)
{
	struct sink *s = context;
	size_t len = size * count;
	size_t room = sizeof(s->response) - 1 - s->response_len;

	memcpy(s->response + s->response_len, data, len < room ? len : room);
	s->response_len += len < room ? len : room;
	s->response[s->response_len] = '\0';
	return len;
}

static CURLcode transfer_result(const struct sink *s)
{
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	CURLMsg *message;
	int left;

	while ((message = s->curl->multi_info_read(s->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	return code;
}

/* CURLE_ABORTED_BY_CALLBACK: the run is to end. */
static CURLcode transfer(struct sink *s)
{
	struct curl_waitfd stop = { .fd = s->stop, .events = CURL_WAIT_POLLIN };
	CURLMcode code = s->curl->multi_add_handle(s->multi, s->easy);
	CURLcode result = CURLE_FAILED_INIT;
	int running = 1;

	while (code == CURLM_OK && running && !stop.revents) {
		code = s->curl->multi_perform(s->multi, &running);
		if (code == CURLM_OK && running)
			code = s->curl->multi_poll(s->multi, &stop, 1, POLL_MS, NULL);
	}
	if (code == CURLM_OK)
		result = transfer_result(s);
	s->curl->multi_remove_handle(s->multi, s->easy);
	return result;
}

/* ---- The answer ---- */

/* Of an answer 2xx: how many records the collector did not take after all. */
static size_t rejected_count(const struct sink *s, size_t count, struct text *error)
{
	json_t *answer = json_loads(s->response, 0, NULL);
	const json_t *partial, *rejected;
	long long number = 0;

	/* Somebody answered who does not speak OTLP, and nobody has the records. */
	if (!json_is_object(answer) && s->response_len) {
		text_add(error, "the server there does not speak OTLP");
		json_decref(answer);
		return count;
	}
	partial = json_object_get(answer, "partialSuccess");
	rejected = json_object_get(partial, "rejectedLogRecords");
	if (json_is_string(rejected))
		number = strtoll(json_string_value(rejected), NULL, 10);
	else if (json_is_integer(rejected))
		number = json_integer_value(rejected);
	if (number > 0) {
		const char *why = json_string_value(json_object_get(partial, "errorMessage"));

		text_addf(error, "the collector rejected %lld records: ", number);
		text_add_hostile(error, why ? why : "", why ? strlen(why) : 0);
	}
	json_decref(answer);
	if (number < 0)
		number = 0;
	return (size_t)number < count ? (size_t)number : count;
}

static bool is_to_be_repeated(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static int answer_take(struct sink *s, size_t count, struct sink_sent *sent, struct text *error)
{
	curl_off_t seconds = 0;
	long status = 0;

	s->curl->easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	if (is_to_be_repeated(status)) {
		s->curl->easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &seconds);
		if (seconds > 0 && seconds < UINT32_MAX / MS_PER_S)
			sent->wait_ms = (unsigned int)seconds * MS_PER_S;
		text_addf(error, "the collector answered %ld", status);
		return -EAGAIN;
	}
	sent->taken = count;
	if (status >= 200 && status < 300) {
		sent->refused = rejected_count(s, count, error);
		return 0;
	}
	text_addf(error, "the collector refused the data: it answered %ld", status);
	sent->refused = count;
	return 0;
}

static int otlp_send(struct sink *s, const struct queue_item *items, size_t count,
		     struct sink_sent *sent, struct text *error)
{
	size_t n = batch_count(items, count);
	size_t len = request_compress(s, request_make(s, items, n));
	CURLcode code;

	if (!len) {
		text_add(error, "cannot compress");
		return -ENOMEM;
	}
	s->response_len = 0;
	s->response[0] = '\0';
	s->trouble[0] = '\0';
	s->curl->easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->gzip);
	s->curl->easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)len);
	code = transfer(s);
	if (code == CURLE_OK)
		return answer_take(s, n, sent, error);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return -ECANCELED;
	text_add(error, s->trouble[0] ? s->trouble : s->curl->easy_strerror(code));
	return -EIO;
}

/* ---- The sink ---- */

/* The URL that records go to, the caller's to free by libcurl; NULL when target is none. */
static char *url_make(const struct curllib *curl, const char *target)
{
	CURLU *url = curl->url();
	char *path = NULL, *scheme = NULL, *full = NULL;
	bool good;

	good = url && curl->url_set(url, CURLUPART_URL, target, 0) == CURLUE_OK &&
	       curl->url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	       (!strcasecmp(scheme, "http") || !strcasecmp(scheme, "https")) &&
	       curl->url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK;
	if (good && !strcmp(path, "/"))
		good = curl->url_set(url, CURLUPART_PATH, "/v1/logs", 0) == CURLUE_OK;
	if (!good || curl->url_get(url, CURLUPART_URL, &full, 0) != CURLUE_OK)
		full = NULL;
	curl->free(path);
	curl->free(scheme);
	curl->url_cleanup(url);
	return full;
}

static bool otlp_available(void)
{
	return curllib_load();
}

static int otlp_check(const char *target, struct text *error)
{
	const struct curllib *curl = curllib_load();
	char *url;

	if (!curl) {
		text_add(error, "otlp needs libcurl.so.4, which this host does not have (Debian's "
				"package libcurl4)");
		return -ENOENT;
	}
	url = url_make(curl, target);
	if (!url) {
		text_addf(error, "'%s' is not a collector URL: use http://HOST:4318 or https://...",
			  target);
		return -EINVAL;
	}
	curl->free(url);
	return 0;
}

static void otlp_close(struct sink *s)
{
	s->curl->easy_cleanup(s->easy);
	s->curl->multi_cleanup(s->multi);
	s->curl->slist_free_all(s->headers);
	s->curl->free(s->url);
	free(s->json);
	free(s->gzip);
	free(s);
}

static bool header_add(struct sink *s, const char *header)
{
	struct curl_slist *list = s->curl->slist_append(s->headers, header);

	if (list)
		s->headers = list;
	return list;
}

/* What the environment adds, "KEY=VALUE,KEY=VALUE": secrets do not belong on a command line. */
static bool headers_add(struct sink *s)
{
	const char *at = getenv("OTEL_EXPORTER_OTLP_HEADERS");

	while (at && *at) {
		size_t len = strcspn(at, ","), key = strcspn(at, "=");
		char header[HEADER_LEN];
		struct text t;

		if (key >= len)
			return false;
		text_init(&t, header, sizeof(header));
		text_addf(&t, "%.*s: %.*s", (int)key, at, (int)(len - key - 1), at + key + 1);
		if (t.cut || strpbrk(header, "\r\n") || !header_add(s, header))
			return false;
		at += len + (at[len] == ',');
	}
	return true;
}

static void transfer_prepare(struct sink *s)
{
	s->curl->easy_setopt(s->easy, CURLOPT_URL, s->url);
	s->curl->easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
	s->curl->easy_setopt(s->easy, CURLOPT_USERAGENT, "tlsfail/" TLSFAIL_VERSION);
	s->curl->easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	s->curl->easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	s->curl->easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	/* Not to wait for a resolver that hangs. */
	s->curl->easy_setopt(s->easy, CURLOPT_QUICK_EXIT, 1L);
	s->curl->easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->trouble);
	s->curl->easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, response_take);
	s->curl->easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
}

static int otlp_open(const struct sink_options *options, const char *target, struct sink **sink,
		     struct text *error)
{
	struct sink *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->curl = curllib_load();
	if (!s->curl) {
		free(s);
		return -ENOENT;
	}
	s->stop = options->stop;
	s->url = url_make(s->curl, target);
	s->multi = s->curl->multi_init();
	s->easy = s->curl->easy_init();
	s->json = malloc(BATCH_BYTES + SINK_FINDING_LEN + ENVELOPE_LEN);
	s->gzip_size = compressBound(BATCH_BYTES + SINK_FINDING_LEN + ENVELOPE_LEN) + GZIP_LEN;
	s->gzip = malloc(s->gzip_size);
	/* No "Expect: 100-continue", which costs a second where it is not understood. */
	if (!s->url || !s->multi || !s->easy || !s->json || !s->gzip ||
	    !header_add(s, "Content-Type: application/json") ||
	    !header_add(s, "Content-Encoding: gzip") || !header_add(s, "Expect:"))
		err = -ENOMEM;
	if (!err)
		err = envelope_make(s);
	if (!err && !headers_add(s)) {
		text_add(error, "OTEL_EXPORTER_OTLP_HEADERS is not KEY=VALUE,KEY=VALUE");
		otlp_close(s);
		return -EINVAL;
	}
	if (err) {
		text_addf(error, "cannot prepare data for the collector: %s", strerror(-err));
		otlp_close(s);
		return err;
	}
	transfer_prepare(s);
	*sink = s;
	return 0;
}

const struct sink_type sink_type_otlp = {
	.name = "otlp",
	.forms = "otlp:http://HOST:4318 otlp:https://HOST[:PORT][/PATH]",
	.batch_max = BATCH_RECORDS,
	.linger_ms = 1000,
	.retry_ms_max = 30000,
	.network = true,
	.available = otlp_available,
	.check = otlp_check,
	.open = otlp_open,
	.format = otlp_format,
	.send = otlp_send,
	.close = otlp_close,
};
