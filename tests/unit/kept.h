/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handshake bytes that were cut say less than the whole, and nothing else.
 */
#ifndef TLSFAIL_TEST_KEPT_H
#define TLSFAIL_TEST_KEPT_H

#include "tls/wire.h"

/* Fails unless each fact in part is one of whole. */
void assert_view_kept(const struct tls_view *part, const struct tls_view *whole);

#endif
