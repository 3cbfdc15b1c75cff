/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One output: a sink, and what lies between it and the tracer. Unless it is direct, it has a bounded
 * queue and a thread of its own, so that a slow or dead consumer delays nobody: what finds no room is
 * counted, and told by an event when there is room again. Errors are negative errno values.
 */
#ifndef TLSFAIL_OUTPUT_OUTPUT_H
#define TLSFAIL_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/sink.h"
#include "base/text.h"

struct output;

struct output_options {
	struct sink_options sink;
	bool direct;  /* the caller's thread writes, and waits */
	bool final;   /* an error ends the output */
	bool again;   /* it was begun before: without a header */
	bool patient; /* the caller waits for room, unless the sink fails */
	size_t queue_size;
};

/* How an output has fared, in events: findings, and losses that it was told. */
struct output_counts {
	const char *name;	/* TYPE:TARGET, or TYPE when it has no target */
	uint64_t queued;	/* accepted since the start */
	uint64_t written;	/* of them: taken by the consumer */
	uint64_t dropped;	/* not accepted, refused by the consumer, or left at the end */
	uint64_t errors;	/* attempts to write that failed */
	uint64_t waiting;	/* in the queue now */
	uint64_t waiting_bytes; /* and the memory that they take */
	bool failing;		/* the last attempt failed */
};

/* What has to survive. What waited in the queue of a process that crashed is lost; of what was just being
 * written then, nobody knows how much was taken: it counts as lost, too. */
struct output_kept {
	uint64_t of;		     /* output_identity(); 0: this is free */
	struct output_counts counts; /* without the name */
	uint64_t untold;	     /* dropped, and no event has said so */
	uint64_t
		notice_of; /* how many losses the event reports that waits for that in the queue; 0: none does */
};

/* Opens it, and writes the header to standard output, if the sink has one. spec is TYPE:TARGET. *out is the caller's to output_close(). */
int output_open(const struct output_options *options, const char *spec, struct output **out,
		struct text *error);

/* A number for its name, never 0. */
uint64_t output_identity(const struct output *output);

/* From now on what it counts lies there, and is added to what another output, which has ended, or another
 * process has left there; that may be anything. */
void output_keep(struct output *output, struct output_kept *kept);

/*
 * Hands over a finding. buf, of size bytes, is scratch space. An error means that the run is to end;
 * it is returned once, and from then on findings are only counted.
 */
int output_write(struct output *output, const struct finding *finding, char *buf, size_t size);

/*
 * Tells a sink that wants to know how handshakes stand. What finds no room is not missed: the next one
 * takes its place. buf as for output_write(), which returns errors as this does.
 */
int output_standing(struct output *output, const struct standing *standing, char *buf, size_t size);
bool output_wants_standing(const struct output *output);

/*
 * Tells the sink how many events it did not get, if there are such and there is room. loss is a
 * finding that says when and where; its count is filled in. Returns an error as output_write() does.
 */
int output_tell_loss(struct output *output, struct finding *loss, char *buf, size_t size);

/* Has the sink begin its file anew, before the next event. */
void output_reopen(struct output *output);

/* No more comes: what is queued is to be written, until the deadline (CLOCK_MONOTONIC, ns). */
void output_finish_begin(struct output *output, uint64_t deadline_ns);

/* Tells the sink what it did not get (loss may be NULL; see output_tell_loss()), and waits for all to
 * be written, or the deadline. What is left then is counted as dropped. Returns an error as output_write() does. */
int output_finish_end(struct output *output, struct finding *loss, char *buf, size_t size);

void output_counts(struct output *output, struct output_counts *counts);

/* Frees; an output that was not finished is ended at once. NULL is fine. */
void output_close(struct output *output);

#endif
