/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS in clear, in three layers: records (RFC 8446, section 5; RFC 5246, section 6.2) are taken
 * apart and the handshake messages in them put together; messages (RFC 8446, section 4; RFC 5246,
 * section 7.4) are walked; bodies are read, those of the hellos in hello.c.
 */
#include "tls/wire.h"

#include <string.h>

/* RFC 8446, section 5.1 */
enum content_type {
	CONTENT_CHANGE_CIPHER_SPEC = 20,
	CONTENT_ALERT = 21,
	CONTENT_HANDSHAKE = 22,
	CONTENT_APPLICATION_DATA = 23,
};

/* RFC 8446, section 4; RFC 5246, section 7.4 */
enum handshake_type {
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_KEY_EXCHANGE = 12,
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
};

/* RFC 5246, section 7.2 */
enum alert_level {
	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
};

#define RECORD_HEADER_LEN  5
#define RECORD_LENGTH_MAX  (16384 + 2048) /* RFC 5246, section 6.2.3 */
#define MESSAGE_HEADER_LEN 4
#define ALERT_LEN	   2

/* The content type, and the tag that all but the CCM_8 ciphers have. */
#define SEAL_LEN (1 + 16)
/* SSLSocket of the JDK pads its records by as much (OutputRecord.T13PaddingHolder). */
#define ALERT_PADDING	    16
#define ENCRYPTED_ALERT_LEN (TLS_ENCRYPTED_ALERT_LEN - RECORD_HEADER_LEN)
/* Messages of a client's second flight in TLS 1.3, one in each record, as OpenSSL sends them: a
 * Certificate without any (RFC 8446, section 4.4.2), and Finished with SHA-256 or SHA-384. A
 * certificate alone is longer than the last number. */
#define ENCRYPTED_NO_CERTIFICATE_LEN (4 + 1 + 3 + SEAL_LEN)
#define ENCRYPTED_FINISHED_256_LEN   (4 + 32 + SEAL_LEN)
#define ENCRYPTED_FINISHED_384_LEN   (4 + 48 + SEAL_LEN)
#define ENCRYPTED_CERTIFICATE_MIN    200

/* ---- Records --------------------------------------------------------------------------------- */

struct record {
	uint8_t type;
	size_t length;		  /* as declared */
	struct tls_bytes payload; /* as much of it as is here */
};

/* One direction while its records are taken apart. */
struct record_walk {
	struct tls_reader r;
	struct tls_records *records;
	uint8_t *messages; /* of TLSWIRE_MAX bytes */
	size_t messages_len;
	bool tls13;
	bool client;
	bool clear; /* handshake and alert records are not encrypted */
	bool first_message_whole;
	bool last_is_encrypted_alert;
};

static bool is_record_type(uint8_t type)
{
	return type >= CONTENT_CHANGE_CIPHER_SPEC && type <= CONTENT_APPLICATION_DATA;
}

/* With padding it is as long as other messages: but not as what a client encrypts first. */
static bool is_encrypted_alert(const struct record_walk *walk, size_t len)
{
	return len == ENCRYPTED_ALERT_LEN || (walk->client && walk->records->encrypted_count == 1 &&
					      len == ENCRYPTED_ALERT_LEN + ALERT_PADDING);
}

/* Type and major version of a record, as far as they are here. */
static enum tls_framing framing_read(const struct tls_reader *r)
{
	if (r->left >= 1 && !is_record_type(r->at[0]))
		return TLS_FRAMING_OTHER;
	if (r->left < 2)
		return TLS_FRAMING_UNKNOWN;
	return r->at[1] == 3 ? TLS_FRAMING_RECORDS : TLS_FRAMING_OTHER;
}

/* False at the end, and at what is no record. */
static bool record_next(struct record_walk *walk, struct record *record)
{
	struct tls_reader *r = &walk->r;
	size_t here;

	if (r->left == 0)
		return false;
	if (framing_read(r) == TLS_FRAMING_OTHER) {
		walk->records->malformed = true;
		return false;
	}
	if (r->left < RECORD_HEADER_LEN) {
		walk->records->cut = true;
		return false;
	}
	record->type = tls_read_u8(r);
	tls_read_u16(r); /* version: says nothing about the negotiated one */
	record->length = tls_read_u16(r);
	if (record->length > RECORD_LENGTH_MAX) {
		walk->records->malformed = true;
		return false;
	}
	here = record->length < r->left ? record->length : r->left;
	if (here < record->length)
		walk->records->cut = true;
	record->payload = tls_read_bytes(r, here);
	return true;
}

static void alert_read(const struct record *record, struct tls_records *records)
{
	const uint8_t *bytes = record->payload.data;
	struct tls_alert *alert;

	records->alert_unread = record->length == ALERT_LEN && record->payload.len == 0;
	if (record->length != ALERT_LEN || record->payload.len != ALERT_LEN)
		return;
	if (bytes[0] == ALERT_FATAL)
		alert = &records->fatal;
	else if (bytes[0] == ALERT_WARNING)
		alert = &records->warning;
	else
		return;
	if (alert->seen)
		return;
	alert->seen = true;
	alert->description = bytes[1];
}

static void messages_append(struct record_walk *walk, struct tls_bytes payload)
{
	struct tls_reader r = { .at = walk->messages };

	if (payload.len == 0)
		return;
	memcpy(walk->messages + walk->messages_len, payload.data, payload.len);
	walk->messages_len += payload.len;
	if (walk->first_message_whole)
		return;
	walk->records->first_message_records++;
	r.left = walk->messages_len;
	tls_read_u8(&r);
	tls_read_bytes(&r, tls_read_u24(&r));
	walk->first_message_whole = !r.failed;
}

/*
 * From TLS 1.3 on what is encrypted has the outer type application_data (RFC 8446, section 5.2),
 * and ChangeCipherSpec means nothing (section D.4): a second ClientHello comes after it in clear.
 * Before, everything after ChangeCipherSpec is encrypted and keeps its type.
 */
static void record_take(struct record_walk *walk, const struct record *record)
{
	struct tls_records *records = walk->records;

	walk->last_is_encrypted_alert = false;
	switch (record->type) {
	case CONTENT_CHANGE_CIPHER_SPEC:
		records->change_cipher_spec = true;
		walk->clear = walk->tls13;
		break;
	case CONTENT_APPLICATION_DATA:
		records->application_data = true;
		if (!records->encrypted_count++)
			records->first_encrypted = (uint16_t)record->length;
		records->last_encrypted = (uint16_t)record->length;
		walk->last_is_encrypted_alert =
			walk->tls13 && is_encrypted_alert(walk, record->length);
		walk->clear = walk->tls13;
		break;
	case CONTENT_ALERT:
		walk->last_is_encrypted_alert = !walk->clear && record->length > ALERT_LEN;
		if (walk->clear)
			alert_read(record, records);
		break;
	case CONTENT_HANDSHAKE:
		if (walk->clear)
			messages_append(walk, record->payload);
		break;
	}
}

/*
 * Takes the records of one direction apart. messages, of TLSWIRE_MAX bytes, gets the handshake
 * messages that are in clear, without gaps. Returns a reader of them. tls13: TLS 1.3 is known to
 * have been negotiated. client: they are the client's.
 */
static struct tls_reader records_read(const struct tls_capture *capture, bool tls13, bool client,
				      struct tls_records *records, uint8_t *messages)
{
	struct record_walk walk = {
		.r = { .at = capture->data, .left = capture->len },
		.records = records,
		.messages = messages,
		.tls13 = tls13,
		.client = client,
		.clear = true,
	};
	struct tls_reader inside = { .at = messages };
	struct record record;

	records->cut = capture->cut;
	if (walk.r.left > TLSWIRE_MAX) {
		walk.r.left = TLSWIRE_MAX;
		records->cut = true;
	}
	records->framing = framing_read(&walk.r);
	if (records->framing == TLS_FRAMING_OTHER)
		return inside;
	while (record_next(&walk, &record))
		record_take(&walk, &record);
	records->encrypted_alert =
		walk.last_is_encrypted_alert && !records->cut && !records->malformed;
	inside.left = walk.messages_len;
	return inside;
}

/* ---- Handshake messages ---------------------------------------------------------------------- */

struct message {
	uint8_t type;
	uint32_t length;	/* of the body, as declared */
	struct tls_reader body; /* as much of it as is here */
	bool cut;
};

/* False at the end. A message that is cut is the last one. */
static bool message_next(struct tls_reader *r, struct message *message, struct tls_records *records)
{
	if (r->left == 0)
		return false;
	if (r->left < MESSAGE_HEADER_LEN) {
		records->cut = true;
		return false;
	}
	message->type = tls_read_u8(r);
	message->length = tls_read_u24(r);
	message->cut = message->length > r->left;
	message->body = *r;
	if (!message->cut)
		message->body.left = message->length;
	else
		records->cut = true;
	tls_read_bytes(r, message->body.left);
	return true;
}

/* ---- Flights --------------------------------------------------------------------------------- */

/* RFC 5246, section 7.4.2. The length of the chain, and what is here of it; false when the length is not. */
static bool certificate_read(const struct message *message, struct tls_records *records,
			     uint32_t *chain_length, struct tls_bytes *chain)
{
	struct tls_reader r = message->body;

	*chain_length = tls_read_u24(&r);
	records->malformed |= !message->cut && (r.failed || r.left != *chain_length);
	*chain = tls_read_bytes(&r, r.left < *chain_length ? r.left : *chain_length);
	return !r.failed;
}

static void client_hello_read(const struct message *message, struct tls_client_flight *client)
{
	bool first = !client->hello.present;
	struct tls_client_hello *hello = first ? &client->hello : &client->retry;

	tls_client_hello_read(message->body, message->cut, hello);
	hello->length = message->length + MESSAGE_HEADER_LEN;
	if (first && !message->cut)
		hello->record_count = client->records.first_message_records;
}

/*
 * A ClientHello in the format of SSL 2.0: a length of two bytes whose first bit is set, the type, the
 * highest version (RFC 5246, appendix E.2). Clients of the nineties and scanners send it.
 */
static bool old_hello_read(const struct tls_capture *capture, struct tls_client_flight *client)
{
	struct tls_reader r = { .at = capture->data, .left = capture->len };
	struct tls_client_hello *hello = &client->hello;
	uint16_t length = tls_read_u16(&r), version;

	if (!(length & 0x8000) || tls_read_u8(&r) != HANDSHAKE_CLIENT_HELLO)
		return false;
	version = tls_read_u16(&r);
	if (r.failed || (version != TLS_VERSION_SSL2 && version >> 8 != 3))
		return false;
	hello->present = true;
	hello->ssl2_format = true;
	hello->length = length & 0x7fff;
	hello->legacy_version = version;
	hello->max_version = version > TLS_VERSION_1_2 ? TLS_VERSION_1_2 : version;
	client->records.framing = TLS_FRAMING_RECORDS;
	client->records.malformed = false;
	return true;
}

static void client_read(const struct tls_capture *capture, bool tls13, struct tls_view *view)
{
	struct tls_client_flight *client = &view->client;
	struct tls_records *records = &client->records;
	struct tls_reader r = records_read(capture, tls13, true, records, view->client_messages);
	struct message message;
	uint32_t chain_length;

	if (records->framing == TLS_FRAMING_OTHER && old_hello_read(capture, client))
		return;
	while (message_next(&r, &message, records)) {
		if (message.type == HANDSHAKE_CLIENT_HELLO && !client->retry.present) {
			client_hello_read(&message, client);
		} else if (!client->hello.present) {
			records->malformed = true;
			return;
		} else if (message.type == HANDSHAKE_CERTIFICATE && !client->certificate_sent &&
			   certificate_read(&message, records, &chain_length, &client->chain)) {
			client->certificate_sent = true;
			client->certificate_empty = chain_length == 0;
		}
	}
}

static void server_hello_read(const struct message *message, struct tls_server_flight *server)
{
	struct tls_server_hello hello;

	tls_server_hello_read(message->body, message->cut, &hello);
	server->records.malformed |= hello.malformed;
	if (hello.version != 0)
		server->version = hello.version;
	if (hello.cipher != 0)
		server->cipher = hello.cipher;
	if (!hello.known)
		return;
	if (hello.retry) {
		if (!server->retry_count++)
			server->retry_group = hello.group;
		return;
	}
	server->server_hello = true;
	server->group = hello.group;
	server->alpn = hello.alpn;
	server->session_id = hello.session_id;
	if (server->version == TLS_VERSION_1_3) {
		server->has_resumed = hello.has_psk || hello.whole;
		server->resumed = hello.has_psk;
	}
}

static void key_exchange_read(const struct message *message, struct tls_server_flight *server)
{
	struct tls_key_exchange exchange;

	if (!tls_key_exchange_read(message->body, message->cut, server->cipher, &exchange))
		server->records.malformed = true;
	server->group = exchange.group;
	server->dh_bits = exchange.dh_bits;
}

/* A message after a ServerHello of TLS 1.2 or before. */
static void server_message_read(const struct message *message, struct tls_server_flight *server)
{
	switch (message->type) {
	case HANDSHAKE_CERTIFICATE:
		if (!server->certificate)
			server->certificate =
				certificate_read(message, &server->records,
						 &server->certificate_length, &server->chain);
		break;
	case HANDSHAKE_SERVER_KEY_EXCHANGE:
		if (server->group == 0 && server->dh_bits == 0)
			key_exchange_read(message, server);
		break;
	case HANDSHAKE_CERTIFICATE_REQUEST:
		server->certificate_request = true;
		break;
	case HANDSHAKE_SERVER_HELLO_DONE:
		server->server_hello_done = true;
		break;
	}
}

static void server_read(const struct tls_capture *capture, bool tls13, struct tls_view *view)
{
	struct tls_server_flight *server = &view->server;
	struct tls_records *records = &server->records;
	struct message message;
	struct tls_reader r;

	memset(server, 0, sizeof(*server));
	r = records_read(capture, tls13, false, records, view->server_messages);
	while (message_next(&r, &message, records)) {
		if (server->server_hello) {
			server_message_read(&message, server);
			continue;
		}
		if (message.type != HANDSHAKE_SERVER_HELLO) {
			records->malformed = true;
			return;
		}
		server_hello_read(&message, server);
		/* After a ServerHello of TLS 1.3 nothing is in clear. */
		if (server->server_hello &&
		    (server->version == 0 || server->version > TLS_VERSION_1_2))
			return;
	}
}

static bool bytes_equal(struct tls_bytes a, struct tls_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * Before TLS 1.3 a server that resumes goes from its ServerHello to ChangeCipherSpec (RFC 5246,
 * section 7.3). It answers to the session that the client named, or to its ticket, for which it
 * need not name one (RFC 5077, section 3.4).
 */
static void resumption_read(const struct tls_client_hello *hello, struct tls_server_flight *server)
{
	if (!server->server_hello || server->version == 0 || server->version > TLS_VERSION_1_2)
		return;
	if (server->certificate || server->server_hello_done) {
		server->has_resumed = true;
	} else if (server->records.change_cipher_spec) {
		server->resumed = hello->has_session_ticket ||
				  (hello->session_id.len > 0 &&
				   bytes_equal(hello->session_id, server->session_id));
		server->has_resumed = server->resumed;
	}
}

static bool is_finished(uint16_t encrypted_len)
{
	return encrypted_len == ENCRYPTED_FINISHED_256_LEN ||
	       encrypted_len == ENCRYPTED_FINISHED_384_LEN;
}

/* In TLS 1.3 the request is encrypted, and so is the answer; but how long its messages are is seen. */
static enum tls_client_auth client_auth_13(const struct tls_records *records, bool early)
{
	if (early)
		return TLS_CLIENT_AUTH_UNKNOWN;
	if (records->encrypted_count && records->first_encrypted >= ENCRYPTED_CERTIFICATE_MIN)
		return TLS_CLIENT_AUTH_SENT;
	/* Nothing else that a client may send first is as short; a server may refuse it unread. */
	if (records->encrypted_count && records->first_encrypted == ENCRYPTED_NO_CERTIFICATE_LEN)
		return TLS_CLIENT_AUTH_NONE;
	if (records->cut || records->malformed || !is_finished(records->last_encrypted))
		return TLS_CLIENT_AUTH_UNKNOWN;
	return records->encrypted_count == 1 ? TLS_CLIENT_AUTH_NOT_ASKED : TLS_CLIENT_AUTH_UNKNOWN;
}

static enum tls_client_auth client_auth(const struct tls_view *view)
{
	if (view->server.version == TLS_VERSION_1_3)
		return client_auth_13(&view->client.records, view->client.hello.has_early_data);
	if (view->client.certificate_sent)
		return view->client.certificate_empty ? TLS_CLIENT_AUTH_NONE : TLS_CLIENT_AUTH_SENT;
	if (view->server.server_hello_done && !view->server.certificate_request)
		return TLS_CLIENT_AUTH_NOT_ASKED;
	return TLS_CLIENT_AUTH_UNKNOWN;
}

void tlswire_parse(const struct tls_capture *client, const struct tls_capture *server,
		   struct tls_view *view)
{
	bool tls13;

	/* Which records are in clear depends on the version, which the server's first one says. */
	server_read(server, false, view);
	tls13 = view->server.version == TLS_VERSION_1_3;
	if (tls13)
		server_read(server, true, view);
	memset(&view->client, 0, sizeof(view->client));
	client_read(client, tls13, view);
	resumption_read(&view->client.hello, &view->server);
	view->client.auth = client_auth(view);
}
