/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the hook table to attached programs: the kernel's hooks once, a library's uprobes for each
 * library that is found.
 */
#ifndef TLSFAIL_KERNEL_ATTACH_H
#define TLSFAIL_KERNEL_ATTACH_H

#include <stdint.h>

#include "kernel/features.h"
#include "kernel/hooks.h"
#include "base/text.h"
#include "target/target.h"

struct elf_file;
struct tlsfail_bpf;

/* Does this kernel allow all that the row attaches? 0, or a negative errno of features_try(), and
 * *target is what failed. */
int hook_try(const struct features *features, const struct hook *hook, const char **target);

/* The row chosen for each fact. */
struct hook_choice {
	const struct hook *rows[FACT_COUNT];
	bool uprobe_multi; /* how the uprobes of libraries are attached */
	bool entry_only;   /* without return probes */
	bool task_storage; /* where threads are kept */
};

/* Chooses for each fact the first row that this kernel allows. On failure error says which fact
 * cannot be had, and why. */
int hooks_choose(const struct features *features, const struct hook_request *request,
		 struct hook_choice *choice, struct text *error);

/* Before loading: only the chosen programs, and those of the libraries, are loaded, and the maps that they use. */
int hooks_select(struct tlsfail_bpf *skel, const struct hook_choice *choice);

/* After loading, and before anything is attached: room for the bytes of handshakes is offered (bpf/bytes.bpf.c), and
 * programs that go on in another one find it. 0, or a negative errno. */
int hooks_make_ready(const struct tlsfail_bpf *skel, const struct hook_choice *choice);

/*
 * The first row of the fact for which this library has the symbol, and the symbol's offset in its
 * file. crypto may be NULL. NULL: there is none.
 */
const struct lib_hook *lib_hook_locate(enum lib_fact fact, struct elf_file *ssl,
				       struct elf_file *crypto, uint64_t *offset);

struct attachments;

/* Attaches the chosen hooks. *out is the caller's to attachments_free(), which detaches. */
int hooks_attach(struct tlsfail_bpf *skel, const struct hook_choice *choice,
		 struct attachments **out, struct text *error);

/* Where in a library each fact is to be had. */
struct library_plan {
	const struct lib_hook *hooks[LIB_FACT_COUNT]; /* NULL: it does not tell of that */
	uint64_t offsets[LIB_FACT_COUNT];
};

/* Looks for that in the library's files; may be called in any thread. A negative errno when they
 * cannot be read; -ETIME: it would have taken too long. */
int library_examine(const struct target_tls *tls, struct library_plan *plan);

/*
 * Attaches the uprobes of a library, once for each file: another process with the same library
 * needs nothing. Returns 1 when something new was attached, 0 when all of it was there. lacks gets
 * what this library does not let us see, "" when nothing.
 */
int library_attach(struct attachments *attachments, const struct target_tls *tls,
		   const struct library_plan *plan, struct text *lacks, struct text *error);

/* A file that uprobes are attached to. They keep its file system from being unmounted. */
struct library_use {
	struct target_file file;
	bool ssl; /* as the file of SSL_do_handshake, or as that of X509_check_host */
};

/* Copies the first max of them; with NULL only counts. */
size_t library_uses(const struct attachments *attachments, struct library_use *uses, size_t max);

/* Detaches from that file. */
void library_release(struct attachments *attachments, const struct library_use *use);

/* Attaches to what tells of that fact in every library, also in those to come, or detaches from it. A negative
 * errno when that failed for one of them. */
int library_fact_switch(struct attachments *attachments, enum lib_fact fact, bool on);

/* From now on processes that run this executable are targets. */
int target_allow(const struct attachments *attachments, const struct target_file *exe);

/* And not any more. */
void target_disallow(const struct attachments *attachments, const struct target_file *exe);

/* Likewise this process, which was started then (see procfs_started()), and its children. */
int target_allow_pid(const struct attachments *attachments, uint32_t pid, uint64_t started);

/* Does the wire tell of handshakes, so that a program needs no TLS library that is known? */
bool attachments_from_wire(const struct attachments *attachments);

/* Detaches everything. NULL is allowed. */
void attachments_free(struct attachments *attachments);

#endif
