// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bodies: fixed fields, then extensions. An extension comes at most once (RFC 8446, section 4.2):
 * of more than one the first counts.
 */
#include "tls/hello.h"

#include <string.h>

#include "tls/names.h"

enum extension_type {
	EXTENSION_SERVER_NAME = 0,	     /* RFC 6066, section 3 */
	EXTENSION_SUPPORTED_GROUPS = 10,     /* RFC 8446, section 4.2.7 */
	EXTENSION_SIGNATURE_ALGORITHMS = 13, /* RFC 8446, section 4.2.3 */
	EXTENSION_ALPN = 16,		     /* RFC 7301, section 3.1 */
	EXTENSION_SESSION_TICKET = 35,	     /* RFC 5077, section 3.2 */
	EXTENSION_PRE_SHARED_KEY = 41,	     /* RFC 8446, section 4.2.11 */
	EXTENSION_EARLY_DATA = 42,	     /* RFC 8446, section 4.2.10 */
	EXTENSION_SUPPORTED_VERSIONS = 43,   /* RFC 8446, section 4.2.1 */
	EXTENSION_KEY_SHARE = 51,	     /* RFC 8446, section 4.2.8 */
};

#define SERVER_HELLO	    2 /* RFC 8446, section 4 */
#define RANDOM_LEN	    32
#define NAME_TYPE_HOST_NAME 0
#define NAMED_CURVE	    3 /* RFC 8422, section 5.4 */

/* ---- Lists ----------------------------------------------------------------------------------- */

/* RFC 8701, section 2: 0x0a0a, 0x1a1a ... 0xfafa */
static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

bool tls_list_next(struct tls_bytes *list, uint16_t *number)
{
	struct tls_reader r = { .at = list->data, .left = list->len };
	bool found = false;

	while (!found && r.left >= 2) {
		*number = tls_read_u16(&r);
		found = !is_grease(*number);
	}
	list->data = r.at;
	list->len = r.left;
	return found;
}

bool tls_names_next(struct tls_bytes *list, struct tls_bytes *name)
{
	struct tls_reader r = { .at = list->data, .left = list->len };
	bool found = false;

	while (!found && r.left > 0) {
		*name = tls_read_vector(&r, 1);
		found = !r.failed &&
			!(name->len == 2 && is_grease(name->data[0] << 8 | name->data[1]));
	}
	list->data = r.at;
	list->len = r.left;
	return found;
}

/* A vector of numbers, unless there is one already; its length is in `size` bytes. */
static void numbers_read(struct tls_reader *r, size_t size, struct tls_bytes *list)
{
	struct tls_bytes numbers = tls_read_vector(r, size);

	if (!list->data)
		*list = numbers;
	r->failed |= numbers.len % 2 != 0;
}

/* The same for application protocols. */
static void names_read(struct tls_reader *r, struct tls_bytes *list)
{
	struct tls_bytes names = tls_read_vector(r, 2);
	struct tls_reader inside = { .at = names.data, .left = names.len };

	while (inside.left > 0)
		tls_read_vector(&inside, 1);
	r->failed |= inside.failed;
	if (!list->data && !inside.failed)
		*list = names;
}

/* The next extension that is here as a whole. */
static bool extension_next(struct tls_reader *extensions, uint16_t *type, struct tls_reader *body)
{
	if (extensions->left == 0)
		return false;
	*type = tls_read_u16(extensions);
	*body = tls_read_inside(extensions, 2);
	return !extensions->failed;
}

/* ---- ClientHello ----------------------------------------------------------------------------- */

static void client_versions_read(struct tls_reader *body, struct tls_client_hello *hello)
{
	struct tls_bytes list;
	uint16_t version;

	if (hello->versions_listed)
		return;
	hello->versions_listed = true;
	numbers_read(body, 1, &hello->versions);
	list = hello->versions;
	while (tls_list_next(&list, &version)) {
		if (tls_version_name(version) && version > hello->max_version)
			hello->max_version = version;
	}
}

static void server_name_read(struct tls_reader *body, struct tls_client_hello *hello)
{
	struct tls_reader list = tls_read_inside(body, 2);

	while (list.left > 0 && !hello->has_server_name) {
		uint8_t type = tls_read_u8(&list);
		struct tls_bytes name = tls_read_vector(&list, 2);

		if (list.failed || type != NAME_TYPE_HOST_NAME)
			continue;
		hello->has_server_name = true;
		hello->server_name = name;
	}
	body->failed |= list.failed;
}

static void key_shares_read(struct tls_reader *body, struct tls_client_hello *hello)
{
	struct tls_reader list = tls_read_inside(body, 2);
	bool first = hello->key_share_count == 0;

	while (list.left > 0) {
		uint16_t group = tls_read_u16(&list);

		tls_read_vector(&list, 2);
		if (list.failed || is_grease(group) || !first)
			continue;
		if (hello->key_share_count < TLS_KEY_SHARES_MAX)
			hello->key_shares[hello->key_share_count] = group;
		hello->key_share_count++;
	}
	body->failed |= list.failed;
}

static void client_extension_read(uint16_t type, struct tls_reader *body,
				  struct tls_client_hello *hello)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		server_name_read(body, hello);
		break;
	case EXTENSION_SUPPORTED_GROUPS:
		numbers_read(body, 2, &hello->groups);
		break;
	case EXTENSION_SIGNATURE_ALGORITHMS:
		numbers_read(body, 2, &hello->signature_schemes);
		break;
	case EXTENSION_ALPN:
		names_read(body, &hello->alpn);
		break;
	case EXTENSION_SESSION_TICKET:
		hello->has_session_ticket |= body->left > 0;
		hello->session_length += body->left;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		hello->has_psk = true;
		hello->session_length += body->left;
		break;
	case EXTENSION_EARLY_DATA:
		hello->has_early_data = true;
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		client_versions_read(body, hello);
		break;
	case EXTENSION_KEY_SHARE:
		hello->key_shares_length += body->left;
		key_shares_read(body, hello);
		break;
	}
}

static void client_extensions_read(struct tls_reader *r, struct tls_client_hello *hello)
{
	struct tls_reader extensions = tls_read_inside_part(r, 2);
	struct tls_reader body;
	uint16_t type;

	while (extension_next(&extensions, &type, &body)) {
		client_extension_read(type, &body, hello);
		hello->malformed |= body.failed;
	}
	r->failed |= extensions.failed;
}

/* RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2 */
void tls_client_hello_read(struct tls_reader r, bool cut, struct tls_client_hello *hello)
{
	hello->present = true;
	hello->cut = cut;
	hello->legacy_version = tls_read_u16(&r);
	tls_read_bytes(&r, RANDOM_LEN);
	hello->session_id = tls_read_vector(&r, 1);
	hello->ciphers = tls_read_vector(&r, 2);
	tls_read_vector(&r, 1); /* compression methods */
	if (r.left > 0)
		client_extensions_read(&r, hello);
	hello->malformed |= (r.failed && !cut) || hello->ciphers.len % 2 != 0;
	if (cut || hello->malformed || hello->versions_listed)
		return;
	/* Without the extension TLS 1.2 is the limit (RFC 8446, section 4.2.1). */
	hello->max_version = hello->legacy_version;
	if (hello->max_version > TLS_VERSION_1_2)
		hello->max_version = TLS_VERSION_1_2;
}

/* ---- ServerHello ----------------------------------------------------------------------------- */

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

static void server_extension_read(uint16_t type, struct tls_reader *body,
				  struct tls_server_hello *hello)
{
	uint16_t number;

	switch (type) {
	case EXTENSION_ALPN:
		names_read(body, &hello->alpn);
		break;
	case EXTENSION_PRE_SHARED_KEY:
		hello->has_psk = true;
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		number = tls_read_u16(body);
		if (hello->version == 0)
			hello->version = number;
		break;
	case EXTENSION_KEY_SHARE: /* the share itself, which only a ServerHello has, is left */
		number = tls_read_u16(body);
		if (hello->group == 0)
			hello->group = number;
		break;
	}
}

static void server_extensions_read(struct tls_reader *r, struct tls_server_hello *hello)
{
	struct tls_reader extensions = tls_read_inside_part(r, 2);
	struct tls_reader body;
	uint16_t type;

	while (extension_next(&extensions, &type, &body)) {
		server_extension_read(type, &body, hello);
		hello->malformed |= body.failed;
	}
	r->failed |= extensions.failed;
}

bool tls_is_hello_retry_request(const uint8_t *message, size_t len)
{
	struct tls_reader r = { .at = message, .left = len };
	uint8_t type = tls_read_u8(&r);

	tls_read_u24(&r);
	tls_read_u16(&r); /* legacy version */
	return type == SERVER_HELLO && is_hello_retry_request(tls_read_bytes(&r, RANDOM_LEN));
}

/* RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3 */
void tls_server_hello_read(struct tls_reader r, bool cut, struct tls_server_hello *hello)
{
	uint16_t legacy_version = tls_read_u16(&r);
	struct tls_bytes random = tls_read_bytes(&r, RANDOM_LEN);

	memset(hello, 0, sizeof(*hello));
	hello->known = random.data != NULL;
	hello->retry = is_hello_retry_request(random);
	hello->session_id = tls_read_vector(&r, 1);
	hello->cipher = tls_read_u16(&r);
	tls_read_u8(&r); /* compression method */
	if (r.left > 0)
		server_extensions_read(&r, hello);
	hello->malformed |= r.failed && !cut;
	hello->whole = !cut && !hello->malformed;
	if (hello->version == 0 && hello->whole && legacy_version <= TLS_VERSION_1_2)
		hello->version = legacy_version;
}

/* ---- ServerKeyExchange ----------------------------------------------------------------------- */

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static unsigned int bits_of(struct tls_bytes number)
{
	unsigned int bits;

	while (number.len > 0 && number.data[0] == 0) {
		number.data++;
		number.len--;
	}
	if (number.len == 0)
		return 0;
	bits = (unsigned int)number.len * 8;
	for (uint8_t mask = 0x80; !(number.data[0] & mask); mask >>= 1)
		bits--;
	return bits;
}

/* RFC 8422, section 5.4; RFC 5246, section 7.4.3; with a PSK, RFC 4279 and RFC 5489, section 2 */
bool tls_key_exchange_read(struct tls_reader r, bool cut, uint16_t cipher,
			   struct tls_key_exchange *exchange)
{
	const char *name = tls_cipher_name(cipher);

	memset(exchange, 0, sizeof(*exchange));
	if (!name)
		return true;
	if (strstr(name, "_PSK_"))
		tls_read_vector(&r, 2); /* identity hint */
	if (starts_with(name, "TLS_ECDHE_") || starts_with(name, "TLS_ECDH_anon_")) {
		if (tls_read_u8(&r) == NAMED_CURVE)
			exchange->group = tls_read_u16(&r);
	} else if (starts_with(name, "TLS_DHE_") || starts_with(name, "TLS_DH_anon_")) {
		exchange->dh_bits = bits_of(tls_read_vector(&r, 2));
	}
	return cut || !r.failed;
}
