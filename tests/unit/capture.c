/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written to a file descriptor: see capture.h. A temporary file takes it, whatever its
 * length. */
#include "capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static FILE *file;
static int captured;
static int saved = -1;

void capture_begin(int fd)
{
	assert_int_equal(saved, -1);
	fflush(NULL);
	captured = fd;
	saved = dup(fd);
	file = tmpfile();
	assert_true(saved >= 0);
	assert_non_null(file);
	assert_int_equal(dup2(fileno(file), fd), fd);
}

const char *capture_end(void)
{
	static char output[65536];
	size_t len;

	fflush(NULL);
	assert_int_equal(dup2(saved, captured), captured);
	close(saved);
	saved = -1;
	rewind(file);
	len = fread(output, 1, sizeof(output) - 1, file);
	fclose(file);
	assert_true(len < sizeof(output) - 1);
	output[len] = '\0';
	return output;
}
