#include "b2bua/event/events.h"
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_wait.h>
#include "b2bua/call/board.h"
#include "b2bua/event/notifier.h"
#include "b2bua/event/publish.h"
#include "b2bua/registrar/location.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"

enum {
	SWEEP_MS = 2000
}; /* publications that have ended are passed over at once, and told of then */

struct tl_events {
	struct tl_events_cfg cfg; /* dp: a reference */
	struct tl_publications *publications;
	struct tl_notifier *notifier;
	struct tl_publisher publisher;
	su_timer_t *sweep;
};

static int64_t now_s(void)
{
	return g_get_monotonic_time() / G_USEC_PER_SEC;
}

static void on_call(const char *extension, void *user)
{
	struct tl_events *events = user;

	tl_notifier_touch(events->notifier, extension, TL_ORIGIN_CALLS, NULL);
}

static void on_binding(enum tl_location_event event, const struct tl_location_binding *binding,
		       void *user)
{
	struct tl_events *events = user;

	tl_notifier_touch(events->notifier, binding->extension, TL_ORIGIN_BINDINGS, NULL);
}

static void on_publication(const char *event, const char *extension, void *user)
{
	struct tl_events *events = user;

	tl_notifier_touch(events->notifier, extension, TL_ORIGIN_PUBLISHED, event);
}

static void on_sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_events *events = (struct tl_events *)arg;

	tl_publications_sweep(events->publications, now_s(), on_publication, events);
}

struct tl_events *tl_events_new(const struct tl_events_cfg *cfg)
{
	struct tl_events *events = g_new0(struct tl_events, 1);

	events->cfg = *cfg;
	tl_dialplan_ref(cfg->dp);
	events->publications = tl_publications_new();
	events->notifier = tl_notifier_new(&(struct tl_notifier_cfg) {
		.access = cfg->access,
		.registrar = cfg->registrar,
		.board = cfg->board,
		.publications = events->publications,
		.archive = cfg->archive,
		.stack = cfg->stack,
		.dp = cfg->dp,
	});
	events->publisher = (struct tl_publisher) {
		.access = cfg->access,
		.dp = cfg->dp,
		.publications = events->publications,
		.on_change = on_publication,
		.user = events,
	};
	tl_board_observe(cfg->board, on_call, events);
	tl_location_observe(tl_registrar_location(cfg->registrar), on_binding, events);
	tl_timer_repeat(&events->sweep, tl_stack_root(cfg->stack), SWEEP_MS, on_sweep, events);
	return events;
}

void tl_events_free(struct tl_events *events)
{
	if (!events)
		return;
	tl_timer_stop(&events->sweep);
	tl_location_unobserve(tl_registrar_location(events->cfg.registrar), on_binding, events);
	tl_board_observe(events->cfg.board, NULL, NULL);
	tl_notifier_free(events->notifier);
	tl_publications_free(events->publications);
	tl_dialplan_unref(events->cfg.dp);
	g_free(events);
}

static int is_gone(const char *extension, void *user)
{
	return tl_dialplan_extension(user, extension) == NULL;
}

void tl_events_configure(struct tl_events *events, struct tl_dialplan *dp)
{
	struct tl_dialplan *old = events->cfg.dp;

	events->cfg.dp = events->publisher.dp = tl_dialplan_ref(dp);
	tl_dialplan_unref(old);
	tl_publications_prune(events->publications, is_gone, dp);
	tl_notifier_configure(events->notifier, dp);
}

void tl_events_stop(struct tl_events *events)
{
	tl_notifier_stop(events->notifier);
}

void tl_events_on_request(struct tl_events *events, struct tl_request *request)
{
	sip_method_t method = request->sip->sip_request->rq_method;

	if (method == sip_method_subscribe)
		tl_notifier_on_subscribe(events->notifier, request);
	else if (method == sip_method_publish)
		tl_publisher_on_publish(&events->publisher, request);
	else if (method == sip_method_notify)
		tl_publisher_on_notify(&events->publisher, request);
	else
		tl_request_refuse(request, SIP_405_METHOD_NOT_ALLOWED, NULL);
}

json_t *tl_events_json(const struct tl_events *events)
{
	return tl_notifier_json(events->notifier);
}

unsigned tl_events_count(const struct tl_events *events)
{
	return tl_notifier_count(events->notifier);
}
