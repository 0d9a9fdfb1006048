#include <criterion/criterion.h>
#include <stdlib.h>

#include "media/rtp/jitter.h"

/* A stream by the clock, and the same stream by a caller who need not wait. */
enum { CLOCK = 8000, FRAME = 160, FRAME_US = 20000, PACKETS = 500, TICK_US = 10000 };

static struct tl_pool pool;

struct player {
	struct tl_jitter *jb;
	int64_t at_us[PACKETS]; /* when each was due; 0: it never was */
	unsigned holes, hurried;
	int last;
	bool disorder;
};

static struct player begin(void)
{
	const struct tl_jitter_cfg cfg = { CLOCK, 20, 40, 200 };

	return (struct player) { .jb = tl_jitter_new(&cfg), .last = -1 };
}

static struct tl_rtp rtp_of(int n)
{
	return (struct tl_rtp) { .seq = (uint16_t)(65400 + n), .ts = (uint32_t)n * FRAME };
}

static void note(struct player *p, uint16_t seq, int64_t at_us)
{
	int n = (uint16_t)(seq - 65400);

	p->at_us[n] = at_us;
	p->disorder = p->disorder || n <= p->last;
	p->last = n;
}

static void take_slot(struct player *p, const struct tl_slot *slot)
{
	p->holes += slot->kind == TL_SLOT_HOLE;
	if (slot->packet && slot->kind == TL_SLOT_PACKET)
		note(p, slot->packet->rtp.seq, slot->at_us);
	tl_pool_give(&pool, slot->packet);
}

static void tick(struct player *p, int64_t now_us)
{
	struct tl_slot slot;
	int64_t due_us;

	while (tl_jitter_take(p->jb, now_us, &slot, &due_us) > 0)
		take_slot(p, &slot);
}

static void put(struct player *p, int n, int64_t arrived_us)
{
	struct tl_packet *packet = tl_pool_take(&pool);

	packet->arrived_us = arrived_us;
	packet->rtp = rtp_of(n);
	if (tl_jitter_put(p->jb, packet, FRAME) < 0)
		tl_pool_give(&pool, packet);
}

static void put_hurried(struct player *p, int n, int64_t arrived_us)
{
	struct tl_rtp rtp = rtp_of(n);
	struct tl_slot slot;
	int64_t at_us;

	if (tl_jitter_hurry(p->jb, &rtp, FRAME, arrived_us, &at_us)) {
		p->hurried++;
		note(p, rtp.seq, at_us);
		return;
	}
	tick(p, arrived_us);
	put(p, n, arrived_us);
	while (tl_jitter_take_next(p->jb, &slot) > 0)
		take_slot(p, &slot);
}

static const struct stream {
	const char *why;
	int lose_every, swap_every;
	int64_t jitter_us;
	unsigned hurried_at_least; /* per cent */
} streams[] = {
	{ "a good path", 0, 0, 0, 95 },       { "jitter", 0, 0, 15000, 70 },
	{ "losses", 25, 0, 0, 60 },           { "two change places", 0, 20, 0, 60 },
	{ "all at once", 33, 21, 15000, 40 },
};

/* Which packet comes as the i-th, and when; -1: it is lost. */
static int arrival(const struct stream *stream, int i, int64_t *ret_us)
{
	int n = i, s = stream->swap_every;

	if (s && i % s == 5)
		n = i + 1;
	else if (s && i % s == 6)
		n = i - 1;
	*ret_us = 1000000 + (int64_t)i * FRAME_US;
	if (stream->jitter_us)
		*ret_us += rand() % stream->jitter_us;
	return stream->lose_every && n % stream->lose_every == 17 ? -1 : n;
}

static void compare(const struct stream *stream, const struct player *clocked,
		    const struct player *hurried)
{
	unsigned missing = 0;

	for (int n = 0; n < PACKETS - 20; n++) {
		missing += (clocked->at_us[n] == 0) != (hurried->at_us[n] == 0);
		if (clocked->at_us[n] && hurried->at_us[n])
			cr_expect_lt(llabs(clocked->at_us[n] - hurried->at_us[n]), 25000,
				     "%s: packet %d at %ld, by the clock at %ld", stream->why, n,
				     (long)hurried->at_us[n], (long)clocked->at_us[n]);
	}
	cr_expect_leq(missing, PACKETS / 100, "%s: %u are played in one way only", stream->why,
		      missing);
	cr_expect_not(hurried->disorder, "%s", stream->why);
	cr_expect_geq(hurried->hurried * 100, PACKETS * stream->hurried_at_least,
		      "%s: only %u of %d went past", stream->why, hurried->hurried, PACKETS);
}

Test(jitter_hurry, plays_what_the_clock_would_have_played)
{
	for (size_t k = 0; k < sizeof streams / sizeof *streams; k++) {
		struct player clocked = begin(), hurried = begin();
		int64_t now_us = 1000000, at_us;

		srand(7);
		for (int i = 0; i < PACKETS; i++) {
			int n = arrival(&streams[k], i, &at_us);

			for (; now_us <= at_us; now_us += TICK_US)
				tick(&clocked, now_us);
			if (n < 0)
				continue;
			put(&clocked, n, at_us);
			put_hurried(&hurried, n, at_us);
		}
		compare(&streams[k], &clocked, &hurried);
		tl_jitter_free(clocked.jb, &pool);
		tl_jitter_free(hurried.jb, &pool);
	}
	tl_pool_done(&pool);
}

Test(jitter_hurry, waits_for_what_is_missing)
{
	struct player p = begin();

	for (int n = 0; n < 10; n++)
		put_hurried(&p, n, 1000000 + (int64_t)n * FRAME_US);
	put_hurried(&p, 11, 1000000 + 10 * FRAME_US);
	cr_expect_eq(p.last, 9, "there is time yet for number 10");
	put_hurried(&p, 10, 1000000 + 10 * FRAME_US + 5000);
	cr_expect_eq(p.last, 11);
	cr_expect_eq(p.holes, 0);
	cr_expect_lt(llabs(p.at_us[11] - p.at_us[9] - 2 * FRAME_US), 5000);
	tl_jitter_free(p.jb, &pool);
	tl_pool_done(&pool);
}
