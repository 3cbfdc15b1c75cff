// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table of kinds in the order of their age. A kind of which none came within an interval is
 * forgotten, so that its next failure is news again.
 */
#include "diagnose/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/hash.h"
#include "base/text.h"

/* Of a kind that many addresses share: those that are told apart, and those that are named. */
#define ADDRESSES_MAX 64
#define SAMPLES_MAX   3

/* Programs whose failures are counted apart for the limit; others share what the oldest had. */
#define PROGRAMS_MAX 64
/* In all, so many times the limit of a program. */
#define ALL_FACTOR 4

struct kind {
	uint64_t deadline; /* of its interval */
	uint64_t count;	   /* folded since it was told last */
	uint64_t told_ns;  /* CLOCK_REALTIME of that */
	uint64_t last_ns;  /* CLOCK_REALTIME of the last that was folded */
	const char *cause;
	unsigned int wording;
	const char *role;
	const char *network_type;
	enum confidence confidence;
	uint32_t pid;
	bool is_rest;	/* of a cause, beyond the limit: whatever peer and wording */
	uint64_t netns; /* one address is another peer in another network namespace */
	char container_id[CONTAINER_ID_LEN];
	struct finding_endpoint peer;	   /* of the client's kinds; port 0: none */
	struct finding_endpoint local;	   /* of the server's */
	uint32_t name_hash;		   /* of the name that clients asked for */
	struct finding_peer history;	   /* as of the last that was folded */
	size_t address_count;		   /* since it was told last */
	uint32_t addresses[ADDRESSES_MAX]; /* hashes */
	char samples[SAMPLES_MAX][FINDING_ADDRESS_LEN];
	char *executable;
	char host_name[FINDING_NAME_LEN];
};

/* What was told in full within an interval. */
struct quota {
	uint32_t executable_hash;
	uint64_t end; /* of the interval */
	uint64_t used;
};

struct fold {
	uint64_t interval_ns;
	uint64_t limit;	   /* 0: none */
	uint64_t deadline; /* none of the kinds has an earlier one; 0: there are none */
	struct quota all;
	struct quota programs[PROGRAMS_MAX];
	size_t count;
	struct kind kinds[FOLD_KINDS_MAX]; /* the oldest first */
};

struct fold *fold_new(uint64_t interval_ns, uint64_t limit)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return NULL;
	fold->interval_ns = interval_ns;
	fold->limit = limit;
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	for (size_t i = 0; i < fold->count; i++)
		free(fold->kinds[i].executable);
	free(fold);
}

uint64_t fold_deadline(const struct fold *fold)
{
	return fold->deadline;
}

static uint32_t hash_string(const char *string)
{
	return (uint32_t)hash_add(HASH_EMPTY, string, strlen(string));
}

static bool same_endpoint(const struct finding_endpoint *a, const struct finding_endpoint *b)
{
	return a->port == b->port && !strcmp(a->address, b->address);
}

static bool is_server(const struct finding *f)
{
	return f->role && !strcmp(f->role, "server");
}

static bool same_role(const struct kind *k, const struct finding *f)
{
	return (k->role && !strcmp(k->role, "server")) == is_server(f);
}

/* Clients are many, and each connection of one comes from another port: their failures are of one kind
 * by where they arrived, and what for. */
static bool same_kind(const struct kind *k, const struct finding *f)
{
	if (k->wording != f->wording || k->netns != f->netns)
		return false;
	if (is_server(f))
		return same_endpoint(&k->local, &f->local) &&
		       k->name_hash == hash_string(f->hello.server_name);
	return same_endpoint(&k->peer, &f->peer);
}

static struct kind *kind_find(struct fold *fold, const struct finding *f, bool is_rest)
{
	for (size_t i = 0; i < fold->count; i++) {
		struct kind *k = &fold->kinds[i];

		if (k->is_rest == is_rest && !strcmp(k->cause, f->cause) && same_role(k, f) &&
		    (is_rest || same_kind(k, f)) && !strcmp(k->executable, f->executable_path))
			return k;
	}
	return NULL;
}

static void deadline_update(struct fold *fold)
{
	fold->deadline = 0;
	for (size_t i = 0; i < fold->count; i++)
		if (!fold->deadline || fold->kinds[i].deadline < fold->deadline)
			fold->deadline = fold->kinds[i].deadline;
}

static void kind_forget(struct fold *fold, size_t i)
{
	free(fold->kinds[i].executable);
	fold->count--;
	memmove(&fold->kinds[i], &fold->kinds[i + 1], (fold->count - i) * sizeof(fold->kinds[0]));
}

/* NULL, out of memory: the kind is not remembered, so its next failure is told too. */
static struct kind *kind_add(struct fold *fold, uint64_t t, const struct finding *f, bool is_rest)
{
	struct kind *k = &fold->kinds[fold->count];
	char *executable = strdup(f->executable_path);

	if (!executable)
		return NULL;
	fold->count++;
	*k = (struct kind){
		.deadline = t + fold->interval_ns,
		.told_ns = f->time_ns,
		.cause = f->cause,
		.wording = f->wording,
		.role = f->role,
		.network_type = f->network_type,
		.is_rest = is_rest,
		.executable = executable,
	};
	if (!is_rest && is_server(f))
		k->local = f->local;
	else if (!is_rest)
		k->peer = f->peer;
	if (!is_rest) {
		k->netns = f->netns;
		memcpy(k->container_id, f->container_id, sizeof(k->container_id));
	}
	k->name_hash = hash_string(f->hello.server_name);
	memcpy(k->host_name, f->host_name, sizeof(k->host_name));
	deadline_update(fold);
	return k;
}

/* " from 312 addresses, such as 192.0.2.1, 192.0.2.2 and 192.0.2.3" */
static void addresses_add(const struct kind *k, struct text *t)
{
	size_t samples = k->address_count < SAMPLES_MAX ? k->address_count : SAMPLES_MAX;

	if (k->address_count < 2)
		return;
	text_addf(t, " from %s%zu addresses", k->address_count == ADDRESSES_MAX ? "at least " : "",
		  k->address_count);
	for (size_t i = 0; i < samples; i++)
		text_addf(t, "%s%s",
			  !i		    ? ", such as "
			  : i + 1 < samples ? ", "
					    : " and ",
			  k->samples[i]);
}

static void kind_count(struct kind *k, const struct finding *f)
{
	uint32_t hash = hash_string(f->peer.address);

	k->count++;
	k->last_ns = f->time_ns;
	k->pid = f->pid;
	k->history = f->history;
	k->confidence = f->confidence;
	for (size_t i = 0; i < k->address_count; i++)
		if (k->addresses[i] == hash)
			return;
	if (k->address_count == ADDRESSES_MAX)
		return;
	if (k->address_count < SAMPLES_MAX)
		memcpy(k->samples[k->address_count], f->peer.address, FINDING_ADDRESS_LEN);
	k->addresses[k->address_count++] = hash;
}

static void kind_tell(struct kind *k, struct finding *out)
{
	struct text t;

	*out = (struct finding){
		.kind = FINDING_FOLDED,
		.time_ns = k->last_ns,
		.duration_ns = k->last_ns > k->told_ns ? k->last_ns - k->told_ns : 0,
		.cause = k->cause,
		.confidence = k->confidence,
		.role = k->role,
		.network_type = k->network_type,
		.peer = k->peer,
		.local = k->local,
		.history = k->address_count < 2 ? k->history : (struct finding_peer){ 0 },
		.pid = k->pid,
		.netns = k->netns,
		.suppressed = k->count,
	};
	memcpy(out->container_id, k->container_id, sizeof(out->container_id));
	if (k->address_count == 1)
		memcpy(out->peer.address, k->samples[0], sizeof(out->peer.address));
	text_init(&t, out->executable_path, sizeof(out->executable_path));
	text_add(&t, k->executable);
	text_init(&t, out->host_name, sizeof(out->host_name));
	text_add(&t, k->host_name);
	text_init(&t, out->message, sizeof(out->message));
	text_addf(&t, "%llu more failure%s %s", (unsigned long long)k->count,
		  k->count == 1 ? "" : "s", k->is_rest ? "with this cause" : "of this kind");
	addresses_add(k, &t);
	text_add(&t, " within ");
	text_add_duration(&t, out->duration_ns);
	text_add(&t, ".");
	k->told_ns = k->last_ns;
	k->count = 0;
	k->address_count = 0;
}

/* Makes room for one more kind: told is whether *out tells one that had to go. */
static bool room_make(struct fold *fold, struct finding *out)
{
	bool told;

	if (fold->count < FOLD_KINDS_MAX)
		return false;
	told = fold->kinds[0].count;
	if (told)
		kind_tell(&fold->kinds[0], out);
	kind_forget(fold, 0);
	return told;
}

/* The quota of the program; without one of its own it gets that which ends first. */
static struct quota *quota_find(struct fold *fold, const struct finding *f)
{
	uint32_t hash = hash_string(f->executable_path);
	struct quota *oldest = &fold->programs[0];

	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		struct quota *q = &fold->programs[i];

		if (q->end && q->executable_hash == hash)
			return q;
		if (q->end < oldest->end)
			oldest = q;
	}
	oldest->executable_hash = hash;
	return oldest;
}

static bool quota_has(struct quota *q, uint64_t limit, uint64_t t, uint64_t interval_ns)
{
	if (t >= q->end)
		*q = (struct quota){ q->executable_hash, t + interval_ns, 0 };
	return q->used < limit;
}

/* May one more be told in full? */
static bool quota_take(struct fold *fold, uint64_t t, const struct finding *f)
{
	struct quota *program;

	if (!fold->limit)
		return true;
	program = quota_find(fold, f);
	if (!quota_has(program, fold->limit, t, fold->interval_ns) ||
	    !quota_has(&fold->all, ALL_FACTOR * fold->limit, t, fold->interval_ns))
		return false;
	program->used++;
	fold->all.used++;
	return true;
}

bool fold_take(struct fold *fold, uint64_t t, const struct finding *f, struct finding *out,
	       bool *told)
{
	bool is_first;
	struct kind *k;

	*told = false;
	if (!fold->interval_ns)
		return true;
	k = kind_find(fold, f, false);
	if (k) {
		kind_count(k, f);
		return false;
	}
	is_first = quota_take(fold, t, f);
	if (!is_first) {
		k = kind_find(fold, f, true);
		if (k) {
			kind_count(k, f);
			return false;
		}
	}
	*told = room_make(fold, out);
	k = kind_add(fold, t, f, !is_first);
	if (!is_first && k)
		kind_count(k, f);
	return is_first || !k;
}

bool fold_tell_due(struct fold *fold, uint64_t t, struct finding *out)
{
	bool told = false;
	size_t i = 0;

	if (!fold->deadline || t < fold->deadline)
		return false;
	while (i < fold->count && !told) {
		struct kind *k = &fold->kinds[i];

		if (t < k->deadline) {
			i++;
		} else if (k->count) {
			kind_tell(k, out);
			k->deadline = t + fold->interval_ns;
			told = true;
		} else {
			kind_forget(fold, i);
		}
	}
	deadline_update(fold);
	return told;
}

/* Forgets the kinds of that peer, or of any when it is NULL, up to the first that has a count. */
static bool tell_and_forget(struct fold *fold, const struct finding_endpoint *peer,
			    struct finding *out)
{
	bool told = false;
	size_t i = 0;

	while (i < fold->count && !told) {
		struct kind *k = &fold->kinds[i];

		if (peer && (k->is_rest || !same_endpoint(&k->peer, peer))) {
			i++;
			continue;
		}
		told = k->count;
		if (told)
			kind_tell(k, out);
		kind_forget(fold, i);
	}
	deadline_update(fold);
	return told;
}

bool fold_tell_peer(struct fold *fold, const struct finding_endpoint *peer, struct finding *out)
{
	return tell_and_forget(fold, peer, out);
}

bool fold_tell_rest(struct fold *fold, struct finding *out)
{
	return tell_and_forget(fold, NULL, out);
}
