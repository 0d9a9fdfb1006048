#include "media/rtp/reception.h"

#include <stdlib.h>

#include "media/fetch.h"

enum {
	MAX_DROPOUT = 3000, /* RFC 3550 A.1 */
	MAX_MISORDER = 100,
	SEQ_MOD = 1 << 16,
	STEP_MAX_S = 5, /* a timestamp that is further off is another timeline, not jitter */
};

static uint64_t expected(const struct tl_reception *r)
{
	return r->started ? (uint64_t)r->cycles + r->max_seq - r->base_seq + 1 : 0;
}

static uint64_t lost_of_source(const struct tl_reception *r)
{
	uint64_t e = expected(r);

	return e > r->received ? e - r->received : 0; /* duplicates count as received */
}

static void start(struct tl_reception *r, const struct tl_rtp *rtp)
{
	r->lost_before += lost_of_source(r);
	r->started = true;
	r->ssrc = rtp->ssrc;
	r->base_seq = rtp->seq;
	r->max_seq = rtp->seq;
	r->bad_seq = SEQ_MOD + 1; /* no sequence number is that */
	r->cycles = 0;
	r->received = 0;
	r->expected_prior = r->received_prior = 0;
	r->has_transit = false;
}

static enum tl_reception_verdict note_seq(struct tl_reception *r, const struct tl_rtp *rtp)
{
	uint16_t delta = (uint16_t)(rtp->seq - r->max_seq);

	if (!r->started || rtp->ssrc != r->ssrc) {
		start(r, rtp);
		return TL_RECEPTION_NEW_SOURCE;
	}
	if (delta < MAX_DROPOUT) {
		if (rtp->seq < r->max_seq)
			r->cycles += SEQ_MOD;
		r->max_seq = rtp->seq;
	} else if (delta <= SEQ_MOD - MAX_MISORDER) {
		if (rtp->seq != r->bad_seq) {
			r->bad_seq = (rtp->seq + 1) % SEQ_MOD;
			return TL_RECEPTION_JUMPED;
		}
		start(r, rtp);
		return TL_RECEPTION_NEW_SOURCE;
	}
	return TL_RECEPTION_NORMAL;
}

/* RFC 3550 A.8, in integers. */
static void note_jitter(struct tl_reception *r, const struct tl_rtp *rtp, int64_t arrived_us)
{
	uint32_t transit = (uint32_t)tl_rtp_us_to_units(arrived_us, r->clock_hz) - rtp->ts;
	int64_t step = llabs((int64_t)(int32_t)(transit - r->transit));

	if (r->has_transit && step < (int64_t)STEP_MAX_S * r->clock_hz)
		r->jitter_x16 += (uint32_t)(step - ((r->jitter_x16 + 8) >> 4));
	r->transit = transit;
	r->has_transit = true;
}

TL_HOT(packet)
enum tl_reception_verdict tl_reception_note(struct tl_reception *r, const struct tl_rtp *rtp,
					    unsigned clock_hz, bool timed, int64_t arrived_us)
{
	enum tl_reception_verdict verdict = note_seq(r, rtp);

	if (verdict == TL_RECEPTION_JUMPED)
		return verdict;
	r->received++;
	if (timed) {
		if (clock_hz != r->clock_hz) {
			r->clock_hz = clock_hz;
			r->jitter_x16 = 0;
			r->has_transit = false;
		}
		note_jitter(r, rtp, arrived_us);
	}
	return verdict;
}

uint64_t tl_reception_lost(const struct tl_reception *r)
{
	return r->lost_before + lost_of_source(r);
}

uint32_t tl_reception_jitter_us(const struct tl_reception *r)
{
	return r->clock_hz ? (uint32_t)tl_rtp_units_to_us(r->jitter_x16 >> 4, r->clock_hz) : 0;
}

void tl_reception_report(struct tl_reception *r, struct tl_reception_report *ret_report)
{
	int64_t lost = (int64_t)(expected(r) - r->received);
	int64_t expected_now = (int64_t)(expected(r) - r->expected_prior);
	int64_t received_now = (int64_t)(r->received - r->received_prior);
	int64_t lost_now = expected_now - received_now;

	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lost < -0x800000)
		lost = -0x800000;
	*ret_report = (struct tl_reception_report) {
		.fraction_lost = expected_now > 0 && lost_now > 0
					 ? (uint8_t)(lost_now * 256 / expected_now > 255
							     ? 255
							     : lost_now * 256 / expected_now)
					 : 0,
		.cumulative_lost = (int32_t)lost,
		.highest_seq = r->cycles | r->max_seq,
		.jitter = r->jitter_x16 >> 4,
	};
	r->expected_prior = expected(r);
	r->received_prior = r->received;
}
