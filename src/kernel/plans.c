// SPDX-License-Identifier: BSD-2-Clause
/*
 * A few, the oldest of which gives way.
 */
#include "kernel/plans.h"

#include <stddef.h>
#include <sys/stat.h>

#define PLANS_MAX 8

static _Thread_local struct {
	size_t count; /* that were kept so far */
	struct plan_key keys[PLANS_MAX];
	struct library_plan plans[PLANS_MAX];
} kept;

static bool file_read(int fd, struct plan_file *file)
{
	struct stat st;

	*file = (struct plan_file){ 0 };
	if (fd < 0)
		return true;
	if (fstat(fd, &st))
		return false;
	*file = (struct plan_file){ st.st_dev, st.st_ino, st.st_size, st.st_ctim };
	return true;
}

static bool file_equals(const struct plan_file *a, const struct plan_file *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool plan_key_read(int ssl, int crypto, struct plan_key *key)
{
	return file_read(ssl, &key->files[0]) && file_read(crypto, &key->files[1]);
}

bool plans_find(const struct plan_key *key, struct library_plan *plan)
{
	size_t count = kept.count < PLANS_MAX ? kept.count : PLANS_MAX;

	for (size_t i = 0; i < count; i++) {
		if (!file_equals(&kept.keys[i].files[0], &key->files[0]) ||
		    !file_equals(&kept.keys[i].files[1], &key->files[1]))
			continue;
		*plan = kept.plans[i];
		return true;
	}
	return false;
}

void plans_keep(const struct plan_key *key, const struct library_plan *plan)
{
	size_t at = kept.count++ % PLANS_MAX;

	kept.keys[at] = *key;
	kept.plans[at] = *plan;
}
