/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording is a file header, then records, back to back. Everything is in the byte order of the
 * host that made it, which the header tells.
 */
#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/ownfile.h"
#include "base/text.h"
#include "tlsfail_abi.h"

#define FORMAT_VERSION	   1
#define BYTE_ORDER_OWN	   0x0102
#define BYTE_ORDER_FOREIGN 0x0201
#define MAGIC_LEN	   8

_Static_assert(RECORD_LEN_MAX >= sizeof(struct tlsfail_wire), "the largest record");
_Static_assert(RECORD_LEN_MAX >= sizeof(struct tlsfail_nginx) + TLSFAIL_NGINX_DATA,
	       "the largest record");

#define BUFFER_SIZE 65536
_Static_assert(BUFFER_SIZE > RECORD_LEN_MAX && BUFFER_SIZE > UINT16_MAX, "holds any part whole");

struct file_header {
	uint8_t magic[MAGIC_LEN];
	uint16_t byte_order;
	uint16_t format_version;
	uint16_t abi_version;
	uint16_t header_len; /* the first record begins there */
	uint8_t reserved[16];
};
_Static_assert(sizeof(struct file_header) == 32, "recording format");

static const char magic[] = "TLSFAIL\n";
_Static_assert(sizeof(magic) - 1 == MAGIC_LEN, "recording format");

struct recorder {
	int fd;
	int err; /* the first one of the disk */
	size_t len;
	uint8_t buf[BUFFER_SIZE];
};

struct recording {
	int fd;
	const char *name; /* for messages */
	uint64_t records; /* read so far */
	uint64_t begin;	  /* of the last record that was read, in bytes from the start */
	uint64_t offset;  /* of what is read next */
	bool begun;	  /* its header was read */
	bool ended;	  /* the file has no more bytes */
	size_t at;	  /* buf[at .. end) is not read yet */
	size_t end;
	uint8_t buf[BUFFER_SIZE];
};

static void add_name(struct text *text, const char *name)
{
	text_add_hostile(text, name, strlen(name));
}

/* "cannot VERB NAME: REASON". Returns err. */
static int cannot(struct text *error, const char *verb, const char *name, int err)
{
	text_addf(error, "cannot %s ", verb);
	add_name(error, name);
	text_addf(error, ": %s", strerror(-err));
	return err;
}

/* "NAME WHAT". Returns err. */
static int reject(struct text *error, const char *name, const char *what, int err)
{
	add_name(error, name);
	text_addf(error, " %s", what);
	return err;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Not O_TRUNC: only after it is known to be ours. */
static int file_create(const char *path, int *fd, struct text *error)
{
	struct stat st;
	int err = ownfile_open(path, 0, 0600, fd, &st, error);

	if (!err && S_ISREG(st.st_mode) && (fchmod(*fd, 0600) || ftruncate(*fd, 0)))
		err = cannot(error, "overwrite", path, -errno);
	return err;
}

static void buffer_append(struct recorder *recorder, const void *data, size_t len)
{
	memcpy(recorder->buf + recorder->len, data, len);
	recorder->len += len;
}

int recorder_begin(int fd, struct recorder **out)
{
	struct file_header header = {
		.byte_order = BYTE_ORDER_OWN,
		.format_version = FORMAT_VERSION,
		.abi_version = TLSFAIL_ABI_VERSION,
		.header_len = sizeof(header),
	};
	struct recorder *recorder;
	int err = recorder_adopt(fd, &recorder);

	if (err) {
		close(fd);
		return err;
	}
	memcpy(header.magic, magic, MAGIC_LEN);
	buffer_append(recorder, &header, sizeof(header));
	/* At once: a full disk is better known now than at the end. */
	err = recorder_flush(recorder);
	if (err)
		recorder_close(recorder);
	else
		*out = recorder;
	return err;
}

int recorder_open(const char *path, struct recorder **out, struct text *error)
{
	int fd;
	int err = file_create(path, &fd, error);

	if (err)
		return err;
	err = recorder_begin(fd, out);
	return err ? cannot(error, "write to", path, err) : 0;
}

int recorder_adopt(int fd, struct recorder **out)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return -ENOMEM;
	recorder->fd = fd;
	*out = recorder;
	return 0;
}

int recorder_fd(const struct recorder *recorder)
{
	return recorder->fd;
}

int recorder_write(struct recorder *recorder, const void *data, size_t len)
{
	struct tlsfail_header header;
	int err;

	if (len < sizeof(header) || len > RECORD_LEN_MAX)
		return -EMSGSIZE;
	memcpy(&header, data, sizeof(header));
	if (header.len != len)
		return -EMSGSIZE;
	if (len > sizeof(recorder->buf) - recorder->len) {
		err = recorder_flush(recorder);
		if (err)
			return err;
	}
	buffer_append(recorder, data, len);
	return recorder->err;
}

int recorder_flush(struct recorder *recorder)
{
	size_t done = 0;

	while (recorder->err == 0 && done < recorder->len) {
		ssize_t n = write(recorder->fd, recorder->buf + done, recorder->len - done);

		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			recorder->err = -errno;
	}
	recorder->len = 0;
	return recorder->err;
}

int recorder_close(struct recorder *recorder)
{
	int err;

	if (!recorder)
		return 0;
	err = recorder_flush(recorder);
	if (recorder->fd >= 0 && close(recorder->fd) && err == 0)
		err = -errno;
	free(recorder);
	return err;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Makes buf[at .. at + need) valid. Returns how much of it is: less only at the end of the file;
 * or a negative errno. */
static ssize_t recording_fill(struct recording *recording, size_t need)
{
	size_t have = recording->end - recording->at;

	if (have < need) {
		memmove(recording->buf, recording->buf + recording->at, have);
		recording->at = 0;
		recording->end = have;
	}
	while (recording->end - recording->at < need && !recording->ended) {
		ssize_t n = read(recording->fd, recording->buf + recording->end,
				 sizeof(recording->buf) - recording->end);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			recording->end += n;
		recording->ended = n == 0;
	}
	have = recording->end - recording->at;
	return have < need ? (ssize_t)have : (ssize_t)need;
}

static void recording_skip(struct recording *recording, size_t len)
{
	recording->at += len;
	recording->offset += len;
}

static int versions_check(const struct file_header *header, const char *name, struct text *error)
{
	if (header->byte_order == BYTE_ORDER_FOREIGN)
		return reject(error, name, "was made on a machine with the other byte order",
			      -EPROTONOSUPPORT);
	if (header->byte_order != BYTE_ORDER_OWN)
		return reject(error, name, "has a damaged header", -EBADMSG);
	if (header->format_version != FORMAT_VERSION) {
		add_name(error, name);
		text_addf(error, " has version %u of the recording format; this tlsfail reads %u",
			  header->format_version, FORMAT_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (header->abi_version < TLSFAIL_ABI_OLDEST || header->abi_version > TLSFAIL_ABI_VERSION) {
		add_name(error, name);
		text_addf(error, " was made by a tlsfail with ABI %u; this one reads %u to %u",
			  header->abi_version, TLSFAIL_ABI_OLDEST, TLSFAIL_ABI_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (header->header_len < sizeof(*header))
		return reject(error, name, "has a damaged header", -EBADMSG);
	return 0;
}

/* Checks the file header and goes past it, whatever a later writer has put at its end. */
static int header_read(struct recording *recording, struct text *error)
{
	const char *name = recording->name;
	struct file_header header = {};
	ssize_t have = recording_fill(recording, sizeof(header));
	size_t magic_len;
	int err;

	if (have < 0)
		return cannot(error, "read", name, (int)have);
	if (have == 0)
		return reject(error, name, "is empty: not a recording", -EBADMSG);
	memcpy(&header, recording->buf, have);
	magic_len = have < MAGIC_LEN ? (size_t)have : MAGIC_LEN;
	if (memcmp(header.magic, magic, magic_len) != 0)
		return reject(error, name, "is not a tlsfail recording", -EBADMSG);
	if ((size_t)have < sizeof(header))
		return reject(error, name, "is truncated: it ends inside its header", -EBADMSG);
	err = versions_check(&header, name, error);
	if (err)
		return err;
	have = recording_fill(recording, header.header_len);
	if (have < 0)
		return cannot(error, "read", name, (int)have);
	if (have < header.header_len)
		return reject(error, name, "is truncated: it ends inside its header", -EBADMSG);
	recording_skip(recording, header.header_len);
	recording->begun = true;
	return 0;
}

int recording_open(const char *path, struct recording **out, struct text *error)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int err;

	if (!recording)
		return cannot(error, "open", path, -ENOMEM);
	recording->name = path;
	recording->fd = STDIN_FILENO;
	if (strcmp(path, "-") == 0)
		recording->name = "standard input";
	else
		recording->fd = open(path, O_RDONLY | O_CLOEXEC);
	err = recording->fd < 0 ? cannot(error, "open", path, -errno)
				: header_read(recording, error);
	if (err)
		recording_close(recording);
	else
		*out = recording;
	return err;
}

int recording_adopt(int fd, const char *name, struct recording **out)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return -ENOMEM;
	recording->name = name;
	recording->fd = fd;
	*out = recording;
	return 0;
}

static void add_readable(struct text *error, const struct recording *recording)
{
	text_addf(error, "; %" PRIu64 " record%s before it can be read", recording->records,
		  recording->records == 1 ? "" : "s");
}

static int report_cut(const struct recording *recording, size_t have, struct text *error)
{
	add_name(error, recording->name);
	text_addf(error, " is truncated: it ends at byte %" PRIu64 " inside record %" PRIu64,
		  recording->offset + have, recording->records + 1);
	add_readable(error, recording);
	return -EBADMSG;
}

static int report_wrong_length(const struct recording *recording, uint32_t len, struct text *error)
{
	add_name(error, recording->name);
	text_addf(error,
		  " is damaged: record %" PRIu64 " at byte %" PRIu64 " claims %" PRIu32 " bytes",
		  recording->records + 1, recording->offset, len);
	add_readable(error, recording);
	return -EBADMSG;
}

int recording_next(struct recording *recording, const void **data, size_t *len, struct text *error)
{
	struct tlsfail_header header;
	int err = recording->begun ? 0 : header_read(recording, error);
	ssize_t have = err ? err : recording_fill(recording, sizeof(header));

	if (err)
		return err;
	if (have < 0)
		return cannot(error, "read", recording->name, (int)have);
	if (have == 0)
		return 0;
	if ((size_t)have < sizeof(header))
		return report_cut(recording, have, error);
	memcpy(&header, recording->buf + recording->at, sizeof(header));
	if (header.len < sizeof(header) || header.len > RECORD_LEN_MAX)
		return report_wrong_length(recording, header.len, error);
	have = recording_fill(recording, header.len);
	if (have < 0)
		return cannot(error, "read", recording->name, (int)have);
	if ((size_t)have < header.len)
		return report_cut(recording, have, error);
	*data = recording->buf + recording->at;
	*len = header.len;
	recording->begin = recording->offset;
	recording->records++;
	recording_skip(recording, header.len);
	return 1;
}

void recording_add_place(const struct recording *recording, struct text *text)
{
	add_name(text, recording->name);
	text_addf(text, ": record %" PRIu64 " at byte %" PRIu64, recording->records,
		  recording->begin);
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->fd > STDIN_FILENO)
		close(recording->fd);
	free(recording);
}
