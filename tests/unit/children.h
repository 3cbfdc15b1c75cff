/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and libraries that are compiled for a test, and children that run them. A "library" holds
 * nothing but the symbols that a TLS library is recognised by. With a fixture, after cmocka.h.
 */
#ifndef TLSFAIL_TEST_CHILDREN_H
#define TLSFAIL_TEST_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

/* Compiles libssl.so.3 and libcrypto.so.3, which belong together; libother.so, a libssl by another name;
 * libssl.so.8, which is none; sleeper, which maps the files that are its arguments; static and stripped,
 * which have the library in them. A cmocka setup, with fixture_setup() in it. */
int children_setup(void **state);

#define CHILD_FILES 3 /* that it maps, at most */

struct child {
	pid_t pid;
};

/*
 * Runs one of the programs, with the names of files up to a NULL as its arguments, and waits
 * until it is ready. It ends itself after a minute, whatever happens to the test. False on failure:
 * what runs in a child of its own must not fail an assertion.
 */
bool child_run(struct child *child, const char *program, const char *const *names);

/* Runs a program without arguments; the sleeper with those; and fails the test if it cannot. */
void child_exec(struct child *child, const char *program);
void child_map(struct child *child, const char *const *names);

void child_end(struct child *child);

#endif
