// SPDX-License-Identifier: BSD-2-Clause
/*
 * Uprobes go to a file by its inode, for every process that maps it (pid -1): new workers are
 * covered without doing anything, and BPF tells targets from others. The file is named through
 * our own descriptor, so it is the one that is mapped, whatever its path means by now.
 */
#include "kernel/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/plans.h"
#include "system/budget.h"
#include "system/elf.h"
#include "target/target.h"
#include "tlsfail.skel.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* What the look for the functions in one library may cost. */
#define EXAMINE_BYTES	(4ULL << 30)
#define EXAMINE_STEPS	500000
#define EXAMINE_TIME_NS 5000000000ULL

#define FACT_LINKS 2				 /* entry and return */
#define LINKS_MAX  (FACT_LINKS * LIB_FACT_COUNT) /* of a file */

/* A fact that is attached to. Descriptors are held in one of the two ways. */
struct attached_fact {
	size_t link_count;
	struct bpf_link *links[FACT_LINKS];
	size_t uprobe_count;
	int uprobes[FACT_LINKS]; /* with uprobe_multi */
};

struct attached_file {
	struct library_use use;
	int fd; /* so that facts can be attached to again */
	struct library_plan plan;
	struct attached_fact facts[LIB_FACT_COUNT];
};

struct attachments {
	struct bpf_object *object;
	bool uprobe_multi;
	bool entry_only;
	bool from_wire;
	bool off[LIB_FACT_COUNT]; /* not attached to for now */
	__u32 *generation;	  /* BPF looks anew at who is a target when it changes */
	struct bpf_link **links;  /* of the kernel's hooks */
	size_t link_count;
	struct attached_file *files;
	size_t file_count;
};

/* -- the kernel's hooks ----------------------------------------------------------------------- */

int hook_try(const struct features *features, const struct hook *hook, const char **target)
{
	for (size_t i = 0; i < HOOK_PROGS_MAX && hook->progs[i].name; i++) {
		int err;

		if (!hook->progs[i].target)
			continue;
		*target = hook->progs[i].target;
		err = features_try(features, hook->kind, *target);
		if (err)
			return err;
	}
	return 0;
}

static int hook_choose(const struct features *features, enum fact fact, int kind,
		       const struct hook **row, struct text *error)
{
	const char *target = "";
	int err = -ENOENT;

	text_addf(error, "this kernel offers no way to see \"%s\"", fact_name(fact));
	for (size_t i = 0; i < hook_table_len; i++) {
		const struct hook *hook = &hook_table[i];

		if (hook->fact != fact || (kind != HOOK_ANY && (int)hook->kind != kind))
			continue;
		err = hook_try(features, hook, &target);
		if (!err) {
			*row = hook;
			return 0;
		}
		text_addf(error, "; %s %s: %s", hook_kind_name(hook->kind), target,
			  features_explain(hook->kind, err));
	}
	return err;
}

int hooks_choose(const struct features *features, const struct hook_request *request,
		 struct hook_choice *choice, struct text *error)
{
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		int err;

		text_init(error, error->buf, error->size);
		err = hook_choose(features, fact, request->kinds[fact], &choice->rows[fact], error);
		if (err)
			return err;
	}
	text_init(error, error->buf, error->size);
	choice->uprobe_multi = features_uprobe_multi();
	choice->task_storage = features_task_storage();
	return 0;
}

/* The row's programs, by name; NULL past the last. */
static struct bpf_program *row_program(struct bpf_object *object, const struct hook *hook, size_t i)
{
	if (i >= HOOK_PROGS_MAX || !hook->progs[i].name)
		return NULL;
	return bpf_object__find_program_by_name(object, hook->progs[i].name);
}

static void expect_uprobe_multi(struct bpf_object *object, const char *name)
{
	struct bpf_program *prog = name ? bpf_object__find_program_by_name(object, name) : NULL;

	if (prog)
		bpf_program__set_expected_attach_type(prog,
						      (enum bpf_attach_type)FEATURES_UPROBE_MULTI);
}

static void program_leave_out(struct bpf_object *object, const char *name)
{
	struct bpf_program *prog = name ? bpf_object__find_program_by_name(object, name) : NULL;

	if (prog)
		bpf_program__set_autoload(prog, false);
}

int hooks_select(struct tlsfail_bpf *skel, const struct hook_choice *choice)
{
	struct bpf_program *prog;

	for (size_t row = 0; row < hook_table_len; row++)
		for (size_t i = 0; (prog = row_program(skel->obj, &hook_table[row], i)); i++)
			bpf_program__set_autoload(prog, false);
	for (int fact = 0; fact < FACT_COUNT; fact++)
		for (size_t i = 0; (prog = row_program(skel->obj, choice->rows[fact], i)); i++)
			bpf_program__set_autoload(prog, true);
	for (size_t i = 0; choice->uprobe_multi && i < lib_hook_table_len; i++) {
		expect_uprobe_multi(skel->obj, lib_hook_table[i].entry);
		expect_uprobe_multi(skel->obj, lib_hook_table[i].ret);
	}
	for (size_t i = 0; choice->entry_only && i < lib_hook_table_len; i++)
		program_leave_out(skel->obj, lib_hook_table[i].ret);
	skel->rodata->entry_only = choice->entry_only;
	skel->rodata->with_task = choice->task_storage;
	bpf_map__set_autocreate(choice->task_storage ? skel->maps.threads : skel->maps.task_threads,
				false);
	skel->rodata->from_wire = choice->rows[FACT_HANDSHAKE]->kind == HOOK_WIRE;
	/* tcp_close tells of a close at once; the states would tell it a second time. */
	skel->rodata->close_by_state = choice->rows[FACT_CLOSE]->kind == HOOK_TP_BTF ||
				       choice->rows[FACT_CLOSE]->kind == HOOK_RAW_TP;
	return 0;
}

static int slots_offer(const struct bpf_map *free, uint32_t first)
{
	for (uint32_t i = 0, slot = first; i < bpf_map__max_entries(free); i++, slot++)
		if (bpf_map_update_elem(bpf_map__fd(free), NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

/* The row's programs that are attached to nothing. */
static int next_offer(const struct tlsfail_bpf *skel, const struct hook *hook)
{
	const struct bpf_program *prog;
	uint32_t slot = 0;

	for (size_t i = 0; (prog = row_program(skel->obj, hook, i)); i++) {
		int fd = bpf_program__fd(prog);

		if (!hook->progs[i].target &&
		    bpf_map_update_elem(bpf_map__fd(skel->maps.wire_next), &slot, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

int hooks_make_ready(const struct tlsfail_bpf *skel, const struct hook_choice *choice)
{
	int err = slots_offer(skel->maps.client_wires, 0);

	if (!err)
		err = slots_offer(skel->maps.server_wires,
				  bpf_map__max_entries(skel->maps.client_wires));
	return err ? err : next_offer(skel, choice->rows[FACT_WIRE]);
}

static int link_keep(struct attachments *a, struct bpf_link *link)
{
	struct bpf_link **links;

	if (!link)
		return -errno;
	links = reallocarray(a->links, a->link_count + 1, sizeof(*links));
	if (!links) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	a->links = links;
	links[a->link_count++] = link;
	return 0;
}

static int row_attach(struct attachments *a, const struct tlsfail_bpf *skel,
		      const struct hook *hook, struct text *error)
{
	struct bpf_program *prog;
	int err = 0;

	for (size_t i = 0; !err && (prog = row_program(skel->obj, hook, i)); i++) {
		if (!hook->progs[i].target)
			continue;
		err = link_keep(a, bpf_program__attach(prog));
		if (err)
			text_addf(error, "cannot attach %s: %s", bpf_program__name(prog),
				  strerror(-err));
	}
	return err;
}

int hooks_attach(struct tlsfail_bpf *skel, const struct hook_choice *choice,
		 struct attachments **out, struct text *error)
{
	struct attachments *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->object = skel->obj;
	a->uprobe_multi = choice->uprobe_multi;
	a->entry_only = choice->entry_only;
	a->from_wire = choice->rows[FACT_HANDSHAKE]->kind == HOOK_WIRE;
	for (size_t i = 0; a->from_wire && i < lib_hook_table_len; i++)
		a->off[lib_hook_table[i].fact] |= lib_hook_table[i].wired;
	/* Its result is what it returns; that it is asked says nothing that the wire does not. */
	a->off[LIB_VERIFY] = a->from_wire && a->entry_only;
	a->generation = &skel->bss->target_generation;
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		int err = row_attach(a, skel, choice->rows[fact], error);

		if (!err)
			continue;
		attachments_free(a);
		return err;
	}
	*out = a;
	return 0;
}

bool attachments_from_wire(const struct attachments *a)
{
	return a->from_wire;
}

static void *link_destroy(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

static void *uprobe_close(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/* One thing to detach, in a thread of its own where one can be had. */
struct detaching {
	pthread_t thread;
	bool started;
};

static void detach(struct detaching *d, void *(*how)(void *), void *what)
{
	if (d)
		d->started = !pthread_create(&d->thread, NULL, how, what);
	if (!d || !d->started)
		how(what);
}

static size_t fact_detach(struct attached_fact *fact, struct detaching *all, size_t n)
{
	for (size_t i = 0; i < fact->uprobe_count; i++)
		detach(all ? &all[n++] : NULL, uprobe_close, &fact->uprobes[i]);
	for (size_t i = 0; i < fact->link_count; i++)
		detach(all ? &all[n++] : NULL, link_destroy, fact->links[i]);
	return n;
}

static size_t file_detach(struct attached_file *file, struct detaching *all, size_t n)
{
	for (int fact = 0; fact < LIB_FACT_COUNT; fact++)
		n = fact_detach(&file->facts[fact], all, n);
	return n;
}

static void detaching_wait(struct detaching *all, size_t n)
{
	for (size_t i = 0; all && i < n; i++)
		if (all[i].started)
			pthread_join(all[i].thread, NULL);
	free(all);
}

/* Each waits until no CPU can be inside it any more; side by side they wait together. */
static void detach_all(struct attachments *a)
{
	size_t count = a->link_count + a->file_count * LINKS_MAX, n = 0;
	struct detaching *all = calloc(count + 1, sizeof(*all));

	for (size_t i = 0; i < a->file_count; i++)
		n = file_detach(&a->files[i], all, n);
	for (size_t i = 0; i < a->link_count; i++)
		detach(all ? &all[n++] : NULL, link_destroy, a->links[i]);
	detaching_wait(all, n);
}

void attachments_free(struct attachments *a)
{
	if (!a)
		return;
	detach_all(a);
	for (size_t i = 0; i < a->file_count; i++)
		close(a->files[i].fd);
	free(a->links);
	free(a->files);
	free(a);
}

/* -- targets ---------------------------------------------------------------------------------- */

struct entry {
	const void *key;
	size_t key_size;
	const void *value;
	size_t value_size;
};

static int map_set(const struct attachments *a, const char *name, const struct entry *e)
{
	struct bpf_map *map = bpf_object__find_map_by_name(a->object, name);
	int err;

	if (!map)
		return -ENOENT;
	err = bpf_map__update_elem(map, e->key, e->key_size, e->value, e->value_size, BPF_ANY);
	__atomic_fetch_add(a->generation, 1, __ATOMIC_RELEASE);
	return err;
}

static struct tlsfail_exe_key exe_key(const struct target_file *exe)
{
	return (struct tlsfail_exe_key){
		.ino = exe->ino,
		.dev = exe->dev_known ? target_kernel_dev(exe->dev) : 0,
	};
}

int target_allow(const struct attachments *a, const struct target_file *exe)
{
	struct tlsfail_exe_key key = exe_key(exe);
	const __u8 yes = 1;

	return map_set(a, "target_exes", &(struct entry){ &key, sizeof(key), &yes, sizeof(yes) });
}

void target_disallow(const struct attachments *a, const struct target_file *exe)
{
	struct bpf_map *map = bpf_object__find_map_by_name(a->object, "target_exes");
	struct tlsfail_exe_key key = exe_key(exe);

	/* that it is not there is what is wanted */
	(void)bpf_map__delete_elem(map, &key, sizeof(key), 0);
}

int target_allow_pid(const struct attachments *a, uint32_t pid, uint64_t started)
{
	const struct entry e = { &pid, sizeof(pid), &started, sizeof(started) };

	return map_set(a, "target_pids", &e);
}

/* -- what a library has ----------------------------------------------------------------------- */

/* -ENOENT: the library does not have that symbol. */
static int lib_hook_offset(const struct lib_hook *hook, struct elf_file *ssl,
			   struct elf_file *crypto, uint64_t *offset)
{
	switch (hook->part) {
	case LIB_SSL:
		return elf_file_function(ssl, hook->symbol, offset);
	case LIB_SSL_STUB:
		return elf_file_stub(ssl, hook->symbol, offset);
	case LIB_CRYPTO:
		return crypto ? elf_file_function(crypto, hook->symbol, offset) : -ENOENT;
	}
	return -ENOENT;
}

const struct lib_hook *lib_hook_locate(enum lib_fact fact, struct elf_file *ssl,
				       struct elf_file *crypto, uint64_t *offset)
{
	for (size_t i = 0; i < lib_hook_table_len; i++)
		if (lib_hook_table[i].fact == fact &&
		    !lib_hook_offset(&lib_hook_table[i], ssl, crypto, offset))
			return &lib_hook_table[i];
	return NULL;
}

static int plan_make(const struct target_tls *tls, struct library_plan *plan)
{
	struct budget budget = budget_begin(EXAMINE_BYTES, EXAMINE_STEPS, EXAMINE_TIME_NS);
	struct elf_file *ssl = NULL, *crypto = NULL;
	int err;

	*plan = (struct library_plan){ 0 };
	/* What is said of the one is where code of that file is changed, whatever is wrong with the other. */
	elf_ask_another();
	err = elf_file_open(tls->ssl.fd, &budget, &ssl);
	elf_ask_another();
	if (!err && tls->crypto.fd >= 0)
		err = elf_file_open(tls->crypto.fd, &budget, &crypto);
	for (int fact = 0; !err && fact < LIB_FACT_COUNT; fact++)
		plan->hooks[fact] = lib_hook_locate(fact, ssl, crypto, &plan->offsets[fact]);
	for (int fact = 0; !err && fact < LIB_FACT_COUNT; fact++)
		if (plan->hooks[fact])
			plan->offsets[fact] = elf_file_past_landing_pad(
				plan->hooks[fact]->part == LIB_CRYPTO ? crypto : ssl,
				plan->offsets[fact]);
	if (budget.over)
		err = -ETIME;
	elf_file_close(ssl);
	elf_file_close(crypto);
	elf_ask_another();
	return err;
}

int library_examine(const struct target_tls *tls, struct library_plan *plan)
{
	struct plan_key key;
	bool known = plan_key_read(tls->ssl.fd, tls->crypto.fd, &key);
	int err;

	if (known && plans_find(&key, plan))
		return 0;
	err = plan_make(tls, plan);
	if (!err && known)
		plans_keep(&key, plan);
	return err;
}

/* -- a library's uprobes ---------------------------------------------------------------------- */

static int uprobe_keep(struct attached_fact *fact, int fd)
{
	if (fd < 0)
		return fd;
	fact->uprobes[fact->uprobe_count++] = fd;
	return 0;
}

static int uprobe_link_keep(struct attached_fact *fact, struct bpf_link *link)
{
	if (!link)
		return -errno;
	fact->links[fact->link_count++] = link;
	return 0;
}

static int uprobe_attach(const struct attachments *a, struct attached_fact *fact, const char *name,
			 bool ret, int fd, uint64_t offset)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = ret);
	struct bpf_program *prog = bpf_object__find_program_by_name(a->object, name);
	char path[64];

	if (!prog)
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (a->uprobe_multi)
		return uprobe_keep(
			fact, features_uprobe_attach(bpf_program__fd(prog), path, offset, ret));
	return uprobe_link_keep(fact,
				bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts));
}

/* Has the file what tells of that fact, and is it not attached to? */
static bool fact_is_due(const struct attached_file *file, enum lib_fact fact)
{
	const struct lib_hook *hook = file->plan.hooks[fact];
	const struct attached_fact *attached = &file->facts[fact];

	return hook && (hook->part != LIB_CRYPTO) == file->use.ssl && !attached->link_count &&
	       !attached->uprobe_count;
}

static int fact_attach(const struct attachments *a, struct attached_file *file, enum lib_fact fact)
{
	const struct lib_hook *hook = file->plan.hooks[fact];
	uint64_t offset = file->plan.offsets[fact];
	int err = 0;

	/* The return first: an entry without its return would leave a thread "inside". */
	if (hook->ret && !a->entry_only)
		err = uprobe_attach(a, &file->facts[fact], hook->ret, true, file->fd, offset);
	if (!err)
		err = uprobe_attach(a, &file->facts[fact], hook->entry, false, file->fd, offset);
	return err;
}

static void fact_release(struct attached_fact *fact)
{
	struct detaching *all = calloc(FACT_LINKS, sizeof(*all));

	detaching_wait(all, fact_detach(fact, all, 0));
	*fact = (struct attached_fact){ 0 };
}

/* Attaches what the plan has for one of the library's files. On failure *failed is the symbol. */
static int file_attach(const struct attachments *a, struct attached_file *file, const char **failed)
{
	int err = 0;

	for (int fact = 0; !err && fact < LIB_FACT_COUNT; fact++) {
		if (a->off[fact] || !fact_is_due(file, fact))
			continue;
		*failed = file->plan.hooks[fact]->symbol;
		err = fact_attach(a, file, fact);
	}
	return err;
}

static bool is_attached(const struct attachments *a, const struct library_use *use)
{
	for (size_t i = 0; i < a->file_count; i++)
		if (a->files[i].use.ssl == use->ssl &&
		    target_file_same(&a->files[i].use.file, &use->file))
			return true;
	return false;
}

static void file_release(struct attached_file *file)
{
	struct detaching *all = calloc(LINKS_MAX, sizeof(*all));

	detaching_wait(all, file_detach(file, all, 0));
	close(file->fd);
}

/* 1: attached; 0: it was there, or there is none. Half a library does not stay attached: the next
 * process with it would attach it once more. */
static int part_attach(struct attachments *a, const struct library_plan *plan,
		       const struct target_library *library, bool ssl, struct text *error)
{
	struct attached_file file = { .use = { library->file, ssl }, .plan = *plan }, *files;
	const char *failed = "";
	int err;

	if (library->fd < 0 || is_attached(a, &file.use))
		return 0;
	files = reallocarray(a->files, a->file_count + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	a->files = files;
	file.fd = fcntl(library->fd, F_DUPFD_CLOEXEC, 0);
	if (file.fd < 0)
		return -errno;
	err = file_attach(a, &file, &failed);
	if (err) {
		text_addf(error, "cannot attach to %s in ", failed);
		text_add_hostile(error, library->path, strlen(library->path));
		text_addf(error, ": %s", strerror(-err));
		file_release(&file);
		return err;
	}
	files[a->file_count++] = file;
	return 1;
}

int library_attach(struct attachments *a, const struct target_tls *tls,
		   const struct library_plan *plan, struct text *lacks, struct text *error)
{
	int ssl, crypto;

	for (int fact = 0; fact < LIB_FACT_COUNT; fact++)
		if (!plan->hooks[fact] && lib_fact_loss(fact))
			text_addf(lacks, "%s%s", lacks->len ? ", " : "", lib_fact_loss(fact));
	if (!plan->hooks[LIB_HANDSHAKE] && !a->from_wire) {
		text_add(error, "cannot attach to ");
		text_add_hostile(error, tls->ssl.path, strlen(tls->ssl.path));
		text_add(error, ": it has no SSL_do_handshake");
		return -ENOENT;
	}
	/* What verifies first: a handshake that is seen is then seen whole. */
	crypto = part_attach(a, plan, &tls->crypto, false, error);
	ssl = crypto < 0 ? crypto : part_attach(a, plan, &tls->ssl, true, error);
	return ssl < 0 ? ssl : ssl || crypto;
}

size_t library_uses(const struct attachments *a, struct library_use *uses, size_t max)
{
	size_t count = a->file_count < max ? a->file_count : max;

	for (size_t i = 0; uses && i < count; i++)
		uses[i] = a->files[i].use;
	return uses ? count : a->file_count;
}

void library_release(struct attachments *a, const struct library_use *use)
{
	for (size_t i = 0; i < a->file_count; i++) {
		struct attached_file *file = &a->files[i];

		if (file->use.ssl != use->ssl || file->use.file.ino != use->file.ino ||
		    file->use.file.dev != use->file.dev)
			continue;
		file_release(file);
		*file = a->files[--a->file_count];
		return;
	}
}

/* -- facts that are not wanted all the time --------------------------------------------------- */

static int fact_want(struct attachments *a, enum lib_fact fact)
{
	int err = 0;

	for (size_t i = 0; i < a->file_count; i++) {
		struct attached_file *file = &a->files[i];
		int failed = fact_is_due(file, fact) ? fact_attach(a, file, fact) : 0;

		if (failed)
			fact_release(&file->facts[fact]);
		err = err ? err : failed;
	}
	return err;
}

static void fact_drop(struct attachments *a, enum lib_fact fact)
{
	struct detaching *all = calloc(a->file_count * FACT_LINKS + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < a->file_count; i++)
		n = fact_detach(&a->files[i].facts[fact], all, n);
	detaching_wait(all, n);
	for (size_t i = 0; i < a->file_count; i++)
		a->files[i].facts[fact] = (struct attached_fact){ 0 };
}

int library_fact_switch(struct attachments *a, enum lib_fact fact, bool on)
{
	a->off[fact] = !on;
	if (on)
		return fact_want(a, fact);
	fact_drop(a, fact);
	return 0;
}
