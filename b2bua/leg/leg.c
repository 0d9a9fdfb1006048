/* A leg's life: making, states, events, and the small things that its verbs share. */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include "b2bua/sip/body.h"

const char *tl_leg_state_name(enum tl_leg_state state)
{
	static const char *const names[_TL_LEG_MAX] = {
		[TL_LEG_IDLE] = "idle",           [TL_LEG_INCOMING] = "incoming",
		[TL_LEG_CALLING] = "calling",     [TL_LEG_EARLY] = "early",
		[TL_LEG_ANSWERING] = "answering", [TL_LEG_UP] = "up",
		[TL_LEG_CLOSING] = "closing",     [TL_LEG_OVER] = "over",
	};

	return state >= 0 && state < _TL_LEG_MAX ? names[state] : "?";
}

const char *tl_leg_event_name(enum tl_leg_event_type type)
{
	static const char *const names[_TL_LEG_EVENT_MAX] = {
		[TL_LEG_PROGRESS] = "progress",
		[TL_LEG_ANSWERED] = "answered",
		[TL_LEG_REFUSED] = "refused",
		[TL_LEG_ACKED] = "acked",
		[TL_LEG_OFFERED] = "offered",
		[TL_LEG_REANSWERED] = "reanswered",
		[TL_LEG_OFFER_REFUSED] = "offer-refused",
		[TL_LEG_INFO_DTMF] = "info-dtmf",
		[TL_LEG_INFO] = "info",
		[TL_LEG_INFO_REPLY] = "info-reply",
		[TL_LEG_REFERRED] = "referred",
		[TL_LEG_REFER_NEWS] = "refer-news",
		[TL_LEG_REFER_DONE] = "refer-done",
		[TL_LEG_GONE] = "gone",
	};

	return type < _TL_LEG_EVENT_MAX ? names[type] : "?";
}

struct tl_leg *tl_leg_new(struct tl_stack *stack, bool incoming)
{
	struct tl_leg *leg = g_new0(struct tl_leg, 1);

	leg->stack = stack;
	su_home_init(leg->home);
	leg->state = TL_LEG_IDLE;
	leg->incoming = incoming;
	leg->id = g_strdup("leg=?");
	leg->sdp = tl_sdp_session_new();
	leg->others = g_ptr_array_new();
	g_hash_table_add(stack->legs, leg);
	return leg;
}

static void leg_free(struct tl_leg *leg)
{
	g_hash_table_remove(leg->stack->legs, leg);
	tl_stack_ports_forget(leg->stack, leg);
	tl_timer_stop(&leg->timer);
	tl_timer_stop(&leg->silence_timer);
	tl_timer_stop(&leg->session_timer);
	nta_leg_destroy(leg->dialog);
	tl_sdp_session_free(leg->sdp);
	tl_digest_free(leg->digest);
	g_ptr_array_free(leg->others, TRUE);
	g_free(leg->first_offer);
	g_free(leg->offer);
	g_free(leg->early_offer);
	g_free(leg->update_offer);
	tl_leg_early_forget(leg);
	tl_leg_drop_held(leg);
	g_free(leg->local);
	g_free(leg->id);
	su_home_deinit(leg->home);
	g_free(leg);
}

void tl_leg_enter(struct tl_leg *leg)
{
	leg->depth++;
}

void tl_leg_leave(struct tl_leg *leg)
{
	if (--leg->depth > 0)
		return;
	if (leg->released && leg->state == TL_LEG_OVER && !leg->invite && !leg->update &&
	    !leg->refer && !leg->out && !leg->bye && leg->others->len == 0)
		leg_free(leg);
}

bool tl_leg_has_dialog(const struct tl_leg *leg)
{
	return leg->state == TL_LEG_UP || (leg->state == TL_LEG_ANSWERING && !leg->held);
}

/* RFC 3261 15.1.2: what is still open of the peer's gets 487. */
static void drop_offer(struct tl_leg *leg)
{
	if (leg->pending == TL_PENDING_UPDATE)
		leg->pending = TL_PENDING_NONE;
	if (leg->update)
		tl_leg_refuse(leg, g_steal_pointer(&leg->update), SIP_487_REQUEST_TERMINATED);
}

void tl_leg_set_state(struct tl_leg *leg, enum tl_leg_state state)
{
	if (leg->state == state)
		return;
	g_debug("%s state=%s was=%s", leg->id, tl_leg_state_name(state),
		tl_leg_state_name(leg->state));
	leg->state = state;
	if (state == TL_LEG_CLOSING || state == TL_LEG_OVER) {
		tl_timer_stop(&leg->timer);
		tl_timer_stop(&leg->silence_timer);
		tl_leg_session_stop(leg);
		tl_leg_drop_infos(leg);
		drop_offer(leg);
	}
}

void tl_leg_emit(struct tl_leg *leg, const struct tl_leg_event *event)
{
	if (leg->released || !leg->on_event)
		return;
	g_debug("%s event=%s status=%d", leg->id, tl_leg_event_name(event->type), event->status);
	leg->on_event(leg, event, leg->user);
}

void tl_leg_emit_cause(struct tl_leg *leg, enum tl_leg_event_type type,
		       const struct tl_cause *cause)
{
	tl_leg_emit(leg, &(struct tl_leg_event) {
				 .type = type, .status = cause->status, .cause = *cause });
}

void tl_leg_start_timer(struct tl_leg *leg, su_timer_t **timer, unsigned ms, su_timer_f on_timer)
{
	tl_timer_start(timer, leg->stack->root, ms, on_timer, leg);
}

int tl_leg_read_text(struct tl_leg *leg, const char *text, size_t bytes,
		     struct tl_media_desc *ret_desc)
{
	return (leg->takes_any ? tl_sdp_parse_any : tl_sdp_parse)(leg->sdp, text, bytes, ret_desc);
}

int tl_leg_read_sdp(struct tl_leg *leg, const sip_t *sip, struct tl_media_desc *ret_desc)
{
	const char *text;
	size_t bytes;
	int r = tl_body_sdp(sip, &text, &bytes);

	if (r <= 0)
		return r;
	r = tl_leg_read_text(leg, text, bytes, ret_desc);
	if (r == 0)
		tl_leg_note_preconditions(leg, sip);
	return r < 0 ? r : 1;
}

int tl_leg_sdp_status(int r)
{
	return r == -ENOTSUP ? 415 : r == -EBADMSG ? 400 : 488;
}

sip_payload_t *tl_leg_payload(struct tl_leg *leg, su_home_t *home, const struct tl_media_desc *desc,
			      bool answer)
{
	const char *text;
	size_t bytes;

	if (!desc)
		return NULL;
	if (desc != leg->offer) { /* that one counts when it is accepted */
		g_free(leg->local);
		leg->local = tl_media_desc_keep(desc);
	}
	text = tl_sdp_print(leg->sdp, desc, answer, &bytes);
	return sip_payload_create(home, text, (isize_t)bytes);
}

void tl_leg_take_any(struct tl_leg *leg, bool any)
{
	leg->takes_any = any;
}

bool tl_leg_pass_sdp(struct tl_leg *leg, const struct tl_leg *from)
{
	leg->says_preconditions = from->heard_preconditions;
	return tl_sdp_pass(leg->sdp, from->sdp);
}

void tl_leg_unpass_sdp(struct tl_leg *leg)
{
	tl_sdp_unpass(leg->sdp);
}

const struct tl_stream *tl_leg_stream(const struct tl_leg *leg, unsigned number)
{
	return tl_sdp_stream(leg->sdp, number);
}

void tl_leg_say_stream(struct tl_leg *leg, unsigned number, const struct tl_stream *stream)
{
	tl_sdp_say_stream(leg->sdp, number, stream);
}

const struct tl_stream *tl_leg_said_stream(const struct tl_leg *leg, unsigned number)
{
	return tl_sdp_said_stream(leg->sdp, number);
}

void tl_leg_reply(struct tl_leg *leg, nta_incoming_t *irq, int status, const char *phrase)
{
	nta_incoming_treply(
		irq, status, phrase ? phrase : sip_status_phrase(status),
		SIPTAG_SERVER_STR(leg->stack->user_agent),
		TAG_IF(status == 405 || status == 501 || status == 200, SIPTAG_ALLOW_STR(TL_ALLOW)),
		TAG_IF(status == 415, SIPTAG_ACCEPT_STR(TL_ACCEPT)), TAG_END());
}

void tl_leg_refuse(struct tl_leg *leg, nta_incoming_t *irq, int status, const char *phrase)
{
	tl_leg_reply(leg, irq, status, phrase);
	nta_incoming_destroy(irq);
}

const struct tl_leg_info *tl_leg_info(const struct tl_leg *leg)
{
	return &leg->info;
}

struct tl_media_desc *tl_leg_take_offer(struct tl_leg *leg)
{
	return g_steal_pointer(&leg->first_offer);
}

void tl_leg_set_owner(struct tl_leg *leg, tl_leg_event_fn *on_event, void *user)
{
	leg->on_event = on_event;
	leg->user = user;
}

void *tl_leg_owner(const struct tl_leg *leg, tl_leg_event_fn *on_event)
{
	return leg->on_event == on_event ? leg->user : NULL;
}

void tl_leg_set_contact(struct tl_leg *leg, const char *user)
{
	const struct sockaddr *peer = (const struct sockaddr *)&leg->info.source;
	const struct tl_port *port = tl_stack_find_port(leg->stack, leg->transport, peer);

	leg->contact = tl_stack_contact(leg->stack, leg->home, user, leg->transport, peer);
	leg->port_serial = port ? port->serial : 0;
}

void tl_leg_set_client(struct tl_leg *leg, const char *client)
{
	leg->client = su_strdup(leg->home, client);
}

void tl_leg_set_id(struct tl_leg *leg, const char *id)
{
	g_free(leg->id);
	leg->id = g_strdup(id);
}

enum tl_leg_state tl_leg_state(const struct tl_leg *leg)
{
	return leg->state;
}

const char *tl_leg_call_id(const struct tl_leg *leg)
{
	return leg->info.call_id;
}

void tl_leg_local_ip(const struct tl_leg *leg, struct sockaddr_storage *ret_ip)
{
	if (tl_stack_media_ip(leg->stack, (const struct sockaddr *)&leg->info.source, ret_ip) < 0)
		memset(ret_ip, 0, sizeof(*ret_ip));
}

void tl_leg_release(struct tl_leg *leg)
{
	if (!leg)
		return;
	tl_leg_enter(leg);
	tl_leg_close(leg, NULL);
	leg->released = true;
	tl_leg_leave(leg);
}
