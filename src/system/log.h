/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for the operator, on stderr, one line each, written whole.
 */
#ifndef TLSFAIL_SYSTEM_LOG_H
#define TLSFAIL_SYSTEM_LOG_H

#include <stdbool.h>

/* Writes "tlsfail: ..." and a newline. Control characters are escaped. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* On a terminal, shows how far something has come in a line that the next one of it, or of log_line(),
 * takes the place of; NULL: takes it away. Elsewhere it does nothing. */
void log_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on somebody else's line may stand last on the terminal, which each line of ours takes the place
 * of; or not. */
void log_beside_status(bool status);

/* From now on lines begin with that place in a file, too; NULL: with none. file has to live until
 * then. */
void log_place(const char *file, unsigned int line);

#endif
