#pragma once
/*
 * A recorder with a folder of its own, what its two sides say, and what is in the file then.
 * Nothing waits for a clock: time is an argument.
 */
#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <semaphore.h>
#include <string.h>

#include "media/file/recorder.h"
#include "media/file/wav.h"

enum { RATE_HZ = 8000, MS = 1000, S = 1000000, FRAME = 160 };

static const int64_t start_us = 1234567890123;
static char *dir, *path;
static char *why; /* of the last failure */
static unsigned failures;

static inline void on_failed(const char *text, void *user)
{
	failures++;
	g_free(why);
	why = g_strdup(text);
}

static inline void set_up(void)
{
	dir = g_dir_make_tmp(NULL, NULL);
	path = g_build_filename(dir, "2026", "11", "call.wav", NULL);
}

static inline void remove_tree(const char *at)
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

static inline void tear_down(void)
{
	remove_tree(dir);
	g_free(why);
	g_free(path);
	g_free(dir);
}

struct recording {
	uint8_t *file;
	size_t frames;
	unsigned channels, rate_hz;
	const int16_t *samples;
};

static inline uint32_t le(const uint8_t *at, unsigned n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

/* Reads the file as a player does: by what its head says. */
static inline struct recording read_recording(void)
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

static inline int16_t sample(const struct recording *rec, size_t frame, unsigned channel)
{
	return rec->samples[frame * rec->channels + channel];
}

/* First frame from at on where the channel is not silent; frames: none. */
static inline size_t next_sound(const struct recording *rec, size_t at, unsigned channel)
{
	while (at < rec->frames && sample(rec, at, channel) == 0)
		at++;
	return at;
}

static inline size_t next_silence(const struct recording *rec, size_t at, unsigned channel)
{
	while (at < rec->frames && sample(rec, at, channel) != 0)
		at++;
	return at;
}

static inline void put_level(struct tl_recorder *rec, enum tl_channel channel, int16_t level,
			     int64_t now_us)
{
	int16_t pcm[FRAME];

	for (size_t i = 0; i < FRAME; i++)
		pcm[i] = level;
	tl_recorder_put(rec, channel, pcm, FRAME, RATE_HZ, now_us);
}

static inline void wake(void *user)
{
	sem_post(user);
}

/* Until the disk has caught up: a test's seconds are shorter than a disk's. */
static inline void settle(struct tl_storage *storage)
{
	sem_t done;

	sem_init(&done, 0, 0);
	cr_assert_eq(tl_storage_post(storage, wake, &done), 0);
	sem_wait(&done);
	sem_destroy(&done);
}

/* A story: what each side said, 20 ms by 20 ms. */
typedef void talk_fn(struct tl_recorder *rec, int64_t t_us);

static inline struct recording record(talk_fn *talk, bool mono, int64_t length_us)
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

static inline void both_talk(struct tl_recorder *rec, int64_t t_us)
{
	put_level(rec, TL_CHANNEL_LEFT, 1000, start_us + t_us);
	put_level(rec, TL_CHANNEL_RIGHT, -500, start_us + t_us);
}
