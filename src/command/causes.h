/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail causes: the rule table for people.
 */
#ifndef TLSFAIL_COMMAND_CAUSES_H
#define TLSFAIL_COMMAND_CAUSES_H

struct options;

/* Prints every cause, or the one that options name. Returns the exit status. */
int listing_run(const struct options *options);

#endif
