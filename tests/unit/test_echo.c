#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/line.h"
#include "media/chain/echo.h"

enum { SECOND = LINE_HZ, FRAME = 160, LONGEST = 12 * SECOND };

struct call {
	struct line line;
	struct tl_echo *echo;
	size_t at, frame;
	size_t done; /* up to here it has been sent and heard */
	size_t held; /* samples: for so long in each second both sides hold their packets back */
	int16_t far[LONGEST], near[LONGEST]; /* what is sent to the line, and said there */
	int16_t raw[LONGEST], heard[LONGEST];
};

static struct call *call_on(enum tl_echo_kind kind, const struct hybrid *hybrid, unsigned tail_ms,
			    double delay_ms)
{
	struct call *call = g_new0(struct call, 1);

	line_open(&call->line, hybrid, delay_ms);
	line_voice(call->far, LONGEST, 110, 1200);
	call->frame = FRAME;
	cr_assert_eq(tl_echo_new(kind, LINE_HZ, tail_ms, &call->echo), 0);
	return call;
}

static void end(struct call *call)
{
	tl_echo_free(call->echo);
	g_free(call);
}

/* All that has come of the far side up to here goes to the line, then its echo comes. */
static void exchange(struct call *call, size_t to)
{
	for (size_t at = call->done; at < to; at += call->frame)
		tl_echo_sent(call->echo, (int64_t)at, call->far + at, call->frame);
	for (size_t at = call->done; at < to; at += call->frame)
		tl_echo_heard(call->echo, 777777 + (int64_t)at, call->heard + at, call->frame);
	call->done = to;
}

/* On to second `to`. */
static void run(struct call *call, double to)
{
	size_t last = (size_t)(to * SECOND);

	cr_assert_leq(last, LONGEST);
	for (; call->at + call->frame <= last; call->at += call->frame) {
		size_t at = call->at;

		if (!call->held)
			call->done = at;
		for (size_t i = at; i < at + call->frame; i++)
			call->raw[i] = line_pass(&call->line, call->far[i], call->near[i]);
		memcpy(call->heard + at, call->raw + at, call->frame * sizeof *call->heard);
		if (at % SECOND >= call->held)
			exchange(call, at + call->frame);
	}
}

/* dB by which the echo is lower between two seconds. */
static double erle(const struct call *call, double from, double to)
{
	double raw = 1, heard = 1;

	for (size_t i = (size_t)(from * SECOND); i < (size_t)(to * SECOND); i++) {
		raw += (double)call->raw[i] * call->raw[i];
		heard += (double)call->heard[i] * call->heard[i];
	}
	return 10 * log10(raw / heard);
}

Test(echo, is_25_dB_lower_after_two_seconds)
{
	static const unsigned tails[] = { 32, 64, 128 };
	static const double delays[] = { 10, 45, 130, 400 };

	for (size_t h = 0; h < 3; h++) { /* the echo of the weak one is under that already */
		for (size_t t = 0; t < G_N_ELEMENTS(tails); t++) {
			double delay_ms = delays[(h + t) % G_N_ELEMENTS(delays)];
			struct call *call =
				call_on(TL_ECHO_SPEEXDSP, &hybrids[h], tails[t], delay_ms);
			struct tl_echo_state state;

			run(call, 4);
			tl_echo_state(call->echo, &state);
			cr_expect_geq(erle(call, 2, 4), 25, "%s, tail %u ms, %g ms away: %.1f dB",
				      hybrids[h].name, tails[t], delay_ms, erle(call, 2, 4));
			cr_expect(state.aligned && !state.aside);
			end(call);
		}
	}
}

Test(echo, of_a_weak_hybrid_sinks_into_the_noise)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[3], 64, 45);
	double left = 0;

	run(call, 5);
	for (size_t i = 3 * SECOND; i < 5 * SECOND; i++)
		left += (double)call->heard[i] * call->heard[i];
	cr_expect_leq(sqrt(left / (2 * SECOND)), 20, "rms %.1f", sqrt(left / (2 * SECOND)));
	end(call);
}

Test(echo, spandsp_takes_it_too_and_never_adds)
{
	struct call *call = call_on(TL_ECHO_SPANDSP, &hybrids[1], 32, 45);

	run(call, 10);
	cr_expect_geq(erle(call, 6, 10), 15, "%.1f dB", erle(call, 6, 10));
	end(call);
	for (size_t h = 0; h < G_N_ELEMENTS(hybrids); h += 3) {
		call = call_on(TL_ECHO_SPANDSP, &hybrids[h], 128, 45);
		run(call, 3);
		for (double s = 0; s < 3; s++)
			cr_expect_geq(erle(call, s, s + 1), -1.5, "%s: %.1f dB", hybrids[h].name,
				      erle(call, s, s + 1));
		end(call);
	}
}

Test(echo, survives_two_who_speak_at_once)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 45);
	struct call *alone = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 45);
	double damage = 1, said = 1;

	line_voice(call->near + 4 * SECOND, 3 * SECOND, 190, 1000);
	memcpy(alone->near, call->near, sizeof call->near);
	memset(alone->far, 0, sizeof alone->far);
	run(call, 8);
	run(alone, 8);
	for (size_t i = 4 * SECOND; i < 7 * SECOND; i++) {
		double off = call->heard[i] - alone->heard[i];

		damage += off * off;
		said += (double)alone->heard[i] * alone->heard[i];
	}
	cr_expect_geq(10 * log10(said / damage), 15, "%.1f dB", 10 * log10(said / damage));
	cr_expect_geq(erle(call, 7, 7.5), 25, "afterwards: %.1f dB", erle(call, 7, 7.5));
	end(alone);
	end(call);
}

Test(echo, speech_from_the_line_alone_passes)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 45);
	double raw = 1, heard = 1;

	memset(call->far, 0, sizeof call->far);
	line_voice(call->near, 4 * SECOND, 190, 1000);
	run(call, 4);
	for (size_t i = 0; i < 4 * SECOND; i++) {
		raw += (double)call->raw[i] * call->raw[i];
		heard += (double)call->heard[i] * call->heard[i];
	}
	cr_expect_leq(fabs(10 * log10(raw / heard)), 1, "%.1f dB", 10 * log10(raw / heard));
	end(call);
}

static void ansam(int16_t *pcm, size_t n, bool turned)
{
	double phase = 0;

	for (size_t i = 0; i < n; i++) {
		phase += 2 * M_PI * 2100 / LINE_HZ;
		if (turned && i && i % (LINE_HZ * 45 / 100) == 0)
			phase += M_PI;
		pcm[i] = (int16_t)(6000 * sin(phase));
	}
}

/* A modem answers on the line, both sides send data, all fall silent, somebody speaks. */
Test(echo, steps_aside_for_modems_and_comes_back)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 45);
	struct tl_echo_state state;
	uint32_t dice = 1;

	memset(call->far + 3 * SECOND, 0, 3 * SECOND * sizeof *call->far);
	ansam(call->near + 3 * SECOND, 2 * SECOND, true);
	for (size_t i = 5 * SECOND; i < 6 * SECOND; i++) {
		dice = dice * 1664525u + 1013904223u;
		call->far[i] = (int16_t)((int32_t)dice >> 19);
	}
	memset(call->far + 6 * SECOND, 0, SECOND * sizeof *call->far);
	run(call, 3);
	cr_expect_geq(erle(call, 2, 3), 25);
	run(call, 4.06);
	tl_echo_state(call->echo, &state);
	cr_expect(state.aside, "G.168 7.2: within 1 s");
	run(call, 6);
	tl_echo_state(call->echo, &state);
	cr_expect(state.aside);
	cr_expect_arr_eq(call->heard + 5 * SECOND, call->raw + 5 * SECOND,
			 SECOND * sizeof *call->raw, "data pass bit for bit");
	run(call, 7);
	tl_echo_state(call->echo, &state);
	cr_expect(!state.aside, "it has been silent");
	run(call, 10);
	cr_expect_geq(erle(call, 8, 10), 25, "%.1f dB", erle(call, 8, 10));
	end(call);
}

Test(echo, a_plain_answer_tone_passes_and_the_filter_stays)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 45);
	struct tl_echo_state state;
	double raw = 1, heard = 1;

	memset(call->far + 3 * SECOND, 0, 3 * SECOND * sizeof *call->far);
	ansam(call->near + 3 * SECOND, 2 * SECOND, false);
	run(call, 5);
	tl_echo_state(call->echo, &state);
	cr_expect(!state.aside);
	for (size_t i = 3 * SECOND; i < 5 * SECOND; i++) {
		raw += (double)call->raw[i] * call->raw[i];
		heard += (double)call->heard[i] * call->heard[i];
	}
	cr_expect_leq(fabs(10 * log10(raw / heard)), 1);
	end(call);
}

Test(echo, packets_of_any_length_and_holes)
{
	static const size_t frames[] = { 80, 120, 240, 480, 960, 37 };

	for (size_t f = 0; f < G_N_ELEMENTS(frames); f++) {
		struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[1], 64, 60);
		int16_t made_up[FRAME];

		call->frame = frames[f];
		run(call, 3);
		memcpy(made_up, call->raw, sizeof made_up);
		tl_echo_made_up(call->echo, made_up, FRAME);
		for (size_t i = 0; i < FRAME; i++)
			line_pass(&call->line, call->far[call->at + i], 0);
		tl_echo_sent(call->echo, (int64_t)call->at, call->far + call->at, FRAME);
		call->at += FRAME;
		run(call, 6);
		cr_expect_geq(erle(call, 4, 6), 22, "%zu samples: %.1f dB", frames[f],
			      erle(call, 4, 6));
		end(call);
	}
}

/* The network takes another way. */
Test(echo, is_found_again_when_it_moves)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 32, 45);

	run(call, 3);
	cr_expect_geq(erle(call, 2, 3), 25);
	call->line.delay = 200 * LINE_HZ / 1000;
	run(call, 9);
	cr_expect_geq(erle(call, 7, 9), 25, "%.1f dB", erle(call, 7, 9));
	end(call);
}

/* Held back for 80 ms and then sent all at once: time has not moved for all that. */
Test(echo, of_a_talker_whose_packets_come_in_bursts)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[0], 64, 2);

	call->held = SECOND / 12;
	run(call, 6);
	cr_expect_geq(erle(call, 3, 6), 25, "%.1f dB", erle(call, 3, 6));
	end(call);
}

/* The timelines part for moments only: that is no reason to begin the search anew. */
Test(echo, is_found_again_where_packets_come_in_bursts)
{
	struct call *call = call_on(TL_ECHO_SPEEXDSP, &hybrids[2], 64, 40);

	call->held = SECOND / 3;
	run(call, 5);
	cr_expect_geq(erle(call, 3, 5), 25, "%.1f dB", erle(call, 3, 5));
	call->line.delay = 200 * LINE_HZ / 1000;
	run(call, 12);
	cr_expect_geq(erle(call, 10, 12), 25, "%.1f dB", erle(call, 10, 12));
	end(call);
}

Test(echo, nothing_is_printed)
{
	char path[] = "/tmp/twinleg-echo-XXXXXX";
	int file = mkstemp(path), out = dup(STDOUT_FILENO);
	struct call *call = call_on(TL_ECHO_SPANDSP, &hybrids[0], 32, 45);
	struct stat about;

	fflush(stdout);
	cr_assert_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
	run(call, 2);
	fflush(stdout);
	cr_assert_eq(fstat(file, &about), 0);
	dup2(out, STDOUT_FILENO);
	cr_expect_eq(about.st_size, 0, "%lld bytes", (long long)about.st_size);
	unlink(path);
	close(file);
	close(out);
	end(call);
}

Test(echo, refuses_what_it_can_not_do)
{
	struct tl_echo *echo;

	cr_expect_eq(tl_echo_new(TL_ECHO_OFF, 8000, 64, &echo), -EINVAL);
	cr_expect_eq(tl_echo_new(TL_ECHO_SPEEXDSP, 48000, 64, &echo), -ENOTSUP);
	cr_assert_eq(tl_echo_new(TL_ECHO_SPANDSP, 16000, 9999, &echo), 0);
	cr_expect_eq(tl_echo_rate_hz(echo), 16000);
	tl_echo_free(echo);
}
