/*
 * What a chain costs beside the bare codec functions that it runs: µs of CPU
 * for 20 ms of audio in one direction, 100 streams in turn so that no cache is
 * warmer than in a gateway, the better of five rounds of each. Prints a table;
 * judges nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <opus/opus.h>
#include <spandsp.h>

#include "media/chain/chain.h"

enum { STREAMS = 100, FRAMES = 100, ROUNDS = 5, COMPLEXITY = 5, FRAME_MS = 20 };

struct packet {
	size_t bytes;
	uint8_t v[640];
};

struct source {
	struct packet packets[FRAMES];
	size_t n;
};

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Harmonics of a gliding pitch in syllables, with pauses: what a speech coder works at. */
static void speak(int16_t *pcm, size_t n, unsigned rate_hz)
{
	double phase = 0;

	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate_hz, sum = (double)(rand() % 200 - 100) / 100;
		double loud = fmax(0, sin(2 * G_PI * 2.5 * t) + 0.3);

		phase += 2 * G_PI * (130 + 30 * sin(2 * G_PI * 0.7 * t)) / rate_hz;
		for (int h = 1; h <= 20; h++)
			sum += sin(h * phase) / (1 + 0.02 * h * h);
		pcm[i] = (int16_t)(2500 * loud * sum);
	}
}

static void keep(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct source *source = user;
	struct packet *packet = &source->packets[source->n % FRAMES];

	packet->bytes = MIN(bytes, sizeof packet->v);
	memcpy(packet->v, payload, packet->bytes);
	source->n++;
}

static void count(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	*(size_t *)user += bytes;
}

static struct tl_format format_of(const char *name)
{
	struct tl_format format = { .codec = tl_codec_by_name(name) };

	if (!format.codec || !tl_codec_can_transcode(format.codec)) {
		fprintf(stderr, "%s: not on this machine\n", name);
		exit(2);
	}
	if (format.codec->fmtp)
		g_strlcpy(format.fmtp, format.codec->fmtp, sizeof format.fmtp);
	return format;
}

static struct tl_chain *chain_new(const struct tl_format *in, const struct tl_format *out,
				  tl_chain_packet_fn *on_packet, void *user)
{
	struct tl_chain *chain = NULL;

	if (tl_chain_new(&(struct tl_chain_cfg) { .in = in,
						  .out = out,
						  .out_ptime_ms = FRAME_MS,
						  .rate_hz = in ? 0 : out->codec->rate_hz,
						  .opus_complexity = COMPLEXITY,
						  .on_packet = on_packet,
						  .user = user },
			 &chain) < 0)
		abort();
	return chain;
}

/* Speech at the codec's full width, as a phone would send it. */
static struct source *packets_of(const struct tl_format *format)
{
	unsigned rate_hz = format->codec->rate_hz;
	size_t n = (size_t)rate_hz * FRAME_MS / 1000 * FRAMES;
	g_autofree int16_t *pcm = g_new(int16_t, n);
	struct source *source = g_new0(struct source, 1);
	struct tl_chain *chain = chain_new(NULL, format, keep, source);

	speak(pcm, n, rate_hz);
	tl_chain_push_pcm(chain, pcm, n);
	tl_chain_free(chain);
	return source;
}

/* One direction done by hand. */
struct bare {
	unsigned rate_hz;
	OpusDecoder *opus_dec;
	OpusEncoder *opus_enc;
	g722_decode_state_t *g722_dec;
	g722_encode_state_t *g722_enc;
	gsm0610_state_t *gsm_dec, *gsm_enc;
};

static void bare_open(struct bare *bare, const struct tl_codec *in, const struct tl_codec *out,
		      unsigned rate_hz)
{
	int option = rate_hz == 8000 ? G722_SAMPLE_RATE_8000 : 0;

	bare->rate_hz = rate_hz;
	bare->opus_dec = opus_decoder_create((opus_int32)rate_hz, 1, NULL);
	bare->opus_enc = opus_encoder_create((opus_int32)rate_hz, 1, OPUS_APPLICATION_VOIP, NULL);
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_COMPLEXITY(COMPLEXITY));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_BITRATE(rate_hz == 8000 ? 20000 : 28000));
	opus_encoder_ctl(bare->opus_enc, OPUS_SET_INBAND_FEC(1));
	bare->g722_dec = g722_decode_init(NULL, 64000, option);
	bare->g722_enc = g722_encode_init(NULL, 64000, option);
	bare->gsm_dec = gsm0610_init(NULL, GSM0610_PACKING_VOIP);
	bare->gsm_enc = gsm0610_init(NULL, GSM0610_PACKING_VOIP);
}

static void bare_close(struct bare *bare)
{
	opus_decoder_destroy(bare->opus_dec);
	opus_encoder_destroy(bare->opus_enc);
	g722_decode_free(bare->g722_dec);
	g722_encode_free(bare->g722_enc);
	gsm0610_free(bare->gsm_dec);
	gsm0610_free(bare->gsm_enc);
}

static int bare_decode(struct bare *bare, const char *name, const struct packet *packet,
		       int16_t *pcm)
{
	int n = (int)packet->bytes;

	if (g_str_equal(name, "opus"))
		return opus_decode(bare->opus_dec, packet->v, n, pcm, 5760, 0);
	if (g_str_equal(name, "G722"))
		return g722_decode(bare->g722_dec, pcm, packet->v, n);
	if (g_str_equal(name, "GSM"))
		return gsm0610_decode(bare->gsm_dec, pcm, packet->v, n);
	for (int i = 0; i < n; i++)
		pcm[i] = alaw_to_linear(packet->v[i]);
	return n;
}

static int bare_encode(struct bare *bare, const char *name, const int16_t *pcm, int n, uint8_t *to)
{
	if (g_str_equal(name, "opus"))
		return opus_encode(bare->opus_enc, pcm, n, to, 1400);
	if (g_str_equal(name, "G722"))
		return g722_encode(bare->g722_enc, to, pcm, n);
	if (g_str_equal(name, "GSM"))
		return gsm0610_encode(bare->gsm_enc, to, pcm, n);
	for (int i = 0; i < n; i++)
		to[i] = linear_to_ulaw(pcm[i]);
	return n;
}

static double time_bare(const struct source *source, const struct tl_codec *in,
			const struct tl_codec *out, unsigned rate_hz)
{
	static struct bare bares[STREAMS];
	static int16_t pcm[5760];
	static uint8_t payload[12000];
	double best = INFINITY;

	for (int i = 0; i < STREAMS; i++)
		bare_open(&bares[i], in, out, rate_hz);
	for (int round = 0; round < ROUNDS; round++) {
		double from = cpu_us();

		for (int f = 0; f < FRAMES; f++)
			for (int i = 0; i < STREAMS; i++) {
				int n = bare_decode(&bares[i], in->name, &source->packets[f], pcm);

				bare_encode(&bares[i], out->name, pcm, n, payload);
			}
		best = fmin(best, (cpu_us() - from) / (FRAMES * STREAMS));
	}
	for (int i = 0; i < STREAMS; i++)
		bare_close(&bares[i]);
	return best;
}

static void hear(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
}

struct cost {
	double frame_us, open_us, close_us;
	unsigned rate_hz;
};

static struct cost time_chain(const struct source *source, const struct tl_format *in,
			      const struct tl_format *out, tl_chain_pcm_fn *tap)
{
	static struct tl_chain *chains[STREAMS];
	struct cost cost = { .frame_us = INFINITY };
	size_t bytes = 0;
	double from = cpu_us();

	for (int i = 0; i < STREAMS; i++)
		chains[i] = chain_new(in, out, count, &bytes);
	cost.open_us = (cpu_us() - from) / STREAMS;
	cost.rate_hz = tl_chain_rate_hz(chains[0]);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < STREAMS; i++)
			tl_chain_set_tap(chains[i], tap);
		from = cpu_us();
		for (int f = 0; f < FRAMES; f++)
			for (int i = 0; i < STREAMS; i++)
				tl_chain_push(chains[i], source->packets[f].v,
					      source->packets[f].bytes);
		cost.frame_us = fmin(cost.frame_us, (cpu_us() - from) / (FRAMES * STREAMS));
	}
	from = cpu_us();
	for (int i = 0; i < STREAMS; i++)
		tl_chain_free(chains[i]);
	cost.close_us = (cpu_us() - from) / STREAMS;
	return cost;
}

int main(void)
{
	static const struct {
		const char *in, *out;
		bool bare; /* can it be done by hand here? */
	} pairs[] = {
		{ "PCMA", "PCMU", true },       { "PCMA", "G722", true },
		{ "G722", "PCMA", true },       { "PCMA", "opus", true },
		{ "opus", "PCMA", true },       { "G722", "opus", true },
		{ "opus", "G722", true },       { "PCMA", "GSM", true },
		{ "GSM", "PCMA", true },        { "PCMA", "G726-32", false },
		{ "PCMA", "speex", false },     { "speex", "PCMA", false },
		{ "PCMA", "L16/16000", false },
	};

	if (tl_codec_init() < 0)
		return 2;
	printf("%-18s %6s %9s %9s %6s %9s %9s %9s\n", "µs / 20 ms", "PCM Hz", "bare", "chain",
	       "ratio", "tapped", "open", "close");
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		struct tl_format in = format_of(pairs[i].in), out = format_of(pairs[i].out);
		g_autofree struct source *source = packets_of(&in);
		g_autofree char *name = g_strdup_printf("%s -> %s", pairs[i].in, pairs[i].out);
		struct cost plain = time_chain(source, &in, &out, NULL);
		struct cost tapped = time_chain(source, &in, &out, hear);

		printf("%-17s %6u ", name, plain.rate_hz);
		if (pairs[i].bare) {
			double bare = time_bare(source, in.codec, out.codec, plain.rate_hz);

			printf("%9.2f %9.2f %6.2f", bare, plain.frame_us, plain.frame_us / bare);
		} else {
			printf("%9s %9.2f %6s", "-", plain.frame_us, "-");
		}
		printf(" %9.2f %9.1f %9.1f\n", tapped.frame_us, plain.open_us, plain.close_us);
	}
	return 0;
}
