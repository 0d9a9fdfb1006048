#include "b2bua/trunk/registration.h"

#include <string.h>
#include <glib.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/clock.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/digest.h"
#include "b2bua/log.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/trunk/keeper.h"
#include "b2bua/trunk/outbound.h"
#include "b2bua/trunk/service_route.h"

enum {
	WANTED_S = 3600, /* what we ask for */
	GRANTED_MIN_S = 10,
	GRANTED_MAX_S = 86400,
	RETRY_FIRST_S = 2,
	RETRY_MAX_S = 300,
	RETRY_REFUSED_S = 60, /* after a 4xx at the least: asking faster gets us banned */
	RETRY_AFTER_MAX_S = 3600,
	SILENCE_MAX_S = 6,
	REASON_BYTES = 128,
	WATCH_MS = 5000, /* so often: is our server still one? */
	RENEW_WITHIN_S = 3,
	LOST_S = 1, /* after a connection has closed; a server that ends it may be restarting */
};

struct tl_registration {
	struct tl_stack *stack;
	char *name, *host, *user, *password, *user_agent;
	uint16_t port;
	enum tl_transport transport;

	struct tl_servers *servers; /* lent */
	char *aor, *request_uri;    /* sip:user@host, sip:host */
	char *outbound;             /* parameters of our Contact; NULL: not to this server */
	char *hop;                  /* the server that we are at, or NULL: to be chosen */
	guint hops_tried;           /* since the last success */
	nta_leg_t *leg;             /* holds Call-ID, From tag and CSeq */
	nta_outgoing_t *orq;        /* the REGISTER under way */
	su_timer_t *timer;
	struct tl_digest *digest;

	enum tl_trunk_state state;
	char reason[REASON_BYTES];
	int64_t expires_s;
	unsigned wanted_s, failures, keep_alive_s;
	struct tl_keeper *keeper;
	struct tl_service_route *route;
	su_timer_t *watch;
};

enum tl_trunk_state tl_registration_state(const struct tl_registration *registration)
{
	return registration->state;
}

const char *tl_registration_reason(const struct tl_registration *registration)
{
	return registration->reason;
}

int64_t tl_registration_expires_s(const struct tl_registration *registration)
{
	return registration->expires_s;
}

static int64_t now_s(void)
{
	return tl_clock_s();
}

/* --- sending --- */

/* Our Contact names the address that the server sees us at. NULL: no server is known. */
static char *make_contact(const struct tl_registration *registration, su_home_t *home)
{
	const char *user = registration->user;
	const url_t *hop = registration->hop ? url_make(home, registration->hop) : NULL;
	struct sockaddr_storage peer;

	if (!hop || !tl_address_parse(hop->url_host, 5060, &peer))
		return NULL;
	return tl_stack_contact(registration->stack, home,
				su_strndup(home, user, (isize_t)strcspn(user, "@")),
				tl_uri_transport(hop), (const struct sockaddr *)&peer);
}

static bool names(const GPtrArray *hops, const char *hop)
{
	for (guint i = 0; i < hops->len; i++)
		if (strcmp(hops->pdata[i], hop) == 0)
			return true;
	return false;
}

/* One server for all time, until it fails, is down, or has gone from DNS. Returns how many there
 * are. */
static guint choose_hop(struct tl_registration *registration)
{
	g_autoptr(GPtrArray) hops = tl_servers_list(registration->servers);

	if (registration->hop && hops->len > 0 && !names(hops, registration->hop))
		g_clear_pointer(&registration->hop, g_free);
	if (!registration->hop && hops->len > 0)
		registration->hop = g_strdup(hops->pdata[0]);
	return hops->len;
}

/* Is a flow kept that RFC 5626 speaks of? */
static bool is_outbound(const struct tl_registration *registration, const url_t *hop)
{
	return registration->outbound && hop && tl_uri_transport(hop) != TL_TRANSPORT_UDP;
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void wake_in(struct tl_registration *registration, unsigned wait_s)
{
	tl_timer_start(&registration->timer, tl_stack_root(registration->stack), wait_s * 1000,
		       on_timer, registration);
}

/* False: it could not even be tried. */
static bool send_register(struct tl_registration *registration, unsigned expires_s)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	guint n_servers = choose_hop(registration);
	char *contact = make_contact(registration, home);
	char *expires = su_sprintf(home, "%u", expires_s);
	const char *uri = registration->request_uri;
	const url_t *hop = registration->hop ? url_make(home, registration->hop) : NULL;
	struct tl_origin origin =
		tl_stack_client_origin(registration->stack, home, hop, registration->name);
	const char *www =
		tl_digest_authorization(registration->digest, home, "REGISTER", uri, NULL);
	const char *proxy =
		tl_digest_proxy_authorization(registration->digest, home, "REGISTER", uri, NULL);

	bool outbound = is_outbound(registration, hop);

	if (registration->orq)
		nta_outgoing_destroy(registration->orq);
	registration->orq = NULL;
	if (contact && outbound)
		contact = su_strcat(home, contact, registration->outbound);
	if (contact && hop && tl_uri_check(hop) == 0)
		registration->orq = nta_outgoing_tcreate(
			registration->leg, on_response, (nta_outgoing_magic_t *)registration,
			URL_STRING_MAKE(registration->hop), SIP_METHOD_REGISTER,
			URL_STRING_MAKE(uri), SIPTAG_CONTACT_STR(contact),
			SIPTAG_EXPIRES_STR(expires), SIPTAG_MAX_FORWARDS_STR("70"),
			/* RFC 3327 5.1: proxies may put one in */
			SIPTAG_SUPPORTED_STR(outbound ? "path, outbound" : "path"),
			SIPTAG_USER_AGENT_STR(registration->user_agent),
			TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
			TAG_IF(origin.via, NTATAG_USER_VIA(1)), SIPTAG_VIA_STR(origin.via),
			TAG_IF(www, SIPTAG_AUTHORIZATION_STR(www)),
			TAG_IF(proxy, SIPTAG_PROXY_AUTHORIZATION_STR(proxy)), TAG_END());
	su_home_deinit(home);
	/* where there is another server, NTA's 32 s are too long to wait for this one */
	if (registration->orq && n_servers > 1)
		wake_in(registration, SILENCE_MAX_S);
	return registration->orq != NULL;
}

/* --- the end of an attempt --- */

/* 2, 4, 8 … 300 s, and a little more or less, so that a thousand gateways don't ask in step. */
static unsigned retry_wait_s(const struct tl_registration *registration, int status,
			     unsigned retry_after_s)
{
	unsigned wait_s = RETRY_FIRST_S << MIN(registration->failures, 8u);

	wait_s = MIN(wait_s, (unsigned)RETRY_MAX_S);
	if (status >= 400 && status < 500 && status != 408)
		wait_s = MAX(wait_s, (unsigned)RETRY_REFUSED_S);
	wait_s += (unsigned)g_random_int_range(0, (gint32)(wait_s / 4 + 1));
	return MAX(wait_s, MIN(retry_after_s, (unsigned)RETRY_AFTER_MAX_S));
}

static void set_failed(struct tl_registration *registration, int status, const char *phrase,
		       unsigned retry_after_s)
{
	unsigned wait_s = retry_wait_s(registration, status, retry_after_s);
	char quoted[REASON_BYTES - 8];

	g_snprintf(registration->reason, sizeof(registration->reason), "%03d %s", status,
		   tl_log_quote(phrase, quoted, sizeof(quoted)));
	if (registration->state != TL_TRUNK_DOWN || registration->failures == 0)
		g_warning("trunk=%s not registered reason=\"%s\" retry_s=%u", registration->name,
			  registration->reason, wait_s);
	registration->state = TL_TRUNK_DOWN;
	registration->failures++;
	if (registration->expires_s <= now_s()) {
		registration->expires_s = 0;
		tl_keeper_rest(registration->keeper);
		tl_service_route_clear(registration->route);
	}
	wake_in(registration, wait_s);
}

/* The registrar lists every binding of ours; the one of this Contact counts (RFC 3261 10.2.4). */
static unsigned granted_s(const struct tl_registration *registration, const sip_t *sip)
{
	const sip_contact_t *mine = NULL;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *contact = make_contact(registration, home);
	sip_contact_t *sent = contact ? sip_contact_make(home, contact) : NULL;
	guint64 granted = registration->wanted_s;

	for (const sip_contact_t *c = sip->sip_contact; c && sent && !mine; c = c->m_next)
		if (url_cmp(c->m_url, sent->m_url) == 0)
			mine = c;
	if (mine && mine->m_expires)
		granted = g_ascii_strtoull(mine->m_expires, NULL, 10);
	else if (sip->sip_expires)
		granted = sip->sip_expires->ex_delta;
	su_home_deinit(home);
	return (unsigned)CLAMP(granted, (guint64)GRANTED_MIN_S, (guint64)GRANTED_MAX_S);
}

static void set_registered(struct tl_registration *registration, nta_outgoing_t *orq,
			   const sip_t *sip)
{
	unsigned expires_s = granted_s(registration, sip);

	if (registration->state != TL_TRUNK_UP)
		g_message("trunk=%s registered expires_s=%u server=%s", registration->name,
			  expires_s, registration->hop);
	registration->state = TL_TRUNK_UP;
	registration->reason[0] = '\0';
	registration->failures = 0;
	registration->hops_tried = 0;
	registration->expires_s = now_s() + expires_s;
	tl_digest_accepted(registration->digest);
	tl_service_route_take(registration->route, sip);
	tl_keeper_follow(registration->keeper, orq, registration->hop, sip);
	wake_in(registration, expires_s / 2);
}

/* 423: what it wants, once; it can't be less than what we asked for. */
static bool accept_min_expires(struct tl_registration *registration, const sip_t *sip)
{
	unsigned long min_s = sip->sip_min_expires ? sip->sip_min_expires->me_delta : 0;

	if (min_s <= registration->wanted_s || min_s > GRANTED_MAX_S)
		return false;
	registration->wanted_s = (unsigned)min_s;
	return true;
}

/* True: the same again, with what the answer asked for. */
static bool shall_repeat(struct tl_registration *registration, const sip_t *sip)
{
	bool outbound;

	switch (sip->sip_status->st_status) {
	case 401:
	case 407:
		return tl_digest_challenged(registration->digest, sip) == 0;
	case 423:
		return accept_min_expires(registration, sip);
	case 439: /* RFC 5626 11.6: a proxy on the way keeps no flows */
		outbound = registration->outbound != NULL;
		g_clear_pointer(&registration->outbound, g_free);
		return outbound;
	}
	return false;
}

/* RFC 3263 4.3: nobody there, or 503: the next server at once, each once. */
static bool try_next_server(struct tl_registration *registration, int status)
{
	if ((status != 408 && status != 503) || !registration->hop)
		return false;
	tl_servers_blame(registration->servers, registration->hop);
	g_clear_pointer(&registration->hop, g_free);
	if (++registration->hops_tried >= choose_hop(registration))
		return false;
	return send_register(registration, registration->wanted_s);
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_registration *registration = (struct tl_registration *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	if (sip && sip->sip_status && shall_repeat(registration, sip) &&
	    send_register(registration, registration->wanted_s))
		return 0;

	if (try_next_server(registration, status))
		return 0;
	if (sip && sip->sip_status && status < 300)
		set_registered(registration, orq, sip);
	else
		set_failed(registration, status,
			   sip && sip->sip_status ? sip->sip_status->st_phrase : "No answer",
			   sip && sip->sip_retry_after ? sip->sip_retry_after->af_delta : 0);
	if (registration->orq == orq) {
		nta_outgoing_destroy(orq);
		registration->orq = NULL;
	}
	return 0;
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_registration *registration = (struct tl_registration *)arg;

	if (registration->orq) { /* silence */
		nta_outgoing_destroy(registration->orq);
		registration->orq = NULL;
		if (!try_next_server(registration, 408))
			set_failed(registration, 408, "No answer", 0);
		return;
	}
	registration->hops_tried = 0;
	if (registration->failures > 0) /* a password that was wrong may be right by now */
		tl_digest_accepted(registration->digest);
	if (!send_register(registration, registration->wanted_s))
		set_failed(registration, 503, "Can't be sent", 0);
}

/* --- the server and the way to it --- */

/* Calls for us can't come until we have registered by a new connection. */
static void on_lost(void *user)
{
	struct tl_registration *registration = user;

	if (!registration->orq && registration->state == TL_TRUNK_UP)
		wake_in(registration, LOST_S);
}

static void on_watch(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_registration *registration = (struct tl_registration *)arg;
	g_autoptr(GPtrArray) hops = NULL;

	if (registration->state != TL_TRUNK_UP || registration->orq || !registration->hop)
		return;
	hops = tl_servers_list(registration->servers);
	if (hops->len == 0 || names(hops, registration->hop))
		return;
	g_message("trunk=%s leaves server=%s, which is down or gone", registration->name,
		  registration->hop);
	wake_in(registration, 0);
}

GPtrArray *tl_registration_hops(const struct tl_registration *registration)
{
	GPtrArray *hops = tl_service_route_hops(registration->route);
	guint index;

	if (hops->len > 0)
		return hops;
	g_ptr_array_unref(hops);
	hops = tl_servers_list(registration->servers);
	if (registration->expires_s > now_s() && registration->hop &&
	    g_ptr_array_find_with_equal_func(hops, registration->hop, g_str_equal, &index))
		g_ptr_array_insert(hops, 0, g_ptr_array_steal_index(hops, index));
	return hops;
}

const char *tl_registration_route(const struct tl_registration *registration)
{
	return tl_service_route_text(registration->route);
}

/* --- life --- */

static void copy_cfg(struct tl_registration *registration, const struct tl_trunk_cfg *cfg)
{
	bool is_v6 = strchr(cfg->host, ':') != NULL;
	g_autofree char *host =
		g_strdup_printf(is_v6 && cfg->host[0] != '[' ? "[%s]" : "%s", cfg->host);

	registration->name = g_strdup(cfg->name);
	registration->host = g_strdup(cfg->host);
	registration->user = g_strdup(cfg->user);
	registration->password = g_strdup(cfg->password);
	registration->port = cfg->port;
	registration->transport = cfg->transport;
	registration->keep_alive_s = cfg->keep_alive_s;
	registration->aor = strchr(cfg->user, '@') ? g_strdup_printf("sip:%s", cfg->user)
						   : g_strdup_printf("sip:%s@%s", cfg->user, host);
	registration->request_uri = g_strdup_printf("sip:%s", host);
}

/* Nobody has a dialog with a registration. The library sends the status returned. */
static int on_stray(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	return 481;
}

struct tl_registration *tl_registration_new(struct tl_stack *stack, struct tl_servers *servers,
					    void *resolver, const struct tl_trunk_cfg *cfg,
					    const char *user_agent, const char *instance)
{
	struct tl_registration *registration = g_new0(struct tl_registration, 1);

	registration->stack = stack;
	registration->servers = servers;
	copy_cfg(registration, cfg);
	registration->user_agent = g_strdup(user_agent);
	registration->outbound = tl_outbound_params(instance, cfg->name);
	registration->state = TL_TRUNK_REGISTERING;
	registration->wanted_s = WANTED_S;
	registration->digest = tl_digest_new(cfg->user, cfg->password);
	registration->leg = nta_leg_tcreate(tl_stack_agent(stack), on_stray, NULL,
					    SIPTAG_FROM_STR(registration->aor),
					    SIPTAG_TO_STR(registration->aor), TAG_END());
	g_assert(registration->leg); /* only for want of memory */
	nta_leg_tag(registration->leg, NULL);
	registration->keeper =
		tl_keeper_new(stack, cfg->name, cfg->keep_alive_s, on_lost, registration);
	registration->route = tl_service_route_new(resolver, cfg->name);
	tl_timer_repeat(&registration->watch, tl_stack_root(stack), WATCH_MS, on_watch,
			registration);
	wake_in(registration, 0); /* from the loop, when everything else stands */
	return registration;
}

void tl_registration_free(struct tl_registration *registration)
{
	if (!registration)
		return;
	if (registration->orq)
		nta_outgoing_destroy(registration->orq);
	nta_leg_destroy(registration->leg);
	tl_timer_stop(&registration->timer);
	tl_timer_stop(&registration->watch);
	tl_keeper_free(registration->keeper);
	tl_service_route_free(registration->route);
	tl_digest_free(registration->digest);
	g_free(registration->name);
	g_free(registration->host);
	g_free(registration->user);
	g_free(registration->password);
	g_free(registration->user_agent);
	g_free(registration->aor);
	g_free(registration->outbound);
	g_free(registration->request_uri);
	g_free(registration->hop);
	g_free(registration);
}

bool tl_registration_fits(const struct tl_registration *registration,
			  const struct tl_trunk_cfg *cfg)
{
	return strcmp(registration->host, cfg->host) == 0 && registration->port == cfg->port &&
	       registration->transport == cfg->transport &&
	       registration->keep_alive_s == cfg->keep_alive_s &&
	       g_strcmp0(registration->user, cfg->user) == 0 &&
	       g_strcmp0(registration->password, cfg->password) == 0;
}

void tl_registration_renew(struct tl_registration *registration)
{
	if (registration->state == TL_TRUNK_UP)
		wake_in(registration, (unsigned)g_random_int_range(0, RENEW_WITHIN_S));
}

void tl_registration_stop(struct tl_registration *registration)
{
	if (registration->expires_s > now_s())
		send_register(registration, 0);
	registration->expires_s = 0;
	registration->state = TL_TRUNK_IDLE;
	tl_keeper_rest(registration->keeper);
	tl_service_route_clear(registration->route);
	tl_timer_stop(&registration->timer);
}
