// SPDX-License-Identifier: BSD-2-Clause
/*
 * One process: its TLS library, what of it can be hooked, and where it runs.
 */
#include "command/checkup.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/attach.h"
#include "system/elf.h"
#include "system/procfs.h"
#include "base/text.h"

/* A process that has just started gets this long to load its libraries. */
#define LOADING_TRIES	 10
#define LOADING_PAUSE_NS 20000000

#define SECCOMP_FILTERED "\nSeccomp:\t2"

/* -- where it runs ---------------------------------------------------------------------------- */

static bool namespace_is_ours(int dir, const char *name)
{
	char path[32], own[64] = "", other[64] = "";
	struct text t;

	text_init(&t, path, sizeof(path));
	text_addf(&t, "/proc/self/%s", name);
	/* When one cannot be read, nothing is said about it. */
	if (readlink(path, own, sizeof(own) - 1) < 0 ||
	    readlinkat(dir, name, other, sizeof(other) - 1) < 0)
		return true;
	return !strcmp(own, other);
}

static void examine_surroundings(pid_t pid, struct checkup_process *p)
{
	char buf[4096];
	int dir = procfs_open(pid);

	if (dir < 0)
		return;
	p->other_mounts = !namespace_is_ours(dir, "ns/mnt");
	if (!procfs_read_text(dir, "status", buf, sizeof(buf)))
		p->seccomp = strstr(buf, SECCOMP_FILTERED);
	if (procfs_read_text(dir, "cgroup", buf, sizeof(buf)) ||
	    !container_id_find(buf, p->container))
		p->container[0] = '\0';
	close(dir);
}

/* -- its TLS library -------------------------------------------------------------------------- */

static int library_find(const struct target_process *process, struct target_tls *tls)
{
	const struct timespec pause = { .tv_nsec = LOADING_PAUSE_NS };
	int err = target_tls_find(process, tls);

	for (int i = 0; !err && tls->outcome == TARGET_TLS_NOT_YET && i < LOADING_TRIES; i++) {
		target_tls_close(tls);
		nanosleep(&pause, NULL);
		err = target_tls_find(process, tls);
	}
	return err;
}

static int hooks_locate(const struct target_tls *tls, struct checkup_process *p)
{
	struct elf_file *ssl = NULL, *crypto = NULL;
	uint64_t offset;
	int err;

	err = elf_file_open(tls->ssl.fd, NULL, &ssl);
	elf_ask_another();
	if (!err && tls->crypto.fd >= 0)
		err = elf_file_open(tls->crypto.fd, NULL, &crypto);
	if (err)
		goto out;
	p->status = CHECKUP_OK;
	for (int fact = 0; fact < LIB_FACT_COUNT; fact++) {
		p->hooks[fact] = lib_hook_locate(fact, ssl, crypto, &offset);
		if (!p->hooks[fact] && lib_fact_loss(fact))
			p->status = CHECKUP_DEGRADED;
	}
	if (!p->hooks[LIB_HANDSHAKE])
		p->status = CHECKUP_MISSING;
out:
	elf_file_close(ssl);
	elf_file_close(crypto);
	elf_ask_another();
	return err;
}

static void examine_library(const struct target_process *process, struct checkup_process *p)
{
	struct text problem, path;
	struct target_tls tls;
	int err;

	text_init(&problem, p->problem, sizeof(p->problem));
	err = library_find(process, &tls);
	if (err) {
		text_addf(&problem, "cannot be examined: %s", strerror(-err));
		return;
	}
	if (tls.outcome == TARGET_TLS_FOUND) {
		text_init(&path, p->library, sizeof(p->library));
		text_add_hostile(&path, tls.ssl.path, strlen(tls.ssl.path));
		text_init(&path, p->version, sizeof(p->version));
		text_add_hostile(&path, tls.version, strlen(tls.version));
		err = hooks_locate(&tls, p);
		if (err)
			text_addf(&problem, "its TLS library cannot be read: %s", strerror(-err));
	} else {
		target_tls_explain(process, &tls, &problem);
		p->status = tls.outcome == TARGET_TLS_NOT_YET ? CHECKUP_DEGRADED : CHECKUP_MISSING;
	}
	target_tls_close(&tls);
}

void checkup_process(const struct target_process *process, struct checkup_process *p)
{
	struct text exe;

	*p = (struct checkup_process){ .pid = process->pid, .status = CHECKUP_MISSING };
	text_init(&exe, p->exe, sizeof(p->exe));
	text_add_hostile(&exe, process->exe_path, strlen(process->exe_path));
	examine_library(process, p);
	examine_surroundings(process->pid, p);
}
