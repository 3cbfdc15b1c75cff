// SPDX-License-Identifier: BSD-2-Clause
/*
 * Uprobes go to a file by its inode, for every process that maps it (pid -1): new workers are
 * covered without doing anything, and BPF tells targets from others. The file is named through
 * our own descriptor, so it is the one that is mapped, whatever its path means by now.
 */
#include "kernel/attach.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "system/elf.h"
#include "target/target.h"
#include "tlsfail.skel.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

struct attached_file {
	struct target_file file;
	bool ssl; /* as the file of SSL_do_handshake, or as that of X509_check_host */
};

struct attachments {
	struct bpf_object *object;
	bool uprobe_multi;
	bool entry_only;
	struct bpf_link **links;
	size_t link_count;
	int *uprobes; /* descriptors, with uprobe_multi */
	size_t uprobe_count;
	struct attached_file *files;
	size_t file_count;
};

/* -- the kernel's hooks ----------------------------------------------------------------------- */

int hook_try(const struct features *features, const struct hook *hook, const char **target)
{
	for (size_t i = 0; i < HOOK_PROGS_MAX && hook->progs[i].name; i++) {
		int err = features_try(features, hook->kind, hook->progs[i].target);

		*target = hook->progs[i].target;
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

	text_addf(error, "no way to see \"%s\" on this kernel", fact_name(fact));
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
	/* tcp_close tells of a close at once; the states would tell it a second time. */
	skel->rodata->close_by_state = choice->rows[FACT_CLOSE]->kind == HOOK_TP_BTF ||
				       choice->rows[FACT_CLOSE]->kind == HOOK_RAW_TP;
	return 0;
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

int hooks_attach(struct tlsfail_bpf *skel, const struct hook_choice *choice,
		 struct attachments **out, struct text *error)
{
	struct attachments *a = calloc(1, sizeof(*a));
	struct bpf_program *prog;

	if (!a)
		return -ENOMEM;
	a->object = skel->obj;
	a->uprobe_multi = choice->uprobe_multi;
	a->entry_only = choice->entry_only;
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		for (size_t i = 0; (prog = row_program(skel->obj, choice->rows[fact], i)); i++) {
			int err = link_keep(a, bpf_program__attach(prog));

			if (!err)
				continue;
			text_addf(error, "cannot attach %s: %s", bpf_program__name(prog),
				  strerror(-err));
			attachments_free(a);
			return err;
		}
	}
	*out = a;
	return 0;
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

/* Each waits until no CPU can be inside it any more; side by side they wait together. */
static void detach_all(struct attachments *a)
{
	size_t count = a->link_count + a->uprobe_count, n = 0;
	struct detaching *all = calloc(count + 1, sizeof(*all));

	for (size_t i = 0; i < a->uprobe_count; i++)
		detach(all ? &all[n++] : NULL, uprobe_close, &a->uprobes[i]);
	for (size_t i = 0; i < a->link_count; i++)
		detach(all ? &all[n++] : NULL, link_destroy, a->links[i]);
	for (size_t i = 0; i < n; i++)
		if (all[i].started)
			pthread_join(all[i].thread, NULL);
	free(all);
}

void attachments_free(struct attachments *a)
{
	if (!a)
		return;
	detach_all(a);
	free(a->links);
	free(a->uprobes);
	free(a->files);
	free(a);
}

/* -- targets ---------------------------------------------------------------------------------- */

static int map_set(const struct attachments *a, const char *name, const void *key, size_t key_size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(a->object, name);
	__u8 yes = 1;

	if (!map)
		return -ENOENT;
	return bpf_map__update_elem(map, key, key_size, &yes, sizeof(yes), BPF_ANY);
}

int target_allow(const struct attachments *a, const struct target_file *exe)
{
	struct tlsfail_exe_key key = {
		.ino = exe->ino,
		.dev = exe->dev_known ? target_kernel_dev(exe->dev) : 0,
	};

	return map_set(a, "target_exes", &key, sizeof(key));
}

int target_allow_pid(const struct attachments *a, uint32_t pid)
{
	return map_set(a, "target_pids", &pid, sizeof(pid));
}

/* -- a library's uprobes ---------------------------------------------------------------------- */

struct library_part {
	const struct target_library *library;
	struct elf_file *elf;
	bool attached; /* before */
};

static int uprobe_keep(struct attachments *a, int fd)
{
	int *uprobes;

	if (fd < 0)
		return fd;
	uprobes = reallocarray(a->uprobes, a->uprobe_count + 1, sizeof(*uprobes));
	if (!uprobes) {
		close(fd);
		return -ENOMEM;
	}
	a->uprobes = uprobes;
	uprobes[a->uprobe_count++] = fd;
	return 0;
}

static int uprobe_attach(struct attachments *a, const char *name, bool ret, int fd, uint64_t offset)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = ret);
	struct bpf_program *prog = bpf_object__find_program_by_name(a->object, name);
	char path[64];

	if (!prog)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (a->uprobe_multi)
		return uprobe_keep(
			a, features_uprobe_attach(bpf_program__fd(prog), path, offset, ret));
	return link_keep(a, bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts));
}

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

/* -ENOENT: the library does not tell of that fact. */
static int lib_fact_attach(struct attachments *a, enum lib_fact fact,
			   const struct library_part *ssl, const struct library_part *crypto,
			   const struct lib_hook **used)
{
	const struct library_part *part;
	const struct lib_hook *hook;
	uint64_t offset;
	int err = 0;

	hook = lib_hook_locate(fact, ssl->elf, crypto->elf, &offset);
	if (!hook)
		return -ENOENT;
	*used = hook;
	part = hook->part == LIB_CRYPTO ? crypto : ssl;
	if (part->attached)
		return 0;
	/* The return first: an entry without its return would leave a thread "inside". */
	if (hook->ret && !a->entry_only)
		err = uprobe_attach(a, hook->ret, true, part->library->fd, offset);
	if (!err)
		err = uprobe_attach(a, hook->entry, false, part->library->fd, offset);
	return err == -ENOENT ? -EINVAL : err;
}

static bool file_is_attached(const struct attachments *a, const struct target_file *file, bool ssl)
{
	for (size_t i = 0; i < a->file_count; i++)
		if (a->files[i].ssl == ssl && target_file_same(&a->files[i].file, file))
			return true;
	return false;
}

static int file_remember(struct attachments *a, const struct library_part *part, bool ssl)
{
	struct attached_file *files;

	if (!part->elf || part->attached)
		return 0;
	files = reallocarray(a->files, a->file_count + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	a->files = files;
	files[a->file_count++] = (struct attached_file){ part->library->file, ssl };
	return 0;
}

static int part_open(const struct attachments *a, const struct target_library *library, bool ssl,
		     struct library_part *part)
{
	*part = (struct library_part){ .library = library };
	if (library->fd < 0)
		return 0;
	part->attached = file_is_attached(a, &library->file, ssl);
	return elf_file_open(library->fd, NULL, &part->elf);
}

static void add_path(struct text *t, const char *path)
{
	text_add_hostile(t, path, strlen(path));
}

/* Half a library must not stay attached: the next process with it would attach it once more. */
static void roll_back(struct attachments *a, size_t links, size_t uprobes)
{
	while (a->link_count > links)
		bpf_link__destroy(a->links[--a->link_count]);
	while (a->uprobe_count > uprobes)
		close(a->uprobes[--a->uprobe_count]);
}

int library_attach(struct attachments *a, const struct target_tls *tls, struct text *lacks,
		   struct text *error)
{
	struct library_part ssl = { 0 }, crypto = { 0 };
	size_t links = a->link_count, uprobes = a->uprobe_count;
	const struct lib_hook *used = NULL;
	int err;

	err = part_open(a, &tls->ssl, true, &ssl);
	if (!err)
		err = part_open(a, &tls->crypto, false, &crypto);
	if (err) {
		text_addf(error, "cannot read the TLS library: %s", strerror(-err));
		goto out;
	}
	for (int fact = 0; fact < LIB_FACT_COUNT; fact++) {
		err = lib_fact_attach(a, fact, &ssl, &crypto, &used);
		if (err == -ENOENT && fact != LIB_HANDSHAKE) {
			if (lib_fact_loss(fact))
				text_addf(lacks, "%s%s", lacks->len ? ", " : "",
					  lib_fact_loss(fact));
			continue;
		}
		if (err) {
			text_addf(error, "cannot attach to %s in ", used ? used->symbol : "");
			add_path(error, tls->ssl.path);
			text_addf(error, ": %s", strerror(-err));
			goto out;
		}
	}
	err = file_remember(a, &ssl, true);
	if (!err)
		err = file_remember(a, &crypto, false);
	if (!err)
		err = !ssl.attached || (crypto.elf && !crypto.attached);
out:
	if (err < 0)
		roll_back(a, links, uprobes);
	elf_file_close(ssl.elf);
	elf_file_close(crypto.elf);
	return err;
}
