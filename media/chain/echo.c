#include "media/chain/echo.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <glib.h>

#include "media/chain/echo_delay.h"
#include "media/chain/echo_filter.h"
#include "media/chain/echo_residue.h"
#include "media/chain/modem_tones.h"

enum {
	STEP_MS = 20, /* shorter ones cost more, and the filters learn more slowly */
	PART_MS = 10, /* of a step: what changes faster */
	STEP_MAX = 320,
	RING = 16384,       /* samples of what was sent: 1 s at 16 kHz */
	FIRST_BACK_MS = 60, /* what is heard may come so much sooner, or what is sent later */
	JUMP_MS = 1000,     /* on a timeline: another stream */
	LEAD_MS = 4,        /* an echo is put so far into the tail */
	MOST_AHEAD_MS = 300,
	ASTRAY = 25,       /* packets sent, until clocks and not jitter have parted the timelines */
	STUDY_STEPS = 32,  /* 640 ms */
	LESSON_STEPS = 10, /* 200 ms of speech */
	LESSONS = 80,
	SILENT_STEPS = 13, /* G.168 7.5: 250 +-150 ms */
};

static const float SPEECH = 60 * 60;        /* mean square: -49 dBm0 */
static const float SLOWLY = 0.1f, LOST = 4, /* 6 dB louder than what came in */
	SETTLED = 10;
static const float SILENT = 256 * 256; /* mean square: -36 dBm0 */

struct tl_echo {
	unsigned rate_hz, tail_ms;
	size_t step;
	const struct tl_echo_filter *ops;
	void *filter;
	bool linear;
	bool aligned; /* the filter has begun anew with the delay that was found */

	/* sent: ring[at % RING] for the RING places before sent_end */
	int16_t ring[RING];
	int64_t sent_end; /* place after the newest */
	bool any_sent;

	int16_t said[RING]; /* what was heard, likewise, for the filter to learn by once more */
	unsigned lessons;   /* steps in which something was sent, while it learns */
	/* heard: place h is held against what was sent at h + offset, for the delay, and that
	 * so many samples later by shift, for the filter */
	int64_t heard_end; /* place after the newest */
	bool any_heard;
	int64_t offset;
	int64_t shift;
	int64_t ahead;   /* what is sent was so far ahead of what is heard at the least */
	unsigned astray; /* packets sent in a row out of these bounds */
	int64_t stepped_end;
	struct tl_echo_delay delay;
	struct tl_echo_residue residue;

	struct tl_modem_ear sent_ear, heard_ear;
	bool aside, tone; /* a modem's tone: all steps aside; 2100 Hz: the residue does */
	unsigned silent;  /* steps, since */

	bool is_late; /* by a step: audio came in other pieces */
	int16_t wait[STEP_MAX], done[STEP_MAX];
	size_t n_wait;
	float energy_in, energy_out; /* of the filter */
	float last_gain;             /* of the last step: what came out of what went in */
};

static const struct tl_echo_filter *filter_of(enum tl_echo_kind kind, unsigned rate_hz)
{
	return kind == TL_ECHO_SPANDSP && rate_hz == 8000 ? &tl_echo_spandsp : &tl_echo_speexdsp;
}

static int64_t samples(const struct tl_echo *echo, int ms)
{
	return (int64_t)ms * echo->rate_hz / 1000;
}

int tl_echo_new(enum tl_echo_kind kind, unsigned rate_hz, unsigned tail_ms,
		struct tl_echo **ret_echo)
{
	struct tl_echo *echo;

	if (kind == TL_ECHO_OFF)
		return -EINVAL;
	if (rate_hz != 8000 && rate_hz != 16000)
		return -ENOTSUP;
	echo = g_new0(struct tl_echo, 1);
	echo->rate_hz = rate_hz;
	echo->step = rate_hz * STEP_MS / 1000;
	echo->tail_ms = CLAMP(tail_ms, (unsigned)TL_ECHO_TAIL_MIN_MS, TL_ECHO_TAIL_MAX_MS);
	echo->ops = filter_of(kind, rate_hz);
	echo->filter =
		echo->ops->open(rate_hz, echo->step, (size_t)samples(echo, (int)echo->tail_ms));
	if (!echo->filter) {
		g_free(echo);
		return -ENOTSUP;
	}
	tl_echo_delay_init(&echo->delay, rate_hz);
	tl_echo_residue_init(&echo->residue, echo->tail_ms / PART_MS + 2);
	tl_modem_ear_init(&echo->sent_ear, rate_hz);
	tl_modem_ear_init(&echo->heard_ear, rate_hz);
	echo->last_gain = 1;
	*ret_echo = echo;
	return 0;
}

void tl_echo_free(struct tl_echo *echo)
{
	if (!echo)
		return;
	echo->ops->close(echo->filter);
	g_free(echo);
}

unsigned tl_echo_rate_hz(const struct tl_echo *echo)
{
	return echo->rate_hz;
}

void tl_echo_set_linear(struct tl_echo *echo, bool linear)
{
	echo->linear = linear;
}

void tl_echo_state(const struct tl_echo *echo, struct tl_echo_state *ret_state)
{
	*ret_state = (struct tl_echo_state) {
		.aside = echo->aside,
		.aligned = echo->aligned,
		.delay_ms = (int)(echo->shift * 1000 / (int64_t)echo->rate_hz),
	};
}

static int16_t *place(struct tl_echo *echo, int64_t at)
{
	return &echo->ring[(uint64_t)at % RING];
}

/* What is sent and what is heard run by two clocks: the place of the newest wanders. */
static void follow_clocks(struct tl_echo *echo)
{
	int64_t ahead = echo->sent_end - (echo->heard_end + echo->offset);
	int64_t move;

	if (ahead >= 0 && ahead <= samples(echo, MOST_AHEAD_MS)) {
		echo->astray = 0;
		return;
	}
	if (echo->aligned && ++echo->astray < ASTRAY)
		return;
	echo->astray = 0;
	move = ahead - samples(echo, FIRST_BACK_MS);
	echo->offset += move;
	echo->shift += move;
	echo->ahead = samples(echo, FIRST_BACK_MS);
	tl_echo_delay_init(&echo->delay, echo->rate_hz);
}

void tl_echo_sent(struct tl_echo *echo, int64_t at, const int16_t *pcm, size_t n)
{
	int64_t jump = at - echo->sent_end;

	if (!echo->any_sent || jump < 0 || jump > samples(echo, JUMP_MS)) {
		/* another stream, or a pause that nothing is left of */
		memset(echo->ring, 0, sizeof echo->ring);
		if (echo->any_sent && jump < 0)
			echo->offset += jump;
		echo->sent_end = at;
		echo->any_sent = true;
	}
	for (; echo->sent_end < at; echo->sent_end++)
		*place(echo, echo->sent_end) = 0;
	for (size_t i = 0; i < n; i++)
		*place(echo, echo->sent_end++) = pcm[i];
	if (jump == 0 && echo->any_heard)
		follow_clocks(echo);
}

/* What was sent from a place on; nothing yet, or no longer: silence. */
static void look_up(struct tl_echo *echo, int64_t at, int16_t *pcm)
{
	for (size_t i = 0; i < echo->step; i++, at++)
		pcm[i] = at < echo->sent_end && at >= echo->sent_end - RING ? *place(echo, at) : 0;
}

static float energy(const int16_t *pcm, size_t n)
{
	float sum = 1;

	for (size_t i = 0; i < n; i++)
		sum += (float)pcm[i] * pcm[i];
	return sum;
}

/* The last of what was sent and heard goes through the filter again, and nothing comes out: it
 * converges in half the time. A burst of 0.4 ms, some times in a call. */
static void study(struct tl_echo *echo)
{
	int64_t at = echo->stepped_end - (int64_t)echo->step * STUDY_STEPS;

	for (; at < echo->stepped_end; at += (int64_t)echo->step) {
		int16_t sent[STEP_MAX], heard[STEP_MAX], unused[STEP_MAX];

		look_up(echo, at + echo->offset - echo->shift, sent);
		for (size_t i = 0; i < echo->step; i++)
			heard[i] = echo->said[(uint64_t)(at + (int64_t)i) % RING];
		echo->ops->run(echo->filter, sent, heard, unused);
	}
}

/* Again and again while the filter is new. */
static void learn(struct tl_echo *echo, const int16_t *sent)
{
	if (echo->lessons >= LESSONS || energy(sent, echo->step) < SPEECH * (float)echo->step)
		return;
	if (++echo->lessons % LESSON_STEPS == 0)
		study(echo);
}

/* The tail begins LEAD_MS before the echo. It stays there as long as it holds the most of it. */
static void align(struct tl_echo *echo, const struct tl_echo_place *found)
{
	int64_t peak = samples(echo, found->peak_ms) - echo->shift;

	if (echo->aligned && peak >= 0 && peak <= samples(echo, (int)echo->tail_ms) * 3 / 4)
		return;
	echo->shift = MAX(samples(echo, found->begin_ms - LEAD_MS), -echo->ahead);
	echo->ops->forget(echo->filter);
	echo->aligned = true;
	echo->lessons = 0;
	study(echo);
}

/* A modem speaks, or 2100 Hz are heard, until both directions are silent. */
static void mind_modems(struct tl_echo *echo, const int16_t *sent, const int16_t *heard)
{
	enum tl_modem_tone there = tl_modem_ear_hear(&echo->sent_ear, sent, echo->step);
	enum tl_modem_tone here = tl_modem_ear_hear(&echo->heard_ear, heard, echo->step);

	if (there == TL_MODEM_REVERSING || here == TL_MODEM_REVERSING)
		echo->aside = true;
	if (there >= TL_MODEM_ANSWER || here >= TL_MODEM_ANSWER)
		echo->tone = true;
	if (echo->sent_ear.level > SILENT || echo->heard_ear.level > SILENT)
		echo->silent = 0;
	else if (++echo->silent >= SILENT_STEPS)
		echo->aside = echo->tone = false;
}

/* A filter that adds more than it takes has lost its way. */
static void guard(struct tl_echo *echo, const int16_t *heard, int16_t *clean)
{
	echo->energy_in += (energy(heard, echo->step) - echo->energy_in) * SLOWLY;
	echo->energy_out += (energy(clean, echo->step) - echo->energy_out) * SLOWLY;
	if (echo->energy_out <= echo->energy_in)
		return;
	memcpy(clean, heard, echo->step * sizeof *clean);
	if (echo->energy_out > LOST * echo->energy_in) {
		echo->ops->forget(echo->filter);
		echo->energy_out = echo->energy_in;
	}
}

static void look_for_delay(struct tl_echo *echo, const int16_t *sent, const int16_t *heard)
{
	size_t part = echo->rate_hz * PART_MS / 1000;
	bool settled = echo->aligned && echo->energy_out * SETTLED < echo->energy_in;
	struct tl_echo_place found;

	for (size_t i = 0; i < echo->step; i += part)
		if (tl_echo_delay_step(&echo->delay, sent + i, heard + i, settled, &found))
			align(echo, &found);
}

/* One step that was heard at a place. */
static void clean_step(struct tl_echo *echo, int64_t at, const int16_t *heard, int16_t *clean)
{
	size_t part = echo->rate_hz * PART_MS / 1000;
	int16_t sent[STEP_MAX];

	look_up(echo, at + echo->offset, sent);
	mind_modems(echo, sent, heard);
	if (echo->aside) {
		memcpy(clean, heard, echo->step * sizeof *clean);
		echo->last_gain = 1;
		return;
	}
	for (size_t i = 0; i < echo->step; i++)
		echo->said[(uint64_t)(at + (int64_t)i) % RING] = heard[i];
	echo->stepped_end = at + (int64_t)echo->step;
	look_for_delay(echo, sent, heard);
	look_up(echo, at + echo->offset - echo->shift, sent);
	echo->ops->run(echo->filter, sent, heard, clean);
	guard(echo, heard, clean);
	learn(echo, sent);
	for (size_t i = 0; !echo->linear && i < echo->step; i += part)
		tl_echo_residue_step(&echo->residue, sent + i, heard + i, clean + i, part,
				     echo->tone);
	echo->last_gain = sqrtf(MIN(energy(clean, echo->step) / energy(heard, echo->step), 1.0f));
}

/* The timelines are put together: the newest of both, with room for what is sent in bursts. */
static void join_timelines(struct tl_echo *echo, int64_t at)
{
	echo->offset = echo->sent_end - samples(echo, FIRST_BACK_MS) - at;
	echo->any_heard = true;
	echo->ahead = samples(echo, FIRST_BACK_MS);
}

/*
 * Audio that comes in whole steps is cleaned in place. Once some does not, all leaves a step late
 * from then on:
 *
 *   in     |  10    |  10    |   5|  10    |   5|
 *   steps  |  10    |  10    |   10    |   10   |
 *   out    |  10    |  10    |   5|  10    |   5|    of which the first 10 are silence
 */
static void clean(struct tl_echo *echo, int64_t at, int16_t *pcm, size_t n)
{
	int16_t step[STEP_MAX];

	echo->is_late |= n % echo->step != 0;
	for (size_t i = 0; !echo->is_late && i < n; i += echo->step) {
		clean_step(echo, at + (int64_t)i, pcm + i, step);
		memcpy(pcm + i, step, echo->step * sizeof *pcm);
	}
	for (size_t i = 0; echo->is_late && i < n; i++) {
		int16_t done = echo->done[echo->n_wait];

		echo->wait[echo->n_wait++] = pcm[i];
		pcm[i] = done;
		if (echo->n_wait < echo->step)
			continue;
		clean_step(echo, at + (int64_t)i + 1 - (int64_t)echo->step, echo->wait, echo->done);
		echo->n_wait = 0;
	}
}

void tl_echo_heard(struct tl_echo *echo, int64_t at, int16_t *pcm, size_t n)
{
	if (!echo->any_heard || ABS(at - echo->heard_end) > samples(echo, JUMP_MS))
		join_timelines(echo, at);
	echo->heard_end = at + (int64_t)n;
	echo->ahead = CLAMP(echo->sent_end - echo->heard_end - echo->offset, 0, echo->ahead);
	clean(echo, at, pcm, n);
}

/* The filter must not miss what was sent meanwhile; what it makes of this is not used. */
void tl_echo_made_up(struct tl_echo *echo, int16_t *pcm, size_t n)
{
	float gain = echo->last_gain;
	int16_t unused[STEP_MAX];

	if (!echo->any_heard)
		return;
	if (echo->is_late || n % echo->step != 0)
		clean(echo, echo->heard_end, pcm, n);
	for (size_t i = 0; !echo->is_late && i < n; i += echo->step)
		clean_step(echo, echo->heard_end + (int64_t)i, pcm + i, unused);
	for (size_t i = 0; !echo->is_late && i < n; i++)
		pcm[i] = (int16_t)((float)pcm[i] * gain);
	echo->heard_end += (int64_t)n;
	echo->last_gain = gain;
}
