/* SPDX-License-Identifier: BSD-2-Clause */
/* Files for a test: see fixture.h. */
#include "fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/tlsfail-test.XXXXXX";

int fixture_setup(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	return chmod(directory, 0755);
}

int fixture_teardown(void **state)
{
	(void)state;
	return fixture_run("rm -rf -- \"$PWD\"");
}

const char *fixture_path(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s%s%s", directory, *name ? "/" : "", name);
	return path;
}

int fixture_run(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd %s && %s", directory, command);
	return system(line); /* NOLINT(cert-env33-c): commands of the tests */
}

int fixture_write(const char *name, const void *content, size_t size)
{
	ssize_t written;
	int fd;

	fd = open(fixture_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0)
		return -1;
	written = write(fd, content, size);
	close(fd);
	return written == (ssize_t)size ? 0 : -1;
}

int fixture_compile(const char *name, const char *source, const char *options)
{
	const char *cc = getenv("CC");
	char command[512];

	if (fixture_write("source.c", source, strlen(source)))
		return -1;
	snprintf(command, sizeof(command), "%s -w -O1 -o '%s' source.c %s 2>/dev/null",
		 cc ? cc : "cc", name, options);
	return fixture_run(command);
}
