/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder: a failed handshake as a sequence diagram in plain text, for a ticket.
 */
#ifndef TLSFAIL_OUTPUT_LADDER_H
#define TLSFAIL_OUTPUT_LADDER_H

#include <stdbool.h>

struct finding;
struct text;

/* Appends the diagram, each line so many columns wide at most and indented by indent. utf8: lines and
 * arrows of that character set, else ASCII. */
void ladder_add(struct text *t, const struct finding *finding, int indent, int columns, bool utf8);

#endif
