// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints the rule table as it is: what the diagnosis goes by is what is documented.
 */
#include "listing.h"

#include <stdio.h>
#include <stdlib.h>

#include "causes.h"
#include "log.h"
#include "options.h"

static const char *confidence_word(const struct cause *cause)
{
	static const char *const words[] = {
		[CONFIDENCE_LOW] = "low",
		[CONFIDENCE_MEDIUM] = "medium",
		[CONFIDENCE_HIGH] = "high",
	};

	return words[cause->confidence];
}

static void cause_print(const struct cause *cause)
{
	printf("%s\n", cause->slug);
	printf("  evidence    %s\n", cause->evidence);
	printf("  meaning     %s\n", cause->message);
	if (cause->doubt)
		printf("  in doubt    %s\n", cause->doubt);
	printf("  confidence  %s%s\n", confidence_word(cause),
	       cause->high_if ? ", high with more evidence" : "");
	printf("  fix         %s\n", cause->hint);
}

int listing_run(const struct options *options)
{
	const struct cause *cause = options->argument ? cause_find(options->argument) : NULL;

	if (options->argument && !cause) {
		log_line("no cause is named '%s'; tlsfail causes lists them", options->argument);
		return EXIT_USAGE;
	}
	if (cause)
		cause_print(cause);
	for (size_t i = 0; !cause && i < cause_table_len; i++) {
		if (i)
			putchar('\n');
		cause_print(&cause_table[i]);
	}
	return fflush(stdout) ? EXIT_CANNOT : EXIT_SUCCESS;
}
