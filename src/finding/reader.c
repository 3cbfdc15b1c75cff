// SPDX-License-Identifier: BSD-2-Clause
/*
 * The keys are those of docs/event.schema.json. What a finding has is read as far as people are shown
 * it; what is not of the type that it should be is as good as absent.
 */
#include "finding/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/calendar.h"
#include "base/text.h"
#include "base/units.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* -- values -------------------------------------------------------------------------------------- */

/* A backslash is the beginning of an escape that the writer has made; a patch has lines. */
static void text_add_again(struct text *t, const char *s, size_t len, bool lines)
{
	while (len) {
		size_t n = 0;

		while (n < len && s[n] != '\\' && !(lines && s[n] == '\n'))
			n++;
		text_add_hostile(t, s, n);
		if (n == len)
			return;
		text_add_bytes(t, s + n, 1);
		s += n + 1;
		len -= n + 1;
	}
}

static void copy(char *to, size_t size, const json_t *value, bool lines)
{
	struct text t;

	text_init(&t, to, size);
	if (json_is_string(value))
		text_add_again(&t, json_string_value(value), json_string_length(value), lines);
}

static void take(const json_t *event, const char *key, char *to, size_t size)
{
	copy(to, size, json_object_get(event, key), false);
}
#define TAKE(event, key, array) take(event, key, array, sizeof(array))

/* NULL: it is not there. */
static const char *kept(struct reader *r, const json_t *value)
{
	char *at = r->strings + r->strings_used;
	size_t room = sizeof(r->strings) - r->strings_used;

	if (!json_is_string(value) || room < 2)
		return NULL;
	copy(at, room, value, false);
	r->strings_used += strlen(at) + 1;
	return at;
}

static const char *keep(struct reader *r, const json_t *event, const char *key)
{
	return kept(r, json_object_get(event, key));
}

/* A name of ours; what is none is "unknown". */
static const char *keep_slug(struct reader *r, const json_t *value)
{
	const char *slug = kept(r, value);

	return slug && *slug && strlen(slug) < 64 &&
			       strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(slug)
		       ? slug
		       : "unknown";
}

static uint64_t number_of(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return n > 0 ? (uint64_t)n : 0;
}

static uint64_t number(const json_t *event, const char *key)
{
	return number_of(json_object_get(event, key));
}

static bool truth(const json_t *event, const char *key, bool *there)
{
	const json_t *value = json_object_get(event, key);

	if (there)
		*there = json_is_boolean(value);
	return json_is_true(value);
}

/* ns since 1970; 0: none. */
static uint64_t time_ns(const json_t *event, const char *key)
{
	int64_t seconds;
	uint64_t ns;

	if (!calendar_parse(json_string_value(json_object_get(event, key)), &seconds, &ns) ||
	    seconds < 0 || seconds >= INT64_MAX / (int64_t)NS_PER_S)
		return 0;
	return (uint64_t)seconds * NS_PER_S + ns;
}

/* -- a finding ------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum finding_kind kind;
} kinds[] = {
	{ "tls.handshake.failure", FINDING_FAILURE },
	{ "tls.handshake.confirmed", FINDING_CONFIRMED },
	{ "tlsfail.folded", FINDING_FOLDED },
	{ "tlsfail.peer.recovered", FINDING_RECOVERED },
	{ "tlsfail.summary", FINDING_SUMMARY },
	{ "tlsfail.loss", FINDING_LOSS },
	{ "tls.certificate.seen", FINDING_CERTIFICATE_SEEN },
	{ "tls.certificate.expiring", FINDING_CERTIFICATE_EXPIRING },
	{ "tls.certificate.unsent", FINDING_CERTIFICATE_UNSENT },
	{ "tls.plaintext.sent", FINDING_PLAINTEXT },
};

/* The place of a word among names, or count. */
static size_t place_of(const json_t *value, const char *const *names, size_t count)
{
	const char *word = json_string_value(value);
	size_t i = 0;

	while (i < count && !(word && !strcmp(word, names[i])))
		i++;
	return i;
}

static void read_judgement(struct reader *r, const json_t *e)
{
	static const char *const confidences[] = { "low", "medium", "high", "proven" };
	static const char *const responsibles[] = { "unknown", "this_host", "upstream", "client",
						    "network" };
	const json_t *list = json_object_get(e, "tlsfail.candidates");
	struct finding *f = &r->finding;
	size_t i;

	f->cause = keep_slug(r, json_object_get(e, "error.type"));
	i = place_of(json_object_get(e, "tlsfail.confidence"), confidences, ARRAY_LEN(confidences));
	f->confidence = i < ARRAY_LEN(confidences) ? (enum confidence)i : CONFIDENCE_HIGH;
	i = place_of(json_object_get(e, "tlsfail.responsible"), responsibles,
		     ARRAY_LEN(responsibles));
	f->responsible = i < ARRAY_LEN(responsibles) ? (enum responsible)i : RESPONSIBLE_UNKNOWN;
	TAKE(e, "message", f->message);
	TAKE(e, "tlsfail.hint", f->hint);
	TAKE(e, "tlsfail.confirmed", f->confirmed);
	for (i = 0; i < json_array_size(list) && i < FINDING_CANDIDATES_MAX; i++)
		f->candidates[f->candidate_count++] = keep_slug(r, json_array_get(list, i));
	list = json_object_get(e, "tlsfail.evidence");
	for (i = 0; i < json_array_size(list) && i < FINDING_EVIDENCE_MAX; i++)
		copy(f->evidence[f->evidence_count++], FINDING_EVIDENCE_LEN,
		     json_array_get(list, i), false);
}

static void read_timeline(struct reader *r, const json_t *list)
{
	static const char *const directions[] = { "local", "sent", "received" };
	struct finding *f = &r->finding;

	for (size_t i = 0; i < json_array_size(list) && i < FINDING_TIMELINE_MAX; i++) {
		const json_t *step = json_array_get(list, i);
		struct finding_event *to = &f->timeline[f->timeline_count++];
		size_t place =
			place_of(json_object_get(step, "dir"), directions, ARRAY_LEN(directions));

		to->t_ns = number(step, "t");
		to->dir = directions[place < ARRAY_LEN(directions) ? place : 0];
		TAKE(step, "what", to->what);
	}
}

static void read_certificate(struct finding *f, const json_t *e)
{
	static const char *const keys[2][4] = {
		{ "tls.server.subject", "tls.server.issuer", "tls.server.not_before",
		  "tls.server.not_after" },
		{ "tls.client.subject", "tls.client.issuer", "tls.client.not_before",
		  "tls.client.not_after" },
	};
	const char *const *key = keys[f->role && !strcmp(f->role, "server")];
	struct finding_certificate *c = &f->certificate;
	uint64_t fraction;

	c->known = json_is_string(json_object_get(e, key[0]));
	TAKE(e, key[0], c->subject);
	TAKE(e, key[1], c->issuer);
	c->has_validity = calendar_parse(json_string_value(json_object_get(e, key[2])),
					 &c->not_before, &fraction) &&
			  calendar_parse(json_string_value(json_object_get(e, key[3])),
					 &c->not_after, &fraction);
}

static void read_tls(struct reader *r, const json_t *e)
{
	struct finding *f = &r->finding;

	f->established = truth(e, "tls.established", NULL);
	f->protocol_version = keep(r, e, "tls.protocol.version");
	f->hello.has_server_name = json_is_string(json_object_get(e, "tls.client.server_name"));
	TAKE(e, "tls.client.server_name", f->hello.server_name);
	read_certificate(f, e);
	f->tcp.rtt_ns = number(e, "tcp.rtt");
	f->tcp.known = f->tcp.has_rtt = json_is_integer(json_object_get(e, "tcp.rtt"));
}

/* "FILE:LINE: location /x, upstream pool", and the server block's name is not among it */
static void read_place(struct finding_config *c, const char *s)
{
	struct finding_place *p = &c->places[c->place_count];
	const char *at = strstr(s, ": "), *upstream = strstr(s, ", upstream "), *colon = at;
	struct text t;

	while (colon && colon > s && *--colon != ':')
		;
	if (!at || colon == s)
		return;
	text_init(&t, p->file, sizeof(p->file));
	text_addf(&t, "%.*s", (int)(colon - s), s);
	p->line = (uint32_t)strtoul(colon + 1, NULL, 10);
	text_init(&t, p->location, sizeof(p->location));
	text_addf(&t, "%.*s", (int)(upstream ? upstream - at - 2 : (ptrdiff_t)strlen(at + 2)),
		  at + 2);
	text_init(&t, p->upstream, sizeof(p->upstream));
	text_add(&t, upstream ? upstream + strlen(", upstream ") : "");
	c->place_count++;
}

static void read_config(struct reader *r, const json_t *e)
{
	const json_t *list = json_object_get(e, "nginx.config.settings");
	struct finding_config *c = &r->finding.config;
	struct finding_place *first = &c->places[0];
	uint64_t count = number(e, "nginx.config.place_count");
	char line[4 * FINDING_NAME_LEN];

	TAKE(e, "tlsfail.patch_reason", line);
	copy(c->patch, sizeof(c->patch), json_object_get(e, "tlsfail.patch"), true);
	if (*line)
		c->review = keep(r, e, "tlsfail.patch_reason");
	for (size_t i = 0; i < json_array_size(list) && i < FINDING_SETTINGS_MAX; i++)
		copy(c->settings[c->setting_count++], FINDING_SETTING_LEN, json_array_get(list, i),
		     false);
	if (!json_is_string(json_object_get(e, "nginx.config.file")))
		return;
	c->certainty = keep(r, e, "nginx.config.certainty");
	if (!c->certainty)
		c->certainty = "possible";
	c->changed = truth(e, "nginx.config.changed", NULL);
	list = json_object_get(e, "nginx.config.places");
	for (size_t i = 0; i < json_array_size(list) && c->place_count < FINDING_PLACES_MAX; i++) {
		copy(line, sizeof(line), json_array_get(list, i), false);
		read_place(c, line);
	}
	if (!c->place_count)
		c->place_count = 1;
	TAKE(e, "nginx.config.file", first->file);
	first->line = (uint32_t)number(e, "nginx.config.line");
	TAKE(e, "nginx.config.location", first->location);
	TAKE(e, "nginx.config.upstream", first->upstream);
	if (count > c->place_count && count < UINT32_MAX)
		c->more = (unsigned int)(count - c->place_count);
}

static void read_history(struct finding *f, const json_t *e)
{
	static const char *const states[] = { "ok", "flapping", "failing", "recovered" };
	size_t i = place_of(json_object_get(e, "tlsfail.peer.state"), states, ARRAY_LEN(states));
	struct finding_peer *h = &f->history;

	h->known = i < ARRAY_LEN(states);
	if (!h->known)
		return;
	h->state = (enum finding_peer_state)i;
	h->since_ns = time_ns(e, "tlsfail.peer.since");
	h->handshakes = number(e, "tlsfail.peer.handshakes");
	h->failures = number(e, "tlsfail.peer.failures");
	h->failing_since_ns = time_ns(e, "tlsfail.peer.failing_since");
	h->failures_in_row = number(e, "tlsfail.peer.failures_in_row");
	h->last_success_ns = time_ns(e, "tlsfail.peer.last_success");
	h->retried = number(e, "tlsfail.peer.retried");
	h->peers = (unsigned int)number(e, "tlsfail.upstream.peers");
	TAKE(e, "nginx.config.upstream", h->upstream);
}

static uint16_t port_of(const json_t *event, const char *key)
{
	uint64_t port = number(event, key);

	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void read_network(struct finding *f, const json_t *e)
{
	TAKE(e, "network.peer.address", f->peer.address);
	TAKE(e, "network.local.address", f->local.address);
	f->peer.port = port_of(e, "network.peer.port");
	f->local.port = port_of(e, "network.local.port");
}

static void read_process(struct reader *r, const json_t *e)
{
	struct finding_log_line *line = &r->finding.log_line;
	struct finding *f = &r->finding;

	f->pid = (uint32_t)number(e, "process.pid");
	TAKE(e, "process.executable.path", f->executable_path);
	TAKE(e, "process.executable.name", f->executable_name);
	TAKE(e, "container.id", f->container_id);
	TAKE(e, "host.name", f->host_name);
	TAKE(e, "nginx.error_log.message", line->message);
	line->level = keep(r, e, "nginx.error_log.level");
	line->known = line->message[0] && line->level;
	line->connection = number(e, "nginx.connection");
}

static void read_finding(struct reader *r, const json_t *e, enum finding_kind kind)
{
	struct finding *f = &r->finding;
	const char *role;

	*f = (struct finding){ .kind = kind };
	r->strings_used = 0;
	f->time_ns = time_ns(e, "@timestamp");
	f->duration_ns = number(e, "event.duration");
	role = json_string_value(json_object_get(e, "tlsfail.role"));
	f->role = role && !strcmp(role, "server") ? "server" : "client";
	f->phase = keep(r, e, "tlsfail.phase");
	f->closed_by = keep(r, e, "tlsfail.closed_by");
	f->close_kind = keep(r, e, "tlsfail.close_kind");
	read_judgement(r, e);
	read_timeline(r, json_object_get(e, "tlsfail.timeline"));
	read_tls(r, e);
	read_network(f, e);
	read_process(r, e);
	read_history(f, e);
	read_config(r, e);
	f->attempt = (unsigned int)number(e, "tlsfail.attempt");
	f->suppressed = number(e, "tlsfail.suppressed");
	f->loss = (struct finding_loss){
		.findings = number(e, "tlsfail.lost.findings"),
		.wires = number(e, "tlsfail.lost.wires"),
		.untracked = number(e, "tlsfail.lost.untracked"),
		.processes = number(e, "tlsfail.lost.processes"),
		.output = number(e, "tlsfail.lost.output"),
	};
}

/* -- how handshakes stand ------------------------------------------------------------------------- */

static void read_peer(struct standing_peer *p, const json_t *e)
{
	const json_t *not_after = json_object_get(e, "not_after");

	*p = (struct standing_peer){
		.peer.port = port_of(e, "port"),
		.done = number(e, "done"),
		.failed = number(e, "failed"),
		.streak = number(e, "streak"),
		.last_done_ns = number(e, "last_done_ns"),
		.last_failed_ns = number(e, "last_failed_ns"),
		.latency_ns = number(e, "latency_ns"),
		.not_after = json_integer_value(not_after),
	};
	TAKE(e, "address", p->peer.address);
}

static void read_standing(struct standing *s, const json_t *e)
{
	const json_t *client = json_object_get(e, "client"), *server = json_object_get(e, "server");
	const json_t *peers = json_object_get(e, "peers");
	json_t *causes = json_object_get(e, "causes"), *count;
	const char *slug;

	*s = (struct standing){
		.time_ns = number(e, "time_ns"),
		.has_totals = client && server,
		.client_done = number(client, "done"),
		.client_failed = number(client, "failed"),
		.latency_ns = number(client, "latency_ns"),
		.server_done = number(server, "done"),
		.server_failed = number(server, "failed"),
		.noise = number(server, "noise"),
		.processes = number(e, "processes"),
		.lost = number(e, "lost"),
		.peers_omitted = (unsigned int)number(e, "peers_omitted"),
	};
	for (size_t i = 0; i < json_array_size(peers) && i < STANDING_PEERS_MAX; i++)
		read_peer(&s->peers[s->peer_count++], json_array_get(peers, i));
	json_object_foreach(causes, slug, count)
	{
		struct standing_cause *c = &s->causes[s->cause_count];
		struct text t;

		if (s->cause_count == STANDING_CAUSES_MAX)
			break;
		text_init(&t, c->slug, sizeof(c->slug));
		text_add_hostile(&t, slug, strlen(slug));
		c->count = number_of(count);
		s->cause_count++;
	}
}

/* -- a line --------------------------------------------------------------------------------------- */

static int read_event(struct reader *r, const json_t *e)
{
	const char *name = json_string_value(json_object_get(e, "event.name"));

	if (!name)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(name, kinds[i].name)) {
			read_finding(r, e, kinds[i].kind);
			return READER_FINDING;
		}
	if (!strcmp(name, STANDING_EVENT)) {
		read_standing(&r->standing, e);
		return READER_STANDING;
	}
	TAKE(e, "message", r->message);
	return !strcmp(name, "tlsfail.hello")	  ? READER_HELLO
	       : !strcmp(name, "tlsfail.goodbye") ? READER_GOODBYE
						  : READER_OTHER;
}

int reader_read(struct reader *r, const char *line, size_t len)
{
	json_t *event = json_loadb(line, len, 0, NULL);
	int ret = json_is_object(event) ? read_event(r, event) : -EBADMSG;

	json_decref(event);
	return ret;
}
