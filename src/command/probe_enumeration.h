/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer accepts, as text and as JSON.
 */
#ifndef TLSFAIL_COMMAND_PROBE_ENUMERATION_H
#define TLSFAIL_COMMAND_PROBE_ENUMERATION_H

#include "base/json.h"
#include "base/text.h"
#include "probe/enumerate.h"

void probe_enumeration_text(struct text *t, const struct enumeration *e);
void probe_enumeration_json(struct jsonout *j, const struct enumeration *e);

#endif
