/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A failed connection for a test, as the collector would have it: a connection record, and the
 * handshake bytes of both directions, written by hand. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_SCENE_H
#define TLSFAIL_TEST_SCENE_H

#include "certificate.h"
#include "diagnose/correlate.h"
#include "tls/names.h"
#include "wire.h"

#define SCENE_PID 4242

/* Times are in ms from the connect. */
#define SCENE_MS(ms) (SCENE_START + (ms)*1000000ULL)
#define SCENE_START  1000000000ULL

/* CLOCK_REALTIME of the end: 2026-01-02 15:04:05 UTC. */
#define SCENE_TIME_NS 1767366245000000000ULL

struct scene {
	struct tlsfail_conn conn;
	struct direction sent;
	struct direction received;
	uint8_t *certs[TLSFAIL_CERTS_MAX]; /* DER, of OpenSSL's allocator */
	size_t cert_lens[TLSFAIL_CERTS_MAX];
	unsigned int unread;	/* bytes of the peer that nobody read */
	struct failure failure; /* of all this; see scene_end() */
};

/* Begins: nginx, PID 4242, has connected from 192.0.2.1:40112 to 192.0.2.88:8443; nothing was sent;
 * it lasts 12 ms. */
void scene_begin(struct scene *scene);

/* The client sends a ClientHello: name NULL is none; versions end with 0, and none is a hello
 * without the extension. */
void scene_client_hello(struct scene *scene, const char *name, const uint16_t *versions);

/* The same with the name "api.test" and TLS 1.3, and with a key share of group, share_len bytes, and,
 * unless ticket_len is 0, a session to resume of that many. */
void scene_long_hello(struct scene *scene, uint16_t group, size_t share_len, size_t ticket_len);

/* The server answers with a ServerHello of that version. */
void scene_server_hello(struct scene *scene, uint16_t version);

/* A ClientHello with early data, and a ServerHello that resumes the session. */
void scene_early_data(struct scene *scene);

/* A message of TLS 1.2 and before, by its number. */
void scene_message(struct direction *direction, uint8_t type, const void *body, size_t len);

/* A fatal alert in clear. */
void scene_alert(struct direction *direction, uint8_t description);

/* OpenSSL raises an error. */
void scene_error(struct scene *scene, uint32_t reason, const char *function);

/* The TLS library took a certificate out of the server's chain. */
void scene_certificate(struct scene *scene, const struct certificate_spec *spec);

/* Turns it round: we are the server at 192.0.2.1:40112, and what the client has sent was received. */
void scene_turn(struct scene *scene);

/* Fills in what follows from the rest, and scene->failure. */
void scene_end(struct scene *scene);

/* Frees what scene_certificate() made. */
void scene_free(struct scene *scene);

#endif
