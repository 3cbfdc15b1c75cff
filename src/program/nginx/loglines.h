/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of nginx's error.log about TLS means, with nothing known but the line: the sentence
 * that nginx wrote (loglines.c), and the error of the TLS library in it (logerrors.c). A line of its
 * own is seldom enough to name one cause, so what could have caused it is listed, the likeliest
 * first, with what tells them apart. Pure; a line is hostile.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LOGLINES_H
#define TLSFAIL_PROGRAM_NGINX_LOGLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/errorlog.h"
#include "tls/library.h"

#define LOGLINE_CAUSES_MAX 8

/* Whose doing it is about. */
enum logline_side {
	LOGLINE_UNKNOWN,  /* the line does not say: both ways are possible */
	LOGLINE_UPSTREAM, /* nginx is the client of an upstream */
	LOGLINE_CLIENT,	  /* nginx is the server of a client */
	LOGLINE_ITSELF,	  /* its own configuration, files and memory */
	LOGLINE_OCSP,	  /* what it asks of an OCSP responder */
};

/* What something means. */
struct logline_meaning {
	const char *means;
	const char *causes[LOGLINE_CAUSES_MAX]; /* slugs of the cause table, likeliest first */
	const char *apart;			/* what tells them apart, or NULL */
	const char *next; /* the command to run, where {peer} is the upstream's address; or NULL */
};

/* A sentence that nginx writes. */
struct logline_row {
	const char *words;	/* that have to be in it */
	const char *more;	/* and these, or NULL */
	enum logline_side side; /* that it is about; LOGLINE_UNKNOWN: what the line's end says */
	enum logline_side
		only;	 /* it counts for lines of this side only; LOGLINE_UNKNOWN: for all */
	bool also_plain; /* it is written of upstreams without TLS, too: then it is not about it */
	struct logline_meaning meaning;
};

/* What the TLS library has said. */
enum logline_detail_kind {
	LOGLINE_NOTHING,
	LOGLINE_ALERT,	/* number: of the alert that was received */
	LOGLINE_REASON, /* number: enum tls_reason */
	LOGLINE_VERIFY, /* number: enum tls_verify */
	LOGLINE_SYSTEM, /* number: errno */
};

struct logline_detail {
	enum logline_detail_kind kind;
	uint32_t number;
	enum logline_side side; /* LOGLINE_UNKNOWN: of all */
	struct logline_meaning meaning;
};

/* What is known of a line. */
struct logline {
	bool is_log_line; /* it begins as nginx's lines do: log is good */
	struct errorlog_line log;
	enum logline_side side;
	const struct logline_row *row;		 /* NULL: no sentence of nginx about TLS */
	const struct logline_row *row_of_client; /* another one, if it is about a client */
	/* of the error code in it */
	bool has_code;
	enum tls_library library;
	uint32_t number;
	uint8_t source;
	/* how the verification ended */
	bool has_verify;
	int32_t verify;
	enum logline_detail_kind kind; /* of what there is to look up */
	uint32_t key;
};

/*
 * Reads text[0 .. len): a line, the words of one, or a bare error code such as 0A000410. False: there
 * is nothing in it about TLS that is known here.
 */
bool logline_read(const char *text, size_t len, struct logline *line);

#define LOGLINE_MEMO_LINES 256
#define LOGLINE_MEMO_LEN   512

/* Messages that were read before: a log says the same over and over. To be zeroed first. */
struct logline_memo {
	struct logline_known {
		size_t len; /* of the message; 0: none */
		bool has_context, is_plain;
		bool result;
		struct logline line;
		char message[LOGLINE_MEMO_LEN];
	} known[LOGLINE_MEMO_LINES];
};

/* The same as logline_read(), faster. */
bool logline_recall(struct logline_memo *memo, const char *text, size_t len, struct logline *line);

/* The sentence for a side; NULL: none. */
const struct logline_row *logline_row(const struct logline *line, enum logline_side side);

/* What the library's error says for a side; NULL: nothing. */
const struct logline_detail *logline_detail(const struct logline *line, enum logline_side side);

/*
 * The causes for a side, the likeliest first, without repetitions; the rest is NULL. Those of the
 * library's error come first: nginx's sentence is the same for many.
 */
void logline_causes(const struct logline *line, enum logline_side side,
		    const char *causes[LOGLINE_CAUSES_MAX]);

/* "upstream", "client", "configuration", "ocsp", "unknown" */
const char *logline_side_name(enum logline_side side);

/* The tables, for tests; NULL behind the last row. */
const struct logline_row *logline_row_at(size_t i);
const struct logline_detail *logline_detail_at(size_t i);

#define LOGLINE_MARKERS 9

/*
 * Looks for lines that may be about TLS in a text that has mostly others. It is cheap, and lets some
 * pass that are not. Each marker is looked for once, however often the others are found.
 */
struct logline_scan {
	const char *end;
	const char *next[LOGLINE_MARKERS]; /* NULL: not looked for yet */
};

void logline_scan_begin(struct logline_scan *scan, const char *text, const char *end);

/* A place in the next such line that ends behind `from`; NULL: there is none. */
const char *logline_scan_next(struct logline_scan *scan, const char *from);

#endif
