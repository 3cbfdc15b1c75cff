/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process between the collector and the analyst: forked before the collector has threads or BPF, it
 * starts the analyst, says how that ended, and has files opened for it, by a process for each thread that
 * asks. It reads none of them.
 */
#ifndef TLSFAIL_COMMAND_KEEPER_H
#define TLSFAIL_COMMAND_KEEPER_H

#include <stdbool.h>

#include "command/analyst.h"
#include "command/message.h"
#include "target/target.h"

struct keeper;

struct keeper_options {
	const struct analyst_options *analyst; /* but for its sockets */
	const struct target_set *targets;
};

/* Starts the process. What options point to has to outlive *out, which is the caller's to keeper_close().
 * A negative errno on failure. */
int keeper_start(const struct keeper_options *options, struct keeper **out);

/* Ends it, and the analyst with it. */
void keeper_close(struct keeper *keeper);

/* Which analyst is to be started. */
enum keeper_start {
	KEEPER_FIRST,
	KEEPER_AGAIN,  /* after another, whose counts it goes on with */
	KEEPER_AFRESH, /* after another, whose counts may be what it crashed on: it begins anew */
};

/* Has it start an analyst: *control is the socket to that, the caller's to close. A negative errno on
 * failure. */
int keeper_launch(struct keeper *keeper, enum keeper_start start, int *control);

/* Gives it the recording that analysts write to. */
int keeper_give_recording(struct keeper *keeper, int fd);

/* Has a process without privileges read ELF files for whoever has the other end of the socket fd, which stays
 * the caller's: see elf_ask(). May be called in any thread. A negative errno on failure. */
int keeper_read_elf(struct keeper *keeper, int fd);

/* From now on these outputs are opened, and no others. */
int keeper_allow(struct keeper *keeper, const struct message *outputs);

/* Ends the analyst. */
void keeper_kill(struct keeper *keeper);

/* Ends one that has not come back from a record for KEEPER_HUNG_S, unless somebody has stopped it. */
#define KEEPER_HUNG_S 30
void keeper_hung(struct keeper *keeper);

/* Readable when there is something for keeper_ended(). */
int keeper_fd(const struct keeper *keeper);

/* Has the analyst ended? 1: *status is that of waitpid(2); 0: no; -EPIPE: the keeper is gone. */
int keeper_ended(struct keeper *keeper, int *status);

#endif
