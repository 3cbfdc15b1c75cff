/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of a place in nginx's configuration: the settings that hold there, from the inside out
 * as nginx merges them, and the lines around a directive. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_SETTINGS_H
#define TLSFAIL_PROGRAM_NGINX_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "program/nginx/conf.h"
#include "program/nginx/place.h"

#define NGINXTELL_SIZE (24U << 10)

/* Words that stand nowhere as they are told. Begins, and begins anew, with len 0. */
struct nginxtell {
	char scratch[NGINXTELL_SIZE];
	size_t len;
};

struct nginx_words nginxtell_string(const char *string);

/* The words of the directive from `from` on, with one space between; none when scratch is full. */
struct nginx_words nginxtell_join(struct nginxtell *tell,
				  const struct nginxconf_directive *directive, uint32_t from);

/* Its arguments, so far as they may be shown: see redact.h. */
struct nginx_words nginxtell_shown(struct nginxtell *tell,
				   const struct nginxconf_directive *directive);

/* The directive that sets it for the block, from the inside out; of several the first. NULL: none
 * does. */
const struct nginxconf_directive *nginxtell_setting(const struct nginxconf_directive *block,
						    enum nginx_module module,
						    enum nginx_setting setting);

/* Adds the directive with the lines around it, so far as they may be shown: see redact.h. Nothing is
 * added when its own may not, the file's text is gone, or they are long. */
void nginxtell_spot(struct nginx_place *place, enum nginx_setting setting,
		    const struct nginxconf_directive *directive);

/* Adds the setting as it holds in the block, for place->module, with the spots of its own. */
void nginxtell_value(struct nginxtell *tell, struct nginx_place *place, enum nginx_setting setting,
		     const struct nginxconf_directive *block);

/* The same for the directive, whatever it is that sets it. */
void nginxtell_directive(struct nginxtell *tell, struct nginx_place *place,
			 enum nginx_setting setting, const struct nginxconf_directive *directive,
			 bool own);

/* Adds what is no directive. */
void nginxtell_fact(struct nginxtell *tell, struct nginx_place *place, enum nginx_setting setting,
		    unsigned int number);

/* Adds all settings that hold in the block. */
void nginxtell_values(struct nginxtell *tell, struct nginx_place *place,
		      const struct nginxconf_directive *block);

#endif
