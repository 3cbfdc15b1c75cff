/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outputs of a run, any number at once. A finding goes to each.
 * Errors are negative errno values.
 */
#ifndef TLSFAIL_OUTPUT_OUTPUTS_H
#define TLSFAIL_OUTPUT_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/output.h"
#include "output/sink.h"
#include "base/text.h"

#define OUTPUTS_MAX	   17
#define OUTPUTS_QUEUE_SIZE (4 * 1024 * 1024) /* of each, unless told otherwise */

struct finding;
struct outputs;
struct standing;

struct outputs_options {
	struct sink_options sink;
	bool patient;			/* wait for outputs that work, however slow they are */
	bool again;			/* they were begun by another process: no headers */
	bool live;			/* never wait: what is traced does not wait either */
	size_t queue_size;		/* bytes, of each */
	const char *specs[OUTPUTS_MAX]; /* TYPE:TARGET */
	size_t count;
};

/*
 * Opens them all, and writes their headers. Standard output, when it is the only one and not live, is
 * written to at once; every other has a queue and a thread. *out is the caller's to outputs_close(). On an
 * error, error has a sentence that says which.
 */
int outputs_open(const struct outputs_options *options, struct outputs **out, struct text *error);
void outputs_close(struct outputs *o);

/*
 * From now on what they count lies in kept, of OUTPUTS_MAX. An output goes on with what one of the same name
 * has left there; what others have left is there for those that come back, as long as there is room.
 */
void outputs_keep(struct outputs *o, struct output_kept *kept);

/* Gives a finding to each. An error means that the run is to end (standard output is gone), and is
 * returned once; from then on that output gets nothing more. */
int outputs_write(struct outputs *o, const struct finding *finding);

/* Tells those that want to know how handshakes stand; is there one? Returns an error as outputs_write()
 * does. */
int outputs_standing(struct outputs *o, const struct standing *standing);
bool outputs_want_standing(const struct outputs *o);

/* To be called about once a second: losses are told though nothing else happens. Returns an error as
 * outputs_write() does. */
int outputs_tick(struct outputs *o);

/* Has files begun anew, as after a rotation. */
void outputs_reopen(struct outputs *o);

/* Writes what is queued, limit_ms at most; less for standard output, when it is the only one and takes
 * nothing. Nothing can be written after that. Returns an error as outputs_write() does. */
int outputs_finish(struct outputs *o, unsigned int limit_ms);

/* The counts of the output that is the index-th, from 0. Returns false when there is none. */
bool outputs_counts(struct outputs *o, size_t index, struct output_counts *counts);

/* Events that an output did not get. */
uint64_t outputs_dropped(struct outputs *o);

/* Tells on stderr what each output with a queue has written, and what any did not take. */
void outputs_summary(struct outputs *o);

#endif
