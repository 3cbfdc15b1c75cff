/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we may do: the capabilities that tracing needs, and what to do when some are lacking.
 */
#ifndef TLSFAIL_KERNEL_PRIVILEGES_H
#define TLSFAIL_KERNEL_PRIVILEGES_H

struct privileges {
	char lacking[128];  /* the names of capabilities, "": none */
	const char *remedy; /* what to do about it, or when BPF programs cannot be loaded anyway */
};

/* Reads what this process has. What cannot be read counts as lacking. */
void privileges_read(struct privileges *p);

#endif
