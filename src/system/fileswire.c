// SPDX-License-Identifier: BSD-2-Clause
/*
 * A head of fixed length, then a path, then data. Both sides are one program on one machine: numbers
 * and struct stat are as they lie in memory.
 */
#include "system/fileswire.h"

#include <errno.h>
#include <string.h>

struct request_head {
	uint16_t op;
	uint16_t flag;
	int32_t pid;
	uint32_t path_len;
	uint32_t data_len;
};

struct reply_head {
	int32_t err;
	int32_t parent;
	uint64_t number;
	uint32_t has_fd;
	uint32_t data_len;
	struct stat stat;
};

_Static_assert(sizeof(struct request_head) + FILES_PATH_MAX + FILES_DATA_MAX <= FILESWIRE_MAX &&
		       sizeof(struct reply_head) + FILES_DATA_MAX <= FILESWIRE_MAX,
	       "either fits");

#define ERRNO_MAX 4095

size_t fileswire_request_write(const struct files_request *r, uint8_t *buf)
{
	struct request_head head = {
		.op = (uint16_t)r->op,
		.flag = r->flag,
		.pid = r->pid,
		.path_len = (uint32_t)strnlen(r->path, FILES_PATH_MAX - 1),
		.data_len = (uint32_t)(r->data_len < FILES_DATA_MAX ? r->data_len : FILES_DATA_MAX),
	};

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), r->path, head.path_len);
	memcpy(buf + sizeof(head) + head.path_len, r->data, head.data_len);
	return sizeof(head) + head.path_len + head.data_len;
}

bool fileswire_request_read(const uint8_t *buf, size_t len, struct files_request *r)
{
	struct request_head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, buf, sizeof(head));
	if (head.op >= FILES_OPS || head.flag > 1 || head.pid < 0 ||
	    head.path_len >= FILES_PATH_MAX || head.data_len > FILES_DATA_MAX ||
	    len != sizeof(head) + head.path_len + head.data_len ||
	    memchr(buf + sizeof(head), '\0', head.path_len))
		return false;
	r->op = (enum files_op)head.op;
	r->flag = head.flag;
	r->pid = head.pid;
	memcpy(r->path, buf + sizeof(head), head.path_len);
	r->path[head.path_len] = '\0';
	r->data_len = head.data_len;
	memcpy(r->data, buf + sizeof(head) + head.path_len, head.data_len);
	return true;
}

size_t fileswire_reply_write(const struct files_reply *r, uint8_t *buf)
{
	struct reply_head head;

	memset(&head, 0, sizeof(head));
	head.err = r->err;
	head.parent = r->parent;
	head.number = r->number;
	head.has_fd = r->has_fd;
	head.data_len = (uint32_t)(r->data_len < FILES_DATA_MAX ? r->data_len : FILES_DATA_MAX);
	head.stat = r->stat;
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), r->data, head.data_len);
	return sizeof(head) + head.data_len;
}

bool fileswire_reply_read(const uint8_t *buf, size_t len, struct files_reply *r)
{
	struct reply_head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, buf, sizeof(head));
	if (head.err > 0 || head.err < -ERRNO_MAX || head.has_fd > 1 || head.parent < 0 ||
	    (head.has_fd && head.err) || head.data_len > FILES_DATA_MAX ||
	    len != sizeof(head) + head.data_len)
		return false;
	r->err = head.err;
	r->has_fd = head.has_fd;
	r->parent = head.parent;
	r->number = head.number;
	r->stat = head.stat;
	r->data_len = head.data_len;
	memcpy(r->data, buf + sizeof(head), head.data_len);
	return true;
}
