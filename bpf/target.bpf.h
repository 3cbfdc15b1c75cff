/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes are targets, and their threads.
 */
#ifndef TARGET_BPF_H
#define TARGET_BPF_H

#include "ring.bpf.h"

/* What is looked at of a socket in each call. */
struct socket_view {
	__u64 addrpair;
	__u32 portpair;
	__u32 waiting; /* bytes that are there to be read, a FIN counted as one */
};

/* A thread of a target: what links a TLS library to the sockets it touches. */
struct thread {
	__u64 t_born; /* of the task, where it is found by a number, which is used again */
	__u32 tgid;
	__u8 in_handshake; /* inside SSL_do_handshake; from the wire the epoch of owner.bpf.c */
	__u8 verify_asked; /* inside SSL_get_verify_result for ssl */
	__u8 host_cut;
	__u8 blocked; /* its last I/O, on sk, found nothing to do */
	__u64 ssl;    /* SSL object whose handshake it drives, or drove last */
	__u64 sk;     /* connection of its last I/O, if it has an entry, or that of ssl */
	__u64 io_sk; /* of the call at hand; of one under way where hooks are at entry and return */
	struct socket_view io_view;
	struct buffers io; /* of the call at hand, and how much of it is still to be looked at */
	__u64 io_left;
	__u64 io_buf;	 /* of the buffer at hand: where, bytes or a negative errno, direction */
	__u32 kept_slot; /* which of the wires has a copy of its first bytes, where, and of how many */
	__u32 kept_at;
	__u32 kept_len;
	__u64 at; /* of them what is to be looked at next, and how much */
	__u32 left;
	__s32 io_ret;
	__u8 io_dir;
	__u8 io_peek;
	__u8 last_dir;	   /* its last I/O on a socket without an entry */
	__u8 orphan_apart; /* orphan followed such I/O: it may well be about that connection */
	__s32 last_ret;
	__u64 last_sk;
	__u8 last_head[TLSFAIL_HEAD_LEN];
	__u64 host_sk; /* without return probes: since X509_check_host for the SSL of this socket,
			 * the thread has done nothing else; or 0 */
	__u64 t_failed; /* when it closed a failed connection, and has not touched a socket since; or 0 */
	struct tlsfail_peer_key failed_peer; /* of that connection */
	struct tlsfail_error
		orphan; /* raised since the last I/O, about no connection that is known */
	char func[TLSFAIL_FUNC_LEN]; /* from ERR_set_debug, for the error that follows */
	char host[TLSFAIL_NAME_LEN]; /* from X509_check_host */
};

/* The calling thread's state, or NULL when it is not (yet) known as a target's. */
struct thread *thread_find(void);

/* The same; made when it is a target's. */
struct thread *thread_get(void);

/* The buffer at hand is another one. */
static __always_inline void thread_io_begin(struct thread *t, int ret, __u32 dir, __u64 buf)
{
	t->io_buf = buf;
	t->io_ret = ret;
	t->io_dir = dir;
	t->kept_len = 0;
}

/* A program was executed. */
int process_exec(void);

#endif
