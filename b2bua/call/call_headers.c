/* What of one leg's messages the other leg gets: headers, and whole INFOs. */
#include "b2bua/call/call_priv.h"
#include "dialplan/header_name.h"

static bool may_pass(const struct tl_call *call, const char *name)
{
	return tl_header_crosses(name);
}

void tl_call_pass_headers(const struct tl_call *call, const struct tl_header *headers, size_t n,
			  struct tl_header_set *ret_set)
{
	ret_set->n = 0;
	for (size_t i = 0; i < n && ret_set->n < TL_HEADERS_MAX; i++)
		if (may_pass(call, headers[i].name))
			ret_set->v[ret_set->n++] = headers[i];
}

struct tl_cause tl_call_pass_cause(const struct tl_call *call, const struct tl_cause *cause,
				   struct tl_header_set *buf)
{
	struct tl_cause passed = *cause;

	tl_call_pass_headers(call, cause->headers, cause->n_headers, buf);
	passed.headers = buf->v;
	passed.n_headers = buf->n;
	return passed;
}

/* The leg at the other side of a call that talks, or NULL. */
static struct tl_leg *other_leg(const struct tl_call *call, const struct tl_leg *leg)
{
	if (call->state != TL_CALL_TALKING || !call->b)
		return NULL;
	return leg == call->leg_a ? call->b->leg : call->leg_a;
}

void tl_call_info(struct tl_call *call, struct tl_leg *leg, const struct tl_leg_event *event)
{
	struct tl_leg *other = other_leg(call, leg);
	struct tl_header_set headers;

	if (event->type == TL_LEG_INFO_REPLY) {
		if (other)
			tl_leg_reply_info(other, event->serial, event->status);
		return;
	}
	tl_call_pass_headers(call, event->headers, event->n_headers, &headers);
	/* with nobody there it is for us, who have no use for it; a MESSAGE must not get lost */
	if (!other)
		tl_leg_reply_info(leg, event->serial, event->body.message ? 480 : 200);
	else if (tl_leg_send_info(other, &event->body, headers.v, headers.n, event->serial) < 0)
		tl_leg_reply_info(leg, event->serial, 500);
}
