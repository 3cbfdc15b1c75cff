/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Gregorian calendar, in UTC: seconds since 1970 as a date, and back. Pure.
 */
#ifndef TLSFAIL_BASE_CALENDAR_H
#define TLSFAIL_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct calendar {
	int year; /* 0 to 9999 */
	int month;
	int day;
	int hour;
	int minute;
	int second;
};

/* False: it is not of these years. */
bool calendar_of(int64_t seconds, struct calendar *date);

int64_t calendar_seconds(const struct calendar *date);

/* Appends "2026-11-26 12:00:00 UTC", or words for what is not of these years. */
void calendar_add_words(struct text *t, int64_t seconds);

/* Appends "2026-11-26T12:00:00Z" (RFC 3339). False: it is not of these years, nothing was appended. */
bool calendar_add(struct text *t, int64_t seconds);

/* The same for ns since 1970, with so many digits of the second's fraction, 1 to 9. */
bool calendar_add_ns(struct text *t, uint64_t ns, unsigned int digits);

/*
 * Reads "2026-11-26T12:00:00.25Z" (RFC 3339, in UTC, with nothing after it): seconds since 1970, and
 * the fraction in ns, 0 if there is none. False: s is NULL, or something else.
 */
bool calendar_parse(const char *s, int64_t *seconds, uint64_t *ns);

#endif
