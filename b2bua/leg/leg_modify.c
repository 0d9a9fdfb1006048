/*
 * Offers inside the dialog, in both directions. At most one is open at a time;
 * who meets the other's says so (RFC 3261 14, RFC 3311 5.2):
 *
 *   ours is out, theirs comes    491, they come again
 *   theirs is open, another one  500 with Retry-After
 *   ours gets 491                again after a while, which differs for the two ends
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include "b2bua/sip/stack_fork.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

enum {
	GLARES_MAX = 4, /* then the peer is not just unlucky */
	BUSY_MS = 500,  /* until we look again whether the peer's own offer is done */
};

/* --- theirs --- */

static void refuse_busy(struct tl_leg *leg, nta_incoming_t *irq)
{
	g_autofree char *seconds = g_strdup_printf("%d", g_random_int_range(0, 11));

	nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR, SIPTAG_RETRY_AFTER_STR(seconds),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
}

static void emit_offered(struct tl_leg *leg, const sip_t *sip, const struct tl_media_desc *desc)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_header_set headers;

	tl_headers_collect(home, sip, &headers);
	leg->pending_offer = desc != NULL;
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_OFFERED,
						  .desc = desc,
						  .headers = headers.v,
						  .n_headers = headers.n });
	su_home_deinit(home);
}

/* Session timer and target, the same for both methods: they count when it is accepted (RFC 6141
 * 3.1). False: refused. */
static bool check_refresh(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	if (tl_leg_session_ask(leg, sip) < 0) {
		tl_leg_session_refuse(leg, irq);
		return false;
	}
	if (tl_leg_check_refresh(leg, sip) < 0) {
		tl_leg_refuse(leg, irq, 400, "Unusable Contact");
		return false;
	}
	return true;
}

void tl_leg_on_reinvite(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_media_desc desc;
	int r;

	if (leg->out || leg->update_offer) {
		tl_leg_refuse(leg, irq, SIP_491_REQUEST_PENDING);
		return;
	}
	tl_leg_imply_ack(leg);
	if (leg->state != TL_LEG_UP || leg->invite || leg->pending != TL_PENDING_NONE) {
		refuse_busy(leg, irq);
		return;
	}
	if (!check_refresh(leg, irq, sip))
		return;
	r = tl_leg_read_sdp(leg, sip, &desc);
	if (r < 0) {
		tl_leg_refuse(leg, irq, tl_leg_sdp_status(r), NULL);
		return;
	}
	leg->invite = irq;
	leg->initial = leg->awaits_answer = false;
	leg->pending = TL_PENDING_INVITE;
	nta_incoming_bind(irq, tl_leg_on_ack_cancel, (nta_incoming_magic_t *)leg);
	nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
	emit_offered(leg, sip, r == 1 ? &desc : NULL);
}

static void take_refresh(struct tl_leg *leg, nta_incoming_t *irq)
{
	msg_t *msg = nta_incoming_getrequest(irq);

	/* a PRACK changes no target (RFC 3262 4) */
	if (msg && nta_incoming_method(irq) != sip_method_prack)
		(void)tl_leg_refresh_target(leg, sip_object(msg));
	if (leg->state == TL_LEG_UP) /* before, the 2xx to the INVITE will say */
		tl_leg_session_grant(leg, irq);
	msg_destroy(msg);
}

static void reply_ok(struct tl_leg *leg, nta_incoming_t *irq, const struct tl_media_desc *desc,
		     bool answer)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	sip_payload_t *payload = tl_leg_payload(leg, home, desc, answer);

	take_refresh(leg, irq);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(leg->contact),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), SIPTAG_ALLOW_STR(TL_ALLOW),
			    SIPTAG_SUPPORTED_STR(tl_leg_supported(leg, home, TL_SUPPORTED)),
			    SIPTAG_SESSION_EXPIRES_STR(tl_leg_session_expires(leg, home)),
			    TAG_IF(leg->session_s && !leg->we_refresh, SIPTAG_REQUIRE_STR("timer")),
			    TAG_IF(payload, SIPTAG_REQUIRE_STR(tl_leg_required(leg))),
			    TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
			    SIPTAG_PAYLOAD(payload), TAG_END());
	tl_leg_session_start(leg);
	su_home_deinit(home);
}

/* Our offer in the first INVITE is open until this fork has answered it, by a provisional or the
 * 2xx; that in a re-INVITE till the 2xx. */
static bool is_our_offer_open(const struct tl_leg *leg, const sip_t *sip)
{
	if (leg->update_offer)
		return true;
	if (!leg->out)
		return leg->offer != NULL;
	return leg->state == TL_LEG_UP || !tl_leg_early(leg, sip->sip_from->a_tag, NULL);
}

void tl_leg_on_update(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_media_desc desc;
	int r;

	if (tl_has_body(sip) && is_our_offer_open(leg, sip)) {
		tl_leg_refuse(leg, irq, SIP_491_REQUEST_PENDING);
		return;
	}
	if (leg->update || leg->pending != TL_PENDING_NONE || leg->awaits_answer ||
	    (tl_has_body(sip) && leg->state == TL_LEG_EARLY &&
	     tl_leg_early_is_other(leg, sip->sip_from->a_tag))) {
		refuse_busy(leg, irq);
		return;
	}
	if (!check_refresh(leg, irq, sip))
		return;
	r = tl_leg_read_sdp(leg, sip, &desc);
	if (r < 0) {
		tl_leg_refuse(leg, irq, tl_leg_sdp_status(r), NULL);
		return;
	}
	if (r == 0) {
		reply_ok(leg, irq, NULL, false);
		nta_incoming_destroy(irq);
		return;
	}
	leg->update = irq;
	leg->pending = TL_PENDING_UPDATE;
	if (leg->out && leg->state != TL_LEG_UP)
		leg->early_offer = g_memdup2(&desc, sizeof(desc));
	emit_offered(leg, sip, &desc);
}

/* From now on that is what the fork wants, whatever its 2xx leaves out. */
static void keep_early_offer(struct tl_leg *leg)
{
	msg_t *msg = leg->early_offer ? nta_incoming_getrequest(leg->update) : NULL;

	if (msg)
		tl_leg_early_replace(leg, sip_object(msg)->sip_from->a_tag, sip_object(msg),
				     leg->early_offer);
	msg_destroy(msg);
	g_clear_pointer(&leg->early_offer, g_free);
}

int tl_leg_accept(struct tl_leg *leg, const struct tl_media_desc *desc)
{
	enum tl_leg_pending pending = leg->pending;

	leg->pending = TL_PENDING_NONE;
	switch (pending) {
	case TL_PENDING_NONE:
		return -ENOENT;
	case TL_PENDING_INVITE:
		leg->awaits_answer = !leg->pending_offer;
		reply_ok(leg, leg->invite, desc, leg->pending_offer);
		return 0;
	case TL_PENDING_UPDATE:
		keep_early_offer(leg);
		reply_ok(leg, leg->update, desc, true);
		nta_incoming_destroy(leg->update);
		leg->update = NULL;
		return 0;
	case TL_PENDING_ACK:
		tl_leg_send_ack(leg, desc);
		return 0;
	}
	return -ENOENT;
}

bool tl_leg_is_asked(const struct tl_leg *leg)
{
	return leg->pending != TL_PENDING_NONE;
}

int tl_leg_decline(struct tl_leg *leg, int status)
{
	nta_incoming_t **irq = leg->pending == TL_PENDING_INVITE   ? &leg->invite
			       : leg->pending == TL_PENDING_UPDATE ? &leg->update
								   : NULL;

	if (leg->pending == TL_PENDING_NONE)
		return -ENOENT;
	leg->pending = TL_PENDING_NONE;
	g_clear_pointer(&leg->early_offer, g_free);
	if (!irq) { /* a 2xx can't be declined: acknowledged and ended */
		tl_leg_send_ack(leg, NULL);
		tl_leg_close(leg, &(struct tl_cause) { .status = status });
		return 0;
	}
	if (status == 500) /* RFC 3311 5.2: not now */
		refuse_busy(leg, *irq);
	else
		tl_leg_refuse(leg, *irq, status, NULL);
	*irq = NULL;
	if (leg->pending_offer)
		tl_sdp_undo(leg->sdp);
	return 0;
}

/* --- ours --- */

static int on_reinvite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

static int send_reinvite(struct tl_leg *leg)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	sip_payload_t *payload = tl_leg_payload(leg, home, leg->offer, false);

	leg->out = tl_leg_send(leg, on_reinvite_response, SIP_METHOD_INVITE,
			       SIPTAG_SESSION_EXPIRES_STR(tl_leg_session_again(leg, home)),
			       SIPTAG_MIN_SE_STR(tl_leg_session_min(leg, home)),
			       SIPTAG_SUPPORTED_STR(tl_leg_supported(leg, home, TL_SUPPORTED)),
			       TAG_IF(payload, SIPTAG_REQUIRE_STR(tl_leg_required(leg))),
			       SIPTAG_CONTACT_STR(leg->contact), SIPTAG_ALLOW_STR(TL_ALLOW),
			       SIPTAG_ACCEPT_STR(TL_ACCEPT), SIPTAG_FROM_STR(leg->changed_from),
			       SIPTAG_HEADER_STR(leg->asserted),
			       TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
			       SIPTAG_PAYLOAD(payload), TAG_END());
	su_home_deinit(home);
	if (!leg->out)
		return -EIO;
	leg->invite_cseq = nta_outgoing_cseq(leg->out);
	su_free(leg->home, leg->branch);
	leg->branch = su_strdup(leg->home, nta_outgoing_branch(leg->out));
	return 0;
}

int tl_leg_offer(struct tl_leg *leg, const struct tl_media_desc *offer)
{
	int r;

	if (leg->state != TL_LEG_UP || leg->out || leg->offer || leg->update_offer || leg->asks ||
	    leg->invite || leg->update || leg->pending != TL_PENDING_NONE)
		return -EBUSY;
	leg->offer = offer ? tl_media_desc_keep(offer) : NULL;
	leg->asks = !offer;
	leg->glare = 0;
	r = send_reinvite(leg);
	if (r < 0) {
		g_clear_pointer(&leg->offer, g_free);
		leg->asks = false;
	}
	return r;
}

static void end_offer(struct tl_leg *leg, int status, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_cause cause = { .status = status };

	if (sip)
		tl_cause_of(home, sip, &cause);
	g_clear_pointer(&leg->offer, g_free);
	leg->asks = false;
	tl_leg_emit_cause(leg, TL_LEG_OFFER_REFUSED, &cause);
	su_home_deinit(home);
}

static void on_glare_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;

	tl_leg_enter(leg);
	tl_timer_stop(&leg->timer);
	if (leg->invite || leg->update || leg->pending != TL_PENDING_NONE)
		tl_leg_start_timer(leg, &leg->timer, BUSY_MS, on_glare_timer);
	else if (send_reinvite(leg) < 0)
		end_offer(leg, 500, NULL);
	tl_leg_leave(leg);
}

/* RFC 3261 14.1: whoever made the Call-ID waits longer, so the two don't meet again. */
static void back_off(struct tl_leg *leg)
{
	unsigned ms = 10 * (unsigned)(leg->incoming ? g_random_int_range(0, 201)
						    : g_random_int_range(210, 401));

	leg->glare++;
	tl_leg_start_timer(leg, &leg->timer, ms, on_glare_timer);
}

/* The 2xx to a re-INVITE that asked for an offer. Its ACK is to bring the answer: who gives that
 * may take his time, and the 2xx comes again meanwhile (RFC 3261 13.3.1.4). */
static void on_offered(struct tl_leg *leg, const sip_t *sip)
{
	struct tl_media_desc desc;

	leg->asks = false;
	if (leg->state != TL_LEG_UP || tl_leg_read_sdp(leg, sip, &desc) != 1) {
		tl_leg_send_ack(leg, NULL);
		if (leg->state == TL_LEG_UP)
			end_offer(leg, 488, NULL);
		return;
	}
	tl_forks_settled(leg->stack->forks, leg->info.call_id, leg->invite_cseq,
			 sip->sip_to->a_tag);
	tl_leg_session_agree(leg, sip);
	leg->pending = TL_PENDING_ACK;
	emit_offered(leg, sip, &desc);
}

static void on_reanswered(struct tl_leg *leg, const sip_t *sip)
{
	struct tl_media_desc desc;

	(void)tl_leg_refresh_target(leg, sip); /* an unusable Contact leaves the old one */
	tl_digest_accepted(leg->digest);
	if (leg->asks) {
		on_offered(leg, sip);
		return;
	}
	tl_leg_send_ack(leg, NULL);
	if (leg->state != TL_LEG_UP)
		return;
	tl_leg_session_agree(leg, sip);
	if (tl_leg_read_sdp(leg, sip, &desc) != 1) {
		end_offer(leg, 488, NULL);
		return;
	}
	g_free(leg->local);
	leg->local = g_steal_pointer(&leg->offer);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REANSWERED,
						  .status = sip->sip_status->st_status,
						  .desc = &desc });
}

static void on_offer_refused(struct tl_leg *leg, int status, const sip_t *sip)
{
	if (leg->state != TL_LEG_UP)
		return;
	if (status == 491 && leg->glare < GLARES_MAX) {
		back_off(leg);
		return;
	}
	if ((((status == 401 || status == 407) && tl_digest_challenged(leg->digest, sip) == 0) ||
	     (status == 422 && tl_leg_session_raise(leg, sip))) &&
	    send_reinvite(leg) == 0)
		return;
	if (status == 408 || status == 481) /* RFC 3261 12.2.1.2: the dialog is gone */
		tl_leg_lost(leg, &(struct tl_cause) { .status = status }, true);
	else
		end_offer(leg, status, sip);
}

static int on_reinvite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status = nta_outgoing_status(orq);

	if (!sip || status < 200)
		return 0;
	tl_leg_enter(leg);
	leg->out = NULL;
	if (status < 300)
		on_reanswered(leg, sip);
	else
		on_offer_refused(leg, status, sip);
	nta_outgoing_destroy(orq);
	tl_leg_tell_untold(leg);
	tl_leg_leave(leg);
	return 0;
}
