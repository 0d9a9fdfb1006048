#include "b2bua/event/subscription.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>
#include "b2bua/event/event_dialog.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"

enum { SOON_MS = 1 }; /* from the loop, when everything else stands */

struct tl_subscription {
	const struct tl_package *package;
	const struct tl_subscription_owner *owner;
	struct tl_stack *stack;
	char *extension, *watcher, *event, *user_agent;
	char source[TL_ADDRESS_BYTES];
	struct tl_event_dialog *dialog;
	nta_outgoing_t *notify; /* under way, or NULL */
	su_timer_t *timer;
	int64_t expires_ms, sent_ms; /* monotonic */
	int64_t not_before_ms;       /* of the first NOTIFY after a restart */
	unsigned version;            /* of the next NOTIFY */
	unsigned first_version;
	bool pending;       /* something may be to be told */
	bool forced;        /* tell it even if nothing has changed: a refresh */
	const char *ending; /* reason of the last NOTIFY, or NULL */
	bool last_sent;
	guint told; /* hash of the state that was told last */
};

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static int64_t now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

void tl_subscription_free(struct tl_subscription *sub)
{
	if (!sub)
		return;
	tl_timer_stop(&sub->timer);
	if (sub->notify)
		nta_outgoing_destroy(sub->notify);
	tl_event_dialog_free(sub->dialog);
	g_free(sub->extension);
	g_free(sub->watcher);
	g_free(sub->event);
	g_free(sub->user_agent);
	g_free(sub);
}

/* --- time --- */

/* Sleeps till something is due: the end, or the next NOTIFY, which waits for the last one's answer.
 */
static void rearm(struct tl_subscription *sub)
{
	int64_t now = now_ms(), due = sub->expires_ms;

	if (sub->ending && sub->notify) {
		tl_timer_stop(&sub->timer);
		return;
	}
	if (sub->ending)
		due = now;
	else if (sub->pending && !sub->notify)
		due = MIN(due, sub->sent_ms + (sub->forced ? 0 : sub->package->pace_ms));
	due = MAX(due, sub->not_before_ms);
	tl_timer_start(&sub->timer, tl_stack_root(sub->stack),
		       (unsigned)CLAMP(due - now, SOON_MS, G_MAXINT32), on_timer, sub);
}

/* --- telling --- */

/* RFC 5057 5.1 and RFC 6665 4.2.2: the watcher has no such subscription, or is not there. */
static bool is_fatal(int status)
{
	switch (status) {
	case 404:
	case 405:
	case 408:
	case 410:
	case 416:
	case 480:
	case 481:
	case 482:
	case 483:
	case 484:
	case 485:
	case 489:
	case 501:
	case 503: /* NTA's word for a way that leads nowhere */
	case 604:
		return true;
	default:
		return false;
	}
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_subscription *sub = (struct tl_subscription *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	sub->notify = NULL;
	nta_outgoing_destroy(orq);
	if (sub->last_sent || is_fatal(status))
		sub->owner->on_over(sub, sub->owner->user);
	else
		rearm(sub);
	return 0;
}

/* version 0 stands for all, so that the same state has the same hash. */
static guint hash_of(const struct tl_subscription *sub)
{
	g_autofree char *body = sub->owner->write(sub, 0, sub->owner->user);

	return g_str_hash(body);
}

static char *state_of(const struct tl_subscription *sub)
{
	int64_t left_s = (sub->expires_ms - now_ms() + 999) / 1000;

	if (sub->ending)
		return g_strdup_printf("terminated;reason=%s", sub->ending);
	return g_strdup_printf("active;expires=%" G_GINT64_FORMAT, MAX(left_s, 0));
}

/* False: it could not be sent. */
static bool send_notify(struct tl_subscription *sub, bool with_body)
{
	g_autofree char *state = state_of(sub);
	g_autofree char *body =
		with_body ? sub->owner->write(sub, sub->version, sub->owner->user) : NULL;
	const struct tl_notify notify = {
		.event = sub->event,
		.state = state,
		.content_type = sub->package->content_type,
		.body = body,
		.user_agent = sub->user_agent,
	};

	sub->told = with_body ? hash_of(sub) : 0;
	sub->pending = sub->forced = false;
	sub->sent_ms = now_ms();
	sub->version++;
	sub->notify = tl_event_dialog_notify(sub->dialog, &notify, on_response);
	return sub->notify != NULL;
}

/* A watcher that let it run out still likes to know; one whose right is gone learns no more. */
static bool ends_with_body(const struct tl_subscription *sub)
{
	return strcmp(sub->ending, "timeout") == 0;
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_subscription *sub = (struct tl_subscription *)arg;

	if (!sub->ending && now_ms() >= sub->expires_ms)
		sub->ending = "timeout";
	if (sub->notify) /* its answer comes first */
		return;
	if (sub->ending) {
		sub->last_sent = true;
		if (!send_notify(sub, ends_with_body(sub)))
			sub->owner->on_over(sub, sub->owner->user);
		return;
	}
	if (sub->pending && !sub->forced && hash_of(sub) == sub->told)
		sub->pending = false;
	if (sub->pending && !send_notify(sub, true)) {
		sub->owner->on_over(sub, sub->owner->user);
		return;
	}
	rearm(sub);
}

void tl_subscription_touch(struct tl_subscription *sub)
{
	if (sub->pending || sub->ending)
		return;
	sub->pending = true;
	rearm(sub);
}

void tl_subscription_end(struct tl_subscription *sub, const char *reason)
{
	if (sub->ending)
		return;
	sub->ending = g_intern_string(reason);
	rearm(sub);
}

/* --- SUBSCRIBE --- */

static void grant(struct tl_subscription *sub, struct tl_request *request, int64_t expires_s)
{
	g_autofree char *expires = g_strdup_printf("%" G_GINT64_FORMAT, expires_s);

	tl_request_reply(
		request, 200, NULL, SIPTAG_CONTACT_STR(tl_event_dialog_contact(sub->dialog)),
		SIPTAG_EXPIRES_STR(expires), SIPTAG_ALLOW_EVENTS_STR(TL_ALLOW_EVENTS), TAG_END());
	sub->expires_ms = now_ms() + expires_s * 1000;
	sub->pending = sub->forced = true;
	if (expires_s == 0)
		sub->ending = "timeout";
	rearm(sub);
}

static void refresh(struct tl_subscription *sub, struct tl_request *request)
{
	int64_t expires_s;

	if (sub->ending) {
		tl_request_refuse(request, SIP_481_NO_TRANSACTION, NULL);
		return;
	}
	expires_s = sub->owner->admit(sub, request, sub->owner->user);
	if (expires_s < 0)
		return;
	if (tl_event_dialog_retarget(sub->dialog, request->sip) < 0) {
		tl_request_refuse(request, 400, "Unusable Contact", NULL);
		return;
	}
	tl_event_dialog_took(sub->dialog, request);
	grant(sub, request, expires_s);
	sub->owner->on_refreshed(sub, sub->owner->user);
}

static int on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_subscription *sub = (struct tl_subscription *)magic;
	struct tl_request request;

	if (!tl_request_of_dialog(sub->stack, irq, sip, &request))
		return 0;
	if (sip->sip_request->rq_method == sip_method_subscribe)
		refresh(sub, &request);
	else if (sip->sip_request->rq_method == sip_method_unknown)
		tl_request_refuse(&request, SIP_501_NOT_IMPLEMENTED, NULL);
	else
		tl_request_refuse(&request, SIP_405_METHOD_NOT_ALLOWED, NULL);
	tl_request_done(&request);
	return 0;
}

static struct tl_subscription *make(struct tl_stack *stack, const struct tl_subscription_cfg *cfg)
{
	struct tl_subscription *sub = g_new0(struct tl_subscription, 1);

	sub->package = cfg->package;
	sub->owner = cfg->owner;
	sub->stack = stack;
	sub->extension = g_strdup(cfg->extension);
	sub->watcher = g_strdup(cfg->watcher);
	sub->event = g_strdup(cfg->event);
	sub->user_agent = g_strdup(cfg->user_agent);
	return sub;
}

int tl_subscription_new(struct tl_request *request, const struct tl_subscription_cfg *cfg,
			int64_t expires_s, struct tl_subscription **ret_sub)
{
	struct tl_subscription *sub;
	int r;

	if (!tl_request_take(request))
		return -ENOMEM;
	sub = make(request->stack, cfg);
	tl_address_text((const struct sockaddr *)&request->source, sub->source);
	r = tl_event_dialog_new(request, cfg->extension, on_request, sub, &sub->dialog);
	if (r < 0) {
		if (r == -EBADMSG)
			tl_request_refuse(request, 400, "Unusable Contact or Record-Route", NULL);
		else
			tl_request_refuse(request, SIP_500_INTERNAL_SERVER_ERROR, NULL);
		tl_subscription_free(sub);
		return r;
	}
	grant(sub, request, expires_s);
	*ret_sub = sub;
	return 0;
}

/* --- in another process --- */

json_t *tl_subscription_save(const struct tl_subscription *sub)
{
	json_t *dialog = sub->ending ? NULL : tl_event_dialog_save(sub->dialog);

	return dialog ? json_pack("{s:s, s:s, s:s, s:s, s:o}", "event", sub->event, "extension",
				  sub->extension, "watcher", sub->watcher, "source", sub->source,
				  "dialog", dialog)
		      : NULL;
}

const char *tl_subscription_id(const struct tl_subscription *sub)
{
	return tl_event_dialog_id(sub->dialog);
}

/* CSeq and the version of a document only ever rise (RFC 3261 12.2.1.1, RFC 4235 4.1): seconds run
 * ahead of NOTIFYs. */
static uint32_t beyond_all(void)
{
	return (uint32_t)(g_get_real_time() / G_USEC_PER_SEC) & INT32_MAX;
}

/* "192.0.2.1:5060", "[2001:db8::1]:5060" */
static bool read_source(const char *source, struct sockaddr_storage *ret_peer)
{
	const char *colon = strrchr(source, ':');
	g_autofree char *host = colon ? g_strndup(source, (gsize)(colon - source)) : NULL;

	return host &&
	       tl_address_parse(host, (uint16_t)g_ascii_strtoull(colon + 1, NULL, 10), ret_peer);
}

int tl_subscription_restore(struct tl_stack *stack, const struct tl_subscription_cfg *cfg,
			    const json_t *saved, int64_t expires_s, unsigned delay_ms,
			    struct tl_subscription **ret_sub)
{
	const char *source = json_string_value(json_object_get(saved, "source"));
	struct tl_subscription *sub = make(stack, cfg);
	struct sockaddr_storage peer;
	int r = -EBADMSG;

	if (source && read_source(source, &peer))
		r = tl_event_dialog_restore(stack, json_object_get(saved, "dialog"), cfg->extension,
					    (struct sockaddr *)&peer, beyond_all(), on_request, sub,
					    &sub->dialog);
	if (r < 0) {
		tl_subscription_free(sub);
		return r;
	}
	g_strlcpy(sub->source, source, sizeof(sub->source));
	sub->version = sub->first_version = beyond_all();
	sub->expires_ms = now_ms() + (expires_s - g_get_real_time() / G_USEC_PER_SEC) * 1000;
	sub->not_before_ms = now_ms() + delay_ms;
	sub->pending = sub->forced = true;
	rearm(sub);
	*ret_sub = sub;
	return 0;
}

/* --- asking --- */

const struct tl_package *tl_subscription_package(const struct tl_subscription *sub)
{
	return sub->package;
}

const char *tl_subscription_extension(const struct tl_subscription *sub)
{
	return sub->extension;
}

const char *tl_subscription_watcher(const struct tl_subscription *sub)
{
	return sub->watcher;
}

const char *tl_subscription_event(const struct tl_subscription *sub)
{
	return sub->event;
}

void tl_subscription_info(const struct tl_subscription *sub, struct tl_subscription_info *ret_info)
{
	int64_t left_s = (sub->expires_ms - now_ms() + 999) / 1000;

	*ret_info = (struct tl_subscription_info) {
		.ended = sub->ending != NULL,
		.expires_in_s = MAX(left_s, 0),
		.notifies = sub->version - sub->first_version,
	};
	g_strlcpy(ret_info->source, sub->source, sizeof(ret_info->source));
}
