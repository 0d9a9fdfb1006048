/* The values of [route] sections: refusals, redirections, what follows. */
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/route/rewrite.h"
#include "dialplan/text/value.h"

enum { REDIRECTS = 16 }; /* Contacts of one redirection */

/* What stands behind the first bytes of a value, white space skipped, with its place. */
static struct tl_value behind(const struct tl_value *value, size_t bytes)
{
	struct tl_value rest = *value;

	bytes += strspn(value->text + bytes, " \t");
	rest.text += bytes;
	rest.at.column += bytes;
	return rest;
}

/* "486 Busy Here" or "486". */
static bool read_status(struct tl_parse *p, const struct tl_value *value, struct tl_follow *ret)
{
	g_autofree char *digits = g_strndup(value->text, strcspn(value->text, " \t"));
	struct tl_value reason = behind(value, strlen(digits));
	uint64_t status;

	if (!tl_number_read(digits, 699, &status) || status < 400)
		return tl_mistake(p, value,
				  "expected a status from 400 to 699 and a reason, such as "
				  "486 Busy Here");
	ret->kind = TL_FOLLOW_REJECT;
	ret->status = status;
	ret->reason = *reason.text ? tl_pool_strdup(p->pool, reason.text) : NULL;
	return true;
}

bool tl_parse_reject(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	return read_status(p, value, tl_field(object, key));
}

static bool is_uri(const char *text)
{
	return g_str_has_prefix(text, "sip:") || g_str_has_prefix(text, "sips:") ||
	       g_str_has_prefix(text, "tel:");
}

/* Whether it leads anywhere: has a host, and a port, if any, that there can be; a number, if tel.
 */
static bool leads_somewhere(const char *text)
{
	const char *at = strchr(text, '@'), *host = at ? at + 1 : strchr(text, ':') + 1;
	size_t bytes = *host == '[' ? strcspn(host, "]") : strcspn(host, ":;?");
	const char *rest = host + bytes + (host[bytes] == ']');
	g_autofree char *port = g_strndup(rest + 1, *rest ? strcspn(rest + 1, ";?") : 0);
	uint64_t number;

	if (bytes == 0 || (*host == '[' && host[bytes] != ']'))
		return false;
	if (*rest == ':')
		return tl_number_read(port, UINT16_MAX, &number) && number > 0;
	return !*rest || *rest == ';' || *rest == '?';
}

/* A URI, NUMBER or extension:NUMBER of an extension, or extension: the one dialled. */
static bool read_redirect(struct tl_parse *p, const struct tl_value *item, struct tl_redirect *ret)
{
	const char *text = tl_value_unquote(p->pool, item), *number = text;
	g_autofree char *quoted = NULL, *hint = NULL;

	*ret = (struct tl_redirect) { 0 };
	if (strcmp(text, "extension") == 0)
		return true;
	if (is_uri(text) && leads_somewhere(text)) {
		ret->uri = text;
		return tl_template_read(p, item, text);
	}
	if (g_str_has_prefix(text, "extension:"))
		number += strlen("extension:");
	ret->extension = tl_dialplan_extension(p->dp, number);
	if (ret->extension)
		return true;
	if (strpbrk(number, ":@") || !*number)
		return tl_mistake_expected(
			p, item, "a URI such as sip:$0@other.example, NUMBER or extension");
	quoted = tl_quote(number);
	hint = tl_suggest_section(p, TL_SECTION_EXTENSION, number);
	return tl_mistake(p, item, "there is no [extension] %s%s", quoted, hint);
}

static bool read_redirects(struct tl_parse *p, const struct tl_value *value,
			   const struct tl_redirect **ret, size_t *ret_n)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct tl_redirect));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		struct tl_redirect redirect;

		if (list->len == REDIRECTS)
			return tl_mistake(p, &item, "more than %d places to go to", REDIRECTS);
		ok = read_redirect(p, &item, &redirect) && ok;
		g_array_append_val(list, redirect);
	}
	*ret = tl_pool_copy(p->pool, list->data, list->len, sizeof(struct tl_redirect));
	*ret_n = list->len;
	return ok;
}

bool tl_parse_redirects(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			void *object)
{
	return read_redirects(p, value, tl_field(object, key), tl_field2(object, key));
}

static bool read_route(struct tl_parse *p, const struct tl_value *name, struct tl_follow *follow)
{
	g_autofree char *quoted = NULL, *hint = NULL;

	if (g_hash_table_lookup_extended(p->dp->route_by_name, name->text, (void **)&follow->route,
					 NULL)) {
		follow->kind = TL_FOLLOW_ROUTE;
		return true;
	}
	quoted = tl_quote(name->text);
	hint = tl_suggest_section(p, TL_SECTION_ROUTE, name->text);
	return tl_mistake(p, name, "there is no [route] %s%s", quoted, hint);
}

/* LIST [then reject STATUS REASON] */
static bool read_play(struct tl_parse *p, const struct tl_value *value, struct tl_follow *follow)
{
	static const char then[] = " then reject ";
	const char *end = strstr(value->text, then);
	struct tl_value files = *value, status;
	bool ok = true;

	follow->kind = TL_FOLLOW_PLAY;
	if (end) {
		files.text = tl_pool_strndup(p->pool, value->text, end - value->text);
		status = behind(value, end - value->text + strlen(then));
		ok = read_status(p, &status, follow);
	}
	return tl_prompts_read(p, &files, &follow->play, &follow->n_play) && ok;
}

bool tl_parse_follow(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	struct tl_follow *follow = tl_field(object, key);
	size_t word = strcspn(value->text, " \t:");
	struct tl_value rest = behind(value, word);

	if (g_str_has_prefix(value->text, "route:")) {
		rest = behind(value, strlen("route:"));
		return read_route(p, &rest, follow);
	}
	if (g_str_has_prefix(value->text, "reject "))
		return read_status(p, &rest, follow);
	if (g_str_has_prefix(value->text, "play "))
		return read_play(p, &rest, follow);
	if (g_str_has_prefix(value->text, "redirect ")) {
		follow->kind = TL_FOLLOW_REDIRECT;
		return read_redirects(p, &rest, &follow->redirects, &follow->n_redirects);
	}
	return tl_mistake_expected(p, value,
				   "route:NAME, reject 486 Busy Here, play FILE, play FILE then "
				   "reject 486, or redirect URI");
}
