// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lines on stderr about programs that are not traced.
 */
#include "kernel/untraced.h"

#include <string.h>

#include "base/text.h"
#include "system/clock.h"
#include "system/log.h"

/* So many lines, in that time. */
#define TOLD_MAX 20
#define TELL_NS	 (60 * NS_PER_S)

static bool may_tell(struct untraced *u)
{
	uint64_t now = clock_monotonic();

	if (now >= u->tell_until) {
		if (u->told > TOLD_MAX)
			log_line("%u more programs are not traced", u->told - TOLD_MAX);
		u->told = 0;
		u->tell_until = now + TELL_NS;
	}
	return ++u->told <= TOLD_MAX;
}

void untraced_tell(struct untraced *u, const char *problem)
{
	struct text t;

	if (!strcmp(problem, u->problem))
		return;
	text_init(&t, u->problem, sizeof(u->problem));
	text_add(&t, problem);
	if (!u->starting && may_tell(u))
		log_line("%s", problem);
}

void untraced_program(struct untraced *u, const struct target_process *process, const char *why)
{
	char buf[UNTRACED_TEXT_LEN];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, process->exe_path);
	text_addf(&t, " (pid %d) is not traced: %s", (int)process->pid, why);
	untraced_tell(u, buf);
}

bool untraced_is_known(struct untraced *u, const struct look *look)
{
	for (size_t i = 0; i < u->outcome_count; i++)
		if (u->outcomes[i].outcome == look->tls.outcome &&
		    target_file_same(&u->outcomes[i].exe, &look->process.exe))
			return true;
	if (u->outcome_count == UNTRACED_OUTCOMES_MAX)
		return true;
	u->outcomes[u->outcome_count].exe = look->process.exe;
	u->outcomes[u->outcome_count].outcome = look->tls.outcome;
	u->outcome_count++;
	return false;
}

void untraced_foreign(struct untraced *u, const struct target_process *process, const char *option)
{
	struct text t;

	if (!strcmp(u->skipped, process->exe_path))
		return;
	text_init(&t, u->skipped, sizeof(u->skipped));
	text_add(&t, process->exe_path);
	log_line("%s (pid %d) is not traced: root neither runs it nor owns the file; %s includes "
		 "it",
		 process->exe_path, (int)process->pid, option);
}
