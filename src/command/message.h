/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the collector, which has privileges and reads nothing that strangers wrote, and the analyst,
 * which reads all of that and has none, say to each other beside the queue of records: one datagram a
 * message. Both check what they read; the analyst may be anybody by the time it speaks.
 */
#ifndef TLSFAIL_COMMAND_MESSAGE_H
#define TLSFAIL_COMMAND_MESSAGE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/host.h"
#include "output/outputs.h"
#include "record/recording.h"
#include "tlsfail_abi.h"

enum message_type {
	/* to the analyst */
	MESSAGE_RECORD,	  /* of a process that an analyst before it knew */
	MESSAGE_BEGIN,	  /* what is in the queue may be taken */
	MESSAGE_FIGURES,  /* how things are with the collector, for the metrics */
	MESSAGE_STANDS,	  /* how some peers stand, for live views */
	MESSAGE_STANDING, /* how all of it stands; those are all that there are */
	MESSAGE_OUTPUTS,  /* take these in the place of those that there are */
	MESSAGE_REOPEN,	  /* begin files anew */
	MESSAGE_STATUS,	  /* say how it stands */
	MESSAGE_END,	  /* nothing comes any more but what is asked for */
	/* to the collector */
	MESSAGE_READY,	 /* all is open, and the walls stand */
	MESSAGE_PEERS,	 /* the counts of these are wanted, as records */
	MESSAGE_LAST,	 /* so are those of the end, and then nothing is */
	MESSAGE_TAKEN,	 /* the outputs were taken; a line said so */
	MESSAGE_REFUSED, /* they were not; a line said why */
	MESSAGE_ENOUGH,	 /* --count is reached, or an output is gone: end */
	MESSAGE_TYPES,
};

#define MESSAGE_MAX	  (128U << 10)
#define MESSAGE_PEERS_MAX 512
#define MESSAGE_WORDS_MAX (96U << 10)

struct message_figures {
	bool armed;
	uint64_t traced;
	uint64_t records;
	uint64_t crashes; /* of analysts so far */
	struct tlsfail_counters counters;
	struct probe_runs probes;
	struct metrics_process process;
};

struct message_outputs {
	bool verbose;
	bool ladder;
	bool color;
	bool utf8;
	bool ecs;
	bool noise;
	uint64_t queue_size;
	size_t count;
	const char *specs[OUTPUTS_MAX]; /* of a message that was read: in words */
	char words[MESSAGE_WORDS_MAX];
};

struct message_peers {
	bool recovered; /* only of those that have succeeded after they failed */
	bool clock;	/* and behind them a record of the clock */
	size_t count;
	struct tlsfail_peer_key keys[MESSAGE_PEERS_MAX];
};

#define MESSAGE_STANDS_MAX 512

struct message_stand {
	struct tlsfail_peer_key key;
	uint64_t latency_ns;
	struct tlsfail_peer_counts n;
};

struct message_stands {
	size_t count;
	struct message_stand items[MESSAGE_STANDS_MAX];
};

struct message_standing {
	uint64_t processes;
	struct tlsfail_counters counters;
};

struct message_record {
	size_t len;
	_Alignas(8) uint8_t data[RECORD_LEN_MAX];
};

struct message {
	enum message_type type;
	union {
		struct message_record record;
		struct message_figures figures;
		struct message_outputs outputs;
		struct message_peers peers;
		struct message_stands stands;
		struct message_standing standing;
	};
};

/* Writes into buf, of MESSAGE_MAX bytes: the length, 0 when it does not fit. */
size_t message_write(const struct message *m, uint8_t *buf);

/* Reads what came. False: it is none. */
bool message_read(const uint8_t *buf, size_t len, struct message *m);

/* Sends it over a socket. wait: till there is room, some seconds at most; else -EAGAIN. A negative errno
 * on failure. */
int message_send(int fd, const struct message *m, bool wait);

/* One that has nothing but its type. */
int message_send_type(int fd, enum message_type type);

/* Takes the next one that has come: 1; 0: there is none; -EPIPE: the other side is gone; -EBADMSG: it
 * has sent what is none. */
int message_receive(int fd, struct message *m);

#endif
