// SPDX-License-Identifier: BSD-2-Clause
/*
 * sd_notify(3) without libsystemd, which no static program can be linked with.
 */
#include "system/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "system/log.h"
#include "base/text.h"
#include "system/clock.h"

static int datagram_send(const char *path, const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, err = 0;

	if ((*path != '/' && *path != '@') || len >= sizeof(to.sun_path))
		return -EAFNOSUPPORT;
	memcpy(to.sun_path, path, len + 1);
	/* unix(7): an abstract address begins with a null byte */
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	static bool told;
	int err;

	if (!path || !*path)
		return;
	err = datagram_send(path, state);
	if (err && !told) {
		log_line("cannot notify the service manager (%s): %s", path, strerror(-err));
		told = true;
	}
}

void notify_reloading(void)
{
	char state[64];
	struct text t;

	/* sd_notify(3): Type=notify-reload needs the time */
	text_init(&t, state, sizeof(state));
	text_addf(&t, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic() / 1000);
	notify_send(state);
}

bool notify_wants_watchdog(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	/* A variable that another process was meant to get may have been inherited. */
	return us && *us && (!pid || strtoll(pid, NULL, 10) == getpid());
}
