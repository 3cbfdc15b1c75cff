// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the child may still do after it has become nobody: resolve nothing, open no file for writing,
 * start nothing, and talk to one peer.
 */
#define _GNU_SOURCE /* setns() */
#include "command/prober.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "command/probe_targets.h"
#include "probe/vary.h"
#include "program/nginx/live/read.h"
#include "system/clock.h"
#include "system/confine.h"
#include "system/files.h"
#include "system/fileserver.h"
#include "system/passfd.h"
#include "system/procfs.h"

#define NOBODY	    65534 /* nobody and nogroup, everywhere */
#define HANDSHAKE_S 3
#define VARY_S	    20 /* after that nothing more is tried */
#define PAUSE_NS    (NS_PER_S / 20)

/* -- nobody ------------------------------------------------------------------------------------ */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* What a prober has no use for, and somebody who has taken it over would. */
static const int forbidden_calls[] = {
	SYS_execve,
	SYS_execveat,
	SYS_clone,
	SYS_clone3,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_init_module,
	SYS_finit_module,
	SYS_kexec_load,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_bind,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_io_uring_setup,
	SYS_userfaultfd,
	SYS_open_by_handle_at,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
};
#define FORBIDDEN_COUNT (sizeof(forbidden_calls) / sizeof(forbidden_calls[0]))

static int calls_forbid(void)
{
#ifdef THIS_ARCH
	struct sock_filter code[5 + 2 * FORBIDDEN_COUNT];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < FORBIDDEN_COUNT; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (uint32_t)forbidden_calls[i], 0, 1);
		code[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	/* A kernel without seccomp: the other walls stand. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) && errno != EINVAL)
		return -errno;
#endif
	return 0;
}

static int limit(__rlimit_resource_t resource, rlim_t value)
{
	const struct rlimit both = { value, value };

	return setrlimit(resource, &both) ? -errno : 0;
}

/* Not by <grp.h>, whose struct group is not ours. */
static int become_nobody(void)
{
	if (syscall(SYS_setgroups, 0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	if (!setuid(0) || !setgid(0))
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	if (limit(RLIMIT_CPU, 10) || limit(RLIMIT_FSIZE, 0) || limit(RLIMIT_CORE, 0) ||
	    limit(RLIMIT_NPROC, 0) || limit(RLIMIT_NOFILE, 32) || limit(RLIMIT_AS, 512U << 20))
		return -EPERM;
	return calls_forbid();
}

/* -- one request ------------------------------------------------------------------------------- */

/* As which location. What is read for that may be made to hurt, so it is when nothing is left that could be:
 * files are asked for, see files_ask(). */
static int client_read(const struct prober_request *request, struct client *client)
{
	struct nginx_places *places = malloc(sizeof(*places));
	struct nginxread read = { 0 };
	const struct location_files files = probe_targets_files(&read);
	char words[256];
	struct text problem;
	pid_t master;
	int err = places ? 0 : -ENOMEM;

	text_init(&problem, words, sizeof(words));
	if (!err &&
	    (!nginx_places_read(request->places, request->places_len, places) || !places->count))
		err = -ENOENT;
	if (!err)
		err = nginxread_master((pid_t)request->conn.pid, &master);
	if (!err)
		err = nginxread_open(master, &read, &problem);
	if (!err) {
		text_init(&problem, words, sizeof(words));
		location_client(&places->items[0], &files, location_versions(read.version), client,
				&problem);
		/* Not as the location: then nothing is proven. */
		err = problem.len ? -ENOENT : 0;
	}
	nginxread_close(&read);
	free(places);
	return err;
}

static int network_enter(uint32_t pid)
{
	struct stat ours, theirs;
	char path[64];
	struct text t;
	int fd, err = 0;

	text_init(&t, path, sizeof(path));
	text_addf(&t, "/proc/%u/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &theirs) || stat("/proc/self/ns/net", &ours) ||
	    ((ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) &&
	     setns(fd, CLONE_NEWNET)))
		err = -errno;
	close(fd);
	return err;
}

static void peer_set(const struct tlsfail_conn *conn, struct dial_peer *peer)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(conn->rport) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(conn->rport) };

	memset(peer, 0, sizeof(*peer));
	if (conn->family == AF_INET) {
		memcpy(&in.sin_addr, conn->raddr, sizeof(in.sin_addr));
		memcpy(&peer->addr, &in, sizeof(in));
		peer->len = sizeof(in);
	} else {
		memcpy(&in6.sin6_addr, conn->raddr, sizeof(in6.sin6_addr));
		memcpy(&peer->addr, &in6, sizeof(in6));
		peer->len = sizeof(in6);
	}
}

static bool in_time(void *context)
{
	return clock_monotonic() < *(const uint64_t *)context;
}

static bool is_possible(const struct prober_request *request, const char *slug)
{
	for (uint32_t i = 0; i < request->slug_count; i++)
		if (!strcmp(request->slugs[i], slug))
			return true;
	return false;
}

static void reply_fill(const struct prober_request *request, const struct verdict *v,
		       struct prober_reply *reply)
{
	const struct finding *f = &v->finding;
	struct text t;

	if (v->end != HANDSHAKE_FAILS || f->confidence < CONFIDENCE_HIGH ||
	    !is_possible(request, f->cause))
		return;
	reply->settled = 1;
	text_init(&t, reply->slug, sizeof(reply->slug));
	text_add(&t, f->cause);
	text_init(&t, reply->proof, sizeof(reply->proof));
	if (f->confidence == CONFIDENCE_PROVEN)
		text_add(&t, f->confirmed);
	else
		text_addf(&t, "confirmed by connecting as this location: %.*s",
			  (int)(strlen(f->message) - 1), f->message);
}

/* In the child of its own. Over the socket keeper it asks for files. */
static void request_serve(const struct prober_request *request, int out, int keeper)
{
	const struct judge_place place = { request->places, request->places_len };
	uint64_t deadline = clock_monotonic() + VARY_S * NS_PER_S;
	const struct vary_options options = { .patience = { .timeout_ns = HANDSHAKE_S * NS_PER_S },
					      .pause_ns = PAUSE_NS,
					      .go_on = in_time,
					      .context = &deadline };
	struct prober_reply reply = { .id = request->id };
	struct verdict *verdict = calloc(1, sizeof(*verdict));
	struct client *client = calloc(1, sizeof(*client));
	struct dial_peer peer;

	peer_set(&request->conn, &peer);
	files_ask(keeper);
	if (verdict && client && !network_enter(request->conn.pid) && !become_nobody() &&
	    !client_read(request, client)) {
		vary(client, &peer, &place, &options, verdict);
		reply_fill(request, verdict, &reply);
	}
	_exit(write(out, &reply, sizeof(reply)) == sizeof(reply) ? 0 : 1);
}

/* -- files for it ------------------------------------------------------------------------------ */

/* The process that the request is about, and the one that started it: its master. */
static bool may_look(void *context, pid_t pid)
{
	const struct prober_request *request = context;
	pid_t traced = (pid_t)request->conn.pid;

	return pid == traced || pid == procfs_parent(traced);
}

static bool path_refuse(void *context, const char *path)
{
	(void)context;
	(void)path;
	return false;
}

static int pid_refuse(void *context, pid_t pid)
{
	(void)context;
	(void)pid;
	return -EACCES;
}

static int pids_refuse(void *context, pid_t *pids, size_t max)
{
	(void)context;
	(void)pids;
	(void)max;
	return -EACCES;
}

static int key_refuse(void *context, int fd, const void *key, size_t len)
{
	(void)context;
	(void)fd;
	(void)key;
	(void)len;
	return -EACCES;
}

/* Private keys as well: it is to show the location's certificate. */
static void files_give(struct prober_request *request, int fd)
{
	const struct fileserver_policy policy = {
		.process = may_look,
		.log = path_refuse,
		.own = path_refuse,
		.matches = pid_refuse,
		.targets = pids_refuse,
		.key = key_refuse,
		.keys_too = true,
		.context = request,
	};

	prctl(PR_SET_NAME, "tlsfail-files");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Where it cannot be done there is nothing to give up. */
	if (!confine_capabilities(confine_caps_reading()))
		(void)confine_system_calls();
	fileserver_run(fd, &policy);
	_exit(0);
}

/* -- the process ------------------------------------------------------------------------------- */

#define SERVERS_MAX 8 /* each of a child's threads, of which there is one, may begin anew */

/* What a request has started. */
struct run {
	int out;      /* the reply comes from there */
	int requests; /* and from there, who wants files; -1: nobody does any more */
	pid_t child;
	pid_t servers[SERVERS_MAX];
	size_t server_count;
};

static void files_serve(struct run *run, struct prober_request *request)
{
	char byte = 0;
	int fd;
	ssize_t n = passfd_receive(run->requests, &byte, sizeof(byte), &fd);
	pid_t server = -1;

	if (n > 0 && fd >= 0 && run->server_count < SERVERS_MAX)
		server = fork();
	if (!server) {
		close(run->out);
		close(run->requests);
		files_give(request, fd);
	}
	if (server > 0)
		run->servers[run->server_count++] = server;
	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		close(run->requests);
		run->requests = -1;
	}
}

/* Is there a reply, or will there be none? */
static bool reply_comes(struct run *run, struct prober_request *request)
{
	uint64_t until = clock_monotonic() + PROBER_TIME_MAX_S * NS_PER_S, now;

	while ((now = clock_monotonic()) < until) {
		struct pollfd fds[] = { { .fd = run->out, .events = POLLIN },
					{ .fd = run->requests, .events = POLLIN } };

		if (poll(fds, 2, (int)((until - now) / NS_PER_MS) + 1) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			return true;
		if (fds[1].revents)
			files_serve(run, request);
	}
	return false;
}

static void run_end(struct run *run)
{
	kill(run->child, SIGKILL);
	waitpid(run->child, NULL, 0);
	for (size_t i = 0; i < run->server_count; i++) {
		kill(run->servers[i], SIGKILL);
		waitpid(run->servers[i], NULL, 0);
	}
}

static int run_begin(const struct prober_request *request, struct run *run)
{
	int out[2], requests[2];

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, requests)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	*run = (struct run){ .out = out[0], .requests = requests[0], .child = fork() };
	if (run->child == 0) {
		close(out[0]);
		close(requests[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		request_serve(request, out[1], requests[1]);
	}
	close(out[1]);
	close(requests[1]);
	return 0;
}

static void request_run(struct prober_request *request, struct prober_reply *reply)
{
	struct run run = { .out = -1, .requests = -1, .child = -1 };

	*reply = (struct prober_reply){ .id = request->id };
	if (run_begin(request, &run))
		return;
	if (run.child > 0) {
		if (!reply_comes(&run, request) ||
		    read(run.out, reply, sizeof(*reply)) != sizeof(*reply))
			*reply = (struct prober_reply){ 0 };
		reply->id = request->id;
		run_end(&run);
	}
	close(run.out);
	if (run.requests >= 0)
		close(run.requests);
}

/* Whoever asks reads what peers send, and may not be itself any more. */
static bool request_is_valid(const struct prober_request *request)
{
	if (request->slug_count > 1 + FINDING_CANDIDATES_MAX ||
	    request->places_len > sizeof(request->places))
		return false;
	for (uint32_t i = 0; i < request->slug_count; i++)
		if (!memchr(request->slugs[i], '\0', PROBER_SLUG_LEN))
			return false;
	return true;
}

static void prober_main(int fd)
{
	struct prober_request *request = malloc(sizeof(*request));
	struct prober_reply reply;
	sigset_t none;

	prctl(PR_SET_NAME, "tlsfail-prober");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What ends the tracer in a terminal ends this by its socket. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (request && recv(fd, request, sizeof(*request), 0) == (ssize_t)sizeof(*request)) {
		reply = (struct prober_reply){ .id = request->id };
		if (request_is_valid(request))
			request_run(request, &reply);
		if (send(fd, &reply, sizeof(reply), 0) < 0)
			break;
	}
	_exit(0);
}

int prober_start(int *fd)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		prober_main(ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	*fd = ends[0];
	return 0;
}
