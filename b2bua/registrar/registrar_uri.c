/* Contact URIs as the registrar compares them, and where calls to them must go. */
#include <string.h>
#include "b2bua/sip/address.h"
#include "b2bua/registrar/registrar_plan.h"

/* From here on systems pick ports for those who connect; who calls from one below
 * has chosen it, and may well listen there. */
enum { EPHEMERAL_PORT = 32768 };

/* One `name` or `name=value` of a URI's parameters. */
struct uri_param {
	const char *name, *value;
	size_t name_chars, value_chars;
};

/* Takes the next one off *cursor; our own scanner, since Sofia's reads past the
 * end of some crafted ones. */
static bool next_param(const char **cursor, struct uri_param *ret_param)
{
	const char *start = *cursor, *equals;
	size_t n;

	if (!start || !*start)
		return false;
	n = strcspn(start, ";");
	equals = memchr(start, '=', n);
	ret_param->name = start;
	ret_param->name_chars = equals ? (size_t)(equals - start) : n;
	ret_param->value = equals ? equals + 1 : start + n;
	ret_param->value_chars = equals ? n - ret_param->name_chars - 1 : 0;
	*cursor = start[n] ? start + n + 1 : start + n;
	return true;
}

static bool find_param(const char *params, const char *name, size_t name_chars,
		       struct uri_param *ret_param)
{
	while (next_param(&params, ret_param))
		if (ret_param->name_chars == name_chars &&
		    g_ascii_strncasecmp(ret_param->name, name, name_chars) == 0)
			return true;
	return false;
}

static bool same_value(const struct uri_param *a, const struct uri_param *b)
{
	return a->value_chars == b->value_chars &&
	       g_ascii_strncasecmp(a->value, b->value, a->value_chars) == 0;
}

/* These differ when only one URI has them; others count only when both do. */
static bool is_decisive(const struct uri_param *param)
{
	static const char *const names[] = { "transport", "user", "ttl", "method", "maddr" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strlen(names[i]) == param->name_chars &&
		    g_ascii_strncasecmp(names[i], param->name, param->name_chars) == 0)
			return true;
	return false;
}

static bool covers(const char *a, const char *b)
{
	struct uri_param in_a, in_b;

	while (next_param(&a, &in_a)) {
		if (find_param(b, in_a.name, in_a.name_chars, &in_b)) {
			if (!same_value(&in_a, &in_b))
				return false;
		} else if (is_decisive(&in_a)) {
			return false;
		}
	}
	return true;
}

bool tl_register_same_uri(const url_t *a, const url_t *b)
{
	return url_cmp(a, b) == 0 && covers(a->url_params, b->url_params) &&
	       covers(b->url_params, a->url_params);
}

/* RFC 3261 26.2.2, 19.1.2: sips means TLS, nothing means UDP. */
static enum tl_transport transport_of(const url_t *url)
{
	struct uri_param param;

	if (url->url_type == url_sips)
		return TL_TRANSPORT_TLS;
	if (!find_param(url->url_params, "transport", strlen("transport"), &param))
		return TL_TRANSPORT_UDP;
	for (int t = 0; t < _TL_TRANSPORT_MAX; t++) {
		const char *name = tl_transport_name((enum tl_transport)t);

		if (strlen(name) == param.value_chars &&
		    g_ascii_strncasecmp(name, param.value, param.value_chars) == 0)
			return (enum tl_transport)t;
	}
	return _TL_TRANSPORT_INVALID;
}

static uint16_t read_port(const char *text, enum tl_transport transport)
{
	guint64 port = text ? g_ascii_strtoull(text, NULL, 10) : 0;

	if (port == 0 || port > UINT16_MAX)
		return transport == TL_TRANSPORT_TLS ? 5061 : 5060;
	return (uint16_t)port;
}

static char *format_path(const sip_path_t *path)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char uri[TL_REGISTER_CONTACT_BYTES];

	if (!path->r_next) {
		url_e(uri, sizeof(uri), path->r_url);
		return g_strdup(uri);
	}
	for (; path; path = path->r_next) {
		url_e(uri, sizeof(uri), path->r_url);
		g_string_append_printf(text, "<%s>%s", uri, path->r_next ? "," : "");
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/*
 * Over UDP a NAT shows in a Contact of another host than the one we hear from. On
 * the same host a Via that names another port than the one we hear from shows it
 * too; a Via that is right means that the Contact's other port is meant. contact
 * NULL: it is a name.
 */
static bool is_translated(const sip_via_t *via, const struct sockaddr *source,
			  const struct sockaddr_storage *contact)
{
	struct sockaddr_storage sent_by;

	if (contact && !tl_address_same_host((const struct sockaddr *)contact, source))
		return true;
	if (!via || !via->v_host ||
	    !tl_address_parse(via->v_host, read_port(via->v_port, TL_TRANSPORT_UDP), &sent_by))
		return false;
	return !tl_address_equal((const struct sockaddr *)&sent_by, source);
}

/*
 * A connection is the way to whoever opened it, unless he says that he is to be called
 * otherwise, at an address of his own: only then the Contact counts.
 */
static bool is_called_elsewhere(const url_t *contact, enum tl_transport transport,
				const struct sockaddr_storage *addr, const struct sockaddr *source)
{
	return transport_of(contact) != transport && addr &&
	       tl_address_same_host((const struct sockaddr *)addr, source);
}

char *tl_register_route(const sip_t *sip, const url_t *contact, const struct sockaddr *source,
			enum tl_transport transport)
{
	struct sockaddr_storage addr;
	char text[TL_ADDRESS_BYTES];
	bool literal;

	if (sip->sip_path)
		return format_path(sip->sip_path);
	literal =
		tl_address_parse(contact->url_host, read_port(contact->url_port, transport), &addr);
	if (transport == TL_TRANSPORT_UDP) {
		if (transport_of(contact) != transport ||
		    (literal && tl_address_equal((const struct sockaddr *)&addr, source)) ||
		    !is_translated(sip->sip_via, source, literal ? &addr : NULL))
			return NULL;
	} else if (is_called_elsewhere(contact, transport, literal ? &addr : NULL, source)) {
		return NULL;
	}
	return g_strdup_printf("sip:%s;transport=%s", tl_address_text(source, text),
			       tl_transport_name(transport));
}

/* "sip:192.0.2.1:40000;transport=tcp" as we wrote it, or a Contact. */
static bool read_literal(const char *text, struct sockaddr_storage *ret_addr)
{
	char copy[TL_REGISTER_CONTACT_BYTES];
	url_t url;

	g_strlcpy(copy, text, sizeof(copy));
	return url_d(&url, copy) == 0 && url.url_host &&
	       tl_address_parse(url.url_host, read_port(url.url_port, transport_of(&url)),
				ret_addr);
}

bool tl_register_outlives(const char *contact, const char *hop)
{
	struct sockaddr_storage ours, theirs;

	if (!read_literal(contact, &ours) || !read_literal(hop, &theirs) ||
	    !tl_address_same_host((struct sockaddr *)&ours, (struct sockaddr *)&theirs))
		return false;
	return !tl_address_equal((struct sockaddr *)&ours, (struct sockaddr *)&theirs) ||
	       tl_address_port((struct sockaddr *)&ours) < EPHEMERAL_PORT;
}
