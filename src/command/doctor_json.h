/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of doctor as one JSON object. A key is absent when its fact is unknown.
 */
#ifndef TLSFAIL_COMMAND_DOCTOR_JSON_H
#define TLSFAIL_COMMAND_DOCTOR_JSON_H

#include <stdio.h>

struct checkup;

/* Writes the object and a newline. -ENOMEM, or a negative errno of writing. */
int doctor_json_print(const struct checkup *checkup, FILE *file);

#endif
