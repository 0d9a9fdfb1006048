#include "b2bua/registrar/ping.h"

#include <glib.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/log.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"

enum {
	TICK_MS = 1000,
	SLACK_US = 500000, /* half a tick: what is due by then is due now, not at the next one */
	PATIENCE_S = 5, /* for an answer; over UDP the request has been sent four times by then */
	FAILURES_TOLD = 2, /* in a row */
	CONTACT_BYTES = 512,
};

struct tl_pings {
	struct tl_stack *stack;
	struct tl_location *location;
	GHashTable *by_binding; /* extension, space, contact -> struct ping; both owned */
	su_timer_t *timer;
	unsigned interval_s;
};

struct ping {
	struct tl_pings *pings;
	char *extension, *contact, *hop;
	nta_leg_t *leg; /* of the question that is out, or NULL */
	nta_outgoing_t *orq;
	int64_t sent_us, due_us; /* monotonic */
	unsigned failures, rtt_ms;
	enum tl_reach reach;
};

const char *tl_reach_name(enum tl_reach reach)
{
	static const char *const names[_TL_REACH_MAX] = {
		[TL_REACH_UNKNOWN] = "unknown",
		[TL_REACH_REACHABLE] = "reachable",
		[TL_REACH_UNREACHABLE] = "unreachable",
	};

	if ((int)reach < 0 || reach >= _TL_REACH_MAX)
		return "invalid";
	return names[reach];
}

static void end_question(struct ping *ping)
{
	if (ping->orq)
		nta_outgoing_destroy(g_steal_pointer(&ping->orq));
	if (ping->leg)
		nta_leg_destroy(g_steal_pointer(&ping->leg));
}

static void ping_free(gpointer data)
{
	struct ping *ping = data;

	end_question(ping);
	g_free(ping->extension);
	g_free(ping->contact);
	g_free(ping->hop);
	g_free(ping);
}

static void set_reach(struct ping *ping, enum tl_reach reach)
{
	static struct tl_log_limit limit;
	char contact[CONTACT_BYTES];
	unsigned skipped;

	if (reach != ping->reach &&
	    (reach == TL_REACH_UNREACHABLE || ping->reach == TL_REACH_UNREACHABLE) &&
	    tl_log_allow(&limit, &skipped))
		g_message("register extension=%s %s contact=\"%s\" skipped=%u", ping->extension,
			  reach == TL_REACH_UNREACHABLE ? "unreachable" : "reachable",
			  tl_log_quote(ping->contact, contact, sizeof(contact)), skipped);
	ping->reach = reach;
}

static void note_failure(struct ping *ping)
{
	ping->failures++;
	if (ping->failures >= FAILURES_TOLD && ping->reach == TL_REACH_REACHABLE)
		set_reach(ping, TL_REACH_UNREACHABLE);
}

/* --- one question --- */

/* What our own stack or a proxy says in place of a telephone that isn't there. */
static bool is_failure(int status)
{
	return status == 408 || status == 430 || status == 503;
}

static int on_answer(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct ping *ping = (struct ping *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	if (!sip || !sip->sip_status || is_failure(status)) {
		note_failure(ping);
	} else {
		ping->failures = 0;
		ping->rtt_ms = (unsigned)MAX((g_get_monotonic_time() - ping->sent_us) / 1000, 1);
		set_reach(ping, TL_REACH_REACHABLE);
	}
	end_question(ping);
	return 0;
}

/* Nobody has a dialog with a question. */
static int on_stray(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	return 481;
}

static void ask(struct ping *ping, int64_t now_us)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_stack *stack = ping->pings->stack;
	const char *domain = tl_stack_domain(stack);
	const char *from = su_sprintf(home, "<sip:%s>", domain);
	const char *to = su_sprintf(home, "<%s>", ping->contact);
	const url_t *hop = url_make(home, ping->hop);
	struct tl_origin origin = tl_stack_origin(stack, home, hop);

	ping->leg = nta_leg_tcreate(tl_stack_agent(stack), on_stray, NULL, SIPTAG_FROM_STR(from),
				    SIPTAG_TO_STR(to), TAG_END());
	if (ping->leg && hop && tl_uri_check(hop) == 0) {
		nta_leg_tag(ping->leg, NULL);
		ping->orq = nta_outgoing_tcreate(ping->leg, on_answer, (nta_outgoing_magic_t *)ping,
						 URL_STRING_MAKE(ping->hop), SIP_METHOD_OPTIONS,
						 URL_STRING_MAKE(ping->contact),
						 SIPTAG_MAX_FORWARDS_STR("70"),
						 TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
						 TAG_IF(origin.via, NTATAG_USER_VIA(1)),
						 SIPTAG_VIA_STR(origin.via), TAG_END());
	}
	su_home_deinit(home);
	ping->sent_us = now_us;
	if (!ping->orq) {
		note_failure(ping);
		end_question(ping);
	}
}

static int64_t interval_us(const struct tl_pings *pings)
{
	return (int64_t)pings->interval_s * G_USEC_PER_SEC;
}

static void on_tick(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_pings *pings = (struct tl_pings *)arg;
	int64_t now_us = g_get_monotonic_time();
	int64_t patience_us = MIN((int64_t)PATIENCE_S * G_USEC_PER_SEC, interval_us(pings));
	GHashTableIter iter;
	gpointer value;

	if (!pings->interval_s)
		return;
	g_hash_table_iter_init(&iter, pings->by_binding);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct ping *ping = value;

		if (ping->orq && now_us + SLACK_US - ping->sent_us >= patience_us) {
			note_failure(ping);
			end_question(ping);
		}
		if (ping->due_us > now_us + SLACK_US)
			continue;
		end_question(ping);
		ping->due_us = now_us + interval_us(pings);
		ask(ping, now_us);
	}
}

/* --- whom to ask --- */

static char *key_of(const char *extension, const char *contact)
{
	return g_strconcat(extension, " ", contact, NULL);
}

/* Spread over an interval, so that telephones that come together are not asked together. */
static int64_t first_due_us(const struct tl_pings *pings)
{
	return g_get_monotonic_time() + (int64_t)(g_random_double() * (double)interval_us(pings));
}

/* It has just been heard of. */
static void follow(struct tl_pings *pings, const struct tl_location_binding *binding)
{
	g_autofree char *key = key_of(binding->extension, binding->contact);
	struct ping *ping = g_hash_table_lookup(pings->by_binding, key);

	if (!ping) {
		ping = g_new0(struct ping, 1);
		ping->pings = pings;
		ping->extension = g_strdup(binding->extension);
		ping->contact = g_strdup(binding->contact);
		ping->due_us = first_due_us(pings);
		g_hash_table_insert(pings->by_binding, g_steal_pointer(&key), ping);
	}
	g_free(ping->hop);
	ping->hop = g_strdup(binding->route);
	ping->failures = 0;
	if (ping->reach == TL_REACH_UNREACHABLE)
		set_reach(ping, TL_REACH_REACHABLE);
}

static void on_change(enum tl_location_event event, const struct tl_location_binding *binding,
		      void *user)
{
	struct tl_pings *pings = user;
	g_autofree char *key = NULL;

	if ((event == TL_LOCATION_ADDED || event == TL_LOCATION_REFRESHED) && binding->received) {
		follow(pings, binding);
		return;
	}
	key = key_of(binding->extension, binding->contact);
	g_hash_table_remove(pings->by_binding, key);
}

struct tl_pings *tl_pings_new(struct tl_stack *stack, struct tl_location *location,
			      unsigned interval_s)
{
	struct tl_pings *pings = g_new0(struct tl_pings, 1);

	pings->stack = stack;
	pings->location = location;
	pings->interval_s = interval_s;
	pings->by_binding = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ping_free);
	tl_location_observe(location, on_change, pings);
	tl_timer_repeat(&pings->timer, tl_stack_root(stack), TICK_MS, on_tick, pings);
	return pings;
}

void tl_pings_free(struct tl_pings *pings)
{
	if (!pings)
		return;
	tl_timer_stop(&pings->timer);
	tl_location_unobserve(pings->location, on_change, pings);
	g_hash_table_destroy(pings->by_binding);
	g_free(pings);
}

void tl_pings_configure(struct tl_pings *pings, unsigned interval_s)
{
	GHashTableIter iter;
	gpointer value;

	if (interval_s == pings->interval_s)
		return;
	pings->interval_s = interval_s;
	g_hash_table_iter_init(&iter, pings->by_binding);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct ping *)value)->due_us = first_due_us(pings);
}

static struct ping *find(struct tl_pings *pings, const char *extension, const char *contact)
{
	g_autofree char *key = key_of(extension, contact);

	return g_hash_table_lookup(pings->by_binding, key);
}

enum tl_reach tl_pings_state(struct tl_pings *pings, const char *extension, const char *contact,
			     unsigned *ret_rtt_ms)
{
	const struct ping *ping = find(pings, extension, contact);

	*ret_rtt_ms = ping ? ping->rtt_ms : 0;
	return ping ? ping->reach : TL_REACH_UNKNOWN;
}

void tl_pings_mark_lost(struct tl_pings *pings, const char *extension, const char *contact)
{
	struct ping *ping = find(pings, extension, contact);

	if (ping)
		ping->reach = TL_REACH_UNREACHABLE;
}
