// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table of words, each with what it stands for.
 */
#include "diagnose/words.h"

#include <string.h>

#include "base/calendar.h"
#include "diagnose/context.h"
#include "finding/tls.h"
#include "tls/greeting.h"
#include "tls/names.h"

void words_add_endpoint(struct text *t, const struct finding_endpoint *e)
{
	text_addf(t, strchr(e->address, ':') ? "[%s]:%u" : "%s:%u", e->address, e->port);
}

/* SSL says its name, TLS only its number. */
void words_add_version(struct text *t, const char *name)
{
	text_addf(t, strncmp(name, "SSL", 3) ? "TLS %s" : "%s", name);
}

void words_add_versions(struct text *t, const struct finding_hello *hello)
{
	if (!hello->version_count)
		text_add(t, "unknown");
	for (unsigned int i = 0; i < hello->version_count; i++) {
		text_add(t, i ? ", " : "");
		words_add_version(t, hello->versions[i]);
	}
}

void words_add_alert(struct text *t, const struct finding_alert *a)
{
	text_addf(t, "%u", a->code);
	if (a->name)
		text_addf(t, " %s", a->name);
}

/* The names that a certificate is valid for; a CN counts only where there is no other. */
void words_add_names(struct text *t, const struct finding_certificate *cert)
{
	if (cert->cut) {
		text_add(t, "names that were not kept because the certificate is too long");
		return;
	}
	for (unsigned int i = 0; i < cert->name_count && i < FINDING_SAN_MAX; i++)
		text_addf(t, "%s%s", i ? ", " : "", cert->names[i]);
	if (cert->name_count > FINDING_SAN_MAX)
		text_addf(t, " and %u more", cert->name_count - FINDING_SAN_MAX);
	if (!cert->name_count)
		finding_add_subject(t, cert);
}

/* -- one word each ---------------------------------------------------------------------------- */

/* What a word is made of. */
struct facts {
	const struct failure *failure;
	const struct tlsfail_conn *c;
	const struct finding *f;
	struct program_view program;
};

static void add_peer(struct text *t, const struct facts *x)
{
	words_add_endpoint(t, &x->f->peer);
}

static void add_local(struct text *t, const struct facts *x)
{
	words_add_endpoint(t, &x->f->local);
}

static void add_sni(struct text *t, const struct facts *x)
{
	text_add(t, x->f->hello.server_name);
}

/* Whom the client wants to talk to. */
static void add_name(struct text *t, const struct facts *x)
{
	const struct finding_hello *hello = &x->f->hello;

	if (hello->has_server_name)
		text_add(t, hello->server_name);
	else
		text_add(t, hello->known && !hello->cut ? "a server it did not name (no SNI)"
							: "this server");
}

/* The same, where it has to be in the certificate. */
static void add_asked(struct text *t, const struct facts *x)
{
	const struct finding *f = x->f;

	text_add(t, f->hello.has_server_name ? f->hello.server_name : f->peer.address);
}

static void add_versions(struct text *t, const struct facts *x)
{
	words_add_versions(t, &x->f->hello);
}

static void add_version(struct text *t, const struct facts *x)
{
	words_add_version(t, x->f->protocol_version ? x->f->protocol_version : "an older version");
}

static void add_host(struct text *t, const struct facts *x)
{
	text_add_hostile(t, x->c->host, strnlen(x->c->host, sizeof(x->c->host)));
}

/* When the peer showed the certificate. */
static void add_shown(struct text *t, const struct facts *x)
{
	calendar_add_words(t, (int64_t)(x->f->certificate.seen_ns / 1000000000ULL));
}

/* What is wrong with the name that was sent. */
static void add_flaw(struct text *t, const struct facts *x)
{
	const char *name = x->f->hello.server_name;
	size_t len = strlen(name);

	if (strchr(name, '_'))
		text_add(t, "it has an underscore");
	else if (len && name[len - 1] == '.')
		text_add(t, "it ends with a dot");
	else if (strstr(name, ".."))
		text_add(t, "one of its labels is empty");
	else if (strspn(name, "0123456789.") == len || strchr(name, ':'))
		text_add(t, "it is an IP address");
	else
		text_add(t, "it has characters that host names cannot have");
}

static void add_refusal(struct text *t, const struct facts *x)
{
	if (x->f->alert.known)
		text_addf(t, " (alert %u)", x->f->alert.code);
	else
		text_add(t, x->c->flags & TLSFAIL_F_PEER_RST ? " with a reset" : " with a close");
}

static void add_port_protocol(struct text *t, const struct facts *x)
{
	struct tls_capture first = context_first_received(x->failure);
	const struct tls_greeting *greeting = tls_greeting_of(first.data, first.len);
	const char *name = context_starttls_protocol(x->f->peer.port);

	text_add(t, greeting ? greeting->protocol : name ? name : "another protocol");
}

/* Small packets came through, the large ones of an answer may not. */
static void add_way_back(struct text *t, const struct facts *x)
{
	if (x->f->tcp.has_hello_acked && x->f->tcp.hello_acked && !x->f->bytes_received)
		text_add(t, " (its kernel acknowledged the ClientHello), and whether its longer "
			    "answer is lost on the way back (the MTU of a tunnel)");
}

static void add_elapsed(struct text *t, const struct facts *x)
{
	text_add_duration(t, x->f->duration_ns);
}

/* Of a text in a binary greeting no more is shown. */
#define GREETING_TEXT_LEN 64

static void add_first(struct text *t, const struct facts *x)
{
	struct tls_capture first = context_first_received(x->failure);
	const struct tls_greeting *greeting = tls_greeting_of(first.data, first.len);
	size_t at = greeting && greeting->text_at < first.len ? greeting->text_at : 0;
	size_t most = at ? GREETING_TEXT_LEN : TLSFAIL_HEAD_LEN;
	size_t left = first.len - at < most ? first.len - at : most;
	size_t len = strnlen((const char *)first.data + at, left);

	/* A zero this early is no end of a text. */
	if (len > 1 || len == left) {
		text_add(t, "\"");
		text_add_hostile(t, first.data + at, len);
		text_add(t, "\"");
	} else {
		text_add(t, "0x");
		text_add_hex(t, x->c->first_rx, x->c->first_rx_kept);
	}
	if (greeting)
		text_addf(t, " (%s)", greeting->protocol);
}

static void add_error(struct text *t, const struct facts *x)
{
	const struct finding_openssl *o = &x->f->openssl;

	if (!o->reason_code)
		text_add(t, "it does not say why");
	else
		text_addf(t, "reason %u%s%s", o->reason_code, o->reason ? ", " : "",
			  o->reason ? o->reason : "");
}

/* What to do about a client's certificate that is refused, by what is wrong with it. */
static const char *verify_fix(enum tls_verify result)
{
	switch (result) {
	case TLS_VERIFY_EXPIRED:
		return "renew the client's certificate: it or a CA above it has expired";
	case TLS_VERIFY_NOT_YET_VALID:
		return "check the clocks of both hosts; if they are right, the client uses its "
		       "certificate too early";
	case TLS_VERIFY_SELF_SIGNED:
		return "give the client a certificate issued by {setting:client_cas} instead of a "
		       "self-signed one";
	case TLS_VERIFY_SELF_SIGNED_IN_CHAIN:
	case TLS_VERIFY_NO_ISSUER_LOCALLY:
	case TLS_VERIFY_CANNOT_VERIFY_FIRST:
	case TLS_VERIFY_CA_WITHOUT_ISSUER:
		return "have the client's certificate issued by {setting:client_cas}, or add the "
		       "CA that issued it there; have the client send its intermediate "
		       "certificates too";
	case TLS_VERIFY_CHAIN_TOO_LONG:
		return "raise {setting:client_verify_depth}, which allows fewer CAs than there "
		       "are above the client's certificate";
	case TLS_VERIFY_REVOKED:
		return "give the client a new certificate: its CA has revoked the current one";
	case TLS_VERIFY_CRL_MISSING:
	case TLS_VERIFY_CRL_EXPIRED:
	case TLS_VERIFY_CRL_NOT_YET_VALID:
	case TLS_VERIFY_CRL_UNUSABLE:
		return "nothing is wrong with the client: put a current revocation list (CRL) of "
		       "each CA of its chain into {setting:client_crl}";
	case TLS_VERIFY_PURPOSE:
		return "have the client's certificate reissued with extendedKeyUsage clientAuth; "
		       "if it may already be a client's, have the CA above it reissued with "
		       "basicConstraints CA:TRUE";
	case TLS_VERIFY_INVALID_CA:
	case TLS_VERIFY_PATH_LENGTH:
		return "have the CA above the client's certificate reissued as one that may issue "
		       "certificates (basicConstraints CA:TRUE)";
	case TLS_VERIFY_BAD_SIGNATURE:
		return "put the CA's current certificate where {setting:client_cas} is read from: "
		       "the CA may have a new key under its old name";
	case TLS_VERIFY_KEY_TOO_SMALL:
	case TLS_VERIFY_CA_KEY_TOO_SMALL:
	case TLS_VERIFY_DIGEST_TOO_WEAK:
	case TLS_VERIFY_ALGORITHM:
	case TLS_VERIFY_SUITE_B:
		return "have the client's certificate reissued with a stronger key and SHA-256";
	default:
		return "renew the certificate if it has expired, or have it issued by "
		       "{setting:client_cas}; {setting:client_checks} can refuse it too";
	}
}

/* Nothing when it was not asked for. */
static void add_code(struct text *t, const struct facts *x)
{
	if (x->f->verify.known && x->f->verify.code)
		text_addf(t, " (verify code %d)", x->f->verify.code);
}

/* What the verify code says. */
static void add_what(struct text *t, const struct facts *x)
{
	const struct finding_verify *verify = &x->f->verify;

	if (!verify->known || !verify->code)
		text_add(t, "nobody asked for the reason");
	else
		text_add(t, verify->words ? verify->words : "for a reason without a name");
}

/* The CA that is not known, above the one that is. */
static void add_missing_issuer(struct text *t, const struct facts *x)
{
	if (!x->f->certificate.known) {
		text_add(t, "the issuer of that CA");
		return;
	}
	text_addf(t, "%s%s", x->f->certificate.chain_length > 1 ? "" : "the issuer of ",
		  x->f->certificate.issuer);
}

static void add_client_fix(struct text *t, const struct facts *x)
{
	enum tls_verify result = x->f->verify.result;

	program_add_words(t, &x->program, verify_fix(result));
	/* OpenSSL looks for no issuer beyond the depth, and so may not get to say that it is 22. */
	if (x->f->certificate.known && x->f->certificate.chain_length > 1 &&
	    (result == TLS_VERIFY_NO_ISSUER_LOCALLY || result == TLS_VERIFY_CANNOT_VERIFY_FIRST))
		program_add_words(t, &x->program,
				  "; it sent more than its own certificate, so "
				  "{setting:client_verify_depth} may be too small");
}

/* The alert that we sent; nothing when there was none. */
static void add_our_alert(struct text *t, const struct facts *x)
{
	if (x->f->alert.known && !x->f->alert.received) {
		text_add(t, " (alert ");
		words_add_alert(t, &x->f->alert);
		text_add(t, " sent)");
	} else if (x->f->openssl.reason_code) {
		text_add(t, " (");
		add_error(t, x);
		text_add(t, ")");
	}
}

static void add_alert_means(struct text *t, const struct facts *x)
{
	text_add(t, tls_alert_words(x->f->alert.code));
}

static void add_library(struct text *t, const struct facts *x)
{
	text_add(t, x->f->openssl.library);
}

/* How the verification ended, if the program asked. */
static void add_verdict(struct text *t, const struct facts *x)
{
	const struct finding_verify *verify = &x->f->verify;

	if (!verify->known || !verify->code)
		text_add(t, "its verify code was not asked for");
	else
		text_addf(t, "verify code %d%s%s", verify->code, verify->name ? ", " : "",
			  verify->name ? verify->name : "");
}

static void add_alert(struct text *t, const struct facts *x)
{
	words_add_alert(t, &x->f->alert);
}

static void add_subject(struct text *t, const struct facts *x)
{
	finding_add_subject(t, &x->f->certificate);
}

static void add_issuer(struct text *t, const struct facts *x)
{
	text_add(t, x->f->certificate.issuer);
}

/* " (371 days ago)", as a date alone leaves it to the reader to count. Of the same day: nothing. */
static void add_distance(struct text *t, const struct facts *x, int64_t seconds)
{
	int64_t days = (seconds - (int64_t)(x->f->time_ns / 1000000000ULL)) / 86400;
	const char *plural = days == 1 || days == -1 ? "" : "s";

	if (!x->f->time_ns || !days)
		return;
	if (days < 0)
		text_addf(t, " (%lld day%s ago)", (long long)-days, plural);
	else
		text_addf(t, " (in %lld day%s)", (long long)days, plural);
}

static void add_ended(struct text *t, const struct facts *x)
{
	calendar_add_words(t, x->f->certificate.not_after);
	add_distance(t, x, x->f->certificate.not_after);
}

static void add_begins(struct text *t, const struct facts *x)
{
	calendar_add_words(t, x->f->certificate.not_before);
	add_distance(t, x, x->f->certificate.not_before);
}

static void add_key(struct text *t, const struct facts *x)
{
	finding_add_key(t, &x->f->certificate);
}

static void add_chain(struct text *t, const struct facts *x)
{
	text_addf(t, "%u", x->f->certificate.chain_length);
}

static void add_names(struct text *t, const struct facts *x)
{
	words_add_names(t, &x->f->certificate);
}

static void add_ciphers(struct text *t, const struct facts *x)
{
	finding_add_ciphers(t, &x->f->hello);
}

static void add_groups(struct text *t, const struct facts *x)
{
	finding_add_groups(t, &x->f->hello);
}

static void add_protocols(struct text *t, const struct facts *x)
{
	finding_add_protocols(t, &x->f->hello);
}

/* What the peer said, when it may not be said. */
static void add_answer(struct text *t, const struct facts *x)
{
	if (x->f->choice.retry_flaw == RETRY_RIGHT) {
		text_add(t, "something that");
		return;
	}
	text_add(t, "a ");
	finding_add_retry(t, &x->f->choice);
	text_add(t, ", which");
}

static void add_after_retry(struct text *t, const struct facts *x)
{
	if (!x->f->choice.retry_count)
		return;
	text_add(t, " that followed its ");
	finding_add_retry(t, &x->f->choice);
}

/* Did all of the client's ClientHello come? One of which not all was kept may have. */
static bool hello_came(const struct finding *f)
{
	return f->hello.known && !(f->hello.cut && f->bytes_received < f->hello.length);
}

/* How far a client came: to nothing, into its ClientHello, behind that, to the ServerHello. */
enum {
	CAME_NOWHERE,
	CAME_INTO_HELLO,
	CAME_WITH_HELLO,
	CAME_TO_ANSWER,
	CAME_COUNT
};

static unsigned int client_came(const struct finding *f)
{
	if (f->protocol_version)
		return CAME_TO_ANSWER;
	if (hello_came(f))
		return CAME_WITH_HELLO;
	return f->bytes_received ? CAME_INTO_HELLO : CAME_NOWHERE;
}

/* Of one that went away. */
static void add_progress(struct text *t, const struct facts *x)
{
	static const char *const words[CAME_COUNT] = {
		"without sending a byte",
		"in the middle of its ClientHello",
		"after its ClientHello",
		"after receiving the ServerHello",
	};

	text_add(t, words[client_came(x->f)]);
}

/* Of one that this side closed the connection of. */
static void add_reached(struct text *t, const struct facts *x)
{
	static const char *const words[CAME_COUNT] = {
		"before it had sent a byte",
		"in the middle of its ClientHello",
		"having received its ClientHello",
		"having sent the ServerHello",
	};

	text_add(t, words[client_came(x->f)]);
}

/* Of one that did no more. */
static void add_stopped(struct text *t, const struct facts *x)
{
	static const char *const words[CAME_COUNT] = {
		"connected and sent nothing",
		"stopped in the middle of its ClientHello",
		"sent its ClientHello and nothing more",
		"received the ServerHello and then sent nothing more",
	};

	text_add(t, words[client_came(x->f)]);
}

static void add_or_none(struct text *t, const struct facts *x)
{
	if (!x->f->has_certificate_sent || !x->f->certificate_sent)
		text_add(t, ", or the fact that there was none");
}

static void add_silent_refusal(struct text *t, const struct facts *x)
{
	const struct finding *f = x->f;

	if (f->has_certificate_requested && !f->certificate_requested)
		return;
	text_addf(t, ", and so does a silent refusal of %s",
		  !f->has_certificate_sent ? "the client certificate, or of a client without one"
		  : f->certificate_sent	   ? "the client certificate"
					   : "a client without a certificate");
}

static void add_length(struct text *t, const struct facts *x)
{
	text_addf(t, "%u", x->f->hello.length);
}

/* What most of a long ClientHello is, where one extension is. */
static void add_bulk(struct text *t, const struct facts *x)
{
	const struct finding_hello *hello = &x->f->hello;

	if (hello->session_length > hello->length / 2) {
		text_addf(t, ", of which the session to resume takes %u", hello->session_length);
	} else if (hello->key_shares_length > hello->length / 2) {
		text_add(t, hello->key_share_count == 1 ? ", of which the key share ("
							: ", of which the key shares (");
		finding_add_key_shares(t, hello);
		text_addf(t, hello->key_share_count == 1 ? ") takes %u" : ") take %u",
			  hello->key_shares_length);
	}
}

/* How to make that ClientHello short. */
static void add_shorten(struct text *t, const struct facts *x)
{
	const struct finding_hello *hello = &x->f->hello;

	if (hello->session_length > hello->length / 2)
		program_add_words(t, &x->program, "{setting:no_session_reuse}");
	else if (hello->key_shares_length > hello->length / 2)
		program_add_words(t, &x->program, "{setting:classic_groups}");
	else
		program_add_words(t, &x->program, "fewer cipher suites in {setting:ciphers}");
}

/* How a handshake ended in which the peer did not say a word. */
static void add_end(struct text *t, const struct facts *x)
{
	if (x->c->flags & TLSFAIL_F_PEER_RST) {
		text_add(t, "it reset the connection");
	} else if (x->c->flags & TLSFAIL_F_PEER_FIN) {
		text_add(t, "it closed the connection");
	} else {
		if (x->f->tcp.has_hello_acked && !x->f->tcp.hello_acked)
			text_add(t, "it was retransmitted, never acknowledged, and ");
		program_add_name(t, &x->program);
		text_add(t, " gave up after ");
		text_add_duration(t, x->f->duration_ns);
	}
}

static void add_raw(struct text *t, const struct facts *x)
{
	const struct finding *f = x->f;

	if (f->alert.known)
		text_addf(t, "alert %u %s", f->alert.code, f->alert.received ? "received" : "sent");
	else if (f->openssl.reason_code)
		text_addf(t, "%s reason %u%s%s%s", f->openssl.library, f->openssl.reason_code,
			  f->openssl.reason ? " (" : "", f->openssl.reason ? f->openssl.reason : "",
			  f->openssl.reason ? ")" : "");
	else if (f->closed_by)
		text_addf(t, "%s by the %s side", f->close_kind, f->closed_by);
	else
		text_add(t, "no error and no close were seen");
}

static const struct {
	const char *word;
	void (*add)(struct text *t, const struct facts *facts);
} table[] = {
	{ "shown", add_shown },
	{ "flaw", add_flaw },
	{ "refusal", add_refusal },
	{ "port_protocol", add_port_protocol },
	{ "way_back", add_way_back },
	{ "peer", add_peer },
	{ "local", add_local },
	{ "sni", add_sni },
	{ "name", add_name },
	{ "asked", add_asked },
	{ "versions", add_versions },
	{ "version", add_version },
	{ "host", add_host },
	{ "elapsed", add_elapsed },
	{ "first", add_first },
	{ "code", add_code },
	{ "what", add_what },
	{ "missing_issuer", add_missing_issuer },
	{ "client_fix", add_client_fix },
	{ "our_alert", add_our_alert },
	{ "alert_means", add_alert_means },
	{ "library", add_library },
	{ "verdict", add_verdict },
	{ "alert", add_alert },
	{ "subject", add_subject },
	{ "issuer", add_issuer },
	{ "ended", add_ended },
	{ "begins", add_begins },
	{ "key", add_key },
	{ "chain", add_chain },
	{ "names", add_names },
	{ "ciphers", add_ciphers },
	{ "groups", add_groups },
	{ "protocols", add_protocols },
	{ "answer", add_answer },
	{ "after_retry", add_after_retry },
	{ "progress", add_progress },
	{ "reached", add_reached },
	{ "stopped", add_stopped },
	{ "or_none", add_or_none },
	{ "silent_refusal", add_silent_refusal },
	{ "length", add_length },
	{ "bulk", add_bulk },
	{ "shorten", add_shorten },
	{ "end", add_end },
	{ "error", add_error },
	{ "raw", add_raw },
};
#define WORD_COUNT (sizeof(table) / sizeof(table[0]))

const char *words_name(size_t index)
{
	return index < WORD_COUNT ? table[index].word : NULL;
}

/* Unknown words are left as they are: a test finds them. */
static void add_word(struct text *t, const char *word, size_t len, const struct facts *facts)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (strlen(table[i].word) == len && !memcmp(table[i].word, word, len)) {
			table[i].add(t, facts);
			return;
		}
	if (!program_add_word(t, &facts->program, word, len))
		text_addf(t, "{%.*s}", (int)len, word);
}

void words_add(struct text *t, const char *words, const struct failure *failure,
	       const struct finding *f)
{
	const struct facts facts = {
		.failure = failure,
		.c = failure->conn,
		.f = f,
		.program = { .program = failure->program,
			     .places = failure->places,
			     .places_len = failure->places_len,
			     .executable = f->executable_name },
	};

	for (const char *open, *close; (open = strchr(words, '{')); words = close + 1) {
		close = strchr(open, '}');
		if (!close)
			break;
		text_addf(t, "%.*s", (int)(open - words), words);
		add_word(t, open + 1, (size_t)(close - open - 1), &facts);
	}
	text_add(t, words);
}
