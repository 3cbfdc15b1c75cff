// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery by /proc at the start, and by exec records from then on. A process that has just
 * executed maps its libraries some milliseconds later, so it is looked at again until they are
 * there, for a bounded time. One that has no TLS library may load one whenever it likes (dlopen):
 * what code it has mapped is looked at now and then, and the rest only when that has changed.
 */
#include "kernel/discover.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "system/elf.h"
#include "system/log.h"
#include "system/regular.h"
#include "target/stack.h"

#define PENDING_MAX 64

/* Looked at so often, with the tracer's pause in between, before we give up: some 5 seconds. */
#define TRIES_MAX 250

struct pending {
	uint32_t pid; /* 0: free */
	unsigned int tries;
};

/* Processes without a TLS library that are looked at again, each after a time that doubles. */
#define LATE_MAX	256
#define LATE_FIRST_NS	100000000ULL
#define LATE_SOON_NS	800000000ULL
#define LATE_LONGEST_NS 4000000000ULL
/* Looks in one turn, and the pause after it: at most 40 a second. */
#define LATE_LOOKS    8
#define LATE_PAUSE_NS 200000000ULL

struct late {
	uint32_t pid; /* 0: free */
	uint64_t signature;
	uint64_t interval_ns;
	uint64_t t_next; /* CLOCK_MONOTONIC */
};

/* Kinds of problems that were told: one line for each, however many processes there are of it. */
#define TOLD_MAX 64

struct told {
	struct target_file exe;
	enum target_tls_outcome outcome;
};

struct discovery {
	struct attachments *attachments;
	const struct target_set *set;
	struct pending pending[PENDING_MAX];
	struct late late[LATE_MAX];
	size_t late_next; /* where the next turn begins, or the next that finds no room goes */
	uint64_t late_after_ns;
	bool late_soon;
	struct told told[TOLD_MAX];
	size_t told_count;
	size_t seen; /* processes, each once or more often */
	size_t live; /* that have a TLS library which is attached to */
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
	return d->live;
}

bool discovery_seen(const struct discovery *d)
{
	return d->seen > 0;
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

/* Was it told of that executable already? */
static bool outcome_was_told(struct discovery *d, const struct target_process *process,
			     enum target_tls_outcome outcome)
{
	for (size_t i = 0; i < d->told_count; i++)
		if (d->told[i].outcome == outcome &&
		    target_file_same(&d->told[i].exe, &process->exe))
			return true;
	if (d->told_count == TOLD_MAX)
		return true;
	d->told[d->told_count++] = (struct told){ process->exe, outcome };
	return false;
}

static void outcome_tell(struct discovery *d, const struct target_process *process,
			 const struct target_tls *tls)
{
	char buf[sizeof(d->problem)];
	struct text problem;

	if (outcome_was_told(d, process, tls->outcome))
		return;
	text_init(&problem, buf, sizeof(buf));
	target_tls_explain(process, tls, &problem);
	problem_tell(d, buf);
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

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static struct late *late_find(struct discovery *d, uint32_t pid)
{
	for (size_t i = 0; i < LATE_MAX; i++)
		if (d->late[i].pid == pid)
			return &d->late[i];
	return NULL;
}

static bool late_any(const struct discovery *d)
{
	for (size_t i = 0; i < LATE_MAX; i++)
		if (d->late[i].pid)
			return true;
	return false;
}

/* Without room the one that has waited longest for its turn gives way. */
static void late_add(struct discovery *d, uint32_t pid)
{
	struct late *late = late_find(d, pid);

	if (late)
		return;
	late = late_find(d, 0);
	if (!late)
		late = &d->late[d->late_next++ % LATE_MAX];
	*late = (struct late){ .pid = pid, .interval_ns = LATE_FIRST_NS };
	late->t_next = now_ns() + LATE_FIRST_NS;
	if (target_code_signature((pid_t)pid, &late->signature))
		late->pid = 0;
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
	d->seen++;
	if (tls.outcome != TARGET_TLS_FOUND) {
		outcome_tell(d, process, &tls);
		if (tls.outcome == TARGET_TLS_NONE)
			late_add(d, (uint32_t)process->pid);
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
	late_add(d, pid);
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

/* Says why nothing of the executable can be traced, if that is so. */
static bool exe_is_closed(struct elf_file *elf, const char *path, struct text *error)
{
	char name[64];
	uint64_t offset;
	bool linked_in;

	if (!elf_file_function(elf, "SSL_do_handshake", &offset) ||
	    elf_file_dynamic_string(elf, DT_NEEDED, 0, name, sizeof(name)))
		return false;
	if (!stack_of_executable(elf, name, sizeof(name), &linked_in))
		text_addf(error,
			  "%s is linked statically and has no symbol SSL_do_handshake: either it "
			  "does no TLS, or its symbols were stripped; use a build with symbols, or "
			  "one that is linked with libssl.so",
			  path);
	else if (linked_in)
		text_addf(error,
			  "%s has %s linked in and its symbols stripped: use a build with symbols, "
			  "or one that is linked with libssl.so",
			  path, name);
	else
		text_addf(error,
			  "%s does TLS with %s, which tlsfail cannot look into as it can into "
			  "OpenSSL and its kin",
			  path, name);
	return true;
}

/* An executable that does not run yet: what it will have is attached to, so that its first run is
 * seen. */
static int exe_prepare(struct discovery *d, const struct target_selector *selector,
		       struct text *error)
{
	int fd = regular_open(AT_FDCWD, selector->text, NULL), err;
	struct elf_file *elf = NULL;
	char lacks_buf[256];
	struct text lacks;
	struct target_tls tls;

	if (fd < 0)
		return fd;
	err = elf_file_open(fd, NULL, &elf);
	if (!err && exe_is_closed(elf, selector->text, error))
		err = -ENOENT;
	elf_file_close(elf);
	close(fd);
	if (err || target_tls_expect(selector->text, &tls))
		return err;
	text_init(&lacks, lacks_buf, sizeof(lacks_buf));
	if (tls.outcome == TARGET_TLS_FOUND)
		err = library_attach(d->attachments, &tls, &lacks, error);
	target_tls_close(&tls);
	return err < 0 ? err : 0;
}

static int selectors_register(struct discovery *d, struct text *error)
{
	for (size_t i = 0; i < d->set->count; i++) {
		const struct target_selector *s = &d->set->items[i];
		int err = 0;

		if (s->kind == TARGET_PID)
			err = target_allow_pid(d->attachments, s->pid);
		if (s->kind == TARGET_EXE) {
			err = exe_prepare(d, s, error);
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
	if (!err && d->seen && !d->live && !late_any(d))
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

/* One that was looked at: again later, or never. */
static void late_look(struct discovery *d, struct late *late, uint64_t now)
{
	uint64_t signature;

	if (target_code_signature((pid_t)late->pid, &signature)) {
		late->pid = 0;
	} else if (signature != late->signature) {
		uint32_t pid = late->pid;

		late->pid = 0;
		pending_add(d, pid);
	} else {
		if (late->interval_ns < LATE_LONGEST_NS)
			late->interval_ns *= 2;
		late->t_next = now + late->interval_ns;
	}
}

/* True: one of them has come so lately that its turn comes soon. */
static bool late_turn(struct discovery *d)
{
	uint64_t now = now_ns();
	size_t looks = 0, i;
	bool soon = false;

	if (now < d->late_after_ns)
		return d->late_soon;
	for (i = 0; i < LATE_MAX && looks < LATE_LOOKS; i++) {
		struct late *late = &d->late[(d->late_next + i) % LATE_MAX];

		if (late->pid && now >= late->t_next) {
			late_look(d, late, now);
			looks++;
		}
		soon |= late->pid && late->interval_ns <= LATE_SOON_NS;
	}
	d->late_next = (d->late_next + i) % LATE_MAX;
	d->late_after_ns = now + LATE_PAUSE_NS;
	d->late_soon = soon;
	return soon;
}

bool discovery_retry(struct discovery *d)
{
	bool more = late_turn(d);

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &d->pending[i];

		if (!p->pid)
			continue;
		if (!pending_look(d, p)) {
			p->pid = 0;
		} else if (++p->tries == TRIES_MAX) {
			late_add(d, p->pid);
			p->pid = 0;
		} else {
			more = true;
		}
	}
	return more;
}
