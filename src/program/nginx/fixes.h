/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of fixes: what directive of nginx takes what value, keyed by the cause. Pure.
 *
 * Nothing here makes TLS weaker unless that is the only way, and then the words say so.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_FIXES_H
#define TLSFAIL_PROGRAM_NGINX_FIXES_H

#include "base/text.h"
#include "finding/finding.h"
#include "program/nginx/place.h"

#define NGINXFIX_CHANGES_MAX 3
#define NGINXFIX_VALUE_LEN   FINDING_NAME_LEN

/* A setting as a bit. */
#define NGINXFIX_BIT(setting) (1U << (setting))
_Static_assert(NGINX_SETTING_COUNT <= 32, "a bit each");

/* A directive and what it should say. */
struct nginxfix_change {
	enum nginx_setting setting;
	char value[NGINXFIX_VALUE_LEN];
};

/* What is looked at, and what is proposed. */
struct nginxfix_advice {
	const struct finding *f;
	const struct nginx_places *places;
	const struct nginx_place *place; /* the first of them, but for: */
	unsigned int sets;		 /* the same as in the row */
	bool is_default_server; /* the default server of the address decides, not the named one */
	unsigned int change_count;
	struct nginxfix_change changes[NGINXFIX_CHANGES_MAX];
	const char *review; /* the same as in the row, of what was proposed for this place */
};

struct nginxfix {
	const char *slug;
	void (*propose)(struct nginxfix_advice *advice); /* NULL: there is nothing to set */
	unsigned int sets;				 /* settings that it may change, as bits */
	const char *caution;				 /* behind what is proposed, or NULL */
	const char *otherwise; /* instead of the cause's own hint when nothing is proposed, or
				* NULL */
	/* The same, where facts of the place are in it. False: it has nothing to say. */
	bool (*explain)(const struct nginxfix_advice *advice, struct text *words);
	const char *review; /* why what is proposed is not safe to apply unread; NULL: it is */
	unsigned int show;  /* settings that are told, as bits */
	unsigned int files; /* settings whose files are told about, as bits */
};

/* The row of the cause, NULL when there is none. */
const struct nginxfix *nginxfix_find(const char *slug);

/* Could a server's name be sent from the place that is not sent now? */
bool nginxfix_can_send_name(const struct finding *f, const struct nginx_place *place);

/* Adds a change to what is proposed, as far as there is room, of a setting that the row says it may change.
 * The value is copied. */
void nginxfix_change(struct nginxfix_advice *advice, enum nginx_setting setting, const char *value);

void nginxfix_change_words(struct nginxfix_advice *advice, enum nginx_setting setting,
			   const struct nginx_words *words);

/* The slugs of the table, by index; NULL behind the last one. */
const char *nginxfix_slug(size_t index);

/* What the setting is at the place; no words when it is not set. */
struct nginx_words nginxfix_value(const struct nginx_place *place, enum nginx_setting setting);

#endif
