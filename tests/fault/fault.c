// SPDX-License-Identifier: BSD-2-Clause
/*
 * To be preloaded: has one call of the C library fail, the FAULT_AT-th of those that the program
 * itself makes, as it fails when memory, descriptors, the disk or threads run out. When the program
 * ends, FAULT_COUNT, a file, gets the number of the calls.
 */
#define _GNU_SOURCE /* RTLD_NEXT, dladdr() */
#include <dirent.h>
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
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
WRAP(ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at), FAIL(EIO, -1))
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms), FAIL(EINTR, -1))
WRAP(int, epoll_create1, (int flags), (flags), FAIL(EMFILE, -1))
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event),
     FAIL(ENOMEM, -1))
WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends), FAIL(EMFILE, -1))
WRAP(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags),
     FAIL(ENOBUFS, -1))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
     FAIL(ENOBUFS, -1))
WRAP(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), FAIL(ENOMEM, -1))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),
     FAIL(ENOMEM, -1))
WRAP(int, dup2, (int from, int to), (from, to), FAIL(EMFILE, -1))
WRAP(pid_t, fork, (void), (), FAIL(EAGAIN, -1))
WRAP(FILE *, fdopen, (int fd, const char *mode), (fd, mode), FAIL(ENOMEM, NULL))
WRAP(DIR *, opendir, (const char *path), (path), FAIL(EMFILE, NULL))
WRAP(ssize_t, readlinkat, (int dir, const char *path, char *buf, size_t n), (dir, path, buf, n),
     FAIL(ENOMEM, -1))
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), FAIL(EMFILE, NULL))
WRAP(FILE *, open_memstream, (char **buf, size_t *size), (buf, size), FAIL(ENOMEM, NULL))
WRAP(char *, strndup, (const char *s, size_t n), (s, n), FAIL(ENOMEM, NULL))
WRAP(ssize_t, readlink, (const char *path, char *buf, size_t n), (path, buf, n), FAIL(ENOMEM, -1))
WRAP(int, memfd_create, (const char *name, unsigned int flags), (name, flags), FAIL(EMFILE, -1))
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), FAIL(EMFILE, -1))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), FAIL(EINTR, -1))
/* Of a trace: what libbpf does, as a whole. */
WRAP(int, bpf_map_lookup_elem, (int fd, const void *key, void *value), (fd, key, value),
     FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map_update_elem, (int fd, const void *key, const void *value, uint64_t flags),
     (fd, key, value, flags), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map_delete_elem, (int fd, const void *key), (fd, key), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map_get_next_key, (int fd, const void *key, void *next), (fd, key, next),
     FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map_lookup_batch,
     (int fd, void *in, void *out, void *keys, void *values, uint32_t *count, const void *options),
     (fd, in, out, keys, values, count, options), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_obj_get_info_by_fd, (int fd, void *info, uint32_t *len), (fd, info, len),
     FAIL(ENOMEM, -ENOMEM))
WRAP(void *, bpf_program__attach, (const void *p), (p), FAIL(ENOMEM, NULL))
WRAP(void *, bpf_program__attach_uprobe_opts,
     (const void *p, pid_t pid, const char *path, size_t offset, const void *options),
     (p, pid, path, offset, options), FAIL(ENOMEM, NULL))
WRAP(int, bpf_object__load_skeleton, (void *skeleton), (skeleton), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_object__open_skeleton, (void *skeleton, const void *options), (skeleton, options),
     FAIL(ENOMEM, -ENOMEM))
WRAP(void *, ring_buffer__new, (int fd, void *take, void *context, const void *options),
     (fd, take, context, options), FAIL(ENOMEM, NULL))
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context),
     (thread, attributes, start, context), return EAGAIN)

/* openat2(2), Landlock, seccomp, perf events. */
long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long a[6];
	va_list args;

	if (!real)
		real = (long (*)(long number, ...))dlsym(RTLD_NEXT, "syscall");
	if (fails(__builtin_return_address(0))) {
		FAIL(ENOMEM, -1);
	}
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

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
