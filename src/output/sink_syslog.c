/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syslog (RFC 5424) with structured data, to a Unix socket, over UDP (RFC 5426) and over TCP with
 * octet counting (RFC 6587). The SD-ID has the enterprise number that RFC 5612 keeps for examples, as
 * tlsfail has none.
 */
#include "output/sink.h"
#include "output/sink_event.h"
#include "output/sink_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "finding/finding.h"
#include "base/text.h"
#include "base/calendar.h"

#define SD_ID	      "tlsfail@32473"
#define FACILITY      3 /* system daemons */
#define TIMESTAMP_LEN 40
#define HOSTNAME_MAX  255
#define PARAM_MAX     32   /* characters of a parameter's name */
#define UDP_MAX	      2048 /* what receivers should take (RFC 5426, 3.2) */
#define SEND_MS	      10000

struct sink {
	int fd; /* -1: not connected */
	int stop;
	int type; /* of the socket */
	const char *path;
	struct sink_address address;
};

/* ---- The message ---- */

/* The parameters that come first, and over UDP are all there are: there is not room for every one. */
static const char *const essentials[] = {
	"error.type",	     "tlsfail.confidence",	"network.peer.address",
	"network.peer.port", "tls.client.server_name",	"tls.alert.code",
	"tls.verify.code",   "tls.openssl.reason_code", "tls.server.not_after",
	"process.pid",	     "tlsfail.suppressed",	"tlsfail.lost.output",
};

struct params {
	struct text *t;
	bool essential; /* those, or the others */
};

static bool is_essential(const char *key)
{
	for (size_t i = 0; i < sizeof(essentials) / sizeof(essentials[0]); i++)
		if (!strcmp(essentials[i], key))
			return true;
	return false;
}

/* What the header of the message has, and what it is about. */
static bool is_elsewhere(const char *key)
{
	return !strcmp(key, "@timestamp") || !strcmp(key, "event.name") ||
	       !strcmp(key, "host.name") || !strcmp(key, "message");
}

static void add_param_value(struct text *t, const char *s)
{
	size_t len = strlen(s);

	if (!text_is_utf8(s, len)) {
		text_add_hostile(t, s, len);
		return;
	}
	while (*s) {
		size_t plain = strcspn(s, "\"\\]");

		text_add_bytes(t, s, plain);
		s += plain;
		if (*s) {
			text_add_bytes(t, "\\", 1);
			text_add_bytes(t, s++, 1);
		}
	}
}

static void add_param(struct text *t, const char *key, const char *value)
{
	text_add_bytes(t, " ", 1);
	text_add(t, key);
	text_add_bytes(t, "=\"", 2);
	add_param_value(t, value);
	text_add_bytes(t, "\"", 1);
}

/* Lists are left out: they are for programs, which have better formats. */
static void take_param(void *context, const char *key, const struct sink_value *value)
{
	const struct params *params = context;
	char number[32];
	struct text t;

	if (is_elsewhere(key) || strlen(key) > PARAM_MAX || is_essential(key) != params->essential)
		return;
	text_init(&t, number, sizeof(number));
	if (value->kind == SINK_STRING) {
		add_param(params->t, key, value->string);
	} else if (value->kind == SINK_INTEGER) {
		text_addf(&t, "%lld", (long long)value->integer);
		add_param(params->t, key, number);
	} else if (value->kind == SINK_BOOLEAN) {
		add_param(params->t, key, value->boolean ? "true" : "false");
	}
}

/* A word of the header: printable ASCII, "-" for none. */
static void add_word(struct text *t, const char *s, size_t max)
{
	size_t len = strlen(s) < max ? strlen(s) : max;

	text_add_bytes(t, " -", len ? 1 : 2);
	for (size_t i = 0; i < len; i++)
		text_add_bytes(t, s[i] > ' ' && s[i] < 0x7f ? s + i : "?", 1);
}

/* RFC 3339 in UTC, to the microsecond: no more digits are allowed. */
static void add_timestamp(struct text *t, uint64_t time_ns)
{
	text_add(t, " ");
	if (!calendar_add_ns(t, time_ns, 6))
		text_add(t, "-");
}

static void add_begin(const struct finding *f, struct text *t)
{
	struct params params = { .t = t, .essential = true };

	text_addf(t, "<%d>1", FACILITY * 8 + sink_event_severity(f));
	add_timestamp(t, f->time_ns);
	add_word(t, f->host_name, HOSTNAME_MAX);
	text_addf(t, " tlsfail %ld ", (long)getpid());
	sink_event_add(f, "event.name", t);
	text_add(t, " [" SD_ID);
	sink_event_each(f, take_param, &params);
}

static void syslog_format(const struct sink_options *options, const struct finding *f,
			  struct text *t)
{
	struct params params = { .t = t, .essential = false };

	(void)options;
	add_begin(f, t);
	sink_event_each(f, take_param, &params);
	text_add(t, "] ");
	sink_event_add_line(f, t);
}

/* A message that is too long loses its end, which is that of the words for people. */
static void udp_format(const struct sink_options *options, const struct finding *f, struct text *t)
{
	struct text udp = { .buf = t->buf, .size = UDP_MAX + 1 };

	(void)options;
	add_begin(f, &udp);
	text_add(&udp, "] ");
	sink_event_add_line(f, &udp);
	if (f->hint[0])
		text_addf(&udp, " fix: %s", f->hint);
	t->len = udp.len;
}

/* ---- The socket ---- */

static int path_check(const char *target, struct text *error)
{
	if (target[0] == '/')
		return 0;
	text_addf(error, "'%s' is not a socket: give an absolute path such as /dev/log", target);
	return -EINVAL;
}

static int address_check(const char *target, struct text *error)
{
	struct sink_address address;

	return sink_address_parse(target, "514", &address, error);
}

/* Connected is only when there is something to send: a server that is not there yet may come. */
static int sink_new(const struct sink_options *options, const char *target, int type,
		    struct sink **sink, struct text *error)
{
	struct sink *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->stop = options->stop;
	s->type = type;
	if (target[1] == '/')
		err = sink_address_parse(target, "514", &s->address, error);
	else
		s->path = target;
	if (err)
		free(s);
	else
		*sink = s;
	return err;
}

static int datagram_open(const struct sink_options *options, const char *target, struct sink **sink,
			 struct text *error)
{
	return sink_new(options, target, SOCK_DGRAM, sink, error);
}

static int stream_open(const struct sink_options *options, const char *target, struct sink **sink,
		       struct text *error)
{
	return sink_new(options, target, SOCK_STREAM, sink, error);
}

static void socket_close(struct sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
}

/* Has the server closed the connection? It never sends anything. */
static bool is_over(const struct sink *sink)
{
	char byte;

	return sink->type == SOCK_STREAM && recv(sink->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static int socket_open(struct sink *sink, struct text *error)
{
	if (sink->fd >= 0 && is_over(sink))
		socket_close(sink);
	if (sink->fd >= 0)
		return 0;
	if (sink->path)
		return sink_connect_unix(sink->path, &sink->fd, error);
	return sink_connect_inet(&sink->address, sink->type, sink->stop, &sink->fd, error);
}

static int message_send(const struct sink *sink, const struct queue_item *item)
{
	char count[32];
	struct text t;
	struct iovec parts[] = {
		{ .iov_base = count },
		{ .iov_base = (char *)item->data, .iov_len = item->len },
	};
	bool framed = sink->type == SOCK_STREAM;

	text_init(&t, count, sizeof(count));
	text_addf(&t, "%zu ", item->len);
	parts[0].iov_len = t.len;
	return sink_send_parts(sink->fd, sink->stop, parts + !framed, 1 + framed, SEND_MS);
}

static int syslog_send(struct sink *sink, const struct queue_item *items, size_t count,
		       struct sink_sent *sent, struct text *error)
{
	int err = socket_open(sink, error);

	while (!err && sent->taken < count) {
		err = message_send(sink, &items[sent->taken]);
		if (err == -EMSGSIZE) {
			text_addf(error, "a message of %zu bytes is too large for it",
				  items[sent->taken].len);
			sent->refused++;
			err = 0;
		} else if (err) {
			text_addf(error, "cannot send: %s", strerror(-err));
			socket_close(sink);
			break;
		}
		sent->taken++;
	}
	return err;
}

static void syslog_close(struct sink *sink)
{
	socket_close(sink);
	free(sink);
}

const struct sink_type sink_type_syslog = {
	.name = "syslog",
	.forms = "syslog:/SOCKET",
	.batch_max = 64,
	.retry_ms_max = 5000,
	.check = path_check,
	.open = datagram_open,
	.format = syslog_format,
	.send = syslog_send,
	.close = syslog_close,
};

const struct sink_type sink_type_syslog_udp = {
	.name = "syslog+udp",
	.network = true,
	.forms = "syslog+udp://HOST[:PORT]",
	.batch_max = 64,
	.retry_ms_max = 5000,
	.check = address_check,
	.open = datagram_open,
	.format = udp_format,
	.send = syslog_send,
	.close = syslog_close,
};

const struct sink_type sink_type_syslog_tcp = {
	.name = "syslog+tcp",
	.network = true,
	.forms = "syslog+tcp://HOST[:PORT]",
	.batch_max = 64,
	.retry_ms_max = 10000,
	.check = address_check,
	.open = stream_open,
	.format = syslog_format,
	.send = syslog_send,
	.close = syslog_close,
};
