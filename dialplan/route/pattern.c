#include "dialplan/route/pattern.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static const struct tl_charset digits_x = { { 0, 0x03ff0000 } };
static const struct tl_charset digits_z = { { 0, 0x03fe0000 } };
static const struct tl_charset digits_n = { { 0, 0x03fc0000 } };

struct builder {
	struct tl_pool *pool;
	const char *text, *at;
	struct tl_pattern pattern;
	struct tl_pattern_element elements[TL_PATTERN_ELEMENTS];
	bool in_group;
	const char *why;
};

static bool fail(struct builder *b, const char *why)
{
	b->why = why;
	return false;
}

static bool set_has(const struct tl_charset *set, char c)
{
	unsigned char u = c;

	return u < 128 && set->bits[u / 32] >> u % 32 & 1;
}

static void set_add(struct tl_charset *set, unsigned char c)
{
	set->bits[c / 32] |= 1u << c % 32;
}

static bool add_element(struct builder *b, const struct tl_charset *set, char literal)
{
	if (b->pattern.n == TL_PATTERN_ELEMENTS)
		return fail(b, "a pattern has at most 64 characters");
	b->elements[b->pattern.n++] = (struct tl_pattern_element) { set, literal };
	return true;
}

/* at is on '['. Leaves it behind ']'. */
static bool read_set(struct builder *b)
{
	const char *end = strchr(b->at, ']'), *c = b->at + 1;
	struct tl_charset *set;

	if (!end)
		return fail(b, "\"[\" has no \"]\"");
	if (end == c)
		return fail(b, "an empty set matches nothing");
	set = tl_pool_alloc(b->pool, 1, sizeof(*set));
	while (c < end) {
		unsigned char low = c[0], high = low;

		b->at = c++;
		if (c + 1 < end && *c == '-') {
			high = c[1];
			c += 2;
		}
		if (low > 126 || high > 126)
			return fail(b, "a set holds ASCII characters only");
		if (low > high)
			return fail(b, "the range runs backwards");
		for (unsigned i = low; i <= high; i++)
			set_add(set, i);
	}
	b->at = end + 1;
	return add_element(b, set, 0);
}

/* at is on the opening quote. Leaves it behind the closing one. */
static bool read_quoted(struct builder *b)
{
	const char *end = strchr(b->at + 1, '"');

	if (!end)
		return fail(b, "the quote is not closed");
	for (b->at++; b->at < end; b->at++)
		if (!add_element(b, NULL, *b->at))
			return false;
	b->at++;
	return true;
}

static bool read_parenthesis(struct builder *b)
{
	struct tl_pattern *pattern = &b->pattern;

	if ((*b->at == '(') == b->in_group)
		return fail(b, b->in_group ? "groups can't hold groups" : "\")\" has no \"(\"");
	if (!b->in_group) {
		if (pattern->tail != TL_TAIL_NONE)
			return fail(b, "nothing may follow \".\" or \"!\"");
		if (pattern->n_groups == TL_PATTERN_GROUPS)
			return fail(b, "a pattern has at most 9 groups");
		pattern->groups[pattern->n_groups].first = pattern->n;
	} else {
		pattern->groups[pattern->n_groups++].end =
			pattern->n + (pattern->tail != TL_TAIL_NONE);
	}
	b->in_group = !b->in_group;
	b->at++;
	return true;
}

static bool read_tail(struct builder *b)
{
	b->pattern.tail = *b->at++ == '.' ? TL_TAIL_SOME : TL_TAIL_ANY;
	return true;
}

static bool read_one(struct builder *b)
{
	if (*b->at == '(' || *b->at == ')')
		return read_parenthesis(b);
	if (b->pattern.tail != TL_TAIL_NONE) {
		b->at--;
		return fail(b,
			    "\".\" and \"!\" stand at the end only; in quotes they are characters");
	}
	switch (*b->at) {
	case 'X':
		return add_element(b, &digits_x, 0) && b->at++;
	case 'Z':
		return add_element(b, &digits_z, 0) && b->at++;
	case 'N':
		return add_element(b, &digits_n, 0) && b->at++;
	case '[':
		return read_set(b);
	case '"':
		return read_quoted(b);
	case '.':
	case '!':
		return read_tail(b);
	case ']':
		return fail(b, "\"]\" has no \"[\"");
	case ' ':
	case '\t':
		return fail(b, "white space in a pattern: patterns are separated by commas");
	default:
		return add_element(b, NULL, *b->at) && b->at++;
	}
}

int tl_pattern_parse(struct tl_pool *pool, const char *text, struct tl_pattern *ret_pattern,
		     const char **ret_why, size_t *ret_offset)
{
	struct builder b = { .pool = pool, .text = text, .at = text };
	bool ok = *text || fail(&b, "an empty pattern matches nothing");

	while (ok && *b.at)
		ok = read_one(&b);
	if (ok && b.in_group)
		ok = fail(&b, "\"(\" has no \")\"");
	if (!ok) {
		*ret_why = b.why;
		*ret_offset = b.at - text;
		return -EINVAL;
	}
	b.pattern.text = tl_pool_strdup(pool, text);
	b.pattern.elements = tl_pool_copy(pool, b.elements, b.pattern.n, sizeof(b.elements[0]));
	*ret_pattern = b.pattern;
	return 0;
}

bool tl_pattern_element_match(const struct tl_pattern_element *element, char c)
{
	return element->set ? set_has(element->set, c) : element->literal == c;
}

bool tl_pattern_match(const struct tl_pattern *pattern, const char *number)
{
	for (unsigned i = 0; i < pattern->n; i++, number++)
		if (!*number || !tl_pattern_element_match(&pattern->elements[i], *number))
			return false;
	switch (pattern->tail) {
	case TL_TAIL_NONE:
		return !*number;
	case TL_TAIL_SOME:
		return *number;
	case TL_TAIL_ANY:
	case _TL_TAIL_MAX:
		break;
	}
	return true;
}

size_t tl_pattern_min_bytes(const struct tl_pattern *pattern)
{
	return pattern->n + (pattern->tail == TL_TAIL_SOME);
}

const char *tl_pattern_group(const struct tl_pattern *pattern, const char *number, unsigned i,
			     size_t *ret_bytes)
{
	unsigned first = pattern->groups[i].first, end = pattern->groups[i].end;

	*ret_bytes = end > pattern->n ? strlen(number + first) : end - first;
	return number + first;
}

static bool element_covers(const struct tl_pattern_element *wide,
			   const struct tl_pattern_element *narrow)
{
	if (!narrow->set)
		return tl_pattern_element_match(wide, narrow->literal);
	for (unsigned c = 1; c < 128; c++)
		if (set_has(narrow->set, (char)c) && !tl_pattern_element_match(wide, (char)c))
			return false;
	return true;
}

bool tl_pattern_covers(const struct tl_pattern *wide, const struct tl_pattern *narrow)
{
	if (narrow->n < wide->n)
		return false;
	for (unsigned i = 0; i < wide->n; i++)
		if (!element_covers(&wide->elements[i], &narrow->elements[i]))
			return false;
	switch (wide->tail) {
	case TL_TAIL_NONE:
		return narrow->n == wide->n && narrow->tail == TL_TAIL_NONE;
	case TL_TAIL_SOME:
		return narrow->n > wide->n || narrow->tail == TL_TAIL_SOME;
	case TL_TAIL_ANY:
	case _TL_TAIL_MAX:
		break;
	}
	return true;
}

char *tl_pattern_sample(const struct tl_pattern *pattern)
{
	GString *out = g_string_new(NULL);

	for (unsigned i = 0; i < pattern->n; i++) {
		char c = pattern->elements[i].literal;

		for (unsigned k = 1; pattern->elements[i].set && k < 128; k++)
			if (set_has(pattern->elements[i].set, (char)k))
				c = (char)k;
		g_string_append_c(out, c);
	}
	if (pattern->tail == TL_TAIL_SOME)
		g_string_append_c(out, '0');
	return g_string_free(out, FALSE);
}
