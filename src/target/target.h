/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what the user selected to processes, and from a process to the files that hold its TLS
 * library, by way of /proc. Files are told apart by device and inode: a path means something else
 * in another mount namespace, and nothing after an upgrade has replaced the file.
 *
 * Paths, and whatever else a traced process chose, are raw bytes: print them escaped.
 */
#ifndef TLSFAIL_TARGET_TARGET_H
#define TLSFAIL_TARGET_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

/* ---- Identity of a file -------------------------------------------------------------------- */

struct target_file {
	dev_t dev; /* as stat() has it; see target_kernel_dev() */
	ino_t ino;
	bool dev_known; /* false: on overlayfs or btrfs, where stat() does not tell the device that
			 * the kernel's super block has. Go by the inode alone. */
};

/* The identity of what fd, which may be an O_PATH one, has open. A negative errno on failure. */
int target_file_identify(int fd, struct target_file *file);

/* Are these the same file? By the inode alone where a device is not known. */
bool target_file_same(const struct target_file *a, const struct target_file *b);

/* dev as the kernel encodes it in super_block.s_dev: 12 bits of major, 20 bits of minor. */
uint32_t target_kernel_dev(dev_t dev);

/* ---- Processes ----------------------------------------------------------------------------- */

struct target_process {
	pid_t pid;
	struct target_file exe;
	bool exe_deleted; /* the file has lost its name: replaced by an upgrade, or removed */
	uid_t exe_owner;
	char comm[16];		 /* TASK_COMM_LEN */
	char exe_path[PATH_MAX]; /* as the process sees it */
};

/*
 * Reads what /proc has on one process.
 * -ESRCH: it is gone, a zombie, or a kernel thread; -EACCES or -EPERM: not permitted; exe_path, if it
 * is not empty, holds even then.
 */
int target_process_read(pid_t pid, struct target_process *process);

/*
 * Did root have a say in what this process runs: is it root's, its executable, or its parent that runs
 * the same, as a worker's master does? Anybody can give a program of his own the name of one that is
 * traced.
 */
bool target_is_trusted(const struct target_process *process);

/* A network namespace's inode, a space, and a container's id. */
#define TARGET_WHERE_LEN 96

/* Where the process runs: "4026531992", or "4026531992 ID" in a container; "" unknown. */
void target_process_where(pid_t pid, char where[TARGET_WHERE_LEN]);

/* ---- What the user selected ---------------------------------------------------------------- */

enum target_kind {
	TARGET_EXE,  /* this very executable, running or not */
	TARGET_NAME, /* executables with this file name */
	TARGET_COMM, /* processes that call themselves so */
	TARGET_PID,  /* this process and its descendants */
};

struct target_selector {
	enum target_kind kind;
	struct target_file exe; /* TARGET_EXE: the file at text when it was added */
	pid_t pid;		/* TARGET_PID */
	uint64_t started; /* likewise, see procfs_started(): its number may be another's one day */
	char *text;	  /* TARGET_EXE: its path, without symbolic links unless it leads
				 * through those of /proc; TARGET_NAME, TARGET_COMM: the name */
};

/* Processes that any of these selects. Begins as all zero: nothing is selected. */
struct target_set {
	struct target_selector *items;
	size_t count;
};

/*
 * Adds an executable by its path in our mount namespace, which may lead into another one by way of
 * /proc/PID/root. A negative errno of open(); -ENOEXEC: not a regular file, or no ELF executable;
 * -ENOTSUP: for another machine; -ENOMEM.
 */
int target_set_add_exe(struct target_set *set, const char *path);

/* Adds the executables with this file name, wherever they stand. -EINVAL: empty, or has a '/'. */
int target_set_add_name(struct target_set *set, const char *name);

/* Adds the processes of this name (/proc/PID/comm). -EINVAL: empty, or 16 bytes or more. */
int target_set_add_comm(struct target_set *set, const char *comm);

/* Adds a process and its descendants, present and future. -ESRCH: there is no such process. */
int target_set_add_pid(struct target_set *set, pid_t pid);

/* Frees what set holds and makes it empty. */
void target_set_clear(struct target_set *set);

/*
 * Is this process selected? TARGET_EXE goes by the file that is at the path now, so that an
 * upgrade while we run is seen, and by the path for a process that still runs the file that an
 * upgrade has replaced; once nothing is at the path, by the file that was.
 */
bool target_matches(const struct target_set *set, const struct target_process *process);

/* Whether the process could be selected, by its name alone: without looking at files, which may not
 * answer. True when that cannot be told. */
bool target_may_match(const struct target_set *set, pid_t pid);

/* Gets each process found. Returns 0 to go on; anything else ends the scan. */
typedef int (*target_found_fn)(const struct target_process *process, void *context);

/*
 * Calls found for every present process that set selects. Processes that may not be looked at are
 * passed over. Returns what found returned last, 0 when there was none, or a negative errno when
 * /proc cannot be listed.
 */
int target_scan(const struct target_set *set, target_found_fn found, void *context);

/* The pids of the first max, at least 1, of these processes. Returns how many there are, or a negative
 * errno when /proc cannot be listed. */
int target_pids(const struct target_set *set, pid_t *pids, size_t max);

/* ---- The TLS library of a process ---------------------------------------------------------- */

struct target_library {
	int fd; /* open on the very file that is mapped, also when it was deleted or is
			       * in another mount namespace; -1: none */
	struct target_file file;
	char path[PATH_MAX]; /* as the process sees it; "" : none */
};

enum target_tls_outcome {
	TARGET_TLS_FOUND,     /* ssl is open, and crypto too unless its fd is -1 */
	TARGET_TLS_NOT_YET,   /* the dynamic loader is still mapping libraries: ask again */
	TARGET_TLS_NO_SYMBOL, /* ssl.path is a libssl, but SSL_do_handshake is not in it */
	TARGET_TLS_FOREIGN,   /* ssl.path is for another machine or word size */
	TARGET_TLS_STRIPPED,  /* linked statically into the executable, whose symbols are gone */
	TARGET_TLS_COSTLY,    /* looking for it would have taken too long */
	TARGET_TLS_NONE,      /* no TLS library that we know */
};

struct target_tls {
	enum target_tls_outcome outcome;
	struct target_library ssl;    /* the file that defines SSL_do_handshake */
	struct target_library crypto; /* the file that defines X509_check_host; it may be the same
				       * one, open a second time */
	char version[32];	      /* "3.0.19", "1.1.1w", "BoringSSL"; "" : unknown */
	char stack[64]; /* what it does TLS with instead, for people; "" : nothing that is known */
};

/*
 * Finds the TLS library of a process. On success, whatever the outcome, *tls is the caller's to
 * target_tls_close(). Only what is mapped now is seen: a library that a program loads later
 * (dlopen) is TARGET_TLS_NONE until then. TARGET_TLS_NOT_YET lasts some milliseconds after exec,
 * but where a dependency cannot be told by its name, it lasts: give up after a while.
 * -ESRCH: the process is gone or has executed another program; -EACCES or -EPERM: not permitted;
 * -ENOMEM.
 */
int target_tls_find(const struct target_process *process, struct target_tls *tls);

/*
 * The same for an executable that nobody runs: the libraries that it is linked with, where the dynamic
 * loader of this mount namespace would find them. TARGET_TLS_FOUND or TARGET_TLS_NONE.
 */
int target_tls_expect(const char *path, struct target_tls *tls);

/* A number that changes when a process maps code that it had not mapped: then it is worth another look,
 * which costs a thousand times as much. A negative errno on failure. */
int target_code_signature(pid_t pid, uint64_t *signature);

/* Closes the descriptors in tls. Harmless when done twice, or after a failed find. */
void target_tls_close(struct target_tls *tls);

/* Appends one sentence, without a full stop, on the outcome for people. process must be the one
 * that was looked at. */
void target_tls_explain(const struct target_process *process, const struct target_tls *tls,
			struct text *t);

#endif
