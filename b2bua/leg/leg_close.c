/* Every way that a leg ends. */
#include "b2bua/leg/leg_priv.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

enum { REFUSAL_DEFAULT = 480 };

/* RFC 3261 20.10: in brackets, or a URI's parameters would become the header's. The first gets
 * q=0.9, each other one less; one alone needs no q. */
static char *contact_list(const struct tl_cause *cause)
{
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < cause->n_contacts && i < TL_CONTACTS_MAX; i++) {
		g_string_append_printf(list, "%s<%s>", i ? ", " : "", cause->contacts[i].uri);
		if (cause->n_contacts > 1)
			g_string_append_printf(list, ";q=0.%zu", 9 - i);
	}
	return g_string_free(list, list->len == 0);
}

static void refuse_caller(struct tl_leg *leg, const struct tl_cause *cause)
{
	static const struct tl_cause none;
	const struct tl_cause *c = cause ? cause : &none;
	int status = c->status >= 300 && c->status <= 699 ? c->status : REFUSAL_DEFAULT;
	g_autofree char *retry_after = g_strdup_printf("%u", c->retry_after_s);
	g_autofree char *text =
		c->warning ? g_strdelimit(g_strdup(c->warning), "\"\\\r\n", ' ') : NULL;
	g_autofree char *contact = contact_list(c);
	g_autofree char *warning = text ? g_strdup_printf("399 twinleg \"%s\"", text) : NULL;

	nta_incoming_treply(
		leg->invite, status, c->status && c->phrase ? c->phrase : sip_status_phrase(status),
		SIPTAG_SERVER_STR(leg->stack->user_agent),
		TAG_IF(c->retry_after_s, SIPTAG_RETRY_AFTER_STR(retry_after)),
		TAG_IF(warning, SIPTAG_WARNING_STR(warning)),
		TAG_IF(status < 400 && contact, SIPTAG_CONTACT_STR(contact)),
		SIPTAG_UNSUPPORTED_STR(c->unsupported),
		/* RFC 6432 */
		SIPTAG_REASON_STR(c->reason), SIPTAG_HEADER_STR(leg->closing_headers), TAG_END());
	nta_incoming_destroy(leg->invite);
	leg->invite = NULL;
	tl_leg_set_state(leg, TL_LEG_OVER);
}

/* RFC 3261 9.1: NTA holds the CANCEL back until a provisional response has come. */
static void cancel(struct tl_leg *leg, const char *reason)
{
	tl_leg_set_state(leg, TL_LEG_CLOSING);
	if (leg->out)
		(void)nta_outgoing_tcancel(leg->out, NULL, NULL, SIPTAG_REASON_STR(reason),
					   SIPTAG_HEADER_STR(leg->closing_headers), TAG_END());
	else
		tl_leg_set_state(leg, TL_LEG_OVER);
}

/* RFC 3261 15.1.2: requests of the peer that are still open get 487; 2xx go on by themselves. */
static void drop_open_requests(struct tl_leg *leg)
{
	if (leg->invite && nta_incoming_status(leg->invite) < 200)
		tl_leg_reply(leg, leg->invite, SIP_487_REQUEST_TERMINATED);
	if (leg->invite)
		nta_incoming_destroy(leg->invite);
	if (leg->update)
		tl_leg_refuse(leg, leg->update, SIP_487_REQUEST_TERMINATED);
	leg->invite = leg->update = NULL;
	leg->initial = leg->awaits_answer = false;
	if (leg->pending == TL_PENDING_ACK)
		tl_leg_send_ack(leg, NULL);
	leg->pending = TL_PENDING_NONE;
}

void tl_leg_close(struct tl_leg *leg, const struct tl_cause *cause)
{
	char *reason = tl_reason_format(leg->home, cause);

	if (cause && !leg->closing_headers)
		leg->closing_headers =
			tl_headers_format(leg->home, cause->headers, cause->n_headers);
	tl_leg_enter(leg);
	switch (leg->state) {
	case TL_LEG_IDLE:
		tl_leg_set_state(leg, TL_LEG_OVER);
		break;
	case TL_LEG_INCOMING:
	case TL_LEG_CALLING:
	case TL_LEG_EARLY:
		if (leg->incoming)
			refuse_caller(leg, cause);
		else
			cancel(leg, reason);
		break;
	case TL_LEG_ANSWERING:   /* RFC 3261 15: the BYE waits for the ACK, or for its absence */
		if (leg->held) { /* nobody has heard of the 2xx */
			tl_leg_drop_held(leg);
			refuse_caller(leg, cause);
			break;
		}
		leg->closing_reason = reason;
		tl_leg_set_state(leg, TL_LEG_CLOSING);
		break;
	case TL_LEG_UP:
		drop_open_requests(leg);
		tl_leg_send_bye(leg, reason);
		break;
	case TL_LEG_CLOSING:
	case TL_LEG_OVER:
	case _TL_LEG_MAX:
	case _TL_LEG_INVALID:
		break;
	}
	tl_leg_leave(leg);
}

void tl_leg_lost(struct tl_leg *leg, const struct tl_cause *cause, bool say_bye)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool calling =
		leg->state == TL_LEG_CALLING || (leg->state == TL_LEG_EARLY && !leg->incoming);

	if (leg->state == TL_LEG_CLOSING || leg->state == TL_LEG_OVER)
		return;
	drop_open_requests(leg);
	if (calling)
		cancel(leg, NULL);
	else if (say_bye)
		tl_leg_send_bye(leg, tl_reason_format(home, cause));
	else
		tl_leg_set_state(leg, TL_LEG_OVER);
	tl_leg_emit_cause(leg, TL_LEG_GONE, cause);
	su_home_deinit(home);
}

/* Says farewell, and waits for nothing: transactions are left to the agent's own end. */
static void end_now(struct tl_leg *leg)
{
	static const struct tl_cause shutdown = { .status = 503, .phrase = "Shutdown" };

	if (leg->state == TL_LEG_ANSWERING && !leg->held)
		tl_leg_set_state(leg, TL_LEG_UP);
	leg->on_event = NULL;
	tl_leg_refer_drop(leg);
	tl_leg_close(leg, &shutdown);
	if (leg->invite)
		nta_incoming_destroy(leg->invite);
	if (leg->out)
		nta_outgoing_destroy(leg->out);
	if (leg->bye)
		nta_outgoing_destroy(leg->bye);
	for (guint i = 0; i < leg->others->len; i++)
		nta_outgoing_destroy(leg->others->pdata[i]);
	leg->invite = NULL;
	leg->out = leg->bye = NULL;
	g_ptr_array_set_size(leg->others, 0);
	tl_leg_set_state(leg, TL_LEG_OVER);
	tl_leg_release(leg);
}

void tl_legs_end(struct tl_stack *stack)
{
	g_autoptr(GList) legs = g_hash_table_get_keys(stack->legs);

	for (GList *l = legs; l; l = l->next)
		end_now(l->data);
}
