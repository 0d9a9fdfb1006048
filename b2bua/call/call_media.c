/* The media of a call: what its legs say to each other becomes one plan. */
#include "b2bua/call/call_priv.h"
#include "b2bua/clock.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { DEFAULT_DIGIT_MS = 160 };

void tl_call_tell_address(const struct tl_call *call, const struct sockaddr *peer,
			  const struct sockaddr_storage *local, struct sockaddr_storage *ret_told)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(call->dp);
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret_told;

	*ret_told = *local;
	if (!gateway->advertise || local->ss_family != AF_INET || tl_address_is_inside(peer))
		return; /* with NAT it is the one that the peer sees */
	if (inet_pton(AF_INET, gateway->advertise, &in4->sin_addr) != 1)
		*ret_told = *local;
}

int tl_call_media_open(struct tl_call *call, enum tl_side side, const struct sockaddr *local_ip,
		       const struct sockaddr *peer, struct tl_media_desc *desc)
{
	struct sockaddr_storage local;
	int r;

	if (!call->session &&
	    tl_session_new(call->app->media, call->id, tl_call_on_media, call, &call->session) < 0)
		return 503;
	r = tl_session_port(call->session, side, local_ip, &local);
	if (r < 0) {
		g_message("call=%s leg=%s no RTP port: %s", call->id, tl_side_name(side),
			  g_strerror(-r));
		return 503;
	}
	tl_call_tell_address(call, peer, &local, &desc->rtp);
	memset(&desc->rtcp, 0, sizeof(desc->rtcp));
	return 0;
}

/* Of none: a name, or nothing known. */
static sa_family_t family_to_reach(const struct tl_media_desc *remote)
{
	return tl_plan_is_any_address(&remote->rtp) ? AF_UNSPEC : remote->rtp.ss_family;
}

bool tl_call_media_reaches(const struct tl_call *call, const struct tl_media_desc *remote)
{
	sa_family_t family = family_to_reach(remote);

	return family == AF_UNSPEC || tl_stack_speaks(call->app->stack, family);
}

int tl_call_media_place(struct tl_call *call, enum tl_side side, const struct tl_media_desc *remote,
			struct tl_media_desc *local)
{
	const struct sockaddr *there = (const struct sockaddr *)&remote->rtp;
	sa_family_t family = family_to_reach(remote);
	struct sockaddr_storage ip;

	if (family == AF_UNSPEC || family == local->rtp.ss_family)
		return 0;
	if (!tl_call_media_reaches(call, remote) ||
	    tl_stack_media_ip(call->app->stack, there, &ip) < 0)
		return 488;
	return tl_call_media_open(call, side, (struct sockaddr *)&ip, there, local);
}

static int open_a(struct tl_call *call)
{
	struct sockaddr_storage ip;
	int status;

	tl_leg_local_ip(call->leg_a, &ip);
	status = tl_call_media_open(call, TL_SIDE_A, (struct sockaddr *)&ip,
				    (struct sockaddr *)&call->a.peer, &call->a.local);
	if (status == 0 && call->a.have_remote)
		status = tl_call_media_place(call, TL_SIDE_A, &call->a.remote, &call->a.local);
	call->a.have_local = status == 0;
	if (status == 0)
		tl_call_streams_answer(call);
	return status;
}

static int answer_a(struct tl_call *call, const struct tl_media_desc *peer,
		    const struct tl_media_policy *peer_policy)
{
	int r;

	if (tl_call_is_direct(call) && (call->b || call->newsmaker))
		return tl_call_direct_answer(call);
	if (call->a.have_local)
		return 0;
	if (call->a.have_remote)
		r = tl_plan_answer(&call->a.remote, &call->a.policy, peer, peer_policy,
				   &call->a.local);
	else /* an offerless INVITE: our 200 offers */
		r = tl_plan_offer(peer, &call->a.policy, &call->a.local);
	if (!call->a.have_remote)
		call->a.local.direction = TL_DIR_SENDRECV;
	return r < 0 ? 488 : open_a(call);
}

static void note_srtp(struct tl_call_media *m, const struct tl_side_plan *side)
{
	m->policy.srtp_now = side->send_crypto.suite == TL_SRTP_NONE ? TL_SRTP_MODE_OFF
			     : m->remote.savp                        ? TL_SRTP_MODE_REQUIRED
								     : TL_SRTP_MODE_OFFER;
}

/* Digits are tones on a leg that is to have them so, or that has no telephone-event. */
static bool uses_tones(const struct tl_call_media *m)
{
	return !m->local.t38.on &&
	       (m->dtmf == TL_DTMF_INBAND ||
		(m->dtmf == TL_DTMF_AUTO && !(m->local.n_events && m->remote.n_events)));
}

static const struct tl_media_desc *known(const struct tl_media_desc *desc, bool have)
{
	return have ? desc : NULL;
}

int tl_call_media_apply(struct tl_call *call)
{
	struct tl_branch *b = call->b ? call->b : call->early;
	bool a_open = call->a.have_local && call->a.have_remote;
	bool b_open = b && b->media.have_local && b->media.have_remote;
	struct tl_plan plan;

	if (!call->session)
		return 0;
	if (tl_plan_make(known(&call->a.local, a_open), known(&call->a.remote, a_open),
			 b_open ? &b->media.local : NULL, b_open ? &b->media.remote : NULL,
			 &plan) < 0)
		return 488;
	note_srtp(&call->a, &plan.side[TL_SIDE_A]);
	if (b)
		note_srtp(&b->media, &plan.side[TL_SIDE_B]);
	tl_plan_set_tones(&plan, a_open && uses_tones(&call->a), b_open && uses_tones(&b->media));
	tl_plan_set_sound(&plan, a_open ? &call->a.sound : NULL, b_open ? &b->media.sound : NULL);
	tl_call_fax_plan(call, b_open ? &b->media : NULL, &plan);
	plan.side[TL_SIDE_A].silence = call->a.policy.silence;
	plan.side[TL_SIDE_B].silence = b && b->media.policy.silence;
	plan.echo = call->state == TL_CALL_SERVING && call->decision->verdict == TL_VERDICT_ECHO;
	if (tl_session_apply(call->session, &plan) < 0)
		return 503;
	tl_call_streams_apply(call);
	return 0;
}

/* "recordings/2026-11/20261123-101500_49170111_4930555_6f1c03.wav" */
static char *recording_path(const struct tl_call *call)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *month = g_date_time_format(now, "%Y-%m");
	g_autofree char *stamp = g_date_time_format(now, "%Y%m%d-%H%M%S");
	g_autofree char *caller = g_strndup(call->caller, 32);
	g_autofree char *callee = g_strndup(call->callee, 32);
	g_autofree char *name = NULL;

	g_strcanon(caller, "0123456789+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", '-');
	g_strcanon(callee, "0123456789+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", '-');
	name = g_strdup_printf("%s_%s_%s_%s.wav", stamp, caller, callee, call->id);
	return g_build_filename(tl_dialplan_gateway(call->dp)->recordings, month, name, NULL);
}

void tl_call_media_record(struct tl_call *call)
{
	int r;

	if (!call->session || !call->decision || call->decision->record == TL_RECORD_OFF ||
	    call->recording)
		return;
	call->recording = recording_path(call);
	r = tl_session_record(call->session, call->recording,
			      call->decision->record == TL_RECORD_MONO);
	if (r < 0) {
		g_warning("call=%s not recorded: %s", call->id, g_strerror(-r));
		g_clear_pointer(&call->recording, g_free);
	} else
		g_message("call=%s recording=\"%s\"", call->id, call->recording);
}

static void on_duration_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;

	tl_timer_stop(&call->duration_timer);
	tl_call_stop(call, "maximum duration");
}

void tl_call_limit_duration(struct tl_call *call)
{
	int64_t limit_ms = call->decision ? call->decision->max_duration_s * INT64_C(1000) : 0;
	int64_t past_ms = tl_clock_ms() - call->answered_ms;

	if (!call->answered_ms)
		return;
	tl_timer_stop(&call->duration_timer);
	if (limit_ms)
		tl_call_start_timer(call, &call->duration_timer,
				    (unsigned)CLAMP(limit_ms - past_ms, 1, limit_ms),
				    on_duration_timer);
}

static int answer_leg_a(struct tl_call *call, const struct tl_header *headers, size_t n_headers)
{
	struct tl_header_set passed;

	if (call->a_answered)
		return 0;
	tl_call_pass_headers(call, headers, n_headers, &passed);
	if (tl_leg_answer(call->leg_a, &call->a.local, passed.v, passed.n) < 0)
		return 500;
	call->a_answered = true;
	call->answered_ms = tl_clock_ms();
	tl_call_limit_duration(call);
	return 0;
}

/* What the route has him hear; or, where he has early media and his phone may not ring for him,
 * our tone. */
void tl_call_media_ring_back(struct tl_call *call)
{
	const struct tl_decision *d = call->decision;
	enum tl_ringback_mode mode = d ? d->ringback : TL_RINGBACK_AUTO;
	const char *path = mode == TL_RINGBACK_FILE ? d->ringback_file : call->app->ringback;

	if (!call->session || mode == TL_RINGBACK_NONE || !path || call->ringing_back ||
	    !call->a.have_remote || !call->a.have_local)
		return;
	if (tl_session_play(call->session, TL_SIDE_A, &path, 1, true) == 0)
		call->ringing_back = true;
}

static void stop_ring_back(struct tl_call *call)
{
	if (call->ringing_back)
		tl_session_play_stop(call->session, TL_SIDE_A);
	call->ringing_back = false;
}

static int start_playing(struct tl_call *call)
{
	const struct tl_decision *d = call->decision;
	int r;

	call->play_pending = false;
	stop_ring_back(call);
	if (d->n_play == 0)
		return 0;
	r = tl_session_play(call->session, TL_SIDE_A, d->play, d->n_play, false);
	return r < 0 ? 503 : 0;
}

int tl_call_media_play(struct tl_call *call)
{
	bool serve = call->state == TL_CALL_SERVING;
	struct tl_media_policy buf;
	int status = answer_a(call, NULL, tl_call_expects(call, &buf) ? &buf : NULL);

	if (status)
		return status;
	if (serve || call->decision->play_answered || !call->a.have_remote)
		status = answer_leg_a(call, NULL, 0);
	else if (!call->a_answered)
		status = tl_leg_progress(call->leg_a, 183, &call->a.local, NULL, 0) < 0 ? 500 : 0;
	if (status)
		return status;
	if (!call->a.have_remote) { /* the ACK brings the answer */
		call->play_pending = true;
		return 0;
	}
	status = tl_call_media_apply(call);
	if (status)
		return status;
	if (serve)
		tl_call_media_record(call);
	return start_playing(call);
}

/* 0, or a status: nothing has changed. */
static int hear_early(struct tl_call *call, struct tl_branch *branch)
{
	int status;

	call->early = branch;
	status = tl_call_media_apply(call);
	if (status)
		call->early = NULL;
	return status;
}

static void tell_progress(struct tl_call *call, int status, const struct tl_media_desc *desc)
{
	struct tl_header_set passed;

	tl_call_pass_headers(call, call->news->headers, call->news->n_headers, &passed);
	(void)tl_leg_progress(call->leg_a, status, desc, passed.v, passed.n);
}

/* Early media reaches the caller only while one target alone is being rung:
 * of several nobody could say whose it is. */
static bool pass_early_media(struct tl_call *call)
{
	const struct tl_leg_event *news = call->news;

	if (!news->desc || call->branches->len != 1 || !call->a.have_remote)
		return false;
	if (answer_a(call, news->desc, NULL) != 0)
		return false;
	if (hear_early(call, call->newsmaker) != 0)
		return false;
	if (tl_call_is_direct(call))
		tl_call_direct_early(call);
	stop_ring_back(call);
	if (!call->a_answered)
		tell_progress(call, news->status, &call->a.local);
	return true;
}

/* What a 180 says of media: nothing, unless the caller has said nothing either and must be
 * offered something. */
static const struct tl_media_desc *ringing_offer(struct tl_call *call)
{
	if (!tl_leg_wants_offer(call->leg_a) || answer_a(call, NULL, NULL) != 0)
		return NULL;
	return &call->a.local;
}

/* A reliable 180 to a caller who has not offered would have to offer (RFC 3261 13.2.1), and what
 * the callee offers is not known before he answers. */
static bool may_tell_ringing(const struct tl_call *call)
{
	return !call->a_ringing && !call->a_answered &&
	       !(tl_call_is_direct(call) && tl_leg_wants_offer(call->leg_a));
}

/* 183 in the place of 180, for a sound of the route's own. False: he can't hear it. */
static bool ring_by_file(struct tl_call *call)
{
	struct tl_media_policy buf;

	if (tl_call_is_direct(call) || call->decision->ringback != TL_RINGBACK_FILE ||
	    !call->a.have_remote)
		return false;
	if (answer_a(call, NULL, tl_call_expects(call, &buf) ? &buf : NULL) != 0 ||
	    tl_call_media_apply(call) != 0)
		return false;
	tell_progress(call, 183, &call->a.local);
	return true;
}

/* After early media: end to end, it may be what follows upon offers that have passed. */
static void pass_early_news(struct tl_call *call)
{
	if (!tl_call_is_direct(call) || call->newsmaker != call->early || call->a_answered ||
	    !tl_leg_is_chosen(call->early->leg))
		return;
	tell_progress(call, call->news->status, &call->a.local);
	call->a_ringing = call->a_ringing || call->news->status == 180;
}

void tl_call_media_progress(struct tl_call *call)
{
	const struct tl_leg_event *news = call->news;

	if (call->early) {
		pass_early_news(call);
		return;
	}
	if (pass_early_media(call))
		return;
	/* early media that can't be passed on stands for a ringing tone; 183 without says nothing
	 */
	if (news->status != 180 && !news->desc)
		return;
	if (may_tell_ringing(call) && !ring_by_file(call))
		tell_progress(call, 180, ringing_offer(call));
	call->a_ringing = true;
	tl_call_media_ring_back(call);
}

int tl_call_media_answer(struct tl_call *call)
{
	const struct tl_call_media *b = &call->b->media;
	int status = answer_a(call, known(&b->remote, b->have_remote), NULL);

	tl_call_hold_note(&call->a, false);
	if (status == 0)
		status = tl_call_media_apply(call);
	return status ? status : answer_leg_a(call, NULL, 0);
}

int tl_call_media_bridge(struct tl_call *call)
{
	const struct tl_leg_event *news = call->news;
	const struct tl_call_media *b = &call->b->media;
	int status;

	if (!b->have_remote && !call->b->answers_late)
		return 488;
	stop_ring_back(call);
	tl_call_hold_note(&call->a, false);
	tl_call_hold_note(&call->b->media, false);
	tl_call_streams_asked(call, &call->b->media);
	status = answer_a(call, known(&b->remote, b->have_remote),
			  b->have_remote ? NULL : &b->policy);
	if (status == 0) /* before the answer: what can't be met is refused instead */
		status = tl_call_media_apply(call);
	if (status == 0)
		status = answer_leg_a(call, news->headers, news->n_headers);
	if (status == 0)
		tl_call_media_record(call);
	if (status == 0) {
		tl_call_hold_follow(call);
		tl_call_fax_follow(call);
	}
	return status;
}

void tl_call_media_digit(struct tl_call *call, enum tl_side to, char digit, unsigned duration_ms,
			 bool from_rtp)
{
	struct tl_call_media *m = to == TL_SIDE_A ? &call->a : call->b ? &call->b->media : NULL;
	struct tl_leg *leg = to == TL_SIDE_A ? call->leg_a : call->b ? call->b->leg : NULL;

	if (!m || call->state != TL_CALL_TALKING)
		return;
	if (from_rtp && m->dtmf != TL_DTMF_INFO)
		return; /* the worker has passed it on */
	if (!duration_ms)
		duration_ms = DEFAULT_DIGIT_MS;
	if (m->dtmf != TL_DTMF_INFO && call->session) {
		if (tl_session_send_dtmf(call->session, to, digit, duration_ms) < 0)
			g_message("call=%s leg=%s digit not sent: no telephone-event", call->id,
				  tl_side_name(to));
		return;
	}
	if (tl_leg_send_dtmf(leg, digit, duration_ms) < 0)
		g_message("call=%s leg=%s digit not sent", call->id, tl_side_name(to));
}
