/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regular expressions of server_name, as far as they mean the same to PCRE and to regcomp(3). Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_REGEX_H
#define TLSFAIL_PROGRAM_NGINX_REGEX_H

enum nginxregex {
	NGINXREGEX_NO,
	NGINXREGEX_YES,
	NGINXREGEX_UNKNOWN, /* it has something that is not known here, or is costly */
};

/* Does the expression, which stands behind "~" in the configuration, match the host name? */
enum nginxregex nginxregex_match(const char *expression, const char *name);

#endif
