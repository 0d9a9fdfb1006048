/*
 * Provisional responses to our INVITE, and the early dialogs that they make. A
 * proxy may fork it: each To tag is a telephone of its own, with its own
 * numbering of reliable responses and its own answer (RFC 3261 12.1, RFC 3262 4).
 *
 *   183 tag=x RSeq 7 SDP   PRACK x, the answer of x is kept
 *   183 tag=y SDP          the answer of y is kept, its voice is heard from now on
 *   200 tag=x              the answer of x counts: this 200 needs no SDP
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include "b2bua/sip/body.h"

enum { FORKS_MAX = 12 }; /* that are told apart; what others say in advance is passed over */

struct tl_early {
	char *tag;
	bool reliable; /* a PRACK has gone out */
	bool settled;  /* a reliable response brought the answer: no later one counts */
	uint32_t rseq; /* of the last one */
	bool has_desc;
	struct tl_media_desc desc;
	char *text;   /* what that was read from; or NULL */
	msg_t *msg;   /* the response that it was chosen for, referenced; or NULL */
	bool updates; /* its Allow names UPDATE */
};

static void early_free(void *data)
{
	struct tl_early *early = data;

	g_free(early->tag);
	g_free(early->text);
	msg_destroy(early->msg);
	g_free(early);
}

static struct tl_early *find(const struct tl_leg *leg, const char *tag)
{
	for (guint i = 0; leg->early && i < leg->early->len; i++) {
		struct tl_early *early = leg->early->pdata[i];

		if (strcmp(early->tag, tag ? tag : "") == 0)
			return early;
	}
	return NULL;
}

/* NULL: there are too many. */
static struct tl_early *take(struct tl_leg *leg, const char *tag)
{
	struct tl_early *early = find(leg, tag);

	if (early)
		return early;
	if (!leg->early)
		leg->early = g_ptr_array_new_with_free_func(early_free);
	if (leg->early->len == FORKS_MAX)
		return NULL;
	early = g_new0(struct tl_early, 1);
	early->tag = g_strdup(tag ? tag : "");
	g_ptr_array_add(leg->early, early);
	return early;
}

const struct tl_media_desc *tl_leg_early(const struct tl_leg *leg, const char *tag,
					 bool *ret_settled)
{
	const struct tl_early *early = find(leg, tag);

	if (ret_settled)
		*ret_settled = early && early->settled;
	return early && early->has_desc ? &early->desc : NULL;
}

static void keep(struct tl_early *early, const sip_t *sip, const struct tl_media_desc *desc)
{
	const char *text;
	size_t bytes;

	early->desc = *desc;
	early->has_desc = true;
	g_clear_pointer(&early->text, g_free);
	if (tl_body_sdp(sip, &text, &bytes) == 1)
		early->text = g_strndup(text, bytes);
}

void tl_leg_early_replace(struct tl_leg *leg, const char *tag, const sip_t *sip,
			  const struct tl_media_desc *desc)
{
	struct tl_early *early = leg->incoming || leg->state == TL_LEG_UP ? NULL : take(leg, tag);

	if (!early)
		return;
	keep(early, sip, desc);
	early->settled = true;
}

int tl_leg_early_recall(struct tl_leg *leg, const char *tag, struct tl_media_desc *ret_desc)
{
	const struct tl_early *early = find(leg, tag);
	int r = early && early->text
			? tl_leg_read_text(leg, early->text, strlen(early->text), ret_desc)
			: -EBADMSG;

	return r < 0 ? r : 1;
}

void tl_leg_choose(struct tl_leg *leg)
{
	if (leg->chosen || !leg->latest || !leg->out)
		return;
	leg->chosen = leg->latest;
	leg->chosen->msg = nta_outgoing_getresponse(leg->out);
}

bool tl_leg_is_chosen(const struct tl_leg *leg)
{
	return leg->chosen && leg->chosen == leg->latest;
}

bool tl_leg_early_is_other(const struct tl_leg *leg, const char *tag)
{
	return leg->chosen && strcmp(leg->chosen->tag, tag ? tag : "") != 0;
}

bool tl_leg_early_takes_update(const struct tl_leg *leg)
{
	return leg->chosen && leg->chosen->settled && leg->chosen->updates && leg->chosen->msg;
}

const sip_to_t *tl_leg_early_aim(struct tl_leg *leg)
{
	const sip_t *sip = leg->chosen && leg->chosen->msg ? sip_object(leg->chosen->msg) : NULL;

	if (!sip)
		return NULL;
	/* what it has said since then of its target stays */
	if (leg->aimed != leg->chosen && tl_leg_take_target(leg, sip) == 0)
		leg->aimed = leg->chosen;
	return sip->sip_to;
}

void tl_leg_early_forget(struct tl_leg *leg)
{
	leg->latest = leg->chosen = leg->aimed = NULL;
	g_clear_pointer(&leg->early, g_ptr_array_unref);
}

bool tl_leg_early_names(const struct tl_leg *leg, struct tl_replaces *ret_names)
{
	const struct tl_early *early;

	if (leg->incoming || leg->state != TL_LEG_EARLY || !leg->early || leg->early->len == 0)
		return false;
	early = leg->early->pdata[0];
	if (!*early->tag)
		return false;
	*ret_names = (struct tl_replaces) {
		.call_id = leg->info.call_id,
		.to_tag = nta_leg_get_tag(leg->dialog),
		.from_tag = early->tag,
	};
	return true;
}

bool tl_leg_is_early(const struct tl_leg *leg, const struct tl_replaces *names)
{
	return !leg->incoming && leg->state == TL_LEG_EARLY &&
	       strcmp(leg->info.call_id, names->call_id) == 0 &&
	       g_strcmp0(nta_leg_get_tag(leg->dialog), names->to_tag) == 0 &&
	       find(leg, names->from_tag) != NULL;
}

static void send_prack(struct tl_leg *leg, struct tl_early *early, const sip_t *sip)
{
	sip_rack_t rack[1];

	sip_rack_init(rack);
	rack->ra_response = sip->sip_rseq->rs_response;
	rack->ra_cseq = sip->sip_cseq->cs_seq;
	rack->ra_method = sip->sip_cseq->cs_method;
	rack->ra_method_name = sip->sip_cseq->cs_method_name;
	/* the early dialog's target and route set stand in the response; another fork may win */
	if (tl_leg_take_target(leg, sip) < 0)
		return;
	leg->aimed = early;
	(void)tl_leg_send_other(leg, SIP_METHOD_PRACK, SIPTAG_RACK(rack), SIPTAG_TO(sip->sip_to),
				TAG_END());
}

/* RFC 3262 4: in the order of RSeq, each once. False: pass over this response. */
static bool take_reliable(struct tl_leg *leg, struct tl_early *early, const sip_t *sip)
{
	uint32_t rseq = sip->sip_rseq->rs_response;

	if (early->reliable && rseq != early->rseq + 1)
		return false;
	early->reliable = true;
	early->rseq = rseq;
	send_prack(leg, early, sip);
	return true;
}

void tl_leg_on_progress(struct tl_leg *leg, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_header_set headers;
	struct tl_media_desc desc;
	struct tl_leg_event event = { .type = TL_LEG_PROGRESS,
				      .status = sip->sip_status->st_status };
	bool reliable = sip->sip_rseq && sip_has_feature(sip->sip_require, "100rel");
	struct tl_early *early;

	if (leg->state != TL_LEG_CALLING && leg->state != TL_LEG_EARLY)
		return;
	early = event.status > 100 ? take(leg, sip->sip_to->a_tag) : NULL;
	if (reliable && !leg->offerless && (!early || !take_reliable(leg, early, sip)))
		return;
	if (early && !early->settled && !leg->offerless && tl_leg_read_sdp(leg, sip, &desc) == 1) {
		keep(early, sip, &desc);
		early->settled = reliable;
		event.desc = &early->desc;
	}
	if (early && sip->sip_allow)
		early->updates = sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
	event.reliable = reliable;
	leg->latest = early;
	tl_headers_collect(home, sip, &headers);
	event.headers = headers.v;
	event.n_headers = headers.n;
	tl_leg_set_state(leg, TL_LEG_EARLY);
	tl_leg_emit(leg, &event);
	su_home_deinit(home);
}
