/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a running tracer takes from its configuration file anew, on SIGHUP: where findings go, and in
 * what form. All else takes a restart, and that is said.
 */
#ifndef TLSFAIL_COMMAND_RELOAD_H
#define TLSFAIL_COMMAND_RELOAD_H

#include "command/message.h"

struct options;
struct reloader;

/* options has to outlive it. NULL when out of memory. */
struct reloader *reloader_new(const struct options *options);
void reloader_free(struct reloader *r);

enum reload {
	RELOAD_NOTHING, /* everything stays as it was */
	RELOAD_REOPEN,	/* files are to be begun anew */
	RELOAD_OUTPUTS, /* other outputs are asked for */
};

/*
 * Reads the configuration again, if there is one, and says what is to be done: *outputs is then the
 * message that says which. What is wrong, or takes a restart, is said on stderr.
 */
enum reload reloader_run(struct reloader *r, struct message *outputs);

/* Is it not known yet whether they could be opened? */
bool reloader_waits(const struct reloader *r);

/* Those outputs were opened, or were not. */
void reloader_done(struct reloader *r, bool taken);

/* The message for the outputs that were taken last; false: they are those of the start. */
bool reloader_current(const struct reloader *r, struct message *outputs);

#endif
