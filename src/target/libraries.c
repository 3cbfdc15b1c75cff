/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files hold the TLS library of a process: OpenSSL and what is built like it, shared or
 * linked into the executable.
 */
#define _GNU_SOURCE /* basename() */
#include "target/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/budget.h"
#include "system/elf.h"
#include "system/procfs.h"
#include "system/regular.h"
#include "target/stack.h"
#include "base/hash.h"

#define HANDSHAKE_SYMBOL "SSL_do_handshake"
#define CRYPTO_SYMBOL	 "X509_check_host"

#define NEEDED_MAX 256	 /* of one library */
#define NAMES_MAX  16384 /* of all */

/* What the look at one process may cost: a hundred times what an nginx with twenty modules does. */
#define LOOK_BYTES   (1ULL << 30)
#define LOOK_STEPS   200000
#define LOOK_TIME_NS 2000000000ULL

static bool is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* ---- Opening what is mapped ---------------------------------------------------------------- */

static void library_init(struct target_library *library)
{
	memset(library, 0, sizeof(*library));
	library->fd = -1;
}

static void library_close(struct target_library *library)
{
	if (library->fd >= 0)
		close(library->fd);
	library->fd = -1;
}

/* path is relative to dir, /proc/PID; shown is the path for people. */
static int library_open(int dir, const char *path, const char *shown,
			struct target_library *library)
{
	int err;

	library_init(library);
	library->fd = regular_open(dir, path, NULL);
	if (library->fd < 0)
		return library->fd;
	err = target_file_identify(library->fd, &library->file);
	if (err)
		library_close(library);
	else
		snprintf(library->path, sizeof(library->path), "%s", shown);
	return err;
}

/*
 * Opens the very file that is mapped, through map_files. That needs CAP_CHECKPOINT_RESTORE or
 * CAP_SYS_ADMIN; without, by its path in the process's mount namespace, if that is still it.
 */
static int library_open_mapped(int dir, const struct mapped_file *file,
			       struct target_library *library)
{
	const struct target_file mapped = { .dev = file->dev, .ino = file->ino, .dev_known = true };
	char path[PATH_MAX + sizeof("root")];
	int err;

	snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, file->start, file->end);
	err = library_open(dir, path, file->path, library);
	if (!is_denied(err))
		return err;
	snprintf(path, sizeof(path), "root%s", file->path);
	if (library_open(dir, path, file->path, library))
		return err;
	if (target_file_same(&library->file, &mapped))
		return 0;
	library_close(library);
	return err;
}

/* ---- The TLS library of a process ---------------------------------------------------------- */

/* The search in one process: what it has mapped, and whether something could not be opened. */
struct tls_search {
	int dir; /* /proc/PID */
	const struct target_process *process;
	struct mapped_files mapped;
	struct budget budget;
	int denied; /* -EACCES or -EPERM once a file could not be opened */
};

/* Also the libraries that Python wheels bring along, libssl-0a1b2c3d.so.3, but not NSS's
 * libssl3.so. */
static bool is_library_named(const char *path, const char *name)
{
	const char *base = basename(path);
	size_t len = strlen(name);

	return strncmp(base, name, len) == 0 &&
	       (strncmp(base + len, ".so", 3) == 0 || base[len] == '-');
}

static bool library_defines(struct tls_search *search, const struct target_library *library,
			    const char *symbol)
{
	struct elf_file *elf;
	uint64_t offset;
	bool defines;

	if (elf_file_open(library->fd, &search->budget, &elf))
		return false;
	defines = elf_file_function(elf, symbol, &offset) == 0;
	elf_file_close(elf);
	return defines;
}

/* Opens a mapped file, or the executable when that is NULL; keeps it open if it defines symbol. */
static bool tls_search_try(struct tls_search *search, const struct mapped_file *file,
			   const char *symbol, struct target_library *library)
{
	int err;

	if (file)
		err = library_open_mapped(search->dir, file, library);
	else
		err = library_open(search->dir, "exe", search->process->exe_path, library);
	if (is_denied(err))
		search->denied = err;
	if (err)
		return false;
	if (library_defines(search, library, symbol))
		return true;
	library_close(library);
	return false;
}

/*
 * Finds the file that defines symbol: first those with the library's name, which are almost
 * always it; then the executable, for static linking; then whatever else has code.
 */
static bool tls_search_symbol(struct tls_search *search, const char *name, const char *symbol,
			      struct target_library *library)
{
	const struct mapped_files *mapped = &search->mapped;
	size_t i;

	for (i = 0; i < mapped->count; i++) {
		if (is_library_named(mapped->items[i].path, name) &&
		    tls_search_try(search, &mapped->items[i], symbol, library))
			return true;
	}
	if (tls_search_try(search, NULL, symbol, library))
		return true;
	for (i = 0; i < mapped->count; i++) {
		if (mapped->items[i].executable &&
		    tls_search_try(search, &mapped->items[i], symbol, library))
			return true;
	}
	library_init(library);
	return false;
}

/* The file with the TLS library may hold both: then a libcrypto that is mapped as well is somebody
 * else's. */
static bool tls_search_crypto(struct tls_search *search, struct target_tls *tls)
{
	if (!library_defines(search, &tls->ssl, CRYPTO_SYMBOL))
		return tls_search_symbol(search, "libcrypto", CRYPTO_SYMBOL, &tls->crypto);
	tls->crypto = tls->ssl;
	tls->crypto.fd = fcntl(tls->ssl.fd, F_DUPFD_CLOEXEC, 0);
	return tls->crypto.fd >= 0;
}

/* ---- Is the dynamic loader done? ----------------------------------------------------------- */

/* Names of libraries. One that is longer than names of files are is none. */
struct names {
	char (*items)[NAME_MAX + 1];
	size_t count;
	size_t size;
};

static int names_add(struct names *names, const char *name)
{
	size_t len = strlen(name), size = names->size ? 2 * names->size : 64;

	if (!len || len > NAME_MAX || names->count == NAMES_MAX)
		return 0;
	if (names->count == names->size) {
		void *items = realloc(names->items, size * sizeof(*names->items));

		if (!items)
			return -ENOMEM;
		names->items = items;
		names->size = size;
	}
	memcpy(names->items[names->count++], name, len + 1);
	return 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void names_sort(struct names *names)
{
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), name_compare);
}

/* Are all names of the one in the other? Both are sorted. */
static bool names_contain(const struct names *all, const struct names *some)
{
	for (size_t i = 0; i < some->count; i++)
		if (!bsearch(some->items[i], all->items, all->count, sizeof(*all->items),
			     name_compare))
			return false;
	return true;
}

/* Adds what the object is called to provided, and what it depends on to needed. */
static int object_add_names(struct tls_search *search, const struct target_library *library,
			    struct names *provided, struct names *needed)
{
	struct elf_file *elf;
	char name[PATH_MAX];
	size_t i;
	int err;

	err = names_add(provided, basename(library->path));
	if (err || elf_file_open(library->fd, &search->budget, &elf))
		return err;
	if (elf_file_dynamic_string(elf, DT_SONAME, 0, name, sizeof(name)))
		err = names_add(provided, name);
	for (i = 0; !err && i < NEEDED_MAX; i++) {
		if (!elf_file_dynamic_string(elf, DT_NEEDED, i, name, sizeof(name)))
			break;
		err = names_add(needed, basename(name));
	}
	elf_file_close(elf);
	return err;
}

/*
 * Is everything mapped that something mapped depends on? The executable counts though it may not
 * be mapped itself in the first moments after exec; and libraries without code are mapped too, so
 * here everything counts that is called like one.
 */
static int tls_search_is_loaded(struct tls_search *search, bool *loaded)
{
	struct names provided = { 0 }, needed = { 0 };
	struct target_library library;
	size_t i;
	int err = 0;

	if (library_open(search->dir, "exe", search->process->exe_path, &library) == 0)
		err = object_add_names(search, &library, &provided, &needed);
	library_close(&library);
	for (i = 0; !err && i < search->mapped.count && !search->budget.over; i++) {
		const struct mapped_file *file = &search->mapped.items[i];

		if (!file->executable && !strstr(basename(file->path), ".so"))
			continue;
		if (library_open_mapped(search->dir, file, &library) == 0)
			err = object_add_names(search, &library, &provided, &needed);
		library_close(&library);
	}
	names_sort(&provided);
	*loaded = names_contain(&provided, &needed);
	free(provided.items);
	free(needed.items);
	return err;
}

/* ---- Outcome ------------------------------------------------------------------------------- */

static enum target_tls_outcome executable_classify(struct tls_search *search,
						   struct target_tls *tls)
{
	enum target_tls_outcome outcome = TARGET_TLS_NONE;
	struct elf_file *elf;
	bool linked_in;
	int err;

	err = elf_file_open(tls->ssl.fd, &search->budget, &elf);
	if (err)
		return err == -ENOTSUP ? TARGET_TLS_FOREIGN : TARGET_TLS_NONE;
	if (stack_of_executable(elf, tls->stack, sizeof(tls->stack), &linked_in) && linked_in)
		outcome = TARGET_TLS_STRIPPED;
	elf_file_close(elf);
	return outcome;
}

static enum target_tls_outcome library_classify(const struct target_library *library)
{
	struct elf_file *elf;
	int err;

	err = elf_file_open(library->fd, NULL, &elf);
	if (err == 0)
		elf_file_close(elf);
	return err == -ENOTSUP ? TARGET_TLS_FOREIGN : TARGET_TLS_NO_SYMBOL;
}

/* Tells why there is no SSL_do_handshake. tls->ssl becomes the file that this is about, closed. */
static void tls_search_classify(struct tls_search *search, struct target_tls *tls)
{
	size_t i;

	for (i = 0; i < search->mapped.count; i++) {
		const struct mapped_file *file = &search->mapped.items[i];

		if (is_library_named(file->path, "libssl") &&
		    library_open_mapped(search->dir, file, &tls->ssl) == 0) {
			tls->outcome = library_classify(&tls->ssl);
			library_close(&tls->ssl);
			return;
		}
	}
	tls->outcome = TARGET_TLS_NONE;
	if (library_open(search->dir, "exe", search->process->exe_path, &tls->ssl) == 0)
		tls->outcome = executable_classify(search, tls);
	library_close(&tls->ssl);
	for (i = 0; i < search->mapped.count && !tls->stack[0]; i++) {
		const char *stack = stack_of_library(search->mapped.items[i].path);

		if (stack)
			snprintf(tls->stack, sizeof(tls->stack), "%s", stack);
	}
}

/* From "OpenSSL 3.0.19 27 Jan 2026" the number; from "OpenSSL 1.1.1 (compatible; BoringSSL)",
 * which is what those who stand in for it say, their name. */
static void version_shorten(const char *text, const char *prefix, char *version, size_t size)
{
	static const char compatible[] = "(compatible; ";
	const char *from = strstr(text, compatible);
	int len;

	if (from) {
		from += strlen(compatible);
		len = (int)strcspn(from, ")");
	} else {
		from = text + strlen(prefix);
		len = (int)strcspn(from, " ");
	}
	snprintf(version, size, "%.*s", len, from);
}

static void tls_read_version(struct tls_search *search, struct target_tls *tls)
{
	static const char prefix[] = "OpenSSL ";
	struct elf_file *elf;
	char text[80];

	if (elf_file_open(tls->crypto.fd >= 0 ? tls->crypto.fd : tls->ssl.fd, &search->budget,
			  &elf))
		return;
	if (elf_file_version_string(elf, prefix, text, sizeof(text)) == 0)
		version_shorten(text, prefix, tls->version, sizeof(tls->version));
	elf_file_close(elf);
}

/* The libraries may be those of a program that the process executes just now. */
static int tls_search_check_exe(const struct tls_search *search)
{
	struct target_process now;
	int err;

	err = target_process_read(search->process->pid, &now);
	if (err)
		return err;
	return target_file_same(&now.exe, &search->process->exe) ? 0 : -ESRCH;
}

static int tls_search_run(struct tls_search *search, struct target_tls *tls)
{
	bool loaded = true;
	int err;

	err = elf_mapped_files(search->dir, &search->mapped);
	if (err)
		return err;
	if (!tls_search_symbol(search, "libssl", HANDSHAKE_SYMBOL, &tls->ssl) ||
	    !tls_search_crypto(search, tls)) {
		err = tls_search_is_loaded(search, &loaded);
		if (err)
			return err;
	}
	err = tls_search_check_exe(search);
	if (err)
		return err;

	if (search->budget.over && tls->ssl.fd < 0) {
		target_tls_close(tls);
		tls->outcome = TARGET_TLS_COSTLY;
	} else if (!loaded) {
		target_tls_close(tls);
		tls->outcome = TARGET_TLS_NOT_YET;
	} else if (tls->ssl.fd >= 0) {
		tls->outcome = TARGET_TLS_FOUND;
		tls_read_version(search, tls);
	} else if (search->denied) {
		return search->denied;
	} else {
		tls_search_classify(search, tls);
	}
	return 0;
}

int target_tls_find(const struct target_process *process, struct target_tls *tls)
{
	struct tls_search search = {
		.process = process,
		.budget = budget_begin(LOOK_BYTES, LOOK_STEPS, LOOK_TIME_NS),
	};
	int err;

	memset(tls, 0, sizeof(*tls));
	tls->outcome = TARGET_TLS_NONE;
	library_init(&tls->ssl);
	library_init(&tls->crypto);
	search.dir = procfs_open(process->pid);
	if (search.dir < 0)
		return search.dir;
	err = tls_search_run(&search, tls);
	if (err)
		target_tls_close(tls);
	mapped_files_free(&search.mapped);
	close(search.dir);
	elf_ask_another();
	return err;
}

int target_code_signature(pid_t pid, uint64_t *signature)
{
	struct mapped_files mapped = { 0 };
	int dir = procfs_open(pid), err;

	if (dir < 0)
		return dir;
	err = mapped_files_read(dir, &mapped);
	*signature = HASH_EMPTY;
	for (size_t i = 0; i < mapped.count; i++) {
		const struct mapped_file *file = &mapped.items[i];

		if (!file->executable)
			continue;
		*signature = hash_add(*signature, &file->ino, sizeof(file->ino));
		*signature = hash_add(*signature, &file->dev, sizeof(file->dev));
	}
	mapped_files_free(&mapped);
	close(dir);
	return err;
}

void target_tls_close(struct target_tls *tls)
{
	library_close(&tls->ssl);
	library_close(&tls->crypto);
}

/* ---- For people ---------------------------------------------------------------------------- */

static void text_add_path(struct text *t, const char *path)
{
	text_add_hostile(t, path, strlen(path));
}

void target_tls_explain(const struct target_process *process, const struct target_tls *tls,
			struct text *t)
{
	text_add_path(t, process->exe_path);
	text_addf(t, " (pid %d) ", (int)process->pid);
	switch (tls->outcome) {
	case TARGET_TLS_FOUND:
		text_add(t, "has its TLS library in ");
		text_add_path(t, tls->ssl.path);
		if (tls->version[0]) {
			text_add(t, ", version ");
			text_add_path(t, tls->version);
		}
		break;
	case TARGET_TLS_NOT_YET:
		text_add(t, "is still loading its libraries");
		break;
	case TARGET_TLS_NO_SYMBOL:
		text_add(t, "uses ");
		text_add_path(t, tls->ssl.path);
		text_add(t, ", which does not export " HANDSHAKE_SYMBOL
			    ": it is not OpenSSL, or an unusual build of it");
		break;
	case TARGET_TLS_FOREIGN:
		text_add(t, "uses ");
		text_add_path(t, tls->ssl.path);
		text_add(t, ", which is for another machine or word size than tlsfail");
		break;
	case TARGET_TLS_STRIPPED:
		text_add(t, "has ");
		text_add_path(t, tls->stack);
		text_add(t, " linked in with its symbols stripped: install an unstripped build, "
			    "or one that uses the system's libssl");
		break;
	case TARGET_TLS_COSTLY:
		text_add(t, "has files so large or so many that the search for its TLS library "
			    "was given up; it is not traced");
		break;
	case TARGET_TLS_NONE:
		if (!tls->stack[0]) {
			text_add(t, "has not loaded a TLS library so far");
			break;
		}
		text_add(t, "uses ");
		text_add_path(t, tls->stack);
		text_add(t, " for TLS, which tlsfail cannot inspect the way it can OpenSSL and "
			    "its forks");
		break;
	}
}
