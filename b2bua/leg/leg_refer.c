/*
 * REFER in the dialog (RFC 3515): the peer wants our side of the call to go
 * elsewhere. The owner decides; what the peer is told of it goes through here.
 *
 *   peer                         leg                          owner
 *    | REFER ------------------> |  TL_LEG_REFERRED ---------> |
 *    | <-------------------- 202 | <-- tl_leg_refer_accept()   |
 *    | <---- NOTIFY active, 100  |                             |
 *    | <---- NOTIFY active, 180  | <-- tl_leg_refer_tell(180)  |
 *    | <- NOTIFY terminated, 200 | <-- tl_leg_refer_end(200)   |
 *    | 200 --------------------> |  TL_LEG_REFER_DONE -------> |
 *
 * One NOTIFY at a time, so that they can't overtake one another; of what was to
 * be told meanwhile the latest is. With `Refer-Sub: false` (RFC 4488) the 202 is
 * all. The subscription is a usage of the dialog of its own (RFC 5057): a peer
 * that hangs up after the 202 is still told how it ended.
 */
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/hop.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

enum {
	TEXT_BYTES = 512, /* of a URI or a header that goes on */
	EXPIRES_S = 180,  /* longer than a target rings */
};

struct tl_leg_refer {
	nta_incoming_t *irq; /* until the owner has spoken */
	nta_outgoing_t *notify;
	uint32_t cseq;
	bool numbered; /* not the first of its dialog: Event bears an id (RFC 3515 2.4.6) */
	bool silent;   /* no subscription */
	int next;      /* status to be told when notify is answered; 0: none */
	bool ends;     /* next, or what notify tells, is the last word */
};

/* --- what it says --- */

static bool wants_no_subscription(const sip_t *sip)
{
	const sip_refer_sub_t *h = sip_refer_sub(sip);

	return h && h->rs_value && g_ascii_strcasecmp(h->rs_value, "false") == 0;
}

static bool is_text(const char *text)
{
	return text && strlen(text) < TEXT_BYTES && tl_header_is_value(text);
}

/* "Replaces=…&…" of the URI: its value, unescaped; NULL: there is none. */
static char *find_replaces(const url_t *url)
{
	g_auto(GStrv) headers = NULL;

	if (!url->url_headers || strlen(url->url_headers) >= 4 * TEXT_BYTES)
		return NULL;
	headers = g_strsplit(url->url_headers, "&", 16);
	for (char **header = headers; *header; header++)
		if (g_ascii_strncasecmp(*header, "Replaces=", 9) == 0)
			return g_uri_unescape_string(*header + 9, NULL);
	return NULL;
}

static bool asks_for_a_call(const url_t *url)
{
	char method[16];
	isize_t n =
		url->url_params ? url_param(url->url_params, "method", method, sizeof(method)) : 0;

	return n == 0 || g_ascii_strcasecmp(method, "INVITE") == 0;
}

/* 0, or the status that refuses it. */
static int check_uri(const url_t *url)
{
	if (!url->url_scheme || !*url->url_scheme || url->url_type == url_invalid)
		return 400;
	if (url->url_type == url_tel)
		return url->url_user && *url->url_user ? 0 : 400;
	if (url->url_type != url_sip)
		return 416;
	if (!tl_uri_is_safe(url))
		return 400;
	return asks_for_a_call(url) ? 0 : 603;
}

/* 0; or the status that refuses such a REFER. Texts are allocated from home. */
static int read_refer(su_home_t *home, const sip_t *sip, struct tl_refer *ret_refer)
{
	const sip_refer_to_t *to = sip->sip_refer_to;
	g_autofree char *replaces = NULL;
	url_t bare;
	int status;

	if (!to)
		return 400;
	status = check_uri(to->r_url);
	if (status)
		return status;
	*ret_refer = (struct tl_refer) { .callee = tl_user_of(home, to->r_url) };
	bare = *to->r_url;
	bare.url_headers = NULL;
	ret_refer->uri = url_as_string(home, &bare);
	if (!*ret_refer->callee || !is_text(ret_refer->uri))
		return 400;
	replaces = find_replaces(to->r_url);
	if (replaces) {
		if (tl_replaces_parse(home, replaces, &ret_refer->replaces) < 0)
			return 400;
		ret_refer->has_replaces = true;
	} else if (to->r_url->url_headers && strcasestr(to->r_url->url_headers, "Replaces=")) {
		return 400; /* one that can't be unescaped */
	}
	if (sip->sip_referred_by)
		ret_refer->referred_by =
			sip_header_as_string(home, (const sip_header_t *)sip->sip_referred_by);
	if (!is_text(ret_refer->referred_by))
		ret_refer->referred_by = NULL;
	return 0;
}

/* --- the request --- */

static void forget(struct tl_leg *leg)
{
	g_clear_pointer(&leg->refer, g_free);
}

static void keep(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	leg->refer = g_new0(struct tl_leg_refer, 1);
	leg->refer->irq = irq;
	leg->refer->cseq = sip->sip_cseq->cs_seq;
	leg->refer->numbered = leg->was_referred;
	leg->refer->silent = wants_no_subscription(sip);
	leg->was_referred = true;
}

/* False: it has been answered. */
static bool read_outside(struct tl_leg *leg, struct tl_request *request, struct tl_refer *refer)
{
	static const char *const supported[] = { "replaces", "norefersub", "tdialog", NULL };
	int status, r;

	if (tl_request_refuse_required(request, supported))
		return false;
	if (tl_target_check(request->sip, false) < 0) {
		tl_request_refuse(request, 400, "Unusable Contact or Record-Route", NULL);
		return false;
	}
	status = read_refer(leg->home, request->sip, refer);
	if (status) {
		tl_request_refuse(request, status, NULL, NULL);
		return false;
	}
	r = tl_target_dialog_read(leg->home, request->sip, &refer->target);
	refer->has_target = r == 1;
	if (r < 0)
		tl_request_refuse(request, 400, "Bad Target-Dialog Header", NULL);
	return r >= 0;
}

int tl_leg_new_referred(struct tl_request *request, struct tl_leg **ret_leg,
			struct tl_refer *ret_refer)
{
	struct tl_leg *leg = tl_leg_new(request->stack, true);

	tl_leg_set_state(leg, TL_LEG_OVER); /* there is no call in it */
	if (!read_outside(leg, request, ret_refer) || !tl_request_take(request)) {
		tl_leg_release(leg);
		return -EBADMSG;
	}
	if (tl_leg_begin(leg, request) < 0) {
		tl_request_refuse(request, 500, NULL, NULL);
		tl_leg_release(leg);
		return -EBADMSG;
	}
	keep(leg, tl_request_steal(request), request->sip);
	*ret_leg = leg;
	return 0;
}

void tl_leg_on_refer(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_refer refer;
	int status = read_refer(home, sip, &refer);

	if (status == 0 && leg->refer)
		status = 491; /* one at a time */
	else if (status == 0 && leg->state != TL_LEG_UP && leg->state != TL_LEG_ANSWERING)
		status = 603;
	if (status) {
		tl_leg_refuse(leg, irq, status, NULL);
		su_home_deinit(home);
		return;
	}
	keep(leg, irq, sip);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REFERRED, .refer = &refer });
	if (leg->refer && leg->refer->irq)
		tl_leg_refer_decline(leg, 603, NULL);
	su_home_deinit(home);
}

void tl_leg_refer_decline(struct tl_leg *leg, int status, const char *phrase)
{
	if (!leg->refer || !leg->refer->irq)
		return;
	tl_leg_refuse(leg, leg->refer->irq, status, phrase);
	forget(leg);
}

/* --- what the peer is told --- */

static int on_notify_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip);

/* False: it could not be sent. */
static bool notify(struct tl_leg *leg, int status)
{
	struct tl_leg_refer *refer = leg->refer;
	g_autofree char *event =
		refer->numbered ? g_strdup_printf("refer;id=%u", refer->cseq) : g_strdup("refer");
	g_autofree char *active = g_strdup_printf("active;expires=%d", EXPIRES_S);
	g_autofree char *body =
		g_strdup_printf("SIP/2.0 %d %s\r\n", status, sip_status_phrase(status));

	refer->next = 0;
	refer->notify =
		tl_leg_send(leg, on_notify_response, SIP_METHOD_NOTIFY, SIPTAG_EVENT_STR(event),
			    SIPTAG_SUBSCRIPTION_STATE_STR(
				    refer->ends ? "terminated;reason=noresource" : active),
			    SIPTAG_CONTACT_STR(leg->contact),
			    SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"),
			    SIPTAG_PAYLOAD_STR(body), TAG_END());
	return refer->notify != NULL;
}

static void end(struct tl_leg *leg)
{
	forget(leg);
	tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_REFER_DONE });
}

static int on_notify_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	struct tl_leg_refer *refer = leg->refer;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	tl_leg_enter(leg);
	refer->notify = NULL;
	nta_outgoing_destroy(orq);
	/* RFC 6665 4.2.2: it takes no more of them; that says nothing of the call */
	if (status >= 300)
		refer->silent = true;
	if (refer->ends && (refer->silent || !refer->next || !notify(leg, refer->next)))
		end(leg);
	else if (!refer->ends && refer->next && !refer->silent)
		(void)notify(leg, refer->next);
	tl_leg_leave(leg);
	return 0;
}

void tl_leg_refer_accept(struct tl_leg *leg)
{
	struct tl_leg_refer *refer = leg->refer;

	if (!refer || !refer->irq)
		return;
	nta_incoming_treply(refer->irq, SIP_202_ACCEPTED, SIPTAG_CONTACT_STR(leg->contact),
			    SIPTAG_SERVER_STR(leg->stack->user_agent),
			    TAG_IF(refer->silent, SIPTAG_HEADER_STR("Refer-Sub: false")),
			    TAG_END());
	nta_incoming_destroy(refer->irq);
	refer->irq = NULL;
	if (!refer->silent) /* RFC 3515 2.4.4: at once */
		(void)notify(leg, 100);
}

void tl_leg_refer_tell(struct tl_leg *leg, int status)
{
	struct tl_leg_refer *refer = leg->refer;

	if (!refer || refer->irq || refer->silent || refer->ends)
		return;
	if (refer->notify)
		refer->next = status;
	else
		(void)notify(leg, status);
}

bool tl_leg_refer_end(struct tl_leg *leg, int status)
{
	struct tl_leg_refer *refer = leg->refer;
	bool waits;

	if (!refer || refer->irq || refer->ends)
		return false;
	tl_leg_enter(leg);
	refer->ends = true;
	if (refer->notify)
		refer->next = status;
	waits = refer->notify || (!refer->silent && notify(leg, status));
	if (!waits)
		forget(leg);
	tl_leg_leave(leg);
	return waits;
}

void tl_leg_refer_drop(struct tl_leg *leg)
{
	if (!leg->refer)
		return;
	if (leg->refer->irq)
		tl_leg_refuse(leg, leg->refer->irq, SIP_603_DECLINE);
	if (leg->refer->notify)
		nta_outgoing_destroy(leg->refer->notify);
	forget(leg);
}
