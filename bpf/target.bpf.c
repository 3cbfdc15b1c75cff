// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which processes are targets, and the threads of them that were seen. A thread is looked at once:
 * from then on its entry says that it is a target's.
 */
#include "conn.bpf.h"
#include <bpf/bpf_core_read.h>

#define THREADS_MAX 4096

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, THREADS_MAX);
	__type(key, __u32); /* thread id */
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct tlsfail_exe_key);
	__type(value, __u8);
} target_exes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u8);
} target_pids SEC(".maps");

const volatile __u32 target_select = TLSFAIL_SELECT_EXE;
const volatile char target_comm[TLSFAIL_COMM_LEN] = "";
/* Executables of these names are reported when they start, so that their libraries are looked at;
 * those that are known by their inode are reported in any case. */
const volatile char exec_names[TLSFAIL_EXEC_NAMES_MAX][TLSFAIL_COMM_LEN] = {};
const volatile __u32 exec_name_count = 0;

static const struct thread new_thread;

static __always_inline bool name_equals(const char *name, const volatile char *wanted)
{
	int i;

	for (i = 0; i < TLSFAIL_COMM_LEN; i++) {
		if (name[i] != wanted[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

static __always_inline bool comm_equals(const volatile char *wanted)
{
	char comm[TLSFAIL_COMM_LEN] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	return name_equals(comm, wanted);
}

/* By the name of the file itself: the command name is that of a link that led there. */
static __noinline bool exe_named(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const unsigned char *name = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name);
	char file[TLSFAIL_COMM_LEN] = {};
	__u32 i;

	if (bpf_probe_read_kernel_str(file, sizeof(file), name) < 0)
		return false;
	for (i = 0; i < TLSFAIL_EXEC_NAMES_MAX && i < exec_name_count; i++)
		if (name_equals(file, exec_names[i]))
			return true;
	return false;
}

static __always_inline bool exe_selected(struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct tlsfail_exe_key key = {};

	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (bpf_map_lookup_elem(&target_exes, &key))
		return true;
	key.dev = 0;
	return bpf_map_lookup_elem(&target_exes, &key);
}

static __always_inline bool pid_selected(struct task_struct *task)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&target_pids, &pid))
		return true;
	pid = BPF_CORE_READ(task, real_parent, tgid);
	return bpf_map_lookup_elem(&target_pids, &pid);
}

static __noinline bool is_target(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	switch (target_select) {
	case TLSFAIL_SELECT_PID:
		return pid_selected(task);
	case TLSFAIL_SELECT_COMM:
		return comm_equals(target_comm);
	}
	return exe_selected(task);
}

__hidden struct thread *thread_find(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);

	return t && t->tgid == id >> 32 ? t : NULL;
}

__hidden struct thread *thread_get(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct thread *t = thread_find();

	if (t)
		return t;
	if (!is_target())
		return NULL;
	bpf_map_update_elem(&threads, &tid, &new_thread, BPF_ANY);
	t = bpf_map_lookup_elem(&threads, &tid);
	if (t)
		t->tgid = id >> 32;
	return t;
}

__hidden int process_exec(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct tlsfail_exec rec = {};

	/* Another program now, whatever the thread was before. */
	bpf_map_delete_elem(&threads, &tid);
	if (!is_target() && !exe_named())
		return 0;
	rec.t = bpf_ktime_get_ns();
	rec.pid = id >> 32;
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	report_exec(&rec);
	return 0;
}
