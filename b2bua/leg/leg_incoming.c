/* An incoming leg from its INVITE to the ACK. */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include "b2bua/sip/identity.h"
#include "b2bua/sip/hop.h"

enum {
	EXPIRES_MAX_S = 3600,
	OWED_MAX = 8, /* NTA sends one after another; a callee may have any number to tell */
};

/* info.needs_preconditions is for the owner to decide upon */
static const char *const supported[] = { "100rel", "timer", "replaces", "precondition", NULL };

/* --- the INVITE --- */

/* Does it take what we would answer with? Nothing said is everything (RFC 3261 20.1). */
static bool accepts_sdp(const sip_t *sip)
{
	static const char *const takes[] = { "application/sdp", "application/*", "*/*" };

	for (const sip_accept_t *accept = sip->sip_accept; accept; accept = accept->ac_next)
		for (size_t i = 0; i < G_N_ELEMENTS(takes); i++)
			if (accept->ac_type && g_ascii_strcasecmp(accept->ac_type, takes[i]) == 0)
				return true;
	return !sip->sip_accept;
}

/* RFC 3261 13.3.1: whoever calls waits so long and no longer. */
static void on_expired(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;
	static const struct tl_cause expired = { .status = 487, .phrase = "Expired" };

	tl_leg_enter(leg);
	tl_timer_stop(&leg->timer);
	if (leg->state == TL_LEG_INCOMING || leg->state == TL_LEG_EARLY) {
		tl_leg_close(leg, &expired);
		tl_leg_emit_cause(leg, TL_LEG_GONE, &expired);
	}
	tl_leg_leave(leg);
}

static void limit_time(struct tl_leg *leg, const sip_t *sip)
{
	if (sip->sip_expires && sip->sip_expires->ex_delta > 0)
		tl_leg_start_timer(leg, &leg->timer,
				   1000 * (unsigned)MIN(sip->sip_expires->ex_delta, EXPIRES_MAX_S),
				   on_expired);
}

/* What must be in order before there is a dialog, for afterwards it could not be ended. */
static bool is_usable(struct tl_request *request)
{
	if (tl_request_refuse_required(request, supported))
		return false;
	if (tl_target_check(request->sip, false) < 0) {
		tl_request_refuse(request, 400, "Unusable Contact or Record-Route", NULL);
		return false;
	}
	if (!accepts_sdp(request->sip)) {
		tl_request_refuse(request, SIP_406_NOT_ACCEPTABLE, NULL);
		return false;
	}
	return true;
}

static bool read_replaces(struct tl_leg *leg, struct tl_request *request)
{
	int r = tl_replaces_read(leg->home, request->sip, &leg->info.replaces);

	leg->info.has_replaces = r == 1;
	if (r < 0)
		tl_request_refuse(request, 400, "Bad Replaces Header", NULL);
	return r >= 0;
}

static bool read_offer(struct tl_leg *leg, struct tl_request *request)
{
	struct tl_media_desc offer;
	int r = tl_leg_read_sdp(leg, request->sip, &offer);

	leg->info.has_offer = r == 1;
	if (r == 1)
		leg->first_offer = g_memdup2(&offer, sizeof(offer));
	if (r >= 0)
		return true;
	tl_request_refuse(request, tl_leg_sdp_status(r), NULL,
			  r == -EBADMSG ? "SDP can't be read" : "No usable audio");
	return false;
}

static struct tl_party party_of(su_home_t *home, const sip_addr_t *addr)
{
	return (struct tl_party) {
		.name = tl_display_of(home, addr->a_display),
		.user = tl_user_of(home, addr->a_url),
		.host = su_strdup(home, addr->a_url->url_host ? addr->a_url->url_host : ""),
	};
}

static void fill_info(struct tl_leg *leg, const struct tl_request *request)
{
	const sip_t *sip = request->sip;
	struct tl_leg_info *info = &leg->info;

	info->from = party_of(leg->home, sip->sip_from);
	info->to = party_of(leg->home, sip->sip_to);
	tl_identity_read(leg->home, sip, &info->identity);
	info->needs_preconditions = sip_has_feature(sip->sip_require, "precondition");
	info->n_fields = tl_headers_fields(leg->home, sip, &info->fields);
	info->offered = tl_headers_offered(sip);
	info->callee = tl_user_of(leg->home, sip->sip_request->rq_url);
	info->call_id = su_strdup(leg->home, sip->sip_call_id->i_id);
	info->max_forwards = sip->sip_max_forwards ? (unsigned)sip->sip_max_forwards->mf_count : 70;
	info->max_forwards = CLAMP(info->max_forwards, 1u, 70u); /* 0 was refused before */
	info->source = request->source;
	info->transport = request->transport;
	tl_headers_collect(leg->home, sip, &leg->headers);
	info->headers = leg->headers.v;
	info->n_headers = leg->headers.n;
}

static int make_dialog(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	/* tagged before NTA knows it, so that a request without a To tag never matches it */
	sip_to_t *local = sip_to_dup(leg->home, sip->sip_to);
	const char *tag = nta_agent_newtag(leg->home, "tag=%s", leg->stack->agent);

	if (!local || sip_to_tag(leg->home, local, tag) < 0)
		return -ENOMEM;
	leg->dialog =
		nta_leg_tcreate(leg->stack->agent, tl_leg_on_request, (nta_leg_magic_t *)leg,
				SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM((sip_from_t *)local),
				SIPTAG_TO((sip_to_t *)sip->sip_from),
				NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	if (!leg->dialog || !nta_incoming_tag(irq, local->a_tag))
		return -ENOMEM;
	return tl_leg_take_target(leg, sip);
}

/* Answers with 422 when the interval asked for is too small. */
static bool take_session_timer(struct tl_leg *leg, struct tl_request *request)
{
	g_autofree char *min_s = NULL;

	if (tl_leg_session_ask(leg, request->sip) == 0)
		return true;
	min_s = g_strdup_printf("%u", leg->stack->session_min_s);
	tl_request_reply(request, SIP_422_SESSION_TIMER_TOO_SMALL, SIPTAG_MIN_SE_STR(min_s),
			 TAG_END());
	return false;
}

int tl_leg_begin(struct tl_leg *leg, struct tl_request *request)
{
	fill_info(leg, request);
	leg->transport = leg->info.transport;
	leg->next_hop = tl_hop_through_nat(leg->home, request->sip,
					   (struct sockaddr *)&leg->info.source, leg->transport);
	leg->hop_stays = leg->next_hop != NULL;
	tl_leg_set_contact(leg, leg->info.callee);
	if (request->sip->sip_request->rq_url->url_type == url_sips) /* RFC 3261 12.1.1 */
		leg->contact = su_sprintf(leg->home, "<sips:%s", leg->contact + strlen("<sip:"));
	return make_dialog(leg, request->irq, request->sip);
}

int tl_leg_new_incoming(struct tl_request *request, struct tl_leg **ret_leg)
{
	struct tl_stack *stack = request->stack;
	struct tl_leg *leg;

	if (!is_usable(request))
		return -EBADMSG;
	leg = tl_leg_new(stack, true);
	leg->takes_any = true; /* whose call it is isn't known yet, nor what he wants of it */
	if (!read_replaces(leg, request) || !read_offer(leg, request) ||
	    !take_session_timer(leg, request) || !tl_request_take(request)) {
		tl_leg_release(leg);
		return -EBADMSG;
	}
	if (tl_leg_begin(leg, request) < 0) {
		tl_request_refuse(request, 500, NULL, NULL);
		tl_leg_release(leg);
		return -EBADMSG;
	}
	leg->invite = tl_request_steal(request);
	leg->initial = true;
	leg->reliable = sip_has_feature(request->sip->sip_require, "100rel");
	leg->takes_reliable =
		leg->reliable || sip_has_feature(request->sip->sip_supported, "100rel");
	tl_leg_note_abilities(leg, request->sip);
	nta_incoming_bind(leg->invite, tl_leg_on_ack_cancel, (nta_incoming_magic_t *)leg);
	nta_incoming_treply(leg->invite, SIP_100_TRYING, TAG_END());
	tl_leg_set_state(leg, TL_LEG_INCOMING);
	limit_time(leg, request->sip);
	*ret_leg = leg;
	return 0;
}

/* --- our answers --- */

static void send_held(struct tl_leg *leg);

/* The answer to what our reliable response offered. Returns the PRACK's status. */
static int take_prack_answer(struct tl_leg *leg, const sip_t *sip)
{
	struct tl_media_desc desc;
	int r = tl_leg_read_sdp(leg, sip, &desc);

	if (r < 0)
		return tl_leg_sdp_status(r);
	if (r == 0)
		return 200; /* the ACK may still bring it */
	leg->prack_answered = true;
	tl_leg_enter(leg);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REANSWERED, .desc = &desc });
	tl_leg_leave(leg);
	return 200;
}

/*
 * The caller has our reliable provisional. Mostly that is all, but its PRACK may
 * bring the answer to our offer, or a new offer (RFC 3262 5), which is dealt with
 * like one in an UPDATE.
 */
static int on_prack(nta_reliable_magic_t *magic, nta_reliable_t *reliable, nta_incoming_t *prack,
		    const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status = 200;

	nta_reliable_destroy(reliable);
	leg->owed--;
	if (!prack) /* it was never acknowledged, or a final response has overtaken it */
		return 0;
	tl_leg_enter(leg);
	if (tl_has_body(sip) && !leg->info.has_offer && !leg->prack_answered) {
		status = take_prack_answer(leg, sip);
	} else if (tl_has_body(sip)) {
		tl_leg_on_update(leg, prack, sip);
		status = 0;
	}
	tl_leg_leave(leg);
	return status;
}

/* The same of one with our SDP, on which the 2xx may be waiting. */
static int on_prack_of_sdp(nta_reliable_magic_t *magic, nta_reliable_t *reliable,
			   nta_incoming_t *prack, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status;

	leg->unacknowledged--;
	if (!prack)
		return on_prack(magic, reliable, prack, sip);
	tl_leg_enter(leg);
	status = on_prack(magic, reliable, prack, sip);
	if (leg->held && !leg->unacknowledged) {
		if (status) {
			nta_incoming_treply(prack, status, sip_status_phrase(status), TAG_END());
			nta_incoming_destroy(prack);
		}
		status = 0;
		send_held(leg);
	}
	tl_leg_leave(leg);
	return status;
}

/* headers: as tl_headers_format() writes them, or NULL */
static void reply_with_sdp(struct tl_leg *leg, int status, const struct tl_media_desc *desc,
			   const char *headers)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	/* once it is agreed upon reliably, SDP in a response would be one too many (RFC 6337 2.2)
	 */
	sip_payload_t *payload = tl_leg_is_settled(leg)
					 ? NULL
					 : tl_leg_payload(leg, home, desc, leg->info.has_offer);
	msg_t *msg = nta_msg_create(leg->stack->agent, 0);
	bool final = status >= 200;

	nta_incoming_complete_response(
		leg->invite, msg, status, sip_status_phrase(status),
		SIPTAG_CONTACT_STR(leg->contact), SIPTAG_SERVER_STR(leg->stack->user_agent),
		SIPTAG_ALLOW_STR(TL_ALLOW),
		TAG_IF(final || leg->says_preconditions != TL_PRECONDITIONS_NONE,
		       SIPTAG_SUPPORTED_STR(tl_leg_supported(leg, home, TL_SUPPORTED))),
		TAG_IF(final, SIPTAG_ACCEPT_STR(TL_ACCEPT)),
		TAG_IF(final, SIPTAG_SESSION_EXPIRES_STR(tl_leg_session_expires(leg, home))),
		TAG_IF(final && leg->session_s && !leg->we_refresh, SIPTAG_REQUIRE_STR("timer")),
		SIPTAG_HEADER_STR(headers), TAG_IF(final, SIPTAG_HEADER_STR(leg->asserted)),
		TAG_IF(payload, SIPTAG_REQUIRE_STR(tl_leg_required(leg))),
		TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		SIPTAG_PAYLOAD(payload), TAG_END());
	if (!final && leg->reliable) {
		leg->said_reliably = leg->said_reliably || payload;
		if (nta_reliable_mreply(leg->invite, payload ? on_prack_of_sdp : on_prack,
					(nta_reliable_magic_t *)leg, msg)) {
			leg->unacknowledged += payload != NULL;
			leg->owed++;
		}
	} else
		nta_incoming_mreply(leg->invite, msg);
	su_home_deinit(home);
}

void tl_leg_rely(struct tl_leg *leg)
{
	leg->reliable = leg->reliable || leg->takes_reliable;
}

bool tl_leg_is_settled(const struct tl_leg *leg)
{
	return leg->said_reliably && (leg->info.has_offer || leg->prack_answered);
}

bool tl_leg_wants_offer(const struct tl_leg *leg)
{
	return leg->reliable && !leg->info.has_offer && !leg->said_reliably;
}

int tl_leg_progress(struct tl_leg *leg, int status, const struct tl_media_desc *desc,
		    const struct tl_header *headers, size_t n_headers)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (!leg->incoming || (leg->state != TL_LEG_INCOMING && leg->state != TL_LEG_EARLY) ||
	    status <= 100 || status >= 200)
		return -EINVAL;
	if (leg->owed >= OWED_MAX)
		return -EBUSY;
	tl_leg_set_state(leg, TL_LEG_EARLY);
	reply_with_sdp(leg, status, desc, tl_headers_format(home, headers, n_headers));
	su_home_deinit(home);
	return 0;
}

static void send_answer(struct tl_leg *leg, const struct tl_media_desc *desc, const char *headers)
{
	leg->awaits_answer = !leg->info.has_offer && !leg->prack_answered;
	tl_leg_session_grant(leg, leg->invite);
	reply_with_sdp(leg, 200, desc, headers);
	tl_leg_session_start(leg);
}

/*
 * RFC 3262 3: no 2xx goes out before a reliable provisional with SDP is acknowledged. NTA would
 * keep it back as well, but never repeat what it has kept back.
 */
static void hold_answer(struct tl_leg *leg, const struct tl_media_desc *desc, const char *headers)
{
	leg->held = g_new0(struct tl_leg_held, 1);
	leg->held->has_desc = desc;
	if (desc)
		leg->held->desc = *desc;
	leg->held->headers = g_strdup(headers);
}

void tl_leg_drop_held(struct tl_leg *leg)
{
	if (leg->held)
		g_free(leg->held->headers);
	g_clear_pointer(&leg->held, g_free);
}

static void send_held(struct tl_leg *leg)
{
	if (leg->invite && leg->state == TL_LEG_ANSWERING)
		send_answer(leg, leg->held->has_desc ? &leg->held->desc : NULL, leg->held->headers);
	tl_leg_drop_held(leg);
}

int tl_leg_answer(struct tl_leg *leg, const struct tl_media_desc *desc,
		  const struct tl_header *headers, size_t n_headers)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *text;

	if (!leg->incoming || (leg->state != TL_LEG_INCOMING && leg->state != TL_LEG_EARLY))
		return -EINVAL;
	text = tl_headers_format(home, headers, n_headers);
	tl_timer_stop(&leg->timer);
	tl_leg_set_state(leg, TL_LEG_ANSWERING);
	if (leg->unacknowledged)
		hold_answer(leg, desc, text);
	else
		send_answer(leg, desc, text);
	su_home_deinit(home);
	return 0;
}

/* --- ACK, CANCEL, and their absence --- */

static void on_ack(struct tl_leg *leg, const sip_t *sip) /* sip: NULL for tl_leg_imply_ack() */
{
	struct tl_leg_event event = { .type = TL_LEG_ACKED };
	struct tl_media_desc desc;
	bool initial = leg->initial, awaits_answer = leg->awaits_answer;

	nta_incoming_destroy(leg->invite);
	leg->invite = NULL;
	leg->initial = leg->awaits_answer = false;
	if (leg->state == TL_LEG_CLOSING && initial) { /* RFC 3261 15: BYE only after the ACK */
		tl_leg_send_bye(leg, leg->closing_reason);
		return;
	}
	if (initial)
		tl_leg_set_state(leg, TL_LEG_UP);
	if (awaits_answer && tl_leg_read_sdp(leg, sip, &desc) == 1)
		event.desc = &desc;
	if (initial || awaits_answer)
		tl_leg_emit(leg, &event);
}

void tl_leg_imply_ack(struct tl_leg *leg)
{
	if (leg->invite && leg->pending == TL_PENDING_NONE && !leg->awaits_answer &&
	    nta_incoming_status(leg->invite) / 100 == 2)
		on_ack(leg, NULL);
}

static void on_cancel(struct tl_leg *leg, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_cause cause;
	bool initial = leg->initial;

	tl_cause_of(home, sip, &cause);
	cause.status = 487;
	cause.phrase = sip_487_Request_terminated;
	tl_leg_drop_held(leg);
	tl_leg_refuse(leg, leg->invite, SIP_487_REQUEST_TERMINATED);
	leg->invite = NULL;
	leg->initial = false;
	if (leg->pending == TL_PENDING_INVITE) {
		leg->pending = TL_PENDING_NONE;
		if (leg->pending_offer)
			tl_sdp_undo(leg->sdp);
	}
	if (initial) {
		tl_leg_set_state(leg, TL_LEG_OVER);
		tl_leg_emit_cause(leg, TL_LEG_GONE, &cause);
	}
	su_home_deinit(home);
}

/* No ACK came for a 2xx (RFC 3261 13.3.1.4), or no PRACK for a provisional (RFC 3262 3). */
static void on_silence(struct tl_leg *leg, nta_incoming_t *irq)
{
	static const struct tl_cause no_prack = { .status = 504, .phrase = "No PRACK" };
	static const struct tl_cause no_ack = { .status = 408, .phrase = "No ACK" };
	bool answered = nta_incoming_status(irq) >= 200;

	leg->invite = NULL;
	leg->initial = leg->awaits_answer = false;
	nta_incoming_destroy(irq); /* without PRACK, NTA itself then refuses with 503 */
	if (leg->state == TL_LEG_CLOSING)
		tl_leg_send_bye(leg, leg->closing_reason);
	else
		tl_leg_lost(leg, answered ? &no_ack : &no_prack, answered);
}

int tl_leg_on_ack_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;

	if (irq != leg->invite)
		return 0;
	tl_leg_enter(leg);
	if (!sip)
		on_silence(leg, irq);
	else if (sip->sip_request->rq_method == sip_method_ack)
		on_ack(leg, sip);
	else
		on_cancel(leg, sip);
	tl_leg_tell_untold(leg);
	tl_leg_leave(leg);
	return 0;
}
