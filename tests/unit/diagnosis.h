/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The diagnosis of a scene, for the tests of what comes of it; one scene at a time. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_DIAGNOSIS_H
#define TLSFAIL_TEST_DIAGNOSIS_H

#include "diagnose/causes.h"
#include "diagnose/diagnose.h"
#include "scene.h"

extern struct scene scene;
extern struct diagnose_work work;
extern struct finding finding;

/* TLS 1.3 and 1.2, as scene_client_hello() takes them. */
extern const uint16_t modern[];

/* A ClientHello for "api.test" with these was sent; what comes next is the test's. */
void begin_hello(void);

/* And TLS 1.2 went on to the client's Certificate, empty though one was asked for. */
void begin_without_certificate(void);

/* And the server's certificate, which has expired, was taken out of its chain. */
void begin_expired_certificate(void);

/* Ends the scene and makes finding of it; nothing of an earlier one is left there. It is freed, or
 * kept for the test to look at and to free. */
void diagnose_scene(void);
void diagnose_kept_scene(void);

/* A failure of that cause: what was on the wire, what else was seen, the error, the verify code. */
struct row {
	const char *slug;
	void (*begin)(void); /* NULL: the test's usual one */
	uint32_t flags;
	uint32_t reason;
	int32_t verify;
};

/* Diagnoses the row, which is the number-th of its table: the cause has to be the row's, and its words
 * have to be filled in and to name the peer. */
void assert_row(const struct row *row, size_t number, void (*usual)(void));

/* Has the table, of count rows, one for that cause? */
bool rows_have(const struct row *rows, size_t count, const char *slug);

#endif
