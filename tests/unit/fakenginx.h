/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that look like a master of nginx and its workers, and do nothing: with the titles, and with the
 * version and options in the executable. With a fixture, after cmocka.h.
 */
#ifndef TLSFAIL_TEST_FAKENGINX_H
#define TLSFAIL_TEST_FAKENGINX_H

#include <sys/types.h>

struct fakenginx {
	pid_t master;
	pid_t worker; /* the one that was started last */
	int fd;
};

#define FAKENGINX_VERSION 1026001

/* Compiles it into the fixture's directory; a cmocka setup, with fixture_setup() in it. */
int fakenginx_setup(void **state);

/* Starts a master with that configuration, and one worker. root: its root directory, or NULL; only root
 * can give it one. */
struct fakenginx fakenginx_start(const char *conf, const char *root);

/* Has the master start another worker, as after a reload, not before the clock has gone on by enough to
 * tell it from the one before. */
void fakenginx_reload(struct fakenginx *nginx);

/* Ends them. */
void fakenginx_stop(struct fakenginx *nginx);

#endif
