// SPDX-License-Identifier: BSD-2-Clause
/*
 * /proc/self/stat, and getrusage() and getrlimit(), as proc(5) has them.
 */
#include "metrics_process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "procfs.h"

#define US_PER_SEC 1e6
#define NS_PER_SEC 1e9

static double timeval_s(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / US_PER_SEC;
}

static double clock_s(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_SEC;
}

/* Fields 22 to 24 of stat: start time in clock ticks since boot, size in bytes, resident pages. */
static bool stat_read(struct metrics_process *p)
{
	unsigned long long start, size, pages;
	char stat[1024];
	const char *rest;
	int dir = procfs_open(getpid());
	int err;

	if (dir < 0)
		return false;
	err = procfs_read_text(dir, "stat", stat, sizeof(stat));
	close(dir);
	rest = err ? NULL : strrchr(stat, ')');
	if (!rest ||
	    sscanf(rest,
		   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%llu %llu %llu",
		   &start, &size, &pages) != 3)
		return false;
	p->start_s = clock_s(CLOCK_REALTIME) - clock_s(CLOCK_BOOTTIME) +
		     (double)start / (double)sysconf(_SC_CLK_TCK);
	p->virtual = size;
	p->resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
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
