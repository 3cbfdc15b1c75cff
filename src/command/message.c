// SPDX-License-Identifier: BSD-2-Clause
/*
 * A type, then what belongs to it: structures as they lie in memory, both sides being one program. What
 * is a number of things, a bool or a string is looked at before it is believed.
 */
#include "command/message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WAIT_MS 3000

/* Bools as bits: any byte of a message is one. */
enum {
	VERBOSE = 1 << 0,
	LADDER = 1 << 1,
	COLOR = 1 << 2,
	UTF8 = 1 << 3,
	ECS = 1 << 4,
	NOISE = 1 << 5,
};

#define RECOVERED 1U
#define CLOCK	  2U

struct figures_head {
	uint32_t armed;
	uint32_t timed;
	uint64_t traced;
	uint64_t records;
	uint64_t crashes;
	struct tlsfail_counters counters;
	uint32_t process_known;
	uint32_t probe_count;
	double cpu_s, start_s;
	uint64_t resident, virtual, open_fds, max_fds;
};

struct outputs_head {
	uint32_t flags;
	uint32_t count;
	uint64_t queue_size;
};

/* -- writing ------------------------------------------------------------------------------------- */

static size_t append(uint8_t *buf, size_t len, const void *data, size_t size)
{
	if (!len || size > MESSAGE_MAX - len)
		return 0;
	memcpy(buf + len, data, size);
	return len + size;
}

static size_t figures_write(const struct message_figures *f, uint8_t *buf, size_t len)
{
	struct figures_head head;

	memset(&head, 0, sizeof(head));
	head.armed = f->armed;
	head.timed = f->probes.timed;
	head.traced = f->traced;
	head.records = f->records;
	head.crashes = f->crashes;
	head.counters = f->counters;
	head.process_known = f->process.known;
	head.probe_count = (uint32_t)f->probes.count;
	head.cpu_s = f->process.cpu_s;
	head.start_s = f->process.start_s;
	head.resident = f->process.resident;
	head.virtual = f->process.virtual;
	head.open_fds = f->process.open_fds;
	head.max_fds = f->process.max_fds;
	len = append(buf, len, &head, sizeof(head));
	return append(buf, len, f->probes.items, f->probes.count * sizeof(f->probes.items[0]));
}

static size_t outputs_write_message(const struct message_outputs *o, uint8_t *buf, size_t len)
{
	const struct outputs_head head = {
		.flags = (o->verbose ? VERBOSE : 0U) | (o->ladder ? LADDER : 0U) |
			 (o->color ? COLOR : 0U) | (o->utf8 ? UTF8 : 0U) | (o->ecs ? ECS : 0U) |
			 (o->noise ? NOISE : 0U),
		.count = (uint32_t)o->count,
		.queue_size = o->queue_size,
	};

	len = append(buf, len, &head, sizeof(head));
	for (size_t i = 0; i < o->count; i++)
		len = append(buf, len, o->specs[i], strlen(o->specs[i]) + 1);
	return len;
}

static size_t peers_write(const struct message_peers *p, uint8_t *buf, size_t len)
{
	const uint32_t flags = (p->recovered ? RECOVERED : 0U) | (p->clock ? CLOCK : 0U);

	len = append(buf, len, &flags, sizeof(flags));
	return append(buf, len, p->keys, p->count * sizeof(p->keys[0]));
}

size_t message_write(const struct message *m, uint8_t *buf)
{
	const uint32_t type = m->type;
	size_t len = sizeof(type);

	memcpy(buf, &type, sizeof(type));
	switch (m->type) {
	case MESSAGE_RECORD:
		return append(buf, len, m->record.data, m->record.len);
	case MESSAGE_FIGURES:
		return figures_write(&m->figures, buf, len);
	case MESSAGE_OUTPUTS:
		return outputs_write_message(&m->outputs, buf, len);
	case MESSAGE_PEERS:
		return peers_write(&m->peers, buf, len);
	case MESSAGE_STANDS:
		return append(buf, len, m->stands.items,
			      m->stands.count * sizeof(m->stands.items[0]));
	case MESSAGE_STANDING:
		return append(buf, len, &m->standing, sizeof(m->standing));
	default:
		return len;
	}
}

/* -- reading ------------------------------------------------------------------------------------- */

static bool figures_read(const uint8_t *buf, size_t len, struct message_figures *f)
{
	struct figures_head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, buf, sizeof(head));
	if (head.armed > 1 || head.timed > 1 || head.process_known > 1 ||
	    head.probe_count > PROBE_RUNS_MAX ||
	    len != sizeof(head) + head.probe_count * sizeof(f->probes.items[0]))
		return false;
	*f = (struct message_figures){
		.armed = head.armed,
		.traced = head.traced,
		.records = head.records,
		.crashes = head.crashes,
		.counters = head.counters,
		.probes = { .count = head.probe_count, .timed = head.timed },
		.process = { head.process_known, head.cpu_s, head.start_s, head.resident,
			     head.virtual, head.open_fds, head.max_fds },
	};
	memcpy(f->probes.items, buf + sizeof(head), len - sizeof(head));
	for (size_t i = 0; i < f->probes.count; i++)
		if (!memchr(f->probes.items[i].name, '\0', sizeof(f->probes.items[i].name)))
			return false;
	return true;
}

static bool outputs_read(const uint8_t *buf, size_t len, struct message_outputs *o)
{
	struct outputs_head head;
	const char *at = o->words;
	size_t left;

	if (len < sizeof(head) || len - sizeof(head) > sizeof(o->words))
		return false;
	memcpy(&head, buf, sizeof(head));
	left = len - sizeof(head);
	if (!head.count || head.count > OUTPUTS_MAX)
		return false;
	o->verbose = head.flags & VERBOSE;
	o->ladder = head.flags & LADDER;
	o->color = head.flags & COLOR;
	o->utf8 = head.flags & UTF8;
	o->ecs = head.flags & ECS;
	o->noise = head.flags & NOISE;
	o->queue_size = head.queue_size;
	o->count = head.count;
	memcpy(o->words, buf + sizeof(head), left);
	for (size_t i = 0; i < o->count; i++) {
		const char *end = memchr(at, '\0', left);

		if (!end)
			return false;
		o->specs[i] = at;
		left -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	return !left;
}

static bool peers_read(const uint8_t *buf, size_t len, struct message_peers *p)
{
	uint32_t flags;

	if (len < sizeof(flags))
		return false;
	memcpy(&flags, buf, sizeof(flags));
	len -= sizeof(flags);
	if (flags & ~(RECOVERED | CLOCK) || len % sizeof(p->keys[0]) ||
	    len / sizeof(p->keys[0]) > MESSAGE_PEERS_MAX)
		return false;
	p->recovered = flags & RECOVERED;
	p->clock = flags & CLOCK;
	p->count = len / sizeof(p->keys[0]);
	memcpy(p->keys, buf + sizeof(flags), len);
	return true;
}

static bool record_read(const uint8_t *buf, size_t len, struct message_record *r)
{
	if (len < sizeof(struct tlsfail_header) || len > sizeof(r->data))
		return false;
	r->len = len;
	memcpy(r->data, buf, len);
	return true;
}

static bool stands_read(const uint8_t *buf, size_t len, struct message_stands *s)
{
	if (len % sizeof(s->items[0]) || len > sizeof(s->items))
		return false;
	s->count = len / sizeof(s->items[0]);
	memcpy(s->items, buf, len);
	return true;
}

static bool standing_read(const uint8_t *buf, size_t len, struct message_standing *s)
{
	if (len != sizeof(*s))
		return false;
	memcpy(s, buf, len);
	return true;
}

bool message_read(const uint8_t *buf, size_t len, struct message *m)
{
	uint32_t type;

	if (len < sizeof(type))
		return false;
	memcpy(&type, buf, sizeof(type));
	if (type >= MESSAGE_TYPES)
		return false;
	m->type = (enum message_type)type;
	buf += sizeof(type);
	len -= sizeof(type);
	switch (m->type) {
	case MESSAGE_RECORD:
		return record_read(buf, len, &m->record);
	case MESSAGE_FIGURES:
		return figures_read(buf, len, &m->figures);
	case MESSAGE_OUTPUTS:
		return outputs_read(buf, len, &m->outputs);
	case MESSAGE_PEERS:
		return peers_read(buf, len, &m->peers);
	case MESSAGE_STANDS:
		return stands_read(buf, len, &m->stands);
	case MESSAGE_STANDING:
		return standing_read(buf, len, &m->standing);
	default:
		return !len;
	}
}

/* -- over a socket --------------------------------------------------------------------------------- */

/* Is it over as soon as there is memory again? */
static bool is_momentary(int err)
{
	return err == ENOMEM || err == ENOBUFS;
}

static int bytes_send(int fd, const uint8_t *buf, size_t len, bool wait)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || is_momentary(errno)) && wait &&
	    poll(&room, 1, WAIT_MS) > 0)
		n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : 0;
}

int message_send(int fd, const struct message *m, bool wait)
{
	uint8_t *buf = malloc(MESSAGE_MAX);
	size_t len;
	int err;

	if (!buf)
		return -ENOMEM;
	len = message_write(m, buf);
	err = len ? bytes_send(fd, buf, len, wait) : -EMSGSIZE;
	free(buf);
	return err;
}

int message_send_type(int fd, enum message_type type)
{
	const uint32_t word = type;

	return bytes_send(fd, (const uint8_t *)&word, sizeof(word), true);
}

int message_receive(int fd, struct message *m)
{
	uint8_t *buf = malloc(MESSAGE_MAX);
	ssize_t n;
	int ret;

	/* where memory is short it is still there the next time */
	if (!buf)
		return 0;
	n = recv(fd, buf, MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		ret = errno == EAGAIN || errno == EINTR || is_momentary(errno) ? 0 : -EPIPE;
	else if (n == 0)
		ret = -EPIPE;
	else
		ret = n <= (ssize_t)MESSAGE_MAX && message_read(buf, (size_t)n, m) ? 1 : -EBADMSG;
	free(buf);
	return ret;
}
