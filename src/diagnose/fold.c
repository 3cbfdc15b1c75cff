// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table of kinds in the order of their age. A kind of which none came within an interval is
 * forgotten, so that its next failure is news again.
 */
#include "diagnose/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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
	struct finding_endpoint peer;
	struct finding_peer history; /* as of the last that was folded */
	char *executable;
	char host_name[FINDING_NAME_LEN];
};

struct fold {
	uint64_t interval_ns;
	uint64_t deadline; /* none of the kinds has an earlier one; 0: there are none */
	size_t count;
	struct kind kinds[FOLD_KINDS_MAX]; /* the oldest first */
};

struct fold *fold_new(uint64_t interval_ns)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (fold)
		fold->interval_ns = interval_ns;
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

static bool same_endpoint(const struct finding_endpoint *a, const struct finding_endpoint *b)
{
	return a->port == b->port && !strcmp(a->address, b->address);
}

/* Each connection of a client comes from another port. */
static struct finding_endpoint peer_of(const struct finding *f)
{
	struct finding_endpoint peer = f->peer;

	if (f->role && !strcmp(f->role, "server"))
		peer.port = 0;
	return peer;
}

static struct kind *kind_find(struct fold *fold, const struct finding *f)
{
	struct finding_endpoint peer = peer_of(f);

	for (size_t i = 0; i < fold->count; i++) {
		struct kind *k = &fold->kinds[i];

		if (same_endpoint(&k->peer, &peer) && !strcmp(k->cause, f->cause) &&
		    k->wording == f->wording && !strcmp(k->executable, f->executable_path))
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

/* Out of memory: the kind is not remembered, so its next failure is told too. */
static void kind_add(struct fold *fold, uint64_t t, const struct finding *f)
{
	struct kind *k = &fold->kinds[fold->count];
	char *executable = strdup(f->executable_path);

	if (!executable)
		return;
	fold->count++;
	*k = (struct kind){
		.deadline = t + fold->interval_ns,
		.told_ns = f->time_ns,
		.cause = f->cause,
		.wording = f->wording,
		.role = f->role,
		.network_type = f->network_type,
		.peer = peer_of(f),
		.executable = executable,
	};
	memcpy(k->host_name, f->host_name, sizeof(k->host_name));
	deadline_update(fold);
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
		.history = k->history,
		.pid = k->pid,
		.suppressed = k->count,
	};
	text_init(&t, out->executable_path, sizeof(out->executable_path));
	text_add(&t, k->executable);
	text_init(&t, out->host_name, sizeof(out->host_name));
	text_add(&t, k->host_name);
	text_init(&t, out->message, sizeof(out->message));
	text_addf(&t, "%llu more failure%s of this kind within ", (unsigned long long)k->count,
		  k->count == 1 ? "" : "s");
	text_add_duration(&t, out->duration_ns);
	text_add(&t, ".");
	k->told_ns = k->last_ns;
	k->count = 0;
}

bool fold_take(struct fold *fold, uint64_t t, const struct finding *f, struct finding *out,
	       bool *told)
{
	struct kind *k;

	*told = false;
	if (!fold->interval_ns)
		return true;
	k = kind_find(fold, f);
	if (k) {
		k->count++;
		k->last_ns = f->time_ns;
		k->pid = f->pid;
		k->history = f->history;
		k->confidence = f->confidence;
		return false;
	}
	if (fold->count == FOLD_KINDS_MAX) {
		*told = fold->kinds[0].count;
		if (*told)
			kind_tell(&fold->kinds[0], out);
		kind_forget(fold, 0);
	}
	kind_add(fold, t, f);
	return true;
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

		if (peer && !same_endpoint(&k->peer, peer)) {
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
