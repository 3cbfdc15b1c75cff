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

struct sink_options {
	int fd;	      /* written to; stays the caller's */
	bool verbose; /* show the evidence */
	bool ladder;  /* draw the handshake */
	bool color;
	bool utf8; /* the output may hold more than ASCII */
};

/* One kind of sink. Errors are negative errno values. */
struct sink_type {
	const char *name; /* as in --format */
	/* Sets *sink, to be ended with close(). Writes the header, if it has one. */
	int (*open)(const struct sink_options *options, struct sink **sink);
	/* Writes one finding, whole, at once. -EPIPE: the reader is gone. */
	int (*write)(struct sink *sink, const struct finding *finding);
	void (*close)(struct sink *sink);
};

/* The rows of the registry. */
extern const struct sink_type sink_type_text;
extern const struct sink_type sink_type_json;

/* The type of that name, or NULL. */
const struct sink_type *sink_type_find(const char *name);

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
