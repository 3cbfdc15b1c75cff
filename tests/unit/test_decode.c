/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of records: each type as it should be, each lie that a field can tell, every cut and
 * every flipped byte.
 */
#define _GNU_SOURCE /* mempcpy() */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/decode.h"
#include "program/nginx/place.h"

#define RECORD_MAX (sizeof(struct tlsfail_process) + 3 * TLSFAIL_STRING_MAX)

/* Decodes a copy that ends where its allocation ends, at an odd address, so that a read past the
 * end or one that needs alignment is caught by the sanitizers. Stays allocated in *copy. */
static int decode_copy(const void *record, size_t len, struct decoded *out, const char **problem,
		       uint8_t **copy)
{
	*copy = malloc(len + 1);
	assert_non_null(*copy);
	memcpy(*copy + 1, record, len);
	*problem = NULL;
	return decode_record(*copy + 1, len, out, problem);
}

static int decode_and_free(const void *record, size_t len, struct decoded *out)
{
	const char *problem;
	uint8_t *copy;
	int err = decode_copy(record, len, out, &problem, &copy);

	if (err)
		assert_non_null(problem);
	else
		assert_null(problem);
	free(copy);
	return err;
}

static void assert_rejected(const void *record, size_t len, int want, const char *problem_want)
{
	struct decoded out;
	const char *problem;
	uint8_t *copy;
	int err = decode_copy(record, len, &out, &problem, &copy);

	free(copy);
	assert_int_equal(err, want);
	assert_non_null(strstr(problem, problem_want));
}

static struct tlsfail_header header_make(enum tlsfail_record_type type, size_t len)
{
	struct tlsfail_header h = { .type = type, .version = TLSFAIL_ABI_VERSION, .len = len };

	return h;
}

static struct tlsfail_conn conn_make(void)
{
	struct tlsfail_conn conn = {
		.h = header_make(TLSFAIL_REC_CONN, sizeof(conn)),
		.id = 7,
		.comm = "nginx",
		.family = 10,
		.role = TLSFAIL_ROLE_SERVER,
		.last_dir = TLSFAIL_DIR_RECEIVED,
		.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_HOST_CUT,
		.first_rx_kept = TLSFAIL_HEAD_LEN,
		.error_func = "tls_process_server_hello",
		.host = "example.net",
	};

	return conn;
}

static struct tlsfail_wire wire_make(uint32_t data_len)
{
	struct tlsfail_wire wire = {
		.h = header_make(TLSFAIL_REC_WIRE, TLSFAIL_WIRE_FIXED + data_len),
		.id = 7,
		.data_len = data_len,
		.dir = TLSFAIL_DIR_RECEIVED,
		.cut = 1,
	};

	memset(wire.data, 0x5a, sizeof(wire.data));
	return wire;
}

union process_record {
	struct tlsfail_process fixed;
	uint8_t bytes[RECORD_MAX];
};

static size_t process_make(union process_record *r, const char *exe, const char *lib,
			   const char *version)
{
	uint8_t *at = r->bytes + sizeof(r->fixed);

	memset(r, 0, sizeof(*r));
	r->fixed.pid = 42;
	r->fixed.exe_len = strlen(exe);
	r->fixed.lib_len = strlen(lib);
	r->fixed.version_len = strlen(version);
	at = mempcpy(at, exe, strlen(exe));
	at = mempcpy(at, lib, strlen(lib));
	at = mempcpy(at, version, strlen(version));
	r->fixed.h = header_make(TLSFAIL_REC_PROCESS, at - r->bytes);
	return r->fixed.h.len;
}

union nginx_record {
	struct tlsfail_nginx fixed;
	uint8_t bytes[sizeof(struct tlsfail_nginx) + TLSFAIL_NGINX_DATA + 1];
};

/* One place, of which nothing but the file is known. */
static size_t nginx_make(union nginx_record *r)
{
	struct nginx_places places = { .count = 1, .items[0].file = { "/n.conf", 7 } };
	size_t len = sizeof(r->fixed);

	memset(r, 0, sizeof(*r));
	assert_true(nginx_places_write(&places, r->bytes, sizeof(r->bytes), &len));
	r->fixed.pid = 42;
	r->fixed.slot = TLSFAIL_NGINX_SLOTS - 1;
	r->fixed.family = 2;
	r->fixed.rport = 8443;
	r->fixed.raddr[0] = 192;
	r->fixed.data_len = len - sizeof(r->fixed);
	r->fixed.h = header_make(TLSFAIL_REC_NGINX, len);
	return len;
}

union host_record {
	struct tlsfail_host fixed;
	uint8_t bytes[sizeof(struct tlsfail_host) + TLSFAIL_STRING_MAX + 1];
};

static size_t host_make(union host_record *r, uint32_t name_len)
{
	memset(r, 0, sizeof(*r));
	memset(r->bytes + sizeof(r->fixed), 'h', sizeof(r->bytes) - sizeof(r->fixed));
	r->fixed.name_len = name_len;
	r->fixed.h = header_make(TLSFAIL_REC_HOST, sizeof(r->fixed) + name_len);
	return sizeof(r->fixed) + name_len;
}

union log_line_record {
	struct tlsfail_log_line fixed;
	uint8_t bytes[RECORD_MAX];
};

static size_t log_line_make(union log_line_record *r, const char *file, const char *text)
{
	uint8_t *at = r->bytes + sizeof(r->fixed);

	memset(r, 0, sizeof(*r));
	r->fixed.id = 7;
	r->fixed.connection = 5;
	r->fixed.pid = 42;
	r->fixed.level = 4;
	r->fixed.file_len = strlen(file);
	r->fixed.text_len = strlen(text);
	at = mempcpy(at, file, strlen(file));
	at = mempcpy(at, text, strlen(text));
	r->fixed.h = header_make(TLSFAIL_REC_LOG_LINE, at - r->bytes);
	return r->fixed.h.len;
}

static void test_header(void **state)
{
	struct tlsfail_clock clock = { .h = header_make(TLSFAIL_REC_CLOCK, sizeof(clock)) };
	struct decoded out;

	(void)state;
	assert_rejected(&clock, 0, -EBADMSG, "shorter than its header");
	assert_rejected(&clock, sizeof(clock.h) - 1, -EBADMSG, "shorter than its header");
	assert_rejected(&clock, sizeof(clock.h), -EBADMSG, "a different length");
	assert_int_equal(decode_and_free(&clock, sizeof(clock), &out), 0);
	clock.h.len--;
	assert_rejected(&clock, sizeof(clock), -EBADMSG, "a different length");
	clock.h.len++;
	clock.h.version++;
	assert_rejected(&clock, sizeof(clock), -EPROTONOSUPPORT, "another version");
	clock.h.version--;
	clock.h.type = 0;
	assert_rejected(&clock, sizeof(clock), -ENOMSG, "unknown type");
	clock.h.type = UINT16_MAX;
	assert_rejected(&clock, sizeof(clock), -ENOMSG, "unknown type");
}

static void test_fixed(void **state)
{
	struct tlsfail_clock clock = { .h = header_make(TLSFAIL_REC_CLOCK, sizeof(clock)),
				       .monotonic = 3,
				       .realtime = 4 };
	struct tlsfail_loss loss = { .h = header_make(TLSFAIL_REC_LOSS, sizeof(loss)),
				     .lost.conns = 5 };
	struct tlsfail_totals totals = { .h = header_make(TLSFAIL_REC_TOTALS, sizeof(totals)),
					 .records = 6 };
	struct decoded out;

	(void)state;
	assert_int_equal(decode_and_free(&clock, sizeof(clock), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_CLOCK);
	assert_memory_equal(&out.clock, &clock, sizeof(clock));
	assert_int_equal(decode_and_free(&loss, sizeof(loss), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_LOSS);
	assert_memory_equal(&out.loss, &loss, sizeof(loss));
	assert_int_equal(decode_and_free(&totals, sizeof(totals), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_TOTALS);
	assert_memory_equal(&out.totals, &totals, sizeof(totals));
}

/* A record that says its true length, which is that of no record of its type. */
static void test_fixed_size(void **state)
{
	static const enum tlsfail_record_type types[] = {
		TLSFAIL_REC_CONN,   TLSFAIL_REC_EXEC,  TLSFAIL_REC_CLOCK, TLSFAIL_REC_LOSS,
		TLSFAIL_REC_TOTALS, TLSFAIL_REC_CERTS, TLSFAIL_REC_PEER,
	};
	static const size_t sizes[] = {
		sizeof(struct tlsfail_conn),   sizeof(struct tlsfail_exec),
		sizeof(struct tlsfail_clock),  sizeof(struct tlsfail_loss),
		sizeof(struct tlsfail_totals), sizeof(struct tlsfail_certs),
		sizeof(struct tlsfail_peer),
	};
	uint8_t record[RECORD_MAX] = {};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (size_t len = sizeof(struct tlsfail_header); len < 1000; len++) {
			struct tlsfail_header h = header_make(types[i], len);

			memcpy(record, &h, sizeof(h));
			if (len != sizes[i])
				assert_rejected(record, len, -EBADMSG, "wrong size");
		}
	}
}

/* What a connection of an earlier ABI lacks is unknown; it may not have more than that ABI had. */
static void test_conn_of_abi_1(void **state)
{
	struct tlsfail_conn conn = conn_make();
	struct decoded out;

	(void)state;
	memset(&conn.peer, 0xff, sizeof(conn.peer));
	conn.h.version = 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "wrong size");
	conn.h.len = TLSFAIL_ABI1_CONN_LEN;
	assert_int_equal(decode_and_free(&conn, TLSFAIL_ABI1_CONN_LEN, &out), 0);
	assert_memory_equal(&out.conn, &conn, TLSFAIL_ABI1_CONN_LEN);
	assert_int_equal(out.conn.peer.t_first, 0);
	assert_int_equal(out.conn.peer.retried, 0);
	conn.h.version = 0;
	assert_rejected(&conn, TLSFAIL_ABI1_CONN_LEN, -EPROTONOSUPPORT, "version");
}

static void test_exec(void **state)
{
	struct tlsfail_exec exec = { .h = header_make(TLSFAIL_REC_EXEC, sizeof(exec)),
				     .pid = 9,
				     .comm = "nginx" };
	struct decoded out;

	(void)state;
	assert_int_equal(decode_and_free(&exec, sizeof(exec), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_EXEC);
	assert_int_equal(out.exec.pid, 9);
	assert_string_equal(out.exec.comm, "nginx");
	memset(exec.comm, 'x', sizeof(exec.comm));
	assert_rejected(&exec, sizeof(exec), -EBADMSG, "command name");
}

static void test_certs(void **state)
{
	struct tlsfail_certs certs = { .h = header_make(TLSFAIL_REC_CERTS, sizeof(certs)),
				       .id = 7,
				       .cert_count = 2,
				       .family = 10 };
	struct decoded out;

	(void)state;
	assert_int_equal(decode_and_free(&certs, sizeof(certs), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_CERTS);
	assert_memory_equal(&out.certs, &certs, sizeof(certs));
	certs.family = 1;
	assert_rejected(&certs, sizeof(certs), -EBADMSG, "family");
}

static void test_peer(void **state)
{
	struct tlsfail_peer peer = { .h = header_make(TLSFAIL_REC_PEER, sizeof(peer)),
				     .t = 5,
				     .key = { .family = 2, .port = 443 },
				     .n = { .done = 3, .failed = 2, .retried = 1 } };
	struct decoded out;

	(void)state;
	assert_int_equal(decode_and_free(&peer, sizeof(peer), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_PEER);
	assert_memory_equal(&out.peer, &peer, sizeof(peer));
	peer.key.family = 0;
	assert_rejected(&peer, sizeof(peer), -EBADMSG, "family");
}

static void test_conn(void **state)
{
	struct tlsfail_conn conn = conn_make();
	struct decoded out;

	(void)state;
	assert_int_equal(decode_and_free(&conn, sizeof(conn), &out), 0);
	assert_int_equal(out.type, TLSFAIL_REC_CONN);
	assert_memory_equal(&out.conn, &conn, sizeof(conn));
	conn.family = 2;
	conn.role = TLSFAIL_ROLE_UNKNOWN;
	memset(conn.comm, 0, sizeof(conn.comm));
	assert_int_equal(decode_and_free(&conn, sizeof(conn), &out), 0);
}

static void test_conn_lies(void **state)
{
	struct tlsfail_conn conn = conn_make();

	(void)state;
	memset(conn.comm, 'x', sizeof(conn.comm));
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "command name");
	conn = conn_make();
	memset(conn.error_func, 'x', sizeof(conn.error_func));
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "function name");
	conn = conn_make();
	memset(conn.host, 'x', sizeof(conn.host));
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "host name");
	conn = conn_make();
	conn.role = TLSFAIL_ROLE_SERVER + 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "role");
	conn = conn_make();
	conn.last_dir = TLSFAIL_DIR_RECEIVED + 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "direction");
	conn = conn_make();
	conn.flights[TLSFAIL_FLIGHTS_MAX - 1].dir = TLSFAIL_DIR_RECEIVED + 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "flight");
	conn = conn_make();
	conn.family = 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "family");
	conn = conn_make();
	conn.first_rx_kept = TLSFAIL_HEAD_LEN + 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "first bytes");
	conn = conn_make();
	conn.flags |= TLSFAIL_F_ALL + 1;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "flags");
	conn = conn_make();
	conn.flags |= 1U << 31;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "flags");
	conn = conn_make();
	conn.ssl = 0x7fff00001000;
	assert_rejected(&conn, sizeof(conn), -EBADMSG, "address of the traced process");
}

static void assert_wire(uint32_t data_len)
{
	struct tlsfail_wire wire = wire_make(data_len);
	struct decoded out;
	const char *problem;
	uint8_t *copy;

	assert_int_equal(decode_copy(&wire, wire.h.len, &out, &problem, &copy), 0);
	assert_int_equal(out.type, TLSFAIL_REC_WIRE);
	assert_int_equal(out.wire.id, 7);
	assert_int_equal(out.wire.dir, TLSFAIL_DIR_RECEIVED);
	assert_true(out.wire.cut);
	assert_int_equal(out.wire.len, data_len);
	assert_ptr_equal(out.wire.data, copy + 1 + TLSFAIL_WIRE_FIXED);
	free(copy);
}

static void test_wire(void **state)
{
	(void)state;
	assert_wire(0);
	assert_wire(1);
	assert_wire(TLSFAIL_WIRE_CAP);
	assert_wire(TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK);
}

static void test_wire_lies(void **state)
{
	uint8_t record[sizeof(struct tlsfail_wire) + 1] = {};
	struct tlsfail_wire wire = wire_make(100);

	(void)state;
	wire.data_len = 99;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "number of wire bytes");
	wire.data_len = 101;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "number of wire bytes");
	wire.data_len = UINT32_MAX;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "more wire bytes");
	wire = wire_make(100);
	wire.dir = TLSFAIL_DIR_COUNT;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "direction");
	wire = wire_make(100);
	wire.cut = 2;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "truth value");
	wire = wire_make(0);
	wire.h.len--;
	assert_rejected(&wire, wire.h.len, -EBADMSG, "wrong size");
	wire = wire_make(sizeof(wire.data) + 1);
	memcpy(record, &wire, sizeof(wire));
	assert_rejected(record, wire.h.len, -EBADMSG, "more wire bytes");
}

static void test_host(void **state)
{
	union host_record r;
	struct decoded out;
	const char *problem;
	uint8_t *copy;
	size_t len;

	(void)state;
	len = host_make(&r, 300);
	assert_int_equal(decode_copy(&r, len, &out, &problem, &copy), 0);
	assert_int_equal(out.type, TLSFAIL_REC_HOST);
	assert_int_equal(out.host.name.len, 300);
	assert_memory_equal(out.host.name.data, r.bytes + sizeof(r.fixed), 300);
	free(copy);
	len = host_make(&r, 0);
	assert_int_equal(decode_and_free(&r, len, &out), 0);
	assert_int_equal(out.host.name.len, 0);
	len = host_make(&r, TLSFAIL_STRING_MAX);
	assert_int_equal(decode_and_free(&r, len, &out), 0);

	len = host_make(&r, TLSFAIL_STRING_MAX + 1);
	assert_rejected(&r, len, -EBADMSG, "string that is too long");
	len = host_make(&r, 10);
	r.fixed.name_len = 11;
	assert_rejected(&r, len, -EBADMSG, "a different length");
	r.fixed.name_len = 9;
	assert_rejected(&r, len, -EBADMSG, "a different length");
	r.fixed.h.len = sizeof(r.fixed) - 1;
	assert_rejected(&r, r.fixed.h.len, -EBADMSG, "wrong size");
}

static void test_nginx(void **state)
{
	union nginx_record r;
	size_t len = nginx_make(&r);
	struct nginx_places places;
	struct decoded out;
	const char *problem;
	uint8_t *copy;

	(void)state;
	assert_int_equal(decode_copy(&r, len, &out, &problem, &copy), 0);
	assert_int_equal(out.type, TLSFAIL_REC_NGINX);
	assert_int_equal(out.nginx.pid, 42);
	assert_int_equal(out.nginx.slot, TLSFAIL_NGINX_SLOTS - 1);
	assert_int_equal(out.nginx.family, 2);
	assert_int_equal(out.nginx.rport, 8443);
	assert_int_equal(out.nginx.raddr[0], 192);
	assert_true(nginx_places_read(out.nginx.data, out.nginx.len, &places));
	assert_int_equal(places.count, 1);
	free(copy);
}

static void test_nginx_that_lies(void **state)
{
	union nginx_record r;
	struct decoded out;
	size_t len;

	(void)state;
	len = nginx_make(&r);
	r.fixed.slot = TLSFAIL_NGINX_SLOTS;
	assert_int_equal(decode_and_free(&r, len, &out), -EBADMSG);
	nginx_make(&r);
	r.fixed.family = 1;
	assert_int_equal(decode_and_free(&r, len, &out), -EBADMSG);
	nginx_make(&r);
	r.fixed.data_len++;
	assert_int_equal(decode_and_free(&r, len, &out), -EBADMSG);
	nginx_make(&r);
	r.fixed.data_len = TLSFAIL_NGINX_DATA + 1;
	r.fixed.h.len = sizeof(r.bytes);
	assert_int_equal(decode_and_free(&r, sizeof(r.bytes), &out), -EBADMSG);
	nginx_make(&r);
	r.fixed.h.len = sizeof(r.fixed) - 1;
	assert_int_equal(decode_and_free(&r, sizeof(r.fixed) - 1, &out), -EBADMSG);
}

static void test_process(void **state)
{
	union process_record r;
	size_t len = process_make(&r, "/usr/sbin/nginx", "/lib/libssl.so.3", "OpenSSL 3.0.19");
	struct decoded_process *process;
	struct decoded out;
	const char *problem;
	uint8_t *copy;

	(void)state;
	assert_int_equal(decode_copy(&r, len, &out, &problem, &copy), 0);
	assert_int_equal(out.type, TLSFAIL_REC_PROCESS);
	process = &out.process;
	assert_int_equal(process->pid, 42);
	assert_int_equal(process->exe.len, 15);
	assert_memory_equal(process->exe.data, "/usr/sbin/nginx", 15);
	assert_int_equal(process->lib.len, 16);
	assert_memory_equal(process->lib.data, "/lib/libssl.so.3", 16);
	assert_int_equal(process->version.len, 14);
	assert_memory_equal(process->version.data, "OpenSSL 3.0.19", 14);
	free(copy);
	len = process_make(&r, "", "", "");
	assert_int_equal(decode_and_free(&r, len, &out), 0);
	assert_int_equal(out.process.lib.len, 0);
}

static void test_process_lies(void **state)
{
	union process_record r;
	size_t len = process_make(&r, "/usr/sbin/nginx", "/lib/libssl.so.3", "OpenSSL 3.0.19");
	uint32_t *const lengths[] = { &r.fixed.exe_len, &r.fixed.lib_len, &r.fixed.version_len };
	struct decoded out;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t good = *lengths[i];

		*lengths[i] = good + 1;
		assert_rejected(&r, len, -EBADMSG, "different lengths");
		*lengths[i] = good - 1;
		assert_rejected(&r, len, -EBADMSG, "different lengths");
		*lengths[i] = UINT32_MAX - good;
		assert_rejected(&r, len, -EBADMSG, "that is too long");
		*lengths[i] = good;
	}
	r.fixed.h.len = sizeof(r.fixed) - 1;
	assert_rejected(&r, r.fixed.h.len, -EBADMSG, "wrong size");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		*lengths[i] = TLSFAIL_STRING_MAX;
	r.fixed.h.len = sizeof(r);
	assert_int_equal(decode_and_free(&r, sizeof(r), &out), 0);
}

static void test_log_line(void **state)
{
	union log_line_record r;
	size_t len = log_line_make(&r, "/var/log/nginx/error.log", "connect() failed");
	struct decoded out;
	const char *problem;
	uint8_t *copy;

	(void)state;
	assert_int_equal(decode_copy(&r, len, &out, &problem, &copy), 0);
	assert_int_equal(out.type, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(out.log_line.id, 7);
	assert_int_equal(out.log_line.connection, 5);
	assert_int_equal(out.log_line.pid, 42);
	assert_int_equal(out.log_line.level, 4);
	assert_int_equal(out.log_line.file.len, 24);
	assert_memory_equal(out.log_line.file.data, "/var/log/nginx/error.log", 24);
	assert_int_equal(out.log_line.text.len, 16);
	assert_memory_equal(out.log_line.text.data, "connect() failed", 16);
	free(copy);
	len = log_line_make(&r, "", "");
	assert_int_equal(decode_and_free(&r, len, &out), 0);
}

static void test_log_line_lies(void **state)
{
	union log_line_record r;
	size_t len = log_line_make(&r, "/error.log", "connect() failed");
	uint32_t *const lengths[] = { &r.fixed.file_len, &r.fixed.text_len };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t good = *lengths[i];

		*lengths[i] = good + 1;
		assert_rejected(&r, len, -EBADMSG, "different lengths");
		*lengths[i] = good - 1;
		assert_rejected(&r, len, -EBADMSG, "different lengths");
		*lengths[i] = TLSFAIL_STRING_MAX + 1;
		assert_rejected(&r, len, -EBADMSG, "that is too long");
		*lengths[i] = good;
	}
	r.fixed.level = 9;
	assert_rejected(&r, len, -EBADMSG, "unknown level");
	r.fixed.h.len = sizeof(r.fixed) - 1;
	assert_rejected(&r, r.fixed.h.len, -EBADMSG, "wrong size");
}

/* Cut at every length, every bit of every byte flipped: no record may crash the decoder. */
static void damage(void *record, size_t len)
{
	struct decoded out;
	uint8_t *bytes = record;

	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(decode_and_free(record, cut, &out), -EBADMSG);
		for (int bit = 0; bit < 8; bit++) {
			bytes[cut] ^= 1 << bit;
			decode_and_free(record, len, &out);
			bytes[cut] ^= 1 << bit;
		}
	}
	assert_int_equal(decode_and_free(record, len, &out), 0);
}

static void test_damage(void **state)
{
	struct tlsfail_conn conn = conn_make();
	struct tlsfail_wire wire = wire_make(40);
	union process_record process;
	union log_line_record line;
	union host_record host;

	(void)state;
	damage(&conn, sizeof(conn));
	damage(&wire, wire.h.len);
	damage(&process, process_make(&process, "/usr/sbin/nginx", "/lib/libssl.so.3", "3.0"));
	damage(&host, host_make(&host, 20));
	damage(&line, log_line_make(&line, "/error.log", "connect() failed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),	   cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_fixed_size), cmocka_unit_test(test_conn_of_abi_1),
		cmocka_unit_test(test_exec),	   cmocka_unit_test(test_certs),
		cmocka_unit_test(test_peer),	   cmocka_unit_test(test_conn),
		cmocka_unit_test(test_conn_lies),  cmocka_unit_test(test_wire),
		cmocka_unit_test(test_wire_lies),  cmocka_unit_test(test_host),
		cmocka_unit_test(test_nginx),	   cmocka_unit_test(test_nginx_that_lies),
		cmocka_unit_test(test_process),	   cmocka_unit_test(test_process_lies),
		cmocka_unit_test(test_log_line),   cmocka_unit_test(test_log_line_lies),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
