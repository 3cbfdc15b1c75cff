/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place in nginx's configuration as a client: what its worker would send, and how it would verify.
 */
#ifndef TLSFAIL_PROBE_LOCATION_H
#define TLSFAIL_PROBE_LOCATION_H

#include "probe/client.h"
#include "program/nginx/place.h"

struct location_files {
	/* Opens a file as nginx would by that name; a descriptor, or a negative errno. */
	int (*open)(void *context, const char *name);
	/* Opens those that stand beside it; the descriptors are found()'s to close. */
	void (*neighbours)(void *context, const char *name, void (*found)(void *context, int fd),
			   void *found_context);
	void *context;
};

/*
 * Sets *client, whose files are the caller's to client_free(). versions are those that this nginx
 * offers when proxy_ssl_protocols does not say. What depends on a variable cannot be known here: skipped
 * gets a sentence.
 */
void location_client(const struct nginx_place *place, const struct location_files *files,
		     unsigned int versions, struct client *client, struct text *skipped);

/* The versions that an nginx of that version (as nginxargs_read_version() has it, 0 unknown) offers by
 * itself. */
unsigned int location_versions(unsigned int version);

#endif
