/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts that the rule table is put together from. Only causes.c, which has their order, and the
 * parts themselves include this.
 */
#ifndef TLSFAIL_DIAGNOSE_CAUSE_ROWS_H
#define TLSFAIL_DIAGNOSE_CAUSE_ROWS_H

#include "diagnose/causes.h"
#include "tls/library.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct cause_part {
	const struct cause *rows;
	size_t count;
};

extern const struct cause_part causes_context;
extern const struct cause_part causes_verify;
extern const struct cause_part causes_peer;
extern const struct cause_part causes_silent;
extern const struct cause_part causes_clients;
extern const struct cause_part causes_server;

#endif
