// SPDX-License-Identifier: BSD-2-Clause
/*
 * What reaches those with privileges from the analyst, who may be anybody: messages to the collector
 * (input 'm'), questions about files (input 'f'), what it writes into the queue that both share (input
 * 'q'), and files in which private keys are looked for (input 'k'); and from who reads ELF files (input 'e').
 */
#include <stdlib.h>
#include <string.h>

#include "command/message.h"
#include "fuzz.h"
#include "system/elfwire.h"
#include "system/fileswire.h"
#include "system/keyblank.h"
#include "system/recqueue.h"

#define LEN_MAX	  64
#define STEPS_MAX 64
#define BYTES	  (2UL * RECQUEUE_HISTORY * LEN_MAX)

static struct message message;
static struct files_request request, again;
static uint8_t written[FILESWIRE_MAX];

static void message_check(const uint8_t *data, size_t size)
{
	if (!message_read(data, size, &message))
		return;
	FUZZ_ASSERT(message.type < MESSAGE_TYPES);
	if (message.type == MESSAGE_PEERS)
		FUZZ_ASSERT(message.peers.count <= MESSAGE_PEERS_MAX);
}

static void request_check(const uint8_t *data, size_t size)
{
	size_t len;

	if (!fileswire_request_read(data, size, &request))
		return;
	FUZZ_ASSERT(request.op < FILES_OPS && request.pid >= 0);
	FUZZ_ASSERT(memchr(request.path, '\0', sizeof(request.path)));
	FUZZ_ASSERT(request.data_len <= sizeof(request.data));
	len = fileswire_request_write(&request, written);
	FUZZ_ASSERT(len == size && !memcmp(written, data, len));
	FUZZ_ASSERT(fileswire_request_read(written, len, &again));
}

static void elf_check(const uint8_t *data, size_t size)
{
	static struct elf_reply elf;
	struct mapped_file mapped;
	struct budget budget = { .bytes = 1000, .steps = 10 };
	size_t len = size < sizeof(elf) ? size : sizeof(elf);

	memcpy(&elf, data, len);
	if (!elfwire_is_reply(&elf, len, 100))
		return;
	FUZZ_ASSERT(elf.len <= 100 && elf.err <= 1);
	if (elfwire_mapped_read(&elf, &mapped))
		FUZZ_ASSERT(mapped.path[0] == '/' && strlen(mapped.path) < elf.len);
	elfwire_budget_take(&budget, &elf.left);
	FUZZ_ASSERT(budget.bytes <= 1000 && budget.steps <= 10);
}

/* The side that takes does anything: counts what it has not taken, and goes on. */
static void queue_check(const uint8_t *data, size_t size)
{
	struct recqueue *queue = NULL;
	uint8_t copy[LEN_MAX];
	size_t len;

	if (recqueue_new(BYTES, LEN_MAX, &queue))
		abort();
	for (size_t i = 0; i < size && i < STEPS_MAX; i++) {
		for (int done = 0; done < data[i] >> 4; done++)
			recqueue_done(queue);
		if (data[i] & 1)
			recqueue_put(queue, data, size < LEN_MAX ? size : LEN_MAX);
		if (data[i] & 2)
			recqueue_skip(queue);
		FUZZ_ASSERT(recqueue_taken(queue) <= recqueue_put_count(queue));
		for (uint64_t n = 0; n < recqueue_put_count(queue); n += 7) {
			const void *kept = recqueue_kept(queue, n, &len);

			FUZZ_ASSERT(!kept || len <= LEN_MAX);
			if (kept)
				memcpy(copy, kept, len);
		}
	}
	recqueue_free(queue);
}

static void key_check(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	keyblank(text, size);
	/* what is left has none any more */
	FUZZ_ASSERT(!keyblank(text, size));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0]) {
	case 'm':
		message_check(data + 1, size - 1);
		break;
	case 'f':
		request_check(data + 1, size - 1);
		break;
	case 'e':
		elf_check(data + 1, size - 1);
		break;
	case 'q':
		queue_check(data + 1, size - 1);
		break;
	case 'k':
		key_check(data + 1, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
