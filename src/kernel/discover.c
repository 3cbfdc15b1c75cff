// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery by /proc at the start, and by exec records from then on. A process that has just
 * executed maps its libraries some milliseconds later, so it is looked at again until they are
 * there, for a bounded time.
 */
#include "kernel/discover.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/elf.h"
#include "system/log.h"
#include "system/regular.h"

#define PENDING_MAX 64

/* Looked at so often, with the tracer's pause in between, before we give up: some 5 seconds. */
#define TRIES_MAX 250

struct pending {
	uint32_t pid; /* 0: free */
	unsigned int tries;
};

struct discovery {
	struct attachments *attachments;
	const struct target_set *set;
	struct pending pending[PENDING_MAX];
	size_t processes;
	size_t live; /* of them: TLS library attached */
	char version[32];
	char problem[1024]; /* the last one told, so that each worker does not repeat it */
	bool starting;	    /* problems are kept for the caller instead of being told */
};

int discovery_new(struct attachments *attachments, const struct target_set *set,
		  struct discovery **out)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->attachments = attachments;
	d->set = set;
	*out = d;
	return 0;
}

void discovery_free(struct discovery *d)
{
	free(d);
}

bool discovery_live(const struct discovery *d)
{
	return d->live > 0;
}

size_t discovery_processes(const struct discovery *d)
{
	return d->processes;
}

const char *discovery_version(const struct discovery *d)
{
	return d->version;
}

static void problem_tell(struct discovery *d, const char *problem)
{
	struct text t;

	if (!strcmp(problem, d->problem))
		return;
	text_init(&t, d->problem, sizeof(d->problem));
	text_add(&t, problem);
	if (!d->starting)
		log_line("%s", problem);
}

static void library_tell(struct discovery *d, const struct target_tls *tls, const char *lacks)
{
	if (!d->live && !d->version[0])
		memcpy(d->version, tls->version, sizeof(d->version));
	if (*lacks)
		log_line("%s: not all of it can be traced; not seen: %s", tls->ssl.path, lacks);
	if (!d->starting)
		log_line("now tracing %s%s%s", tls->ssl.path, tls->version[0] ? ", OpenSSL " : "",
			 tls->version);
}

/* Returns 0, -EAGAIN when the process is still starting, or an error of attaching. */
static int library_look(struct discovery *d, const struct target_process *process)
{
	char lacks_buf[256], problem_buf[sizeof(d->problem)];
	struct text lacks, problem;
	struct target_tls tls;
	int err;

	err = target_tls_find(process, &tls);
	if (err)
		return err == -ESRCH ? 0 : err;
	text_init(&lacks, lacks_buf, sizeof(lacks_buf));
	text_init(&problem, problem_buf, sizeof(problem_buf));
	if (tls.outcome == TARGET_TLS_NOT_YET) {
		err = -EAGAIN;
		goto out;
	}
	d->processes++;
	if (tls.outcome != TARGET_TLS_FOUND) {
		target_tls_explain(process, &tls, &problem);
		problem_tell(d, problem_buf);
		goto out;
	}
	err = library_attach(d->attachments, &tls, &lacks, &problem);
	if (err < 0) {
		/* One library that cannot be attached to must not hide the others. */
		problem_tell(d, problem_buf);
		err = 0;
		goto out;
	}
	if (err > 0)
		library_tell(d, &tls, lacks_buf);
	d->live++;
	err = 0;
out:
	target_tls_close(&tls);
	return err;
}

static void pending_add(struct discovery *d, uint32_t pid)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &d->pending[i];

		if (p->pid && p->pid != pid)
			continue;
		*p = (struct pending){ .pid = pid };
		return;
	}
	log_line("more than %d programs started at once; process %u is not looked at", PENDING_MAX,
		 pid);
}

static int found(const struct target_process *process, void *context)
{
	struct discovery *d = context;
	int err = target_allow(d->attachments, &process->exe);

	if (!err)
		err = library_look(d, process);
	if (err != -EAGAIN)
		return err;
	pending_add(d, process->pid);
	return 0;
}

/* An executable that does not run yet: can it have a TLS library at all? */
static int exe_check(const struct target_selector *selector, struct text *error)
{
	int fd = regular_open(AT_FDCWD, selector->text, NULL), err;
	struct elf_file *elf = NULL;
	uint64_t offset;
	char name[8];

	if (fd < 0)
		return fd;
	err = elf_file_open(fd, NULL, &elf);
	if (err)
		goto out;
	if (elf_file_function(elf, "SSL_do_handshake", &offset) &&
	    !elf_file_dynamic_string(elf, DT_NEEDED, 0, name, sizeof(name))) {
		text_addf(error,
			  "%s is linked statically and has no symbol SSL_do_handshake: either it "
			  "does no TLS, or its symbols were stripped; use a build with symbols, or "
			  "one that is linked with libssl.so",
			  selector->text);
		err = -ENOENT;
	}
out:
	elf_file_close(elf);
	close(fd);
	return err;
}

static int selectors_register(struct discovery *d, struct text *error)
{
	for (size_t i = 0; i < d->set->count; i++) {
		const struct target_selector *s = &d->set->items[i];
		int err = 0;

		if (s->kind == TARGET_PID)
			err = target_allow_pid(d->attachments, s->pid);
		if (s->kind == TARGET_EXE) {
			err = exe_check(s, error);
			if (!err)
				err = target_allow(d->attachments, &s->exe);
		}
		if (err)
			return err;
	}
	return 0;
}

int discovery_scan(struct discovery *d, struct text *error)
{
	int err = selectors_register(d, error);

	if (err)
		return err;
	d->starting = true;
	err = target_scan(d->set, found, d);
	d->starting = false;
	if (!err && d->processes && !d->live)
		err = -ENOENT;
	if (err && !error->len)
		text_add(error, d->problem[0] ? d->problem : strerror(-err));
	else if (!err && d->problem[0])
		log_line("%s", d->problem);
	return err;
}

void discovery_exec(struct discovery *d, uint32_t pid)
{
	pending_add(d, pid);
}

/* True: the process is to be looked at again. */
static bool pending_look(struct discovery *d, const struct pending *p)
{
	struct target_process process;
	int err;

	if (target_process_read((pid_t)p->pid, &process) || !target_matches(d->set, &process))
		return false;
	err = target_allow(d->attachments, &process.exe);
	if (!err)
		err = library_look(d, &process);
	if (err && err != -EAGAIN)
		log_line("cannot trace process %u: %s", p->pid, strerror(-err));
	return err == -EAGAIN;
}

bool discovery_retry(struct discovery *d)
{
	bool more = false;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &d->pending[i];

		if (!p->pid)
			continue;
		if (!pending_look(d, p)) {
			p->pid = 0;
		} else if (++p->tries == TRIES_MAX) {
			log_line("process %u has not loaded a TLS library; not traced", p->pid);
			p->pid = 0;
		} else {
			more = true;
		}
	}
	return more;
}
