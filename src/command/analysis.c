// SPDX-License-Identifier: BSD-2-Clause
/*
 * It has ended when the keeper says so; until then nothing is concluded from a socket that is closed.
 */
#include "command/analysis.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "command/analyst.h"
#include "command/crash.h"
#include "command/keeper.h"
#include "command/reload.h"
#include "system/clock.h"
#include "system/log.h"
#include "system/notify.h"

#define START_MS   20000 /* it may have to wait for a disk */
#define END_MS	   20000 /* more than it takes for what is queued */
#define LOOK_MS	   100
#define GONE_MS	   3000 /* by then the keeper has said that it has ended */
#define CRASH_ROW  10 /* crashes in a row, each within CRASH_NS of the one before: it is given up */
#define AFRESH_ROW 3  /* so many: what an analyst takes over may be what it crashes on */
#define CRASH_NS   (10 * NS_PER_S)

struct analysis {
	struct analysis_options options;
	struct analyst_options analyst;
	struct sandbox_user user;
	struct keeper *keeper;
	struct reloader *reloader;
	struct feed *feed;
	struct message *message; /* the last that came */
	int control;		 /* -1: it has ended */
	int epoll;		 /* -1: not watched yet */
	bool ready;
	bool over; /* the run is to end */
	bool ending;
	bool ended;
	int status;
	uint64_t crashes;
	unsigned int crashes_in_row;
	uint64_t crashed_at;
	uint64_t hung_taken; /* as it was at the last tick */
	unsigned int hung_s;
};

int analysis_new(const struct analysis_options *options, struct analysis **out)
{
	struct analysis *a = calloc(1, sizeof(*a));
	struct keeper_options keeper;
	int err = -ENOMEM;

	if (!a)
		return err;
	a->options = *options;
	a->control = a->epoll = -1;
	sandbox_user_find(&a->user);
	a->analyst = (struct analyst_options){
		.options = options->options,
		.queue = options->queue,
		.user = &a->user,
		.prober = options->prober,
		.recording = -1,
		.listening = options->listening,
	};
	keeper = (struct keeper_options){ &a->analyst, options->targets };
	a->reloader = reloader_new(options->options);
	a->message = malloc(sizeof(*a->message));
	if (a->reloader && a->message)
		err = keeper_start(&keeper, &a->keeper);
	if (err)
		analysis_free(a);
	else
		*out = a;
	return err;
}

int analysis_read_elf(void *analysis, int fd)
{
	return keeper_read_elf(((struct analysis *)analysis)->keeper, fd);
}

static void control_close(struct analysis *a)
{
	if (a->control >= 0)
		close(a->control);
	a->control = -1;
}

void analysis_free(struct analysis *a)
{
	if (!a)
		return;
	control_close(a);
	keeper_close(a->keeper);
	reloader_free(a->reloader);
	free(a->message);
	free(a);
}

static void give_up(struct analysis *a, const char *why)
{
	log_line("%s: tlsfail ends", why);
	a->over = a->ended = true;
	a->status = EXIT_CANNOT;
	control_close(a);
}

/* -- start ---------------------------------------------------------------------------------------- */

static void watch(const struct analysis *a, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	/* closed is taken off by itself */
	if (a->epoll >= 0 && fd >= 0)
		epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &event);
}

void analysis_watch(struct analysis *a, int epoll)
{
	a->epoll = epoll;
	watch(a, a->control);
	watch(a, keeper_fd(a->keeper));
}

static void record_send(void *context, const void *record, size_t len)
{
	struct analysis *a = context;
	struct message *m = malloc(sizeof(*m));

	if (!m || len > sizeof(m->record.data)) {
		free(m);
		return;
	}
	m->type = MESSAGE_RECORD;
	m->record.len = len;
	memcpy(m->record.data, record, len);
	(void)message_send(a->control, m, true);
	free(m);
}

/* What it has to know before it looks at the queue. */
static void begin(struct analysis *a)
{
	feed_processes(a->feed, record_send, a);
	(void)message_send_type(a->control, MESSAGE_BEGIN);
	if (a->ending)
		(void)message_send_type(a->control, MESSAGE_END);
}

static int launch(struct analysis *a, enum keeper_start start)
{
	int err = keeper_launch(a->keeper, start, &a->control);

	if (err)
		return err;
	watch(a, a->control);
	return 0;
}

/* Waits until it is ready, or has ended. */
static void ready_wait(struct analysis *a)
{
	uint64_t until = clock_monotonic() + START_MS * NS_PER_MS;

	while (!a->ready && !a->ended && clock_monotonic() < until) {
		struct pollfd fds[] = { { .fd = a->control, .events = POLLIN },
					{ .fd = keeper_fd(a->keeper), .events = POLLIN } };

		(void)poll(fds, 2, LOOK_MS);
		analysis_listen(a);
	}
}

int analysis_start(struct analysis *a, struct feed *feed, int recording)
{
	int err = recording >= 0 ? keeper_give_recording(a->keeper, recording) : 0;

	a->feed = feed;
	if (!err)
		err = launch(a, KEEPER_FIRST);
	if (err) {
		log_line("cannot start the process that reads what peers send: %s", strerror(-err));
		return err;
	}
	ready_wait(a);
	if (a->ready)
		return 0;
	if (!a->ended)
		log_line("the process that reads what peers send does not come up");
	return a->ended && a->status == EXIT_SUCCESS ? -EPIPE : -EIO;
}

/* -- its end -------------------------------------------------------------------------------------- */

static bool crashes_again(struct analysis *a)
{
	uint64_t now = clock_monotonic();

	a->crashes_in_row = now - a->crashed_at < CRASH_NS ? a->crashes_in_row + 1 : 0;
	a->crashed_at = now;
	return a->crashes_in_row >= CRASH_ROW;
}

/* By a bug in what reads, most likely: the record is kept, and another one goes on with the next. One that had not
 * begun to look at records may have crashed on what it took over. */
static void crashed(struct analysis *a, int signal, bool began)
{
	bool over = crashes_again(a), afresh = a->crashes_in_row >= AFRESH_ROW || !began;
	char buf[512];
	struct text what;

	a->crashes++;
	text_init(&what, buf, sizeof(buf));
	if (began)
		crash_keep(CRASH_DIRECTORY, a->options.queue, a->feed, &what);
	else
		text_add(&what, "it had not begun");
	log_line("the process that reads what peers send has crashed (signal %d): %s; %s; please "
		 "report this",
		 signal, buf,
		 afresh ? "in case it crashed on them, counts and the history of peers begin anew"
			: "counts and the history of peers go on");
	if (began)
		recqueue_skip(a->options.queue);
	if (over)
		give_up(a, "it crashes again and again");
	else if (launch(a, afresh ? KEEPER_AFRESH : KEEPER_AGAIN))
		give_up(a, "it cannot be started again");
}

/* The outputs that were asked for were taken, or those before them stay. */
static void reloaded(struct analysis *a, bool taken)
{
	reloader_done(a->reloader, taken);
	if (!taken) {
		reloader_current(a->reloader, a->message);
		(void)keeper_allow(a->keeper, a->message);
	}
	notify_send("READY=1");
}

static void ended(struct analysis *a, int status)
{
	bool began = a->ready;

	control_close(a);
	if (reloader_waits(a->reloader)) {
		log_line("the new outputs were not opened; keeping the current ones");
		reloaded(a, false);
	}
	if (WIFSIGNALED(status) && (began || a->crashes)) {
		a->ready = false;
		crashed(a, WTERMSIG(status), began);
		return;
	}
	a->over = a->ended = true;
	a->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CANNOT;
	if (WIFSIGNALED(status))
		log_line("the process that reads what peers send has crashed as it began (signal "
			 "%d)",
			 WTERMSIG(status));
}

/* -- what it says ---------------------------------------------------------------------------------- */

static void peers_give(struct analysis *a)
{
	const struct message_peers *peers = &a->message->peers;

	for (size_t i = 0; i < peers->count; i++)
		feed_peer(a->feed, &peers->keys[i], peers->recovered);
	if (peers->clock)
		feed_clock(a->feed);
}

static void message_take(struct analysis *a)
{
	switch (a->message->type) {
	case MESSAGE_READY:
		a->ready = true;
		begin(a);
		break;
	case MESSAGE_PEERS:
		peers_give(a);
		break;
	case MESSAGE_LAST:
		a->options.figures(a->options.context);
		feed_end(a->feed);
		break;
	case MESSAGE_TAKEN:
	case MESSAGE_REFUSED:
		reloaded(a, a->message->type == MESSAGE_TAKEN);
		break;
	case MESSAGE_ENOUGH:
		a->over = true;
		break;
	default:
		break;
	}
}

void analysis_listen(struct analysis *a)
{
	int status, ret = 0;

	while (a->control >= 0 && (ret = message_receive(a->control, a->message)) == 1)
		message_take(a);
	if (ret == -EBADMSG) {
		log_line("the process that reads what peers send says what it cannot mean");
		keeper_kill(a->keeper);
	}
	if (ret < 0)
		control_close(a);
	ret = a->ended ? 0 : keeper_ended(a->keeper, &status);
	if (ret > 0)
		ended(a, status);
	else if (ret < 0)
		give_up(a, "the process that watches over the others is gone");
	recqueue_wake(a->options.queue);
}

void analysis_tick(struct analysis *a)
{
	uint64_t taken = recqueue_taken(a->options.queue);
	bool idle = taken == recqueue_put_count(a->options.queue);

	a->hung_s = idle || taken != a->hung_taken || !a->ready ? 0 : a->hung_s + 1;
	a->hung_taken = taken;
	if (a->hung_s < KEEPER_HUNG_S)
		return;
	a->hung_s = 0;
	keeper_hung(a->keeper);
}

/* -- what it is told ------------------------------------------------------------------------------- */

bool analysis_has_views(struct analysis *a)
{
	const struct message_outputs *outputs = &a->message->outputs;
	struct outputs_options first;

	options_outputs(a->options.options, &first);
	reloader_current(a->reloader, a->message);
	for (size_t i = 0; i < outputs->count; i++)
		if (sink_wants_standing(&first.sink, outputs->specs[i]))
			return true;
	return false;
}

void analysis_tell(struct analysis *a, const struct message *m)
{
	if (a->control >= 0 && a->ready)
		(void)message_send(a->control, m, a->ending);
}

void analysis_reload(struct analysis *a)
{
	struct message *m = malloc(sizeof(*m));
	enum reload what;
	int err;

	if (!m)
		return;
	if (a->options.options->config)
		notify_reloading();
	what = reloader_run(a->reloader, m);
	if (what == RELOAD_OUTPUTS) {
		err = keeper_allow(a->keeper, m);
		if (!err)
			err = message_send(a->control, m, true);
		if (err) {
			log_line("cannot hand over the new outputs: %s", strerror(-err));
			reloaded(a, false);
		}
	} else if (what == RELOAD_REOPEN && a->control >= 0) {
		(void)message_send_type(a->control, MESSAGE_REOPEN);
	}
	if (what != RELOAD_OUTPUTS && a->options.options->config)
		notify_send("READY=1");
	free(m);
}

void analysis_status(struct analysis *a)
{
	if (a->control >= 0)
		(void)message_send_type(a->control, MESSAGE_STATUS);
}

/* Has it ended, or is it not to be waited for any more? gone: since when its socket is closed, 0: it is not. */
static bool end_is_over(struct analysis *a, uint64_t until, uint64_t *gone)
{
	uint64_t now = clock_monotonic();

	if (a->control >= 0)
		*gone = 0;
	else if (!*gone)
		*gone = now;
	if (!a->ended && *gone && now - *gone >= GONE_MS * NS_PER_MS)
		give_up(a, "the process that watches over the others does not answer");
	else if (!a->ended && now >= until)
		give_up(a, "the process that reads what peers send does not end");
	return a->ended;
}

void analysis_end(struct analysis *a)
{
	uint64_t until = clock_monotonic() + END_MS * NS_PER_MS, gone = 0;

	a->ending = true;
	recqueue_end(a->options.queue);
	recqueue_wake(a->options.queue);
	if (a->control >= 0 && a->ready)
		(void)message_send_type(a->control, MESSAGE_END);
	while (!end_is_over(a, until, &gone)) {
		struct pollfd fds[] = { { .fd = a->control, .events = POLLIN },
					{ .fd = keeper_fd(a->keeper), .events = POLLIN } };

		(void)poll(fds, 2, LOOK_MS);
		analysis_listen(a);
	}
	if (a->crashes)
		log_line("the process that reads what peers send has crashed %" PRIu64 " time%s",
			 a->crashes, a->crashes == 1 ? "" : "s");
}

bool analysis_is_over(const struct analysis *a)
{
	return a->over;
}

uint64_t analysis_crashes(const struct analysis *a)
{
	return a->crashes;
}

int analysis_status_of(const struct analysis *a)
{
	return a ? a->status : EXIT_SUCCESS;
}
