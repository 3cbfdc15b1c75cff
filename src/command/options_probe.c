// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: of probe.
 */
#include "command/option_rows.h"

#include "probe/starttls.h"
#include "system/log.h"

static int set_conf(struct options *o, const char *value)
{
	o->probe.conf = value;
	return 0;
}

static int set_from(struct options *o, const char *value)
{
	o->probe.from = value;
	return 0;
}

static int set_enumerate(struct options *o, const char *value)
{
	(void)value;
	o->probe.enumerate = true;
	return 0;
}

static int set_watch(struct options *o, const char *value)
{
	return option_duration("--watch", value, 's', 86400, &o->probe.watch_s);
}

static int set_timeout(struct options *o, const char *value)
{
	return option_duration("--timeout", value, 's', 3600, &o->probe.timeout_s);
}

static int set_rate(struct options *o, const char *value)
{
	return option_number("--rate", value, 1000, &o->probe.rate);
}

static int set_name(struct options *o, const char *value)
{
	o->probe.name = value;
	return 0;
}

static int set_verify(struct options *o, const char *value)
{
	(void)value;
	o->probe.verify = true;
	return 0;
}

static int set_ca(struct options *o, const char *value)
{
	o->probe.ca = value;
	o->probe.verify = true;
	return 0;
}

static int set_certificate(struct options *o, const char *value)
{
	o->probe.certificate = value;
	return 0;
}

static int set_key(struct options *o, const char *value)
{
	o->probe.key = value;
	return 0;
}

static int set_starttls(struct options *o, const char *value)
{
	char names[128];
	struct text t;

	o->probe.starttls = starttls_find(value);
	if (o->probe.starttls)
		return 0;
	text_init(&t, names, sizeof(names));
	starttls_add_names(&t);
	log_line("--starttls takes one of %s, not '%s'", names, value);
	return EXIT_USAGE;
}

static int set_proxy_header(struct options *o, const char *value)
{
	(void)value;
	o->probe.proxy_header = true;
	return 0;
}

#define PROBE (COMMAND_PROBE | COMMAND_LINE)

static const struct option_row rows[] = {
	{ "conf", 'c', "FILE", PROBE, "nginx.conf to use instead of the running nginx's",
	  set_conf },
	{ "enumerate", 0, NULL, PROBE,
	  "list everything that the peer accepts: versions, cipher suites, groups ...",
	  set_enumerate },
	{ "from", 0, "FILE", PROBE,
	  "repeat the handshakes that failed, from tlsfail's JSON; - is standard input", set_from },
	{ "sni", 0, "NAME", PROBE, "send this server name (SNI), and verify it", set_name },
	{ "verify", 0, NULL, PROBE,
	  "verify the certificate, by default with this host's trusted "
	  "CAs",
	  set_verify },
	{ "ca", 0, "FILE", PROBE, "verify the certificate with these CAs", set_ca },
	{ "cert", 0, "FILE", PROBE, "present this client certificate", set_certificate },
	{ "key", 0, "FILE", PROBE, "its private key", set_key },
	{ "starttls", 0, "smtp|imap|pop3|ldap|postgres|mysql", PROBE,
	  "start TLS with this protocol's STARTTLS", set_starttls },
	{ "proxy-header", 0, NULL, PROBE, "send a PROXY header first", set_proxy_header },
	{ "timeout", 0, "TIME", PROBE, "time limit for one connection; default 5s", set_timeout },
	{ "rate", 0, "N", PROBE, "make at most N connections per second; default 20", set_rate },
	{ "watch", 0, "TIME", PROBE, "repeat at this interval, until interrupted", set_watch },
};

const struct option_group option_group_probe = { rows, ARRAY_LEN(rows) };
