// SPDX-License-Identifier: BSD-2-Clause
/*
 * Probes by trying. Everything that is attached here is detached before the function returns.
 */
#include "features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

struct features {
	struct btf *btf; /* of the kernel */
};

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_nothing(enum bpf_prog_type type, const struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "tlsfail_try", "GPL", nothing, 2, opts);

	return fd < 0 ? -errno : fd;
}

int features_open(struct features **out)
{
	struct features *f;
	int fd, err;

	fd = load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);
	if (fd < 0)
		return fd;
	close(fd);
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->btf = btf__load_vmlinux_btf();
	err = libbpf_get_error(f->btf);
	if (err) {
		free(f);
		return err == -ESRCH ? -ENOENT : err;
	}
	*out = f;
	return 0;
}

void features_close(struct features *f)
{
	if (!f)
		return;
	btf__free(f->btf);
	free(f);
}

/* A tracing program: of BTF kind what, named prefix + target. */
static int try_tracing(const struct features *f, const char *prefix, const char *target,
		       __u32 btf_kind, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int prog, link, id, err = 0;
	char name[128];

	snprintf(name, sizeof(name), "%s%s", prefix, target);
	id = btf__find_by_name_kind(f->btf, name, btf_kind);
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	prog = load_nothing(BPF_PROG_TYPE_TRACING, &opts);
	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(prog);
	return err;
}

static int try_raw_tp(const char *target)
{
	int prog, link, err = 0;

	prog = load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);
	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(target, prog);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(prog);
	return err;
}

/* The PMU's number, as sysfs tells; -ENOENT without CONFIG_KPROBE_EVENTS. */
static int kprobe_pmu(void)
{
	int fd = open("/sys/bus/event_source/devices/kprobe/type", O_RDONLY | O_CLOEXEC);
	char buf[16] = "";
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? (int)strtol(buf, NULL, 10) : -EINVAL;
}

static int try_kprobe(const char *target)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int type = kprobe_pmu();
	long fd;

	if (type < 0)
		return type;
	attr.type = type;
	attr.config1 = (__u64)(unsigned long)target;
	fd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

int features_try(const struct features *f, enum hook_kind kind, const char *target)
{
	switch (kind) {
	case HOOK_TP_BTF:
		/* include/trace/bpf_probe.h makes a typedef of this name for each tracepoint */
		return try_tracing(f, "btf_trace_", target, BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP);
	case HOOK_FENTRY:
		return try_tracing(f, "", target, BTF_KIND_FUNC, BPF_TRACE_FENTRY);
	case HOOK_RAW_TP:
		return try_raw_tp(target);
	case HOOK_KPROBE:
		return try_kprobe(target);
	}
	return -EINVAL;
}

/* The part of union bpf_attr that BPF_LINK_CREATE reads for BPF_TRACE_UPROBE_MULTI. */
struct uprobe_multi_attr {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 ref_ctr_offsets;
	__u64 cookies;
	__u32 count;
	__u32 multi_flags;
	__u32 pid;
	__u32 pad;
};

int features_uprobe_attach(int prog_fd, const char *path, uint64_t offset, bool ret)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = (__u32)prog_fd,
		.attach_type = FEATURES_UPROBE_MULTI,
		.path = (__u64)(unsigned long)path,
		.offsets = (__u64)(unsigned long)&offset,
		.count = 1,
		.multi_flags = ret ? FEATURES_UPROBE_MULTI_RETURN : 0,
	};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

bool features_uprobe_multi(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)FEATURES_UPROBE_MULTI);
	int prog = load_nothing(BPF_PROG_TYPE_KPROBE, &opts), err;

	if (prog < 0)
		return false;
	/* A kernel that knows the link gets as far as finding that this is no regular file. */
	err = features_uprobe_attach(prog, "/", 0, false);
	close(prog);
	return err == -EBADF;
}
