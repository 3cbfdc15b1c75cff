/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Apache as a kind of program: its words. Pure.
 */
#ifndef TLSFAIL_PROGRAM_APACHE_APACHE_H
#define TLSFAIL_PROGRAM_APACHE_APACHE_H

#include "program/program.h"

extern const struct program program_apache;

#endif
