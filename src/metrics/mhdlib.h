/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmicrohttpd, loaded when it is asked for: it brings GnuTLS and what that needs into the process,
 * which a run without --metrics shall neither wait for nor hold.
 */
#ifndef TLSFAIL_METRICS_MHDLIB_H
#define TLSFAIL_METRICS_MHDLIB_H

#include <microhttpd.h>

#define MHDLIB_NAME "libmicrohttpd.so.12"

#define MHDLIB_FUNCTIONS(x)                                                                        \
	x(start_daemon) x(quiesce_daemon) x(stop_daemon) x(lookup_connection_value)                \
		x(create_response_from_buffer) x(add_response_header) x(queue_response)            \
			x(destroy_response)

/* The functions of libmicrohttpd, without "MHD_" before their names. */
struct mhdlib {
#define MHDLIB_MEMBER(name) __typeof__(MHD_##name) *(name);
	MHDLIB_FUNCTIONS(MHDLIB_MEMBER)
#undef MHDLIB_MEMBER
};

/* NULL when this host has no libmicrohttpd that has them all. From one thread only. */
const struct mhdlib *mhdlib_load(void);

#endif
