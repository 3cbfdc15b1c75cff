/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people are told about programs that are not traced: each problem once, however many processes
 * have it, and so many lines a minute at most, because strangers can start programs without end.
 */
#ifndef TLSFAIL_KERNEL_UNTRACED_H
#define TLSFAIL_KERNEL_UNTRACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/look.h"
#include "target/target.h"

/* Kinds of problems that are remembered. */
#define UNTRACED_OUTCOMES_MAX 64
#define UNTRACED_TEXT_LEN     1024

/* Zeroed: nothing was told. */
struct untraced {
	struct {
		struct target_file exe;
		enum target_tls_outcome outcome;
	} outcomes[UNTRACED_OUTCOMES_MAX];
	size_t outcome_count;
	uint64_t tell_until;
	unsigned int told;
	char problem[UNTRACED_TEXT_LEN]; /* the last one, so that each worker does not repeat it */
	char skipped[UNTRACED_TEXT_LEN]; /* likewise of a program that is nobody's */
	bool starting; /* problems are kept for the caller instead of being told */
};

void untraced_tell(struct untraced *u, const char *problem);

/* The program of the process, and why it is not traced. */
void untraced_program(struct untraced *u, const struct target_process *process, const char *why);

/* Was the outcome of that executable told already? From now on it was. */
bool untraced_is_known(struct untraced *u, const struct look *look);

/* A program that anybody can have given its name; option is the one that includes it. */
void untraced_foreign(struct untraced *u, const struct target_process *process, const char *option);

#endif
