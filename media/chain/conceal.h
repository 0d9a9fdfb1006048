#pragma once
/*
 * Audio in the place of lost packets, for codecs that can't make it up
 * themselves: the last pitch period repeated, faded out within 60 ms, joined
 * smoothly to what comes after. Any rate. Pure. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

struct tl_conceal;

struct tl_conceal *tl_conceal_new(unsigned rate_hz);
void tl_conceal_free(struct tl_conceal *conceal); /* NULL ok */
/* It will be called in a moment (fetch.h). */
void tl_conceal_fetch(const struct tl_conceal *conceal);
/* Audio that did come; after a hole its beginning is blended in place. Costs a copy. */
void tl_conceal_heard(struct tl_conceal *conceal, int16_t *pcm, size_t samples);
/* Audio for a hole, or for more of one. The first call of a hole looks for the pitch: some 10 µs at
 * 8 kHz. */
void tl_conceal_fill(struct tl_conceal *conceal, int16_t *pcm, size_t samples);
/* Audio was left out here on purpose: what comes next is blended as after a hole. */
void tl_conceal_cut(struct tl_conceal *conceal);
