/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that a record has to pass. Records of fixed size are copied out, then checked;
 * records that end in bytes of any number become views of them.
 */
#include "record/decode.h"

#include <errno.h>
#include <string.h>

#define FAMILY_IPV4 2
#define FAMILY_IPV6 10

static int reject(const char **problem, const char *what)
{
	*problem = what;
	return -EBADMSG;
}

static bool is_terminated(const char *string, size_t size)
{
	return memchr(string, '\0', size) != NULL;
}

static int copy_fixed(void *to, size_t size, const uint8_t *data, size_t len, const char **problem)
{
	if (len != size)
		return reject(problem, "has the wrong size for its type");
	memcpy(to, data, size);
	return 0;
}

/* A connection of an ABI before this one has less at its end: what it lacks is 0, unknown. */
static int copy_conn(struct tlsfail_conn *conn, unsigned int version, const uint8_t *data,
		     size_t len, const char **problem)
{
	memset(conn, 0, sizeof(*conn));
	return copy_fixed(conn, version == 1 ? TLSFAIL_ABI1_CONN_LEN : sizeof(*conn), data, len,
			  problem);
}

static int check_conn(const struct tlsfail_conn *conn, const char **problem)
{
	if (!is_terminated(conn->comm, sizeof(conn->comm)))
		return reject(problem, "has an unterminated command name");
	if (!is_terminated(conn->error_func, sizeof(conn->error_func)))
		return reject(problem, "has an unterminated function name");
	if (!is_terminated(conn->host, sizeof(conn->host)))
		return reject(problem, "has an unterminated host name");
	if (conn->role > TLSFAIL_ROLE_SERVER)
		return reject(problem, "has an unknown role");
	for (size_t i = 0; i < TLSFAIL_FLIGHTS_MAX; i++)
		if (conn->flights[i].dir > TLSFAIL_DIR_RECEIVED)
			return reject(problem, "has a flight in an unknown direction");
	if (conn->last_dir > TLSFAIL_DIR_RECEIVED)
		return reject(problem, "has an unknown direction");
	if (conn->family != FAMILY_IPV4 && conn->family != FAMILY_IPV6)
		return reject(problem, "has an unknown address family");
	if (conn->first_rx_kept > sizeof(conn->first_rx))
		return reject(problem, "claims more first bytes than it can hold");
	if (conn->flags & ~(uint32_t)TLSFAIL_F_ALL)
		return reject(problem, "has unknown flags");
	if (conn->netns > UINT32_MAX)
		return reject(problem, "holds an address of the traced process");
	return 0;
}

static int check_exec(const struct tlsfail_exec *exec, const char **problem)
{
	if (!is_terminated(exec->comm, sizeof(exec->comm)))
		return reject(problem, "has an unterminated command name");
	return 0;
}

static int view_wire(struct decoded_wire *wire, const uint8_t *data, size_t len,
		     const char **problem)
{
	struct tlsfail_wire fixed;

	if (len < TLSFAIL_WIRE_FIXED)
		return reject(problem, "has the wrong size for its type");
	memcpy(&fixed, data, TLSFAIL_WIRE_FIXED);
	if (fixed.data_len > sizeof(fixed.data))
		return reject(problem, "claims more wire bytes than are ever kept");
	if (len != TLSFAIL_WIRE_FIXED + fixed.data_len)
		return reject(problem, "has a different number of wire bytes than it claims");
	if (fixed.dir >= TLSFAIL_DIR_COUNT)
		return reject(problem, "has an unknown direction");
	if (fixed.cut > 1)
		return reject(problem, "has a truth value that is neither 0 nor 1");
	wire->id = fixed.id;
	wire->dir = fixed.dir;
	wire->cut = fixed.cut;
	wire->data = data + TLSFAIL_WIRE_FIXED;
	wire->len = fixed.data_len;
	return 0;
}

static int view_host(struct decoded_host *host, const uint8_t *data, size_t len,
		     const char **problem)
{
	struct tlsfail_host fixed;

	if (len < sizeof(fixed))
		return reject(problem, "has the wrong size for its type");
	memcpy(&fixed, data, sizeof(fixed));
	if (fixed.name_len > TLSFAIL_STRING_MAX)
		return reject(problem, "has a string that is too long");
	if (len != sizeof(fixed) + fixed.name_len)
		return reject(problem, "has a string of a different length than it claims");
	host->name.data = (const char *)data + sizeof(fixed);
	host->name.len = fixed.name_len;
	return 0;
}

static int view_process(struct decoded_process *process, const uint8_t *data, size_t len,
			const char **problem)
{
	struct tlsfail_process fixed;
	const char *nul;

	if (len < sizeof(fixed))
		return reject(problem, "has the wrong size for its type");
	memcpy(&fixed, data, sizeof(fixed));
	if (fixed.exe_len > TLSFAIL_STRING_MAX || fixed.lib_len > TLSFAIL_STRING_MAX ||
	    fixed.version_len > TLSFAIL_STRING_MAX)
		return reject(problem, "has a string that is too long");
	if (len != sizeof(fixed) + fixed.exe_len + fixed.lib_len + fixed.version_len)
		return reject(problem, "has strings of different lengths than it claims");
	*process = (struct decoded_process){ .pid = fixed.pid };
	process->exe.data = (const char *)data + sizeof(fixed);
	process->exe.len = fixed.exe_len;
	process->lib.data = process->exe.data + fixed.exe_len;
	process->lib.len = fixed.lib_len;
	process->version.data = process->lib.data + fixed.lib_len;
	process->version.len = fixed.version_len;
	nul = memchr(process->version.data, '\0', fixed.version_len);
	if (nul) {
		process->version.len = (uint32_t)(nul - process->version.data);
		process->where.data = nul + 1;
		process->where.len = fixed.version_len - process->version.len - 1;
	}
	return 0;
}

static int view_log_line(struct decoded_log_line *line, const uint8_t *data, size_t len,
			 const char **problem)
{
	struct tlsfail_log_line fixed;

	if (len < sizeof(fixed))
		return reject(problem, "has the wrong size for its type");
	memcpy(&fixed, data, sizeof(fixed));
	if (fixed.file_len > TLSFAIL_STRING_MAX || fixed.text_len > TLSFAIL_STRING_MAX)
		return reject(problem, "has a string that is too long");
	if (len != sizeof(fixed) + fixed.file_len + fixed.text_len)
		return reject(problem, "has strings of different lengths than it claims");
	if (fixed.level >= TLSFAIL_LOG_LEVELS)
		return reject(problem, "has an unknown level");
	*line = (struct decoded_log_line){
		.id = fixed.id,
		.connection = fixed.connection,
		.pid = fixed.pid,
		.level = fixed.level,
		.file = { (const char *)data + sizeof(fixed), fixed.file_len },
		.text = { (const char *)data + sizeof(fixed) + fixed.file_len, fixed.text_len },
	};
	return 0;
}

static int view_nginx(struct decoded_nginx *nginx, const uint8_t *data, size_t len,
		      const char **problem)
{
	struct tlsfail_nginx fixed;

	if (len < sizeof(fixed))
		return reject(problem, "has the wrong size for its type");
	memcpy(&fixed, data, sizeof(fixed));
	if (fixed.data_len > TLSFAIL_NGINX_DATA)
		return reject(problem, "claims more of a configuration than is ever kept");
	if (len != sizeof(fixed) + fixed.data_len)
		return reject(problem, "has a configuration of a different length than it claims");
	if (fixed.slot >= TLSFAIL_NGINX_SLOTS)
		return reject(problem, "has a slot number that does not exist");
	if (fixed.family != FAMILY_IPV4 && fixed.family != FAMILY_IPV6)
		return reject(problem, "has an unknown address family");
	nginx->data = data + sizeof(fixed);
	nginx->len = fixed.data_len;
	nginx->pid = fixed.pid;
	nginx->slot = fixed.slot;
	nginx->family = fixed.family;
	nginx->rport = fixed.rport;
	memcpy(nginx->raddr, fixed.raddr, sizeof(nginx->raddr));
	return 0;
}

static int check_certs(const struct tlsfail_certs *certs, const char **problem)
{
	if (certs->family != FAMILY_IPV4 && certs->family != FAMILY_IPV6)
		return reject(problem, "has an unknown address family");
	return 0;
}

static int check_peer(const struct tlsfail_peer *peer, const char **problem)
{
	if (peer->key.family != FAMILY_IPV4 && peer->key.family != FAMILY_IPV6)
		return reject(problem, "has an unknown address family");
	return 0;
}

static int decode_body(unsigned int version, const uint8_t *data, size_t len, struct decoded *out,
		       const char **problem)
{
	int err;

	switch (out->type) {
	case TLSFAIL_REC_CONN:
		err = copy_conn(&out->conn, version, data, len, problem);
		return err ? err : check_conn(&out->conn, problem);
	case TLSFAIL_REC_WIRE:
		return view_wire(&out->wire, data, len, problem);
	case TLSFAIL_REC_EXEC:
		err = copy_fixed(&out->exec, sizeof(out->exec), data, len, problem);
		return err ? err : check_exec(&out->exec, problem);
	case TLSFAIL_REC_CERTS:
		err = copy_fixed(&out->certs, sizeof(out->certs), data, len, problem);
		return err ? err : check_certs(&out->certs, problem);
	case TLSFAIL_REC_CLOCK:
		return copy_fixed(&out->clock, sizeof(out->clock), data, len, problem);
	case TLSFAIL_REC_HOST:
		return view_host(&out->host, data, len, problem);
	case TLSFAIL_REC_PROCESS:
		return view_process(&out->process, data, len, problem);
	case TLSFAIL_REC_NGINX:
		return view_nginx(&out->nginx, data, len, problem);
	case TLSFAIL_REC_LOG_LINE:
		return view_log_line(&out->log_line, data, len, problem);
	case TLSFAIL_REC_LOSS:
		return copy_fixed(&out->loss, sizeof(out->loss), data, len, problem);
	case TLSFAIL_REC_PEER:
		err = copy_fixed(&out->peer, sizeof(out->peer), data, len, problem);
		return err ? err : check_peer(&out->peer, problem);
	case TLSFAIL_REC_TOTALS:
		return copy_fixed(&out->totals, sizeof(out->totals), data, len, problem);
	}
	*problem = "is of an unknown type";
	return -ENOMSG;
}

int decode_record(const void *data, size_t len, struct decoded *out, const char **problem)
{
	struct tlsfail_header header;

	if (len < sizeof(header))
		return reject(problem, "is shorter than its header");
	memcpy(&header, data, sizeof(header));
	if (header.version < TLSFAIL_ABI_OLDEST || header.version > TLSFAIL_ABI_VERSION) {
		*problem = "was made with another version of the ABI";
		return -EPROTONOSUPPORT;
	}
	if (header.len != len)
		return reject(problem, "has a different length than it claims");
	out->type = header.type;
	return decode_body(header.version, data, len, out, problem);
}
