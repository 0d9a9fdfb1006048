/*
 * The echo cancellers beside each other, on synthetic hybrids (tests/support/line.h): how far the
 * echo is taken down (ERLE, dB) as time goes by, by the filter alone and with the residue taken
 * care of; what two who speak at once do to it and to their speech; what it costs. The better is
 * the default (media/chain/echo.h). Speech of espeak-ng when that is installed, else of harmonics.
 */
#include <stdio.h>
#include <time.h>

#include <glib.h>

#include "../support/line.h"
#include "media/chain/echo.h"

enum { SECONDS = 12, N = SECONDS * LINE_HZ, FRAME = 160 };

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* At -18 dBm0 or so. */
static void level(int16_t *pcm, size_t n, double rms)
{
	double sum = 1;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)CLAMP(pcm[i] * rms / sqrt(sum / (double)n), -32000, 32000);
}

static int16_t *speak(const char *voice, const char *text, double pitch_hz)
{
	int16_t *pcm = g_new0(int16_t, N);
	g_autofree char *command = g_strdup_printf("espeak-ng -v %s --stdout '%s' 2>/dev/null | "
						   "sox -t wav --ignore-length - -t raw -r "
						   "%d -c 1 -b 16 -e signed - repeat 9 2>/dev/null",
						   voice, text, LINE_HZ);
	FILE *said = popen(command, "r");
	size_t n = said ? fread(pcm, sizeof *pcm, N, said) : 0;

	if (said)
		pclose(said);
	if (n < N)
		line_voice(pcm, N, pitch_hz, 2500);
	level(pcm, N, 1800);
	return pcm;
}

struct run {
	enum tl_echo_kind kind;
	const struct hybrid *hybrid;
	unsigned tail_ms;
	double delay_ms;
	bool linear;
	unsigned double_from, double_to; /* seconds in which both speak */
};

struct result {
	double erle[SECONDS]; /* dB, of each second */
	double speech;        /* dB: what both say at once, over what is done to it */
	double us;            /* of CPU for 20 ms */
	int delay_ms;
};

static void measure(const struct run *run, const int16_t *far, const int16_t *near,
		    struct result *result)
{
	static struct line line;
	double echo_energy[SECONDS] = { 0 }, left[SECONDS] = { 0 }, damage = 1, said = 1, began;
	struct tl_echo_state state;
	struct tl_echo *echo, *still; /* nothing is sent there: what it does to speech anyway */

	line_open(&line, run->hybrid, run->delay_ms);
	g_assert(tl_echo_new(run->kind, LINE_HZ, run->tail_ms, &echo) == 0);
	g_assert(tl_echo_new(run->kind, LINE_HZ, run->tail_ms, &still) == 0);
	tl_echo_set_linear(echo, run->linear);
	result->us = 0;
	for (size_t at = 0; at < N; at += FRAME) {
		size_t second = at / LINE_HZ;
		bool both = second >= run->double_from && second < run->double_to;
		int16_t heard[FRAME], plain[FRAME];

		for (size_t i = 0; i < FRAME; i++) {
			heard[i] = line_pass(&line, far[at + i], both ? near[at + i] : 0);
			echo_energy[second] += both ? 0 : (double)heard[i] * heard[i];
		}
		memset(plain, 0, sizeof plain);
		if (both)
			memcpy(plain, near + at, sizeof plain);
		tl_echo_heard(still, (int64_t)at, plain, FRAME);
		began = cpu_us();
		tl_echo_sent(echo, (int64_t)at, far + at, FRAME);
		tl_echo_heard(echo, (int64_t)at, heard, FRAME);
		result->us += cpu_us() - began;
		for (size_t i = 0; i < FRAME; i++) {
			double off = heard[i] - plain[i];

			left[second] += both ? 0 : off * off;
			damage += both ? off * off : 0;
			said += (double)plain[i] * plain[i];
		}
	}
	for (size_t i = 0; i < SECONDS; i++)
		result->erle[i] = 10 * log10((echo_energy[i] + 1) / (left[i] + 1));
	result->speech = 10 * log10(said / damage);
	result->us /= (double)N / FRAME;
	tl_echo_state(echo, &state);
	result->delay_ms = state.delay_ms;
	tl_echo_free(echo);
	tl_echo_free(still);
}

static void show(const struct run *run, const struct result *r)
{
	printf("%-9s %-7s %-7s %4u %5.0f  %6.1f%6.1f%6.1f%6.1f%6.1f", tl_echo_kind_name(run->kind),
	       run->linear ? "filter" : "all", run->hybrid->name, run->tail_ms, run->delay_ms,
	       r->erle[0], r->erle[1], r->erle[2], r->erle[3], r->erle[SECONDS - 1]);
	if (run->double_to)
		printf("  %6.1f %6.1f", r->speech, r->erle[run->double_to]);
	else
		printf("  %6s %6s", "", "");
	printf("  %5d %6.1f\n", r->delay_ms, r->us);
}

int main(void)
{
	g_autofree int16_t *far = speak("en-gb",
					"Good morning, this is the caller. I should like to order "
					"seven blue chairs and four lamps.",
					110);
	g_autofree int16_t *near = speak("en-us+f3",
					 "Hello, this is the extension. We have yellow curtains "
					 "and the finest shelves in town.",
					 190);

	puts("ERLE in dB, by second 1, 2, 3, 4, 12; while both speak (seconds 7 to 9): dB of "
	     "speech over\ndamage, and the second after; the delay found, ms; us of CPU for 20 "
	     "ms\n");
	puts("                           tail delay      1     2     3     4    12  speech  after  "
	     "found     us");
	for (int kind = TL_ECHO_SPEEXDSP; kind <= TL_ECHO_SPANDSP; kind++) {
		for (size_t h = 0; h < G_N_ELEMENTS(hybrids); h++) {
			for (int how = 0; how < 6; how++) {
				struct run run = {
					.kind = kind,
					.hybrid = &hybrids[h],
					.tail_ms = how == 3   ? 128
						   : how == 5 ? 32
							      : 64,
					.delay_ms = how < 3    ? 40
						    : how == 4 ? 250
							       : 80,
					.linear = how == 0 || how == 2,
					.double_from = how == 2 || how == 1 ? 6 : 0,
					.double_to = how == 2 || how == 1 ? 9 : 0,
				};
				struct result result;

				measure(&run, far, near, &result);
				show(&run, &result);
			}
		}
	}
	return 0;
}
