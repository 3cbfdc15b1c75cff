/* SPDX-License-Identifier: BSD-2-Clause */
/* Inspection of ELF files with libelf, read and not mapped: a file that somebody truncates while
 * we look at it gives short reads, not SIGBUS. */
#define _GNU_SOURCE /* memmem() */
#include "system/elf.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

#define SEARCH_WINDOW 65536
#define SEARCH_TAIL   8192 /* what is searched for, or copied, is shorter */

struct elf_file {
	int fd;
	Elf *elf;
	uint64_t size;
	uint16_t machine;
	size_t section_names; /* index of the string table */
	Elf_Scn *dynsym;
	Elf_Scn *symtab;
	Elf_Scn *versym;
	Elf_Scn *dynamic;
};

/* ---- Open and close ------------------------------------------------------------------------ */

static int elf_file_check_header(struct elf_file *file)
{
	const char *ident = elf_getident(file->elf, NULL);
	GElf_Ehdr header;

	if (elf_kind(file->elf) != ELF_K_ELF || !ident)
		return -ENOEXEC;
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != HOST_DATA)
		return -ENOTSUP;
	if (!gelf_getehdr(file->elf, &header))
		return -ENOEXEC;
	if (header.e_type != ET_DYN && header.e_type != ET_EXEC)
		return -ENOEXEC;
	if (header.e_machine != HOST_MACHINE)
		return -ENOTSUP;
	file->machine = header.e_machine;
	return 0;
}

/* A file without section headers is valid: it has no symbols then. */
static void elf_file_note_sections(struct elf_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (elf_getshdrstrndx(file->elf, &file->section_names))
		return;
	while ((section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNSYM && !file->dynsym)
			file->dynsym = section;
		else if (header.sh_type == SHT_SYMTAB && !file->symtab)
			file->symtab = section;
		else if (header.sh_type == SHT_GNU_versym && !file->versym)
			file->versym = section;
		else if (header.sh_type == SHT_DYNAMIC && !file->dynamic)
			file->dynamic = section;
	}
}

int elf_file_open(int fd, struct elf_file **file)
{
	struct elf_file *f = NULL;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	f->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!f->elf) {
		err = -ENOEXEC;
		goto out;
	}
	err = elf_file_check_header(f);
	if (err)
		goto out;
	elf_file_note_sections(f);
	*file = f;
	f = NULL;
out:
	elf_file_close(f);
	return err;
}

void elf_file_close(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	free(file);
}

/* ---- Sections ------------------------------------------------------------------------------ */

/* A walk over the sections with contents whose name begins with name. Begins with section NULL. */
struct section_walk {
	struct elf_file *file;
	const char *name;
	Elf_Scn *section;
	GElf_Shdr header;
	uint64_t walked; /* bytes */
};

static bool section_walk_next(struct section_walk *walk)
{
	struct elf_file *file = walk->file;

	while ((walk->section = elf_nextscn(file->elf, walk->section))) {
		const char *name;

		if (!gelf_getshdr(walk->section, &walk->header) ||
		    walk->header.sh_type != SHT_PROGBITS)
			continue;
		name = elf_strptr(file->elf, file->section_names, walk->header.sh_name);
		if (!name || strncmp(name, walk->name, strlen(walk->name)) != 0)
			continue;
		/* Sections do not overlap, so together they are not longer than the file: one that
		 * was made to keep us busy may say otherwise. */
		if (walk->header.sh_size > file->size - walk->walked)
			return false;
		walk->walked += walk->header.sh_size;
		return true;
	}
	return false;
}

/* ---- Symbols ------------------------------------------------------------------------------- */

/* Through the segments, as the loader does: sections may be gone or may lie. */
static int elf_file_code_offset(struct elf_file *file, uint64_t address, uint64_t *offset)
{
	GElf_Phdr segment;
	size_t i, count;

	if (elf_getphdrnum(file->elf, &count))
		return -ENOENT;
	for (i = 0; i < count; i++) {
		uint64_t within;

		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return -ENOENT;
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X) ||
		    address < segment.p_vaddr)
			continue;
		within = address - segment.p_vaddr;
		if (within >= segment.p_filesz)
			continue;
		if (segment.p_offset >= file->size || within >= file->size - segment.p_offset)
			return -ENOENT;
		*offset = segment.p_offset + within;
		return 0;
	}
	return -ENOENT;
}

/* An open symbol table: its entries, and the string table with their names. */
struct symbols {
	Elf_Data *entries;
	const char *names;
	size_t names_size;
};

static bool symbols_open(struct elf_file *file, Elf_Scn *section, struct symbols *symbols)
{
	GElf_Shdr header;
	Elf_Data *names;

	if (!section || !gelf_getshdr(section, &header))
		return false;
	symbols->entries = elf_getdata(section, NULL);
	names = elf_getdata(elf_getscn(file->elf, header.sh_link), NULL);
	/* With the terminator at the end no name can run past it. */
	if (!symbols->entries || !names || !names->d_buf || names->d_size == 0 ||
	    ((const char *)names->d_buf)[names->d_size - 1] != '\0')
		return false;
	symbols->names = names->d_buf;
	symbols->names_size = names->d_size;
	return true;
}

/* Reads the index-th symbol; false behind the last one. */
static bool symbols_get(const struct symbols *symbols, size_t index, GElf_Sym *symbol)
{
	return index <= INT32_MAX && gelf_getsym(symbols->entries, (int)index, symbol);
}

static bool symbols_name_is(const struct symbols *symbols, const GElf_Sym *symbol, const char *name)
{
	return symbol->st_name < symbols->names_size &&
	       strcmp(symbols->names + symbol->st_name, name) == 0;
}

/* versions is .gnu.version, which stands beside .dynsym, or NULL. */
static int symbols_find_function(const struct symbols *symbols, Elf_Data *versions,
				 const char *name, uint64_t *address)
{
	GElf_Versym version;
	GElf_Sym symbol;
	int err = -ENOENT;
	size_t i;

	for (i = 0; symbols_get(symbols, i, &symbol); i++) {
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
		    !symbols_name_is(symbols, &symbol, name))
			continue;
		*address = symbol.st_value;
		err = 0;
		if (!versions || !gelf_getversym(versions, (int)i, &version) ||
		    !(version & VERSYM_HIDDEN))
			break;
	}
	return err;
}

int elf_file_function(struct elf_file *file, const char *name, uint64_t *offset)
{
	Elf_Data *versions = file->versym ? elf_getdata(file->versym, NULL) : NULL;
	struct symbols symbols;
	uint64_t address;

	if (symbols_open(file, file->dynsym, &symbols) &&
	    symbols_find_function(&symbols, versions, name, &address) == 0)
		return elf_file_code_offset(file, address, offset);
	if (symbols_open(file, file->symtab, &symbols) &&
	    symbols_find_function(&symbols, NULL, name, &address) == 0)
		return elf_file_code_offset(file, address, offset);
	return -ENOENT;
}

bool elf_file_imports(struct elf_file *file, const char *name)
{
	struct symbols symbols;
	GElf_Sym symbol;
	size_t i;

	if (!symbols_open(file, file->dynsym, &symbols))
		return false;
	for (i = 0; symbols_get(&symbols, i, &symbol); i++) {
		if (symbol.st_shndx == SHN_UNDEF && symbols_name_is(&symbols, &symbol, name))
			return true;
	}
	return false;
}

const char *elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index)
{
	Elf_Data *data = file->dynamic ? elf_getdata(file->dynamic, NULL) : NULL;
	GElf_Shdr header;
	GElf_Dyn entry;
	int i;

	if (!data || !gelf_getshdr(file->dynamic, &header))
		return NULL;
	for (i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		if (entry.d_tag == tag && index-- == 0)
			return elf_strptr(file->elf, header.sh_link, entry.d_un.d_val);
	}
	return NULL;
}

/* ---- Call stubs ---------------------------------------------------------------------------- */

static uint32_t load_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* [endbr64] [mov $index, %r11d] [bnd] jmp *slot(%rip): of GNU ld, lld and mold, with and without
 * IBT. */
static bool plt_entry_slot_x86_64(const uint8_t *bytes, size_t len, uint64_t address,
				  uint64_t *slot)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = 0;

	if (len >= sizeof(endbr64) && memcmp(bytes, endbr64, sizeof(endbr64)) == 0)
		at = sizeof(endbr64);
	if (len >= at + 6 && bytes[at] == 0x41 && bytes[at + 1] == 0xbb)
		at += 6;
	if (len > at && bytes[at] == 0xf2)
		at++;
	if (len < at + 6 || bytes[at] != 0xff || bytes[at + 1] != 0x25)
		return false;
	*slot = address + at + 6 + (uint64_t)(int32_t)load_le32(bytes + at + 2);
	return true;
}

/* [bti c]; adrp x16, page(slot); ldr x17, [x16, #offset(slot)]. */
static bool plt_entry_slot_aarch64(const uint8_t *bytes, size_t len, uint64_t address,
				   uint64_t *slot)
{
	uint32_t adrp, ldr, pages;
	size_t at = 0;

	if (len >= 4 && load_le32(bytes) == 0xd503245f)
		at = 4;
	if (len < at + 8)
		return false;
	adrp = load_le32(bytes + at);
	ldr = load_le32(bytes + at + 4);
	if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
		return false;
	pages = (adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
	if (pages & 1U << 20)
		pages |= ~0U << 21;
	*slot = ((address + at) & ~UINT64_C(0xfff)) + (uint64_t)(int32_t)pages * 4096 +
		UINT64_C(8) * (ldr >> 10 & 0xfff);
	return true;
}

bool elf_plt_entry_slot(uint16_t machine, const uint8_t *bytes, size_t len, uint64_t address,
			uint64_t *slot)
{
	if (machine == EM_X86_64)
		return plt_entry_slot_x86_64(bytes, len, address, slot);
	if (machine == EM_AARCH64)
		return plt_entry_slot_aarch64(bytes, len, address, slot);
	return false;
}

/* The GOT slots that hold the address of one imported function: of a valid file, one or two. */
struct got_slots {
	uint64_t address[4];
	size_t count;
};

static bool got_slots_contain(const struct got_slots *slots, uint64_t address)
{
	size_t i;

	for (i = 0; i < slots->count; i++) {
		if (slots->address[i] == address)
			return true;
	}
	return false;
}

static bool relocation_fills_slot(const struct elf_file *file, const GElf_Rela *relocation)
{
	uint64_t type = GELF_R_TYPE(relocation->r_info);

	if (file->machine == EM_AARCH64)
		return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
}

/* Adds the slots that the relocations in one section fill with the address of the import name. */
static void got_slots_add(struct got_slots *slots, const struct elf_file *file, Elf_Scn *section,
			  const struct symbols *symbols, const char *name)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Rela relocation;
	GElf_Sym symbol;
	int i;

	if (!data)
		return;
	for (i = 0; slots->count < ARRAY_SIZE(slots->address) && gelf_getrela(data, i, &relocation);
	     i++) {
		if (relocation_fills_slot(file, &relocation) &&
		    symbols_get(symbols, GELF_R_SYM(relocation.r_info), &symbol) &&
		    symbol.st_shndx == SHN_UNDEF && symbols_name_is(symbols, &symbol, name))
			slots->address[slots->count++] = relocation.r_offset;
	}
}

static void elf_file_find_slots(struct elf_file *file, const char *name, struct got_slots *slots)
{
	struct symbols symbols;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	slots->count = 0;
	if (!symbols_open(file, file->dynsym, &symbols))
		return;
	while ((section = elf_nextscn(file->elf, section))) {
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA &&
		    header.sh_link == elf_ndxscn(file->dynsym))
			got_slots_add(slots, file, section, &symbols, name);
	}
}

/*
 * Finds the entry in one PLT section that jumps through one of the slots. The order and the size
 * of entries differ between linkers and with IBT, so every place where one may begin is decoded;
 * only an entry can name the very slot.
 */
static bool plt_section_find(const struct elf_file *file, Elf_Scn *section, const GElf_Shdr *header,
			     const struct got_slots *slots, uint64_t *address)
{
	const size_t step = file->machine == EM_AARCH64 ? 4 : 8;
	Elf_Data *data = elf_getdata(section, NULL);
	uint64_t slot;
	size_t at;

	if (!data || !data->d_buf)
		return false;
	for (at = 0; at < data->d_size; at += step) {
		if (elf_plt_entry_slot(file->machine, (const uint8_t *)data->d_buf + at,
				       data->d_size - at, header->sh_addr + at, &slot) &&
		    got_slots_contain(slots, slot)) {
			*address = header->sh_addr + at;
			return true;
		}
	}
	return false;
}

int elf_file_stub(struct elf_file *file, const char *name, uint64_t *offset)
{
	struct section_walk walk = { .file = file, .name = ".plt" };
	struct got_slots slots;
	uint64_t address;

	elf_file_find_slots(file, name, &slots);
	if (slots.count == 0)
		return -ENOENT;
	/* .plt, .plt.sec or .plt.got: which of them calls go through depends on linker and
	 * options. */
	while (section_walk_next(&walk)) {
		if ((walk.header.sh_flags & SHF_EXECINSTR) &&
		    plt_section_find(file, walk.section, &walk.header, &slots, &address))
			return elf_file_code_offset(file, address, offset);
	}
	return -ENOENT;
}

/* ---- Read-only data ------------------------------------------------------------------------ */

/* Is the occurrence, of which left bytes can be read, what is looked for? */
typedef bool (*occurrence_fn)(const char *at, size_t left, void *context);

/* Searches part of the file, a window at a time: an executable's data may be large. */
static bool file_range_search(int fd, uint64_t offset, uint64_t size, char *window,
			      const char *text, occurrence_fn is_it, void *context)
{
	uint64_t base;

	for (base = 0; base < size; base += SEARCH_WINDOW) {
		size_t want = SEARCH_WINDOW + SEARCH_TAIL;
		const char *at, *end;
		ssize_t got;

		if (want > size - base)
			want = (size_t)(size - base);
		got = pread(fd, window, want, (off_t)(offset + base));
		if (got <= 0)
			break;
		end = window + got;
		at = memmem(window, (size_t)got, text, strlen(text));
		while (at && at < window + SEARCH_WINDOW) {
			if (is_it(at, (size_t)(end - at), context))
				return true;
			at = memmem(at + 1, (size_t)(end - at - 1), text, strlen(text));
		}
		if ((size_t)got < want)
			break;
	}
	return false;
}

static int elf_file_search(struct elf_file *file, const char *text, occurrence_fn is_it,
			   void *context)
{
	struct section_walk walk = { .file = file, .name = ".rodata" };
	char *window;
	int err = -ENOENT;

	window = malloc(SEARCH_WINDOW + SEARCH_TAIL);
	if (!window)
		return -ENOMEM;
	while (err && section_walk_next(&walk)) {
		if (file_range_search(file->fd, walk.header.sh_offset, walk.header.sh_size, window,
				      text, is_it, context))
			err = 0;
	}
	free(window);
	return err;
}

static bool occurrence_any(const char *at, size_t left, void *context)
{
	(void)at;
	(void)left;
	(void)context;
	return true;
}

bool elf_file_has_text(struct elf_file *file, const char *text)
{
	return elf_file_search(file, text, occurrence_any, NULL) == 0;
}

struct string_copy {
	size_t prefix_len;
	bool is_version; /* a digit follows the prefix */
	char *buf;
	size_t size;
};

static bool occurrence_copy(const char *at, size_t left, void *context)
{
	const struct string_copy *copy = context;
	size_t len = 0;

	if (copy->is_version &&
	    (left <= copy->prefix_len || at[copy->prefix_len] < '0' || at[copy->prefix_len] > '9'))
		return false;
	while (len < left && len < copy->size - 1 && at[len] >= ' ' && at[len] <= '~')
		len++;
	memcpy(copy->buf, at, len);
	copy->buf[len] = '\0';
	return true;
}

int elf_file_version_string(struct elf_file *file, const char *prefix, char *buf, size_t size)
{
	struct string_copy copy = { strlen(prefix), true, buf, size };

	return elf_file_search(file, prefix, occurrence_copy, &copy);
}

int elf_file_string(struct elf_file *file, const char *prefix, char *buf, size_t size)
{
	struct string_copy copy = { strlen(prefix), false, buf, size };

	return elf_file_search(file, prefix, occurrence_copy, &copy);
}
