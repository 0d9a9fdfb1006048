/*
 * What is left of a voice behind a bad path: encoded, lost and jittered on its
 * way, then through a jitter buffer and a chain as in a call, and heard. Time
 * is simulated, so that the figures are the same on every machine. Prints a
 * table; judges nothing.
 *
 *   bench_quality [IN OUT]    one pair of codecs; else the usual pairs
 *
 *   lsd    how far the spectrum heard is from that behind a perfect path: dB
 *          (root mean square over a talking frame's bands; 0 none, 1 hardly heard)
 *   snr    of the wave itself, behind a perfect path as the signal (segmental, dB; at most 35)
 *   delay  from arrival of the fastest packet to playing: mean, and of the last second
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <spandsp.h>

#include "media/chain/chain.h"
#include "media/rtp/jitter.h"
#include "rig.h"

enum {
	LOOPS = 5, /* of the four seconds that the rig says */
	PACKETS = LOOPS * RIG_LOOP_FRAMES,
	FRAME_US = RIG_FRAME_MS * 1000,
	PAYLOAD_MAX = 700,
	JITTER_MIN_MS = 40,
	JITTER_MAX_MS = 200,
	COMPLEXITY = 5,
	HEARD_HZ = 8000, /* the last decoder's: both ends of every pair have that much */
	BANDS = 17,
	WINDOW = 256,  /* samples of a spectrum: 32 ms */
	STEP = 80,     /* 10 ms */
	SEARCH = 1280, /* samples that a voice may be displaced by at a time */
	SPAN = 4000,   /* half a second */
};

struct payload {
	size_t bytes;
	uint8_t v[PAYLOAD_MAX];
};

struct voice {
	int16_t *pcm;
	size_t n, room;
};

struct path {
	const char *name;
	double loss, burst; /* share of packets; mean length of a loss */
	unsigned jitter_ms; /* a packet comes up to so much later */
};

static const struct path paths[] = {
	{ "perfect", 0, 1, 0 },        { "loss 1 %", 0.01, 1, 0 },    { "loss 5 %", 0.05, 1, 0 },
	{ "loss 10 %", 0.10, 1, 0 },   { "bursts 1 %", 0.01, 3, 0 },  { "bursts 5 %", 0.05, 3, 0 },
	{ "bursts 10 %", 0.10, 3, 0 }, { "jitter 20 ms", 0, 1, 20 },  { "jitter 40 ms", 0, 1, 40 },
	{ "jitter 80 ms", 0, 1, 80 },  { "5 %, 40 ms", 0.05, 1, 40 },
};

struct sender {
	struct payload *payloads;
	size_t n;
};

static void keep_payload(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	struct sender *sender = user;

	if (sender->n == PACKETS || bytes > PAYLOAD_MAX)
		return;
	sender->payloads[sender->n].bytes = bytes;
	memcpy(sender->payloads[sender->n++].v, payload, bytes);
}

/* The rig's voice again and again, as one phone says it. loss: what the far end reports. */
static struct sender *speak(const struct tl_format *format, unsigned loss_percent)
{
	unsigned rate_hz = MIN(format->codec->rate_hz, 16000u);
	size_t loop = (size_t)rate_hz * RIG_FRAME_MS / 1000 * RIG_LOOP_FRAMES;
	g_autofree int16_t *pcm = g_new(int16_t, loop);
	struct sender *sender = g_new0(struct sender, 1);
	struct tl_chain *chain;
	const struct tl_chain_cfg cfg = {
		.out = format,
		.out_ptime_ms = RIG_FRAME_MS,
		.rate_hz = rate_hz,
		.opus_complexity = COMPLEXITY,
		.on_packet = keep_payload,
		.user = sender,
	};

	sender->payloads = g_new(struct payload, PACKETS);
	if (tl_chain_new(&cfg, &chain) < 0) {
		g_free(sender->payloads);
		g_free(sender);
		return NULL;
	}
	tl_chain_set_loss(chain, loss_percent);
	rig_voice(pcm, rate_hz);
	for (int i = 0; i < LOOPS; i++)
		tl_chain_push_pcm(chain, pcm, loop);
	tl_chain_free(chain);
	return sender;
}

static void free_sender(struct sender *sender)
{
	g_free(sender->payloads);
	g_free(sender);
}

static void keep_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	struct voice *voice = user;

	if (voice->n + samples > voice->room) {
		voice->room = 2 * voice->room + samples + PACKETS * 160;
		voice->pcm = g_renew(int16_t, voice->pcm, voice->room);
	}
	memcpy(voice->pcm + voice->n, pcm, samples * sizeof *pcm);
	voice->n += samples;
}

static void decode_again(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	tl_chain_push(user, payload, bytes);
}

/* What the gateway runs for one direction, and the far phone's decoder behind it. */
struct gateway {
	struct tl_pool pool;
	struct tl_jitter *jitter;
	struct tl_chain *chain, *phone;
	struct tl_format in;
	struct voice voice;
	double delay_us, late_delay_us;
	unsigned played, late_played, concealed, refused;
};

static bool open_gateway(struct gateway *gw, const struct tl_format *in,
			 const struct tl_format *out)
{
	const struct tl_jitter_cfg jitter = { in->codec->clock_hz, RIG_FRAME_MS, JITTER_MIN_MS,
					      JITTER_MAX_MS };
	const struct tl_chain_cfg phone = {
		.in = out,
		.rate_hz = HEARD_HZ,
		.on_pcm = keep_pcm,
		.user = &gw->voice,
	};
	struct tl_chain_cfg chain = {
		.in = in,
		.out = out,
		.out_ptime_ms = RIG_FRAME_MS,
		.opus_complexity = COMPLEXITY,
		.on_packet = decode_again,
	};

	memset(gw, 0, sizeof *gw);
	gw->in = *in;
	if (tl_chain_new(&phone, &gw->phone) < 0)
		return false;
	chain.user = gw->phone;
	if (tl_chain_new(&chain, &gw->chain) < 0) {
		tl_chain_free(gw->phone);
		return false;
	}
	gw->jitter = tl_jitter_new(&jitter);
	return true;
}

static void close_gateway(struct gateway *gw)
{
	tl_jitter_free(gw->jitter, &gw->pool);
	tl_pool_done(&gw->pool);
	tl_chain_free(gw->chain);
	tl_chain_free(gw->phone);
	g_free(gw->voice.pcm);
}

static void play(struct gateway *gw, int64_t now_us)
{
	struct tl_slot slot = { 0 };
	int64_t due_us;

	while (tl_jitter_take(gw->jitter, now_us, &slot, &due_us) > 0) {
		if (slot.kind == TL_SLOT_PACKET) {
			int64_t sent_us =
				(int64_t)(slot.packet->rtp.ts / (gw->in.codec->clock_hz / 1000)) *
				1000;

			tl_chain_push(gw->chain, tl_packet_payload(slot.packet),
				      slot.packet->rtp.payload_bytes);
			gw->delay_us += (double)(slot.at_us - sent_us);
			gw->played++;
			if (sent_us > (PACKETS - 50) * (int64_t)FRAME_US) {
				gw->late_delay_us += (double)(slot.at_us - sent_us);
				gw->late_played++;
			}
		} else if (slot.kind == TL_SLOT_SURPLUS) {
			tl_chain_cut(gw->chain);
		} else if (slot.next) {
			tl_chain_recover(gw->chain, RIG_FRAME_MS, tl_packet_payload(slot.next),
					 slot.next->rtp.payload_bytes);
			gw->concealed++;
		} else {
			tl_chain_conceal(gw->chain, RIG_FRAME_MS);
			gw->concealed++;
		}
		tl_pool_give(&gw->pool, slot.packet);
	}
}

static void arrive(struct gateway *gw, const struct payload *payload, unsigned n, int64_t at_us)
{
	struct tl_packet *packet = tl_pool_take(&gw->pool);
	unsigned clock_hz = gw->in.codec->clock_hz;

	packet->arrived_us = at_us;
	packet->rtp = (struct tl_rtp) { .seq = (uint16_t)n,
					.ts = n * (clock_hz / 1000 * RIG_FRAME_MS),
					.payload_at = TL_RTP_HEADER_BYTES,
					.payload_bytes = (uint16_t)payload->bytes };
	memcpy(packet->data + TL_RTP_HEADER_BYTES, payload->v, payload->bytes);
	if (tl_jitter_put(gw->jitter, packet, clock_hz / 1000 * RIG_FRAME_MS) < 0) {
		tl_pool_give(&gw->pool, packet);
		gw->refused++;
	}
}

/* A number from 0 to 1, the same ones for every pair of codecs. */
static double chance(void)
{
	return (double)rand() / RAND_MAX;
}

/* Two states (Gilbert): so that losses are as many as asked, and as long on average. */
static bool is_lost(const struct path *path, bool *losing)
{
	double leave = 1 / path->burst, enter = path->loss / (1 - path->loss) * leave;

	*losing = *losing ? chance() > leave : chance() < enter;
	return *losing;
}

static void travel(struct gateway *gw, const struct sender *sender, const struct path *path)
{
	int64_t arrivals_us[PACKETS];
	bool losing = false;

	srand(4711);
	for (unsigned n = 0; n < sender->n; n++) {
		arrivals_us[n] = (int64_t)n * FRAME_US;
		arrivals_us[n] += (int64_t)(pow(chance(), 3) * path->jitter_ms * 1000);
		if (is_lost(path, &losing))
			arrivals_us[n] = INT64_MAX;
	}
	for (int64_t now_us = 0; now_us < PACKETS * (int64_t)FRAME_US; now_us += 1000) {
		unsigned from = (unsigned)MAX(now_us / FRAME_US - 10, 0);

		for (unsigned n = from; n < MIN(from + 20, (unsigned)sender->n); n++)
			if (arrivals_us[n] / 1000 == now_us / 1000)
				arrive(gw, &sender->payloads[n], n, now_us);
		play(gw, now_us);
	}
}

/* Energies of the bands of one window, in dB; the loudest one returned. */
static double spectrum(const int16_t *pcm, double bands[static BANDS])
{
	static const double edges_hz[BANDS + 1] = { 100,  200,  300,  400,  510,  630,
						    770,  920,  1080, 1270, 1480, 1720,
						    2000, 2320, 2700, 3000, 3200, 3400 };
	double loudest = -INFINITY;

	for (size_t b = 0; b < BANDS; b++) {
		double energy = 1;

		/* A tone a band or two is enough of a transform for a distance. */
		for (double hz = edges_hz[b] + 15; hz < edges_hz[b + 1]; hz += 62.5) {
			double turn = 2 * G_PI * hz / HEARD_HZ, c = 2 * cos(turn), y1 = 0, y2 = 0;

			for (size_t i = 0; i < WINDOW; i++) {
				double shape = 0.5 - 0.5 * cos(2 * G_PI * (double)i / WINDOW);
				double y = pcm[i] * shape + c * y1 - y2;

				y2 = y1;
				y1 = y;
			}
			energy += (y1 * y1 + y2 * y2 - c * y1 * y2) / WINDOW;
		}
		bands[b] = 10 * log10(energy);
		loudest = MAX(loudest, bands[b]);
	}
	return loudest;
}

static double step_energy(const struct voice *voice, ptrdiff_t step)
{
	double sum = 1;

	if (step < 0 || (size_t)(step + 1) * STEP > voice->n)
		return 0;
	for (size_t i = 0; i < STEP; i++)
		sum += (double)voice->pcm[step * STEP + i] * voice->pcm[step * STEP + i];
	return log10(sum);
}

/* How alike half a second of reference is to what was heard so many samples later. */
static double likeness(const struct voice *reference, const struct voice *heard, size_t at,
		       ptrdiff_t shift)
{
	double together = 0, energy = 1;

	if ((ptrdiff_t)at + shift < 0 || at + SPAN + (size_t)shift > heard->n)
		return -INFINITY;
	for (size_t i = at; i < at + SPAN; i += 5) {
		double there = heard->pcm[(ptrdiff_t)i + shift];

		together += reference->pcm[i] * there;
		energy += there * there;
	}
	return together / sqrt(energy);
}

/* Where it is: a jitter buffer stretches time. Near where it was before. */
static ptrdiff_t find_shift(const struct voice *reference, const struct voice *heard, size_t at,
			    ptrdiff_t before)
{
	ptrdiff_t best = before;
	double most = likeness(reference, heard, at, before) * 1.02;

	for (ptrdiff_t shift = before - SEARCH; shift <= before + SEARCH; shift += 2) {
		double alike = likeness(reference, heard, at, shift);

		if (alike > most) {
			most = alike;
			best = shift;
		}
	}
	for (ptrdiff_t shift = best - 1; shift <= best + 1; shift += 2)
		if (likeness(reference, heard, at, shift) > likeness(reference, heard, at, best))
			best = shift;
	return best;
}

struct score {
	double lsd, snr;
};

static double frame_snr(const int16_t *said, const int16_t *heard)
{
	double signal = 1, noise = 1;

	for (size_t i = 0; i < WINDOW; i++) {
		double off = said[i] - heard[i];

		signal += (double)said[i] * said[i];
		noise += off * off;
	}
	return CLAMP(10 * log10(signal / noise), -10, 35);
}

/* Over the frames in which the reference talks. */
static struct score compare(const struct voice *reference, const struct voice *heard)
{
	struct score score = { 0 };
	ptrdiff_t shift = 0;
	unsigned frames = 0;

	for (size_t at = 0; at + SPAN < reference->n; at += STEP) {
		double said[BANDS], got[BANDS], off = 0;

		if (at % 2000 == 0)
			shift = find_shift(reference, heard, at, shift);
		if ((ptrdiff_t)at + shift < 0 || at + WINDOW + (size_t)shift > heard->n ||
		    step_energy(reference, (ptrdiff_t)(at / STEP)) < 6.5)
			continue;
		if (spectrum(reference->pcm + at, said) < 40)
			continue;
		spectrum(heard->pcm + at + shift, got);
		for (size_t b = 0; b < BANDS; b++)
			off += pow(MAX(said[b], 20) - MAX(got[b], 20), 2) / BANDS;
		score.lsd += sqrt(off);
		score.snr += frame_snr(reference->pcm + at, heard->pcm + at + shift);
		frames++;
	}
	score.lsd /= MAX(frames, 1u);
	score.snr /= MAX(frames, 1u);
	return score;
}

/* The same losses, filled by spandsp's concealment: what the gateway's own has to be better than.
 */
static void fill_by_spandsp(const struct sender *sender, const struct path *path,
			    struct voice *voice)
{
	plc_state_t *plc = plc_init(NULL);
	bool losing = false;

	srand(4711);
	for (size_t n = 0; n < sender->n; n++) {
		int16_t pcm[160];

		chance(); /* of its jitter */
		if (is_lost(path, &losing)) {
			plc_fillin(plc, pcm, 160);
		} else {
			for (size_t i = 0; i < 160; i++)
				pcm[i] = alaw_to_linear(sender->payloads[n].v[i]);
			plc_rx(plc, pcm, 160);
		}
		keep_pcm(pcm, 160, HEARD_HZ, false, voice);
	}
	plc_free(plc);
}

static void measure_spandsp(void)
{
	struct tl_format pcma = { .codec = tl_codec_by_name("PCMA"), .pt = 8 };
	struct sender *sender = speak(&pcma, 0);
	struct voice perfect = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct voice voice = { 0 };
		struct score score;

		if (paths[i].jitter_ms)
			continue;
		fill_by_spandsp(sender, &paths[i], i ? &voice : &perfect);
		if (i == 0)
			continue;
		score = compare(&perfect, &voice);
		printf("%-8s %-8s %-13s %6.2f %6.1f\n", "PCMA", "spandsp", paths[i].name, score.lsd,
		       score.snr);
		g_free(voice.pcm);
	}
	g_free(perfect.pcm);
	free_sender(sender);
}

static bool set_format(const char *name, uint8_t pt, struct tl_format *ret_format)
{
	const struct tl_codec *codec = tl_codec_by_name(name);

	if (!codec || !tl_codec_can_transcode(codec) || codec->ptime_ms != RIG_FRAME_MS)
		return false;
	*ret_format = (struct tl_format) { .codec = codec, .pt = pt };
	if (codec->fmtp)
		g_strlcpy(ret_format->fmtp, codec->fmtp, sizeof ret_format->fmtp);
	return true;
}

static void measure(const char *from, const char *to)
{
	struct tl_format in, out;
	struct gateway perfect;

	if (!set_format(from, 96, &in) || !set_format(to, 97, &out)) {
		printf("%-8s %-8s this machine can't\n", from, to);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct sender *sender = speak(&in, (unsigned)lrint(100 * paths[i].loss));
		struct gateway gw;
		struct score score;

		if (!sender || !open_gateway(&gw, &in, &out))
			g_error("no chain from %s to %s", from, to);
		travel(&gw, sender, &paths[i]);
		free_sender(sender);
		if (i == 0)
			perfect = gw;
		score = compare(&perfect.voice, &gw.voice);
		printf("%-8s %-8s %-13s %6.2f %6.1f %7.1f %7.1f %9.1f %%\n", from, to,
		       paths[i].name, score.lsd, score.snr, gw.delay_us / gw.played / 1000,
		       gw.late_delay_us / MAX(gw.late_played, 1u) / 1000,
		       100.0 * gw.concealed / PACKETS);
		fflush(stdout);
		if (i > 0)
			close_gateway(&gw);
	}
	close_gateway(&perfect);
}

int main(int argc, char **argv)
{
	static const char *const pairs[][2] = {
		{ "PCMA", "PCMU" },    { "PCMU", "G722" }, { "G722", "PCMA" }, { "opus", "PCMA" },
		{ "opus", "G722" },    { "PCMA", "opus" }, { "GSM", "PCMA" },  { "speex", "PCMA" },
		{ "G726-32", "PCMA" }, { "G729", "PCMA" }, { "AMR", "PCMA" },  { "AMR-WB", "PCMA" },
	};

	if (tl_codec_init() < 0)
		return 1;
	printf("%-8s %-8s %-13s %6s %6s %7s %7s %11s\n", "from", "to", "path", "lsd dB", "snr dB",
	       "delay", "at end", "made up");
	if (argc == 3) {
		measure(argv[1], argv[2]);
		return 0;
	}
	measure_spandsp();
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		measure(pairs[i][0], pairs[i][1]);
	return 0;
}
