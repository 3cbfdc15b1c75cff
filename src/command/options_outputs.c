// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the words of the command line to outputs.
 */
#include "command/options.h"

#include <unistd.h>

#include "system/terminal.h"

void options_outputs(const struct options *o, struct outputs_options *outputs)
{
	*outputs = (struct outputs_options){
		.sink = {
			.fd = STDOUT_FILENO,
			.verbose = o->verbose,
			.ladder = o->ladder,
			.color = o->color,
			.utf8 = o->utf8,
			.ecs = o->ecs,
			.status = o->command == COMMAND_TRACE && terminal_has_status(STDOUT_FILENO),
		},
		.live = o->command == COMMAND_TRACE,
		.queue_size = o->sink_queue,
	};
	if (o->format || !o->sink_count)
		outputs->specs[outputs->count++] = o->format == &sink_type_json	  ? "json:-"
						   : o->format == &sink_type_line ? "line:-"
										  : "text:-";
	for (size_t i = 0; i < o->sink_count; i++)
		outputs->specs[outputs->count++] = o->sinks[i];
	if (o->socket && o->command == COMMAND_TRACE)
		outputs->specs[outputs->count++] = o->socket_spec;
}
