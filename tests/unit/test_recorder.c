#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/file/recorder.h"
#include "media/file/wav.h"

enum { RATE_HZ = 8000, MS = 1000, S = 1000000, FRAME = 160 };

static const int64_t start_us = 1234567890123;
static char *dir, *path;
static char *why;
static unsigned failures;

static void on_failed(const char *text, void *user)
{
	failures++;
	g_free(why);
	why = g_strdup(text);
}

static void set_up(void)
{
	dir = g_dir_make_tmp(NULL, NULL);
	path = g_build_filename(dir, "2026", "11", "call.wav", NULL);
}

static void remove_tree(const char *at)
{
	GDir *entries = g_dir_open(at, 0, NULL);
	const char *name;

	while (entries && (name = g_dir_read_name(entries))) {
		g_autofree char *entry = g_build_filename(at, name, NULL);

		remove_tree(entry);
	}
	if (entries)
		g_dir_close(entries);
	g_remove(at);
}

static void tear_down(void)
{
	remove_tree(dir);
	g_free(why);
	g_free(path);
	g_free(dir);
}

TestSuite(recorder, .init = set_up, .fini = tear_down);

struct recording {
	uint8_t *file;
	size_t frames;
	unsigned channels, rate_hz;
	const int16_t *samples;
};

static uint32_t le(const uint8_t *at, unsigned n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

/* Reads the file as a player does: by what its head says. */
static struct recording read_recording(void)
{
	struct recording rec = { 0 };
	gsize bytes;
	uint32_t data;

	cr_assert(g_file_get_contents(path, (char **)&rec.file, &bytes, NULL));
	cr_assert_geq(bytes, TL_WAV_HEAD_BYTES);
	cr_assert_arr_eq(rec.file, "RIFF", 4);
	rec.channels = le(rec.file + 22, 2);
	rec.rate_hz = le(rec.file + 24, 4);
	data = le(rec.file + 40, 4);
	cr_assert_leq(TL_WAV_HEAD_BYTES + data, bytes, "the head promises no more than there is");
	cr_expect_eq(le(rec.file + 4, 4), data + 36);
	rec.frames = data / 2 / rec.channels;
	rec.samples = (const int16_t *)(rec.file + TL_WAV_HEAD_BYTES);
	return rec;
}

static int16_t sample(const struct recording *rec, size_t frame, unsigned channel)
{
	return rec->samples[frame * rec->channels + channel];
}

/* First frame from at on where the channel is not silent; frames: none. */
static size_t next_sound(const struct recording *rec, size_t at, unsigned channel)
{
	while (at < rec->frames && sample(rec, at, channel) == 0)
		at++;
	return at;
}

static size_t next_silence(const struct recording *rec, size_t at, unsigned channel)
{
	while (at < rec->frames && sample(rec, at, channel) != 0)
		at++;
	return at;
}

static void put_level(struct tl_recorder *rec, enum tl_channel channel, int16_t level,
		      int64_t now_us)
{
	int16_t pcm[FRAME];

	for (size_t i = 0; i < FRAME; i++)
		pcm[i] = level;
	tl_recorder_put(rec, channel, pcm, FRAME, RATE_HZ, now_us);
}

static void wake(void *user)
{
	sem_post(user);
}

/* Until the disk has caught up: a test's seconds are shorter than a disk's. */
static void settle(struct tl_storage *storage)
{
	sem_t done;

	sem_init(&done, 0, 0);
	cr_assert_eq(tl_storage_post(storage, wake, &done), 0);
	sem_wait(&done);
	sem_destroy(&done);
}

/* A story: what each side said, 20 ms by 20 ms. */
typedef void talk_fn(struct tl_recorder *rec, int64_t t_us);

static struct recording record(talk_fn *talk, bool mono, int64_t length_us)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_recorder_new(storage, path, mono, RATE_HZ, start_us, on_failed, NULL, &rec),
		     0);
	for (int64_t t = 0; t < length_us; t += 20 * MS) {
		talk(rec, t);
		if (t % (200 * MS) != 0)
			continue;
		tl_recorder_tick(rec, start_us + t);
		settle(storage);
	}
	tl_recorder_free(rec, start_us + length_us);
	tl_storage_free(storage);
	return read_recording();
}

static void both_talk(struct tl_recorder *rec, int64_t t_us)
{
	put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
	put_level(rec, TL_CHANNEL_RIGHT, -500, start_us + t_us);
}

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

Test(recorder, leaves_a_playable_file_when_killed)
{
	struct recording rec;
	int ready[2], status;
	pid_t child;
	char byte;

	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct tl_storage *storage;
		struct tl_recorder *mine;

		tl_storage_new(&storage);
		tl_recorder_new(storage, path, false, RATE_HZ, start_us, NULL, NULL, &mine);
		for (int64_t t = 0; t < 5500 * MS; t += 20 * MS) {
			both_talk(mine, t);
			tl_recorder_tick(mine, start_us + t);
		}
		/* The queue is run to its end, then nothing more is said: no free, no close. */
		tl_storage_free(storage);
		if (write(ready[1], "", 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);

	rec = read_recording();
	cr_expect_eq(rec.frames, 5 * RATE_HZ, "all but the last, unfinished second");
	cr_expect_eq(next_silence(&rec, 0, 0), rec.frames);
	g_free(rec.file);
}

static void fails_once(const char *at, const char *expected)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_recorder_new(storage, at, false, RATE_HZ, start_us, on_failed, NULL, &rec),
		     0);
	for (int64_t t = 0; t < 5 * S; t += 20 * MS) {
		both_talk(rec, t);
		tl_recorder_tick(rec, start_us + t);
	}
	tl_recorder_free(rec, start_us + 5 * S);
	tl_storage_free(storage);
	cr_expect_eq(failures, 1);
	cr_expect(why && strstr(why, expected), "%s", why);
}

Test(recorder, says_once_that_the_disk_is_full)
{
	g_autofree char *full = g_build_filename(dir, "full.wav", NULL);

	/* RLIMIT_FSIZE stands for the full disk: write fails in the same place. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 100000, 100000 });
	fails_once(full, "File too large");
}

Test(recorder, says_once_that_the_directory_cant_be_made)
{
	fails_once("/proc/nowhere/call.wav", "/proc/nowhere/call.wav");
}

Test(recorder, never_writes_over_a_file_that_exists)
{
	g_autofree char *kept = g_build_filename(dir, "kept.wav", NULL);
	g_autofree char *content = NULL;

	cr_assert(g_file_set_contents(kept, "precious", -1, NULL));
	fails_once(kept, "File exists");
	cr_assert(g_file_get_contents(kept, &content, NULL, NULL));
	cr_expect_str_eq(content, "precious");
}

Test(recorder, refuses_what_makes_no_sense)
{
	struct tl_storage *storage;
	struct tl_recorder *rec;

	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_expect_eq(tl_recorder_new(storage, "a.wav", false, RATE_HZ, 0, NULL, NULL, &rec),
		     -EINVAL, "relative to what?");
	cr_expect_eq(tl_recorder_new(storage, path, false, 0, 0, NULL, NULL, &rec), -EINVAL);
	tl_storage_free(storage);
	tl_recorder_free(NULL, 0);
}

struct stuck {
	GMutex mutex;
};

static void wait_for_gate(void *user)
{
	struct stuck *stuck = user;

	g_mutex_lock(&stuck->mutex);
	g_mutex_unlock(&stuck->mutex);
}

Test(recorder, keeps_the_time_when_a_stuck_disk_costs_audio)
{
	struct stuck stuck = { 0 };
	struct tl_storage *storage;
	struct tl_recorder *rec;
	struct recording got;

	cr_assert_eq(tl_storage_new(&storage), 0);
	g_mutex_lock(&stuck.mutex);
	cr_assert_eq(tl_storage_post(storage, wait_for_gate, &stuck), 0);
	cr_assert_eq(
		tl_recorder_new(storage, path, false, RATE_HZ, start_us, on_failed, NULL, &rec), 0);
	for (int64_t t = 0; t < 60 * S; t += 20 * MS) {
		both_talk(rec, t);
		tl_recorder_tick(rec, start_us + t);
	}
	g_mutex_unlock(&stuck.mutex);
	tl_recorder_free(rec, start_us + 60 * S);
	tl_storage_free(storage);

	got = read_recording();
	cr_expect_eq(got.frames, 60 * RATE_HZ);
	cr_expect_geq(next_silence(&got, 0, 0), 10 * RATE_HZ, "a long stall costs nothing");
	cr_expect_eq(failures, 1);
	cr_expect(why && strstr(why, "too slow"), "%s", why);
	g_free(got.file);
}
