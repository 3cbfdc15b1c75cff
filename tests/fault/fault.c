// SPDX-License-Identifier: BSD-2-Clause
/*
 * To be preloaded: has one call of a library fail, of those that the program itself makes, in whatever of
 * its processes, as it fails when memory, descriptors, the disk or threads run out. FAULT_AT=N: the N-th of
 * all. FAULT_AT=OFFSET:N, the first hexadecimal: the N-th from that place of the program.
 *
 * When the program ends, FAULT_COUNT, a file, gets the number of all calls and the place of the one that
 * failed (0: none), and lines of a place and how many calls came from there.
 */
#define _GNU_SOURCE /* RTLD_NEXT, dl_iterate_phdr() */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SITES_MAX 8192

/* All processes of the program have the same one. */
static struct {
	atomic_long calls;
	atomic_ulong failed; /* where from, 0: none has */
	struct site {
		atomic_ulong offset; /* 0: free */
		atomic_long calls;
	} sites[SITES_MAX];
} * shared;

static long fault_at, fault_nth;
static unsigned long fault_offset;
static uintptr_t program, program_end;

/* The first is the program. */
static int program_find(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	program = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD)
			program_end = program + p->p_vaddr + p->p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAULT_AT"), *colon = at ? strchr(at, ':') : NULL;
	long memory = syscall(SYS_mmap, NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == -1)
		return;
	shared = (void *)memory;
	if (colon) {
		fault_offset = strtoul(at, NULL, 16);
		fault_nth = strtol(colon + 1, NULL, 10);
	} else if (at) {
		fault_at = strtol(at, NULL, 10);
	}
	dl_iterate_phdr(program_find, NULL);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *file = path && shared ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld %lx\n", atomic_load(&shared->calls), atomic_load(&shared->failed));
	for (size_t i = 0; i < SITES_MAX; i++)
		if (shared->sites[i].offset)
			fprintf(file, "%lx %ld\n", atomic_load(&shared->sites[i].offset),
				atomic_load(&shared->sites[i].calls));
	fclose(file);
}

/* Where calls from that place are counted; NULL: there are too many. */
static struct site *site_find(unsigned long offset)
{
	for (size_t i = 0; i < SITES_MAX; i++) {
		struct site *site = &shared->sites[(offset + i) % SITES_MAX];
		unsigned long free_site = 0;

		if (atomic_compare_exchange_strong(&site->offset, &free_site, offset) ||
		    free_site == offset)
			return site;
	}
	return NULL;
}

/* Is it the call that has to fail? */
static bool fails(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;
	struct site *site;
	long call, of_site;

	if (at < program || at >= program_end)
		return false;
	site = site_find(at - program);
	of_site = site ? atomic_fetch_add(&site->calls, 1) + 1 : 0;
	call = atomic_fetch_add(&shared->calls, 1) + 1;
	if (call != fault_at && (at - program != fault_offset || of_site != fault_nth))
		return false;
	atomic_store(&shared->failed, at - program);
	return true;
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
WRAP(int, pipe, (int ends[2]), (ends), FAIL(EMFILE, -1))
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), FAIL(EMFILE, -1))
WRAP(int, dup, (int fd), (fd), FAIL(EMFILE, -1))
WRAP(int, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len),
     FAIL(EADDRNOTAVAIL, -1))
WRAP(int, bind, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len), FAIL(ENOMEM, -1))
WRAP(int, listen, (int fd, int backlog), (fd, backlog), FAIL(ENOBUFS, -1))
WRAP(int, accept4, (int fd, struct sockaddr *from, socklen_t *len, int flags),
     (fd, from, len, flags), FAIL(EMFILE, -1))
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), FAIL(ENOBUFS, -1))
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len), FAIL(ENOBUFS, -1))
WRAP(int, getsockname, (int fd, struct sockaddr *name, socklen_t *len), (fd, name, len),
     FAIL(ENOBUFS, -1))
WRAP(ssize_t, sendto,
     (int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t len),
     (fd, buf, n, flags, to, len), FAIL(ENOBUFS, -1))
WRAP(int, getaddrinfo,
     (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out),
     (node, service, hints, out), return EAI_MEMORY)
WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags),
     FAIL(ENOMEM, -1))
WRAP(int, stat, (const char *path, struct stat *st), (path, st), FAIL(ENOMEM, -1))
WRAP(int, lstat, (const char *path, struct stat *st), (path, st), FAIL(ENOMEM, -1))
WRAP(int, fstatfs, (int fd, struct statfs *st), (fd, st), FAIL(EIO, -1))
WRAP(int, fsync, (int fd), (fd), FAIL(EIO, -1))
WRAP(int, rename, (const char *from, const char *to), (from, to), FAIL(ENOSPC, -1))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), FAIL(ENOSPC, -1))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), FAIL(EIO, -1))
WRAP(int, fflush, (FILE * file), (file), FAIL(ENOSPC, EOF))
WRAP(DIR *, fdopendir, (int fd), (fd), FAIL(ENOMEM, NULL))
WRAP(ssize_t, getrandom, (void *buf, size_t n, unsigned int flags), (buf, n, flags),
     FAIL(EAGAIN, -1))
WRAP(int, glob, (const char *pattern, int flags, int (*error)(const char *, int), glob_t *found),
     (pattern, flags, error, found), return GLOB_NOSPACE)
WRAP(int, regcomp, (regex_t * regex, const char *pattern, int flags), (regex, pattern, flags),
     return REG_ESPACE)
WRAP(void *, dlopen, (const char *path, int flags), (path, flags), return NULL)
WRAP(int, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s), FAIL(EAGAIN, -1))
WRAP(int, setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s), FAIL(EAGAIN, -1))
WRAP(int, setgroups, (size_t n, const gid_t *groups), (n, groups), FAIL(ENOMEM, -1))
WRAP(int, setns, (int fd, int type), (fd, type), FAIL(ENOMEM, -1))
/* Of OpenSSL and jansson: what needs memory, and says so. (A certificate that cannot be read for want of it
 * looks like one that is none.) */
WRAP(void *, SSL_CTX_new, (const void *method), (method), return NULL)
WRAP(void *, SSL_new, (void *context), (context), return NULL)
WRAP(void *, SSL_CONF_CTX_new, (void), (), return NULL)
WRAP(void *, BIO_new_mem_buf, (const void *buf, int len), (buf, len), return NULL)
WRAP(void *, X509_STORE_new, (void), (), return NULL)
WRAP(void *, X509_STORE_CTX_new, (void), (), return NULL)
WRAP(int, X509_STORE_CTX_init, (void *c, void *store, void *x, void *chain), (c, store, x, chain),
     return 0)
WRAP(void *, EVP_MD_fetch, (void *c, const char *name, const char *properties),
     (c, name, properties), return NULL)
WRAP(void *, OPENSSL_sk_new_null, (void), (), return NULL)
WRAP(void *, OPENSSL_sk_dup, (const void *stack), (stack), return NULL)
WRAP(int, OPENSSL_sk_push, (void *stack, const void *item), (stack, item), return 0)
WRAP(void *, json_object, (void), (), return NULL)
WRAP(void *, json_array, (void), (), return NULL)
WRAP(void *, json_string, (const char *value), (value), return NULL)
WRAP(void *, json_integer, (long long value), (value), return NULL)
WRAP(void *, json_loads, (const char *text, size_t flags, void *error), (text, flags, error),
     return NULL)
WRAP(void *, json_loadb, (const char *text, size_t n, size_t flags, void *error),
     (text, n, flags, error), return NULL)
/* Of a trace: what libbpf does, as a whole. */
WRAP(int, bpf_prog_load,
     (int type, const char *name, const char *license, const void *code, size_t n, void *options),
     (type, name, license, code, n, options), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map_create,
     (int type, const char *name, uint32_t key, uint32_t value, uint32_t n, const void *options),
     (type, name, key, value, n, options), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_raw_tracepoint_open, (const char *name, int fd), (name, fd), FAIL(ENOMEM, -ENOMEM))
WRAP(void *, btf__load_vmlinux_btf, (void), (), FAIL(ENOMEM, NULL))
WRAP(int, bpf_map__update_elem,
     (const void *map, const void *key, size_t n, const void *value, size_t m, uint64_t flags),
     (map, key, n, value, m, flags), FAIL(ENOMEM, -ENOMEM))
WRAP(int, bpf_map__delete_elem, (const void *map, const void *key, size_t n, uint64_t flags),
     (map, key, n, flags), FAIL(ENOMEM, -ENOMEM))
WRAP(int, ring_buffer__consume, (void *ring), (ring), FAIL(EINTR, -EINTR))
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
