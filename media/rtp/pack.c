#include "media/rtp/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/fetch.h"

enum {
	SEQ_JUMP = 1000, /* further than this the sender has begun anew */
	TS_JUMP_S = 3,   /* beyond the time that passed */
	YOUNG = 1000,    /* packets; in an older map no number is from before its start */
};

void tl_pack_init(struct tl_pack *pack, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
	memset(pack, 0, sizeof *pack);
	pack->ssrc = ssrc;
	pack->seq = seq;
	pack->ts = ts;
}

uint32_t tl_pack_clock(const struct tl_pack *pack, unsigned clock_hz, int64_t now_us)
{
	if (!pack->started)
		return pack->ts;
	return pack->ts + (uint32_t)tl_rtp_us_to_units(now_us - pack->sent_us, clock_hz);
}

/* Where a new feeder's audio begins: now, but not within what was sent. */
static uint32_t next_spurt(const struct tl_pack *pack, unsigned clock_hz, int64_t now_us)
{
	uint32_t now = tl_pack_clock(pack, clock_hz, now_us);
	uint32_t end = pack->ts + pack->duration;

	if (!pack->started)
		return pack->ts;
	return tl_rtp_ts_minus(now, end) > 0 ? now : end;
}

static void note_audio(struct tl_pack *pack, uint32_t ts, uint32_t duration, int64_t now_us)
{
	pack->ts = ts;
	pack->duration = duration;
	pack->sent_us = now_us;
}

/* Same source, same sequence, same timeline as the packets before? */
static bool goes_on(const struct tl_pack *pack, const struct tl_rtp *in, bool timed,
		    unsigned clock_hz, int64_t now_us)
{
	int64_t passed = tl_rtp_us_to_units(now_us - pack->sent_us, clock_hz);
	int64_t step = tl_rtp_ts_minus(in->ts, pack->in_ts);

	if (pack->feeder != TL_FEEDER_RELAY || in->ssrc != pack->in_ssrc ||
	    abs(tl_rtp_seq_minus(in->seq, pack->in_seq)) > SEQ_JUMP)
		return false;
	return !timed || llabs(step - passed) < (int64_t)TS_JUMP_S * clock_hz;
}

static void begin_map(struct tl_pack *pack, const struct tl_rtp *in, unsigned clock_hz,
		      int64_t now_us)
{
	pack->seq_offset = (uint16_t)(pack->seq + 1 - in->seq);
	pack->ts_offset = next_spurt(pack, clock_hz, now_us) - in->ts;
	pack->first_seq = (uint16_t)(pack->seq + 1);
	pack->mapped = 0;
	pack->in_ssrc = in->ssrc;
	pack->in_seq = in->seq;
	pack->in_ts = in->ts;
	pack->feeder = TL_FEEDER_RELAY;
}

TL_HOT(packet)
int tl_pack_relay(struct tl_pack *pack, const struct tl_rtp *in, bool timed, uint32_t duration,
		  unsigned clock_hz, int64_t now_us, struct tl_rtp *ret_out)
{
	bool fresh = !goes_on(pack, in, timed, clock_hz, now_us);
	uint16_t seq;
	uint32_t ts;

	if (fresh)
		begin_map(pack, in, clock_hz, now_us);
	seq = (uint16_t)(in->seq + pack->seq_offset);
	ts = in->ts + pack->ts_offset;
	if (pack->mapped < YOUNG) {
		if (tl_rtp_seq_minus(seq, pack->first_seq) < 0)
			return -ESTALE;
		pack->mapped++;
	}
	if (fresh || tl_rtp_seq_minus(seq, pack->seq) > 0) {
		pack->seq = seq;
		pack->in_seq = in->seq;
		if (timed) {
			pack->in_ts = in->ts;
			note_audio(pack, ts, duration, now_us);
		}
	}
	pack->started = true;
	ret_out->ssrc = pack->ssrc;
	ret_out->seq = seq;
	ret_out->ts = ts;
	ret_out->marker = in->marker || fresh;
	return 0;
}

void tl_pack_skip(struct tl_pack *pack, const struct tl_rtp *in)
{
	int ahead = tl_rtp_seq_minus(in->seq, pack->in_seq);

	if (pack->feeder != TL_FEEDER_RELAY || in->ssrc != pack->in_ssrc || ahead <= 0 ||
	    ahead > SEQ_JUMP)
		return;
	/* Numbers lost before it are a loss; only its own is taken out. */
	pack->seq_offset--;
	pack->seq = (uint16_t)(pack->seq + ahead - 1);
	pack->in_seq = in->seq;
}

void tl_pack_part(struct tl_pack *pack)
{
	if (pack->feeder == TL_FEEDER_RELAY)
		pack->feeder = TL_FEEDER_NONE;
}

TL_HOT(chain)
void tl_pack_own(struct tl_pack *pack, enum tl_feeder feeder, uint32_t duration, unsigned clock_hz,
		 int64_t now_us, struct tl_rtp *ret_out)
{
	bool fresh = pack->feeder != feeder;

	note_audio(pack, fresh ? next_spurt(pack, clock_hz, now_us) : pack->ts + pack->duration,
		   duration, now_us);
	pack->feeder = feeder;
	pack->started = true;
	pack->seq++;
	ret_out->ssrc = pack->ssrc;
	ret_out->seq = pack->seq;
	ret_out->ts = pack->ts;
	ret_out->marker = fresh || pack->gap;
	pack->gap = false;
}

void tl_pack_gap(struct tl_pack *pack, enum tl_feeder feeder, uint32_t duration, unsigned clock_hz,
		 int64_t now_us)
{
	bool fresh = pack->feeder != feeder;

	note_audio(pack, fresh ? next_spurt(pack, clock_hz, now_us) : pack->ts + pack->duration,
		   duration, now_us);
	pack->feeder = feeder;
	pack->started = true;
	pack->gap = true;
}

void tl_pack_insert(struct tl_pack *pack, struct tl_rtp *ret_out)
{
	pack->seq++;
	pack->seq_offset++;
	pack->started = true;
	ret_out->ssrc = pack->ssrc;
	ret_out->seq = pack->seq;
}

void tl_pack_pause(struct tl_pack *pack)
{
	if (pack->feeder != TL_FEEDER_RELAY)
		pack->feeder = TL_FEEDER_NONE;
}
