/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file: the options of the command line, by the same names. libconfig reads it:
 *
 *	format = "json"
 *	exe = [ "/usr/sbin/nginx", "/opt/nginx/sbin/nginx" ]
 *	certs = true
 */
#ifndef TLSFAIL_COMMAND_CONFIG_H
#define TLSFAIL_COMMAND_CONFIG_H

#define CONFIG_DEFAULT_PATH "/etc/tlsfail/tlsfail.conf"

struct config;

/* Reads the file. *out is the caller's to config_free(). Returns 0, or a negative errno after one
 * line on stderr that names the file and, where there is one, the line. */
int config_read_path(const char *path, struct config **out);
void config_free(struct config *c);

/*
 * Calls take() for each setting, in the order of the file; for an array or list, for each of its
 * elements. value is NULL for true; what is set to false is left out. Strings live as long as the
 * configuration. Stops at the first call that does not return 0, and returns that. While take()
 * runs, lines on stderr begin with the place in the file.
 */
int config_each(struct config *c, int (*take)(void *context, const char *name, const char *value),
		void *context);

#endif
