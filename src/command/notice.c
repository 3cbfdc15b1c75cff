// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line each.
 */
#include "command/notice.h"

#include <inttypes.h>

#include "base/text.h"
#include "system/log.h"

void notice_waiting(const struct target_selector *s)
{
	if (!s) {
		log_line("waiting for a TLS library to be loaded");
		return;
	}
	switch (s->kind) {
	case TARGET_EXE:
		log_line("waiting for %s to start: no process is running it yet", s->text);
		break;
	case TARGET_COMM:
		log_line("waiting for a process named %s to start", s->text);
		break;
	case TARGET_NAME:
		log_line("waiting for %s to start: no process is running an executable of that "
			 "name",
			 s->text);
		break;
	case TARGET_PID:
		log_line("waiting for process %d to load a TLS library", (int)s->pid);
		break;
	}
}

void notice_armed(size_t processes, const char *version, const struct hook_choice *choice)
{
	char buf[256];
	struct text hooks;

	log_line("armed: %zu process%s%s%s", processes, processes == 1 ? "" : "es",
		 !version   ? ", from the wire"
		 : *version ? ", OpenSSL "
			    : "",
		 version ? version : "");
	if (!choice)
		return;
	text_init(&hooks, buf, sizeof(buf));
	for (int fact = 0; fact < FACT_COUNT; fact++)
		text_addf(&hooks, " %s=%s", fact_name(fact),
			  hook_kind_name(choice->rows[fact]->kind));
	log_line("hooks:%s", buf);
}

void notice_uncertain(const struct tlsfail_counters *counters)
{
	uint64_t errors = counters->n[TLSFAIL_N_UNOWNED];
	uint64_t handshakes = counters->n[TLSFAIL_N_UNSURE];
	uint64_t others = counters->n[TLSFAIL_N_OTHER_SOCKET];

	if (errors)
		log_line("%" PRIu64 " TLS %s not reported: it is not certain which connection "
			 "%s about",
			 errors, errors == 1 ? "error is" : "errors are",
			 errors == 1 ? "it is" : "they are");
	if (handshakes)
		log_line("%" PRIu64
			 " %s not reported: part of what passed could not be read, or the "
			 "peer closed after what may be an answer, so that it is not certain "
			 "whether %s failed",
			 handshakes, handshakes == 1 ? "handshake is" : "handshakes are",
			 handshakes == 1 ? "it" : "they");
	if (others)
		log_line("%" PRIu64
			 " %s not over TCP (Unix sockets, MPTCP) and not followed: whether %s "
			 "failed is not known",
			 others, others == 1 ? "handshake was" : "handshakes were",
			 others == 1 ? "it" : "they");
}

void notice_untraced(const struct tlsfail_counters *counters, bool started)
{
	/* Of what has no library that is known the wire tells all the same. */
	if (counters->n[TLSFAIL_N_CLIENT_SEEN] || counters->n[TLSFAIL_N_SERVER_SEEN] ||
	    counters->n[TLSFAIL_N_REPORTED])
		return;
	log_line("nothing was traced: the expected process %s",
		 started ? "loaded no TLS library that tlsfail knows" : "did not start");
}
