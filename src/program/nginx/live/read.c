// SPDX-License-Identifier: BSD-2-Clause
/*
 * What glob(3) and the parser want of files is had by way of files.h, as the process sees them.
 */
#define _GNU_SOURCE /* GLOB_ALTDIRFUNC */
#include "program/nginx/live/read.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "system/elf.h"
#include "program/nginx/map.h"
#include "system/files.h"

/* Of one configuration with all that it includes. */
#define READING_BYTES	(2ULL * NGINXCONF_BYTES_MAX)
#define READING_STEPS	50000 /* files and entries of directories */
#define READING_TIME_NS (3 * NS_PER_S)

#define HOSTS_PATH     "/etc/hosts"
#define HOSTS_BYTES    (64U << 10)
#define CMDLINE_BYTES  (2 * NGINXARGS_PATH_LEN)
#define EXPANDED_MAX   NGINXCONF_FILES_MAX
#define CONFIGURE_TEXT "configure arguments: "
#define VERSION_TEXT   "nginx version: "

/* -- opening ------------------------------------------------------------------------------------- */

static int open_regular(const struct nginxread *read, const char *path, struct stat *stat)
{
	int fd = files_open(read->pid, path, stat);

	return fd == -ENOEXEC ? -EINVAL : fd;
}

int64_t nginxread_changed(const struct stat *stat)
{
	const struct timespec *t = &stat->st_ctim;

	return (int64_t)t->tv_sec * (int64_t)NS_PER_S + t->tv_nsec;
}

/* A name in the configuration as a path, of PATH_SIZE bytes. False: it is too long. */
#define PATH_SIZE (2 * NGINXARGS_PATH_LEN)
static bool path_of(const struct nginxread *read, const char *name, char *path)
{
	struct text t;

	text_init(&t, path, PATH_SIZE);
	text_add(&t, name[0] == '/' ? "" : read->paths.prefix);
	text_add(&t, name);
	return !t.cut;
}

int nginxread_file(const struct nginxread *read, const char *name, struct stat *stat)
{
	char path[PATH_SIZE];

	return path_of(read, name, path) ? open_regular(read, path, stat) : -ENAMETOOLONG;
}

int nginxread_key_matches(const struct nginxread *read, const char *name, const void *key,
			  size_t len)
{
	char path[PATH_SIZE];

	return path_of(read, name, path) ? files_key_matches(read->pid, path, key, len)
					 : -ENAMETOOLONG;
}

int nginxread_head(int fd, size_t max, char **text, size_t *len)
{
	size_t size = 16384;
	char *buf = malloc(size), *grown;
	ssize_t n = 1;

	*len = 0;
	while (buf && n > 0 && *len < max) {
		if (*len == size - 1) {
			grown = realloc(buf, 2 * size);
			if (!grown)
				free(buf);
			buf = grown;
			size *= 2;
			continue;
		}
		n = read(fd, buf + *len,
			 size - 1 - *len < max - *len ? size - 1 - *len : max - *len);
		if (n > 0)
			*len += (size_t)n;
	}
	if (!buf)
		return -ENOMEM;
	if (n < 0) {
		int err = -errno;

		free(buf);
		return err;
	}
	buf[*len] = '\0';
	*text = buf;
	return 0;
}

/* Reads a whole file. -E2BIG: it has more than max bytes. */
static int read_all(int fd, size_t max, char **text, size_t *len)
{
	int err = nginxread_head(fd, max + 1, text, len);

	if (!err && *len > max) {
		free(*text);
		err = -E2BIG;
	}
	return err;
}

void nginxread_neighbours(const struct nginxread *read, const char *name,
			  void (*found)(void *context, int fd), void *context)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	struct text t;
	DIR *dir = NULL;
	size_t len;
	int fd;

	if (!path_of(read, name, path) || !strrchr(path, '/'))
		return;
	len = (size_t)(strrchr(path, '/') + 1 - path);
	path[len] = '\0';
	fd = files_directory(read->pid, path);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (fd >= 0 && !dir)
		close(fd);
	for (size_t i = 0; dir && i < NGINXREAD_NEIGHBOURS && (entry = readdir(dir)); i++) {
		struct stat stat;

		text_init(&t, path + len, sizeof(path) - len);
		text_add(&t, entry->d_name);
		fd = t.cut ? -ENAMETOOLONG : open_regular(read, path, &stat);
		if (fd >= 0)
			found(context, fd);
	}
	if (dir)
		closedir(dir);
}

/* -- the source of the parser ------------------------------------------------------------------ */

static int source_read(void *context, const char *path, char **text, size_t *len)
{
	struct nginxread *read = context;
	struct stat stat;
	int fd, err;

	if (!budget_take(&read->budget, 0))
		return -ETIME;
	fd = files_open_real(read->pid, path, &stat, read->real, sizeof(read->real));
	if (fd < 0)
		return fd == -ENOEXEC ? -EINVAL : fd;
	err = read_all(fd, NGINXCONF_BYTES_MAX, text, len);
	if (!err && !budget_take(&read->budget, *len)) {
		free(*text);
		err = -ETIME;
	}
	if (!err && nginxread_changed(&stat) > read->changed_ns)
		read->changed_ns = nginxread_changed(&stat);
	close(fd);
	return err;
}

static const char *source_real(void *context)
{
	return ((struct nginxread *)context)->real;
}

/* glob() gives its callbacks no context. */
static _Thread_local pid_t glob_pid;
static _Thread_local struct budget *glob_budget;

static void *glob_opendir(const char *path)
{
	int fd = budget_take(glob_budget, 0) ? files_directory(glob_pid, path) : -ETIME;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static struct dirent *glob_readdir(void *dir)
{
	return budget_take(glob_budget, 0) ? readdir(dir) : NULL;
}

static void glob_closedir(void *dir)
{
	closedir(dir);
}

static int glob_look(const char *path, bool nofollow, struct stat *stat)
{
	if (!budget_take(glob_budget, 0))
		return -1;
	return files_stat(glob_pid, path, nofollow, stat) ? -1 : 0;
}

static int glob_stat(const char *path, struct stat *stat)
{
	return glob_look(path, false, stat);
}

static int glob_lstat(const char *path, struct stat *stat)
{
	return glob_look(path, true, stat);
}

/* As nginx does: glob(3), sorted. */
static int source_expand(void *context, const char *pattern, int (*found)(void *, const char *path),
			 void *found_context)
{
	struct nginxread *read = context;
	glob_t expanded = {
		.gl_opendir = glob_opendir,
		.gl_readdir = glob_readdir,
		.gl_closedir = glob_closedir,
		.gl_stat = glob_stat,
		.gl_lstat = glob_lstat,
	};
	int ret;

	glob_pid = read->pid;
	glob_budget = &read->budget;
	ret = glob(pattern, GLOB_ALTDIRFUNC, NULL, &expanded);
	if (read->budget.over) {
		globfree(&expanded);
		return -ETIME;
	}
	if (ret == GLOB_NOSPACE)
		return -ENOMEM;
	if (ret == GLOB_NOMATCH)
		return 0;
	if (ret)
		return -EIO;
	for (size_t i = 0; !ret && i < expanded.gl_pathc; i++)
		ret = found(found_context, expanded.gl_pathv[i]);
	globfree(&expanded);
	return ret;
}

/* -- the process ------------------------------------------------------------------------------- */

/* The arguments of a process that is a master; -ENOENT: it is none. */
static int arguments_read(pid_t pid, struct nginxargs *args)
{
	char cmdline[CMDLINE_BYTES];
	size_t len = 0;
	int err;

	err = files_cmdline(pid, cmdline, sizeof(cmdline), &len);
	if (!err && !nginxargs_read_cmdline(cmdline, len, args))
		err = -ENOENT;
	return err;
}

/* What was built in: the defaults of the command line, and the version. */
static int defaults_read(pid_t pid, struct nginxargs *defaults, unsigned int *version)
{
	struct elf_file *file = NULL;
	char text[2 * NGINXARGS_PATH_LEN], title[64];
	int fd, err;

	*version = 0;

	fd = files_exe(pid);
	if (fd < 0)
		return fd;
	err = elf_file_open(fd, NULL, &file);
	if (!err)
		err = elf_file_string(file, CONFIGURE_TEXT, text, sizeof(text));
	if (!err && !elf_file_string(file, VERSION_TEXT, title, sizeof(title)))
		*version = nginxargs_read_version(title);
	elf_file_close(file);
	close(fd);
	if (!err)
		nginxargs_read_configure(text, defaults);
	return err;
}

int nginxread_master(pid_t pid, pid_t *master)
{
	struct nginxargs args, defaults;
	unsigned int version;
	int err = -ENOENT;

	for (int i = 0; err && i < 2; i++) {
		*master = i ? files_parent(pid) : pid;
		if (!*master)
			return -ENOENT;
		err = arguments_read(*master, &args);
		if (err == -ESRCH || (!err && defaults_read(*master, &defaults, &version)))
			err = -ENOENT;
	}
	return err;
}

static int paths_find(pid_t pid, struct nginxargs_paths *paths, unsigned int *version)
{
	struct nginxargs line, defaults;
	char directory[PATH_MAX];
	int err;

	err = arguments_read(pid, &line);
	if (!err)
		err = defaults_read(pid, &defaults, version);
	if (!err)
		err = files_cwd(pid, directory, sizeof(directory));
	if (err)
		return err;
	return nginxargs_resolve(&line, &defaults, directory, paths) ? 0 : -ENAMETOOLONG;
}

static void hosts_read(struct nginxread *read)
{
	struct stat stat;
	size_t len;
	int fd = open_regular(read, HOSTS_PATH, &stat);

	if (fd >= 0 && read_all(fd, HOSTS_BYTES, &read->hosts, &len))
		read->hosts = NULL;
	read->hosts_changed_ns = fd >= 0 ? nginxread_changed(&stat) : 0;
	if (fd >= 0)
		close(fd);
	if (!read->hosts)
		read->hosts = strdup("");
}

bool nginxread_hosts_again(struct nginxread *read)
{
	struct nginxread again = { .pid = read->pid };
	struct stat stat;
	int err = files_stat(read->pid, HOSTS_PATH, false, &stat);

	/* Of a process that has ended nothing new is known. */
	if ((err && err != -ENOENT) ||
	    (err ? 0 : nginxread_changed(&stat)) == read->hosts_changed_ns)
		return false;
	hosts_read(&again);
	if (!again.hosts)
		return false;
	free(read->hosts);
	read->hosts = again.hosts;
	read->hosts_changed_ns = again.hosts_changed_ns;
	return true;
}

/* The process and paths are known. */
static int configuration_read(struct nginxread *read, bool (*wanted)(const char *name),
			      struct text *problem)
{
	struct nginxconf_source source = {
		.read = source_read,
		.real = source_real,
		.expand = source_expand,
		.context = read,
	};
	struct nginxconf_request request = {
		.path = read->paths.conf,
		.prefix = read->paths.prefix,
		.wanted = wanted,
	};

	hosts_read(read);
	return read->hosts ? nginxconf_read(&source, &request, &read->conf, problem) : -ENOMEM;
}

int nginxread_open(pid_t master, struct nginxread *read, struct text *problem)
{
	int err;

	*read = (struct nginxread){
		.pid = master,
		.budget = budget_begin(READING_BYTES, READING_STEPS, READING_TIME_NS),
	};
	err = paths_find(master, &read->paths, &read->version);
	if (err)
		text_add(problem, strerror(-err));
	else
		err = configuration_read(read, nginxmap_wants, problem);
	if (err)
		nginxread_close(read);
	return err;
}

static int open_path(const char *path, bool (*wanted)(const char *name), struct nginxread *read,
		     struct text *problem)
{
	char *real = realpath(path, NULL);
	struct text conf, prefix;
	int err = real ? 0 : -errno;

	/* Who asks for it waits for it: the time is not limited, as a disk may be slow. */
	*read = (struct nginxread){
		.budget = budget_begin(READING_BYTES, READING_STEPS, 0),
	};
	if (real) {
		text_init(&conf, read->paths.conf, sizeof(read->paths.conf));
		text_add(&conf, real);
		text_init(&prefix, read->paths.prefix, sizeof(read->paths.prefix));
		text_addf(&prefix, "%.*s", (int)(strrchr(real, '/') + 1 - real), real);
		free(real);
		err = conf.cut ? -ENAMETOOLONG : 0;
	}
	if (err)
		text_addf(problem, "%s: %s", path, strerror(-err));
	else
		err = configuration_read(read, wanted, problem);
	if (err)
		nginxread_close(read);
	return err;
}

int nginxread_open_path(const char *path, struct nginxread *read, struct text *problem)
{
	return open_path(path, nginxmap_wants, read, problem);
}

int nginxread_open_whole(const char *path, struct nginxread *read, struct text *problem)
{
	return open_path(path, NULL, read, problem);
}

void nginxread_close(struct nginxread *read)
{
	nginxconf_free(read->conf);
	free(read->hosts);
	*read = (struct nginxread){ 0 };
}
