// SPDX-License-Identifier: BSD-2-Clause
/*
 * What reaches the analyst beside records: messages of the collector (input 'm'), answers about files
 * (input 'f'), and what another one before it has left (input 'e').
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/units.h"
#include "command/exporter.h"
#include "command/message.h"
#include "diagnose/certwatch.h"
#include "diagnose/fold.h"
#include "diagnose/peers.h"
#include "fuzz.h"
#include "metrics/metrics.h"
#include "system/fileswire.h"

#define ESTATE_SIZE (8U << 20)
#define WRITTEN	    (32U << 10)
#define NAMES	    4

static struct message message;
static struct files_reply reply;
static uint8_t written[MESSAGE_MAX];

static void outputs_check(void)
{
	const struct message_outputs *o = &message.outputs;

	FUZZ_ASSERT(o->count > 0 && o->count <= OUTPUTS_MAX);
	for (size_t i = 0; i < o->count; i++)
		FUZZ_ASSERT(o->specs[i] >= o->words &&
			    o->specs[i] + strlen(o->specs[i]) < o->words + sizeof(o->words));
}

static void message_check(const uint8_t *data, size_t size)
{
	if (!message_read(data, size, &message))
		return;
	if (message.type == MESSAGE_OUTPUTS)
		outputs_check();
	if (message.type == MESSAGE_FIGURES)
		FUZZ_ASSERT(message.figures.probes.count <= PROBE_RUNS_MAX);
	if (message.type == MESSAGE_RECORD)
		FUZZ_ASSERT(message.record.len <= sizeof(message.record.data));
	FUZZ_ASSERT(message_write(&message, written) == size);
}

static void reply_check(const uint8_t *data, size_t size)
{
	if (!fileswire_reply_read(data, size, &reply))
		return;
	FUZZ_ASSERT(reply.err <= 0 && reply.parent >= 0);
	FUZZ_ASSERT(reply.data_len <= sizeof(reply.data));
	FUZZ_ASSERT(fileswire_reply_write(&reply, written) == size);
}

static void metrics_check(struct estate *estate)
{
	struct metrics *metrics = metrics_new(NAMES, &exporter_names, estate);
	static char page[1 << 20];
	struct text text;

	FUZZ_ASSERT(metrics);
	text_init(&text, page, sizeof(page));
	metrics_write(metrics, EXPOSITION_TEXT, &text);
	metrics_free(metrics);
}

static void fold_check(struct estate *estate)
{
	struct fold *fold = fold_new(NS_PER_S, 0, estate);
	static struct finding finding;

	FUZZ_ASSERT(fold);
	while (fold_tell_rest(fold, &finding))
		FUZZ_ASSERT(finding.cause && *finding.cause);
	fold_free(fold);
}

static void peers_check(struct estate *estate)
{
	struct peers *peers = peers_new(estate);
	struct peer_summary summary;
	struct peer_failing failing;
	size_t at = 0;

	FUZZ_ASSERT(peers);
	while (peers_failing(peers, NS_PER_S, &at, &failing))
		FUZZ_ASSERT(!failing.cause || *failing.cause);
	at = 0;
	while (peers_summarize(peers, NS_PER_S, true, &at, &summary))
		FUZZ_ASSERT(strlen(summary.upstream) < PEERS_UPSTREAM_LEN);
	peers_free(peers);
}

/* One that has a validity, made once. */
static struct tls_capture certificate(void)
{
	static uint8_t *der;
	static int len;
	EVP_PKEY *key = der ? NULL : EVP_EC_gen("P-256");
	X509 *x = der ? NULL : X509_new();

	if (!der) {
		X509_gmtime_adj(X509_getm_notBefore(x), 0);
		X509_gmtime_adj(X509_getm_notAfter(x), 1000);
		X509_set_pubkey(x, key);
		X509_sign(x, key, EVP_sha256());
		len = i2d_X509(x, &der);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	FUZZ_ASSERT(len > 0);
	return (struct tls_capture){ .data = der, .len = (size_t)len };
}

static void certificates_check(struct estate *estate)
{
	const struct certwatch_options options = { .seen = true };
	const struct tlsfail_certs record = { .cert_count = 1, .family = 2 };
	struct sighting sighting = { .record = &record, .exe = "", .host = "" };
	struct certwatch *watch = certwatch_new(&options, estate);
	static struct finding finding;

	FUZZ_ASSERT(watch);
	sighting.certs[0] = certificate();
	(void)certwatch_tell(watch, &sighting, CERTWATCH_SEEN, &finding);
	FUZZ_ASSERT(!certwatch_tell(watch, &sighting, CERTWATCH_SEEN, &finding));
	certwatch_free(watch);
}

/* The input is written over and over: what comes far behind is reached, too. */
static void estate_check(const uint8_t *data, size_t size, void (*check)(struct estate *estate))
{
	static _Alignas(64) uint8_t memory[ESTATE_SIZE];
	static size_t used = WRITTEN; /* by the last one */
	struct estate estate = { .memory = memory, .size = sizeof(memory) };

	memset(memory, 0, used);
	for (size_t at = 0; size && at < WRITTEN; at += size)
		memcpy(memory + at, data, size < WRITTEN - at ? size : WRITTEN - at);
	check(&estate);
	used = estate.used > WRITTEN ? estate.used : WRITTEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == 'm')
		message_check(data + 1, size - 1);
	else if (size && data[0] == 'f')
		reply_check(data + 1, size - 1);
	else if (size > 1 && data[0] == 'e')
		estate_check(data + 2, size - 2,
			     data[1] & 1   ? metrics_check
			     : data[1] & 2 ? fold_check
			     : data[1] & 4 ? certificates_check
					   : peers_check);
	return 0;
}
