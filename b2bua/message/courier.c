#include "b2bua/message/courier.h"
#include <errno.h>
#include <glib.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/sip/digest.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/hop.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"

struct tl_courier {
	struct tl_stack *stack;
	su_home_t home[1];
	nta_leg_t *leg; /* Call-ID, tags and CSeq */
	nta_outgoing_t *orq;
	struct tl_digest *digest;
	tl_courier_fn *fn;
	void *user;

	sip_method_t method;
	const char *method_name, *content_type;
	const sip_payload_t *body;
	unsigned max_forwards;
	char *uri, *hop, *route, *headers, *user_agent; /* hop: NULL where the URI says it */
	const char *privacy;
	const char *client; /* or NULL */

	GPtrArray *hops; /* or NULL */
	guint at;
	su_timer_t *silence; /* of the one whose turn it is; NULL: no other follows */
	unsigned silence_ms;
	bool heard; /* from it: not even a 100 before that */
	void (*on_failed)(const char *client, const char *hop, void *user);
	void *failed_user;
};

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

void tl_courier_free(struct tl_courier *courier)
{
	if (!courier)
		return;
	if (courier->orq)
		nta_outgoing_destroy(courier->orq);
	if (courier->leg)
		nta_leg_destroy(courier->leg);
	tl_timer_stop(&courier->silence);
	if (courier->hops)
		g_ptr_array_unref(courier->hops);
	tl_digest_free(courier->digest);
	su_home_deinit(courier->home);
	g_free(courier);
}

static int deliver(struct tl_courier *courier)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *first = courier->hop ? courier->hop : courier->uri;
	struct tl_origin origin = tl_stack_client_origin(courier->stack, home,
							 url_make(home, first), courier->client);
	sip_max_forwards_t forwards[1];

	sip_max_forwards_init(forwards);
	forwards->mf_count = courier->max_forwards;
	courier->orq = nta_outgoing_tcreate(
		courier->leg, on_response, (nta_outgoing_magic_t *)courier,
		courier->hop ? URL_STRING_MAKE(courier->hop) : NULL, courier->method,
		courier->method_name, URL_STRING_MAKE(courier->uri),
		TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
		TAG_IF(origin.via, NTATAG_USER_VIA(1)), SIPTAG_VIA_STR(origin.via),
		SIPTAG_ROUTE_STR(courier->route), SIPTAG_MAX_FORWARDS(forwards),
		SIPTAG_USER_AGENT_STR(courier->user_agent), SIPTAG_PRIVACY_STR(courier->privacy),
		SIPTAG_AUTHORIZATION_STR(tl_digest_authorization(
			courier->digest, home, courier->method_name, courier->uri, courier->body)),
		SIPTAG_PROXY_AUTHORIZATION_STR(tl_digest_proxy_authorization(
			courier->digest, home, courier->method_name, courier->uri, courier->body)),
		SIPTAG_HEADER_STR(courier->headers), SIPTAG_CONTENT_TYPE_STR(courier->content_type),
		SIPTAG_PAYLOAD(courier->body), TAG_END());
	su_home_deinit(home);
	return courier->orq ? 0 : -EIO;
}

static bool try_credentials(struct tl_courier *courier, const sip_t *sip)
{
	int status = sip && sip->sip_status ? sip->sip_status->st_status : 0;

	return (status == 401 || status == 407) &&
	       tl_digest_challenged(courier->digest, sip) == 0 && deliver(courier) == 0;
}

/* --- the servers of a trunk, one after another (RFC 3263 4.3) --- */

static bool has_next(const struct tl_courier *courier)
{
	return courier->hops && courier->at + 1 < courier->hops->len;
}

static void on_silence(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void await(struct tl_courier *courier)
{
	courier->heard = false;
	if (has_next(courier))
		tl_timer_start(&courier->silence, tl_stack_root(courier->stack),
			       courier->silence_ms, on_silence, courier);
	else
		tl_timer_stop(&courier->silence);
}

/* False: there is none, or it can't be sent there. */
static bool try_next(struct tl_courier *courier, int status)
{
	if ((status != 503 && status != 408) || !courier->hops)
		return false;
	if (courier->on_failed)
		courier->on_failed(courier->client, courier->hop, courier->failed_user);
	while (has_next(courier)) {
		courier->hop = su_strdup(courier->home, courier->hops->pdata[++courier->at]);
		await(courier);
		if (deliver(courier) == 0)
			return true;
	}
	return false;
}

static void on_silence(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_courier *courier = (struct tl_courier *)arg;
	nta_outgoing_t *silent = courier->orq;

	if (courier->heard || !silent || !has_next(courier))
		return;
	courier->orq = NULL;
	nta_outgoing_destroy(silent);
	if (!try_next(courier, 408))
		courier->fn(courier, 503, sip_status_phrase(503), courier->user);
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_courier *courier = (struct tl_courier *)magic;
	int status = nta_outgoing_status(orq);
	g_autofree char *phrase = NULL;

	courier->heard = true;
	if (status < 200)
		return 0;
	courier->orq = NULL;
	if (!try_credentials(courier, sip) && !try_next(courier, status)) {
		phrase = g_strdup(sip && sip->sip_status ? sip->sip_status->st_phrase
							 : sip_status_phrase(status));
		courier->fn(courier, status, phrase, courier->user); /* may free it */
	}
	nta_outgoing_destroy(orq);
	return 0;
}

/* --- the target --- */

static enum tl_transport transport_of(const url_t *url)
{
	char name[8];

	if (url_param(url->url_params, "transport", name, sizeof(name)) > 0)
		for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
			if (g_ascii_strcasecmp(name, tl_transport_name((enum tl_transport)t)) == 0)
				return (enum tl_transport)t;
	return TL_TRANSPORT_UDP;
}

/* "sip:192.0.2.1:40000;transport=udp", where a phone behind a NAT is, or a path: "<sip:edge;lr>".
 */
static int read_route(struct tl_courier *courier, const char *text)
{
	const char *named = *text == '<' ? text : su_sprintf(courier->home, "<%s>", text);
	sip_route_t *route = sip_route_make(courier->home, named);

	if (!route || tl_uri_check(route->r_url) < 0)
		return -EINVAL;
	for (const sip_route_t *r = route->r_next; r; r = r->r_next)
		if (!tl_uri_is_safe(r->r_url))
			return -EINVAL;
	if (url_has_param(route->r_url, "lr"))
		courier->route = su_strdup(courier->home, named);
	courier->hop = url_as_string(courier->home, route->r_url);
	return 0;
}

static int take_hops(struct tl_courier *courier, const struct tl_errand *errand)
{
	if (errand->hops->len == 0)
		return -EINVAL;
	courier->hops = g_ptr_array_ref(errand->hops);
	courier->hop = su_strdup(courier->home, courier->hops->pdata[0]);
	courier->silence_ms = MAX(errand->silence_ms, 1u);
	courier->on_failed = errand->on_failed;
	courier->failed_user = errand->failed_user;
	await(courier);
	return 0;
}

static int read_target(struct tl_courier *courier, const struct tl_errand *errand)
{
	url_t *url = url_make(courier->home, errand->request_uri);

	if (!url || (errand->hops ? !tl_uri_is_safe(url) : tl_uri_check(url) < 0))
		return -EINVAL;
	courier->uri = url_as_string(courier->home, url);
	if (errand->hops) {
		courier->route = su_strdup(courier->home, errand->route);
		return take_hops(courier, errand);
	}
	if (errand->route && *errand->route)
		return read_route(courier, errand->route);
	courier->hop = tl_hop_explicit(courier->home, url, transport_of(url));
	return 0;
}

/* There is no dialog. */
static int on_stray(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	return 481;
}

static int make_leg(struct tl_courier *courier, const struct tl_errand *errand)
{
	url_t *url = url_make(courier->home, courier->uri);
	const char *from = tl_party_format(courier->home, &errand->from, errand->domain);
	const char *to = errand->to.user && *errand->to.user
				 ? tl_party_format(courier->home, &errand->to, url->url_host)
				 : su_sprintf(courier->home, "<sip:%s>", url->url_host);

	courier->leg = nta_leg_tcreate(tl_stack_agent(courier->stack), on_stray, NULL,
				       SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to), TAG_END());
	return courier->leg && nta_leg_tag(courier->leg, NULL) ? 0 : -EINVAL;
}

int tl_courier_send(struct tl_stack *stack, const struct tl_errand *errand, tl_courier_fn *fn,
		    void *user, struct tl_courier **ret_courier)
{
	struct tl_courier *courier = g_new0(struct tl_courier, 1);
	int r;

	su_home_init(courier->home);
	courier->stack = stack;
	courier->fn = fn;
	courier->user = user;
	courier->method = errand->method;
	courier->method_name = errand->method_name;
	courier->content_type = errand->content_type;
	courier->body = errand->body;
	courier->max_forwards = errand->max_forwards;
	courier->headers = su_strdup(courier->home, errand->headers);
	courier->user_agent = su_strdup(courier->home, errand->user_agent);
	courier->client = su_strdup(courier->home, errand->client);
	if (!errand->from.user || !*errand->from.user)
		courier->privacy = "id"; /* RFC 3325 9.3 */
	if (errand->auth_user)
		courier->digest = tl_digest_new(errand->auth_user, errand->auth_password);
	r = read_target(courier, errand);
	if (r == 0)
		r = make_leg(courier, errand);
	if (r == 0)
		r = deliver(courier);
	if (r < 0) {
		tl_courier_free(courier);
		return r;
	}
	*ret_courier = courier;
	return 0;
}
