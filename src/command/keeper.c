// SPDX-License-Identifier: BSD-2-Clause
/*
 * It waits: for the collector's words, for connections that the analyst's threads want answered, and for
 * the end of its children. When the collector is gone, all of them go.
 */
#include "command/keeper.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/keycheck.h"
#include "program/nginx/live/logplaces.h"
#include "system/clock.h"
#include "system/confine.h"
#include "system/elfserver.h"
#include "system/fileserver.h"
#include "system/files.h"
#include "system/log.h"
#include "system/passfd.h"
#include "system/procfs.h"
#include "system/recqueue.h"

/* One for each of the analyst's threads that opens something, and those that are stuck. */
#define SERVERS_MAX 40
#define LOOK_MS	    200 /* at children that have ended */
#define SOON_MS	    2
#define FOLLOWS_MS  3000
#define CLOSE_MS    2000 /* more than it takes to end */

enum word {
	WORD_START,
	WORD_START_AGAIN,
	WORD_START_AFRESH,
	WORD_KILL,
	WORD_HUNG,
	WORD_RECORDING,
	WORD_OUTPUTS, /* and a message follows */
	WORD_ELF,     /* files are read for who has the other end of what comes with it */
};

struct keeper {
	int fd;
	pid_t pid;
};

/* What the process itself has. */
struct keep {
	struct keeper_options options;
	struct analyst_options analyst;
	int collector;
	int requests; /* of the analyst, -1: there is none */
	pid_t pid;    /* of the analyst, 0: there is none */
	unsigned int servers;
	struct message *outputs; /* that are allowed, NULL: those of the start */
	pid_t allowed;		 /* the process that was allowed last */
	uint64_t allowed_started;
};

/* -- what may be asked for ----------------------------------------------------------------------- */

static int process_matches(void *context, pid_t pid)
{
	const struct keep *k = context;
	struct target_process process;
	int err = target_process_read(pid, &process);

	return err ? err : target_matches(k->options.targets, &process);
}

static int is_child_of(const struct target_process *process, void *context)
{
	return procfs_parent(process->pid) == *(const pid_t *)context;
}

/* One that is traced, or the master of one. */
static bool may_look(void *context, pid_t pid)
{
	struct keep *k = context;
	uint64_t started;

	if (procfs_started(pid, &started))
		return false;
	if (k->allowed == pid && k->allowed_started == started)
		return true;
	if (process_matches(k, pid) != 1 && target_scan(k->options.targets, is_child_of, &pid) != 1)
		return false;
	k->allowed = pid;
	k->allowed_started = started;
	return true;
}

static bool may_follow(void *context, const char *path)
{
	const struct options *o = ((struct keep *)context)->analyst.options;

	for (size_t i = 0; i < o->error_log_count; i++)
		if (!strcmp(o->error_logs[i], path) || !strcmp(o->error_logs[i], LOGPLACES_AUTO))
			return true;
	return false;
}

static bool may_write(void *context, const char *path)
{
	const struct keep *k = context;
	const struct options *o = k->analyst.options;
	struct outputs_options first;
	const char *const *specs;
	size_t count;

	if (o->metrics_file && !strcmp(o->metrics_file, path))
		return true;
	options_outputs(o, &first);
	specs = k->outputs ? k->outputs->outputs.specs : first.specs;
	count = k->outputs ? k->outputs->outputs.count : first.count;
	for (size_t i = 0; i < count; i++) {
		const char *named = sink_path(specs[i]);

		if (named && !strcmp(named, path))
			return true;
	}
	return false;
}

static int targets_find(void *context, pid_t *items, size_t max)
{
	const struct keep *k = context;

	return target_pids(k->options.targets, items, max);
}

static int key_matches(void *context, int fd, const void *key, size_t len)
{
	(void)context;
	return keycheck(fd, key, len);
}

/* -- children ------------------------------------------------------------------------------------- */

/* What ends the tracer ends these by their sockets. */
static void signals_ignore(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGPIPE };
	sigset_t none;

	/* whoever started us may not want to hear of its children; this process has to */
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_known(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void inherited_close(const struct keep *k)
{
	close(k->collector);
	close_known(k->requests);
	close_known(k->analyst.prober);
	close_known(k->analyst.recording);
	close_known(k->analyst.listening);
}

static void server_main(struct keep *k, int fd)
{
	const struct fileserver_policy policy = {
		.process = may_look,
		.log = may_follow,
		.own = may_write,
		.matches = process_matches,
		.targets = targets_find,
		.key = key_matches,
		.context = k,
	};

	prctl(PR_SET_NAME, "tlsfail-files");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	inherited_close(k);
	/* Where it cannot be done there is nothing to give up. */
	if (!confine_capabilities(confine_caps_reading() | confine_caps_writing() |
				  CONFINE_CAP(CAP_CHOWN)))
		(void)confine_system_calls();
	fileserver_run(fd, &policy);
	_exit(0);
}

/* A thread of the analyst wants to be answered over the socket that it sends. */
static void request_take(struct keep *k)
{
	char byte = 0;
	int fd;
	ssize_t n = passfd_receive(k->requests, &byte, sizeof(byte), &fd);
	pid_t child;

	if (n <= 0) {
		close(k->requests);
		k->requests = -1;
	}
	if (fd < 0)
		return;
	child = k->servers < SERVERS_MAX ? fork() : -1;
	if (!child)
		server_main(k, fd);
	k->servers += child > 0;
	close(fd);
}

/* The collector, or a thread of its own, has an ELF file to be read. */
static void elf_serve(struct keep *k, int fd)
{
	pid_t child = fd >= 0 && k->servers < SERVERS_MAX ? fork() : -1;

	if (!child) {
		/* what it reads may make it do anything, and these can be written to */
		recqueue_free(k->analyst.queue);
		if (k->analyst.estate.memory)
			munmap(k->analyst.estate.memory, k->analyst.estate.size);
		elfserver_become(fd, k->analyst.user);
	}
	k->servers += child > 0;
}

/* SIGKILL is somebody's, or its end with us. */
static void crash_tell(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		log_line(
			"a process that opens or reads files of traced programs has crashed (signal "
			"%d); please report this",
			WTERMSIG(status));
}

static void children_reap(struct keep *k)
{
	struct {
		int status;
	} ended;
	pid_t pid;

	while ((pid = waitpid(-1, &ended.status, WNOHANG)) > 0) {
		if (pid != k->pid) {
			k->servers--;
			crash_tell(ended.status);
			continue;
		}
		k->pid = 0;
		(void)passfd_send(k->collector, &ended, sizeof(ended), -1);
	}
}

/* Memory that analysts share one after the other, and that nobody else reads. Without it they begin anew. */
static void estate_renew(struct keep *k)
{
	struct estate *estate = &k->analyst.estate;
	void *memory = mmap(NULL, ANALYST_ESTATE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (estate->memory)
		munmap(estate->memory, estate->size);
	*estate = (struct estate){ 0 };
	if (memory != MAP_FAILED)
		*estate = (struct estate){ .memory = memory, .size = ANALYST_ESTATE_SIZE };
}

static void analyst_main(struct keep *k, int control, int requests, bool again)
{
	struct analyst_options options = k->analyst;

	close(k->collector);
	options.control = control;
	options.keeper = requests;
	options.again = again;
	options.outputs = k->outputs ? &k->outputs->outputs : NULL;
	_exit(analyst_run(&options));
}

static void analyst_start(struct keep *k, int control, bool again)
{
	int ends[2];

	if (k->requests >= 0)
		close(k->requests);
	k->requests = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return;
	k->pid = fork();
	if (!k->pid) {
		close(ends[0]);
		analyst_main(k, control, ends[1], again);
	}
	close(ends[1]);
	k->requests = ends[0];
	if (k->pid > 0)
		return;
	/* the collector sees that its socket is closed */
	k->pid = 0;
}

/* -- the process ------------------------------------------------------------------------------------ */

static void outputs_allow(struct keep *k)
{
	struct pollfd follows = { .fd = k->collector, .events = POLLIN };
	struct message *m = malloc(sizeof(*m));

	if (!m)
		return;
	if (poll(&follows, 1, FOLLOWS_MS) > 0 && message_receive(k->collector, m) == 1 &&
	    m->type == MESSAGE_OUTPUTS) {
		free(k->outputs);
		k->outputs = m;
	} else {
		free(m);
	}
}

/* Who stops it wants it to go on one day; till then what does not fit into the queue is counted. */
static void hung_end(const struct keep *k)
{
	if (!k->pid || procfs_is_stopped(k->pid))
		return;
	log_line("the process that reads what peers send has not come back from a record for %d s",
		 KEEPER_HUNG_S);
	kill(k->pid, SIGKILL);
}

/* False: the collector is gone. */
static bool word_take(struct keep *k)
{
	uint32_t word;
	int fd;
	ssize_t n = passfd_receive(k->collector, &word, sizeof(word), &fd);

	if (n != sizeof(word))
		return false;
	switch ((enum word)word) {
	case WORD_START:
	case WORD_START_AGAIN:
	case WORD_START_AFRESH:
		if (word != WORD_START_AGAIN)
			estate_renew(k);
		analyst_start(k, fd, word != WORD_START);
		break;
	case WORD_KILL:
		if (k->pid)
			kill(k->pid, SIGKILL);
		break;
	case WORD_HUNG:
		hung_end(k);
		break;
	case WORD_RECORDING:
		k->analyst.recording = fd;
		fd = -1;
		break;
	case WORD_OUTPUTS:
		outputs_allow(k);
		break;
	case WORD_ELF:
		elf_serve(k, fd);
		break;
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void keeper_main(struct keep *k)
{
	prctl(PR_SET_NAME, "tlsfail-keeper");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signals_ignore();
	/* Where it cannot be done there is nothing to give up. */
	(void)confine_capabilities(confine_caps_reading() | confine_caps_writing() |
				   CONFINE_CAP(CAP_CHOWN) | CONFINE_CAP(CAP_SETUID) |
				   CONFINE_CAP(CAP_SETGID) | CONFINE_CAP(CAP_KILL));
	for (;;) {
		struct pollfd fds[] = { { .fd = k->collector, .events = POLLIN },
					{ .fd = k->requests, .events = POLLIN } };

		/* one whose socket is closed is about to end */
		poll(fds, 2, k->pid && k->requests < 0 ? SOON_MS : LOOK_MS);
		children_reap(k);
		/* first, so that what the collector has allowed is when the analyst asks */
		while (is_readable(k->collector))
			if (!word_take(k))
				break;
		if (fds[0].revents & POLLHUP)
			break;
		if (is_readable(k->requests))
			request_take(k);
	}
	if (k->pid)
		kill(k->pid, SIGKILL);
	_exit(0);
}

/* -- the collector's side ------------------------------------------------------------------------- */

int keeper_start(const struct keeper_options *options, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int ends[2], err;

	if (!keeper)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		err = -errno;
		free(keeper);
		return err;
	}
	keeper->pid = fork();
	if (!keeper->pid) {
		struct keep k = {
			.options = *options,
			.analyst = *options->analyst,
			.collector = ends[1],
			.requests = -1,
		};

		close(ends[0]);
		k.options.analyst = &k.analyst;
		keeper_main(&k);
	}
	err = -errno;
	close(ends[1]);
	keeper->fd = ends[0];
	if (keeper->pid > 0) {
		*out = keeper;
		return 0;
	}
	close(keeper->fd);
	free(keeper);
	return err;
}

/* It ends by itself, unless it is stopped; the others end with it. */
static void end_wait(pid_t pid)
{
	uint64_t until = clock_monotonic() + CLOSE_MS * NS_PER_MS;

	while (clock_monotonic() < until) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		(void)poll(NULL, 0, SOON_MS);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->fd);
	end_wait(keeper->pid);
	free(keeper);
}

static int word_send(const struct keeper *keeper, enum word word, int fd)
{
	const uint32_t number = word;

	return passfd_send(keeper->fd, &number, sizeof(number), fd);
}

int keeper_launch(struct keeper *keeper, enum keeper_start start, int *control)
{
	static const enum word words[] = {
		[KEEPER_FIRST] = WORD_START,
		[KEEPER_AGAIN] = WORD_START_AGAIN,
		[KEEPER_AFRESH] = WORD_START_AFRESH,
	};
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	err = word_send(keeper, words[start], ends[1]);
	close(ends[1]);
	if (err)
		close(ends[0]);
	else
		*control = ends[0];
	return err;
}

int keeper_give_recording(struct keeper *keeper, int fd)
{
	return word_send(keeper, WORD_RECORDING, fd);
}

int keeper_read_elf(struct keeper *keeper, int fd)
{
	return word_send(keeper, WORD_ELF, fd);
}

int keeper_allow(struct keeper *keeper, const struct message *outputs)
{
	int err = word_send(keeper, WORD_OUTPUTS, -1);

	return err ? err : message_send(keeper->fd, outputs, true);
}

void keeper_kill(struct keeper *keeper)
{
	(void)word_send(keeper, WORD_KILL, -1);
}

void keeper_hung(struct keeper *keeper)
{
	(void)word_send(keeper, WORD_HUNG, -1);
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->fd;
}

int keeper_ended(struct keeper *keeper, int *status)
{
	ssize_t n = recv(keeper->fd, status, sizeof(*status), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(*status))
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}
