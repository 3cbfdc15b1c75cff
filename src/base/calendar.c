// SPDX-License-Identifier: BSD-2-Clause
/*
 * Years that begin in March, so that the leap day comes last.
 */
#include "base/calendar.h"
#include "base/units.h"

#include <inttypes.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_400Y	146097
#define DAYS_TO_YEAR_0	719468	       /* from 0000-03-01 to 1970-01-01 */
#define SECONDS_LAST	253402300799   /* 9999-12-31 23:59:59 */
#define SECONDS_FIRST	(-62167219200) /* 0000-01-01 */

bool calendar_of(int64_t seconds, struct calendar *date)
{
	int64_t days, era;
	int year, day_of_era, day_of_year, month, rest;

	if (seconds > SECONDS_LAST || seconds < SECONDS_FIRST)
		return false;
	days = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
	rest = (int)(seconds - days * SECONDS_PER_DAY);
	days += DAYS_TO_YEAR_0;
	era = days / DAYS_PER_400Y - (days % DAYS_PER_400Y < 0);
	day_of_era = (int)(days - era * DAYS_PER_400Y);
	year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	month = (5 * day_of_year + 2) / 153;
	*date = (struct calendar){
		.year = (int)(year + era * 400) + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
	return true;
}

int64_t calendar_seconds(const struct calendar *d)
{
	/* not below 0, where divisions round the other way */
	int64_t year = d->year + 400 - (d->month < 3);
	int64_t of_year = (153 * ((d->month + 9) % 12) + 2) / 5 + d->day - 1;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - DAYS_PER_400Y -
		       DAYS_TO_YEAR_0;

	return days * SECONDS_PER_DAY + d->hour * 3600 + d->minute * 60 + d->second;
}

static void add_parts(struct text *t, const struct calendar *d, const char *between)
{
	text_addf(t, "%04d-%02d-%02d%s%02d:%02d:%02d", d->year, d->month, d->day, between, d->hour,
		  d->minute, d->second);
}

void calendar_add_words(struct text *t, int64_t seconds)
{
	struct calendar date;

	if (!calendar_of(seconds, &date)) {
		text_add(t, seconds > 0 ? "after 9999" : "before our era");
		return;
	}
	add_parts(t, &date, " ");
	text_add(t, " UTC");
}

bool calendar_add(struct text *t, int64_t seconds)
{
	struct calendar date;

	if (!calendar_of(seconds, &date))
		return false;
	add_parts(t, &date, "T");
	text_add(t, "Z");
	return true;
}

bool calendar_add_ns(struct text *t, uint64_t ns, unsigned int digits)
{
	uint32_t fraction = (uint32_t)(ns % NS_PER_S);
	struct calendar date;

	if (!calendar_of((int64_t)(ns / NS_PER_S), &date))
		return false;
	for (unsigned int i = digits; i < 9; i++)
		fraction /= 10;
	add_parts(t, &date, "T");
	text_addf(t, ".%0*" PRIu32 "Z", (int)digits, fraction);
	return true;
}

/* A number of so many digits, within the limits. */
static bool part(const char **s, int digits, int least, int most, int *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*value = 10 * *value + (**s - '0');
	}
	return *value >= least && *value <= most;
}

static bool sign(const char **s, char c)
{
	return *(*s)++ == c;
}

bool calendar_parse(const char *s, int64_t *seconds, uint64_t *ns)
{
	uint64_t unit = NS_PER_S / 10;
	struct calendar d;

	if (!s || !part(&s, 4, 0, 9999, &d.year) || !sign(&s, '-') ||
	    !part(&s, 2, 1, 12, &d.month) || !sign(&s, '-') || !part(&s, 2, 1, 31, &d.day) ||
	    !sign(&s, 'T') || !part(&s, 2, 0, 23, &d.hour) || !sign(&s, ':') ||
	    !part(&s, 2, 0, 59, &d.minute) || !sign(&s, ':') || !part(&s, 2, 0, 60, &d.second))
		return false;
	*seconds = calendar_seconds(&d);
	*ns = 0;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
			*ns += unit * (uint64_t)(*s - '0');
	return s[0] == 'Z' && !s[1];
}
