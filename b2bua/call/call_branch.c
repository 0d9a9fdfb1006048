/* A branch: one destination that is being rung, and what it says. */
#include "b2bua/call/call_priv.h"
#include "b2bua/call/call_transfer.h"
#include "b2bua/clock.h"
#include "b2bua/trunk/trunk.h"

struct tl_branch *tl_branch_new(struct tl_call *call, const char *kind, const char *name)
{
	struct tl_branch *branch = g_new0(struct tl_branch, 1);

	branch->call = call;
	branch->name = g_strconcat(kind, name, NULL);
	return branch;
}

void tl_branch_free(struct tl_branch *branch)
{
	if (branch->call_id)
		g_hash_table_remove(branch->call->app->rung, branch->call_id);
	tl_call_direct_forget(branch);
	tl_leg_release(branch->leg);
	if (branch->call->early == branch)
		branch->call->early = NULL;
	tl_timer_stop(&branch->timer);
	if (branch->trunk)
		tl_trunk_give(branch->call->app->trunks, branch->trunk);
	tl_hunt_leave(branch->hunt);
	g_free(branch->media.offered);
	g_free(branch->media.reoffer);
	g_free(branch->media.voice);
	g_free(branch->media.held_offer);
	g_free(branch->trunk);
	g_free(branch->number);
	g_free(branch->uri);
	if (branch->hops)
		g_ptr_array_unref(branch->hops);
	g_free(branch->name);
	g_free(branch->call_id);
	g_free(branch);
}

static void win(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	tl_call_stop_ring_timer(call);
	tl_timer_stop(&branch->timer);
	call->b = branch;
	if (event->desc) {
		branch->media.remote = *event->desc;
		branch->media.have_remote = true;
	}
	g_free(call->target);
	call->target = g_strdup(branch->name);
	g_free(call->call_id_b);
	call->call_id_b = g_strdup(tl_leg_call_id(branch->leg));
	call->news = event;
	tl_call_raise(call, TL_CALL_EV_ANSWERED);
	call->news = NULL;
}

/*
 * RFC 3261 21.6: a 6xx speaks for the user, not for one telephone of his. His other
 * telephones stop ringing; the others of a group are other users. What a trunk
 * says of a number holds for all trunks.
 */
static void heed_global_refusal(struct tl_call *call, const struct tl_branch *branch)
{
	static const struct tl_cause declined = {
		.reason = "SIP;cause=603;text=\"Declined elsewhere\"",
	};

	if (branch->trunk_cfg) {
		g_free(call->declined);
		call->declined = g_strdup(branch->number);
	}
	for (guint i = call->branches->len; branch->extension && i > 0; i--) {
		struct tl_branch *other = call->branches->pdata[i - 1];

		if (other == branch || other->extension != branch->extension)
			continue;
		tl_leg_close(other->leg, &declined);
		g_ptr_array_remove_index(call->branches, i - 1);
	}
}

/* RFC 3261 16.6: it was the last of the contacts of its q, and there are others below. */
static bool ends_its_turn(const struct tl_branch *branch, const struct tl_cause *cause)
{
	const struct tl_call *call = branch->call;

	for (guint i = 0; i < call->branches->len; i++) {
		const struct tl_branch *other = call->branches->pdata[i];

		if (other != branch && other->extension == branch->extension &&
		    other->decision == branch->decision)
			return false;
	}
	return branch->lower_s > 0 && cause->status < 600;
}

/* Nobody is left of it: what comes next. Takes branch; the hunt goes on when there is one. */
static void lose(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;
	bool was_heard = call->early == branch;
	struct tl_cause cause = event->cause;
	struct tl_hunt *hunt = NULL;
	bool goes_on = tl_call_ring_next_server(branch, &cause);

	if (cause.status >= 300 && cause.status < 400) {
		hunt = tl_call_redirected(branch, &cause);
		if (!tl_call_passes_redirect(branch)) /* the callee's wish, not the caller's */
			cause = (struct tl_cause) { .status = 480 };
	} else if (cause.status >= 600) {
		heed_global_refusal(call, branch);
	}
	if (!hunt && !goes_on && tl_kept_cause_better(&call->best, &cause))
		call->best_by_b = true;
	if (!hunt) {
		hunt = tl_hunt_ref(branch->hunt);
		goes_on = goes_on ||
			  (ends_its_turn(branch, &cause) && tl_call_ring_lower(branch, hunt));
	}
	g_ptr_array_remove(call->branches, branch); /* frees it */
	if (was_heard)
		(void)tl_call_media_apply(call);
	if (!goes_on)
		tl_hunt_next(hunt);
	tl_hunt_leave(hunt);
	if (call->branches->len > 0) {
		tl_call_show(call);
		return;
	}
	tl_call_stop_ring_timer(call);
	tl_call_raise(call, TL_CALL_EV_EXHAUSTED);
}

static void on_branch_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_branch *branch = (struct tl_branch *)arg;
	static const struct tl_cause no_answer = { .status = 408, .phrase = "No Answer" };

	tl_timer_stop(&branch->timer);
	g_message("call=%s leg=b to=%s no answer in its time", branch->call->id, branch->name);
	branch->call->no_answer = true;
	tl_leg_close(branch->leg, &no_answer);
	lose(branch, &(struct tl_leg_event) { .cause = no_answer });
}

void tl_branch_limit(struct tl_branch *branch, unsigned seconds)
{
	tl_timer_start(&branch->timer, branch->call->app->root, seconds * 1000, on_branch_timer,
		       branch);
}

static void make_progress(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	if (!call->ringing_ms)
		call->ringing_ms = tl_clock_ms();
	if (event->desc) {
		branch->media.remote = *event->desc;
		branch->media.have_remote = true;
	}
	call->news = event;
	call->newsmaker = branch;
	tl_call_raise(call, TL_CALL_EV_PROGRESS);
	call->news = NULL;
	call->newsmaker = NULL;
}

static void hang_up(struct tl_branch *branch, const struct tl_leg_event *event)
{
	struct tl_call *call = branch->call;

	if (branch != call->b) {
		lose(branch, event);
		return;
	}
	call->ended_by = "b";
	tl_kept_cause_set(&call->end, &event->cause);
	tl_call_raise(call, TL_CALL_EV_B_GONE);
}

static void take_late_answer(struct tl_branch *branch, const struct tl_media_desc *answer)
{
	branch->answers_late = false;
	if (!answer || tl_call_media_answered(branch->call, &branch->media, answer) != 0)
		tl_call_stop(branch->call, "answer in ACK");
}

void tl_branch_on_leg(struct tl_leg *leg, const struct tl_leg_event *event, void *user)
{
	struct tl_branch *branch = user;
	struct tl_call *call = branch->call;

	switch (event->type) {
	case TL_LEG_PROGRESS:
		make_progress(branch, event);
		return;
	case TL_LEG_ANSWERED:
		win(branch, event);
		return;
	case TL_LEG_REFUSED:
	case TL_LEG_GONE:
		hang_up(branch, event);
		return;
	case TL_LEG_ACKED:
		if (branch->answers_late)
			take_late_answer(branch, event->desc);
		else if (event->desc)
			tl_call_reanswered(call, &branch->media, event->desc);
		else
			tl_call_direct_unanswered(call);
		return;
	case TL_LEG_OFFERED:
	case TL_LEG_REANSWERED:
	case TL_LEG_REFERRED:
	case TL_LEG_REFER_NEWS:
	case TL_LEG_REFER_DONE:
	case TL_LEG_INFO_DTMF:
	case TL_LEG_INFO:
	case TL_LEG_INFO_REPLY:
		tl_call_on_talk(call, leg, TL_SIDE_B, &branch->media, event);
		return;
	case TL_LEG_OFFER_REFUSED:
		tl_call_media_offer_refused(call, &branch->media, event->cause.status);
		tl_call_not_moved(call, &branch->media, event->cause.status);
		return;
	case _TL_LEG_EVENT_MAX:
		return;
	}
}
