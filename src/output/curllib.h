/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl, loaded when it is asked for: it brings some twenty libraries into the process, among them
 * Kerberos and LDAP, which a run without a collector shall neither wait for nor hold.
 */
#ifndef TLSFAIL_OUTPUT_CURLLIB_H
#define TLSFAIL_OUTPUT_CURLLIB_H

/* Its macros check calls by their names, which are not those of the members below. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define CURLLIB_FUNCTIONS(x)                                                                       \
	x(global_init) x(free) x(url) x(url_cleanup) x(url_get) x(url_set) x(slist_append)         \
		x(slist_free_all) x(easy_init) x(easy_cleanup) x(easy_setopt) x(easy_getinfo)      \
			x(easy_strerror) x(multi_init) x(multi_cleanup) x(multi_add_handle)        \
				x(multi_remove_handle) x(multi_perform) x(multi_poll)              \
					x(multi_info_read)

/* The functions of libcurl, without "curl_" before their names. */
struct curllib {
#define CURLLIB_MEMBER(name) __typeof__(curl_##name) *(name);
	CURLLIB_FUNCTIONS(CURLLIB_MEMBER)
#undef CURLLIB_MEMBER
};

/* NULL when this host has no libcurl that has them all. From one thread only. */
const struct curllib *curllib_load(void);

#endif
