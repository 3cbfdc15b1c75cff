// SPDX-License-Identifier: BSD-2-Clause
/*
 * The line sink: one finding, one line, for grep, awk and sort. Words in the order of their use: date
 * and time in UTC, role, peer, server name, cause, how sure it is, and the sentence. A word that is
 * not known is "-".
 */
#include "output/sink.h"

#include <string.h>

#include "base/calendar.h"
#include "base/text.h"
#include "base/units.h"
#include "finding/finding.h"

static const char *kind_word(const struct finding *f)
{
	switch (f->kind) {
	case FINDING_LOSS:
		return "lost";
	case FINDING_CERTIFICATE_SEEN:
		return "certificate-seen";
	case FINDING_CERTIFICATE_EXPIRING:
		return "certificate-expiring";
	case FINDING_CERTIFICATE_UNSENT:
		return "certificate-unsent";
	case FINDING_SUMMARY:
		return "summary";
	case FINDING_RECOVERED:
		return "peer-recovered";
	default:
		return f->cause ? f->cause : "-";
	}
}

static void line_format(const struct sink_options *options, const struct finding *f, struct text *t)
{
	char time[64];
	struct text w;

	(void)options;
	text_init(&w, time, sizeof(time));
	calendar_add_words(&w, (int64_t)(f->time_ns / NS_PER_S));
	text_addf(t, "%.10sT%.8sZ %s ", time, strlen(time) > 11 ? time + 11 : "",
		  f->role ? f->role : "-");
	if (f->peer.address[0])
		text_addf(t, strchr(f->peer.address, ':') ? "[%s]:%u" : "%s:%u", f->peer.address,
			  f->peer.port);
	else
		text_add(t, "-");
	text_addf(t, " %s %s", f->hello.server_name[0] ? f->hello.server_name : "-", kind_word(f));
	if (f->kind == FINDING_FAILURE || f->kind == FINDING_PLAINTEXT)
		text_addf(t, " %s: %s", sink_confidence_name(f), f->message);
	else if (f->kind == FINDING_FOLDED)
		text_addf(t, " +%llu: %s", (unsigned long long)f->suppressed, f->message);
	else if (f->kind == FINDING_LOSS) {
		text_add(t, ": ");
		sink_add_loss(t, &f->loss);
	} else if (f->message[0])
		text_addf(t, ": %s", f->message);
	text_add(t, "\n");
}

const struct sink_type sink_type_line = {
	.name = "line",
	.forms = "line:- line:/FILE",
	.batch_max = 64,
	.retry_ms_max = 1000,
	.check = sink_file_check,
	.open = sink_file_open,
	.format = line_format,
	.send = sink_file_send,
	.reopen = sink_file_reopen,
	.close = sink_file_close,
};
