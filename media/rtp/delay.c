#include "media/rtp/delay.h"

#include <string.h>

#include <glib.h>

#include "media/fetch.h"
#include "media/rtp/rtp.h"

enum {
	BIN_US = 5000,
	WINDOW_US = 2000000,
	MEMORY = 1000,       /* packets; then all counts are halved */
	SET_EVERY = 25,      /* packets */
	QUANTILE_OF = 100,   /* one in so many may come later */
	LEARNING = 100,      /* packets; before, the slowest one sets the target */
	JUMP_S = 2,          /* beyond this it is no jitter but another timeline */
	ACCIDENT_US = 10000, /* later than the target by more */
	HEELS = 4,           /* on them: within one part in so many of what was said between */
};

/* What is hardly late at all shares the first bin, and is seldom so late as its end. */
static int64_t end_of(int bin)
{
	return bin == 0 ? BIN_US / 2 : (int64_t)(bin + 1) * BIN_US;
}

static int64_t clamp(const struct tl_delay *delay, int64_t us)
{
	us = MAX(us, MAX(delay->min_us, delay->floor_us));
	return MIN(us, delay->max_us);
}

void tl_delay_init(struct tl_delay *delay, unsigned min_ms, unsigned max_ms)
{
	memset(delay, 0, sizeof *delay);
	delay->min_us = (int64_t)min_ms * 1000;
	delay->max_us = (int64_t)(max_ms > min_ms ? max_ms : min_ms) * 1000;
	delay->target_us = delay->min_us;
}

void tl_delay_new_timeline(struct tl_delay *delay)
{
	delay->has_ts = false;
}

/* Units since the first packet, whatever the wrapping number says. */
static int64_t unwrap(const struct tl_delay *delay, uint32_t ts)
{
	return delay->sent_units + tl_rtp_ts_minus(ts, delay->last_ts);
}

static int64_t fastest(const struct tl_delay *delay)
{
	return delay->fastest_us < delay->fastest_before_us ? delay->fastest_us
							    : delay->fastest_before_us;
}

static void start(struct tl_delay *delay, uint32_t ts, int64_t arrived_us)
{
	delay->has_ts = true;
	delay->last_ts = ts;
	delay->sent_units = 0;
	delay->fastest_us = delay->fastest_before_us = arrived_us;
	delay->window_us = arrived_us;
	delay->accident.lasts = false;
}

static void count(struct tl_delay *delay, int64_t behind_us)
{
	int64_t bin = behind_us / BIN_US;

	if (bin >= TL_DELAY_BINS)
		bin = TL_DELAY_BINS - 1;
	delay->bins[bin]++;
	if (++delay->n < MEMORY)
		return;
	delay->n = 0;
	for (unsigned i = 0; i < TL_DELAY_BINS; i++) {
		delay->bins[i] /= 2;
		delay->n += delay->bins[i];
	}
}

/* Another one: they are the path's own. */
static void count_accident(struct tl_delay *delay)
{
	struct tl_accident *accident = &delay->accident;

	for (; accident->n > 0; accident->n--, accident->behind_us -= accident->step_us)
		count(delay, MAX(accident->behind_us, 0));
}

/*
 * Whether a packet that is so late, said step_us after the one before and come gap_us after it, is
 * not to be counted.
 *
 *   said      1 2 3 4 5 6 7 8
 *   arrives   1 2 . . . . 34567 8      3 was late, 4 to 7 are of the same accident
 */
static bool is_accident(struct tl_delay *delay, int64_t behind_us, int64_t step_us, int64_t gap_us)
{
	struct tl_accident *accident = &delay->accident;
	bool again = accident->seen && accident->since < MEMORY;

	accident->since += accident->since < MEMORY;
	accident->lasts = accident->lasts && step_us > 0 && gap_us < step_us / HEELS;
	if (accident->lasts) {
		accident->step_us = step_us;
		accident->n += accident->n < TL_DELAY_BINS;
		return true;
	}
	if (behind_us <= delay->target_us + ACCIDENT_US)
		return false;
	accident->since = 0;
	accident->seen = true;
	if (again) {
		count_accident(delay);
		return false;
	}
	accident->lasts = true;
	accident->behind_us = behind_us;
	accident->n = 1;
	return true;
}

static void set_target(struct tl_delay *delay)
{
	unsigned above = delay->n < LEARNING ? 0 : delay->n / QUANTILE_OF, later = 0;
	int bin = TL_DELAY_BINS - 1;

	for (; bin > 0; bin--) {
		later += delay->bins[bin];
		if (later > above)
			break;
	}
	delay->target_us = clamp(delay, end_of(bin));
	delay->since = 0;
}

TL_HOT(chain)
void tl_delay_note(struct tl_delay *delay, uint32_t ts, unsigned clock_hz, int64_t arrived_us)
{
	int64_t transit_us, behind_us, step_us, gap_us;

	if (!delay->has_ts)
		start(delay, ts, arrived_us);
	delay->sent_units = unwrap(delay, ts);
	delay->last_ts = ts;
	transit_us = arrived_us - tl_rtp_units_to_us(delay->sent_units, clock_hz);
	gap_us = arrived_us - delay->arrived_us;
	step_us = gap_us - (transit_us - delay->transit_us);
	delay->arrived_us = arrived_us;
	delay->transit_us = transit_us;
	behind_us = transit_us - fastest(delay);
	if (behind_us > (int64_t)JUMP_S * 1000000 || behind_us < -(int64_t)JUMP_S * 1000000) {
		start(delay, ts, arrived_us);
		return;
	}
	if (arrived_us - delay->window_us >= WINDOW_US) {
		delay->fastest_before_us = delay->fastest_us;
		delay->fastest_us = transit_us;
		delay->window_us = arrived_us;
	} else if (transit_us < delay->fastest_us) {
		delay->fastest_us = transit_us;
	}
	if (is_accident(delay, behind_us, step_us, gap_us))
		return;
	count(delay, behind_us > 0 ? behind_us : 0);
	if (++delay->since >= SET_EVERY || behind_us > delay->target_us)
		set_target(delay);
}

void tl_delay_set_floor(struct tl_delay *delay, int64_t us)
{
	if (us == delay->floor_us)
		return;
	delay->floor_us = us;
	set_target(delay);
}

int64_t tl_delay_play_at(const struct tl_delay *delay, uint32_t ts, unsigned clock_hz)
{
	return tl_rtp_units_to_us(unwrap(delay, ts), clock_hz) + fastest(delay) + delay->target_us;
}

int64_t tl_delay_of(const struct tl_delay *delay, uint32_t ts, unsigned clock_hz, int64_t play_us)
{
	return play_us - tl_rtp_units_to_us(unwrap(delay, ts), clock_hz) - fastest(delay);
}
