/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for the operator, on stderr, one line each, written whole.
 */
#ifndef TLSFAIL_LOG_H
#define TLSFAIL_LOG_H

/* Writes "tlsfail: ..." and a newline. Control characters are escaped. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on lines begin with that place in a file, too; NULL: with none. file has to live until
 * then. */
void log_place(const char *file, unsigned int line);

/* Takes libbpf's messages from now on: they are kept back, as most report what is only tried. */
void log_take_libbpf(void);

/* The last warning of libbpf, one line, "" when there was none. */
const char *log_libbpf_warning(void);

#endif
