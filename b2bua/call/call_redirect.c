/*
 * Redirections. What becomes of a 3xx is stated for who sends it, on-redirect:
 *
 *   follow   an extension: as if it had dialled the contact's number itself. The dialplan
 *            is asked with the extension as the source, so nobody can be sent to a number
 *            that the extension may not call, and contacts outside our domain lead nowhere.
 *            a trunk: the contact is called by the trunk's own account.
 *   pass     the caller is told, with the contacts
 *   refuse   the same as 480
 *
 * A hunt is what goes on at one branch's place: contacts in the order of their q, one
 * after another; each contact of an extension brings a decision with steps of its own. A
 * redirection within it comes on top:
 *
 *   1001 ── 302 ──► frame [1002 q=1, 1003 q=0.5]
 *     1002 ── 302 ──► frame [1004]           nobody there: 1003
 */
#include "b2bua/call/call_priv.h"
#include "b2bua/log.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include <string.h>

struct frame {
	/* who redirected: one of the two */
	const struct tl_extension_cfg *extension;
	const struct tl_trunk_cfg *trunk;
	const struct tl_decision *rung; /* that had its target rung; of the call or a frame below */
	struct tl_contact *contacts;    /* owned, texts too */
	size_t n_contacts, next;
	struct tl_decision *decision; /* of the contact at hand, when an extension redirected */
	size_t step;
};

struct tl_hunt {
	struct tl_call *call;
	unsigned refs; /* branches, and who works at it */
	GQueue frames; /* struct frame, the innermost at the tail */
};

static void frame_free(struct frame *frame)
{
	for (size_t i = 0; i < frame->n_contacts; i++) {
		g_free((char *)frame->contacts[i].uri);
		g_free((char *)frame->contacts[i].user);
		g_free((char *)frame->contacts[i].host);
	}
	g_free(frame->contacts);
	tl_decision_free(frame->decision);
	g_free(frame);
}

struct tl_hunt *tl_hunt_ref(struct tl_hunt *hunt)
{
	if (hunt)
		hunt->refs++;
	return hunt;
}

void tl_hunt_move(struct tl_hunt *hunt, struct tl_call *call)
{
	if (hunt)
		hunt->call = call;
}

void tl_hunt_leave(struct tl_hunt *hunt)
{
	if (!hunt || --hunt->refs > 0)
		return;
	g_queue_clear_full(&hunt->frames, (GDestroyNotify)frame_free);
	g_free(hunt);
}

static enum tl_on_redirect policy_of(const struct tl_branch *branch)
{
	if (branch->extension)
		return branch->extension->on_redirect;
	return branch->trunk_cfg ? branch->trunk_cfg->on_redirect : TL_ON_REDIRECT_REFUSE;
}

bool tl_call_passes_redirect(const struct tl_branch *branch)
{
	return policy_of(branch) == TL_ON_REDIRECT_PASS;
}

struct tl_hunt *tl_call_redirected(struct tl_branch *branch, const struct tl_cause *cause)
{
	struct tl_hunt *hunt = branch->hunt;
	struct frame *frame;

	if (policy_of(branch) != TL_ON_REDIRECT_FOLLOW || cause->n_contacts == 0)
		return NULL;
	if (!hunt) {
		hunt = g_new0(struct tl_hunt, 1);
		hunt->call = branch->call;
	}
	frame = g_new0(struct frame, 1);
	frame->extension = branch->extension;
	frame->trunk = branch->trunk_cfg;
	frame->rung = branch->decision;
	frame->n_contacts = cause->n_contacts;
	frame->contacts = g_new(struct tl_contact, cause->n_contacts);
	for (size_t i = 0; i < cause->n_contacts; i++)
		frame->contacts[i] = (struct tl_contact) {
			g_strdup(cause->contacts[i].uri),
			g_strdup(cause->contacts[i].user),
			g_strdup(cause->contacts[i].host),
		};
	g_queue_push_tail(&hunt->frames, frame);
	return tl_hunt_ref(hunt);
}

/* Is this host us? Then what stands before it is a number of our dialplan. */
static bool is_ours(const struct tl_call *call, const char *host)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(call->dp);
	struct sockaddr_storage addr, local;
	size_t n = strlen(host);
	g_autofree char *bare = *host == '[' && n > 2 ? g_strndup(host + 1, n - 2) : g_strdup(host);

	if (g_ascii_strcasecmp(bare, gateway->domain) == 0 ||
	    (gateway->advertise && g_ascii_strcasecmp(bare, gateway->advertise) == 0))
		return true;
	for (size_t i = 0; i < gateway->n_listen; i++)
		if (g_ascii_strcasecmp(bare, gateway->listen[i].host) == 0)
			return true;
	return tl_address_parse(bare, 0, &addr) &&
	       tl_stack_local_ip((struct sockaddr *)&addr, &local) == 0 &&
	       tl_address_same_host((struct sockaddr *)&addr, (struct sockaddr *)&local);
}

const struct tl_extension_cfg *tl_hunt_forwarder(const struct tl_hunt *hunt)
{
	for (GList *l = hunt ? hunt->frames.tail : NULL; l; l = l->prev)
		if (((struct frame *)l->data)->extension)
			return ((struct frame *)l->data)->extension;
	return NULL;
}

static void log_contact(const struct tl_call *call, const char *uri, const char *what)
{
	static struct tl_log_limit limit;
	unsigned skipped;
	char text[160];

	if (tl_log_allow(&limit, &skipped))
		g_message("call=%s leg=b redirected to=\"%s\" %s skipped=%u", call->id,
			  tl_log_quote(uri, text, sizeof(text)), what, skipped);
}

/* Is somebody of that name being rung, or was he, on the way here? Then it goes in a circle. */
static bool was_here(const struct tl_hunt *hunt, const struct tl_extension_cfg *ext)
{
	for (GList *l = hunt->frames.head; ext && l; l = l->next)
		if (((struct frame *)l->data)->extension == ext)
			return true;
	for (guint i = 0; ext && i < hunt->call->branches->len; i++)
		if (((struct tl_branch *)hunt->call->branches->pdata[i])->extension == ext)
			return true;
	return false;
}

/* The extension's own call to the number, as the dialplan sees it; or NULL. */
static struct tl_decision *decide(const struct tl_call *call, const struct tl_extension_cfg *ext,
				  const struct tl_contact *contact)
{
	struct tl_facts facts = call->facts;
	struct tl_decision *decision;

	facts.source = TL_SOURCE_EXTENSION;
	facts.source_name = ext->number;
	facts.caller = ext->number;
	facts.callee = contact->user;
	if (!*contact->user || (contact->host && !is_ours(call, contact->host)))
		return NULL;
	if (tl_dialplan_decide(call->dp, &facts, &decision) < 0)
		return NULL;
	if (decision->verdict == TL_VERDICT_RING)
		return decision;
	tl_decision_free(decision);
	return NULL;
}

static void ring_step(struct tl_hunt *hunt, struct frame *frame)
{
	const struct tl_ring_step *step = &frame->decision->steps[frame->step++];

	for (size_t i = 0; i < step->n_targets; i++) {
		if (was_here(hunt, step->targets[i].extension))
			log_contact(hunt->call, step->targets[i].extension->number, "in a circle");
		else
			tl_call_ring_target(hunt->call, frame->decision, &step->targets[i], hunt);
	}
}

/* Rings a contact of a frame, or not. */
static void ring_contact(struct tl_hunt *hunt, struct frame *frame)
{
	struct tl_call *call = hunt->call;
	const struct tl_contact *contact = &frame->contacts[frame->next++];

	if (++call->redirects > TL_CALL_REDIRECTS) {
		log_contact(call, contact->uri, "not followed: too many");
		frame->next = frame->n_contacts;
		return;
	}
	if (frame->trunk) {
		log_contact(call, contact->uri, "followed");
		tl_call_ring_uri(call, frame->rung, frame->trunk, contact->uri, hunt);
		return;
	}
	tl_decision_free(frame->decision);
	frame->step = 0;
	frame->decision = decide(call, frame->extension, contact);
	log_contact(call, contact->uri,
		    frame->decision ? "followed" : "not followed: it may not call there");
}

void tl_hunt_next(struct tl_hunt *hunt)
{
	struct frame *frame;

	if (!hunt)
		return;
	/* refs: the branches that ring for it, and the caller's own */
	while (hunt->refs == 1 && (frame = g_queue_peek_tail(&hunt->frames))) {
		if (frame->decision && frame->step < frame->decision->n_steps)
			ring_step(hunt, frame);
		else if (frame->next < frame->n_contacts)
			ring_contact(hunt, frame);
		else
			frame_free(g_queue_pop_tail(&hunt->frames));
	}
	if (hunt->refs > 1)
		tl_call_start_ring_timer(hunt->call);
}
