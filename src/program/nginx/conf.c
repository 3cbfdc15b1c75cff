// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lexer has the states of ngx_conf_read_token(). Blocks are followed with a pointer instead of
 * recursion; includes recurse, and their depth is limited.
 */
#include "program/nginx/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program/nginx/lua.h"

#define CHUNK_SIZE (256U << 10)

struct nginxconf_chunk {
	struct nginxconf_chunk *next;
	size_t used;
	size_t size;
	char data[];
};

/* How a run of words ended. */
enum ending {
	ENDING_DIRECTIVE, /* ';' */
	ENDING_OPEN,	  /* '{' */
	ENDING_CLOSE,	  /* '}' */
	ENDING_FILE,
	ENDING_ERROR,
};

struct reader {
	const struct nginxconf_source *source;
	const struct nginxconf_request *request;
	struct nginxconf *conf;
	struct text *problem;
	unsigned int includes;
	struct nginxconf_directive *parent; /* NULL at the top */
	struct nginxconf_directive *last;   /* at the top */

	/* the directive that is being read */
	char *scratch;
	size_t scratch_len;
	size_t scratch_size;
	size_t *words; /* where each begins in scratch */
	uint32_t word_count;
	uint32_t word_size;
	size_t start;
	uint32_t start_line;
};

/* One file being read. */
struct lexer {
	const struct nginxconf_file *file;
	size_t at;
	uint32_t line;
};

/* -- memory ------------------------------------------------------------------------------------ */

/* Aligned for pointers; NULL when out of memory. */
static void *conf_alloc(struct nginxconf *conf, size_t size)
{
	struct nginxconf_chunk *chunk = conf->chunks;
	void *result;

	size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct nginxconf_chunk){ .next = conf->chunks, .size = room };
		conf->chunks = chunk;
	}
	result = chunk->data + chunk->used;
	chunk->used += size;
	return result;
}

static char *conf_copy(struct nginxconf *conf, const char *string, size_t len)
{
	char *copy = conf_alloc(conf, len + 1);

	if (copy) {
		memcpy(copy, string, len);
		copy[len] = '\0';
	}
	return copy;
}

void nginxconf_drop_texts(struct nginxconf *conf)
{
	for (struct nginxconf_file *file = conf->files; file; file = file->next) {
		free(file->text);
		file->text = NULL;
	}
}

void nginxconf_free(struct nginxconf *conf)
{
	struct nginxconf_chunk *chunk;

	if (!conf)
		return;
	nginxconf_drop_texts(conf);
	while ((chunk = conf->chunks)) {
		conf->chunks = chunk->next;
		free(chunk);
	}
	free(conf);
}

/* -- what is wrong ----------------------------------------------------------------------------- */

static int fail(struct reader *r, const struct lexer *lexer, int err, const char *what)
{
	text_add_hostile(r->problem, lexer->file->path, strlen(lexer->file->path));
	text_addf(r->problem, ":%u: %s", lexer->line, what);
	return err;
}

/* -- words ------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool scratch_reserve(struct reader *r, size_t more)
{
	size_t size = r->scratch_size ? r->scratch_size : 4096;
	char *grown;

	while (size < r->scratch_len + more)
		size *= 2;
	if (size == r->scratch_size)
		return true;
	grown = realloc(r->scratch, size);
	if (!grown)
		return false;
	r->scratch = grown;
	r->scratch_size = size;
	return true;
}

/* Adds the word that text[start .. end) is, its escapes undone. */
static bool word_add(struct reader *r, const char *text, size_t start, size_t end)
{
	if (r->word_count == r->word_size) {
		uint32_t size = r->word_size ? 2 * r->word_size : 16;
		size_t *grown = realloc(r->words, size * sizeof(*grown));

		if (!grown)
			return false;
		r->words = grown;
		r->word_size = size;
	}
	if (!scratch_reserve(r, end - start + 1))
		return false;
	r->words[r->word_count++] = r->scratch_len;
	for (size_t i = start; i < end; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < end) {
			switch (text[i + 1]) {
			case '"':
			case '\'':
			case '\\':
				c = text[++i];
				break;
			case 't':
				c = '\t';
				i++;
				break;
			case 'r':
				c = '\r';
				i++;
				break;
			case 'n':
				c = '\n';
				i++;
				break;
			default:
				break;
			}
		}
		r->scratch[r->scratch_len++] = c;
	}
	r->scratch[r->scratch_len++] = '\0';
	return true;
}

/* Goes past spaces and comments. False at the end of the file. */
static bool space_skip(struct lexer *l)
{
	const char *text = l->file->text;

	for (; l->at < l->file->len; l->at++) {
		if (text[l->at] == '#') {
			const char *end = memchr(text + l->at, '\n', l->file->len - l->at);

			l->at = end ? (size_t)(end - text) : l->file->len;
			if (!end)
				return false;
		}
		if (!is_space(text[l->at]))
			return true;
		l->line += text[l->at] == '\n';
	}
	return false;
}

/* Behind the closing quote, from the opening one on; the file's length when there is none. */
static size_t quoted_end(struct lexer *l)
{
	const char *text = l->file->text;
	char quote = text[l->at];
	size_t i = l->at + 1;

	for (; i < l->file->len && text[i] != quote; i++) {
		if (text[i] == '\\' && i + 1 < l->file->len)
			i++;
		l->line += text[i] == '\n';
	}
	return i;
}

/* Behind the last character of a word without quotes. A '{' right after a '$' is part of it. */
static size_t bare_end(struct lexer *l)
{
	const char *text = l->file->text;
	bool variable = false;
	size_t i = l->at;

	for (; i < l->file->len; i++) {
		char c = text[i];

		if (i > l->at && (is_space(c) || c == ';' || (c == '{' && !variable)))
			break;
		variable = c == '$' || (c == '{' && variable);
		if (c == '\\' && i + 1 < l->file->len)
			l->line += text[++i] == '\n';
	}
	return i;
}

static enum ending word_error(struct reader *r, const struct lexer *l, const char *what)
{
	fail(r, l, 0, what);
	return ENDING_ERROR;
}

/* A word in quotes must be followed by a space, or by what ends a directive. */
static bool quote_is_followed(const struct lexer *l)
{
	const char *next = l->file->text + l->at;

	return l->at == l->file->len || is_space(*next) || *next == ';' || *next == '{' ||
	       *next == ')';
}

static const char *word_read(struct reader *r, struct lexer *l)
{
	const char *text = l->file->text;
	bool quoted = text[l->at] == '"' || text[l->at] == '\'';
	size_t end = quoted ? quoted_end(l) : bare_end(l);

	if (end >= l->file->len)
		return "the file ends inside a directive";
	if (!word_add(r, text, l->at + quoted, end))
		return "out of memory";
	l->at = end + quoted;
	return quoted && !quote_is_followed(l) ? "a word continues after its closing quote" : NULL;
}

/* Reads up to the next ';', '{' or '}', or the end of the file. */
static enum ending words_read(struct reader *r, struct lexer *l)
{
	r->word_count = 0;
	r->scratch_len = 0;
	while (space_skip(l)) {
		char c = l->file->text[l->at];
		const char *wrong;

		if (c == ';' || c == '{' || c == '}') {
			if (c == '}' ? r->word_count : !r->word_count)
				return word_error(r, l,
						  c == '}'   ? "unexpected \"}\""
						  : c == '{' ? "unexpected \"{\""
							     : "unexpected \";\"");
			l->at++;
			return c == ';' ? ENDING_DIRECTIVE : c == '{' ? ENDING_OPEN : ENDING_CLOSE;
		}
		if (!r->word_count) {
			r->start = l->at;
			r->start_line = l->line;
		}
		wrong = word_read(r, l);
		if (wrong)
			return word_error(r, l, wrong);
	}
	return r->word_count ? word_error(r, l, "the file ends inside a directive") : ENDING_FILE;
}

static const char *name_of(const struct reader *r)
{
	return r->scratch + r->words[0];
}

/* -- Lua --------------------------------------------------------------------------------------- */

static bool ends_with(const char *string, const char *end)
{
	size_t len = strlen(string), end_len = strlen(end);

	return len >= end_len && !strcmp(string + len - end_len, end);
}

/* Goes past the Lua in a block, and its '}'. False when the file ends first. */
static bool lua_skip(struct lexer *l)
{
	const char *text = l->file->text;
	unsigned int depth = 1;

	while (l->at < l->file->len && depth) {
		size_t end = nginxlua_step(text, l->file->len, l->at);

		depth += text[l->at] == '{';
		depth -= text[l->at] == '}';
		for (; l->at < end; l->at++)
			l->line += text[l->at] == '\n';
	}
	return depth == 0;
}

/* -- directives -------------------------------------------------------------------------------- */

/* Blocks of pairs, whose first words are no names of directives. */
static bool holds_pairs(const char *name)
{
	static const char *const names[] = { "map",	      "geo",	"types", "charset_map",
					     "split_clients", "geoip2", "match" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void directive_link(struct reader *r, struct nginxconf_directive *d)
{
	struct nginxconf_directive **first = r->parent ? &r->parent->first : &r->conf->first;
	struct nginxconf_directive **last = r->parent ? &r->parent->last : &r->last;

	d->parent = r->parent;
	if (*last)
		(*last)->next = d;
	else
		*first = d;
	*last = d;
}

/* Keeps the directive that was read last. */
static int directive_add(struct reader *r, const struct lexer *l, bool is_block,
			 struct nginxconf_directive **out)
{
	struct nginxconf_directive *d;
	char *strings;

	if (r->conf->directive_count == NGINXCONF_DIRECTIVES_MAX)
		return fail(r, l, -E2BIG, "too many directives");
	d = conf_alloc(r->conf, sizeof(*d));
	strings = conf_copy(r->conf, r->scratch, r->scratch_len);
	if (!d || !strings)
		return fail(r, l, -ENOMEM, "out of memory");
	*d = (struct nginxconf_directive){
		.file = l->file,
		.line = r->start_line,
		.start = (uint32_t)r->start,
		.end = (uint32_t)l->at,
		.is_block = is_block,
		.number = (uint32_t)r->conf->directive_count,
		.word_count = r->word_count,
		.words = conf_alloc(r->conf, r->word_count * sizeof(*d->words)),
	};
	if (!d->words)
		return fail(r, l, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < r->word_count; i++)
		d->words[i] = strings + r->words[i];
	r->conf->directive_count++;
	directive_link(r, d);
	*out = d;
	return 0;
}

static int file_read(struct reader *r, const char *path);

static int include_found(void *context, const char *path)
{
	return file_read(context, path);
}

static int include_follow(struct reader *r, const struct lexer *l)
{
	const char *name = r->scratch + r->words[1];
	const char *prefix = name[0] == '/' ? "" : r->request->prefix;
	size_t size = strlen(prefix) + strlen(name) + 1;
	struct text t;
	char *path;
	int err;

	if (r->includes == NGINXCONF_INCLUDES_MAX)
		return fail(r, l, -E2BIG, "includes are nested too deeply: a cycle?");
	path = malloc(size);
	if (!path)
		return fail(r, l, -ENOMEM, "out of memory");
	text_init(&t, path, size);
	text_add(&t, prefix);
	text_add(&t, name);
	r->includes++;
	if (strpbrk(path, "*?["))
		err = r->source->expand(r->source->context, path, include_found, r);
	else
		err = file_read(r, path);
	r->includes--;
	free(path);
	if (err && !r->problem->len)
		fail(r, l, err, "cannot expand an include");
	return err;
}

/* What a ';' has ended. */
static int directive_take(struct reader *r, const struct lexer *l)
{
	struct nginxconf_directive *d;

	if (!strcmp(name_of(r), "include") && r->word_count == 2)
		return include_follow(r, l);
	if (r->request->wanted && !r->request->wanted(name_of(r)))
		return 0;
	return directive_add(r, l, false, &d);
}

/* Goes past the pairs in a block, and its '}'. */
static int pairs_skip(struct reader *r, struct lexer *l)
{
	unsigned int depth = 1;

	while (depth) {
		enum ending ending = words_read(r, l);

		if (ending == ENDING_ERROR)
			return -EBADMSG;
		if (ending == ENDING_FILE)
			return fail(r, l, -EBADMSG, "the file ends inside a block");
		depth += ending == ENDING_OPEN;
		depth -= ending == ENDING_CLOSE;
	}
	return 0;
}

/* What a '{' has begun. */
static int block_take(struct reader *r, struct lexer *l, unsigned int *depth)
{
	struct nginxconf_directive *d;
	int err;

	if (ends_with(name_of(r), "_by_lua_block")) {
		err = directive_take(r, l);
		if (!err && !lua_skip(l))
			err = fail(r, l, -EBADMSG, "the file ends inside Lua");
		return err;
	}
	if (holds_pairs(name_of(r)))
		return pairs_skip(r, l);
	if (*depth == NGINXCONF_BLOCKS_MAX)
		return fail(r, l, -E2BIG, "blocks are nested too deeply");
	err = directive_add(r, l, true, &d);
	if (err)
		return err;
	r->parent = d;
	(*depth)++;
	return 0;
}

static int text_read(struct reader *r, const struct nginxconf_file *file)
{
	struct lexer l = { .file = file, .line = 1 };
	unsigned int depth = 0; /* of blocks, in this file */
	int err = 0;

	while (!err) {
		switch (words_read(r, &l)) {
		case ENDING_DIRECTIVE:
			err = directive_take(r, &l);
			break;
		case ENDING_OPEN:
			err = block_take(r, &l, &depth);
			break;
		case ENDING_CLOSE:
			if (!depth)
				return fail(r, &l, -EBADMSG, "unexpected \"}\"");
			depth--;
			r->parent = r->parent->parent;
			break;
		case ENDING_FILE:
			return depth ? fail(r, &l, -EBADMSG, "the file ends inside a block") : 0;
		case ENDING_ERROR:
			return -EBADMSG;
		}
	}
	return err;
}

/* Its path without symbolic links. NULL: no memory. */
static const char *real_path(struct reader *r, const char *name)
{
	const char *real = r->source->real ? r->source->real(r->source->context) : "";

	return real[0] ? conf_copy(r->conf, real, strlen(real)) : name;
}

/* Is it there already? Then both are. */
static bool share(struct nginxconf *conf, const char *real)
{
	bool shared = false;

	for (struct nginxconf_file *f = conf->files; f; f = f->next) {
		bool same = !strcmp(f->real, real);

		f->shared |= same;
		shared |= same;
	}
	return shared;
}

/* Takes over text, which it frees on failure. */
static int file_add(struct reader *r, const char *path, char *text, size_t len,
		    const struct nginxconf_file **out)
{
	struct nginxconf *conf = r->conf;
	struct nginxconf_file *file = conf_alloc(conf, sizeof(*file));
	char *name = conf_copy(conf, path, strlen(path));
	const char *real = name ? real_path(r, name) : NULL;

	if (!file || !real) {
		free(text);
		text_add(r->problem, "out of memory");
		return -ENOMEM;
	}
	*file = (struct nginxconf_file){ name, text, len, conf->files, real, share(conf, real) };
	conf->files = file;
	conf->file_count++;
	conf->bytes += len;
	*out = file;
	return 0;
}

static int file_read(struct reader *r, const char *path)
{
	const struct nginxconf_file *file;
	char *text = NULL;
	size_t len = 0;
	int err;

	err = r->source->read(r->source->context, path, &text, &len);
	if (err) {
		text_add_hostile(r->problem, path, strlen(path));
		text_addf(r->problem, ": %s", strerror(-err));
		return err;
	}
	if (len > NGINXCONF_BYTES_MAX - r->conf->bytes ||
	    r->conf->file_count == NGINXCONF_FILES_MAX) {
		free(text);
		text_add_hostile(r->problem, path, strlen(path));
		text_add(r->problem, ": the configuration is too large, or includes itself");
		return -E2BIG;
	}
	err = file_add(r, path, text, len, &file);
	return err ? err : text_read(r, file);
}

/* -- the names in a block ---------------------------------------------------------------------- */

static int name_compare(const void *left, const void *right)
{
	const struct nginxconf_directive *a = *(const struct nginxconf_directive *const *)left;
	const struct nginxconf_directive *b = *(const struct nginxconf_directive *const *)right;

	return strcmp(a->words[0], b->words[0]);
}

/* By name, and of one name in the order of the block. */
static int child_compare(const void *left, const void *right)
{
	const struct nginxconf_directive *a = *(const struct nginxconf_directive *const *)left;
	const struct nginxconf_directive *b = *(const struct nginxconf_directive *const *)right;
	int names = strcmp(a->words[0], b->words[0]);

	return names ? names : a->number < b->number ? -1 : a->number > b->number;
}

static bool block_index(struct nginxconf *conf, struct nginxconf_directive *block)
{
	const struct nginxconf_directive **all;
	uint32_t count = 0, kept = 0;

	for (const struct nginxconf_directive *d = block->first; d; d = d->next)
		count++;
	all = conf_alloc(conf, count * sizeof(*all));
	if (!all)
		return false;
	count = 0;
	for (const struct nginxconf_directive *d = block->first; d; d = d->next)
		all[count++] = d;
	if (count)
		qsort(all, count, sizeof(*all), child_compare);
	for (uint32_t i = 0; i < count; i++)
		if (!kept || name_compare(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	block->names = all;
	block->name_count = kept;
	return true;
}

/* Every block under d, in its order: without recursion, by way of the parents. */
static bool blocks_index(struct nginxconf *conf)
{
	struct nginxconf_directive *d = conf->first;

	while (d) {
		if (d->is_block && !block_index(conf, d))
			return false;
		if (d->first) {
			d = d->first;
			continue;
		}
		while (d && !d->next)
			d = d->parent;
		d = d ? d->next : NULL;
	}
	return true;
}

int nginxconf_read(const struct nginxconf_source *source, const struct nginxconf_request *request,
		   struct nginxconf **conf, struct text *problem)
{
	struct reader r = { .source = source, .request = request, .problem = problem };
	int err;

	r.conf = calloc(1, sizeof(*r.conf));
	if (!r.conf) {
		text_add(problem, "out of memory");
		return -ENOMEM;
	}
	err = file_read(&r, request->path);
	if (!err && !blocks_index(r.conf))
		err = -ENOMEM;
	free(r.scratch);
	free(r.words);
	if (err)
		nginxconf_free(r.conf);
	else
		*conf = r.conf;
	return err;
}

/* -- looking at it ----------------------------------------------------------------------------- */

const struct nginxconf_directive *nginxconf_first(const struct nginxconf_directive *block,
						  const char *name)
{
	const char *words[] = { name };
	const struct nginxconf_directive key = { .words = words }, *pointer = &key, **found;

	if (!block->name_count)
		return NULL;
	found = bsearch(&pointer, block->names, block->name_count, sizeof(*block->names),
			name_compare);
	return found ? *found : NULL;
}

const struct nginxconf_directive *nginxconf_find(const struct nginxconf_directive *from,
						 const char *name)
{
	while (from && strcmp(from->words[0], name) != 0)
		from = from->next;
	return from;
}

const char *nginxconf_word(const struct nginxconf_directive *directive, uint32_t n)
{
	return n < directive->word_count ? directive->words[n] : "";
}
