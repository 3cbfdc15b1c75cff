// SPDX-License-Identifier: BSD-2-Clause
/*
 * One row a directive.
 */
#include "probe/location.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "program/nginx/url.h"

struct reading {
	struct client *client;
	const struct location_files *files;
	struct text *skipped;
};

static void string_set(char *buf, size_t size, const char *value)
{
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, value);
}

static void set_server_name(struct reading *r, const char *value)
{
	r->client->server_name = !strcasecmp(value, "on");
}

static void set_name(struct reading *r, const char *value)
{
	/* ngx_http_upstream_ssl_name() leaves out a port. */
	string_set(r->client->name, sizeof(r->client->name), value);
	if (*value != '[')
		r->client->name[strcspn(r->client->name, ":")] = '\0';
}

static void set_verify(struct reading *r, const char *value)
{
	r->client->verify = !strcasecmp(value, "on");
}

static void set_depth(struct reading *r, const char *value)
{
	r->client->depth = (int)strtol(value, NULL, 10);
}

static void file_set(struct reading *r, struct client_file *file, const char *value)
{
	if (*value)
		client_file_read(file, value, r->files->open(r->files->context, value));
}

static void neighbour_take(void *context, int fd)
{
	client_file_append(context, fd);
}

static void set_ca(struct reading *r, const char *value)
{
	file_set(r, &r->client->ca, value);
	r->files->neighbours(r->files->context, value, neighbour_take, &r->client->neighbours);
}

static void set_crl(struct reading *r, const char *value)
{
	file_set(r, &r->client->crl, value);
}

static void set_certificate(struct reading *r, const char *value)
{
	file_set(r, &r->client->certificate, value);
}

static void set_key(struct reading *r, const char *value)
{
	file_set(r, &r->client->key, value);
}

static void set_protocols(struct reading *r, const char *value)
{
	static const struct {
		const char *name;
		unsigned int version;
	} names[] = {
		{ "TLSv1", CLIENT_TLS_1_0 },
		{ "TLSv1.1", CLIENT_TLS_1_1 },
		{ "TLSv1.2", CLIENT_TLS_1_2 },
		{ "TLSv1.3", CLIENT_TLS_1_3 },
	};

	r->client->versions = 0;
	while (*value) {
		size_t len = strcspn(value, " ");

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i].name) == len && !strncasecmp(names[i].name, value, len))
				r->client->versions |= names[i].version;
		value += len + strspn(value + len, " ");
	}
}

static void set_ciphers(struct reading *r, const char *value)
{
	string_set(r->client->ciphers, sizeof(r->client->ciphers), value);
}

static void set_conf_command(struct reading *r, const char *value)
{
	struct client *client = r->client;
	size_t len = strcspn(value, " ");

	if (client->command_count == CLIENT_COMMANDS_MAX || len >= sizeof(client->commands[0].name))
		return;
	memcpy(client->commands[client->command_count].name, value, len);
	client->commands[client->command_count].name[len] = '\0';
	string_set(client->commands[client->command_count].value, sizeof(client->commands[0].value),
		   value + len + strspn(value + len, " "));
	client->command_count++;
}

/* Of stream: names with a blank between. */
static void set_alpn(struct reading *r, const char *value)
{
	string_set(r->client->alpn, sizeof(r->client->alpn), value);
	for (char *c = r->client->alpn; *c; c++)
		if (*c == ' ')
			*c = ',';
}

/* ngx_http_proxy_v2_handler() offers h2; the other versions offer nothing. */
static void set_http_version(struct reading *r, const char *value)
{
	if (!strcmp(value, "2"))
		set_alpn(r, "h2");
}

static void set_proxy_protocol(struct reading *r, const char *value)
{
	r->client->proxy_header = !strcasecmp(value, "on");
}

static const struct {
	enum nginx_setting setting;
	void (*set)(struct reading *r, const char *value);
} rows[] = {
	{ NGINX_SSL_SERVER_NAME, set_server_name },
	{ NGINX_SSL_NAME, set_name },
	{ NGINX_SSL_VERIFY, set_verify },
	{ NGINX_SSL_VERIFY_DEPTH, set_depth },
	{ NGINX_SSL_TRUSTED_CERTIFICATE, set_ca },
	{ NGINX_SSL_CRL, set_crl },
	{ NGINX_SSL_CERTIFICATE, set_certificate },
	{ NGINX_SSL_CERTIFICATE_KEY, set_key },
	{ NGINX_SSL_PROTOCOLS, set_protocols },
	{ NGINX_SSL_CIPHERS, set_ciphers },
	{ NGINX_SSL_CONF_COMMAND, set_conf_command },
	{ NGINX_SSL_ALPN, set_alpn },
	{ NGINX_HTTP_VERSION, set_http_version },
	{ NGINX_PROXY_PROTOCOL, set_proxy_protocol },
};

/* The host of what is passed to: for a group, its name. */
static void name_default(struct client *client, const struct nginx_place *place)
{
	char target[CLIENT_NAME_LEN * 2];
	struct nginxtarget parsed;
	const char *host;
	struct text t;

	text_init(&t, target, sizeof(target));
	text_addf(&t, "%.*s", (int)place->target.len, place->target.data);
	host = strstr(target, "://");
	nginxtarget_parse(host ? host + 3 : target, &parsed);
	text_init(&t, client->name, sizeof(client->name));
	if (!parsed.symbolic)
		text_addf(&t, "%.*s", (int)parsed.host_len, parsed.host);
}

void location_client(const struct nginx_place *place, const struct location_files *files,
		     unsigned int versions, struct client *client, struct text *skipped)
{
	struct reading r = { client, files, skipped };

	client_init(client);
	client->versions = versions;
	name_default(client, place);
	if (place->module == NGINX_MODULE_GRPC)
		string_set(client->alpn, sizeof(client->alpn), "h2");
	for (uint32_t i = 0; i < place->value_count; i++) {
		const struct nginx_value *v = &place->values[i];
		char value[CLIENT_CIPHERS_LEN];
		struct text t;

		text_init(&t, value, sizeof(value));
		text_addf(&t, "%.*s", (int)v->value.len, v->value.data);
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			if (rows[k].setting != v->setting)
				continue;
			if (strchr(value, '$'))
				text_addf(skipped, "%s%s%s depends on a variable",
					  skipped->len ? ", " : "",
					  nginx_module_prefix(place->module),
					  nginx_setting_name(v->setting));
			else
				rows[k].set(&r, value);
		}
	}
}

/* ngx_http_proxy_merge_loc_conf(): TLS 1.3 from 1.23.4 on; without TLS 1.0 and 1.1 from 1.27.3 on. */
unsigned int location_versions(unsigned int version)
{
	if (!version || version >= 1027003)
		return CLIENT_TLS_1_2 | CLIENT_TLS_1_3;
	return version >= 1023004 ? CLIENT_TLS_ALL
				  : CLIENT_TLS_1_0 | CLIENT_TLS_1_1 | CLIENT_TLS_1_2;
}
