/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language of nginx.conf, read as nginx reads it (ngx_conf_read_token()): words, quotes,
 * escapes, comments, blocks, includes. Gives a tree of directives that each know where they stand.
 * What a directive means is for map.h; variables stay as they are written. Pure: files come
 * through callbacks. The text is hostile: it may hold anything, and costs no more than the limits
 * below.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_CONF_H
#define TLSFAIL_PROGRAM_NGINX_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define NGINXCONF_BYTES_MAX	 (16U << 20) /* of all files together */
#define NGINXCONF_FILES_MAX	 4096	     /* one that is included twice counts twice */
#define NGINXCONF_DIRECTIVES_MAX 200000	     /* that are wanted */
#define NGINXCONF_INCLUDES_MAX	 16	     /* one inside the other: more is a cycle */
#define NGINXCONF_BLOCKS_MAX	 64	     /* one inside the other */

struct nginxconf_file {
	const char *path; /* as nginx names it */
	char *text;	  /* not terminated; NULL after nginxconf_drop_texts() */
	size_t len;
	struct nginxconf_file *next;
	const char *real; /* its path without symbolic links, where that is known */
	bool shared;	  /* it is included more than once */
};

struct nginxconf_directive {
	const struct nginxconf_file *file;
	uint32_t line;	 /* of its name */
	uint32_t start;	 /* of its name, in the file's text */
	uint32_t end;	 /* behind its ';' or '{' */
	uint32_t number; /* in the order of reading */
	bool is_block;
	uint32_t word_count;		    /* at least 1 */
	const char **words;		    /* its name and arguments, without quotes and escapes */
	struct nginxconf_directive *parent; /* NULL at the top */
	struct nginxconf_directive *next;   /* the one after it in its block; of an include, too */
	struct nginxconf_directive *first;  /* in its own block, NULL none */
	struct nginxconf_directive *last;
	/* The first of each name in its own block, in the order of the names. */
	const struct nginxconf_directive **names;
	uint32_t name_count;
};

/* Where files come from. Both return 0 or a negative errno. */
struct nginxconf_source {
	/* The whole of a file; *text is malloc()ed and the reader's to free(). */
	int (*read)(void *context, const char *path, char **text, size_t *len);
	/* Of the file that was read last, its path without symbolic links; "": it is the same, or not
	 * known. NULL: so of all of them. */
	const char *(*real)(void *context);
	/* Calls found for each file that the pattern stands for, in nginx's order, until it returns
	 * something else than 0, and returns that; none is no error. */
	int (*expand)(void *context, const char *pattern, int (*found)(void *, const char *path),
		      void *found_context);
	void *context;
};

struct nginxconf_request {
	const char *path;   /* of the file to begin with */
	const char *prefix; /* stands before relative names in include; ends with '/' */
	/* Directives of other names are not kept. Blocks always are, but the ones that hold no
	 * directives (map, geo, types ...). NULL: keep all. */
	bool (*wanted)(const char *name);
};

struct nginxconf {
	struct nginxconf_directive *first; /* at the top */
	struct nginxconf_file *files;
	size_t file_count;
	size_t directive_count; /* that were kept */
	size_t bytes;		/* of text */
	struct nginxconf_chunk *chunks;
};

/*
 * Reads a configuration. On success *conf is the caller's to nginxconf_free(). Otherwise problem
 * says what is wrong and where:
 *   -EBADMSG  it is not what nginx would take
 *   -E2BIG    it is larger than the limits
 *   -ENOMEM, or what source returned
 */
int nginxconf_read(const struct nginxconf_source *source, const struct nginxconf_request *request,
		   struct nginxconf **conf, struct text *problem);

/* Frees it with all directives. NULL is allowed. */
void nginxconf_free(struct nginxconf *conf);

/* Frees the texts of the files and nothing else: then there are no excerpts. */
void nginxconf_drop_texts(struct nginxconf *conf);

/* The first directive of that name in the block, which may hold very many. NULL: none. */
const struct nginxconf_directive *nginxconf_first(const struct nginxconf_directive *block,
						  const char *name);

/* The next directive of that name, from the one given on. NULL: none. */
const struct nginxconf_directive *nginxconf_find(const struct nginxconf_directive *from,
						 const char *name);

/* Argument n, from 1 on; "" when there are fewer. */
const char *nginxconf_word(const struct nginxconf_directive *directive, uint32_t n);

#endif
