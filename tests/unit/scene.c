/* SPDX-License-Identifier: BSD-2-Clause */
/* A failed connection for a test: see scene.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define CONTENT_ALERT	  21
#define CONTENT_HANDSHAKE 22

#define CLIENT_HELLO 1
#define SERVER_HELLO 2

#define EXTENSION_SERVER_NAME	     0
#define EXTENSION_PADDING	     21
#define EXTENSION_PRE_SHARED_KEY     41
#define EXTENSION_EARLY_DATA	     42
#define EXTENSION_SUPPORTED_VERSIONS 43
#define EXTENSION_KEY_SHARE	     51

/* A handshake message while it is written. */
struct body {
	uint8_t bytes[4096];
	size_t len;
};

static void put(struct body *body, const void *bytes, size_t len)
{
	assert_true(body->len + len <= sizeof(body->bytes));
	memcpy(body->bytes + body->len, bytes, len);
	body->len += len;
}

static void put_number(struct body *body, uint32_t number, size_t size)
{
	while (size-- > 0) {
		uint8_t byte = number >> (8 * size) & 0xff;

		put(body, &byte, 1);
	}
}

static void put_vector(struct body *body, size_t size, const struct body *inside)
{
	put_number(body, inside->len, size);
	put(body, inside->bytes, inside->len);
}

static void put_extension(struct body *extensions, uint16_t type, const struct body *inside)
{
	put_number(extensions, type, 2);
	put_vector(extensions, 2, inside);
}

void scene_begin(struct scene *scene)
{
	static const uint8_t local[] = { 192, 0, 2, 1 };
	static const uint8_t peer[] = { 192, 0, 2, 88 };

	memset(scene, 0, sizeof(*scene));
	scene->conn = (struct tlsfail_conn){
		.h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, sizeof(scene->conn) },
		.id = 1,
		.t_start = SCENE_START,
		.t_established = SCENE_MS(1),
		.t_close = SCENE_MS(12),
		.pid = SCENE_PID,
		.tid = SCENE_PID,
		.comm = "nginx",
		.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_ESTABLISHED,
		.family = 2,
		.role = TLSFAIL_ROLE_CLIENT,
		.lport = 40112,
		.rport = 8443,
		.tcp_srtt_us = 8 * 350,
	};
	memcpy(scene->conn.laddr, local, sizeof(local));
	memcpy(scene->conn.raddr, peer, sizeof(peer));
	scene->failure = (struct failure){
		.time_ns = SCENE_TIME_NS,
		.exe = "/usr/sbin/nginx",
		.version = "OpenSSL 3.0.15",
		.host = "edge-1",
	};
}

void scene_message(struct direction *direction, uint8_t type, const void *bytes, size_t len)
{
	struct body message = {};

	put_number(&message, type, 1);
	put_number(&message, len, 3);
	if (len > 0)
		put(&message, bytes, len);
	record_put(direction, CONTENT_HANDSHAKE, message.bytes, message.len);
}

static void put_server_name(struct body *extensions, const char *name)
{
	struct body list = {};
	struct body inside = {};

	put_number(&list, 0, 1); /* host_name */
	put_number(&list, strlen(name), 2);
	put(&list, name, strlen(name));
	put_vector(&inside, 2, &list);
	put_extension(extensions, EXTENSION_SERVER_NAME, &inside);
}

static void put_versions(struct body *extensions, const uint16_t *versions)
{
	struct body list = {};
	struct body inside = {};

	while (*versions)
		put_number(&list, *versions++, 2);
	put_vector(&inside, 1, &list);
	put_extension(extensions, EXTENSION_SUPPORTED_VERSIONS, &inside);
}

static void put_hello_start(struct body *hello)
{
	static const uint8_t random[32] = { 1, 2, 3 };

	put_number(hello, TLS_VERSION_1_2, 2);
	put(hello, random, sizeof(random));
	put_number(hello, 0, 1); /* no session id */
}

static void client_hello_send(struct scene *scene, const struct body *extensions)
{
	struct body hello = {};

	put_hello_start(&hello);
	put_number(&hello, 2, 2);
	put_number(&hello, 0xc02f, 2); /* cipher suite */
	put_number(&hello, 1, 1);
	put_number(&hello, 0, 1); /* no compression */
	put_vector(&hello, 2, extensions);
	scene_message(&scene->sent, CLIENT_HELLO, hello.bytes, hello.len);
	scene->conn.flags |= TLSFAIL_F_TLS;
	scene->conn.t_first_tx = SCENE_MS(2);
	scene->conn.first_tx_len = scene->sent.len;
	scene->conn.tcp_bytes_acked = scene->sent.len + 1; /* and the SYN */
}

void scene_client_hello(struct scene *scene, const char *name, const uint16_t *versions)
{
	struct body extensions = {};

	if (name)
		put_server_name(&extensions, name);
	if (*versions)
		put_versions(&extensions, versions);
	client_hello_send(scene, &extensions);
}

void scene_long_hello(struct scene *scene, uint16_t group, size_t share_len, size_t ticket_len)
{
	static const uint16_t versions[] = { TLS_VERSION_1_3, 0 };
	static const uint8_t zeros[2048];
	struct body extensions = {};
	struct body share = {};
	struct body list = {};
	struct body shares = {};
	struct body ticket = {};
	struct body rest = {}; /* as long as what else a client offers */

	put_server_name(&extensions, "api.test");
	put_versions(&extensions, versions);
	put(&rest, zeros, 180);
	put_extension(&extensions, EXTENSION_PADDING, &rest);
	put(&share, zeros, share_len);
	put_number(&list, group, 2);
	put_vector(&list, 2, &share);
	put_vector(&shares, 2, &list);
	put_extension(&extensions, EXTENSION_KEY_SHARE, &shares);
	if (ticket_len) {
		put(&ticket, zeros, ticket_len);
		put_extension(&extensions, EXTENSION_PRE_SHARED_KEY, &ticket);
	}
	client_hello_send(scene, &extensions);
}

void scene_server_hello(struct scene *scene, uint16_t version)
{
	struct body selected = {};
	struct body extensions = {};
	struct body hello = {};

	put_hello_start(&hello);
	if (version < TLS_VERSION_1_2)
		hello.bytes[1] = version & 0xff;
	put_number(&hello, 0xc02f, 2);
	put_number(&hello, 0, 1);
	if (version > TLS_VERSION_1_2) {
		put_number(&selected, version, 2);
		put_extension(&extensions, EXTENSION_SUPPORTED_VERSIONS, &selected);
		put_vector(&hello, 2, &extensions);
	}
	scene_message(&scene->received, SERVER_HELLO, hello.bytes, hello.len);
}

void scene_early_data(struct scene *scene)
{
	static const uint8_t zeros[40];
	struct body identity = {};
	struct body extensions = {};
	struct body number = {};
	struct body hello = {};

	put_number(&number, 2, 1);
	put_number(&number, TLS_VERSION_1_3, 2);
	put_extension(&extensions, EXTENSION_SUPPORTED_VERSIONS, &number);
	put_extension(&extensions, EXTENSION_EARLY_DATA, &(struct body){});
	put(&identity, zeros, sizeof(zeros));
	put_extension(&extensions, EXTENSION_PRE_SHARED_KEY, &identity);
	client_hello_send(scene, &extensions);
	put_hello_start(&hello);
	put_number(&hello, 0x1301, 2);
	put_number(&hello, 0, 1);
	number = extensions = (struct body){};
	put_number(&number, TLS_VERSION_1_3, 2);
	put_extension(&extensions, EXTENSION_SUPPORTED_VERSIONS, &number);
	number = (struct body){};
	put_number(&number, 0, 2); /* the first session of those that were offered */
	put_extension(&extensions, EXTENSION_PRE_SHARED_KEY, &number);
	put_vector(&hello, 2, &extensions);
	scene_message(&scene->received, SERVER_HELLO, hello.bytes, hello.len);
}

void scene_alert(struct direction *direction, uint8_t description)
{
	const uint8_t alert[] = { 2, description };

	record_put(direction, CONTENT_ALERT, alert, sizeof(alert));
}

void scene_error(struct scene *scene, uint32_t reason, const char *function)
{
	struct tlsfail_conn *conn = &scene->conn;

	conn->flags |= TLSFAIL_F_TLS;
	if (conn->error_count < TLSFAIL_ERRORS_MAX)
		conn->errors[conn->error_count] =
			(struct tlsfail_error){ .t = SCENE_MS(5), .lib = 20, .reason = reason };
	if (!conn->error_count++) {
		assert_true(strlen(function) < sizeof(conn->error_func));
		memcpy(conn->error_func, function, strlen(function) + 1);
	}
}

void scene_certificate(struct scene *scene, const struct certificate_spec *spec)
{
	X509 *certificate = certificate_make(spec);
	uint32_t n = scene->conn.cert_count++;
	int len;

	assert_non_null(certificate);
	assert_true(n < TLSFAIL_CERTS_MAX);
	len = i2d_X509(certificate, &scene->certs[n]);
	assert_true(len > 0);
	scene->cert_lens[n] = (size_t)len;
	X509_free(certificate);
}

void scene_turn(struct scene *scene)
{
	struct direction sent = scene->sent;

	scene->sent = scene->received;
	scene->received = sent;
	scene->conn.role = TLSFAIL_ROLE_SERVER;
	scene->conn.flags &= ~TLSFAIL_F_CONNECT;
}

void scene_end(struct scene *scene)
{
	struct tlsfail_conn *conn = &scene->conn;
	struct failure *failure = &scene->failure;
	size_t head = sizeof(conn->first_rx);

	if (scene->received.len < head)
		head = scene->received.len;
	conn->tx_bytes = scene->sent.len;
	conn->rx_bytes = scene->received.len;
	conn->first_rx_kept = head;
	memcpy(conn->first_rx, scene->received.bytes, head);
	conn->tcp_bytes_sent = scene->sent.len;
	conn->tcp_bytes_received = scene->received.len + scene->unread +
				   !!(conn->flags & TLSFAIL_F_PEER_FIN); /* it counts as a byte */
	failure->conn = conn;
	failure->sent = (struct tls_capture){ scene->sent.bytes, scene->sent.len, false };
	failure->received =
		(struct tls_capture){ scene->received.bytes, scene->received.len, false };
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++)
		failure->certs[i] =
			(struct tls_capture){ scene->certs[i], scene->cert_lens[i], false };
}

void scene_free(struct scene *scene)
{
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++)
		OPENSSL_free(scene->certs[i]);
}
