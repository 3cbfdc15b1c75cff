// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery by /proc at the start, and by exec records from then on. A process that has just
 * executed maps its libraries some milliseconds later, so it is looked at again until they are
 * there, ever more rarely. One that has no TLS library may load one whenever it likes (dlopen): what
 * code it has mapped is looked at now and then, and the rest only when that has changed.
 */
#include "kernel/discover.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/candidates.h"
#include "kernel/library_names.h"
#include "kernel/look.h"
#include "kernel/pending.h"
#include "kernel/untraced.h"
#include "kernel/usage.h"
#include "system/clock.h"
#include "system/log.h"

#define QUEUE_MAX     32
#define STUCK_NS      (10 * NS_PER_S)
#define ABANDONED_MAX 8
#define EXES_MAX      256 /* entries of the map target_exes */
#define START_NS      (5 * NS_PER_S)
/* Looks at a time at processes that may load a library later. */
#define LATE_LOOKS 8
/* All processes are looked at for what is not used any more, and again after a look was missed. */
#define SWEEP_NS       (30 * NS_PER_S)
#define RESCAN_NS      (2 * NS_PER_S)
#define RESCAN_LAST_NS (60 * NS_PER_S)
struct discovery {
	struct discovery_options options;
	struct worker *worker;
	struct candidates candidates;
	size_t given; /* looks that the worker has */
	struct pendings pendings;
	struct untraced untraced;
	struct usage_processes traced;
	struct usage exes;
	struct usage libraries;
	struct library_names names;
	uint64_t change; /* looks so far */
	bool sweeping;
	bool is_over; /* nothing can be looked at any more */
	bool is_full; /* of executables: room is to be made */
	bool told_full;
	uint64_t sweep_at;
	uint64_t rescan_at; /* 0: no need */
	uint64_t rescan_pause;
	size_t seen;  /* processes that were to be traced */
	size_t live;  /* of them: TLS library attached */
	size_t wired; /* of them: known to do TLS, seen from the wire alone */
	char version[32];
};

int discovery_new(const struct discovery_options *options, struct discovery **out)
{
	const struct worker_options worker = { QUEUE_MAX, STUCK_NS, ABANDONED_MAX };
	struct discovery *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->options = *options;
	d->sweep_at = clock_monotonic() + SWEEP_NS;
	d->rescan_pause = RESCAN_NS;
	err = worker_new(&worker, &d->worker);
	if (err)
		discovery_free(d);
	else
		*out = d;
	return err;
}

void discovery_free(struct discovery *d)
{
	if (!d)
		return;
	worker_free(d->worker);
	candidates_free(&d->candidates);
	usage_processes_free(&d->traced);
	usage_free(&d->exes);
	usage_free(&d->libraries);
	library_names_clear(&d->names);
	free(d);
}

bool discovery_live(const struct discovery *d)
{
	return d->live || d->wired;
}

bool discovery_wire_only(const struct discovery *d)
{
	return d->wired && !d->live;
}

size_t discovery_processes(const struct discovery *d)
{
	return d->traced.count;
}

bool discovery_seen(const struct discovery *d)
{
	return d->seen;
}

const char *discovery_version(const struct discovery *d)
{
	return d->version;
}

const struct library_name *discovery_library(const struct discovery *d, uint32_t pid)
{
	return library_names_find(&d->names, (pid_t)pid);
}

int discovery_fd(const struct discovery *d)
{
	return worker_fd(d->worker);
}

#define FROM_WIRE "its findings come from the wire only"

/* -- what people are told ---------------------------------------------------------------------- */

static void library_tell(struct discovery *d, const struct target_tls *tls, const char *lacks)
{
	if (*lacks)
		log_line("%s: not all of it can be traced; not seen: %s", tls->ssl.path, lacks);
	if (!d->untraced.starting)
		log_line("now tracing %s%s%s", tls->ssl.path, tls->version[0] ? ", OpenSSL " : "",
			 tls->version);
}

static void process_skip(struct discovery *d, const struct look *look, const char *why)
{
	d->seen++;
	untraced_program(&d->untraced, &look->process, why);
}

/* -- what is used ------------------------------------------------------------------------------ */

static int exe_allow(struct discovery *d, const struct target_file *file,
		     const struct usage_process *by)
{
	struct usage_file *used;
	int err;

	if (d->exes.count == EXES_MAX && !usage_find(&d->exes, file, false))
		return -E2BIG;
	err = target_allow(d->options.attachments, file);
	if (err)
		return err;
	used = usage_note(&d->exes, file, false);
	if (!used)
		return -ENOMEM;
	used->fixed |= !by;
	if (by)
		used->by = *by;
	used->change = d->change;
	return 0;
}

static void library_note(struct discovery *d, const struct target_library *library, bool ssl,
			 const struct usage_process *by)
{
	struct usage_file *used;

	if (library->fd < 0)
		return;
	used = usage_note(&d->libraries, &library->file, ssl);
	if (!used)
		return;
	used->by = *by;
	used->change = d->change;
}

/* -- letting go -------------------------------------------------------------------------------- */

static void sweep_give(struct discovery *d)
{
	struct sweep *sweep = sweep_new(d->options.set, d->exes.count, d->libraries.count);

	if (!sweep)
		return;
	sweep->number = d->change;
	for (size_t i = 0; i < d->exes.count; i++)
		sweep->items[i].file = d->exes.items[i].file;
	for (size_t i = 0; i < d->libraries.count; i++) {
		sweep->items[d->exes.count + i].file = d->libraries.items[i].file;
		sweep->items[d->exes.count + i].ssl = d->libraries.items[i].ssl;
	}
	if (worker_give(d->worker, &sweep->job))
		sweep_free(sweep);
	else
		d->sweeping = true;
}

/* True: it is not used any more, and nothing has used it since the sweep began. */
static bool item_take(const struct sweep *sweep, const struct sweep_item *item,
		      struct usage_file *used)
{
	if (!used || used->fixed || used->change > sweep->number)
		return false;
	if (item->used)
		used->by = (struct usage_process){ item->pid, item->started };
	return !item->used;
}

static void sweep_take(struct discovery *d, const struct sweep *sweep)
{
	d->sweeping = false;
	d->is_full = false;
	for (size_t i = 0; i < sweep->exe_count; i++) {
		const struct sweep_item *item = &sweep->items[i];
		struct usage_file *used = usage_find(&d->exes, &item->file, false);

		if (item_take(sweep, item, used)) {
			target_disallow(d->options.attachments, &used->file);
			d->told_full = false;
			d->rescan_pause = RESCAN_NS;
			usage_drop(&d->exes, used);
		}
	}
	for (size_t i = 0; i < sweep->library_count; i++) {
		const struct sweep_item *item = &sweep->items[sweep->exe_count + i];
		struct usage_file *used = usage_find(&d->libraries, &item->file, item->ssl);

		if (item_take(sweep, item, used)) {
			const struct library_use use = { used->file, used->ssl };

			library_release(d->options.attachments, &use);
			usage_drop(&d->libraries, used);
		}
	}
}

/* -- looks ------------------------------------------------------------------------------------- */

/* Without room among those that are to be looked at again, all are, later. */
static void again(struct discovery *d, bool has_room)
{
	if (!has_room)
		discovery_rescan(d);
}

static void library_take(struct discovery *d, const struct look *look,
			 const struct usage_process *by)
{
	char lacks_buf[256], problem_buf[UNTRACED_TEXT_LEN];
	struct text lacks, problem;
	int err;

	text_init(&lacks, lacks_buf, sizeof(lacks_buf));
	text_init(&problem, problem_buf, sizeof(problem_buf));
	err = library_attach(d->options.attachments, &look->tls, &look->plan, &lacks, &problem);
	if (err < 0) {
		if (!problem.len)
			text_add(&problem, strerror(-err));
		untraced_tell(&d->untraced, problem_buf);
		return;
	}
	if (!d->live)
		memcpy(d->version, look->tls.version, sizeof(d->version));
	if (err > 0)
		library_tell(d, &look->tls, lacks_buf);
	library_names_note(&d->names, &look->tls);
	library_note(d, &look->tls.ssl, true, by);
	library_note(d, &look->tls.crypto, false, by);
	usage_processes_note(&d->traced, by);
	d->live++;
}

static void process_take(struct discovery *d, const struct look *look)
{
	const struct usage_process by = { (uint32_t)look->process.pid, look->started };
	bool wired = attachments_from_wire(d->options.attachments) && look_is_wired(look);
	char problem_buf[UNTRACED_TEXT_LEN];
	struct text problem;
	int err;

	err = exe_allow(d, &look->process.exe, &by);
	if (err == -E2BIG) {
		if (!d->told_full)
			process_skip(d, look,
				     "more than 256 executables are being traced; it is checked "
				     "again when one of them has no processes left");
		d->told_full = true;
		d->is_full = true;
		discovery_rescan(d);
		return;
	}
	if (err) {
		process_skip(d, look, strerror(-err));
		return;
	}
	d->seen++;
	if (look->tls.outcome == TARGET_TLS_FOUND) {
		library_take(d, look, &by);
		return;
	}
	if (look->tls.outcome == TARGET_TLS_NONE)
		again(d, pending_is_late(&d->pendings, by.pid, look->signature, clock_monotonic()));
	if (wired) {
		usage_processes_note(&d->traced, &by);
		d->wired++;
	}
	if (untraced_is_known(&d->untraced, look))
		return;
	text_init(&problem, problem_buf, sizeof(problem_buf));
	target_tls_explain(&look->process, &look->tls, &problem);
	if (wired)
		text_add(&problem, "; " FROM_WIRE);
	untraced_tell(&d->untraced, problem_buf);
}

static void look_take(struct discovery *d, const struct look *look)
{
	uint32_t pid = (uint32_t)look->job.tag;

	d->change++;
	if (look->err == -EALREADY) {
		again(d, pending_is_late(&d->pendings, pid, look->signature, clock_monotonic()));
		return;
	}
	if (!look->err && look->trusted && look->tls.outcome == TARGET_TLS_NOT_YET) {
		const struct usage_process by = { pid, look->started };

		/* so that its handshakes are seen from the first on */
		(void)exe_allow(d, &look->process.exe, &by);
		again(d, pending_loads(&d->pendings, pid, look->signature, clock_monotonic()));
		return;
	}
	if (look->err || !look->trusted || look->tls.outcome != TARGET_TLS_NONE)
		pending_drop(&d->pendings, pid);
	if (look->err == -ESRCH)
		return;
	if (look->err == -ETIME)
		process_skip(d, look, "searching its TLS library for functions takes too long");
	else if (look->err)
		process_skip(d, look, strerror(-look->err));
	else if (look->trusted)
		process_take(d, look);
	else if (!usage_find(&d->exes, &look->process.exe, false)) /* root does not run it, too */
		untraced_foreign(&d->untraced, &look->process, d->options.any_user_option);
}

/* Too many threads are stuck: what waited was dropped. */
static void looks_end(struct discovery *d)
{
	if (!d->is_over)
		log_line("%d file systems do not respond: programs that start from now on are not "
			 "traced; restart tlsfail once they respond",
			 ABANDONED_MAX + 1);
	d->is_over = true;
	d->given = 0;
	d->pendings.count = 0;
	d->candidates.count = 0;
}

static bool look_give(struct discovery *d, uint32_t pid, uint64_t signature)
{
	struct look *look = look_new(d->options.set, pid, d->options.any_user, signature);
	int err;

	if (!look)
		return false;
	err = worker_give(d->worker, &look->job);
	if (!err) {
		d->given++;
		return true;
	}
	look_free(look);
	if (err == -EBUSY)
		looks_end(d);
	return false;
}

static void looks_give(struct discovery *d)
{
	uint64_t now = clock_monotonic();
	size_t late = 0; /* that the worker has */

	for (size_t i = 0; i < d->pendings.count; i++) {
		struct pending *p = &d->pendings.items[i];

		late += p->late && p->given;
		if (p->given || now < p->next || (p->late && late == LATE_LOOKS))
			continue;
		p->given = look_give(d, p->pid, p->late ? p->signature : 0);
		late += p->late && p->given;
	}
	while (d->candidates.count && look_give(d, d->candidates.items[d->candidates.count - 1], 0))
		d->candidates.count--;
}

static void jobs_take(struct discovery *d)
{
	struct worker_job *job;

	while ((job = worker_fetch(d->worker))) {
		if (job->tag) {
			d->given--;
			look_take(d, (const struct look *)job);
		} else {
			sweep_take(d, (const struct sweep *)job);
		}
		job->drop(job);
	}
}

/* What waited behind it is done by another thread; or by nobody, when there were too many. */
static void stuck_tell(struct discovery *d)
{
	uint64_t pid;

	if (!worker_abandon(d->worker, clock_monotonic(), &pid))
		return;
	if (!pid) {
		d->sweeping = false;
		return;
	}
	d->given--;
	pending_drop(&d->pendings, (uint32_t)pid);
	log_line("process %llu is not traced: the file system of its files does not respond",
		 (unsigned long long)pid);
}

/* -- all processes ----------------------------------------------------------------------------- */

void discovery_rescan(struct discovery *d)
{
	if (!d->rescan_at)
		d->rescan_at = clock_monotonic() + d->rescan_pause;
}

void discovery_exec(struct discovery *d, uint32_t pid)
{
	again(d, pending_start(&d->pendings, pid, clock_monotonic()));
}

bool discovery_run(struct discovery *d)
{
	uint64_t now = clock_monotonic();
	bool soon;

	stuck_tell(d);
	jobs_take(d);
	if (d->rescan_at && now >= d->rescan_at && !d->candidates.count && !d->sweeping) {
		d->rescan_at = 0;
		d->rescan_pause *= 2;
		if (d->rescan_pause > RESCAN_LAST_NS)
			d->rescan_pause = RESCAN_LAST_NS;
		(void)candidates_find(&d->candidates, d->options.set,
				      &d->traced); /* what it has found is looked at */
	}
	if (!d->sweeping && (now >= d->sweep_at || d->is_full)) {
		d->sweep_at = now + SWEEP_NS;
		d->is_full = false;
		usage_processes_drop_gone(&d->traced);
		if (usage_may_be_over(&d->exes) || usage_may_be_over(&d->libraries))
			sweep_give(d);
	}
	looks_give(d);
	soon = pending_soon(&d->pendings);
	if (!soon && !d->given && !d->candidates.count && !d->told_full)
		d->rescan_pause = RESCAN_NS;
	return soon || d->given || d->candidates.count || d->sweeping;
}

/* -- the start --------------------------------------------------------------------------------- */

/* An executable that does not run yet: what it will have is attached to, so that its first run is
 * seen. */
static int exe_prepare(struct discovery *d, const struct target_selector *selector,
		       struct text *error)
{
	struct library_plan plan;
	char lacks_buf[256];
	struct text lacks;
	struct target_tls tls;
	int err = look_at_exe(selector->text, error);

	if (err == -ENOENT && error->len && attachments_from_wire(d->options.attachments)) {
		log_line("%s; " FROM_WIRE, error->buf);
		text_init(error, error->buf, error->size);
		return exe_allow(d, &selector->exe, NULL);
	}
	if (err || target_tls_expect(selector->text, &tls))
		return err;
	text_init(&lacks, lacks_buf, sizeof(lacks_buf));
	if (tls.outcome == TARGET_TLS_FOUND)
		err = library_examine(&tls, &plan);
	if (!err && tls.outcome == TARGET_TLS_FOUND)
		err = library_attach(d->options.attachments, &tls, &plan, &lacks, error);
	if (err >= 0 && tls.outcome == TARGET_TLS_FOUND)
		library_names_note(&d->names, &tls);
	target_tls_close(&tls);
	if (err < 0)
		return err;
	return exe_allow(d, &selector->exe, NULL);
}

static int selectors_register(struct discovery *d, struct text *error)
{
	for (size_t i = 0; i < d->options.set->count; i++) {
		const struct target_selector *s = &d->options.set->items[i];
		int err = 0;

		if (s->kind == TARGET_PID)
			err = target_allow_pid(d->options.attachments, (uint32_t)s->pid,
					       s->started);
		if (s->kind == TARGET_EXE)
			err = exe_prepare(d, s, error);
		if (err)
			return err;
	}
	return 0;
}

/* Those that still load their libraries are not waited for. */
static bool has_looks(const struct discovery *d)
{
	return d->candidates.count || d->given;
}

static void first_looks_wait(struct discovery *d)
{
	uint64_t end = clock_monotonic() + START_NS;
	struct pollfd fd = { .fd = discovery_fd(d), .events = POLLIN };

	while (discovery_run(d) && has_looks(d) && clock_monotonic() < end && !d->options.ended())
		(void)poll(&fd, 1, 20);
	if (has_looks(d) && !d->options.ended())
		log_line("some processes have not been examined after %llu s; still working on it",
			 (unsigned long long)(START_NS / NS_PER_S));
}

int discovery_scan(struct discovery *d, struct text *error)
{
	int err = selectors_register(d, error);

	if (!err)
		err = candidates_find(&d->candidates, d->options.set, &d->traced);
	if (err)
		return err;
	d->untraced.starting = true;
	first_looks_wait(d);
	d->untraced.starting = false;
	if (d->options.ended())
		return -EINTR;
	if (d->seen && !discovery_live(d) && !d->pendings.count)
		err = -ENOENT;
	if (err && !error->len)
		text_add(error, d->untraced.problem[0] ? d->untraced.problem : strerror(-err));
	else if (!err && d->untraced.problem[0])
		log_line("%s", d->untraced.problem);
	return err;
}
