/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What elf.h answers, from the bytes of the file. It may be anybody's: anything may be wrong with it.
 */
#ifndef TLSFAIL_SYSTEM_ELFPARSE_H
#define TLSFAIL_SYSTEM_ELFPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct elf_parsed;

/* Each does what the function of system/elf.h does that has its name, in this process: see there for what it
 * takes, gives and fails with. The budget may be NULL, and there is no -EIO. */
int elf_parsed_open(int fd, struct budget *budget, struct elf_parsed **file);
void elf_parsed_close(struct elf_parsed *file);
int elf_parsed_function(struct elf_parsed *file, const char *name, uint64_t *offset);
int elf_parsed_stub(struct elf_parsed *file, const char *name, uint64_t *offset);
uint64_t elf_parsed_past_landing_pad(struct elf_parsed *file, uint64_t offset);
bool elf_parsed_imports(struct elf_parsed *file, const char *name);
bool elf_parsed_dynamic_string(struct elf_parsed *file, int64_t tag, size_t index, char *buf,
			       size_t size);
bool elf_parsed_has_text(struct elf_parsed *file, const char *text);
size_t elf_parsed_section(struct elf_parsed *file, const char *name, void *buf, size_t size);
int elf_parsed_version_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size);
int elf_parsed_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size);

/*
 * Decodes one PLT entry: the len bytes that stand at address in an object for machine (EM_X86_64
 * or EM_AARCH64). *slot becomes the address of the GOT slot through which it jumps. False when
 * these are not the bytes of a PLT entry.
 */
bool elf_plt_entry_slot(uint16_t machine, const uint8_t *bytes, size_t len, uint64_t address,
			uint64_t *slot);

#endif
