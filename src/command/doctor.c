// SPDX-License-Identifier: BSD-2-Clause
/*
 * The report, for people and as one JSON object.
 */
#include "command/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command/checkup.h"
#include "command/doctor_json.h"
#include "kernel/features.h"
#include "kernel/libbpflog.h"
#include "system/elf.h"
#include "system/elfserver.h"
#include "system/log.h"
#include "system/sandbox.h"
#include "command/options.h"
#include "command/printed.h"
#include "command/selection.h"
#include "base/text.h"

#define STATUS_WIDTH 10 /* columns, with the gap behind */
#define NAME_WIDTH   15
#define LABEL_WIDTH  11
#define INDENT	     (STATUS_WIDTH + NAME_WIDTH)
#define ROW_LEN	     (4 * PATH_MAX)

/* -- lines ------------------------------------------------------------------------------------ */

/* What is wrong stands out without colours. */
static const char *status_word(enum checkup_status status)
{
	static const char *const words[] = {
		[CHECKUP_OK] = "ok",
		[CHECKUP_UNKNOWN] = "unknown",
		[CHECKUP_DEGRADED] = "DEGRADED",
		[CHECKUP_MISSING] = "MISSING",
	};

	return words[status];
}

static void row_print(enum checkup_status status, const char *name, const char *words)
{
	char buf[ROW_LEN];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%-*s%-*s", STATUS_WIDTH, status_word(status), NAME_WIDTH, name);
	text_add_wrapped(&t, INDENT, words, "", "");
	puts(buf);
}

/* Below a row; nothing is printed when there are no words. */
static void detail_print(const char *label, const char *words)
{
	char buf[ROW_LEN];
	struct text t;

	if (!words || !words[0])
		return;
	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%*s%-*s", INDENT, "", LABEL_WIDTH, label);
	text_add_wrapped(&t, INDENT + LABEL_WIDTH, words, "", "");
	puts(buf);
}

/* -- the kernel ------------------------------------------------------------------------------- */

static void head_print(void)
{
	struct utsname uts;

	if (uname(&uts))
		return;
	printf("tlsfail %s on %s, %s %s %s\n\n", TLSFAIL_VERSION, uts.nodename, uts.sysname,
	       uts.release, uts.machine);
}

static void item_print(const struct checkup_item *item)
{
	row_print(item->status, item->name, item->found);
	detail_print("effect:", item->effect);
	detail_print("fix:", item->remedy);
}

static void fact_print(enum fact which, const struct checkup_fact *fact)
{
	static const char *const meanings[FACT_COUNT] = {
		[FACT_HANDSHAKE] = "handshakes",       [FACT_WIRE] = "handshake bytes",
		[FACT_STATE] = "TCP states",	       [FACT_CLOSE] = "local closes",
		[FACT_RESET] = "RST, both directions", [FACT_EXEC] = "program starts",
	};
	char buf[256];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%s: ", meanings[which]);
	if (fact->used)
		text_addf(&t, "by %s", hook_kind_name(fact->used->kind));
	else
		text_add(&t, fact->alternative_count ? "no way to see them on this kernel"
						     : "not tried; see above");
	row_print(fact->status, fact_name(which), buf);
	for (size_t i = 0; i < fact->alternative_count; i++) {
		const struct checkup_alternative *a = &fact->alternatives[i];

		text_init(&t, buf, sizeof(buf));
		if (a->err)
			text_addf(&t, "no; %s: %s", a->target,
				  features_explain(a->hook->kind, a->err));
		else
			text_addf(&t, "yes%s", fact->used && a->hook == fact->used ? ", used" : "");
		detail_print(hook_kind_name(a->hook->kind), buf);
	}
}

/* -- processes -------------------------------------------------------------------------------- */

static bool process_is_alike(const struct checkup_process *a, const struct checkup_process *b)
{
	return a->status == b->status && !strcmp(a->exe, b->exe) &&
	       !strcmp(a->library, b->library) && !strcmp(a->version, b->version) &&
	       !memcmp(a->hooks, b->hooks, sizeof(a->hooks)) && a->seccomp == b->seccomp &&
	       a->other_mounts == b->other_mounts && !strcmp(a->container, b->container);
}

static void process_hooks_print(const struct checkup_process *p)
{
	char found_buf[512], unseen_buf[512];
	struct text found, unseen;

	text_init(&found, found_buf, sizeof(found_buf));
	text_init(&unseen, unseen_buf, sizeof(unseen_buf));
	for (int fact = 0; fact < LIB_FACT_COUNT; fact++) {
		const struct lib_hook *hook = p->hooks[fact];

		if (hook)
			text_addf(&found, "%s%s%s", found.len ? ", " : "", hook->symbol,
				  hook->part == LIB_SSL_STUB ? " (stub)" : "");
		else if (lib_fact_loss(fact))
			text_addf(&unseen, "%s%s", unseen.len ? ", " : "", lib_fact_loss(fact));
	}
	detail_print("hooks", found_buf);
	detail_print("not seen", unseen_buf);
}

static void process_library_print(const struct checkup_process *p)
{
	char buf[PATH_MAX + 64];
	struct text t;

	if (!p->library[0])
		return;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, p->library);
	if (p->version[0])
		text_addf(&t, ", OpenSSL %s", p->version);
	detail_print("library", buf);
}

/* The processes from the first on that are like it, and follow it. Returns how many. */
static size_t processes_print(const struct checkup_process *first, size_t left)
{
	char buf[ROW_LEN];
	struct text t;
	size_t n = 0;

	text_init(&t, buf, sizeof(buf));
	while (n < left && process_is_alike(first, &first[n])) {
		text_addf(&t, "%s%d", n ? " " : "", (int)first[n].pid);
		n++;
	}
	row_print(first->status, "process", first->exe);
	detail_print("pid", buf);
	process_library_print(first);
	if (!first->problem[0])
		process_hooks_print(first);
	detail_print("problem", first->problem);
	detail_print("seccomp", first->seccomp ? "runs under a filter" : NULL);
	detail_print("container", first->container[0] ? first->container : NULL);
	detail_print("mounts", first->other_mounts ? "in its own mount namespace" : NULL);
	return n;
}

/* -- the report ------------------------------------------------------------------------------- */

static const char *conclusion(const struct checkup *c)
{
	switch (c->status) {
	case CHECKUP_MISSING:
		return "tlsfail cannot work here: see MISSING above.";
	case CHECKUP_DEGRADED:
	case CHECKUP_UNKNOWN:
		return "tlsfail works here, but not fully: see DEGRADED above.";
	case CHECKUP_OK:
		break;
	}
	return c->process_count ? "tlsfail works here."
				: "tlsfail works here. There is nothing to trace right now: no "
				  "matching process is running. It would wait for one.";
}

static void report_print(const struct checkup *c)
{
	char buf[256];
	struct text t;

	head_print();
	for (size_t i = 0; i < c->item_count; i++)
		item_print(&c->items[i]);
	puts("\n"
	     "Kernel events, and the hooks for them (the first that works is used):");
	for (int i = 0; i < FACT_COUNT; i++)
		fact_print(i, &c->facts[i]);
	if (c->process_count)
		puts("\nProcesses that would be traced:");
	for (size_t i = 0; i < c->process_count;)
		i += processes_print(&c->processes[i], c->process_count - i);
	text_init(&t, buf, sizeof(buf));
	text_add_wrapped(&t, 0, conclusion(c), "", "");
	printf("\n%s\n", buf);
}

static int exit_status(enum checkup_status status)
{
	return status == CHECKUP_OK	   ? EXIT_SUCCESS
	       : status == CHECKUP_MISSING ? EXIT_CANNOT
					   : EXIT_DEGRADED;
}

static int elf_read(void *user, int fd)
{
	return elfserver_start(fd, user);
}

int doctor_run(const struct options *options)
{
	struct target_set targets = { 0 };
	struct sandbox_user user;
	int err, status = EXIT_CANNOT;
	struct checkup checkup = { 0 };

	libbpflog_take();
	sandbox_user_find(&user);
	elf_ask(elf_read, &user);
	err = selection_make(options, &targets);
	if (err)
		goto out;
	err = checkup_make(&targets, &checkup);
	if (err) {
		log_line("cannot examine this host: %s", strerror(-err));
		goto out;
	}
	if (options->format == &sink_type_json)
		err = doctor_json_print(&checkup, stdout);
	else
		report_print(&checkup);
	if (err)
		log_line("cannot write the report: %s", strerror(-err));
	else if (printed())
		status = exit_status(checkup.status);
out:
	elf_ask(NULL, NULL);
	checkup_free(&checkup);
	target_set_clear(&targets);
	return status;
}
