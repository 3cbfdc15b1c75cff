/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-only inspection of an ELF executable or shared library: where in the file a function, or
 * the object's own call stub of an imported function, begins. That file offset, not an address,
 * is what a uprobe is attached to. The file is untrusted: anything may be wrong with it. So a process that has
 * privileges has another one read it, see elf_ask().
 */
#ifndef TLSFAIL_SYSTEM_ELF_H
#define TLSFAIL_SYSTEM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct elf_file;
struct mapped_files;

/* Has a process read ELF files for whoever asks over the socket fd, which stays the caller's: see
 * elfserver.h. A negative errno on failure. */
typedef int (*elf_reader_fn)(void *context, int fd);

/* From now on files are not read here, but by processes that begin() gets; with NULL they are again. */
void elf_ask(elf_reader_fn begin, void *context);

/* The next file that this thread opens is read by a process that has read no file before: what it says is not
 * that of one that another file has taken over. Without elf_ask() there is none, and nothing happens. */
void elf_ask_another(void);

/* Does the file begin as elf_file_open() wants it? 0, or its negative errno. Looked at here. */
int elf_header_check(int fd);

/*
 * Opens fd, a regular file, as ELF. fd is borrowed: it must stay open, and is the caller's to
 * close, after elf_file_close(). What is read is taken from budget, which may be NULL and must live
 * as long as *file; when that is over, nothing more is found. On success *file is the caller's.
 * -ENOEXEC: not ELF, or neither an executable nor a shared library; -ENOTSUP: for another word
 * size, byte order or machine than this program; -ENOMEM; -EIO: who was to read it does not answer, and
 * budget is over.
 */
int elf_file_open(int fd, struct budget *budget, struct elf_file **file);

/*
 * What the process has mapped whose /proc/PID is dir, with the paths, which it has chosen: read by whom elf_ask()
 * got. A negative errno on failure; files is to be freed even then.
 */
int elf_mapped_files(int dir, struct mapped_files *files);

/* Frees file. NULL is allowed. */
void elf_file_close(struct elf_file *file);

/*
 * The offset in the file of a function that this object defines: .dynsym first, then .symtab. Of
 * several versions of one name the default one. An indirect function (IFUNC) is not found: its
 * symbol is that of the resolver.
 * -ENOENT: no such function.
 */
int elf_file_function(struct elf_file *file, const char *name, uint64_t *offset);

/*
 * The offset in the file of this object's own call stub (PLT entry) of an imported function: it is
 * hit when this object calls the function, and not when others do.
 * -ENOENT: not imported, or this object was built without a PLT.
 */
int elf_file_stub(struct elf_file *file, const char *name, uint64_t *offset);

/*
 * Where a probe is put on the function, or stub, at that offset of the file: behind the landing pad
 * (endbr64) of one that was built for CET. The kernel has to single-step that, at ten times the cost of the
 * push behind it, which it emulates. Nothing has happened by then: arguments are in their registers, and the
 * return address is where a return probe looks for it.
 */
uint64_t elf_file_past_landing_pad(struct elf_file *file, uint64_t offset);

/* Does this object import name, a function or a variable? */
bool elf_file_imports(struct elf_file *file, const char *name);

/*
 * Copies the index-th string of a tag in the dynamic section: DT_NEEDED or DT_SONAME (<elf.h>); ""
 * for one that buf cannot hold. False when there are fewer.
 */
bool elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index, char *buf,
			     size_t size);

/* Does the object's read-only data contain text? */
bool elf_file_has_text(struct elf_file *file, const char *text);

/* Copies the beginning of the first section whose name begins with name, up to 7 characters. Returns
 * how much; 0: there is none. */
size_t elf_file_section(struct elf_file *file, const char *name, void *buf, size_t size);

/*
 * Copies the first text in the read-only data that begins with prefix and a digit, up to the
 * first character that is not printable ASCII and as far as buf holds it, terminated: with the
 * prefix "OpenSSL " for example "OpenSSL 3.0.19 27 Jan 2026". size must be at least 1.
 * -ENOENT: there is none.
 */
int elf_file_version_string(struct elf_file *file, const char *prefix, char *buf, size_t size);

/* The same for a prefix that anything may follow; of a text longer than 8 KiB not all may be
 * copied. */
int elf_file_string(struct elf_file *file, const char *prefix, char *buf, size_t size);

#endif
