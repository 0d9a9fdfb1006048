/* What of one leg's messages the other leg gets: headers, and whole INFOs. */
#include "b2bua/call/call_priv.h"
#include "dialplan/header_name.h"

static bool may_pass(const struct tl_call *call, const char *name)
{
	switch (call->decision ? tl_decision_header(call->decision, name) : TL_HEADER_DEFAULT) {
	case TL_HEADER_CARRY:
		return tl_header_is_free(name);
	case TL_HEADER_DROP:
		return false;
	case TL_HEADER_DEFAULT:
	case _TL_HEADER_FATE_MAX:
	case _TL_HEADER_FATE_INVALID:
		break;
	}
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

/* One that the route adds stands in the place of those of its name. */
static bool is_added(const struct tl_decision *d, const char *name)
{
	for (size_t i = 0; i < d->n_add_headers; i++)
		if (g_ascii_strcasecmp(d->add_headers[i].name, name) == 0)
			return true;
	return false;
}

void tl_call_invite_headers(const struct tl_call *call, const struct tl_decision *d,
			    struct tl_header_set *ret_set)
{
	const struct tl_leg_info *info = tl_leg_info(call->leg_a);
	size_t kept = 0;

	tl_call_pass_headers(call, info->headers, info->n_headers, ret_set);
	for (size_t i = 0; i < ret_set->n; i++)
		if (!is_added(d, ret_set->v[i].name))
			ret_set->v[kept++] = ret_set->v[i];
	ret_set->n = MIN(kept, TL_HEADERS_MAX - MIN(d->n_add_headers, TL_HEADERS_MAX));
	for (size_t i = 0; i < d->n_add_headers && ret_set->n < TL_HEADERS_MAX; i++)
		ret_set->v[ret_set->n++] =
			(struct tl_header) { d->add_headers[i].name, d->add_headers[i].value };
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
