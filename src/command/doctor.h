/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command doctor: what would work here, what would not, and what to do about it.
 */
#ifndef TLSFAIL_COMMAND_DOCTOR_H
#define TLSFAIL_COMMAND_DOCTOR_H

struct options;

/* Prints the report. Returns the exit status: EXIT_SUCCESS when tracing would work fully, else
 * EXIT_DEGRADED or EXIT_CANNOT. */
int doctor_run(const struct options *options);

#endif
