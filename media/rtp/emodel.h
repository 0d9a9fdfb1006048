#pragma once
/*
 * How a call sounds, by the E-model (ITU-T G.107) with its default values: what
 * the codec takes, what loss takes beyond concealment (G.113), and what delay
 * takes from a conversation. Pure. Private to media/.
 */
#include <stdint.h>
#include "media/plan/codec.h"

/* The rating R, 0 to 100 (G.107 7-1), of which the score below is made. */
double tl_emodel_rating(const struct tl_codec *codec, uint64_t lost, uint64_t expected,
			unsigned delay_ms);
/*
 * The mean opinion score, 1.00 to 4.50, times 100. codec: what was spoken, NULL: G.711. lost of
 * expected packets were not heard; delay_ms: from mouth to ear, one way. 0: nothing was expected.
 */
unsigned tl_emodel_mos(const struct tl_codec *codec, uint64_t lost, uint64_t expected,
		       unsigned delay_ms);
