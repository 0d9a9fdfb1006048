/*
 * REFER of ours: a transfer that the other leg's peer has asked for is passed on
 * (RFC 3515). What this peer says of it comes as TL_LEG_REFER_NEWS, with a status
 * of 200 or more once.
 *
 *   owner                  leg                               peer
 *    | tl_leg_refer() ----> | REFER -----------------------> |
 *    |                      | <------------------------- 202 |
 *    | <---- REFER_NEWS 180 | <-- NOTIFY active, 180 Ringing |
 *    | <---- REFER_NEWS 200 | <-- NOTIFY terminated, 200 OK  |
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

static void tell(struct tl_leg *leg, int status)
{
	if (status >= 200)
		leg->refers = false;
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REFER_NEWS, .status = status });
}

static void take_response(struct tl_leg *leg, const nta_outgoing_t *orq, int status,
			  const sip_t *sip)
{
	if (status >= 300 && leg->refers)
		tell(leg, status);
}

static int on_refer_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	return tl_leg_take_other((struct tl_leg *)magic, orq, sip, take_response);
}

int tl_leg_refer(struct tl_leg *leg, const char *uri, const char *referred_by)
{
	g_autofree char *headers =
		g_strdup_printf("Refer-To: <%s>%s%s", uri, referred_by ? "\r\nReferred-By: " : "",
				referred_by ? referred_by : "");
	nta_outgoing_t *orq;

	if (leg->state != TL_LEG_UP || leg->refers || strlen(uri) != strcspn(uri, "<>\r\n "))
		return -EBUSY;
	orq = tl_leg_send(leg, on_refer_response, SIP_METHOD_REFER,
			  SIPTAG_CONTACT_STR(leg->contact), SIPTAG_HEADER_STR(headers), TAG_END());
	if (!orq)
		return -EIO;
	g_ptr_array_add(leg->others, orq);
	leg->refers = true;
	return 0;
}

/* "SIP/2.0 180 Ringing": 180; 0: can't be read. */
static int read_fragment(const sip_t *sip)
{
	static const char start[] = "SIP/2.0 ";
	char line[16] = "";
	int status;

	if (!tl_has_body(sip) || !tl_content_is(sip, "message/sipfrag"))
		return 0;
	memcpy(line, sip->sip_payload->pl_data, MIN(sip->sip_payload->pl_len, sizeof(line) - 1));
	if (g_ascii_strncasecmp(line, start, strlen(start)) != 0)
		return 0;
	status = atoi(line + strlen(start));
	return status >= 100 && status <= 699 ? status : 0;
}

void tl_leg_on_notify(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	const sip_subscription_state_t *state = sip->sip_subscription_state;
	bool ends = state && state->ss_substate &&
		    g_ascii_strcasecmp(state->ss_substate, "terminated") == 0;
	int status = read_fragment(sip);

	if (!leg->refers) { /* there is no subscription */
		tl_leg_refuse(leg, irq, SIP_481_NO_TRANSACTION);
		return;
	}
	tl_leg_refuse(leg, irq, SIP_200_OK);
	if (ends && status < 200)
		status = 480; /* it does not say how it went on */
	if (status)
		tell(leg, status);
}
