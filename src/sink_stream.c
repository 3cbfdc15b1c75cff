/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sinks that write to standard output. Each finding is one write(2): a reader sees a failure when it
 * happens, and never the half of a line.
 */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>

#include "text.h"

struct sink {
	int fd;
};

int sink_stream_check(const char *target, struct text *error)
{
	if (sink_is_stdout(target))
		return 0;
	text_addf(error, "'%s' is no target: - is standard output", target);
	return -EINVAL;
}

int sink_stream_open(const struct sink_options *options, const char *target, struct sink **sink)
{
	(void)target;
	*sink = malloc(sizeof(**sink));
	if (!*sink)
		return -ENOMEM;
	(*sink)->fd = options->fd;
	return 0;
}

int sink_stream_write(struct sink *sink, const void *data, size_t len)
{
	return sink_write_all(sink->fd, data, len);
}

void sink_stream_close(struct sink *sink)
{
	free(sink);
}
