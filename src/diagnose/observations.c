// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of observations, and what they and circumstances say.
 */
#include "diagnose/circumstances.h"
#include "diagnose/observations.h"

const char *observation_name(enum observation_number number)
{
	static const char *const names[] = {
#define OBSERVATION_NAME(name, words) #name,
		OBSERVATIONS(OBSERVATION_NAME)
#undef OBSERVATION_NAME
	};

	return names[number];
}

const char *observation_words(enum observation_number number)
{
	static const char *const all[] = {
#define OBSERVATION_WORDS(name, words) words,
		OBSERVATIONS(OBSERVATION_WORDS)
#undef OBSERVATION_WORDS
	};

	return all[number];
}

const char *circumstance_words(enum circumstance_number number)
{
	static const char *const all[] = {
#define CIRCUMSTANCE_WORDS(name, words) words,
		CIRCUMSTANCES(CIRCUMSTANCE_WORDS)
#undef CIRCUMSTANCE_WORDS
	};

	return all[number];
}
