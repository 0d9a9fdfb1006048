/*
 * Hold, as the two legs of a call see it. Who holds is answered at once, from its
 * own offer. What the other one gets is for configuration to say:
 *
 *             the holder says        the other leg, hold = local   hold = pass
 *   hold      sendonly, inactive     hears music, or nothing       re-INVITE, the same
 *   resume    sendrecv, or nothing   hears the voice               re-INVITE sendrecv
 *
 * local is the default, as it is with telephone systems: a carrier that is told
 * nothing can't do the wrong thing.
 */
#include "b2bua/call/call_priv.h"
#include <errno.h>

enum { RETRY_MS = 300 }; /* until the leg's own offer is done */

/* It sends to us at the most. */
static bool holds(const struct tl_call_media *m)
{
	return m->have_local && m->have_remote && !(m->own & TL_DIR_RECVONLY);
}

/* An answer says nothing of the directions that our offer left out. */
void tl_call_hold_note(struct tl_call_media *m, bool answer)
{
	unsigned unasked = answer ? tl_direction_mirror(m->untold) : TL_DIR_INACTIVE;

	m->own = (m->remote.direction & ~unasked) | (m->own & unasked);
}

/* What somebody hears whose other party is m: a path while m holds and there is music. Without
 * it m's own is heard, if it sends any. */
static const char *music_of(const struct tl_call *call, const struct tl_call_media *m)
{
	const char *route = call->decision ? call->decision->hold_music : NULL;
	const char *path = route           ? route
			   : m->hold_music ? m->hold_music
					   : tl_dialplan_gateway(call->dp)->hold_music;

	return holds(m) && path && *path ? path : NULL;
}

static const struct tl_call_media *other_of(const struct tl_call *call,
					    const struct tl_call_media *m)
{
	return m != &call->a ? &call->a : call->b ? &call->b->media : NULL;
}

enum tl_direction tl_call_hold_direction(const struct tl_call *call, const struct tl_call_media *m)
{
	const struct tl_call_media *other = other_of(call, m);

	if (m->hold != TL_HOLD_PASS || !other || !other->have_remote ||
	    call->state != TL_CALL_TALKING)
		return TL_DIR_SENDRECV;
	/* our music needs a way to the leg, whether the holder sends or not */
	return music_of(call, other) ? TL_DIR_SENDONLY : other->own;
}

/* Music for m, or its end. */
static void play(struct tl_call *call, enum tl_side side, struct tl_call_media *m)
{
	const struct tl_call_media *other = other_of(call, m);
	const char *path = music_of(call, other);

	if (!path == !m->hears_music)
		return;
	m->hears_music = path && tl_session_play(call->session, side, &path, 1, true) == 0;
	if (!path)
		tl_session_play_stop(call->session, side);
}

void tl_call_hold_repeat(const struct tl_call *call, const struct tl_call_media *m,
			 struct tl_media_desc *ret)
{
	*ret = m->local;
	ret->direction = tl_call_hold_direction(call, m);
	ret->n_formats = 0;
	for (size_t i = 0; i < m->local.n_formats; i++)
		for (size_t k = 0; k < m->remote.n_formats; k++)
			if (tl_format_compatible(&m->local.formats[i], &m->remote.formats[k])) {
				ret->formats[ret->n_formats++] = m->local.formats[i];
				break;
			}
}

/* -EBUSY: later. */
static int tell(struct tl_call *call, struct tl_leg *leg, struct tl_call_media *m)
{
	enum tl_direction wanted = tl_call_hold_direction(call, m);
	struct tl_media_desc offer;
	int r;

	if (m->hold != TL_HOLD_PASS || wanted == (TL_DIR_SENDRECV ^ m->untold) || !m->have_local ||
	    !m->have_remote)
		return 0;
	tl_call_hold_repeat(call, m, &offer);
	r = offer.n_formats ? tl_leg_offer(leg, &offer) : 0;
	if (r < 0)
		return r;
	m->untold = TL_DIR_SENDRECV ^ wanted;
	g_free(m->reoffer);
	m->reoffer = g_memdup2(&offer, sizeof(offer));
	return 0;
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;

	tl_timer_stop(&call->hold_timer);
	tl_call_hold_follow(call);
}

void tl_call_hold_follow(struct tl_call *call)
{
	if (call->state != TL_CALL_TALKING || !call->b || !call->session || !call->leg_a)
		return;
	play(call, TL_SIDE_A, &call->a);
	play(call, TL_SIDE_B, &call->b->media);
	if ((tell(call, call->leg_a, &call->a) == -EBUSY ||
	     tell(call, call->b->leg, &call->b->media) == -EBUSY) &&
	    !call->hold_timer)
		tl_call_start_timer(call, &call->hold_timer, RETRY_MS, on_timer);
}
