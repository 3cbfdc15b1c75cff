// SPDX-License-Identifier: BSD-2-Clause
/* The table of processes that are to be looked at again: see pending.h. */
#include "kernel/pending.h"

#include "base/units.h"

#define LOADING_FIRST_NS (20 * NS_PER_MS)
#define LOADING_LAST_NS	 (500 * NS_PER_MS)
#define LOADING_NS	 (5000 * NS_PER_MS)
#define LATE_FIRST_NS	 (100 * NS_PER_MS)
#define LATE_SOON_NS	 (800 * NS_PER_MS)
#define LATE_LAST_NS	 (4000 * NS_PER_MS)

static struct pending *pending_find(struct pendings *all, uint32_t pid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == pid)
			return &all->items[i];
	return NULL;
}

void pending_drop(struct pendings *all, uint32_t pid)
{
	struct pending *p = pending_find(all, pid);

	if (p)
		*p = all->items[--all->count];
}

static struct pending *late_longest(struct pendings *all)
{
	struct pending *longest = NULL;

	for (size_t i = 0; i < all->count; i++) {
		struct pending *p = &all->items[i];

		if (p->late && !p->given && (!longest || p->pause > longest->pause))
			longest = p;
	}
	return longest;
}

static struct pending *pending_add(struct pendings *all, uint32_t pid, uint64_t now)
{
	struct pending *p =
		all->count < PENDING_MAX ? &all->items[all->count++] : late_longest(all);

	if (p)
		*p = (struct pending){
			.pid = pid,
			.pause = LOADING_FIRST_NS,
			.give_up = now + LOADING_NS,
		};
	return p;
}

bool pending_start(struct pendings *all, uint32_t pid, uint64_t now)
{
	struct pending *p = pending_find(all, pid);

	if (!p)
		return pending_add(all, pid, now);
	p->late = false;
	p->pause = LOADING_FIRST_NS;
	p->next = 0;
	p->give_up = now + LOADING_NS;
	return true;
}

static void look_again(struct pending *p, uint64_t longest, uint64_t now)
{
	p->given = false;
	p->next = now + p->pause;
	p->pause = 2 * p->pause < longest ? 2 * p->pause : longest;
}

bool pending_is_late(struct pendings *all, uint32_t pid, uint64_t signature, uint64_t now)
{
	struct pending *p = pending_find(all, pid);

	if (!p)
		p = pending_add(all, pid, now);
	if (!p)
		return false;
	if (!p->late || p->signature != signature)
		p->pause = LATE_FIRST_NS;
	p->late = true;
	p->signature = signature;
	look_again(p, LATE_LAST_NS, now);
	return true;
}

bool pending_loads(struct pendings *all, uint32_t pid, uint64_t signature, uint64_t now)
{
	struct pending *p = pending_find(all, pid);

	if (!p)
		p = pending_add(all, pid, now);
	if (!p)
		return false;
	if (now >= p->give_up)
		return pending_is_late(all, pid, signature, now);
	p->late = false;
	look_again(p, LOADING_LAST_NS, now);
	return true;
}

bool pending_soon(const struct pendings *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->items[i].late || all->items[i].pause <= LATE_SOON_NS)
			return true;
	return false;
}
