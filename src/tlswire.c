/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS in clear, in three layers: records (RFC 8446, section 5; RFC 5246, section 6.2) are taken
 * apart and the handshake messages in them put together; messages (RFC 8446, section 4; RFC 5246,
 * section 7.4) are walked; bodies are read. All reading goes through struct reader, which cannot
 * leave its bytes.
 */
#include "tlswire.h"

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
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
};

enum extension_type {
	EXTENSION_SERVER_NAME = 0,	   /* RFC 6066, section 3 */
	EXTENSION_ALPN = 16,		   /* RFC 7301, section 3.1 */
	EXTENSION_SESSION_TICKET = 35,	   /* RFC 5077, section 3.2 */
	EXTENSION_PRE_SHARED_KEY = 41,	   /* RFC 8446, section 4.2.11 */
	EXTENSION_SUPPORTED_VERSIONS = 43, /* RFC 8446, section 4.2.1 */
};

/* RFC 5246, section 7.2 */
enum alert_level {
	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
};

#define RECORD_HEADER_LEN   5
#define RECORD_LENGTH_MAX   (16384 + 2048) /* RFC 5246, section 6.2.3 */
#define MESSAGE_HEADER_LEN  4
#define ALERT_LEN	    2
#define RANDOM_LEN	    32
#define NAME_TYPE_HOST_NAME 0

/* A TLS 1.3 alert with its content type and the tag that all but the CCM_8 ciphers have. */
#define ENCRYPTED_ALERT_LEN (ALERT_LEN + 1 + 16)

/* ---- Bounded reading ------------------------------------------------------------------------- */

/* A read past the end yields 0 or nothing, and fails the reader: so does every read after it. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static struct tls_bytes reader_bytes(struct reader *r, size_t len)
{
	struct tls_bytes bytes = {};

	if (len > r->left) {
		r->failed = true;
		r->left = 0;
		return bytes;
	}
	bytes.data = r->at;
	bytes.len = len;
	r->at += len;
	r->left -= len;
	return bytes;
}

/* A number of `size` bytes, at most 4, in network order. */
static uint32_t reader_number(struct reader *r, size_t size)
{
	struct tls_bytes bytes = reader_bytes(r, size);
	uint32_t number = 0;

	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | bytes.data[i];
	return number;
}

static uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)reader_number(r, 1);
}

static uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)reader_number(r, 2);
}

static uint32_t reader_u24(struct reader *r)
{
	return reader_number(r, 3);
}

/* The inside of a vector whose length stands in front of it in `size` bytes. */
static struct reader reader_vector(struct reader *r, size_t size)
{
	struct tls_bytes bytes = reader_bytes(r, reader_number(r, size));
	struct reader inside = { .at = bytes.data, .left = bytes.len, .failed = r->failed };

	return inside;
}

/* The same, but of a vector that is cut, the part that is here; only then r has failed. */
static struct reader reader_vector_part(struct reader *r, size_t size)
{
	size_t len = reader_number(r, size);
	struct reader inside = { .at = r->at, .left = r->left, .failed = r->failed };

	if (len < r->left)
		inside.left = len;
	reader_bytes(r, len);
	return inside;
}

/* ---- Records --------------------------------------------------------------------------------- */

struct record {
	uint8_t type;
	size_t length;		  /* as declared */
	struct tls_bytes payload; /* as much of it as is here */
};

/* One direction while its records are taken apart. */
struct record_walk {
	struct reader r;
	struct tls_records *records;
	uint8_t *messages; /* of TLSWIRE_MAX bytes */
	size_t messages_len;
	bool tls13;
	bool clear; /* handshake and alert records are not encrypted */
	bool last_is_encrypted_alert;
};

static bool is_record_type(uint8_t type)
{
	return type >= CONTENT_CHANGE_CIPHER_SPEC && type <= CONTENT_APPLICATION_DATA;
}

/* Type and major version of a record, as far as they are here. */
static enum tls_framing framing_read(const struct reader *r)
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
	struct reader *r = &walk->r;
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
	record->type = reader_u8(r);
	reader_u16(r); /* version: says nothing about the negotiated one */
	record->length = reader_u16(r);
	if (record->length > RECORD_LENGTH_MAX) {
		walk->records->malformed = true;
		return false;
	}
	here = record->length < r->left ? record->length : r->left;
	if (here < record->length)
		walk->records->cut = true;
	record->payload = reader_bytes(r, here);
	return true;
}

static void alert_read(const struct record *record, struct tls_records *records)
{
	const uint8_t *bytes = record->payload.data;
	struct tls_alert *alert;

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
		walk->last_is_encrypted_alert =
			walk->tls13 && record->length == ENCRYPTED_ALERT_LEN;
		walk->clear = walk->tls13;
		break;
	case CONTENT_ALERT:
		walk->last_is_encrypted_alert = !walk->clear && record->length > ALERT_LEN;
		if (walk->clear)
			alert_read(record, records);
		break;
	case CONTENT_HANDSHAKE:
		if (!walk->clear || record->payload.len == 0)
			break;
		memcpy(walk->messages + walk->messages_len, record->payload.data,
		       record->payload.len);
		walk->messages_len += record->payload.len;
		break;
	}
}

/*
 * Takes the records of one direction apart. messages, of TLSWIRE_MAX bytes, gets the handshake
 * messages that are in clear, without gaps. Returns a reader of them. tls13: TLS 1.3 is known to
 * have been negotiated.
 */
static struct reader records_read(const struct tls_capture *capture, bool tls13,
				  struct tls_records *records, uint8_t *messages)
{
	struct record_walk walk = {
		.r = { .at = capture->data, .left = capture->len },
		.records = records,
		.messages = messages,
		.tls13 = tls13,
		.clear = true,
	};
	struct reader inside = { .at = messages };
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
	uint32_t length;    /* of the body, as declared */
	struct reader body; /* as much of it as is here */
	bool cut;
};

/* False at the end. A message that is cut is the last one. */
static bool message_next(struct reader *r, struct message *message, struct tls_records *records)
{
	if (r->left == 0)
		return false;
	if (r->left < MESSAGE_HEADER_LEN) {
		records->cut = true;
		return false;
	}
	message->type = reader_u8(r);
	message->length = reader_u24(r);
	message->cut = message->length > r->left;
	message->body = *r;
	if (!message->cut)
		message->body.left = message->length;
	else
		records->cut = true;
	reader_bytes(r, message->body.left);
	return true;
}

/* Whether a body that could not be read to its end contradicts itself, rather than being cut. */
static bool message_is_malformed(const struct message *message, const struct reader *r)
{
	return r->failed && !message->cut;
}

/* ---- Hello messages -------------------------------------------------------------------------- */

/* RFC 8701: values that mean nothing, sent to keep peers tolerant. */
static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* The next extension that is here as a whole. */
static bool extension_next(struct reader *extensions, uint16_t *type, struct reader *body)
{
	if (extensions->left == 0)
		return false;
	*type = reader_u16(extensions);
	*body = reader_vector(extensions, 2);
	return !extensions->failed;
}

static void client_versions_read(struct reader *body, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(body, 1);

	hello->versions_listed = true;
	while (list.left > 0) {
		uint16_t version = reader_u16(&list);

		if (list.failed || is_grease(version))
			continue;
		if (hello->version_count < TLS_VERSIONS_MAX)
			hello->versions[hello->version_count++] = version;
		if (tls_version_name(version) && version > hello->max_version)
			hello->max_version = version;
	}
	body->failed |= list.failed;
}

static void server_name_read(struct reader *body, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(body, 2);

	while (list.left > 0 && !hello->has_server_name) {
		uint8_t type = reader_u8(&list);
		struct reader name = reader_vector(&list, 2);

		if (list.failed || type != NAME_TYPE_HOST_NAME)
			continue;
		hello->has_server_name = true;
		hello->server_name.data = name.at;
		hello->server_name.len = name.left;
	}
	body->failed |= list.failed;
}

static void alpn_read(struct reader *body, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(body, 2);

	hello->alpn.data = list.at;
	hello->alpn.len = list.left;
}

/* An extension comes at most once (RFC 8446, section 4.2): of more than one the first counts. */
static void client_extension_read(uint16_t type, struct reader *body,
				  struct tls_client_hello *hello)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		if (!hello->has_server_name)
			server_name_read(body, hello);
		break;
	case EXTENSION_ALPN:
		if (!hello->alpn.data)
			alpn_read(body, hello);
		break;
	case EXTENSION_SESSION_TICKET:
		hello->has_session_ticket |= body->left > 0;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		hello->has_psk = true;
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		if (!hello->versions_listed)
			client_versions_read(body, hello);
		break;
	}
}

static void client_extensions_read(struct reader *r, struct tls_client_hello *hello)
{
	struct reader extensions = reader_vector_part(r, 2);
	struct reader body;
	uint16_t type;

	while (extension_next(&extensions, &type, &body)) {
		client_extension_read(type, &body, hello);
		hello->malformed |= body.failed;
	}
	r->failed |= extensions.failed;
}

/* RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2 */
static void client_hello_read(const struct message *message, struct tls_client_hello *hello)
{
	struct reader r = message->body;
	struct reader ciphers;

	hello->present = true;
	hello->cut = message->cut;
	hello->length = message->length + MESSAGE_HEADER_LEN;
	hello->legacy_version = reader_u16(&r);
	reader_bytes(&r, RANDOM_LEN);
	reader_vector(&r, 1); /* session id */
	ciphers = reader_vector(&r, 2);
	hello->ciphers.data = ciphers.at;
	hello->ciphers.len = ciphers.left;
	hello->cipher_count = ciphers.left / 2;
	reader_vector(&r, 1); /* compression methods */
	if (r.left > 0)
		client_extensions_read(&r, hello);
	hello->malformed |= message_is_malformed(message, &r) || ciphers.left % 2 != 0;
	if (hello->cut || hello->malformed || hello->versions_listed)
		return;
	/* Without the extension TLS 1.2 is the limit (RFC 8446, section 4.2.1). */
	hello->max_version = hello->legacy_version;
	if (hello->max_version > TLS_VERSION_1_2)
		hello->max_version = TLS_VERSION_1_2;
}

/* RFC 8446, section 4.1.3: SHA-256 of "HelloRetryRequest" in the place of the random. */
static bool is_hello_retry_request(struct tls_bytes random)
{
	static const uint8_t marker[RANDOM_LEN] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};

	return random.len == sizeof(marker) && memcmp(random.data, marker, sizeof(marker)) == 0;
}

/* The version that the extensions select, 0 when none does. */
static uint16_t selected_version_read(struct reader *r)
{
	struct reader extensions = reader_vector_part(r, 2);
	struct reader body;
	uint16_t version = 0;
	uint16_t type;

	while (version == 0 && extension_next(&extensions, &type, &body)) {
		if (type == EXTENSION_SUPPORTED_VERSIONS)
			version = reader_u16(&body);
	}
	r->failed |= extensions.failed;
	return version;
}

/* RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3 */
static void server_hello_read(const struct message *message, struct tls_server_flight *server)
{
	struct reader r = message->body;
	uint16_t legacy_version = reader_u16(&r);
	struct tls_bytes random = reader_bytes(&r, RANDOM_LEN);
	uint16_t version = 0;
	uint16_t cipher;

	if (is_hello_retry_request(random))
		server->hello_retry_request = true;
	else if (random.data)
		server->server_hello = true;
	reader_vector(&r, 1); /* session id */
	cipher = reader_u16(&r);
	if (!r.failed)
		server->cipher = cipher;
	reader_u8(&r); /* compression method */
	if (r.left > 0)
		version = selected_version_read(&r);
	if (version == 0 && !r.failed && !message->cut && legacy_version <= TLS_VERSION_1_2)
		version = legacy_version;
	if (version != 0)
		server->version = version;
	server->records.malformed |= message_is_malformed(message, &r);
}

/* ---- Flights --------------------------------------------------------------------------------- */

/* RFC 5246, section 7.4.2. The length of the chain, or false when it is not here. */
static bool certificate_read(const struct message *message, struct tls_records *records,
			     uint32_t *chain_length)
{
	struct reader r = message->body;

	*chain_length = reader_u24(&r);
	records->malformed |= !message->cut && (r.failed || r.left != *chain_length);
	return !r.failed;
}

static void client_read(const struct tls_capture *capture, bool tls13, struct tls_view *view)
{
	struct tls_client_flight *client = &view->client;
	struct tls_records *records = &client->records;
	struct reader r = records_read(capture, tls13, records, view->client_messages);
	struct message message;
	uint32_t chain_length;

	while (message_next(&r, &message, records)) {
		if (message.type == HANDSHAKE_CLIENT_HELLO && !client->hello.present) {
			client_hello_read(&message, &client->hello);
		} else if (!client->hello.present) {
			records->malformed = true;
			return;
		} else if (message.type == HANDSHAKE_CERTIFICATE && !client->certificate_sent &&
			   certificate_read(&message, records, &chain_length)) {
			client->certificate_sent = true;
			client->certificate_empty = chain_length == 0;
		}
	}
}

/* A message after a ServerHello of TLS 1.2 or before. */
static void server_message_read(const struct message *message, struct tls_server_flight *server)
{
	switch (message->type) {
	case HANDSHAKE_CERTIFICATE:
		if (!server->certificate)
			server->certificate = certificate_read(message, &server->records,
							       &server->certificate_length);
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
	struct reader r;

	memset(server, 0, sizeof(*server));
	r = records_read(capture, tls13, records, view->server_messages);
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
}

/* ---- Names ----------------------------------------------------------------------------------- */

const char *tls_version_name(uint16_t version)
{
	switch (version) {
	case TLS_VERSION_SSL3:
		return "SSL 3.0";
	case TLS_VERSION_1_0:
		return "1.0";
	case TLS_VERSION_1_1:
		return "1.1";
	case TLS_VERSION_1_2:
		return "1.2";
	case TLS_VERSION_1_3:
		return "1.3";
	}
	return NULL;
}

/* IANA, "TLS Alerts", without the suffix _RESERVED of those that TLS 1.3 no longer has. */
const char *tls_alert_name(uint8_t description)
{
	static const char *const names[UINT8_MAX + 1] = {
		[0] = "close_notify",
		[10] = "unexpected_message",
		[20] = "bad_record_mac",
		[21] = "decryption_failed",
		[22] = "record_overflow",
		[30] = "decompression_failure",
		[40] = "handshake_failure",
		[41] = "no_certificate",
		[42] = "bad_certificate",
		[43] = "unsupported_certificate",
		[44] = "certificate_revoked",
		[45] = "certificate_expired",
		[46] = "certificate_unknown",
		[47] = "illegal_parameter",
		[48] = "unknown_ca",
		[49] = "access_denied",
		[50] = "decode_error",
		[51] = "decrypt_error",
		[52] = "too_many_cids_requested",
		[60] = "export_restriction",
		[70] = "protocol_version",
		[71] = "insufficient_security",
		[80] = "internal_error",
		[86] = "inappropriate_fallback",
		[90] = "user_canceled",
		[100] = "no_renegotiation",
		[109] = "missing_extension",
		[110] = "unsupported_extension",
		[111] = "certificate_unobtainable",
		[112] = "unrecognized_name",
		[113] = "bad_certificate_status_response",
		[114] = "bad_certificate_hash_value",
		[115] = "unknown_psk_identity",
		[116] = "certificate_required",
		[117] = "general_error",
		[120] = "no_application_protocol",
		[121] = "ech_required",
	};

	return names[description];
}
