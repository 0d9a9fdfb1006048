/*
 * Session timers (RFC 4028). We never ask for one; a peer that does gets it,
 * and refreshes itself unless it wants us to. Who does not refresh in time is
 * gone, and the dialog ends.
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
	MIN_SE_S = 90, /* RFC 4028 5 */
	MAX_S = 86400,
	MARGIN_S = 32,
};

int tl_leg_session_ask(struct tl_leg *leg, const sip_t *sip, struct tl_leg_refresh *ret_refresh)
{
	const sip_session_expires_t *asked = sip->sip_session_expires;
	bool peer_can = sip_has_feature(sip->sip_supported, "timer") ||
			sip_has_feature(sip->sip_require, "timer");

	if (sip->sip_allow)
		leg->peer_updates = sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
	if (!asked) {
		ret_refresh->session_s = 0;
		return 0;
	}
	if (asked->x_delta < MIN_SE_S && peer_can)
		return -1;
	ret_refresh->session_s = (unsigned)CLAMP(asked->x_delta, MIN_SE_S, MAX_S);
	/* RFC 4028 9, table 2: the request's word counts; a proxy may have asked for a client
	 * that can't */
	ret_refresh->we_refresh = !peer_can || (asked->x_refresher &&
						g_ascii_strcasecmp(asked->x_refresher, "uas") == 0);
	return 0;
}

void tl_leg_session_agree(struct tl_leg *leg, const struct tl_leg_refresh *refresh)
{
	leg->session_s = refresh->session_s;
	leg->we_refresh = refresh->we_refresh;
}

void tl_leg_session_refuse(struct tl_leg *leg, nta_incoming_t *irq)
{
	nta_incoming_treply(irq, SIP_422_SESSION_TIMER_TOO_SMALL, SIPTAG_MIN_SE_STR(TL_MIN_SE_STR),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
}

const char *tl_leg_session_expires(const struct tl_leg *leg, su_home_t *home)
{
	if (!leg->session_s)
		return NULL;
	return su_sprintf(home, "%u;refresher=%s", leg->session_s, leg->we_refresh ? "uas" : "uac");
}

static void on_expired(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;

	tl_leg_enter(leg);
	tl_leg_stop_timer(&leg->session_timer);
	g_message("%s session expired after %u s", leg->id, leg->session_s);
	tl_leg_lost(leg, &(struct tl_cause) { .status = 408, .phrase = "Session Expired" }, true);
	tl_leg_leave(leg);
}

static void refresh_by_update(struct tl_leg *leg)
{
	g_autofree char *expires = g_strdup_printf("%u;refresher=uac", leg->session_s);

	(void)tl_leg_send_other(leg, SIP_METHOD_UPDATE, SIPTAG_SESSION_EXPIRES_STR(expires),
				SIPTAG_SUPPORTED_STR("timer"), SIPTAG_CONTACT_STR(leg->contact),
				TAG_END());
}

/* Either way a dialog that is gone ends by the answer. A re-INVITE offers what stands, so that
 * nothing changes (RFC 4028 7.4); when an offer is under way, that one refreshes. */
static void on_refresh_due(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_leg *leg = (struct tl_leg *)arg;

	tl_leg_enter(leg);
	tl_leg_start_timer(leg, &leg->session_timer, leg->session_s * 500, on_refresh_due);
	if (leg->state == TL_LEG_UP && leg->peer_updates)
		refresh_by_update(leg);
	else if (leg->state == TL_LEG_UP && leg->local)
		(void)tl_leg_offer(leg, leg->local);
	tl_leg_leave(leg);
}

void tl_leg_session_start(struct tl_leg *leg)
{
	unsigned margin_s = MIN((unsigned)MARGIN_S, leg->session_s / 3);

	tl_leg_stop_timer(&leg->session_timer);
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
	tl_leg_stop_timer(&leg->session_timer);
}
