/*
 * What we listen to, opened and closed while calls go on.
 *
 * Sofia can open a port at any time, but close none. So a port that is to go is closed behind its
 * back: dup2() puts a fresh socket that nobody sends to in the place of the one that listens, one
 * that never waits, since Sofia may be about to read it; the kernel closes that one and takes it
 * out of the epoll set, and Sofia keeps a descriptor that never stirs. Each port has a name of its
 * own (ident), and every request of ours names one, so that none leaves by what is closed.
 * Connections made through a port are sockets of their own and stay.
 *
 * A port is closed when the last call that came or went by it has ended, since its peers have the
 * address in their dialogs; without such calls, at once.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/su_errno.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/leg/leg_priv.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/tls.h"

enum {
	TCP_IDLE_MS = 1800000,
	SOCKET_BYTES = 4 << 20, /* asked of the kernel, for bursts */
};

static void port_free(void *data)
{
	struct tl_port *port = data;

	tl_tls_free(port->tls);
	if (port->users)
		g_hash_table_destroy(port->users);
	g_free(port->host);
	g_free(port->ident);
	g_free(port);
}

void tl_stack_ports_init(struct tl_stack *stack)
{
	stack->ports = g_ptr_array_new_with_free_func(port_free);
	stack->clients =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)tl_tls_free);
	tl_tls_start(stack->root);
	tl_stack_sources_start(stack);
}

void tl_stack_ports_done(struct tl_stack *stack)
{
	tl_stack_sources_stop();
	g_ptr_array_free(stack->ports, TRUE);
	g_hash_table_destroy(stack->clients);
	tl_tls_stop();
}

/* --- opening --- */

/* A port of 0 was asked for: which one has it become? */
static uint16_t bound_port(const struct tl_stack *stack, const struct tl_port *port)
{
	for (tport_t *tport = tport_primaries(nta_agent_tports(stack->agent)); tport;
	     tport = tport_next(tport)) {
		const tp_name_t *name = tport_name(tport);

		if (name->tpn_ident && strcmp(name->tpn_ident, port->ident) == 0)
			return (uint16_t)atoi(name->tpn_port);
	}
	return port->asked;
}

/*
 * Given "0.0.0.0", Sofia opens a socket for each address that the machine has at
 * that moment; the same written otherwise makes one socket for all, those to come
 * too. The host before maddr stands in headers that bear no better one. ("::" is
 * left as it is: Sofia's one socket for all would claim the IPv4 port, too.)
 */
static char *listen_url(const struct tl_listen *listen)
{
	bool secure = listen->transport == TL_TRANSPORT_TLS;
	bool v6 = strchr(listen->host, ':') != NULL;
	bool wildcard = strcmp(listen->host, "0.0.0.0") == 0;

	return g_strdup_printf(
		"%s:%s%s%s:%u%s%s%s", secure ? "sips" : "sip", v6 ? "[" : "",
		wildcard ? "127.0.0.1" : listen->host, v6 ? "]" : "", listen->port,
		secure ? "" : ";transport=", secure ? "" : tl_transport_name(listen->transport),
		wildcard ? ";maddr=0.0" : "");
}

static int open_tls(struct tl_stack *stack, struct tl_port *port, const char *url,
		    const struct tl_gateway *gateway)
{
	g_autofree char *label = g_strdup_printf("listen tls:%s:%u", port->host, port->asked);
	struct tl_tls_cfg cfg = { .label = label,
				  .certificate = gateway->certificate,
				  .private_key = gateway->private_key,
				  .authorities = gateway->ca };

	if (port->tls)
		return tl_tls_configure(port->tls, &cfg);
	return tl_tls_new(stack->agent, url, port->ident, &cfg, &port->tls);
}

static int open_plain(struct tl_stack *stack, struct tl_port *port, const char *url)
{
	int r;

	if (nta_agent_add_tport(stack->agent, URL_STRING_MAKE(url), TPTAG_IDENT(port->ident),
				TPTAG_IDLE(TCP_IDLE_MS), TPTAG_PONG2PING(1),
				TPTAG_UDP_RMEM(SOCKET_BYTES), TPTAG_UDP_WMEM(SOCKET_BYTES),
				TAG_END()) >= 0)
		return 0;
	r = su_errno() ? -su_errno() : -EADDRNOTAVAIL;
	g_warning("listen %s:%s:%u: %s", tl_transport_name(port->transport), port->host,
		  port->asked, g_strerror(-r));
	return r;
}

/*
 * Whenever one is added Sofia makes the Vias of all listening transports anew (agent_init_via)
 * and frees the old ones, which open connections point at: what comes by those would be refused
 * from then on, or worse. Out of its sight for that moment, the old ones live on with the agent.
 */
static GHashTable *hide_vias(const struct tl_stack *stack)
{
	GHashTable *vias = g_hash_table_new(NULL, NULL);
	tport_t *master = nta_agent_tports(stack->agent);

	for (tport_t *tport = master ? tport_primaries(master) : NULL; tport;
	     tport = tport_next(tport)) {
		g_hash_table_insert(vias, tport, tport_magic(tport));
		tport_set_magic(tport, NULL);
	}
	return vias;
}

/* Where nothing was added they are still the ones. Takes vias. */
static void show_vias(const struct tl_stack *stack, GHashTable *vias)
{
	tport_t *master = nta_agent_tports(stack->agent);

	for (tport_t *tport = master ? tport_primaries(master) : NULL; tport;
	     tport = tport_next(tport))
		if (!tport_magic(tport))
			tport_set_magic(tport, g_hash_table_lookup(vias, tport));
	g_hash_table_destroy(vias);
}

static int open_port(struct tl_stack *stack, const struct tl_listen *listen,
		     const struct tl_gateway *gateway)
{
	g_autofree char *url = listen_url(listen);
	struct tl_port *port = g_new0(struct tl_port, 1);
	GHashTable *vias = hide_vias(stack);
	int r;

	stack->opened++;
	*port = (struct tl_port) { .transport = listen->transport,
				   .host = g_strdup(listen->host),
				   .ident = g_strdup_printf("listen/%u", stack->opened),
				   .serial = stack->opened,
				   .asked = listen->port,
				   .stays = true };
	r = port->transport == TL_TRANSPORT_TLS ? open_tls(stack, port, url, gateway)
						: open_plain(stack, port, url);
	show_vias(stack, vias);
	if (r < 0) {
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

/* --- closing --- */

/* Is fd the socket that the port is bound to, and not a connection made through it? */
static bool is_socket_of(int fd, const struct tl_port *port)
{
	int wanted = port->transport == TL_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int type = 0, listens = 0;
	struct sockaddr_storage own, bound = { 0 };
	socklen_t bytes = sizeof(type), own_bytes = sizeof(bound), listens_bytes = sizeof(listens);

	if (!tl_address_parse(port->host, port->port, &own) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 || type != wanted ||
	    getsockname(fd, (struct sockaddr *)&bound, &own_bytes) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_bytes) < 0)
		return false;
	return tl_address_equal((struct sockaddr *)&own, (struct sockaddr *)&bound) &&
	       (type == SOCK_DGRAM || listens);
}

static int socket_of(const struct tl_port *port)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	while (dir && found < 0 && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && is_socket_of(fd, port))
			found = fd;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void close_port(struct tl_stack *stack, struct tl_port *port)
{
	int fd = socket_of(port),
	    mute = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || mute < 0 || dup3(mute, fd, O_CLOEXEC) < 0)
		g_warning("listen %s:%s:%u could not be closed", tl_transport_name(port->transport),
			  port->host, port->port);
	else
		g_message("listen %s:%s:%u closed", tl_transport_name(port->transport), port->host,
			  port->port);
	if (mute >= 0)
		close(mute);
	g_ptr_array_remove(stack->ports, port); /* frees it */
}

static void leave(struct tl_stack *stack, struct tl_port *port)
{
	GHashTableIter iter;
	gpointer key;

	port->users = g_hash_table_new(NULL, NULL);
	g_hash_table_iter_init(&iter, stack->legs);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct tl_leg *leg = key;

		if (leg->port_serial == port->serial)
			g_hash_table_add(port->users, key);
	}
	if (g_hash_table_size(port->users) > 0)
		g_message("listen %s:%s:%u is closed when %u legs have ended",
			  tl_transport_name(port->transport), port->host, port->port,
			  g_hash_table_size(port->users));
}

void tl_stack_ports_forget(struct tl_stack *stack, struct tl_leg *leg)
{
	for (guint i = stack->ports->len; i > 0; i--) {
		struct tl_port *port = stack->ports->pdata[i - 1];

		if (port->users && g_hash_table_remove(port->users, leg) &&
		    g_hash_table_size(port->users) == 0)
			close_port(stack, port);
	}
}

/* --- the configuration --- */

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

static int keep_port(struct tl_stack *stack, struct tl_port *port, const struct tl_gateway *gateway)
{
	port->stays = true;
	g_clear_pointer(&port->users, g_hash_table_destroy);
	/* a certificate that was renewed; one that is no good leaves the old one in its place */
	return port->tls ? open_tls(stack, port, NULL, gateway) : 0;
}

/* Those that go wait for calls, if need be; opening comes first, so that these find the others. */
static void close_rest(struct tl_stack *stack)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		struct tl_port *port = stack->ports->pdata[i];

		if (!port->stays && !port->users)
			leave(stack, port);
	}
	for (guint i = stack->ports->len; i > 0; i--) {
		struct tl_port *port = stack->ports->pdata[i - 1];

		if (port->users && g_hash_table_size(port->users) == 0)
			close_port(stack, port);
	}
}

int tl_stack_ports_configure(struct tl_stack *stack, const struct tl_gateway *gateway)
{
	int r = 0;

	for (guint i = 0; i < stack->ports->len; i++)
		((struct tl_port *)stack->ports->pdata[i])->stays = false;
	for (size_t i = 0; i < gateway->n_listen; i++) {
		struct tl_port *port = find_listen(stack, &gateway->listen[i]);
		int failed = port ? keep_port(stack, port, gateway)
				  : open_port(stack, &gateway->listen[i], gateway);

		if (failed < 0 && r == 0)
			r = failed;
	}
	close_rest(stack);
	return r;
}

/* --- client sides --- */

/* Nothing that waits for this client's connection will hear of it otherwise. */
static void on_client_failed(void *user, const char *label)
{
	struct tl_stack *stack = user;
	g_autoptr(GList) legs = g_hash_table_get_keys(stack->legs);
	const char *name = strchr(label, '=') ? strchr(label, '=') + 1 : label;

	for (GList *l = legs; l; l = l->next)
		if (g_hash_table_contains(stack->legs, l->data))
			tl_leg_unreachable(l->data, name);
}

int tl_stack_client(struct tl_stack *stack, const char *name, const struct tl_tls_cfg *cfg)
{
	struct tl_tls *tls = g_hash_table_lookup(stack->clients, name);
	struct tl_tls_cfg own = *cfg;
	g_autofree char *ident = g_strdup_printf("client/%s", name);
	int r;

	own.on_failed = on_client_failed;
	own.user = stack;
	if (tls)
		return tl_tls_configure(tls, &own);
	r = tl_tls_new(stack->agent, NULL, ident, &own, &tls);
	if (r == 0)
		g_hash_table_insert(stack->clients, g_strdup(name), tls);
	return r;
}
