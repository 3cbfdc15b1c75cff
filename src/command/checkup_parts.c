// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each part of tlsfail may do once it runs. The walls around the one that reads what peers send are
 * raised around a child, which then tries what it should not be able to.
 */
#define _GNU_SOURCE /* pipe2() */
#include "command/checkup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "system/confine.h"
#include "system/sandbox.h"

struct trial {
	int err; /* of sandbox_enter() */
	struct sandbox_state state;
	const char *possible; /* what should not be, NULL: nothing */
};

/* Calls that fail in any case: what counts is with which error. */
static const char *possible_find(void)
{
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		return "its restrictions fail: a child could open files";
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return "its restrictions fail: a child could make sockets";
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return "its restrictions fail: a child could be traced";
	if (syscall(SYS_bpf, -1, NULL, 0) >= 0 || errno != EPERM)
		return "its restrictions fail: a child could call bpf(2)";
	return NULL;
}

static void child_main(const struct sandbox_user *user, int out)
{
	const struct sandbox_options options = { .user = user };
	struct trial trial = { 0 };

	trial.err = sandbox_enter(&options, &trial.state);
	if (!trial.err)
		trial.possible = possible_find();
	_exit(write(out, &trial, sizeof(trial)) == (ssize_t)sizeof(trial) ? 0 : 1);
}

/* The child's words are constants of this program, at the same place in both. */
static int trial_run(const struct sandbox_user *user, struct trial *trial)
{
	int ends[2], status;
	ssize_t n;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child)
		child_main(user, ends[1]);
	close(ends[1]);
	n = read(ends[0], trial, sizeof(*trial));
	close(ends[0]);
	if (child < 0)
		return -EAGAIN;
	(void)waitpid(child, &status, 0);
	return n == (ssize_t)sizeof(*trial) ? trial->err : -EIO;
}

static void walls_add(struct text *t, const struct sandbox_user *user, const struct trial *trial)
{
	int landlock = sandbox_landlock();

	if (trial->state.user)
		text_addf(t, "user %s (%u)", user->name, (unsigned int)user->uid);
	else
		text_addf(t, "user %u, which it may not change", (unsigned int)getuid());
	text_add(t, ", no capabilities, no_new_privs, seccomp");
	if (trial->state.landlock)
		text_addf(t, ", Landlock %d", landlock);
	else
		text_add(t, "; this kernel has no Landlock");
	text_add(t, "; a child under these restrictions could use no file, socket, ptrace or bpf");
}

static void examine_analyst(struct checkup *c)
{
	struct checkup_item *item = &c->items[c->item_count++];
	struct trial trial = { 0 };
	struct sandbox_user user;
	struct text found;
	int err;

	sandbox_user_find(&user);
	*item = (struct checkup_item){ .name = "analyst", .status = CHECKUP_OK };
	text_init(&found, item->found, sizeof(item->found));
	text_add(&found, "reads everything that peers sent, certificates and configurations; ");
	err = trial_run(&user, &trial);
	if (!err && !trial.possible) {
		walls_add(&found, &user, &trial);
		return;
	}
	text_addf(&found, "%s", err ? "it cannot give up its privileges" : trial.possible);
	item->status = CHECKUP_MISSING;
	item->effect = "tlsfail does not start: it refuses to read hostile bytes with privileges";
	item->remedy = "boot a kernel with CONFIG_SECCOMP_FILTER, or make the container's seccomp "
		       "profile allow seccomp(2)";
}

static void examine_collector(struct checkup *c)
{
	struct checkup_item *item = &c->items[c->item_count++];
	struct text found;

	*item = (struct checkup_item){ .name = "collector", .status = CHECKUP_OK };
	text_init(&found, item->found, sizeof(item->found));
	text_add(
		&found,
		"attaches to programs and libraries, and passes records on without reading them; "
		"once armed it keeps CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and "
		"CAP_CHECKPOINT_RESTORE, and CAP_SYS_ADMIN only where uprobes are perf events");
}

static void examine_keeper(struct checkup *c)
{
	struct checkup_item *item = &c->items[c->item_count++];
	struct text found;

	*item = (struct checkup_item){ .name = "keeper", .status = CHECKUP_OK };
	text_init(&found, item->found, sizeof(item->found));
	text_add(&found, "opens files for the analyst: regular files of traced processes, without "
			 "private keys, and the outputs of tlsfail");
}

void checkup_parts(struct checkup *c)
{
	examine_collector(c);
	examine_keeper(c);
	examine_analyst(c);
}
