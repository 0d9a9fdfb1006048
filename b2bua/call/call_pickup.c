/*
 * INVITE with Replaces of a dialog that rings (RFC 3891 3): somebody takes a call at another's
 * telephone, as he has learned from its lamp (RFC 4235).
 *
 *   caller              Twinleg            1001 rings        1002
 *     | INVITE ----------> | INVITE -----------> |               |
 *     | <------------- 180 | <-------------- 180 | NOTIFY -----> |  call-id, tags
 *     |                    | <------------- INVITE Replaces:  -- |
 *     |                    | CANCEL -----------> |               |
 *     | <------------- 200 | 200 ------------------------------> |
 *
 * The call that rings goes on, with him as who has answered; his own is over.
 */
#include "b2bua/call/call_transfer.h"

static struct tl_branch *find(const struct tl_call *call, const struct tl_replaces *names)
{
	struct tl_call *ringing = g_hash_table_lookup(call->app->rung, names->call_id);

	for (guint i = 0; ringing && i < ringing->branches->len; i++) {
		struct tl_branch *branch = ringing->branches->pdata[i];

		if (branch->leg && branch != ringing->b && tl_leg_is_early(branch->leg, names))
			return branch;
	}
	return NULL;
}

/* An extension's other telephones are its own. */
static bool may(const struct tl_call *call, const struct tl_branch *branch)
{
	return call->facts.source == TL_SOURCE_EXTENSION && branch->extension &&
	       (branch->extension->pickup ||
		g_strcmp0(branch->extension->number, call->source_name) == 0);
}

/* What he is answered with. 0, or the status to refuse with. */
static int make_answer(struct tl_call *call, struct tl_call *ringing)
{
	struct tl_call_media *m = &call->a;
	struct sockaddr_storage ip;
	const struct tl_media_desc *caller = ringing->a.have_remote ? &ringing->a.remote : NULL;
	int r, status;

	if (!ringing->session && ringing->a.have_local)
		return 488; /* the caller has the address of who rings already */
	if (m->have_remote) {
		r = tl_plan_answer(&m->remote, &m->policy, caller, &ringing->a.policy, &m->local);
	} else { /* he is offered, and answers in his ACK */
		r = tl_plan_offer(caller, &m->policy, &m->local);
		m->local.direction = m->remote.direction = TL_DIR_SENDRECV;
	}
	if (r < 0)
		return 488;
	tl_leg_local_ip(call->leg_a, &ip);
	status = tl_call_media_open(ringing, TL_SIDE_B, (struct sockaddr *)&ip,
				    (struct sockaddr *)&m->peer, &m->local);
	if (status == 0 && m->have_remote)
		status = tl_call_media_place(ringing, TL_SIDE_B, &m->remote, &m->local);
	m->have_local = status == 0;
	return status;
}

static void take(struct tl_call *call, struct tl_call *ringing)
{
	static const struct tl_leg_event news = { .type = TL_LEG_ANSWERED, .status = 200 };
	struct tl_leg *leg = call->leg_a;

	call->linked = g_strdup(ringing->id);
	tl_kept_cause_set(&call->end, &(struct tl_cause) { .status = 200 });
	tl_call_seat_answerer(call, ringing);
	ringing->b->answers_late = !ringing->b->media.have_remote;
	tl_call_stop_ring_timer(ringing);
	tl_call_identify(ringing, TL_SIDE_A);
	tl_call_identify(ringing, TL_SIDE_B);
	ringing->news = &news;
	tl_call_raise(ringing, TL_CALL_EV_ANSWERED);
	ringing->news = NULL;
	if (ringing->state != TL_CALL_TALKING)
		return; /* it could not be answered: he has been refused with it */
	if (!ringing->b->answers_late)
		tl_call_streams_reoffered(ringing, leg, &ringing->b->media);
	(void)tl_leg_answer(leg, &ringing->b->media.local, NULL, 0);
}

bool tl_call_pick_up(struct tl_call *call, const struct tl_replaces *names, int *ret_status)
{
	struct tl_branch *branch = find(call, names);
	struct tl_call *ringing = branch ? branch->call : NULL;
	int status;

	if (!branch || ringing->state != TL_CALL_RINGING)
		return false;
	status = may(call, branch) ? make_answer(call, ringing) : 403;
	if (status == 0) {
		g_message("call=%s leg=a source=%s picks up call=%s at=%s", call->id, call->source,
			  ringing->id, branch->name);
		take(call, ringing);
	}
	*ret_status = status;
	return true;
}
