#include "b2bua/sip/stack_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_errno.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/nta_tport.h>
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/nameservers.h"
#include "b2bua/sip/stack_fork.h"

enum {
	MESSAGE_BYTES = 65535,  /* a longer one gets 413 */
	UDP_MTU = 65535,        /* of a request: see open_agent() */
	PROCEEDING_MAX = 20000, /* requests not yet answered; more get 503 */
	TCP_IDLE_MS = 1800000,
	SOCKET_BYTES = 4 << 20, /* asked of the kernel, for bursts */
	/* Which unreadable headers make NTA drop a response: none, for then its request would
	 * never end. The leg looks at what it needs. No header has this bit. */
	BAD_RESPONSE_MASK = 1 << 30,
};

static void port_free(struct tl_port *port)
{
	g_free(port->host);
	g_free(port->ident);
	g_free(port);
}

/* A port of 0 was asked for: which one has it become? */
static uint16_t bound_port(const struct tl_stack *stack, const struct tl_port *port)
{
	tport_t *tport;
	uint16_t found = port->asked;

	for (tport = tport_primaries(nta_agent_tports(stack->agent)); tport;
	     tport = tport_next(tport)) {
		const tp_name_t *name = tport_name(tport);

		if (!name->tpn_ident || strcmp(name->tpn_ident, port->ident) != 0 ||
		    g_ascii_strcasecmp(name->tpn_proto, tl_transport_name(port->transport)) != 0)
			continue;
		if (port->asked == 0 || atoi(name->tpn_port) == port->asked)
			found = (uint16_t)atoi(name->tpn_port);
	}
	return found;
}

/*
 * Given "0.0.0.0", Sofia opens a socket for each address that the machine has at
 * that moment; the same written otherwise makes one socket for all, those to come
 * too. The host before maddr stands in headers that bear no better one. ("::" is
 * left as it is: Sofia's one socket for all would claim the IPv4 port, too.)
 */
static char *listen_url(const struct tl_listen *listen)
{
	const char *transport = tl_transport_name(listen->transport);

	if (strcmp(listen->host, "0.0.0.0") == 0)
		return g_strdup_printf("sip:127.0.0.1:%u;transport=%s;maddr=0.0", listen->port,
				       transport);
	return g_strdup_printf(strchr(listen->host, ':') ? "sip:[%s]:%u;transport=%s"
							 : "sip:%s:%u;transport=%s",
			       listen->host, listen->port, transport);
}

static int open_port(struct tl_stack *stack, const struct tl_listen *listen)
{
	g_autofree char *url = listen_url(listen);
	struct tl_port *port;

	if (listen->transport == TL_TRANSPORT_TLS) {
		g_warning("listen tls:%s:%u: there is no TLS yet, not opened", listen->host,
			  listen->port);
		return 0;
	}
	port = g_new0(struct tl_port, 1);
	*port = (struct tl_port) { .transport = listen->transport,
				   .host = g_strdup(listen->host),
				   .ident = g_strdup(listen->host),
				   .asked = listen->port,
				   .stays = true };
	if (nta_agent_add_tport(stack->agent, URL_STRING_MAKE(url), TPTAG_IDENT(port->ident),
				TPTAG_IDLE(TCP_IDLE_MS), TPTAG_PONG2PING(1),
				TPTAG_UDP_RMEM(SOCKET_BYTES), TPTAG_UDP_WMEM(SOCKET_BYTES),
				TAG_END()) < 0) {
		int r = su_errno() ? -su_errno() : -EADDRNOTAVAIL;

		g_warning("listen %s:%s:%u: %s", tl_transport_name(listen->transport), listen->host,
			  listen->port, g_strerror(-r));
		port_free(port);
		return r;
	}
	port->port = bound_port(stack, port);
	port->fd = tl_port_find_fd(port);
	g_ptr_array_add(stack->ports, port);
	g_message("listen %s:%s:%u", tl_transport_name(listen->transport), listen->host,
		  port->port);
	return 0;
}

static struct tl_port *find_listen(const struct tl_stack *stack, const struct tl_listen *listen)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		struct tl_port *port = stack->ports->pdata[i];

		if (port->transport == listen->transport && port->asked == listen->port &&
		    strcmp(port->host, listen->host) == 0)
			return port;
	}
	return NULL;
}

static void warn_of_leftovers(const struct tl_stack *stack)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		const struct tl_port *port = stack->ports->pdata[i];

		if (!port->stays)
			g_warning("listen %s:%s:%u is not configured any more; it stays open "
				  "until a restart",
				  tl_transport_name(port->transport), port->host, port->port);
	}
}

static void copy_text(char **text, const char *value)
{
	g_free(*text);
	*text = g_strdup(value);
}

int tl_stack_configure(struct tl_stack *stack, const struct tl_gateway *gateway)
{
	int r = 0;

	copy_text(&stack->domain, gateway->domain ? gateway->domain : "localhost");
	copy_text(&stack->advertise, gateway->advertise);
	stack->session_min_s = gateway->session_min_s ? gateway->session_min_s : 90;
	copy_text(&stack->user_agent, gateway->user_agent ? gateway->user_agent : "Twinleg");
	for (guint i = 0; i < stack->ports->len; i++)
		((struct tl_port *)stack->ports->pdata[i])->stays = false;
	for (size_t i = 0; i < gateway->n_listen; i++) {
		struct tl_port *port = find_listen(stack, &gateway->listen[i]);
		int failed = 0;

		if (port)
			port->stays = true;
		else if (gateway->listen[i].transport == TL_TRANSPORT_TLS)
			g_warning("listen tls:%s:%u: not opened, this version speaks no TLS",
				  gateway->listen[i].host, gateway->listen[i].port);
		else
			failed = open_port(stack, &gateway->listen[i]);
		if (failed < 0 && r == 0)
			r = failed;
	}
	warn_of_leftovers(stack);
	return r;
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
		NTATAG_PASS_100(0), NTATAG_EXTRA_100(0), NTATAG_SERVER_RPORT(2), NTATAG_REL100(0),
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
	stack->ports = g_ptr_array_new_with_free_func((GDestroyNotify)port_free);
	stack->legs = g_hash_table_new(NULL, NULL);
	su_randmem(stack->tag_key, sizeof(stack->tag_key));
	stack->forks = tl_forks_new(stack);
	stack->mclass = tl_guard_mclass_new(stack);
	if (tl_nameservers_new(root, &stack->nameservers) == 0)
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
	nta_agent_destroy(stack->agent);
	tl_guard_mclass_free(stack->mclass);
	tl_forks_free(stack->forks);
	tl_nameservers_free(stack->nameservers);
	g_hash_table_destroy(stack->legs);
	g_ptr_array_free(stack->ports, TRUE);
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

su_root_t *tl_stack_root(struct tl_stack *stack)
{
	return stack->root;
}

nta_agent_t *tl_stack_agent(struct tl_stack *stack)
{
	return stack->agent;
}
