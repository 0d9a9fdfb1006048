#include "media/elements/opus_states.h"

#include <glib.h>

static const unsigned rates_hz[] = { 8000, 12000, 16000, 24000, 48000 };
enum { RATES = G_N_ELEMENTS(rates_hz) };

struct templates {
	OpusEncoder *encoder[RATES];
	OpusDecoder *decoder[RATES];
};

/* Made once a process and never changed, so any thread may copy them. */
static const struct templates *get_templates(void)
{
	static struct templates templates;
	static gsize ready;

	if (g_once_init_enter(&ready)) {
		for (size_t i = 0; i < RATES; i++) {
			templates.encoder[i] = opus_encoder_create((opus_int32)rates_hz[i], 1,
								   OPUS_APPLICATION_VOIP, NULL);
			templates.decoder[i] =
				opus_decoder_create((opus_int32)rates_hz[i], 1, NULL);
		}
		g_once_init_leave(&ready, 1);
	}
	return &templates;
}

static int rate_index(unsigned rate_hz)
{
	for (size_t i = 0; i < RATES; i++)
		if (rates_hz[i] == rate_hz)
			return (int)i;
	return -1;
}

OpusEncoder *tl_opus_encoder_copy(unsigned rate_hz)
{
	int i = rate_index(rate_hz);
	const OpusEncoder *from = i < 0 ? NULL : get_templates()->encoder[i];

	return from ? g_memdup2(from, (gsize)opus_encoder_get_size(1)) : NULL;
}

OpusDecoder *tl_opus_decoder_copy(unsigned rate_hz)
{
	int i = rate_index(rate_hz);
	const OpusDecoder *from = i < 0 ? NULL : get_templates()->decoder[i];

	return from ? g_memdup2(from, (gsize)opus_decoder_get_size(1)) : NULL;
}
