/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The analyst as the collector sees it: started, listened to, told things, started again when it has
 * crashed, ended. What it says is checked, and nothing of it but numbers is used.
 */
#ifndef TLSFAIL_COMMAND_ANALYSIS_H
#define TLSFAIL_COMMAND_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "command/feed.h"
#include "command/message.h"
#include "command/options.h"
#include "system/recqueue.h"
#include "target/target.h"

struct analysis;

struct analysis_options {
	const struct options *options;
	const struct target_set *targets;
	struct recqueue *queue;
	int prober;    /* see struct analyst_options */
	int listening; /* likewise */
	/* Has analysis_tell() called with how things are now. */
	void (*figures)(void *context);
	void *context;
};

/* Forks the keeper. What options point to has to outlive *out, which is the caller's to analysis_free().
 * A negative errno on failure. */
int analysis_new(const struct analysis_options *options, struct analysis **out);
void analysis_free(struct analysis *a);

/* For elf_ask(). */
int analysis_read_elf(void *analysis, int fd);

/* Starts the analyst, and waits until it is ready. recording is the descriptor of one, or -1. -EPIPE: it
 * has ended as its reader is gone; any other error was said on stderr. */
int analysis_start(struct analysis *a, struct feed *feed, int recording);

/* Has epoll report when there is something to listen to. */
void analysis_watch(struct analysis *a, int epoll);

/* Does what it asks for, and starts it again if it has crashed. */
void analysis_listen(struct analysis *a);

/* Once a second: one that takes nothing for long is ended, and so counts as crashed. */
void analysis_tick(struct analysis *a);

/* Is there an output that wants to know how handshakes stand? */
bool analysis_has_views(struct analysis *a);

/* Passes on a message, if there is room for it. */
void analysis_tell(struct analysis *a, const struct message *m);

/* SIGHUP, and SIGUSR1. */
void analysis_reload(struct analysis *a);
void analysis_status(struct analysis *a);

/* Nothing comes any more: waits until it has ended. */
void analysis_end(struct analysis *a);

/* It has enough, or cannot go on: the run is to end. */
bool analysis_is_over(const struct analysis *a);

uint64_t analysis_crashes(const struct analysis *a);

/* The exit status that comes of it. */
int analysis_status_of(const struct analysis *a);

#endif
