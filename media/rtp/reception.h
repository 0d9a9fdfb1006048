#pragma once
/*
 * What a receiver of RTP keeps count of: losses and jitter by the algorithms
 * of RFC 3550 A.1, A.3 and A.8. Pure. Private to media/.
 */
#include "media/rtp/rtp.h"

struct tl_reception {
	bool started;
	uint32_t ssrc;
	uint16_t max_seq;
	uint32_t cycles;                         /* sequence wraps, times 65536 */
	uint32_t base_seq;                       /* first of this source */
	uint32_t bad_seq;                        /* after a jump: the one that would confirm it */
	uint64_t received;                       /* of this source */
	uint64_t lost_before;                    /* of earlier sources */
	uint64_t expected_prior, received_prior; /* at the last report */
	unsigned clock_hz;
	bool has_transit;
	uint32_t transit;
	uint32_t jitter_x16; /* RTP units, 4 binary places */
};

enum tl_reception_verdict {
	TL_RECEPTION_NORMAL,
	TL_RECEPTION_NEW_SOURCE, /* first packet, another SSRC, or a restarted sequence */
	TL_RECEPTION_JUMPED,     /* far off; the next one tells if it is a restart */
};

/* timed: its timestamp tells when it was spoken (audio, not a long event). */
enum tl_reception_verdict tl_reception_note(struct tl_reception *r, const struct tl_rtp *rtp,
					    unsigned clock_hz, bool timed, int64_t arrived_us);
uint64_t tl_reception_lost(const struct tl_reception *r); /* cumulative, all sources */
uint32_t tl_reception_jitter_us(const struct tl_reception *r);

struct tl_reception_report { /* a report block's figures, RFC 3550 6.4.1 */
	uint8_t fraction_lost;
	int32_t cumulative_lost; /* of the present source, 24 bits */
	uint32_t highest_seq, jitter;
};
/* Counts from the report before. */
void tl_reception_report(struct tl_reception *r, struct tl_reception_report *ret_report);
