#include <errno.h>
#include <string.h>

#include "media/plan/plan_priv.h"

static void add(struct tl_media_desc *desc, unsigned tag, enum tl_srtp_suite suite,
		const struct tl_srtp_keys *keys)
{
	struct tl_crypto *crypto = &desc->crypto[desc->n_crypto++];

	crypto->tag = tag;
	crypto->suite = suite;
	memcpy(crypto->key, keys->v[suite], sizeof crypto->key);
}

void tl_plan_offer_crypto(const struct tl_media_policy *policy, struct tl_media_desc *offer)
{
	enum tl_srtp_mode mode = policy->srtp > policy->srtp_now ? policy->srtp : policy->srtp_now;

	if (mode < TL_SRTP_MODE_OFFER)
		return;
	offer->savp = mode == TL_SRTP_MODE_REQUIRED;
	for (int suite = TL_SRTP_NONE + 1; suite < _TL_SRTP_SUITE_MAX; suite++)
		add(offer, (unsigned)suite, (enum tl_srtp_suite)suite, &policy->srtp_keys);
}

void tl_plan_renew_keys(struct tl_media_policy *policy, struct tl_media_desc *local)
{
	if (policy->srtp == TL_SRTP_MODE_OFF)
		return;
	tl_srtp_keys_make(&policy->srtp_keys);
	for (size_t i = 0; local && i < local->n_crypto; i++)
		memcpy(local->crypto[i].key, policy->srtp_keys.v[local->crypto[i].suite],
		       sizeof local->crypto[i].key);
}

bool tl_plan_crypto_fits(const struct tl_media_desc *offer, const struct tl_media_policy *policy)
{
	bool wanted = offer->savp || policy->srtp == TL_SRTP_MODE_REQUIRED;

	return !wanted || (policy->srtp != TL_SRTP_MODE_OFF && offer->n_crypto > 0);
}

/* RFC 4568 5.1.2: one line of the offer, the first that we know, under its own tag. */
int tl_plan_answer_crypto(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
			  struct tl_media_desc *answer)
{
	if (!tl_plan_crypto_fits(offer, policy))
		return -ENOENT;
	if (policy->srtp == TL_SRTP_MODE_OFF || offer->n_crypto == 0)
		return 0;
	answer->savp = offer->savp;
	add(answer, offer->crypto[0].tag, offer->crypto[0].suite, &policy->srtp_keys);
	return 0;
}

int tl_plan_crypto(struct tl_side_plan *side, const struct tl_media_desc *local,
		   const struct tl_media_desc *remote)
{
	if (tl_crypto_pair(local->crypto, local->n_crypto, remote->crypto, remote->n_crypto,
			   &side->send_crypto, &side->receive_crypto))
		return 0;
	return local->savp || remote->savp ? -ENOENT : 0;
}
