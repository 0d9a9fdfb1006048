#include "b2bua/trunk/service_route.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/sip_header.h>
#include "b2bua/log.h"
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack.h"
#include "b2bua/trunk/resolve.h"

enum {
	ENTRIES_MAX = 8,
	TEXT_BYTES = 1024,
};

struct tl_service_route {
	sres_resolver_t *resolver;
	char *name;
	char *text; /* NULL: there is none */
	struct tl_resolve *resolve;
	GPtrArray *hops;
};

struct tl_service_route *tl_service_route_new(void *resolver, const char *name)
{
	struct tl_service_route *route = g_new0(struct tl_service_route, 1);

	route->resolver = resolver;
	route->name = g_strdup(name);
	route->hops = g_ptr_array_new_with_free_func(g_free);
	return route;
}

void tl_service_route_clear(struct tl_service_route *route)
{
	tl_resolve_free(g_steal_pointer(&route->resolve));
	g_ptr_array_set_size(route->hops, 0);
	g_clear_pointer(&route->text, g_free);
}

void tl_service_route_free(struct tl_service_route *route)
{
	if (!route)
		return;
	tl_service_route_clear(route);
	g_ptr_array_free(route->hops, TRUE);
	g_free(route->name);
	g_free(route);
}

/* --- where its first entry is --- */

static uint32_t draw(void *user, uint32_t n)
{
	return (uint32_t)g_random_int_range(0, (gint32)MAX(n, 1u));
}

static void on_resolved(void *user, const struct tl_server *found, size_t n, unsigned ttl_s)
{
	struct tl_service_route *route = user;
	struct tl_server servers[TL_RESOLVE_SERVERS];

	route->resolve = NULL;
	if (n == 0) /* where it was found last goes on */
		return;
	g_ptr_array_set_size(route->hops, 0);
	n = MIN(n, G_N_ELEMENTS(servers));
	memcpy(servers, found, n * sizeof(*servers));
	tl_servers_sort(servers, n, draw, NULL);
	for (size_t i = 0; i < n; i++) {
		char text[TL_ADDRESS_BYTES];

		g_ptr_array_add(
			route->hops,
			g_strdup_printf("sip:%s;transport=%s",
					tl_address_text((struct sockaddr *)&servers[i].addr, text),
					tl_transport_name(servers[i].transport)));
	}
}

/* What the entry says of the transport; invalid: DNS says it. */
static enum tl_transport transport_of(const url_t *url)
{
	return url->url_type == url_sips || url_has_param(url, "transport") ? tl_uri_transport(url)
									    : _TL_TRANSPORT_INVALID;
}

static void look_up(struct tl_service_route *route, const url_t *first)
{
	size_t n = strlen(first->url_host);
	bool bracketed = *first->url_host == '[';
	g_autofree char *host = g_strndup(first->url_host + bracketed, bracketed ? n - 2 : n);
	uint16_t port = first->url_port ? (uint16_t)atoi(first->url_port) : 0;

	tl_resolve_free(route->resolve);
	route->resolve = tl_resolve_new(route->resolver, host, port, transport_of(first),
					on_resolved, route);
}

/* --- taking it --- */

/* Only what can be followed: loose routers, URIs without traps, not too many. */
static bool is_usable(const sip_service_route_t *entries)
{
	unsigned n = 0;

	for (const sip_service_route_t *r = entries; r; r = r->r_next)
		if (!tl_uri_is_safe(r->r_url) || !url_has_param(r->r_url, "lr") ||
		    ++n > ENTRIES_MAX)
			return false;
	return n > 0;
}

static char *format(su_home_t *home, const sip_service_route_t *entries)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (const sip_service_route_t *r = entries; r; r = r->r_next)
		g_string_append_printf(text, "%s<%s>", text->len ? ", " : "",
				       url_as_string(home, r->r_url));
	return text->len < TEXT_BYTES ? g_strdup(text->str) : NULL;
}

void tl_service_route_take(struct tl_service_route *route, const sip_t *sip)
{
	const sip_service_route_t *entries = sip->sip_service_route;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autofree char *text = entries && is_usable(entries) ? format(home, entries) : NULL;
	bool same = g_strcmp0(text, route->text) == 0;

	if (entries && !text)
		g_warning("trunk=%s its Service-Route can't be followed", route->name);
	else if (!same)
		g_message("trunk=%s service-route=\"%s\"", route->name, text ? text : "none");
	if (!same)
		tl_service_route_clear(route);
	if (text) { /* looked up again at each refresh: addresses change */
		g_free(route->text);
		route->text = g_steal_pointer(&text);
		look_up(route, entries->r_url);
	}
	su_home_deinit(home);
}

const char *tl_service_route_text(const struct tl_service_route *route)
{
	return route->text;
}

GPtrArray *tl_service_route_hops(const struct tl_service_route *route)
{
	GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < route->hops->len; i++)
		g_ptr_array_add(copy, g_strdup(route->hops->pdata[i]));
	return copy;
}
