/* Whom to ring: shares drawn, times filled in, and in words. */
#include "dialplan/decide/said.h"

/* Weyl sequence with a mixing step: small, and the same everywhere. */
static uint32_t next_random(uint32_t *state)
{
	uint32_t z = *state += 0x9e3779b9u;

	z = (z ^ z >> 16) * 0x85ebca6bu;
	z = (z ^ z >> 13) * 0xc2b2ae35u;
	return z ^ z >> 16;
}

static bool is_shared(const struct tl_ring_step *step)
{
	return step->n_targets && step->targets[0].weight;
}

/* Puts a target by weight in front of those that are left. */
static void draw_one(struct tl_ring_target *left, size_t n, uint32_t *state)
{
	uint64_t sum = 0, mark;
	struct tl_ring_target drawn;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		sum += left[k].weight;
	for (mark = next_random(state) * sum >> 32; mark >= left[i].weight; i++)
		mark -= left[i].weight;
	drawn = left[i];
	for (; i; i--)
		left[i] = left[i - 1];
	left[0] = drawn;
}

static struct tl_ring_step step_of(const struct tl_ring_target *targets, size_t n)
{
	struct tl_ring_step step = { targets, n, 0 };

	for (size_t i = 0; i < n; i++)
		step.ring_time_s = MAX(step.ring_time_s, targets[i].ring_time_s);
	return step;
}

const struct tl_ring_step *tl_steps_draw(struct tl_pool *pool, const struct tl_ring_step *steps,
					 size_t n, unsigned ring_time_s,
					 const struct tl_extension_cfg *dialled, uint32_t lot,
					 size_t *ret_n)
{
	struct tl_ring_target *target;
	struct tl_ring_step *out;
	size_t n_targets = 0, n_out = 0;

	for (size_t i = 0; i < n; i++)
		n_targets += steps[i].n_targets;
	*ret_n = 0;
	if (!n_targets)
		return NULL;
	target = tl_pool_alloc(pool, n_targets, sizeof(*target));
	out = tl_pool_alloc(pool, n_targets, sizeof(*out));
	for (size_t i = 0; i < n; target += steps[i++].n_targets) {
		for (size_t k = 0; k < steps[i].n_targets; k++) {
			target[k] = steps[i].targets[k];
			if (!target[k].trunk && !target[k].extension)
				target[k].extension = dialled;
			if (!target[k].ring_time_s)
				target[k].ring_time_s = ring_time_s;
		}
		if (!is_shared(&steps[i])) {
			out[n_out++] = step_of(target, steps[i].n_targets);
			continue;
		}
		for (size_t k = 0; k < steps[i].n_targets; k++) {
			draw_one(target + k, steps[i].n_targets - k, &lot);
			out[n_out++] = step_of(target + k, 1);
		}
	}
	*ret_n = n_out;
	return out;
}

static void append_target(GString *out, const struct tl_ring_target *target,
			  const struct tl_steps_words *words)
{
	const struct tl_extension_cfg *extension =
		target->extension ? target->extension : words->dialled;

	if (target->trunk)
		g_string_append_printf(out, "trunk:%s", target->trunk->name);
	else
		g_string_append(out, extension ? extension->number : "extension");
	if (words->shares && target->weight)
		g_string_append_printf(out, " %u%%", target->weight);
	if (words->times && target->ring_time_s && target->ring_time_s != words->ring_time_s) {
		g_autofree char *time = tl_seconds_text(target->ring_time_s);

		g_string_append_printf(out, " for %s", time);
	}
}

char *tl_steps_text(const struct tl_ring_step *steps, size_t n, const struct tl_steps_words *words)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		g_string_append(out, i ? " then " : "");
		for (size_t k = 0; k < steps[i].n_targets; k++) {
			g_string_append(out, !k ? "" : is_shared(&steps[i]) ? " or " : ", ");
			append_target(out, &steps[i].targets[k], words);
		}
	}
	return g_string_free(out, FALSE);
}
