// SPDX-License-Identifier: BSD-2-Clause
/*
 * The examination as a whole, and what follows from its parts.
 */
#include "command/checkup.h"

#include <errno.h>
#include <stdlib.h>

const char *checkup_status_name(enum checkup_status status)
{
	static const char *const names[] = {
		[CHECKUP_OK] = "ok",
		[CHECKUP_UNKNOWN] = "unknown",
		[CHECKUP_DEGRADED] = "degraded",
		[CHECKUP_MISSING] = "missing",
	};

	return names[status];
}

static int process_found(const struct target_process *process, void *context)
{
	struct checkup *c = context;
	struct checkup_process *all;

	all = reallocarray(c->processes, c->process_count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	c->processes = all;
	checkup_process(process, &all[c->process_count++]);
	return 0;
}

/* One process that cannot be traced takes nothing from the others. */
static enum checkup_status processes_status(const struct checkup *c)
{
	enum checkup_status worst = CHECKUP_OK, best = CHECKUP_MISSING;

	for (size_t i = 0; i < c->process_count; i++) {
		enum checkup_status status = c->processes[i].status;

		worst = status > worst ? status : worst;
		best = status < best ? status : best;
	}
	return worst == CHECKUP_MISSING && best != CHECKUP_MISSING ? CHECKUP_DEGRADED : worst;
}

static enum checkup_status status_of_all(const struct checkup *c)
{
	enum checkup_status worst = processes_status(c);

	for (size_t i = 0; i < c->item_count; i++)
		worst = c->items[i].status > worst ? c->items[i].status : worst;
	for (int i = 0; i < FACT_COUNT; i++)
		worst = c->facts[i].status > worst ? c->facts[i].status : worst;
	return worst == CHECKUP_UNKNOWN ? CHECKUP_DEGRADED : worst;
}

int checkup_make(const struct target_set *set, struct checkup *c)
{
	int err;

	*c = (struct checkup){ 0 };
	checkup_kernel(c);
	err = target_scan(set, process_found, c);
	c->status = status_of_all(c);
	return err;
}

void checkup_free(struct checkup *c)
{
	free(c->processes);
	*c = (struct checkup){ 0 };
}
