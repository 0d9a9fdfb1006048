#include "b2bua/sip/hop.h"
#include <errno.h>
#include <glib.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include "b2bua/sip/address.h"
#include "b2bua/sip/stack_priv.h"

/* The hop that a UAC's requests meet first stands last in the Record-Route that came back. */
static const sip_record_route_t *nearest(const sip_record_route_t *route, bool we_called)
{
	while (we_called && route && route->r_next)
		route = route->r_next;
	return route;
}

int tl_target_check(const sip_t *sip, bool we_called)
{
	const sip_record_route_t *hop = nearest(sip->sip_record_route, we_called);

	if (!sip->sip_contact || sip->sip_contact->m_next)
		return -EBADMSG;
	if (hop)
		return tl_uri_check(hop->r_url) < 0 || !tl_uri_is_safe(sip->sip_contact->m_url)
			       ? -EBADMSG
			       : 0;
	return tl_uri_check(sip->sip_contact->m_url) < 0 ? -EBADMSG : 0;
}

char *tl_hop_explicit(su_home_t *home, const url_t *url, enum tl_transport transport)
{
	struct sockaddr_storage addr;

	if (!tl_stack_literal(url->url_host, &addr) || url_has_param(url, "transport"))
		return NULL;
	return su_sprintf(home, "sip:%s%s%s;transport=%s", url->url_host, url->url_port ? ":" : "",
			  url->url_port ? url->url_port : "", tl_transport_name(transport));
}

char *tl_hop_through_nat(su_home_t *home, const sip_t *sip, const struct sockaddr *source,
			 enum tl_transport transport)
{
	const sip_via_t *via = sip->sip_via;
	struct sockaddr_storage sent_by;
	char text[TL_ADDRESS_BYTES];
	uint16_t port = 5060;

	if (sip->sip_record_route || via->v_next)
		return NULL;
	if (transport == TL_TRANSPORT_TLS)
		return su_sprintf(home, "sip:%s;transport=tls", tl_address_text(source, text));
	if (via->v_port)
		port = (uint16_t)g_ascii_strtoull(via->v_port, NULL, 10);
	if (!via->v_host || !tl_address_parse(via->v_host, port, &sent_by))
		return NULL;
	if (transport == TL_TRANSPORT_UDP
		    ? tl_address_equal((struct sockaddr *)&sent_by, source)
		    : tl_address_same_host((struct sockaddr *)&sent_by, source))
		return NULL;
	return su_sprintf(home, "sip:%s;transport=%s", tl_address_text(source, text),
			  tl_transport_name(transport));
}
