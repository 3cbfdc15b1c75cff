// SPDX-License-Identifier: BSD-2-Clause
/*
 * A line becomes an object with our own keys. What is counted by (the kind, the time, the cause) is
 * checked here, so that nobody else has to.
 */
#include "report/event.h"

#include <errno.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "base/units.h"

#define CAUSE_LEN_MAX 64
#define LAST_S	      INT64_C(16756761599) /* 2500-12-31 23:59:59: ns since 1970 fit into 64 bits */

static const struct {
	const char *name;
	enum report_kind kind;
} kinds[] = {
	{ "tls.handshake.failure", REPORT_FAILURE },
	{ "tls.handshake.confirmed", REPORT_CONFIRMED },
	{ "tlsfail.folded", REPORT_FOLDED },
	{ "tlsfail.peer.recovered", REPORT_RECOVERED },
	{ "tlsfail.summary", REPORT_SUMMARY },
	{ "tls.certificate.seen", REPORT_CERTIFICATE },
	{ "tls.certificate.expiring", REPORT_CERTIFICATE },
	{ "tls.certificate.unsent", REPORT_CERTIFICATE },
	{ "tlsfail.loss", REPORT_LOSS },
	{ "tlsfail.hello", REPORT_VIEW },
	{ "tlsfail.standing", REPORT_VIEW },
	{ "tlsfail.goodbye", REPORT_VIEW },
};

/* What --ecs renames, but for the addresses, whose names depend on the role. */
static const struct {
	const char *ecs;
	const char *own;
} ecs_names[] = {
	{ "event.action", "event.name" },
	{ "log.level", "nginx.error_log.level" },
	{ "log.file.path", "nginx.error_log.file" },
	{ "process.name", "process.executable.name" },
	{ "process.executable", "process.executable.path" },
	{ "tls.version", "tls.protocol.version" },
	{ "tls.server.x509.alternative_names", "tls.server.san" },
	{ "tls.client.x509.alternative_names", "tls.client.san" },
};

const char *report_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

uint64_t report_number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

bool report_time(const json_t *object, const char *key, uint64_t *ns)
{
	int64_t seconds;
	uint64_t fraction;

	if (!calendar_parse(report_string(object, key), &seconds, &fraction) || seconds < 0 ||
	    seconds > LAST_S)
		return false;
	*ns = (uint64_t)seconds * NS_PER_S + fraction;
	return true;
}

static void rename_key(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);

	if (value && !json_object_set(object, to, value))
		json_object_del(object, from);
}

static void own_names(json_t *object)
{
	bool server = !strcmp(report_string(object, "tlsfail.role"), "server");

	if (!json_object_get(object, "ecs.version"))
		return;
	for (size_t i = 0; i < sizeof(ecs_names) / sizeof(ecs_names[0]); i++)
		rename_key(object, ecs_names[i].ecs, ecs_names[i].own);
	rename_key(object, server ? "destination.ip" : "source.ip", "network.local.address");
	rename_key(object, server ? "destination.port" : "source.port", "network.local.port");
	rename_key(object, server ? "source.ip" : "destination.ip", "network.peer.address");
	rename_key(object, server ? "source.port" : "destination.port", "network.peer.port");
}

/* A cause is a slug: it becomes a part of what is looked up, and of references within a page. */
static bool is_slug(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len && len <= CAUSE_LEN_MAX && !s[len];
}

static const char *check(const json_t *object, struct report_event *event)
{
	const char *name = report_string(object, "event.name");

	if (!*name)
		return "no event of tlsfail (no event.name)";
	event->kind = REPORT_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].name))
			event->kind = kinds[i].kind;
	if (event->kind == REPORT_VIEW)
		return NULL;
	if (!report_time(object, "@timestamp", &event->time_ns))
		return "no @timestamp in UTC (RFC 3339)";
	if (event->kind <= REPORT_FOLDED && !is_slug(report_string(object, "error.type")))
		return "a failure without a cause (error.type)";
	return NULL;
}

int report_event_parse(const char *line, size_t len, struct report_event *event,
		       struct text *problem)
{
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	const char *wrong;

	if (!json_is_object(object)) {
		text_add(problem, object ? "no JSON object" : "no JSON: ");
		if (!object)
			text_add_hostile(problem, error.text, strlen(error.text));
		json_decref(object);
		return -EBADMSG;
	}
	own_names(object);
	wrong = check(object, event);
	if (wrong) {
		text_add(problem, wrong);
		json_decref(object);
		return -EBADMSG;
	}
	event->object = object;
	return 0;
}
