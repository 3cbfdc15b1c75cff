/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text sink: for people, in lines as wide as their terminal. One line a failure with the time, the
 * process, the peer and the cause; below it what that means, what to do and what else it could be.
 * Columns are counted in characters.
 */
#include "output/sink.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "finding/finding.h"
#include "finding/standing.h"
#include "output/ladder.h"
#include "base/text.h"
#include "base/units.h"

#define TIME_WIDTH 8
#define DATE_WIDTH 11 /* with the blank after it */
#define PID_WIDTH  7
#define PEER_WIDTH 21
#define INDENT	   9
/* "[", an IPv6 address, "]:65535" */
#define ENDPOINT_LEN (FINDING_ADDRESS_LEN + 8)
/* Of an address that is shortened, at least these first characters stay: "[2001", "10.0". */
#define ENDPOINT_HEAD_MIN 4
#define CONFIDENCE_LEN	  sizeof(" (medium)")
#define CONTAINER_DIGITS  12 /* of its id, as docker and crictl show it */
/* Of the table of a summary */
#define SUMMARY_STATE	 9
#define SUMMARY_COUNT	 8
#define SUMMARY_PEER_MIN 18
#define SUMMARY_NAME_LEN 96
#define CANDIDATES_LEN	 (FINDING_CANDIDATES_MAX * 64)

#define COLOR_CAUSE	"\033[1;31m"
#define COLOR_CAUSE_LOW "\033[1;33m"
#define COLOR_HINT	"\033[32m"
#define COLOR_END	"\033[0m"

/* Longer lines are hard to read. */
#define COLUMNS_MAX 120

static int columns_of(const struct sink_options *o)
{
	return !o->columns ? TEXT_COLUMNS : o->columns > COLUMNS_MAX ? COLUMNS_MAX : o->columns;
}

static const char *color(const struct sink_options *o, const char *sequence)
{
	return o->color && sequence ? sequence : "";
}

/* Adds label and words from column INDENT on, the lines after the first hanging under the first
 * word. sequence: the colour, NULL for none; it ends with each line, for pagers. */
static void wrapped_add(const struct sink_options *o, struct text *t, const char *sequence,
			const char *label, const char *words)
{
	const char *begin = color(o, sequence);
	const char *end = begin[0] ? COLOR_END : "";

	text_addf(t, "%s%s", begin, label);
	text_add_filled(t, columns_of(o), INDENT + (int)strlen(label), words, end, begin);
	text_addf(t, "%s\n", end);
}

static void paragraph_add(const struct sink_options *o, struct text *t, const char *sequence,
			  const char *label, const char *words)
{
	if (!words[0])
		return;
	text_addf(t, "%*s", INDENT, "");
	wrapped_add(o, t, sequence, label, words);
}

/* ADDRESS:PORT or [ADDRESS]:PORT, "-" when it is not known. */
static void endpoint_add(struct text *t, const struct finding_endpoint *endpoint)
{
	bool bracket = endpoint->port && strchr(endpoint->address, ':');

	if (!endpoint->address[0]) {
		text_add(t, "-");
		return;
	}
	text_addf(t, bracket ? "[%s]" : "%s", endpoint->address);
	if (endpoint->port)
		text_addf(t, ":%u", endpoint->port);
}

static bool is_separator(char c)
{
	return c == '.' || c == ':';
}

/* The end of an endpoint that stays when it is shortened: the last group and the port. */
static const char *endpoint_tail(const char *endpoint)
{
	const char *port = strrchr(endpoint, ':');
	const char *tail = port ? port : endpoint + strlen(endpoint);

	while (tail > endpoint && !is_separator(tail[-1]))
		tail--;
	return tail;
}

/* The least columns to which endpoint can be shortened: its first characters, "..", its tail. */
static int endpoint_width_min(const char *endpoint)
{
	int width = (int)strlen(endpoint);
	int shortest = ENDPOINT_HEAD_MIN + 2 + (int)strlen(endpoint_tail(endpoint));

	return width < shortest ? width : shortest;
}

/* The length, limit at most, of the whole groups that endpoint begins with; limit when there are
 * none. */
static int endpoint_head_len(const char *endpoint, int limit)
{
	for (int len = limit; len > 1; len--) {
		if (is_separator(endpoint[len]) && !is_separator(endpoint[len - 1]))
			return len;
	}
	return limit;
}

/* Adds endpoint in at most width columns, or its least, leaving out groups from its middle. */
static void endpoint_add_short(struct text *t, const char *endpoint, int width)
{
	int least = endpoint_width_min(endpoint);
	int limit = width < least ? least : width;
	const char *tail = endpoint_tail(endpoint);

	if ((int)strlen(endpoint) <= limit) {
		text_add(t, endpoint);
		return;
	}
	text_addf(t, "%.*s..%s", endpoint_head_len(endpoint, limit - 2 - (int)strlen(tail)),
		  endpoint, tail);
}

static int time_width(const struct sink_options *o)
{
	return o->dated ? DATE_WIDTH + TIME_WIDTH : TIME_WIDTH;
}

/* The local time, and the blank after it: INDENT columns, or more with the date. */
static void time_add(const struct sink_options *o, struct text *t, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	char words[DATE_WIDTH + TIME_WIDTH + 1];
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(words, sizeof(words), o->dated ? "%F %H:%M:%S" : "%H:%M:%S", &tm) == 0)
		words[0] = '\0';
	text_addf(t, "%-*s ", time_width(o), words);
}

/* The peer, and behind it the cause: first the peer's address gives way, then the confidence. Where
 * both do not fit into one line, the cause has one of its own. taken: columns of the line so far. */
static void peer_and_cause_add(const struct sink_options *o, struct text *t,
			       const struct finding *f, int taken)
{
	const char *begin =
		color(o, f->confidence == CONFIDENCE_LOW ? COLOR_CAUSE_LOW : COLOR_CAUSE);
	int room = columns_of(o) - taken - 1 - (int)strlen(f->cause), pad;
	char suffix[CONFIDENCE_LEN];
	char peer[ENDPOINT_LEN];
	struct text words;
	size_t start = t->len;

	text_init(&words, peer, sizeof(peer));
	endpoint_add(&words, &f->peer);
	text_init(&words, suffix, sizeof(suffix));
	if (f->confidence != CONFIDENCE_HIGH)
		text_addf(&words, " (%s)", sink_confidence_name(f));
	if (room < endpoint_width_min(peer)) {
		int left = columns_of(o) - (int)strlen(f->cause);

		endpoint_add_short(t, peer, columns_of(o) - taken);
		text_addf(t, "\n%*s", left < 0 ? 0 : left < INDENT ? left : INDENT, "");
		if (left < INDENT + (int)words.len)
			suffix[0] = '\0';
	} else {
		if (room - (int)words.len >= endpoint_width_min(peer))
			room -= (int)words.len;
		else
			suffix[0] = '\0';
		endpoint_add_short(t, peer, room);
		pad = (room < PEER_WIDTH ? room : PEER_WIDTH) - (int)(t->len - start);
		text_addf(t, "%*s ", pad > 0 ? pad : 0, "");
	}
	text_addf(t, "%s%s%s%s\n", begin, f->cause, begin[0] ? COLOR_END : "", suffix);
}

/* The first line, or two where they are short. */
static void headline_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	size_t start = t->len;

	time_add(o, t, f->time_ns);
	if (f->pid)
		text_addf(t, "%-*u ", PID_WIDTH, f->pid);
	else
		text_addf(t, "%-*s ", PID_WIDTH, "-");
	peer_and_cause_add(o, t, f, (int)(t->len - start));
}

/* Where nginx's configuration passes to the peer: all places that it can be. */
static void place_add(const struct sink_options *o, struct text *t,
		      const struct finding_config *config)
{
	char words[FINDING_PLACES_MAX * 4 * FINDING_NAME_LEN];
	struct text line;

	if (!config->place_count)
		return;
	text_init(&line, words, sizeof(words));
	for (unsigned int i = 0; i < config->place_count; i++) {
		const struct finding_place *p = &config->places[i];

		text_addf(&line, "%s%s:%u, %s", i ? "; or " : "", p->file, p->line, p->location);
		if (p->server[0] && !strcmp(p->location, "server"))
			text_addf(&line, " %s", p->server);
		if (p->upstream[0])
			text_addf(&line, ", upstream %s", p->upstream);
	}
	if (config->place_count == 1 && !config->more && strcmp(config->certainty, "certain") != 0)
		text_addf(&line, " (%s)", config->certainty);
	if (config->more)
		text_addf(&line, "; or %u more", config->more);
	paragraph_add(o, t, NULL, "in: ", words);
}

/* Lines that are for copying: as they are, but for the indentation. */
static void patch_add(const struct sink_options *o, struct text *t,
		      const struct finding_config *config)
{
	const char *patch = config->patch;

	if (config->review)
		paragraph_add(o, t, NULL, "review: ", config->review);
	while (*patch) {
		size_t len = strcspn(patch, "\n");

		text_addf(t, "%*s%.*s\n", INDENT, "", (int)len, patch);
		patch += len + (patch[len] == '\n');
	}
}

static void candidates_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	char words[CANDIDATES_LEN];
	struct text list;

	text_init(&list, words, sizeof(words));
	for (unsigned int i = 0; i < f->candidate_count; i++)
		text_addf(&list, "%s%s", i > 0 ? ", " : "", f->candidates[i]);
	paragraph_add(o, t, NULL, "or: ", words);
}

/* A line that is for copying, so it is not wrapped. */
static void fact_add(struct text *t, const char *label, const char *value)
{
	text_addf(t, "%*s%-11s %s\n", INDENT, "", label, value);
}

static void endpoint_fact_add(struct text *t, const char *label,
			      const struct finding_endpoint *endpoint)
{
	char words[ENDPOINT_LEN];
	struct text value;

	text_init(&value, words, sizeof(words));
	endpoint_add(&value, endpoint);
	fact_add(t, label, words);
}

/* To be found in the file: so not wrapped either. */
static void log_line_add(struct text *t, const struct finding_log_line *line)
{
	if (!line->known)
		return;
	text_addf(t, "%*s%-11s [%s] ", INDENT, "", "error.log:", line->level);
	if (line->connection)
		text_addf(t, "*%" PRIu64 " ", line->connection);
	text_addf(t, "%s\n", line->message);
}

/* What stands behind the diagnosis, and the whole of what the first line may have shortened. */
static void details_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	const char *executable = f->executable_path[0] ? f->executable_path : f->executable_name;

	for (unsigned int i = 0; i < f->evidence_count; i++)
		paragraph_add(o, t, NULL, ". ", f->evidence[i]);
	log_line_add(t, &f->log_line);
	fact_add(t, "confidence:", sink_confidence_name(f));
	if (executable[0])
		fact_add(t, "program:", executable);
	endpoint_fact_add(t, "peer:", &f->peer);
	endpoint_fact_add(t, "local:", &f->local);
}

/* "since 14:02:05", with the date when it was another day than that of the finding. */
static void since_add(struct text *t, uint64_t since_ns, uint64_t now_ns)
{
	time_t since = (time_t)(since_ns / NS_PER_S), now = (time_t)(now_ns / NS_PER_S);
	struct tm then, today;
	char words[32];

	if (!since_ns || !localtime_r(&since, &then) || !localtime_r(&now, &today))
		return;
	if (strftime(words, sizeof(words),
		     then.tm_yday == today.tm_yday && then.tm_year == today.tm_year ? "%H:%M:%S"
										    : "%F %H:%M",
		     &then))
		text_addf(t, " since %s", words);
}

/* What the peer did before; nothing, when this is the first that is known of it. */
static void history_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	const struct finding_peer *h = &f->history;
	char words[128];
	struct text line;

	text_init(&line, words, sizeof(words));
	if (!h->known || h->handshakes < 2)
		return;
	if (h->state == FINDING_PEER_FAILING) {
		text_add(&line, "always fails");
		since_add(&line, h->failing_since_ns, f->time_ns);
		text_addf(&line, " (%" PRIu64 " handshake%s)", h->failures_in_row,
			  h->failures_in_row == 1 ? "" : "s");
	} else {
		text_addf(&line, "%" PRIu64 " of %" PRIu64 " handshakes failed", h->failures,
			  h->handshakes);
		since_add(&line, h->since_ns, f->time_ns);
	}
	paragraph_add(o, t, NULL, "peer: ", words);
}

/* Whose problem it is, where it is one's alone. */
static void responsible_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	static const char *const words[] = {
		[RESPONSIBLE_THIS_HOST] = "this host; it can be fixed here alone",
		[RESPONSIBLE_UPSTREAM] = "the upstream",
		[RESPONSIBLE_CLIENT] = "the client",
		[RESPONSIBLE_NETWORK] = "the network in between",
	};

	if (f->responsible != RESPONSIBLE_UNKNOWN)
		paragraph_add(o, t, NULL, "who: ", words[f->responsible]);
}

static void failure_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	headline_add(o, t, f);
	paragraph_add(o, t, NULL, "", f->message);
	place_add(o, t, &f->config);
	paragraph_add(o, t, COLOR_HINT, "fix: ", f->hint);
	responsible_add(o, t, f);
	if (o->verbose)
		patch_add(o, t, &f->config);
	if (f->confidence != CONFIDENCE_HIGH)
		candidates_add(o, t, f);
	history_add(o, t, f);
	if (f->container_id[0])
		text_addf(t, "%*scontainer: %.*s\n", INDENT, "", CONTAINER_DIGITS, f->container_id);
	if (f->attempt > 1)
		text_addf(t, "%*sattempt %u of one request (inferred)\n", INDENT, "", f->attempt);
	if (o->verbose)
		details_add(o, t, f);
	if (o->ladder)
		ladder_add(t, f, INDENT, columns_of(o), o->utf8);
}

/* Nothing has failed: no colour of alarm, and no more than is new. */
static void certificate_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	headline_add(o, t, f);
	paragraph_add(o, t, NULL, "", f->message);
	paragraph_add(o, t, COLOR_HINT, "fix: ", f->hint);
}

/* The first of the kind was told in full: how many more there are is all that is new. */
static void folded_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	headline_add(o, t, f);
	paragraph_add(o, t, NULL, "", f->message);
	history_add(o, t, f);
}

static void recovered_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	headline_add(o, t, f);
	paragraph_add(o, t, NULL, "", f->message);
}

static void loss_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	char words[SINK_LOSS_LEN];
	struct text list;

	text_init(&list, words, sizeof(words));
	sink_add_loss(&list, &f->loss);
	time_add(o, t, f->time_ns);
	wrapped_add(o, t, NULL, "", words);

	text_init(&list, words, sizeof(words));
	sink_add_loss_hint(&list, &f->loss);
	paragraph_add(o, t, COLOR_HINT, "fix: ", words);
}

/* Columns of a summary for the peer; the rest are for the time, the state, the three counts, and what is
 * between them. 0: too few are left, and there is no table. */
static int summary_peer_width(const struct sink_options *o)
{
	int left =
		columns_of(o) - time_width(o) - 1 - (1 + SUMMARY_STATE + 3 * (1 + SUMMARY_COUNT));

	if (left < SUMMARY_PEER_MIN)
		return 0;
	return left < ENDPOINT_LEN ? left : ENDPOINT_LEN;
}

/* A line for each, as there is no room for columns. */
static void summary_narrow_add(const struct sink_options *o, struct text *t,
			       const struct finding *f, const char *peer)
{
	const struct finding_peer *h = &f->history;
	char words[128];
	struct text line;

	if (h->peers)
		wrapped_add(o, t, NULL, "", peer);
	else
		endpoint_add_short(t, peer, columns_of(o) - time_width(o) - 1);
	if (!h->peers)
		text_add(t, "\n");
	text_init(&line, words, sizeof(words));
	text_addf(&line, "%s: %" PRIu64 " of %" PRIu64 " failed, %" PRIu64 " retried",
		  sink_peer_state_name(h), h->failures, h->handshakes, h->retried);
	paragraph_add(o, t, NULL, "", words);
}

/* A name that is wider than its column has a line of its own. */
static void summary_row_add(struct text *t, const struct finding *f, const char *peer, int width,
			    int indent)
{
	const struct finding_peer *h = &f->history;
	size_t start = t->len;
	int pad;

	if (h->peers)
		text_add(t, peer);
	else
		endpoint_add_short(t, peer, width);
	pad = width - (int)(t->len - start);
	if (pad < 0)
		text_add(t, "\n");
	text_addf(t, "%*s %-*s %*" PRIu64 " %*" PRIu64 " %*" PRIu64 "\n",
		  pad < 0 ? indent + width : pad, "", SUMMARY_STATE, sink_peer_state_name(h),
		  SUMMARY_COUNT, h->failures, SUMMARY_COUNT, h->handshakes, SUMMARY_COUNT,
		  h->retried);
}

/* What happened most, and since when. */
static void summary_cause_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	const struct finding_peer *h = &f->history;
	bool failing = h->state == FINDING_PEER_FAILING;
	char words[256];
	struct text line;

	if (!f->cause && !failing)
		return;
	text_init(&line, words, sizeof(words));
	if (f->cause)
		text_addf(&line, "%" PRIu64 " %s%s", h->cause_count, f->cause, failing ? ", " : "");
	text_add(&line, failing ? "always fails" : "");
	since_add(&line, failing ? h->failing_since_ns : h->since_ns, f->time_ns);
	paragraph_add(o, t, NULL, "", words);
}

/* A table over all the peers of a summary: its head comes with the first of them. */
static void summary_add(const struct sink_options *o, struct text *t, const struct finding *f)
{
	const struct finding_peer *h = &f->history;
	int width = summary_peer_width(o);
	const char *scope = h->whole ? "IN ALL" : "SUMMARY";
	char peer[SUMMARY_NAME_LEN];
	struct text words;

	if (h->first && width)
		text_addf(t, "%-*s %-*s %-*s %*s %*s %*s\n", time_width(o), scope, width, "PEER",
			  SUMMARY_STATE, "STATE", SUMMARY_COUNT, "FAILED", SUMMARY_COUNT, "OF",
			  SUMMARY_COUNT, "RETRIED");
	else if (h->first)
		text_addf(t, "%-*s PEER\n", time_width(o), scope);
	text_init(&words, peer, sizeof(peer));
	if (h->peers)
		text_addf(&words, "upstream %s", h->upstream);
	else
		endpoint_add(&words, &f->peer);
	time_add(o, t, f->time_ns);
	if (width)
		summary_row_add(t, f, peer, width, time_width(o) + 1);
	else
		summary_narrow_add(o, t, f, peer);
	summary_cause_add(o, t, f);
}

/* Back to the first column, erase to the end of the line (ECMA-48 CR, EL). */
static void status_clear(const struct sink_options *o, struct text *t)
{
	if (o->status)
		text_add(t, "\r\033[K");
}

static void text_format(const struct sink_options *o, const struct finding *f, struct text *t)
{
	status_clear(o, t);
	if (f->kind == FINDING_LOSS)
		loss_add(o, t, f);
	else if (f->kind == FINDING_CERTIFICATE_SEEN || f->kind == FINDING_CERTIFICATE_EXPIRING ||
		 f->kind == FINDING_CERTIFICATE_UNSENT)
		certificate_add(o, t, f);
	else if (f->kind == FINDING_FOLDED)
		folded_add(o, t, f);
	else if (f->kind == FINDING_SUMMARY)
		summary_add(o, t, f);
	else if (f->kind == FINDING_RECOVERED)
		recovered_add(o, t, f);
	else
		failure_add(o, t, f);
}

static bool text_wants_standing(const struct sink_options *o)
{
	return o->status;
}

/* As peers.c has it: so many in a row are no chance. */
static bool is_failing(const struct standing_peer *p)
{
	return p->streak >= 3 || (p->streak && !p->done);
}

/* The line that stands below all, and that the next one takes the place of. */
static void text_standing(const struct sink_options *o, const struct standing *s, struct text *t)
{
	char words[256];
	struct text line;
	unsigned int failing = 0;

	for (unsigned int i = 0; i < s->peer_count; i++)
		failing += is_failing(&s->peers[i]);
	text_init(&line, words, sizeof(words));
	time_add(o, &line, s->time_ns);
	if (s->rate >= 0)
		text_addf(&line, "%.1f handshakes/s", s->rate);
	else
		text_add(&line, "tracing");
	text_addf(&line, ", %" PRIu64 " failed", s->client_failed + s->server_failed);
	if (failing)
		text_addf(&line, ", %u peer%s failing now", failing, failing == 1 ? "" : "s");
	if (s->lost)
		text_addf(&line, ", %" PRIu64 " LOST", s->lost);
	status_clear(o, t);
	/* one column less: what fills a line would be two in some terminals */
	text_addf(t, "%.*s", columns_of(o) - 1, words);
}

static void text_header(const struct sink_options *o, struct text *t)
{
	bool narrow = columns_of(o) < INDENT + PID_WIDTH + PEER_WIDTH + 8;

	text_addf(t, "%-*s %-*s %-*s %s\n", time_width(o), "TIME", PID_WIDTH, "PID",
		  narrow ? 0 : PEER_WIDTH, "PEER", "CAUSE");
}

const struct sink_type sink_type_text = {
	.name = "text",
	.forms = "text:- text:/FILE",
	.batch_max = 64,
	.retry_ms_max = 1000,
	.check = sink_file_check,
	.open = sink_file_open,
	.header = text_header,
	.format = text_format,
	.standing = text_standing,
	.wants_standing = text_wants_standing,
	.send = sink_file_send,
	.reopen = sink_file_reopen,
	.close = sink_file_close,
};
