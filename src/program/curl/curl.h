/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curl as a kind of program: its words. Pure.
 */
#ifndef TLSFAIL_PROGRAM_CURL_CURL_H
#define TLSFAIL_PROGRAM_CURL_CURL_H

#include "program/program.h"

extern const struct program program_curl;

#endif
