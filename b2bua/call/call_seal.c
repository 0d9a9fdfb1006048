#include "b2bua/call/call_seal.h"
#include <string.h>

/* A key goes on as long as its stream does (RFC 4568 7.1.4). */
static void add(struct tl_stream *ours, unsigned tag, enum tl_srtp_suite suite,
		const struct tl_stream *before)
{
	struct tl_crypto *crypto = &ours->crypto[ours->n_crypto++];
	struct tl_srtp_keys fresh;

	*crypto = (struct tl_crypto) { .tag = tag, .suite = suite };
	for (size_t i = 0; before && i < before->n_crypto; i++) {
		if (before->crypto[i].suite != suite)
			continue;
		memcpy(crypto->key, before->crypto[i].key, sizeof(crypto->key));
		return;
	}
	tl_srtp_keys_make(&fresh);
	memcpy(crypto->key, fresh.v[suite], sizeof(crypto->key));
}

void tl_seal_offer(const struct tl_call_media *m, const struct tl_stream *before,
		   struct tl_stream *ours)
{
	enum tl_srtp_mode mode = MAX(m->policy.srtp, m->policy.srtp_now);

	ours->n_crypto = 0;
	ours->rtcp_mux = false;
	ours->savp = mode == TL_SRTP_MODE_REQUIRED;
	if (mode < TL_SRTP_MODE_OFFER)
		return;
	add(ours, 1, TL_SRTP_AEAD_AES_128_GCM, before);
	add(ours, 2, TL_SRTP_AES_CM_128_HMAC_SHA1_80, before);
}

bool tl_seal_answer(const struct tl_call_media *m, const struct tl_stream *before,
		    const struct tl_stream *theirs, struct tl_stream *ours)
{
	ours->n_crypto = 0;
	ours->rtcp_mux = theirs->rtcp_mux;
	ours->savp = theirs->savp;
	if (theirs->n_crypto == 0 || m->policy.srtp == TL_SRTP_MODE_OFF)
		return !theirs->savp && m->policy.srtp != TL_SRTP_MODE_REQUIRED;
	add(ours, theirs->crypto[0].tag, theirs->crypto[0].suite, before);
	return true;
}

bool tl_seal_plan(const struct tl_stream *ours, const struct tl_stream *theirs,
		  struct tl_stream_side *ret)
{
	ret->rtcp_mux = ours->rtcp_mux && theirs->rtcp_mux;
	return tl_crypto_pair(ours->crypto, ours->n_crypto, theirs->crypto, theirs->n_crypto,
			      &ret->send_crypto, &ret->receive_crypto) ||
	       !(ours->savp || theirs->savp);
}
