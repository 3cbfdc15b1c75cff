// SPDX-License-Identifier: BSD-2-Clause
/*
 * One object a target, docs/probe.schema.json. The keys of a handshake are those of the tracer's events.
 */
#include "command/probe_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "command/probe_enumeration.h"
#include "output/sink_event.h"
#include "probe/listeners.h"

#define REPORT_LEN (256U << 10)

/* Of the tracer's event, what a probe has to say, too. */
static bool is_wanted(const char *key, bool works)
{
	static const char *const always[] = { "@timestamp", "network.", "tls.", "nginx.", "tcp." };
	static const char *const failing[] = { "error.type", "message", "tlsfail." };

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!strncmp(key, always[i], strlen(always[i])))
			return true;
	if (works || !strcmp(key, "tlsfail.role") || !strcmp(key, "tlsfail.schema_version"))
		return false;
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++)
		if (!strncmp(key, failing[i], strlen(failing[i])))
			return true;
	return false;
}

struct writer {
	struct jsonout json;
	bool works;
};

static void member_take(void *context, const char *key, const struct sink_value *value)
{
	struct writer *w = context;
	struct jsonout *j = &w->json;

	if (!is_wanted(key, w->works) || value->kind == SINK_STEPS)
		return;
	jsonout_key(j, key);
	sink_json_value(j, value);
}

static void string_add(struct jsonout *j, const char *key, const char *value)
{
	if (!*value)
		return;
	jsonout_key(j, key);
	jsonout_string(j, value);
}

static void tries_add(struct jsonout *j, const struct verdict *v)
{
	jsonout_key(j, "probe.tries");
	jsonout_begin(j, "[");
	for (unsigned int i = 0; i < v->try_count; i++) {
		jsonout_begin(j, "{");
		string_add(j, "what", v->tries[i].what);
		jsonout_key(j, "works");
		jsonout_boolean(j, v->tries[i].works);
		string_add(j, "error.type", v->tries[i].cause ? v->tries[i].cause : "");
		jsonout_end(j, "}");
	}
	jsonout_end(j, "]");
	string_add(j, "probe.works", v->works);
}

static void verdict_add(struct writer *w, const struct verdict *v, const struct dial_peer *peer)
{
	struct jsonout *j = &w->json;
	char listening[512];
	struct text t;

	w->works = v->end == HANDSHAKE_WORKS;
	sink_event_each(&v->finding, member_take, w);
	if (v->first.certificate_requested && !v->finding.has_certificate_requested) {
		jsonout_key(j, "probe.client_certificate_requested");
		jsonout_boolean(j, true);
	}
	/* TLS 1.3 encrypts it */
	if (*v->first.alpn && !*v->finding.choice.next_protocol)
		string_add(j, "tls.next_protocol", v->first.alpn);
	if (v->end == HANDSHAKE_FAILS)
		tries_add(j, v);
	text_init(&t, listening, sizeof(listening));
	if (v->first.dial.conn.flags & TLSFAIL_F_REFUSED && listeners_add(&t, peer))
		string_add(j, "probe.listening", listening);
}

int probe_report_json(const struct probe_report *r, FILE *file)
{
	char *buf = malloc(REPORT_LEN);
	struct text t;
	struct writer w = { .json = { .text = &t } };
	int err = 0;

	if (!buf)
		return -ENOMEM;
	text_init(&t, buf, REPORT_LEN);
	jsonout_begin(&w.json, "{");
	string_add(&w.json, "event.name", "tls.probe");
	string_add(&w.json, "probe.target", r->target->label);
	string_add(&w.json, "probe.result", probe_report_result(r));
	string_add(&w.json, "probe.place", r->target->place);
	string_add(&w.json, "probe.skipped", r->target->skipped);
	if (r->verdict)
		verdict_add(&w, r->verdict, &r->target->peer);
	else
		string_add(&w.json, "message", r->target->problem);
	if (r->enumeration) {
		jsonout_key(&w.json, "probe.accepts");
		probe_enumeration_json(&w.json, r->enumeration);
	}
	jsonout_end(&w.json, "}");
	text_add(&t, "\n");
	if (t.cut || fputs(buf, file) == EOF || fflush(file))
		err = -EIO;
	free(buf);
	return err;
}
