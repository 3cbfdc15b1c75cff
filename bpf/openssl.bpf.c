// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Thin wrappers around OpenSSL's functions: arguments and return values in, calls to library.bpf.c and
 * entered.bpf.c out. They are attached by file offset, without a process, to each TLS library found, so the
 * first thing each of them does is to leave when the thread is not a target's.
 *
 * Functions whose return matters get an entry and a return program at the same address: the entry
 * costs no trap of its own.
 *
 * No frame on the way from here may be larger than 48 bytes. From 6.13 on (a76ab5731e32) a frame of
 * 64, after rounding up, is taken from a stack of the CPU's own, as if no program of this type could
 * be preempted; those of uprobes can be, and then two tasks write to the same stack.
 */
#include "library.bpf.h"

/* int SSL_do_handshake(SSL *s); SSL_connect and SSL_accept have the same shape */
SEC("uprobe")
int BPF_KPROBE(uprobe_handshake, void *ssl)
{
	if (!tracing_armed())
		return 0;
	return handshake_from_wire() ? owner_enter((__u64)ssl) : handshake_enter((__u64)ssl);
}

SEC("uretprobe")
int BPF_KRETPROBE(uretprobe_handshake, int ret)
{
	return handshake_from_wire() ? owner_leave() : handshake_leave(ret);
}

/* void ERR_set_debug(const char *file, int line, const char *func), 3.0 and later */
SEC("uprobe")
int BPF_KPROBE(uprobe_err_debug, void *file, int line, const char *func)
{
	struct thread *t = thread_find();

	if (t && bpf_probe_read_user_str(t->func, sizeof(t->func), func) < 0)
		t->func[0] = '\0';
	return 0;
}

/* void ERR_vset_error(int lib, int reason, const char *fmt, va_list args), 3.0 and later */
SEC("uprobe")
int BPF_KPROBE(uprobe_err_vset, int lib, int reason)
{
	return error_raised(lib, reason);
}

/* void ERR_put_error(int lib, int func, int reason, const char *file, int line), up to 1.1.1 */
SEC("uprobe")
int BPF_KPROBE(uprobe_err_put, int lib, int func, int reason)
{
	return error_raised(lib, reason);
}

/* X509 *d2i_X509(X509 **a, const unsigned char **in, long len): libssl calls it for the peer's
 * certificates only */
SEC("uprobe")
int BPF_KPROBE(uprobe_certificate, void *a, const unsigned char **in, long len)
{
	__u64 der = 0;

	if (!thread_find() || bpf_probe_read_user(&der, sizeof(der), in))
		return 0;
	return certificate_read(len, der);
}

/* long SSL_get_verify_result(const SSL *ssl) */
SEC("uprobe")
int BPF_KPROBE(uprobe_verify, void *ssl)
{
	struct thread *t = thread_find();
	const struct tlsfail_conn *c;

	if (!t)
		return 0;
	c = conn_of_thread(t);
	t->verify_asked = c && (handshake_from_wire() || c->ssl == (__u64)ssl);
	if (!c)
		demand_note(TLSFAIL_D_VERIFY_IDLE);
	else if (c->role == TLSFAIL_ROLE_CLIENT)
		demand_note(TLSFAIL_D_VERIFY_CLIENT);
	if (t->verify_asked && entry_probes_only() && !handshake_from_wire())
		conclude_verified(t);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(uretprobe_verify, long code)
{
	struct thread *t = thread_find();

	if (!t || !t->verify_asked)
		return 0;
	t->verify_asked = 0;
	return verify_result((int)code);
}

/* const char *X509_verify_cert_error_string(long n): called to log a failed verification, so it
 * tells the result where a return probe must not be used */
SEC("uprobe")
int BPF_KPROBE(uprobe_verify_text, long code)
{
	return verify_result((int)code);
}

static __always_inline void host_read(struct thread *t, const char *name, size_t len)
{
	t->host[0] = '\0';
	/* A length of 0 means "terminated". */
	t->host_cut = len >= sizeof(t->host);
	if (!len || t->host_cut) {
		long n = bpf_probe_read_user_str(t->host, sizeof(t->host), name);

		if (n == sizeof(t->host))
			t->host_cut = 1;
		return;
	}
	len = at_most(len, sizeof(t->host) - 1);
	if (bpf_probe_read_user(t->host, len, name))
		len = 0;
	t->host[len] = '\0';
}

/* int X509_check_host(X509 *x, const char *chk, size_t chklen, unsigned int flags, char **name) */
SEC("uprobe")
int BPF_KPROBE(uprobe_host, void *cert, const char *name, size_t len)
{
	struct thread *t = thread_find();

	if (!t)
		return 0;
	host_read(t, name, len);
	return entry_probes_only() ? conclude_host_asked(t) : 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(uretprobe_host, int ret)
{
	return host_check_result(ret);
}

/* int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *session): after a handshake nginx calls it for
 * a client whose certificate it refuses, or that has none, and for no other */
SEC("uprobe")
int BPF_KPROBE(uprobe_session_removed)
{
	return session_removed();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
