/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sink of live views: a Unix socket from which any number of them read what the JSON sink writes,
 * and each second how handshakes stand. Nobody is waited for: a view that does not read is sent away,
 * and finds the reason behind what it had not read yet. On standard output ("-"), for a view that has
 * started this process, lines are written as those of a file are.
 */
#define _GNU_SOURCE /* accept4(), struct ucred */
#include "output/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "finding/finding.h"
#include "finding/standing.h"
#include "output/sink_event.h"
#include "output/sink_view.h"
#include "system/clock.h"
#include "system/files.h"
#include "system/log.h"

#define VIEWS_MAX     16
#define VIEW_BYTES    (1024 * 1024) /* that wait for one */
#define BACKLOG_BYTES (512 * 1024)  /* of events, for those that come later */
#define SOCKET_BYTES  (64 * 1024)   /* in the kernel */
#define STALLED_NS    (5 * NS_PER_S)
#define GROUPS_MAX    256
#define LINE_LEN      512

struct view {
	int fd; /* -1: free */
	char *buf;
	size_t used;
	bool torn;	/* the half of a line was sent */
	bool leaving;	/* it gets nothing more */
	uint64_t since; /* it has not taken what waits, 0: nothing waits */
};

struct sink {
	struct sink *out; /* standard output; NULL: a socket */
	int listener;
	const char *path;
	dev_t dev;
	ino_t ino;
	uid_t owner; /* of the socket: who runs this */
	gid_t group; /* VIEW_GROUP's, 0: there is none */
	bool refusal_told;
	struct view views[VIEWS_MAX];
	struct queue backlog;
	char backlog_buf[BACKLOG_BYTES];
};

/* -- lines ------------------------------------------------------------------------------------- */

static void number_add(struct jsonout *j, const char *key, uint64_t number)
{
	jsonout_key(j, key);
	jsonout_integer(j, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* Nothing for what is unknown, or did not happen. */
static void known_add(struct jsonout *j, const char *key, uint64_t number)
{
	if (number)
		number_add(j, key, number);
}

static void totals_add(struct jsonout *j, const struct standing *s)
{
	jsonout_key(j, "client");
	jsonout_begin(j, "{");
	number_add(j, "done", s->client_done);
	number_add(j, "failed", s->client_failed);
	known_add(j, "latency_ns", s->latency_ns);
	jsonout_end(j, "}");
	jsonout_key(j, "server");
	jsonout_begin(j, "{");
	number_add(j, "done", s->server_done);
	number_add(j, "failed", s->server_failed);
	number_add(j, "noise", s->noise);
	jsonout_end(j, "}");
	number_add(j, "processes", s->processes);
	number_add(j, "lost", s->lost);
}

static void peer_add(struct jsonout *j, const struct standing_peer *p)
{
	jsonout_begin(j, "{");
	jsonout_key(j, "address");
	jsonout_string(j, p->peer.address);
	number_add(j, "port", p->peer.port);
	number_add(j, "done", p->done);
	number_add(j, "failed", p->failed);
	known_add(j, "streak", p->streak);
	known_add(j, "last_done_ns", p->last_done_ns);
	known_add(j, "last_failed_ns", p->last_failed_ns);
	known_add(j, "latency_ns", p->latency_ns);
	if (p->not_after) {
		jsonout_key(j, "not_after");
		jsonout_integer(j, p->not_after);
	}
	jsonout_end(j, "}");
}

/* Its name comes first, so that the line is known by its beginning. */
static void view_standing(const struct sink_options *options, const struct standing *s,
			  struct text *t)
{
	struct jsonout j = { .text = t };

	(void)options;
	jsonout_begin(&j, "{");
	jsonout_key(&j, "event.name");
	jsonout_string(&j, STANDING_EVENT);
	number_add(&j, "time_ns", s->time_ns);
	if (s->has_totals)
		totals_add(&j, s);
	known_add(&j, "peers_omitted", s->peers_omitted);
	jsonout_key(&j, "peers");
	jsonout_begin(&j, "[");
	for (unsigned int i = 0; i < s->peer_count; i++)
		peer_add(&j, &s->peers[i]);
	jsonout_end(&j, "]");
	jsonout_key(&j, "causes");
	jsonout_begin(&j, "{");
	for (unsigned int i = 0; i < s->cause_count; i++)
		number_add(&j, s->causes[i].slug, s->causes[i].count);
	jsonout_end(&j, "}");
	jsonout_end(&j, "}");
	text_add_bytes(t, "\n", 1);
}

static bool is_standing(const struct queue_item *item)
{
	static const char begin[] = "{\"event.name\":\"" STANDING_EVENT "\"";

	return item->len >= sizeof(begin) && !memcmp(item->data, begin, sizeof(begin) - 1);
}

/* A line of ours, into buf of LINE_LEN bytes. */
static size_t line_make(char *buf, const char *name, const char *message)
{
	struct jsonout j = { 0 };
	struct text t;

	text_init(&t, buf, LINE_LEN);
	j.text = &t;
	jsonout_begin(&j, "{");
	jsonout_key(&j, "event.name");
	jsonout_string(&j, name);
	jsonout_key(&j, "tlsfail.version");
	jsonout_string(&j, TLSFAIL_VERSION);
	number_add(&j, "tlsfail.schema_version", FINDING_SCHEMA_VERSION);
	jsonout_key(&j, "message");
	jsonout_string(&j, message);
	jsonout_end(&j, "}");
	text_add_bytes(&t, "\n", 1);
	return t.len;
}

/* -- views ------------------------------------------------------------------------------------- */

static void view_end(struct view *v)
{
	close(v->fd);
	free(v->buf);
	*v = (struct view){ .fd = -1 };
}

/* Sends what its socket takes. */
static void view_flush(struct view *v, uint64_t now)
{
	size_t sent = 0;
	ssize_t n = 0;

	while (sent < v->used) {
		n = send(v->fd, v->buf + sent, v->used - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	if (sent < v->used && n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
		view_end(v);
		return;
	}
	if (sent) {
		v->torn = v->buf[sent - 1] != '\n';
		v->used -= sent;
		memmove(v->buf, v->buf + sent, v->used);
	}
	if (!v->used)
		v->since = 0;
	else if (sent || !v->since)
		v->since = now;
	if (v->leaving && !v->used)
		view_end(v);
}

/* What waits gives way to the reason, but for the rest of a line that was begun. */
static void view_leave(struct view *v, const char *why)
{
	const char *end = v->torn ? memchr(v->buf, '\n', v->used) : NULL;
	char line[LINE_LEN];
	size_t len = line_make(line, VIEW_GOODBYE, why),
	       kept = end ? (size_t)(end - v->buf) + 1 : 0;
	char *smaller = realloc(v->buf, kept + len);

	/* Smaller it is in any case. */
	v->buf = smaller ? smaller : v->buf;
	memcpy(v->buf + kept, line, len);
	v->used = kept + len;
	v->leaving = true;
	log_line("a live view was sent away: it does not read");
}

static void view_put(struct view *v, const char *data, size_t len)
{
	if (v->leaving)
		return;
	if (len > VIEW_BYTES - LINE_LEN - v->used) {
		view_leave(v, "this view did not read: more came than is kept for it");
		return;
	}
	memcpy(v->buf + v->used, data, len);
	v->used += len;
}

static struct view *view_place(struct sink *s)
{
	struct view *free_one = NULL, *oldest = NULL;

	for (size_t i = 0; i < VIEWS_MAX && !free_one; i++) {
		struct view *v = &s->views[i];

		if (v->fd < 0)
			free_one = v;
		else if (v->leaving && (!oldest || v->since < oldest->since))
			oldest = v;
	}
	if (free_one || !oldest)
		return free_one;
	view_end(oldest);
	return oldest;
}

/* Root, whoever runs this, and the members of the group. The mode of the socket says the same. */
static bool is_allowed(const struct sink *s, int fd)
{
	gid_t groups[GROUPS_MAX];
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (!peer.uid || peer.uid == s->owner || (s->group && peer.gid == s->group))
		return true;
	len = sizeof(groups);
	if (!s->group || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == s->group)
			return true;
	return false;
}

/* Says why, if there is room for it, and closes. */
static void refuse(int fd, const char *why)
{
	char line[LINE_LEN];
	size_t len = line_make(line, VIEW_GOODBYE, why);

	if (send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0; /* it will see the end all the same */
	close(fd);
}

static void view_begin(struct sink *s, struct view *v, int fd)
{
	struct queue_item items[64];
	struct queue rest = s->backlog;
	int size = SOCKET_BYTES;
	char line[LINE_LEN];
	size_t n;

	*v = (struct view){ .fd = fd, .buf = malloc(VIEW_BYTES) };
	if (!v->buf) {
		v->fd = -1;
		refuse(fd, "out of memory");
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	view_put(v, line, line_make(line, VIEW_HELLO, "tlsfail trace"));
	while ((n = queue_read(&rest, items, sizeof(items) / sizeof(items[0])))) {
		for (size_t i = 0; i < n; i++)
			view_put(v, items[i].data, items[i].len);
		queue_drop(&rest, n);
	}
}

static void views_accept(struct sink *s)
{
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct view *v = NULL;

		if (!is_allowed(s, fd)) {
			if (!s->refusal_told)
				log_line("%s: a live view was refused: its user is neither root "
					 "nor in the group " VIEW_GROUP,
					 s->path);
			s->refusal_told = true;
			refuse(fd, "only root and the group " VIEW_GROUP " may look");
			continue;
		}
		v = view_place(s);
		if (v)
			view_begin(s, v, fd);
		else
			refuse(fd, "too many live views are open");
	}
}

static void backlog_put(struct sink *s, const struct queue_item *item)
{
	while (!queue_put(&s->backlog, item->data, item->len) && s->backlog.count)
		queue_drop(&s->backlog, 1);
}

static int socket_send(struct sink *s, const struct queue_item *items, size_t count)
{
	uint64_t now = clock_monotonic();

	views_accept(s);
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		struct view *v = &s->views[i];

		for (size_t k = 0; v->fd >= 0 && k < count; k++)
			view_put(v, items[k].data, items[k].len);
		if (v->fd >= 0)
			view_flush(v, now);
		if (v->fd >= 0 && !v->leaving && v->since && now - v->since > STALLED_NS)
			view_leave(v, "this view did not read for 5 seconds");
	}
	for (size_t k = 0; k < count; k++)
		if (!is_standing(&items[k]))
			backlog_put(s, &items[k]);
	return 0;
}

/* -- the socket -------------------------------------------------------------------------------- */

static int socket_open(struct sink *s, const char *path, struct text *error)
{
	struct stat st = { 0 };
	int err = files_own_listen(path, &s->listener, &st, &s->group, error);

	s->path = path;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->owner = st.st_uid;
	if (err && !error->len)
		text_addf(error, "cannot listen at %s: %s", path, strerror(-err));
	return err;
}

/* -- the sink ---------------------------------------------------------------------------------- */

static int view_check(const char *target, struct text *error)
{
	if (sink_is_stdout(target) ||
	    (target[0] == '/' && strlen(target) < sizeof(((struct sockaddr_un *)NULL)->sun_path)))
		return 0;
	text_addf(error, "'%s' is no place for a socket: give its path from the root, or -",
		  target);
	return -EINVAL;
}

static void view_close(struct sink *s)
{
	if (s->out)
		sink_file_close(s->out);
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		if (s->views[i].fd < 0)
			continue;
		if (!s->views[i].leaving && !s->views[i].used)
			refuse(dup(s->views[i].fd), "tlsfail trace has ended");
		view_end(&s->views[i]);
	}
	if (s->ino)
		files_own_unlisten(s->path, s->dev, s->ino);
	if (s->listener >= 0)
		close(s->listener);
	free(s);
}

static int view_open(const struct sink_options *options, const char *target, struct sink **sink,
		     struct text *error)
{
	struct sink *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->listener = -1;
	for (size_t i = 0; i < VIEWS_MAX; i++)
		s->views[i].fd = -1;
	queue_init(&s->backlog, s->backlog_buf, sizeof(s->backlog_buf));
	err = sink_is_stdout(target) ? sink_file_open(options, target, &s->out, error)
				     : socket_open(s, target, error);
	if (err)
		view_close(s);
	else
		*sink = s;
	return err;
}

/* The names are tlsfail's own, whatever other outputs are asked for. */
static void view_format(const struct sink_options *options, const struct finding *finding,
			struct text *t)
{
	struct sink_options own = *options;

	own.ecs = false;
	sink_type_json.format(&own, finding, t);
}

static int view_send(struct sink *s, const struct queue_item *items, size_t count,
		     struct sink_sent *sent, struct text *error)
{
	if (s->out)
		return sink_file_send(s->out, items, count, sent, error);
	sent->taken = count;
	return socket_send(s, items, count);
}

const struct sink_type sink_type_socket = {
	.name = "socket",
	.forms = "socket:/PATH",
	.batch_max = 64,
	.retry_ms_max = 1000,
	.check = view_check,
	.open = view_open,
	.format = view_format,
	.standing = view_standing,
	.send = view_send,
	.close = view_close,
};
