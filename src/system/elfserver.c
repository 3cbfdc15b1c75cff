// SPDX-License-Identifier: BSD-2-Clause
/*
 * One question after the other. A file that was opened stays until it is closed, or the other side is gone.
 */
#define _GNU_SOURCE
#include "system/elfserver.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/elfparse.h"
#include "system/elfwire.h"
#include "system/passfd.h"
#include "system/sandbox.h"

struct opened {
	struct elf_parsed *elf; /* NULL: none is */
	struct budget budget;	/* what the question at hand may take */
	int fd;
};

struct server {
	struct opened files[ELFWIRE_FILES];
	struct mapped_files mapped; /* of the maps that came last */
	struct elf_request request;
	struct elf_reply reply;
};

static void file_close(struct opened *file)
{
	if (!file->elf)
		return;
	elf_parsed_close(file->elf);
	close(file->fd);
	file->elf = NULL;
}

static int file_open(struct opened *file, const struct elf_request *q, int fd)
{
	int err;

	if (fd < 0)
		return -EBADF;
	file_close(file);
	err = elf_parsed_open(fd, q->budget.given ? &file->budget : NULL, &file->elf);
	if (err)
		file->elf = NULL;
	else
		file->fd = fd;
	return err;
}

/* Of what is a string. */
static int string_answer(struct elf_parsed *elf, const struct elf_request *q, struct elf_reply *a)
{
	char *buf = (char *)a->data;
	int ret = -EINVAL;

	if (!q->size)
		return ret;
	if (q->op == ELF_DYNAMIC_STRING)
		ret = elf_parsed_dynamic_string(elf, q->tag, q->index, buf, q->size);
	else if (q->op == ELF_VERSION_STRING)
		ret = elf_parsed_version_string(elf, q->name, buf, q->size);
	else
		ret = elf_parsed_string(elf, q->name, buf, q->size);
	if (ret >= 0 && memchr(buf, '\0', q->size))
		a->len = (uint32_t)strlen(buf) + 1;
	return ret;
}

static int answer(struct opened *file, const struct elf_request *q, struct elf_reply *a)
{
	switch ((enum elf_op)q->op) {
	case ELF_FUNCTION:
		return elf_parsed_function(file->elf, q->name, &a->offset);
	case ELF_STUB:
		return elf_parsed_stub(file->elf, q->name, &a->offset);
	case ELF_LANDING_PAD:
		a->offset = elf_parsed_past_landing_pad(file->elf, q->index);
		return 0;
	case ELF_IMPORTS:
		return elf_parsed_imports(file->elf, q->name);
	case ELF_HAS_TEXT:
		return elf_parsed_has_text(file->elf, q->name);
	case ELF_SECTION:
		a->len = (uint32_t)elf_parsed_section(file->elf, q->name, a->data, q->size);
		return 0;
	case ELF_DYNAMIC_STRING:
	case ELF_VERSION_STRING:
	case ELF_STRING:
		return string_answer(file->elf, q, a);
	case ELF_CLOSE:
		file_close(file);
		return 0;
	default:
		return -EINVAL;
	}
}

static int maps_take(struct server *s, int fd)
{
	int err = -EBADF;

	mapped_files_free(&s->mapped);
	if (fd >= 0)
		err = mapped_files_parse(fd, true, &s->mapped);
	s->reply.offset = s->mapped.count;
	return err;
}

static int mapped_tell(const struct server *s, struct elf_reply *a)
{
	if (s->request.index >= s->mapped.count || s->request.size < ELFWIRE_DATA_MAX)
		return -EINVAL;
	elfwire_mapped_write(&s->mapped.items[s->request.index], a);
	return 0;
}

/* fd is what came with the question, or -1. */
static void question_take(struct server *s, int fd)
{
	const struct elf_request *q = &s->request;
	struct elf_reply *a = &s->reply;
	struct opened *file = &s->files[q->file];

	*a = (struct elf_reply){ 0 };
	file->budget = elfwire_budget_read(&q->budget);
	if (q->op == ELF_MAPS) {
		a->err = maps_take(s, fd);
		fd = -1;
	} else if (q->op == ELF_MAPPED) {
		a->err = mapped_tell(s, a);
	} else if (q->op == ELF_OPEN) {
		a->err = file_open(file, q, fd);
	} else {
		a->err = file->elf ? answer(file, q, a) : -EBADF;
	}
	a->left = elfwire_budget(&file->budget);
	if (fd >= 0 && (q->op != ELF_OPEN || a->err))
		close(fd);
}

void elfserver_run(int fd)
{
	struct server *s = calloc(1, sizeof(*s));
	ssize_t len;
	int with;

	while (s && (len = passfd_receive(fd, &s->request, sizeof(s->request), &with)) > 0) {
		if (!elfwire_is_request(&s->request, (size_t)len)) {
			if (with >= 0)
				close(with);
			break;
		}
		question_take(s, with);
		if (send(fd, &s->reply, elfwire_reply_len(&s->reply), MSG_NOSIGNAL) < 0)
			break;
	}
	for (size_t i = 0; s && i < ELFWIRE_FILES; i++)
		file_close(&s->files[i]);
	if (s)
		mapped_files_free(&s->mapped);
	free(s);
}

/* What it has from the process that it was, but stderr and the socket, which is returned; not least the other
 * end of that. */
static int inherited_close(int fd)
{
	int kept = STDERR_FILENO + 1;

	if (fd != kept && dup2(fd, kept) < 0)
		_exit(1);
	/* nobody waits for what it would write there */
	for (int i = 0; i < STDERR_FILENO; i++)
		close(i);
	if (syscall(SYS_close_range, kept + 1, UINT_MAX, 0))
		for (int i = kept + 1; i < (int)sysconf(_SC_OPEN_MAX); i++)
			close(i);
	return kept;
}

void elfserver_become(int fd, const struct sandbox_user *user)
{
	const struct sandbox_options options = { .user = user };
	struct sandbox_state state;

	prctl(PR_SET_NAME, "tlsfail-elf");
	fd = inherited_close(fd);
	if (!sandbox_enter(&options, &state))
		elfserver_run(fd);
	_exit(0);
}

int elfserver_start(int fd, const struct sandbox_user *user)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		/* a child of its own is init's as soon as this one is gone */
		if (!fork())
			elfserver_become(fd, user);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}
