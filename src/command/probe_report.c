// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text: the answer first, then how it was found out.
 */
#include "command/probe_report.h"

#include <errno.h>
#include <openssl/ocsp.h>
#include <string.h>
#include <time.h>

#include "command/probe_enumeration.h"
#include "diagnose/words.h"
#include "finding/tls.h"
#include "probe/listeners.h"
#include "tls/names.h"
#include "base/calendar.h"

#define REPORT_LEN (64U << 10)
#define INDENT	   2

const char *probe_report_result(const struct probe_report *r)
{
	if (!r->verdict || r->verdict->end == HANDSHAKE_UNTRIED)
		return "untried";
	return r->verdict->end == HANDSHAKE_WORKS ? "works" : "fails";
}

static void line_add(struct text *t, const char *begin, const char *words)
{
	if (!*words)
		return;
	text_addf(t, "%*s%s", INDENT, "", begin);
	text_add_wrapped(t, INDENT + (int)strlen(begin), words, "", "");
	text_add(t, "\n");
}

static void headline_add(struct text *t, const struct probe_report *r)
{
	const struct finding *f = &r->verdict->finding;
	char peer[64];
	struct text words;

	text_init(&words, peer, sizeof(peer));
	words_add_endpoint(&words, &f->peer);
	text_add(t, r->target->label);
	if (!strstr(r->target->label, peer))
		text_addf(t, " (%s)", peer);
	text_addf(t, ": %s", probe_report_result(r));
}

static void agreement_add(struct text *t, const struct verdict *v)
{
	char words[512];
	struct text w;

	text_init(&w, words, sizeof(words));
	text_addf(&w, "TLS %s, %s", tls_version_name(v->first.version), v->first.cipher);
	if (v->finding.choice.group.number) {
		text_add(&w, ", ");
		finding_add_code(&w, &v->finding.choice.group);
	}
	if (*v->first.alpn)
		text_addf(&w, ", ALPN %s", v->first.alpn);
	line_add(t, "", words);
}

static void certificate_add(struct text *t, const struct verdict *v)
{
	const struct finding_certificate *cert = &v->finding.certificate;
	int64_t days = (cert->not_after - (int64_t)(v->first.time_ns / 1000000000)) / 86400;
	char words[2048];
	struct text w;

	if (!cert->known)
		return;
	text_init(&w, words, sizeof(words));
	finding_add_subject(&w, cert);
	text_addf(&w, ", issued by %s", cert->issuer);
	if (cert->has_validity) {
		text_add(&w, ", ends ");
		calendar_add_words(&w, cert->not_after);
		text_addf(&w, " (%lld day%s)", (long long)days, days == 1 ? "" : "s");
	}
	line_add(t, "certificate: ", words);
	text_init(&w, words, sizeof(words));
	for (unsigned int i = 0; i < cert->name_count && i < FINDING_SAN_MAX; i++)
		text_addf(&w, "%s%s", i ? ", " : "", cert->names[i]);
	if (cert->name_count > FINDING_SAN_MAX)
		text_addf(&w, " and %u more", cert->name_count - FINDING_SAN_MAX);
	line_add(t, "names: ", words);
}

static void client_certificate_add(struct text *t, const struct verdict *v)
{
	char words[HANDSHAKE_CA_NAMES_MAX * 128];
	struct text w;

	if (!v->first.certificate_requested)
		return;
	text_init(&w, words, sizeof(words));
	text_add(&w, v->first.certificate_sent ? "requested, and presented"
					       : "requested, but none was "
						 "presented");
	for (unsigned int i = 0; i < v->first.ca_name_count; i++)
		text_addf(&w, "%s%s", i ? ", " : "; accepted CAs: ", v->first.ca_names[i]);
	line_add(t, "client certificate: ", words);
}

static void tries_add(struct text *t, const struct verdict *v)
{
	char words[FINDING_EVIDENCE_LEN + 64];
	struct text w;

	for (unsigned int i = 0; i < v->try_count; i++) {
		text_init(&w, words, sizeof(words));
		text_addf(&w, "%s: %s", v->tries[i].what,
			  v->tries[i].cause ? v->tries[i].cause : "works");
		line_add(t, "tried ", words);
	}
}

/* A refused connection to this host: what does listen? */
static void listeners_line(struct text *t, const struct probe_report *r)
{
	char words[512];
	struct text w;

	text_init(&w, words, sizeof(words));
	if (r->verdict->first.dial.conn.flags & TLSFAIL_F_REFUSED &&
	    listeners_add(&w, &r->target->peer))
		line_add(t, "listening on this host: ", words);
}

static void verdict_add(struct text *t, const struct verdict *v)
{
	const struct finding *f = &v->finding;
	char words[FINDING_EVIDENCE_LEN + 64];
	struct text w;

	line_add(t, "", f->message);
	if (*f->confirmed && !strstr(f->message, f->confirmed)) {
		text_init(&w, words, sizeof(words));
		text_addf(&w, "%s.", f->confirmed);
		line_add(t, "", words);
	}
	line_add(t, "fix: ", f->hint);
	text_init(&w, words, sizeof(words));
	for (unsigned int i = 0; i < f->candidate_count; i++)
		text_addf(&w, "%s%s", i ? ", " : "", f->candidates[i]);
	line_add(t, "or: ", words);
}

int probe_report_text(const struct probe_report *r, FILE *file)
{
	static char buf[REPORT_LEN];
	const struct verdict *v = r->verdict;
	struct text t;

	text_init(&t, buf, sizeof(buf));
	if (!v) {
		text_addf(&t, "%s: untried\n", r->target->label);
		line_add(&t, "", r->target->problem);
	} else {
		headline_add(&t, r);
		if (v->end == HANDSHAKE_FAILS || v->end == HANDSHAKE_NO_TLS)
			text_addf(&t, ": %s%s", v->finding.cause,
				  v->finding.confidence == CONFIDENCE_PROVEN   ? " (proven)"
				  : v->finding.confidence == CONFIDENCE_MEDIUM ? " (medium)"
				  : v->finding.confidence == CONFIDENCE_LOW    ? " (low)"
									       : "");
		text_add(&t, "\n");
		if (v->end == HANDSHAKE_WORKS)
			agreement_add(&t, v);
		else
			verdict_add(&t, v);
		listeners_line(&t, r);
		line_add(&t, "at ", r->target->place);
		line_add(&t, "not tested: ", r->target->skipped);
		certificate_add(&t, v);
		client_certificate_add(&t, v);
		tries_add(&t, v);
	}
	if (r->enumeration)
		probe_enumeration_text(&t, r->enumeration);
	return fputs(buf, file) == EOF || fflush(file) ? -EIO : 0;
}
