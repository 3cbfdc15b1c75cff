/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --ecs: the keys that the Elastic Common Schema names differently, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"
#include "output/sink_event.h"
#include "base/text.h"

static struct finding finding;

static json_t *print(bool ecs)
{
	static char buf[SINK_FINDING_LEN];
	struct sink_options options = { .ecs = ecs };
	struct text t;
	json_t *object;

	text_init(&t, buf, sizeof(buf));
	sink_type_json.format(&options, &finding, &t);
	object = json_loads(buf, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	return object;
}

static void finding_set(const char *role)
{
	finding = (struct finding){
		.time_ns = TIME_NS,
		.cause = "unknown",
		.role = role,
		.phase = "hello",
		.protocol_version = "1.3",
		.local = { "10.0.2.1", 40112 },
		.peer = { "10.0.2.88", 8443 },
		.pid = 42,
		.executable_path = "/usr/sbin/nginx",
		.executable_name = "nginx",
		.certificate = { .known = true, .name_count = 1, .names = { "a.test" } },
	};
}

static void assert_text(const json_t *object, const char *key, const char *want)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		fail_msg("no %s", key);
	assert_string_equal(json_string_value(member), want);
}

static void test_client(void **state)
{
	json_t *object;

	(void)state;
	finding_set("client");
	object = print(true);
	assert_text(object, "ecs.version", SINK_ECS_VERSION);
	assert_text(object, "event.action", "tls.handshake.failure");
	assert_text(object, "source.ip", "10.0.2.1");
	assert_text(object, "destination.ip", "10.0.2.88");
	assert_int_equal(json_integer_value(json_object_get(object, "destination.port")), 8443);
	assert_text(object, "tls.version", "1.3");
	assert_text(object, "process.name", "nginx");
	assert_text(object, "process.executable", "/usr/sbin/nginx");
	assert_int_equal(
		json_array_size(json_object_get(object, "tls.server.x509.alternative_names")), 1);
	json_decref(object);
}

static void test_server(void **state)
{
	json_t *object;

	(void)state;
	finding_set("server");
	object = print(true);
	assert_text(object, "source.ip", "10.0.2.88");
	assert_text(object, "destination.ip", "10.0.2.1");
	json_decref(object);
}

/* The values are the same, each under one key, and all but ecs.version has a counterpart. */
static void test_only_keys_differ(void **state)
{
	json_t *ours, *ecs, *value;
	const char *key;

	(void)state;
	finding_set("client");
	ours = print(false);
	ecs = print(true);
	assert_int_equal(json_object_size(ecs), json_object_size(ours) + 1);
	json_object_foreach(ours, key, value)
	{
		const json_t *other = json_object_get(ecs, sink_ecs_key(&finding, key));

		if (!json_equal(value, other))
			fail_msg("%s differs", key);
	}
	json_decref(ours);
	json_decref(ecs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_only_keys_differ),
	};

	return cmocka_run_group_tests_name("sink_ecs", tests, NULL, NULL);
}
