#pragma once
/*
 * Audio in the place of lost packets, for codecs that can't make it up
 * themselves: the last pitch period repeated, faded out within 50 ms, joined
 * smoothly to what comes after. Pure. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

struct tl_conceal;

struct tl_conceal *tl_conceal_new(void);
void tl_conceal_free(struct tl_conceal *conceal); /* NULL ok */
/* Audio that did come; after a hole its beginning is blended in place. */
void tl_conceal_heard(struct tl_conceal *conceal, int16_t *pcm, size_t samples);
/* Audio for a hole. */
void tl_conceal_fill(struct tl_conceal *conceal, int16_t *pcm, size_t samples);
