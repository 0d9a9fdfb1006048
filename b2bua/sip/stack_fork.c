#include "b2bua/sip/stack_fork.h"
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/hop.h"
#include "b2bua/sip/timer.h"

enum {
	REMEMBERED_MS = 40000, /* NTA keeps an answered INVITE for 32 s (64 T1) */
	SWEEP_MS = 5000,
	SOON_MS = 1,        /* Sofia's timers can't be set to 0 */
	FORKS_MAX = 4,      /* ended of one INVITE; more are left to give up by themselves */
	WAITING_MAX = 1000, /* responses not yet dealt with */
};

/* An INVITE of ours that is settled. */
struct settled {
	int64_t until_us;
	char *tag;  /* of its 2xx, or NULL */
	bool acked; /* so that NTA knows what to do when that one comes again */
	char *ended[FORKS_MAX];
	unsigned n_ended;
};

/* A 2xx too many, until the loop comes round: the parser that has found it is still at work. */
struct stray {
	su_home_t home[1];
	sip_from_t *from;
	sip_to_t *to;
	sip_call_id_t *call_id;
	sip_record_route_t *record_route;
	sip_contact_t *contact;
	uint32_t cseq;
	char *branch;
};

struct tl_forks {
	struct tl_stack *stack;
	GHashTable *settled; /* "cseq call-id" -> struct settled */
	GQueue *strays;
	su_timer_t *sweep, *soon;
};

static void settled_free(void *data)
{
	struct settled *s = data;

	for (unsigned i = 0; i < s->n_ended; i++)
		g_free(s->ended[i]);
	g_free(s->tag);
	g_free(s);
}

static void stray_free(void *data)
{
	struct stray *stray = data;

	su_home_deinit(stray->home);
	g_free(stray);
}

static gboolean is_old(gpointer key, gpointer value, gpointer user)
{
	return ((struct settled *)value)->until_us < *(int64_t *)user;
}

static void on_sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_forks *forks = (struct tl_forks *)arg;
	int64_t now_us = g_get_monotonic_time();

	g_hash_table_foreach_remove(forks->settled, is_old, &now_us);
}

struct tl_forks *tl_forks_new(struct tl_stack *stack)
{
	struct tl_forks *forks = g_new0(struct tl_forks, 1);

	forks->stack = stack;
	forks->settled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, settled_free);
	forks->strays = g_queue_new();
	tl_timer_repeat(&forks->sweep, stack->root, SWEEP_MS, on_sweep, forks);
	return forks;
}

void tl_forks_free(struct tl_forks *forks)
{
	if (!forks)
		return;
	tl_timer_stop(&forks->sweep);
	tl_timer_stop(&forks->soon);
	g_hash_table_destroy(forks->settled);
	g_queue_free_full(forks->strays, stray_free);
	g_free(forks);
}

static char *key_of(const char *call_id, uint32_t cseq)
{
	return g_strdup_printf("%u %s", cseq, call_id);
}

void tl_forks_settled(struct tl_forks *forks, const char *call_id, uint32_t cseq, const char *tag)
{
	struct settled *s = g_new0(struct settled, 1);

	s->until_us = g_get_monotonic_time() + REMEMBERED_MS * 1000;
	s->tag = g_strdup(tag);
	g_hash_table_replace(forks->settled, key_of(call_id, cseq), s);
}

/* --- ending what a stray has made --- */

static nta_leg_t *dialog_of(struct tl_forks *forks, struct stray *stray)
{
	nta_leg_t *dialog =
		nta_leg_tcreate(forks->stack->agent, NULL, NULL, SIPTAG_CALL_ID(stray->call_id),
				SIPTAG_FROM(stray->from), SIPTAG_TO(stray->to), TAG_END());

	if (dialog)
		nta_leg_client_reroute(dialog, stray->record_route, stray->contact, 1);
	return dialog;
}

static void end_stray(struct tl_forks *forks, struct stray *stray)
{
	nta_leg_t *dialog = dialog_of(forks, stray);
	/* above any that the dialog has seen: it has seen the INVITE alone */
	sip_cseq_t *ack_cseq = sip_cseq_create(stray->home, stray->cseq, SIP_METHOD_ACK);
	sip_cseq_t *bye_cseq = sip_cseq_create(stray->home, stray->cseq + 1, SIP_METHOD_BYE);
	nta_outgoing_t *ack;

	if (!dialog)
		return;
	ack = nta_outgoing_tcreate(dialog, NULL, NULL, NULL, SIP_METHOD_ACK, NULL,
				   SIPTAG_CSEQ(ack_cseq), NTATAG_ACK_BRANCH(stray->branch),
				   TAG_END());
	if (ack)
		nta_outgoing_destroy(ack); /* it ends by itself */
	/* NTA's default callback frees it with its final response */
	(void)nta_outgoing_tcreate(dialog, NULL, NULL, NULL, SIP_METHOD_BYE, NULL,
				   SIPTAG_CSEQ(bye_cseq),
				   SIPTAG_USER_AGENT_STR(forks->stack->user_agent), TAG_END());
	nta_leg_destroy(dialog);
}

static void on_soon(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_forks *forks = (struct tl_forks *)arg;
	struct stray *stray;

	while ((stray = g_queue_pop_head(forks->strays))) {
		end_stray(forks, stray);
		stray_free(stray);
	}
}

static void keep_stray(struct tl_forks *forks, const sip_t *sip)
{
	struct stray *stray = g_new0(struct stray, 1);

	su_home_init(stray->home);
	stray->from = sip_from_dup(stray->home, sip->sip_from);
	stray->to = sip_to_dup(stray->home, sip->sip_to);
	stray->call_id = sip_call_id_dup(stray->home, sip->sip_call_id);
	stray->record_route = sip_record_route_dup(stray->home, sip->sip_record_route);
	stray->contact = sip_contact_dup(stray->home, sip->sip_contact);
	stray->cseq = sip->sip_cseq->cs_seq;
	stray->branch = su_strdup(stray->home, sip->sip_via->v_branch);
	g_queue_push_tail(forks->strays, stray);
	tl_timer_start(&forks->soon, forks->stack->root, SOON_MS, on_soon, forks);
}

/* --- telling it --- */

static bool is_answer_to_invite(const sip_t *sip)
{
	return sip->sip_status && sip->sip_status->st_status >= 200 &&
	       sip->sip_status->st_status < 300 && sip->sip_cseq &&
	       sip->sip_cseq->cs_method == sip_method_invite && sip->sip_call_id && sip->sip_from &&
	       sip->sip_to && sip->sip_via;
}

void tl_forks_acked(struct tl_forks *forks, const char *call_id, uint32_t cseq)
{
	g_autofree char *key = key_of(call_id, cseq);
	struct settled *s = g_hash_table_lookup(forks->settled, key);

	if (s)
		s->acked = true;
}

static bool was_ended(const struct settled *s, const char *tag)
{
	for (unsigned i = 0; i < s->n_ended; i++)
		if (g_ascii_strcasecmp(s->ended[i], tag) == 0)
			return true;
	return false;
}

bool tl_forks_take(struct tl_forks *forks, const sip_t *sip)
{
	g_autofree char *key = NULL;
	struct settled *s;
	const char *tag;

	if (!is_answer_to_invite(sip))
		return false;
	key = key_of(sip->sip_call_id->i_id, sip->sip_cseq->cs_seq);
	s = g_hash_table_lookup(forks->settled, key);
	tag = sip->sip_to->a_tag ? sip->sip_to->a_tag : "";
	if (!s)
		return false;
	if (s->tag && g_ascii_strcasecmp(s->tag, tag) == 0)
		return !s->acked;
	/* one that comes again has been sent an ACK and a BYE, and the BYE is sent again till it is
	 * answered: that must do */
	if (was_ended(s, tag) || s->n_ended == FORKS_MAX ||
	    g_queue_get_length(forks->strays) >= WAITING_MAX || !*tag || !sip->sip_via->v_branch ||
	    tl_target_check(sip, true) < 0)
		return true;
	s->ended[s->n_ended++] = g_strdup(tag);
	keep_stray(forks, sip);
	return true;
}
