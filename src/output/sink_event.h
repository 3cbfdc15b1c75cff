/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A finding as keys and values, as docs/json.md has them, in their order: what the sinks for programs
 * have in common. Each writes them down in its own way.
 */
#ifndef TLSFAIL_OUTPUT_SINK_EVENT_H
#define TLSFAIL_OUTPUT_SINK_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct finding;
struct finding_event;
struct text;

enum sink_value_kind {
	SINK_STRING,
	SINK_INTEGER,
	SINK_BOOLEAN,
	SINK_STRINGS, /* at least one */
	SINK_STEPS,   /* of the timeline, at least one */
};

struct sink_value {
	enum sink_value_kind kind;
	union {
		const char *string;
		int64_t integer;
		bool boolean;
		const char *const *strings;
		const struct finding_event *steps;
	};
	unsigned int count; /* of strings or steps */
};

/* Is given one pair. What value points to lives until it returns. */
typedef void sink_take_fn(void *context, const char *key, const struct sink_value *value);

/* Gives all that is known of the finding to take(), with the context. A key comes once. */
void sink_event_each(const struct finding *finding, sink_take_fn *take, void *context);

/* The version of the Elastic Common Schema that sink_ecs_key() is of. */
#define SINK_ECS_VERSION "8.11.0"

/* The name that the Elastic Common Schema has for a key; the key itself when it has no other. */
const char *sink_ecs_key(const struct finding *finding, const char *key);

/* Appends the string that the finding has under that key, nothing when it has none. */
void sink_event_add(const struct finding *finding, const char *key, struct text *t);

/* Appends a line for people who see nothing else: the cause, if there is one, and the message. */
void sink_event_add_line(const struct finding *finding, struct text *t);

/* How bad it is, as a severity of syslog: 4 warning, 6 informational. */
int sink_event_severity(const struct finding *finding);

/* sink_json.c: writes a value as JSON, behind its key. */
struct jsonout;
void sink_json_value(struct jsonout *j, const struct sink_value *value);

#endif
