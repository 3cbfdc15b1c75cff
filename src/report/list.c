// SPDX-License-Identifier: BSD-2-Clause
/*
 * Room doubles, so that adding costs the same however many there are.
 */
#include "report/list.h"

#include <stdlib.h>
#include <string.h>

#include "report/model.h"

#define ROOM_FIRST 16

void *report_list_add(struct report_list *list, size_t size)
{
	char *row;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : ROOM_FIRST;
		void *items = reallocarray(list->items, room, size);

		if (!items)
			return NULL;
		list->items = items;
		list->room = room;
	}
	row = (char *)list->items + list->count++ * size;
	memset(row, 0, size);
	return row;
}

int64_t report_row_of(struct report *r, const char *key, struct report_list *list, size_t size,
		      bool *is_new)
{
	const json_t *known = json_object_get(r->index, key);

	*is_new = !known;
	if (known)
		return json_integer_value(known);
	if (!report_list_add(list, size) ||
	    json_object_set_new_nocheck(r->index, key, json_integer((json_int_t)list->count - 1)))
		return -1;
	return (int64_t)list->count - 1;
}

void report_list_free(struct report_list *list)
{
	free(list->items);
	*list = (struct report_list){ 0 };
}
