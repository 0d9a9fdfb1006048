#pragma once
/*
 * What the files of the plan share: which formats count, packet times, and the
 * choice of a pair. Pure functions.
 */
#include "media/plan/plan.h"

enum { TL_PTIME_MAX_MS = 120, TL_PTIME_DEFAULT_MS = 20, TL_PAYLOAD_BYTES = 1400 };

/* Can this number stand for a format? Not one that RTCP would be mistaken for (RFC 5761 4). */
bool tl_plan_pt_usable(unsigned pt, bool rtcp_mux);
bool tl_plan_allows(const struct tl_media_policy *policy, const struct tl_codec *codec);
/* The event format to use beside an audio clock: that clock's (RFC 4733 2.1), else the 8000 Hz
 * one, which some phones say beside Opus and mean for it, else any. NULL: none. */
const struct tl_event_format *tl_plan_event(const struct tl_media_desc *desc, unsigned clock_hz);

/* The comfort noise to use beside a codec: at its clock, and unless it has its own. NULL: none. */
const struct tl_noise_format *tl_plan_noise(const struct tl_media_desc *desc,
					    const struct tl_codec *codec);

/* The packet time to send: wished (0: no wish), in whole frames,
 * not over max_ms (0: no limit) nor what fits a packet. */
unsigned tl_plan_ptime(const struct tl_format *format, unsigned wished_ms, unsigned max_ms);
/* May packets of one go out as the other's, untouched? Packet times: what comes, what is wanted
 * and what is the most, 0 not said. */
bool tl_plan_relays(const struct tl_format *in, unsigned in_ptime_ms, const struct tl_format *out,
		    unsigned out_ptime_ms, unsigned out_max_ms);

/* Formats in order of preference that a side could speak. */
struct tl_plan_list {
	size_t n;
	const struct tl_format *v[TL_DESC_FORMATS];
};
/* What a transcoded pair is worth: more is better. Below 0: this machine can't. */
long tl_plan_pair_worth(const struct tl_format *a, const struct tl_format *b);

/* plan_t38.c */
/* The first that a fax modem can be heard through, or NULL. */
const struct tl_format *tl_plan_find_g711(const struct tl_plan_list *list);
/* As tl_plan_answer() and tl_plan_offer(), of fax, or beside a leg that has it. */
int tl_plan_answer_t38(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
		       const struct tl_media_desc *peer, struct tl_media_desc *ret_answer);
void tl_plan_fill_t38(struct tl_side_plan *side, const struct tl_media_desc *local,
		      const struct tl_media_desc *remote);

/* plan_crypto.c */
/* Our lines of an offer, as the policy wants. */
void tl_plan_offer_crypto(const struct tl_media_policy *policy, struct tl_media_desc *offer);
/* Our line of an answer. -ENOENT: encryption that one of both wants can't be. */
int tl_plan_answer_crypto(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
			  struct tl_media_desc *answer);
/* The keys of a side. -ENOENT: as above. */
int tl_plan_crypto(struct tl_side_plan *side, const struct tl_media_desc *local,
		   const struct tl_media_desc *remote);
