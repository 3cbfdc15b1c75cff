/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of what a command prints.
 */
#ifndef TLSFAIL_COMMAND_PRINTED_H
#define TLSFAIL_COMMAND_PRINTED_H

#include <stdbool.h>

/* Has all that was printed on standard output been written? If not, that is said; but not where nobody
 * reads any more. */
bool printed(void);

#endif
