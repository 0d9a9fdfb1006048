#include "media/elements/g722_coder.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>
#include <spandsp.h>

/* Held against spandsp's, an implementation that owes nothing to ours: bit for bit. */

enum { RATE_HZ = 8000, PACKETS = 300, BYTES = 160, PCM_MAX = PACKETS * BYTES * 2 };

static int16_t said[PCM_MAX], heard[PCM_MAX], theirs_heard[PCM_MAX];
static uint8_t coded[PACKETS * BYTES], theirs_coded[PACKETS * BYTES];

static int16_t voice(size_t i)
{
	double t = (double)i / RATE_HZ, loud = fmax(0, sin(15 * t) + 0.3), sum = 0;

	for (int h = 1; h <= 20; h++)
		sum += sin(h * 2 * M_PI * (130 * t + 5 * sin(4 * t))) / (1 + 0.02 * h * h);
	return (int16_t)(2500 * loud * sum + rand() % 50);
}

static int16_t hiss(size_t i)
{
	return (int16_t)rand();
}

static int16_t square(size_t i)
{
	return i / 37 % 2 ? INT16_MAX : INT16_MIN;
}

static int16_t needle(size_t i)
{
	return i % 500 == 0 ? INT16_MAX : 0;
}

static int16_t steady(size_t i)
{
	return i / 20000 % 2 ? 12000 : -32768;
}

static int16_t sweep(size_t i)
{
	return (int16_t)(i / 4000 % 2 ? 30000 * sin((double)i * (double)i * 1e-5) : 0);
}

static const struct {
	const char *name;
	int16_t (*sample)(size_t i);
} signals[] = {
	{ "voice", voice },   { "hiss", hiss },     { "square", square },
	{ "needle", needle }, { "steady", steady }, { "sweep", sweep },
};

/* Packets of uneven length: nothing may depend on where one ends. */
static size_t length_of(size_t packet)
{
	return packet % 3 == 0 ? BYTES : packet % 3 == 1 ? BYTES / 2 : BYTES / 10;
}

static void compare_encoders(const char *name, bool narrow)
{
	g722_encode_state_t *theirs =
		g722_encode_init(NULL, 64000, narrow ? G722_SAMPLE_RATE_8000 : 0);
	size_t width = narrow ? 1 : 2, at = 0;
	struct tl_g722 ours;

	tl_g722_init(&ours, narrow);
	for (size_t packet = 0; packet < PACKETS; packet++) {
		size_t n = length_of(packet);

		cr_assert_eq(tl_g722_encode(&ours, said + at * width, n * width, coded + at), n);
		g722_encode(theirs, theirs_coded + at, said + at * width, (int)(n * width));
		at += n;
	}
	for (size_t i = 0; i < at; i++)
		cr_assert_eq(coded[i], theirs_coded[i], "%s, narrow %d: byte %zu", name, narrow, i);
	g722_encode_free(theirs);
}

/* spandsp lets what is too loud wrap round, as it may only in its filters: ours is at the limit. */
static bool same_but_limited(int16_t ours, int16_t theirs)
{
	return ours == theirs || (ours == INT16_MAX && theirs < 0) ||
	       (ours == INT16_MIN && theirs >= 0);
}

static void compare_decoders(const char *name, bool narrow)
{
	g722_decode_state_t *theirs =
		g722_decode_init(NULL, 64000, narrow ? G722_SAMPLE_RATE_8000 : 0);
	size_t width = narrow ? 1 : 2, at = 0;
	struct tl_g722 ours;

	tl_g722_init(&ours, narrow);
	for (size_t packet = 0; packet < PACKETS; packet++) {
		size_t n = length_of(packet);

		cr_assert_eq(tl_g722_decode(&ours, coded + at, n, heard + at * width), n * width);
		g722_decode(theirs, theirs_heard + at * width, coded + at, (int)n);
		at += n;
	}
	for (size_t i = 0; i < at * width; i++)
		cr_assert(same_but_limited(heard[i], theirs_heard[i]),
			  "%s, narrow %d: sample %zu is %d, not %d", name, narrow, i, heard[i],
			  theirs_heard[i]);
	g722_decode_free(theirs);
}

Test(g722_coder, codes_as_another_implementation_does)
{
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		for (size_t k = 0; k < PCM_MAX; k++)
			said[k] = signals[i].sample(k);
		for (int narrow = 0; narrow < 2; narrow++) {
			compare_encoders(signals[i].name, narrow);
			compare_decoders(signals[i].name, narrow);
		}
	}
}

Test(g722_coder, decodes_what_nobody_coded)
{
	for (size_t i = 0; i < sizeof coded; i++)
		coded[i] = (uint8_t)rand();
	compare_decoders("garbage", false);
	compare_decoders("garbage", true);
}

enum { TONE_HZ = 1000, LOUD = 8000 };

static void sing(int16_t *pcm, size_t n, unsigned rate_hz)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(LOUD * sin(2 * M_PI * TONE_HZ * (double)i / rate_hz));
}

/* The tone's level, and what else there is below it, in dB. */
static void measure(const int16_t *pcm, size_t n, unsigned rate_hz, double *ret_level,
		    double *ret_snr_db)
{
	size_t from = rate_hz / TONE_HZ * 100, count = (n - from) / 80 * 80; /* whole periods */
	double in_phase = 0, across = 0, all = 0;

	for (size_t i = from; i < from + count; i++) {
		double at = 2 * M_PI * TONE_HZ * (double)i / rate_hz;

		in_phase += pcm[i] * sin(at) * 2 / (double)count;
		across += pcm[i] * cos(at) * 2 / (double)count;
		all += (double)pcm[i] * pcm[i] / (double)count;
	}
	*ret_level = hypot(in_phase, across);
	*ret_snr_db = 10 * log10(*ret_level * *ret_level / 2 /
				 fmax(all - *ret_level * *ret_level / 2, 1e-9));
}

static void carry(bool encode_narrow, bool decode_narrow)
{
	const size_t n = PACKETS * BYTES;
	size_t in = encode_narrow ? n : n * 2, out = decode_narrow ? n : n * 2;
	struct tl_g722 coder;
	double level, snr_db;

	sing(said, in, encode_narrow ? RATE_HZ : RATE_HZ * 2);
	tl_g722_init(&coder, encode_narrow);
	tl_g722_encode(&coder, said, in, coded);
	tl_g722_init(&coder, decode_narrow);
	tl_g722_decode(&coder, coded, n, heard);
	measure(heard, out, decode_narrow ? RATE_HZ : RATE_HZ * 2, &level, &snr_db);
	cr_expect_float_eq(level, LOUD, LOUD * 0.06, "%d to %d: level %g", encode_narrow,
			   decode_narrow, level);
	cr_expect_gt(snr_db, 30, "%d to %d: %g dB", encode_narrow, decode_narrow, snr_db);
}

Test(g722_coder, the_low_band_alone_is_understood_by_the_whole_codec_and_hears_it)
{
	carry(false, false);
	carry(true, false);
	carry(false, true);
	carry(true, true);
}
