/* Fax in plans: T.38 on both sides is passed on, on one side it meets G.711. */
#include <errno.h>

#include "media/address.h"
#include "media/plan/plan_priv.h"

enum { PCMU_PT = 0, PCMA_PT = 8 };

static bool is_g711(const struct tl_codec *codec)
{
	return codec->static_pt == PCMU_PT || codec->static_pt == PCMA_PT;
}

const struct tl_format *tl_plan_find_g711(const struct tl_plan_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_g711(list->v[i]->codec))
			return list->v[i];
	return NULL;
}

/* UDPTL has no keys: nothing goes in clear on a leg that is, or has to be, encrypted. */
static bool is_allowed(const struct tl_media_policy *policy)
{
	return policy->t38 && policy->srtp != TL_SRTP_MODE_REQUIRED &&
	       policy->srtp_now == TL_SRTP_MODE_OFF;
}

int tl_plan_answer_t38(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
		       const struct tl_media_desc *peer, struct tl_media_desc *ret_answer)
{
	if (!is_allowed(policy))
		return -ENOENT;
	*ret_answer = (struct tl_media_desc) {
		.t38 = tl_t38_answer(&offer->t38, peer && peer->t38.on ? &peer->t38 : NULL),
		.direction = tl_direction_mirror(offer->direction),
	};
	return 0;
}

int tl_plan_offer_t38(const struct tl_media_desc *peer, const struct tl_media_policy *policy,
		      struct tl_media_desc *ret_offer)
{
	struct tl_t38 ours = tl_t38_ours();

	if (!is_allowed(policy))
		return -ENOENT;
	*ret_offer = (struct tl_media_desc) { .t38 = ours, .direction = TL_DIR_SENDRECV };
	if (!peer || !peer->t38.on)
		return 0;
	ret_offer->t38 = peer->t38;
	ret_offer->t38.max_buffer_bytes = ours.max_buffer_bytes;
	ret_offer->t38.max_datagram_bytes = ours.max_datagram_bytes;
	return 0;
}

int tl_plan_offer_g711(const struct tl_media_policy *policy, struct tl_media_desc *ret_offer)
{
	struct tl_media_desc offer = { .direction = TL_DIR_SENDRECV };

	for (size_t i = 0; i < policy->n_codecs; i++)
		if (is_g711(policy->codecs[i]))
			offer.formats[offer.n_formats++] =
				(struct tl_format) { .codec = policy->codecs[i],
						     .pt = (uint8_t)policy->codecs[i]->static_pt };
	if (!offer.n_formats)
		return -ENOENT;
	tl_plan_offer_crypto(policy, &offer);
	offer.ptime_ms = tl_plan_ptime(&offer.formats[0], 0, 0);
	*ret_offer = offer;
	return 0;
}

static bool has_compatible(const struct tl_media_desc *desc, const struct tl_format *format)
{
	for (size_t i = 0; i < desc->n_formats; i++)
		if (tl_format_compatible(&desc->formats[i], format))
			return true;
	return false;
}

bool tl_plan_hears_modems(const struct tl_media_desc *local, const struct tl_media_desc *remote)
{
	struct tl_media_desc common;

	tl_plan_common(local, remote, &common);
	return common.n_formats && is_g711(common.formats[0].codec);
}

void tl_plan_common(const struct tl_media_desc *local, const struct tl_media_desc *remote,
		    struct tl_media_desc *ret)
{
	*ret = *local;
	ret->n_formats = 0;
	for (size_t i = 0; i < local->n_formats; i++)
		if (has_compatible(remote, &local->formats[i]))
			ret->formats[ret->n_formats++] = local->formats[i];
}

void tl_plan_fill_t38(struct tl_side_plan *side, const struct tl_media_desc *local,
		      const struct tl_media_desc *remote)
{
	union tl_address rtp = tl_address_from((const struct sockaddr *)&local->rtp);

	side->open = true;
	side->t38 = tl_t38_agree(&local->t38, &remote->t38);
	side->send = (local->direction & TL_DIR_SENDONLY) &&
		     (remote->direction & TL_DIR_RECVONLY) && !tl_plan_is_any_address(&remote->rtp);
	side->receive =
		(local->direction & TL_DIR_RECVONLY) && (remote->direction & TL_DIR_SENDONLY);
	side->remote = remote->rtp;
	side->local_port = tl_address_port(&rtp);
	/* of no use, yet a format of a known clock: nobody has to ask for it */
	side->send_format =
		(struct tl_format) { .codec = tl_codec_by_static_pt(PCMA_PT), .pt = PCMA_PT };
	side->send_ptime_ms = TL_PTIME_DEFAULT_MS;
}
