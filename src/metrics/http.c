// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmicrohttpd in one thread of its own. What comes from the network is bounded: connections,
 * bytes of a request, seconds without a word.
 */
#include "metrics/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/mhdlib.h"

#define CONNECTIONS_MAX 256
#define IDLE_MAX_S	5
#define REQUEST_MAX	8192 /* bytes that a connection takes for its request */

struct metrics_http {
	const struct mhdlib *mhd;
	metrics_page *page;
	void *context;
	struct MHD_Daemon *daemon;
	int fd;
};

const char *metrics_http_lacks(void)
{
	return mhdlib_load() ? NULL
			     : "this host has no " MHDLIB_NAME
			       " (Debian's package libmicrohttpd12)";
}

/* Takes the response. */
static enum MHD_Result respond(const struct mhdlib *mhd, struct MHD_Connection *connection,
			       unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	result = mhd->queue_response(connection, status, response);
	mhd->destroy_response(response);
	return result;
}

static struct MHD_Response *words_response(const struct mhdlib *mhd, const char *words)
{
	struct MHD_Response *r = mhd->create_response_from_buffer(strlen(words), (void *)words,
								  MHD_RESPMEM_PERSISTENT);

	if (r)
		mhd->add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	return r;
}

static enum MHD_Result refuse_method(const struct mhdlib *mhd, struct MHD_Connection *connection)
{
	struct MHD_Response *r = words_response(mhd, "GET and HEAD only\n");

	if (r)
		mhd->add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return respond(mhd, connection, MHD_HTTP_METHOD_NOT_ALLOWED, r);
}

static enum MHD_Result show(const struct metrics_http *http, struct MHD_Connection *connection)
{
	const struct mhdlib *mhd = http->mhd;
	enum exposition_format format = exposition_negotiate(
		mhd->lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct MHD_Response *r;
	char *page;
	size_t len;

	if (http->page(http->context, format, &page, &len))
		return respond(mhd, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			       words_response(mhd, "no metrics yet\n"));
	r = mhd->create_response_from_buffer(len, page, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(page);
		return MHD_NO;
	}
	mhd->add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, exposition_content_type(format));
	mhd->add_response_header(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	return respond(mhd, connection, MHD_HTTP_OK, r);
}

/* Called once when the header has come, and once when the whole request has: only what is answered
 * then leaves the connection open for the next one. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **state)
{
	const struct metrics_http *http = context;
	const struct mhdlib *mhd = http->mhd;

	(void)version;
	(void)body;
	(void)body_len;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse_method(mhd, connection);
	if (!*state) {
		*state = context;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return respond(mhd, connection, MHD_HTTP_NOT_FOUND,
			       words_response(mhd, "the metrics are at /metrics\n"));
	return show(http, connection);
}

int metrics_http_open(int listening, metrics_page *page, void *context, struct metrics_http **out)
{
	struct metrics_http *http = calloc(1, sizeof(*http));
	int err;

	if (!http)
		return -ENOMEM;
	http->mhd = mhdlib_load();
	if (!http->mhd) {
		free(http);
		return -EOPNOTSUPP;
	}
	http->page = page;
	http->context = context;
	http->fd = listening;
	http->daemon = http->mhd->start_daemon(
		MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL,
		on_request, http, MHD_OPTION_LISTEN_SOCKET, http->fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)IDLE_MAX_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!http->daemon) {
		err = errno ? -errno : -EIO;
		free(http);
		return err;
	}
	*out = http;
	return 0;
}

void metrics_http_close(struct metrics_http *http)
{
	if (!http)
		return;
	/* Else the daemon closes the socket, which is another's. */
	http->mhd->quiesce_daemon(http->daemon);
	http->mhd->stop_daemon(http->daemon);
	free(http);
}
