// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TLS library of an executable that does not run yet, found as ld.so(8) does it: by its
 * dependencies, in RPATH, in RUNPATH and in the loader's cache. Where that goes wrong nothing is lost: the
 * process is looked at again when it runs.
 */
#define _GNU_SOURCE /* memmem() */
#include "target/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/budget.h"
#include "system/elf.h"
#include "system/regular.h"

#define CACHE_PATH	"/etc/ld.so.cache"
#define CACHE_BYTES_MAX (8U << 20)
#define OBJECTS_MAX	256 /* of one program */

#define LOOK_BYTES   (256ULL << 20)
#define LOOK_STEPS   50000
#define LOOK_TIME_NS 1000000000ULL

/* ---- The loader's cache -------------------------------------------------------------------- */

/* struct cache_file_new of glibc, sysdeps/generic/dl-cache.h; another, older form may stand before
 * it. Strings are offsets from the beginning of the header. */
#define CACHE_MAGIC  "glibc-ld.so.cache1.1"
#define CACHE_COUNT  20
#define CACHE_HEADER 48
#define CACHE_ENTRY  24
#define CACHE_NAME   4 /* offsets in an entry */
#define CACHE_VALUE  8

struct cache {
	char *data;
	size_t len;
	const char *start; /* of the header, NULL: there is none */
};

static uint32_t number_at(const char *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

static void cache_read(struct cache *cache)
{
	struct stat st;
	int fd = regular_open(AT_FDCWD, CACHE_PATH, &st);
	ssize_t got = 0;

	*cache = (struct cache){ 0 };
	if (fd < 0)
		return;
	if (st.st_size > CACHE_HEADER && st.st_size <= CACHE_BYTES_MAX)
		cache->data = malloc((size_t)st.st_size + 1);
	if (cache->data)
		got = pread(fd, cache->data, (size_t)st.st_size, 0);
	close(fd);
	if (got <= 0)
		return;
	cache->data[got] = '\0';
	cache->start = memmem(cache->data, (size_t)got, CACHE_MAGIC, strlen(CACHE_MAGIC));
	if (cache->start)
		cache->len = (size_t)(cache->data + got - cache->start);
}

/* The path in the index-th entry of that name, NULL: there are fewer. */
static const char *cache_find(const struct cache *cache, const char *name, size_t index)
{
	size_t count = cache->len > CACHE_HEADER ? number_at(cache->start + CACHE_COUNT) : 0;

	for (size_t i = 0; i < count && CACHE_HEADER + (i + 1) * CACHE_ENTRY <= cache->len; i++) {
		const char *entry = cache->start + CACHE_HEADER + i * CACHE_ENTRY;
		uint32_t key = number_at(entry + CACHE_NAME),
			 value = number_at(entry + CACHE_VALUE);

		if (key < cache->len && value < cache->len && !strcmp(cache->start + key, name) &&
		    !index--)
			return cache->start + value;
	}
	return NULL;
}

/* ---- Dependencies -------------------------------------------------------------------------- */

struct object {
	char path[PATH_MAX];
	/* In which its dependencies are searched for, and theirs; "" where it has a RUNPATH, which is for its
	 * own alone. */
	char rpath[PATH_MAX];
	char runpath[PATH_MAX];
	size_t loader; /* whose dependency it is; the executable's own */
	int fd;
};

struct expectation {
	struct cache cache;
	struct budget budget;
	size_t count;
	struct object objects[OBJECTS_MAX]; /* each file once; the executable is the first */
};

static bool has_file(const struct expectation *e, const struct target_file *file)
{
	for (size_t i = 0; i < e->count; i++) {
		struct target_file other;

		if (!target_file_identify(e->objects[i].fd, &other) &&
		    target_file_same(&other, file))
			return true;
	}
	return false;
}

/* True: it is there, or was already. */
static bool object_add(struct expectation *e, const char *path, size_t loader)
{
	struct object *o = &e->objects[e->count];
	struct elf_file *elf;
	struct target_file file;
	int fd, err;

	if (e->count == OBJECTS_MAX || strlen(path) >= sizeof(o->path) ||
	    !budget_take(&e->budget, 0))
		return false;
	fd = regular_open(AT_FDCWD, path, NULL);
	if (fd < 0)
		return false;
	err = elf_file_open(fd, &e->budget, &elf); /* another word size: go on looking */
	if (!err)
		elf_file_close(elf);
	if (!err && !target_file_identify(fd, &file) && !has_file(e, &file)) {
		memcpy(o->path, path, strlen(path) + 1);
		o->loader = loader;
		o->fd = fd;
		e->count++;
		return true;
	}
	close(fd);
	return !err;
}

/* A dependency that is being searched for, and of which object. */
struct search {
	struct expectation *e;
	const char *name;
	size_t loader;
};

/* One directory of a path; $ORIGIN is where the object stands that has it. */
static bool directory_try(const struct search *s, const char *origin, const char *dir, int len)
{
	static const char variable[] = "$ORIGIN";
	int variable_len = (int)strlen(variable);
	char path[2 * PATH_MAX];
	const char *slash = strrchr(origin, '/');

	if (!len)
		return false;
	if (len >= variable_len && !memcmp(dir, variable, (size_t)variable_len))
		snprintf(path, sizeof(path), "%.*s%.*s/%s", (int)(slash - origin), origin,
			 len - variable_len, dir + variable_len, s->name);
	else
		snprintf(path, sizeof(path), "%.*s/%s", len, dir, s->name);
	return path[0] == '/' && object_add(s->e, path, s->loader);
}

static bool directories_try(const struct search *s, const char *origin, const char *directories)
{
	while (*directories) {
		int len = (int)strcspn(directories, ":");

		if (directory_try(s, origin, directories, len))
			return true;
		directories += len + (directories[len] == ':');
	}
	return false;
}

/* In the RPATH of the object, and of those that brought it here; a RUNPATH of its own rules that out. */
static bool rpaths_try(const struct search *s)
{
	const struct object *o = &s->e->objects[s->loader];

	if (*o->runpath)
		return false;
	while (!directories_try(s, o->path, o->rpath)) {
		if (o == s->e->objects)
			return false;
		o = &s->e->objects[o->loader];
	}
	return true;
}

static void dependency_add(const struct search *s)
{
	const struct object *o = &s->e->objects[s->loader];
	const char *path;

	if (strchr(s->name, '/')) {
		object_add(s->e, s->name, s->loader);
		return;
	}
	if (rpaths_try(s) || directories_try(s, o->path, o->runpath))
		return;
	for (size_t i = 0; (path = cache_find(&s->e->cache, s->name, i)); i++)
		if (object_add(s->e, path, s->loader))
			return;
}

static void dependencies_add(struct expectation *e, size_t index)
{
	struct object *o = &e->objects[index];
	char name[NAME_MAX + 1];
	struct search search = { e, name, index };
	struct elf_file *elf;

	if (elf_file_open(o->fd, &e->budget, &elf))
		return;
	if (!elf_file_dynamic_string(elf, DT_RUNPATH, 0, o->runpath, sizeof(o->runpath)))
		elf_file_dynamic_string(elf, DT_RPATH, 0, o->rpath, sizeof(o->rpath));
	for (size_t i = 0; elf_file_dynamic_string(elf, DT_NEEDED, i, name, sizeof(name)); i++)
		dependency_add(&search);
	elf_file_close(elf);
}

/* ---- What is in them ----------------------------------------------------------------------- */

static bool library_take(struct expectation *e, const char *symbol, struct target_library *library)
{
	for (size_t i = 0; i < e->count; i++) {
		struct object *o = &e->objects[i];
		struct elf_file *elf;
		uint64_t offset;
		bool has;

		if (elf_file_open(o->fd, &e->budget, &elf))
			continue;
		has = !elf_file_function(elf, symbol, &offset);
		elf_file_close(elf);
		if (!has)
			continue;
		library->fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
		memcpy(library->path, o->path, sizeof(library->path));
		return library->fd >= 0 && !target_file_identify(library->fd, &library->file);
	}
	return false;
}

int target_tls_expect(const char *path, struct target_tls *tls)
{
	struct expectation *e = calloc(1, sizeof(*e));

	*tls = (struct target_tls){ .outcome = TARGET_TLS_NONE, .ssl.fd = -1, .crypto.fd = -1 };
	if (!e)
		return -ENOMEM;
	e->budget = budget_begin(LOOK_BYTES, LOOK_STEPS, LOOK_TIME_NS);
	cache_read(&e->cache);
	/* Libraries in another mount namespace are not these. */
	if (strncmp(path, "/proc/", strlen("/proc/")) != 0)
		object_add(e, path, 0);
	for (size_t i = 0; i < e->count; i++)
		dependencies_add(e, i);
	if (library_take(e, "SSL_do_handshake", &tls->ssl)) {
		library_take(e, "X509_check_host", &tls->crypto);
		tls->outcome = TARGET_TLS_FOUND;
	} else {
		target_tls_close(tls);
	}
	for (size_t i = 0; i < e->count; i++)
		close(e->objects[i].fd);
	free(e->cache.data);
	free(e);
	elf_ask_another();
	return 0;
}
