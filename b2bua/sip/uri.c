/*
 * Which URIs may become a remote target, a route or a Request-URI of ours. A
 * peer that is let in with one that can't be reached keeps a dialog that can't
 * be ended, and some make Sofia-SIP read past their end: so each is looked at
 * before a dialog exists.
 */
#include "b2bua/sip/nameservers.h"
#include "b2bua/sip/stack.h"
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

enum {
	HOST_BYTES = 254,
	PART_BYTES = 1024, /* of a user part or the parameters */
};

static bool is_ipv4_target(const char *host)
{
	struct in_addr in4;
	uint32_t ip;

	if (inet_pton(AF_INET, host, &in4) != 1)
		return false;
	ip = ntohl(in4.s_addr);
	return ip != INADDR_ANY && ip != INADDR_BROADCAST && !IN_MULTICAST(ip);
}

static bool is_ipv6_target(const char *host)
{
	char bare[INET6_ADDRSTRLEN];
	size_t n = strlen(host);
	struct in6_addr in6;

	if (n < 4 || n - 2 >= sizeof(bare) || host[n - 1] != ']')
		return false;
	memcpy(bare, host + 1, n - 2);
	bare[n - 2] = '\0';
	return inet_pton(AF_INET6, bare, &in6) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&in6) &&
	       !IN6_IS_ADDR_MULTICAST(&in6);
}

/* RFC 1123 2.1, and underscores, which some networks use. The last label has a letter in it:
 * "1.2.3" and "999.1.2.3" are no names (RFC 3261 25.1, toplabel). */
static bool is_name(const char *host)
{
	size_t label = 0;
	bool letter = false;

	for (const char *p = host; *p; p++) {
		if (*p == '.') {
			if (label == 0 || p[-1] == '-')
				return false;
			if (p[1])
				letter = false;
			label = 0;
			continue;
		}
		if (!g_ascii_isalnum(*p) && *p != '_' && (*p != '-' || label == 0))
			return false;
		letter |= g_ascii_isalpha(*p);
		if (++label > 63)
			return false;
	}
	return letter;
}

static bool is_host(const char *host)
{
	if (!host || !*host || strlen(host) >= HOST_BYTES)
		return false;
	if (*host == '[')
		return is_ipv6_target(host);
	if (strspn(host, "0123456789.") == strlen(host))
		return is_ipv4_target(host);
	return is_name(host);
}

static bool is_literal(const char *host)
{
	return *host == '[' || strspn(host, "0123456789.") == strlen(host);
}

static bool is_port(const char *port)
{
	size_t n = port ? strlen(port) : 0;

	if (!port)
		return true;
	return n > 0 && n <= 5 && strspn(port, "0123456789") == n &&
	       g_ascii_strtoull(port, NULL, 10) >= 1 && g_ascii_strtoull(port, NULL, 10) <= 65535;
}

static bool names(const char *param, size_t n, const char *name)
{
	return n == strlen(name) && g_ascii_strncasecmp(param, name, n) == 0;
}

static bool secure; /* there is a transport for TLS */

void tl_uri_allow_tls(void)
{
	secure = true;
}

static bool is_known_transport(const char *value, size_t n)
{
	return names(value, n, "udp") || names(value, n, "tcp") ||
	       (secure && names(value, n, "tls"));
}

/*
 * sofia-sip 1.12.11's url_param() walks past the end of the text when the last
 * parameter's name only begins like the one sought: ";lrx" for "lr".
 */
static bool misleads_sofia(const char *param, size_t n)
{
	static const char *const sought[] = { "lr",     "transport", "maddr", "comp",
					      "method", "ttl",       "user",  "gr" };

	for (size_t i = 0; i < G_N_ELEMENTS(sought); i++) {
		size_t length = strlen(sought[i]);

		if (n > length && g_ascii_strncasecmp(param, sought[i], length) == 0 &&
		    param[length] != '=')
			return true;
	}
	return false;
}

static bool is_param(const char *param, size_t n, bool last, bool ours)
{
	const char *equals = memchr(param, '=', n);
	size_t name = equals ? (size_t)(equals - param) : n;
	size_t value = equals ? n - name - 1 : 0;

	if (name == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!g_ascii_isgraph(param[i]) || strchr("\"<>\\", param[i]))
			return false;
	if (ours && names(param, name, "transport"))
		return equals && is_known_transport(equals + 1, value);
	if (ours && names(param, name, "maddr")) /* sends packets where the peer likes */
		return false;
	return !last || !misleads_sofia(param, n);
}

/* ours: packets of ours go there, so transport and address must be such that we can. */
static bool are_params(const char *params, bool ours)
{
	if (!params)
		return true;
	if (strlen(params) >= PART_BYTES)
		return false;
	while (*params) {
		size_t n = strcspn(params, ";");

		if (!is_param(params, n, params[n] == '\0', ours))
			return false;
		params += n;
		params += *params == ';';
	}
	return true;
}

static bool is_user(const char *user)
{
	if (!user)
		return true;
	if (strlen(user) >= PART_BYTES)
		return false;
	for (; *user; user++)
		if (!g_ascii_isgraph(*user) || strchr("\"<>\\@", *user))
			return false;
	return true;
}

static bool is_well_formed(const url_t *url, bool ours)
{
	return is_host(url->url_host) && is_port(url->url_port) && is_user(url->url_user) &&
	       is_user(url->url_password) && are_params(url->url_params, ours);
}

bool tl_uri_is_safe(const url_t *url)
{
	return (url->url_type == url_sip || url->url_type == url_sips) &&
	       is_well_formed(url, false);
}

int tl_uri_check(const url_t *url)
{
	if (url->url_type != url_sip && (url->url_type != url_sips || !secure))
		return -EPROTONOSUPPORT;
	if (!is_well_formed(url, true))
		return -EBADMSG;
	if (!is_literal(url->url_host) && !tl_nameservers_reachable())
		return -EHOSTUNREACH;
	return 0;
}

enum tl_transport tl_uri_transport(const url_t *url)
{
	char name[8];

	if (url->url_type == url_sips)
		return TL_TRANSPORT_TLS; /* RFC 3261 26.2.2: whatever the parameter says */
	if (url_param(url->url_params, "transport", name, sizeof(name)) <= 0)
		return TL_TRANSPORT_UDP;
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++)
		if (g_ascii_strcasecmp(name, tl_transport_name((enum tl_transport)t)) == 0)
			return (enum tl_transport)t;
	return TL_TRANSPORT_UDP;
}
