// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel lets us do: each requirement with what follows when it is not met, and each
 * hook of the table, tried.
 */
#define _GNU_SOURCE /* O_PATH */
#include "command/checkup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel/attach.h"
#include "kernel/features.h"
#include "metrics/http.h"
#include "kernel/privileges.h"
#include "system/procfs.h"
#include "kernel/safety.h"
#include "output/sink.h"
#include "base/text.h"

#define MIB (1024 * 1024)

/* What the maps of bpf/ take, at most. */
#define MAPS_BYTES (32 * MIB)

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

/* include/linux/proc_ns.h PROC_PID_INIT_INO */
#define HOST_PID_NAMESPACE "pid:[4026531836]"

static const char nothing_works[] = "nothing can be traced";

/* Adds an item, and begins the text of what was found. */
static struct checkup_item *item_add(struct checkup *c, const char *name, struct text *found)
{
	struct checkup_item *item = &c->items[c->item_count++];

	*item = (struct checkup_item){ .name = name, .status = CHECKUP_OK };
	text_init(found, item->found, sizeof(item->found));
	return item;
}

static void item_fail(struct checkup_item *item, enum checkup_status status, const char *effect,
		      const char *remedy)
{
	item->status = status;
	item->effect = effect;
	item->remedy = remedy;
}

/* For what can only be tried once programs can be loaded. True: it cannot. */
static bool item_untried(struct checkup_item *item, int load_err, struct text *found)
{
	if (!load_err)
		return false;
	item->status = CHECKUP_UNKNOWN;
	text_add(found, "not tried: BPF programs cannot be loaded");
	return true;
}

/* -- privileges ------------------------------------------------------------------------------- */

static void examine_privileges(struct checkup *c, int load_err)
{
	struct text found;
	struct checkup_item *item = item_add(c, "privileges", &found);
	struct privileges own;

	privileges_read(&own);
	if (load_err)
		text_addf(&found, "BPF programs cannot be loaded: %s", strerror(-load_err));
	else
		text_add(&found, "BPF programs can be loaded");
	if (own.lacking[0])
		text_addf(&found, "; lacking: %s", own.lacking);
	if (load_err)
		item_fail(item, CHECKUP_MISSING, nothing_works, own.remedy);
	else if (own.lacking[0])
		item_fail(item, CHECKUP_DEGRADED, "processes of other users may not be visible",
			  own.remedy);
}

/* The very file that a process has mapped is reached through map_files; ours will do to try. */
static void examine_process_files(struct checkup *c)
{
	struct text found;
	struct checkup_item *item = item_add(c, "process files", &found);
	struct mapped_files files = { 0 };
	int dir = procfs_open(getpid()), fd = -1, err = -ENOENT;
	char path[64];

	if (dir >= 0 && !mapped_files_read(dir, &files) && files.count) {
		snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, files.items[0].start,
			 files.items[0].end);
		fd = openat(dir, path, O_PATH | O_CLOEXEC);
		/* O_PATH asks for nothing, but to follow the link is what needs the privilege. */
		err = fd < 0 ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	mapped_files_free(&files);
	if (dir >= 0)
		close(dir);
	if (!err) {
		text_add(&found, "files that a process has mapped can be opened");
		return;
	}
	text_addf(&found, "/proc/PID/map_files is not usable: %s", strerror(-err));
	item_fail(item, CHECKUP_DEGRADED,
		  "a library is found only by its path, so one replaced by an upgrade is not "
		  "found",
		  "run it as root");
}

/* -- the kernel ------------------------------------------------------------------------------- */

static void examine_btf(struct checkup *c, int load_err, int features_err)
{
	struct text found;
	struct checkup_item *item = item_add(c, "BTF", &found);

	if (item_untried(item, load_err, &found))
		return;
	if (!features_err) {
		text_add(&found, "the kernel provides its types (/sys/kernel/btf/vmlinux)");
		return;
	}
	text_addf(&found, "/sys/kernel/btf/vmlinux: %s", strerror(-features_err));
	item_fail(item, CHECKUP_MISSING, nothing_works,
		  "use a kernel with CONFIG_DEBUG_INFO_BTF=y, such as those of most distributions");
}

/* The mode in brackets: "none [integrity] confidentiality". securityfs is not ours to mount. */
static void add_lockdown(struct text *found)
{
	char modes[64] = "";
	int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, modes, sizeof(modes) - 1);
	const char *open_bracket = n > 0 ? strchr(modes, '[') : NULL;

	if (fd >= 0)
		close(fd);
	if (open_bracket)
		text_addf(found, "%.*s", (int)strcspn(open_bracket + 1, "]"), open_bracket + 1);
	else
		text_add(found, "unknown (" LOCKDOWN_PATH " does not exist)");
}

static void examine_lockdown(struct checkup *c, int load_err)
{
	struct text found;
	struct checkup_item *item = item_add(c, "lockdown", &found);
	int err;

	add_lockdown(&found);
	if (load_err)
		return;
	err = features_try_kernel_read();
	text_addf(&found, "; programs %s read kernel memory", err ? "may not" : "may");
	if (err)
		item_fail(item, CHECKUP_MISSING, nothing_works,
			  "boot with lockdown=integrity or none; lockdown=confidentiality forbids "
			  "tracing");
}

static void examine_ring_buffer(struct checkup *c, int load_err)
{
	struct text found;
	struct checkup_item *item = item_add(c, "ring buffer", &found);
	int err;

	if (item_untried(item, load_err, &found))
		return;
	err = features_try_ring_buffer();
	text_add(&found, err ? strerror(-err) : "can be made");
	if (err)
		item_fail(item, CHECKUP_MISSING, nothing_works, "use Linux 5.8 or later");
}

static void add_memlock(struct text *found)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		text_add(found, "; RLIMIT_MEMLOCK: unlimited");
	else
		text_addf(found, "; RLIMIT_MEMLOCK: %llu KiB",
			  (unsigned long long)limit.rlim_cur / 1024);
}

/* The limit counts before 5.11 only, so a limit that looks too low need not be one. */
static void examine_memory(struct checkup *c, int load_err)
{
	struct text found;
	struct checkup_item *item = item_add(c, "memory", &found);
	int err;

	if (item_untried(item, load_err, &found))
		return;
	err = features_try_maps(MAPS_BYTES);
	text_addf(&found, "maps of %d MiB %s", MAPS_BYTES / MIB,
		  err ? "cannot be made: " : "can be made");
	if (err)
		text_add(&found, strerror(-err));
	add_memlock(&found);
	if (err)
		item_fail(item, CHECKUP_MISSING, nothing_works,
			  err == -EPERM ? "raise the limit: ulimit -l unlimited" : "free memory");
}

/* -- uprobes ---------------------------------------------------------------------------------- */

static const char too_busy[] = "the machine was too busy to test this";

static void examine_uprobes(struct checkup *c, int safety)
{
	struct text found;
	struct checkup_item *item = item_add(c, "uprobes", &found);

	if (!safety || safety == -EKEYREJECTED) {
		text_add(&found, "can be attached");
		return;
	}
	if (safety == -ETIME) {
		item->status = CHECKUP_UNKNOWN;
		text_add(&found, too_busy);
		return;
	}
	text_addf(&found, "cannot be attached: %s",
		  safety == -EOPNOTSUPP ? "this kernel does not support them" : strerror(-safety));
	item_fail(item, CHECKUP_MISSING, nothing_works,
		  safety == -EOPNOTSUPP ? "use a kernel with CONFIG_UPROBE_EVENTS=y"
					: "run it as root");
}

static void examine_return_probes(struct checkup *c, int safety)
{
	struct text found;
	struct checkup_item *item = item_add(c, "return probes", &found);

	if (!safety) {
		text_add(&found, "do not harm a process under seccomp (tried on a child)");
		return;
	}
	if (safety != -EKEYREJECTED) {
		item->status = CHECKUP_UNKNOWN;
		text_add(&found,
			 safety == -ETIME ? too_busy : "not tried: uprobes cannot be attached");
		return;
	}
	text_add(&found, "kill a process under seccomp (tried on a child)");
	item_fail(item, CHECKUP_DEGRADED,
		  "only entry probes are used, so that no process is harmed: a refused host name "
		  "is inferred from what nginx does next",
		  "nothing needs to be done; newer kernels let return probes past seccomp");
}

/* -- the surroundings ------------------------------------------------------------------------- */

static void examine_pid_namespace(struct checkup *c)
{
	struct text found;
	struct checkup_item *item = item_add(c, "pid namespace", &found);
	char name[64] = "";

	if (readlink("/proc/self/ns/pid", name, sizeof(name) - 1) < 0 ||
	    !strcmp(name, HOST_PID_NAMESPACE)) {
		text_add(&found, "the host's");
		return;
	}
	text_add(&found, "not the host's");
	item_fail(item, CHECKUP_DEGRADED,
		  "processes are not recognized: the kernel knows them by other pids",
		  "run it on the host itself, or in a container with the host's pid namespace");
}

static void examine_tracefs(struct checkup *c)
{
	struct text found;

	item_add(c, "tracefs", &found);
	text_add(&found, "not needed, and neither is debugfs");
}

static void examine_metrics(struct checkup *c)
{
	const char *lacks = metrics_http_lacks();
	struct text found;

	item_add(c, "metrics", &found);
	if (lacks)
		text_addf(&found, "only to a file (--metrics-file): %s", lacks);
	else
		text_add(&found, "over HTTP or to a file");
}

static void examine_sinks(struct checkup *c)
{
	struct text found;

	item_add(c, "sinks", &found);
	sink_add_types(&found);
}

/* -- hooks ------------------------------------------------------------------------------------ */

static void examine_fact(struct checkup_fact *fact, enum fact which,
			 const struct features *features)
{
	for (size_t i = 0; i < hook_table_len; i++) {
		const struct hook *hook = &hook_table[i];
		struct checkup_alternative *a = &fact->alternatives[fact->alternative_count];

		if (hook->fact != which || fact->alternative_count == CHECKUP_ALTERNATIVES_MAX)
			continue;
		fact->alternative_count++;
		a->hook = hook;
		a->err = hook_try(features, hook, &a->target);
		if (!a->err && !fact->used)
			fact->used = hook;
	}
	fact->status = fact->used ? CHECKUP_OK : CHECKUP_MISSING;
}

void checkup_kernel(struct checkup *c)
{
	struct features *features = NULL;
	int load_err = features_try_load();
	int features_err = load_err ? load_err : features_open(&features);
	int safety = safety_return_probes();

	examine_privileges(c, load_err);
	examine_process_files(c);
	examine_btf(c, load_err, features_err);
	examine_lockdown(c, load_err);
	examine_ring_buffer(c, load_err);
	examine_memory(c, load_err);
	examine_uprobes(c, safety);
	examine_return_probes(c, safety);
	examine_pid_namespace(c);
	examine_tracefs(c);
	examine_metrics(c);
	examine_sinks(c);
	checkup_parts(c);
	for (int i = 0; i < FACT_COUNT; i++) {
		c->facts[i].status = CHECKUP_UNKNOWN;
		if (features)
			examine_fact(&c->facts[i], i, features);
	}
	features_close(features);
}
