/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places in a configuration of nginx that pass to one peer, in the flat form in which the record
 * TLSFAIL_REC_NGINX carries them: what a finding and its hint need, so that replay needs no file.
 * Writing and reading of that form. Pure; what is read is hostile.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_PLACE_H
#define TLSFAIL_PROGRAM_NGINX_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NGINX_PLACES_MAX   8
#define NGINX_SETTINGS_MAX 32 /* of a place */
#define NGINX_SPOTS_MAX	   12
#define NGINX_NOTES_MAX	   16

/* Which module passes. */
enum nginx_module {
	NGINX_MODULE_PROXY, /* of http */
	NGINX_MODULE_GRPC,
	NGINX_MODULE_UWSGI,
	NGINX_MODULE_STREAM,
	/* these pass to nobody: a server block that clients connect to */
	NGINX_MODULE_SERVER, /* of http */
	NGINX_MODULE_STREAM_SERVER,
	NGINX_MODULE_MAIL_SERVER,
	NGINX_MODULE_COUNT,
};

/* Directives by what they are for; the module's prefix ("proxy_") stands before their names. */
enum nginx_setting {
	NGINX_PASS,
	NGINX_BLOCK, /* the location that the pass is inside of, when it is not right in it */
	NGINX_SSL,   /* of stream */
	NGINX_SSL_SERVER_NAME,
	NGINX_SSL_NAME,
	NGINX_SSL_VERIFY,
	NGINX_SSL_VERIFY_DEPTH,
	NGINX_SSL_TRUSTED_CERTIFICATE,
	NGINX_SSL_CRL,
	NGINX_SSL_CERTIFICATE,
	NGINX_SSL_CERTIFICATE_KEY,
	NGINX_SSL_PROTOCOLS,
	NGINX_SSL_CIPHERS,
	NGINX_SSL_CONF_COMMAND,
	NGINX_SSL_SESSION_REUSE,
	NGINX_CONNECT_TIMEOUT,
	/* of a server */
	NGINX_SSL_VERIFY_CLIENT,
	NGINX_SSL_CLIENT_CERTIFICATE,
	NGINX_SSL_REJECT_HANDSHAKE,
	NGINX_SSL_ECDH_CURVE,
	NGINX_LISTEN, /* the one that the client has connected to */
	NGINX_HTTP2,
	NGINX_SSL_ALPN,
	NGINX_SSL_OCSP,
	NGINX_SSL_STAPLING,
	NGINX_STARTTLS,
	NGINX_PROXY_PROTOCOL, /* of stream: its header goes before the ClientHello */
	/* no directives, but what else is known of the place */
	NGINX_VERSION, /* of nginx, as nginxargs_read_version() has it */
	NGINX_NAMED,   /* the server block has the name that the client asked for */
	/* recordings have the numbers, so what is new stands here */
	NGINX_HTTP_VERSION, /* that requests are passed on with; 2 offers h2 */
	NGINX_SSL_PASSWORD_FILE,
	NGINX_SETTING_COUNT,
};

/* How the place was found to be the one that passes to the peer. */
enum nginx_certainty {
	NGINX_CERTAIN,	/* by address and port */
	NGINX_LIKELY,	/* by port, and by the server name as far as that is known */
	NGINX_POSSIBLE, /* its target is a variable, or Lua decides */
	NGINX_MOVED,	/* by port; its host name now stands for another address */
	NGINX_CERTAINTY_COUNT,
};

/* What looking at a file that a directive names has shown. */
enum nginx_note_kind {
	NGINX_NOTE_MISSING,	  /* words: why it cannot be read */
	NGINX_NOTE_CHANGED,	  /* it is younger than the worker; number: seconds since 1970 */
	NGINX_NOTE_ENDS,	  /* of a client certificate; number: when, seconds since 1970 */
	NGINX_NOTE_BEGINS,	  /* the same for its beginning */
	NGINX_NOTE_ISSUER,	  /* words: who issued it */
	NGINX_NOTE_NO_CLIENT_USE, /* its extended key usage is not for clients */
	NGINX_NOTE_KEY_MISMATCH,  /* the key does not belong to it */
	NGINX_NOTE_MOVED,	  /* words: the address that the name of the pass stands for now */
	NGINX_NOTE_OTHER_NAMES,	  /* of an upstream block: servers in it have other host names */
	NGINX_NOTE_HOLDS, /* certificates in a small file; words: "CN=A, CN=B"; number: how many */
	NGINX_NOTE_EXPIRED, /* one of those in it; words: its subject; number: when */
	NGINX_NOTE_NO_ROOT, /* there is none in it; words: who issued the last one */
	NGINX_NOTE_NAMED,   /* another place sends the peer another server name, or none */
	NGINX_NOTE_STAPLED, /* it says that its OCSP status has to be stapled, which is not on */
	NGINX_NOTE_OTHER_SERVERS, /* of an upstream block: the peer is not its only server */
	NGINX_NOTE_KIND_COUNT,
};

/* Not terminated. */
struct nginx_words {
	const char *data;
	uint32_t len;
};

/* A directive that is set somewhere and holds at the place. */
struct nginx_value {
	enum nginx_setting setting;
	bool own; /* set where a change concerns this place only */
	/* It is the default server of the address whose value counts, whatever name is asked for; no
	 * words: that one does not set it, and the line is its own. That server is the next place. */
	bool of_default;
	uint32_t line;
	struct nginx_words file;
	struct nginx_words value; /* arguments, with one space between */
};

/* Some lines of a file with a directive in them: where a change is made. */
struct nginx_spot {
	enum nginx_setting setting;
	bool shared;   /* its file is included more than once */
	uint32_t line; /* of the first line, from 1 on */
	uint32_t from; /* the directive, in text, with its ';' or '{' */
	uint32_t to;
	struct nginx_words file;
	struct nginx_words text; /* whole lines */
};

struct nginx_note {
	enum nginx_note_kind kind;
	enum nginx_setting setting; /* that names the file */
	int64_t number;
	struct nginx_words words;
};

struct nginx_place {
	enum nginx_module module;
	enum nginx_certainty certainty;
	bool changed; /* its file is newer than the worker, which may run another version */
	uint32_t line;
	struct nginx_words file;
	struct nginx_words location; /* "location = /x", "server"; with "if", "limit_except" */
	struct nginx_words server;   /* server_name */
	struct nginx_words target;   /* as it stands in the directive */
	struct nginx_words upstream; /* name of the block, or none */
	struct nginx_words upstream_file;
	uint32_t upstream_line;	      /* of the server in it that is the peer */
	struct nginx_words peer_name; /* host name that the peer is configured by, or none */
	uint32_t value_count;
	struct nginx_value values[NGINX_SETTINGS_MAX];
	uint32_t spot_count;
	struct nginx_spot spots[NGINX_SPOTS_MAX];
	uint32_t note_count;
	struct nginx_note notes[NGINX_NOTES_MAX];
};

/* The words point to where they were read from, or to what the writer was given. */
struct nginx_places {
	uint32_t count;
	uint32_t more; /* places that match and are not among these */
	uint32_t
		excluded; /* behind the items: places that match less well, or contradict what was seen */
	struct nginx_place items[NGINX_PLACES_MAX];
};

/*
 * Appends the flat form to buf at *len, which grows; as many places as fit before size, the others
 * are counted in it as more. False when not even the count fits.
 */
bool nginx_places_write(const struct nginx_places *places, uint8_t *buf, size_t size, size_t *len);

/* Reads the flat form. False when it is none: a number out of range, a length that is not there,
 * or bytes behind its end. */
bool nginx_places_read(const uint8_t *data, size_t len, struct nginx_places *places);

/* The value of a setting at the place, NULL when it is not set. */
const struct nginx_value *nginx_place_value(const struct nginx_place *place,
					    enum nginx_setting setting);

/* The spot of a setting, NULL when there is none. */
const struct nginx_spot *nginx_place_spot(const struct nginx_place *place,
					  enum nginx_setting setting);

/* The first note of the kind, NULL when there is none. */
const struct nginx_note *nginxplace_note(const struct nginx_place *place,
					 enum nginx_note_kind kind);

/* The name without the prefix, such as "ssl_verify"; and the prefix, such as "proxy_". */
const char *nginx_setting_name(enum nginx_setting setting);
const char *nginx_module_prefix(enum nginx_module module);

/* Is it a directive, or something else that is known of a place? */
bool nginx_setting_is_directive(enum nginx_setting setting);

/* The number that the words are, 0: none. */
unsigned int nginx_words_number(const struct nginx_words *words);

/* Is the place a server block that clients connect to? */
bool nginx_module_is_server(enum nginx_module module);

/* Is the word, without a space in it, one of the words? */
bool nginx_words_have(const struct nginx_words *words, const char *word);

/* Are these the words of the string? */
bool nginx_words_are(const struct nginx_words *words, const char *string);

#endif
