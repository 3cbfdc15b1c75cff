/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading /proc/PID: see procfs.h. */
#define _GNU_SOURCE /* O_PATH */
#include "system/procfs.h"
#include "system/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DELETED_SUFFIX " (deleted)"

int procfs_error(int error)
{
	return error == ENOENT ? -ESRCH : -error;
}

bool procfs_strip_deleted(char *path)
{
	const size_t suffix = strlen(DELETED_SUFFIX);
	size_t len = strlen(path);

	if (len <= suffix || strcmp(path + len - suffix, DELETED_SUFFIX) != 0)
		return false;
	path[len - suffix] = '\0';
	return true;
}

int procfs_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? procfs_error(errno) : fd;
}

int procfs_read_text(int dir, const char *name, char *buf, size_t size)
{
	ssize_t len;
	int fd, err;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return procfs_error(errno);
	len = read(fd, buf, size - 1);
	err = len < 0 ? procfs_error(errno) : 0;
	buf[len < 0 ? 0 : len] = '\0';
	close(fd);
	return err;
}

/* Reads /proc/PID/stat: what follows the name, which may contain anything, parentheses and spaces
 * too. NULL: the process is gone. */
static const char *stat_read(pid_t pid, char *buf, size_t size)
{
	const char *rest = NULL;
	int dir = procfs_open(pid);

	if (dir < 0)
		return NULL;
	if (procfs_read_text(dir, "stat", buf, size) == 0)
		rest = strrchr(buf, ')');
	close(dir);
	return rest;
}

pid_t procfs_parent(pid_t pid)
{
	char stat[512];
	const char *rest = stat_read(pid, stat, sizeof(stat));

	if (!rest || strlen(rest) < strlen(") S 1"))
		return 0;
	return (pid_t)strtol(rest + strlen(") S "), NULL, 10);
}

bool procfs_is_stopped(pid_t pid)
{
	char stat[512];
	const char *rest = stat_read(pid, stat, sizeof(stat));

	return rest && strlen(rest) > strlen(") ") && strchr("Tt", rest[strlen(") ")]);
}

/* The 22nd field; the name is the second. */
int procfs_started(pid_t pid, uint64_t *ticks)
{
	char stat[512];
	const char *at = stat_read(pid, stat, sizeof(stat));

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -ESRCH;
	*ticks = strtoull(at, NULL, 10);
	return 0;
}

int64_t procfs_realtime(uint64_t ticks)
{
	const uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);

	return (int64_t)(clock_realtime() - clock_read(CLOCK_BOOTTIME) +
			 ticks / per_second * NS_PER_S +
			 ticks % per_second * (NS_PER_S / per_second));
}

/* ---- Mapped files -------------------------------------------------------------------------- */

void mapped_files_free(struct mapped_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		free(files->items[i].path);
	free(files->items);
	memset(files, 0, sizeof(*files));
}

/* The kernel writes a newline in a path as \012, and nothing else in another form. */
static void path_unescape(char *path)
{
	char *from, *to = path;

	for (from = path; *from; to++) {
		bool newline = strncmp(from, "\\012", 4) == 0;

		*to = newline ? '\n' : *from;
		from += newline ? 4 : 1;
	}
	*to = '\0';
}

/* Reads a number that must be followed by the character after, and goes past both. */
static bool parse_field(char **at, int base, char after, uint64_t *value)
{
	char *end;

	*value = strtoull(*at, &end, base);
	if (end == *at || *end != after)
		return false;
	*at = end + 1;
	return true;
}

/*
 * Parses a line of /proc/PID/maps:
 *   start-end perms offset major:minor inode        path
 * in place: file->path points into line. False for what is not a mapped file.
 */
static bool maps_line_parse(char *line, struct mapped_file *file)
{
	uint64_t offset, dev_major, dev_minor, ino;
	char *at = line;

	line[strcspn(line, "\n")] = '\0';
	if (!parse_field(&at, 16, '-', &file->start) || !parse_field(&at, 16, ' ', &file->end))
		return false;
	if (strlen(at) < strlen("r-xp ") || at[4] != ' ')
		return false;
	file->executable = at[2] == 'x';
	at += strlen("r-xp ");
	if (!parse_field(&at, 16, ' ', &offset) || !parse_field(&at, 16, ':', &dev_major) ||
	    !parse_field(&at, 16, ' ', &dev_minor) || !parse_field(&at, 10, ' ', &ino))
		return false;
	at += strspn(at, " ");
	if (ino == 0 || *at != '/')
		return false;
	file->dev = makedev((unsigned int)dev_major, (unsigned int)dev_minor);
	file->ino = (ino_t)ino;
	file->path = at;
	return true;
}

int mapped_files_append(struct mapped_files *files, const struct mapped_file *file)
{
	struct mapped_file *items, copy = *file;

	if (files->count == MAPPED_FILES_MAX)
		return 0;
	items = realloc(files->items, (files->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	files->items = items;
	copy.path = file->path ? strdup(file->path) : NULL;
	if (file->path && !copy.path)
		return -ENOMEM;
	items[files->count++] = copy;
	return 0;
}

/* On overlayfs an inode number may stand for several files. */
static bool same_path(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

/* Adds a mapping to the file's entry, which it may be the first of. */
static int mapping_add(struct mapped_files *files, const struct mapped_file *file)
{
	for (size_t i = 0; i < files->count; i++) {
		struct mapped_file *item = &files->items[i];

		if (item->ino == file->ino && item->dev == file->dev &&
		    same_path(item->path, file->path)) {
			item->executable |= file->executable;
			return 0;
		}
	}
	return mapped_files_append(files, file);
}

static int line_take(char *line, bool paths, struct mapped_files *files)
{
	struct mapped_file file;

	if (!maps_line_parse(line, &file))
		return 0;
	if (paths) {
		path_unescape(file.path);
		procfs_strip_deleted(file.path);
	} else {
		file.path = NULL;
	}
	return mapping_add(files, &file);
}

int mapped_files_parse(int fd, bool paths, struct mapped_files *files)
{
	FILE *maps = fdopen(fd, "r");
	size_t size = 0;
	char *line = NULL;
	int err = 0;

	if (!maps) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && getline(&line, &size, maps) >= 0)
		err = line_take(line, paths, files);
	if (!err && ferror(maps))
		err = -ESRCH;
	free(line);
	fclose(maps);
	return err;
}

int mapped_files_read(int dir, struct mapped_files *files)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? procfs_error(errno) : mapped_files_parse(fd, false, files);
}
