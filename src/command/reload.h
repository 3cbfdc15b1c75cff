/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a running tracer takes from its configuration file anew, on SIGHUP: where findings go, and in
 * what form. All else takes a restart, and that is said.
 */
#ifndef TLSFAIL_COMMAND_RELOAD_H
#define TLSFAIL_COMMAND_RELOAD_H

struct options;
struct outputs;
struct pipeline;
struct reloader;

/* options has to outlive it. NULL when out of memory. */
struct reloader *reloader_new(const struct options *options);
void reloader_free(struct reloader *r);

/*
 * Reads the configuration again. If it asks for other outputs, they take the place of *outputs, which
 * are closed, in the pipeline; otherwise files are only begun anew. When anything is wrong with the
 * new ones, the old ones stay. One line on stderr says what was done, or what is wrong.
 */
void reloader_run(struct reloader *r, struct pipeline *pipeline, struct outputs **outputs);

#endif
