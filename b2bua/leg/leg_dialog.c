/* Requests of the peer inside the dialog: who deals with which. */
#include "b2bua/leg/leg_priv.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

static void on_bye(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_cause cause;

	tl_cause_of(home, sip, &cause);
	tl_leg_refuse(leg, irq, SIP_200_OK);
	/* only a confirmed dialog is ended by a called party (RFC 3261 15), but some try */
	if (leg->state == TL_LEG_EARLY || leg->state == TL_LEG_CALLING)
		cause.status = 480;
	tl_leg_lost(leg, &cause, false);
	su_home_deinit(home);
}

static void on_options(struct tl_leg *leg, nta_incoming_t *irq)
{
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_ALLOW_STR(TL_ALLOW),
			    SIPTAG_ACCEPT_STR(TL_ACCEPT), SIPTAG_SUPPORTED_STR(TL_SUPPORTED),
			    SIPTAG_CONTACT_STR(leg->contact),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
}

static void dispatch(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	switch (sip->sip_request->rq_method) {
	case sip_method_invite:
		tl_leg_on_reinvite(leg, irq, sip);
		return;
	case sip_method_update:
		tl_leg_on_update(leg, irq, sip);
		return;
	case sip_method_bye:
		on_bye(leg, irq, sip);
		return;
	case sip_method_info:
		tl_leg_on_info(leg, irq, sip);
		return;
	case sip_method_options:
		on_options(leg, irq);
		return;
	case sip_method_refer:
		tl_leg_on_refer(leg, irq, sip);
		return;
	case sip_method_notify:
		tl_leg_on_notify(leg, irq, sip);
		return;
	case sip_method_cancel: /* there is no transaction */
	case sip_method_prack:
		tl_leg_refuse(leg, irq, SIP_481_NO_TRANSACTION);
		return;
	case sip_method_subscribe:
		tl_leg_refuse(leg, irq, SIP_489_BAD_EVENT);
		return;
	case sip_method_message:
		tl_leg_on_message(leg, irq, sip);
		return;
	case sip_method_publish:
	case sip_method_register:
		tl_leg_refuse(leg, irq, SIP_405_METHOD_NOT_ALLOWED);
		return;
	case sip_method_ack:
	case sip_method_unknown:
	case sip_method_invalid:
	default:
		tl_leg_refuse(leg, irq, SIP_501_NOT_IMPLEMENTED);
		return;
	}
}

/* After its end a dialog only agrees that it has ended. */
static void answer_late(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	if (sip->sip_request->rq_method == sip_method_bye)
		tl_leg_refuse(leg, irq, SIP_200_OK);
	else
		tl_leg_refuse(leg, irq, SIP_481_NO_TRANSACTION);
}

static bool is_acceptable(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	/* the last one is between the parties of a call whose media is */
	const char *supported[] = {
		"100rel", "timer", "replaces", "norefersub", leg->takes_any ? "precondition" : NULL,
		NULL
	};
	const char *broken = tl_guard_broken_header(sip);
	g_autofree char *missing = NULL;

	if (broken) {
		g_autofree char *phrase = g_strdup_printf("Bad %s Header", broken);

		tl_leg_refuse(leg, irq, 400, phrase);
		return false;
	}
	missing = tl_missing_extensions(sip, supported);
	if (!missing)
		return true;
	nta_incoming_treply(irq, SIP_420_BAD_EXTENSION, SIPTAG_UNSUPPORTED_STR(missing),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
	return false;
}

int tl_leg_on_request(nta_leg_magic_t *magic, nta_leg_t *dialog, nta_incoming_t *irq,
		      const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;

	if (sip->sip_request->rq_method == sip_method_ack) {
		nta_incoming_destroy(irq); /* of a transaction that is gone */
		return 0;
	}
	tl_leg_enter(leg);
	tl_leg_follow(leg, irq, sip);
	if (is_acceptable(leg, irq, sip)) {
		if (leg->state == TL_LEG_CLOSING || leg->state == TL_LEG_OVER)
			answer_late(leg, irq, sip);
		else
			dispatch(leg, irq, sip);
	}
	tl_leg_leave(leg);
	return 0;
}
