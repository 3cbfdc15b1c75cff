/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read in pieces of one size, whatever sizes the file claims, and never mapped: a file that somebody
 * truncates while we look at it gives short reads, not SIGBUS. Nothing is kept but the headers, of
 * which there are at most so many as a linker makes.
 */
#define _GNU_SOURCE /* memmem() */
#include "system/elfparse.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/budget.h"
#include "system/elf.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#error "call stubs are known for x86-64 and arm64 only"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define VERSYM_HIDDEN 0x8000 /* in .gnu.version: not the default version of its name */

#define PIECE	   65536
#define PIECE_TAIL 8192 /* what is searched for, or copied, is shorter */

/* Linked files have some 40 sections and 15 segments; those of a debug build of nginx with BoringSSL
 * have 46. Of more, the rest is not looked at. */
#define SECTIONS_MAX 1024
#define SEGMENTS_MAX 64
#define DYNAMIC_MAX  4096

/* The tables of the largest programs that are known to link TLS statically (Envoy, node, with all
 * symbols) have some 300 MiB. */
#define TABLE_BYTES_MAX (512ULL << 20)

/* Symbols of one name: its versions. */
#define MATCHES_MAX 64

struct section {
	uint32_t type;
	uint32_t link;
	uint64_t flags;
	uint64_t address;
	uint64_t offset;
	uint64_t size;
	char name[8]; /* its beginning, of what holds code or data */
};

struct segment {
	uint64_t address;
	uint64_t offset;
	uint64_t size; /* in the file */
};

struct elf_parsed {
	int fd;
	struct budget *budget; /* the caller's, or NULL */
	uint64_t size;
	uint16_t machine;
	size_t section_count;
	struct section *sections;
	size_t code_count;
	struct segment code[SEGMENTS_MAX]; /* executable */
	Elf64_Dyn *dynamic;		   /* NULL: not read yet, or there is none */
	size_t dynamic_count;
	char piece[PIECE + PIECE_TAIL];
};

/* ---- Open and close ------------------------------------------------------------------------ */

/* How many of the bytes were there. */
static size_t file_read(struct elf_parsed *file, uint64_t offset, void *buf, size_t len)
{
	ssize_t got;

	if (offset >= file->size || !budget_take(file->budget, len))
		return 0;
	if (len > file->size - offset)
		len = (size_t)(file->size - offset);
	got = pread(file->fd, buf, len, (off_t)offset);
	return got < 0 ? 0 : (size_t)got;
}

static int header_read(struct elf_parsed *file, Elf64_Ehdr *header)
{
	size_t got = file_read(file, 0, header, sizeof(*header));

	if (got < EI_NIDENT || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != HOST_DATA)
		return -ENOTSUP;
	if (got < sizeof(*header) || (header->e_type != ET_DYN && header->e_type != ET_EXEC))
		return -ENOEXEC;
	if (header->e_machine != HOST_MACHINE)
		return -ENOTSUP;
	file->machine = header->e_machine;
	return 0;
}

static void segments_read(struct elf_parsed *file, const Elf64_Ehdr *header)
{
	Elf64_Phdr headers[SEGMENTS_MAX];
	size_t count = header->e_phnum < SEGMENTS_MAX ? header->e_phnum : SEGMENTS_MAX;

	if (header->e_phentsize != sizeof(headers[0]))
		return;
	count = file_read(file, header->e_phoff, headers, count * sizeof(headers[0])) /
		sizeof(headers[0]);
	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == PT_LOAD && headers[i].p_flags & PF_X)
			file->code[file->code_count++] =
				(struct segment){ headers[i].p_vaddr, headers[i].p_offset,
						  headers[i].p_filesz };
}

/* The names of sections that hold code or data: those of the others do not matter. */
static void section_names_read(struct elf_parsed *file, const Elf64_Shdr *headers, size_t names)
{
	for (size_t i = 0; i < file->section_count; i++) {
		struct section *s = &file->sections[i];

		if (s->type == SHT_PROGBITS && headers[i].sh_name < headers[names].sh_size)
			(void)file_read(file, headers[names].sh_offset + headers[i].sh_name,
					s->name, sizeof(s->name));
	}
}

/* A file without section headers is valid: it has no symbols then. */
static int sections_read(struct elf_parsed *file, const Elf64_Ehdr *header)
{
	Elf64_Shdr *headers = (Elf64_Shdr *)file->piece;
	size_t count = header->e_shnum < SECTIONS_MAX ? header->e_shnum : SECTIONS_MAX;

	_Static_assert(SECTIONS_MAX * sizeof(Elf64_Shdr) <= PIECE, "all headers are one piece");
	if (header->e_shentsize != sizeof(headers[0]))
		return 0;
	count = file_read(file, header->e_shoff, headers, count * sizeof(headers[0])) /
		sizeof(headers[0]);
	file->sections = calloc(count + 1, sizeof(*file->sections));
	if (!file->sections)
		return -ENOMEM;
	file->section_count = count;
	for (size_t i = 0; i < count; i++)
		file->sections[i] = (struct section){
			.type = headers[i].sh_type,
			.link = headers[i].sh_link,
			.flags = headers[i].sh_flags,
			.address = headers[i].sh_addr,
			.offset = headers[i].sh_offset,
			.size = headers[i].sh_size,
		};
	if (header->e_shstrndx < count)
		section_names_read(file, headers, header->e_shstrndx);
	return 0;
}

static int parsed_begin(int fd, struct budget *budget, Elf64_Ehdr *header, struct elf_parsed **file)
{
	struct elf_parsed *f;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->budget = budget;
	f->size = (uint64_t)st.st_size;
	err = header_read(f, header);
	if (err)
		elf_parsed_close(f);
	else
		*file = f;
	return err;
}

int elf_header_check(int fd)
{
	Elf64_Ehdr header = { 0 };
	struct elf_parsed *f = NULL;
	int err = parsed_begin(fd, NULL, &header, &f);

	elf_parsed_close(f);
	return err;
}

int elf_parsed_open(int fd, struct budget *budget, struct elf_parsed **file)
{
	Elf64_Ehdr header = { 0 };
	struct elf_parsed *f = NULL;
	int err = parsed_begin(fd, budget, &header, &f);

	if (err)
		return err;
	segments_read(f, &header);
	err = sections_read(f, &header);
	if (err)
		elf_parsed_close(f);
	else
		*file = f;
	return err;
}

void elf_parsed_close(struct elf_parsed *file)
{
	if (!file)
		return;
	free(file->sections);
	free(file->dynamic);
	free(file);
}

/* ---- Sections ------------------------------------------------------------------------------ */

static const struct section *section_of_type(const struct elf_parsed *file, uint32_t type)
{
	for (size_t i = 0; i < file->section_count; i++)
		if (file->sections[i].type == type)
			return &file->sections[i];
	return NULL;
}

/* A walk over the sections with contents whose name begins with name. Begins at 0. */
struct section_walk {
	const struct elf_parsed *file;
	const char *name;
	size_t next;
	uint64_t walked; /* bytes */
};

static const struct section *section_walk_next(struct section_walk *walk)
{
	while (walk->next < walk->file->section_count) {
		const struct section *s = &walk->file->sections[walk->next++];

		if (s->type != SHT_PROGBITS || s->size > TABLE_BYTES_MAX ||
		    strncmp(s->name, walk->name, strlen(walk->name)) != 0)
			continue;
		/* Sections do not overlap, so together they are not longer than the file: one that
		 * was made to keep us busy may say otherwise. */
		if (s->size > walk->file->size - walk->walked)
			return NULL;
		walk->walked += s->size;
		return s;
	}
	return NULL;
}

/* A walk over the entries of a table, all of one size. */
struct table_walk {
	struct elf_parsed *file;
	uint64_t offset; /* of what is to be read next */
	uint64_t left;	 /* of the section, not yet read */
	size_t entry;	 /* size of one */
	size_t at;	 /* in the piece */
	size_t have;
};

static struct table_walk table_walk_begin(struct elf_parsed *file, const struct section *section,
					  size_t entry)
{
	return (struct table_walk){
		.file = file,
		.offset = section->offset,
		.left = section->size <= TABLE_BYTES_MAX ? section->size : 0,
		.entry = entry,
	};
}

/* Copies the next entry; false when there is none. The walk has the file's piece for itself. */
static bool table_walk_next(struct table_walk *walk, void *entry)
{
	if (walk->have - walk->at < walk->entry) {
		size_t want = PIECE - PIECE % walk->entry;

		if (want > walk->left)
			want = (size_t)walk->left;
		walk->at = 0;
		walk->have = file_read(walk->file, walk->offset, walk->file->piece, want);
		walk->offset += walk->have;
		walk->left = walk->have < want ? 0 : walk->left - want;
		if (walk->have < walk->entry)
			return false;
	}
	memcpy(entry, walk->file->piece + walk->at, walk->entry);
	walk->at += walk->entry;
	return true;
}

/* ---- Searching for text --------------------------------------------------------------------- */

/* Is the occurrence, of which left bytes can be read, what is looked for? offset is from the
 * beginning of the section. */
typedef bool (*occurrence_fn)(const char *at, size_t left, uint64_t offset, void *context);

/* Searches a section, a piece at a time: an executable's data may be large. */
static bool section_search(struct elf_parsed *file, const struct section *section, const void *text,
			   size_t len, occurrence_fn is_it, void *context)
{
	uint64_t base;

	for (base = 0; base < section->size; base += PIECE) {
		size_t want = PIECE + PIECE_TAIL, got;
		const char *at, *end;

		if (want > section->size - base)
			want = (size_t)(section->size - base);
		got = file_read(file, section->offset + base, file->piece, want);
		end = file->piece + got;
		at = memmem(file->piece, got, text, len);
		while (at && at < file->piece + PIECE) {
			if (is_it(at, (size_t)(end - at), base + (uint64_t)(at - file->piece),
				  context))
				return true;
			at = memmem(at + 1, (size_t)(end - at - 1), text, len);
		}
		if (got < want)
			break;
	}
	return false;
}

/* ---- Symbols ------------------------------------------------------------------------------- */

/* Through the segments, as the loader does: sections may be gone or may lie. */
static int code_offset(const struct elf_parsed *file, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < file->code_count; i++) {
		const struct segment *s = &file->code[i];
		uint64_t within = address - s->address;

		if (address < s->address || within >= s->size)
			continue;
		if (s->offset >= file->size || within >= file->size - s->offset)
			return -ENOENT;
		*offset = s->offset + within;
		return 0;
	}
	return -ENOENT;
}

/* Numbers that a valid file has few of: places of a name in a string table, symbols, addresses. */
struct matches {
	uint64_t items[MATCHES_MAX];
	size_t count;
};

static bool matches_contain(const struct matches *matches, uint64_t item)
{
	for (size_t i = 0; i < matches->count; i++)
		if (matches->items[i] == item)
			return true;
	return false;
}

static void matches_add(struct matches *matches, uint64_t item)
{
	if (matches->count < MATCHES_MAX)
		matches->items[matches->count++] = item;
}

static bool occurrence_note(const char *at, size_t left, uint64_t offset, void *context)
{
	struct matches *matches = context;

	(void)at;
	(void)left;
	matches_add(matches, offset);
	return matches->count == MATCHES_MAX;
}

/* Where the name can stand in the string table of a symbol table: also at the end of a longer one,
 * as linkers let names share their tails. */
static void names_find(struct elf_parsed *file, const struct section *symbols, const char *name,
		       struct matches *places)
{
	const struct section *names;

	places->count = 0;
	if (!*name || symbols->link >= file->section_count)
		return;
	names = &file->sections[symbols->link];
	if (names->size <= TABLE_BYTES_MAX)
		(void)section_search(file, names, name, strlen(name) + 1, occurrence_note, places);
}

/* Is the index-th symbol of .dynsym not the default version of its name? */
static bool symbol_is_hidden(struct elf_parsed *file, uint64_t index)
{
	const struct section *versions = section_of_type(file, SHT_GNU_versym);
	uint16_t version;

	return versions && index < versions->size / sizeof(version) &&
	       file_read(file, versions->offset + index * sizeof(version), &version,
			 sizeof(version)) == sizeof(version) &&
	       version & VERSYM_HIDDEN;
}

static int symbols_find_function(struct elf_parsed *file, uint32_t table, const char *name,
				 uint64_t *address)
{
	const struct section *section = section_of_type(file, table);
	struct matches places;
	struct table_walk walk;
	Elf64_Sym symbol;
	int err = -ENOENT;
	size_t found = 0;

	if (!section)
		return err;
	names_find(file, section, name, &places);
	walk = table_walk_begin(file, section, sizeof(symbol));
	for (uint64_t i = 0; places.count && table_walk_next(&walk, &symbol); i++) {
		if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
		    !matches_contain(&places, symbol.st_name))
			continue;
		*address = symbol.st_value;
		err = 0;
		if (table != SHT_DYNSYM || !symbol_is_hidden(file, i) || ++found == MATCHES_MAX)
			break;
	}
	return err;
}

int elf_parsed_function(struct elf_parsed *file, const char *name, uint64_t *offset)
{
	uint64_t address;

	if (symbols_find_function(file, SHT_DYNSYM, name, &address) &&
	    symbols_find_function(file, SHT_SYMTAB, name, &address))
		return -ENOENT;
	return code_offset(file, address, offset);
}

/* The indices in .dynsym of what is imported by that name: of a valid file, one. */
static void imports_find(struct elf_parsed *file, const char *name, struct matches *imports)
{
	const struct section *section = section_of_type(file, SHT_DYNSYM);
	struct matches places;
	struct table_walk walk;
	Elf64_Sym symbol;

	imports->count = 0;
	if (!section)
		return;
	names_find(file, section, name, &places);
	walk = table_walk_begin(file, section, sizeof(symbol));
	for (uint64_t i = 0; places.count && table_walk_next(&walk, &symbol); i++)
		if (symbol.st_shndx == SHN_UNDEF && matches_contain(&places, symbol.st_name))
			matches_add(imports, i);
}

bool elf_parsed_imports(struct elf_parsed *file, const char *name)
{
	struct matches imports;

	imports_find(file, name, &imports);
	return imports.count;
}

/* ---- The dynamic section -------------------------------------------------------------------- */

static void dynamic_read(struct elf_parsed *file)
{
	const struct section *section = section_of_type(file, SHT_DYNAMIC);
	struct table_walk walk;
	Elf64_Dyn entry;

	if (file->dynamic || !section)
		return;
	file->dynamic = calloc(DYNAMIC_MAX, sizeof(*file->dynamic));
	walk = table_walk_begin(file, section, sizeof(entry));
	while (file->dynamic && file->dynamic_count < DYNAMIC_MAX &&
	       table_walk_next(&walk, &entry) && entry.d_tag != DT_NULL)
		file->dynamic[file->dynamic_count++] = entry;
}

static void dynamic_string_copy(struct elf_parsed *file, uint64_t at, char *buf, size_t size)
{
	const struct section *section = section_of_type(file, SHT_DYNAMIC), *names;
	size_t got;

	buf[0] = '\0';
	if (section->link >= file->section_count)
		return;
	names = &file->sections[section->link];
	if (at >= names->size)
		return;
	got = file_read(file, names->offset + at, buf, size);
	if (got == 0 || !memchr(buf, '\0', got))
		buf[0] = '\0';
}

bool elf_parsed_dynamic_string(struct elf_parsed *file, int64_t tag, size_t index, char *buf,
			       size_t size)
{
	dynamic_read(file);
	for (size_t i = 0; i < file->dynamic_count; i++) {
		if (file->dynamic[i].d_tag != tag || index-- > 0)
			continue;
		dynamic_string_copy(file, file->dynamic[i].d_un.d_val, buf, size);
		return true;
	}
	return false;
}

/* ---- Call stubs ---------------------------------------------------------------------------- */

/* Bytes of an entry that are looked at: endbr64, mov $index, bnd jmp *slot(%rip). */
#define PLT_ENTRY_MAX 17

static bool relocation_fills_slot(const struct elf_parsed *file, const Elf64_Rela *relocation)
{
	uint64_t type = ELF64_R_TYPE(relocation->r_info);

	if (file->machine == EM_AARCH64)
		return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
}

/* The addresses of the GOT slots that hold the address of an imported function: of a valid file, one
 * or two. */
static void slots_find(struct elf_parsed *file, const char *name, struct matches *slots)
{
	const struct section *dynsym = section_of_type(file, SHT_DYNSYM);
	struct matches imports;
	Elf64_Rela relocation;

	slots->count = 0;
	imports_find(file, name, &imports);
	for (size_t i = 0; imports.count && i < file->section_count; i++) {
		const struct section *s = &file->sections[i];
		struct table_walk walk = table_walk_begin(file, s, sizeof(relocation));

		if (s->type != SHT_RELA || s->link != (size_t)(dynsym - file->sections))
			continue;
		while (slots->count < MATCHES_MAX && table_walk_next(&walk, &relocation))
			if (relocation_fills_slot(file, &relocation) &&
			    matches_contain(&imports, ELF64_R_SYM(relocation.r_info)))
				matches_add(slots, relocation.r_offset);
	}
}

/*
 * Finds the entry in one PLT section that jumps through one of the slots. The order and the size
 * of entries differ between linkers and with IBT, so every place where one may begin is decoded;
 * only an entry can name the very slot.
 */
static bool plt_section_find(struct elf_parsed *file, const struct section *section,
			     const struct matches *slots, uint64_t *address)
{
	const size_t step = file->machine == EM_AARCH64 ? 4 : 8;
	uint64_t slot;

	for (uint64_t base = 0; base < section->size; base += PIECE) {
		size_t want = PIECE + PLT_ENTRY_MAX, got;

		if (want > section->size - base)
			want = (size_t)(section->size - base);
		got = file_read(file, section->offset + base, file->piece, want);
		for (size_t at = 0; at < got && at < PIECE; at += step) {
			*address = section->address + base + at;
			if (elf_plt_entry_slot(file->machine, (const uint8_t *)file->piece + at,
					       got - at, *address, &slot) &&
			    matches_contain(slots, slot))
				return true;
		}
		if (got < want)
			break;
	}
	return false;
}

int elf_parsed_stub(struct elf_parsed *file, const char *name, uint64_t *offset)
{
	struct section_walk walk = { .file = file, .name = ".plt" };
	const struct section *section;
	struct matches slots;
	uint64_t address;

	slots_find(file, name, &slots);
	if (slots.count == 0)
		return -ENOENT;
	/* .plt, .plt.sec or .plt.got: which of them calls go through depends on linker and
	 * options. */
	while ((section = section_walk_next(&walk))) {
		if ((section->flags & SHF_EXECINSTR) &&
		    plt_section_find(file, section, &slots, &address))
			return code_offset(file, address, offset);
	}
	return -ENOENT;
}

uint64_t elf_parsed_past_landing_pad(struct elf_parsed *file, uint64_t offset)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned char code[sizeof(endbr64)];

	if (file_read(file, offset, code, sizeof(code)) == sizeof(code) &&
	    !memcmp(code, endbr64, sizeof(code)))
		return offset + sizeof(code);
	return offset;
}

/* ---- Read-only data ------------------------------------------------------------------------ */

static int text_search(struct elf_parsed *file, const char *text, occurrence_fn is_it,
		       void *context)
{
	struct section_walk walk = { .file = file, .name = ".rodata" };
	const struct section *section;

	while ((section = section_walk_next(&walk)))
		if (section_search(file, section, text, strlen(text), is_it, context))
			return 0;
	return -ENOENT;
}

size_t elf_parsed_section(struct elf_parsed *file, const char *name, void *buf, size_t size)
{
	struct section_walk walk = { .file = file, .name = name };
	const struct section *section = section_walk_next(&walk);

	if (!section)
		return 0;
	return file_read(file, section->offset, buf, size < section->size ? size : section->size);
}

static bool occurrence_any(const char *at, size_t left, uint64_t offset, void *context)
{
	(void)at;
	(void)left;
	(void)offset;
	(void)context;
	return true;
}

bool elf_parsed_has_text(struct elf_parsed *file, const char *text)
{
	return text_search(file, text, occurrence_any, NULL) == 0;
}

struct string_copy {
	size_t prefix_len;
	bool is_version; /* a digit follows the prefix */
	char *buf;
	size_t size;
};

static bool occurrence_copy(const char *at, size_t left, uint64_t offset, void *context)
{
	const struct string_copy *copy = context;
	size_t len = 0;

	(void)offset;
	if (copy->is_version &&
	    (left <= copy->prefix_len || at[copy->prefix_len] < '0' || at[copy->prefix_len] > '9'))
		return false;
	while (len < left && len < copy->size - 1 && at[len] >= ' ' && at[len] <= '~')
		len++;
	memcpy(copy->buf, at, len);
	copy->buf[len] = '\0';
	return true;
}

int elf_parsed_version_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size)
{
	struct string_copy copy = { strlen(prefix), true, buf, size };

	return text_search(file, prefix, occurrence_copy, &copy);
}

int elf_parsed_string(struct elf_parsed *file, const char *prefix, char *buf, size_t size)
{
	struct string_copy copy = { strlen(prefix), false, buf, size };

	return text_search(file, prefix, occurrence_copy, &copy);
}
