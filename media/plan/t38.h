#pragma once
/*
 * What one side says of T.38 fax over UDPTL (ITU-T T.38 Annex D): plain data,
 * and what to answer to it. Pure functions.
 *
 *   m=image 4000 udptl t38
 *   a=T38FaxVersion:0                     the lower of both counts
 *   a=T38MaxBitRate:14400                 the lower of both
 *   a=T38FaxRateManagement:transferredTCF as offered; who judges the training, T.38 8
 *   a=T38FaxMaxBuffer:1024                each for itself: what it can take
 *   a=T38FaxMaxDatagram:400               the same
 *   a=T38FaxUdpEC:t38UDPRedundancy        as offered: how lost packets come back, T.38 9.1
 */
#include <stdbool.h>
#include <stdint.h>

enum tl_t38_recovery {
	TL_T38_RECOVERY_NONE,
	TL_T38_RECOVERY_REDUNDANCY, /* each packet repeats those before it */
	TL_T38_RECOVERY_FEC,        /* parity of those before it */
};

struct tl_t38 {
	bool on; /* the description is of fax, not of audio */
	bool local_tcf;
	/* what may be changed on the way; only between two that both say so */
	bool fill_bit_removal, mmr, jbig;
	uint8_t version;
	enum tl_t38_recovery recovery;
	unsigned max_bit_rate;
	unsigned max_buffer_bytes, max_datagram_bytes; /* 0: not said */
};

/* What we offer of our own accord. */
struct tl_t38 tl_t38_ours(void);
/* Our answer. other: what the other leg has agreed to, whose packets this one gets and the other
 * way about; NULL: a gateway to an audio modem stands between. */
struct tl_t38 tl_t38_answer(const struct tl_t38 *offer, const struct tl_t38 *other);
/* Ours and theirs of one leg, agreed upon: what goes over it. Sizes are theirs. */
struct tl_t38 tl_t38_agree(const struct tl_t38 *ours, const struct tl_t38 *theirs);
/* May the packets of one leg go out on another, by what was agreed upon with each? */
bool tl_t38_passes(const struct tl_t38 *a, const struct tl_t38 *b);
