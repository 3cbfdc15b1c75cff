/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of a handshake: what is kept of them, their records and flights.
 */
#ifndef BYTES_BPF_H
#define BYTES_BPF_H

#include "table.bpf.h"

/* Another len bytes in that direction (enum tlsfail_dir), now in ns of the monotonic clock, or 0: not looked up yet. */
void flight_add(struct tlsfail_conn *c, __u32 dir, __u32 len, __u64 now);

/* Keeps the bytes of the thread's I/O at hand, so that what is read of them next comes from there; nonzero: some
 * are lost. */
int io_keep(struct tlsfail_conn *c, struct thread *t);

/* What the entry holds of what is sent, or has come, in the handshake. */
void bytes_sent(struct tlsfail_conn *c, const struct sock *sk, const struct thread *t);
void bytes_received(struct tlsfail_conn *c, const struct thread *t);

/* Keeps len bytes of user memory of the connection, whose role is known, as that of a direction (enum tlsfail_dir);
 * nonzero: some are lost. */
int wire_keep(struct tlsfail_conn *c, __u32 dir, __u32 len, __u64 buf);

/* Keeps the next certificate of the peer: len bytes of user memory at der. */
void wire_certificate(struct tlsfail_conn *c, __u32 len, __u64 der);

/* Sends the bytes kept for one direction; false: there are none, or they are lost. */
bool wire_report(struct tlsfail_conn *c, __u32 dir);

/* Its end without a report: the entry and its bytes go. */
void conn_forget(const struct sock *sk, struct tlsfail_conn *c);

/* As conn_find(); that of an earlier connection, whose end was not seen, is counted and forgotten. */
struct tlsfail_conn *conn_find_current(const struct sock *sk);
struct tlsfail_conn *conn_unless_earlier(struct tlsfail_conn *c, const struct sock *sk);

/* Follows the records in the bytes of the thread's I/O at hand. */
int records_follow(struct connection *e, struct thread *t);

/* The same where a client received the header of another record, and nothing else: it is kept as well. False: nothing
 * was done, as this is not what was expected next. */
bool header_follows(struct connection *e, __u64 buf);

/* Bytes have passed in that direction that cannot be followed. */
void stream_lose(struct connection *e, __u32 dir);

/* An alert in the user's buffer, as close_notify before a close, is no data. */
bool is_alert(__u64 buf);

/* The same of a client's that has finished, and may pad its records. */
bool is_clients_alert(const struct tlsfail_conn *c, __u64 buf);

#endif
