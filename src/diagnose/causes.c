// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rule table, out of its parts. Order matters: certain and specific rows first, what a silent
 * close leaves open last. Words in braces are facts of the failure, see explain.c, or the program's
 * words for a setting, see program/program.h.
 */
#include "diagnose/causes.h"

#include <string.h>

#include "diagnose/cause_rows.h"

const char cause_note_concluded[] =
	" This is inferred from the certificates, because the program did not ask for the reason.";

const char cause_note_resumed[] =
	" The session was resumed, so this verify result dates from the handshake that created "
	"it, {setting:session_origin}.";

const char cause_note_shown[] = " The certificate is the one it presented at {shown}.";

const char cause_hint_resumed[] = "{setting:session_apart}";

const char cause_note_hidden[] =
	" An earlier session was offered but not resumed; until now, resumption may have hidden "
	"this problem.";

static const struct cause last_rows[] = {
	{
		.slug = "local-tls-error",
		.responsible = RESPONSIBLE_THIS_HOST,
		.when = { .role = OF_EITHER, .all = O_RAISED },
		.confidence = CONFIDENCE_MEDIUM,
		.evidence = "any other error raised by the TLS library",
		.message = "{library} on this host aborted the handshake with {peer} because of "
			   "an error ({error}).",
		.doubt = "No rule covers this error.",
		.hint = "check {setting:log} at that time, and look the error up in the "
			"documentation of {library}",
	},
	{
		.slug = "unknown",
		.when = { .role = OF_EITHER },
		.confidence = CONFIDENCE_LOW,
		.evidence = "none of the above; the raw evidence is shown",
		.message = "The handshake with {peer} failed in a way that no rule covers: {raw}.",
		.hint = "look at the evidence (-v, or tlsfail.evidence in JSON) and report this "
			"case",
	},
};

static const struct cause_part causes_last = { last_rows, ARRAY_LEN(last_rows) };

static const struct cause_part *const parts[] = {
	&causes_context, &causes_verify, &causes_peer, &causes_silent,
	&causes_clients, &causes_server, &causes_last,
};

size_t cause_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		count += parts[i]->count;
	return count;
}

const struct cause *cause_at(size_t index)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (index < parts[i]->count)
			return &parts[i]->rows[index];
		index -= parts[i]->count;
	}
	return NULL;
}

size_t cause_index(const char *slug)
{
	size_t index = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t row = 0; row < parts[i]->count; row++, index++)
			if (!strcmp(parts[i]->rows[row].slug, slug))
				return index;
	return index;
}

bool cause_is_slug(const char *pointer)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t row = 0; row < parts[i]->count; row++)
			if (parts[i]->rows[row].slug == pointer)
				return true;
	return false;
}

const struct cause *cause_find(const char *slug)
{
	return cause_at(cause_index(slug));
}
