/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the collector and the BPF side share through maps and read-only data: target selection and
 * counters. Unlike the ring ABI, which is to be included before, it never leaves the running program.
 */
#ifndef TLSFAIL_MAPS_H
#define TLSFAIL_MAPS_H

/* How a process becomes a target. */
enum tlsfail_select {
	TLSFAIL_SELECT_EXE = 0,	 /* its executable is in target_exes */
	TLSFAIL_SELECT_PID = 1,	 /* it, or its parent, is in target_pids */
	TLSFAIL_SELECT_COMM = 2, /* its command name is target_comm */
};

/* File names of executables that are looked at when they start, cut like a command name. */
#define TLSFAIL_EXEC_NAMES_MAX 32

/* Identity of an executable: dev as the kernel keeps it (major << 20 | minor), or 0 where the
 * device cannot be known from outside (overlayfs). */
struct tlsfail_exe_key {
	__u64 ino;
	__u32 dev;
	__u32 pad;
};

/* What is behind a connection in the table. */
struct tlsfail_kept {
	__u32 netns; /* see struct tlsfail_peer_key */
	__u32 pad;
	__u64 born; /* see struct tlsfail_conn */
};

/* What /proc/PID/stat has of the time when a process began: ns after the boot, in such units. */
#define TLSFAIL_TICK_NS 10000000

/* What is remembered of a peer. */
struct tlsfail_peer_state {
	struct tlsfail_peer_counts n;
	__u64 latency_ns; /* of the handshakes that were done, all together */
	__u64 t_cert;	  /* when its certificates were reported last */
	__u64 cert_print; /* which they were, see struct tlsfail_conn */
	__u64 t_suspect; /* when a connection was reported last that did not fail by what BPF knows */
	__u32 did_tls;	 /* it has sent a TLS record */
	__u32 tickets;	 /* it sends session tickets after handshakes of TLS 1.3 */
	__u32 cert_asked; /* a handshake without one was done, and told so */
	__u32 pad;
};

/* By what the collector decides which functions of TLS libraries it is attached to. BPF counts without care
 * for other CPUs: that something came matters, or that much did. */
enum tlsfail_demand {
	TLSFAIL_D_CERT_NEWS,	 /* a certificate that was not known of its peer, or was not read */
	TLSFAIL_D_CERT_FAILED,	 /* a failure that may be about one */
	TLSFAIL_D_CERT_KNOWN,	 /* read in vain: of a handshake that was done, and known */
	TLSFAIL_D_VERIFY_CLIENT, /* a verify result was asked for, of a server's certificate */
	TLSFAIL_D_VERIFY_FAILED, /* a client was refused, and its verify result was not asked for */
	TLSFAIL_D_VERIFY_IDLE,	 /* asked for in vain: again, for each request */
	TLSFAIL_D_OWNER,	 /* an error whose connection is not certain */
	TLSFAIL_DEMANDS,
};

enum tlsfail_counter {
	TLSFAIL_N_CLIENT_SEEN,
	TLSFAIL_N_CLIENT_DONE,
	TLSFAIL_N_CLIENT_OK, /* done, and then answered, or closed without a failure */
	TLSFAIL_N_RETRIED,   /* failures as the client that were followed by another attempt */
	TLSFAIL_N_SERVER_SEEN,
	TLSFAIL_N_SERVER_DONE,
	TLSFAIL_N_SERVER_OK,
	TLSFAIL_N_SERVER_FAILED, /* reported, or meant to be */
	TLSFAIL_N_REPORTED,
	TLSFAIL_N_LOST_CONN,
	TLSFAIL_N_LOST_WIRE,
	TLSFAIL_N_LOST_EXEC,
	TLSFAIL_N_UNTRACKED,
	TLSFAIL_N_UNOWNED, /* errors of a TLS library whose connection is not certain */
	TLSFAIL_N_UNSURE, /* handshakes that may be done: part of what passed could not be read, or the
			    * peer closed after it with what may be an answer */
	TLSFAIL_N_OTHER_SOCKET, /* handshakes as the client that are not over TCP */
	TLSFAIL_COUNTERS,
};

#define TLSFAIL_LATENCY_BUCKETS 32 /* bucket i: handshakes of [2^i, 2^(i+1)) microseconds */

/* One per CPU. */
struct tlsfail_counters {
	__u64 n[TLSFAIL_COUNTERS];
	__u64 latency[TLSFAIL_LATENCY_BUCKETS];
	__u64 latency_ns; /* sum */
};

#endif
