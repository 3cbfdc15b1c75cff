/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files for a test, in a temporary directory: written, or compiled with the machine's compiler.
 * One directory for a test program.
 */
#ifndef TLSFAIL_FIXTURE_H
#define TLSFAIL_FIXTURE_H

#include <stddef.h>

/* Makes the directory, which every user may enter; a cmocka setup. */
int fixture_setup(void **state);

/* Removes it with all that is in it; a cmocka teardown. */
int fixture_teardown(void **state);

/* The absolute path of name in the directory, "" for itself. The result of one of the last few
 * calls. */
const char *fixture_path(const char *name);

/* Runs a shell command in the directory and returns what system() does. */
int fixture_run(const char *command);

/* Writes a file; 0 on success. */
int fixture_write(const char *name, const void *content, size_t size);

/* Compiles source into name, without warnings; 0 on success. What the compiler says is discarded:
 * a test may try an option that it does not have. */
int fixture_compile(const char *name, const char *source, const char *options);

#endif
