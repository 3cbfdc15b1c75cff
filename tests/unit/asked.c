// SPDX-License-Identifier: BSD-2-Clause
/*
 * As the keeper and its children do it, in threads.
 */
#include "asked.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command/keycheck.h"
#include "system/files.h"
#include "system/fileserver.h"
#include "system/passfd.h"

static int keeper[2];
static const struct fileserver_policy *policy;
static const struct target_set *selected;

static bool any_process(void *context, pid_t pid)
{
	(void)context;
	(void)pid;
	return true;
}

static bool any_path(void *context, const char *path)
{
	(void)context;
	(void)path;
	return true;
}

static int matches(void *context, pid_t pid)
{
	struct target_process process;
	int err = target_process_read(pid, &process);

	(void)context;
	return err ? err : selected && target_matches(selected, &process);
}

static int targets(void *context, pid_t *items, size_t max)
{
	(void)context;
	return selected ? target_pids(selected, items, max) : 0;
}

int asked_key(void *context, int fd, const void *public, size_t len)
{
	(void)context;
	return keycheck(fd, public, len);
}

static void *serve(void *context)
{
	int fd = *(int *)context;

	free(context);
	fileserver_run(fd, policy);
	close(fd);
	return NULL;
}

static void *keep(void *context)
{
	pthread_t thread;
	char byte;
	int fd, *given;

	(void)context;
	while (passfd_receive(keeper[1], &byte, 1, &fd) > 0) {
		given = malloc(sizeof(*given));
		if (!given)
			abort();
		*given = fd;
		if (pthread_create(&thread, NULL, serve, given))
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

int asked_begin_by(const struct fileserver_policy *given)
{
	pthread_t thread;

	policy = given;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper) ||
	    pthread_create(&thread, NULL, keep, NULL))
		return -1;
	pthread_detach(thread);
	files_ask(keeper[0]);
	return keeper[0];
}

int asked_begin(const struct target_set *set)
{
	static const struct fileserver_policy all = { .process = any_process,
						      .log = any_path,
						      .own = any_path,
						      .matches = matches,
						      .targets = targets,
						      .key = asked_key };

	selected = set;
	return asked_begin_by(&all) < 0 ? -1 : 0;
}
