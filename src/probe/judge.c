// SPDX-License-Identifier: BSD-2-Clause
/*
 * A connection of our own, put into the words of a record of the tracer.
 */
#include "probe/judge.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "diagnose/words.h"
#include "program/nginx/nginx.h"

static struct tls_capture bytes_of(const struct dial *d, enum tlsfail_dir dir)
{
	uint64_t all = dir == TLSFAIL_DIR_SENT ? d->conn.tx_bytes : d->conn.rx_bytes;

	return (struct tls_capture){ .data = d->bytes[dir],
				     .len = d->kept[dir],
				     .cut = all > d->kept[dir] };
}

void judge_failure(const struct handshake *h, const struct judge_place *place,
		   struct failure *failure)
{
	*failure = (struct failure){
		.conn = &h->dial.conn,
		.sent = bytes_of(&h->dial, TLSFAIL_DIR_SENT),
		.received = bytes_of(&h->dial, TLSFAIL_DIR_RECEIVED),
		.time_ns = h->time_ns,
		.exe = "",
		.version = OPENSSL_VERSION_STR,
		.host = "",
		.places = place->data,
		.places_len = place->len,
		.program = &program_nginx,
	};
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX && h->certs[i]; i++)
		failure->certs[i] =
			(struct tls_capture){ .data = h->certs[i], .len = h->cert_lens[i] };
}

/* What TCP alone says: here connect() itself has said why. */
static void tcp_words(const struct handshake *h, struct finding *f)
{
	const char *words = h->error == ETIMEDOUT      ? "did not answer the SYN in time"
			    : h->error == EHOSTUNREACH ? "cannot be reached: no route to the host"
			    : h->error == ENETUNREACH ? "cannot be reached: no route to its network"
						      : NULL;
	struct text t;

	f->cause = !words		   ? "unknown"
		   : h->error == ETIMEDOUT ? "connect-timeout"
					   : "connect-unreachable";
	f->confidence = CONFIDENCE_HIGH;
	text_init(&t, f->message, sizeof(f->message));
	words_add_endpoint(&t, &f->peer);
	text_addf(&t, " %s%s.",
		  words ? words : "cannot be reached: ", words ? "" : strerror(h->error));
	text_init(&t, f->hint, sizeof(f->hint));
	text_add(&t, "check the address, routing and firewalls on the path");
}

static void before_words(const struct handshake *h, struct finding *f)
{
	struct text t;

	f->cause = "peer-not-tls-other";
	f->confidence = CONFIDENCE_MEDIUM;
	text_init(&t, f->message, sizeof(f->message));
	words_add_endpoint(&t, &f->peer);
	text_addf(&t, " did not agree to start TLS: %s.", h->words);
	text_init(&t, f->hint, sizeof(f->hint));
	text_add(&t, "correct the port, or the protocol of --starttls");
}

void judge(const struct handshake *h, const struct judge_place *place, struct diagnose_work *work,
	   struct finding *f)
{
	struct failure failure;
	struct text t;

	judge_failure(h, place, &failure);
	diagnose(&failure, work, f);
	switch (h->end) {
	case HANDSHAKE_FAILS:
		return;
	case HANDSHAKE_NO_TCP:
		tcp_words(h, f);
		break;
	case HANDSHAKE_NO_TLS:
		before_words(h, f);
		break;
	case HANDSHAKE_WORKS:
	case HANDSHAKE_UNTRIED:
		f->cause = NULL;
		f->confidence = CONFIDENCE_HIGH;
		f->hint[0] = '\0';
		text_init(&t, f->message, sizeof(f->message));
		text_add(&t, h->words);
		break;
	}
	f->candidate_count = 0;
	memset(&f->config.patch, 0, sizeof(f->config.patch));
}
