// SPDX-License-Identifier: BSD-2-Clause
/*
 * A stream of records, through all that turns them into findings. Input: a recording.
 */
#include <stdlib.h>
#include <string.h>

#include "diagnose/correlate.h"
#include "record/decode.h"
#include "diagnose/diagnose.h"
#include "fuzz.h"
#include "harmless.h"
#include "stream.h"

struct state {
	struct correlator *correlator;
	struct peers *peers;
};

static struct decoded record;
static struct failure failure;
static struct diagnose_work work;
static struct finding finding;
static struct finding again;

static void check_hello(const struct finding_hello *hello)
{
	FUZZ_ASSERT(is_harmless(hello->server_name));
	FUZZ_ASSERT(hello->version_count <= FINDING_VERSIONS_MAX);
	for (unsigned int i = 0; i < hello->alpn_count && i < FINDING_ALPN_MAX; i++)
		FUZZ_ASSERT(is_harmless(hello->alpn[i]));
}

static void check_certificate(const struct finding_certificate *certificate)
{
	FUZZ_ASSERT(is_harmless(certificate->subject));
	FUZZ_ASSERT(is_harmless(certificate->issuer));
	FUZZ_ASSERT(is_harmless(certificate->common_name));
	for (unsigned int i = 0; i < certificate->name_count && i < FINDING_SAN_MAX; i++)
		FUZZ_ASSERT(is_harmless(certificate->names[i]));
}

static void check_config(const struct finding_config *config)
{
	FUZZ_ASSERT(config->place_count <= FINDING_PLACES_MAX);
	for (unsigned int i = 0; i < config->place_count; i++) {
		FUZZ_ASSERT(is_harmless(config->places[i].file));
		FUZZ_ASSERT(is_harmless(config->places[i].location));
		FUZZ_ASSERT(is_harmless(config->places[i].server));
		FUZZ_ASSERT(is_harmless(config->places[i].upstream));
	}
	FUZZ_ASSERT(config->setting_count <= FINDING_SETTINGS_MAX);
	for (unsigned int i = 0; i < config->setting_count; i++)
		FUZZ_ASSERT(is_harmless(config->settings[i]));
	for (const char *at = config->patch; *at; at++)
		FUZZ_ASSERT(*at == '\n' || *at == '\t' || (unsigned char)*at >= ' ');
}

static void check_finding(void)
{
	FUZZ_ASSERT(finding.cause && finding.phase && finding.role);
	FUZZ_ASSERT(finding.message[0] && is_harmless(finding.message));
	FUZZ_ASSERT(is_harmless(finding.hint));
	FUZZ_ASSERT(finding.evidence_count <= FINDING_EVIDENCE_MAX);
	for (unsigned int i = 0; i < finding.evidence_count; i++)
		FUZZ_ASSERT(is_harmless(finding.evidence[i]));
	FUZZ_ASSERT(is_harmless(finding.executable_path));
	FUZZ_ASSERT(is_harmless(finding.executable_name));
	FUZZ_ASSERT(is_harmless(finding.host_name));
	FUZZ_ASSERT(is_harmless(finding.openssl.function));
	FUZZ_ASSERT(is_harmless(finding.openssl.version));
	FUZZ_ASSERT(is_harmless(finding.choice.next_protocol));
	check_config(&finding.config);
	check_hello(&finding.hello);
	check_certificate(&finding.certificate);
}

/* Counts that contradict each other are survived. */
static void peer_feed(struct correlator *correlator, struct peers *peers)
{
	struct peer_recovery recovery;
	struct peer_summary summary;
	size_t at = 0;

	if (peers_read(peers, &record.peer, &recovery))
		diagnose_recovery(&record.peer, &recovery, recovery.t, correlator_host(correlator),
				  &finding);
	while (peers_summarize(peers, record.peer.t, true, &at, &summary)) {
		diagnose_summary(&summary, record.peer.t, record.peer.t,
				 correlator_host(correlator), &finding);
		FUZZ_ASSERT(is_harmless(finding.message));
	}
}

static void record_feed(void *context, const uint8_t *data, size_t len)
{
	const struct state *state = context;
	struct correlator *correlator = state->correlator;
	struct peers *peers = state->peers;
	const char *problem = NULL;
	int ret = decode_record(data, len, &record, &problem);

	if (ret) {
		FUZZ_ASSERT(problem);
		return;
	}
	if (record.type == TLSFAIL_REC_LOSS) {
		diagnose_loss(&record.loss, 0, correlator_host(correlator), &finding);
		return;
	}
	if (record.type == TLSFAIL_REC_PEER) {
		peer_feed(correlator, peers);
		return;
	}
	if (correlator_feed(correlator, &record, &failure) <= 0)
		return;
	peers_failed(peers, failure.conn, &failure.history);
	diagnose(&failure, &work, &finding);
	check_finding();
	diagnose(&failure, &work, &again);
	FUZZ_ASSERT(memcmp(&finding, &again, sizeof(finding)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state state = { .correlator = correlator_new(), .peers = peers_new(NULL) };

	if (!state.correlator || !state.peers)
		abort();
	stream_each(data, size, record_feed, &state);
	peers_free(state.peers);
	correlator_free(state.correlator);
	return 0;
}
