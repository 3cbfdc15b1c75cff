// SPDX-License-Identifier: BSD-2-Clause
/*
 * A callback of libcrypto that fails.
 */
#include "tls/pem.h"

int pem_no_password(char *buf, int size, int writing, void *context)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}
