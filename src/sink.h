/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink writes findings somewhere. One file a sink, one row in the registry (sink.c).
 */
#ifndef TLSFAIL_SINK_H
#define TLSFAIL_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct finding;
struct finding_loss;
struct sink;
struct text;

/* How findings look, whatever sink they go to. */
struct sink_options {
	int fd;	      /* what the target "-" stands for; stays the caller's */
	bool verbose; /* show the evidence */
	bool ladder;  /* draw the handshake */
	bool color;
	bool utf8; /* the output may hold more than ASCII */
};

/* One kind of sink. Errors are negative errno values. */
struct sink_type {
	const char *name;    /* TYPE of --sink TYPE:TARGET */
	const char *targets; /* what TARGET may be, for people */
	/* What is wrong with the words of target, without trying it. */
	int (*check)(const char *target, struct text *error);
	/* Sets *sink, to be ended with close(). target must outlive it. */
	int (*open)(const struct sink_options *options, const char *target, struct sink **sink);
	/* Appends what comes before the first finding. NULL: nothing does. */
	void (*header)(struct text *t);
	/* Appends a finding as the sink takes it. Uses nothing but its arguments. */
	void (*format)(const struct sink_options *options, const struct finding *finding,
		       struct text *t);
	/* Writes one formatted finding, whole, at once. -EPIPE: the reader is gone. */
	int (*write)(struct sink *sink, const void *data, size_t len);
	void (*close)(struct sink *sink);
};

/* The rows of the registry. */
extern const struct sink_type sink_type_text;
extern const struct sink_type sink_type_json;

/* What a formatted finding takes at most. */
#define SINK_FINDING_LEN (256 * 1024)

/* The type of that name, or NULL. */
const struct sink_type *sink_type_find(const char *name);

/*
 * Takes TYPE:TARGET apart: sets *type, and *target to what follows the colon. Returns 0, or -EINVAL
 * with a sentence in error.
 */
int sink_parse(const char *spec, const struct sink_type **type, const char **target,
	       struct text *error);

/* Is that target standard output ("-")? */
bool sink_is_stdout(const char *target);

/* The functions of a stream of bytes, which sinks of several formats share. */
int sink_stream_check(const char *target, struct text *error);
int sink_stream_open(const struct sink_options *options, const char *target, struct sink **sink);
int sink_stream_write(struct sink *sink, const void *data, size_t len);
void sink_stream_close(struct sink *sink);

/*
 * Writes all of buf to fd, with one write(2) where fd takes it (a full pipe takes PIPE_BUF).
 * While it waits for a slow reader, signals that are otherwise blocked are let in. Returns 0 or a
 * negative errno; -EINTR: a signal came before all was written.
 */
int sink_write_all(int fd, const void *buf, size_t len);

/* "low", "medium" or "high". */
const char *sink_confidence_name(const struct finding *finding);

/* Append what was lost, leaving out what is 0 ("tlsfail lost 12 failures, 1 process"), and what
 * to do about it. SINK_LOSS_LEN holds either, whatever the counts. */
#define SINK_LOSS_LEN 512
void sink_add_loss(struct text *t, const struct finding_loss *loss);
void sink_add_loss_hint(struct text *t, const struct finding_loss *loss);

#endif
