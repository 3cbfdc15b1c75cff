/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a TLS library adds. In process context of the library.
 */
#ifndef LIBRARY_BPF_H
#define LIBRARY_BPF_H

#include "entered.bpf.h"
#include "wire.bpf.h"

/* An error was raised. */
int error_raised(__u32 lib, __u32 reason);

/* A certificate of the peer was taken out of its message. */
int certificate_read(__u32 len, __u64 der);

/* The program asked for the verify result, or logs it. */
int verify_result(int code);

/* X509_check_host has returned. */
int host_check_result(int ret);

/* The program, or the library itself, has a session thrown away. */
int session_removed(void);

#endif
