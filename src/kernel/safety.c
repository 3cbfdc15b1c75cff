// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sacrificial child: it puts the probe on a function of ours in itself, calls that function
 * under the filter, and tells the parent that it came back. The parent does not wait for its end:
 * the kernel takes some 80 ms to remove a probe.
 */
#define _GNU_SOURCE /* dl_iterate_phdr() */
#include "kernel/safety.h"

#include <errno.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernel/features.h"

/* arch/x86/entry/syscalls/syscall_64.tbl; elsewhere return probes need no system call, and no
 * architecture uses these numbers for another one. */
#define NR_URETPROBE 335
#define NR_UPROBE    336

#define CHILD_LIFE_S 10 /* however long the machine lets it wait */

/* The function that is probed, and a pointer through which the compiler cannot see. */
static __attribute__((noinline)) int probed_function(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

static int (*volatile const probed)(int) = probed_function;

/* -- where in our file the function is -------------------------------------------------------- */

struct place {
	uintptr_t address;
	uint64_t offset; /* in the file; 0: not found */
};

static int place_look(struct dl_phdr_info *info, size_t size, void *context)
{
	struct place *place = context;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && place->address >= start &&
		    place->address - start < segment->p_filesz)
			place->offset = place->address - start + segment->p_offset;
	}
	/* The first object is the executable; look no further. */
	return 1;
}

static int probed_offset(uint64_t *offset)
{
	struct place place = { .address = (uintptr_t)probed };

	dl_iterate_phdr(place_look, &place);
	*offset = place.offset;
	return place.offset ? 0 : -ENOENT;
}

/* -- the child -------------------------------------------------------------------------------- */

/* Lets every system call through but those of the probes, which raise SIGSYS: it kills like the
 * filters of real programs do, but leaves no line in the audit log. */
static int filter_install(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_URETPROBE, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_UPROBE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog fprog = {
		.len = sizeof(program) / sizeof(program[0]),
		.filter = program,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog, 0, 0))
		return -errno;
	return 0;
}

/* 0, or a negative errno of what could not be done; it does not return when the kernel kills. */
static int child_try(uint64_t offset)
{
	int probe, err, n;
	uint64_t hits;

	probe = features_uprobe_open(0, "/proc/self/exe", offset, true);
	if (probe < 0)
		return probe;
	err = filter_install();
	if (err == -EINVAL) {
		/* A kernel without filters (CONFIG_SECCOMP_FILTER) kills nobody by one. */
		err = 0;
		goto out;
	}
	if (err)
		goto out;
	n = probed(1);
	/* A probe that was not hit proves nothing. */
	if (n != 2 || read(probe, &hits, sizeof(hits)) != sizeof(hits) || !hits)
		err = -EPROTO;
out:
	return err;
}

/* Where the child answers. */
static volatile sig_atomic_t child_answer;

static void child_say(int err)
{
	_exit(write(child_answer, &err, sizeof(err)) != sizeof(err));
}

/* A machine that had no time for the child proves nothing. */
static void child_too_late(int signal)
{
	(void)signal;
	child_say(-ETIME);
}

/* Only system calls from here on: it is a copy of a process that may have done anything. */
static void child_run(int answer, uint64_t offset)
{
	/* no core file, no survivor */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGSYS, SIG_DFL);
	child_answer = answer;
	signal(SIGALRM, child_too_late);
	alarm(CHILD_LIFE_S);
	child_say(child_try(offset));
}

/* -- the trial -------------------------------------------------------------------------------- */

static int return_probes_try(void)
{
	int pipe_fds[2], answer, err;
	uint64_t offset;
	pid_t child;

	err = probed_offset(&offset);
	if (err)
		return err;
	if (pipe(pipe_fds))
		return -errno;
	signal(SIGCHLD, SIG_IGN);
	child = fork();
	if (!child)
		child_run(pipe_fds[1], offset);
	err = child < 0 ? -errno : 0;
	close(pipe_fds[1]);
	/* An end of file is its death. */
	if (!err)
		err = read(pipe_fds[0], &answer, sizeof(answer)) == sizeof(answer) ? answer
										   : -EKEYREJECTED;
	close(pipe_fds[0]);
	return err;
}

int safety_return_probes(void)
{
	static int answer = 1; /* not a possible one */

	if (answer > 0)
		answer = return_probes_try();
	return answer;
}
