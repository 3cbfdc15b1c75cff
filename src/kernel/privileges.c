// SPDX-License-Identifier: BSD-2-Clause
/*
 * Root in a container, or in a service with a bounding set, is not always what root is elsewhere:
 * what counts are the capabilities.
 */
#include "kernel/privileges.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/procfs.h"
#include "base/text.h"

struct capability {
	unsigned int number;
	const char *name;
	bool in_sys_admin; /* CAP_SYS_ADMIN includes it */
};

static const struct capability capabilities[] = {
	{ CAP_BPF, "CAP_BPF", true },
	{ CAP_PERFMON, "CAP_PERFMON", true },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false },
	{ CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", true },
};

/* Our effective capabilities, as bits; 0 when they cannot be read. */
static uint64_t capabilities_read(void)
{
	int dir = procfs_open(getpid());
	const char *line = NULL;
	char status[4096];

	if (dir < 0)
		return 0;
	if (!procfs_read_text(dir, "status", status, sizeof(status)))
		line = strstr(status, "\nCapEff:");
	close(dir);
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) : 0;
}

static bool capability_held(uint64_t held, unsigned int number)
{
	return held & 1ULL << number;
}

static void add_lacking(struct text *t)
{
	uint64_t held = capabilities_read();

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const struct capability *cap = &capabilities[i];

		if (!capability_held(held, cap->number) &&
		    !(cap->in_sys_admin && capability_held(held, CAP_SYS_ADMIN)))
			text_addf(t, "%s%s", t->len ? ", " : "", cap->name);
	}
}

void privileges_read(struct privileges *p)
{
	struct text lacking;

	text_init(&lacking, p->lacking, sizeof(p->lacking));
	add_lacking(&lacking);
	if (!p->lacking[0])
		p->remedy = "a seccomp filter, an LSM or a container blocks bpf(2): run it on the "
			    "host itself, or in a privileged container";
	else if (geteuid())
		p->remedy = "run it as root";
	else
		p->remedy = "give root these capabilities: run it on the host itself, or in a "
			    "privileged container";
}
