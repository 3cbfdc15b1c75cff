/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of tlsfail's own JSON (docs/json.md), read back: checked where something is counted by it,
 * and else taken as it comes. Lines are hostile: anybody may have written the file.
 */
#ifndef TLSFAIL_REPORT_EVENT_H
#define TLSFAIL_REPORT_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum report_kind {
	REPORT_FAILURE,
	REPORT_CONFIRMED,
	REPORT_FOLDED,
	REPORT_RECOVERED,
	REPORT_SUMMARY,
	REPORT_CERTIFICATE,
	REPORT_LOSS,
	REPORT_VIEW, /* what a live view gets beside events, and may have written: nothing that failed */
	REPORT_OTHER, /* of a later release */
};

struct report_event {
	json_t *object; /* the caller's to json_decref() */
	enum report_kind kind;
	uint64_t time_ns; /* since 1970, UTC */
};

/*
 * Parses a line of len bytes, which need not be terminated. Names of the Elastic Common Schema become
 * our own. Returns 0, or -EBADMSG, and problem then gets words for what is wrong with it.
 */
int report_event_parse(const char *line, size_t len, struct report_event *event,
		       struct text *problem);

/* The string under that key; "" when there is none, or when it is something else. */
const char *report_string(const json_t *object, const char *key);

/* The number under that key, not negative; 0 likewise. */
uint64_t report_number(const json_t *object, const char *key);

/* The time under that key in ns since 1970, as RFC 3339 in UTC has it. False: there is none. */
bool report_time(const json_t *object, const char *key, uint64_t *ns);

#endif
