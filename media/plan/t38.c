#include "media/plan/t38.h"

#include <glib.h>

enum {
	BIT_RATE = 14400, /* V.17: no V.33 or V.34 here */
	BUFFER_BYTES = 1024,
	DATAGRAM_BYTES = 400,
};

struct tl_t38 tl_t38_ours(void)
{
	return (struct tl_t38) {
		.on = true,
		.recovery = TL_T38_RECOVERY_REDUNDANCY,
		.max_bit_rate = BIT_RATE,
		.max_buffer_bytes = BUFFER_BYTES,
		.max_datagram_bytes = DATAGRAM_BYTES,
	};
}

/* 0: not said */
static unsigned lower(unsigned a, unsigned b)
{
	return a && b ? MIN(a, b) : MAX(a, b);
}

struct tl_t38 tl_t38_agree(const struct tl_t38 *ours, const struct tl_t38 *theirs)
{
	struct tl_t38 agreed = *theirs;

	agreed.version = MIN(ours->version, theirs->version);
	agreed.max_bit_rate = lower(ours->max_bit_rate, theirs->max_bit_rate);
	agreed.fill_bit_removal = ours->fill_bit_removal && theirs->fill_bit_removal;
	agreed.mmr = ours->mmr && theirs->mmr;
	agreed.jbig = ours->jbig && theirs->jbig;
	return agreed;
}

struct tl_t38 tl_t38_answer(const struct tl_t38 *offer, const struct tl_t38 *other)
{
	const struct tl_t38 ours = tl_t38_ours();
	struct tl_t38 answer = tl_t38_agree(other ? other : &ours, offer);

	if (!other) /* the training is the modem's: spandsp judges none */
		answer.local_tcf = false;
	answer.max_buffer_bytes = ours.max_buffer_bytes;
	answer.max_datagram_bytes = ours.max_datagram_bytes;
	return answer;
}

bool tl_t38_passes(const struct tl_t38 *a, const struct tl_t38 *b)
{
	/* version 0 writes the fields of data otherwise than all after it (T.38 Annex A) */
	return (a->version == 0) == (b->version == 0) && a->local_tcf == b->local_tcf &&
	       a->fill_bit_removal == b->fill_bit_removal && a->mmr == b->mmr && a->jbig == b->jbig;
}
