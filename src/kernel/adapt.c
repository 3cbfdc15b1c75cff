// SPDX-License-Identifier: BSD-2-Clause
/*
 * A rule for each fact. Attached to is what has brought news lately; what was hit in vain often enough since
 * is detached from. A host where little happens stays attached, as it costs little there.
 */
#include "kernel/adapt.h"

#define NONE TLSFAIL_DEMANDS /* nothing is counted */

struct rule {
	enum lib_fact fact;
	bool on; /* from the start */
	enum tlsfail_demand news;
	enum tlsfail_demand failed;
	enum tlsfail_demand vain;
	uint64_t vain_max;
	uint64_t again_ns; /* 0: never by itself */
	bool stays; /* once there was news: without it a failure would be missed, and not only its reason */
};

static const struct rule rules[ADAPT_FACTS] = {
	{ LIB_CERTIFICATE, true, TLSFAIL_D_CERT_NEWS, TLSFAIL_D_CERT_FAILED, TLSFAIL_D_CERT_KNOWN,
	  ADAPT_CERT_VAIN, ADAPT_CERT_AGAIN_NS, false },
	{ LIB_VERIFY, true, TLSFAIL_D_VERIFY_CLIENT, TLSFAIL_D_VERIFY_FAILED, TLSFAIL_D_VERIFY_IDLE,
	  ADAPT_VERIFY_VAIN, 0, true },
	{ LIB_HANDSHAKE, false, NONE, TLSFAIL_D_OWNER, NONE, 0, 0, false },
};

static uint64_t counted(const __u64 demands[TLSFAIL_DEMANDS], enum tlsfail_demand what)
{
	return what == NONE ? 0 : ((const volatile __u64 *)demands)[what];
}

void adapt_init(struct adapt *adapt, const bool allowed[LIB_FACT_COUNT])
{
	*adapt = (struct adapt){ 0 };
	for (size_t i = 0; i < ADAPT_FACTS; i++) {
		enum lib_fact fact = rules[i].fact;

		adapt->facts[i].fact = allowed[fact] ? fact : LIB_FACT_COUNT;
		adapt->facts[i].on = rules[i].on;
	}
}

static bool is_wanted(struct adapt_fact *f, const struct rule *rule, const __u64 *demands,
		      uint64_t now)
{
	uint64_t news = counted(demands, rule->news), failed = counted(demands, rule->failed);
	uint64_t vain = counted(demands, rule->vain);

	if (failed != f->failed)
		f->until = now + ADAPT_HOLD_NS;
	if (failed != f->failed || news != f->news) {
		f->failed = failed;
		f->news = news;
		f->vain = vain;
		return true;
	}
	if (!f->on)
		return rule->again_ns && now - f->off_at >= rule->again_ns;
	return (rule->stays && news) || now < f->until || vain - f->vain < rule->vain_max;
}

const struct adapt_fact *adapt_next(struct adapt *adapt, const __u64 demands[TLSFAIL_DEMANDS],
				    uint64_t now)
{
	for (size_t i = 0; i < ADAPT_FACTS; i++) {
		struct adapt_fact *f = &adapt->facts[i];
		bool wanted;

		if (f->fact == LIB_FACT_COUNT)
			continue;
		wanted = is_wanted(f, &rules[i], demands, now);
		if (wanted == f->on)
			continue;
		f->on = wanted;
		f->vain = counted(demands, rules[i].vain);
		f->off_at = now;
		return f;
	}
	return NULL;
}
