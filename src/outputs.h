/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outputs of a run: sinks with their targets, any number at once. A finding goes to each.
 * Errors are negative errno values.
 */
#ifndef TLSFAIL_OUTPUTS_H
#define TLSFAIL_OUTPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "sink.h"
#include "text.h"

#define OUTPUTS_MAX 16

struct finding;
struct outputs;

struct outputs_options {
	struct sink_options sink;
	const char *specs[OUTPUTS_MAX]; /* TYPE:TARGET, which must outlive the outputs */
	size_t count;
};

/* How one output has fared. Counts are of findings. */
struct output_counts {
	const char *name; /* TYPE:TARGET */
	uint64_t written;
	uint64_t dropped;
};

/* Opens them all, and writes their headers. *out is the caller's to outputs_close(). On an error,
 * error has a sentence that says which. */
int outputs_open(const struct outputs_options *options, struct outputs **out, struct text *error);
void outputs_close(struct outputs *o);

/* Writes a finding to each. An error is that of an output that ends the run, and is returned once;
 * from then on that output gets nothing more. */
int outputs_write(struct outputs *o, const struct finding *finding);

/* The counts of the output that is the index-th, from 0. Returns false when there is none. */
bool outputs_counts(const struct outputs *o, size_t index, struct output_counts *counts);

/* Tells on stderr what outputs did not take. */
void outputs_summary(const struct outputs *o);

#endif
