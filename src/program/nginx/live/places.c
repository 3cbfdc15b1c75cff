// SPDX-License-Identifier: BSD-2-Clause
/*
 * One question is asked at a time. While it is under way the nginxwatch belongs to it: with a thread
 * that is stuck that is left behind, too, and a new one begins from nothing.
 */
#include "program/nginx/live/places.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "program/nginx/live/watch.h"
#include "system/clock.h"
#include "system/log.h"
#include "system/worker.h"

#define WAIT_MS	      1000
#define STUCK_NS      (10 * NS_PER_S)
#define ABANDONED_MAX 4
#define NAME_LEN      256
/* An answer holds for so long, or until so many others were asked: fewer than there are slots. */
#define FRESH_NS  NS_PER_S
#define FRESH_MAX 16

_Static_assert(FRESH_MAX < TLSFAIL_NGINX_SLOTS - TLSFAIL_NGINX_SERVER_SLOT &&
		       FRESH_MAX < TLSFAIL_NGINX_SERVER_SLOT,
	       "what is fresh has its slot still");

/* What an answer is about. */
struct subject {
	__u32 pid;
	__u16 role;
	__u16 family;
	__u16 port; /* of the side that the configuration knows */
	__u8 addr[16];
	bool plain;
	bool has_hello;
	char server_name[NAME_LEN];
};

struct question {
	struct worker_job job;
	struct nginxwatch *watch;
	struct tlsfail_conn conn;
	struct subject subject;
	bool has_record;
	union {
		struct tlsfail_nginx record;
		__u8 bytes[sizeof(struct tlsfail_nginx) + TLSFAIL_NGINX_DATA];
	};
};

struct fresh {
	struct subject subject;
	uint64_t until;
};

struct nginxplaces {
	struct worker *worker;
	struct nginxwatch *watch; /* NULL: a question has it */
	bool asked;		  /* a question is under way */
	bool told_slow;
	bool told_over;
	size_t fresh_next;
	struct fresh fresh[FRESH_MAX];
};

/* -- in the worker's thread -------------------------------------------------------------------- */

static void question_run(struct worker_job *job)
{
	struct question *q = (struct question *)job;
	const struct tlsfail_nginx *record =
		nginxwatch_look(q->watch, &q->conn, q->subject.has_hello, q->subject.server_name);

	q->has_record = record && record->h.len <= sizeof(q->bytes);
	if (q->has_record)
		memcpy(q->bytes, record, record->h.len);
}

static void question_drop(struct worker_job *job)
{
	struct question *q = (struct question *)job;

	nginxwatch_free(q->watch);
	free(q);
}

/* -- the owner --------------------------------------------------------------------------------- */

int nginxplaces_new(struct nginxplaces **out)
{
	const struct worker_options options = { 1, STUCK_NS, ABANDONED_MAX };
	struct nginxplaces *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return err;
	p->watch = nginxwatch_new();
	if (p->watch)
		err = worker_new(&options, &p->worker);
	if (err)
		nginxplaces_free(p);
	else
		*out = p;
	return err;
}

void nginxplaces_free(struct nginxplaces *p)
{
	if (!p)
		return;
	worker_free(p->worker);
	nginxwatch_free(p->watch);
	free(p);
}

static struct subject subject_of(const struct tlsfail_conn *conn, bool has_hello,
				 const char *server_name)
{
	bool server = conn->role == TLSFAIL_ROLE_SERVER;
	struct subject s = {
		.pid = conn->pid,
		.role = conn->role,
		.family = conn->family,
		.port = server ? conn->lport : conn->rport,
		.plain = conn->flags & TLSFAIL_F_PLAIN,
		.has_hello = has_hello,
	};
	struct text name;

	memcpy(s.addr, server ? conn->laddr : conn->raddr, sizeof(s.addr));
	text_init(&name, s.server_name, sizeof(s.server_name));
	text_add(&name, server_name);
	return s;
}

/* One answer about it takes the place of the one before. */
static bool shares_slot(const struct subject *a, const struct subject *b)
{
	return a->pid == b->pid && a->role == b->role && a->family == b->family &&
	       a->port == b->port && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static bool is_same(const struct subject *a, const struct subject *b)
{
	return shares_slot(a, b) && a->plain == b->plain && a->has_hello == b->has_hello &&
	       !strcmp(a->server_name, b->server_name);
}

static bool is_fresh(const struct nginxplaces *p, const struct subject *subject)
{
	uint64_t now = clock_monotonic();

	for (size_t i = 0; i < FRESH_MAX; i++)
		if (now < p->fresh[i].until && is_same(&p->fresh[i].subject, subject))
			return true;
	return false;
}

static void fresh_add(struct nginxplaces *p, const struct subject *subject)
{
	for (size_t i = 0; i < FRESH_MAX; i++)
		if (shares_slot(&p->fresh[i].subject, subject))
			p->fresh[i].until = 0;
	p->fresh[p->fresh_next++ % FRESH_MAX] =
		(struct fresh){ *subject, clock_monotonic() + FRESH_NS };
}

/* Takes the answer, if it has come. */
static void answer_take(struct nginxplaces *p, nginxplaces_emit emit, void *context)
{
	struct question *q = (struct question *)worker_fetch(p->worker);

	if (!q)
		return;
	p->asked = false;
	p->watch = q->watch;
	fresh_add(p, &q->subject);
	if (q->has_record)
		emit(context, &q->record);
	free(q);
}

static void stuck_check(struct nginxplaces *p)
{
	uint64_t pid;

	if (!p->asked || !worker_abandon(p->worker, clock_monotonic(), &pid))
		return;
	log_line("nginx's configuration (process %llu) is on a file system that does not respond; "
		 "findings will not name places in it",
		 (unsigned long long)pid);
	p->asked = false;
	p->watch = nginxwatch_new();
	memset(p->fresh, 0, sizeof(p->fresh));
}

static void question_ask(struct nginxplaces *p, const struct tlsfail_conn *conn,
			 const struct subject *subject)
{
	struct question *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return;
	q->job = (struct worker_job){ question_run, question_drop, conn->pid, NULL };
	q->watch = p->watch;
	q->conn = *conn;
	q->subject = *subject;
	err = worker_give(p->worker, &q->job);
	p->asked = !err;
	if (!err)
		p->watch = NULL;
	else
		free(q);
	if (err == -EBUSY && !p->told_over)
		log_line("no longer reading nginx's configuration: too many file systems do not "
			 "respond");
	p->told_over |= err == -EBUSY;
}

void nginxplaces_look(struct nginxplaces *p, const struct tlsfail_conn *conn, bool has_hello,
		      const char *server_name, nginxplaces_emit emit, void *context)
{
	struct subject subject = subject_of(conn, has_hello, server_name);
	struct pollfd fd = { .fd = worker_fd(p->worker), .events = POLLIN };

	answer_take(p, emit, context);
	stuck_check(p);
	if (p->asked || !p->watch || is_fresh(p, &subject))
		return;
	question_ask(p, conn, &subject);
	for (int i = 0; p->asked && i < 2; i++) {
		/* readable for an answer that was taken before: look again */
		if (poll(&fd, 1, WAIT_MS) <= 0)
			break;
		answer_take(p, emit, context);
	}
	if (p->asked && !p->told_slow)
		log_line("reading nginx's configuration takes long; until it is done, findings do "
			 "not name places in it");
	p->told_slow |= p->asked;
}
