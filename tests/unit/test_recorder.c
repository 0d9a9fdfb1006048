/* What a recording holds: who is where, and when. */
#include <math.h>
#include <sys/stat.h>

#include "tests/support/recording.h"

TestSuite(recorder, .init = set_up, .fini = tear_down);

Test(recorder, keeps_caller_left_and_callee_right)
{
	struct recording rec = record(both_talk, false, 3500 * MS);

	cr_expect_eq(rec.channels, 2);
	cr_expect_eq(rec.rate_hz, RATE_HZ);
	cr_expect_eq(rec.frames, 28000);
	for (size_t i = 0; i < rec.frames; i++) {
		cr_assert_eq(sample(&rec, i, 0), 1000, "frame %zu", i);
		cr_assert_eq(sample(&rec, i, 1), -500, "frame %zu", i);
	}
	cr_expect_eq(failures, 0, "%s", why);
	g_free(rec.file);
}

Test(recorder, makes_file_and_directories_that_others_cant_read)
{
	struct recording rec = record(both_talk, false, 100 * MS);
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777 & ~0640, 0);
	cr_expect_eq(st.st_mode & 0600, 0600);
	g_free(rec.file);
}

Test(recorder, adds_both_sides_up_in_mono)
{
	struct recording rec = record(both_talk, true, 2 * S);

	cr_expect_eq(rec.channels, 1);
	cr_expect_eq(rec.frames, 16000);
	for (size_t i = 0; i < rec.frames; i++)
		cr_assert_eq(sample(&rec, i, 0), 500);
	g_free(rec.file);
}

static void loud(struct tl_recorder *rec, int64_t t_us)
{
	put_level(rec, TL_CHANNEL_LEFT, 30000, start_us + t_us);
	put_level(rec, TL_CHANNEL_RIGHT, 30000, start_us + t_us);
}

Test(recorder, clips_where_two_shout_in_mono)
{
	struct recording rec = record(loud, true, 1 * S);

	cr_expect_eq(sample(&rec, 4000, 0), INT16_MAX);
	g_free(rec.file);
}

/* The right side stalls from 1.5 s to 5.5 s, over several blocks. */
static void right_stalls(struct tl_recorder *rec, int64_t t_us)
{
	put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
	if (t_us < 1500 * MS || t_us >= 5500 * MS)
		put_level(rec, TL_CHANNEL_RIGHT, 1000, start_us + t_us);
}

Test(recorder, keeps_channels_together_over_a_stall)
{
	struct recording rec = record(right_stalls, false, 7 * S);

	cr_expect_eq(rec.frames, 56000);
	cr_expect_eq(next_silence(&rec, 0, 0), rec.frames, "left goes on");
	cr_expect_eq(next_silence(&rec, 0, 1), 12000);
	cr_expect_eq(next_sound(&rec, 12000, 1), 44000, "right is back in its own time");
	cr_expect_eq(next_silence(&rec, 44000, 1), rec.frames);
	g_free(rec.file);
}

static void nobody_for_long(struct tl_recorder *rec, int64_t t_us)
{
	if (t_us < 1 * S || t_us >= 60 * S)
		both_talk(rec, t_us);
}

Test(recorder, writes_silence_of_the_exact_length_when_all_are_silent)
{
	struct recording rec = record(nobody_for_long, false, 61 * S);

	cr_expect_eq(rec.frames, 61 * RATE_HZ);
	cr_expect_eq(next_silence(&rec, 0, 0), RATE_HZ);
	cr_expect_eq(next_sound(&rec, RATE_HZ, 0), 60 * RATE_HZ);
	g_free(rec.file);
}

static void left_speaks_once(struct tl_recorder *rec, int64_t t_us)
{
	if (t_us == 60 * S)
		both_talk(rec, t_us);
}

Test(recorder, needs_no_tick_to_step_over_long_silence)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;
	struct recording got;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_recorder_new(storage, path, false, RATE_HZ, start_us, NULL, NULL, &rec), 0);
	left_speaks_once(rec, 60 * S);
	tl_recorder_free(rec, start_us + 100 * S);
	tl_storage_free(storage);
	got = read_recording();
	cr_expect_eq(got.frames, 100 * RATE_HZ);
	cr_expect_eq(next_sound(&got, 0, 1), 60 * RATE_HZ);
	g_free(got.file);
}

/* Packets come up to 50 ms late and then in a bunch, as networks do. */
static void jittery(struct tl_recorder *rec, int64_t t_us)
{
	static unsigned waiting;

	put_level(rec, TL_CHANNEL_RIGHT, 1, start_us + t_us);
	if (++waiting < 3)
		return;
	while (waiting > 0) {
		put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
		waiting--;
	}
}

Test(recorder, takes_jitter_for_what_it_is)
{
	struct recording rec = record(jittery, false, 6 * S);

	size_t begin = next_sound(&rec, 0, 0);

	cr_expect_lt(begin, RATE_HZ / 10);
	cr_expect_eq(next_silence(&rec, begin, 0), rec.frames, "no hole where packets were late");
	g_free(rec.file);
}

/* A sender whose clock runs 5 % fast: 21 frames in the time of 20. */
static void fast_clock(struct tl_recorder *rec, int64_t t_us)
{
	put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
	if (t_us % (400 * MS) == 0)
		put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
	put_level(rec, TL_CHANNEL_RIGHT, 1, start_us + t_us);
}

Test(recorder, holds_a_fast_sender_to_its_own_clock)
{
	struct recording rec = record(fast_clock, false, 20 * S);

	cr_expect_geq(rec.frames, 20 * RATE_HZ);
	cr_expect_leq(rec.frames, 20 * RATE_HZ + RATE_HZ / 10);
	g_free(rec.file);
}

/* Left hums on a clock that is 1000 ppm fast, right on one that is slow by as much: each puts its
 * next 20 ms when they have come together, and says when that was. */
static void hum_off_clock(struct tl_recorder *rec, int64_t t_us)
{
	static unsigned frames[_TL_CHANNEL_MAX];

	for (unsigned c = 0; c < _TL_CHANNEL_MAX; c++) {
		int64_t frame_us = 20 * MS + (c == TL_CHANNEL_LEFT ? -20 : 20);

		for (; frames[c] * frame_us <= t_us; frames[c]++) {
			int16_t pcm[FRAME];

			for (size_t i = 0; i < FRAME; i++)
				pcm[i] = (int16_t)(8000 *
						   sin(2 * G_PI * 400 *
						       (double)(frames[c] * FRAME + i) / RATE_HZ));
			tl_recorder_put(rec, c, pcm, FRAME, RATE_HZ,
					start_us + frames[c] * frame_us);
		}
	}
}

Test(recorder, absorbs_clocks_that_differ_without_a_click)
{
	struct recording rec = record(hum_off_clock, false, 120 * S);
	double turn = 2 * G_PI * 400 / RATE_HZ;

	cr_expect_geq(rec.frames, 120 * RATE_HZ - RATE_HZ / 20);
	cr_expect_leq(rec.frames, 120 * RATE_HZ + RATE_HZ / 20);
	for (unsigned c = 0; c < 2; c++) {
		for (size_t i = 1; i + RATE_HZ / 10 < rec.frames; i++) {
			int bend = sample(&rec, i - 1, c) - 2 * sample(&rec, i, c) +
				   sample(&rec, i + 1, c);

			cr_assert_leq(abs(bend), (int)(8000 * turn * turn * 1.5), "frame %zu of %u",
				      i, c);
		}
	}
	g_free(rec.file);
}

/* Right speaks wide-band, then full band. */
static void other_rates(struct tl_recorder *rec, int64_t t_us)
{
	unsigned rate_hz = t_us < 1 * S ? 16000 : 48000;
	int16_t pcm[960];

	for (size_t i = 0; i < rate_hz / 50; i++)
		pcm[i] = 1000;
	tl_recorder_put(rec, TL_CHANNEL_RIGHT, pcm, rate_hz / 50, rate_hz, start_us + t_us);
	put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
}

Test(recorder, brings_every_rate_to_the_files)
{
	struct recording rec = record(other_rates, false, 2 * S);

	cr_expect_eq(rec.frames, 16000);
	cr_expect_eq(sample(&rec, 4000, 1), 1000);
	cr_expect_eq(sample(&rec, 12000, 1), 1000);
	g_free(rec.file);
}
