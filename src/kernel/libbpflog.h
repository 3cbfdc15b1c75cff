/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf says: kept back, as most of it reports what is only tried.
 */
#ifndef TLSFAIL_KERNEL_LIBBPFLOG_H
#define TLSFAIL_KERNEL_LIBBPFLOG_H

/* Takes libbpf's messages from now on. */
void libbpflog_take(void);

/* Its last warning, one line, "" when there was none; valid until the next. */
const char *libbpflog_warning(void);

#endif
