// SPDX-License-Identifier: BSD-2-Clause
/*
 * In the place of what traces, in a program that was built without libbpf (make ask).
 */
#include "command/doctor.h"
#include "command/options.h"
#include "command/trace.h"
#include "system/log.h"

static int refuse(const char *verb)
{
	log_line(
		"%s: this tlsfail was built without libbpf: it explains, lints, probes, replays and "
		"reports, but does not trace",
		verb);
	return EXIT_CANNOT;
}

int tracer_run(const struct options *options)
{
	(void)options;
	return refuse("trace");
}

int doctor_run(const struct options *options)
{
	(void)options;
	return refuse("doctor");
}
