#include "b2bua/sip/headers.h"
#include <glib.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/url.h>
#include "b2bua/sip/body.h"

enum { REASON_BYTES = 256 };

bool tl_header_is_value(const char *value)
{
	for (const char *p = value; *p; p++)
		if ((g_ascii_iscntrl(*p) && *p != '\t') || p - value >= TL_HEADER_BYTES)
			return false;
	return g_utf8_validate(value, -1, NULL);
}

static void collect(su_home_t *home, const char *name, const char *value, struct tl_header_set *set)
{
	if (set->n == TL_HEADERS_MAX || !value || !tl_header_is_value(value))
		return;
	set->v[set->n].name = su_strdup(home, name);
	set->v[set->n].value = su_strdup(home, value);
	set->n++;
}

static const char *name_of(const sip_header_t *h)
{
	return h->sh_class == sip_unknown_class ? h->sh_unknown->un_name : h->sh_class->hc_name;
}

static void collect_kind(su_home_t *home, const sip_t *sip, bool crossing,
			 struct tl_header_set *set)
{
	const sip_header_t *h = sip->sip_request ? (const sip_header_t *)sip->sip_request
						 : (const sip_header_t *)sip->sip_status;

	for (; h; h = (const sip_header_t *)h->sh_succ) {
		const char *name = name_of(h);

		if (!name || !tl_header_is_free(name) || tl_header_crosses(name) != crossing)
			continue;
		collect(home, name,
			h->sh_class == sip_unknown_class ? h->sh_unknown->un_value
							 : sip_header_as_string(home, h),
			set);
	}
}

void tl_headers_collect(su_home_t *home, const sip_t *sip, struct tl_header_set *ret_set)
{
	ret_set->n = 0;
	collect_kind(home, sip, true, ret_set);
	collect_kind(home, sip, false, ret_set);
}

char *tl_headers_format(su_home_t *home, const struct tl_header *headers, size_t n)
{
	g_autoptr(GString) s = g_string_new(NULL);

	for (size_t i = 0; i < n && i < TL_HEADERS_MAX; i++)
		if (tl_header_is_free(headers[i].name) && tl_header_is_value(headers[i].value))
			g_string_append_printf(s, "%s: %s\r\n", headers[i].name, headers[i].value);
	return s->len ? su_strdup(home, s->str) : NULL;
}

size_t tl_headers_fields(su_home_t *home, const sip_t *sip,
			 const struct tl_fact_header **ret_fields)
{
	const sip_header_t *h =
		(const sip_header_t *)((const sip_header_t *)sip->sip_request)->sh_succ;
	struct tl_fact_header fields[TL_FIELDS_MAX], *kept;
	size_t n = 0;

	for (; h && n < TL_FIELDS_MAX; h = (const sip_header_t *)h->sh_succ) {
		const char *name = name_of(h), *value;

		if (!name || !tl_header_name_ok(name))
			continue;
		value = h->sh_class == sip_unknown_class ? h->sh_unknown->un_value
							 : sip_header_as_string(home, h);
		if (value && tl_header_is_value(value))
			fields[n++] = (struct tl_fact_header) { su_strdup(home, name),
								su_strdup(home, value) };
	}
	kept = su_alloc(home, MAX(n, 1u) * sizeof(*kept));
	memcpy(kept, fields, n * sizeof(*kept));
	*ret_fields = kept;
	return n;
}

/* "audio 4000 RTP/AVP 8": the bit, or 0 when it is refused or unknown. */
static unsigned offered_by(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);

	if (g_strv_length(words) < 3 || strcmp(words[1], "0") == 0)
		return 0;
	if (strcmp(words[0], "audio") == 0)
		return 1u << TL_OFFERED_AUDIO;
	if (strcmp(words[0], "video") == 0)
		return 1u << TL_OFFERED_VIDEO;
	if (strcmp(words[0], "image") == 0 && g_ascii_strcasecmp(words[2], "udptl") == 0)
		return 1u << TL_OFFERED_FAX;
	return 0;
}

unsigned tl_headers_offered(const sip_t *sip)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	unsigned bits = 0;
	const char *sdp;
	size_t bytes;

	if (tl_body_sdp(sip, &sdp, &bytes) != 1)
		return 0;
	text = g_strndup(sdp, bytes);
	lines = g_strsplit_set(text, "\r\n", 1024);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "m="))
			bits |= offered_by(*line + 2);
	return bits;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text))
			return true;
	return false;
}

/* RFC 3966 5.1.1: "+49-(30)-555.100" is a number whose punctuation counts for nothing. */
static void drop_separators(char *user)
{
	static const char separators[] = "-.()", digits[] = "+0123456789*#ABCDabcd";
	char *to = user;

	if (user[strspn(user, "-.()+0123456789*#ABCDabcd")] || !strpbrk(user, digits))
		return; /* a name */
	for (const char *from = user; *from; from++)
		if (!strchr(separators, *from))
			*to++ = *from;
	*to = '\0';
}

static bool is_number(const url_t *url)
{
	static const char phone[] = "user=phone";
	const char *param = url->url_params ? url->url_params : "";

	/* url_param() may read past the end: uri.c */
	for (size_t n; *param; param += n + (param[n] == ';')) {
		n = strcspn(param, ";");
		if (n == strlen(phone) && g_ascii_strncasecmp(param, phone, n) == 0)
			return true;
	}
	return url->url_type == url_tel;
}

char *tl_user_of(su_home_t *home, const url_t *url)
{
	g_autofree char *user = NULL;
	char *params;

	if (!url->url_user || strlen(url->url_user) >= TL_IDENTITY_BYTES)
		return su_strdup(home, "");
	/* NULL for a bad escape, and for an escaped NUL */
	user = g_uri_unescape_string(url->url_user, NULL);
	if (!user || has_control(user) || !g_utf8_validate(user, -1, NULL))
		return su_strdup(home, "");
	/* a telephone number's parameters, "+4930;phone-context=…", are not part of the number */
	params = strchr(user, ';');
	if (params)
		*params = '\0';
	if (is_number(url))
		drop_separators(user);
	return su_strdup(home, user);
}

char *tl_display_of(su_home_t *home, const char *display)
{
	g_autofree char *clean = NULL;
	char *plain;

	if (!display || !*display)
		return NULL;
	plain = *display == '"' ? msg_unquote_dup(home, display) : su_strdup(home, display);
	if (!plain || !*plain)
		return NULL;
	clean = g_utf8_make_valid(plain, MIN((gssize)strlen(plain), TL_IDENTITY_BYTES));
	for (char *p = clean; *p; p++)
		if (g_ascii_iscntrl(*p))
			*p = ' ';
	return su_strdup(home, clean);
}

char *tl_user_escape(su_home_t *home, const char *user)
{
	g_autofree char *escaped = g_uri_escape_string(user, "!$&'()*+,;=?/", FALSE);

	return su_strdup(home, escaped);
}

char *tl_host_format(su_home_t *home, const char *host)
{
	if (strchr(host, ':') && *host != '[')
		return su_sprintf(home, "[%s]", host);
	return su_strdup(home, host);
}

static char *quote(const char *name)
{
	GString *s = g_string_new("\"");

	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			g_string_append_c(s, '\\');
		if (!g_ascii_iscntrl(*name))
			g_string_append_c(s, *name);
	}
	g_string_append_c(s, '"');
	return g_string_free(s, FALSE);
}

char *tl_party_format(su_home_t *home, const struct tl_party *party, const char *host)
{
	g_autofree char *name = NULL;

	if (!party->user || !*party->user)
		return su_strdup(home, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	host = tl_host_format(home, party->host ? party->host : host);
	if (!party->name || !*party->name)
		return su_sprintf(home, "<sip:%s@%s>", tl_user_escape(home, party->user), host);
	name = quote(party->name);
	return su_sprintf(home, "%s <sip:%s@%s>", name, tl_user_escape(home, party->user), host);
}

char *tl_reason_of(su_home_t *home, const sip_t *sip)
{
	char *reason;

	if (!sip->sip_reason)
		return NULL;
	reason = sip_header_as_string(home, (const sip_header_t *)sip->sip_reason);
	if (!reason || strlen(reason) >= REASON_BYTES || has_control(reason) ||
	    !g_utf8_validate(reason, -1, NULL))
		return NULL;
	return reason;
}

char *tl_reason_format(su_home_t *home, const struct tl_cause *cause)
{
	g_autofree char *text = NULL;

	if (!cause)
		return NULL;
	if (cause->reason)
		return strlen(cause->reason) < REASON_BYTES && !has_control(cause->reason)
			       ? su_strdup(home, cause->reason)
			       : NULL;
	if (!cause->status)
		return NULL;
	text = quote(cause->phrase ? cause->phrase : sip_status_phrase(cause->status));
	return su_sprintf(home, "SIP;cause=%d;text=%s", cause->status, text);
}

/* RFC 3261 20.10: the preference, 1 when none is said. */
static double q_of(const sip_contact_t *contact)
{
	return contact->m_q ? g_ascii_strtod(contact->m_q, NULL) : 1.0;
}

/* The best q first, those of equal q in their order. */
static void collect_contacts(su_home_t *home, const sip_contact_t *contact, struct tl_cause *cause)
{
	struct tl_contact *list = su_zalloc(home, TL_CONTACTS_MAX * sizeof(*list));
	double q[TL_CONTACTS_MAX];
	size_t n = 0;

	for (; contact && n < TL_CONTACTS_MAX; contact = contact->m_next) {
		const url_t *url = contact->m_url;
		char *uri = url_as_string(home, url);
		size_t at = n;

		if (!uri || strlen(uri) >= TL_HEADER_BYTES || has_control(uri) ||
		    strpbrk(uri, "<>\" ") || !g_utf8_validate(uri, -1, NULL))
			continue;
		for (; at > 0 && q[at - 1] < q_of(contact); at--) {
			list[at] = list[at - 1];
			q[at] = q[at - 1];
		}
		list[at] = (struct tl_contact) {
			.uri = uri,
			.user = tl_user_of(home, url),
			.host = url->url_type == url_tel ? NULL : su_strdup(home, url->url_host),
		};
		q[at] = q_of(contact);
		n++;
	}
	cause->contacts = list;
	cause->n_contacts = n;
}

void tl_cause_of(su_home_t *home, const sip_t *sip, struct tl_cause *ret_cause)
{
	struct tl_header_set *headers = su_alloc(home, sizeof(*headers));

	tl_headers_collect(home, sip, headers);
	*ret_cause = (struct tl_cause) {
		.reason = tl_reason_of(home, sip),
		.headers = headers->v,
		.n_headers = headers->n,
	};
	if (!sip->sip_status)
		return;
	ret_cause->status = sip->sip_status->st_status;
	ret_cause->phrase = tl_display_of(home, sip->sip_status->st_phrase);
	if (sip->sip_retry_after)
		ret_cause->retry_after_s = (unsigned)MIN(sip->sip_retry_after->af_delta, 86400);
	if (sip->sip_warning)
		ret_cause->warning = tl_display_of(home, sip->sip_warning->w_text);
	if (ret_cause->status >= 300 && ret_cause->status < 400)
		collect_contacts(home, sip->sip_contact, ret_cause);
}

bool tl_has_body(const sip_t *sip)
{
	return sip->sip_payload && sip->sip_payload->pl_len > 0;
}

bool tl_content_is(const sip_t *sip, const char *type)
{
	return sip->sip_content_type && sip->sip_content_type->c_type &&
	       g_ascii_strcasecmp(sip->sip_content_type->c_type, type) == 0;
}
