/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables behind loglines.h, in files of their own, and the words that they share.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LOGTABLES_H
#define TLSFAIL_PROGRAM_NGINX_LOGTABLES_H

#include "program/nginx/loglines.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Whose doing it is, short, for the rows. */
#define UP     LOGLINE_UPSTREAM
#define CLIENT LOGLINE_CLIENT
#define ITSELF LOGLINE_ITSELF
#define OCSP   LOGLINE_OCSP
#define EITHER LOGLINE_UNKNOWN
#define ANY    LOGLINE_UNKNOWN
/* All numbers that have no row before: 0 is no alert, no reason, and no failed verification. */
#define REST 0

/* Commands that show more. */
#define ASK	    "tlsfail probe {peer} --sni NAME"
#define ASK_NO_NAME "tlsfail probe {peer}"
#define ASK_CHAIN   "openssl s_client -connect {peer} -servername NAME -showcerts </dev/null"
#define WATCH	    "tlsfail -v --role client"
#define WATCH_HERE  "tlsfail -v --role server"
#define CHECK	    "nginx -t"
#define LINT	    "tlsfail lint"

#define APART_SNI                                                                                  \
	"proxy_ssl_server_name is off by default: no server name is sent then, and the upstream "  \
	"answers as its default host, or not at all."

struct logline_rows {
	const struct logline_row *rows;
	size_t count;
};

struct logline_details {
	const struct logline_detail *rows;
	size_t count;
};

extern const struct logline_rows logline_connection_rows;
extern const struct logline_rows logline_setup_rows;
extern const struct logline_details logline_alert_details;
extern const struct logline_details logline_reason_details;

#endif
