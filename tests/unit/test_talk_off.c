/*
 * Talk-off: an hour of speech, of twelve voices and at seven pitches, holds no digit and no tone of
 * a fax or modem, nor does an hour that three people have recorded, nor music and noise. What is
 * generated is espeak-ng's, the pitches are made of it; what is recorded are a PBX's prompts.
 */
#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/chain/modem_tones.h"
#include "media/chain/resample.h"
#include "media/chain/tones.h"

enum { RATE_HZ = 8000, FRAME = 160, MOST = 900 * RATE_HZ, RECORDED_MOST = 1800 * RATE_HZ };

/* By the sanitizers it takes ten times as long, and finds nothing after minutes. */
#if defined(__SANITIZE_ADDRESS__)
enum { PITCHES = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { PITCHES = 1 };
#else
enum { PITCHES = 7 };
#endif
#else
enum { PITCHES = 7 };
#endif

static const char text[] =
	"The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore, and "
	"the shells she sells are surely sea shells. Zero one two three four five six seven eight "
	"nine ten eleven twelve, please hold the line; your call is important to us. We were away "
	"a "
	"year ago. Why, oh why, did you say aye? Beep beep, hoo hoo, la la la, mmm, no no no, yes "
	"yes yes. Peter Piper picked a peck of pickled peppers. Our office is open from Monday to "
	"Friday between eight and eighteen hours. Is it raining in Spain again? Ooh, aah, eee, ih, "
	"oh, you. Whistle while you work, ring a ring of roses.";

static const char *const voices[] = {
	"-v en-gb -s 155 -p 50",    "-v en-us+f3 -s 150 -p 70", "-v de -s 150 -p 40",
	"-v fr+f2 -s 160 -p 60",    "-v es+m3 -s 170 -p 30",    "-v it+f4 -s 140 -p 85",
	"-v en-us+m7 -s 180 -p 20", "-v pt+f1 -s 150 -p 95",    "-v nl -s 150 -p 55",
	"-v sv+f5 -s 150 -p 75",    "-v pl+m2 -s 150 -p 10",    "-v tr+f2 -s 150 -p 99",
};

/* What all of them say, one after another; how much. */
static size_t speak(int16_t *pcm)
{
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(voices); i++) {
		g_autofree char *command = g_strdup_printf(
			"espeak-ng %s --stdout '%s' 2>/dev/null | sox -t wav --ignore-length - -r "
			"%d -c 1 -b 16 -e signed -t raw - norm -3 2>/dev/null",
			voices[i], text, RATE_HZ);
		FILE *said = popen(command, "r");

		cr_assert_not_null(said);
		n += fread(pcm + n, sizeof *pcm, (size_t)MOST - n, said);
		pclose(said);
	}
	return n;
}

struct outcome {
	unsigned digits, tones;
	size_t loud, silenced; /* samples */
	double seconds;
};

static void listen(const int16_t *pcm, size_t n, struct outcome *outcome)
{
	struct tl_tone_news news[TL_TONE_NEWS];
	struct tl_modem_ear modem;
	struct tl_tone_ear *ear;

	tl_modem_ear_init(&modem, RATE_HZ);
	cr_assert_eq(tl_tone_ear_new(RATE_HZ, &ear), 0);
	for (size_t at = 0; at + FRAME <= n; at += FRAME) {
		int16_t heard[FRAME];
		size_t n_news;

		outcome->tones += tl_modem_ear_hear(&modem, pcm + at, FRAME) != TL_MODEM_NONE;
		memcpy(heard, pcm + at, sizeof heard);
		n_news = tl_tone_ear_hear(ear, heard, FRAME, news);
		for (size_t i = 0; i < n_news; i++)
			outcome->digits += news[i].digit != '\0';
		for (size_t i = 0; i < FRAME; i++) {
			outcome->loud += abs(pcm[at + i]) > 500;
			outcome->silenced += abs(pcm[at + i]) > 500 && heard[i] == 0;
		}
	}
	outcome->seconds += (double)n / RATE_HZ;
	tl_tone_ear_free(ear);
}

Test(talk_off, an_hour_of_speech_has_no_digit)
{
	static const unsigned rates[] = { 8000, 9000, 7000, 9600, 6600, 8400, 7600 };
	g_autofree int16_t *said = g_new(int16_t, MOST);
	struct outcome outcome = { 0 };
	size_t n = speak(said);

	cr_assert_geq(n, 500 * RATE_HZ, "espeak-ng and sox are needed");
	for (size_t i = 0; i < PITCHES; i++) {
		g_autofree int16_t *pitched = NULL;
		size_t n_pitched = n;

		if (rates[i] != RATE_HZ)
			pitched = tl_resample_all(said, n, rates[i], RATE_HZ, &n_pitched);
		listen(pitched ? pitched : said, n_pitched, &outcome);
	}
	if (PITCHES > 1)
		cr_expect_geq(outcome.seconds, 3600);
	cr_expect_eq(outcome.digits, 0, "%u digits in %.0f s", outcome.digits, outcome.seconds);
	cr_expect_eq(outcome.tones, 0, "a fax, in %u frames", outcome.tones);
	cr_expect_leq((double)outcome.silenced / (double)outcome.loud, 0.001,
		      "%.2f %% of the speech was silenced",
		      100.0 * (double)outcome.silenced / (double)outcome.loud);
}

/* Prompts, as frames of GSM, one file after another; how much. */
static size_t record(const char *language, int16_t *pcm)
{
	g_autofree char *command = g_strdup_printf(
		"find -L /usr/share/asterisk/sounds/%s -name '*.gsm' -print0 | sort -z | xargs -0r "
		"cat | sox -t gsm - -r %d -c 1 -b 16 -e signed -t raw - 2>/dev/null",
		language, RATE_HZ);
	FILE *said = popen(command, "r");
	size_t n;

	cr_assert_not_null(said);
	n = fread(pcm, sizeof *pcm, RECORDED_MOST, said);
	pclose(said);
	return n;
}

Test(talk_off, neither_has_an_hour_of_recorded_speech)
{
	static const char *const languages[] = { "en", "it", "ru" };
	g_autofree int16_t *said = g_new(int16_t, RECORDED_MOST);
	struct outcome outcome = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(languages); i++) {
		size_t n = record(languages[i], said);

		cr_assert_geq(n, 1200 * RATE_HZ, "asterisk-core-sounds-%s-gsm is needed",
			      languages[i]);
		listen(said, PITCHES > 1 ? n : n / 5, &outcome);
	}
	if (PITCHES > 1)
		cr_expect_geq(outcome.seconds, 3600);
	cr_expect_eq(outcome.digits, 0, "%u digits in %.0f s", outcome.digits, outcome.seconds);
	cr_expect_eq(outcome.tones, 0, "a fax, in %u frames", outcome.tones);
	cr_expect_leq((double)outcome.silenced / (double)outcome.loud, 0.001);
}

/* Chords of the tempered scale with overtones, changing each 150 to 600 ms. */
static void play(int16_t *pcm, size_t n)
{
	double hz[4] = { 0 };
	size_t until = 0;

	for (size_t i = 0; i < n; i++) {
		double v = 0;

		if (i >= until) {
			until = i + (size_t)(1200 + rand() % 3600);
			for (size_t k = 0; k < 4; k++)
				hz[k] = 110 * pow(2, (rand() % 48) / 12.0);
		}
		for (size_t k = 0; k < 4; k++)
			for (int h = 1; h <= 4 && hz[k] * h < 3800; h++)
				v += 2000.0 / h * sin(2 * G_PI * hz[k] * h * (double)i / RATE_HZ);
		pcm[i] = (int16_t)CLAMP(v, -32768, 32767);
	}
}

Test(talk_off, neither_have_music_and_noise)
{
	size_t n = 300 * RATE_HZ;
	g_autofree int16_t *pcm = g_new(int16_t, n);
	struct outcome outcome = { 0 };

	srand(1);
	play(pcm, n);
	listen(pcm, n, &outcome);
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)((rand() % 65536 - 32768) / (1 + (int)(i / RATE_HZ) % 40));
	listen(pcm, n, &outcome);
	cr_expect_eq(outcome.digits, 0, "%u digits", outcome.digits);
	cr_expect_eq(outcome.tones, 0);
}
