#include "b2bua/sip/stack_priv.h"
#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_errno.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/nta_tport.h>
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/nameservers.h"
#include "b2bua/sip/stack_accept.h"
#include "b2bua/sip/stack_fork.h"
#include "b2bua/sip/stack_stream.h"
#include "b2bua/sip/stack_stun.h"

enum {
	MESSAGE_BYTES = 65535,  /* a longer one gets 413 */
	UDP_MTU = 65535,        /* of a request: see open_agent() */
	PROCEEDING_MAX = 20000, /* requests not yet answered; more get 503 */
	/* Which unreadable headers make NTA drop a response: none, for then its request would
	 * never end. The leg looks at what it needs. No header has this bit. */
	BAD_RESPONSE_MASK = 1 << 30,
};

static void copy_text(char **text, const char *value)
{
	g_free(*text);
	*text = g_strdup(value);
}

int tl_stack_configure(struct tl_stack *stack, const struct tl_gateway *gateway)
{
	copy_text(&stack->domain, gateway->domain ? gateway->domain : "localhost");
	copy_text(&stack->advertise, gateway->advertise);
	stack->session_min_s = gateway->session_min_s ? gateway->session_min_s : 90;
	copy_text(&stack->user_agent, gateway->user_agent ? gateway->user_agent : "Twinleg");
	return tl_stack_ports_configure(stack, gateway);
}

/*
 * RFC 3261 18.1.1 wants TCP for requests over 1300 bytes. Few telephones and
 * carriers that speak UDP listen on TCP too, and where a firewall drops the SYN
 * a call would wait five seconds: so a UDP peer gets UDP, as everybody does it.
 */
static nta_agent_t *open_agent(struct tl_stack *stack)
{
	return nta_agent_create(
		stack->root, (url_string_t *)-1, tl_stack_on_message, (nta_agent_magic_t *)stack,
		NTATAG_MCLASS(stack->mclass), NTATAG_UA(1), NTATAG_MERGE_482(1),
		NTATAG_CANCEL_487(1), NTATAG_CANCEL_2543(0), NTATAG_TIMEOUT_408(1),
		NTATAG_PASS_100(0), NTATAG_EXTRA_100(0), NTATAG_SERVER_RPORT(1), NTATAG_REL100(0),
		NTATAG_USE_TIMESTAMP(0), NTATAG_UDP_MTU(UDP_MTU), NTATAG_MAXSIZE(MESSAGE_BYTES),
		NTATAG_MAX_PROCEEDING(PROCEEDING_MAX), NTATAG_BLACKLIST(0),
		NTATAG_BAD_RESP_MASK(BAD_RESPONSE_MASK),
		SRESTAG_RESOLV_CONF(tl_nameservers_path(stack->nameservers)), TAG_END());
}

int tl_stack_new(su_root_t *root, const struct tl_stack_cfg *cfg, struct tl_stack **ret_stack)
{
	struct tl_stack *stack = g_new0(struct tl_stack, 1);
	int r;

	stack->root = root;
	stack->cfg = *cfg;
	tl_stack_ports_init(stack);
	stack->legs = g_hash_table_new(NULL, NULL);
	stack->followers = g_hash_table_new(NULL, NULL);
	su_randmem(stack->tag_key, sizeof(stack->tag_key));
	stack->forks = tl_forks_new(stack);
	stack->mclass = tl_guard_mclass_new(stack);
	tl_accept_start();
	tl_stun_plug_in();
	if (tl_stream_limit(MESSAGE_BYTES) && tl_stack_returns_start(stack) &&
	    tl_nameservers_new(root, &stack->nameservers) == 0)
		stack->agent = open_agent(stack);
	if (!stack->agent) {
		tl_stack_free(stack);
		return -ENOMEM;
	}
	r = tl_stack_configure(stack, cfg->gateway);
	if (r < 0) {
		tl_stack_free(stack);
		return r;
	}
	*ret_stack = stack;
	return 0;
}

void tl_stack_free(struct tl_stack *stack)
{
	if (!stack)
		return;
	tl_legs_end(stack);
	tl_stack_returns_stop(stack);
	nta_agent_destroy(stack->agent);
	tl_guard_mclass_free(stack->mclass);
	tl_forks_free(stack->forks);
	tl_nameservers_free(stack->nameservers);
	g_hash_table_destroy(stack->legs);
	g_hash_table_destroy(stack->followers);
	tl_stack_ports_done(stack);
	tl_accept_stop();
	g_free(stack->domain);
	g_free(stack->advertise);
	g_free(stack->user_agent);
	g_free(stack);
}

unsigned tl_stack_legs(const struct tl_stack *stack)
{
	return g_hash_table_size(stack->legs);
}

const char *tl_stack_domain(const struct tl_stack *stack)
{
	return stack->domain;
}

su_root_t *tl_stack_root(const struct tl_stack *stack)
{
	return stack->root;
}

nta_agent_t *tl_stack_agent(struct tl_stack *stack)
{
	return stack->agent;
}

const char *tl_stack_resolv_conf(const struct tl_stack *stack)
{
	return tl_nameservers_path(stack->nameservers);
}
