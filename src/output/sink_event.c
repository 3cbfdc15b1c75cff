// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known of a finding, pair by pair; a key whose fact is unknown is absent.
 */
#include "output/sink_event.h"

#include <string.h>

#include "finding/finding.h"
#include "output/sink.h"
#include "base/text.h"
#include "base/calendar.h"

#define TIMESTAMP_LEN 40
/* The longest of the lists of codes. */
#define CODES_MAX FINDING_CIPHERS_MAX
_Static_assert(CODES_MAX >= FINDING_SCHEMES_MAX && CODES_MAX >= FINDING_GROUPS_MAX, "the longest");
#define CODE_LEN sizeof("0x1234")

/* Where the pairs go. */
struct event {
	sink_take_fn *take;
	void *context;
};

static void event_add(struct event *event, const char *key, const struct sink_value *value)
{
	event->take(event->context, key, value);
}

static void event_add_string(struct event *event, const char *key, const char *s)
{
	const struct sink_value value = { .kind = SINK_STRING, .string = s };

	if (s && s[0])
		event_add(event, key, &value);
}

static void event_add_signed(struct event *event, const char *key, int64_t number)
{
	const struct sink_value value = { .kind = SINK_INTEGER, .integer = number };

	event_add(event, key, &value);
}

static void event_add_integer(struct event *event, const char *key, uint64_t number)
{
	event_add_signed(event, key, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* For a number of which 0 says that it is unknown. */
static void event_add_known(struct event *event, const char *key, uint64_t value)
{
	if (value)
		event_add_integer(event, key, value);
}

static void event_add_bool(struct event *event, const char *key, bool boolean)
{
	const struct sink_value value = { .kind = SINK_BOOLEAN, .boolean = boolean };

	event_add(event, key, &value);
}

/* Nothing is added when there are none. */
static void event_add_strings(struct event *event, const char *key, const char *const *strings,
			      unsigned int count)
{
	const struct sink_value value = { .kind = SINK_STRINGS,
					  .strings = strings,
					  .count = count };

	if (count)
		event_add(event, key, &value);
}

static void event_add_timeline(struct event *event, const struct finding *f)
{
	const struct sink_value value = { .kind = SINK_STEPS,
					  .steps = f->timeline,
					  .count = f->timeline_count };

	if (f->timeline_count)
		event_add(event, "tlsfail.timeline", &value);
}

/* Its name, or its number in buf of CODE_LEN bytes. */
static const char *code_name(const struct finding_code *code, char *buf)
{
	struct text text;

	if (code->name)
		return code->name;
	text_init(&text, buf, CODE_LEN);
	text_addf(&text, "0x%04x", code->number);
	return buf;
}

static void event_add_code(struct event *event, const char *key, const struct finding_code *code)
{
	char buf[CODE_LEN];

	if (code->number)
		event_add_string(event, key, code_name(code, buf));
}

/* Of count codes the first max are there. */
static void event_add_codes(struct event *event, const char *key, const struct finding_code *codes,
			    unsigned int count, unsigned int max)
{
	const char *names[CODES_MAX];
	char bufs[CODES_MAX][CODE_LEN];
	unsigned int n = count < max ? count : max;

	for (unsigned int i = 0; i < n; i++)
		names[i] = code_name(&codes[i], bufs[i]);
	event_add_strings(event, key, names, n);
}

/* RFC 3339 in UTC, to the second. */
static void event_add_time(struct event *event, const char *key, int64_t seconds)
{
	char date[TIMESTAMP_LEN];
	struct text text;

	text_init(&text, date, sizeof(date));
	if (calendar_add(&text, seconds))
		event_add_string(event, key, date);
}

/* The keys of the peer's certificate: it is the server's, or the client's. */
struct certificate_keys {
	const char *subject;
	const char *issuer;
	const char *not_before;
	const char *not_after;
	const char *san;
	const char *key;
	const char *key_bits;
	const char *signature;
	const char *sha256;
	const char *chain_length;
	const char *issuer_sent;
};

#define CERTIFICATE_KEYS(side)                                                                     \
	{                                                                                          \
		.subject = "tls." side ".subject", .issuer = "tls." side ".issuer",                \
		.not_before = "tls." side ".not_before", .not_after = "tls." side ".not_after",    \
		.san = "tls." side ".san", .key = "tls." side ".public_key_algorithm",             \
		.key_bits = "tls." side ".public_key_size",                                        \
		.signature = "tls." side ".signature_algorithm",                                   \
		.sha256 = "tls." side ".hash.sha256", .chain_length = "tls." side ".chain_length", \
		.issuer_sent = "tls." side ".issuer_sent",                                         \
	}

static const struct certificate_keys server_keys = CERTIFICATE_KEYS("server");
static const struct certificate_keys client_keys = CERTIFICATE_KEYS("client");

/* RFC 3339 in UTC, to the nanosecond. */
static void event_add_timestamp(struct event *event, const char *key, uint64_t time_ns)
{
	char date[TIMESTAMP_LEN];
	struct text text;

	text_init(&text, date, sizeof(date));
	if (calendar_add_ns(&text, time_ns, 9))
		event_add_string(event, key, date);
}

static void event_add_certificate(struct event *event, const struct finding *f)
{
	const struct certificate_keys *keys =
		f->role && !strcmp(f->role, "server") ? &client_keys : &server_keys;
	const struct finding_certificate *c = &f->certificate;
	const char *names[FINDING_SAN_MAX];
	unsigned int count = c->name_count < FINDING_SAN_MAX ? c->name_count : FINDING_SAN_MAX;

	if (!c->known)
		return;
	event_add_string(event, keys->subject, c->subject);
	event_add_string(event, keys->issuer, c->issuer);
	if (c->has_validity) {
		event_add_time(event, keys->not_before, c->not_before);
		event_add_time(event, keys->not_after, c->not_after);
	}
	for (unsigned int i = 0; i < count; i++)
		names[i] = c->names[i];
	event_add_strings(event, keys->san, names, count);
	event_add_string(event, keys->key, c->key);
	event_add_known(event, keys->key_bits, c->key_bits);
	event_add_string(event, keys->signature, c->signature);
	event_add_string(event, keys->sha256, c->sha256);
	if (c->seen_ns)
		event_add_timestamp(event, "tls.server.seen_at", c->seen_ns);
	event_add_integer(event, keys->chain_length, c->chain_length);
	if (c->has_issuer_sent)
		event_add_bool(event, keys->issuer_sent, c->issuer_sent);
}

static void event_add_cause(struct event *event, const struct finding *f)
{
	const char *evidence[FINDING_EVIDENCE_MAX];

	for (unsigned int i = 0; i < f->evidence_count; i++)
		evidence[i] = f->evidence[i];
	event_add_string(event, "error.type", f->cause);
	event_add_string(event, "message", f->message);
	event_add_integer(event, "tlsfail.schema_version", FINDING_SCHEMA_VERSION);
	event_add_string(event, "tlsfail.confidence", sink_confidence_name(f));
	event_add_string(event, "tlsfail.responsible", sink_responsible_name(f));
	event_add_string(event, "tlsfail.confirmed", f->confirmed);
	event_add_strings(event, "tlsfail.candidates", f->candidates, f->candidate_count);
	event_add_string(event, "tlsfail.hint", f->hint);
	event_add_string(event, "tlsfail.patch", f->config.patch);
	if (f->config.patch[0])
		event_add_string(event, "tlsfail.patch_applicability",
				 f->config.review ? "review" : "safe");
	event_add_string(event, "tlsfail.patch_reason", f->config.review);
	event_add_strings(event, "tlsfail.evidence", evidence, f->evidence_count);
}

static void event_add_course(struct event *event, const struct finding *f)
{
	event_add_string(event, "tlsfail.role", f->role);
	event_add_string(event, "tlsfail.phase", f->phase);
	event_add_string(event, "tlsfail.closed_by", f->closed_by);
	event_add_string(event, "tlsfail.close_kind", f->close_kind);
	event_add_integer(event, "tlsfail.bytes_sent", f->bytes_sent);
	event_add_integer(event, "tlsfail.bytes_received", f->bytes_received);
	event_add_string(event, "tlsfail.first_bytes", f->first_bytes);
	event_add_timeline(event, f);
}

static void event_add_hello(struct event *event, const struct finding_hello *hello)
{
	unsigned int alpn_count = hello->alpn_count;
	const char *alpn[FINDING_ALPN_MAX];

	if (alpn_count > FINDING_ALPN_MAX)
		alpn_count = FINDING_ALPN_MAX;
	if (!hello->known)
		return;
	for (unsigned int i = 0; i < alpn_count; i++)
		alpn[i] = hello->alpn[i];
	event_add_strings(event, "tls.client.supported_versions", hello->versions,
			  hello->version_count);
	event_add_codes(event, "tls.client.supported_ciphers", hello->ciphers, hello->cipher_count,
			FINDING_CIPHERS_MAX);
	event_add_codes(event, "tls.client.supported_groups", hello->groups, hello->group_count,
			FINDING_GROUPS_MAX);
	event_add_codes(event, "tls.client.supported_signature_schemes", hello->schemes,
			hello->scheme_count, FINDING_SCHEMES_MAX);
	event_add_codes(event, "tls.client.key_shares", hello->key_shares, hello->key_share_count,
			FINDING_KEY_SHARES_MAX);
	event_add_strings(event, "tls.client.alpn", alpn, alpn_count);
	if (hello->has_server_name)
		event_add(event, "tls.client.server_name",
			  &(struct sink_value){ .string = hello->server_name });
	if (hello->offers_session || !hello->cut)
		event_add_bool(event, "tls.client.session_offered", hello->offers_session);
	event_add_known(event, "tls.client.hello_length", hello->length);
	event_add_bool(event, "tls.client.hello_cut", hello->cut);
}

static void event_add_choice(struct event *event, const struct finding_choice *choice)
{
	event_add_code(event, "tls.cipher", &choice->cipher);
	event_add_code(event, "tls.curve", &choice->group);
	event_add_string(event, "tls.next_protocol", choice->next_protocol);
	event_add_known(event, "tls.hello_retry.count", choice->retry_count);
	event_add_code(event, "tls.hello_retry.group", &choice->retry_group);
	if (choice->has_resumed)
		event_add_bool(event, "tls.resumed", choice->resumed);
}

static void event_add_alert(struct event *event, const struct finding_alert *alert)
{
	if (!alert->known)
		return;
	event_add_string(event, "tls.alert.direction", alert->received ? "received" : "sent");
	event_add_string(event, "tls.alert.level", alert->fatal ? "fatal" : "warning");
	event_add_integer(event, "tls.alert.code", alert->code);
	event_add_string(event, "tls.alert.name", alert->name);
	event_add_bool(event, "tls.alert.inferred", alert->inferred);
}

static void event_add_tls(struct event *event, const struct finding *f)
{
	event_add_bool(event, "tls.established", f->established);
	event_add_string(event, "tls.protocol.version", f->protocol_version);
	event_add_choice(event, &f->choice);
	event_add_hello(event, &f->hello);
	if (f->has_certificate_requested)
		event_add_bool(event, "tls.client.certificate_requested", f->certificate_requested);
	if (f->has_certificate_sent)
		event_add_bool(event, "tls.client.certificate_sent", f->certificate_sent);
	event_add_alert(event, &f->alert);
	event_add_known(event, "tls.openssl.reason_code", f->openssl.reason_code);
	event_add_string(event, "tls.openssl.reason", f->openssl.reason);
	event_add_string(event, "tls.openssl.function", f->openssl.function);
	event_add_string(event, "tls.openssl.version", f->openssl.version);
	if (f->verify.known) {
		event_add_signed(event, "tls.verify.code", f->verify.code);
		event_add_string(event, "tls.verify.name", f->verify.name);
		event_add_bool(event, "tls.verify.enforced", f->verify.enforced);
	}
	event_add_certificate(event, f);
}

static void event_add_network(struct event *event, const struct finding *f)
{
	event_add_string(event, "network.transport", "tcp");
	event_add_string(event, "network.type", f->network_type);
	event_add_string(event, "network.local.address", f->local.address);
	event_add_known(event, "network.local.port", f->local.port);
	event_add_string(event, "network.peer.address", f->peer.address);
	event_add_known(event, "network.peer.port", f->peer.port);
	if (!f->tcp.known)
		return;
	if (f->tcp.has_rtt)
		event_add_integer(event, "tcp.rtt", f->tcp.rtt_ns);
	event_add_integer(event, "tcp.retransmits", f->tcp.retransmits);
	if (f->tcp.has_hello_acked)
		event_add_bool(event, "tcp.hello_acked", f->tcp.hello_acked);
}

static void event_add_process(struct event *event, const struct finding *f)
{
	event_add_known(event, "process.pid", f->pid);
	event_add_string(event, "process.executable.path", f->executable_path);
	event_add_string(event, "process.executable.name", f->executable_name);
	event_add_known(event, "network.namespace.inode", f->netns);
	event_add_string(event, "container.id", f->container_id);
}

static void event_add_log_line(struct event *event, const struct finding_log_line *line)
{
	if (!line->known)
		return;
	event_add_string(event, "nginx.error_log.level", line->level);
	event_add_string(event, "nginx.error_log.message", line->message);
	event_add_string(event, "nginx.error_log.file", line->file);
	event_add_known(event, "nginx.connection", line->connection);
}

/* "FILE:LINE: location /x, upstream pool" */
static void place_add(struct text *t, const struct finding_place *place)
{
	text_addf(t, "%s:%u: %s", place->file, place->line, place->location);
	if (place->upstream[0])
		text_addf(t, ", upstream %s", place->upstream);
}

static void event_add_places(struct event *event, const struct finding_config *config)
{
	char lines[FINDING_PLACES_MAX][4 * FINDING_NAME_LEN];
	const char *places[FINDING_PLACES_MAX];
	struct text text;

	if (config->place_count + config->more < 2)
		return;
	for (unsigned int i = 0; i < config->place_count; i++) {
		text_init(&text, lines[i], sizeof(lines[i]));
		place_add(&text, &config->places[i]);
		places[i] = lines[i];
	}
	event_add_strings(event, "nginx.config.places", places, config->place_count);
	event_add_integer(event, "nginx.config.place_count", config->place_count + config->more);
}

static void event_add_config(struct event *event, const struct finding_config *config)
{
	const struct finding_place *first = &config->places[0];
	const char *settings[FINDING_SETTINGS_MAX];

	if (!config->place_count)
		return;
	for (unsigned int i = 0; i < config->setting_count; i++)
		settings[i] = config->settings[i];
	event_add_string(event, "nginx.config.file", first->file);
	event_add_integer(event, "nginx.config.line", first->line);
	event_add_string(event, "nginx.config.location", first->location);
	event_add_string(event, "nginx.config.upstream", first->upstream);
	event_add_string(event, "nginx.config.certainty", config->certainty);
	event_add_bool(event, "nginx.config.changed", config->changed);
	event_add_strings(event, "nginx.config.settings", settings, config->setting_count);
	event_add_places(event, config);
}

static void event_add_time_of(struct event *event, const char *key, uint64_t time_ns)
{
	if (time_ns)
		event_add_timestamp(event, key, time_ns);
}

static void event_add_history(struct event *event, const struct finding_peer *h)
{
	if (!h->known)
		return;
	event_add_string(event, "tlsfail.peer.state", sink_peer_state_name(h));
	event_add_time_of(event, "tlsfail.peer.since", h->since_ns);
	event_add_integer(event, "tlsfail.peer.handshakes", h->handshakes);
	event_add_integer(event, "tlsfail.peer.failures", h->failures);
	event_add_time_of(event, "tlsfail.peer.failing_since", h->failing_since_ns);
	event_add_known(event, "tlsfail.peer.failures_in_row", h->failures_in_row);
	event_add_time_of(event, "tlsfail.peer.last_success", h->last_success_ns);
}

/* A number that is a name: JSON's readers may not keep all its digits. */
static void event_add_attempt(struct event *event, const struct finding *f)
{
	char group[sizeof("0123456789abcdef")];
	struct text text;

	if (!f->attempt)
		return;
	text_init(&text, group, sizeof(group));
	text_addf(&text, "%016llx", (unsigned long long)f->group);
	event_add_string(event, "tlsfail.group", group);
	event_add_integer(event, "tlsfail.attempt", f->attempt);
}

static void event_add_failure(struct event *event, const struct finding *f)
{
	event_add_string(event, "event.name",
			 f->kind == FINDING_CONFIRMED	? "tls.handshake.confirmed"
			 : f->kind == FINDING_PLAINTEXT ? "tls.plaintext.sent"
							: "tls.handshake.failure");
	event_add_string(event, "event.outcome", "failure");
	event_add_known(event, "event.duration", f->duration_ns);
	event_add_cause(event, f);
	event_add_course(event, f);
	event_add_attempt(event, f);
	event_add_history(event, &f->history);
	event_add_tls(event, f);
	event_add_network(event, f);
	event_add_process(event, f);
	event_add_log_line(event, &f->log_line);
	event_add_config(event, &f->config);
}

static void event_add_loss(struct event *event, const struct finding_loss *loss)
{
	char words[SINK_LOSS_LEN];
	struct text text;

	event_add_string(event, "event.name", "tlsfail.loss");
	text_init(&text, words, sizeof(words));
	sink_add_loss(&text, loss);
	event_add_string(event, "message", words);
	event_add_integer(event, "tlsfail.schema_version", FINDING_SCHEMA_VERSION);
	text_init(&text, words, sizeof(words));
	sink_add_loss_hint(&text, loss);
	event_add_string(event, "tlsfail.hint", words);
	event_add_integer(event, "tlsfail.lost.findings", loss->findings);
	event_add_integer(event, "tlsfail.lost.wires", loss->wires);
	event_add_integer(event, "tlsfail.lost.untracked", loss->untracked);
	event_add_integer(event, "tlsfail.lost.processes", loss->processes);
	event_add_integer(event, "tlsfail.lost.output", loss->output);
}

static void event_add_sighting(struct event *event, const struct finding *f)
{
	event_add_string(event, "event.name",
			 f->kind == FINDING_CERTIFICATE_SEEN	 ? "tls.certificate.seen"
			 : f->kind == FINDING_CERTIFICATE_UNSENT ? "tls.certificate.unsent"
								 : "tls.certificate.expiring");
	event_add_string(event, "message", f->message);
	event_add_integer(event, "tlsfail.schema_version", FINDING_SCHEMA_VERSION);
	event_add_string(event, "tlsfail.hint", f->hint);
	event_add_certificate(event, f);
	event_add_network(event, f);
	event_add_process(event, f);
}

/* The beginning of what is told of an interval. cause NULL: it is no error. */
static void event_add_interval(struct event *event, const char *name, const char *cause,
			       const struct finding *f)
{
	event_add_string(event, "event.name", name);
	event_add_known(event, "event.duration", f->duration_ns);
	event_add_string(event, "error.type", cause);
	event_add_string(event, "message", f->message);
	event_add_integer(event, "tlsfail.schema_version", FINDING_SCHEMA_VERSION);
	event_add_string(event, "tlsfail.role", f->role);
	event_add_history(event, &f->history);
}

static void event_add_folded(struct event *event, const struct finding *f)
{
	event_add_interval(event, "tlsfail.folded", f->cause, f);
	event_add_string(event, "tlsfail.confidence", sink_confidence_name(f));
	event_add_integer(event, "tlsfail.suppressed", f->suppressed);
	event_add_network(event, f);
	event_add_process(event, f);
}

static void event_add_recovered(struct event *event, const struct finding *f)
{
	event_add_interval(event, "tlsfail.peer.recovered", NULL, f);
	event_add_network(event, f);
}

static void event_add_summary(struct event *event, const struct finding *f)
{
	event_add_interval(event, "tlsfail.summary", f->cause, f);
	event_add_string(event, "tlsfail.summary.scope", f->history.whole ? "run" : "interval");
	event_add_integer(event, "tlsfail.peer.retried", f->history.retried);
	event_add_string(event, "nginx.config.upstream", f->history.upstream);
	if (f->history.peers)
		event_add_integer(event, "tlsfail.upstream.peers", f->history.peers);
	else
		event_add_network(event, f);
}

void sink_event_each(const struct finding *finding, sink_take_fn *take, void *context)
{
	struct event event = { .take = take, .context = context };

	event_add_timestamp(&event, "@timestamp", finding->time_ns);
	if (finding->kind == FINDING_LOSS)
		event_add_loss(&event, &finding->loss);
	else if (finding->kind == FINDING_CERTIFICATE_SEEN ||
		 finding->kind == FINDING_CERTIFICATE_EXPIRING ||
		 finding->kind == FINDING_CERTIFICATE_UNSENT)
		event_add_sighting(&event, finding);
	else if (finding->kind == FINDING_FOLDED)
		event_add_folded(&event, finding);
	else if (finding->kind == FINDING_SUMMARY)
		event_add_summary(&event, finding);
	else if (finding->kind == FINDING_RECOVERED)
		event_add_recovered(&event, finding);
	else
		event_add_failure(&event, finding);
	event_add_string(&event, "host.name", finding->host_name);
}

struct wanted {
	const char *key;
	struct text *t;
};

static void take_wanted(void *context, const char *key, const struct sink_value *value)
{
	const struct wanted *wanted = context;

	if (value->kind == SINK_STRING && !strcmp(key, wanted->key))
		text_add(wanted->t, value->string);
}

void sink_event_add(const struct finding *finding, const char *key, struct text *t)
{
	struct wanted wanted = { .key = key, .t = t };

	sink_event_each(finding, take_wanted, &wanted);
}

void sink_event_add_line(const struct finding *finding, struct text *t)
{
	size_t before = t->len;

	sink_event_add(finding, "error.type", t);
	if (t->len > before)
		text_add(t, ": ");
	sink_event_add(finding, "message", t);
}

int sink_event_severity(const struct finding *finding)
{
	switch (finding->kind) {
	case FINDING_CERTIFICATE_SEEN:
	case FINDING_CERTIFICATE_UNSENT:
	case FINDING_PLAINTEXT:
	case FINDING_RECOVERED:
	case FINDING_SUMMARY:
		return 6;
	case FINDING_FAILURE:
	case FINDING_CONFIRMED:
	case FINDING_LOSS:
	case FINDING_CERTIFICATE_EXPIRING:
	case FINDING_FOLDED:
		return 4;
	}
	return 4;
}
