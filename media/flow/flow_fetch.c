#include "media/fetch.h"
#include "media/flow/flow_priv.h"

/* An end in the two stretches that each packet looks at; between them lie digits to be sent. */
static void fetch_end(const struct tl_flow_end *end)
{
	const char *first = (const char *)end, *second = (const char *)&end->digits_out.active;

	tl_fetch(first, offsetof(struct tl_flow_end, digits_out));
	tl_fetch(second, offsetof(struct tl_flow_end, rtcp) -
				 offsetof(struct tl_flow_end, digits_out.active));
}

static void fetch_plan(const struct tl_side_plan *plan)
{
	tl_fetch(plan, offsetof(struct tl_side_plan, send_format.fmtp));
	tl_fetch(&plan->receive_formats[0], offsetof(struct tl_format, fmtp));
}

/* What the ends point to. */
static void fetch_rest(const struct tl_flow_end *end)
{
	fetch_plan(end->plan);
	tl_fetch(end->counters, offsetof(struct tl_side_counters, source));
	if (end->tape.due_us) {
		tl_tape_fetch(end);
		return;
	}
	if (!end->ear)
		return;
	tl_fetch(end->ear, offsetof(struct tl_ear, in.fmtp));
	tl_jitter_fetch(end->ear->jitter);
	if (end->ear->chain)
		tl_chain_fetch(end->ear->chain);
}

void tl_flow_fetch(const struct tl_flow_pair *pair, enum tl_side side, bool near)
{
	if (!near) {
		tl_fetch(pair, offsetof(struct tl_flow_pair, ends));
		fetch_end(&pair->ends[TL_SIDE_A]);
		fetch_end(&pair->ends[TL_SIDE_B]);
		return;
	}
	fetch_rest(&pair->ends[side]);
	fetch_plan(pair->ends[tl_side_other(side)].plan);
	tl_fetch(pair->ends[tl_side_other(side)].counters,
		 offsetof(struct tl_side_counters, source));
}

void tl_flow_fetch_code(const struct tl_flow_pair *pair)
{
	tl_fetch_code(packet);
	if (pair->ends[TL_SIDE_A].ear || pair->ends[TL_SIDE_B].ear)
		tl_fetch_code(chain);
}
