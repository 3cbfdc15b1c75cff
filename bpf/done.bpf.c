// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A handshake that is done is counted, and its certificates are reported if they are news: to those who watch
 * them, and for a failure of later that comes without.
 */
#include "done.bpf.h"

/* The same certificate of a peer is reported again after this time. */
const volatile __u64 cert_interval_ns = ~0ULL;

/* And another one of that peer not before this time has passed: one address may serve many names. */
const volatile __u64 cert_pause_ns = 0;

/* Once per peer and certificate and interval; a resumed handshake has no certificate. */
static __noinline int certificates_watch(struct tlsfail_conn *c)
{
	__u32 n;

	if (!c->cert_count) {
		peer_cert_missed(c);
		return 0;
	}
	if (!peer_cert_is_new(c, cert_interval_ns, cert_pause_ns)) {
		demand_note(TLSFAIL_D_CERT_KNOWN);
		return 0;
	}
	demand_note(TLSFAIL_D_CERT_NEWS);
	/* Whether a certificate of ours was asked for, and sent. */
	wire_report(c, TLSFAIL_DIR_SENT);
	wire_report(c, TLSFAIL_DIR_RECEIVED);
	for (n = 0; n < TLSFAIL_CERTS_MAX && n < c->cert_count; n++)
		wire_report(c, TLSFAIL_DIR_CERT + n);
	report_certs(c);
	return 0;
}

__hidden void handshake_done(const struct sock *sk, struct tlsfail_conn *c, __u64 now)
{
	c->handshake_ret = 1;
	c->flags |= TLSFAIL_F_DONE;
	c->t_done = now;
	if (!role_wanted(c->role)) {
		conn_forget(sk, c);
		return;
	}
	if (c->role == TLSFAIL_ROLE_SERVER) {
		count(TLSFAIL_N_SERVER_DONE);
		if (c->cert_count)
			demand_note(TLSFAIL_D_CERT_KNOWN);
		if (!server_keeps(sk, c))
			conn_succeed(sk, c);
		return;
	}
	count(TLSFAIL_N_CLIENT_DONE);
	count_latency(c->t_done - c->t_start);
	certificates_watch(c);
}
