// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configuration file, by libconfig.
 */
#include "command/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libconfig.h>

#include "system/log.h"
#include "base/text.h"

/* A number as text: the options take text. */
struct number {
	struct number *next;
	char text[24];
};

struct config {
	config_t file;
	const char *path;
	struct number *numbers;
};

/* Only regular files: the scanner of libconfig ends the program when it cannot read. */
static int file_open(const char *path, FILE **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	*out = err ? NULL : fdopen(fd, "r");
	if (!err && !*out)
		err = -errno;
	if (err)
		close(fd);
	return err;
}

int config_read_path(const char *path, struct config **out)
{
	struct config *c;
	FILE *stream = NULL;
	int err = file_open(path, &stream);

	if (err) {
		log_line("%s: %s", path, err == -EINVAL ? "not a regular file" : strerror(-err));
		return err;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		fclose(stream);
		log_line("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	c->path = path;
	config_init(&c->file);
	if (!config_read(&c->file, stream)) {
		const char *file = config_error_file(&c->file);

		log_line("%s:%d: %s", file ? file : path, config_error_line(&c->file),
			 config_error_text(&c->file));
		config_free(c);
		c = NULL;
		err = -EINVAL;
	}
	fclose(stream);
	*out = c;
	return err;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	while (c->numbers) {
		struct number *next = c->numbers->next;

		free(c->numbers);
		c->numbers = next;
	}
	config_destroy(&c->file);
	free(c);
}

static const char *number_text(struct config *c, long long value)
{
	struct number *n = calloc(1, sizeof(*n));
	struct text t;

	if (!n)
		return NULL;
	text_init(&t, n->text, sizeof(n->text));
	text_addf(&t, "%lld", value);
	n->next = c->numbers;
	c->numbers = n;
	return n->text;
}

/* The setting as text. Returns false, after a line on stderr, when it is of another type. */
static bool scalar_text(struct config *c, const config_setting_t *s, const char **text)
{
	*text = NULL;
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		*text = config_setting_get_string(s);
		break;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*text = number_text(c, config_setting_get_int64(s));
		break;
	}
	if (!*text)
		log_line("a value is a \"string\", a number, true, false or a [ list ] of those");
	return *text;
}

static int setting_take(struct config *c, const config_setting_t *s, const char *name,
			int (*take)(void *context, const char *name, const char *value),
			void *context)
{
	const char *value;

	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(s) ? take(context, name, NULL) : 0;
	return scalar_text(c, s, &value) ? take(context, name, value) : -EINVAL;
}

int config_each(struct config *c, int (*take)(void *context, const char *name, const char *value),
		void *context)
{
	const config_setting_t *root = config_root_setting(&c->file);
	int ret = 0;

	for (int i = 0; !ret && i < config_setting_length(root); i++) {
		const config_setting_t *s = config_setting_get_elem(root, (unsigned int)i);
		bool many = config_setting_is_array(s) || config_setting_is_list(s);
		const char *file = config_setting_source_file(s);

		log_place(file ? file : c->path, config_setting_source_line(s));
		if (!many)
			ret = setting_take(c, s, config_setting_name(s), take, context);
		for (int n = 0; many && !ret && n < config_setting_length(s); n++)
			ret = setting_take(c, config_setting_get_elem(s, (unsigned int)n),
					   config_setting_name(s), take, context);
	}
	log_place(NULL, 0);
	return ret;
}
