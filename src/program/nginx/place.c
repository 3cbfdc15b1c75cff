// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flat form: numbers in the host's byte order, words as a length and bytes, one after the
 * other in the order of the structures.
 */
#include "program/nginx/place.h"

#include <string.h>

#define SPOT_SHARED 0x100U /* beside the setting of a spot; none is so large */

const char *nginx_setting_name(enum nginx_setting setting)
{
	static const char *const names[NGINX_SETTING_COUNT] = {
		[NGINX_PASS] = "pass",
		[NGINX_BLOCK] = "",
		[NGINX_SSL] = "ssl",
		[NGINX_SSL_SERVER_NAME] = "ssl_server_name",
		[NGINX_SSL_NAME] = "ssl_name",
		[NGINX_SSL_VERIFY] = "ssl_verify",
		[NGINX_SSL_VERIFY_DEPTH] = "ssl_verify_depth",
		[NGINX_SSL_TRUSTED_CERTIFICATE] = "ssl_trusted_certificate",
		[NGINX_SSL_CRL] = "ssl_crl",
		[NGINX_SSL_CERTIFICATE] = "ssl_certificate",
		[NGINX_SSL_CERTIFICATE_KEY] = "ssl_certificate_key",
		[NGINX_SSL_PROTOCOLS] = "ssl_protocols",
		[NGINX_SSL_CIPHERS] = "ssl_ciphers",
		[NGINX_SSL_CONF_COMMAND] = "ssl_conf_command",
		[NGINX_SSL_SESSION_REUSE] = "ssl_session_reuse",
		[NGINX_CONNECT_TIMEOUT] = "connect_timeout",
		[NGINX_SSL_VERIFY_CLIENT] = "ssl_verify_client",
		[NGINX_SSL_CLIENT_CERTIFICATE] = "ssl_client_certificate",
		[NGINX_SSL_REJECT_HANDSHAKE] = "ssl_reject_handshake",
		[NGINX_SSL_ECDH_CURVE] = "ssl_ecdh_curve",
		[NGINX_LISTEN] = "listen",
		[NGINX_HTTP2] = "http2",
		[NGINX_SSL_ALPN] = "ssl_alpn",
		[NGINX_SSL_OCSP] = "ssl_ocsp",
		[NGINX_SSL_STAPLING] = "ssl_stapling",
		[NGINX_STARTTLS] = "starttls",
		[NGINX_PROXY_PROTOCOL] = "protocol",
		[NGINX_VERSION] = "",
		[NGINX_NAMED] = "",
		[NGINX_HTTP_VERSION] = "http_version",
		[NGINX_SSL_PASSWORD_FILE] = "ssl_password_file",
	};

	return names[setting];
}

const char *nginx_module_prefix(enum nginx_module module)
{
	static const char *const prefixes[NGINX_MODULE_COUNT] = {
		[NGINX_MODULE_PROXY] = "proxy_", [NGINX_MODULE_GRPC] = "grpc_",
		[NGINX_MODULE_UWSGI] = "uwsgi_", [NGINX_MODULE_STREAM] = "proxy_",
		[NGINX_MODULE_SERVER] = "",	 [NGINX_MODULE_STREAM_SERVER] = "",
		[NGINX_MODULE_MAIL_SERVER] = "",
	};

	return prefixes[module];
}

bool nginx_setting_is_directive(enum nginx_setting setting)
{
	return setting != NGINX_BLOCK && setting != NGINX_VERSION && setting != NGINX_NAMED;
}

unsigned int nginx_words_number(const struct nginx_words *words)
{
	unsigned int number = 0;

	for (uint32_t i = 0; i < words->len && i < 9; i++) {
		if (words->data[i] < '0' || words->data[i] > '9')
			return 0;
		number = number * 10 + (unsigned int)(words->data[i] - '0');
	}
	return number;
}

bool nginx_module_is_server(enum nginx_module module)
{
	return module >= NGINX_MODULE_SERVER;
}

bool nginx_words_have(const struct nginx_words *words, const char *word)
{
	size_t len = strlen(word);

	for (uint32_t i = 0; i + len <= words->len; i++) {
		bool begins = i == 0 || words->data[i - 1] == ' ';
		bool ends = i + len == words->len || words->data[i + len] == ' ';

		if (begins && ends && !memcmp(words->data + i, word, len))
			return true;
	}
	return false;
}

bool nginx_words_are(const struct nginx_words *words, const char *string)
{
	size_t len = strlen(string);

	return words->len == len && (!len || !memcmp(words->data, string, len));
}

const struct nginx_value *nginx_place_value(const struct nginx_place *place,
					    enum nginx_setting setting)
{
	for (uint32_t i = 0; i < place->value_count; i++)
		if (place->values[i].setting == setting)
			return &place->values[i];
	return NULL;
}

const struct nginx_spot *nginx_place_spot(const struct nginx_place *place,
					  enum nginx_setting setting)
{
	for (uint32_t i = 0; i < place->spot_count; i++)
		if (place->spots[i].setting == setting)
			return &place->spots[i];
	return NULL;
}

const struct nginx_note *nginxplace_note(const struct nginx_place *place, enum nginx_note_kind kind)
{
	for (uint32_t i = 0; i < place->note_count; i++)
		if (place->notes[i].kind == kind)
			return &place->notes[i];
	return NULL;
}

/* -- writing ----------------------------------------------------------------------------------- */

struct writer {
	uint8_t *buf;
	size_t size;
	size_t len;
	bool full;
};

static void put_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (w->full || len > w->size - w->len) {
		w->full = true;
		return;
	}
	if (len)
		memcpy(w->buf + w->len, bytes, len);
	w->len += len;
}

static void put_number(struct writer *w, uint32_t number)
{
	put_bytes(w, &number, sizeof(number));
}

static void put_words(struct writer *w, const struct nginx_words *words)
{
	put_number(w, words->len);
	put_bytes(w, words->data, words->len);
}

static void put_place(struct writer *w, const struct nginx_place *p)
{
	put_number(w, p->module);
	put_number(w, p->certainty);
	put_number(w, p->changed);
	put_number(w, p->line);
	put_words(w, &p->file);
	put_words(w, &p->location);
	put_words(w, &p->server);
	put_words(w, &p->target);
	put_words(w, &p->upstream);
	put_words(w, &p->upstream_file);
	put_number(w, p->upstream_line);
	put_words(w, &p->peer_name);
	put_number(w, p->value_count);
	for (uint32_t i = 0; i < p->value_count; i++) {
		put_number(w, p->values[i].setting);
		put_number(w, p->values[i].own | (uint32_t)p->values[i].of_default << 1);
		put_number(w, p->values[i].line);
		put_words(w, &p->values[i].file);
		put_words(w, &p->values[i].value);
	}
	put_number(w, p->spot_count);
	for (uint32_t i = 0; i < p->spot_count; i++) {
		put_number(w, p->spots[i].setting | (p->spots[i].shared ? SPOT_SHARED : 0));
		put_number(w, p->spots[i].line);
		put_number(w, p->spots[i].from);
		put_number(w, p->spots[i].to);
		put_words(w, &p->spots[i].file);
		put_words(w, &p->spots[i].text);
	}
	put_number(w, p->note_count);
	for (uint32_t i = 0; i < p->note_count; i++) {
		put_number(w, p->notes[i].kind);
		put_number(w, p->notes[i].setting);
		put_bytes(w, &p->notes[i].number, sizeof(p->notes[i].number));
		put_words(w, &p->notes[i].words);
	}
}

bool nginx_places_write(const struct nginx_places *places, uint8_t *buf, size_t size, size_t *len)
{
	struct writer w = { .buf = buf, .size = size, .len = *len };
	uint32_t head[2] = { 0, places->more };
	size_t start = w.len;

	put_bytes(&w, head, sizeof(head));
	if (w.full)
		return false;
	for (uint32_t i = 0; i < places->count; i++) {
		size_t before = w.len;

		put_place(&w, &places->items[i]);
		if (w.full) {
			w.full = false;
			w.len = before;
			head[1]++;
		} else {
			head[0]++;
		}
	}
	memcpy(buf + start, head, sizeof(head));
	*len = w.len;
	return true;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *data;
	size_t left;
	bool bad;
};

static void get_bytes(struct reader *r, void *bytes, size_t len)
{
	if (r->bad || len > r->left) {
		r->bad = true;
		memset(bytes, 0, len);
		return;
	}
	memcpy(bytes, r->data, len);
	r->data += len;
	r->left -= len;
}

static uint32_t get_number(struct reader *r)
{
	uint32_t number;

	get_bytes(r, &number, sizeof(number));
	return number;
}

/* A number that must be below limit; else 0. */
static uint32_t get_below(struct reader *r, uint32_t limit)
{
	uint32_t number = get_number(r);

	if (number >= limit)
		r->bad = true;
	return r->bad ? 0 : number;
}

static void get_words(struct reader *r, struct nginx_words *words)
{
	uint32_t len = get_number(r);

	if (len > r->left)
		r->bad = true;
	*words = (struct nginx_words){ (const char *)r->data, r->bad ? 0 : len };
	r->data += words->len;
	r->left -= words->len;
}

static void get_value(struct reader *r, struct nginx_value *v)
{
	uint32_t flags;

	v->setting = get_below(r, NGINX_SETTING_COUNT);
	flags = get_below(r, 4);
	v->own = flags & 1;
	v->of_default = flags & 2;
	v->line = get_number(r);
	get_words(r, &v->file);
	get_words(r, &v->value);
}

static void get_spot(struct reader *r, struct nginx_spot *s)
{
	uint32_t setting = get_number(r);

	s->shared = setting & SPOT_SHARED;
	setting &= ~SPOT_SHARED;
	r->bad |= setting >= NGINX_SETTING_COUNT;
	s->setting = r->bad ? 0 : (enum nginx_setting)setting;
	s->line = get_number(r);
	s->from = get_number(r);
	s->to = get_number(r);
	get_words(r, &s->file);
	get_words(r, &s->text);
	if (s->from > s->to || s->to > s->text.len)
		r->bad = true;
}

static void get_note(struct reader *r, struct nginx_note *n)
{
	n->kind = get_below(r, NGINX_NOTE_KIND_COUNT);
	n->setting = get_below(r, NGINX_SETTING_COUNT);
	get_bytes(r, &n->number, sizeof(n->number));
	get_words(r, &n->words);
}

static void get_place(struct reader *r, struct nginx_place *p)
{
	p->module = get_below(r, NGINX_MODULE_COUNT);
	p->certainty = get_below(r, NGINX_CERTAINTY_COUNT);
	p->changed = get_below(r, 2);
	p->line = get_number(r);
	get_words(r, &p->file);
	get_words(r, &p->location);
	get_words(r, &p->server);
	get_words(r, &p->target);
	get_words(r, &p->upstream);
	get_words(r, &p->upstream_file);
	p->upstream_line = get_number(r);
	get_words(r, &p->peer_name);
	p->value_count = get_below(r, NGINX_SETTINGS_MAX + 1);
	for (uint32_t i = 0; i < p->value_count; i++)
		get_value(r, &p->values[i]);
	p->spot_count = get_below(r, NGINX_SPOTS_MAX + 1);
	for (uint32_t i = 0; i < p->spot_count; i++)
		get_spot(r, &p->spots[i]);
	p->note_count = get_below(r, NGINX_NOTES_MAX + 1);
	for (uint32_t i = 0; i < p->note_count; i++)
		get_note(r, &p->notes[i]);
}

bool nginx_places_read(const uint8_t *data, size_t len, struct nginx_places *places)
{
	struct reader r = { .data = data, .left = len };

	places->count = get_below(&r, NGINX_PLACES_MAX + 1);
	places->more = get_number(&r);
	places->excluded = 0;
	for (uint32_t i = 0; i < places->count; i++)
		get_place(&r, &places->items[i]);
	return !r.bad && r.left == 0;
}
