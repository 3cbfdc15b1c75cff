/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the ring ABI, checked: the one door through which raw bytes, from the ring or from a
 * recording, become typed facts. Whatever passes has true lengths, terminated strings and known
 * enumerators. Pure.
 */
#ifndef TLSFAIL_RECORD_DECODE_H
#define TLSFAIL_RECORD_DECODE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlsfail_abi.h"

/* Bytes inside the record that was decoded: valid as long as the record is. Not terminated. */
struct decoded_bytes {
	const char *data;
	uint32_t len;
};

struct decoded_wire {
	uint64_t id; /* of the connection */
	enum tlsfail_dir dir;
	bool cut; /* there were more bytes than these */
	const uint8_t *data;
	uint32_t len; /* at most TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK */
};

struct decoded_host {
	struct decoded_bytes name;
};

/* A length of 0: unknown. */
struct decoded_process {
	uint32_t pid;
	struct decoded_bytes exe;     /* path of the executable */
	struct decoded_bytes lib;     /* path of the TLS library */
	struct decoded_bytes version; /* of the TLS library */
	struct decoded_bytes where;   /* "4026531992 ID": network namespace, container */
};

struct decoded_log_line {
	uint64_t id;	     /* of the connection that follows; 0: none */
	uint64_t connection; /* nginx's number, 0 unknown */
	uint32_t pid;
	uint8_t level;
	struct decoded_bytes file;
	struct decoded_bytes text;
};

struct decoded_nginx {
	uint32_t pid;
	uint32_t slot;
	uint16_t family;
	uint16_t rport;
	uint8_t raddr[16];
	const uint8_t *data; /* for nginx_places_read(), which may refuse it */
	uint32_t len;
};

/* Records of fixed size are copied, so that data need not be aligned; the others are views. */
struct decoded {
	enum tlsfail_record_type type;
	union {
		struct tlsfail_conn conn;
		struct decoded_wire wire;
		struct tlsfail_exec exec;
		struct tlsfail_certs certs;
		struct tlsfail_clock clock;
		struct decoded_host host;
		struct decoded_process process;
		struct decoded_log_line log_line;
		struct decoded_nginx nginx;
		struct tlsfail_loss loss;
		struct tlsfail_peer peer;
		struct tlsfail_totals totals;
	};
};

/*
 * Decodes the one record that data[0 .. len) is; any alignment. Returns 0 and fills *out, or
 *   -EBADMSG          the record contradicts the ABI
 *   -EPROTONOSUPPORT  it was made with another version of the ABI
 *   -ENOMSG           its type is unknown
 * and then *problem says what was wrong, in constant words that complete "the record ...";
 * *out is undefined.
 */
int decode_record(const void *data, size_t len, struct decoded *out, const char **problem);

#endif
