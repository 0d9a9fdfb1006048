/*
 * The way back of responses over TCP (RFC 3261 18.2.2): the connection that brought the request,
 * and when that has closed, a new one to the port that its Via names. Sofia 1.12.11 would connect
 * to the port that the old one came from, where nobody listens. And it closes a connection at once
 * whose other side has said all it has to say and still listens: that side waits for the answer to
 * its INVITE.
 *
 * So two of its functions are ours: those of a program come before those of its libraries wherever
 * these call them by name (ld.so(8)). The second is no part of its documented interface, but of all
 * builds of this version.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/stack_priv.h"
#include "b2bua/sip/timer.h"

enum {
	LOOK_MS = 500, /* how often we see whether the last answer has been given */
	READ_AND_WRITE = 2,
	READ = 0,
};

int tport_shutdown0(tport_t *self, int how);

static tport_t *(*their_tsend)(tport_t *, msg_t *, tp_name_t const *, tag_type_t, tag_value_t, ...);
static int (*their_shutdown0)(tport_t *self, int how);
/* Whose connections this thread's are, or NULL. */
static _Thread_local struct tl_stack *serving;

static bool is_closed_stream(const tport_t *tport)
{
	return tport_is_secondary(tport) && tport_is_tcp(tport) && !tport_is_clear_to_send(tport);
}

/* In Sofia's stead. */
tport_t *tport_tsend(tport_t *self, msg_t *msg, tp_name_t const *name, tag_type_t tag,
		     tag_value_t value, ...)
{
	const sip_t *sip = msg ? (const sip_t *)msg_object(msg) : NULL;
	bool closed =
		self && name && sip && sip->sip_status && sip->sip_via && is_closed_stream(self);
	tp_name_t there;
	tport_t *used;
	ta_list ta;

	if (!their_tsend) {
		errno = ENOSYS;
		return NULL;
	}
	if (closed) {
		there = *name;
		there.tpn_port = sip_via_port(sip->sip_via, NULL);
		name = &there;
	}
	ta_start(ta, tag, value);
	/* of a closed one it thinks that it allows no other connection, open already, in its place
	 */
	used = their_tsend(self, msg, name, TAG_IF(closed, TPTAG_REUSE(1)), ta_tags(ta));
	(void)ta_end(ta);
	return used;
}

/* --- those that only listen --- */

/* Is this the INVITE of a leg that came over this connection? */
static bool is_brought_by(const struct tl_stack *stack, const struct tl_leg *leg,
			  const tport_t *tport)
{
	tport_t *its = leg->invite ? nta_incoming_transport(stack->agent, leg->invite, NULL) : NULL;

	if (its)
		tport_unref(its);
	return its == tport;
}

/* Does an INVITE that it brought wait for its answer, or its answer for the ACK? */
static bool is_awaited(const struct tl_stack *stack, const tport_t *tport)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, stack->legs);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (is_brought_by(stack, key, tport))
			return true;
	return false;
}

/* Who has closed both sides shows it to who writes: better to lose this than an answer. (After one,
 * NTA repeats it.) */
static void probe(const struct tl_stack *stack, const tport_t *tport)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, stack->legs);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct tl_leg *leg = key;

		if (!is_brought_by(stack, leg, tport) || nta_incoming_status(leg->invite) >= 200)
			continue;
		nta_incoming_treply(leg->invite, SIP_100_TRYING, TAG_END());
		return;
	}
}

struct mute {
	tport_t *tport;
	bool probed;
};

static void mute_free(gpointer data)
{
	struct mute *mute = data;

	tport_unref(mute->tport);
	g_free(mute);
}

/* May it go? */
static bool is_done(const struct tl_stack *stack, struct mute *mute)
{
	if (tport_is_closed(mute->tport))
		return true;
	if (!is_awaited(stack, mute->tport)) {
		(void)tport_shutdown(mute->tport, READ_AND_WRITE);
		return true;
	}
	if (!mute->probed)
		probe(stack, mute->tport);
	mute->probed = true;
	return false;
}

static void on_look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_stack *stack = (struct tl_stack *)arg;

	for (guint i = stack->mutes->len; i > 0; i--)
		if (is_done(stack, stack->mutes->pdata[i - 1]))
			g_ptr_array_remove_index_fast(stack->mutes, i - 1);
	if (stack->mutes->len > 0)
		tl_timer_start(&stack->mute_timer, stack->root, LOOK_MS, on_look, stack);
}

static gboolean is_of(gconstpointer mute, gconstpointer tport)
{
	return ((const struct mute *)mute)->tport == tport;
}

/* In Sofia's stead. It means to close a connection: when the peer has ended its side, too. */
int tport_shutdown0(tport_t *self, int how)
{
	struct tl_stack *stack = serving;
	struct mute *mute;

	if (!their_shutdown0)
		return -1;
	if (how != READ_AND_WRITE || !stack || !tport_is_tcp(self) || tport_has_tls(self) ||
	    g_ptr_array_find_with_equal_func(stack->mutes, self, is_of, NULL) ||
	    !is_awaited(stack, self))
		return their_shutdown0(self, how);
	mute = g_new0(struct mute, 1);
	mute->tport = tport_ref(self);
	g_ptr_array_add(stack->mutes, mute);
	tl_timer_start(&stack->mute_timer, stack->root, 0, on_look, stack);
	return their_shutdown0(self, READ);
}

/* --- from start to end --- */

bool tl_stack_returns_start(struct tl_stack *stack)
{
	their_tsend =
		(tport_t * (*)(tport_t *, msg_t *, tp_name_t const *, tag_type_t, tag_value_t, ...))
			dlsym(RTLD_NEXT, "tport_tsend");
	their_shutdown0 = (int (*)(tport_t *, int))dlsym(RTLD_NEXT, "tport_shutdown0");
	stack->mutes = g_ptr_array_new_with_free_func(mute_free);
	serving = stack;
	return their_tsend && their_shutdown0;
}

void tl_stack_returns_stop(struct tl_stack *stack)
{
	serving = NULL;
	tl_timer_stop(&stack->mute_timer);
	g_clear_pointer(&stack->mutes, g_ptr_array_unref);
}
