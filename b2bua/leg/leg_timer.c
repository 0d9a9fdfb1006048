/*
 * Session timers (RFC 4028), each leg for itself. With our INVITE we ask for
 * what configuration says and leave it to the peer who refreshes; a peer that
 * asks gets it, and refreshes itself unless it wants us to; one that could and
 * does not ask gets ours, and we refresh. Who does not refresh in time is gone,
 * and the dialog ends.
 *
 *   peer refreshes   |---------------- session_s ----------------|
 *                    2xx                           BYE ^ min(32 s, a third) before the end
 *   we refresh       |------------------| UPDATE, or a re-INVITE that changes nothing
 */
#include "b2bua/leg/leg_priv.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

enum {
	MAX_S = 86400,
	MARGIN_S = 32,
	RETRY_MS = 3000, /* a refresh met something else that was under way */
};

static bool can_timer(const sip_t *sip)
{
	return sip_has_feature(sip->sip_supported, "timer") ||
	       sip_has_feature(sip->sip_require, "timer");
}

int tl_leg_session_ask(struct tl_leg *leg, const sip_t *sip)
{
	const sip_session_expires_t *asked = sip->sip_session_expires;

	return asked && asked->x_delta < leg->stack->session_min_s && can_timer(sip) ? -1 : 0;
}

void tl_leg_session_refuse(struct tl_leg *leg, nta_incoming_t *irq)
{
	g_autofree char *min_s = g_strdup_printf("%u", leg->stack->session_min_s);

	nta_incoming_treply(irq, SIP_422_SESSION_TIMER_TOO_SMALL, SIPTAG_MIN_SE_STR(min_s),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
}

/* RFC 4028 9, table 2: the request's word counts; a proxy may have asked for a client that
 * can't, and who can but did not ask gets what we would ask for. */
static void grant(struct tl_leg *leg, const sip_t *sip)
{
	const sip_session_expires_t *asked = sip->sip_session_expires;
	unsigned floor_s = sip->sip_min_se ? (unsigned)MIN(sip->sip_min_se->min_delta, MAX_S) : 0;

	tl_leg_note_abilities(leg, sip);
	if (asked) {
		leg->session_s = (unsigned)CLAMP(asked->x_delta, leg->stack->session_min_s, MAX_S);
		leg->we_refresh =
			!can_timer(sip) ||
			(asked->x_refresher && g_ascii_strcasecmp(asked->x_refresher, "uas") == 0);
		return;
	}
	leg->session_s = can_timer(sip) && leg->expires_s ? MAX(leg->expires_s, floor_s) : 0;
	leg->we_refresh = true;
}

void tl_leg_session_grant(struct tl_leg *leg, nta_incoming_t *irq)
{
	msg_t *msg = nta_incoming_getrequest(irq);

	if (!msg)
		return;
	grant(leg, sip_object(msg));
	msg_destroy(msg);
}

void tl_leg_session_agree(struct tl_leg *leg, const sip_t *sip)
{
	const sip_session_expires_t *granted = sip->sip_session_expires;

	tl_leg_note_abilities(leg, sip);
	leg->session_s = granted ? (unsigned)CLAMP(granted->x_delta, 1, MAX_S) : 0;
	leg->we_refresh = !granted || !granted->x_refresher ||
			  g_ascii_strcasecmp(granted->x_refresher, "uas") != 0;
	tl_leg_session_start(leg);
}

bool tl_leg_session_raise(struct tl_leg *leg, const sip_t *sip)
{
	unsigned min_s;

	if (!sip || !sip->sip_min_se || sip->sip_min_se->min_delta > MAX_S)
		return false;
	min_s = (unsigned)sip->sip_min_se->min_delta;
	if (min_s <= leg->min_se_s) /* it has been told so before */
		return false;
	leg->min_se_s = min_s;
	leg->expires_s = MAX(leg->expires_s, min_s);
	if (leg->session_s)
		leg->session_s = MAX(leg->session_s, min_s);
	return true;
}

const char *tl_leg_session_min(const struct tl_leg *leg, su_home_t *home)
{
	return leg->min_se_s ? su_sprintf(home, "%u", leg->min_se_s) : NULL;
}

const char *tl_leg_session_expires(const struct tl_leg *leg, su_home_t *home)
{
	if (!leg->session_s)
		return NULL;
	return su_sprintf(home, "%u;refresher=%s", leg->session_s, leg->we_refresh ? "uas" : "uac");
}

const char *tl_leg_session_again(const struct tl_leg *leg, su_home_t *home)
{
	if (!leg->session_s)
		return NULL;
	return su_sprintf(home, "%u;refresher=%s", leg->session_s, leg->we_refresh ? "uac" : "uas");
}

static void on_expired(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;

	tl_leg_enter(leg);
	tl_timer_stop(&leg->session_timer);
	g_message("%s session expired after %u s", leg->id, leg->session_s);
	tl_leg_lost(leg, &(struct tl_cause) { .status = 408, .phrase = "Session Expired" }, true);
	tl_leg_leave(leg);
}

static int on_update_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);
static void on_refresh_due(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void refresh_later(struct tl_leg *leg)
{
	tl_leg_start_timer(leg, &leg->session_timer, MIN(RETRY_MS, leg->session_s * 100),
			   on_refresh_due);
}

void tl_leg_send_update(struct tl_leg *leg)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	nta_outgoing_t *orq = tl_leg_send(
		leg, on_update_response, SIP_METHOD_UPDATE,
		SIPTAG_SESSION_EXPIRES_STR(tl_leg_session_again(leg, home)),
		SIPTAG_MIN_SE_STR(tl_leg_session_min(leg, home)), SIPTAG_SUPPORTED_STR("timer"),
		SIPTAG_ALLOW_STR(TL_ALLOW), SIPTAG_CONTACT_STR(leg->contact),
		SIPTAG_FROM_STR(leg->changed_from), SIPTAG_HEADER_STR(leg->asserted), TAG_END());

	if (orq)
		g_ptr_array_add(leg->others, orq);
	su_home_deinit(home);
}

/* A re-INVITE offers what stands, so that nothing changes (RFC 4028 7.4). */
static void refresh(struct tl_leg *leg)
{
	if (leg->state != TL_LEG_UP)
		return;
	if (leg->peer_updates)
		tl_leg_send_update(leg);
	else if (leg->local && tl_leg_offer(leg, leg->local) < 0)
		refresh_later(leg);
}

static void on_refresh_due(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;

	tl_leg_enter(leg);
	tl_leg_start_timer(leg, &leg->session_timer, leg->session_s * 500, on_refresh_due);
	refresh(leg);
	tl_leg_leave(leg);
}

/* What came for our UPDATE: the peer lives, wants it otherwise, or is gone (RFC 4028 10). */
static void take_update_response(struct tl_leg *leg, const nta_outgoing_t *orq, int status,
				 const sip_t *sip)
{
	if (leg->state != TL_LEG_UP)
		return;
	if (sip && status < 300) {
		(void)tl_leg_refresh_target(leg, sip);
		tl_leg_session_agree(leg, sip);
	} else if (status == 408 || status == 481) {
		tl_leg_lost(leg, &(struct tl_cause) { .status = status }, true);
	} else if (((status == 401 || status == 407) && sip &&
		    tl_digest_challenged(leg->digest, sip) == 0) ||
		   (status == 422 && tl_leg_session_raise(leg, sip))) {
		tl_leg_send_update(leg);
	} else if (status == 405 || status == 501) {
		leg->peer_updates = false;
		refresh(leg);
	} else if (status == 491 || status == 500) {
		refresh_later(leg);
	}
}

static int on_update_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	return tl_leg_take_other((struct tl_leg *)magic, orq, sip, take_update_response);
}

void tl_leg_session_start(struct tl_leg *leg)
{
	unsigned margin_s = MIN((unsigned)MARGIN_S, leg->session_s / 3);

	tl_timer_stop(&leg->session_timer);
	if (!leg->session_s)
		return;
	if (leg->we_refresh)
		tl_leg_start_timer(leg, &leg->session_timer, leg->session_s * 500, on_refresh_due);
	else
		tl_leg_start_timer(leg, &leg->session_timer, (leg->session_s - margin_s) * 1000,
				   on_expired);
}

void tl_leg_session_stop(struct tl_leg *leg)
{
	tl_timer_stop(&leg->session_timer);
}

void tl_leg_set_session(struct tl_leg *leg, unsigned expires_s)
{
	leg->expires_s = expires_s ? MAX(expires_s, leg->stack->session_min_s) : 0;
}
