// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads every BPF program that this kernel takes, as the collector would, and prints what its verifier
 * says of each: name, section, instructions processed, stack of each frame. Attaches nothing.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include <bpf/libbpf.h>

#include "tlsfail.skel.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

#define LOG_BYTES    (1 << 16)
#define LOG_STATS    4 /* include/linux/bpf_verifier.h, BPF_LOG_STATS */
#define REASON_LINES 6 /* the last of the log, when a program is refused */

/* Every branch that the collector's choices can open. */
static void choose(struct tlsfail_bpf *skel, char **choices, int count)
{
	skel->rodata->cert_interval_ns = 1;
	skel->rodata->exec_name_count = 1;
	skel->rodata->with_task =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get, NULL) == 1;
	bpf_map__set_autocreate(
		skel->rodata->with_task ? skel->maps.threads : skel->maps.task_threads, false);
	for (int i = 0; i < count; i++) {
		if (!strcmp(choices[i], "entry-only"))
			skel->rodata->entry_only = true;
		if (!strcmp(choices[i], "handshake=uprobe"))
			skel->rodata->from_wire = false;
	}
}

/* What is attached by a BTF type is refused while loading where the kernel lacks it. */
static bool loads_alone(const char *path)
{
	return !strncmp(path, "uprobe", 6) || !strncmp(path, "uretprobe", 9) ||
	       !strncmp(path, "raw_tp", 6);
}

/* Loads the program alone, the others left out. False: this kernel does not take it. */
static bool program_try(const char *name, char **choices, int count, char *log)
{
	struct tlsfail_bpf *skel = tlsfail_bpf__open();
	struct bpf_program *prog;
	int err = -1;

	if (!skel)
		return false;
	choose(skel, choices, count);
	bpf_object__for_each_program(prog, skel->obj)
	{
		bool wanted = !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, wanted);
		if (!wanted)
			continue;
		bpf_program__set_log_level(prog, LOG_STATS);
		bpf_program__set_log_buf(prog, log, LOG_BYTES);
	}
	log[0] = '\0';
	err = tlsfail_bpf__load(skel);
	tlsfail_bpf__destroy(skel);
	return !err;
}

static int silence(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Those of the log, "0+16+8". Since 7.3 it has their largest sum, and a line for each function. */
static void print_frames(const char *log)
{
	const char *line = log, *plus = "";

	if (strncmp(log, "max ", strlen("max ")) != 0) {
		printf("%.*s\n", (int)strcspn(log, " \n"), log);
		return;
	}
	while ((line = strstr(line, "\nsubprog "))) {
		size_t len = strcspn(++line, "\n");
		const char *frame = memmem(line, len, " stack ", strlen(" stack "));

		if (frame) {
			printf("%s%lu", plus, strtoul(frame + strlen(" stack "), NULL, 10));
			plus = "+";
		}
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct tlsfail_bpf *skel;
	struct bpf_program *prog;
	char *log = malloc(LOG_BYTES);
	int refused = 0;

	libbpf_set_print(silence);
	skel = tlsfail_bpf__open();
	if (!skel || !log) {
		fprintf(stderr, "verifier: cannot open the BPF object\n");
		return 1;
	}
	bpf_object__for_each_program(prog, skel->obj)
	{
		const char *name = bpf_program__name(prog), *stack, *insns;

		if (!program_try(name, argv + 1, argc - 1, log)) {
			const char *why = log + strlen(log);

			for (int lines = 0; why > log && lines < REASON_LINES; why--)
				lines += why[-1] == '\n';
			printf("%s refused\n", name);
			fprintf(stderr, "%s%s", name, why);
			refused += loads_alone(bpf_program__section_name(prog));
			continue;
		}
		stack = strstr(log, "stack depth ");
		insns = strstr(log, "processed ");
		if (!stack || !insns) {
			fprintf(stderr, "verifier: no figures for %s\n", name);
			return 1;
		}
		printf("%s %lu ", name, strtoul(insns + strlen("processed "), NULL, 10));
		print_frames(stack + strlen("stack depth "));
	}
	tlsfail_bpf__destroy(skel);
	free(log);
	return refused ? 1 : 0;
}
