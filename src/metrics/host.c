// SPDX-License-Identifier: BSD-2-Clause
/*
 * The families of records, outputs, probes and of the process.
 */
#include "metrics/host.h"

#include "base/units.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static void write_lost(struct exposition *e, const char *stage, const char *record, uint64_t count)
{
	const struct exposition_label labels[] = { { "stage", stage },
						   { "record", record },
						   { 0 } };

	exposition_integer(e, labels, count);
}

static void write_undecided(struct exposition *e, const char *what, uint64_t count)
{
	const struct exposition_label labels[] = { { "what", what }, { 0 } };

	exposition_integer(e, labels, count);
}

static void write_records(struct exposition *e, const struct metrics_host *h)
{
	const __u64 *n = h->counters.n;
	uint64_t dropped = 0;

	for (size_t i = 0; i < h->output_count; i++)
		dropped += h->outputs[i].dropped;
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_records_received", NULL,
			  "Records received from the kernel side.");
	exposition_integer(e, NULL, h->records);
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_records_lost", NULL,
			  "What was lost, by where and what.");
	write_lost(e, "kernel", "failure", n[TLSFAIL_N_LOST_CONN]);
	write_lost(e, "kernel", "wire", n[TLSFAIL_N_LOST_WIRE]);
	write_lost(e, "kernel", "connection", n[TLSFAIL_N_UNTRACKED]);
	write_lost(e, "kernel", "process", n[TLSFAIL_N_LOST_EXEC]);
	write_lost(e, "decode", "any", h->invalid);
	write_lost(e, "correlate", "wire", h->orphans);
	write_lost(e, "output", "event", dropped);
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_undecided", NULL,
			  "Handshakes that may have completed or failed, and TLS library errors "
			  "whose connection is uncertain: neither is reported.");
	write_undecided(e, "handshake", n[TLSFAIL_N_UNSURE]);
	write_undecided(e, "error", n[TLSFAIL_N_UNOWNED]);
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_conclusions_withdrawn", NULL,
			  "Causes withheld because the evidence of their finding contradicts "
			  "them.");
	exposition_integer(e, NULL, h->contradictions);
	exposition_family(
		e, EXPOSITION_COUNTER, "tlsfail_analyst_crashes", NULL,
		"Crashes of the process that reads what peers send: the record that it had "
		"at hand is missing.");
	exposition_integer(e, NULL, h->crashes);
}

struct output_family {
	enum exposition_type type;
	const char *name;
	const char *unit;
	const char *help;
	uint64_t (*value)(const struct metrics_output *output);
};

static uint64_t output_written(const struct metrics_output *o)
{
	return o->written;
}

static uint64_t output_dropped(const struct metrics_output *o)
{
	return o->dropped;
}

static uint64_t output_errors(const struct metrics_output *o)
{
	return o->errors;
}

static uint64_t output_waiting(const struct metrics_output *o)
{
	return o->waiting;
}

static uint64_t output_waiting_bytes(const struct metrics_output *o)
{
	return o->waiting_bytes;
}

static uint64_t output_failing(const struct metrics_output *o)
{
	return o->failing;
}

static const struct output_family output_families[] = {
	{ EXPOSITION_COUNTER, "tlsfail_sink_events_written", NULL, "Events that a sink accepted.",
	  output_written },
	{ EXPOSITION_COUNTER, "tlsfail_sink_events_dropped", NULL,
	  "Events that a sink did not get.", output_dropped },
	{ EXPOSITION_COUNTER, "tlsfail_sink_errors", NULL, "Failed attempts to write to a sink.",
	  output_errors },
	{ EXPOSITION_GAUGE, "tlsfail_sink_queue_length", NULL, "Events that wait for a sink.",
	  output_waiting },
	{ EXPOSITION_GAUGE, "tlsfail_sink_queue_size_bytes", "bytes",
	  "Memory that waiting events "
	  "use.",
	  output_waiting_bytes },
	{ EXPOSITION_GAUGE, "tlsfail_sink_failing", NULL,
	  "1 when the last attempt to write to a sink failed.", output_failing },
};

static void write_outputs(struct exposition *e, const struct metrics_host *h)
{
	for (size_t f = 0; f < ARRAY_LEN(output_families); f++) {
		const struct output_family *family = &output_families[f];

		exposition_family(e, family->type, family->name, family->unit, family->help);
		for (size_t i = 0; i < h->output_count; i++) {
			const struct exposition_label sink[] = { { "sink", h->outputs[i].name },
								 { 0 } };

			exposition_integer(e, sink, family->value(&h->outputs[i]));
		}
	}
}

static void write_probes(struct exposition *e, const struct metrics_host *h)
{
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_probe_misses", NULL,
			  "Times that the kernel did not run a BPF program.");
	for (size_t i = 0; i < h->probes.count; i++) {
		const struct exposition_label probe[] = { { "probe", h->probes.items[i].name },
							  { 0 } };

		exposition_integer(e, probe, h->probes.items[i].misses);
	}
	if (!h->probes.timed)
		return;
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_probe_hits", NULL,
			  "Times that a BPF program ran.");
	for (size_t i = 0; i < h->probes.count; i++) {
		const struct exposition_label probe[] = { { "probe", h->probes.items[i].name },
							  { 0 } };

		exposition_integer(e, probe, h->probes.items[i].hits);
	}
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_probe_run_seconds", "seconds",
			  "Time spent in a BPF program.");
	for (size_t i = 0; i < h->probes.count; i++) {
		const struct exposition_label probe[] = { { "probe", h->probes.items[i].name },
							  { 0 } };

		exposition_decimal(e, probe, (double)h->probes.items[i].run_time / NS_PER_S);
	}
}

/* The names that every client library of Prometheus uses. */
static void write_process(struct exposition *e, const struct metrics_process *p)
{
	if (!p->known)
		return;
	exposition_family(e, EXPOSITION_COUNTER, "process_cpu_seconds", "seconds",
			  "User and system CPU time of tlsfail.");
	exposition_decimal(e, NULL, p->cpu_s);
	exposition_family(e, EXPOSITION_GAUGE, "process_start_time_seconds", "seconds",
			  "When tlsfail started.");
	exposition_decimal(e, NULL, p->start_s);
	exposition_family(e, EXPOSITION_GAUGE, "process_resident_memory_bytes", "bytes",
			  "Resident memory of tlsfail, without the BPF maps.");
	exposition_integer(e, NULL, p->resident);
	exposition_family(e, EXPOSITION_GAUGE, "process_virtual_memory_bytes", "bytes",
			  "Virtual memory of tlsfail.");
	exposition_integer(e, NULL, p->virtual);
	exposition_family(e, EXPOSITION_GAUGE, "process_open_fds", NULL,
			  "Open file descriptors of tlsfail.");
	exposition_integer(e, NULL, p->open_fds);
	exposition_family(e, EXPOSITION_GAUGE, "process_max_fds", NULL,
			  "The limit of open file descriptors.");
	exposition_integer(e, NULL, p->max_fds);
}

void metrics_host_write(const struct metrics_host *host, struct exposition *exposition)
{
	write_records(exposition, host);
	write_outputs(exposition, host);
	write_probes(exposition, host);
	write_process(exposition, &host->process);
}
