// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line each.
 */
#include "command/notice.h"

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
