/* Ringing: the targets of a step, and the step's time. */
#include "b2bua/call/call_priv.h"

void tl_call_stop_ring_timer(struct tl_call *call)
{
	tl_timer_stop(&call->ring_timer);
}

static void on_ring_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_call *call = (struct tl_call *)arg;

	tl_call_stop_ring_timer(call);
	call->no_answer = true;
	g_message("call=%s no answer in time", call->id);
	tl_call_raise(call, TL_CALL_EV_NO_ANSWER);
}

void tl_call_start_ring_timer(struct tl_call *call)
{
	unsigned seconds = call->decision->steps[call->step].ring_time_s;

	tl_call_start_timer(call, &call->ring_timer, seconds * 1000, on_ring_timer);
}

/* For the record: who is rung last, until somebody answers. */
static void name_targets(struct tl_call *call, const struct tl_ring_step *step)
{
	GString *names = g_string_new(NULL);

	for (size_t i = 0; i < step->n_targets; i++) {
		const struct tl_ring_target *t = &step->targets[i];
		bool trunk = t->kind == TL_TARGET_TRUNK;

		g_string_append_printf(names, "%s%s%s", i ? ", " : "", trunk ? "trunk:" : "",
				       trunk ? t->trunk->name : t->extension->number);
	}
	g_free(call->target);
	call->target = g_string_free(names, FALSE);
}

void tl_call_ring(struct tl_call *call)
{
	const struct tl_ring_step *step = &call->decision->steps[call->step];

	call->no_answer = false;
	name_targets(call, step);
	for (size_t i = 0; i < step->n_targets; i++) {
		struct tl_ring_target target = step->targets[i];

		if (target.ring_time_s >= step->ring_time_s)
			target.ring_time_s = 0; /* the step's timer does it */
		tl_call_ring_target(call, call->decision, &target, NULL);
	}
	if (call->branches->len == 0) {
		tl_call_raise(call, TL_CALL_EV_EXHAUSTED);
		return;
	}
	tl_call_start_ring_timer(call);
}

void tl_call_drop_targets(struct tl_call *call, const struct tl_cause *cause)
{
	for (guint i = call->branches->len; i > 0; i--) {
		struct tl_branch *branch = call->branches->pdata[i - 1];

		if (branch == call->b)
			continue;
		tl_leg_close(branch->leg, cause);
		g_ptr_array_remove_index(call->branches, i - 1);
	}
	if (!call->b)
		tl_call_stop_ring_timer(call);
}
