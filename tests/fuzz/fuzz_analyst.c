// SPDX-License-Identifier: BSD-2-Clause
/*
 * What reaches the analyst beside records: messages of the collector (input 'm') and answers about files
 * (input 'f').
 */
#include <string.h>

#include "command/message.h"
#include "fuzz.h"
#include "system/fileswire.h"

static struct message message;
static struct files_reply reply;
static uint8_t written[MESSAGE_MAX];

static void outputs_check(void)
{
	const struct message_outputs *o = &message.outputs;

	FUZZ_ASSERT(o->count > 0 && o->count <= OUTPUTS_MAX);
	for (size_t i = 0; i < o->count; i++)
		FUZZ_ASSERT(o->specs[i] >= o->words &&
			    o->specs[i] + strlen(o->specs[i]) < o->words + sizeof(o->words));
}

static void message_check(const uint8_t *data, size_t size)
{
	if (!message_read(data, size, &message))
		return;
	if (message.type == MESSAGE_OUTPUTS)
		outputs_check();
	if (message.type == MESSAGE_FIGURES)
		FUZZ_ASSERT(message.figures.probes.count <= PROBE_RUNS_MAX);
	if (message.type == MESSAGE_RECORD)
		FUZZ_ASSERT(message.record.len <= sizeof(message.record.data));
	FUZZ_ASSERT(message_write(&message, written) == size);
}

static void reply_check(const uint8_t *data, size_t size)
{
	if (!fileswire_reply_read(data, size, &reply))
		return;
	FUZZ_ASSERT(reply.err <= 0 && reply.parent >= 0);
	FUZZ_ASSERT(reply.data_len <= sizeof(reply.data));
	FUZZ_ASSERT(fileswire_reply_write(&reply, written) == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == 'm')
		message_check(data + 1, size - 1);
	else if (size && data[0] == 'f')
		reply_check(data + 1, size - 1);
	return 0;
}
