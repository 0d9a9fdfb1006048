#include "rig.h"

#include <glib.h>
#include <opus.h>
#include <spandsp.h>
#include <string.h>
#include <time.h>

/*
 * The floor under a transcoder: the codec functions called in a row, with no
 * packet, buffer or element around them. Settings are those of media/elements/:
 * Opus at 8 kHz and 20 kbit/s with forward error correction, G.722 in spandsp's
 * 8 kHz mode. Many streams take turns, so that no cache is warmer than in a gateway.
 */

enum {
	NARROW_HZ = 8000,
	FRAME = NARROW_HZ * RIG_FRAME_MS / 1000,
	STREAMS = 100,
	FRAMES = 50, /* of each stream: a second */
	OPUS_BIT_RATE = 20000,
	LOSS_PERCENT = 5,
	PAYLOAD_MAX = 400,
};

struct bare {
	OpusEncoder *opus_enc;
	OpusDecoder *opus_dec;
	g722_encode_state_t *g722_enc;
	g722_decode_state_t *g722_dec;
	bool opus, g722;
};

static void bare_init(struct bare *bare, const char *codec, unsigned complexity)
{
	bare->opus = strcmp(codec, "opus") == 0;
	bare->g722 = strcmp(codec, "G722") == 0;
	bare->opus_enc = opus_encoder_create(NARROW_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_COMPLEXITY((int)complexity));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_BITRATE(OPUS_BIT_RATE));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
	bare->opus_dec = opus_decoder_create(NARROW_HZ, 1, NULL);
	bare->g722_enc = g722_encode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	bare->g722_dec = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
}

static void bare_done(struct bare *bare)
{
	opus_encoder_destroy(bare->opus_enc);
	opus_decoder_destroy(bare->opus_dec);
	g722_encode_free(bare->g722_enc);
	g722_decode_free(bare->g722_dec);
}

/* A to B: what a PCMA phone says, in codec. */
static int encode(struct bare *bare, const int16_t *pcm, uint8_t *out)
{
	if (bare->opus)
		return opus_encode(bare->opus_enc, pcm, FRAME, out, PAYLOAD_MAX);
	if (bare->g722)
		return g722_encode(bare->g722_enc, out, pcm, FRAME);
	for (size_t i = 0; i < FRAME; i++)
		out[i] = linear_to_ulaw(pcm[i]);
	return FRAME;
}

static int decode(struct bare *bare, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bare->opus)
		return opus_decode(bare->opus_dec, payload, (opus_int32)bytes, pcm, FRAME, 0);
	if (bare->g722)
		return g722_decode(bare->g722_dec, pcm, payload, (int)bytes);
	for (size_t i = 0; i < FRAME; i++)
		pcm[i] = ulaw_to_linear(payload[i]);
	return FRAME;
}

static double thread_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void code_frame(struct bare *bare, const struct rig_loop *loop, const int16_t *voice,
		       size_t at)
{
	uint8_t payload[PAYLOAD_MAX];
	int16_t pcm[FRAME * 6];

	if (encode(bare, voice + at * FRAME, payload) <= 0 ||
	    decode(bare, loop->frames[at].payload, loop->frames[at].bytes, pcm) <= 0)
		g_error("%s does not code", loop->codec);
}

double rig_bare_codec_ms(const char *codec, unsigned opus_complexity)
{
	const struct rig_loop *loop = rig_loop_get(codec);
	g_autofree int16_t *voice = g_new(int16_t, (size_t)FRAME * RIG_LOOP_FRAMES);
	g_autofree struct bare *bares = g_new0(struct bare, STREAMS);
	double ms;

	rig_voice(voice, NARROW_HZ);
	for (size_t i = 0; i < STREAMS; i++)
		bare_init(&bares[i], codec, opus_complexity);
	ms = thread_cpu_ms();
	for (size_t frame = 0; frame < FRAMES; frame++)
		for (size_t i = 0; i < STREAMS; i++)
			code_frame(&bares[i], loop, voice, (frame + 7 * i) % RIG_LOOP_FRAMES);
	ms = thread_cpu_ms() - ms;
	for (size_t i = 0; i < STREAMS; i++)
		bare_done(&bares[i]);
	return ms / STREAMS / (FRAMES * RIG_FRAME_MS / 1000.0);
}
