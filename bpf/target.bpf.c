// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which processes are targets, and the threads of them that were seen. A thread is looked at once:
 * from then on its entry says that it is a target's. That a thread is no target's is remembered, too,
 * by each CPU for the threads it has seen last: they are nearly all of those that use a network.
 *
 * Where the kernel lets a program keep something with a task (5.12, a10787e6d58c), the entry is there: found without
 * a search, and gone with the thread. Else it is in a table.
 */
#include "target.bpf.h"

#define THREADS_MAX 2048

/* A power of two. */
#define STRANGERS_MAX 64

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, THREADS_MAX);
	__type(key, __u32); /* thread id */
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} task_threads SEC(".maps");

/* The collector's choice between the two. */
const volatile bool with_task = false;

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
	__type(value, __u64); /* when it began, in TLSFAIL_TICK_NS: numbers are used again */
} target_pids SEC(".maps");

struct stranger {
	__u64 t_born;
	__u32 tid;
	__u32 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STRANGERS_MAX);
	__type(key, __u32); /* thread id, its low bits */
	__type(value, struct stranger);
} strangers SEC(".maps");

/* Raised whenever what is a target changes: strangers of before are looked at again. */
__u32 target_generation = 0;

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

static __always_inline bool pid_selected(const struct task_struct *task)
{
	__u32 pid = BPF_CORE_READ(task, tgid);
	const __u64 *began = bpf_map_lookup_elem(&target_pids, &pid);
	__u64 born = process_born(task);

	return began && (!born || *began == born / TLSFAIL_TICK_NS);
}

static __noinline bool is_target(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	switch (target_select) {
	case TLSFAIL_SELECT_PID:
		return pid_selected(task) || pid_selected(BPF_CORE_READ(task, real_parent));
	case TLSFAIL_SELECT_COMM:
		return comm_equals(target_comm);
	}
	return exe_selected(task);
}

static __always_inline __u32 generation(void)
{
	return *(volatile __u32 *)&target_generation;
}

/* A thread changes its command name whenever it likes. */
static __always_inline bool strangers_stay(void)
{
	return target_select != TLSFAIL_SELECT_COMM;
}

static __always_inline struct stranger *stranger_slot(__u32 tid)
{
	__u32 slot = tid & (STRANGERS_MAX - 1);

	return bpf_map_lookup_elem(&strangers, &slot);
}

static __always_inline bool is_stranger(__u32 tid, __u64 t_born)
{
	const struct stranger *s = strangers_stay() ? stranger_slot(tid) : NULL;

	return s && s->tid == tid && s->t_born == t_born && s->generation == generation();
}

static __always_inline void stranger_remember(__u32 tid, __u64 t_born)
{
	struct stranger *s = stranger_slot(tid);

	if (!s)
		return;
	s->tid = tid;
	s->t_born = t_born;
	s->generation = generation();
}

static __always_inline struct thread *in_table(__u32 tid, __u64 t_born)
{
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);

	return t && t->t_born == t_born ? t : NULL;
}

static __always_inline struct thread *of_task(__u64 flags)
{
	return bpf_task_storage_get(&task_threads, bpf_get_current_task_btf(), NULL, flags);
}

__hidden struct thread *thread_find(void)
{
	return with_task ? of_task(0) : in_table(bpf_get_current_pid_tgid(), current_born());
}

static __always_inline struct thread *thread_new(__u32 tid)
{
	if (with_task)
		return of_task(BPF_LOCAL_STORAGE_GET_F_CREATE);
	bpf_map_update_elem(&threads, &tid, &new_thread, BPF_ANY);
	return bpf_map_lookup_elem(&threads, &tid);
}

static __always_inline void thread_forget(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	if (with_task)
		bpf_task_storage_delete(&task_threads, bpf_get_current_task_btf());
	else
		bpf_map_delete_elem(&threads, &tid);
}

__hidden struct thread *thread_get(void)
{
	__u64 id = bpf_get_current_pid_tgid(), t_born = current_born();
	struct thread *t = with_task ? of_task(0) : NULL;

	if (t)
		return t;
	if (is_stranger(id, t_born))
		return NULL;
	if (!with_task)
		t = in_table(id, t_born);
	if (t)
		return t;
	if (!is_target()) {
		stranger_remember(id, t_born);
		return NULL;
	}
	t = thread_new(id);
	if (!t) {
		count(TLSFAIL_N_UNTRACKED);
		return NULL;
	}
	t->tgid = id >> 32;
	t->t_born = t_born;
	return t;
}

__hidden int process_exec(void)
{
	struct tlsfail_exec rec = {};

	/* Another program now, whatever the thread was before. */
	thread_forget();
	if (is_target())
		__sync_fetch_and_add(&target_generation, 1);
	else if (!exe_named())
		return 0;
	rec.t = bpf_ktime_get_ns();
	rec.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	report_exec(&rec);
	return 0;
}
