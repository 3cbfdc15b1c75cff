// SPDX-License-Identifier: BSD-2-Clause
/*
 * A finding for each output in turn.
 */
#include "output/outputs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "finding/finding.h"
#include "system/log.h"
#include "system/clock.h"

/* How long a reader may take nothing at the end, and between looks at it. */
#define READER_NS      (300 * NS_PER_MS)
#define READER_LOOK_NS (5 * NS_PER_MS)

struct outputs {
	size_t count;
	struct output *items[OUTPUTS_MAX];
	bool alone; /* there is standard output only, beside live views */
	struct finding loss;
	char buf[SINK_FINDING_LEN]; /* for formatting */
};

/* Does the specification TYPE:TARGET lead to standard output? */
static bool spec_is_stdout(const char *spec)
{
	const char *colon = strchr(spec, ':');

	return colon && sink_is_stdout(colon + 1);
}

static int outputs_add(struct outputs *o, const struct outputs_options *options, const char *spec,
		       struct text *error)
{
	const struct output_options each = {
		.sink = options->sink,
		.direct = o->alone && spec_is_stdout(spec) && !options->live,
		.final = o->alone && spec_is_stdout(spec),
		.patient = options->patient,
		.again = options->again,
		.queue_size = options->queue_size,
	};
	int err = output_open(&each, spec, &o->items[o->count], error);

	o->count += !err;
	return err;
}

/* Is standard output, the first of them, all that there is beside live views, which come and go? */
static bool is_alone(const struct outputs_options *options)
{
	for (size_t i = 1; i < options->count; i++)
		if (strncmp(options->specs[i], "socket:/", 8) != 0)
			return false;
	return options->count && spec_is_stdout(options->specs[0]);
}

int outputs_open(const struct outputs_options *options, struct outputs **out, struct text *error)
{
	struct outputs *o = calloc(1, sizeof(*o));
	int err = o ? 0 : -ENOMEM;

	if (o) {
		o->loss.kind = FINDING_LOSS;
		o->alone = is_alone(options);
	}
	for (size_t i = 0; !err && i < options->count; i++) {
		err = outputs_add(o, options, options->specs[i], error);
		if (err && !error->len)
			text_addf(error, "cannot write the output: %s", strerror(-err));
	}
	if (err)
		outputs_close(o);
	else
		*out = o;
	return err;
}

void outputs_close(struct outputs *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->count; i++)
		output_close(o->items[i]);
	free(o);
}

/* The place of what is kept of that output, else a free one, else that of an output that is gone; there is
 * one for each. */
static size_t kept_find(const struct output_kept *kept, const bool *taken, uint64_t of)
{
	size_t found = OUTPUTS_MAX;

	for (size_t i = 0; i < OUTPUTS_MAX; i++) {
		if (taken[i])
			continue;
		if (kept[i].of == of)
			return i;
		if (found == OUTPUTS_MAX || (kept[found].of && !kept[i].of))
			found = i;
	}
	return found;
}

/* Those of which something is kept, or the others, for which what is kept of others may have to go. */
static void keep(struct outputs *o, struct output_kept *kept, bool known, bool placed[OUTPUTS_MAX],
		 bool taken[OUTPUTS_MAX])
{
	for (size_t i = 0; i < o->count; i++) {
		uint64_t of = output_identity(o->items[i]);
		size_t place = placed[i] ? OUTPUTS_MAX : kept_find(kept, taken, of);

		if (place == OUTPUTS_MAX || (known && kept[place].of != of))
			continue;
		if (kept[place].of != of)
			kept[place] = (struct output_kept){ .of = of };
		placed[i] = taken[place] = true;
		output_keep(o->items[i], &kept[place]);
	}
}

void outputs_keep(struct outputs *o, struct output_kept *kept)
{
	bool placed[OUTPUTS_MAX] = { false }, taken[OUTPUTS_MAX] = { false };

	keep(o, kept, true, placed, taken);
	keep(o, kept, false, placed, taken);
}

static int loss_tell(struct outputs *o, struct output *output)
{
	o->loss.time_ns = clock_realtime();
	return output_tell_loss(output, &o->loss, o->buf, sizeof(o->buf));
}

int outputs_write(struct outputs *o, const struct finding *finding)
{
	int result = 0;

	memcpy(o->loss.host_name, finding->host_name, sizeof(o->loss.host_name));
	for (size_t i = 0; i < o->count; i++) {
		int err = loss_tell(o, o->items[i]);

		if (!err)
			err = output_write(o->items[i], finding, o->buf, sizeof(o->buf));
		result = result ? result : err;
	}
	return result;
}

bool outputs_want_standing(const struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++)
		if (output_wants_standing(o->items[i]))
			return true;
	return false;
}

int outputs_standing(struct outputs *o, const struct standing *standing)
{
	int result = 0;

	for (size_t i = 0; i < o->count; i++) {
		int err = output_standing(o->items[i], standing, o->buf, sizeof(o->buf));

		result = result ? result : err;
	}
	return result;
}

int outputs_tick(struct outputs *o)
{
	int result = 0;

	for (size_t i = 0; i < o->count; i++) {
		int err = loss_tell(o, o->items[i]);

		result = result ? result : err;
	}
	return result;
}

void outputs_reopen(struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++)
		output_reopen(o->items[i]);
}

/* Somebody waits for us to end, and the only reader may have stopped for good. Returns when it has
 * taken everything, or nothing for a while. */
static void reader_wait(struct output *output, uint64_t deadline)
{
	const struct timespec pause = clock_timespec(READER_LOOK_NS);
	uint64_t written = 0, since = clock_monotonic(), now = since;
	struct output_counts counts;

	output_counts(output, &counts);
	while (counts.waiting && !counts.failing && now < deadline && now - since < READER_NS) {
		nanosleep(&pause, NULL);
		now = clock_monotonic();
		output_counts(output, &counts);
		if (counts.written != written)
			since = now;
		written = counts.written;
	}
	if (counts.waiting)
		output_finish_begin(output, now);
}

int outputs_finish(struct outputs *o, unsigned int limit_ms)
{
	int result = 0;
	uint64_t deadline = clock_monotonic() + limit_ms * NS_PER_MS;

	o->loss.time_ns = clock_realtime();
	for (size_t i = 0; i < o->count; i++)
		output_finish_begin(o->items[i], deadline);
	if (o->alone && o->count)
		reader_wait(o->items[0], deadline);
	for (size_t i = 0; i < o->count; i++) {
		int err = output_finish_end(o->items[i], &o->loss, o->buf, sizeof(o->buf));

		result = result ? result : err;
	}
	return result;
}

bool outputs_counts(struct outputs *o, size_t index, struct output_counts *counts)
{
	if (index >= o->count)
		return false;
	output_counts(o->items[index], counts);
	return true;
}

uint64_t outputs_dropped(struct outputs *o)
{
	struct output_counts counts;
	uint64_t dropped = 0;

	for (size_t i = 0; outputs_counts(o, i, &counts); i++)
		dropped += counts.dropped;
	return dropped;
}

void outputs_summary(struct outputs *o)
{
	struct output_counts counts;

	for (size_t i = 0; outputs_counts(o, i, &counts); i++) {
		if (!o->alone)
			log_line("%s: %" PRIu64 " events written, %" PRIu64 " lost", counts.name,
				 counts.written, counts.dropped);
		else if (counts.dropped)
			log_line("%" PRIu64 " findings were not written: %s did not accept them",
				 counts.dropped, counts.name);
	}
}
