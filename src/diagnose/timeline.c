// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flights come with times and lengths from the kernel side; what is in them is read from the
 * kept bytes of their direction, record by record.
 */
#include "diagnose/timeline.h"

#include <string.h>

#include "tls/library.h"
#include "diagnose/symptoms.h"
#include "base/text.h"
#include "base/units.h"

#define RECORD_HEADER_LEN  5
#define MESSAGE_HEADER_LEN 4

/* RFC 8446 section 5.1 */
enum content_type {
	CHANGE_CIPHER_SPEC = 20,
	ALERT = 21,
	HANDSHAKE = 22,
	APPLICATION_DATA = 23,
};

/* One direction, while its flights are walked. */
struct stream {
	const struct tls_capture *capture;
	uint64_t sent;	   /* bytes of the flights so far */
	size_t at;	   /* of the next record in the capture */
	size_t in_message; /* bytes of a handshake message that go on in the next record */
	bool tls13;	   /* where ChangeCipherSpec means nothing (RFC 8446, appendix D.4) */
	bool encrypted;	   /* a ChangeCipherSpec has passed that does */
	unsigned int mute; /* encrypted records in a row, not yet told */
};

/* RFC 8446 appendix B.3, RFC 5246 section 7.4, RFC 6066 section 8 */
static const char *message_name(uint8_t type)
{
	switch (type) {
	case 0:
		return "HelloRequest";
	case 1:
		return "ClientHello";
	case 2:
		return "ServerHello";
	case 4:
		return "NewSessionTicket";
	case 11:
		return "Certificate";
	case 12:
		return "ServerKeyExchange";
	case 13:
		return "CertificateRequest";
	case 14:
		return "ServerHelloDone";
	case 15:
		return "CertificateVerify";
	case 16:
		return "ClientKeyExchange";
	case 20:
		return "Finished";
	case 22:
		return "CertificateStatus";
	}
	return "handshake message";
}

static void add_separator(struct text *t)
{
	if (t->len)
		text_add(t, ", ");
}

/* Encrypted records are told by their number. */
static void add_mute(struct stream *s, struct text *t)
{
	if (!s->mute)
		return;
	add_separator(t);
	text_addf(t, s->mute == 1 ? "encrypted" : "%u encrypted records", s->mute);
	s->mute = 0;
}

static void add_messages(struct stream *s, const uint8_t *body, size_t len, struct text *t)
{
	size_t at = s->in_message < len ? s->in_message : len;

	s->in_message -= at;
	while (len - at >= MESSAGE_HEADER_LEN) {
		const uint8_t *m = body + at;
		size_t whole = MESSAGE_HEADER_LEN + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
		size_t here = whole < len - at ? whole : len - at;

		add_separator(t);
		text_add(t, tls_is_hello_retry_request(m, here) ? "HelloRetryRequest"
								: message_name(m[0]));
		at += here;
		s->in_message = whole - here;
	}
}

static void add_alert(const uint8_t *body, size_t len, bool clear, struct text *t)
{
	const char *name = clear && len == 2 ? tls_alert_name(body[1]) : NULL;

	add_separator(t);
	if (clear && !len)
		text_add(t, "header of an alert");
	else if (!clear || len != 2)
		text_add(t, "encrypted alert");
	else if (name)
		text_addf(t, "alert %u %s", body[1], name);
	else
		text_addf(t, "alert %u", body[1]);
}

static void add_record(struct stream *s, const uint8_t *record, size_t len, struct text *t)
{
	const uint8_t *body = record + RECORD_HEADER_LEN;

	if (record[0] == APPLICATION_DATA || (record[0] == HANDSHAKE && s->encrypted)) {
		s->mute++;
		return;
	}
	add_mute(s, t);
	if (record[0] == HANDSHAKE) {
		add_messages(s, body, len, t);
	} else if (record[0] == ALERT) {
		add_alert(body, len, !s->encrypted, t);
	} else {
		add_separator(t);
		text_add(t, "ChangeCipherSpec");
		s->encrypted = !s->tls13;
	}
}

static bool is_record(const uint8_t *bytes)
{
	return bytes[0] >= CHANGE_CIPHER_SPEC && bytes[0] <= APPLICATION_DATA && bytes[1] == 3;
}

/* What is in the next len bytes of the direction. */
static void add_flight(struct stream *s, uint32_t len, struct text *t)
{
	const struct tls_capture *c = s->capture;
	uint64_t end = s->sent += len;

	while (c->data && s->at < end && s->at + RECORD_HEADER_LEN <= c->len) {
		const uint8_t *record = c->data + s->at;
		size_t body = (size_t)record[3] << 8 | record[4];
		size_t kept = c->len - s->at - RECORD_HEADER_LEN;

		if (!is_record(record)) {
			add_separator(t);
			text_add(t, "\"");
			text_add_hostile(t, record, c->len - s->at < 24 ? c->len - s->at : 24);
			text_add(t, "\"");
			s->at = (size_t)end;
			break;
		}
		add_record(s, record, body < kept ? body : kept, t);
		s->at += RECORD_HEADER_LEN + body;
	}
	add_mute(s, t);
	if (!t->len)
		text_add(t, "data");
}

/* Keeps the order of time; what comes at the same time keeps the order of adding. */
static struct finding_event *event_add(struct finding *f, uint64_t t, const char *dir)
{
	unsigned int at = f->timeline_count;

	if (at == FINDING_TIMELINE_MAX)
		return NULL;
	while (at > 0 && f->timeline[at - 1].t_ns > t) {
		f->timeline[at] = f->timeline[at - 1];
		at--;
	}
	f->timeline_count++;
	f->timeline[at] = (struct finding_event){ .t_ns = t, .dir = dir };
	return &f->timeline[at];
}

static void event_words(struct finding *f, const struct tlsfail_conn *c, uint64_t when,
			const char *dir, const char *words)
{
	struct finding_event *e = when ? event_add(f, when - c->t_start, dir) : NULL;
	struct text t;

	if (!e)
		return;
	text_init(&t, e->what, sizeof(e->what));
	text_add(&t, words);
}

/* A flight's time is in microseconds: one of the microsecond in which the handshake was done is of the
 * handshake when its bytes were kept, which those of later ones are not. */
static bool is_later_flight(const struct tlsfail_conn *c, const struct tlsfail_flight *flight,
			    const struct stream *s)
{
	uint64_t done_us = (c->t_done - c->t_start) / NS_PER_US;
	bool kept = s->capture->data && s->at + RECORD_HEADER_LEN <= s->capture->len;

	return c->t_done && (flight->t_us > done_us || (flight->t_us == done_us && !kept));
}

/* Whether nothing more was sent, or received, after flight i. Of too many, the last is kept in the place
 * of those before it. */
static bool is_last_flight(const struct tlsfail_conn *c, uint32_t i)
{
	if (c->flight_count > TLSFAIL_FLIGHTS_MAX)
		return i == TLSFAIL_FLIGHTS_MAX - 1;
	for (uint32_t later = i + 1; later < c->flight_count; later++)
		if (c->flights[later].dir == c->flights[i].dir)
			return false;
	return true;
}

/* After the handshake nothing is kept and all is encrypted: only sizes tell. */
static void add_later_flight(const struct finding *f, const struct tlsfail_conn *c, uint32_t i,
			     struct text *t)
{
	bool sent = c->flights[i].dir == TLSFAIL_DIR_SENT;
	bool by_client = sent != symptoms_is_server(c);
	bool last = is_last_flight(c, i);

	if (sent && last && c->flags & TLSFAIL_F_LOCAL_NOTIFY)
		text_add(t, "close_notify");
	else if (!sent && last && f->alert.known && f->alert.received)
		text_addf(t, "encrypted alert %u%s%s", f->alert.code, f->alert.name ? " " : "",
			  f->alert.name ? f->alert.name : "");
	else
		text_add(t, by_client ? "request (encrypted)" : "encrypted");
}

static void flights_add(struct finding *f, const struct failure *failure)
{
	const struct tlsfail_conn *c = failure->conn;
	bool tls13 = f->protocol_version && !strcmp(f->protocol_version, "1.3");
	struct stream streams[] = { { .capture = &failure->sent, .tls13 = tls13 },
				    { .capture = &failure->received, .tls13 = tls13 } };
	uint32_t count = symptoms_flight_count(c);

	for (uint32_t i = 0; i < count; i++) {
		const struct tlsfail_flight *flight = &c->flights[i];
		struct stream *s = &streams[flight->dir];
		struct finding_event *e =
			event_add(f, flight->t_us * NS_PER_US,
				  flight->dir == TLSFAIL_DIR_SENT ? "sent" : "received");
		struct text t;

		if (!e)
			return;
		text_init(&t, e->what, sizeof(e->what));
		if (is_later_flight(c, flight, s))
			add_later_flight(f, c, i, &t);
		else
			add_flight(s, flight->len, &t);
		text_addf(&t, " (%u bytes)", flight->len);
	}
}

static void error_add(struct finding *f, const struct tlsfail_conn *c)
{
	struct finding_event *e;
	struct text t;

	if (!c->error_count || tls_reason_is_alert(c->errors[0].reason, NULL))
		return;
	e = event_add(f, c->errors[0].t - c->t_start, "local");
	if (!e)
		return;
	text_init(&t, e->what, sizeof(e->what));
	text_addf(&t, "%s reason %u%s%s", f->openssl.library, f->openssl.reason_code,
		  f->openssl.function[0] ? " in " : "", f->openssl.function);
}

void timeline_fill(const struct failure *failure, struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;
	bool refused = c->flags & TLSFAIL_F_REFUSED;

	if (c->flags & TLSFAIL_F_CONNECT)
		event_words(f, c, c->t_start, "sent", "TCP connect");
	event_words(f, c, c->t_established, "received",
		    symptoms_is_server(c) ? "TCP connect" : "TCP accepted");
	flights_add(f, failure);
	event_words(f, c, c->t_done, "local", "handshake complete");
	error_add(f, c);
	event_words(f, c, c->t_peer_fin, "received", "FIN");
	event_words(f, c, c->t_peer_rst, "received", refused ? "RST: refused" : "RST");
	event_words(f, c, c->t_close, "local",
		    c->flags & TLSFAIL_F_OPEN ? "not closed yet" : "closed by this side");
}
