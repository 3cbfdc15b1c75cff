// SPDX-License-Identifier: BSD-2-Clause
/*
 * What nginx 1.18 to 1.31 writes into its error.log about TLS: ngx_event_openssl.c,
 * ngx_event_openssl_stapling.c, ngx_event_openssl_cache.c, ngx_proxy_protocol.c and the http,
 * stream, mail and quic modules. The sentence is nginx's; behind it stand the errors of the library
 * (ngx_ssl_error()), "while" and what nginx was doing, and the connection.
 */
#define _GNU_SOURCE /* memmem() */
#include "program/nginx/logtables.h"

#include <string.h>

const struct logline_row *logline_row_at(size_t i)
{
	static const struct logline_rows *const tables[] = {
		&logline_connection_rows,
		&logline_setup_rows,
	};

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		if (i < tables[t]->count)
			return &tables[t]->rows[i];
		i -= tables[t]->count;
	}
	return NULL;
}

const char *logline_side_name(enum logline_side side)
{
	static const char *const names[] = {
		[LOGLINE_UNKNOWN] = "unknown", [LOGLINE_UPSTREAM] = "upstream",
		[LOGLINE_CLIENT] = "client",   [LOGLINE_ITSELF] = "configuration",
		[LOGLINE_OCSP] = "ocsp",
	};

	return names[side];
}

/* ---- reading ---- */

struct words {
	const char *at;
	size_t len;
};

static const char *find(struct words in, const char *words)
{
	return memmem(in.at, in.len, words, strlen(words));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * An error as its library packs it: OpenSSL 3 has eight bits of library above 23 of reason
 * (ERR_PACK()), before it eight bits of library, twelve of function, twelve of reason; BoringSSL has
 * no function, and the number that was OpenSSL's library of elliptic curves for SSL.
 */
static bool code_take(uint32_t code, struct logline *line)
{
	if (code >> 23 == TLS_ERROR_OPENSSL) {
		line->library = TLS_LIBRARY_OPENSSL;
		line->source = TLS_ERROR_OPENSSL;
		line->number = code & 0x7fffff;
	} else if (code >> 24 == TLS_ERROR_OPENSSL) {
		line->library = TLS_LIBRARY_OPENSSL_1;
		line->source = TLS_ERROR_OPENSSL;
		line->number = code & 0xfff;
	} else if (code >> 24 == TLS_ERROR_BORINGSSL && !(code & 0xfff000)) {
		line->library = TLS_LIBRARY_BORINGSSL;
		line->source = TLS_ERROR_BORINGSSL;
		line->number = code & 0xfff;
	} else {
		return false;
	}
	return true;
}

/* Eight digits, as ERR_error_string() writes them. */
static bool code_parse(struct words w, uint32_t *code)
{
	*code = 0;
	if (w.len < 8)
		return false;
	for (int i = 0; i < 8; i++) {
		int value = hex_value(w.at[i]);

		if (value < 0)
			return false;
		*code = *code << 4 | (uint32_t)value;
	}
	return w.len == 8 || hex_value(w.at[8]) < 0;
}

/* The first error in the line that is the TLS part's own: it is the one that counts. */
static void code_find(struct words message, struct logline *line)
{
	const char *error;
	uint32_t code;

	while (!line->has_code && (error = find(message, "error:"))) {
		message.len -= (size_t)(error + 6 - message.at);
		message.at = error + 6;
		line->has_code = code_parse(message, &code) && code_take(code, line);
	}
}

/* "SSL alert number 40", where the error is not there, or is one of BoringSSL, which writes none. */
static bool alert_find(struct words message, uint32_t *alert)
{
	static const char words[] = "SSL alert number ";
	const char *at = find(message, words);
	const char *end = message.at + message.len;

	*alert = 0;
	if (!at)
		return false;
	for (at += strlen(words); at < end && *at >= '0' && *at <= '9' && *alert < 256; at++)
		*alert = *alert * 10 + (uint32_t)(*at - '0');
	return *alert && *alert < 256;
}

static void detail_choose(struct logline *line, struct words message)
{
	uint8_t alert;

	if (line->has_code) {
		bool is_alert = tls_reason_is_alert(line->number, &alert);

		line->kind = is_alert ? LOGLINE_ALERT : LOGLINE_REASON;
		line->key = is_alert ? alert : (uint32_t)tls_reason_of(line->library, line->number);
	} else if (alert_find(message, &line->key)) {
		line->kind = LOGLINE_ALERT;
	} else if (line->has_verify) {
		line->kind = LOGLINE_VERIFY;
		line->key = (uint32_t)tls_verify_of(TLS_LIBRARY_OPENSSL, line->verify);
	} else if (line->log.system_error) {
		line->kind = LOGLINE_SYSTEM;
		line->key = (uint32_t)line->log.system_error;
	}
}

/* Who it is about, by how the sentence goes on: "while SSL handshaking to upstream, client: ..." What a
 * client has asked for stands behind that, and says nothing. */
static enum logline_side side_of(struct words message, bool has_context, const struct logline *line)
{
	if (line->log.to_upstream || find(message, "from upstream") ||
	    find(message, "to upstream") || find(message, "reading upstream"))
		return LOGLINE_UPSTREAM;
	if (has_context || find(message, "while SSL handshaking") || find(message, ", client: ") ||
	    find(message, "while waiting for request") || find(message, "reading client request"))
		return LOGLINE_CLIENT;
	return LOGLINE_UNKNOWN;
}

/* "(10:certificate has expired)" behind the words of a row. */
static void verify_find(struct words message, struct logline *line)
{
	const char *at = find(message, "certificate verify error: (");
	const char *end = message.at + message.len;

	if (!at)
		return;
	at += strlen("certificate verify error: (");
	while (at < end && *at >= '0' && *at <= '9' && line->verify < 1000) {
		line->verify = line->verify * 10 + (*at++ - '0');
		line->has_verify = true;
	}
	line->has_verify = line->has_verify && at < end && *at == ':';
}

/* "(104: Connection reset by peer)", of words that are no whole line. */
static void system_error_find(struct words message, struct logline *line)
{
	if (!line->is_log_line && find(message, "(104: "))
		line->log.system_error = 104;
}

/* A code alone: "0A000410", "error:14094410", "0x0A000410". */
static bool bare_code(struct words w, struct logline *line)
{
	uint32_t code;

	if (w.len >= 2 && w.at[0] == '0' && (w.at[1] == 'x' || w.at[1] == 'X')) {
		w.at += 2;
		w.len -= 2;
	}
	line->has_code = w.len == 8 && code_parse(w, &code) && code_take(code, line);
	return line->has_code;
}

/* Is the upstream, where the line names it, one that is reached without TLS, or not known to be? */
static bool upstream_is_plain(struct words all)
{
	const char *at = find(all, ", upstream: \"");
	struct words name;

	if (!at)
		return false;
	name = (struct words){ at, (size_t)(all.at + all.len - at) };
	return !find(name, ", upstream: \"https://") && !find(name, ", upstream: \"grpcs://") &&
	       !find(name, ", upstream: \"suwsgi://");
}

static bool row_fits(const struct logline_row *row, struct words message, bool is_plain,
		     enum logline_side side)
{
	return (!row->only || row->only == side) && find(message, row->words) &&
	       (!row->more || find(message, row->more)) && !(row->also_plain && is_plain);
}

/* The first row of a side, or of any, whose words are there. */
static const struct logline_row *row_find(struct words message, bool is_plain,
					  enum logline_side side)
{
	const struct logline_row *row;

	for (size_t i = 0; (row = logline_row_at(i)); i++)
		if (row_fits(row, message, is_plain, side))
			return row;
	return NULL;
}

/* Words without their end can be about either side. */
static void rows_find(struct words message, bool is_plain, struct logline *line)
{
	line->row = row_find(message, is_plain, line->side);
	if (line->side)
		return;
	line->row = row_find(message, is_plain, LOGLINE_UPSTREAM);
	line->row_of_client = row_find(message, is_plain, LOGLINE_CLIENT);
	if (line->row_of_client == line->row)
		line->row_of_client = NULL;
}

static struct words line_of(const char *text, size_t len)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	return (struct words){ text, len };
}

/* Does more stand behind the message: the client, the request, the upstream? */
static bool has_context(struct words all, const struct errorlog_line *log)
{
	return log->message + log->message_len < all.at + all.len;
}

bool logline_read(const char *text, size_t len, struct logline *line)
{
	struct words all = line_of(text, len), message = all;

	*line = (struct logline){ 0 };
	line->is_log_line = errorlog_parse(all.at, all.len, &line->log);
	if (line->is_log_line)
		message = (struct words){ line->log.message, line->log.message_len };
	if (!bare_code(all, line)) {
		code_find(message, line);
		verify_find(message, line);
		system_error_find(message, line);
		line->side =
			side_of(message, line->is_log_line && has_context(all, &line->log), line);
		rows_find(message, upstream_is_plain(all), line);
	}
	if (line->row && line->row->side)
		line->side = line->row->side;
	detail_choose(line, message);
	return line->row || line->kind == LOGLINE_ALERT || line->kind == LOGLINE_REASON;
}

static struct logline_known *known_find(struct logline_memo *memo, struct words message)
{
	uint64_t hash = message.len, word;

	for (size_t i = 0; i + sizeof(word) <= message.len; i += sizeof(word)) {
		memcpy(&word, message.at + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return &memo->known[hash % LOGLINE_MEMO_LINES];
}

/* All that is read of a line hangs on its message and on these two, but for what errorlog_begin() and
 * errorlog_peer() read. */
bool logline_recall(struct logline_memo *memo, const char *text, size_t len, struct logline *line)
{
	struct words all = line_of(text, len), message;
	struct logline_known *k;
	struct errorlog_line log;
	bool context, plain;

	if (!errorlog_begin(all.at, all.len, &log) || log.message_len > LOGLINE_MEMO_LEN)
		return logline_read(text, len, line);
	message = (struct words){ log.message, log.message_len };
	context = has_context(all, &log);
	plain = upstream_is_plain(all);
	k = known_find(memo, message);
	if (message.len && k->len == message.len && k->has_context == context &&
	    k->is_plain == plain && !memcmp(k->message, message.at, message.len)) {
		*line = k->line;
		line->log.seconds = log.seconds;
		line->log.level = log.level;
		line->log.pid = log.pid;
		line->log.connection = log.connection;
		line->log.message = log.message;
		errorlog_peer(all.at, all.len, &line->log);
		return k->result;
	}
	k->result = logline_read(text, len, line);
	k->len = message.len;
	k->has_context = context;
	k->is_plain = plain;
	k->line = *line;
	memcpy(k->message, message.at, message.len);
	return k->result;
}

static void causes_add(const char *const *from, const char *causes[LOGLINE_CAUSES_MAX], size_t *n)
{
	for (size_t i = 0; i < LOGLINE_CAUSES_MAX && from[i]; i++) {
		bool known = false;

		for (size_t k = 0; k < *n; k++)
			known = known || strcmp(causes[k], from[i]) == 0;
		if (!known && *n < LOGLINE_CAUSES_MAX)
			causes[(*n)++] = from[i];
	}
}

const struct logline_row *logline_row(const struct logline *line, enum logline_side side)
{
	return side == LOGLINE_CLIENT && line->row_of_client ? line->row_of_client : line->row;
}

void logline_causes(const struct logline *line, enum logline_side side,
		    const char *causes[LOGLINE_CAUSES_MAX])
{
	const struct logline_row *row = logline_row(line, side);
	const struct logline_detail *detail = logline_detail(line, side);
	size_t n = 0;

	memset(causes, 0, LOGLINE_CAUSES_MAX * sizeof(causes[0]));
	if (detail)
		causes_add(detail->meaning.causes, causes, &n);
	else if (row)
		causes_add(row->meaning.causes, causes, &n);
}

/* ---- a whole log ---- */

/* "SSL", "OCSP", "HTTPS ", by their S, which is rare in what else nginx writes. */
static const char *capital_marker(const char *text, const char *end)
{
	for (const char *s = text; (s = memchr(s, 'S', (size_t)(end - s))); s++) {
		size_t left = (size_t)(end - s), before = (size_t)(s - text);

		if (left >= 3 && s[1] == 'S' && s[2] == 'L')
			return s;
		if (before >= 2 && left >= 2 && s[-1] == 'C' && s[-2] == 'O' && s[1] == 'P')
			return s;
		if (before >= 4 && left >= 2 && s[-1] == 'P' && s[-2] == 'T' && s[1] == ' ')
			return s;
	}
	return NULL;
}

/* Of these each is long enough for memmem() to skip most bytes. */
static const char *const markers[LOGLINE_MARKERS - 1] = {
	"prematurely ",
	"certificate",
	"handshake rejected",
	"broken header: \"",
	"while connecting to upstream",
	"connect() ",
	"PROXY protocol",
	"client attempted to request",
};

static const char *marker_find(size_t i, const char *text, const char *end)
{
	const char *found =
		i == 0 ? capital_marker(text, end)
		       : memmem(text, (size_t)(end - text), markers[i - 1], strlen(markers[i - 1]));

	return found ? found : end;
}

void logline_scan_begin(struct logline_scan *scan, const char *text, const char *end)
{
	*scan = (struct logline_scan){ .end = end };
	scan->next[0] = marker_find(0, text, end);
}

const char *logline_scan_next(struct logline_scan *scan, const char *from)
{
	const char *first = scan->end;

	for (size_t i = 0; i < LOGLINE_MARKERS; i++) {
		if (!scan->next[i] || scan->next[i] < from)
			scan->next[i] = marker_find(i, from, scan->end);
		/* none of the others comes in an earlier line */
		if (i == 0 && scan->next[0] < scan->end &&
		    !memchr(from, '\n', (size_t)(scan->next[0] - from)))
			return scan->next[0];
		if (scan->next[i] < first)
			first = scan->next[i];
	}
	return first == scan->end ? NULL : first;
}
