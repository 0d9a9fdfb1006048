#include "b2bua/event/publish.h"
#include <string.h>
#include <glib.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/event/notifier.h"
#include "b2bua/event/package.h"
#include "b2bua/sip/headers.h"

enum {
	UNASKED_S = 7 * 86400, /* a mailbox that nobody has spoken of for so long is forgotten */
	EXTENSIONS_MAX = 8,    /* that one number's mailbox belongs to */
};

/* Whom it is about. */
struct resources {
	const char *v[EXTENSIONS_MAX];
	size_t n;
};

/* --- what may be published by whom --- */

static void add_targets(const struct tl_decision *decision, struct resources *ret)
{
	for (size_t s = 0; s < decision->n_steps; s++)
		for (size_t t = 0; t < decision->steps[s].n_targets; t++) {
			const struct tl_ring_target *target = &decision->steps[s].targets[t];

			if (target->kind == TL_TARGET_EXTENSION && ret->n < EXTENSIONS_MAX)
				ret->v[ret->n++] = target->extension->number;
		}
}

/* A trunk names an extension, or one of our numbers at the carrier: then whoever rings for it. The
 * names are the dialplan's. */
static void find_resources(const struct tl_publisher *publisher, const struct tl_request *request,
			   const struct tl_source *source, const char *number,
			   struct resources *ret)
{
	const struct tl_extension_cfg *extension = tl_dialplan_extension(publisher->dp, number);
	struct tl_facts facts = {
		.source = source->kind,
		.caller = "",
		.callee = number,
		.at_s = g_get_real_time() / G_USEC_PER_SEC,
		.transport = request->transport,
	};
	struct tl_decision *decision;

	*ret = (struct resources) { 0 };
	if (extension) {
		ret->v[ret->n++] = extension->number;
		return;
	}
	if (source->kind != TL_SOURCE_TRUNK)
		return;
	facts.source_name = source->trunk->name;
	if (tl_dialplan_decide(publisher->dp, &facts, &decision) < 0)
		return;
	add_targets(decision, ret);
	tl_decision_free(decision);
}

static bool may_publish(const struct tl_package *package, const struct tl_source *source,
			const char *extension)
{
	if (strcmp(package->name, "message-summary") == 0)
		return source->kind == TL_SOURCE_TRUNK;
	return source->kind == TL_SOURCE_EXTENSION &&
	       strcmp(source->extension->number, extension) == 0;
}

/* --- the body --- */

/* 0, or the status to refuse with. */
static int read_body(const sip_t *sip, const struct tl_package *package, struct tl_publish *publish)
{
	const sip_payload_t *body = sip->sip_payload;
	struct tl_summary summary;
	int r;

	if (!tl_has_body(sip))
		return 0;
	if (!tl_content_is(sip, package->content_type) || sip->sip_content_encoding)
		return 415;
	if (strcmp(package->name, "presence") == 0) {
		r = tl_pidf_parse(body->pl_data, body->pl_len, &publish->pidf);
	} else {
		r = tl_summary_parse(body->pl_data, body->pl_len, &summary);
		if (r == 0)
			publish->summary = g_memdup2(&summary, sizeof(summary));
	}
	return r == -E2BIG ? 413 : r < 0 ? 400 : 0;
}

static void refuse_body(struct tl_request *request, const struct tl_package *package, int status)
{
	if (status == 415)
		tl_request_reply(request, 415, NULL, SIPTAG_ACCEPT_STR(package->content_type),
				 TAG_END());
	else
		tl_request_refuse(request, status, NULL, NULL);
}

/* --- PUBLISH --- */

static void publish_for(struct tl_publisher *publisher, struct tl_request *request,
			const struct tl_package *package, const char *extension, int64_t expires_s)
{
	const sip_t *sip = request->sip;
	struct tl_publish publish = {
		.event = package->name,
		.extension = extension,
		.etag = sip->sip_if_match ? sip->sip_if_match->g_string : NULL,
		.expires_s = (unsigned)expires_s,
		.now_s = g_get_monotonic_time() / G_USEC_PER_SEC,
	};
	g_autofree char *expires = g_strdup_printf("%" G_GINT64_FORMAT, expires_s);
	char etag[TL_ETAG_BYTES];
	int status = read_body(sip, package, &publish);

	if (status) {
		refuse_body(request, package, status);
		return;
	}
	status = tl_publications_take(publisher->publications, &publish, etag);
	if (status != 200) {
		tl_request_refuse(request, status, NULL, NULL);
		return;
	}
	tl_request_reply(request, 200, NULL, SIPTAG_ETAG_STR(etag), SIPTAG_EXPIRES_STR(expires),
			 TAG_END());
	publisher->on_change(package->name, extension, publisher->user);
}

static void judge(struct tl_publisher *publisher, struct tl_request *request,
		  const struct tl_package *package, const char *number)
{
	struct resources resources;
	struct tl_source source;
	int64_t expires_s;

	if (tl_access_check(publisher->access, publisher->dp, request, &source) < 0)
		return;
	find_resources(publisher, request, &source, number, &resources);
	if (resources.n == 0) {
		tl_request_refuse(request, SIP_404_NOT_FOUND, NULL);
		return;
	}
	if (!may_publish(package, &source, resources.v[0])) {
		tl_request_refuse(request, SIP_403_FORBIDDEN, NULL);
		return;
	}
	expires_s = tl_event_grant(tl_dialplan_gateway(publisher->dp), request);
	if (expires_s < 0)
		return;
	/* once only: its retransmission would find another entity tag */
	if (tl_request_take(request))
		publish_for(publisher, request, package, resources.v[0], expires_s);
}

void tl_publisher_on_publish(struct tl_publisher *publisher, struct tl_request *request)
{
	static const char *const supported[] = { NULL };
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_event_t *event = request->sip->sip_event;
	const struct tl_package *package = event ? tl_package_find(event->o_type) : NULL;

	if (!package || !package->published)
		tl_event_refuse_event(request);
	else if (!tl_request_refuse_required(request, supported))
		judge(publisher, request, package,
		      tl_user_of(home, request->sip->sip_request->rq_url));
	su_home_deinit(home);
}

/* --- a NOTIFY that nobody asked for --- */

/* Takes the place of what was said before. */
static void replace(struct tl_publisher *publisher, const char *event, const char *extension,
		    const struct tl_summary *summary)
{
	const struct tl_publication *old[1];
	struct tl_publish publish = {
		.event = event,
		.extension = extension,
		.summary = g_memdup2(summary, sizeof(*summary)),
		.expires_s = UNASKED_S,
		.now_s = g_get_monotonic_time() / G_USEC_PER_SEC,
	};
	char etag[TL_ETAG_BYTES];

	if (tl_publications_find(publisher->publications, event, extension, publish.now_s, old, 1))
		publish.etag = old[0]->etag;
	(void)tl_publications_take(publisher->publications, &publish, etag);
	publisher->on_change(event, extension, publisher->user);
}

static void take_summary(struct tl_publisher *publisher, struct tl_request *request,
			 const struct resources *resources)
{
	const struct tl_package *package = tl_package_find("message-summary");
	const sip_payload_t *body = request->sip->sip_payload;
	struct tl_summary summary;

	if (!tl_has_body(request->sip) || !tl_content_is(request->sip, package->content_type)) {
		refuse_body(request, package, 415);
		return;
	}
	if (tl_summary_parse(body->pl_data, body->pl_len, &summary) < 0) {
		tl_request_refuse(request, SIP_400_BAD_REQUEST, NULL);
		return;
	}
	tl_request_reply(request, 200, NULL, TAG_END());
	for (size_t i = 0; i < resources->n; i++)
		replace(publisher, package->name, resources->v[i], &summary);
}

void tl_publisher_on_notify(struct tl_publisher *publisher, struct tl_request *request)
{
	const struct sockaddr *from = (const struct sockaddr *)&request->source;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_event_t *event = request->sip->sip_event;
	const struct tl_trunk_cfg *trunk = tl_dialplan_trunk_by_address(publisher->dp, from);
	const struct tl_source source = { .kind = TL_SOURCE_TRUNK, .trunk = trunk };
	struct resources resources = { 0 };

	if (trunk && event && g_ascii_strcasecmp(event->o_type, "message-summary") == 0)
		find_resources(publisher, request, &source,
			       tl_user_of(home, request->sip->sip_request->rq_url), &resources);
	if (resources.n > 0)
		take_summary(publisher, request, &resources);
	else
		tl_request_refuse(request, SIP_481_NO_TRANSACTION, NULL);
	su_home_deinit(home);
}
