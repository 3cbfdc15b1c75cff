/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink writes findings somewhere. One file a sink, one row in the registry (sink.c).
 */
#ifndef TLSFAIL_OUTPUT_SINK_H
#define TLSFAIL_OUTPUT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/queue.h"

struct finding;
struct finding_loss;
struct finding_peer;
struct sink;
struct standing;
struct text;

/* How findings look, whatever sink they go to, and what the sinks are given. */
struct sink_options {
	int fd;	      /* what the target "-" stands for; stays the caller's */
	int stop;     /* readable when no wait may go on; -1: a signal ends a wait */
	bool verbose; /* show the evidence */
	bool ladder;  /* draw the handshake */
	bool color;
	bool utf8;   /* the output may hold more than ASCII */
	bool ecs;    /* JSON has the keys of the Elastic Common Schema */
	int columns; /* of a line of text; 0: TEXT_COLUMNS */
	bool status; /* text: the last line of the terminal says how handshakes stand */
	bool dated;  /* text: times have their date, as more than a day is kept */
};

/* What came of the items that a sink was given. */
struct sink_sent {
	size_t taken;	      /* the first of them that are done with */
	size_t refused;	      /* of those taken: what the receiver will never take */
	unsigned int wait_ms; /* the receiver asks to be left alone for so long; 0: it does not */
};

/* One kind of sink. Errors are negative errno values. */
struct sink_type {
	const char *name;	   /* TYPE of --sink TYPE:TARGET */
	const char *forms;	   /* TYPE:TARGET as it may be, for people */
	size_t batch_max;	   /* items that send() is given at most */
	unsigned int linger_ms;	   /* how long an item may wait for others to be sent with */
	unsigned int retry_ms_max; /* the longest pause between two attempts */
	bool network;		   /* it connects to other hosts */
	/* Can this program, on this host, do it at all? NULL: always. */
	bool (*available)(void);
	/* What is wrong with the words of target, without trying it. A type that this program was
	 * built without has nothing else. */
	int (*check)(const char *target, struct text *error);
	/* Sets *sink, to be ended with close(). target must outlive it. */
	int (*open)(const struct sink_options *options, const char *target, struct sink **sink,
		    struct text *error);
	/* Appends what comes before the first finding on standard output. NULL: nothing does. */
	void (*header)(const struct sink_options *options, struct text *t);
	/* Appends a finding as the sink takes it. Uses nothing but its arguments. */
	void (*format)(const struct sink_options *options, const struct finding *finding,
		       struct text *t);
	/* Appends how handshakes stand. NULL: the sink is told findings only. */
	void (*standing)(const struct sink_options *options, const struct standing *standing,
			 struct text *t);
	/* Is that wanted? NULL: always. */
	bool (*wants_standing)(const struct sink_options *options);
	/*
	 * Sends the items that it can, and says in *sent how many, also on an error, of which error
	 * gets a sentence. What was not taken it is given again. -EPIPE of standard output: the
	 * reader is gone. -ECANCELED: options.stop became readable.
	 */
	int (*send)(struct sink *sink, const struct queue_item *items, size_t count,
		    struct sink_sent *sent, struct text *error);
	/* Begins anew what may have been moved away. NULL: nothing is. */
	int (*reopen)(struct sink *sink, struct text *error);
	void (*close)(struct sink *sink);
};

/* Where journald listens, unless the target says otherwise. */
#define SINK_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The rows of the registry. */
extern const struct sink_type sink_type_text;
extern const struct sink_type sink_type_json;
extern const struct sink_type sink_type_line;
extern const struct sink_type sink_type_journald;
extern const struct sink_type sink_type_syslog;
extern const struct sink_type sink_type_syslog_udp;
extern const struct sink_type sink_type_syslog_tcp;
extern const struct sink_type sink_type_otlp;
extern const struct sink_type sink_type_socket;

/* What a formatted finding takes at most. */
#define SINK_FINDING_LEN (256 * 1024)

/* The type of that name, or NULL. */
const struct sink_type *sink_type_find(const char *name);

/*
 * Takes TYPE:TARGET apart: sets *type, and *target to what follows the colon. Returns 0, or -EINVAL
 * with a sentence in error.
 */
int sink_parse(const char *spec, const struct sink_type **type, const char **target,
	       struct text *error);

/* Does that output connect to other hosts? spec is TYPE:TARGET. */
bool sink_needs_network(const char *spec);

/* Is that output told how handshakes stand, too? */
bool sink_wants_standing(const struct sink_options *options, const char *spec);

/* Loads what that output has to have loaded before it is opened. */
void sink_load(const char *spec);

/* The file or socket that it writes to, NULL: none. */
const char *sink_path(const char *spec);

/* Append the types of sinks: their names, or a line for each with its
 * forms. */
void sink_add_types(struct text *t);
void sink_help(struct text *t);

/* Is that target standard output ("-")? */
bool sink_is_stdout(const char *target);

/* The functions of sinks that write to standard output or a file, whatever the format. */
int sink_file_check(const char *target, struct text *error);
int sink_file_open(const struct sink_options *options, const char *target, struct sink **sink,
		   struct text *error);
int sink_file_send(struct sink *sink, const struct queue_item *items, size_t count,
		   struct sink_sent *sent, struct text *error);
int sink_file_reopen(struct sink *sink, struct text *error);
void sink_file_close(struct sink *sink);

/*
 * Waits until fd is ready for events (poll(2)), timeout_ms at most, -1 for ever. stop is that of the
 * options: -ECANCELED when it became readable; when it is -1, the signals are let in that the
 * program otherwise keeps blocked, so that a reader that never reads cannot keep us from ending, and
 * -EINTR says that one came. -ETIMEDOUT: it is not ready.
 */
int sink_wait(int fd, int stop, short events, int timeout_ms);

/*
 * Writes all of buf to fd, with one write(2) where fd takes it (a full pipe takes PIPE_BUF), waiting
 * as sink_wait() does. *done says how much was written. Returns 0 or a negative errno.
 */
int sink_write_all(int fd, int stop, const void *buf, size_t len, size_t *done);

/* "low", "medium", "high" or "proven". */
const char *sink_confidence_name(const struct finding *finding);

/* "this_host", "upstream", "client", "network", "unknown". */
const char *sink_responsible_name(const struct finding *finding);

/* "failing", "flapping", "ok" or "recovered". */
const char *sink_peer_state_name(const struct finding_peer *peer);

/* Append what was lost, leaving out what is 0 ("tlsfail lost 12 failures, 1 process"), and what
 * to do about it. SINK_LOSS_LEN holds either, whatever the counts. */
#define SINK_LOSS_LEN 512
void sink_add_loss(struct text *t, const struct finding_loss *loss);
void sink_add_loss_hint(struct text *t, const struct finding_loss *loss);

#endif
