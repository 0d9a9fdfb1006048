/* Addresses: where we listen, where a trunk is, who may call. */
#include "dialplan/text/pool.h"
#include "dialplan/text/value.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { HOST_BYTES = 253 }; /* RFC 1035 2.3.4, without the final dot */

static const char *const transport_words[] = {
	[TL_TRANSPORT_UDP] = "udp",
	[TL_TRANSPORT_TCP] = "tcp",
	[TL_TRANSPORT_TLS] = "tls",
};

const char *tl_transport_name(enum tl_transport t)
{
	return t >= 0 && t < _TL_TRANSPORT_MAX ? transport_words[t] : "invalid";
}

static bool is_ip(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_host_name(const char *text)
{
	size_t bytes = strlen(text);

	if (!bytes || bytes > HOST_BYTES || *text == '-' || *text == '.')
		return false;
	/* digits and dots only: an IPv4 literal that isn't one */
	if (strspn(text, "0123456789.") == bytes)
		return false;
	for (const char *c = text; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("-._", *c))
			return false;
	return !strstr(text, "..");
}

static enum tl_transport find_transport(const char *text, size_t bytes)
{
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (strlen(transport_words[t]) == bytes &&
		    g_ascii_strncasecmp(transport_words[t], text, bytes) == 0)
			return t;
	return _TL_TRANSPORT_INVALID;
}

/* [transport:]host[:port], an IPv6 literal in brackets when a port follows. */
struct endpoint {
	enum tl_transport transport; /* or _TL_TRANSPORT_INVALID */
	char *host;                  /* without brackets, in the pool */
	uint16_t port;               /* 0: none given */
};

static bool read_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;

	if (!tl_number_read(text, UINT16_MAX, &port) || !port)
		return false;
	*ret_port = port;
	return true;
}

static bool read_endpoint(struct tl_pool *pool, const char *text, struct endpoint *ret)
{
	struct endpoint ep = { .transport = _TL_TRANSPORT_INVALID };
	const char *colon = strchr(text, ':'), *end;

	if (colon)
		ep.transport = find_transport(text, colon - text);
	if (ep.transport != _TL_TRANSPORT_INVALID)
		text = colon + 1;
	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end)
			return false;
		ep.host = tl_pool_strndup(pool, text, end - text);
		if (!strchr(ep.host, ':') || !is_ip(ep.host))
			return false;
		end++;
	} else {
		end = is_ip(text) ? text + strlen(text) : text + strcspn(text, ":");
		ep.host = tl_pool_strndup(pool, text, end - text);
	}
	if (*end && (*end != ':' || !read_port(end + 1, &ep.port)))
		return false;
	*ret = ep;
	return is_ip(ep.host) || is_host_name(ep.host);
}

static bool append_listen(struct tl_parse *p, const struct tl_value *item, GArray *list)
{
	struct endpoint ep;
	struct tl_listen listen;

	if (!read_endpoint(p->pool, item->text, &ep) || ep.transport == _TL_TRANSPORT_INVALID ||
	    !is_ip(ep.host))
		return tl_mistake_expected(
			p, item,
			"transport:address:port such as udp:0.0.0.0:5060 or tcp:[::1]:5060");
	/* RFC 3261 19.1.2: 5061 is the default for TLS */
	listen = (struct tl_listen) { ep.transport, ep.host,
				      ep.port                            ? ep.port
				      : ep.transport == TL_TRANSPORT_TLS ? 5061
									 : 5060 };
	for (unsigned i = 0; i < list->len; i++) {
		const struct tl_listen *other = &g_array_index(list, struct tl_listen, i);

		if (other->transport == listen.transport && other->port == listen.port &&
		    strcmp(other->host, listen.host) == 0)
			return tl_mistake(p, item, "%s is listed twice", item->text);
	}
	g_array_append_val(list, listen);
	return true;
}

bool tl_parse_listen(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_listen));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item))
		ok = append_listen(p, &item, list) && ok;
	tl_list_store(p, key, list, object);
	return ok;
}

/* Port and transport may stand in host or on lines of their own, but not in both. */
static bool set_port(struct tl_parse *p, const struct tl_value *value, struct tl_trunk_cfg *trunk,
		     uint16_t port)
{
	if (trunk->port)
		return tl_mistake(p, value, "host and port both name a port: leave one out");
	trunk->port = port;
	return true;
}

static bool set_transport(struct tl_parse *p, const struct tl_value *value,
			  struct tl_trunk_cfg *trunk, enum tl_transport transport)
{
	if (trunk->transport != _TL_TRANSPORT_INVALID)
		return tl_mistake(p, value, "host and transport both name one: leave one out");
	trunk->transport = transport;
	return true;
}

static bool append_place(struct tl_parse *p, const struct tl_value *item, GArray *list)
{
	struct endpoint ep;
	struct tl_trunk_host place;

	if (!read_endpoint(p->pool, item->text, &ep))
		return tl_mistake_expected(p, item,
					   "a host such as sip.carrier.example, 198.51.100.7:5070, "
					   "[2001:db8::7] or tcp:sip.carrier.example");
	place = (struct tl_trunk_host) { ep.host, ep.port, ep.transport };
	g_array_append_val(list, place);
	return true;
}

/* The first is the trunk's own, whose port and transport may stand on lines of their own. */
static bool set_first(struct tl_parse *p, const struct tl_value *value, struct tl_trunk_cfg *trunk,
		      const struct tl_trunk_host *first)
{
	if (first->port && !set_port(p, value, trunk, first->port))
		return false;
	if (first->transport != _TL_TRANSPORT_INVALID &&
	    !set_transport(p, value, trunk, first->transport))
		return false;
	trunk->host = first->host;
	return true;
}

bool tl_parse_host(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_trunk_host));
	struct tl_trunk_cfg *trunk = object;
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item))
		ok = append_place(p, &item, list) && ok;
	if (list->len == 0)
		ok = append_place(p, value, list);
	if (ok)
		ok = set_first(p, value, trunk, &g_array_index(list, struct tl_trunk_host, 0));
	trunk->places = tl_pool_copy(p->pool, list->data, list->len, sizeof(struct tl_trunk_host));
	trunk->n_places = list->len;
	g_array_unref(list);
	return ok;
}

bool tl_parse_port(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	uint16_t port;

	if (!read_port(value->text, &port))
		return tl_mistake_expected(p, value, "a port, 1 to 65535");
	return set_port(p, value, object, port);
}

bool tl_parse_transport(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			void *object)
{
	enum tl_transport transport = find_transport(value->text, strlen(value->text));

	if (transport == _TL_TRANSPORT_INVALID)
		return tl_mistake_expected(p, value, "udp, tcp or tls");
	return set_transport(p, value, object, transport);
}

bool tl_parse_advertise(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			void *object)
{
	if (!is_ip(value->text))
		return tl_mistake_expected(p, value, "an IP address");
	return tl_parse_text(p, key, value, object);
}

/* Address and length of its bits; NULL: neither IPv4 nor IPv6. An IPv4 address
 * that came as ::ffff:a.b.c.d (a dual-stack socket) counts as IPv4. */
static const uint8_t *address_bits(const void *addr, unsigned *ret_bits)
{
	const struct sockaddr *sa = addr;
	const struct sockaddr_in6 *in6 = addr;

	*ret_bits = sa->sa_family == AF_INET ? 32 : 128;
	if (sa->sa_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)addr)->sin_addr;
	if (sa->sa_family != AF_INET6)
		return NULL;
	if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return in6->sin6_addr.s6_addr;
	*ret_bits = 32;
	return in6->sin6_addr.s6_addr + 12;
}

bool tl_cidr_match(const struct tl_cidr *cidr, const struct sockaddr *addr)
{
	unsigned bits, other_bits, whole = cidr->prefix_bits / 8, rest = cidr->prefix_bits % 8;
	const uint8_t *a = address_bits(&cidr->addr, &bits);
	const uint8_t *b = address_bits(addr, &other_bits);

	if (!a || !b || bits != other_bits || memcmp(a, b, whole) != 0)
		return false;
	return !rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* IPv4 in IPv6's clothes becomes IPv4. False: text is not address[/bits]. */
static bool read_cidr(const char *text, struct tl_cidr *ret_cidr)
{
	g_autofree char *host = g_strndup(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/');
	struct tl_cidr cidr = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&cidr.addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&cidr.addr;
	struct in_addr host_v4;
	uint64_t bits;

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		bits = 32;
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		bits = 128;
	} else {
		return false;
	}
	if (slash && !tl_number_read(slash + 1, bits, &bits))
		return false;
	if (in6->sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		if (bits < 96)
			return false;
		memcpy(&host_v4, in6->sin6_addr.s6_addr + 12, sizeof(host_v4));
		cidr.addr = (struct sockaddr_storage) { .ss_family = AF_INET };
		in->sin_addr = host_v4;
		bits -= 96;
	}
	cidr.prefix_bits = bits;
	*ret_cidr = cidr;
	return true;
}

/* Bits of the host part that are set: 10.0.0.1/8 is most likely a slip. */
static bool has_host_bits(const struct tl_cidr *cidr)
{
	unsigned bits;
	const uint8_t *a = address_bits(&cidr->addr, &bits);

	for (unsigned i = cidr->prefix_bits; i < bits; i++)
		if (a[i / 8] & (0x80 >> i % 8))
			return true;
	return false;
}

bool tl_parse_cidrs(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		    void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct tl_cidr));
	struct tl_value rest = *value, item;
	struct tl_cidr cidr;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		if (!read_cidr(item.text, &cidr))
			ok = tl_mistake_expected(p, &item,
						 "an address or a block such as "
						 "198.51.100.0/24 or 2001:db8::/32");
		else if (has_host_bits(&cidr))
			ok = tl_mistake(p, &item, "%s has bits set beyond its first %u", item.text,
					cidr.prefix_bits);
		else
			g_array_append_val(list, cidr);
	}
	tl_list_store(p, key, list, object);
	return ok;
}
