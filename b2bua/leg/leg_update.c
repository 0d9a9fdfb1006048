/*
 * Offers of ours before the answer: an UPDATE (RFC 3311), once the first offer has been answered
 * reliably, to the early dialog that the owner has chosen.
 *
 *   183 tag=x RSeq 7 SDP   tl_leg_choose()
 *   UPDATE x, offer        tl_leg_offer_early(): our target is that of x
 *   200 tag=x, answer      REANSWERED
 *   200 tag=y              another one has answered the INVITE: OFFER_REFUSED
 *
 * And the option tag that goes with descriptions which are passed on (RFC 3312 11): who reserves
 * what, the parties agree among themselves.
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

static int send_update(struct tl_leg *leg)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	sip_payload_t *payload = tl_leg_payload(leg, home, leg->update_offer, false);
	const sip_to_t *to = tl_leg_early_aim(leg);

	leg->update_out = tl_leg_send(
		leg, on_response, SIP_METHOD_UPDATE, SIPTAG_TO(leg->incoming ? NULL : to),
		SIPTAG_CONTACT_STR(leg->contact), SIPTAG_ALLOW_STR(TL_ALLOW),
		SIPTAG_ACCEPT_STR(TL_ACCEPT),
		SIPTAG_SUPPORTED_STR(tl_leg_supported(leg, home, "100rel")),
		SIPTAG_REQUIRE_STR(tl_leg_required(leg)),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD(payload), TAG_END());
	su_home_deinit(home);
	if (!leg->update_out)
		return -EIO;
	g_ptr_array_add(leg->others, leg->update_out);
	return 0;
}

/* Has the peer, or the chosen one of them, got and given an answer that holds? */
static bool is_settled(const struct tl_leg *leg)
{
	if (leg->incoming)
		return tl_leg_is_settled(leg) && !leg->unacknowledged && leg->peer_updates;
	return tl_leg_early_takes_update(leg);
}

int tl_leg_offer_early(struct tl_leg *leg, const struct tl_media_desc *offer)
{
	int r;

	if (leg->state != TL_LEG_EARLY || !is_settled(leg))
		return -EAGAIN;
	if (leg->update_offer || leg->update || leg->pending != TL_PENDING_NONE)
		return -EBUSY;
	leg->update_offer = tl_media_desc_keep(offer);
	r = send_update(leg);
	if (r < 0)
		g_clear_pointer(&leg->update_offer, g_free);
	return r;
}

static void refused(struct tl_leg *leg, int status)
{
	g_clear_pointer(&leg->update_offer, g_free);
	if (leg->state == TL_LEG_CLOSING || leg->state == TL_LEG_OVER)
		return;
	tl_leg_emit_cause(leg, TL_LEG_OFFER_REFUSED, &(struct tl_cause) { .status = status });
}

void tl_leg_drop_update(struct tl_leg *leg)
{
	leg->update_out = NULL; /* its answer is for nobody */
	if (leg->update_offer)
		refused(leg, 500);
}

static void accepted(struct tl_leg *leg, const sip_t *sip)
{
	struct tl_media_desc desc;

	if (leg->state == TL_LEG_CLOSING || leg->state == TL_LEG_OVER) {
		g_clear_pointer(&leg->update_offer, g_free);
		return;
	}
	(void)tl_leg_refresh_target(leg, sip);
	tl_digest_accepted(leg->digest);
	if (tl_leg_read_sdp(leg, sip, &desc) != 1) {
		refused(leg, 488);
		return;
	}
	tl_leg_early_replace(leg, sip->sip_to->a_tag, sip, &desc);
	g_free(leg->local);
	leg->local = g_steal_pointer(&leg->update_offer);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REANSWERED,
						  .status = sip->sip_status->st_status,
						  .desc = &desc });
}

static bool try_credentials(struct tl_leg *leg, int status, const sip_t *sip)
{
	return sip && (status == 401 || status == 407) && leg->state == TL_LEG_EARLY &&
	       tl_digest_challenged(leg->digest, sip) == 0 && send_update(leg) == 0;
}

static void take_response(struct tl_leg *leg, const nta_outgoing_t *orq, int status,
			  const sip_t *sip)
{
	if (orq != leg->update_out)
		return;
	leg->update_out = NULL;
	if (sip && status < 300)
		accepted(leg, sip);
	else if (!try_credentials(leg, status, sip))
		refused(leg, status);
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	return tl_leg_take_other((struct tl_leg *)magic, orq, sip, take_response);
}

/* --- preconditions --- */

void tl_leg_note_preconditions(struct tl_leg *leg, const sip_t *sip)
{
	if (sip_has_feature(sip->sip_require, "precondition"))
		leg->heard_preconditions = TL_PRECONDITIONS_REQUIRED;
	else if (sip_has_feature(sip->sip_supported, "precondition"))
		leg->heard_preconditions = TL_PRECONDITIONS_SUPPORTED;
	else
		leg->heard_preconditions = TL_PRECONDITIONS_NONE;
}

const char *tl_leg_supported(const struct tl_leg *leg, su_home_t *home, const char *tags)
{
	return leg->says_preconditions == TL_PRECONDITIONS_NONE
		       ? tags
		       : su_sprintf(home, "%s, precondition", tags);
}

const char *tl_leg_required(const struct tl_leg *leg)
{
	return leg->says_preconditions == TL_PRECONDITIONS_REQUIRED ? "precondition" : NULL;
}
