/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading PEM with libcrypto. Pure.
 */
#ifndef TLSFAIL_TLS_PEM_H
#define TLSFAIL_TLS_PEM_H

/* For PEM_read_bio_...(): nobody is asked for a password, and what is encrypted cannot be read. */
int pem_no_password(char *buf, int size, int writing, void *context);

#endif
