/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail probe: asks upstreams as nginx would.
 */
#ifndef TLSFAIL_COMMAND_PROBE_H
#define TLSFAIL_COMMAND_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#define PROBE_TARGETS_MAX 256
#define PROBE_TIMEOUT_S	  5
#define PROBE_RATE	  20 /* connections a second */

#define EXIT_UNTRIED 3 /* probe: could not be tried */

struct options;
struct starttls;

struct probe_settings {
	const char *conf; /* nginx.conf, NULL: that of the running nginx */
	const char *from; /* failures as JSON, or NULL */
	uint64_t timeout_s;
	uint64_t rate;
	uint64_t watch_s; /* 0: once */
	bool enumerate;
	/* as whom, beside what the configuration says */
	const char *name; /* SNI, and the name that is verified */
	bool verify;
	const char *ca;
	const char *certificate;
	const char *key;
	const struct starttls *starttls;
	bool proxy_header;
};

/* Returns the exit status. */
int probe_run(const struct options *options);

#endif
