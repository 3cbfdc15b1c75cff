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

/*
 * Opens fd, a regular file, as ELF. fd is borrowed: it must stay open, and is the caller's to
 * close, after elf_parsed_close(). What is read is taken from budget, which may be NULL and must live
 * as long as *file; when that is over, nothing more is found. On success *file is the caller's.
 * -ENOEXEC: not ELF, or neither an executable nor a shared library; -ENOTSUP: for another word
 * size, byte order or machine than this program; -ENOMEM.
 */
int elf_parsed_open(int fd, struct budget *budget, struct elf_parsed **file);

/* Frees file. NULL is allowed. */
void elf_parsed_close(struct elf_parsed *file);

/*
 * The offset in the file of a function that this object defines: .dynsym first, then .symtab. Of
 * several versions of one name the default one. An indirect function (IFUNC) is not found: its
 * symbol is that of the resolver.
 * -ENOENT: no such function.
 */
int elf_parsed_function(struct elf_parsed *file, const char *name, uint64_t *offset);

/*
 * The offset in the file of this object's own call stub (PLT entry) of an imported function: it is
 * hit when this object calls the function, and not when others do.
 * -ENOENT: not imported, or this object was built without a PLT.
 */
int elf_parsed_stub(struct elf_parsed *file, const char *name, uint64_t *offset);

uint64_t elf_parsed_past_landing_pad(struct elf_parsed *file, uint64_t offset);

/* Does this object import name, a function or a variable? */
bool elf_parsed_imports(struct elf_parsed *file, const char *name);

/*
 * Copies the index-th string of a tag in the dynamic section: DT_NEEDED or DT_SONAME (<elf.h>); ""
 * for one that buf cannot hold. False when there are fewer.
 */
bool elf_parsed_dynamic_string(struct elf_parsed *file, int64_t tag, size_t index, char *buf,
			       size_t size);

/* Does the object's read-only data contain text? */
bool elf_parsed_has_text(struct elf_parsed *file, const char *text);

/* Copies the beginning of the first section whose name begins with name, up to 7 characters. Returns
 * how much; 0: there is none. */
size_t elf_parsed_section(struct elf_parsed *file, const char *name, void *buf, size_t size);

/*
 * Copies the first text in the read-only data that begins with prefix and a digit, up to the
 * first character that is not printable ASCII and as far as buf holds it, terminated: with the
 * prefix "OpenSSL " for example "OpenSSL 3.0.19 27 Jan 2026". size must be at least 1.
 * -ENOENT: there is none.
 */
int elf_parsed_version_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size);

/* The same for a prefix that anything may follow; of a text longer than 8 KiB not all may be
 * copied. */
int elf_parsed_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size);

/*
 * Decodes one PLT entry: the len bytes that stand at address in an object for machine (EM_X86_64
 * or EM_AARCH64). *slot becomes the address of the GOT slot through which it jumps. False when
 * these are not the bytes of a PLT entry.
 */
bool elf_plt_entry_slot(uint16_t machine, const uint8_t *bytes, size_t len, uint64_t address,
			uint64_t *slot);

#endif
