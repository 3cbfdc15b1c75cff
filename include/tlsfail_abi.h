/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ring ABI: what the BPF side sends to the collector, and, byte for byte, what a recording
 * holds. Shared by both sides, so: fixed-width fields, explicit padding, sizes asserted. It is in
 * the byte order of the host. A change of any layout raises TLSFAIL_ABI_VERSION.
 *
 * The includer provides __u8 ... __u64 (vmlinux.h in BPF, <linux/types.h> elsewhere).
 */
#ifndef TLSFAIL_ABI_H
#define TLSFAIL_ABI_H

#define TLSFAIL_ABI_VERSION 3

/* Records of these versions are read. Until 1, a connection ended before its peer's counts; until 2, network
 * namespaces were not known, and peers counted by their address alone. */
#define TLSFAIL_ABI_OLDEST    1
#define TLSFAIL_ABI1_CONN_LEN 784

/* Bytes of each direction of a handshake that are kept: OpenSSL 3.5's hybrid ClientHello is about
 * 1,600, a TLS 1.2 server flight with two EC certificates about 2,500. */
#define TLSFAIL_WIRE_CAP   4096
#define TLSFAIL_WIRE_CHUNK 512 /* one copy step; the buffer has this much slack behind its end */

#define TLSFAIL_COMM_LEN    16 /* TASK_COMM_LEN */
#define TLSFAIL_FUNC_LEN    48
#define TLSFAIL_NAME_LEN    128 /* a host name asked for; longer ones are marked as cut */
#define TLSFAIL_HEAD_LEN    16
#define TLSFAIL_ERRORS_MAX  4
#define TLSFAIL_POST_RX	    4
#define TLSFAIL_CERTS_MAX   6 /* of a chain; more are counted */
#define TLSFAIL_FLIGHTS_MAX 16

enum tlsfail_record_type {
	/* from BPF */
	TLSFAIL_REC_CONN = 1,
	TLSFAIL_REC_WIRE = 2,
	TLSFAIL_REC_EXEC = 3,
	TLSFAIL_REC_CERTS = 4,
	/* made by the collector, so that a recording is complete */
	TLSFAIL_REC_CLOCK = 16,
	TLSFAIL_REC_HOST = 17,
	TLSFAIL_REC_PROCESS = 18,
	TLSFAIL_REC_LOSS = 19,
	TLSFAIL_REC_TOTALS = 20,
	TLSFAIL_REC_PEER = 22,
	TLSFAIL_REC_LOG_LINE = 23,
	TLSFAIL_REC_NGINX = 21,
};

/* Each record begins with this. len is the whole record with this header and is not padded. */
struct tlsfail_header {
	__u16 type;
	__u16 version;
	__u32 len;
};

enum tlsfail_role {
	TLSFAIL_ROLE_UNKNOWN = 0,
	TLSFAIL_ROLE_CLIENT = 1,
	TLSFAIL_ROLE_SERVER = 2,
};

/* What the bytes of a wire record are. */
enum tlsfail_dir {
	TLSFAIL_DIR_SENT = 0,
	TLSFAIL_DIR_RECEIVED = 1,
	/* and from here on the certificates of the peer, leaf first, in DER, as the TLS library
	 * took them out of its Certificate message */
	TLSFAIL_DIR_CERT = 2,
	TLSFAIL_DIR_COUNT = TLSFAIL_DIR_CERT + TLSFAIL_CERTS_MAX,
};

/* In place of connect()'s errno: there was one, which was gone before it could be read. No errno is as large
 * (MAX_ERRNO in include/linux/err.h). */
#define TLSFAIL_E_TAKEN 4096

/* What was seen on a connection. Facts only; what they mean is decided by the collector. */
enum tlsfail_conn_flags {
	TLSFAIL_F_CONNECT = 1 << 0,	  /* its connect() was seen (CLOSE to SYN_SENT) */
	TLSFAIL_F_ESTABLISHED = 1 << 1,	  /* TCP was established */
	TLSFAIL_F_REFUSED = 1 << 2,	  /* the SYN was answered by RST */
	TLSFAIL_F_TLS = 1 << 3,		  /* handshake I/O, or a TLS error, was seen */
	TLSFAIL_F_DONE = 1 << 4,	  /* the handshake function returned 1 */
	TLSFAIL_F_PEER_FIN = 1 << 5,	  /* ESTABLISHED to CLOSE_WAIT */
	TLSFAIL_F_PEER_RST = 1 << 6,	  /* RST received */
	TLSFAIL_F_LOCAL_FIN = 1 << 7,	  /* closed here while the peer had not */
	TLSFAIL_F_LOCAL_RST = 1 << 8,	  /* RST sent */
	TLSFAIL_F_VERIFY_ASKED = 1 << 9,  /* the program asked for the verify result */
	TLSFAIL_F_HOST_CHECKED = 1 << 10, /* X509_check_host was called */
	TLSFAIL_F_HOST_REFUSED = 1 << 11, /* and its last call said no */
	TLSFAIL_F_PEER_DID_TLS = 1 << 12, /* this peer has sent TLS records before */
	TLSFAIL_F_RX_BEFORE_TX =
		1 << 13, /* bytes of the peer were there as soon as our first were sent */
	TLSFAIL_F_FIN_BEFORE_TX = 1 << 14, /* the peer's FIN arrived before our first byte */
	TLSFAIL_F_NO_WIRE = 1 << 15,	   /* wire bytes could not be kept, or were evicted */
	TLSFAIL_F_WIRE_CUT = 1 << 16,	   /* more wire bytes than TLSFAIL_WIRE_CAP */
	TLSFAIL_F_HOST_CUT = 1 << 17,	   /* host is longer than what is kept */
	TLSFAIL_F_LOCAL_NOTIFY = 1 << 18,  /* close_notify sent while the peer had not closed */
	TLSFAIL_F_EXITING = 1 << 19,	   /* closed because the process was ending */
	TLSFAIL_F_ENTRY_ONLY = 1 << 20,	   /* no return probes: that the handshake was done, and
					    * what X509_check_host said, is concluded */
	/* as the server */
	TLSFAIL_F_PLAIN = 1 << 21, /* the first byte, which the program looked at before it began
					 * a handshake, is not TLS */
	TLSFAIL_F_CERT_EMPTY = 1 << 22, /* the client answered with an empty Certificate: a record
					 * of that length came */
	TLSFAIL_F_SESSION_REMOVED = 1 << 23, /* after the handshake the program had the session
					      * thrown away */
	TLSFAIL_F_RETRY = 1 << 24, /* as the client: its thread connected as soon as it had closed a
				    * failed connection, no socket touched in between */
	TLSFAIL_F_OPEN = 1 << 25,  /* by the collector: not closed yet when tracing ended */
	TLSFAIL_F_PEER_NOTIFY = 1 << 26, /* close_notify received after the handshake, while we had
					  * not closed */
	TLSFAIL_F_PEER_SPOKE =
		1 << 27,	       /* as the client: bytes in clear came before the handshake */
	TLSFAIL_F_ALL = (1 << 28) - 1, /* a record with any other is not of this ABI */
};

/* One entry of OpenSSL's error queue, as it was raised. */
struct tlsfail_error {
	__u64 t; /* ns */
	__u32 lib;
	__u32 reason;
};

/* Bytes that went in one direction without any in the other in between. */
struct tlsfail_flight {
	__u32 t_us; /* of its first byte, since t_start */
	__u32 len;
	__u8 dir;
	__u8 pad[3];
};

struct tlsfail_peer_key {
	__u8 addr[16];
	__u16 family;
	__u16 port;
	__u32 netns; /* inode of the network namespace that it is reached from, 0 unknown */
};

/* Handshakes with a peer that have ended. Times are CLOCK_MONOTONIC in ns, 0 when it did not happen.
 * done counts those that were not refused afterwards either, failed also connections that failed
 * before a handshake. */
struct tlsfail_peer_counts {
	__u64 t_first;	 /* beginning of the first */
	__u64 t_done;	 /* the last that was done */
	__u64 t_failed;	 /* the last that failed */
	__u64 t_failing; /* the first that failed since the last that was done */
	__u64 done;
	__u64 failed;
	__u64 streak;  /* failed since the last that was done */
	__u64 retried; /* failed, and followed by a connection with TLSFAIL_F_RETRY */
};

/*
 * A connection whose handshake failed, complete: sent when its socket is closed here.
 * Times are CLOCK_MONOTONIC in ns, 0 when it did not happen. Addresses are in network order, IPv4
 * in the first four bytes; ports in host order.
 */
struct tlsfail_conn {
	struct tlsfail_header h;
	__u64 id; /* unique on this host; joins the wire records to it */

	__u64 t_start; /* connect(), accepted by the kernel, or the first sight of the socket */
	__u64 t_established;
	__u64 t_first_tx;
	__u64 t_first_rx;
	__u64 t_last_io;
	__u64 t_done;
	__u64 t_request; /* first application data sent, or as the server received */
	__u64 t_peer_fin;
	__u64 t_peer_rst;
	__u64 t_close;

	__u32 pid; /* thread group */
	__u32 tid;
	char comm[TLSFAIL_COMM_LEN];
	/* in a record: inode of the socket's network namespace, 0 unknown; until then, the SSL object */
	union {
		__u64 netns;
		__u64 ssl;
	};
	/* in a record: when its process began, in ns after the boot, 0 unknown; until then, the end of the
	 * leaf's signature, folded, which tells certificates apart. Earlier records have that here. */
	union {
		__u64 born;
		__u64 cert_print;
	};

	__u32 flags;
	__u16 family; /* AF_INET 2, AF_INET6 10 */
	__u8 role;
	__u8 last_dir;
	__u16 lport;
	__u16 rport;
	__s32 last_ret; /* of the last handshake I/O: bytes, 0 at end of file, negative errno; where TCP
			 * was not connected, of connect(), or -TLSFAIL_E_TAKEN */
	__u8 laddr[16];
	__u8 raddr[16];

	/* handshake bytes through the socket, and application bytes after it */
	__u64 tx_bytes;
	__u64 rx_bytes;
	__u64 post_tx_bytes;
	__u64 post_rx_bytes;

	/* struct tcp_sock at the end */
	__u64 tcp_bytes_sent;
	__u64 tcp_bytes_acked;
	__u64 tcp_bytes_received;
	__u32 tcp_srtt_us; /* in eighths of a microsecond, as the kernel keeps it */
	__u32 tcp_retransmits;

	__s32 handshake_ret; /* of the last return of the handshake function */
	__s32 verify_code;   /* X509_V_*; valid with TLSFAIL_F_VERIFY_ASKED */
	__u32 error_count;   /* errors raised; the first TLSFAIL_ERRORS_MAX are kept */
	__u32 post_rx_records;
	__u32 post_skip;  /* bytes left of the record that is coming in after the handshake */
	__u32 cert_count; /* certificates of the peer */
	/* lengths of records after the handshake, without their headers */
	__u16 post_rx_len[TLSFAIL_POST_RX];
	/* Of the handshake and after it. The last entry is the last flight, if there are more. */
	__u32 flight_count;
	__u16 rx_types;	  /* without return probes: types of the records received, as bits from
			   * change_cipher_spec (20) on */
	__u16 post_sends; /* as the server: sends after the handshake */
	struct tlsfail_flight flights[TLSFAIL_FLIGHTS_MAX];
	struct tlsfail_error errors[TLSFAIL_ERRORS_MAX];
	char error_func[TLSFAIL_FUNC_LEN]; /* OpenSSL function that raised errors[0]; may be "" */
	char host[TLSFAIL_NAME_LEN];	   /* name given to X509_check_host */

	__u32 first_tx_len; /* of the first handshake send */
	__u32 last_tx_len;
	__u32 first_rx_kept; /* valid bytes in first_rx */
	__u32 last_rx_len;
	__u8 first_rx[TLSFAIL_HEAD_LEN];
	__u8 last_tx[TLSFAIL_HEAD_LEN]; /* beginning of the last handshake send */
	__u8 last_rx[TLSFAIL_HEAD_LEN];

	/* As the client: the counts of the peer when this failure had been counted. t_first 0: there
	 * are none. */
	struct tlsfail_peer_counts peer;
};

/* The first TLSFAIL_WIRE_CAP handshake bytes of one direction, or a certificate. Sent before its
 * connection. */
struct tlsfail_wire {
	struct tlsfail_header h; /* h.len covers data[0 .. data_len) */
	__u64 id;
	__u32 data_len;
	__u8 dir;
	__u8 cut; /* more bytes were sent or received than are kept here */
	__u8 pad[2];
	__u8 data[TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK];
};
#define TLSFAIL_WIRE_FIXED 24 /* offset of data */

/* A handshake completed with certificates that were not seen at that peer before, or not for a
 * while. Its certificates were sent before it, as wire records. */
struct tlsfail_certs {
	struct tlsfail_header h;
	__u64 id;
	__u64 t;
	__u32 pid;
	__u32 cert_count;
	__u16 family;
	__u16 rport;
	__u32 pad;
	__u8 raddr[16];
};

/* A process of interest has executed a program: its libraries are to be looked at. */
struct tlsfail_exec {
	struct tlsfail_header h;
	__u64 t;
	__u32 pid;
	__u32 pad;
	char comm[TLSFAIL_COMM_LEN];
};

/* CLOCK_MONOTONIC and CLOCK_REALTIME read together, ns. Repeated when the clock is stepped. */
struct tlsfail_clock {
	struct tlsfail_header h;
	__u64 monotonic;
	__u64 realtime;
};

#define TLSFAIL_STRING_MAX 4096 /* PATH_MAX */

/* The traced host. name[name_len], no terminator. */
struct tlsfail_host {
	struct tlsfail_header h;
	__u32 name_len;
	__u32 pad;
	char name[];
};

/* A traced process, before its first connection. data: executable path, TLS library path, TLS
 * library version, one after the other, no terminators; a length of 0: unknown. Behind the version there
 * may be a NUL and where it runs: the inode of its network namespace in decimal, and in a container a
 * space and the container's id. */
struct tlsfail_process {
	struct tlsfail_header h;
	__u32 pid;
	__u32 exe_len;
	__u32 lib_len;
	__u32 version_len;
	char data[];
};

#define TLSFAIL_LOG_LEVELS 9

/* A line of nginx's error.log about a connection, which comes after it; or one about TLS for which no
 * connection came. data: path of the file, text of the line without its context (client, request
 * ...), no terminators. */
struct tlsfail_log_line {
	struct tlsfail_header h;
	__u64 id;	  /* of the connection; 0: none came */
	__u64 connection; /* nginx's number of its client's connection, 0 unknown */
	__u32 pid;
	__u32 file_len;
	__u32 text_len;
	__u8 level; /* nginx's: 1 emerg ... 8 debug, 0 stderr; below TLSFAIL_LOG_LEVELS */
	__u8 pad[3];
	char data[];
};

#define TLSFAIL_NGINX_SLOTS 256
#define TLSFAIL_NGINX_DATA  12000

/* Slots from here on are about addresses of this side, which clients have connected to. */
#define TLSFAIL_NGINX_SERVER_SLOT 192

/* Places in nginx's configuration that pass from a process to a peer, before the connections that
 * it is about; or, by its slot, the server block for an address of this side. It replaces what was
 * said of the slot before. data: src/program/nginx/place.h. */
struct tlsfail_nginx {
	struct tlsfail_header h;
	__u32 pid;
	__u32 slot; /* below TLSFAIL_NGINX_SLOTS */
	__u16 family;
	__u16 rport;
	__u8 raddr[16];
	__u32 data_len; /* at most TLSFAIL_NGINX_DATA */
	__u8 data[];
};

/* What did not reach the collector. */
struct tlsfail_lost {
	__u64 conns;	 /* failures that did not fit into the ring */
	__u64 wires;	 /* wire bytes that did not fit into the ring or the table */
	__u64 untracked; /* connections that did not fit into the table, or whose end was not seen */
	__u64 execs;	 /* process starts that did not fit into the ring */
};

/* Losses since the last record of this kind. */
struct tlsfail_loss {
	struct tlsfail_header h;
	__u64 t;
	struct tlsfail_lost lost;
};

/* A peer's counts since it was first seen: to see it recover, and before a summary. */
struct tlsfail_peer {
	struct tlsfail_header h;
	__u64 t; /* when it was read */
	struct tlsfail_peer_key key;
	struct tlsfail_peer_counts n;
};

/* Counters since the start; the last record of a complete recording. */
struct tlsfail_totals {
	struct tlsfail_header h;
	__u64 t;
	__u64 client_seen; /* handshakes begun, by role */
	__u64 client_done; /* handshakes that completed */
	__u64 server_seen;
	__u64 server_done;
	__u64 server_failed; /* handshakes and connections that were reported */
	__u64 records;	     /* ring records received */
	__u64 reported;	     /* failures sent by BPF */
	struct tlsfail_lost lost;
};

_Static_assert(sizeof(struct tlsfail_header) == 8, "ABI");
_Static_assert(sizeof(struct tlsfail_error) == 16, "ABI");
_Static_assert(sizeof(struct tlsfail_flight) == 12, "ABI");
_Static_assert(sizeof(struct tlsfail_conn) == 848, "ABI");
_Static_assert(__builtin_offsetof(struct tlsfail_conn, peer) == TLSFAIL_ABI1_CONN_LEN, "ABI 1");
_Static_assert(__builtin_offsetof(struct tlsfail_wire, data) == TLSFAIL_WIRE_FIXED, "ABI");
_Static_assert(sizeof(struct tlsfail_certs) == 56, "ABI");
_Static_assert(sizeof(struct tlsfail_exec) == 40, "ABI");
_Static_assert(sizeof(struct tlsfail_clock) == 24, "ABI");
_Static_assert(sizeof(struct tlsfail_host) == 16, "ABI");
_Static_assert(sizeof(struct tlsfail_process) == 24, "ABI");
_Static_assert(sizeof(struct tlsfail_log_line) == 40, "ABI");
_Static_assert(sizeof(struct tlsfail_nginx) == 40, "ABI");
_Static_assert(sizeof(struct tlsfail_loss) == 48, "ABI");
_Static_assert(sizeof(struct tlsfail_peer_key) == 24, "ABI");
_Static_assert(sizeof(struct tlsfail_peer) == 104, "ABI");
_Static_assert(sizeof(struct tlsfail_totals) == 104, "ABI");

#endif
