#include "media/elements/amr.h"

#include <math.h>

/*
 * A damaged or missing frame is handed over as "no data": both decoders then
 * conceal, or go on with the comfort noise of the last description of silence.
 */

#ifdef TL_HAVE_AMRNB
#include <opencore-amrnb/interf_dec.h>
#include <opencore-amrnb/interf_enc.h>

static void decode_narrow(void *state, const uint8_t *frame, int16_t *pcm)
{
	Decoder_Interface_Decode(state, frame, pcm, 0);
}

static void *open_narrow(bool silence)
{
	return Encoder_Interface_init(silence);
}

static int encode_narrow(void *state, unsigned mode, const int16_t *pcm, uint8_t *frame)
{
	return Encoder_Interface_Encode(state, (enum Mode)mode, pcm, frame, 0);
}

const struct tl_amr_library tl_amr_narrow = {
	.samples = 160,
	.open_decoder = Decoder_Interface_init,
	.close_decoder = Decoder_Interface_exit,
	.decode = decode_narrow,
	.open_encoder = open_narrow,
	.close_encoder = Encoder_Interface_exit,
	.encode = encode_narrow,
};
#else
const struct tl_amr_library tl_amr_narrow = { 0 };
#endif

#ifdef TL_HAVE_AMRWB
#include <opencore-amrwb/dec_if.h>
#include <vo-amrwbenc/enc_if.h>

enum { WIDE_SAMPLES = 320 };

struct wide_encoder {
	void *state;
	int silence;
	float before, level; /* of level_out() */
};

static void decode_wide(void *state, const uint8_t *frame, int16_t *pcm)
{
	D_IF_decode(state, frame, pcm, 0);
}

static void *open_wide(bool silence)
{
	struct wide_encoder *encoder = g_new0(struct wide_encoder, 1);

	encoder->state = E_IF_init();
	encoder->silence = silence;
	return encoder;
}

static void close_wide(void *state)
{
	E_IF_exit(((struct wide_encoder *)state)->state);
	g_free(state);
}

/* vo-amrwbenc takes a constant for voice, and the silence of A-law is one: 8. Nothing below 50 Hz
 * is coded anyway (3GPP TS 26.190 5.1); this filter ends at 13. */
static void level_out(struct wide_encoder *encoder, const int16_t *pcm, int16_t *out)
{
	for (size_t i = 0; i < WIDE_SAMPLES; i++) {
		encoder->level = (float)pcm[i] - encoder->before + 0.995F * encoder->level;
		encoder->before = pcm[i];
		out[i] = (int16_t)CLAMP(lrintf(encoder->level), INT16_MIN, INT16_MAX);
	}
}

static int encode_wide(void *state, unsigned mode, const int16_t *pcm, uint8_t *frame)
{
	struct wide_encoder *encoder = state;
	int16_t levelled[WIDE_SAMPLES];

	if (!encoder->silence)
		return E_IF_encode(encoder->state, (int)mode, pcm, frame, 0);
	level_out(encoder, pcm, levelled);
	return E_IF_encode(encoder->state, (int)mode, levelled, frame, 1);
}

const struct tl_amr_library tl_amr_wide = {
	.samples = WIDE_SAMPLES,
	.open_decoder = D_IF_init,
	.close_decoder = D_IF_exit,
	.decode = decode_wide,
	.open_encoder = open_wide,
	.close_encoder = close_wide,
	.encode = encode_wide,
};
#else
const struct tl_amr_library tl_amr_wide = { 0 };
#endif
