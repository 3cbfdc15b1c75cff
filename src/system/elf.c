// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each question goes to elfparse.h here, or as a datagram to a process that does so there. Who does not answer,
 * or answers with what is none, is not asked again: its files have nothing, and budgets are over.
 */
#include "system/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "system/budget.h"
#include "system/elfparse.h"
#include "system/elfwire.h"
#include "system/passfd.h"
#include "system/procfs.h"

/* Longer than anything that has a budget, and than who asks is waited for. */
#define ANSWER_S 15

/* A process that reads, as one thread has it. */
struct reader {
	int fd; /* -1: it is not asked any more */
	unsigned int users;
	bool taken[ELFWIRE_FILES];
};

struct elf_file {
	struct elf_parsed *here; /* NULL: it is read elsewhere */
	struct reader *reader;
	uint32_t number;
	struct budget *budget; /* the caller's, or NULL */
};

static elf_reader_fn reader_begin;
static void *reader_context;
static _Thread_local struct reader *reader;

/* -- who reads ----------------------------------------------------------------------------------- */

void elf_ask(elf_reader_fn begin, void *context)
{
	reader_begin = begin;
	reader_context = context;
}

static void reader_end(struct reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void reader_leave(struct reader *r)
{
	if (--r->users)
		return;
	reader_end(r);
	free(r);
}

void elf_ask_another(void)
{
	if (reader)
		reader_leave(reader);
	reader = NULL;
}

static int reader_connect(struct reader *r)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	r->fd = ends[0];
	setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = reader_begin(reader_context, ends[1]);
	close(ends[1]);
	return err;
}

/* The calling thread has one that answers, as far as is known. */
static int reader_get(void)
{
	int err;

	if (reader && reader->fd >= 0)
		return 0;
	elf_ask_another();
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	*reader = (struct reader){ .fd = -1, .users = 1 };
	err = reader_connect(reader);
	if (err)
		elf_ask_another();
	return err;
}

/* -- asking -------------------------------------------------------------------------------------- */

static bool exchange(struct elf_file *file, const struct elf_request *q, int fd,
		     struct elf_reply *a)
{
	struct reader *r = file->reader;
	ssize_t n;

	if (r->fd < 0 || passfd_send(r->fd, q, sizeof(*q), fd))
		return false;
	do {
		n = recv(r->fd, a, sizeof(*a), 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 && elfwire_is_reply(a, (size_t)n, q->size);
}

/* What the answer says, or -EIO. */
static int ask(struct elf_file *file, struct elf_request *q, int fd, struct elf_reply *a)
{
	q->file = file->number;
	q->budget = elfwire_budget(file->budget);
	if (!exchange(file, q, fd, a)) {
		reader_end(file->reader);
		if (file->budget)
			file->budget->over = true;
		return -EIO;
	}
	if (file->budget)
		elfwire_budget_take(file->budget, &a->left);
	return a->err;
}

/* About a name; NULL: it is too long for any. */
static int ask_name(struct elf_file *file, enum elf_op op, const char *name, uint32_t size,
		    struct elf_reply *a)
{
	struct elf_request q = { .op = op, .size = size };
	size_t len = strlen(name);

	if (len >= sizeof(q.name))
		return -ENOENT;
	memcpy(q.name, name, len + 1);
	return ask(file, &q, -1, a);
}

static uint32_t size_of(size_t size)
{
	return size < ELFWIRE_DATA_MAX ? (uint32_t)size : ELFWIRE_DATA_MAX;
}

/* Copies the string that an answer has; "" where it has none. */
static void string_copy(const struct elf_reply *a, char *buf, size_t size)
{
	buf[0] = '\0';
	if (a->len && a->len <= size && !a->data[a->len - 1])
		memcpy(buf, a->data, a->len);
}

/* -- open and close ------------------------------------------------------------------------------- */

static int file_open_there(struct elf_file *file, int fd)
{
	struct elf_request q = { .op = ELF_OPEN };
	struct elf_reply a;
	int err = reader_get();

	if (!reader)
		return err ? err : -ENOMEM;
	file->reader = reader;
	while (file->number < ELFWIRE_FILES && file->reader->taken[file->number])
		file->number++;
	if (file->number == ELFWIRE_FILES)
		return -EMFILE;
	err = ask(file, &q, fd, &a);
	if (err)
		return err;
	file->reader->taken[file->number] = true;
	file->reader->users++;
	return 0;
}

int elf_file_open(int fd, struct budget *budget, struct elf_file **file)
{
	struct elf_file *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->budget = budget;
	err = reader_begin ? file_open_there(f, fd) : elf_parsed_open(fd, budget, &f->here);
	if (err)
		free(f);
	else
		*file = f;
	return err;
}

void elf_file_close(struct elf_file *file)
{
	struct elf_request q = { .op = ELF_CLOSE };
	struct elf_reply a;

	if (!file)
		return;
	if (file->reader) {
		(void)ask(file, &q, -1, &a);
		file->reader->taken[file->number] = false;
		reader_leave(file->reader);
	} else {
		elf_parsed_close(file->here);
	}
	free(file);
}

/* -- maps ----------------------------------------------------------------------------------------- */

/* Asked in the place of a file, as they are none's. */
static int maps_ask(int fd, struct mapped_files *files)
{
	struct elf_file nobody = { .reader = reader };
	struct elf_request q = { .op = ELF_MAPS };
	struct elf_reply a;
	struct mapped_file file;
	int err = ask(&nobody, &q, fd, &a);
	uint64_t count = err ? 0 : a.offset;

	q = (struct elf_request){ .op = ELF_MAPPED, .size = ELFWIRE_DATA_MAX };
	for (; !err && q.index < count && q.index < MAPPED_FILES_MAX; q.index++) {
		err = ask(&nobody, &q, -1, &a);
		if (!err)
			err = elfwire_mapped_read(&a, &file) ? mapped_files_append(files, &file)
							     : -EIO;
	}
	return err < 0 ? err : 0;
}

int elf_mapped_files(int dir, struct mapped_files *files)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return procfs_error(errno);
	if (!reader_begin)
		return mapped_files_parse(fd, true, files);
	err = reader_get();
	if (!err)
		err = maps_ask(fd, files);
	close(fd);
	return err;
}

/* -- questions ------------------------------------------------------------------------------------ */

static int offset_ask(struct elf_file *file, enum elf_op op, const char *name, uint64_t *offset)
{
	struct elf_reply a;
	int err = ask_name(file, op, name, 0, &a);

	if (err)
		return err < 0 ? err : -ENOENT;
	*offset = a.offset;
	return 0;
}

int elf_file_function(struct elf_file *file, const char *name, uint64_t *offset)
{
	return file->here ? elf_parsed_function(file->here, name, offset)
			  : offset_ask(file, ELF_FUNCTION, name, offset);
}

int elf_file_stub(struct elf_file *file, const char *name, uint64_t *offset)
{
	return file->here ? elf_parsed_stub(file->here, name, offset)
			  : offset_ask(file, ELF_STUB, name, offset);
}

uint64_t elf_file_past_landing_pad(struct elf_file *file, uint64_t offset)
{
	struct elf_request q = { .op = ELF_LANDING_PAD, .index = offset };
	struct elf_reply a;

	if (file->here)
		return elf_parsed_past_landing_pad(file->here, offset);
	return ask(file, &q, -1, &a) ? offset : a.offset;
}

bool elf_file_imports(struct elf_file *file, const char *name)
{
	struct elf_reply a;

	return file->here ? elf_parsed_imports(file->here, name)
			  : ask_name(file, ELF_IMPORTS, name, 0, &a) > 0;
}

bool elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index, char *buf,
			     size_t size)
{
	struct elf_request q = {
		.op = ELF_DYNAMIC_STRING, .size = size_of(size), .tag = tag, .index = index
	};
	struct elf_reply a;

	if (file->here)
		return elf_parsed_dynamic_string(file->here, tag, index, buf, size);
	if (ask(file, &q, -1, &a) <= 0)
		return false;
	string_copy(&a, buf, size);
	return true;
}

bool elf_file_has_text(struct elf_file *file, const char *text)
{
	struct elf_reply a;

	return file->here ? elf_parsed_has_text(file->here, text)
			  : ask_name(file, ELF_HAS_TEXT, text, 0, &a) > 0;
}

size_t elf_file_section(struct elf_file *file, const char *name, void *buf, size_t size)
{
	struct elf_reply a;

	if (file->here)
		return elf_parsed_section(file->here, name, buf, size);
	if (ask_name(file, ELF_SECTION, name, size_of(size), &a))
		return 0;
	memcpy(buf, a.data, a.len);
	return a.len;
}

static int string_ask(struct elf_file *file, enum elf_op op, const char *prefix, char *buf,
		      size_t size)
{
	struct elf_reply a;
	int err = ask_name(file, op, prefix, size_of(size), &a);

	if (err)
		return err < 0 ? err : -ENOENT;
	string_copy(&a, buf, size);
	return 0;
}

int elf_file_version_string(struct elf_file *file, const char *prefix, char *buf, size_t size)
{
	return file->here ? elf_parsed_version_string(file->here, prefix, buf, size)
			  : string_ask(file, ELF_VERSION_STRING, prefix, buf, size);
}

int elf_file_string(struct elf_file *file, const char *prefix, char *buf, size_t size)
{
	return file->here ? elf_parsed_string(file->here, prefix, buf, size)
			  : string_ask(file, ELF_STRING, prefix, buf, size);
}
