/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hook tables against the BPF object that they are about: every program that a row names is
 * there and is of the kind, and for the target, that the row says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "kernel/hooks.h"
#include "tlsfail.skel.h"

static struct bpf_object *object;

static int object_open(void **state)
{
	size_t size;
	const void *elf = tlsfail_bpf__elf_bytes(&size);

	(void)state;
	object = bpf_object__open_mem(elf, size, NULL);
	return object ? 0 : -1;
}

static int object_close(void **state)
{
	(void)state;
	bpf_object__close(object);
	return 0;
}

static const char *section_of(const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		fail_msg("no BPF program is named %s", name);
	return bpf_program__section_name(program);
}

static size_t prog_count(const struct hook *hook)
{
	size_t n = 0;

	while (n < HOOK_PROGS_MAX && hook->progs[n].name)
		n++;
	return n;
}

static void test_rows_of_a_fact_stand_together(void **state)
{
	bool ended[FACT_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < hook_table_len; i++) {
		enum fact fact = hook_table[i].fact;

		assert_in_range(fact, 0, FACT_COUNT - 1);
		assert_false(ended[fact]);
		if (i > 0 && hook_table[i - 1].fact != fact)
			ended[hook_table[i - 1].fact] = true;
	}
}

static void test_every_fact_has_a_row(void **state)
{
	bool has[FACT_COUNT] = { false };
	bool lib_has[LIB_FACT_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < hook_table_len; i++)
		has[hook_table[i].fact] = true;
	for (size_t i = 0; i < FACT_COUNT; i++)
		assert_true(has[i]);
	for (size_t i = 0; i < lib_hook_table_len; i++)
		lib_has[lib_hook_table[i].fact] = true;
	for (size_t i = 0; i < LIB_FACT_COUNT; i++)
		assert_true(lib_has[i]);
}

/* --hook FACT=KIND names one row. */
static void test_a_kind_is_one_row_of_a_fact(void **state)
{
	(void)state;
	for (size_t i = 0; i < hook_table_len; i++) {
		for (size_t n = 0; n < i; n++)
			assert_false(hook_table[n].fact == hook_table[i].fact &&
				     hook_table[n].kind == hook_table[i].kind);
	}
}

static void test_fact_names(void **state)
{
	enum fact found;

	(void)state;
	for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
		const char *name = fact_name(fact);

		found = FACT_COUNT;
		assert_non_null(name);
		assert_true(fact_find(name, strlen(name), &found));
		assert_int_equal(found, fact);
		assert_false(fact_find(name, strlen(name) - 1, &found));
	}
	assert_true(fact_find("close=kprobe", 5, &found));
	assert_int_equal(found, FACT_CLOSE);
	assert_false(fact_find("closed", 6, &found));
	assert_false(fact_find("", 0, &found));
}

static void test_kind_names(void **state)
{
	int found;

	(void)state;
	for (enum hook_kind kind = HOOK_TP_BTF; kind <= HOOK_UPROBE; kind++) {
		const char *name = hook_kind_name(kind);

		found = HOOK_UPROBE + 1;
		assert_non_null(name);
		assert_true(hook_kind_find(name, &found));
		assert_int_equal(found, kind);
	}
	assert_false(hook_kind_find("", &found));
	assert_false(hook_kind_find("tp_btf ", &found));
	assert_false(hook_kind_find("uretprobe", &found));
	assert_true(hook_kind_find("auto", &found));
	assert_int_equal(found, HOOK_ANY);
	assert_true(hook_is_offered(FACT_HANDSHAKE, HOOK_UPROBE));
	assert_false(hook_is_offered(FACT_CLOSE, HOOK_UPROBE));
	assert_false(hook_is_offered(FACT_HANDSHAKE, HOOK_KPROBE));
}

/* The names of the sections that libbpf attaches for a kind: one, or one with its return. */
static bool section_fits(const char *section, enum hook_kind kind, const char *target)
{
	static const char *const returns[] = {
		[HOOK_TP_BTF] = NULL,
		[HOOK_RAW_TP] = NULL,
		[HOOK_FENTRY] = "fexit",
		[HOOK_KPROBE] = "kretprobe",
	};
	char want[64];

	snprintf(want, sizeof(want), "%s/%s", hook_kind_name(kind), target);
	if (!strcmp(section, want))
		return true;
	if (!returns[kind])
		return false;
	snprintf(want, sizeof(want), "%s/%s", returns[kind], target);
	return !strcmp(section, want);
}

static void test_programs_are_of_their_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < hook_table_len; i++) {
		const struct hook *hook = &hook_table[i];

		/* What a handshake is known by is attached for other facts, or to libraries. */
		assert_true((prog_count(hook) > 0) == (hook->fact != FACT_HANDSHAKE));
		for (size_t n = 0; n < prog_count(hook); n++) {
			const struct hook_prog *prog = &hook->progs[n];
			const char *section = section_of(prog->name);
			/* The others go on in it, with their arguments. */
			const char *target = prog->target ? prog->target : hook->progs[0].target;

			assert_non_null(target);
			if (!section_fits(section, hook->kind, target))
				fail_msg("%s is SEC(\"%s\"), which is not %s of %s", prog->name,
					 section, hook_kind_name(hook->kind), target);
		}
	}
}

static void test_library_programs_are_of_their_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < lib_hook_table_len; i++) {
		const struct lib_hook *hook = &lib_hook_table[i];

		assert_non_null(hook->symbol);
		assert_string_equal(section_of(hook->entry), "uprobe");
		if (hook->ret)
			assert_string_equal(section_of(hook->ret), "uretprobe");
	}
}

static bool is_named(const char *name)
{
	for (size_t i = 0; i < hook_table_len; i++) {
		for (size_t n = 0; n < prog_count(&hook_table[i]); n++) {
			if (!strcmp(hook_table[i].progs[n].name, name))
				return true;
		}
	}
	for (size_t i = 0; i < lib_hook_table_len; i++) {
		const struct lib_hook *hook = &lib_hook_table[i];

		if (!strcmp(hook->entry, name) || (hook->ret && !strcmp(hook->ret, name)))
			return true;
	}
	return false;
}

/* A program that no row names would be loaded for nothing. */
static void test_every_program_has_a_row(void **state)
{
	struct bpf_program *program;

	(void)state;
	bpf_object__for_each_program(program, object)
	{
		if (!is_named(bpf_program__name(program)))
			fail_msg("no row names %s", bpf_program__name(program));
	}
}

/* What is not seen without a fact is told in words that end a sentence, or not at all. */
static void test_losses(void **state)
{
	(void)state;
	for (enum lib_fact fact = 0; fact < LIB_FACT_COUNT; fact++) {
		const char *words = lib_fact_loss(fact);

		assert_true(!words || strlen(words) > 0);
	}
	assert_non_null(lib_fact_loss(LIB_HANDSHAKE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_of_a_fact_stand_together),
		cmocka_unit_test(test_every_fact_has_a_row),
		cmocka_unit_test(test_a_kind_is_one_row_of_a_fact),
		cmocka_unit_test(test_fact_names),
		cmocka_unit_test(test_kind_names),
		cmocka_unit_test(test_programs_are_of_their_row),
		cmocka_unit_test(test_library_programs_are_of_their_row),
		cmocka_unit_test(test_every_program_has_a_row),
		cmocka_unit_test(test_losses),
	};

	return cmocka_run_group_tests_name("hooks", tests, object_open, object_close);
}
