// SPDX-License-Identifier: BSD-2-Clause
/*
 * To be preloaded: has one call of the C library fail, the FAULT_AT-th of those that the program
 * itself makes, as it fails when memory, descriptors, the disk or threads run out. When the program
 * ends, FAULT_COUNT, a file, gets the number of the calls.
 */
#define _GNU_SOURCE /* RTLD_NEXT, dladdr() */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;
static long fault_at;
static const void *program;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAULT_AT");
	const struct link_map *first = dlopen(NULL, RTLD_LAZY);
	Dl_info info;

	fault_at = at ? strtol(at, NULL, 10) : 0;
	if (first && dladdr(first->l_ld, &info))
		program = info.dli_fbase;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld\n", atomic_load(&calls));
	fclose(file);
}

/* Is it the call that has to fail? */
static bool fails(const void *caller)
{
	Dl_info info;

	if (!program || !dladdr(caller, &info) || info.dli_fbase != program)
		return false;
	return atomic_fetch_add(&calls, 1) + 1 == fault_at;
}

/* WRAP(type, name, (parameters), (arguments), what a failure is) */
#define WRAP(type, name, parameters, arguments, failure)                                           \
	type name parameters;                                                                      \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*real) parameters;                                                     \
                                                                                                   \
		if (!real)                                                                         \
			real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                        \
		if (fails(__builtin_return_address(0))) {                                          \
			failure;                                                                   \
		}                                                                                  \
		return real arguments;                                                             \
	}

#define FAIL(number, value)                                                                        \
	errno = (number);                                                                          \
	return value

WRAP(void *, malloc, (size_t n), (n), FAIL(ENOMEM, NULL))
WRAP(void *, realloc, (void *p, size_t n), (p, n), FAIL(ENOMEM, NULL))
WRAP(void *, reallocarray, (void *p, size_t m, size_t n), (p, m, n), FAIL(ENOMEM, NULL))
WRAP(char *, strdup, (const char *s), (s), FAIL(ENOMEM, NULL))
WRAP(void *, mmap, (void *at, size_t len, int prot, int flags, int fd, off_t offset),
     (at, len, prot, flags, fd, offset), FAIL(ENOMEM, MAP_FAILED))
WRAP(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n), FAIL(EIO, -1))
WRAP(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n), FAIL(ENOSPC, -1))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), FAIL(EIO, -1))
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), FAIL(EIO, -1))
WRAP(int, eventfd, (unsigned int value, int flags), (value, flags), FAIL(EMFILE, -1))
WRAP(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *mask),
     (fds, n, t, mask), FAIL(EINTR, -1))
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context),
     (thread, attributes, start, context), return EAGAIN)

/* dlsym() itself allocates with it. */
void *calloc(size_t m, size_t n)
{
	extern void *__libc_calloc(size_t, size_t);

	if (fails(__builtin_return_address(0))) {
		FAIL(ENOMEM, NULL);
	}
	return __libc_calloc(m, n);
}

#define OPEN(name, parameters, arguments)                                                          \
	int name parameters                                                                        \
	{                                                                                          \
		static int(*real) parameters;                                                      \
		unsigned int mode = 0;                                                             \
		va_list args;                                                                      \
                                                                                                   \
		if (!real)                                                                         \
			real = (int(*) parameters)dlsym(RTLD_NEXT, #name);                         \
		if (fails(__builtin_return_address(0))) {                                          \
			FAIL(EMFILE, -1);                                                          \
		}                                                                                  \
		if (flags & O_CREAT) {                                                             \
			va_start(args, flags);                                                     \
			mode = va_arg(args, unsigned int);                                         \
			va_end(args);                                                              \
		}                                                                                  \
		return real arguments;                                                             \
	}

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
