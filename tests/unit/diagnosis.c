// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a scene to a finding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

#define CERTIFICATE	    11
#define CERTIFICATE_REQUEST 13
#define SERVER_HELLO_DONE   14

struct scene scene;
struct diagnose_work work;
struct finding finding;

const uint16_t modern[] = { TLS_VERSION_1_3, TLS_VERSION_1_2, 0 };

void begin_hello(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", modern);
}

void diagnose_kept_scene(void)
{
	scene_end(&scene);
	memset(&finding, 0xa5, sizeof(finding));
	diagnose(&scene.failure, &work, &finding);
}

void begin_without_certificate(void)
{
	static const uint8_t none[3];

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_message(&scene.received, CERTIFICATE_REQUEST, NULL, 0);
	scene_message(&scene.received, SERVER_HELLO_DONE, NULL, 0);
	scene_message(&scene.sent, CERTIFICATE, none, sizeof(none));
}

void begin_expired_certificate(void)
{
	static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -300000000,
						      -200000000 };

	begin_hello();
	scene_certificate(&scene, &leaf);
}

void diagnose_scene(void)
{
	diagnose_kept_scene();
	scene_free(&scene);
}

static void assert_filled(const char *slug, const char *words, size_t size)
{
	if (!*words || strpbrk(words, "{}"))
		fail_msg("%s: not filled in: \"%s\"", slug, words);
	assert_true(strlen(words) < size - 1);
}

void assert_row(const struct row *row, size_t number, void (*usual)(void))
{
	if (row->begin)
		row->begin();
	else
		usual();
	scene.conn.flags |= row->flags;
	scene.conn.verify_code = row->verify;
	if (row->reason)
		scene_error(&scene, row->reason, "tls_function");
	diagnose_scene();
	if (strcmp(finding.cause, row->slug) != 0)
		fail_msg("row %zu: %s, not %s", number, finding.cause, row->slug);
	assert_filled(row->slug, finding.message, sizeof(finding.message));
	assert_filled(row->slug, finding.hint, sizeof(finding.hint));
	assert_int_equal(finding.message[strlen(finding.message) - 1], '.');
	assert_non_null(strstr(finding.message, "192.0.2.88:"));
}

bool rows_have(const struct row *rows, size_t count, const char *slug)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rows[i].slug, slug))
			return true;
	return false;
}
