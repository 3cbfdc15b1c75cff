/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The analyst's way in. What the collector has put into the queue becomes the complete stream of records
 * that a recording holds and the pipeline reads, in the order in which replay needs them: a line of
 * error.log and nginx's places before their connection; clock, peers and losses in between. Each record
 * goes one way: completed, held back for its line, out.
 */
#ifndef TLSFAIL_COMMAND_INTAKE_H
#define TLSFAIL_COMMAND_INTAKE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "command/message.h"
#include "command/pipeline.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

struct intake;

struct intake_options {
	struct pipeline *pipeline; /* is asked which facts it needs */
	/* nginx's error logs, as logwatch_open() takes them */
	const char *const *error_logs;
	size_t error_log_count;
	unsigned int roles; /* enum pipeline_role */
	/* Counts what came, and nobody had time for; gone on with. */
	struct tlsfail_lost *late;
	/* Gets each record of the stream. It is valid during the call. */
	void (*emit)(void *context, const void *record, size_t len);
	/* Has the collector put the counts of these peers into the queue. */
	void (*ask)(void *context, const struct message_peers *peers);
	void *context;
};

/* What options point to has to outlive *out, which is the caller's to intake_close(). A negative
 * errno on failure; error then may get one sentence. */
int intake_open(const struct intake_options *options, struct intake **out, struct text *error);
void intake_close(struct intake *in);

/* Makes the records that every recording begins with. A negative errno on failure. */
int intake_begin(struct intake *in);

/* Takes a record from the queue. The totals are the last. */
void intake_record(struct intake *in, const void *record, size_t len);

/* Counts one that nobody has time to look at as lost. */
void intake_lose(struct intake *in, const void *record);

/* What has become due: lines of error.log. In how many ms it is to be called again, limit at most. */
void intake_turn(struct intake *in);
int intake_wait_ms(const struct intake *in, int limit);

/* What is due each second: how peers stand, the clock. */
void intake_tick(struct intake *in);

/* Nothing comes any more but the counts of peers that are asked for now, and the totals. summary: of all
 * peers. */
void intake_finish(struct intake *in, bool summary);

/* Adds what was lost here to the counters that the collector has sent. */
void intake_count_lost(const struct intake *in, struct tlsfail_counters *sum);

/* The end of the stream has come. */
bool intake_is_over(const struct intake *in);

#endif
