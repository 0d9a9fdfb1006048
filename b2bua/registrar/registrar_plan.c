#include "b2bua/registrar/registrar_plan.h"

#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_status.h>
#include "b2bua/registrar/location.h"
#include "b2bua/sip/stack.h"

enum {
	MALFORMED_EXPIRES_S = 3600, /* RFC 3261 20.10: what a value that can't be read means */
	SHORT_EXPIRES_S = 3600,     /* 10.3 step 7: from an hour on, never too brief */
	PATHS = 4,                  /* proxies between an extension and us */
};

static int refuse(struct tl_register_plan *plan, int status, const char *phrase)
{
	plan->status = status;
	plan->phrase = phrase;
	return -1;
}

/* Text that goes between < and > later on, whatever the parser let pass. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("<>\"", *text))
			return false;
	return true;
}

static bool print_uri(const url_t *url, char *buf, size_t bytes)
{
	issize_t n = url_e(buf, (isize_t)bytes, url);

	return n > 0 && (size_t)n < bytes && is_printable(buf);
}

/*
 * The binding that a Contact refreshes: the one of the same URI (of several, since
 * equality isn't transitive, the one of the same text). Else the one of the same
 * instance: a telephone that was restarted comes from a new port, and its former
 * self would ring in vain until it expires.
 */
static const struct tl_location_binding *find_binding(const struct tl_register_facts *facts,
						      const struct tl_register_change *change)
{
	const struct tl_location_binding *same_uri = NULL, *same_instance = NULL;

	for (guint i = 0; facts->bindings && i < facts->bindings->len; i++) {
		const struct tl_location_binding *binding = facts->bindings->pdata[i];
		char copy[TL_REGISTER_CONTACT_BYTES];
		url_t url;

		if (strcmp(binding->contact, change->contact) == 0)
			return binding;
		g_strlcpy(copy, binding->contact, sizeof(copy));
		if (!same_uri && url_d(&url, copy) == 0 && tl_register_same_uri(&url, change->url))
			same_uri = binding;
		if (*change->instance && binding->reg_id == change->reg_id &&
		    g_strcmp0(binding->instance, change->instance) == 0)
			same_instance = binding;
	}
	return same_uri ? same_uri : same_instance;
}

/* Steps 6 and 7: within a Call-ID only a higher CSeq counts; anything else came late. */
static bool is_late(const struct tl_register_facts *facts,
		    const struct tl_location_binding *binding)
{
	return binding->expires_s > facts->now_s &&
	       strcmp(binding->call_id, facts->sip->sip_call_id->i_id) == 0 &&
	       facts->sip->sip_cseq->cs_seq <= binding->cseq;
}

/* Digits only; a number too large for the wire is the largest. */
static unsigned read_seconds(const char *text)
{
	guint64 seconds;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return MALFORMED_EXPIRES_S;
	seconds = g_ascii_strtoull(text, NULL, 10);
	return (unsigned)MIN(seconds, (guint64)UINT32_MAX);
}

static unsigned wanted_expiry_s(const struct tl_register_facts *facts, const sip_contact_t *contact)
{
	if (contact->m_expires)
		return read_seconds(contact->m_expires);
	if (facts->sip->sip_expires)
		return (unsigned)facts->sip->sip_expires->ex_delta;
	return facts->default_s;
}

/* qvalue of RFC 3261 25.1: 0 to 1, three decimals at the most. */
static bool read_q(const char *text, double *ret_q)
{
	size_t n = strlen(text);

	if (n < 1 || n > 5 || (text[0] != '0' && text[0] != '1') || (n > 1 && text[1] != '.') ||
	    (n > 2 && strspn(text + 2, "0123456789") != n - 2))
		return false;
	*ret_q = g_ascii_strtod(text, NULL);
	return *ret_q <= 1;
}

static bool planned_already(const struct tl_register_plan *plan, const url_t *url)
{
	for (guint i = 0; i < plan->changes->len; i++) {
		const struct tl_register_change *change =
			&g_array_index(plan->changes, struct tl_register_change, i);

		if (change->url && tl_register_same_uri(change->url, url))
			return true;
	}
	return false;
}

static void set_old(struct tl_register_change *change, const struct tl_location_binding *binding)
{
	g_strlcpy(change->old_contact, binding->contact, sizeof(change->old_contact));
}

/* RFC 5626 4.2.1: 1 and up. 0: there is none. */
static uint32_t read_reg_id(const sip_contact_t *contact)
{
	const char *text = msg_params_find(contact->m_params, "reg-id=");
	guint64 reg_id = 0;

	if (text && !g_ascii_string_to_unsigned(text, 10, 1, INT32_MAX, &reg_id, NULL))
		return 0;
	return (uint32_t)reg_id;
}

/*
 * Kept as it stands, quotes and all: it is only ever compared. With reg-id a telephone
 * may have several flows at once (RFC 5626), and each is a binding of its own.
 */
static void read_instance(const sip_contact_t *contact, struct tl_register_change *change)
{
	const char *instance = msg_params_find(contact->m_params, "+sip.instance=");

	if (!instance || strlen(instance) >= sizeof(change->instance) ||
	    !g_utf8_validate(instance, -1, NULL))
		return;
	g_strlcpy(change->instance, instance, sizeof(change->instance));
	change->reg_id = read_reg_id(contact);
}

/* The parser lets texts pass that, written anew, are another URI or none: nobody could call it. */
static bool reads_back(const char *contact, const url_t *url)
{
	char copy[TL_REGISTER_CONTACT_BYTES];
	url_t back;

	g_strlcpy(copy, contact, sizeof(copy));
	return url_d(&back, copy) == 0 && tl_uri_check(&back) == 0 &&
	       tl_register_same_uri(&back, url);
}

/* Refusals of what a Contact is, before what it asks for. */
static int check_contact(struct tl_register_plan *plan, const sip_contact_t *contact,
			 struct tl_register_change *change)
{
	change->q = 1;
	if (contact->m_q && !read_q(contact->m_q, &change->q))
		return refuse(plan, 400, "Bad Contact q");
	if (tl_uri_check(contact->m_url) < 0 || contact->m_url->url_headers ||
	    !print_uri(contact->m_url, change->contact, sizeof(change->contact)) ||
	    !reads_back(change->contact, contact->m_url))
		return refuse(plan, 400, "Bad Contact");
	change->url = contact->m_url;
	read_instance(contact, change);
	return 0;
}

static bool has_word(const msg_param_t *items, const char *word)
{
	for (; items && *items; items++)
		if (g_ascii_strcasecmp(*items, word) == 0)
			return true;
	return false;
}

/*
 * RFC 5626 6: a telephone that speaks outbound and numbers its flow expects it to be
 * used. That works when it stands at our door, or when the proxy at its end says
 * in Path that it keeps the flow; else it shall know (439).
 */
static int plan_outbound(const struct tl_register_facts *facts, struct tl_register_plan *plan,
			 const struct tl_register_change *change)
{
	const sip_t *sip = facts->sip;
	const sip_path_t *last = sip->sip_path;

	if (!change->put || !change->reg_id || !sip->sip_supported ||
	    !has_word(sip->sip_supported->k_items, "outbound"))
		return 0;
	while (last && last->r_next)
		last = last->r_next;
	if (sip->sip_via && sip->sip_via->v_next && !(last && url_has_param(last->r_url, "ob")))
		return refuse(plan, 439, "First Hop Lacks Outbound Support");
	plan->outbound = true;
	return 0;
}

static int plan_contact(const struct tl_register_facts *facts, struct tl_register_plan *plan,
			const sip_contact_t *contact)
{
	struct tl_register_change change = { 0 };
	const struct tl_location_binding *binding;
	unsigned expiry_s = wanted_expiry_s(facts, contact);

	if (check_contact(plan, contact, &change) < 0)
		return -1;
	if (planned_already(plan, change.url))
		return 0;

	binding = find_binding(facts, &change);
	if (binding && is_late(facts, binding))
		return refuse(plan, 500, "CSeq Out Of Order");
	if (binding)
		set_old(&change, binding);

	if (expiry_s > 0 && expiry_s < facts->min_s && expiry_s < SHORT_EXPIRES_S) {
		plan->min_expires_s = MIN(facts->min_s, SHORT_EXPIRES_S);
		return refuse(plan, SIP_423_INTERVAL_TOO_BRIEF);
	}
	change.put = expiry_s > 0;
	change.expires_s = facts->now_s + (int64_t)MIN(expiry_s, facts->max_s);
	if (plan_outbound(facts, plan, &change) < 0)
		return -1;
	if (change.put || *change.old_contact)
		g_array_append_val(plan->changes, change);
	return 0;
}

/* Step 6: `Contact: *` takes everything away, and asks for nothing else. */
static int plan_star(const struct tl_register_facts *facts, struct tl_register_plan *plan)
{
	const sip_t *sip = facts->sip;

	if (sip->sip_contact->m_next || !sip->sip_expires || sip->sip_expires->ex_delta != 0)
		return refuse(plan, 400, "Bad Wildcard Contact");

	for (guint i = 0; facts->bindings && i < facts->bindings->len; i++) {
		const struct tl_location_binding *binding = facts->bindings->pdata[i];
		struct tl_register_change change = { 0 };

		set_old(&change, binding);
		if (is_late(facts, binding))
			return refuse(plan, 500, "CSeq Out Of Order");
		g_array_append_val(plan->changes, change);
	}
	return 0;
}

static bool is_touched(const struct tl_register_plan *plan,
		       const struct tl_location_binding *binding)
{
	for (guint i = 0; i < plan->changes->len; i++)
		if (strcmp(g_array_index(plan->changes, struct tl_register_change, i).old_contact,
			   binding->contact) == 0)
			return true;
	return false;
}

/* Live bindings that this request leaves alone. */
static unsigned count_others(const struct tl_register_facts *facts,
			     const struct tl_register_plan *plan)
{
	unsigned n = 0;

	for (guint i = 0; facts->bindings && i < facts->bindings->len; i++) {
		const struct tl_location_binding *binding = facts->bindings->pdata[i];

		n += binding->expires_s > facts->now_s && !is_touched(plan, binding);
	}
	return n;
}

static int check_room(const struct tl_register_facts *facts, struct tl_register_plan *plan)
{
	unsigned puts = 0;

	for (guint i = 0; i < plan->changes->len; i++)
		puts += g_array_index(plan->changes, struct tl_register_change, i).put;
	if (puts > 0 && puts + count_others(facts, plan) > facts->max_contacts)
		return refuse(plan, 403, "Too Many Contacts");
	return 0;
}

/* We send to the first proxy ourselves; those behind it are for it to reach. */
static int check_path(const struct tl_register_facts *facts, struct tl_register_plan *plan)
{
	const sip_path_t *first = facts->sip->sip_path;
	char text[TL_REGISTER_CONTACT_BYTES];
	int n = 0;

	if (first && tl_uri_check(first->r_url) < 0)
		return refuse(plan, 400, "Bad Path");
	for (const sip_path_t *path = first; path; path = path->r_next)
		if (++n > PATHS || !tl_uri_is_safe(path->r_url) ||
		    !print_uri(path->r_url, text, sizeof(text)))
			return refuse(plan, 400, "Bad Path");
	return 0;
}

static void plan_contacts(const struct tl_register_facts *facts, struct tl_register_plan *plan)
{
	int n = 0;

	for (const sip_contact_t *contact = facts->sip->sip_contact; contact;
	     contact = contact->m_next) {
		if (++n > TL_REGISTER_CONTACTS) {
			refuse(plan, 400, "Too Many Contacts");
			return;
		}
		if (contact->m_url->url_type == url_any) {
			refuse(plan, 400, "Bad Wildcard Contact");
			return;
		}
		if (plan_contact(facts, plan, contact) < 0)
			return;
	}
	check_room(facts, plan);
}

void tl_register_plan_make(const struct tl_register_facts *facts, struct tl_register_plan *ret_plan)
{
	const sip_contact_t *first = facts->sip->sip_contact;

	*ret_plan = (struct tl_register_plan) {
		.changes = g_array_new(FALSE, FALSE, sizeof(struct tl_register_change)),
	};
	if (!first || check_path(facts, ret_plan) < 0)
		return;
	if (first->m_url->url_type == url_any)
		plan_star(facts, ret_plan);
	else
		plan_contacts(facts, ret_plan);
}

void tl_register_plan_done(struct tl_register_plan *plan)
{
	g_array_free(plan->changes, TRUE);
	plan->changes = NULL;
}
