/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal of systemd, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one
 * datagram of fields, or, when it is too large for one, a sealed file descriptor that holds it. Spoken
 * here and not by libsystemd, of which there is no static library, and which would be larger than all
 * the rest.
 */
#define _GNU_SOURCE /* memfd_create(), F_ADD_SEALS */
#include "output/sink.h"
#include "output/sink_event.h"
#include "output/sink_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "finding/finding.h"
#include "base/text.h"

#define FIELD_MAX  64 /* characters of a field's name */
#define NUMBER_LEN 32
#define STEP_LEN   256
#define SEND_MS	   10000

struct sink {
	int fd; /* -1: not connected */
	int stop;
	const char *path;
};

/* ---- The fields ---- */

/* A value in one line follows "=", any other its length. */
static void add_field(struct text *t, const char *name, const char *value)
{
	uint64_t len = strlen(value);
	uint8_t bytes[8];

	text_add(t, name);
	if (!strchr(value, '\n')) {
		text_add_bytes(t, "=", 1);
	} else {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(len >> (8 * i));
		text_add_bytes(t, "\n", 1);
		text_add_bytes(t, bytes, sizeof(bytes));
	}
	text_add_bytes(t, value, len);
	text_add_bytes(t, "\n", 1);
}

/* "tls.alert.code" is TLSFAIL_TLS_ALERT_CODE, "tlsfail.hint" is TLSFAIL_HINT. */
static void field_name(const char *key, char *name, size_t size)
{
	struct text t;

	text_init(&t, name, size);
	text_add(&t, "TLSFAIL_");
	if (!strcmp(key, "error.type"))
		key = "cause";
	if (!strncmp(key, "tlsfail.", strlen("tlsfail.")))
		key += strlen("tlsfail.");
	for (; *key; key++) {
		char c = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key;

		if (c != '@')
			text_add_bytes(
				&t, (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? &c : "_", 1);
	}
}

/* A field may come several times: lists do not have to be put into one. */
static void take_field(void *context, const char *key, const struct sink_value *value)
{
	char name[FIELD_MAX + 1], words[STEP_LEN];
	struct text *t = context;
	struct text line;

	if (!strcmp(key, "message"))
		return;
	field_name(key, name, sizeof(name));
	text_init(&line, words, sizeof(words));
	switch (value->kind) {
	case SINK_STRING:
		add_field(t, name, value->string);
		break;
	case SINK_INTEGER:
		text_addf(&line, "%lld", (long long)value->integer);
		add_field(t, name, words);
		break;
	case SINK_BOOLEAN:
		add_field(t, name, value->boolean ? "true" : "false");
		break;
	case SINK_STRINGS:
		for (unsigned int i = 0; i < value->count; i++)
			add_field(t, name, value->strings[i]);
		break;
	case SINK_STEPS:
		for (unsigned int i = 0; i < value->count; i++) {
			text_init(&line, words, sizeof(words));
			text_addf(&line, "%llu %s %s", (unsigned long long)value->steps[i].t_ns,
				  value->steps[i].dir, value->steps[i].what);
			add_field(t, name, words);
		}
		break;
	}
}

static void journald_format(const struct sink_options *options, const struct finding *f,
			    struct text *t)
{
	char words[FINDING_MESSAGE_LEN + FINDING_NAME_LEN];
	struct text line;

	(void)options;
	text_init(&line, words, sizeof(words));
	sink_event_add_line(f, &line);
	add_field(t, "MESSAGE", words);
	text_addf(t, "PRIORITY=%d\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=tlsfail\n",
		  sink_event_severity(f));
	sink_event_each(f, take_field, t);
}

/* ---- The socket ---- */

static int journald_check(const char *target, struct text *error)
{
	if (!target[0] || target[0] == '/')
		return 0;
	text_addf(
		error,
		"'%s' is not a socket: use journald:, or journald:/SOCKET if it is not at " SINK_JOURNAL_SOCKET,
		target);
	return -EINVAL;
}

static int journald_open(const struct sink_options *options, const char *target, struct sink **sink,
			 struct text *error)
{
	(void)error;
	*sink = malloc(sizeof(**sink));
	if (!*sink)
		return -ENOMEM;
	**sink = (struct sink){
		.fd = -1,
		.stop = options->stop,
		.path = target[0] ? target : SINK_JOURNAL_SOCKET,
	};
	return 0;
}

/* A file that nobody can change any more, which is what the journal asks for. */
static int memfd_make(const struct queue_item *item)
{
	int fd = memfd_create("tlsfail-event", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, item->data, item->len) != (ssize_t)item->len)
		err = -EIO;
	else if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		err = -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}

static int send_as_file(int socket, const struct queue_item *item)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	const struct msghdr message = { .msg_control = control.space,
					.msg_controllen = sizeof(control.space) };
	int fd = memfd_make(item);
	int err;

	if (fd < 0)
		return fd;
	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	err = sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int event_send(const struct sink *sink, const struct queue_item *item)
{
	struct iovec part = { .iov_base = (char *)item->data, .iov_len = item->len };
	int err = sink_send_parts(sink->fd, sink->stop, &part, 1, SEND_MS);

	return err == -EMSGSIZE || err == -ENOBUFS ? send_as_file(sink->fd, item) : err;
}

static int journald_send(struct sink *sink, const struct queue_item *items, size_t count,
			 struct sink_sent *sent, struct text *error)
{
	int err = 0;

	if (sink->fd < 0)
		err = sink_connect_unix(sink->path, &sink->fd, error);
	while (!err && sent->taken < count) {
		err = event_send(sink, &items[sent->taken]);
		if (!err) {
			sent->taken++;
			continue;
		}
		text_addf(error, "cannot send: %s", strerror(-err));
		close(sink->fd);
		sink->fd = -1;
	}
	return err;
}

static void journald_close(struct sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	free(sink);
}

const struct sink_type sink_type_journald = {
	.name = "journald",
	.forms = "journald:[/SOCKET]",
	.batch_max = 64,
	.retry_ms_max = 5000,
	.check = journald_check,
	.open = journald_open,
	.format = journald_format,
	.send = journald_send,
	.close = journald_close,
};
