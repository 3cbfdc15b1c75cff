/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elfsym: offsets of functions and call stubs, in libraries that are compiled here with markers
 * at the places to be found, and in the machine's own libssl, where objdump is the judge.
 */
#define _GNU_SOURCE /* memmem(), memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/budget.h"
#include "system/elf.h"
#include "elfread.h"
#include "fixture.h"

/* ---- Fixtures ------------------------------------------------------------------------------ */

/* Bytes that stand where a function begins, so that its offset can be found in the file. */
#define MARKED(name, marker)                                                                       \
	"asm(\".text; .type " name ",%function; " name ": .ascii \\\"" marker "\\\"\");\n"

#define SHARED "-shared -fPIC -nostdlib "

static struct elf_file *fixture_open(const char *path, int *fd)
{
	struct elf_file *file = NULL;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(elf_file_open(*fd, NULL, &file), 0);
	return file;
}

static void fixture_close(struct elf_file *file, int fd)
{
	elf_file_close(file);
	close(fd);
}

/* The whole file; the caller frees it. */
static char *fixture_read(const char *path, size_t *size)
{
	struct stat st;
	char *content;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	content = malloc(*size);
	assert_non_null(content);
	assert_int_equal(read(fd, content, *size), (ssize_t)*size);
	close(fd);
	return content;
}

static int64_t marker_offset(const char *path, const char *marker)
{
	size_t size;
	char *content = fixture_read(path, &size);
	char *at = memmem(content, size, marker, strlen(marker));
	int64_t offset = at ? at - content : -1;

	free(content);
	return offset;
}

static void assert_function_at(const char *name, const char *function, const char *marker)
{
	int fd;
	struct elf_file *file = fixture_open(fixture_path(name), &fd);
	uint64_t offset = 0;

	assert_int_equal(elf_file_function(file, function, &offset), 0);
	assert_int_equal(offset, marker_offset(fixture_path(name), marker));
	fixture_close(file, fd);
}

static void assert_no_function(const char *name, const char *function)
{
	int fd;
	struct elf_file *file = fixture_open(fixture_path(name), &fd);
	uint64_t offset;

	assert_int_equal(elf_file_function(file, function, &offset), -ENOENT);
	fixture_close(file, fd);
}

/* ---- Functions ----------------------------------------------------------------------------- */

static void test_function_through_segments(void **state)
{
	uint64_t offset = 0;
	struct elf_file *file;
	int fd;

	(void)state;
	/* The address of .text is far from its offset in the file. */
	assert_int_equal(fixture_compile("far.so",
					 MARKED("marked", "MARKER-far") "asm(\".globl marked\");\n",
					 SHARED "-Wl,--section-start=.text=0x4000000"),
			 0);
	assert_function_at("far.so", "marked", "MARKER-far");
	assert_no_function("far.so", "marke");
	assert_no_function("far.so", "");

	file = fixture_open(fixture_path("far.so"), &fd);
	assert_int_equal(elf_file_function(file, "marked", &offset), 0);
	assert_true(offset < 0x4000000);
	fixture_close(file, fd);
}

static void test_function_in_symtab(void **state)
{
	(void)state;
	assert_int_equal(fixture_compile("local.so", MARKED("hidden", "MARKER-local"), SHARED), 0);
	assert_function_at("local.so", "hidden", "MARKER-local");
	assert_int_equal(fixture_run("strip local.so"), 0);
	assert_no_function("local.so", "hidden");
}

static void test_function_default_version(void **state)
{
	static const char script[] = "V1 { local: f1; f2; f3; }; V2 {} V1; V3 {} V2;\n";
	static const char source[] = MARKED("f1", "MARKER-v1") MARKED("f2", "MARKER-v2") MARKED(
		"f3", "MARKER-v3") "asm(\".globl f1; .globl f2; .globl f3\");\n"
				   "asm(\".symver f1,f@V1; .symver f2,f@@V2; .symver f3,f@V3\");\n"
				   "asm(\".symver f1,old@V1\");\n";

	(void)state;
	assert_int_equal(fixture_write("versions", script, strlen(script)), 0);
	assert_int_equal(
		fixture_compile("versions.so", source, SHARED "-Wl,--version-script=versions -s"),
		0);
	assert_function_at("versions.so", "f", "MARKER-v2");
	/* There is no default: what there is. */
	assert_function_at("versions.so", "old", "MARKER-v1");
}

static void test_function_not_code(void **state)
{
	static const char source[] = "void undefined(void);\n"
				     "int variable = 1;\n"
				     "static void impl(void) {}\n"
				     "static void *resolve(void) { return impl; }\n"
				     "void indirect(void) __attribute__((ifunc(\"resolve\")));\n"
				     "void caller(void) { undefined(); indirect(); }\n";

	(void)state;
	assert_int_equal(fixture_compile("kinds.so", source, SHARED), 0);
	assert_no_function("kinds.so", "undefined");
	assert_no_function("kinds.so", "variable");
	assert_no_function("kinds.so", "indirect");
}

static void test_imports(void **state)
{
	char name[64];
	int fd;
	struct elf_file *file;

	(void)state;
	assert_int_equal(fixture_compile("imports.so",
					 "void wanted(void);\n"
					 "void own(void) {}\n"
					 "void caller(void) { wanted(); own(); }\n",
					 SHARED "-Wl,-soname,libimports.so.7"),
			 0);
	file = fixture_open(fixture_path("imports.so"), &fd);
	assert_true(elf_file_imports(file, "wanted"));
	assert_false(elf_file_imports(file, "own"));
	assert_false(elf_file_imports(file, "absent"));
	assert_true(elf_file_dynamic_string(file, DT_SONAME, 0, name, sizeof(name)));
	assert_string_equal(name, "libimports.so.7");
	assert_false(elf_file_dynamic_string(file, DT_SONAME, 1, name, sizeof(name)));
	assert_false(elf_file_dynamic_string(file, DT_NEEDED, 0, name, sizeof(name)));
	assert_true(elf_file_dynamic_string(file, DT_SONAME, 0, name, 8));
	assert_string_equal(name, "");
	fixture_close(file, fd);
}

/* ---- Call stubs ---------------------------------------------------------------------------- */

/* What objdump says where in the file the stub of function is; -1: no objdump, or no stub. */
static int64_t objdump_stub(const char *path, const char *function)
{
	char command[512], wanted[128], line[512];
	int64_t offset = -1;
	FILE *out;

	snprintf(command, sizeof(command), "objdump -dF --no-show-raw-insn '%s' 2>/dev/null", path);
	snprintf(wanted, sizeof(wanted), " <%s@plt> (File Offset: 0x", function);
	out = popen(command, "r"); /* NOLINT(cert-env33-c): a fixed command */
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		const char *at = strstr(line, wanted);

		if (at && line[0] == '0')
			offset = strtoll(at + strlen(wanted), NULL, 16);
	}
	pclose(out);
	return offset;
}

static void assert_stub_as_objdump(const char *path, const char *function)
{
	int fd;
	struct elf_file *file = fixture_open(path, &fd);
	int64_t expected = objdump_stub(path, function);
	uint64_t offset = 0;

	assert_int_equal(elf_file_stub(file, function, &offset), 0);
	if (expected >= 0)
		assert_int_equal(offset, expected);
	fixture_close(file, fd);
}

static const char stub_source[] = "void before(void);\n"
				  "void wanted(void);\n"
				  "void own(void) {}\n"
				  "extern void never(void);\n"
				  "void caller(void) { before(); wanted(); own(); }\n";

static void test_stub_of_each_linker(void **state)
{
	/* What a tool chain cannot do is passed over: lld, mold or IBT may not be there. */
	static const char *const options[] = {
		SHARED,
		SHARED "-Wl,-z,now",
		SHARED "-fcf-protection=full -Wl,-z,ibtplt",
		SHARED "-Wl,--section-start=.plt=0x4000000",
		SHARED "-fuse-ld=lld",
		SHARED "-fuse-ld=lld -fcf-protection=full -Wl,-z,force-ibt",
		SHARED "-fuse-ld=mold",
		SHARED "-fuse-ld=gold",
	};
	size_t i, done = 0;

	(void)state;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (fixture_compile("stub.so", stub_source, options[i]))
			continue;
		assert_stub_as_objdump(fixture_path("stub.so"), "wanted");
		assert_stub_as_objdump(fixture_path("stub.so"), "before");
		done++;
	}
	assert_true(done >= 2);
}

/* A function whose address is taken, too, is called through .plt.got or .plt. */
static void test_stub_of_address_taken(void **state)
{
	static const char source[] = "void wanted(void);\n"
				     "void *address(void) { return wanted; }\n"
				     "void caller(void) { wanted(); }\n";

	(void)state;
	assert_int_equal(fixture_compile("taken.so", source, SHARED "-Wl,-z,now"), 0);
	assert_stub_as_objdump(fixture_path("taken.so"), "wanted");
}

static void assert_no_stub(const char *function)
{
	int fd;
	struct elf_file *file = fixture_open(fixture_path("stub.so"), &fd);
	uint64_t offset;

	assert_int_equal(elf_file_stub(file, function, &offset), -ENOENT);
	fixture_close(file, fd);
}

static void test_no_stub(void **state)
{
	(void)state;
	assert_int_equal(fixture_compile("stub.so", stub_source, SHARED), 0);
	assert_no_stub("own");
	assert_no_stub("never");
	assert_int_equal(fixture_compile("stub.so", stub_source, SHARED "-fno-plt"), 0);
	assert_no_stub("wanted");
}

/* The path of one of the machine's libraries, or NULL. */
static const char *machine_library(const char *name)
{
	static const char *const places[] = { "/usr/lib/*-linux-gnu/%s", "/usr/lib64/%s",
					      "/usr/lib/%s" };
	static char path[256];
	glob_t found;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char pattern[128];

		snprintf(pattern, sizeof(pattern), places[i], name);
		if (glob(pattern, 0, NULL, &found))
			continue;
		snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
		globfree(&found);
		return path;
	}
	return NULL;
}

static void test_machine_libssl(void **state)
{
	static const char *const stubs[] = { "ERR_vset_error", "ERR_set_debug", "d2i_X509" };
	const char *path = machine_library("libssl.so.3");
	struct elf_file *file;
	uint64_t offset;
	size_t i;
	int fd;

	(void)state;
	if (!path)
		skip();
	for (i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++)
		assert_stub_as_objdump(path, stubs[i]);
	file = fixture_open(path, &fd);
	assert_int_equal(elf_file_function(file, "SSL_do_handshake", &offset), 0);
	assert_int_equal(elf_file_function(file, "ERR_vset_error", &offset), -ENOENT);
	assert_true(elf_file_imports(file, "X509_verify_cert"));
	assert_true(elf_file_has_text(file, "SSLv3/TLS write client hello"));
	fixture_close(file, fd);
}

static void test_machine_libcrypto(void **state)
{
	const char *path = machine_library("libcrypto.so.3");
	struct elf_file *file;
	char version[64];
	int fd;

	(void)state;
	if (!path)
		skip();
	file = fixture_open(path, &fd);
	assert_int_equal(elf_file_version_string(file, "OpenSSL ", version, sizeof(version)), 0);
	assert_memory_equal(version, "OpenSSL 3.", 10);
	fixture_close(file, fd);
}

/* ---- Texts --------------------------------------------------------------------------------- */

static void test_version_string(void **state)
{
	int fd;
	struct elf_file *file;
	char buf[64];

	(void)state;
	/* Decoys first; then the text, across the border of what is read at once. */
	assert_int_equal(fixture_compile("version.so",
					 "asm(\".section .rodata; .ascii \\\"OpenSSL default\\\"; "
					 ".zero 65510, 0x78; "
					 ".ascii \\\"OpenSSL 9.8.7 1 Jan 2030\\\\n\\\"; .asciz "
					 "\\\"OpenSSL 1.0\\\"\");",
					 SHARED),
			 0);
	file = fixture_open(fixture_path("version.so"), &fd);
	assert_int_equal(elf_file_version_string(file, "OpenSSL ", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "OpenSSL 9.8.7 1 Jan 2030");
	assert_int_equal(elf_file_version_string(file, "OpenSSL ", buf, 10), 0);
	assert_string_equal(buf, "OpenSSL 9");
	assert_int_equal(elf_file_version_string(file, "BoringSSL ", buf, sizeof(buf)), -ENOENT);
	assert_true(elf_file_has_text(file, "xxxOpenSSL 9"));
	assert_false(elf_file_has_text(file, "xxxOpenSSL 8"));
	fixture_close(file, fd);
}

/* ---- Files that are not what they should be ------------------------------------------------ */

static int memory_file(const void *content, size_t size)
{
	int fd = memfd_create("test_elfsym", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), (ssize_t)size);
	return fd;
}

static int open_bytes(const void *content, size_t size)
{
	int fd = memory_file(content, size);
	struct elf_file *file = NULL;
	int err;

	err = elf_file_open(fd, NULL, &file);
	if (!err)
		elf_file_close(file);
	close(fd);
	return err;
}

static int open_bytes_within(const char *path, struct budget *budget)
{
	struct elf_file *file = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = elf_file_open(fd, budget, &file);

	if (!err)
		elf_file_close(file);
	close(fd);
	return err;
}

static void test_not_elf(void **state)
{
	static const char archive[] = "!<arch>\nfoo/            0           0     0     644     0 "
				      "        `\n";
	struct elf_file *file;
	int fd;

	(void)state;
	assert_int_equal(open_bytes("", 0), -ENOEXEC);
	assert_int_equal(open_bytes("#!/bin/sh\n", 10), -ENOEXEC);
	assert_int_equal(open_bytes(archive, sizeof(archive) - 1), -ENOEXEC);

	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_file_open(fd, NULL, &file), -ENOEXEC);
	close(fd);
	assert_int_equal(elf_file_open(-1, NULL, &file), -EBADF);
	elf_file_close(NULL);
}

static void test_other_machine(void **state)
{
	Elf64_Ehdr *header;
	char *content;
	size_t size;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	header = (Elf64_Ehdr *)content;
	assert_int_equal(open_bytes(content, size), 0);
	header->e_machine = EM_S390;
	assert_int_equal(open_bytes(content, size), -ENOTSUP);
	header->e_type = ET_REL;
	assert_int_equal(open_bytes(content, size), -ENOEXEC);
	header->e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(open_bytes(content, size), -ENOTSUP);
	free(content);
}

/* Asks everything; what it answers does not matter, as long as it answers. */
static void ask_everything(int fd)
{
	struct elf_file *file;
	uint64_t offset;
	char buf[64];
	size_t i;

	if (elf_file_open(fd, NULL, &file))
		return;
	elf_file_function(file, "caller", &offset);
	elf_file_function(file, "absent", &offset);
	elf_file_stub(file, "wanted", &offset);
	elf_file_imports(file, "absent");
	elf_file_has_text(file, "absent");
	elf_file_version_string(file, "OpenSSL ", buf, sizeof(buf));
	elf_file_dynamic_string(file, DT_SONAME, 0, buf, sizeof(buf));
	for (i = 0; i < 4; i++)
		elf_file_dynamic_string(file, DT_NEEDED, i, buf, sizeof(buf));
	elf_file_close(file);
}

static void test_truncated(void **state)
{
	size_t size, len;
	char *content;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	for (len = 0; len < size; len += len < 1024 ? 1 : 37) {
		int fd = memory_file(content, len);

		ask_everything(fd);
		close(fd);
	}
	free(content);
}

/* A file that gets shorter while it is open. */
static void test_truncated_while_open(void **state)
{
	uint64_t offset;
	struct elf_file *file;
	char *content;
	size_t size;
	int fd;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	fd = memory_file(content, size);
	free(content);
	assert_int_equal(elf_file_open(fd, NULL, &file), 0);
	assert_int_equal(ftruncate(fd, 64), 0);
	assert_int_equal(elf_file_function(file, "caller", &offset), -ENOENT);
	assert_int_equal(elf_file_stub(file, "wanted", &offset), -ENOENT);
	assert_false(elf_file_has_text(file, "text"));
	fixture_close(file, fd);
}

/* ---- Files that are made to cost ----------------------------------------------------------- */

static Elf64_Shdr *section_of_type(char *content, uint32_t type)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)content;
	Elf64_Shdr *sections = (Elf64_Shdr *)(content + header->e_shoff);

	for (int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	fail();
	return NULL;
}

static long peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* Tables of sizes that only a sparse file has: what is read is not kept. */
static void test_sparse_tables(void **state)
{
	static const uint64_t sizes[] = { 256ULL << 20, 4ULL << 30, 1ULL << 42 };
	static const uint32_t types[] = { SHT_DYNSYM, SHT_STRTAB, SHT_SYMTAB, SHT_RELA,
					  SHT_DYNAMIC };
	struct elf_file *file;
	uint64_t offset;
	char *content;
	size_t size;
	long peak;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	peak = peak_kib();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			Elf64_Shdr *section = section_of_type(content, types[j]), before = *section;
			struct budget budget = budget_begin(64 << 20, 100000, 0);
			int fd;

			section->sh_offset = size;
			section->sh_size = sizes[i];
			fd = memory_file(content, size);
			*section = before;
			/* tmpfs may allow less than 4 TiB */
			(void)ftruncate(fd, (off_t)(size + sizes[i]));
			assert_int_equal(elf_file_open(fd, &budget, &file), 0);
			(void)elf_file_function(file, "absent", &offset);
			(void)elf_file_function(file, "caller", &offset);
			(void)elf_file_stub(file, "wanted", &offset);
			fixture_close(file, fd);
		}
	}
	free(content);
	assert_true(peak_kib() - peak < 64 * 1024);
}

/* Counts of headers that only the file's numbers have. */
static void test_too_many_headers(void **state)
{
	Elf64_Ehdr *header;
	char *content;
	size_t size;
	long peak = peak_kib();

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	header = (Elf64_Ehdr *)content;
	header->e_phnum = PN_XNUM;
	header->e_shnum = 0;
	((Elf64_Shdr *)(content + header->e_shoff))->sh_size = 1ULL << 31;
	((Elf64_Shdr *)(content + header->e_shoff))->sh_info = 1U << 31;
	for (int i = 0; i < 2; i++) {
		int fd = memory_file(content, size);

		assert_int_equal(ftruncate(fd, 1LL << 36), 0);
		ask_everything(fd);
		close(fd);
		header->e_shnum = 0xfeff;
	}
	free(content);
	assert_true(peak_kib() - peak < 64 * 1024);
}

static void test_budget_over(void **state)
{
	struct budget budget = budget_begin(UINT64_MAX, 5, 0);
	struct elf_file *file;
	uint64_t offset;
	int fd;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	fd = open(fixture_path("plain.so"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_file_open(fd, &budget, &file), 0);
	assert_int_equal(elf_file_function(file, "caller", &offset), -ENOENT);
	assert_true(budget.over);
	fixture_close(file, fd);
	budget = budget_begin(1000, 1000, 0);
	assert_int_equal(open_bytes_within(fixture_path("plain.so"), &budget), 0);
	assert_true(budget.over);
	budget = budget_begin(UINT64_MAX, UINT64_MAX, 1);
	while (budget_take(&budget, 0))
		;
	assert_true(budget.over);
	assert_true(budget_take(NULL, UINT64_MAX));
}

/* Bytes changed at random, but the same in each run; headers and tables more often than code. */
static void test_mutated(void **state)
{
	uint32_t random = 1;
	char *content, *mutant;
	size_t size;
	int round, i;

	(void)state;
	assert_int_equal(fixture_compile("plain.so", stub_source, SHARED), 0);
	content = fixture_read(fixture_path("plain.so"), &size);
	mutant = malloc(size);
	assert_non_null(mutant);
	for (round = 0; round < 3000; round++) {
		int fd;

		memcpy(mutant, content, size);
		for (i = 0; i < 1 + round % 8; i++) {
			size_t range = i % 2 ? size : 1024;
			size_t base = round % 3 ? 0 : size - range;

			random = random * 1664525 + 1013904223;
			mutant[base + (random >> 8) % range] =
				(char)(round % 5 ? random >> 24 : 0xff);
		}
		fd = memory_file(mutant, size);
		ask_everything(fd);
		close(fd);
	}
	free(mutant);
	free(content);
}

/* All of them once more by another process. */
static void test_asked(void **state)
{
	(void)state;
	elf_read_elsewhere();
}

#define TESTS                                                                                      \
	cmocka_unit_test(test_function_through_segments),                                          \
		cmocka_unit_test(test_function_in_symtab),                                         \
		cmocka_unit_test(test_function_default_version),                                   \
		cmocka_unit_test(test_function_not_code), cmocka_unit_test(test_imports),          \
		cmocka_unit_test(test_stub_of_each_linker),                                        \
		cmocka_unit_test(test_stub_of_address_taken), cmocka_unit_test(test_no_stub),      \
		cmocka_unit_test(test_machine_libssl), cmocka_unit_test(test_machine_libcrypto),   \
		cmocka_unit_test(test_version_string), cmocka_unit_test(test_not_elf),             \
		cmocka_unit_test(test_other_machine), cmocka_unit_test(test_truncated),            \
		cmocka_unit_test(test_truncated_while_open), cmocka_unit_test(test_sparse_tables), \
		cmocka_unit_test(test_too_many_headers), cmocka_unit_test(test_budget_over),       \
		cmocka_unit_test(test_mutated)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS,
		cmocka_unit_test(test_asked),
		TESTS,
	};

	return cmocka_run_group_tests_name("elfsym", tests, fixture_setup, fixture_teardown);
}
