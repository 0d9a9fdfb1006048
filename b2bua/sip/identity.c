#include "b2bua/sip/identity.h"
#include <glib.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include "b2bua/sip/headers.h"

static bool is_clean(const char *value)
{
	for (const char *p = value; *p; p++)
		if (g_ascii_iscntrl(*p) || p - value >= TL_HEADER_BYTES)
			return false;
	return g_utf8_validate(value, -1, NULL);
}

/* Up to the comma that ends a value: commas in quotes and in angle brackets don't. */
static size_t value_length(const char *text)
{
	bool quoted = false, inside = false;
	size_t n = 0;

	for (; text[n]; n++) {
		if (quoted && text[n] == '\\' && text[n + 1])
			n++;
		else if (text[n] == '"')
			quoted = !quoted;
		else if (!quoted && (text[n] == '<' || text[n] == '>'))
			inside = text[n] == '<';
		else if (text[n] == ',' && !quoted && !inside)
			break;
	}
	return n;
}

static bool read_party(su_home_t *home, const char *value, struct tl_party *ret_party,
		       const msg_param_t **ret_params)
{
	sip_from_t *addr = sip_from_make(home, value);

	if (!addr || (addr->a_url->url_type != url_sip && addr->a_url->url_type != url_sips &&
		      addr->a_url->url_type != url_tel))
		return false;
	*ret_party = (struct tl_party) {
		.name = tl_display_of(home, addr->a_display),
		.user = tl_user_of(home, addr->a_url),
		.host = addr->a_url->url_type == url_tel ? NULL
							 : su_strdup(home, addr->a_url->url_host),
	};
	if (ret_params)
		*ret_params = addr->a_params;
	return *ret_party->user != '\0';
}

static void read_asserted(su_home_t *home, const char *value, struct tl_identity *id)
{
	struct tl_party party;

	/* the sip URI and the tel URI of one user (RFC 3325 9.1): the first will do */
	if (!id->asserted.user && read_party(home, value, &party, NULL))
		id->asserted = party;
}

static void read_remote_party(su_home_t *home, const char *value, struct tl_identity *id)
{
	const msg_param_t *params;
	struct tl_party party;
	const char *kind, *privacy;

	if (id->remote_party.user || !read_party(home, value, &party, &params))
		return;
	kind = msg_params_find(params, "party=");
	if (kind && g_ascii_strcasecmp(kind, "calling") != 0)
		return;
	id->remote_party = party;
	privacy = msg_params_find(params, "privacy=");
	if (privacy && g_ascii_strcasecmp(privacy, "off") != 0)
		id->withheld = true;
}

static void read_privacy(const char *value, struct tl_identity *id)
{
	g_auto(GStrv) words = g_strsplit_set(value, ";, ", 8);

	for (char **word = words; *word; word++)
		if (g_ascii_strcasecmp(*word, "id") == 0 ||
		    g_ascii_strcasecmp(*word, "user") == 0 ||
		    g_ascii_strcasecmp(*word, "header") == 0)
			id->withheld = true;
}

static void keep(su_home_t *home, const char *value, const char **list, size_t *n)
{
	if (*n < TL_IDENTITY_HOPS)
		list[(*n)++] = su_strdup(home, value);
}

static void read_value(su_home_t *home, const char *name, const char *value, struct tl_identity *id)
{
	if (g_ascii_strcasecmp(name, "P-Asserted-Identity") == 0)
		read_asserted(home, value, id);
	else if (g_ascii_strcasecmp(name, "Remote-Party-ID") == 0)
		read_remote_party(home, value, id);
	else if (g_ascii_strcasecmp(name, "Privacy") == 0)
		read_privacy(value, id);
	else if (g_ascii_strcasecmp(name, "Diversion") == 0)
		keep(home, value, id->diversions, &id->n_diversions);
	else if (g_ascii_strcasecmp(name, "History-Info") == 0)
		keep(home, value, id->history, &id->n_history);
}

void tl_identity_read(su_home_t *home, const sip_t *sip, struct tl_identity *ret_identity)
{
	const sip_header_t *h = (const sip_header_t *)sip->sip_request;

	*ret_identity = (struct tl_identity) { 0 };
	for (; h; h = (const sip_header_t *)h->sh_succ) {
		bool unknown = h->sh_class == sip_unknown_class;
		const char *name = unknown ? h->sh_unknown->un_name : h->sh_class->hc_name;
		const char *text;

		if (!name || tl_header_is_free(name) || !tl_header_name_ok(name))
			continue;
		if (!unknown && h->sh_class != sip_privacy_class)
			continue;
		text = unknown ? h->sh_unknown->un_value : sip_header_as_string(home, h);
		for (unsigned n = 0; text && *text && n < TL_IDENTITY_HOPS; n++) {
			size_t bytes = value_length(text);
			g_autofree char *value = g_strstrip(g_strndup(text, bytes));

			if (*value && is_clean(value))
				read_value(home, name, value, ret_identity);
			text += bytes + (text[bytes] == ',');
		}
	}
}

void tl_identity_append(GString *lines, enum tl_identity_mode mode, bool trusted,
			const char *address, bool withheld)
{
	switch (mode) {
	case TL_IDENTITY_PAI:
		if (!withheld || trusted)
			g_string_append_printf(lines, "P-Asserted-Identity: %s\r\n", address);
		return;
	case TL_IDENTITY_PPI: /* a user's own word to the network that serves it */
		g_string_append_printf(lines, "P-Preferred-Identity: %s\r\n", address);
		return;
	case TL_IDENTITY_RPID:
		if (!withheld || trusted)
			g_string_append_printf(lines,
					       "Remote-Party-ID: %s;party=calling;screen=yes;"
					       "privacy=%s\r\n",
					       address, withheld ? "full" : "off");
		return;
	case TL_IDENTITY_FROM:
	case _TL_IDENTITY_MAX:
	case _TL_IDENTITY_INVALID:
		return;
	}
}
