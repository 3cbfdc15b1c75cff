/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sinks share: the registry, writing, and the words for a confidence and for a loss.
 */
#define _GNU_SOURCE /* ppoll() */
#include "output/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "finding/finding.h"
#include "base/text.h"

static const struct sink_type *const sink_types[] = {
	&sink_type_text,       &sink_type_json,	  &sink_type_line,
	&sink_type_journald,   &sink_type_syslog, &sink_type_syslog_udp,
	&sink_type_syslog_tcp, &sink_type_otlp,	  &sink_type_socket,
};
#define SINK_TYPE_COUNT (sizeof(sink_types) / sizeof(sink_types[0]))

struct loss_kind {
	size_t offset; /* of its count in struct finding_loss */
	const char *one;
	const char *many;
	const char *hint;
};

static const char hint_slow[] = "give this output a faster reader, or tlsfail more CPU";

static const struct loss_kind loss_kinds[] = {
	{ offsetof(struct finding_loss, findings), "failure", "failures", hint_slow },
	{ offsetof(struct finding_loss, wires), "wire record", "wire records", hint_slow },
	{ offsetof(struct finding_loss, untracked), "connection", "connections",
	  "trace fewer processes: the connection table was full" },
	{ offsetof(struct finding_loss, output), "event of this output", "events of this output",
	  "make the output accept them faster, or set a larger --sink-queue" },
	{ offsetof(struct finding_loss, processes), "process", "processes",
	  "restart tlsfail so that it finds the programs started in the meantime" },
};
#define LOSS_KIND_COUNT (sizeof(loss_kinds) / sizeof(loss_kinds[0]))

/* The type whose name the first len bytes of spec are. */
static const struct sink_type *type_find(const char *spec, size_t len)
{
	for (size_t i = 0; i < SINK_TYPE_COUNT; i++) {
		const char *name = sink_types[i]->name;

		if (strlen(name) == len && memcmp(name, spec, len) == 0)
			return sink_types[i];
	}
	return NULL;
}

void sink_add_types(struct text *t)
{
	const char *separator = "";

	for (size_t i = 0; i < SINK_TYPE_COUNT; i++) {
		bool (*available)(void) = sink_types[i]->available;

		if (!sink_types[i]->open || (available && !available()))
			continue;
		text_addf(t, "%s%s", separator, sink_types[i]->name);
		separator = ", ";
	}
}

const struct sink_type *sink_type_find(const char *name)
{
	return type_find(name, strlen(name));
}

int sink_parse(const char *spec, const struct sink_type **type, const char **target,
	       struct text *error)
{
	const char *colon = strchr(spec, ':');

	*type = colon ? type_find(spec, (size_t)(colon - spec)) : NULL;
	if (!*type) {
		text_addf(error,
			  "--sink takes TYPE:TARGET such as json:-, not '%s'; types: ", spec);
		sink_add_types(error);
		return -EINVAL;
	}
	*target = colon + 1;
	return (*type)->check(*target, error);
}

/* The type of an output whose words are right, and its target. */
static const struct sink_type *spec_type(const char *spec, const char **target)
{
	const char *colon = strchr(spec, ':');

	*target = colon ? colon + 1 : "";
	return colon ? type_find(spec, (size_t)(colon - spec)) : NULL;
}

bool sink_needs_network(const char *spec)
{
	const char *target;
	const struct sink_type *type = spec_type(spec, &target);

	return type && type->network;
}

bool sink_wants_standing(const struct sink_options *options, const char *spec)
{
	const char *target;
	const struct sink_type *type = spec_type(spec, &target);

	return type && type->standing && (!type->wants_standing || type->wants_standing(options));
}

void sink_load(const char *spec)
{
	const char *target;
	const struct sink_type *type = spec_type(spec, &target);

	if (type && type->available)
		(void)type->available();
}

const char *sink_path(const char *spec)
{
	const char *target;
	const struct sink_type *type = spec_type(spec, &target);

	if (!*target && type == &sink_type_journald)
		return SINK_JOURNAL_SOCKET;
	return *target == '/' && type && !type->network ? target : NULL;
}

void sink_help(struct text *t)
{
	for (size_t i = 0; i < SINK_TYPE_COUNT; i++)
		text_addf(t, "  %s\n", sink_types[i]->forms);
}

bool sink_is_stdout(const char *target)
{
	return strcmp(target, "-") == 0;
}

int sink_wait(int fd, int stop, short events, int timeout_ms)
{
	const struct timespec limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = stop, .events = POLLIN } };
	sigset_t none;
	int n;

	sigemptyset(&none);
	do {
		n = ppoll(fds, 2, timeout_ms < 0 ? NULL : &limit, stop < 0 ? &none : NULL);
	} while (n < 0 && errno == EINTR && stop >= 0);
	if (n < 0)
		return -errno;
	if (fds[1].revents)
		return -ECANCELED;
	return n ? 0 : -ETIMEDOUT;
}

/* As much as a pipe that is writable takes without blocking (pipe(7)); no limit for others. */
static int fd_write_max(int fd, size_t *max)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*max = S_ISFIFO(st.st_mode) ? PIPE_BUF : SSIZE_MAX;
	return 0;
}

int sink_write_all(int fd, int stop, const void *buf, size_t len, size_t *done)
{
	const char *next = buf;
	size_t max = 0;
	int err = len > 0 ? fd_write_max(fd, &max) : 0;

	*done = 0;
	while (!err && *done < len) {
		size_t left = len - *done;
		ssize_t written;

		err = sink_wait(fd, stop, POLLOUT, -1);
		if (err)
			break;
		written = write(fd, next + *done, left < max ? left : max);
		if (written == 0)
			err = -EIO;
		else if (written > 0)
			*done += (size_t)written;
		else if (errno != EAGAIN && errno != EINTR)
			err = -errno;
	}
	return err;
}

const char *sink_confidence_name(const struct finding *finding)
{
	static const char *const names[] = {
		[CONFIDENCE_LOW] = "low",
		[CONFIDENCE_MEDIUM] = "medium",
		[CONFIDENCE_HIGH] = "high",
		[CONFIDENCE_PROVEN] = "proven",
	};

	return names[finding->confidence];
}

const char *sink_responsible_name(const struct finding *finding)
{
	static const char *const names[] = {
		[RESPONSIBLE_UNKNOWN] = "unknown",   [RESPONSIBLE_THIS_HOST] = "this_host",
		[RESPONSIBLE_UPSTREAM] = "upstream", [RESPONSIBLE_CLIENT] = "client",
		[RESPONSIBLE_NETWORK] = "network",
	};

	return names[finding->responsible];
}

const char *sink_peer_state_name(const struct finding_peer *peer)
{
	static const char *const names[] = {
		[FINDING_PEER_OK] = "ok",
		[FINDING_PEER_FLAPPING] = "flapping",
		[FINDING_PEER_FAILING] = "failing",
		[FINDING_PEER_RECOVERED] = "recovered",
	};

	return names[peer->state];
}

static uint64_t loss_count(const struct finding_loss *loss, const struct loss_kind *kind)
{
	uint64_t count;

	memcpy(&count, (const char *)loss + kind->offset, sizeof(count));
	return count;
}

void sink_add_loss(struct text *t, const struct finding_loss *loss)
{
	const char *separator = " ";

	text_add(t, "tlsfail lost");
	for (size_t i = 0; i < LOSS_KIND_COUNT; i++) {
		const struct loss_kind *kind = &loss_kinds[i];
		uint64_t count = loss_count(loss, kind);

		if (count == 0)
			continue;
		text_addf(t, "%s%" PRIu64 " %s", separator, count,
			  count == 1 ? kind->one : kind->many);
		separator = ", ";
	}
}

void sink_add_loss_hint(struct text *t, const struct finding_loss *loss)
{
	const char *last = NULL;

	for (size_t i = 0; i < LOSS_KIND_COUNT; i++) {
		const struct loss_kind *kind = &loss_kinds[i];

		if (loss_count(loss, kind) == 0 || kind->hint == last)
			continue;
		if (last)
			text_add(t, "; ");
		text_add(t, kind->hint);
		last = kind->hint;
	}
}
