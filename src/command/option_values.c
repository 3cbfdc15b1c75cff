// SPDX-License-Identifier: BSD-2-Clause
/*
 * The values of options: numbers and times.
 */
#include "command/option_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "system/log.h"

int option_number(const char *option, const char *value, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno && *number && *number <= max)
		return 0;
	log_line("%s takes a number from 1 to %llu, not '%s'", option, (unsigned long long)max,
		 value);
	return EXIT_USAGE;
}

/* Seconds; 0: no unit. */
static uint64_t unit_seconds(char unit)
{
	static const struct {
		char name;
		uint64_t seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].name == unit)
			return units[i].seconds;
	return 0;
}

/* Numbers with their units, one behind the other. False: it is something else, or more than max. */
static bool duration_parse(const char *value, char unit, uint64_t max_s, uint64_t *seconds)
{
	*seconds = 0;
	do {
		char *end;
		uint64_t number, factor;

		if (*value < '0' || *value > '9')
			return false;
		errno = 0;
		number = strtoull(value, &end, 10);
		factor = unit_seconds(*end ? *end : unit);
		if (errno || !factor || number > (max_s - *seconds) / factor)
			return false;
		*seconds += number * factor;
		value = *end ? end + 1 : end;
	} while (*value);
	return *seconds;
}

int option_duration(const char *option, const char *value, char unit, uint64_t max_s,
		    uint64_t *seconds)
{
	if (duration_parse(value, unit, max_s, seconds))
		return 0;
	log_line("%s takes a time such as 90s, 10m, 1h30m or 30d, up to %llu%c, not '%s'", option,
		 (unsigned long long)(max_s / unit_seconds(unit)), unit, value);
	return EXIT_USAGE;
}
