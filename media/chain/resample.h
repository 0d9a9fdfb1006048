#pragma once
/*
 * A sample rate converter for mono 16-bit audio between any two rates whose
 * ratio is made of small numbers (all that telephony and sound files use): a
 * windowed-sinc low-pass, split into one short filter for each phase between
 * two input samples. Pure. Private to media/.
 */
#include <stddef.h>
#include <stdint.h>

struct tl_resampler;

/* -ENOTSUP: the ratio would need more than 640 phases, or a rate is 0. */
int tl_resampler_new(unsigned in_hz, unsigned out_hz, struct tl_resampler **ret_resampler);
void tl_resampler_free(struct tl_resampler *resampler); /* NULL ok */
unsigned tl_resampler_in_hz(const struct tl_resampler *resampler);
/* The most samples that n more may give. */
size_t tl_resampler_bound(const struct tl_resampler *resampler, size_t n);
/* Carries on where the last call ended, 3 ms (of the lower rate: 24 samples)
 * late. out has room for tl_resampler_bound(). Returns the samples written.
 * Allocates nothing. */
size_t tl_resampler_run(struct tl_resampler *resampler, const int16_t *in, size_t n, int16_t *out);

/* A whole recording at once, with nothing late. g_free() what comes back; NULL as -ENOTSUP. */
int16_t *tl_resample_all(const int16_t *in, size_t n, unsigned in_hz, unsigned out_hz,
			 size_t *ret_n);
