/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings: the records of a run on disk, byte for byte as the collector handled them, behind a
 * header that says who can read them. Written by `trace --record`, read by `replay`.
 *
 * Errors are negative errno values, and error gets one sentence for people, with the file's name
 * in it and without a full stop. It is appended to, so the caller may have put a beginning there.
 */
#ifndef TLSFAIL_RECORD_RECORDING_H
#define TLSFAIL_RECORD_RECORDING_H

#include <linux/types.h>
#include <stddef.h>

#include "tlsfail_abi.h"

/* The largest record there can be: a process with its three strings. */
#define RECORD_LEN_MAX (sizeof(struct tlsfail_process) + 3UL * TLSFAIL_STRING_MAX)

struct recorder;
struct recording;
struct text;

/*
 * Creates the recording path, readable by its owner only: it holds handshake bytes. A regular file
 * that is there is overwritten, a FIFO (whose reader is waited for) or a character device is written
 * to; a symbolic link, and what belongs to somebody else than root or this user, is refused.
 * Sets *out, to be ended with recorder_close().
 */
int recorder_open(const char *path, struct recorder **out, struct text *error);

/* Begins one in fd, which is the recorder's to close, after an error as well. */
int recorder_begin(int fd, struct recorder **out);

/* The recording that was so opened or begun, in another process: goes on writing to it, and closes fd. -ENOMEM on
 * failure. */
int recorder_adopt(int fd, struct recorder **out);
int recorder_fd(const struct recorder *recorder);

/*
 * Appends one record. It is buffered, and written when the buffer is full. -EMSGSIZE: it is not a
 * record of len bytes. Any other error is that of the disk, and stays: each later call returns it.
 */
int recorder_write(struct recorder *recorder, const void *data, size_t len);

/* Writes what is buffered. Returns 0 or the error of the disk (-ENOSPC ...). */
int recorder_flush(struct recorder *recorder);

/* Flushes and frees. Returns the first error of the disk since the recording was opened: unless it
 * is 0, the recording is not complete. A NULL recorder is 0. */
int recorder_close(struct recorder *recorder);

/*
 * Opens the recording path, "-" for standard input, and checks its header. -EBADMSG: not a
 * recording; -EPROTONOSUPPORT: a recording for another version or byte order. path must outlive
 * the recording. Sets *out, to be ended with recording_close().
 */
int recording_open(const char *path, struct recording **out, struct text *error);

/* One that is still being written, and comes from fd, which does not block and is the recording's to
 * close. recording_next() reads the header, too, and returns -EAGAIN while there is nothing. */
int recording_adopt(int fd, const char *name, struct recording **out);

/*
 * Reads the next record: 1, with *data and *len set, valid until the next call, not aligned; 0 at
 * the end; or a negative errno, -EBADMSG for a recording that is cut or damaged. Only the length
 * is checked: decode_record() does the rest.
 */
int recording_next(struct recording *recording, const void **data, size_t *len, struct text *error);

/* Appends the place of the last record that was read: "FILE: record 3 at byte 1172". */
void recording_add_place(const struct recording *recording, struct text *text);

/* Closes and frees. NULL is fine. */
void recording_close(struct recording *recording);

#endif
