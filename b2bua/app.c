#include "b2bua/app.h"
#include "b2bua/clock.h"
#include "b2bua/codecs.h"
#include "b2bua/registrar/access.h"
#include "b2bua/call/call.h"
#include "b2bua/call/door.h"
#include "b2bua/call/load.h"
#include "b2bua/control/control.h"
#include "b2bua/call/board.h"
#include "b2bua/event/events.h"
#include "b2bua/event/archive.h"
#include "b2bua/message/pager.h"
#include "b2bua/leg/leg.h"
#include "b2bua/log.h"
#include "b2bua/recent.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/store/store.h"
#include "b2bua/trunk/trunk.h"
#include "b2bua/watchdog.h"
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

enum {
	STOP_LIMIT_MS = 2000, /* how long an orderly end waits for farewells */
	STOP_POLL_MS = 50,
};

static struct tl_media_cfg media_cfg(const struct tl_gateway *gateway)
{
	return (struct tl_media_cfg) {
		.workers = gateway->workers,
		.rtp_port_min = gateway->rtp_port_min,
		.rtp_port_max = gateway->rtp_port_max,
		.jitter_min_ms = gateway->jitter_min_ms,
		.jitter_max_ms = gateway->jitter_max_ms,
		.rtp_timeout_s = gateway->rtp_timeout_s,
		.opus_complexity = gateway->opus_complexity,
	};
}

static int on_media_ready(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct tl_app *app = (struct tl_app *)arg;

	tl_media_dispatch(app->media);
	return 0;
}

static int watch_media(struct tl_app *app)
{
	su_wait_t wait;

	if (su_wait_create(&wait, tl_media_fd(app->media), SU_WAIT_IN) < 0)
		return -ENOMEM;
	app->media_wait =
		su_root_register(app->root, &wait, on_media_ready, (su_wakeup_arg_t *)app, 0);
	return app->media_wait < 0 ? -ENOMEM : 0;
}

/* Logs each mistake; the count. */
static size_t report(const struct tl_diags *diags, json_t *mistakes)
{
	size_t n = tl_diags_count(diags);

	for (size_t i = 0; i < n; i++) {
		g_critical("%s", tl_diags_text(diags, i));
		if (mistakes)
			json_array_append_new(mistakes, json_string(tl_diags_text(diags, i)));
	}
	return n;
}

static int load(struct tl_app *app, struct tl_dialplan **ret_dp, json_t *mistakes)
{
	struct tl_diags *diags = NULL;
	int r = tl_dialplan_load(app->config_path, ret_dp, &diags);

	if (r < 0 && report(diags, mistakes) == 0) {
		g_critical("%s: %s", app->config_path, g_strerror(-r));
		if (mistakes)
			json_array_append_new(mistakes, json_string(g_strerror(-r)));
	}
	tl_diags_free(diags);
	for (size_t i = 0; r == 0 && i < tl_dialplan_warnings(*ret_dp); i++)
		g_warning("%s", tl_dialplan_warning(*ret_dp, i));
	return r;
}

static void find_ringback(struct tl_app *app)
{
	g_free(app->ringback);
	app->ringback =
		g_build_filename(tl_dialplan_gateway(app->dp)->prompts, "ringback.wav", NULL);
	if (g_file_test(app->ringback, G_FILE_TEST_IS_REGULAR))
		return;
	g_message("no %s: callers with early media hear no ringing tone of ours", app->ringback);
	g_clear_pointer(&app->ringback, g_free);
}

static int open_stack(struct tl_app *app, const struct tl_gateway *gateway)
{
	struct tl_stack_cfg cfg = {
		.gateway = gateway,
		.admit = tl_app_admit,
		.on_invite = tl_app_on_invite,
		.on_register = tl_app_on_register,
		.on_other = tl_app_on_other,
		.overloaded = tl_app_overloaded,
		.user = app,
	};

	return tl_stack_new(app->root, &cfg, &app->stack);
}

static void open_events(struct tl_app *app)
{
	app->board = tl_board_new();
	app->pager = tl_pager_new(&(struct tl_pager_cfg) { .stack = app->stack,
							   .access = app->access,
							   .registrar = app->registrar,
							   .trunks = app->trunks,
							   .dp = app->dp });
	app->events = tl_events_new(&(struct tl_events_cfg) { .stack = app->stack,
							      .access = app->access,
							      .registrar = app->registrar,
							      .board = app->board,
							      .archive = app->archive,
							      .dp = app->dp });
}

static int open_everything(struct tl_app *app)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(app->dp);
	struct tl_media_cfg cfg = media_cfg(gateway);
	g_autofree char *instance = NULL;
	int r;

	r = tl_codec_init();
	if (r < 0)
		return r;
	tl_codecs_complain();
	app->store = tl_store_new(gateway->state);
	instance = tl_store_instance(app->store);
	app->archive = tl_archive_new(app->store); /* reads come before writes */
	r = tl_media_new(&cfg, &app->media);
	if (r < 0)
		return r;
	r = watch_media(app);
	if (r < 0)
		return r;
	r = open_stack(app, gateway);
	if (r < 0)
		return r;
	app->door = tl_door_new(gateway->request_rate);
	app->load = tl_load_start(app->media, app->stack, gateway->overload_lag_ms);
	app->watchdog = tl_watchdog_start(app->root, app->media);
	app->access = tl_access_new(app->store, gateway);
	app->registrar = tl_registrar_new(app->stack, app->access, app->store, app->dp);
	r = tl_trunks_new(app->stack, app->dp, instance, &app->trunks);
	if (r < 0)
		return r;
	open_events(app);
	r = tl_control_new(app->root, gateway->control, tl_app_control, app, &app->control);
	if (r < 0) {
		g_warning("no control socket at %s: %s", gateway->control, g_strerror(-r));
		app->control = NULL;
	}
	return 0;
}

int tl_app_new(su_root_t *root, const char *config_path, struct tl_app **ret_app)
{
	struct tl_app *app = g_new0(struct tl_app, 1);
	int r;

	app->root = root;
	app->media_wait = -1;
	app->config_path = g_strdup(config_path);
	app->calls = g_hash_table_new(g_str_hash, g_str_equal);
	app->rung = g_hash_table_new(g_str_hash, g_str_equal);
	app->recent = tl_recent_new(TL_APP_RECENT_CALLS);
	app->started_s = tl_clock_s();

	r = load(app, &app->dp, NULL);
	if (r == 0) {
		find_ringback(app);
		r = open_everything(app);
		if (r < 0)
			g_critical("can't start: %s", g_strerror(-r));
		if (r == -EINVAL)
			r = -EIO; /* -EINVAL is the configuration's */
	}
	if (r < 0) {
		tl_app_free(app);
		return r;
	}
	*ret_app = app;
	return 0;
}

static void stop_calls(struct tl_app *app, const char *why)
{
	g_autoptr(GList) calls = g_hash_table_get_values(app->calls);

	for (GList *l = calls; l; l = l->next)
		tl_call_stop(l->data, why);
}

static void free_calls(struct tl_app *app)
{
	g_autoptr(GList) calls = g_hash_table_get_values(app->calls);

	for (GList *l = calls; l; l = l->next)
		tl_call_free(l->data);
	g_hash_table_remove_all(app->calls);
}

/* While a session lives its call must. So every call is stopped, the media then
 * ends with a last word to each, and only those go by force that had none. */
static void end_calls(struct tl_app *app)
{
	stop_calls(app, "shutdown");
	if (app->media_wait >= 0)
		su_root_deregister(app->root, app->media_wait);
	tl_media_free(app->media);
	free_calls(app);
}

void tl_app_free(struct tl_app *app)
{
	if (!app)
		return;
	tl_timer_stop(&app->stop_timer);
	tl_control_free(app->control);
	tl_watchdog_free(app->watchdog);
	end_calls(app);
	if (app->load)
		tl_load_free(g_steal_pointer(&app->load));
	if (app->trunks)
		tl_trunks_stop(app->trunks);
	tl_pager_free(app->pager);
	tl_trunks_free(app->trunks);
	tl_events_free(app->events);
	tl_board_free(app->board);
	tl_registrar_free(app->registrar);
	tl_access_free(app->access);
	tl_door_free(app->door);
	tl_stack_free(app->stack);
	su_root_step(app->root, 0); /* what NTA had posted to itself holds messages */
	tl_archive_free(app->archive);
	tl_store_free(app->store);
	tl_recent_free(app->recent);
	g_hash_table_destroy(app->calls);
	g_hash_table_destroy(app->rung);
	tl_dialplan_unref(app->dp);
	free(app->mistakes);
	g_free(app->ringback);
	g_free(app->config_path);
	g_free(app);
}

enum { CHANGES_LOGGED = 100 }; /* of a reload, a line each */

static void tell_changes(const struct tl_dialplan *old, const struct tl_dialplan *fresh,
			 json_t *told)
{
	g_auto(GStrv) lines = tl_dialplan_diff(old, fresh);
	guint n = g_strv_length(lines);

	for (guint i = 0; i < MIN(n, CHANGES_LOGGED); i++)
		g_message("%s", lines[i]);
	if (n > CHANGES_LOGGED)
		g_message("and %u more sections", n - CHANGES_LOGGED);
	for (guint i = 0; told && i < n; i++)
		json_array_append_new(told, json_string(lines[i]));
}

/* A disk is touched here by the signalling thread, at an operator's word and
 * for the few milliseconds that a configuration takes to read. */
int tl_app_reload(struct tl_app *app, json_t *told)
{
	struct tl_dialplan *fresh, *old = app->dp;
	struct tl_media_cfg cfg;
	int r;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
	r = load(app, &fresh, told);
	if (r < 0) {
		g_warning("%s not loaded, the old configuration stays", app->config_path);
		sd_notify(0, "READY=1");
		return r;
	}
	app->dp = fresh;
	find_ringback(app);
	cfg = media_cfg(tl_dialplan_gateway(fresh));
	tl_media_configure(app->media, &cfg);
	r = tl_stack_configure(app->stack, tl_dialplan_gateway(fresh));
	if (r < 0)
		g_warning("not every listen address could be opened: %s", g_strerror(-r));
	tl_door_configure(app->door, tl_dialplan_gateway(fresh)->request_rate);
	tl_load_configure(app->load, tl_dialplan_gateway(fresh)->overload_lag_ms);
	tl_access_configure(app->access, tl_dialplan_gateway(fresh));
	tl_registrar_configure(app->registrar, fresh);
	tl_events_configure(app->events, fresh);
	tl_pager_configure(app->pager, fresh);
	tl_trunks_configure(app->trunks, fresh);
	tell_changes(old, fresh, told);
	tl_dialplan_unref(old);
	g_message("configuration reloaded from %s", app->config_path);
	sd_notify(0, "READY=1");
	return 0;
}

static void break_when_idle(struct tl_app *app)
{
	if (app->draining && g_hash_table_size(app->calls) == 0)
		su_root_break(app->root);
}

void tl_app_drain(struct tl_app *app)
{
	app->draining = true;
	g_message("draining: no new calls, %u in progress", g_hash_table_size(app->calls));
	sd_notifyf(0, "STATUS=draining, %u calls in progress", g_hash_table_size(app->calls));
	break_when_idle(app);
}

static void on_stop_poll(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_app *app = (struct tl_app *)arg;

	app->stop_waited_ms += STOP_POLL_MS;
	if (app->stop_waited_ms >= STOP_LIMIT_MS ||
	    (g_hash_table_size(app->calls) == 0 && tl_stack_legs(app->stack) == 0))
		su_root_break(app->root);
}

void tl_app_stop(struct tl_app *app)
{

	if (app->stopping)
		return;
	app->stopping = true;
	sd_notify(0, "STOPPING=1");
	g_message("stopping, %u calls in progress", g_hash_table_size(app->calls));
	tl_events_stop(app->events);
	stop_calls(app, "shutdown");
	/* Sofia looks at a timer again after its callback: it is destroyed with the app */
	tl_timer_repeat(&app->stop_timer, app->root, STOP_POLL_MS, on_stop_poll, app);
}

void tl_app_call_ended(struct tl_app *app, struct tl_call *call, json_t *record)
{
	g_hash_table_remove(app->calls, tl_call_id(call));
	tl_recent_add(app->recent, record);
	json_decref(record);
	break_when_idle(app);
}
