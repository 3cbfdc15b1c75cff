// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hook table as data. A new fallback is a row here and a program beside its siblings in
 * bpf/tcp.bpf.c.
 */
#include "kernel/hooks.h"

#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

const struct hook hook_table[] = {
	{ FACT_HANDSHAKE, HOOK_WIRE, { { NULL, NULL } } },
	{ FACT_HANDSHAKE, HOOK_UPROBE, { { NULL, NULL } } },

	/* sock_send_length and sock_recv_length: 6.3, 6e6eda44b939 */
	{ FACT_WIRE,
	  HOOK_TP_BTF,
	  { { "wire_tp_send", "sock_send_length" },
	    { "wire_tp_recv", "sock_recv_length" },
	    { "wire_tp_next", NULL } } },
	{ FACT_WIRE,
	  HOOK_FENTRY,
	  { { "wire_fentry_send", "tcp_sendmsg" },
	    { "wire_fexit_send", "tcp_sendmsg" },
	    { "wire_fentry_recv", "inet_recvmsg" },
	    { "wire_fexit_recv", "inet_recvmsg" },
	    { "wire_fentry_recv6", "inet6_recvmsg" },
	    { "wire_fexit_recv6", "inet6_recvmsg" } } },
	{ FACT_WIRE,
	  HOOK_KPROBE,
	  { { "wire_kprobe_send", "tcp_sendmsg" },
	    { "wire_kretprobe_send", "tcp_sendmsg" },
	    { "wire_kprobe_recv", "inet_recvmsg" },
	    { "wire_kretprobe_recv", "inet_recvmsg" },
	    { "wire_kprobe_recv6", "inet6_recvmsg" },
	    { "wire_kretprobe_recv6", "inet6_recvmsg" } } },

	{ FACT_STATE, HOOK_TP_BTF, { { "state_tp", "inet_sock_set_state" } } },
	{ FACT_STATE, HOOK_RAW_TP, { { "state_raw_tp", "inet_sock_set_state" } } },

	{ FACT_CLOSE, HOOK_FENTRY, { { "close_fentry", "tcp_close" } } },
	{ FACT_CLOSE, HOOK_KPROBE, { { "close_kprobe", "tcp_close" } } },
	/* together with FACT_STATE */
	{ FACT_CLOSE, HOOK_TP_BTF, { { "close_tp", "tcp_destroy_sock" } } },
	{ FACT_CLOSE, HOOK_RAW_TP, { { "close_raw_tp", "tcp_destroy_sock" } } },

	{ FACT_RESET,
	  HOOK_TP_BTF,
	  { { "reset_tp_received", "tcp_receive_reset" }, { "reset_tp_sent", "tcp_send_reset" } } },
	{ FACT_RESET,
	  HOOK_RAW_TP,
	  { { "reset_raw_tp_received", "tcp_receive_reset" },
	    { "reset_raw_tp_sent", "tcp_send_reset" } } },
	{ FACT_RESET,
	  HOOK_KPROBE,
	  { { "reset_kprobe_received", "tcp_reset" },
	    { "reset_kprobe_sent", "tcp_send_active_reset" } } },

	{ FACT_EXEC, HOOK_TP_BTF, { { "exec_tp", "sched_process_exec" } } },
	{ FACT_EXEC, HOOK_RAW_TP, { { "exec_raw_tp", "sched_process_exec" } } },
};
const size_t hook_table_len = ARRAY_LEN(hook_table);

/*
 * SSL_connect and SSL_accept call SSL_do_handshake in every OpenSSL and BoringSSL, so they need no
 * rows. The stubs are on the error path only. In libcrypto itself the error functions are hit some
 * ten times in every healthy handshake, so those come last; BPF goes by the library number.
 *
 * SSL_get_verify_result is asked for where the wire tells of handshakes, too: a client's certificate that
 * OCSP refuses is one whose verify result is fine.
 */
const struct lib_hook lib_hook_table[] = {
	{ LIB_HANDSHAKE, LIB_SSL, "SSL_do_handshake", "uprobe_handshake", "uretprobe_handshake",
	  true },

	{ LIB_ERROR, LIB_SSL_STUB, "ERR_vset_error", "uprobe_err_vset", NULL, false },
	{ LIB_ERROR, LIB_SSL_STUB, "ERR_put_error", "uprobe_err_put", NULL, false },
	{ LIB_ERROR, LIB_CRYPTO, "ERR_vset_error", "uprobe_err_vset", NULL, false },
	{ LIB_ERROR, LIB_CRYPTO, "ERR_put_error", "uprobe_err_put", NULL, false },

	{ LIB_ERROR_FUNC, LIB_SSL_STUB, "ERR_set_debug", "uprobe_err_debug", NULL, false },

	{ LIB_VERIFY, LIB_SSL, "SSL_get_verify_result", "uprobe_verify", "uretprobe_verify",
	  false },

	{ LIB_VERIFY_LOG, LIB_CRYPTO, "X509_verify_cert_error_string", "uprobe_verify_text", NULL,
	  false },

	{ LIB_HOST, LIB_CRYPTO, "X509_check_host", "uprobe_host", "uretprobe_host", false },

	{ LIB_SESSION_REMOVED, LIB_SSL, "SSL_CTX_remove_session", "uprobe_session_removed", NULL,
	  false },

	/* In libcrypto it is called for every certificate of a trust store as well. */
	{ LIB_CERTIFICATE, LIB_SSL_STUB, "d2i_X509", "uprobe_certificate", NULL, false },
};
const size_t lib_hook_table_len = ARRAY_LEN(lib_hook_table);

static const char *const lib_losses[LIB_FACT_COUNT] = {
	[LIB_HANDSHAKE] = "handshakes",
	[LIB_ERROR] = "TLS errors and alerts",
	[LIB_VERIFY] = "refused certificates",
	[LIB_HOST] = "refused host names",
	[LIB_SESSION_REMOVED] = "refused client certificates",
	[LIB_CERTIFICATE] = "the peer's certificates",
};

const char *lib_fact_loss(enum lib_fact fact)
{
	return lib_losses[fact];
}

static const char *const fact_names[FACT_COUNT] = {
	[FACT_HANDSHAKE] = "handshake", [FACT_WIRE] = "wire",	[FACT_STATE] = "state",
	[FACT_CLOSE] = "close",		[FACT_RESET] = "reset", [FACT_EXEC] = "exec",
};

static const char *const kind_names[] = {
	[HOOK_TP_BTF] = "tp_btf", [HOOK_RAW_TP] = "raw_tp", [HOOK_FENTRY] = "fentry",
	[HOOK_KPROBE] = "kprobe", [HOOK_WIRE] = "wire",	    [HOOK_UPROBE] = "uprobe",
};

const char *fact_name(enum fact fact)
{
	return fact_names[fact];
}

const char *hook_kind_name(enum hook_kind kind)
{
	return kind_names[kind];
}

bool fact_find(const char *name, size_t len, enum fact *fact)
{
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (strlen(fact_names[i]) == len && !memcmp(fact_names[i], name, len)) {
			*fact = i;
			return true;
		}
	}
	return false;
}

bool hook_kind_find(const char *name, int *kind)
{
	if (!strcmp(name, "auto")) {
		*kind = HOOK_ANY;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
		if (!strcmp(kind_names[i], name)) {
			*kind = (int)i;
			return true;
		}
	}
	return false;
}

bool hook_is_offered(enum fact fact, enum hook_kind kind)
{
	for (size_t i = 0; i < hook_table_len; i++)
		if (hook_table[i].fact == fact && hook_table[i].kind == kind)
			return true;
	return false;
}
