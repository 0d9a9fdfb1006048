/*
 * Offers inside the dialogs of a call. Each leg is answered for itself, from
 * the offer at hand, and at once. What follows for the other leg is in
 * call_hold.c.
 *
 *   re-INVITE or UPDATE, offer      plan made and applied, then our answer
 *   re-INVITE without               our offer; m->offered waits for the ACK
 */
#include "b2bua/call/call_priv.h"
#include <errno.h>
#include <string.h>

static const struct tl_format *find(const struct tl_media_desc *desc,
				    const struct tl_format *format)
{
	for (size_t i = 0; i < desc->n_formats; i++)
		if (tl_format_compatible(&desc->formats[i], format))
			return &desc->formats[i];
	return NULL;
}

/*
 * What a leg has agreed to: its own words, as far as ours have the same. The
 * formats that only one of the two named are of the past.
 */
static bool agreed_with(const struct tl_call_media *m, struct tl_media_desc *ret)
{
	if (!m || !m->have_local || !m->have_remote)
		return false;
	*ret = m->remote;
	if (m->local.t38.on) {
		ret->t38 = tl_t38_agree(&m->local.t38, &m->remote.t38);
		return true;
	}
	ret->n_formats = 0;
	for (size_t i = 0; i < m->remote.n_formats; i++)
		if (find(&m->local, &m->remote.formats[i]))
			ret->formats[ret->n_formats++] = m->remote.formats[i];
	return ret->n_formats > 0;
}

/* The other leg's, or NULL while there is none. */
static const struct tl_call_media *other_of(const struct tl_call *call,
					    const struct tl_call_media *m)
{
	const struct tl_branch *b = call->b ? call->b : call->early;

	if (m != &call->a)
		return &call->a;
	return b ? &b->media : NULL;
}

static void append(struct tl_media_desc *desc, const struct tl_format *format)
{
	if (desc->n_formats < TL_DESC_FORMATS && !find(desc, format))
		desc->formats[desc->n_formats++] = *format;
}

static void append_events(struct tl_media_desc *desc, const struct tl_media_desc *more)
{
	for (size_t i = 0; i < more->n_events && desc->n_events < TL_DESC_EVENTS; i++)
		desc->events[desc->n_events++] = more->events[i];
}

/*
 * What to offer a leg that has spoken before. Numbers keep the meaning that
 * they have in this dialog (RFC 3264 8.3.2): ours first, then theirs. What the
 * other leg speaks comes first, what it alone speaks comes last.
 */
static void order_formats(const struct tl_call_media *m, const struct tl_media_desc *other,
			  struct tl_media_desc *ret)
{
	struct tl_media_desc own = m->local;

	for (size_t i = 0; i < m->remote.n_formats; i++)
		append(&own, &m->remote.formats[i]);
	*ret = m->remote;
	ret->t38.on = false; /* audio is what is offered */
	ret->n_formats = ret->n_events = 0;
	for (size_t i = 0; other && i < other->n_formats; i++) {
		const struct tl_format *format = find(&own, &other->formats[i]);

		if (format)
			append(ret, format);
	}
	for (size_t i = 0; i < own.n_formats; i++)
		append(ret, &own.formats[i]);
	for (size_t i = 0; other && i < other->n_formats; i++)
		append(ret, &other->formats[i]);
	append_events(ret, &m->local);
	append_events(ret, &m->remote);
}

/* What to offer to m now; to free. NULL: there is nothing. */
static struct tl_media_desc *make_offer(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_media_desc other, peer;
	struct tl_media_desc *offer = g_new0(struct tl_media_desc, 1);
	bool have_other = agreed_with(other_of(call, m), &other);

	order_formats(m, have_other ? &other : NULL, &peer);
	if (tl_plan_offer_again(peer.n_formats ? &peer : NULL, &m->policy, offer) < 0) {
		g_free(offer);
		return NULL;
	}
	offer->direction = tl_call_hold_direction(call, m);
	m->untold = TL_DIR_SENDRECV ^ offer->direction;
	offer->rtp = m->local.rtp;
	offer->rtcp = m->local.rtcp;
	return offer;
}

/* 0, or the SIP status to decline with. */
static int offer_ours(struct tl_call *call, struct tl_call_media *m)
{
	m->offered = tl_call_fax_repeat(m);
	if (!m->offered)
		m->offered = make_offer(call, m);
	return m->offered ? 0 : 488;
}

int tl_call_media_reoffer(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			  const struct sockaddr_storage *rtp)
{
	struct tl_media_desc *offer = make_offer(call, m);
	int r = offer ? 0 : -ENOENT;

	if (offer) {
		offer->rtp = *rtp;
		memset(&offer->rtcp, 0, sizeof(offer->rtcp));
		r = tl_leg_offer(leg, offer);
	}
	if (r < 0) {
		g_free(offer);
		return r;
	}
	g_free(m->reoffer);
	m->reoffer = offer;
	return 0;
}

/* It has come to nothing; what is kept of the time before T.38 stays. */
static void put_back(struct tl_call_media *m, const struct tl_call_media *before)
{
	struct tl_media_desc *voice = m->voice;

	*m = *before;
	m->voice = voice;
}

/* Applied before it is answered: an offer that can't be met leaves the call as it was. */
static int answer_theirs(struct tl_call *call, struct tl_call_media *m,
			 const struct tl_media_desc *offer)
{
	struct tl_call_media before = *m;
	struct tl_media_desc other, answer;
	bool have_other = agreed_with(other_of(call, m), &other);
	int status;

	if (tl_plan_answer(offer, &m->policy, have_other ? &other : NULL, NULL, &answer) < 0)
		return 488;
	answer.direction &= tl_call_hold_direction(call, m);
	answer.rtp = m->local.rtp;
	answer.rtcp = m->local.rtcp;
	tl_call_fax_note(m, &answer);
	m->local = answer;
	m->remote = *offer;
	tl_call_hold_note(m, false);
	status = tl_call_media_place(call, m == &call->a ? TL_SIDE_A : TL_SIDE_B, &m->remote,
				     &m->local);
	if (status == 0)
		status = tl_call_media_apply(call);
	if (status)
		put_back(m, &before);
	else
		m->untold = TL_DIR_SENDRECV ^ tl_call_hold_direction(call, m);
	return status;
}

static void reply(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
		  const struct tl_media_desc *offer)
{
	int status = 500; /* an UPDATE before the first offer was answered (RFC 3311 5.2) */

	if (m->have_local && m->have_remote)
		status = offer ? answer_theirs(call, m, offer) : offer_ours(call, m);
	if (status) {
		g_message("call=%s leg=%s new offer refused status=%d", call->id,
			  m == &call->a ? "a" : "b", status);
		(void)tl_leg_decline(leg, status);
		return;
	}
	if (offer)
		tl_call_streams_reoffered(call, leg, m);
	(void)tl_leg_accept(leg, offer ? &m->local : m->offered);
	if (offer) {
		tl_call_hold_follow(call);
		tl_call_fax_follow(call);
	}
}

/* The other leg has been asked first, and has said what it takes. */
static void answer_held(struct tl_call *call, const struct tl_call_media *asked)
{
	struct tl_call_media *m = asked != &call->a ? &call->a : call->b ? &call->b->media : NULL;
	struct tl_leg *leg = m == &call->a ? call->leg_a : call->b ? call->b->leg : NULL;
	g_autofree struct tl_media_desc *offer = NULL;

	if (!m || !leg || !m->held_offer)
		return;
	offer = g_steal_pointer(&m->held_offer);
	if (tl_leg_is_asked(leg)) /* else it has taken its offer back */
		reply(call, leg, m, offer);
}

void tl_call_media_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m,
			     const struct tl_media_desc *offer)
{
	if (tl_call_is_direct(call)) {
		tl_call_direct_reoffered(call, leg, m, offer);
		return;
	}
	g_clear_pointer(&m->offered, g_free);
	g_clear_pointer(&m->held_offer, g_free);
	if (!offer || (!tl_call_fax_ask(call, m, offer) && !tl_call_streams_ask(call, leg, m))) {
		reply(call, leg, m, offer);
		if (offer) /* the other one's may wait for this leg, which has now spoken */
			answer_held(call, m);
		return;
	}
	m->held_offer = g_memdup2(offer, sizeof(*offer));
}

void tl_call_media_offer_refused(struct tl_call *call, struct tl_call_media *m, int status)
{
	tl_call_direct_refused(call, status);
	if (m->reoffer)
		g_message("call=%s leg=%s does not take our offer", call->id,
			  m == &call->a ? "a" : "b");
	if (tl_call_fax_refused(call, m))
		return;
	g_clear_pointer(&m->reoffer, g_free);
	tl_call_streams_asked(call, m);
	answer_held(call, m);
	tl_call_fax_follow(call);
}

int tl_call_media_answered(struct tl_call *call, struct tl_call_media *m,
			   const struct tl_media_desc *answer)
{
	struct tl_call_media before = *m;
	int status;

	if (tl_call_is_direct(call)) {
		tl_call_direct_reanswered(call, m, answer);
		return 0;
	}
	if (m->reoffer && !m->offered)
		tl_call_fax_note(m, m->reoffer);
	if (m->offered)
		m->local = *m->offered;
	else if (m->reoffer)
		m->local = *m->reoffer;
	m->remote = *answer;
	m->have_remote = true;
	tl_call_hold_note(m, true);
	status = tl_call_media_apply(call);
	if (status) {
		put_back(m, &before);
		g_message("call=%s leg=%s answer can't be used status=%d", call->id,
			  m == &call->a ? "a" : "b", status);
	}
	g_clear_pointer(m->offered ? &m->offered : &m->reoffer, g_free);
	tl_call_streams_asked(call, m);
	answer_held(call, m);
	tl_call_hold_follow(call);
	tl_call_fax_follow(call);
	return status;
}

static bool may_be_sent_to(const struct tl_call_media *m)
{
	return !m->have_local || !m->have_remote ||
	       (m->local.direction & TL_DIR_SENDONLY && m->remote.direction & TL_DIR_RECVONLY);
}

bool tl_call_media_on_hold(const struct tl_call *call)
{
	return !may_be_sent_to(&call->a) || (call->b && !may_be_sent_to(&call->b->media));
}
