#include "b2bua/trunk/trunk.h"

#include <errno.h>
#include <string.h>
#include <glib.h>
#include <jansson.h>
#include "b2bua/clock.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/sip/tls.h"
#include "b2bua/trunk/registration.h"
#include "b2bua/trunk/servers.h"
#include <sofia-sip/sresolv.h>

#define CLIENT_LABEL "trunk="

enum {
	LOOK_MS = 1000,
	STEP_MIN_MS = 5000,
};

/* What we know of a name, configured now or only still in use by a call. */
struct trunk {
	unsigned calls;
	double tokens; /* calls that may begin now, as calls-per-second has it */
	int64_t filled_us;
	struct tl_servers *servers;           /* NULL: no longer configured */
	struct tl_registration *registration; /* NULL: doesn't register */
};

struct tl_trunks {
	struct tl_stack *stack;
	struct tl_dialplan *dp; /* a reference */
	GHashTable *by_name;    /* name -> struct trunk; both owned */
	sres_resolver_t *resolver;
	char *instance;
	su_timer_t *look; /* at the wall clock */
	int64_t stepped_ms;
};

static const char *const state_names[_TL_TRUNK_MAX] = {
	[TL_TRUNK_IDLE] = "idle",
	[TL_TRUNK_REGISTERING] = "registering",
	[TL_TRUNK_UP] = "up",
	[TL_TRUNK_DOWN] = "down",
};

const char *tl_trunk_state_name(enum tl_trunk_state state)
{
	if ((int)state < 0 || state >= _TL_TRUNK_MAX)
		return "invalid";
	return state_names[state];
}

static void free_trunk(gpointer data)
{
	struct trunk *trunk = data;

	tl_registration_free(trunk->registration);
	tl_servers_free(trunk->servers);
	g_free(trunk);
}

static struct trunk *get_trunk(struct tl_trunks *trunks, const char *name)
{
	struct trunk *trunk = g_hash_table_lookup(trunks->by_name, name);

	if (!trunk) {
		trunk = g_new0(struct trunk, 1);
		g_hash_table_insert(trunks->by_name, g_strdup(name), trunk);
	}
	return trunk;
}

/*
 * Set forward: perhaps the machine was halted, by a hypervisor that keeps its other clocks halted
 * as well, and our bindings have expired at the registrars while we thought of them as new.
 */
static void on_look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_trunks *trunks = (struct tl_trunks *)arg;
	int64_t stepped_ms = tl_clock_to_wall_ms(0);
	int64_t forward_ms = stepped_ms - trunks->stepped_ms;
	struct trunk *trunk;
	GHashTableIter i;

	trunks->stepped_ms = stepped_ms;
	if (forward_ms < STEP_MIN_MS)
		return;
	g_message("the clock was set forward by %" G_GINT64_FORMAT " s: registering anew",
		  forward_ms / 1000);
	g_hash_table_iter_init(&i, trunks->by_name);
	while (g_hash_table_iter_next(&i, NULL, (gpointer *)&trunk))
		if (trunk->registration)
			tl_registration_renew(trunk->registration);
}

int tl_trunks_new(struct tl_stack *stack, struct tl_dialplan *dp, const char *instance,
		  struct tl_trunks **ret_trunks)
{
	struct tl_trunks *trunks = g_new0(struct tl_trunks, 1);

	trunks->stack = stack;
	trunks->instance = g_strdup(instance);
	trunks->resolver =
		sres_resolver_create(tl_stack_root(stack), tl_stack_resolv_conf(stack), TAG_END());
	trunks->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_trunk);
	tl_trunks_configure(trunks, dp);
	trunks->stepped_ms = tl_clock_to_wall_ms(0);
	tl_timer_repeat(&trunks->look, tl_stack_root(stack), LOOK_MS, on_look, trunks);
	*ret_trunks = trunks;
	return 0;
}

void tl_trunks_free(struct tl_trunks *trunks)
{
	if (!trunks)
		return;
	tl_timer_stop(&trunks->look);
	g_hash_table_destroy(trunks->by_name);
	sres_resolver_destroy(trunks->resolver);
	tl_dialplan_unref(trunks->dp);
	g_free(trunks->instance);
	g_free(trunks);
}

static void end_registration(struct trunk *trunk)
{
	if (!trunk->registration)
		return;
	tl_registration_stop(trunk->registration);
	tl_registration_free(trunk->registration);
	trunk->registration = NULL;
}

/* By its configuration, or when DNS says so (a NAPTR with SIPS+D2T), which it may at any time. */
static bool may_need_tls(const struct tl_trunk_cfg *cfg)
{
	struct sockaddr_storage literal;

	if (cfg->transport == TL_TRANSPORT_TLS)
		return true;
	for (size_t i = 0; i < cfg->n_places; i++) {
		const struct tl_trunk_host *place = &cfg->places[i];
		bool any = cfg->transport == _TL_TRANSPORT_INVALID &&
			   place->transport == _TL_TRANSPORT_INVALID;

		if (place->transport == TL_TRANSPORT_TLS ||
		    (any && !place->port && !tl_address_parse(place->host, 0, &literal)))
			return true;
	}
	return false;
}

/* tl_tls_cfg.name_of: of several hosts each must be itself. */
static const char *name_of_server(void *names, const char *label, const struct sockaddr *peer)
{
	const struct tl_trunks *trunks = names;
	const struct trunk *trunk =
		g_hash_table_lookup(trunks->by_name, label + strlen(CLIENT_LABEL));

	return trunk && trunk->servers ? tl_servers_host(trunk->servers, peer) : NULL;
}

/* A way out by TLS that is the trunk's own: its certificate, and whom it must be. */
static void open_client(struct tl_trunks *trunks, const struct tl_trunk_cfg *cfg)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(trunks->dp);
	g_autofree char *label = g_strconcat(CLIENT_LABEL, cfg->name, NULL);
	struct tl_tls_cfg tls = {
		.label = label,
		.certificate = cfg->certificate ? cfg->certificate : gateway->certificate,
		.private_key = cfg->certificate ? cfg->private_key : gateway->private_key,
		.authorities = cfg->ca ? cfg->ca : gateway->ca,
		.name = cfg->tls_name ? cfg->tls_name : cfg->host,
		.name_of = cfg->tls_name ? NULL : name_of_server,
		.names = trunks,
		.verify = cfg->verify,
	};

	if (may_need_tls(cfg))
		(void)tl_stack_client(trunks->stack, cfg->name, &tls);
}

/* Registers as cfg says; cfg NULL: the trunk is no longer configured. */
static void follow(struct tl_trunks *trunks, struct trunk *trunk, const struct tl_trunk_cfg *cfg)
{
	bool wanted = cfg && cfg->registers && cfg->user;
	bool moved = !cfg || (trunk->servers && !tl_servers_fit(trunk->servers, cfg));
	const char *user_agent = tl_dialplan_gateway(trunks->dp)->user_agent;

	if (trunk->registration &&
	    (!wanted || moved || !tl_registration_fits(trunk->registration, cfg)))
		end_registration(trunk);
	if (moved) {
		tl_servers_free(trunk->servers);
		trunk->servers = NULL;
	}
	if (cfg && !trunk->servers)
		trunk->servers = tl_servers_new(trunks->stack, trunks->resolver, cfg, user_agent);
	if (wanted && !trunk->registration)
		trunk->registration =
			tl_registration_new(trunks->stack, trunk->servers, trunks->resolver, cfg,
					    user_agent, trunks->instance);
}

void tl_trunks_configure(struct tl_trunks *trunks, struct tl_dialplan *dp)
{
	struct tl_dialplan *old = trunks->dp;
	const struct tl_trunk_cfg *cfgs;
	GHashTableIter iter;
	gpointer name, value;
	size_t n;

	trunks->dp = tl_dialplan_ref(dp);
	tl_dialplan_unref(old);

	g_hash_table_iter_init(&iter, trunks->by_name);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		struct trunk *trunk = value;

		if (tl_dialplan_trunk(dp, name))
			continue;
		follow(trunks, trunk, NULL);
		if (trunk->calls == 0)
			g_hash_table_iter_remove(&iter);
	}
	cfgs = tl_dialplan_trunks(dp, &n);
	for (size_t i = 0; i < n; i++) {
		open_client(trunks, &cfgs[i]);
		follow(trunks, get_trunk(trunks, cfgs[i].name), &cfgs[i]);
	}
}

void tl_trunks_stop(struct tl_trunks *trunks)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, trunks->by_name);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		end_registration(value);
}

/* calls-per-second: so many at once, and as many again with each second. */
static bool take_token(struct trunk *trunk, unsigned per_s, int64_t now_us)
{
	if (!trunk->filled_us)
		trunk->tokens = per_s;
	else
		trunk->tokens += (double)(now_us - trunk->filled_us) * per_s / G_USEC_PER_SEC;
	trunk->tokens = MIN(trunk->tokens, (double)per_s);
	trunk->filled_us = now_us;
	if (trunk->tokens < 1)
		return false;
	trunk->tokens -= 1;
	return true;
}

GPtrArray *tl_trunk_hops(struct tl_trunks *trunks, const char *name)
{
	const struct trunk *trunk = g_hash_table_lookup(trunks->by_name, name);

	if (trunk && trunk->registration)
		return tl_registration_hops(trunk->registration);
	return trunk && trunk->servers ? tl_servers_list(trunk->servers)
				       : g_ptr_array_new_with_free_func(g_free);
}

const char *tl_trunk_route(struct tl_trunks *trunks, const char *name)
{
	const struct trunk *trunk = g_hash_table_lookup(trunks->by_name, name);

	return trunk && trunk->registration ? tl_registration_route(trunk->registration) : NULL;
}

void tl_trunk_blame(struct tl_trunks *trunks, const char *name, const char *hop)
{
	const struct trunk *trunk = g_hash_table_lookup(trunks->by_name, name);

	if (trunk && trunk->servers)
		tl_servers_blame(trunk->servers, hop);
}

int tl_trunk_take(struct tl_trunks *trunks, const char *name)
{
	const struct tl_trunk_cfg *cfg = tl_dialplan_trunk(trunks->dp, name);
	struct trunk *trunk = get_trunk(trunks, name);

	if (cfg && cfg->max_calls > 0 && trunk->calls >= cfg->max_calls)
		return -EBUSY;
	if (cfg && cfg->calls_per_s > 0 &&
	    !take_token(trunk, cfg->calls_per_s, g_get_monotonic_time()))
		return -EBUSY;
	trunk->calls++;
	return 0;
}

void tl_trunk_give(struct tl_trunks *trunks, const char *name)
{
	struct trunk *trunk = g_hash_table_lookup(trunks->by_name, name);

	g_return_if_fail(trunk && trunk->calls > 0);
	trunk->calls--;
	if (trunk->calls == 0 && !tl_dialplan_trunk(trunks->dp, name))
		g_hash_table_remove(trunks->by_name, name);
}

static enum tl_trunk_state state_of(const struct trunk *trunk)
{
	static const enum tl_trunk_state by_servers[] = {
		[TL_SERVERS_UNKNOWN] = TL_TRUNK_IDLE,
		[TL_SERVERS_UP] = TL_TRUNK_UP,
		[TL_SERVERS_DOWN] = TL_TRUNK_DOWN,
	};

	if (!trunk || !trunk->servers)
		return TL_TRUNK_IDLE;
	if (!trunk->registration || tl_servers_state(trunk->servers) == TL_SERVERS_DOWN)
		return by_servers[tl_servers_state(trunk->servers)];
	return tl_registration_state(trunk->registration);
}

enum tl_trunk_state tl_trunk_state(const struct tl_trunks *trunks, const char *name)
{
	return state_of(g_hash_table_lookup(trunks->by_name, name));
}

static json_t *servers_json(const struct trunk *trunk)
{
	g_autoptr(GPtrArray) texts =
		trunk && trunk->servers ? tl_servers_describe(trunk->servers) : g_ptr_array_new();
	json_t *list = json_array();

	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(list, json_string(texts->pdata[i]));
	return list;
}

static json_t *trunk_json(const struct tl_trunk_cfg *cfg, const struct trunk *trunk)
{
	const struct tl_registration *registration = trunk ? trunk->registration : NULL;
	int64_t until_s = registration ? tl_registration_expires_s(registration) : 0;
	int64_t left_s = until_s - tl_clock_s();
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", cfg->name, "host", cfg->host, "state",
				 tl_trunk_state_name(state_of(trunk)));

	if (registration && *tl_registration_reason(registration))
		json_object_set_new(json, "reason",
				    json_string(tl_registration_reason(registration)));
	if (until_s)
		json_object_set_new(json, "registered_for_s",
				    json_integer((json_int_t)MAX(left_s, 0)));
	json_object_set_new(json, "servers", servers_json(trunk));
	json_object_set_new(json, "calls", json_integer(trunk ? trunk->calls : 0));
	if (cfg->max_calls > 0)
		json_object_set_new(json, "max_calls", json_integer(cfg->max_calls));
	return json;
}

json_t *tl_trunks_json(const struct tl_trunks *trunks)
{
	json_t *list = json_array();
	const struct tl_trunk_cfg *cfgs;
	size_t n;

	cfgs = tl_dialplan_trunks(trunks->dp, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list,
			trunk_json(&cfgs[i], g_hash_table_lookup(trunks->by_name, cfgs[i].name)));
	return list;
}
