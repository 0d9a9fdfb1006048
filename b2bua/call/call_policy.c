/*
 * What is allowed on a leg: its own section says, and the route of the call,
 * which wins where it says anything.
 */
#include "b2bua/call/call_priv.h"
#include <string.h>

static enum tl_srtp_mode srtp_mode(enum tl_srtp_policy srtp)
{
	switch (srtp) {
	case TL_SRTP_OFF:
		return TL_SRTP_MODE_OFF;
	case TL_SRTP_OFFER:
		return TL_SRTP_MODE_OFFER;
	case TL_SRTP_REQUIRED:
		return TL_SRTP_MODE_REQUIRED;
	case TL_SRTP_OPTIONAL:
	case _TL_SRTP_MAX:
	case _TL_SRTP_INVALID:
		break;
	}
	return TL_SRTP_MODE_OPTIONAL;
}

static bool route_allows(const struct tl_decision *d, const struct tl_codec *codec)
{
	for (size_t i = 0; d && i < d->n_codecs; i++)
		if (g_ascii_strcasecmp(codec->name, d->codecs[i]) == 0 ||
		    tl_codec_by_name(d->codecs[i]) == codec)
			return true;
	return !d || d->n_codecs == 0;
}

static void set_codecs(struct tl_media_policy *policy, const struct tl_call_wishes *own,
		       const struct tl_decision *d)
{
	policy->n_codecs = 0;
	for (size_t i = 0; i < own->n_codecs; i++)
		if (route_allows(d, own->codecs[i]))
			policy->codecs[policy->n_codecs++] = own->codecs[i];
}

/* Keys stay what they were: a leg's own for all its life. */
static void set_srtp(struct tl_media_policy *policy, enum tl_srtp_policy srtp)
{
	static const struct tl_srtp_keys none;

	policy->srtp = srtp_mode(srtp);
	if (policy->srtp != TL_SRTP_MODE_OFF &&
	    memcmp(&policy->srtp_keys, &none, sizeof(none)) == 0)
		tl_srtp_keys_make(&policy->srtp_keys);
}

/* As its own section says, where the route says nothing. */
static void obey(struct tl_call_media *m, const struct tl_decision *d)
{
	const struct tl_call_wishes *own = &m->own_wishes;
	struct tl_media_policy *policy = &m->policy;

	m->dtmf = d && d->dtmf != _TL_DTMF_INVALID ? d->dtmf : own->dtmf;
	m->t38 = d && d->t38 != _TL_T38_INVALID ? d->t38 : own->t38;
	policy->telephone_event = m->dtmf == TL_DTMF_AUTO || m->dtmf == TL_DTMF_RTP;
	policy->t38 = m->t38 != TL_T38_OFF;
	set_codecs(policy, own, d);
	policy->silence = own->silence == TL_SILENCE_LEAVE_OUT;
	set_srtp(policy, d && d->srtp != _TL_SRTP_INVALID ? d->srtp : own->srtp);
}

static enum tl_echo_kind echo_kind(enum tl_echo_cancel echo)
{
	switch (echo) {
	case TL_ECHO_CANCEL_AUTO:
	case TL_ECHO_CANCEL_SPEEXDSP:
		return TL_ECHO_SPEEXDSP; /* the better one: tests/bench/bench_echo */
	case TL_ECHO_CANCEL_SPANDSP:
		return TL_ECHO_SPANDSP;
	case TL_ECHO_CANCEL_OFF:
	case _TL_ECHO_CANCEL_MAX:
	case _TL_ECHO_CANCEL_INVALID:
		break;
	}
	return TL_ECHO_OFF;
}

static void set_sound(const struct tl_call *call, struct tl_call_media *m)
{
	const struct tl_sound_cfg *own = &m->own_wishes.sound;

	m->sound = (struct tl_sound) {
		.echo = echo_kind(tl_decision_echo(call->decision, m == &call->a, own)),
		.echo_tail_ms = own->echo_tail_ms,
		.rx_gain_db = own->rx_gain_db,
		.tx_gain_db = own->tx_gain_db,
		.agc_dbm0 = own->agc_dbm0,
	};
}

static void note_codecs(struct tl_call_wishes *own, const char *const *names, size_t n_names)
{
	for (size_t i = 0; i < n_names && own->n_codecs < TL_CODECS_MAX; i++) {
		const struct tl_codec *codec = tl_codec_by_name(names[i]);

		if (codec)
			own->codecs[own->n_codecs++] = codec;
	}
}

static struct tl_call_wishes wishes(const struct tl_call *call, const char *const *codecs,
				    size_t n_codecs, enum tl_dtmf_mode dtmf,
				    enum tl_srtp_policy srtp, const struct tl_sound_cfg *sound)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(call->dp);
	struct tl_call_wishes own = { .dtmf = dtmf, .srtp = srtp, .sound = *sound };

	if (n_codecs)
		note_codecs(&own, codecs, n_codecs);
	else
		note_codecs(&own, gateway->codecs, gateway->n_codecs);
	return own;
}

void tl_call_want_trunk(const struct tl_call *call, struct tl_call_media *m,
			const struct tl_trunk_cfg *trunk)
{
	m->hold = trunk->hold;
	m->hold_music = trunk->hold_music;
	m->own_wishes = wishes(call, trunk->codecs, trunk->n_codecs, trunk->dtmf, trunk->srtp,
			       &trunk->sound);
	m->own_wishes.silence = trunk->silence;
	m->own_wishes.t38 = trunk->t38;
	obey(m, call->decision);
	set_sound(call, m);
}

void tl_call_want_extension(const struct tl_call *call, struct tl_call_media *m,
			    const struct tl_extension_cfg *extension)
{
	m->hold = extension->hold;
	m->hold_music = extension->hold_music;
	m->own_wishes = wishes(call, extension->codecs, extension->n_codecs, extension->dtmf,
			       extension->srtp, &extension->sound);
	m->own_wishes.silence = extension->silence;
	m->own_wishes.t38 = extension->t38;
	obey(m, call->decision);
	set_sound(call, m);
}

void tl_call_want_route(struct tl_call *call)
{
	obey(&call->a, call->decision);
	set_sound(call, &call->a);
}

bool tl_call_expects(const struct tl_call *call, struct tl_media_policy *ret_policy)
{
	const struct tl_decision *d = call->decision;
	const struct tl_ring_target *t;
	struct tl_call_media m = { 0 };

	if (d->n_steps == 0)
		return false;
	t = &d->steps[0].targets[0];
	m.policy.srtp_keys = call->a.policy.srtp_keys; /* nothing is made for nobody */
	if (t->kind == TL_TARGET_TRUNK)
		tl_call_want_trunk(call, &m, t->trunk);
	else
		tl_call_want_extension(call, &m, t->extension);
	*ret_policy = m.policy;
	return true;
}
