/* How a call ends: causes, the record, letting everything go. */
#include "b2bua/call/call_priv.h"
#include "b2bua/call/call_transfer.h"
#include "b2bua/call/cdr.h"
#include "b2bua/clock.h"
#include "b2bua/trunk/trunk.h"
#include <string.h>

void tl_kept_cause_clear(struct tl_kept_cause *kept)
{
	g_free(kept->phrase);
	g_free(kept->reason);
	g_free(kept->warning);
	for (size_t i = 0; i < kept->cause.n_contacts; i++)
		g_free((char *)kept->cause.contacts[i].uri);
	g_free((struct tl_contact *)kept->cause.contacts);
	for (size_t i = 0; i < kept->cause.n_headers; i++) {
		g_free((char *)kept->cause.headers[i].name);
		g_free((char *)kept->cause.headers[i].value);
	}
	g_free((struct tl_header *)kept->cause.headers);
	*kept = (struct tl_kept_cause) { 0 };
}

static struct tl_header *copy_headers(const struct tl_header *headers, size_t n)
{
	struct tl_header *copy = n ? g_new(struct tl_header, n) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = (struct tl_header) { g_strdup(headers[i].name),
					       g_strdup(headers[i].value) };
	return copy;
}

/* Their URIs, which are all that a refusal needs. */
static struct tl_contact *copy_contacts(const struct tl_contact *contacts, size_t n)
{
	struct tl_contact *copy = n ? g_new0(struct tl_contact, n) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i].uri = g_strdup(contacts[i].uri);
	return copy;
}

void tl_kept_cause_set(struct tl_kept_cause *kept, const struct tl_cause *cause)
{
	struct tl_kept_cause fresh = {
		.cause = *cause,
		.phrase = g_strdup(cause->phrase),
		.reason = g_strdup(cause->reason),
		.warning = g_strdup(cause->warning),
	};

	fresh.cause.phrase = fresh.phrase;
	fresh.cause.reason = fresh.reason;
	fresh.cause.warning = fresh.warning;
	fresh.cause.contacts = copy_contacts(cause->contacts, cause->n_contacts);
	fresh.cause.headers = copy_headers(cause->headers, cause->n_headers);
	tl_kept_cause_clear(kept);
	*kept = fresh;
}

/*
 * What to tell the caller for a status that a target gave. Most are about the
 * callee and pass; some are about our own request to him, which the caller
 * neither wrote nor can mend.
 */
static int status_for_caller(int status)
{
	switch (status) {
	case 401: /* the callee's realm is not the caller's business */
	case 407:
	case 494:
		return 403;
	case 481:
	case 487: /* nobody cancelled on the caller's side */
	case 491:
		return 480;
	case 400:
	case 405:
	case 406:
	case 411:
	case 412:
	case 413:
	case 414:
	case 415:
	case 416:
	case 420:
	case 421:
	case 422:
	case 423:
	case 493:
	case 505:
	case 513:
		return 500;
	default:
		return status;
	}
}

/*
 * RFC 3261 16.7 step 6: a 6xx outranks all, then a redirection that the caller is to
 * follow; then what tells the caller most.
 */
static int rank(int status)
{
	if (status >= 600)
		return 7;
	if (status >= 300 && status < 400)
		return 6;
	if (status == 486)
		return 5;
	if (status == 480 || status == 408)
		return 3;
	if (status >= 400 && status < 500)
		return status_for_caller(status) == status ? 4 : 2;
	return status ? 1 : 0;
}

bool tl_kept_cause_better(struct tl_kept_cause *kept, const struct tl_cause *cause)
{
	if (rank(cause->status) <= rank(kept->cause.status))
		return false;
	tl_kept_cause_set(kept, cause);
	return true;
}

struct tl_cause tl_cause_for_caller(const struct tl_cause *cause)
{
	struct tl_cause shown = *cause;

	shown.status = status_for_caller(cause->status);
	if (shown.status != cause->status) { /* what was said belongs to what is not told */
		shown.phrase = shown.warning = NULL;
		shown.retry_after_s = 0;
	}
	return shown;
}

/* The caller's final response; 0: none yet. Who cancels gets 487 from his leg. */
static int told_caller(const struct tl_call *call)
{
	if (call->a_answered && (call->answered_ms || !call->asker))
		return 200;
	if (call->state == TL_CALL_ENDED && strcmp(call->ended_by, "a") == 0)
		return 487;
	return tl_cause_for_caller(&call->end.cause).status;
}

/* By the clock on the wall, as it is set now. */
static int64_t shown_ms(int64_t at_ms)
{
	return at_ms ? tl_clock_to_wall_ms(at_ms) : 0;
}

static json_t *make_record(const struct tl_call *call, const struct tl_session_stats *stats,
			   bool store)
{
	bool ended = call->state == TL_CALL_ENDED;
	struct tl_cdr cdr = {
		.id = call->id,
		.source = call->source,
		.caller = call->caller,
		.callee = call->callee,
		.route = call->route,
		.target = call->target,
		.call_id_a = call->call_id_a,
		.call_id_b = call->call_id_b,
		.started_ms = shown_ms(call->started_ms),
		.ringing_ms = shown_ms(call->ringing_ms),
		.answered_ms = shown_ms(call->answered_ms),
		.ended_ms = shown_ms(call->ended_ms),
		.status = told_caller(call),
		.ended_by = ended ? call->ended_by : NULL,
		.reason = call->end.reason ? call->end.reason : call->end.phrase,
		.quiet = !call->rung && !call->a_answered, /* its refusal has been logged */
		.recording = call->recording,
		.linked = call->linked,
		.transferred_by = call->asker,
	};
	json_t *json;

	cdr.stats = stats ? *stats : call->kept_stats;
	tl_cdr_since(&cdr.stats, &call->base_stats);
	if (store)
		tl_cdr_write(call->app->store, &cdr);
	json = tl_cdr_json(&cdr);
	json_object_set_new(json, "state", json_string(tl_call_state_name(call->state)));
	return json;
}

json_t *tl_call_json(const struct tl_call *call)
{
	struct tl_session_stats stats = { 0 };

	if (call->session)
		tl_session_stats(call->session, &stats);
	return make_record(call, &stats, false);
}

void tl_call_free(struct tl_call *call)
{
	tl_call_hide(call);
	tl_timer_stop(&call->ring_timer);
	tl_timer_stop(&call->duration_timer);
	tl_timer_stop(&call->hold_timer);
	tl_timer_stop(&call->free_timer);
	tl_call_transfer_forget(call);
	tl_leg_release(call->leg_a);
	g_ptr_array_free(call->branches, TRUE);
	g_free(call->a.offered);
	g_free(call->a.reoffer);
	g_free(call->a.voice);
	g_free(call->a.held_offer);
	if (call->trunk)
		tl_trunk_give(call->app->trunks, call->trunk);
	tl_kept_cause_clear(&call->best);
	tl_kept_cause_clear(&call->end);
	tl_decision_free(call->decision);
	tl_dialplan_unref(call->dp);
	g_free(call->source);
	g_free(call->source_name);
	g_free(call->caller);
	g_free(call->caller_name);
	if (call->diversions)
		g_ptr_array_free(call->diversions, TRUE);
	g_free(call->callee);
	g_free(call->trunk);
	g_free(call->recording);
	g_free(call->route);
	g_free(call->target);
	g_free(call->declined);
	g_free(call->call_id_a);
	g_free(call->call_id_b);
	tl_dialplan_unref(call->dp_too);
	g_free(call->replaces);
	g_free(call->referred_by);
	g_free(call->asker);
	g_free(call->asker_name);
	g_free(call->asker_number);
	g_free(call->linked);
	g_free(call);
}

static void finished(struct tl_call *call, const struct tl_session_stats *stats)
{
	tl_app_call_ended(call->app, call, make_record(call, stats, true));
	tl_call_free(call);
}

static void on_free_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	finished((struct tl_call *)arg, NULL);
}

/*
 * The legs are let go now; they finish their dialogs alone. The call itself
 * waits for its media's last word, which bears the final counters. Without
 * media it ends at the next turn of the loop, since whoever raised the event
 * still holds it.
 */
void tl_call_finish(struct tl_call *call)
{
	call->ended_ms = tl_clock_ms();
	tl_call_transfer_forget(call);
	tl_timer_stop(&call->ring_timer);
	tl_timer_stop(&call->duration_timer);
	tl_timer_stop(&call->hold_timer);
	tl_leg_release(call->leg_a);
	call->leg_a = NULL;
	if (call->trunk)
		tl_trunk_give(call->app->trunks, call->trunk);
	g_clear_pointer(&call->trunk, g_free);
	call->b = NULL;
	g_ptr_array_set_size(call->branches, 0);
	if (call->session)
		tl_session_close(call->session);
	else
		tl_call_start_timer(call, &call->free_timer, 1, on_free_timer);
}

void tl_call_on_media(const struct tl_media_event *event, void *user)
{
	struct tl_call *call = user;

	switch (event->type) {
	case TL_MEDIA_PLAYED:
		if (event->side != TL_SIDE_A || !call->decision ||
		    call->decision->verdict == TL_VERDICT_ECHO)
			return;
		tl_call_raise(call, call->decision->verdict == TL_VERDICT_REJECT
					    ? tl_call_reject(call)
					    : TL_CALL_EV_PLAYED);
		return;
	case TL_MEDIA_PLAY_FAILED:
		g_warning("call=%s announcement not played: %s", call->id, event->text);
		return;
	case TL_MEDIA_DTMF:
		g_message("call=%s leg=%s digit=%c ms=%u", call->id, tl_side_name(event->side),
			  event->digit, event->duration_ms);
		tl_call_media_digit(call, tl_side_other(event->side), event->digit,
				    event->duration_ms, true);
		return;
	case TL_MEDIA_FAX:
		tl_call_fax_heard(call, event->side, event->tone);
		return;
	case TL_MEDIA_TIMEOUT:
		if ((call->state == TL_CALL_TALKING || call->state == TL_CALL_SERVING) &&
		    !tl_call_media_on_hold(call))
			tl_call_stop(call, "media timeout");
		return;
	case TL_MEDIA_CHAIN_FAILED:
		g_warning("call=%s leg=%s transcoding failed: %s", call->id,
			  tl_side_name(event->side), event->text);
		tl_call_stop(call, "transcoding failed");
		return;
	case TL_MEDIA_RECORD_FAILED:
		g_warning("call=%s not recorded: %s", call->id, event->text);
		return;
	case TL_MEDIA_CLOSED:
		call->session = NULL;
		finished(call, &event->stats);
		return;
	case _TL_MEDIA_EVENT_MAX:
		return;
	}
}
