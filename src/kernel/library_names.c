// SPDX-License-Identifier: BSD-2-Clause
/*
 * By the identity of files, as a path means something else in another mount namespace.
 */
#include "kernel/library_names.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "system/procfs.h"

static struct library_name *find(const struct library_names *names, const struct target_file *file)
{
	for (size_t i = 0; i < names->count; i++)
		if (target_file_same(&names->items[i].file, file))
			return &names->items[i];
	return NULL;
}

void library_names_note(struct library_names *names, const struct target_tls *tls)
{
	struct library_name *name = find(names, &tls->ssl.file);
	struct text t;

	if (!names->items)
		names->items = calloc(LIBRARY_NAMES_MAX, sizeof(*names->items));
	if (!names->items)
		return;
	if (!name) {
		name = &names->items[names->next];
		names->next = (names->next + 1) % LIBRARY_NAMES_MAX;
		names->count += names->count < LIBRARY_NAMES_MAX;
	}
	name->file = tls->ssl.file;
	text_init(&t, name->version, sizeof(name->version));
	text_add(&t, tls->version);
	text_init(&t, name->path, sizeof(name->path));
	text_add(&t, tls->ssl.path);
}

static const struct library_name *find_mapped(const struct library_names *names,
					      const struct mapped_files *mapped)
{
	const struct library_name *found = NULL;

	for (size_t i = 0; i < mapped->count; i++) {
		const struct target_file file = { .dev = mapped->items[i].dev,
						  .ino = mapped->items[i].ino,
						  .dev_known = true };
		const struct library_name *name =
			mapped->items[i].executable ? find(names, &file) : NULL;

		if (name && found && strcmp(name->version, found->version) != 0)
			return NULL;
		if (name && !found)
			found = name;
	}
	return found;
}

const struct library_name *library_names_find(const struct library_names *names, pid_t pid)
{
	const struct library_name *found = NULL;
	struct mapped_files mapped = { 0 };
	int dir;

	dir = names->count ? procfs_open(pid) : -1;
	if (dir < 0)
		return NULL;
	if (!mapped_files_read(dir, &mapped))
		found = find_mapped(names, &mapped);
	mapped_files_free(&mapped);
	close(dir);
	return found;
}

void library_names_clear(struct library_names *names)
{
	free(names->items);
	*names = (struct library_names){ 0 };
}
