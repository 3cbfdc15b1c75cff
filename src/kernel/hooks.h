/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hook table: for each fact, the ways to get it, in the order in which they are tried.
 */
#ifndef TLSFAIL_KERNEL_HOOKS_H
#define TLSFAIL_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#define HOOK_PROGS_MAX 6

enum fact {
	FACT_HANDSHAKE, /* a handshake begins, is done */
	FACT_WIRE,	/* socket of the handshake, bytes on the wire */
	FACT_STATE,	/* TCP transitions, the peer's FIN */
	FACT_CLOSE,	/* the socket is closed here */
	FACT_RESET,	/* RST received, RST sent */
	FACT_EXEC,	/* a program starts */
	FACT_COUNT,
};

enum hook_kind {
	HOOK_TP_BTF,
	HOOK_RAW_TP,
	HOOK_FENTRY, /* fentry and fexit */
	HOOK_KPROBE, /* kprobe and kretprobe */
	HOOK_WIRE,   /* concluded from the bytes on the wire: no hook of its own */
	HOOK_UPROBE, /* in a TLS library: see lib_hook_table */
};

/* One BPF program and what it is attached to. */
struct hook_prog {
	const char *name; /* in the BPF object */
	const char *
		target; /* tracepoint or kernel function; NULL: the others go on in it, by the map wire_next */
};

struct hook {
	enum fact fact;
	enum hook_kind kind;
	struct hook_prog progs[HOOK_PROGS_MAX]; /* ends with a NULL name; none: nothing to attach */
};

/* The rows of a fact stand together, first choice first. */
extern const struct hook hook_table[];
extern const size_t hook_table_len;

/* What --hook asked for: a kind for each fact, or HOOK_ANY. */
#define HOOK_ANY (-1)
struct hook_request {
	int kinds[FACT_COUNT];
};

/* "wire", "close" ... as in --hook and doctor. */
const char *fact_name(enum fact fact);

/* "tp_btf", "kprobe" ... */
const char *hook_kind_name(enum hook_kind kind);

/* The fact or kind of that name; false when there is none. "auto" is HOOK_ANY. */
bool fact_find(const char *name, size_t len, enum fact *fact);
bool hook_kind_find(const char *name, int *kind);

/* Is there such a row? */
bool hook_is_offered(enum fact fact, enum hook_kind kind);

/* The facts that come out of a TLS library. */
enum lib_fact {
	LIB_HANDSHAKE,	     /* it begins, it returns */
	LIB_ERROR,	     /* TLS error numbers, alerts received among them */
	LIB_ERROR_FUNC,	     /* the OpenSSL function that raised them */
	LIB_VERIFY,	     /* the program asked for the verify result */
	LIB_VERIFY_LOG,	     /* the program logs a failed verification */
	LIB_HOST,	     /* the program checked the host name */
	LIB_SESSION_REMOVED, /* the program had a session thrown away */
	LIB_CERTIFICATE,     /* certificates of the peer */
	LIB_FACT_COUNT,
};

enum lib_part {
	LIB_SSL,      /* a function in the file that defines SSL_do_handshake */
	LIB_SSL_STUB, /* that file's own call stub (PLT entry) of a function */
	LIB_CRYPTO,   /* a function in the file that defines X509_check_host */
};

/* One way to get a fact: the first row of a fact whose symbol a library has is used. */
struct lib_hook {
	enum lib_fact fact;
	enum lib_part part;
	const char *symbol;
	const char *entry; /* BPF program */
	const char *ret;   /* BPF program for the return, or NULL */
	bool wired;	   /* not needed where the wire tells of handshakes */
};

extern const struct lib_hook lib_hook_table[];
extern const size_t lib_hook_table_len;

/* What is not seen without that fact, in words; NULL when nothing is lost that is worth a word. */
const char *lib_fact_loss(enum lib_fact fact);

#endif
