/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The golden recordings, cut: what real peers said, as far as it was kept. Cut at every length, the
 * bytes of a handshake are never misread; and whatever is left of them, the words and the ladder of
 * the finding are fit for a terminal of 80 columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "record/decode.h"
#include "diagnose/diagnose.h"
#include "diagnose/invariants.h"
#include "finding/reader.h"
#include "harmless.h"
#include "kept.h"
#include "output/ladder.h"
#include "output/sink.h"
#include "record/recording.h"
#include "base/text.h"

#define RECORDINGS   "tests/golden/*.rec" /* the tests are run where make is */
#define LADDER_LEN   32768
#define LADDER_SHIFT 9 /* as the text sink has it */
#define PIECES	     8

static struct diagnose_work work;
static struct finding finding;

/* Calls check for each failure of each recording. */
static void for_each_failure(void (*check)(const struct failure *failure))
{
	struct text error;
	char words[256];
	glob_t files;
	size_t count = 0;

	assert_int_equal(glob(RECORDINGS, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct correlator *correlator = correlator_new();
		struct recording *recording;
		const void *data;
		size_t len;

		assert_non_null(correlator);
		text_init(&error, words, sizeof(words));
		if (recording_open(files.gl_pathv[i], &recording, &error))
			fail_msg("%s", words);
		while (recording_next(recording, &data, &len, &error) > 0) {
			struct failure failure;
			struct decoded record;
			const char *problem;

			assert_int_equal(decode_record(data, len, &record, &problem), 0);
			if (correlator_feed(correlator, &record, &failure) != 1)
				continue;
			check(&failure);
			count++;
		}
		recording_close(recording);
		correlator_free(correlator);
	}
	assert_true(count >= files.gl_pathc);
	globfree(&files);
}

/* ---- Cut at every length --------------------------------------------------------------------- */

/* The first len bytes, in an allocation that ends with them. */
static struct tls_capture capture_cut(const struct tls_capture *whole, size_t len)
{
	struct tls_capture part = { malloc(len ? len : 1), len, whole->cut || len < whole->len };

	assert_non_null(part.data);
	if (len)
		memcpy((uint8_t *)part.data, whole->data, len);
	return part;
}

static void assert_kept(const struct tls_capture *sent, const struct tls_capture *received,
			const struct tls_view *whole)
{
	static struct tls_view part;

	tlswire_parse(sent, received, &part);
	assert_view_kept(&part, whole);
}

static void check_cuts(const struct failure *f)
{
	static struct tls_view whole;

	tlswire_parse(&f->sent, &f->received, &whole);
	for (size_t len = 0; len < f->sent.len; len++) {
		struct tls_capture part = capture_cut(&f->sent, len);

		assert_kept(&part, &f->received, &whole);
		free((void *)part.data);
	}
	for (size_t len = 0; len < f->received.len; len++) {
		struct tls_capture part = capture_cut(&f->received, len);

		assert_kept(&f->sent, &part, &whole);
		free((void *)part.data);
	}
}

static void test_cut_everywhere(void **state)
{
	(void)state;
	for_each_failure(check_cuts);
}

/* ---- Words and ladder ------------------------------------------------------------------------ */

static size_t columns_of(const char *line, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)line[i] & 0xc0) != 0x80;
	return columns;
}

static void assert_ladder(bool utf8)
{
	static char ladder[LADDER_LEN];
	struct text text;

	text_init(&text, ladder, sizeof(ladder));
	ladder_add(&text, &finding, LADDER_SHIFT, TEXT_COLUMNS, utf8);
	for (const char *line = ladder; *line;) {
		const char *end = strchr(line, '\n');

		assert_non_null(end);
		if (columns_of(line, (size_t)(end - line)) > TEXT_COLUMNS)
			fail_msg("too long: %.*s", (int)(end - line), line);
		line = end + 1;
	}
	for (const char *c = ladder; *c; c++)
		assert_true(*c == '\n' || (utf8 ? *c < 0 || *c >= ' ' : *c >= ' ' && *c <= '~'));
}

static void assert_fit(const struct failure *failure)
{
	diagnose(failure, &work, &finding);
	assert_int_equal(finding.contradictions, 0);
	assert_null(invariant_broken(failure, &finding));
	assert_true(is_harmless(finding.message));
	assert_true(is_harmless(finding.hint));
	assert_null(strpbrk(finding.message, "{}"));
	assert_null(strpbrk(finding.hint, "{}"));
	assert_true(finding.evidence_count < FINDING_EVIDENCE_MAX);
	for (unsigned int i = 0; i < finding.evidence_count; i++)
		assert_true(is_harmless(finding.evidence[i]));
	for (unsigned int i = 0; i < finding.timeline_count; i++)
		assert_true(is_harmless(finding.timeline[i].what));
	assert_ladder(true);
	assert_ladder(false);
}

/* As a whole, and with less and less of either direction. */
static void check_pieces(const struct failure *whole)
{
	for (size_t i = 0; i <= PIECES; i++) {
		struct failure part = *whole;

		part.sent = capture_cut(&whole->sent, whole->sent.len * i / PIECES);
		assert_fit(&part);
		free((void *)part.sent.data);
		part = *whole;
		part.received = capture_cut(&whole->received, whole->received.len * i / PIECES);
		assert_fit(&part);
		free((void *)part.received.data);
	}
}

static void test_words_and_ladder(void **state)
{
	(void)state;
	for_each_failure(check_pieces);
}

/* ---- Written as JSON, and read back ----------------------------------------------------------- */

static void text_of(const struct finding *f, char words[LADDER_LEN])
{
	static const struct sink_options options = { .verbose = true,
						     .ladder = true,
						     .utf8 = true };
	struct text text;

	text_init(&text, words, LADDER_LEN);
	sink_type_text.format(&options, f, &text);
	assert_false(text.cut);
}

/* People are shown the same. */
static void check_read_back(const struct failure *failure)
{
	static const struct sink_options options;
	static char json[LADDER_LEN * 4], before[LADDER_LEN], after[LADDER_LEN];
	static struct reader reader;
	struct text text;
	size_t same = 0;

	diagnose(failure, &work, &finding);
	/* that is said by the program, which nobody has looked for here */
	if (finding.log_line.known && !finding.log_line.level)
		finding.log_line.level = "error";
	text_init(&text, json, sizeof(json));
	sink_type_json.format(&options, &finding, &text);
	assert_int_equal(reader_read(&reader, json, text.len), READER_FINDING);
	text_of(&finding, before);
	text_of(&reader.finding, after);
	while (before[same] && before[same] == after[same])
		same++;
	if (before[same] != after[same])
		fail_msg("'%.60s' was read back as '%.60s'", before + same, after + same);
}

static void test_read_back(void **state)
{
	(void)state;
	for_each_failure(check_read_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_words_and_ladder),
		cmocka_unit_test(test_read_back),
	};

	return cmocka_run_group_tests_name("recorded", tests, NULL, NULL);
}
