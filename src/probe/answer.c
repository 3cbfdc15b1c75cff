// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records to messages (RFC 8446, section 5.1), messages to facts. Bytes are hostile.
 */
#include "probe/answer.h"

#include <string.h>

#include "tls/hello.h"
#include "tls/names.h"
#include "tls/reader.h"

enum record_type {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22
};

/* RFC 5246, section 7.4; RFC 6066, section 8 */
enum message_type {
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_KEY_EXCHANGE = 12,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_DONE = 14,
	MESSAGE_STATUS = 22,
};

#define ALERT_FATAL	   2
#define NAMED_CURVE	   3
#define MESSAGE_HEADER_LEN 4

/* Handshake messages, record by record, without being copied: where the next byte is. */
struct stream {
	struct tls_reader records;
	struct tls_reader fragment; /* of the record at hand */
	struct answer *answer;
	bool ended;
};

static void alert_take(struct stream *s)
{
	uint8_t level = tls_read_u8(&s->fragment), description = tls_read_u8(&s->fragment);

	if (s->fragment.failed || level != ALERT_FATAL)
		return;
	if (s->answer->kind == ANSWER_NONE) {
		s->answer->kind = ANSWER_ALERT;
		s->answer->alert = description;
	}
	s->answer->done = true;
	s->ended = true;
}

/* Goes to the next record with handshake bytes that is here, or is here in part. */
static bool record_next(struct stream *s)
{
	while (!s->ended && s->records.left >= 5) {
		uint8_t type = tls_read_u8(&s->records);
		uint8_t major = tls_read_u8(&s->records);

		tls_read_u8(&s->records);
		if (type < RECORD_CHANGE_CIPHER_SPEC || type > RECORD_HANDSHAKE + 1 || major != 3) {
			if (s->answer->kind == ANSWER_NONE)
				s->answer->kind = ANSWER_NOT_TLS;
			s->answer->done = true;
			break;
		}
		s->fragment = tls_read_inside_part(&s->records, 2);
		if (type == RECORD_ALERT)
			alert_take(s);
		else if (type == RECORD_HANDSHAKE)
			return true;
		if (s->records.failed)
			break;
	}
	s->ended = true;
	return false;
}

/* Copies bytes of messages. False: not all are here. */
static bool stream_read(struct stream *s, uint8_t *buf, size_t len)
{
	while (len) {
		struct tls_bytes part;

		if (!s->fragment.left && (s->records.failed || !record_next(s)))
			return false;
		part = tls_read_bytes(&s->fragment,
				      len < s->fragment.left ? len : s->fragment.left);
		if (buf && part.len) {
			memcpy(buf, part.data, part.len);
			buf += part.len;
		}
		len -= part.len;
	}
	return true;
}

/* The scheme stands behind the parameters: RFC 5246, section 7.4.3; RFC 8422, section 5.4. */
static uint16_t scheme_read(struct tls_reader body, bool dhe)
{
	if (dhe) {
		for (int i = 0; i < 3; i++)
			tls_read_vector(&body, 2);
	} else {
		if (tls_read_u8(&body) != NAMED_CURVE)
			return 0;
		tls_read_u16(&body);
		tls_read_vector(&body, 1);
	}
	return tls_read_u16(&body);
}

static void message_take(struct stream *s, uint8_t type, struct tls_reader body)
{
	struct answer *a = s->answer;
	struct tls_server_hello hello = { 0 };
	struct tls_key_exchange exchange = { 0 };

	switch (type) {
	case MESSAGE_SERVER_HELLO:
		tls_server_hello_read(body, false, &hello);
		if (!hello.known || hello.malformed || a->kind != ANSWER_NONE)
			break;
		a->kind = ANSWER_HELLO;
		a->retry = hello.retry;
		a->version = hello.version;
		a->cipher = hello.cipher;
		a->group = hello.group;
		a->done = hello.version >= TLS_VERSION_1_3;
		break;
	case MESSAGE_KEY_EXCHANGE:
		if (!tls_key_exchange_read(body, false, a->cipher, &exchange))
			break;
		a->group = exchange.group;
		a->dh_bits = exchange.dh_bits;
		if (a->version == TLS_VERSION_1_2 && (exchange.group || exchange.dh_bits))
			a->scheme = scheme_read(body, exchange.dh_bits);
		break;
	case MESSAGE_CERTIFICATE_REQUEST:
		a->certificate_request = true;
		break;
	case MESSAGE_STATUS:
		a->stapled = true;
		break;
	case MESSAGE_DONE:
		a->done = true;
		break;
	}
}

/* Larger messages are certificates, of which nothing is read here. */
#define MESSAGE_MAX 4096

void answer_read(const uint8_t *bytes, size_t len, struct answer *answer)
{
	struct stream s = { .records = { .at = bytes, .left = len }, .answer = answer };

	*answer = (struct answer){ 0 };
	while (!s.ended && !answer->done) {
		uint8_t header[MESSAGE_HEADER_LEN], body[MESSAGE_MAX] = { 0 };
		size_t size;

		if (!stream_read(&s, header, sizeof(header)))
			break;
		size = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
		if (!stream_read(&s, size <= sizeof(body) ? body : NULL, size))
			break;
		if (size <= sizeof(body))
			message_take(&s, header[0],
				     (struct tls_reader){ .at = body, .left = size });
		else if (header[0] == MESSAGE_CERTIFICATE_REQUEST)
			answer->certificate_request = true;
		else if (header[0] == MESSAGE_STATUS)
			answer->stapled = true;
	}
}
