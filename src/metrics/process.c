// SPDX-License-Identifier: BSD-2-Clause
/*
 * /proc/self/stat, and getrusage() and getrlimit(), as proc(5) has them.
 */
#include "metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "system/procfs.h"
#include "system/clock.h"

#define US_PER_SEC 1e6
#define FDS_TRIED  1024

static double timeval_s(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / US_PER_SEC;
}

static double clock_s(clockid_t id)
{
	return (double)clock_read(id) / NS_PER_S;
}

/* A number of stat, by its place in proc(5); comm is where the second field ends, as that may hold
 * blanks. 0 when there is none. */
static uint64_t stat_field(const char *comm, unsigned int place)
{
	for (unsigned int i = 2; comm && i < place; i++)
		comm = strchr(comm + 1, ' ');
	return comm ? strtoull(comm, NULL, 10) : 0;
}

static bool stat_parse(const char *stat, struct metrics_process *p)
{
	const char *comm = strrchr(stat, ')');

	if (!comm)
		return false;
	p->start_s = clock_s(CLOCK_REALTIME) - clock_s(CLOCK_BOOTTIME) +
		     (double)stat_field(comm, 22) / (double)sysconf(_SC_CLK_TCK);
	p->virtual = stat_field(comm, 23);
	p->resident = stat_field(comm, 24) * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static bool stat_read(struct metrics_process *p)
{
	char stat[1024];
	int dir = procfs_open(getpid());
	int err;

	if (dir < 0)
		return false;
	err = procfs_read_text(dir, "stat", stat, sizeof(stat));
	close(dir);
	return !err && stat_parse(stat, p);
}

static uint64_t fds_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!dir)
		return 0;
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		count += d->d_name[0] != '.';
	closedir(dir);
	/* without the one that looked */
	return count - 1;
}

void metrics_process_read(struct metrics_process *p)
{
	struct rusage usage;
	struct rlimit fds;

	*p = (struct metrics_process){ 0 };
	if (getrusage(RUSAGE_SELF, &usage) || getrlimit(RLIMIT_NOFILE, &fds) || !stat_read(p))
		return;
	p->cpu_s = timeval_s(&usage.ru_utime) + timeval_s(&usage.ru_stime);
	p->open_fds = fds_count();
	p->max_fds = fds.rlim_cur;
	p->known = true;
}

int metrics_process_open(void)
{
	return open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
}

/* Without a look into /proc. */
static uint64_t fds_try(void)
{
	uint64_t count = 0;

	for (int fd = 0; fd < FDS_TRIED; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

void metrics_process_add(int stat, struct metrics_process *p)
{
	struct metrics_process own = { 0 };
	struct rusage usage;
	char text[1024];
	ssize_t len = pread(stat, text, sizeof(text) - 1, 0);

	if (!p->known || len <= 0 || getrusage(RUSAGE_SELF, &usage))
		return;
	text[len] = '\0';
	if (!stat_parse(text, &own))
		return;
	p->cpu_s += timeval_s(&usage.ru_utime) + timeval_s(&usage.ru_stime);
	p->resident += own.resident;
	p->virtual += own.virtual;
	p->open_fds += fds_try();
}
