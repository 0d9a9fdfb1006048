#pragma once
/*
 * One outgoing RTP stream. Whatever feeds it, relayed packets, a chain, an
 * announcement or digits, it stays one source to its receiver: one SSRC,
 * sequence numbers in a row, a timestamp that follows the wall clock, and the
 * marker where a new feeder (or a new talk spurt) begins. Pure. Private to media/.
 */
#include "media/rtp/rtp.h"

enum tl_feeder {
	TL_FEEDER_NONE,
	TL_FEEDER_RELAY,
	TL_FEEDER_CHAIN,
	TL_FEEDER_PLAYER,
	TL_FEEDER_TONES,
	TL_FEEDER_FAX
};

struct tl_pack {
	uint32_t ssrc;
	bool started;
	uint16_t seq; /* highest that went out */
	/* the newest audio: its timestamp, its length, and when it went */
	uint32_t ts, duration;
	int64_t sent_us;
	enum tl_feeder feeder;
	bool gap; /* nothing was sent for the newest audio */

	/* a relayed stream: out = in + offset */
	uint32_t in_ssrc, in_ts;
	uint16_t in_seq; /* highest that came in */
	uint16_t seq_offset;
	uint32_t ts_offset;
	uint16_t first_seq; /* that this map gave */
	unsigned mapped;
};

/* The three numbers are random ones of the caller's (RFC 3550 5.1). */
void tl_pack_init(struct tl_pack *pack, uint32_t ssrc, uint16_t seq, uint32_t ts);
/* The header for a packet passed on, pt left alone. Order and losses of the incoming stream stay
 * visible. duration: what a packet holds, about. timed: false for a telephone-event, whose
 * timestamp stands still. -ESTALE: it belongs before what another feeder sent; drop it. */
int tl_pack_relay(struct tl_pack *pack, const struct tl_rtp *in, bool timed, uint32_t duration,
		  unsigned clock_hz, int64_t now_us, struct tl_rtp *ret_out);
/* A packet that came in was not passed on: its number must not look like a loss. */
void tl_pack_skip(struct tl_pack *pack, const struct tl_rtp *in);
/* What is relayed comes from somebody else now, who may by chance count as the one before did (one
 * telephone's every call may begin alike): it goes on behind what was sent. */
void tl_pack_part(struct tl_pack *pack);
/* The header for the next packet of our own making, pt left alone. */
void tl_pack_own(struct tl_pack *pack, enum tl_feeder feeder, uint32_t duration, unsigned clock_hz,
		 int64_t now_us, struct tl_rtp *ret_out);
/* So much passes for which nothing is sent (silence left out): what comes next is a talk spurt. */
void tl_pack_gap(struct tl_pack *pack, enum tl_feeder feeder, uint32_t duration, unsigned clock_hz,
		 int64_t now_us);
/* An extra packet beside the audio (a digit), pt, marker and timestamp left alone. */
void tl_pack_insert(struct tl_pack *pack, struct tl_rtp *ret_out);
/* Our own audio paused: the next packet begins a talk spurt, at the time that it then is. */
void tl_pack_pause(struct tl_pack *pack);
/* The stream's timestamp at this moment. */
uint32_t tl_pack_clock(const struct tl_pack *pack, unsigned clock_hz, int64_t now_us);
