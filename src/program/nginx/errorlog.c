/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nginx writes (ngx_log_error_core(), ngx_http_log_error(), ngx_ssl_error()):
 *
 *   2026/11/21 18:00:00 [error] 7#7: *5 MESSAGE (104: Connection reset by peer) while ACTION,
 *   client: A, server: S, request: "GET / HTTP/1.1", upstream: "https://B:443/", host: "H"
 */
#define _GNU_SOURCE /* memmem() */
#include "program/nginx/errorlog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/calendar.h"
#include "base/units.h"

#define LIB_SSL		  20 /* OpenSSL's ERR_LIB_SSL */
#define FAMILY_IPV4	  2
#define FAMILY_IPV6	  10
#define MAPPED_PREFIX_LEN 12
/* Time zones differ by quarters of an hour. */
#define ZONE_STEP_S 900
/* nginx writes its line before it closes the connection. Its clock is that of the last wake-up, and
 * is written in whole seconds. */
#define LINE_BEFORE_CLOSE_S 4
#define LINE_AFTER_CLOSE_S  1
/* The clock may be that of the wake-up before the one that accepted it. */
#define LINE_BEFORE_START_S 1

/* What is left of a line. */
struct rest {
	const char *at;
	const char *end;
};

static const char *const level_names[TLSFAIL_LOG_LEVELS] = {
	"stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
};

const char *errorlog_level_name(uint8_t level)
{
	return level < TLSFAIL_LOG_LEVELS ? level_names[level] : NULL;
}

/* -- reading ---------------------------------------------------------------------------------- */

static const char *find(struct rest r, const char *words)
{
	return memmem(r.at, (size_t)(r.end - r.at), words, strlen(words));
}

static bool has(struct rest r, const char *words)
{
	return find(r, words) != NULL;
}

/* Goes past these words, if they are what comes next. */
static bool take(struct rest *r, const char *words)
{
	size_t len = strlen(words);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, words, len) != 0)
		return false;
	r->at += len;
	return true;
}

/* Goes past the first occurrence of these words. */
static bool skip_past(struct rest *r, const char *words)
{
	const char *found = find(*r, words);

	if (!found)
		return false;
	r->at = found + strlen(words);
	return true;
}

static int digit_value(char c, unsigned int base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (base == 16 && c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	else if (base == 16 && c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	return value;
}

/* A number of at least one digit, max at most. */
static bool take_number(struct rest *r, unsigned int base, uint64_t max, uint64_t *number)
{
	const char *begin = r->at;

	*number = 0;
	while (r->at < r->end && digit_value(*r->at, base) >= 0) {
		*number = *number * base + (uint64_t)digit_value(*r->at, base);
		if (*number > max)
			return false;
		r->at++;
	}
	return r->at > begin;
}

static bool take_time(struct rest *r, int64_t *seconds)
{
	uint64_t year, month, day, hour, minute, second;

	if (!take_number(r, 10, 9999, &year) || !take(r, "/") || !take_number(r, 10, 12, &month) ||
	    !take(r, "/") || !take_number(r, 10, 31, &day) || !take(r, " ") ||
	    !take_number(r, 10, 23, &hour) || !take(r, ":") || !take_number(r, 10, 59, &minute) ||
	    !take(r, ":") || !take_number(r, 10, 60, &second) || !year || !month || !day)
		return false;
	*seconds = calendar_seconds(&(struct calendar){
		.year = (int)year,
		.month = (int)month,
		.day = (int)day,
		.hour = (int)hour,
		.minute = (int)minute,
		.second = (int)second,
	});
	return true;
}

static bool take_level(struct rest *r, uint8_t *level)
{
	if (!take(r, " ["))
		return false;
	for (*level = 0; *level < TLSFAIL_LOG_LEVELS; (*level)++)
		if (take(r, level_names[*level]))
			return take(r, "] ");
	return false;
}

/* "7#7: " and, when it is about one, "*5 ". */
static bool take_process(struct rest *r, struct errorlog_line *line)
{
	uint64_t number;

	if (!take_number(r, 10, UINT32_MAX, &number) || !take(r, "#"))
		return false;
	line->pid = (uint32_t)number;
	if (!take_number(r, 10, UINT64_MAX / 16, &number) || !take(r, ": "))
		return false;
	if (!take(r, "*"))
		return true;
	return take_number(r, 10, UINT64_MAX / 16, &line->connection) && take(r, " ");
}

/* -- the peer --------------------------------------------------------------------------------- */

static bool parse_address(const char *text, size_t len, uint8_t address[16])
{
	static const uint8_t mapped[MAPPED_PREFIX_LEN] = { [10] = 0xff, [11] = 0xff };
	char buf[INET6_ADDRSTRLEN];

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	memcpy(address, mapped, sizeof(mapped));
	return inet_pton(FAMILY_IPV4, buf, address + MAPPED_PREFIX_LEN) == 1 ||
	       inet_pton(FAMILY_IPV6, buf, address) == 1;
}

/* "https://127.0.0.1:443/...", "[::1]:443" as of the stream module, and so on. The name of a group
 * is no address: it is written when none of its servers was chosen. */
static bool parse_upstream(struct rest r, struct errorlog_line *line)
{
	const char *slash = memchr(r.at, '/', (size_t)(r.end - r.at));
	const char *begin;
	uint64_t port;
	size_t len;

	if (slash && slash > r.at && slash[-1] == ':' && slash + 1 < r.end && slash[1] == '/')
		r.at = slash + 2;
	if (take(&r, "[")) {
		begin = r.at;
		if (!skip_past(&r, "]:"))
			return false;
		len = (size_t)(r.at - begin) - strlen("]:");
	} else {
		begin = r.at;
		if (!skip_past(&r, ":"))
			return false;
		len = (size_t)(r.at - begin) - strlen(":");
	}
	if (!take_number(&r, 10, UINT16_MAX, &port) || !port ||
	    !parse_address(begin, len, line->address))
		return false;
	line->port = (uint16_t)port;
	return true;
}

static bool parse_client(struct rest r, struct errorlog_line *line)
{
	const char *comma = memchr(r.at, ',', (size_t)(r.end - r.at));
	const char *end = comma ? comma : r.end;

	return parse_address(r.at, (size_t)(end - r.at), line->address);
}

/* Goes past the request, which a client chose: it may look like what nginx writes after it. A
 * request that reached an upstream ends with its version (HTTP/0.9 has none, nor blanks). */
static void skip_request(struct rest *r)
{
	struct rest ended = *r;

	if (!skip_past(r, ", request: \""))
		return;
	ended = *r;
	while (skip_past(&ended, " HTTP/")) {
		uint64_t number;

		if (take_number(&ended, 10, 9, &number) && take(&ended, ".") &&
		    take_number(&ended, 10, 9, &number) && take(&ended, "\"")) {
			*r = ended;
			return;
		}
	}
}

/* Whose connection it is: the upstream's, unless nginx was busy with its client. */
static bool is_to_upstream(struct rest message)
{
	struct rest action = message;

	while (skip_past(&action, " while "))
		;
	return has(action, "upstream") || has(action, "proxying connection");
}

void errorlog_peer(const char *text, size_t len, struct errorlog_line *line)
{
	struct rest context = { line->message + line->message_len, text + len };

	line->has_peer = false;
	memset(line->address, 0, sizeof(line->address));
	line->port = 0;
	if (!take(&context, ", client: "))
		return;
	if (line->to_upstream) {
		skip_request(&context);
		line->has_peer =
			skip_past(&context, ", upstream: \"") && parse_upstream(context, line);
	} else {
		line->has_peer = parse_client(context, line);
	}
}

/* -- what happened ---------------------------------------------------------------------------- */

/* "error:0A000410:SSL routines:..." of OpenSSL 3, "error:14094410:..." before it. */
static uint32_t parse_reason(struct rest message)
{
	uint64_t code;

	while (skip_past(&message, "error:")) {
		if (!take_number(&message, 16, UINT32_MAX, &code) || !take(&message, ":"))
			continue;
		if (code >> 23 == LIB_SSL)
			return (uint32_t)code & 0x7fffff;
		if (code >> 24 == LIB_SSL)
			return (uint32_t)code & 0xfff;
	}
	return 0;
}

/* "(104: Connection reset by peer)" */
static int parse_system_error(struct rest message)
{
	uint64_t number;

	while (skip_past(&message, " ("))
		if (take_number(&message, 10, 4095, &number) && take(&message, ": "))
			return (int)number;
	return 0;
}

/* "... SSL certificate verify error: (10:certificate has expired)" */
static void parse_verify(struct rest message, struct errorlog_line *line)
{
	uint64_t code;

	line->has_verify = skip_past(&message, "SSL certificate verify error: (") &&
			   take_number(&message, 10, INT32_MAX, &code) && take(&message, ":");
	if (line->has_verify)
		line->verify_code = (int32_t)code;
}

static bool has_any(struct rest message, const char *const *words)
{
	for (; *words; words++)
		if (has(message, *words))
			return true;
	return false;
}

/* A certificate that depends on a variable: it is not there, OpenSSL does not take it, or it does not fit its
 * key. */
static const char *const unloadable[] = {
	"cannot load certificate",
	"SSL_use_certificate(",
	"SSL_use_PrivateKey(",
	NULL,
};

static enum errorlog_stage stage_of(struct rest message)
{
	static const char *const plain[] = {
		"client sent plain HTTP request to HTTPS port",
		"client sent invalid method",
		"client sent invalid request",
		NULL,
	};
	static const char *const refused[] = {
		"client SSL certificate",
		"client sent no required SSL certificate",
		NULL,
	};
	static const char *const handshake[] = {
		" while SSL handshaking",
		"in SSL handshake",
		NULL,
	};

	/* It comes before the failure of the handshake, which has a line of its own. */
	if (has_any(message, unloadable))
		return ERRORLOG_ELSEWHERE;
	return has_any(message, plain)	     ? ERRORLOG_PLAIN
	       : has_any(message, refused)   ? ERRORLOG_REFUSED
	       : has_any(message, handshake) ? ERRORLOG_HANDSHAKE
					     : ERRORLOG_ELSEWHERE;
}

/* Its client certificate, then. */
static enum errorlog_stage upstream_stage_of(struct rest message)
{
	return has_any(message, unloadable) ? ERRORLOG_UNBEGUN : ERRORLOG_ELSEWHERE;
}

static enum errorlog_kind upstream_kind_of(struct rest message)
{
	static const char *const tls[] = {
		"SSL_do_handshake() failed", "in SSL handshake",   " while SSL handshaking",
		"upstream SSL certificate",  ":SSL alert number ", NULL,
	};
	static const char *const connection[] = {
		"connect() ",		"timed out",	     "prematurely closed",
		"connection is closed", "recv() failed",     "send() failed",
		"readv() failed",	"writev() failed",   "SSL_read() failed",
		"SSL_write() failed",	"sendfile() failed", NULL,
	};

	return has_any(message, tls) || has_any(message, unloadable) ? ERRORLOG_TLS
	       : has_any(message, connection)			     ? ERRORLOG_CONNECTION
								     : ERRORLOG_OTHER;
}

/* What is plain text to TLS is an everyday mistake where no TLS is spoken. */
static enum errorlog_kind client_kind_of(enum errorlog_stage stage)
{
	switch (stage) {
	case ERRORLOG_HANDSHAKE:
	case ERRORLOG_REFUSED:
	case ERRORLOG_STATUS:
		return ERRORLOG_TLS;
	case ERRORLOG_PLAIN:
		return ERRORLOG_CONNECTION;
	case ERRORLOG_UNBEGUN:
	case ERRORLOG_ELSEWHERE:
		break;
	}
	return ERRORLOG_OTHER;
}

bool errorlog_begin(const char *text, size_t len, struct errorlog_line *line)
{
	struct rest r = { text, text + len };
	const char *context;

	*line = (struct errorlog_line){ 0 };
	if (!take_time(&r, &line->seconds) || !take_level(&r, &line->level) ||
	    !take_process(&r, line))
		return false;
	context = find(r, ", client: ");
	line->message = r.at;
	line->message_len = (size_t)((context ? context : r.end) - r.at);
	return true;
}

bool errorlog_parse(const char *text, size_t len, struct errorlog_line *line)
{
	struct rest message;

	if (!errorlog_begin(text, len, line))
		return false;
	message = (struct rest){ line->message, line->message + line->message_len };
	line->reason = parse_reason(message);
	line->system_error = parse_system_error(message);
	parse_verify(message, line);
	line->to_upstream = message.end < text + len && is_to_upstream(message);
	errorlog_peer(text, len, line);
	line->stage = line->to_upstream ? upstream_stage_of(message) : stage_of(message);
	/* words of ngx_ssl_ocsp_get_status() instead of "(N:...)" */
	if (line->stage == ERRORLOG_REFUSED && !line->has_verify && has(message, " verify error: "))
		line->stage = ERRORLOG_STATUS;
	line->kind = line->to_upstream ? upstream_kind_of(message) : client_kind_of(line->stage);
	return true;
}

/* -- matching --------------------------------------------------------------------------------- */

/* Not before the connection began either, whose wake-up is the oldest that the clock can be of. */
static bool time_fits(int64_t seconds, const struct tlsfail_conn *conn, uint64_t close_ns)
{
	uint64_t lifetime_ns = conn->t_close - conn->t_start;
	int64_t early, start;

	if (!close_ns)
		return true;
	/* by how much it was written before the close, whatever the zone */
	early = ((int64_t)(close_ns / NS_PER_S) - seconds) % ZONE_STEP_S;
	if (early < 0)
		early += ZONE_STEP_S;
	if (early >= ZONE_STEP_S - LINE_AFTER_CLOSE_S)
		return true;
	if (!conn->t_start || lifetime_ns > close_ns)
		return early <= LINE_BEFORE_CLOSE_S;
	start = (int64_t)(close_ns / NS_PER_S) - (int64_t)((close_ns - lifetime_ns) / NS_PER_S);
	return early <= LINE_BEFORE_CLOSE_S && early <= start + LINE_BEFORE_START_S;
}

static bool peer_fits(const struct errorlog_line *line, const struct tlsfail_conn *conn)
{
	static const uint8_t mapped[MAPPED_PREFIX_LEN] = { [10] = 0xff, [11] = 0xff };

	if (!line->has_peer || line->to_upstream == (conn->role == TLSFAIL_ROLE_SERVER))
		return false;
	if (line->port && line->port != conn->rport)
		return false;
	if (conn->family != FAMILY_IPV4)
		return memcmp(line->address, conn->raddr, sizeof(line->address)) == 0;
	return memcmp(line->address, mapped, sizeof(mapped)) == 0 &&
	       memcmp(line->address + MAPPED_PREFIX_LEN, conn->raddr, 4) == 0;
}

/* What connect() ended with, which is not known of each that failed. */
static bool connect_fits(const struct errorlog_line *line, const struct tlsfail_conn *conn)
{
	const uint32_t begun = TLSFAIL_F_ESTABLISHED | TLSFAIL_F_REFUSED | TLSFAIL_F_TLS;

	if (conn->last_ret >= 0 || !(conn->flags & TLSFAIL_F_CONNECT) || conn->flags & begun)
		return (line->system_error == ECONNREFUSED) == !!(conn->flags & TLSFAIL_F_REFUSED);
	return conn->last_ret == -TLSFAIL_E_TAKEN || conn->last_ret == -line->system_error;
}

/* Numbers in both that do not agree are of two connections. */
static bool numbers_fit(const struct errorlog_line *line, const struct tlsfail_conn *conn)
{
	if (!connect_fits(line, conn))
		return false;
	if (line->has_verify &&
	    (!(conn->flags & TLSFAIL_F_VERIFY_ASKED) || line->verify_code != conn->verify_code))
		return false;
	/* nginx logs what was in OpenSSL's queue; of a long one we keep the beginning */
	if (!line->reason || !conn->error_count || conn->error_count > TLSFAIL_ERRORS_MAX)
		return true;
	for (uint32_t i = 0; i < conn->error_count; i++)
		if (conn->errors[i].reason == line->reason)
			return true;
	return false;
}

/* Closed here, and the peer has done nothing wrong: before the handshake, or after it without a request. */
static bool is_unused(const struct tlsfail_conn *conn)
{
	const uint32_t ends = TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST | TLSFAIL_F_PLAIN |
			      TLSFAIL_F_REFUSED | TLSFAIL_F_HOST_REFUSED;

	if (conn->flags & ends || conn->error_count ||
	    (conn->flags & TLSFAIL_F_VERIFY_ASKED && conn->verify_code))
		return false;
	if (conn->flags & TLSFAIL_F_DONE)
		return !conn->t_request && conn->flags & TLSFAIL_F_LOCAL_FIN;
	return conn->flags & TLSFAIL_F_ESTABLISHED && !(conn->flags & TLSFAIL_F_TLS);
}

/* nginx does not write the port of a client, so that more of the words has to agree. */
static bool stage_fits(const struct errorlog_line *line, const struct tlsfail_conn *conn)
{
	if (line->to_upstream)
		return line->stage == ERRORLOG_UNBEGUN
			       ? is_unused(conn) && !(conn->flags & TLSFAIL_F_TLS)
			       : !is_unused(conn);
	switch (line->stage) {
	case ERRORLOG_PLAIN:
		return conn->flags & TLSFAIL_F_PLAIN;
	case ERRORLOG_REFUSED:
		return conn->flags & TLSFAIL_F_SESSION_REMOVED &&
		       line->has_verify == !!(conn->verify_code || conn->cert_count);
	case ERRORLOG_STATUS:
		return conn->flags & TLSFAIL_F_SESSION_REMOVED && conn->cert_count &&
		       !conn->verify_code;
	case ERRORLOG_HANDSHAKE:
		return !(conn->flags & (TLSFAIL_F_PLAIN | TLSFAIL_F_DONE)) &&
		       (!line->reason || conn->error_count);
	case ERRORLOG_UNBEGUN:
	case ERRORLOG_ELSEWHERE:
		break;
	}
	return false;
}

bool errorlog_fits(const struct errorlog_line *line, const struct tlsfail_conn *conn,
		   uint64_t close_ns)
{
	return line->kind != ERRORLOG_OTHER && line->pid == conn->pid && peer_fits(line, conn) &&
	       numbers_fit(line, conn) && stage_fits(line, conn) &&
	       time_fits(line->seconds, conn, close_ns);
}
