/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing arrays of rows.
 */
#ifndef TLSFAIL_REPORT_LIST_H
#define TLSFAIL_REPORT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report;
struct report_list;

/* Appends a row of that size, of zeros, and returns it; NULL: no memory. Others may move. */
void *report_list_add(struct report_list *list, size_t size);

/*
 * The number that key stands for among the rows of a list. A new key gets a new row of zeros, and
 * *is_new is set. Returns -1: no memory.
 */
int64_t report_row_of(struct report *r, const char *key, struct report_list *list, size_t size,
		      bool *is_new);

void report_list_free(struct report_list *list);

#endif
