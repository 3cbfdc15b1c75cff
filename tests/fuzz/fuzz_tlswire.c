// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes of both directions of a handshake. Input: a byte of flags, the number of bytes that the
 * client sent (two bytes, in network order), those, and what is left is the server's.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tls/wire.h"

#define FLAG_CLIENT_CUT 1
#define FLAG_SERVER_CUT 2
#define HEADER_LEN	3

static struct tls_view view;

/* ASan does not see an array end that is inside a struct. */
static void check_inside(struct tls_bytes bytes, const uint8_t *messages)
{
	if (!bytes.data)
		FUZZ_ASSERT(bytes.len == 0);
	else
		FUZZ_ASSERT(bytes.data >= messages &&
			    bytes.data + bytes.len <= messages + TLSWIRE_MAX);
}

static void check_numbers(struct tls_bytes list)
{
	uint16_t number;
	size_t count = 0;

	check_inside(list, view.client_messages);
	while (tls_list_next(&list, &number))
		count++;
	FUZZ_ASSERT(count <= TLSWIRE_MAX / 2);
}

static void check_names(struct tls_bytes list, const uint8_t *messages)
{
	struct tls_bytes name;

	check_inside(list, messages);
	while (tls_names_next(&list, &name))
		check_inside(name, messages);
}

static void check_hello(const struct tls_client_hello *hello)
{
	check_numbers(hello->versions);
	check_numbers(hello->ciphers);
	check_numbers(hello->groups);
	check_numbers(hello->signature_schemes);
	check_inside(hello->server_name, view.client_messages);
	check_inside(hello->session_id, view.client_messages);
	check_names(hello->alpn, view.client_messages);
}

/* In an allocation of its own, so that a read past the end is caught. */
static uint8_t *copy_of(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_capture client = { 0 };
	struct tls_capture server = { 0 };
	uint8_t *client_bytes;
	uint8_t *server_bytes;

	if (size < HEADER_LEN)
		return 0;
	client.cut = data[0] & FLAG_CLIENT_CUT;
	server.cut = data[0] & FLAG_SERVER_CUT;
	client.len = data[1] << 8 | data[2];
	if (client.len > size - HEADER_LEN)
		client.len = size - HEADER_LEN;
	server.len = size - HEADER_LEN - client.len;
	client.data = client_bytes = copy_of(data + HEADER_LEN, client.len);
	server.data = server_bytes = copy_of(data + HEADER_LEN + client.len, server.len);

	memset(&view, 0xa5, sizeof(view));
	tlswire_parse(&client, &server, &view);
	free(client_bytes);
	free(server_bytes);

	check_hello(&view.client.hello);
	check_hello(&view.client.retry);
	check_names(view.server.alpn, view.server_messages);
	FUZZ_ASSERT(!view.server.resumed || view.server.has_resumed);
	FUZZ_ASSERT(!view.client.certificate_empty || view.client.certificate_sent);
	return 0;
}
