/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of a process that reads ELF files and maps of processes, and what it answers: a datagram each, as it lies in
 * memory, as both are one program. The one that answers may be anybody's by then.
 */
#ifndef TLSFAIL_SYSTEM_ELFWIRE_H
#define TLSFAIL_SYSTEM_ELFWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/budget.h"
#include "system/procfs.h"

#define ELFWIRE_FILES	 4   /* that are open at a time */
#define ELFWIRE_NAME_MAX 128 /* of what is looked for, with its NUL */
#define ELFWIRE_DATA_MAX 4096

enum elf_op {
	ELF_OPEN, /* what comes with it */
	ELF_CLOSE,
	ELF_FUNCTION,
	ELF_STUB,
	ELF_LANDING_PAD, /* the offset is in index */
	ELF_IMPORTS,
	ELF_DYNAMIC_STRING,
	ELF_HAS_TEXT,
	ELF_SECTION,
	ELF_VERSION_STRING,
	ELF_STRING,
	ELF_MAPS,   /* what comes with it is /proc/PID/maps, no ELF file: so many files are in it */
	ELF_MAPPED, /* the one of them with that index, a struct elf_mapped */
	ELF_OPS,
};

/* A struct budget, of which whatever comes is one. */
struct elf_budget {
	uint64_t bytes;
	uint64_t steps;
	uint64_t deadline_ns;
	uint32_t over;
	uint32_t given; /* 0: there is none */
};

struct elf_request {
	uint32_t op;
	uint32_t file; /* below ELFWIRE_FILES */
	uint32_t size; /* of what is wanted, ELFWIRE_DATA_MAX at most */
	uint32_t pad;
	struct elf_budget budget;
	int64_t tag;
	uint64_t index;
	char name[ELFWIRE_NAME_MAX];
};

struct elf_reply {
	int32_t err; /* what the function of elf.h returns, or 1 and 0 for true and false */
	uint32_t len;
	struct elf_budget left;
	uint64_t offset;
	uint8_t data[ELFWIRE_DATA_MAX];
};

/* A file that a process has mapped, and behind it the path, with its NUL. */
struct elf_mapped {
	uint64_t start;
	uint64_t end;
	uint64_t dev;
	uint64_t ino;
	uint64_t executable; /* 1 */
};

/* Writes it into a reply, the path cut if it is too long for that; reads it: path points into reply then. False: it
 * is none. */
void elfwire_mapped_write(const struct mapped_file *file, struct elf_reply *reply);
bool elfwire_mapped_read(struct elf_reply *reply, struct mapped_file *file);

/* Is what came, of len bytes, a request; is it a reply, to a question for size bytes? */
bool elfwire_is_request(const struct elf_request *request, size_t len);
bool elfwire_is_reply(const struct elf_reply *reply, size_t len, uint32_t size);

/* How much of a reply is sent. */
size_t elfwire_reply_len(const struct elf_reply *reply);

/* A budget, NULL: none, as it is sent; and as it is when it has come. */
struct elf_budget elfwire_budget(const struct budget *budget);
struct budget elfwire_budget_read(const struct elf_budget *budget);

/* Takes what was used, as a reply says. It cannot give back. */
void elfwire_budget_take(struct budget *budget, const struct elf_budget *left);

#endif
