// SPDX-License-Identifier: BSD-2-Clause
/*
 * A short queue, of which the first is being asked about.
 */
#include "command/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "command/prober.h"
#include "system/clock.h"

#define QUEUE_MAX 8
#define ASKED_MAX 256 /* of those that were asked, the oldest are forgotten */

struct pending {
	struct prober_request request;
	struct finding finding;
	const struct program *program;
};

struct asked {
	uint64_t t;
	const char *cause;
	uint8_t addr[16];
	uint16_t port;
};

struct confirm {
	int fd;
	uint64_t interval_ns;
	uint64_t next_id;
	bool sent; /* the first of the queue is being asked about */
	size_t count;
	struct pending *queue[QUEUE_MAX];
	size_t asked_next;
	struct asked asked[ASKED_MAX];
};

int confirm_open(int prober, uint64_t interval_ns, struct confirm **out)
{
	struct confirm *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = prober;
	c->interval_ns = interval_ns;
	/* A prober may still be at what an analyst before this one has asked. */
	c->next_id = clock_monotonic();
	*out = c;
	return 0;
}

void confirm_close(struct confirm *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->queue[i]);
	close(c->fd);
	free(c);
}

/* -- what is asked ----------------------------------------------------------------------------- */

static bool leaves_open(const struct failure *failure, const struct finding *f)
{
	return failure->conn->role == TLSFAIL_ROLE_CLIENT && failure->places &&
	       failure->places_len <= TLSFAIL_NGINX_DATA && f->candidate_count &&
	       f->confidence < CONFIDENCE_HIGH && f->config.place_count;
}

/* Was it asked within the interval? Else it is from now on. */
static bool was_asked(struct confirm *c, const struct failure *failure, const char *cause,
		      uint64_t t)
{
	const struct tlsfail_conn *conn = failure->conn;
	struct asked *a;

	for (size_t i = 0; i < ASKED_MAX; i++) {
		a = &c->asked[i];
		if (a->t && t - a->t < c->interval_ns && a->cause == cause &&
		    a->port == conn->rport && !memcmp(a->addr, conn->raddr, sizeof(a->addr)))
			return true;
	}
	a = &c->asked[c->asked_next];
	c->asked_next = (c->asked_next + 1) % ASKED_MAX;
	*a = (struct asked){ .t = t, .cause = cause, .port = conn->rport };
	memcpy(a->addr, conn->raddr, sizeof(a->addr));
	return false;
}

static void slug_add(struct prober_request *request, const char *slug)
{
	struct text t;

	text_init(&t, request->slugs[request->slug_count++], PROBER_SLUG_LEN);
	text_add(&t, slug);
}

void confirm_offer(struct confirm *c, const struct failure *failure, const struct finding *f,
		   uint64_t t)
{
	struct prober_request *request;
	struct pending *p;

	if (!leaves_open(failure, f) || c->count == QUEUE_MAX || was_asked(c, failure, f->cause, t))
		return;
	p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->finding = *f;
	p->program = failure->program;
	request = &p->request;
	request->id = ++c->next_id;
	request->conn = *failure->conn;
	slug_add(request, f->cause);
	for (unsigned int i = 0; i < f->candidate_count; i++)
		slug_add(request, f->candidates[i]);
	request->places_len = (uint32_t)failure->places_len;
	memcpy(request->places, failure->places, failure->places_len);
	c->queue[c->count++] = p;
}

/* -- what comes of it -------------------------------------------------------------------------- */

static bool is_candidate(const struct prober_request *request, const char *slug)
{
	for (uint32_t i = 0; i < request->slug_count; i++)
		if (!strcmp(request->slugs[i], slug))
			return true;
	return false;
}

/* The words are a stranger's, see struct prober_reply. */
static bool reply_take(const struct pending *p, struct prober_reply *reply, struct finding *finding)
{
	const struct failure failure = {
		.conn = &p->request.conn,
		.places = p->request.places,
		.places_len = p->request.places_len,
		.program = p->program,
	};
	char proof[FINDING_EVIDENCE_LEN];
	struct text t;

	reply->slug[sizeof(reply->slug) - 1] = '\0';
	reply->proof[sizeof(reply->proof) - 1] = '\0';
	if (!reply->settled || !is_candidate(&p->request, reply->slug))
		return false;
	text_init(&t, proof, sizeof(proof));
	text_add_hostile(&t, reply->proof, strlen(reply->proof));
	*finding = p->finding;
	diagnose_prove(&failure, reply->slug, proof, finding);
	finding->time_ns = clock_realtime();
	return true;
}

static void first_drop(struct confirm *c)
{
	free(c->queue[0]);
	c->count--;
	memmove(&c->queue[0], &c->queue[1], c->count * sizeof(c->queue[0]));
	c->sent = false;
}

bool confirm_poll(struct confirm *c, struct finding *finding)
{
	struct prober_reply reply;
	bool settled = false;
	ssize_t n;

	if (c->sent) {
		n = recv(c->fd, &reply, sizeof(reply), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n == (ssize_t)sizeof(reply) && reply.id == c->queue[0]->request.id)
			settled = reply_take(c->queue[0], &reply, finding);
		first_drop(c);
	}
	if (c->count && !c->sent) {
		n = send(c->fd, &c->queue[0]->request, sizeof(c->queue[0]->request),
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			c->sent = true;
		else
			first_drop(c);
	}
	return settled;
}

bool confirm_waits(const struct confirm *c)
{
	return c->count;
}
