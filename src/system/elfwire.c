// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is sent lies in memory as it is: what is checked here is all that is believed.
 */
#include "system/elfwire.h"

#include <string.h>

#define REPLY_HEAD (sizeof(struct elf_reply) - ELFWIRE_DATA_MAX)
#define ERRNO_MAX  4095

_Static_assert(offsetof(struct elf_reply, data) == REPLY_HEAD, "data is the end of it");

bool elfwire_is_request(const struct elf_request *request, size_t len)
{
	return len == sizeof(*request) && request->op < ELF_OPS && request->file < ELFWIRE_FILES &&
	       request->size <= ELFWIRE_DATA_MAX &&
	       memchr(request->name, '\0', sizeof(request->name));
}

size_t elfwire_reply_len(const struct elf_reply *reply)
{
	return REPLY_HEAD + reply->len;
}

bool elfwire_is_reply(const struct elf_reply *reply, size_t len, uint32_t size)
{
	return len >= REPLY_HEAD && reply->len <= size && len == elfwire_reply_len(reply) &&
	       reply->err <= 1 && reply->err >= -ERRNO_MAX;
}

void elfwire_mapped_write(const struct mapped_file *file, struct elf_reply *reply)
{
	const struct elf_mapped mapped = { file->start, file->end, file->dev, file->ino,
					   file->executable };
	size_t len = strnlen(file->path, sizeof(reply->data) - sizeof(mapped) - 1);

	memcpy(reply->data, &mapped, sizeof(mapped));
	memcpy(reply->data + sizeof(mapped), file->path, len);
	reply->data[sizeof(mapped) + len] = '\0';
	reply->len = (uint32_t)(sizeof(mapped) + len + 1);
}

bool elfwire_mapped_read(struct elf_reply *reply, struct mapped_file *file)
{
	struct elf_mapped mapped;
	char *path = (char *)reply->data + sizeof(mapped);

	if (reply->len <= sizeof(mapped))
		return false;
	memcpy(&mapped, reply->data, sizeof(mapped));
	if (path[0] != '/' ||
	    memchr(path, '\0', reply->len - sizeof(mapped)) != reply->data + reply->len - 1)
		return false;
	*file = (struct mapped_file){
		.start = mapped.start,
		.end = mapped.end,
		.dev = (dev_t)mapped.dev,
		.ino = (ino_t)mapped.ino,
		.executable = mapped.executable != 0,
		.path = path,
	};
	return true;
}

struct elf_budget elfwire_budget(const struct budget *budget)
{
	if (!budget)
		return (struct elf_budget){ 0 };
	return (struct elf_budget){
		.bytes = budget->bytes,
		.steps = budget->steps,
		.deadline_ns = budget->deadline_ns,
		.over = budget->over,
		.given = 1,
	};
}

struct budget elfwire_budget_read(const struct elf_budget *budget)
{
	return (struct budget){
		.bytes = budget->bytes,
		.steps = budget->steps,
		.deadline_ns = budget->deadline_ns,
		.over = budget->over,
	};
}

void elfwire_budget_take(struct budget *budget, const struct elf_budget *left)
{
	if (left->bytes < budget->bytes)
		budget->bytes = left->bytes;
	if (left->steps < budget->steps)
		budget->steps = left->steps;
	budget->over |= left->over != 0;
}
