/* An outgoing leg from its INVITE to the final response. */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include "b2bua/sip/stack_fork.h"

static int on_invite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

/* What may still come of the INVITE is acknowledged and ended. */
static void give_up(struct tl_leg *leg, const struct tl_cause *cause)
{
	tl_leg_enter(leg);
	tl_leg_close(leg, cause);
	tl_leg_emit_cause(leg, TL_LEG_REFUSED, cause);
	tl_leg_leave(leg);
}

static void on_no_answer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	give_up((struct tl_leg *)arg, &(struct tl_cause) { .status = 408, .phrase = "No Answer" });
}

/* Nobody there: RFC 3263 4.3 leaves the time to wait to us, and 32 s are too long for a caller. */
static void on_silence(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	give_up((struct tl_leg *)arg,
		&(struct tl_cause) { .status = 503, .phrase = TL_LEG_NO_RESPONSE });
}

void tl_leg_unreachable(struct tl_leg *leg, const char *client)
{
	if (leg->state == TL_LEG_CALLING && leg->transport == TL_TRANSPORT_TLS &&
	    g_strcmp0(leg->client, client) == 0 && !leg->responded)
		give_up(leg, &(struct tl_cause) { .status = 503, .phrase = "TLS Failed" });
}

static int send_invite(struct tl_leg *leg, const struct tl_media_desc *offer)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const struct tl_leg_request *request = leg->request;
	sip_max_forwards_t forwards[1];
	sip_payload_t *payload = tl_leg_payload(leg, home, offer, false);
	char *expires = leg->expires_s ? su_sprintf(home, "%u", leg->expires_s) : NULL;

	sip_max_forwards_init(forwards);
	forwards->mf_count = request->max_forwards;
	leg->out = tl_leg_send(
		leg, on_invite_response, SIP_METHOD_INVITE, SIPTAG_MAX_FORWARDS(forwards),
		SIPTAG_ROUTE_STR(request->route), SIPTAG_CONTACT_STR(leg->contact),
		SIPTAG_ALLOW_STR(TL_ALLOW),
		/* an offer in a reliable provisional would want its answer in the PRACK */
		SIPTAG_SUPPORTED_STR(tl_leg_supported(
			leg, home, offer ? "100rel, timer, replaces" : "timer, replaces")),
		TAG_IF(payload, SIPTAG_REQUIRE_STR(tl_leg_required(leg))),
		SIPTAG_SESSION_EXPIRES_STR(expires),
		SIPTAG_MIN_SE_STR(tl_leg_session_min(leg, home)), SIPTAG_ACCEPT_STR(TL_ACCEPT),
		SIPTAG_REPLACES_STR(request->replaces),
		TAG_IF(request->replaces, SIPTAG_REQUIRE_STR("replaces")),
		SIPTAG_REFERRED_BY_STR(request->referred_by), SIPTAG_PRIVACY_STR(request->privacy),
		SIPTAG_HEADER_STR(request->headers),
		TAG_IF(payload, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		SIPTAG_PAYLOAD(payload), TAG_END());
	su_home_deinit(home);
	if (!leg->out)
		return -EINVAL;
	leg->invite_cseq = nta_outgoing_cseq(leg->out);
	su_free(leg->home, leg->branch);
	leg->branch = su_strdup(leg->home, nta_outgoing_branch(leg->out));
	return 0;
}

/* --- making it --- */

/*
 * A route with lr is a proxy's, to be named in a Route header; one without it is
 * just the address that packets must go to, a telephone behind a NAT. Those of
 * the dialog to come go there too, unless a Record-Route says otherwise.
 */
static int read_route(struct tl_leg *leg, const char *text, const url_t **ret_hop)
{
	bool bare = *text != '<';
	const char *named = bare ? su_sprintf(leg->home, "<%s>", text) : text;
	sip_route_t *route = sip_route_make(leg->home, named);

	if (!route || tl_uri_check(route->r_url) < 0)
		return -EINVAL;
	for (const sip_route_t *r = route->r_next; r; r = r->r_next)
		if (!tl_uri_is_safe(r->r_url))
			return -EINVAL;
	if (url_has_param(route->r_url, "lr"))
		leg->request->route = su_strdup(leg->home, named);
	leg->hop_stays = true;
	*ret_hop = route->r_url;
	return 0;
}

/* The peer's address as far as it is known, for choosing ours. */
static void guess_peer(const url_t *hop, struct sockaddr_storage *ret_peer)
{
	if (!tl_stack_literal(hop->url_host, ret_peer))
		(void)tl_stack_literal("203.0.113.1", ret_peer); /* a name: somewhere outside */
}

static void set_hop(struct tl_leg *leg, const url_t *hop)
{
	struct sockaddr_storage addr;

	leg->transport = tl_uri_transport(hop);
	guess_peer(hop, &leg->info.source);
	leg->info.transport = leg->transport;
	if (!tl_stack_literal(hop->url_host, &addr))
		return;
	leg->next_hop = su_sprintf(leg->home, "sip:%s%s%s;transport=%s", hop->url_host,
				   hop->url_port ? ":" : "", hop->url_port ? hop->url_port : "",
				   tl_transport_name(leg->transport));
}

/* Who is called is our peer, as the caller of an incoming leg is. */
static void fill_info(struct tl_leg *leg, const struct tl_target *target, const url_t *url)
{
	const struct tl_party *to = &target->to;

	leg->info.from = (struct tl_party) {
		.name = su_strdup(leg->home, to->name),
		.user = to->user ? su_strdup(leg->home, to->user) : tl_user_of(leg->home, url),
		.host = su_strdup(leg->home, to->host ? to->host : url->url_host),
	};
}

static int read_target(struct tl_leg *leg, const struct tl_target *target)
{
	url_t *url = url_make(leg->home, target->request_uri);
	struct tl_leg_request *request = su_zalloc(leg->home, sizeof(*request));
	const url_t *hop = url;
	int r;

	leg->request = request;
	if (!url || (target->next_hop ? !tl_uri_is_safe(url) : tl_uri_check(url) < 0))
		return -EINVAL;
	if (target->next_hop) {
		hop = url_make(leg->home, target->next_hop);
		if (!hop || tl_uri_check(hop) < 0)
			return -EINVAL;
		request->route = su_strdup(leg->home, target->route);
	} else if (target->route && *target->route) {
		r = read_route(leg, target->route, &hop);
		if (r < 0)
			return r;
	}
	request->uri = url_as_string(leg->home, url);
	request->headers = tl_headers_format(leg->home, target->headers, target->n_headers);
	if (target->own_headers)
		request->headers = su_sprintf(leg->home, "%s%s", target->own_headers,
					      request->headers ? request->headers : "");
	request->max_forwards = target->max_forwards ? target->max_forwards - 1 : 70;
	request->timeout_s = target->timeout_s;
	if (!target->from.user || !*target->from.user)
		request->privacy = su_strdup(leg->home, "id"); /* RFC 3325 9.3 */
	request->replaces = su_strdup(leg->home, target->replaces);
	request->referred_by = su_strdup(leg->home, target->referred_by);
	fill_info(leg, target, url);
	set_hop(leg, hop);
	leg->client = su_strdup(leg->home, target->client);
	tl_leg_set_contact(leg, target->from.user);
	if (target->auth_user)
		leg->digest = tl_digest_new(target->auth_user, target->auth_password);
	return 0;
}

static int make_dialog(struct tl_leg *leg, const struct tl_target *target)
{
	url_t *url = url_make(leg->home, leg->request->uri);
	struct tl_party callee = target->to;
	sip_from_t *from;
	sip_to_t *to;
	sip_call_id_t *call_id = sip_call_id_create(leg->home, NULL);

	from = sip_from_make(leg->home,
			     tl_party_format(leg->home, &target->from, leg->stack->domain));
	if (callee.user && *callee.user)
		to = sip_to_make(leg->home, tl_party_format(leg->home, &callee, url->url_host));
	else
		to = sip_to_create(leg->home,
				   URL_STRING_MAKE(su_sprintf(leg->home, "sip:%s", url->url_host)));
	if (!from || !to || !call_id)
		return -EINVAL;
	/* tagged from the start, so that a request without a To tag never matches the dialog */
	sip_from_tag(leg->home, from, nta_agent_newtag(leg->home, "tag=%s", leg->stack->agent));
	leg->info.call_id = call_id->i_id;
	leg->dialog = nta_leg_tcreate(leg->stack->agent, tl_leg_on_request, (nta_leg_magic_t *)leg,
				      SIPTAG_CALL_ID(call_id), SIPTAG_FROM(from), SIPTAG_TO(to),
				      TAG_END());
	return leg->dialog ? 0 : -EINVAL;
}

int tl_leg_invite(struct tl_stack *stack, const struct tl_target *target,
		  const struct tl_media_desc *offer, tl_leg_event_fn *on_event, void *user,
		  const char *id, struct tl_leg **ret_leg)
{
	struct tl_leg *leg = tl_leg_new(stack, false);
	int r;

	if (id)
		tl_leg_set_id(leg, id);
	r = read_target(leg, target);
	if (r == 0)
		r = make_dialog(leg, target);
	tl_leg_set_session(leg, target->session_s);
	if (target->sdp_of)
		tl_leg_pass_sdp(leg, target->sdp_of);
	for (unsigned n = 0; n < TL_STREAMS; n++)
		tl_leg_say_stream(leg, n, target->streams[n]);
	leg->offerless = !offer;
	if (offer)
		leg->offer = tl_media_desc_keep(offer); /* for a challenge */
	if (r == 0)
		r = send_invite(leg, offer);
	if (r < 0) {
		tl_leg_set_state(leg, TL_LEG_OVER);
		tl_leg_release(leg);
		return r;
	}
	tl_leg_set_state(leg, TL_LEG_CALLING);
	if (target->silence_ms)
		tl_leg_start_timer(leg, &leg->silence_timer, target->silence_ms, on_silence);
	if (leg->request->timeout_s)
		tl_leg_start_timer(leg, &leg->timer, leg->request->timeout_s * 1000, on_no_answer);
	tl_leg_set_owner(leg, on_event, user);
	*ret_leg = leg;
	return 0;
}

/* --- final responses --- */

/* The 2xx makes the dialog. False: nothing can follow it, not even a good end. */
static bool take_dialog(struct tl_leg *leg, const sip_t *sip)
{
	if (sip->sip_to->a_tag)
		nta_leg_rtag(leg->dialog, sip->sip_to->a_tag);
	return tl_leg_take_target(leg, sip) == 0;
}

/* ACK and BYE: the answer is of no use, or came after our CANCEL (RFC 3261 9.1). */
static void drop_answered(struct tl_leg *leg, const char *reason)
{
	tl_leg_send_ack(leg, NULL);
	tl_leg_send_bye(leg, reason);
}

static void refuse_answer(struct tl_leg *leg, int status, const char *phrase)
{
	struct tl_cause cause = { .status = status, .phrase = phrase };
	su_home_t home[1] = { SU_HOME_INIT(home) };

	drop_answered(leg, tl_reason_format(home, &cause));
	tl_leg_emit_cause(leg, TL_LEG_REFUSED, &cause);
	su_home_deinit(home);
}

static void accept_answer(struct tl_leg *leg, const sip_t *sip, const struct tl_media_desc *desc)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_header_set headers;

	tl_headers_collect(home, sip, &headers);
	if (leg->offerless)
		leg->pending = TL_PENDING_ACK;
	else
		tl_leg_send_ack(leg, NULL);
	tl_timer_stop(&leg->timer);
	tl_leg_set_state(leg, TL_LEG_UP);
	tl_leg_session_agree(leg, sip);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_ANSWERED,
						  .status = sip->sip_status->st_status,
						  .desc = desc,
						  .headers = headers.v,
						  .n_headers = headers.n });
	su_home_deinit(home);
}

static const char *to_tag(const sip_t *sip)
{
	return sip->sip_to->a_tag ? sip->sip_to->a_tag : "";
}

/* What was settled before, by a reliable response or an UPDATE, no 2xx changes (RFC 3261
 * 13.2.1, RFC 6337 2.2); what was only said in advance stands for one without SDP. */
static int read_answer(struct tl_leg *leg, const sip_t *sip, struct tl_media_desc *ret_desc)
{
	bool settled;
	const struct tl_media_desc *early = tl_leg_early(leg, to_tag(sip), &settled);
	int r = settled && early ? 0 : tl_leg_read_sdp(leg, sip, ret_desc);

	return r != 0 || !early ? r : tl_leg_early_recall(leg, to_tag(sip), ret_desc);
}

static void on_answered(struct tl_leg *leg, const sip_t *sip)
{
	struct tl_media_desc desc;
	bool usable = take_dialog(leg, sip);
	int r;

	tl_digest_accepted(leg->digest);
	if (leg->state == TL_LEG_CLOSING) {
		drop_answered(leg, NULL);
		return;
	}
	if (!usable) {
		refuse_answer(leg, 502, "Unusable Contact");
		return;
	}
	if (tl_leg_early_is_other(leg, to_tag(sip)))
		tl_leg_drop_update(leg);
	r = read_answer(leg, sip, &desc);
	tl_leg_early_forget(leg);
	g_clear_pointer(&leg->offer, g_free);
	if (r == 1)
		accept_answer(leg, sip, &desc);
	else
		refuse_answer(leg, 488, "Not Acceptable Here");
}

static void on_refused(struct tl_leg *leg, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool closing = leg->state == TL_LEG_CLOSING;
	struct tl_cause cause;

	tl_cause_of(home, sip, &cause);
	tl_leg_set_state(leg, TL_LEG_OVER);
	if (!closing)
		tl_leg_emit_cause(leg, TL_LEG_REFUSED, &cause);
	su_home_deinit(home);
}

static bool try_credentials(struct tl_leg *leg, const sip_t *sip)
{
	int status = sip->sip_status->st_status;

	if ((status != 401 && status != 407) || leg->state == TL_LEG_CLOSING)
		return false;
	return tl_digest_challenged(leg->digest, sip) == 0 && send_invite(leg, leg->offer) == 0;
}

/* RFC 4028 7.3: 422 names the shortest interval that somebody on the way takes. */
static bool try_longer_session(struct tl_leg *leg, const sip_t *sip)
{
	return sip->sip_status->st_status == 422 && leg->state != TL_LEG_CLOSING &&
	       tl_leg_session_raise(leg, sip) && send_invite(leg, leg->offer) == 0;
}

static int on_invite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status = nta_outgoing_status(orq);

	if (!sip || !sip->sip_status)
		return 0;
	tl_leg_enter(leg);
	leg->responded = true;
	tl_timer_stop(&leg->silence_timer);
	if (status < 200) {
		tl_leg_on_progress(leg, sip);
	} else {
		leg->out = NULL;
		tl_forks_settled(leg->stack->forks, leg->info.call_id, leg->invite_cseq,
				 status < 300 ? to_tag(sip) : NULL);
		if (status < 300)
			on_answered(leg, sip);
		else if (!try_credentials(leg, sip) && !try_longer_session(leg, sip))
			on_refused(leg, sip);
		nta_outgoing_destroy(orq);
	}
	tl_leg_leave(leg);
	return 0;
}
