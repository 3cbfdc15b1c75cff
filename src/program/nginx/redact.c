// SPDX-License-Identifier: BSD-2-Clause
/*
 * By a list of what is let through, not of what looks like a secret: nobody knows all names of
 * those.
 */
#include "program/nginx/redact.h"

#include <stdint.h>
#include <string.h>

/* Directives whose arguments may be shown; those that end with '_' are beginnings. */
static const char *const shown[] = {
	"proxy_ssl_",
	"grpc_ssl_",
	"uwsgi_ssl_",
	"ssl_",
	"proxy_ssl", /* of stream */
	"proxy_pass",
	"grpc_pass",
	"uwsgi_pass",
	"proxy_connect_timeout",
	"grpc_connect_timeout",
	"uwsgi_connect_timeout",
	"proxy_http_version",
	"http",
	"stream",
	"mail",
	"server",
	"server_name",
	"listen",
	"location",
	"upstream",
	"limit_except",
};

/* Behind one of these stands what a hardware token or a store wants to know, up to PINs and passwords;
 * behind the first two, in a URL, its arguments and whose it is. (In proxy_ssl_ciphers '@' stands before
 * SECLEVEL.) */
static const char *const secretive[] = {
	"?", "@", "engine:", "store:", "data:", "pkcs11:", "pin-"
};
#define SECRETIVE_IN_URLS 2

/* Does the directive take a URL, or an address of one? */
static bool takes_url(const char *name, size_t len)
{
	static const char pass[] = "_pass", server[] = "server";
	size_t pass_len = sizeof(pass) - 1;

	return (len > pass_len && !memcmp(name + len - pass_len, pass, pass_len)) ||
	       (len == sizeof(server) - 1 && !memcmp(name, server, len));
}

static bool name_may_show(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		size_t shown_len = strlen(shown[i]);
		bool begins = shown[i][shown_len - 1] == '_';

		if (len >= shown_len && (begins || len == shown_len) &&
		    !memcmp(name, shown[i], shown_len))
			return true;
	}
	return false;
}

/* The beginning of the name and password that stand before an '@'. */
static size_t userinfo_start(const char *arguments, size_t at)
{
	while (at > 0 && arguments[at - 1] != '/' && arguments[at - 1] != ' ')
		at--;
	return at;
}

/* In words, the arguments of a directive, or all of it. */
static size_t secret_at(const char *arguments, size_t len, bool url)
{
	for (size_t at = 0; at < len; at++)
		for (size_t i = url ? 0 : SECRETIVE_IN_URLS;
		     i < sizeof(secretive) / sizeof(secretive[0]); i++) {
			size_t word = strlen(secretive[i]);

			if (len - at >= word && !memcmp(arguments + at, secretive[i], word))
				return arguments[at] == '@' ? userinfo_start(arguments, at) : at;
		}
	return len;
}

size_t nginxredact_shown(const char *name, const char *arguments, size_t len)
{
	return secret_at(arguments, len, takes_url(name, strlen(name)));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Patterns, in which those characters mean something else. */
static bool is_pattern(const char *name, size_t len)
{
	return (len == strlen("location") && !memcmp(name, "location", len)) ||
	       (len == strlen("server_name") && !memcmp(name, "server_name", len));
}

/* A directive without its end: its name is known, and its arguments hold no secret, no comment, and
 * nothing in which a ';' would not end it. */
static bool directive_may_show(const char *text, size_t len)
{
	size_t name = 0;

	while (name < len && !is_space(text[name]))
		name++;
	if (!name_may_show(text, name) ||
	    (!is_pattern(text, name) && secret_at(text, len, takes_url(text, name)) < len))
		return false;
	for (size_t i = name; i < len; i++)
		if (!text[i] || strchr("\"'#", text[i]) ||
		    (text[i] == '\\' && (i + 1 == len || is_space(text[i + 1]))))
			return false;
	return true;
}

bool nginxredact_may_show(const char *lines, size_t len)
{
	size_t start = 0, at = 0;

	while (at < len) {
		char c = lines[at];

		/* "${name}" is part of a word */
		if (c == '$' && at + 1 < len && lines[at + 1] == '{') {
			while (at < len && lines[at] != '}')
				at++;
			at++;
			continue;
		}
		if (at == start && is_space(c)) {
			start++;
		} else if (c == ';' || c == '{' || c == '}') {
			/* a '}' stands alone; the others end a directive */
			if (c == '}' ? at > start : !directive_may_show(lines + start, at - start))
				return false;
			start = at + 1;
		}
		at++;
	}
	return start >= len;
}
