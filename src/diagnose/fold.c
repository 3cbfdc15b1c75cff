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
#include "diagnose/causes.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

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
	uint32_t role;	     /* one of roles[] */
	uint32_t network;    /* one of networks[] */
	uint32_t confidence; /* enum confidence */
	uint32_t pid;
	uint32_t is_rest; /* 1: of a cause, beyond the limit: whatever peer and wording */
	uint64_t netns;	  /* one address is another peer in another network namespace */
	char container_id[CONTAINER_ID_LEN];
	struct finding_endpoint peer;	   /* of the client's kinds; port 0: none */
	struct finding_endpoint local;	   /* of the server's */
	uint32_t name_hash;		   /* of the name that clients asked for */
	struct finding_peer history;	   /* as of the last that was folded */
	size_t address_count;		   /* since it was told last */
	uint32_t addresses[ADDRESSES_MAX]; /* hashes */
	char samples[SAMPLES_MAX][FINDING_ADDRESS_LEN];
	uint32_t executable; /* in the table */
	char host_name[FINDING_NAME_LEN];
};

/* What was told in full within an interval. */
struct quota {
	uint32_t executable_hash;
	uint64_t end; /* of the interval */
	uint64_t used;
};

/* What has to survive: see fold_new(). */
struct table {
	size_t count;
	struct kind kinds[FOLD_KINDS_MAX]; /* the oldest first */
	/* Of the kinds; most have the same one, and what is not used takes no memory. */
	char executables[FOLD_KINDS_MAX][FINDING_PATH_LEN];
};

struct fold {
	uint64_t interval_ns;
	uint64_t limit;	   /* 0: none */
	uint64_t deadline; /* none of the kinds has an earlier one; 0: there are none */
	struct quota all;
	struct quota programs[PROGRAMS_MAX];
	struct estate *estate; /* NULL: the table is its own */
	struct table *table;
};

/* Words of findings, which live for ever: by number they are known to whoever takes over, too. */
static const char *const roles[] = { NULL, "client", "server" };
static const char *const networks[] = { NULL, "ipv4", "ipv6" };

static uint32_t word_find(const char *const words[3], const char *word)
{
	uint32_t i = word ? 2 : 0;

	while (i && strcmp(words[i], word) != 0)
		i--;
	return i;
}

static void deadline_update(struct fold *fold)
{
	const struct table *t = fold->table;

	fold->deadline = 0;
	for (size_t i = 0; i < t->count; i++)
		if (!fold->deadline || t->kinds[i].deadline < fold->deadline)
			fold->deadline = t->kinds[i].deadline;
}

static bool history_is_sound(const struct finding_peer *h)
{
	const bool *flags[] = { &h->known, &h->first, &h->whole };
	uint8_t byte, all = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		memcpy(&byte, flags[i], sizeof(byte));
		all |= byte;
	}
	return all <= 1 && (unsigned int)h->state <= FINDING_PEER_RECOVERED &&
	       estate_is_string(h->upstream, sizeof(h->upstream));
}

static bool kind_is_sound(const struct table *table, const struct kind *k)
{
	bool known = cause_is_slug(k->cause);

	for (size_t i = 0; i < SAMPLES_MAX; i++)
		known &= estate_is_string(k->samples[i], sizeof(k->samples[i]));
	return known && k->role < ARRAY_LEN(roles) && k->network < ARRAY_LEN(networks) &&
	       k->confidence <= CONFIDENCE_PROVEN && k->address_count <= ADDRESSES_MAX &&
	       history_is_sound(&k->history) && k->executable < FOLD_KINDS_MAX &&
	       estate_is_string(table->executables[k->executable], FINDING_PATH_LEN) &&
	       estate_is_string(k->peer.address, sizeof(k->peer.address)) &&
	       estate_is_string(k->local.address, sizeof(k->local.address)) &&
	       estate_is_string(k->container_id, sizeof(k->container_id)) &&
	       estate_is_string(k->host_name, sizeof(k->host_name));
}

/* Another process has left these. */
static void table_take_over(struct fold *fold)
{
	struct table *t = fold->table;
	size_t count = t->count < FOLD_KINDS_MAX ? t->count : 0;

	t->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (kind_is_sound(t, &t->kinds[i]))
			t->kinds[t->count++] = t->kinds[i];
	}
	deadline_update(fold);
}

struct fold *fold_new(uint64_t interval_ns, uint64_t limit, struct estate *estate)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return NULL;
	fold->interval_ns = interval_ns;
	fold->limit = limit;
	fold->estate = estate;
	fold->table = estate_take(estate, sizeof(*fold->table));
	if (!fold->table) {
		free(fold);
		return NULL;
	}
	table_take_over(fold);
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	estate_give(fold->estate, fold->table);
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
	return (k->role == word_find(roles, "server")) == is_server(f);
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
	struct table *t = fold->table;

	for (size_t i = 0; i < t->count; i++) {
		struct kind *k = &t->kinds[i];

		if (k->is_rest == is_rest && !strcmp(k->cause, f->cause) && same_role(k, f) &&
		    (is_rest || same_kind(k, f)) &&
		    !strcmp(t->executables[k->executable], f->executable_path))
			return k;
	}
	return NULL;
}

static void kind_forget(struct fold *fold, size_t i)
{
	struct table *t = fold->table;

	t->count--;
	memmove(&t->kinds[i], &t->kinds[i + 1], (t->count - i) * sizeof(t->kinds[0]));
}

/* The place of an executable: its own, or one that no kind has any more. There are as many as kinds. */
static uint32_t executable_place(struct table *t, const char *path)
{
	bool used[FOLD_KINDS_MAX] = { false };
	uint32_t place = 0;
	struct text text;

	for (size_t i = 0; i < t->count; i++) {
		place = t->kinds[i].executable;
		used[place] = true;
		if (!strcmp(t->executables[place], path))
			return place;
	}
	for (place = 0; place < FOLD_KINDS_MAX - 1 && used[place];)
		place++;
	text_init(&text, t->executables[place], FINDING_PATH_LEN);
	text_add(&text, path);
	return place;
}

static void kind_add(struct fold *fold, uint64_t t, const struct finding *f, bool is_rest)
{
	uint32_t executable = executable_place(fold->table, f->executable_path);
	struct kind *k = &fold->table->kinds[fold->table->count];

	*k = (struct kind){
		.deadline = t + fold->interval_ns,
		.told_ns = f->time_ns,
		.cause = f->cause,
		.wording = f->wording,
		.role = word_find(roles, f->role),
		.network = word_find(networks, f->network_type),
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
	fold->table->count++;
	deadline_update(fold);
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

static void kind_tell(const struct fold *fold, struct kind *k, struct finding *out)
{
	struct text t;

	*out = (struct finding){
		.kind = FINDING_FOLDED,
		.time_ns = k->last_ns,
		.duration_ns = k->last_ns > k->told_ns ? k->last_ns - k->told_ns : 0,
		.cause = k->cause,
		.confidence = (enum confidence)k->confidence,
		.role = roles[k->role],
		.network_type = networks[k->network],
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
	text_add(&t, fold->table->executables[k->executable]);
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
	struct kind *oldest = &fold->table->kinds[0];
	bool told;

	if (fold->table->count < FOLD_KINDS_MAX)
		return false;
	told = oldest->count;
	if (told)
		kind_tell(fold, oldest, out);
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
	kind_add(fold, t, f, !is_first);
	if (!is_first)
		kind_count(&fold->table->kinds[fold->table->count - 1], f);
	return is_first;
}

bool fold_tell_due(struct fold *fold, uint64_t t, struct finding *out)
{
	bool told = false;
	size_t i = 0;

	if (!fold->deadline || t < fold->deadline)
		return false;
	while (i < fold->table->count && !told) {
		struct kind *k = &fold->table->kinds[i];

		if (t < k->deadline) {
			i++;
		} else if (k->count) {
			kind_tell(fold, k, out);
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

	while (i < fold->table->count && !told) {
		struct kind *k = &fold->table->kinds[i];

		if (peer && (k->is_rest || !same_endpoint(&k->peer, peer))) {
			i++;
			continue;
		}
		told = k->count;
		if (told)
			kind_tell(fold, k, out);
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
