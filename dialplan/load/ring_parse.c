/* The values of [route] sections: whom to ring, what is heard. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/text/value.h"

enum {
	RING_STEPS = 32,
	RING_TARGETS = 64, /* of one step */
	RING_SHARE = 1000000,
	RING_TIME_S = 3600,
};

/* The words and commas of a ring value, and what they have made so far. */
struct ring {
	struct tl_parse *p;
	struct tl_value rest;
	GArray *steps;   /* struct tl_ring_step */
	GArray *targets; /* struct tl_ring_target of the step at hand */
	bool dialled;
	bool shared; /* "or" stands between the targets of the step at hand */
};

/* "," or a word; "" at the end. */
static struct tl_value next_word(struct ring *ring)
{
	struct tl_value word = ring->rest;
	size_t space = strspn(word.text, " \t"), bytes;

	word.text += space;
	word.at.column += space;
	bytes = *word.text == ',' ? 1 : strcspn(word.text, " \t,");
	ring->rest.text = word.text + bytes;
	ring->rest.at.column = word.at.column + bytes;
	word.text = tl_pool_strndup(ring->p->pool, word.text, bytes);
	return word;
}

static bool read_target(struct ring *ring, const struct tl_value *word, struct tl_ring_target *ret)
{
	struct tl_ring_target target = { .kind = TL_TARGET_EXTENSION };
	g_autofree char *hint = NULL, *quoted = NULL;
	enum tl_source_kind kind;
	const char *name;

	if (strcmp(word->text, "extension") == 0) {
		ring->dialled = true;
		*ret = target;
		return true;
	}
	if (tl_source_parse(word->text, &kind, &name) < 0)
		return tl_mistake_expected(ring->p, word,
					   "NUMBER, trunk:NAME or group:NAME, with \",\", \"then\" "
					   "or \"or\" between them");
	if (kind == TL_SOURCE_TRUNK) {
		target.kind = TL_TARGET_TRUNK;
		target.trunk = tl_dialplan_trunk(ring->p->dp, name);
	} else {
		target.extension = tl_dialplan_extension(ring->p->dp, name);
	}
	*ret = target;
	if (target.trunk || target.extension)
		return true;
	quoted = tl_quote(name);
	hint = tl_suggest_section(
		ring->p, target.kind == TL_TARGET_TRUNK ? TL_SECTION_TRUNK : TL_SECTION_EXTENSION,
		name);
	return tl_mistake(ring->p, word, "there is no [%s] %s%s", tl_source_kind_name(kind), quoted,
			  hint);
}

static bool append_target(struct ring *ring, const struct tl_value *word,
			  const struct tl_ring_target *target)
{
	for (unsigned i = 0; i < ring->targets->len; i++) {
		const struct tl_ring_target *other =
			&g_array_index(ring->targets, struct tl_ring_target, i);

		if (other->trunk == target->trunk && other->extension == target->extension)
			return tl_mistake(ring->p, word, "%s rings twice at once", word->text);
	}
	if (ring->targets->len == RING_TARGETS)
		return tl_mistake(ring->p, word, "more than %d ring at once", RING_TARGETS);
	g_array_append_val(ring->targets, *target);
	return true;
}

static bool add_group(struct ring *ring, const struct tl_value *word, const char *name)
{
	const struct tl_group *group = tl_group_read(ring->p, word, name);
	bool ok = group;

	for (size_t i = 0; group && i < group->n_members && ok; i++) {
		const struct tl_source *member = &group->members[i];
		struct tl_ring_target target = { .kind = TL_TARGET_EXTENSION };

		if (member->kind == TL_SOURCE_TRUNK) {
			target.kind = TL_TARGET_TRUNK;
			target.trunk = tl_dialplan_trunk(ring->p->dp, member->name);
		} else {
			target.extension = tl_dialplan_extension(ring->p->dp, member->name);
		}
		ok = append_target(ring, word, &target);
	}
	return ok;
}

static bool add_target(struct ring *ring, const struct tl_value *word)
{
	struct tl_ring_target target;

	if (g_str_has_prefix(word->text, "group:"))
		return add_group(ring, word, word->text + strlen("group:"));
	return read_target(ring, word, &target) && append_target(ring, word, &target);
}

/* "70%" */
static bool read_share(struct ring *ring, const struct tl_value *word, unsigned *ret_weight)
{
	size_t bytes = strlen(word->text);
	g_autofree char *digits = g_strndup(word->text, bytes - 1);
	uint64_t weight;

	if (!tl_number_read(digits, RING_SHARE, &weight) || !weight)
		return tl_mistake_expected(ring->p, word, "a share such as 70%");
	*ret_weight = weight;
	return true;
}

static bool read_limit(struct ring *ring, unsigned *ret_s)
{
	struct tl_value word = next_word(ring);
	int64_t ms;

	if (!tl_duration_read(word.text, &ms) || ms % 1000 || ms < 1000 || ms > RING_TIME_S * 1000)
		return tl_mistake_expected(ring->p, &word, "a time such as 20s, from 1s to 1h");
	*ret_s = ms / 1000;
	return true;
}

/* [SHARE%] [for TIME] behind a target: counts for all that it has added, from first on.
 * Leaves the word after it in *ret_next. */
static bool read_terms(struct ring *ring, unsigned first, struct tl_value *ret_next)
{
	unsigned weight = 0, limit_s = 0;
	bool ok = true;

	*ret_next = next_word(ring);
	if (g_str_has_suffix(ret_next->text, "%")) {
		ok = read_share(ring, ret_next, &weight);
		*ret_next = next_word(ring);
	}
	if (strcmp(ret_next->text, "for") == 0) {
		ok = read_limit(ring, &limit_s) && ok;
		*ret_next = next_word(ring);
	}
	for (unsigned i = first; i < ring->targets->len; i++) {
		struct tl_ring_target *target =
			&g_array_index(ring->targets, struct tl_ring_target, i);

		target->weight = weight;
		target->ring_time_s = limit_s;
	}
	return ok;
}

/* Shares belong to targets with "or" between them: all have one, or none, which is one each. */
static bool check_shares(struct ring *ring, const struct tl_value *at)
{
	unsigned said = 0;

	for (unsigned i = 0; i < ring->targets->len; i++)
		said += g_array_index(ring->targets, struct tl_ring_target, i).weight != 0;
	if (!ring->shared && said)
		return tl_mistake(ring->p, at, "a share needs \"or\" between the targets");
	if (said && said != ring->targets->len)
		return tl_mistake(ring->p, at,
				  "some targets have a share here, and some have none");
	for (unsigned i = 0; ring->shared && !said && i < ring->targets->len; i++)
		g_array_index(ring->targets, struct tl_ring_target, i).weight = 1;
	return true;
}

static bool end_step(struct ring *ring, const struct tl_value *at)
{
	bool ok = check_shares(ring, at);
	struct tl_ring_step step = { .n_targets = ring->targets->len };

	step.targets = tl_pool_copy(ring->p->pool, ring->targets->data, step.n_targets,
				    sizeof(struct tl_ring_target));
	if (step.n_targets)
		g_array_append_val(ring->steps, step);
	g_array_set_size(ring->targets, 0);
	ring->shared = false;
	return ok;
}

/* What stands between two targets. */
static bool read_between(struct ring *ring, const struct tl_value *word, unsigned so_far)
{
	bool or_ = strcmp(word->text, "or") == 0;

	if (strcmp(word->text, "then") == 0)
		return end_step(ring, word);
	if (!or_ && *word->text != ',')
		return tl_mistake_expected(ring->p, word, "\",\", \"then\" or \"or\"");
	if (so_far > 1 && or_ != ring->shared)
		return tl_mistake(
			ring->p, word,
			"\",\" (all at once) and \"or\" (one of them) don't mix in a step");
	ring->shared = or_;
	return true;
}

static bool is_between(const char *text)
{
	return !*text || *text == ',' || strcmp(text, "then") == 0 || strcmp(text, "or") == 0;
}

/* target { ("," | "then" | "or") target }: goes on after a bad target, to find them all. */
static bool read_ring(struct ring *ring)
{
	unsigned so_far = 0; /* targets written in this step */
	struct tl_value word, between;
	bool ok = true;

	for (;;) {
		unsigned first = ring->targets->len;

		word = next_word(ring);
		if (is_between(word.text))
			return tl_mistake(ring->p, &word,
					  "expected NUMBER, trunk:NAME, group:NAME or extension");
		ok = add_target(ring, &word) && ok;
		ok = read_terms(ring, first, &between) && ok;
		so_far++;
		if (!*between.text)
			break;
		if (!read_between(ring, &between, so_far))
			return false;
		if (strcmp(between.text, "then") == 0)
			so_far = 0;
		if (ring->steps->len == RING_STEPS)
			return tl_mistake(ring->p, &between, "more than %d steps", RING_STEPS);
	}
	return end_step(ring, &word) && ok;
}

bool tl_ring_read(struct tl_parse *p, const struct tl_value *value,
		  const struct tl_ring_step **ret_steps, size_t *ret_n, bool *ret_dialled)
{
	struct ring ring = { .p = p, .rest = *value };
	bool ok;

	ring.steps = g_array_new(FALSE, FALSE, sizeof(struct tl_ring_step));
	ring.targets = g_array_new(FALSE, FALSE, sizeof(struct tl_ring_target));
	ok = read_ring(&ring);
	*ret_steps = tl_pool_copy(p->pool, ring.steps->data, ring.steps->len,
				  sizeof(struct tl_ring_step));
	*ret_n = ring.steps->len;
	*ret_dialled = ring.dialled;
	g_array_unref(ring.steps);
	g_array_unref(ring.targets);
	return ok;
}

bool tl_parse_ring(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	struct tl_route_cfg *route = object;

	return tl_ring_read(p, value, &route->steps, &route->n_steps, &route->rings_dialled);
}

const char *tl_play_path(struct tl_parse *p, const struct tl_value *item)
{
	const char *name = tl_value_unquote(p->pool, item);
	const char *dir = p->dp->gateway.prompts;

	return tl_pool_take(p->pool, g_canonicalize_filename(name, dir ? dir : "/"));
}

/* A prompt must be there when a call comes, so it must be there now. */
static bool check_prompt(struct tl_parse *p, const struct tl_value *item, const char *path)
{
	g_autofree char *quoted = tl_quote(path);
	struct stat st;

	if (!*item->text)
		return tl_mistake(p, item, "expected the name of a sound file");
	if (stat(path, &st) < 0)
		return tl_mistake(p, item, "%s: %s", quoted, g_strerror(errno));
	if (!S_ISREG(st.st_mode))
		return tl_mistake(p, item, "%s is not a file", quoted);
	if (access(path, R_OK) < 0)
		return tl_mistake(p, item, "%s: %s", quoted, g_strerror(errno));
	return true;
}

bool tl_prompts_read(struct tl_parse *p, const struct tl_value *value,
		     const char *const **ret_paths, size_t *ret_n)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(const char *));
	struct tl_value rest = *value, item;
	bool ok = true;

	while (tl_value_next(p->pool, &rest, &item)) {
		const char *path = tl_play_path(p, &item);

		ok = check_prompt(p, &item, path) && ok;
		g_array_append_val(list, path);
	}
	*ret_paths = tl_pool_copy(p->pool, list->data, list->len, sizeof(const char *));
	*ret_n = list->len;
	return ok;
}

/* "" stands for none. */
bool tl_parse_music(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		    void *object)
{
	const char *path = strcmp(value->text, "none") == 0 ? "" : tl_play_path(p, value);

	*(const char **)tl_field(object, key) = path;
	return !*path || check_prompt(p, value, path);
}

bool tl_parse_music_later(struct tl_parse *p, const struct tl_key *key,
			  const struct tl_value *value, void *object)
{
	return true;
}

bool tl_parse_play(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		   void *object)
{
	return tl_prompts_read(p, value, tl_field(object, key), tl_field2(object, key));
}

bool tl_parse_ringback(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		       void *object)
{
	struct tl_route_cfg *route = object;
	const char *path;

	if (strcmp(value->text, "auto") == 0 || strcmp(value->text, "none") == 0) {
		route->ringback = *value->text == 'n' ? TL_RINGBACK_NONE : TL_RINGBACK_AUTO;
		return true;
	}
	path = tl_play_path(p, value);
	route->ringback = TL_RINGBACK_FILE;
	route->ringback_file = path;
	return check_prompt(p, value, path);
}

bool tl_parse_answer(struct tl_parse *p, const struct tl_key *key, const struct tl_value *value,
		     void *object)
{
	if (strcmp(value->text, "echo") != 0)
		return tl_mistake_expected(p, value, "echo");
	*(bool *)tl_field(object, key) = true;
	return true;
}
