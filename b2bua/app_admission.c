/* Who may come in: the door for each request, room for each call. */
#include "b2bua/app.h"
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/call/call.h"
#include "b2bua/call/door.h"
#include "b2bua/call/load.h"
#include "b2bua/event/events.h"
#include "b2bua/message/pager.h"
#include "b2bua/registrar/access.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/stack.h"

#define RETRY_AFTER_S 10 /* told to whom we have no room for */

unsigned tl_app_overloaded(void *user)
{
	const struct tl_app *app = user;
	unsigned max = tl_dialplan_gateway(app->dp)->max_calls;

	if (app->draining || app->stopping || tl_load_is_high(app->load))
		return RETRY_AFTER_S;
	return max && g_hash_table_size(app->calls) >= max ? RETRY_AFTER_S : 0;
}

static void refuse_for_now(struct tl_request *request, const char *phrase)
{
	tl_request_reply(request, 503, phrase, SIPTAG_RETRY_AFTER_STR(G_STRINGIFY(RETRY_AFTER_S)),
			 TAG_END());
}

static void log_flood(struct tl_app *app, const struct tl_request *request, bool silent)
{
	char source[TL_ADDRESS_BYTES];
	unsigned skipped;

	if (tl_log_allow(&app->door_limit, &skipped))
		g_message("door: too many requests src=%s answer=%s skipped=%u",
			  tl_address_text((const struct sockaddr *)&request->source, source),
			  silent ? "none" : "503", skipped);
}

/* A trunk is known by its address, and has a limit of its own: max-calls. By TCP nobody can use
 * an address that is not his, so there is always an answer. */
bool tl_app_admit(struct tl_request *request, void *user)
{
	struct tl_app *app = user;
	const struct sockaddr *source = (const struct sockaddr *)&request->source;
	enum tl_door_verdict verdict;

	if (tl_dialplan_trunk_by_address(app->dp, source))
		return true;
	verdict = tl_door_ask(app->door, source, g_get_monotonic_time());
	if (verdict == TL_DOOR_OPEN)
		return true;
	if (request->transport != TL_TRANSPORT_UDP)
		verdict = TL_DOOR_LATER;
	log_flood(app, request, verdict == TL_DOOR_CLOSED);
	if (verdict == TL_DOOR_LATER)
		refuse_for_now(request, "Too many requests");
	return false;
}

static void forgive(struct tl_app *app, const struct tl_request *request)
{
	if (request->known)
		tl_door_forgive(app->door, (const struct sockaddr *)&request->source);
}

void tl_app_on_register(struct tl_request *request, void *user)
{
	struct tl_app *app = user;

	tl_registrar_on_register(request, app->registrar);
	forgive(app, request);
}

static void on_refer(struct tl_app *app, struct tl_request *request)
{
	struct tl_source source;

	if (tl_app_overloaded(app))
		refuse_for_now(request, "No room for more calls");
	else if (tl_access_check(app->access, app->dp, request, &source) == 0)
		tl_call_refer_outside(app, request, &source);
}

void tl_app_on_other(struct tl_request *request, void *user)
{
	struct tl_app *app = user;
	sip_method_t method = request->sip->sip_request->rq_method;

	if (method == sip_method_message)
		tl_pager_on_message(app->pager, request);
	else if (method == sip_method_refer)
		on_refer(app, request);
	else
		tl_events_on_request(app->events, request);
	forgive(app, request);
}

static bool is_loop(const struct tl_app *app, const struct tl_request *request,
		    const struct tl_source *source)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *callee = tl_user_of(home, request->sip->sip_request->rq_url);
	bool loop = tl_call_is_loop(app, request->sip->sip_call_id->i_id, source, callee);

	su_home_deinit(home);
	return loop;
}

void tl_app_on_invite(struct tl_request *request, void *user)
{
	struct tl_app *app = user;
	struct tl_source source;
	struct tl_leg *leg;

	if (tl_app_overloaded(app)) {
		refuse_for_now(request, "No room for more calls");
		return;
	}
	if (tl_access_check(app->access, app->dp, request, &source) < 0)
		return;
	forgive(app, request);
	if (is_loop(app, request, &source)) {
		tl_request_refuse(request, SIP_482_LOOP_DETECTED, NULL);
		return;
	}
	if (tl_leg_new_incoming(request, &leg) < 0)
		return;
	(void)tl_call_new(app, leg, app->dp, &source);
}
