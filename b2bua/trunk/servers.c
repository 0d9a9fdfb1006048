#include "b2bua/trunk/servers.h"
#include <string.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport_tag.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/headers.h"
#include "b2bua/sip/stack.h"
#include "b2bua/sip/timer.h"
#include "b2bua/trunk/resolve.h"

enum {
	TICK_MS = 1000,
	BLAMED_S = 30,       /* so long a server that failed stands last */
	PING_ANSWER_S = 4,   /* later than that is no answer */
	PING_DOWN_S = 5,     /* a server that is down is asked at least so often */
	RESOLVE_AGAIN_S = 5, /* after a failure */
};

/* A server, and what we know of it. */
struct server {
	struct tl_servers *servers;
	char *hop; /* "sip:192.0.2.1:5060;transport=udp": its name, too */
	struct tl_server at;
	bool stays; /* found again */
	int64_t blamed_until_us;
	bool asked, down; /* by OPTIONS */
	int64_t ping_us;  /* sent at; 0: never */
	nta_outgoing_t *ping;
};

struct place {
	struct tl_servers *servers;
	unsigned index;
	char *host;
	uint16_t port;
	enum tl_transport transport;
	struct tl_resolve *resolve; /* under way, or NULL */
	int64_t again_us;           /* to be resolved then; 0: is an address */
};

struct tl_servers {
	struct tl_stack *stack;
	sres_resolver_t *resolver;
	char *name, *user_agent, *aor;
	unsigned ping_s;
	GPtrArray *places;  /* struct place */
	GPtrArray *servers; /* struct server */
	nta_leg_t *leg;     /* of the pings; NULL: none are sent */
	su_timer_t *timer;  /* NULL: there is nothing to do */
	enum tl_servers_state state;
};

static int64_t now_us(void)
{
	return g_get_monotonic_time();
}

static void server_free(void *data)
{
	struct server *server = data;

	if (server->ping)
		nta_outgoing_destroy(server->ping);
	g_free(server->hop);
	g_free(server);
}

static void place_free(void *data)
{
	struct place *place = data;

	tl_resolve_free(place->resolve);
	g_free(place->host);
	g_free(place);
}

/* --- up and down --- */

static const char *hop_text(const struct server *server)
{
	return server->hop + strlen("sip:");
}

/* Says it once, each time that it changes. */
static void judge(struct tl_servers *s)
{
	enum tl_servers_state state = TL_SERVERS_UNKNOWN;
	guint n_up = 0, n_down = 0;

	for (guint i = 0; i < s->servers->len; i++) {
		const struct server *server = s->servers->pdata[i];

		n_up += server->asked && !server->down;
		n_down += server->down;
	}
	if (n_up > 0)
		state = TL_SERVERS_UP;
	else if (n_down == s->servers->len) /* none at all, too */
		state = TL_SERVERS_DOWN;
	if (state == s->state)
		return;
	if (state == TL_SERVERS_DOWN)
		g_warning("trunk=%s down", s->name);
	else if (state == TL_SERVERS_UP || s->state == TL_SERVERS_DOWN)
		g_message("trunk=%s up", s->name);
	s->state = state;
}

static void set_down(struct server *server, bool down, int status)
{
	bool changed = !server->asked || server->down != down;

	server->asked = true;
	server->down = down;
	if (changed && down)
		g_warning("trunk=%s server=%s down status=%d", server->servers->name,
			  hop_text(server), status);
	else if (changed)
		g_message("trunk=%s server=%s up", server->servers->name, hop_text(server));
	judge(server->servers);
}

/* Any answer is a sign of life, but those that say: not now (RFC 3261 21.5.4), or nobody there. */
static int on_ping(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct server *server = (struct server *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	nta_outgoing_destroy(orq);
	server->ping = NULL;
	set_down(server, status == 503 || status == 408, status);
	return 0;
}

static void send_ping(struct server *server)
{
	struct tl_servers *s = server->servers;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	url_t *url = url_make(home, server->hop);
	struct tl_origin origin = tl_stack_client_origin(s->stack, home, url, s->name);

	server->ping_us = now_us();
	server->ping = nta_outgoing_tcreate(
		s->leg, on_ping, (nta_outgoing_magic_t *)server, URL_STRING_MAKE(server->hop),
		SIP_METHOD_OPTIONS, URL_STRING_MAKE(s->aor), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_USER_AGENT_STR(s->user_agent),
		TAG_IF(origin.ident, TPTAG_IDENT(origin.ident)),
		TAG_IF(origin.via, NTATAG_USER_VIA(1)), SIPTAG_VIA_STR(origin.via), TAG_END());
	su_home_deinit(home);
	if (!server->ping)
		set_down(server, true, 503);
}

static void look_after(struct server *server)
{
	struct tl_servers *s = server->servers;
	unsigned every_s = server->down ? MIN(s->ping_s, (unsigned)PING_DOWN_S) : s->ping_s;
	int64_t past_us = now_us() - server->ping_us;

	if (server->ping && past_us >= PING_ANSWER_S * G_USEC_PER_SEC) {
		nta_outgoing_destroy(server->ping);
		server->ping = NULL;
		set_down(server, true, 408);
	}
	if (!server->ping && (!server->ping_us || past_us >= every_s * G_USEC_PER_SEC))
		send_ping(server);
}

/* --- finding them --- */

static char *format_hop(const struct tl_server *at)
{
	char text[TL_ADDRESS_BYTES];

	return g_strdup_printf("sip:%s;transport=%s",
			       tl_address_text((const struct sockaddr *)&at->addr, text),
			       tl_transport_name(at->transport));
}

static struct server *find(const struct tl_servers *s, const char *hop)
{
	for (guint i = 0; i < s->servers->len; i++) {
		struct server *server = s->servers->pdata[i];

		if (strcmp(server->hop, hop) == 0)
			return server;
	}
	return NULL;
}

static void take_server(struct place *place, const struct tl_server *at)
{
	struct tl_servers *s = place->servers;
	g_autofree char *hop = format_hop(at);
	struct server *server = find(s, hop);

	if (!server) {
		server = g_new0(struct server, 1);
		server->servers = s;
		server->hop = g_steal_pointer(&hop);
		g_ptr_array_add(s->servers, server);
	}
	server->at = *at;
	server->at.place = place->index;
	server->stays = true;
}

/* Of a name with addresses of both families those count that we can be called back from. What the
 * configuration says itself counts in any case. */
static bool can_reach(const struct place *place, const struct tl_server *at)
{
	struct sockaddr_storage literal;

	return tl_stack_speaks(place->servers->stack, at->addr.ss_family) ||
	       tl_address_parse(place->host, 0, &literal);
}

static void on_resolved(void *user, const struct tl_server *found, size_t n, unsigned ttl_s)
{
	struct place *place = user;
	struct tl_servers *s = place->servers;

	place->resolve = NULL;
	place->again_us = now_us() + (n > 0 ? ttl_s : RESOLVE_AGAIN_S) * G_USEC_PER_SEC;
	for (guint i = 0; i < s->servers->len; i++) {
		struct server *server = s->servers->pdata[i];

		server->stays = n == 0 || server->at.place != place->index;
	}
	for (size_t i = 0; i < n; i++)
		if (can_reach(place, &found[i]))
			take_server(place, &found[i]);
	for (guint i = s->servers->len; i > 0; i--)
		if (!((struct server *)s->servers->pdata[i - 1])->stays)
			g_ptr_array_remove_index(s->servers, i - 1);
	judge(s);
}

static void look_up(struct place *place)
{
	struct sockaddr_storage addr;

	place->again_us = G_MAXINT64; /* set by the answer */
	place->resolve = tl_resolve_new(place->servers->resolver, place->host, place->port,
					place->transport, on_resolved, place);
	if (tl_address_parse(place->host, 0, &addr))
		place->again_us = G_MAXINT64;
}

static void on_tick(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_servers *s = (struct tl_servers *)arg;
	int64_t now = now_us();

	for (guint i = 0; i < s->places->len; i++) {
		struct place *place = s->places->pdata[i];

		if (now >= place->again_us)
			look_up(place);
	}
	for (guint i = 0; s->leg && i < s->servers->len; i++)
		look_after(s->servers->pdata[i]);
}

/* --- what callers want --- */

static uint32_t draw(void *user, uint32_t n)
{
	return (uint32_t)g_random_int_range(0, (gint32)MAX(n, 1u));
}

GPtrArray *tl_servers_list(struct tl_servers *s)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	struct tl_server order[TL_RESOLVE_SERVERS * 2];
	int64_t now = now_us();
	size_t n = 0;

	for (guint i = 0; i < s->servers->len && n < G_N_ELEMENTS(order); i++) {
		const struct server *server = s->servers->pdata[i];

		if (server->down)
			continue;
		order[n] = server->at;
		/* those that failed a moment ago stand behind all others */
		order[n].place += server->blamed_until_us > now ? 1000 : 0;
		n++;
	}
	tl_servers_sort(order, n, draw, NULL);
	for (size_t i = 0; i < n; i++)
		g_ptr_array_add(list, format_hop(&order[i]));
	return list;
}

static const char *health_of(const struct server *server)
{
	if (server->down)
		return "down";
	if (server->blamed_until_us > now_us())
		return "failed";
	return server->asked ? "up" : "known";
}

static uint32_t draw_first(void *user, uint32_t n)
{
	return 0; /* no chance: the same order each time */
}

GPtrArray *tl_servers_describe(const struct tl_servers *s)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	struct tl_server order[TL_RESOLVE_SERVERS * 2];
	size_t n = MIN(s->servers->len, (guint)G_N_ELEMENTS(order));

	for (size_t i = 0; i < n; i++)
		order[i] = ((const struct server *)s->servers->pdata[i])->at;
	tl_servers_sort(order, n, draw_first, NULL);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *hop = format_hop(&order[i]);
		const struct server *server = find(s, hop);

		if (server)
			g_ptr_array_add(texts, g_strdup_printf("%s %s", hop_text(server),
							       health_of(server)));
	}
	return texts;
}

const char *tl_servers_host(const struct tl_servers *s, const struct sockaddr *addr)
{
	for (guint i = 0; i < s->servers->len; i++) {
		const struct server *server = s->servers->pdata[i];
		const struct place *place = s->places->pdata[server->at.place];

		if (tl_address_equal((const struct sockaddr *)&server->at.addr, addr))
			return place->host;
	}
	return NULL;
}

void tl_servers_blame(struct tl_servers *s, const char *hop)
{
	struct server *server = find(s, hop);

	if (server)
		server->blamed_until_us = now_us() + BLAMED_S * G_USEC_PER_SEC;
}

enum tl_servers_state tl_servers_state(const struct tl_servers *servers)
{
	return servers->state;
}

/* --- life --- */

static void add_place(struct tl_servers *s, const char *host, uint16_t port,
		      enum tl_transport transport)
{
	struct place *place = g_new0(struct place, 1);

	*place = (struct place) { .servers = s,
				  .index = s->places->len,
				  .host = g_strdup(host),
				  .port = port,
				  .transport = transport };
	g_ptr_array_add(s->places, place);
}

static enum tl_transport transport_of(const struct tl_trunk_cfg *cfg, size_t i)
{
	enum tl_transport own = i == 0 ? cfg->transport : cfg->places[i].transport;

	return own == _TL_TRANSPORT_INVALID ? cfg->transport : own;
}

static uint16_t port_of(const struct tl_trunk_cfg *cfg, size_t i)
{
	return i == 0 ? cfg->port : cfg->places[i].port;
}

static int on_stray(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	return 481;
}

static void start_pings(struct tl_servers *s, const struct tl_trunk_cfg *cfg)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	s->aor = g_strdup_printf("sip:%s", tl_host_format(home, cfg->host));
	s->leg = nta_leg_tcreate(tl_stack_agent(s->stack), on_stray, NULL, SIPTAG_FROM_STR(s->aor),
				 SIPTAG_TO_STR(s->aor), TAG_END());
	if (s->leg)
		nta_leg_tag(s->leg, NULL);
	su_home_deinit(home);
}

struct tl_servers *tl_servers_new(struct tl_stack *stack, void *resolver,
				  const struct tl_trunk_cfg *cfg, const char *user_agent)
{
	struct tl_servers *s = g_new0(struct tl_servers, 1);

	s->stack = stack;
	s->resolver = resolver;
	s->name = g_strdup(cfg->name);
	s->user_agent = g_strdup(user_agent);
	s->ping_s = cfg->ping_s;
	s->places = g_ptr_array_new_with_free_func(place_free);
	s->servers = g_ptr_array_new_with_free_func(server_free);
	for (size_t i = 0; i < cfg->n_places; i++)
		add_place(s, cfg->places[i].host, port_of(cfg, i), transport_of(cfg, i));
	for (guint i = 0; i < s->places->len; i++)
		look_up(s->places->pdata[i]);
	if (s->ping_s)
		start_pings(s, cfg);
	tl_timer_repeat(&s->timer, tl_stack_root(stack), TICK_MS, on_tick, s);
	return s;
}

void tl_servers_free(struct tl_servers *s)
{
	if (!s)
		return;
	tl_timer_stop(&s->timer);
	g_ptr_array_free(s->places, TRUE);
	g_ptr_array_free(s->servers, TRUE);
	if (s->leg)
		nta_leg_destroy(s->leg);
	g_free(s->name);
	g_free(s->user_agent);
	g_free(s->aor);
	g_free(s);
}

bool tl_servers_fit(const struct tl_servers *s, const struct tl_trunk_cfg *cfg)
{
	if (s->ping_s != cfg->ping_s || s->places->len != cfg->n_places)
		return false;
	for (size_t i = 0; i < cfg->n_places; i++) {
		const struct place *place = s->places->pdata[i];

		if (strcmp(place->host, cfg->places[i].host) != 0 ||
		    place->port != port_of(cfg, i) || place->transport != transport_of(cfg, i))
			return false;
	}
	return true;
}
