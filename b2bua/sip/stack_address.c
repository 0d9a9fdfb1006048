/* Which address of ours stands towards which peer. */
#include "b2bua/sip/stack_priv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/nta_tport.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/tls.h"

enum {
	DISCARD_PORT = 9,
	WAYS = 64,        /* a power of two */
	WAY_US = 1000000, /* so soon a change of the routing table is seen */
};

bool tl_stack_literal(const char *host, struct sockaddr_storage *ret_addr)
{
	return host && tl_address_parse(host, 0, ret_addr);
}

static socklen_t length_of(const struct sockaddr *addr)
{
	return addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
}

static void set_port(struct sockaddr_storage *addr, uint16_t port)
{
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)addr)->sin_port = htons(port);
}

static int ask_routes(const struct sockaddr_storage *to, struct sockaddr_storage *ret_ip)
{
	struct sockaddr_storage local = { 0 };
	socklen_t bytes = sizeof(local), length = length_of((const struct sockaddr *)to);
	int fd, r = 0;

	fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connect() of a datagram socket only asks the routing table */
	if (connect(fd, (const struct sockaddr *)to, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)&local, &bytes) < 0)
		r = -errno;
	close(fd);
	if (r < 0)
		return r;
	set_port(&local, 0);
	*ret_ip = local;
	return 0;
}

static unsigned hash(const struct sockaddr_storage *addr)
{
	const unsigned char *bytes = (const unsigned char *)addr;
	unsigned sum = 5381;

	for (socklen_t i = 0; i < length_of((const struct sockaddr *)addr); i++)
		sum = sum * 33 + bytes[i];
	return sum;
}

/* A call asks eight times or so, mostly for the same two peers. */
int tl_stack_local_ip(const struct sockaddr *peer, struct sockaddr_storage *ret_ip)
{
	static struct way { /* the signalling thread's */
		struct sockaddr_storage to, local;
		int64_t until_us;
	} ways[WAYS];
	struct sockaddr_storage to = { 0 };
	int64_t now_us = g_get_monotonic_time();
	struct way *way;
	int r;

	if (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&to, peer, length_of(peer));
	set_port(&to, DISCARD_PORT);
	way = &ways[hash(&to) % WAYS];
	if (now_us >= way->until_us || memcmp(&way->to, &to, sizeof to) != 0) {
		r = ask_routes(&to, &way->local);
		way->until_us = r < 0 ? 0 : now_us + WAY_US;
		if (r < 0)
			return r;
		way->to = to;
	}
	*ret_ip = way->local;
	return 0;
}

bool tl_stack_is_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)addr)->sin6_addr);
	return ((const struct sockaddr_in *)addr)->sin_addr.s_addr == INADDR_ANY;
}

/* The port that packets to a peer had best come from: the one bound to the address that the
 * routing table names, else one bound to all, else any of the family. */
static struct tl_port *find_port(const struct tl_stack *stack, enum tl_transport transport,
				 bool any_transport, const struct sockaddr *peer)
{
	struct sockaddr_storage local, own;
	struct tl_port *wildcard = NULL, *other = NULL;

	if (tl_stack_local_ip(peer, &local) < 0)
		return NULL;
	for (guint i = 0; i < stack->ports->len; i++) {
		struct tl_port *port = stack->ports->pdata[i];

		if ((!any_transport && port->transport != transport) ||
		    !tl_stack_literal(port->host, &own) || own.ss_family != local.ss_family)
			continue;
		if (!port->stays) { /* on its way out: better than none */
			other = other ? other : port;
			continue;
		}
		if (tl_address_same_host((struct sockaddr *)&own, (struct sockaddr *)&local))
			return port;
		if (tl_stack_is_wildcard(&own) && !wildcard)
			wildcard = port;
		if (!other || !other->stays)
			other = port;
	}
	return wildcard ? wildcard : other;
}

struct tl_port *tl_stack_find_port(const struct tl_stack *stack, enum tl_transport transport,
				   const struct sockaddr *peer)
{
	return find_port(stack, transport, false, peer);
}

int tl_stack_media_ip(const struct tl_stack *stack, const struct sockaddr *peer,
		      struct sockaddr_storage *ret_ip)
{
	const struct tl_port *port = find_port(stack, TL_TRANSPORT_UDP, true, peer);
	struct sockaddr_storage own;

	if (!port || !tl_stack_literal(port->host, &own) || tl_stack_is_wildcard(&own))
		return tl_stack_local_ip(peer, ret_ip);
	*ret_ip = own;
	return 0;
}

static enum tl_transport transport_named(const char *name)
{
	for (int t = 0; name && t < _TL_TRANSPORT_MAX; t++)
		if (g_ascii_strcasecmp(name, tl_transport_name((enum tl_transport)t)) == 0)
			return (enum tl_transport)t;
	return TL_TRANSPORT_UDP;
}

void tl_stack_source(const struct tl_stack *stack, msg_t *msg, struct sockaddr_storage *ret_source,
		     enum tl_transport *ret_transport)
{
	const su_sockaddr_t *from = msg_addr(msg);
	tport_t *tport = tport_delivered_by(nta_agent_tports(stack->agent), msg);

	memset(ret_source, 0, sizeof(*ret_source));
	if (from && (from->su_family == AF_INET || from->su_family == AF_INET6))
		memcpy(ret_source, &from->su_sa, length_of(&from->su_sa));
	*ret_transport = tport ? transport_named(tport_name(tport)->tpn_proto) : TL_TRANSPORT_UDP;
}

/* What stands for us in a Contact towards peer. */
static const char *contact_host(const struct tl_stack *stack, su_home_t *home,
				const struct tl_port *port, const struct sockaddr *peer)
{
	struct sockaddr_storage own;
	char text[INET6_ADDRSTRLEN];
	const void *ip;

	if (stack->advertise && !tl_address_is_inside(peer))
		return tl_host_format(home, stack->advertise);
	if (port && tl_stack_literal(port->host, &own) && !tl_stack_is_wildcard(&own))
		return tl_host_format(home, port->host);
	if (tl_stack_local_ip(peer, &own) < 0)
		return tl_host_format(home, stack->domain);
	ip = own.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&own)->sin6_addr
				       : (void *)&((struct sockaddr_in *)&own)->sin_addr;
	return tl_host_format(home, inet_ntop(own.ss_family, ip, text, sizeof(text)));
}

/* Has this peer connected to us? Then what is for it goes the same way back. */
static bool is_connected(const struct sockaddr_storage *peer, const char *port)
{
	struct sockaddr_storage addr = *peer;

	set_port(&addr, (uint16_t)g_ascii_strtoull(port ? port : "5061", NULL, 10));
	return tl_tls_accepted((struct sockaddr *)&addr);
}

struct tl_origin tl_stack_client_origin(const struct tl_stack *stack, su_home_t *home,
					const url_t *url, const char *client)
{
	static const char *const names[_TL_TRANSPORT_MAX] = { "UDP", "TCP", "TLS" };
	struct tl_origin origin = { 0 };
	enum tl_transport transport;
	struct sockaddr_storage peer;
	const struct tl_port *port;
	bool dials;

	if (!url || !tl_stack_literal(url->url_host, &peer))
		return origin;
	transport = tl_uri_transport(url);
	port = tl_stack_find_port(stack, transport, (struct sockaddr *)&peer);
	dials = client && transport == TL_TRANSPORT_TLS &&
		g_hash_table_contains(stack->clients, client) &&
		!is_connected(&peer, url->url_port);
	if (!port && !dials)
		return origin;
	/* Sofia keeps the pointer as long as a transaction lives, which may outlive all of ours */
	origin.ident = g_intern_string(dials ? su_sprintf(home, "client/%s", client) : port->ident);
	origin.via = su_sprintf(home, "SIP/2.0/%s %s:%u;rport", names[transport],
				contact_host(stack, home, port, (struct sockaddr *)&peer),
				port ? port->port : 5061u);
	return origin;
}

struct tl_origin tl_stack_origin(const struct tl_stack *stack, su_home_t *home, const url_t *url)
{
	return tl_stack_client_origin(stack, home, url, NULL);
}

char *tl_stack_contact(struct tl_stack *stack, su_home_t *home, const char *user,
		       enum tl_transport transport, const struct sockaddr *peer)
{
	const struct tl_port *port = tl_stack_find_port(stack, transport, peer);
	const char *host = contact_host(stack, home, port, peer);
	const char *escaped = user && *user ? tl_user_escape(home, user) : "";

	return su_sprintf(home, "<sip:%s%s%s:%u%s%s>", escaped, *escaped ? "@" : "", host,
			  port                            ? port->port
			  : transport == TL_TRANSPORT_TLS ? 5061u
							  : 5060u,
			  transport == TL_TRANSPORT_UDP ? "" : ";transport=",
			  transport == TL_TRANSPORT_UDP ? "" : tl_transport_name(transport));
}

bool tl_stack_speaks(const struct tl_stack *stack, int family)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		const struct tl_port *port = stack->ports->pdata[i];
		struct sockaddr_storage own;

		if (port->stays && tl_stack_literal(port->host, &own) && own.ss_family == family)
			return true;
	}
	return false;
}

uint16_t tl_stack_port(const struct tl_stack *stack, enum tl_transport transport)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		const struct tl_port *port = stack->ports->pdata[i];

		if (port->transport == transport)
			return port->port;
	}
	return 0;
}
