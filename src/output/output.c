// SPDX-License-Identifier: BSD-2-Clause
/*
 * The caller's thread formats and queues, the output's own sends. All that both use is under one
 * lock, which is never held while anything is formatted or sent.
 */
#include "output/output.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "finding/finding.h"
#include "system/confine.h"
#include "system/log.h"
#include "system/terminal.h"
#include "system/clock.h"

#define BATCH_MAX    256
#define RETRY_MS_MIN 100
/* A receiver that asks to be left alone is not left alone for longer. */
#define WAIT_MS_MAX (5 * 60 * 1000)
/* How long a sink may take to notice that it is told to stop. */
#define TELL_NS	  (60 * NS_PER_S)
#define STOP_NS	  (200 * NS_PER_MS)
#define LOOK_NS	  (100 * NS_PER_MS) /* between looks at whether a sink fails */
#define NEVER	  UINT64_MAX
#define TRIES_MAX 4 /* of a sink that fails, at the end, before it takes something again */

struct output {
	struct output_options options;
	char *spec;
	const struct sink_type *type;
	struct sink *sink;
	bool is_stdout;
	int stop; /* eventfd */

	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* there may be something to send */
	pthread_cond_t room;  /* something was sent */
	struct queue queue;
	bool full;	  /* until half of the queue is free again */
	uint64_t since;	  /* when the first of the queue came, at the earliest */
	uint64_t removed; /* from the queue, so far */
	uint64_t notice;  /* the place among all that was put there of the event that waits to
			   * report losses; 0: none does. It is no event that can be lost. */
	struct output_kept *kept;
	struct output_kept own; /* where it lies, unless it has to survive */

	bool ended;	 /* for good, by final_error */
	int final_error; /* not yet told the caller */
	bool reopen;
	bool failing; /* the last attempt failed */
	bool told;    /* that it fails */
	uint64_t told_at;
	unsigned int failures; /* in a row; the pause depends on it */
	uint64_t retry_at;
	bool refusing;	    /* the consumer refused some of what it was given last */
	bool finishing;	    /* nothing waits for others to be sent with */
	unsigned int tries; /* left, while finishing, for a sink that fails */
	bool closed;	    /* nothing more comes */
	uint64_t deadline;
	bool cancelled;
	bool done; /* the thread touches nothing any more */
};

/* Waits on a condition, under the lock, until the time; NEVER: without end. */
static void wait_until(struct output *o, pthread_cond_t *condition, uint64_t time_ns)
{
	struct timespec ts = clock_timespec(time_ns);

	if (time_ns == NEVER)
		pthread_cond_wait(condition, &o->lock);
	else
		pthread_cond_timedwait(condition, &o->lock, &ts);
}

/* -- the output's own thread ------------------------------------------------------------------ */

/* When there will be something to do, as things stand. */
static uint64_t work_time(const struct output *o)
{
	uint64_t time = NEVER;

	if (o->queue.count && (o->finishing || o->queue.count >= o->type->batch_max))
		time = 0;
	else if (o->queue.count)
		time = o->since + o->type->linger_ms * NS_PER_MS;
	if (o->reopen)
		time = 0;
	return time > o->retry_at ? time : o->retry_at;
}

/* Waits until there is something to do. Returns false when nothing ever will be. */
static bool work_wait(struct output *o)
{
	for (;;) {
		uint64_t time = work_time(o);

		if (o->cancelled || o->ended || (o->closed && !o->queue.count))
			return false;
		if (time <= clock_monotonic())
			return true;
		wait_until(o, &o->work, time);
	}
}

/* Half of the pause is by chance: what was cut off together does not come back together. */
static uint64_t pause_ns(const struct output *o, const struct sink_sent *sent)
{
	unsigned int shift = o->failures < 10 ? o->failures - 1 : 9;
	uint64_t ms = (uint64_t)RETRY_MS_MIN << shift;
	uint32_t chance = 0;

	if (ms > o->type->retry_ms_max)
		ms = o->type->retry_ms_max;
	if (sent->wait_ms)
		ms = sent->wait_ms < WAIT_MS_MAX ? sent->wait_ms : WAIT_MS_MAX;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = 0;
	if (!sent->wait_ms)
		ms /= 2;
	return (ms + chance % (ms + 1)) * NS_PER_MS;
}

/* Once a minute is enough for a sink that fails every other time. */
static void failure_tell(struct output *o, int err, const char *words)
{
	uint64_t now = clock_monotonic();

	if (o->failing || (o->told_at && now - o->told_at < TELL_NS))
		return;
	o->told_at = now;
	o->told = true;
	log_line("%s: %s; retrying, and queueing up to %zu KiB meanwhile", o->spec,
		 words[0] ? words : strerror(-err), o->options.queue_size / 1024);
}

static void attempt_failed(struct output *o, int err, const struct sink_sent *sent,
			   const char *words)
{
	o->kept->counts.errors++;
	if (o->options.final || (o->is_stdout && err == -EPIPE)) {
		o->ended = true;
		o->final_error = err;
		return;
	}
	if (o->finishing && !--o->tries)
		o->cancelled = true;
	o->failures++;
	failure_tell(o, err, words);
	o->failing = true;
	o->retry_at = clock_monotonic() + pause_ns(o, sent);
}

static void attempt_succeeded(struct output *o)
{
	if (o->told)
		log_line("%s: works again", o->spec);
	o->told = false;
	o->failing = false;
	o->failures = 0;
	o->tries = TRIES_MAX;
}

/* Takes count items off the queue; lost: none of them reached the consumer. Returns how many of those
 * that did not are events: a report of losses that is lost leaves them unreported. */
static uint64_t remove_items(struct output *o, size_t count, bool lost)
{
	bool has_notice = o->notice > o->removed && o->notice <= o->removed + count;

	queue_drop(&o->queue, count);
	o->kept->counts.waiting = o->queue.count;
	o->removed += count;
	if (!has_notice)
		return lost ? count : 0;
	o->notice = 0;
	if (lost)
		o->kept->untold += o->kept->notice_of;
	o->kept->notice_of = 0;
	return lost ? count - 1 : 0;
}

/* What came of an attempt, under the lock. */
static void attempt_count(struct output *o, int err, const struct sink_sent *sent,
			  const char *words)
{
	bool all_refused = sent->refused && sent->refused == sent->taken;
	uint64_t refused = remove_items(o, sent->taken, all_refused);

	if (!all_refused)
		refused = sent->refused;
	o->since = clock_monotonic();
	o->kept->counts.written += sent->taken - sent->refused;
	o->kept->counts.dropped += refused;
	o->kept->untold += refused;
	if (sent->taken)
		attempt_succeeded(o);
	if (sent->refused && !o->refusing)
		log_line("%s: %s", o->spec, words);
	o->refusing = sent->taken ? sent->refused : o->refusing;
	if (!err)
		o->retry_at = 0;
	else if (err != -ECANCELED)
		attempt_failed(o, err, sent, words);
	pthread_cond_broadcast(&o->room);
}

static void attempt(struct output *o, const struct queue_item *items, size_t count, bool reopen)
{
	struct sink_sent sent = { 0 };
	char words[256];
	struct text error;
	int err = 0;

	text_init(&error, words, sizeof(words));
	if (reopen && o->type->reopen)
		err = o->type->reopen(o->sink, &error);
	if (!err && count)
		err = o->type->send(o->sink, items, count, &sent, &error);
	pthread_mutex_lock(&o->lock);
	attempt_count(o, err, &sent, words);
}

static void *output_thread(void *context)
{
	struct queue_item items[BATCH_MAX];
	struct output *o = context;
	size_t max = o->type->batch_max < BATCH_MAX ? o->type->batch_max : BATCH_MAX;

	/* Where it cannot be done there is nothing to give up. */
	(void)confine_capabilities(confine_caps_writing());
	pthread_mutex_lock(&o->lock);
	while (work_wait(o)) {
		size_t count = queue_read(&o->queue, items, max);
		bool reopen = o->reopen;

		o->reopen = false;
		pthread_mutex_unlock(&o->lock);
		attempt(o, items, count, reopen);
	}
	o->done = true;
	pthread_cond_broadcast(&o->room);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* Signals are for the thread that waits for them. */
static int thread_start(struct output *o)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&o->thread, NULL, output_thread, o);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	o->has_thread = !err;
	return err;
}

/* -- the caller's thread ---------------------------------------------------------------------- */

/* Without the queue, waiting for the consumer. */
static int send_one(struct output *o, const struct text *t)
{
	const struct queue_item item = { t->buf, t->len };
	struct sink_sent sent = { 0 };
	char words[256];
	struct text error;

	text_init(&error, words, sizeof(words));
	return o->type->send(o->sink, &item, 1, &sent, &error);
}

static int header_write(struct output *o)
{
	char words[256];
	struct text t;

	if (!o->type->header || !o->is_stdout || o->options.again)
		return 0;
	text_init(&t, words, sizeof(words));
	o->type->header(&o->options.sink, &t);
	return send_one(o, &t);
}

static int conditions_init(struct output *o)
{
	pthread_condattr_t attributes;
	int err;

	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attributes);
	err = -pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&o->work, &attributes);
	pthread_cond_init(&o->room, &attributes);
	pthread_condattr_destroy(&attributes);
	return err;
}

/* Memory that takes no room before it is used. */
static int queue_open(struct output *o)
{
	void *buf = mmap(NULL, o->options.queue_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		return -errno;
	queue_init(&o->queue, buf, o->options.queue_size);
	return 0;
}

/* A terminal may have become wider, or narrower. */
static void columns_follow(struct output *o)
{
	if (o->is_stdout)
		o->options.sink.columns = terminal_columns(o->options.sink.fd);
}

/* A file, unlike a terminal or a program that reads, has times of other days, too. */
static bool keeps_days(const struct output *o)
{
	struct stat st;

	return !o->is_stdout || (!fstat(o->options.sink.fd, &st) && S_ISREG(st.st_mode));
}

int output_open(const struct output_options *options, const char *spec, struct output **out,
		struct text *error)
{
	struct output *o = calloc(1, sizeof(*o));
	const char *target;
	int err;

	if (!o)
		return -ENOMEM;
	o->spec = strdup(spec);
	if (!o->spec) {
		free(o);
		return -ENOMEM;
	}
	o->options = *options;
	o->kept = &o->own;
	o->stop = o->options.sink.stop = -1;
	err = conditions_init(o);
	if (!err)
		err = sink_parse(o->spec, &o->type, &target, error);
	/* "journald", not "journald:"; the target stays empty. */
	if (!err && !*target)
		o->spec[strlen(o->spec) - 1] = '\0';
	if (!err && !options->direct) {
		o->stop = o->options.sink.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		err = o->stop < 0 ? -errno : queue_open(o);
	}
	if (!err) {
		o->is_stdout = sink_is_stdout(target);
		columns_follow(o);
		o->options.sink.dated = keeps_days(o);
		o->options.sink.color &= o->is_stdout;
		o->options.sink.status &= o->is_stdout;
		log_beside_status(o->options.sink.status);
		err = o->type->open(&o->options.sink, target, &o->sink, error);
	}
	if (!err)
		err = header_write(o);
	if (!err && !options->direct)
		err = thread_start(o);
	if (err)
		output_close(o);
	else
		*out = o;
	return err;
}

uint64_t output_identity(const struct output *o)
{
	uint64_t hash = hash_add(HASH_EMPTY, o->spec, strlen(o->spec));

	return hash ? hash : 1;
}

/* What waited there is lost; the event among it that reports losses is none that can be. */
static void left_over(struct output_kept *k)
{
	uint64_t lost = k->counts.waiting - (k->counts.waiting && k->notice_of);

	k->counts.dropped += lost;
	k->untold += lost + k->notice_of;
}

void output_keep(struct output *o, struct output_kept *kept)
{
	struct output_kept *own = o->kept;

	left_over(kept);
	pthread_mutex_lock(&o->lock);
	kept->counts.queued += own->counts.queued;
	kept->counts.written += own->counts.written;
	kept->counts.dropped += own->counts.dropped;
	kept->counts.errors += own->counts.errors;
	kept->counts.waiting = own->counts.waiting;
	kept->untold += own->untold;
	kept->notice_of = own->notice_of;
	o->kept = kept;
	pthread_mutex_unlock(&o->lock);
}

/* The error that ends the run, once. */
static int error_take(struct output *o)
{
	int err = o->final_error;

	o->final_error = 0;
	return err;
}

static void count_dropped(struct output *o)
{
	o->kept->counts.dropped++;
	o->kept->untold++;
}

/* An error of a direct output is final: nobody else would try again. */
static int write_direct(struct output *o, const struct text *t)
{
	int err = send_one(o, t);

	pthread_mutex_lock(&o->lock);
	o->ended = err;
	o->kept->counts.queued++;
	o->kept->counts.errors += o->ended;
	o->kept->counts.written += !o->ended;
	o->kept->counts.dropped += o->ended;
	pthread_mutex_unlock(&o->lock);
	return err;
}

/* Puts into the queue, under the lock. Waits for room till the time, unless the sink fails and has no
 * last tries before it. Returns false when there is none. */
static bool put(struct output *o, const struct text *t, uint64_t time_ns)
{
	bool first;

	while (!queue_put(&o->queue, t->buf, t->len)) {
		uint64_t now = clock_monotonic();

		if (now >= time_ns || (o->failing && !o->finishing) || o->ended || o->done ||
		    !o->queue.count) {
			o->full = true;
			return false;
		}
		wait_until(o, &o->room, now + LOOK_NS < time_ns ? now + LOOK_NS : time_ns);
	}
	o->kept->counts.waiting = o->queue.count;
	first = o->queue.count == 1;
	if (first)
		o->since = clock_monotonic();
	o->kept->counts.queued++;
	if (first || o->queue.count == o->type->batch_max)
		pthread_cond_signal(&o->work);
	return true;
}

/* Is there room enough to begin again, once there was none? */
static bool has_room(struct output *o)
{
	if (o->full && o->queue.used <= o->queue.size / 2)
		o->full = false;
	return !o->full;
}

/* Ended, or full: then the event is counted, and need not be formatted. */
static bool refuse(struct output *o, int *err)
{
	bool refused;

	pthread_mutex_lock(&o->lock);
	*err = error_take(o);
	refused = o->ended || !has_room(o);
	if (refused)
		count_dropped(o);
	pthread_mutex_unlock(&o->lock);
	return refused;
}

int output_write(struct output *o, const struct finding *finding, char *buf, size_t size)
{
	struct text t;
	int err;

	if (refuse(o, &err))
		return err;
	text_init(&t, buf, size);
	columns_follow(o);
	o->type->format(&o->options.sink, finding, &t);
	if (o->options.direct && !t.cut)
		return write_direct(o, &t);
	pthread_mutex_lock(&o->lock);
	if (t.cut || !put(o, &t, o->options.patient ? NEVER : 0))
		count_dropped(o);
	pthread_mutex_unlock(&o->lock);
	return 0;
}

bool output_wants_standing(const struct output *o)
{
	const struct sink_type *type = o->type;

	return type->standing && (!type->wants_standing || type->wants_standing(&o->options.sink));
}

int output_standing(struct output *o, const struct standing *standing, char *buf, size_t size)
{
	struct text t;
	bool ended;
	int err;

	pthread_mutex_lock(&o->lock);
	err = error_take(o);
	ended = o->ended || !has_room(o);
	pthread_mutex_unlock(&o->lock);
	if (err || ended || !output_wants_standing(o))
		return err;
	text_init(&t, buf, size);
	columns_follow(o);
	o->type->standing(&o->options.sink, standing, &t);
	if (t.cut)
		return 0;
	if (o->options.direct)
		return write_direct(o, &t);
	pthread_mutex_lock(&o->lock);
	put(o, &t, o->options.patient ? NEVER : 0);
	pthread_mutex_unlock(&o->lock);
	return 0;
}

/* Queues the event that says what was dropped, waiting for room till the time. */
static void loss_put(struct output *o, struct finding *loss, uint64_t time_ns, char *buf,
		     size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	o->type->format(&o->options.sink, loss, &t);
	pthread_mutex_lock(&o->lock);
	if (put(o, &t, time_ns)) {
		o->kept->untold -= loss->loss.output;
		o->notice = o->removed + o->queue.count;
		o->kept->notice_of = loss->loss.output;
	}
	pthread_mutex_unlock(&o->lock);
}

int output_tell_loss(struct output *o, struct finding *loss, char *buf, size_t size)
{
	int err;

	pthread_mutex_lock(&o->lock);
	err = error_take(o);
	loss->loss.output = o->ended || o->notice || !has_room(o) ? 0 : o->kept->untold;
	pthread_mutex_unlock(&o->lock);
	if (loss->loss.output && o->has_thread)
		loss_put(o, loss, 0, buf, size);
	return err;
}

void output_reopen(struct output *o)
{
	pthread_mutex_lock(&o->lock);
	o->reopen = true;
	o->retry_at = 0;
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->lock);
}

void output_counts(struct output *o, struct output_counts *counts)
{
	pthread_mutex_lock(&o->lock);
	*counts = o->kept->counts;
	counts->name = o->spec;
	counts->waiting_bytes = o->queue.used;
	counts->failing = o->failing || o->ended;
	pthread_mutex_unlock(&o->lock);
}

/* -- the end ---------------------------------------------------------------------------------- */

void output_finish_begin(struct output *o, uint64_t deadline_ns)
{
	pthread_mutex_lock(&o->lock);
	o->finishing = true;
	o->tries = TRIES_MAX;
	o->failures = 0;
	o->retry_at = 0;
	o->deadline = deadline_ns;
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->lock);
}

/* Waits until no report of losses is in the queue, till the time at most. */
static void notice_wait(struct output *o, uint64_t time_ns)
{
	while (o->notice && !o->done && clock_monotonic() < time_ns)
		wait_until(o, &o->room, time_ns);
}

/* Waits until the thread is done, till the time at most. */
static void done_wait(struct output *o, uint64_t time_ns)
{
	while (!o->done && clock_monotonic() < time_ns)
		wait_until(o, &o->room, time_ns);
}

int output_finish_end(struct output *o, struct finding *loss, char *buf, size_t size)
{
	const uint64_t one = 1;
	int err;

	if (!o->has_thread)
		return 0;
	if (loss) {
		pthread_mutex_lock(&o->lock);
		notice_wait(o, o->deadline);
		loss->loss.output = o->notice ? 0 : o->kept->untold;
		pthread_mutex_unlock(&o->lock);
		if (loss->loss.output)
			loss_put(o, loss, o->deadline, buf, size);
	}
	pthread_mutex_lock(&o->lock);
	o->closed = true;
	pthread_cond_signal(&o->work);
	done_wait(o, o->deadline);
	if (!o->done) {
		o->cancelled = true;
		pthread_cond_signal(&o->work);
		if (write(o->stop, &one, sizeof(one)) == sizeof(one))
			done_wait(o, clock_monotonic() + STOP_NS);
	}
	o->kept->counts.dropped += remove_items(o, o->queue.count, true);
	err = error_take(o);
	pthread_mutex_unlock(&o->lock);
	return err;
}

/* Is the thread done? If not, it may go on, but what it counts is not looked at. */
static bool thread_leave(struct output *o)
{
	bool done;

	pthread_mutex_lock(&o->lock);
	done = o->done;
	if (!done)
		o->kept = &o->own;
	pthread_mutex_unlock(&o->lock);
	return done;
}

void output_close(struct output *o)
{
	if (!o)
		return;
	if (o->has_thread) {
		output_finish_begin(o, 0);
		output_finish_end(o, NULL, NULL, 0);
		/* A thread that hangs in the kernel keeps what it uses until the process ends. */
		if (!thread_leave(o))
			return;
		pthread_join(o->thread, NULL);
	}
	if (o->sink)
		o->type->close(o->sink);
	if (o->queue.buf)
		munmap(o->queue.buf, o->queue.size);
	if (o->stop >= 0)
		close(o->stop);
	pthread_cond_destroy(&o->work);
	pthread_cond_destroy(&o->room);
	pthread_mutex_destroy(&o->lock);
	free(o->spec);
	free(o);
}
