// SPDX-License-Identifier: BSD-2-Clause
/*
 * nginx's defaults: ngx_http_proxy_merge_loc_conf(), from 1.27.3 on.
 */
#include "probe/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A bundle with every CA there is takes a quarter of it. */
#define FILE_BYTES_MAX (1U << 20)

void client_init(struct client *client)
{
	*client = (struct client){
		.depth = 1,
		.versions = CLIENT_TLS_1_2 | CLIENT_TLS_1_3,
		.ciphers = "DEFAULT",
	};
}

bool client_sends_name(const struct client *client)
{
	uint8_t addr[16];

	return client->server_name && *client->name && !strchr(client->name, ':') &&
	       inet_pton(AF_INET, client->name, addr) != 1;
}

void client_file_read(struct client_file *file, const char *path, int fd)
{
	size_t len = 0;
	ssize_t n = 1;
	struct text t;

	text_init(&t, file->path, sizeof(file->path));
	text_add(&t, path);
	file->error = fd < 0 ? -fd : 0;
	file->pem = fd < 0 ? NULL : malloc(FILE_BYTES_MAX + 1);
	while (file->pem && n > 0 && len < FILE_BYTES_MAX) {
		n = read(fd, file->pem + len, FILE_BYTES_MAX - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (!file->error && (!file->pem || n))
		file->error = n < 0 ? errno : n ? EFBIG : ENOMEM;
	if (file->pem)
		file->pem[len] = '\0';
	if (fd >= 0)
		close(fd);
}

void client_file_append(struct client_file *file, int fd)
{
	struct client_file more = { 0 };
	size_t len = file->pem ? strlen(file->pem) : 0;
	char *grown;

	client_file_read(&more, "", fd);
	if (!more.error && strstr(more.pem, "-----BEGIN CERTIFICATE-----") &&
	    !strstr(more.pem, "PRIVATE KEY-----") && len + strlen(more.pem) < FILE_BYTES_MAX) {
		grown = realloc(file->pem, len + strlen(more.pem) + 1);
		if (grown) {
			memcpy(grown + len, more.pem, strlen(more.pem) + 1);
			file->pem = grown;
		}
	}
	/* What holds a private key is left alone. */
	if (more.pem)
		explicit_bzero(more.pem, strlen(more.pem));
	free(more.pem);
}

void client_free(struct client *client)
{
	struct client_file *files[] = { &client->ca, &client->crl, &client->certificate,
					&client->key, &client->neighbours };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		/* One of them is a private key. */
		if (files[i]->pem)
			explicit_bzero(files[i]->pem, strlen(files[i]->pem));
		free(files[i]->pem);
		files[i]->pem = NULL;
	}
}
