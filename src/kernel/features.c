// SPDX-License-Identifier: BSD-2-Clause
/*
 * Probes by trying. Everything that is attached here is detached before the function returns.
 */
#include "kernel/features.h"

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

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The kernel's own errno for "this architecture cannot"; user space has no name for it. */
#define ENOTSUPP 524

#define MAP_ENTRY_LEN  4096 /* bytes */
#define TASK_VALUE_LEN 512  /* bytes, about as many as are kept */

struct features {
	struct btf *btf; /* of the kernel */
};

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* bpf_probe_read_kernel(fp - 8, 8, NULL); r0 = 0; exit */
static const struct bpf_insn reads_kernel[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
	{ .code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_1, .imm = -8 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
	{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* fd, or -1 with errno, of an attempt: 0, or the negative errno. */
static int attempt_end(int fd)
{
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int load_nothing(enum bpf_prog_type type, const struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "tlsfail_try", "GPL", nothing, ARRAY_LEN(nothing), opts);

	return fd < 0 ? -errno : fd;
}

int features_try_load(void)
{
	return attempt_end(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "tlsfail_try", "GPL",
					 nothing, ARRAY_LEN(nothing), NULL));
}

int features_try_kernel_read(void)
{
	return attempt_end(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "tlsfail_try", "GPL",
					 reads_kernel, ARRAY_LEN(reads_kernel), NULL));
}

int features_try_ring_buffer(void)
{
	return attempt_end(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tlsfail_try", 0, 0,
					  (__u32)sysconf(_SC_PAGESIZE), NULL));
}

int features_try_maps(size_t bytes)
{
	__u32 entries = (__u32)(bytes / MAP_ENTRY_LEN);

	return attempt_end(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tlsfail_try", sizeof(__u32),
					  MAP_ENTRY_LEN, entries, NULL));
}

int features_open(struct features **out)
{
	struct features *f;
	int err;

	err = features_try_load();
	if (err)
		return err;
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

/* Can prog, which is closed, be attached? name: of a raw tracepoint, or NULL. */
static int try_attach(const char *name, int prog)
{
	int link, err = 0;

	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(name, prog);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(prog);
	return err;
}

/* A tracing program: of BTF kind what, named prefix + target. */
static int try_tracing(const struct features *f, const char *prefix, const char *target,
		       __u32 btf_kind, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	char name[128];
	int id;

	snprintf(name, sizeof(name), "%s%s", prefix, target);
	id = btf__find_by_name_kind(f->btf, name, btf_kind);
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	return try_attach(NULL, load_nothing(BPF_PROG_TYPE_TRACING, &opts));
}

/* A number out of sysfs, which follows prefix; a negative errno on failure. */
static int sysfs_number(const char *path, const char *prefix)
{
	char buf[32] = "";
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0 || strncmp(buf, prefix, strlen(prefix)) != 0)
		return -EINVAL;
	return (int)strtol(buf + strlen(prefix), NULL, 10);
}

/* An event of the PMU that sysfs tells of: "kprobe" or "uprobe". The kernel has no such PMU when
 * it was built without CONFIG_KPROBE_EVENTS or CONFIG_UPROBE_EVENTS. */
static int probe_open(const char *pmu, bool ret, pid_t pid, const char *where, uint64_t offset)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int type, bit = 0;
	char path[128];
	long fd;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", pmu);
	type = sysfs_number(path, "");
	if (type < 0)
		return type == -ENOENT ? -EOPNOTSUPP : type;
	if (ret) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/format/retprobe",
			 pmu);
		bit = sysfs_number(path, "config:");
		if (bit < 0)
			return bit;
	}
	attr.type = (__u32)type;
	attr.config = ret ? 1ULL << bit : 0;
	attr.config1 = (__u64)(unsigned long)where;
	attr.config2 = offset;
	fd = syscall(__NR_perf_event_open, &attr, pid, pid < 0 ? 0 : -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

int features_uprobe_open(pid_t pid, const char *path, uint64_t offset, bool ret)
{
	return probe_open("uprobe", ret, pid, path, offset);
}

static int try_kprobe(const char *target)
{
	int fd = probe_open("kprobe", false, -1, target, 0);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int try_kind(const struct features *f, enum hook_kind kind, const char *target)
{
	switch (kind) {
	case HOOK_TP_BTF:
		/* include/trace/bpf_probe.h makes a typedef of this name for each tracepoint */
		return try_tracing(f, "btf_trace_", target, BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP);
	case HOOK_FENTRY:
		return try_tracing(f, "", target, BTF_KIND_FUNC, BPF_TRACE_FENTRY);
	case HOOK_RAW_TP:
		return try_attach(target, load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL));
	case HOOK_KPROBE:
		return try_kprobe(target);
	case HOOK_WIRE:
	case HOOK_UPROBE:
		return 0;
	}
	return -EINVAL;
}

int features_try(const struct features *f, enum hook_kind kind, const char *target)
{
	int err = try_kind(f, kind, target);

	return err == -ENOTSUPP ? -EOPNOTSUPP : err;
}

const char *features_explain(enum hook_kind kind, int err)
{
	bool tracepoint = kind == HOOK_TP_BTF || kind == HOOK_RAW_TP;

	switch (err) {
	case -ENOENT:
		return tracepoint ? "this kernel has no such tracepoint"
				  : "this kernel has no such function";
	case -EOPNOTSUPP:
		return kind == HOOK_KPROBE ? "this kernel was built without kprobes"
					   : "not on this architecture";
	case -EPERM:
	case -EACCES:
		return "this kernel does not allow it (EPERM)";
	case -EBUSY:
		return "another tracer is using the function (EBUSY)";
	}
	return strerror(-err);
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

/* A map that keeps TASK_VALUE_LEN bytes with a task, or the negative errno. */
static int task_storage_create(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *types = btf__new_empty();
	int map = -ENOMEM;

	if (!types)
		return map;
	opts.btf_key_type_id = (__u32)btf__add_int(types, "int", sizeof(int), BTF_INT_SIGNED);
	opts.btf_value_type_id = (__u32)btf__add_array(types, 1, 1, TASK_VALUE_LEN / sizeof(int));
	if (!btf__load_into_kernel(types)) {
		opts.btf_fd = (__u32)btf__fd(types);
		map = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "tlsfail_try", sizeof(int),
				     TASK_VALUE_LEN, 0, &opts);
	}
	btf__free(types);
	return map;
}

/* Linux 7.2 takes the memory from kmalloc_nolock(), which has none on a CPU without CMPXCHG16B, as that of some
 * virtual machines is: then there is the map, and nothing can be kept in it. */
static bool task_storage_keeps(void)
{
	int value[TASK_VALUE_LEN / sizeof(int)] = { 0 };
	int task = (int)syscall(SYS_pidfd_open, getpid(), 0), map = task_storage_create();
	bool keeps = task >= 0 && map >= 0 && !bpf_map_update_elem(map, &task, value, BPF_ANY);

	if (task >= 0)
		close(task);
	if (map >= 0)
		close(map);
	return keeps;
}

bool features_task_storage(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get, NULL) ==
		       1 &&
	       task_storage_keeps();
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
