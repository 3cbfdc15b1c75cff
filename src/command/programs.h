/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of programs that tlsfail knows by name, see program/program.h.
 */
#ifndef TLSFAIL_COMMAND_PROGRAMS_H
#define TLSFAIL_COMMAND_PROGRAMS_H

#include "program/program.h"

/* The kind of the executable with that path, or, where that is "", of a thread with that name; NULL
 * when it is none of them. */
const struct program *programs_find(const char *executable, const char *comm);

#endif
