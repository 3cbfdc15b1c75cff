// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lines of error.log, as anybody may have written them: parsed, and matched with a connection. Input:
 * lines.
 */
#include <stdlib.h>
#include <string.h>

#include "program/nginx/errorlog.h"
#include "fuzz.h"
#include "program/nginx/logmatch.h"

static void check_line(const struct errorlog_line *line, const char *text, size_t len)
{
	FUZZ_ASSERT(line->message >= text && line->message + line->message_len <= text + len);
	FUZZ_ASSERT(errorlog_level_name(line->level));
	FUZZ_ASSERT(!line->to_upstream || !line->has_peer || line->port);
}

/* A connection that the line is about comes after it, and finds it. */
static void check_match(const struct errorlog_line *line)
{
	struct tlsfail_conn conn = {
		.h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, sizeof(conn) },
		.id = 1,
		.pid = line->pid,
		.role = line->to_upstream ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER,
		.family = 10,
		.rport = line->port,
	};
	struct logmatch *match = logmatch_new(1 << TLSFAIL_ROLE_CLIENT | 1 << TLSFAIL_ROLE_SERVER);
	const struct tlsfail_header *first;
	size_t len;

	if (!match)
		abort();
	memcpy(conn.raddr, line->address, sizeof(conn.raddr));
	if (logmatch_line(match, "error.log", line, 0) ||
	    logmatch_record(match, &conn, sizeof(conn), 0))
		abort();
	first = logmatch_next(match, LOGMATCH_HOLD_NS, &len);
	FUZZ_ASSERT(first && first->len == len);
	if (errorlog_fits(line, &conn, 0))
		FUZZ_ASSERT(first->type == TLSFAIL_REC_LOG_LINE);
	else
		FUZZ_ASSERT(first->type == TLSFAIL_REC_CONN);
	logmatch_free(match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errorlog_line line;

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		/* in an allocation of its own, so that a read past the end is caught */
		char *text = malloc(len ? len : 1);

		if (!text)
			abort();
		memcpy(text, data, len);
		if (errorlog_parse(text, len, &line)) {
			check_line(&line, text, len);
			check_match(&line);
		}
		free(text);
		len += end ? 1 : 0;
		data += len;
		size -= len;
	}
	return 0;
}
