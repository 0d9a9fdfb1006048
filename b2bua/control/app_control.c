/* What the control socket's verbs do and say. */
#include "b2bua/app.h"
#include "b2bua/call/call.h"
#include "b2bua/clock.h"
#include "b2bua/event/events.h"
#include "b2bua/heap.h"
#include "b2bua/recent.h"
#include "b2bua/call/load.h"
#include "b2bua/registrar/access.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/registrar/warden.h"
#include "b2bua/sip/stack.h"
#include "b2bua/trunk/trunk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BINDINGS_SHOWN = 10000, BANS_SHOWN = 10000 };

static int say_status(struct tl_app *app, const json_t *request, json_t **ret_result,
		      const char **ret_error)
{
	struct tl_media_load load;
	int64_t now_s = tl_clock_s();

	tl_media_load_get(app->media, &load);
	*ret_result = json_pack(
		"{s:s, s:I, s:s, s:i, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I}", "version",
		TL_VERSION, "uptime_s", (json_int_t)(now_s - app->started_s), "state",
		app->stopping                ? "stopping"
		: app->draining              ? "draining"
		: tl_load_is_high(app->load) ? "overloaded"
					     : "running",
		"calls", (int)g_hash_table_size(app->calls), "calls_total",
		(json_int_t)app->n_calls, "legs", (int)tl_stack_legs(app->stack), "registrations",
		(int)tl_registrar_count(app->registrar), "subscriptions",
		(int)tl_events_count(app->events), "workers", (int)load.workers, "rtp_ports_used",
		(int)load.ports_used, "rtp_ports_free", (int)load.ports_free, "late_ticks",
		(json_int_t)load.late_ticks, "tick_late_max_us",
		(json_int_t)tl_load_take_media_late_us(app->load), "heap_kb",
		(json_int_t)(tl_heap_used_bytes() / 1024));
	return 0;
}

/* How loud each party is at the moment, dBm0. */
static void add_levels(json_t *row, const json_t *whole)
{
	static const struct {
		const char *side, *key;
	} levels[] = { { "a", "caller_dbm0" }, { "b", "callee_dbm0" } };

	for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
		json_t *level =
			json_object_get(json_object_get(whole, levels[i].side), "level_now_dbm0");

		if (level)
			json_object_set(row, levels[i].key, level);
	}
}

static int say_calls(struct tl_app *app, const json_t *request, json_t **ret_result,
		     const char **ret_error)
{
	static const char *const columns[] = { "id",     "state", "source", "caller",
					       "callee", "route", "target", "started_ms" };
	json_t *list = json_array();
	GHashTableIter iter;
	gpointer call;

	g_hash_table_iter_init(&iter, app->calls);
	while (g_hash_table_iter_next(&iter, NULL, &call)) {
		json_t *whole = tl_call_json(call), *row = json_object();

		for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
			json_t *value = json_object_get(whole, columns[i]);

			if (value)
				json_object_set(row, columns[i], value);
		}
		add_levels(row, whole);
		json_array_append_new(list, row);
		json_decref(whole);
	}
	*ret_result = list;
	return 0;
}

static const char *named_call(const json_t *request, const char **ret_error)
{
	const char *id = json_string_value(json_object_get(request, "call"));

	if (!id)
		*ret_error = "which call? Name its id, as `calls` lists it";
	return id;
}

static int say_call(struct tl_app *app, const json_t *request, json_t **ret_result,
		    const char **ret_error)
{
	const char *id = named_call(request, ret_error);
	struct tl_call *call;

	if (!id)
		return -EINVAL;
	call = g_hash_table_lookup(app->calls, id);
	*ret_result = call ? tl_call_json(call) : tl_recent_find(app->recent, id);
	if (*ret_result)
		return 0;
	*ret_error = "no such call, now or among the last ones";
	return -EINVAL;
}

static int do_hangup(struct tl_app *app, const json_t *request, json_t **ret_result,
		     const char **ret_error)
{
	const char *id = named_call(request, ret_error);
	struct tl_call *call;

	if (!id)
		return -EINVAL;
	call = g_hash_table_lookup(app->calls, id);
	if (!call) {
		*ret_error = "no such call";
		return -EINVAL;
	}
	tl_call_stop(call, "operator");
	*ret_result = json_string("hung up");
	return 0;
}

/* What phones say of themselves need not be UTF-8; JSON must be. */
static void set_text(json_t *object, const char *key, const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	if (valid)
		json_object_set_new(object, key, json_string(valid));
}

static json_t *binding_json(const struct tl_binding *binding, int64_t now_s)
{
	json_t *json = json_object();

	set_text(json, "extension", binding->extension);
	set_text(json, "contact", binding->contact);
	set_text(json, "route", binding->route);
	set_text(json, "user_agent", binding->user_agent);
	json_object_set_new(json, "q", json_real(binding->q));
	set_text(json, "state", tl_reach_name(binding->reach));
	if (binding->rtt_ms)
		json_object_set_new(json, "rtt_ms", json_integer(binding->rtt_ms));
	json_object_set_new(json, "expires_in_s",
			    json_integer((json_int_t)(binding->expires_s - now_s)));
	return json;
}

static int say_registrations(struct tl_app *app, const json_t *request, json_t **ret_result,
			     const char **ret_error)
{
	g_autofree struct tl_binding *bindings = g_new(struct tl_binding, BINDINGS_SHOWN);
	size_t n = tl_registrar_lookup(app->registrar, NULL, bindings, BINDINGS_SHOWN);
	int64_t now_s = tl_clock_s();
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, binding_json(&bindings[i], now_s));
	*ret_result = list;
	return 0;
}

static int say_trunks(struct tl_app *app, const json_t *request, json_t **ret_result,
		      const char **ret_error)
{
	*ret_result = tl_trunks_json(app->trunks);
	return 0;
}

static int say_bans(struct tl_app *app, const json_t *request, json_t **ret_result,
		    const char **ret_error)
{
	g_autofree struct tl_ban *bans = g_new(struct tl_ban, BANS_SHOWN);
	size_t n = tl_warden_list(tl_access_warden(app->access), g_get_monotonic_time(), bans,
				  BANS_SHOWN);

	*ret_result = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(*ret_result,
				      json_pack("{s:s, s:i, s:i}", "source", bans[i].source,
						"times", (int)bans[i].times, "ends_in_s",
						(int)bans[i].left_s));
	return 0;
}

static int do_unban(struct tl_app *app, const json_t *request, json_t **ret_result,
		    const char **ret_error)
{
	const char *address = json_string_value(json_object_get(request, "address"));
	int r = address ? tl_warden_lift(tl_access_warden(app->access), address,
					 g_get_monotonic_time())
			: -EINVAL;

	if (r == -EINVAL)
		*ret_error = "which address? Such as 192.0.2.7 or 2001:db8::7, as `bans` lists it";
	else if (r < 0)
		*ret_error = "this address is not banned";
	else
		*ret_result = json_string("unbanned");
	return r < 0 ? -EINVAL : 0;
}

static int say_subscriptions(struct tl_app *app, const json_t *request, json_t **ret_result,
			     const char **ret_error)
{
	*ret_result = tl_events_json(app->events);
	return 0;
}

static int do_reload(struct tl_app *app, const json_t *request, json_t **ret_result,
		     const char **ret_error)
{
	json_t *mistakes = json_array(); /* or, when there is none, what has changed */

	if (tl_app_reload(app, mistakes) == 0) {
		*ret_result = json_pack("{s:b, s:o}", "reloaded", 1, "changes", mistakes);
		return 0;
	}
	free(app->mistakes); /* jansson's, from malloc() */
	app->mistakes = json_dumps(mistakes, JSON_INDENT(1));
	*ret_error = app->mistakes ? app->mistakes : "not loaded";
	json_decref(mistakes);
	return -EINVAL;
}

static int do_drain(struct tl_app *app, const json_t *request, json_t **ret_result,
		    const char **ret_error)
{
	tl_app_drain(app);
	*ret_result = json_string("draining");
	return 0;
}

static const struct {
	const char *verb;
	int (*fn)(struct tl_app *app, const json_t *request, json_t **ret_result,
		  const char **ret_error);
} verbs[] = {
	{ "status", say_status },
	{ "calls", say_calls },
	{ "show", say_call },
	{ "hangup", do_hangup },
	{ "registrations", say_registrations },
	{ "trunks", say_trunks },
	{ "bans", say_bans },
	{ "unban", do_unban },
	{ "subscriptions", say_subscriptions },
	{ "reload", do_reload },
	{ "drain", do_drain },
};

int tl_app_control(const char *verb, const json_t *request, json_t **ret_result,
		   const char **ret_error, void *user)
{
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) == 0)
			return verbs[i].fn(user, request, ret_result, ret_error);
	}
	*ret_error = "unknown verb";
	return -EINVAL;
}
