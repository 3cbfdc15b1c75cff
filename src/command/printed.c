// SPDX-License-Identifier: BSD-2-Clause
/*
 * stdio remembers that an earlier part was lost, but not why.
 */
#include "command/printed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "system/log.h"

bool printed(void)
{
	int err = fflush(stdout) ? errno : 0;

	if (!err && ferror(stdout))
		err = EIO;
	if (err && err != EPIPE)
		log_line("cannot write the output: %s", strerror(err));
	return !err;
}
