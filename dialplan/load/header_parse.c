/* The values of [route] sections: headers and media that are asked for, headers that go out. */
#include <string.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/header_name.h"
#include "dialplan/route/rewrite.h"
#include "dialplan/text/value.h"

enum {
	HEADER_TESTS = 64, /* values of all "header NAME" keys of a route */
	HEADERS_OUT = 32,
};

/* "header X-Campaign" with the word "header": "X-Campaign". NULL: another key. */
static const char *named_by(const char *key, const char *word)
{
	size_t bytes = strlen(word);

	if (strncmp(key, word, bytes) != 0 || (key[bytes] != ' ' && key[bytes] != '\t'))
		return NULL;
	return key + bytes + strspn(key + bytes, " \t");
}

bool tl_key_is_header(const char *key)
{
	return named_by(key, "header");
}

bool tl_key_adds_header(const char *key)
{
	return named_by(key, "add-header");
}

/* The same value with its place at the key. */
static bool mistake_at_key(struct tl_parse *p, const struct tl_value *value, const char *why)
{
	struct tl_value key = *value;
	g_autofree char *quoted = tl_quote(value->key);

	key.at = value->key_at;
	key.key = "header";
	return tl_mistake(p, &key, "%s %s", quoted, why);
}

/* Appends room for n elements to a list that is in the pool. */
static void *grow(struct tl_parse *p, const void *list, size_t old, size_t n, size_t bytes)
{
	void *copy = tl_pool_alloc(p->pool, old + n, bytes);

	if (old)
		memcpy(copy, list, old * bytes);
	return copy;
}

static bool is_test(const char *text)
{
	const char *star = strchr(text, '*');

	return *text && (!star || !star[1]);
}

bool tl_parse_header_test(struct tl_parse *p, const struct tl_key *key,
			  const struct tl_value *value, void *object)
{
	const char *name = named_by(value->key, "header");
	struct tl_route_cfg *route = object;
	struct tl_value rest = *value, item;

	if (!tl_header_name_ok(name))
		return mistake_at_key(p, value, "does not end with the name of a SIP header");
	for (size_t i = 0; i < route->n_header_tests; i++)
		if (g_ascii_strcasecmp(route->header_tests[i].name, name) == 0)
			return mistake_at_key(p, value,
					      "stands here already: list the values in one line");
	while (tl_value_next(p->pool, &rest, &item)) {
		const char *text = tl_value_unquote(p->pool, &item);
		struct tl_header_test *tests;

		if (!is_test(text))
			return tl_mistake_expected(p, &item,
						   "a value, or * for any, none, or text*");
		if (route->n_header_tests == HEADER_TESTS)
			return tl_mistake(p, &item, "more than %d values of headers", HEADER_TESTS);
		tests = grow(p, route->header_tests, route->n_header_tests, 1, sizeof(*tests));
		tests[route->n_header_tests++] = (struct tl_header_test) { name, text };
		route->header_tests = tests;
	}
	return true;
}

bool tl_parse_header_out(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
			 void *object)
{
	const char *name = named_by(value->key, "add-header");
	const char *text = tl_value_unquote(p->pool, value);
	struct tl_route_cfg *route = object;
	struct tl_header_out *out;
	size_t offset;

	if (!tl_header_name_ok(name))
		return mistake_at_key(p, value, "does not end with the name of a SIP header");
	if (!tl_header_is_free(name))
		return mistake_at_key(p, value,
				      "can't be set: the gateway writes that header itself");
	if (tl_template_check(text, &offset) < 0)
		return tl_mistake(p, value,
				  "\"$\" must be followed by a digit, or by \"$\" for itself");
	for (size_t i = 0; i < route->n_add_headers; i++)
		if (g_ascii_strcasecmp(route->add_headers[i].name, name) == 0)
			return mistake_at_key(p, value, "stands here already");
	if (route->n_add_headers == HEADERS_OUT)
		return tl_mistake(p, value, "more than %d headers", HEADERS_OUT);
	out = grow(p, route->add_headers, route->n_add_headers, 1, sizeof(*out));
	out[route->n_add_headers++] = (struct tl_header_out) { name, text };
	route->add_headers = out;
	return true;
}

/* "Subject", or "X-Internal-*". */
static bool check_pattern(struct tl_parse *p, const struct tl_value *item)
{
	size_t bytes = strlen(item->text);
	bool open = bytes && item->text[bytes - 1] == '*';
	g_autofree char *name = g_strndup(item->text, open ? bytes - 1 : bytes);

	if (!tl_header_name_ok(name))
		return tl_mistake_expected(p, item, "the name of a SIP header, such as X-Campaign");
	if (!open && !tl_header_is_free(name))
		return tl_mistake(p, item, "%s is the gateway's own: it never goes through", name);
	return true;
}

bool tl_parse_header_names(struct tl_parse *p, const struct tl_key *key,
			   const struct tl_value *value, void *object)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(const char *));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		if (list->len == HEADERS_OUT) {
			ok = tl_mistake(p, &item, "more than %d headers", HEADERS_OUT);
			break;
		}
		ok = check_pattern(p, &item) && ok;
		g_array_append_val(list, item.text);
	}
	tl_list_store(p, key, list, object);
	return ok;
}

bool tl_parse_offers(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	unsigned *bits = tl_field(object, key);
	struct tl_value rest = *value, item;
	bool ok = true;
	int kind;

	while (tl_value_next(p->pool, &rest, &item)) {
		for (kind = 0; kind < _TL_OFFERED_MAX; kind++)
			if (g_ascii_strcasecmp(item.text, tl_offered_name(kind)) == 0)
				break;
		if (kind < _TL_OFFERED_MAX)
			*bits |= 1u << kind;
		else
			ok = tl_mistake_expected(p, &item, "audio, fax or video");
	}
	return ok;
}
