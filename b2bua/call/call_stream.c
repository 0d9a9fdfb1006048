/*
 * Streams beside the audio, such as video. Nobody here understands them: they
 * are offered to a target when the caller has offered them, agreed upon with the
 * caller when the target takes them, and passed on packet for packet. What only
 * one of the legs wants is refused with port 0, and the audio goes on.
 *
 *   INVITE m=video 4000 96 97   ──►  INVITE m=video (our port) 96 97
 *   200    m=video (our port) 97 ◄── 200    m=video 6000 97
 */
#include "b2bua/call/call_seal.h"
#include "b2bua/sip/stack.h"
#include <string.h>

static struct tl_branch *branch_of(const struct tl_call *call)
{
	return call->b ? call->b : call->newsmaker ? call->newsmaker : call->early;
}

/* Our port for it, told as the peer sees it. */
static bool fill_address(struct tl_call *call, unsigned number, enum tl_side side,
			 const struct sockaddr *ip, const struct sockaddr *peer,
			 struct tl_stream *stream)
{
	struct sockaddr_storage local;

	if (!call->session || tl_session_stream_port(call->session, number, side, ip, &local) < 0)
		return false;
	tl_call_tell_address(call, peer, &local, &stream->rtp);
	stream->rtcp = (struct sockaddr_storage) { 0 };
	return true;
}

void tl_call_streams_offer(struct tl_call *call, const struct tl_call_media *m,
			   struct tl_stream *buf, struct tl_target *target)
{
	const struct sockaddr *peer = (const struct sockaddr *)&m->peer;
	struct sockaddr_storage ip;
	bool reachable = tl_stack_media_ip(call->app->stack, peer, &ip) == 0;

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		const struct tl_stream *theirs = tl_leg_stream(call->leg_a, n);

		target->streams[n] = NULL;
		if (!theirs || !reachable ||
		    (call->a.have_local && !tl_leg_said_stream(call->leg_a, n)))
			continue;
		buf[n] = *theirs;
		tl_seal_offer(m, NULL, &buf[n]);
		if (fill_address(call, n, TL_SIDE_B, (struct sockaddr *)&ip, peer, &buf[n]))
			target->streams[n] = &buf[n];
	}
}

/* What a leg is told of a stream: what the other one says of it, at our address, under keys of
 * ours. theirs: its offer that this answers; NULL: we offer. */
static void say(struct tl_call *call, struct tl_leg *leg, enum tl_side side, unsigned number,
		const struct tl_call_media *m, const struct tl_stream *theirs,
		struct tl_stream *stream)
{
	const struct tl_stream *before = tl_leg_said_stream(leg, number);
	const struct sockaddr *peer = (const struct sockaddr *)&m->peer;
	struct sockaddr_storage ip;

	tl_leg_local_ip(leg, &ip);
	if (m->local.rtp.ss_family && m->local.rtp.ss_family != ip.ss_family) { /* as its sound */
		peer = (const struct sockaddr *)&m->remote.rtp;
		(void)tl_stack_media_ip(call->app->stack, peer, &ip);
	}
	if (!theirs)
		tl_seal_offer(m, before, stream);
	if ((theirs && !tl_seal_answer(m, before, theirs, stream)) ||
	    !fill_address(call, number, side, (struct sockaddr *)&ip, peer, stream))
		stream = NULL;
	tl_leg_say_stream(leg, number, stream);
}

void tl_call_streams_answer(struct tl_call *call)
{
	const struct tl_branch *b = branch_of(call);

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		const struct tl_stream *theirs = b ? tl_leg_stream(b->leg, n) : NULL;
		const struct tl_stream *offer = tl_leg_stream(call->leg_a, n);
		struct tl_stream stream;

		if (!theirs || !offer)
			continue;
		stream = *theirs;
		say(call, call->leg_a, TL_SIDE_A, n, &call->a, offer, &stream);
	}
}

/* From what both legs have said of it, each for itself; anew with each offer. */
static bool agree(const struct tl_stream *offer, const struct tl_stream *other,
		  struct tl_stream *ret_answer)
{
	if (!offer || !other)
		return false;
	*ret_answer = *other;
	ret_answer->direction &= tl_direction_mirror(offer->direction);
	return tl_stream_restrict(ret_answer, offer->formats);
}

void tl_call_streams_reoffered(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m)
{
	const struct tl_branch *b = branch_of(call);
	enum tl_side side = leg == call->leg_a ? TL_SIDE_A : TL_SIDE_B;
	const struct tl_leg *other = side == TL_SIDE_B ? call->leg_a : b ? b->leg : NULL;

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		struct tl_stream answer;

		if (other && tl_leg_said_stream(other, n) &&
		    agree(tl_leg_stream(leg, n), tl_leg_stream(other, n), &answer))
			say(call, leg, side, n, m, tl_leg_stream(leg, n), &answer);
		else
			tl_leg_say_stream(leg, n, NULL);
	}
	tl_call_streams_apply(call);
}

/* A transfer may join legs that agreed upon theirs with others: numbers that one of them does not
 * know mean nothing to it. */
static bool is_same(const struct tl_stream *a, const struct tl_stream *b)
{
	struct tl_stream common;

	if (!a || !b || strcmp(a->media, b->media) != 0)
		return false;
	common = *a;
	return tl_stream_restrict(&common, b->formats);
}

static void plan_side(const struct tl_leg *leg, unsigned number, struct tl_stream_side *ret)
{
	const struct tl_stream *theirs = tl_leg_stream(leg, number);
	const struct tl_stream *ours = tl_leg_said_stream(leg, number);

	if (!theirs || !ours || !tl_seal_plan(ours, theirs, ret))
		return;
	ret->open = true;
	ret->rtp = theirs->rtp;
	ret->rtcp = theirs->rtcp;
}

void tl_call_streams_apply(struct tl_call *call)
{
	const struct tl_branch *b = branch_of(call);

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		struct tl_stream_plan plan = { 0 };

		if (b && is_same(tl_leg_stream(call->leg_a, n), tl_leg_stream(b->leg, n))) {
			plan_side(call->leg_a, n, &plan.side[TL_SIDE_A]);
			plan_side(b->leg, n, &plan.side[TL_SIDE_B]);
		}
		/* also without any: a transfer may have brought a session that had some */
		(void)tl_session_stream_apply(call->session, n, &plan);
	}
}

static struct tl_leg *leg_of(const struct tl_call *call, const struct tl_call_media *m)
{
	return m == &call->a ? call->leg_a : call->b ? call->b->leg : NULL;
}

static bool add_new(struct tl_call *call, const struct tl_leg *leg, struct tl_call_media *other)
{
	struct tl_leg *other_leg = leg_of(call, other);
	enum tl_side side = other == &call->a ? TL_SIDE_A : TL_SIDE_B;
	bool added = false;

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		const struct tl_stream *theirs = tl_leg_stream(leg, n);
		struct tl_stream stream;

		if (!theirs || tl_leg_said_stream(other_leg, n) || other->refused_streams & 1u << n)
			continue;
		stream = *theirs;
		say(call, other_leg, side, n, other, NULL, &stream);
		added = added || tl_leg_said_stream(other_leg, n);
	}
	return added;
}

/* What it has not taken; a bit each. */
static unsigned forget_unanswered(struct tl_leg *leg)
{
	unsigned forgotten = 0;

	for (unsigned n = 0; n < TL_STREAMS; n++) {
		if (!tl_leg_said_stream(leg, n) || tl_leg_stream(leg, n))
			continue;
		forgotten |= 1u << n;
		tl_leg_say_stream(leg, n, NULL);
	}
	return forgotten;
}

bool tl_call_streams_ask(struct tl_call *call, const struct tl_leg *leg,
			 const struct tl_call_media *m)
{
	struct tl_call_media *other = m != &call->a ? &call->a : call->b ? &call->b->media : NULL;
	struct tl_media_desc offer;

	if (call->state != TL_CALL_TALKING || !other || !other->have_local || !other->have_remote ||
	    !add_new(call, leg, other))
		return false;
	tl_call_hold_repeat(call, other, &offer);
	if (!offer.n_formats || tl_leg_offer(leg_of(call, other), &offer) < 0) {
		forget_unanswered(leg_of(call, other));
		return false;
	}
	g_free(other->reoffer);
	other->reoffer = g_memdup2(&offer, sizeof(offer));
	return true;
}

void tl_call_streams_asked(struct tl_call *call, struct tl_call_media *m)
{
	struct tl_leg *leg = leg_of(call, m);

	if (leg)
		m->refused_streams |= forget_unanswered(leg);
}
