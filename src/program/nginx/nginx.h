/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx as a kind of program: its words, its directives. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_NGINX_H
#define TLSFAIL_PROGRAM_NGINX_NGINX_H

#include "program/program.h"

extern const struct program program_nginx;

#endif
