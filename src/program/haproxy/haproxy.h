/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAProxy as a kind of program: its words. Pure.
 */
#ifndef TLSFAIL_PROGRAM_HAPROXY_HAPROXY_H
#define TLSFAIL_PROGRAM_HAPROXY_HAPROXY_H

#include "program/program.h"

extern const struct program program_haproxy;

#endif
