// SPDX-License-Identifier: BSD-2-Clause
/*
 * A name is resolved to its first address, as far as this host knows it.
 */
#include "command/probe_targets.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <strings.h>
#include <unistd.h>

#include "command/options.h"
#include "probe/starttls.h"
#include "program/nginx/live/read.h"
#include "program/nginx/map.h"
#include "system/log.h"
#include "target/target.h"

#define PLACES_SIZE	(64U << 10)
#define SERVERS_MAX	64
#define PORT_HTTPS	443
#define RECORDING_BEGIN "TLSFAIL\n"
#define SYSTEM_CA_FILE	"/etc/ssl/certs/ca-certificates.crt"

struct finding_of_targets {
	const struct options *options;
	struct probe_targets *targets;
	struct nginxread *read; /* NULL: no configuration */
	size_t clients;		/* events about clients, which cannot be asked */
};

static struct probe_target *target_add(struct probe_targets *targets)
{
	struct probe_target *grown;

	if (targets->count == PROBE_TARGETS_MAX)
		return NULL;
	grown = realloc(targets->items, (targets->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	targets->items = grown;
	memset(&grown[targets->count], 0, sizeof(*grown));
	return &grown[targets->count++];
}

void probe_targets_clear(struct probe_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		client_free(&targets->items[i].client);
		free(targets->items[i].place_data);
	}
	free(targets->items);
	*targets = (struct probe_targets){ 0 };
}

/* -- names ------------------------------------------------------------------------------------- */

static void target_resolve(struct probe_target *target, const struct nginxtarget *t)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC };
	char host[CLIENT_NAME_LEN], port[8];
	struct addrinfo *found = NULL;
	struct text text;
	int err;

	text_init(&text, host, sizeof(host));
	text_addf(&text, "%.*s", (int)t->host_len, t->host);
	text_init(&text, port, sizeof(port));
	text_addf(&text, "%u", t->port);
	text_init(&text, target->problem, sizeof(target->problem));
	if (t->unix_socket || t->symbolic || !t->host_len || !t->port) {
		text_add(&text, t->unix_socket ? "it is a Unix socket"
				: t->symbolic  ? "the target depends on a variable"
					       : "it has no host or no port");
		return;
	}
	log_progress("resolving %s", host);
	err = getaddrinfo(host, port, &hints, &found);
	if (err) {
		text_addf(&text, "%s: %s", host, gai_strerror(err));
		return;
	}
	target->peer.len = found->ai_addrlen;
	memcpy(&target->peer.addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
}

/* What the command line says has precedence. */
static void client_override(struct client *client, const struct probe_settings *s)
{
	struct text t;

	if (s->name) {
		text_init(&t, client->name, sizeof(client->name));
		text_add(&t, s->name);
		client->server_name = true;
	}
	if (s->verify && !client->verify) {
		client->verify = true;
		/* Nothing is known of what the one who asks takes for granted. */
		client->depth = s->ca ? client->depth : 100;
		client->system_ca = !s->ca;
	}
	if (s->ca)
		client_file_read(&client->ca, s->ca, open(s->ca, O_RDONLY | O_CLOEXEC));
	if (s->certificate)
		client_file_read(&client->certificate, s->certificate,
				 open(s->certificate, O_RDONLY | O_CLOEXEC));
	if (s->certificate)
		client_file_read(&client->key, s->key ? s->key : s->certificate,
				 open(s->key ? s->key : s->certificate, O_RDONLY | O_CLOEXEC));
	if (s->starttls)
		client->starttls = s->starttls;
	client->proxy_header |= s->proxy_header;
}

/* HOST[:PORT], or a URL: as proxy_pass with that target would, nothing else set. */
static int host_add(struct finding_of_targets *f, const char *words)
{
	const struct probe_settings *s = &f->options->probe;
	struct probe_target *target = target_add(f->targets);
	const char *scheme = strstr(words, "://");
	struct nginxtarget parsed;
	struct text t;

	if (!target)
		return -ENOMEM;
	nginxtarget_parse(scheme ? scheme + 3 : words, &parsed);
	if (!parsed.has_port)
		parsed.port = s->starttls ? s->starttls->port : PORT_HTTPS;
	text_init(&t, target->label, sizeof(target->label));
	text_add_hostile(&t, words, strlen(words));
	client_init(&target->client);
	text_init(&t, target->client.name, sizeof(target->client.name));
	text_addf(&t, "%.*s", (int)parsed.host_len, parsed.host);
	client_override(&target->client, s);
	target_resolve(target, &parsed);
	return 0;
}

/* -- nginx's configuration --------------------------------------------------------------------- */

static int file_open(void *context, const char *name)
{
	struct stat stat;

	return nginxread_file(context, name, &stat);
}

static void neighbours_open(void *context, const char *name, void (*found)(void *context, int fd),
			    void *found_context)
{
	nginxread_neighbours(context, name, found, found_context);
}

struct location_files probe_targets_files(struct nginxread *read)
{
	return (struct location_files){ file_open, neighbours_open, read };
}

static int place_add(struct finding_of_targets *f, const struct nginx_places *places,
		     const struct nginxtarget *server)
{
	const struct nginx_place *place = &places->items[0];
	const struct location_files files = probe_targets_files(f->read);
	struct probe_target *target = target_add(f->targets);
	struct text t;

	if (!target)
		return -ENOMEM;
	target->place_data = malloc(PLACES_SIZE);
	if (!target->place_data ||
	    !nginx_places_write(places, target->place_data, PLACES_SIZE, &target->place_len))
		target->place_len = 0;
	text_init(&t, target->label, sizeof(target->label));
	text_add_hostile(&t, place->location.data, place->location.len);
	text_add(&t, " -> ");
	text_add_hostile(&t, server->host, server->host_len);
	text_addf(&t, ":%u", server->port);
	text_init(&t, target->place, sizeof(target->place));
	text_add_hostile(&t, place->file.data, place->file.len);
	text_addf(&t, ":%u", place->line);
	text_init(&t, target->skipped, sizeof(target->skipped));
	location_client(place, &files, location_versions(f->read->version), &target->client, &t);
	client_override(&target->client, &f->options->probe);
	target_resolve(target, server);
	return 0;
}

static bool words_end_with(const struct nginx_words *words, const char *wanted)
{
	size_t len = strlen(wanted);

	return words->len >= len && !memcmp(words->data + words->len - len, wanted, len) &&
	       (words->len == len || words->data[words->len - len - 1] == ' ');
}

static bool place_is(const struct nginx_place *place, const char *wanted)
{
	return words_end_with(&place->location, wanted) ||
	       nginx_words_are(&place->upstream, wanted);
}

/* wanted NULL: all. Returns how many were added, or a negative errno. */
static int places_add(struct finding_of_targets *f, const char *wanted)
{
	struct nginx_places *places = malloc(sizeof(*places));
	struct nginxtarget servers[SERVERS_MAX];
	struct nginxmap *map = NULL;
	size_t before = f->targets->count;
	int err = places ? nginxmap_new(f->read->conf, &map) : -ENOMEM;

	for (size_t i = 0; !err && i < nginxmap_count(map); i++) {
		size_t count = nginxmap_targets(map, i, servers, SERVERS_MAX);

		nginxmap_tell(map, i, places);
		if (wanted && !place_is(&places->items[0], wanted))
			continue;
		for (size_t k = 0; !err && k < count && k < SERVERS_MAX; k++)
			err = place_add(f, places, &servers[k]);
	}
	nginxmap_free(map);
	free(places);
	return err ? err : (int)(f->targets->count - before);
}

/* The first nginx that runs. */
static int running_found(const struct target_process *process, void *context)
{
	pid_t *master = context;

	return nginxread_master(process->pid, master) ? 0 : 1;
}

static int configuration_open(const struct probe_settings *s, struct nginxread *read, bool needed)
{
	struct target_set set = { 0 };
	pid_t master = 0;
	char problem[1024];
	struct text t;
	int err = -ENOENT;

	text_init(&t, problem, sizeof(problem));
	if (s->conf) {
		err = nginxread_open_path(s->conf, read, &t);
	} else {
		text_add(&t, "no nginx that can be read is running on this host; give its "
			     "configuration with -c");
		if (!target_set_add_name(&set, "nginx") &&
		    target_scan(&set, running_found, &master) == 1) {
			text_init(&t, problem, sizeof(problem));
			err = nginxread_open(master, read, &t);
		}
		target_set_clear(&set);
	}
	if (err && needed)
		log_line("%s", problem);
	return err;
}

/* -- findings ---------------------------------------------------------------------------------- */

static bool finding_is_known(const struct probe_targets *targets, const char *label)
{
	for (size_t i = 0; i < targets->count; i++)
		if (!strcmp(targets->items[i].label, label))
			return true;
	return false;
}

static int finding_add(struct finding_of_targets *f, json_t *event)
{
	const char *address = json_string_value(json_object_get(event, "network.peer.address"));
	const char *name = json_string_value(json_object_get(event, "tls.client.server_name"));
	json_int_t port = json_integer_value(json_object_get(event, "network.peer.port"));
	const char *role = json_string_value(json_object_get(event, "tlsfail.role"));
	const char *place = json_string_value(json_object_get(event, "nginx.config.location"));
	struct probe_settings *s = (struct probe_settings *)&f->options->probe;
	const char *kept = s->name;
	char label[64];
	struct text t;
	int err = 0;

	if (role && !strcmp(role, "server")) {
		f->clients++;
		return 0;
	}
	if (!address || port < 1 || port > UINT16_MAX)
		return 0;
	text_init(&t, label, sizeof(label));
	text_addf(&t, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, (int)port);
	if (finding_is_known(f->targets, label))
		return 0;
	if (place && f->read) {
		const char *last = strrchr(place, ' ');

		err = places_add(f, last ? last + 1 : place);
		if (err)
			return err < 0 ? err : 0;
	}
	if (!kept && name)
		s->name = name;
	err = host_add(f, label);
	s->name = kept;
	return err;
}

/* Of a recording only the tracer's own rules make findings. */
static int recording_refuse(const char *path)
{
	log_line("%s is a recording; use: tlsfail replay -f json %s | tlsfail probe --from -", path,
		 path);
	return -EINVAL;
}

static int findings_add(struct finding_of_targets *f, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t size = 0, count = 0, skipped = 0;
	char *line = NULL;
	int err = 0;

	if (!file) {
		log_line("%s: %s", path, strerror(errno));
		return -errno;
	}
	while (!err && getline(&line, &size, file) > 0) {
		json_t *event = json_loads(line, 0, NULL);

		if (!count++ && !strcmp(line, RECORDING_BEGIN))
			err = recording_refuse(path);
		else if (json_is_object(event))
			err = finding_add(f, event);
		else
			skipped += line[0] != '\n';
		json_decref(event);
	}
	if (skipped)
		log_line("%s: skipped %zu line%s that %s no event%s", path, skipped,
			 skipped == 1 ? "" : "s", skipped == 1 ? "is" : "are",
			 skipped == 1 ? "" : "s");
	free(line);
	if (file != stdin)
		fclose(file);
	return err;
}

/* -- all --------------------------------------------------------------------------------------- */

static bool looks_like_place(const char *words)
{
	return words[0] == '/' || words[0] == '@' || words[0] == '~';
}

static int argument_add(struct finding_of_targets *f, const char *words)
{
	int count = f->read ? places_add(f, words) : 0;

	if (count)
		return count < 0 ? count : 0;
	if (!looks_like_place(words))
		return host_add(f, words);
	log_line("no TLS location or upstream in the configuration is called '%s'", words);
	return -ENOENT;
}

int probe_targets_find(const struct options *options, struct probe_targets *targets)
{
	const struct probe_settings *s = &options->probe;
	struct nginxread read = { 0 };
	struct finding_of_targets f = { options, targets, NULL, 0 };
	bool needed = s->conf || (!options->argument_count && !s->from);
	int err = 0;

	for (size_t i = 0; i < options->argument_count; i++)
		needed |= looks_like_place(options->arguments[i]);
	if (needed) {
		if (configuration_open(s, &read, true))
			return EXIT_UNTRIED;
		f.read = &read;
	}
	if (s->from)
		err = findings_add(&f, s->from);
	else if (!options->argument_count)
		err = places_add(&f, NULL);
	for (size_t i = 0; err >= 0 && i < options->argument_count; i++)
		err = argument_add(&f, options->arguments[i]);
	nginxread_close(&read);
	log_progress(NULL);
	if (f.clients)
		log_line("%zu of the events are about clients of this server, which cannot be "
			 "connected to",
			 f.clients);
	if (err >= 0 && !targets->count) {
		log_line("nothing to probe: %s", s->from ? "no event names an upstream"
							 : "the configuration has no TLS upstream");
		return EXIT_UNTRIED;
	}
	if (err == -ENOMEM)
		log_line("more than %d targets, or no memory", PROBE_TARGETS_MAX);
	return err < 0 ? EXIT_UNTRIED : 0;
}
