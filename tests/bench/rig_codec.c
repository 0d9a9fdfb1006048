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
 * 8 kHz mode.
 *
 * In a loop many streams take turns, so that a stream's own state is no warmer than in a gateway
 * with many calls. The functions' code and tables are warmer than in any: a gateway with one call
 * sleeps for 10 ms between two frames, and finds in its caches what the system, the phones and the
 * machine's other guests have left. At the calls' pace the same functions sleep as well. What is
 * measured is the functions alone: waking up is part of the bare relay's figure.
 */

enum {
	NARROW_HZ = 8000,
	FRAME = NARROW_HZ * RIG_FRAME_MS / 1000,
	STREAMS = 100,
	FRAMES = 50, /* of each stream: a second */
	SLOT_NS = 1000000,
	SECOND_NS = 1000000000,
	OPUS_BIT_RATE = 20000,
	LOSS_PERCENT = 5,
	PCM_MAX = FRAME * 6, /* the longest Opus packet */
};

struct rig_coder {
	OpusEncoder *opus_enc;
	OpusDecoder *opus_dec;
	g722_encode_state_t *g722_enc;
	g722_decode_state_t *g722_dec;
	bool opus, g722;
};

struct rig_coder *rig_coder_new(const char *codec, unsigned opus_complexity)
{
	struct rig_coder *coder = g_new0(struct rig_coder, 1);

	coder->opus = strcmp(codec, "opus") == 0;
	coder->g722 = strcmp(codec, "G722") == 0;
	coder->opus_enc = opus_encoder_create(NARROW_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_COMPLEXITY((int)opus_complexity));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_BITRATE(OPUS_BIT_RATE));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(coder->opus_enc, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
	coder->opus_dec = opus_decoder_create(NARROW_HZ, 1, NULL);
	coder->g722_enc = g722_encode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	coder->g722_dec = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	return coder;
}

void rig_coder_free(struct rig_coder *coder)
{
	opus_encoder_destroy(coder->opus_enc);
	opus_decoder_destroy(coder->opus_dec);
	g722_encode_free(coder->g722_enc);
	g722_decode_free(coder->g722_dec);
	g_free(coder);
}

static int encode(struct rig_coder *coder, const int16_t *pcm, size_t n, uint8_t *out)
{
	if (coder->opus)
		return opus_encode(coder->opus_enc, pcm, (int)n, out, RIG_PAYLOAD_MAX);
	if (coder->g722)
		return g722_encode(coder->g722_enc, out, pcm, (int)n);
	for (size_t i = 0; i < n; i++)
		out[i] = linear_to_ulaw(pcm[i]);
	return (int)n;
}

static int decode(struct rig_coder *coder, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (coder->opus)
		return opus_decode(coder->opus_dec, payload, (opus_int32)bytes, pcm, PCM_MAX, 0);
	if (coder->g722)
		return g722_decode(coder->g722_dec, pcm, payload, (int)bytes);
	for (size_t i = 0; i < bytes; i++)
		pcm[i] = ulaw_to_linear(payload[i]);
	return (int)bytes;
}

size_t rig_coder_from_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			   uint8_t out[static RIG_PAYLOAD_MAX])
{
	int16_t pcm[PCM_MAX];
	size_t n = MIN(bytes, (size_t)FRAME);
	int got;

	for (size_t i = 0; i < n; i++)
		pcm[i] = alaw_to_linear(payload[i]);
	got = encode(coder, pcm, n, out);
	return got > 0 ? (size_t)got : 0;
}

size_t rig_coder_to_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			 uint8_t out[static RIG_PAYLOAD_MAX])
{
	int16_t pcm[PCM_MAX];
	int got = decode(coder, payload, MIN(bytes, (size_t)RIG_PAYLOAD_MAX), pcm);
	size_t n = got > 0 ? MIN((size_t)got, (size_t)RIG_PAYLOAD_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		out[i] = linear_to_alaw(pcm[i]);
	return n;
}

/* One frame of a side. */
static void code(struct rig_coder *coder, const struct rig_loop *from, unsigned side, size_t at)
{
	size_t (*run)(struct rig_coder *, const uint8_t *, size_t, uint8_t *) =
		side ? rig_coder_to_pcma : rig_coder_from_pcma;
	uint8_t out[RIG_PAYLOAD_MAX];

	at %= RIG_LOOP_FRAMES;
	if (!run(coder, from->frames[at].payload, from->frames[at].bytes, out))
		g_error("%s does not code", from->codec);
}

static struct rig_coder **open_all(unsigned n, const char *codec, unsigned opus_complexity)
{
	struct rig_coder **coders = g_new(struct rig_coder *, n);

	for (unsigned i = 0; i < n; i++)
		coders[i] = rig_coder_new(codec, opus_complexity);
	return coders;
}

static void close_all(struct rig_coder **coders, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_coder_free(coders[i]);
	g_free(coders);
}

double rig_bare_codec_ms(const char *codec, unsigned opus_complexity)
{
	const struct rig_loop *sides[2] = { rig_loop_get("PCMA"), rig_loop_get(codec) };
	struct rig_coder **coders = open_all(STREAMS, codec, opus_complexity);
	double ms = rig_thread_cpu_ms();

	for (size_t frame = 0; frame < FRAMES; frame++)
		for (unsigned i = 0; i < STREAMS; i++)
			for (unsigned side = 0; side < 2; side++)
				code(coders[i], sides[side], side, frame + 7 * i);
	ms = rig_thread_cpu_ms() - ms;
	close_all(coders, STREAMS);
	return ms / STREAMS / (FRAMES * RIG_FRAME_MS / 1000.0);
}

/* Codes what the phones of rig_phones.c would send in this slot. Returns the CPU time of that. */
static double code_slot(struct rig_coder **coders, unsigned calls,
			const struct rig_loop *const sides[2], unsigned slot)
{
	double asked_ms = rig_thread_cpu_ms(), begin_ms = rig_thread_cpu_ms();

	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = (slot + side * RIG_FRAME_MS / 2) % RIG_FRAME_MS; i < calls;
		     i += RIG_FRAME_MS)
			code(coders[i], sides[side], side, slot / RIG_FRAME_MS + 7 * i);
	/* less what asking for the time costs */
	return rig_thread_cpu_ms() - begin_ms - (begin_ms - asked_ms);
}

/* Does anybody send in this slot? */
static bool is_taken(unsigned slot, unsigned calls)
{
	return slot % (RIG_FRAME_MS / 2) < calls;
}

static double code_paced(const void *argument)
{
	const struct rig_load *load = argument;
	const struct rig_loop *sides[2] = { rig_loop_get("PCMA"), rig_loop_get(load->codec) };
	struct rig_coder **coders = open_all(load->calls, load->codec, load->opus_complexity);
	struct timespec due;
	double ms = 0;

	rig_take_cores(load, false);
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (unsigned slot = 0; slot < load->window_ms; slot++) {
		due.tv_nsec += SLOT_NS;
		if (due.tv_nsec >= SECOND_NS) {
			due.tv_nsec -= SECOND_NS;
			due.tv_sec++;
		}
		if (!is_taken(slot, load->calls))
			continue;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		ms += code_slot(coders, load->calls, sides, slot);
	}
	close_all(coders, load->calls);
	return ms / load->calls / (load->window_ms / 1000.0);
}

double rig_paced_codec_ms(const struct rig_load *load)
{
	return rig_in_child(code_paced, load);
}
