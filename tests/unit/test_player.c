#include <criterion/criterion.h>
#include <dirent.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <semaphore.h>
#include <spandsp.h>
#include <string.h>

#include "media/plan/codec.h"
#include "media/file/player.h"
#include "media/file/player_priv.h"
#include "media/file/wav.h"

enum { PTIME_MS = 20, COMPLEXITY = 1, TONE_HZ = 440 };

static char *dir;
static struct tl_storage *storage;
static struct tl_prompts *prompts;

static void set_up(void)
{
	gst_init(NULL, NULL);
	cr_assert_eq(tl_codec_init(), 0);
	dir = g_dir_make_tmp(NULL, NULL);
	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_prompts_new(storage, &prompts), 0);
}

static void tear_down(void)
{
	GDir *entries = g_dir_open(dir, 0, NULL);
	const char *name;

	tl_storage_free(storage);
	tl_prompts_free(prompts);
	while ((name = g_dir_read_name(entries))) {
		g_autofree char *entry = g_build_filename(dir, name, NULL);

		g_remove(entry);
	}
	g_dir_close(entries);
	g_remove(dir);
	g_free(dir);
}

TestSuite(player, .init = set_up, .fini = tear_down);

static char *in_dir(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static int16_t tone_at(size_t i, unsigned rate_hz)
{
	return (int16_t)lrint(8000 * sin(2 * G_PI * TONE_HZ * i / rate_hz));
}

static char *write_tone(const char *name, unsigned rate_hz, unsigned channels, unsigned ms)
{
	size_t frames = (size_t)rate_hz * ms / 1000;
	GByteArray *file = g_byte_array_new();
	char *path = in_dir(name);
	uint8_t head[TL_WAV_HEAD_BYTES];

	tl_wav_head(head, rate_hz, channels, (uint32_t)(frames * channels * 2));
	g_byte_array_append(file, head, sizeof head);
	for (size_t i = 0; i < frames; i++) {
		int16_t sample = tone_at(i, rate_hz);

		for (unsigned c = 0; c < channels; c++)
			g_byte_array_append(file, (uint8_t *)&sample, sizeof sample);
	}
	cr_assert(g_file_set_contents(path, (char *)file->data, file->len, NULL));
	g_byte_array_unref(file);
	return path;
}

static void wake(void *user)
{
	sem_post(user);
}

/* Jobs run in order: when this one has, the prompts asked for before are there. */
static void settle(void)
{
	sem_t done;

	sem_init(&done, 0, 0);
	cr_assert_eq(tl_storage_post(storage, wake, &done), 0);
	sem_wait(&done);
	sem_destroy(&done);
}

static struct tl_prompt *load_list(const char *const *paths, size_t n, const char *codec)
{
	struct tl_format format = { .codec = tl_codec_by_name(codec) };
	struct tl_prompt *prompt = tl_prompts_get(prompts, paths, n, &format, PTIME_MS, COMPLEXITY);

	cr_assert_not_null(prompt);
	settle();
	cr_assert_neq(tl_prompt_state(prompt), TL_PROMPT_LOADING);
	return prompt;
}

static struct tl_prompt *load(const char *path, const char *codec)
{
	return load_list(&path, 1, codec);
}

static void expect_playing(struct tl_prompt *prompt, const char *why)
{
	cr_assert_eq(tl_prompt_state(prompt), TL_PROMPT_READY, "%s: %s", why,
		     tl_prompt_error(prompt));
	cr_expect_null(tl_prompt_error(prompt), "%s: %s", why, tl_prompt_error(prompt));
}

/* How far the tone stands out of everything else, whatever its phase. */
static double tone_snr_db(const int16_t *pcm, size_t n, unsigned rate_hz)
{
	double re = 0, im = 0, all = 0, tone;

	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * G_PI * TONE_HZ * i / rate_hz);
		im += pcm[i] * sin(2 * G_PI * TONE_HZ * i / rate_hz);
		all += (double)pcm[i] * pcm[i];
	}
	tone = 2 * (re * re + im * im) / n;
	return 10 * log10(tone / MAX(all - tone, 1));
}

static double alaw_snr_db(const struct tl_prompt *prompt)
{
	g_autoptr(GArray) pcm = g_array_new(FALSE, FALSE, sizeof(int16_t));
	size_t packets = tl_prompt_packets(prompt);

	for (size_t i = 0; i < packets; i++) {
		struct tl_prompt_packet packet;

		tl_prompt_packet(prompt, i, &packet);
		cr_assert_eq(packet.bytes, 160);
		cr_assert_eq(packet.rtp_duration, 160);
		for (size_t k = 0; k < packet.bytes; k++) {
			int16_t sample = alaw_to_linear(packet.payload[k]);

			g_array_append_val(pcm, sample);
		}
	}
	/* Ten whole periods in the middle, away from a lossy codec's edges. */
	return tone_snr_db((int16_t *)pcm->data + 2000, 4000, 8000);
}

static const struct {
	const char *name;
	unsigned rate_hz, channels;
} wavs[] = {
	{ "8k-mono.wav", 8000, 1 },     { "16k-mono.wav", 16000, 1 },
	{ "48k-stereo.wav", 48000, 2 }, { "44k1-stereo.wav", 44100, 2 },
	{ "11k-mono.wav", 11025, 1 },
};

Test(player, plays_any_rate_and_channels)
{
	for (size_t i = 0; i < G_N_ELEMENTS(wavs); i++) {
		g_autofree char *path =
			write_tone(wavs[i].name, wavs[i].rate_hz, wavs[i].channels, 1000);
		struct tl_prompt *prompt = load(path, "PCMA");

		expect_playing(prompt, wavs[i].name);
		cr_expect(tl_prompt_packets(prompt) == 50 || tl_prompt_packets(prompt) == 51,
			  "%s: %zu", wavs[i].name, tl_prompt_packets(prompt));
		cr_expect_gt(alaw_snr_db(prompt), 30, "%s: %.1f dB", wavs[i].name,
			     alaw_snr_db(prompt));
		tl_prompt_unref(prompt);
	}
}

static const struct {
	const char *name, *encode;
} formats[] = {
	{ "tone.flac", "flacenc" },
	{ "tone.ogg", "vorbisenc ! oggmux" },
	{ "tone.opus", "audioconvert ! audioresample ! opusenc ! oggmux" },
	{ "tone.mp3", "lamemp3enc" },
	{ "tone.au", "audioconvert ! audio/x-raw,format=S16BE ! avmux_au" },
	{ "tone-alaw.wav", "audioconvert ! alawenc ! wavenc" },
};

/* False when GStreamer has no encoder for it here. */
static bool write_format(const char *path, const char *encode)
{
	g_autofree char *line = g_strdup_printf(
		"audiotestsrc freq=%d volume=0.25 num-buffers=50 samplesperbuffer=160 ! "
		"audio/x-raw,rate=8000,channels=1 ! audioconvert ! %s ! filesink location=%s",
		TONE_HZ, encode, path);
	GstElement *pipeline = gst_parse_launch(line, NULL);
	GstMessage *message;
	GstBus *bus;
	bool written;

	if (!pipeline)
		return false;
	bus = gst_element_get_bus(pipeline);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	message = gst_bus_timed_pop_filtered(bus, 5 * GST_SECOND,
					     GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
	written = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
	if (message)
		gst_message_unref(message);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(bus);
	gst_object_unref(pipeline);
	return written;
}

Test(player, plays_any_format_that_gstreamer_decodes)
{
	unsigned played = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *path = in_dir(formats[i].name);
		struct tl_prompt *prompt;

		if (!write_format(path, formats[i].encode))
			continue;
		prompt = load(path, "PCMA");
		expect_playing(prompt, formats[i].name);
		cr_expect_geq(tl_prompt_packets(prompt), 49, "%s", formats[i].name);
		cr_expect_gt(alaw_snr_db(prompt), 20, "%s: %.1f dB", formats[i].name,
			     alaw_snr_db(prompt));
		tl_prompt_unref(prompt);
		played++;
	}
	cr_expect_geq(played, 2);
}

static const struct {
	const char *codec;
	unsigned pcm_rate_hz; /* of a 48 kHz file */
	uint32_t rtp_duration;
} codecs[] = {
	{ "PCMA", 8000, 160 },
	{ "PCMU", 8000, 160 },
	{ "G722", 16000, 160 },
	{ "opus", 48000, 960 },
};

Test(player, encodes_for_each_codec_at_the_rate_it_carries)
{
	g_autofree char *path = write_tone("wide.wav", 48000, 1, 1000);

	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_prompt *prompt = load(path, codecs[i].codec);
		struct tl_prompt_packet packet;
		unsigned rate_hz;

		expect_playing(prompt, codecs[i].codec);
		rate_hz = tl_prompt_pcm_rate_hz(prompt);
		cr_expect_eq(rate_hz, codecs[i].pcm_rate_hz, "%s", codecs[i].codec);
		cr_expect_eq(tl_prompt_packets(prompt), 50, "%s", codecs[i].codec);
		tl_prompt_packet(prompt, 25, &packet);
		cr_expect_eq(packet.rtp_duration, codecs[i].rtp_duration, "%s", codecs[i].codec);
		cr_expect_gt(packet.bytes, 0);
		cr_assert_eq(packet.pcm_samples, rate_hz / 50, "%s", codecs[i].codec);
		cr_expect_gt(tone_snr_db(packet.pcm, packet.pcm_samples, rate_hz), 5,
			     "a recorder hears the tone too");
		tl_prompt_unref(prompt);
	}
}

Test(player, does_not_widen_what_a_narrow_file_holds)
{
	g_autofree char *path = write_tone("narrow.wav", 8000, 1, 100);
	struct tl_prompt *prompt = load(path, "opus");

	expect_playing(prompt, "opus");
	cr_expect_eq(tl_prompt_pcm_rate_hz(prompt), 8000);
	tl_prompt_unref(prompt);
}

Test(player, plays_a_list_as_one)
{
	g_autofree char *first = write_tone("first.wav", 8000, 1, 500);
	g_autofree char *second = write_tone("second.wav", 16000, 1, 510);
	const char *const list[] = { first, second, first };
	struct tl_prompt *prompt = load_list(list, 3, "PCMA");

	expect_playing(prompt, "list");
	cr_expect_eq(tl_prompt_packets(prompt), (500 + 510 + 500 + 10) / PTIME_MS,
		     "no gap between files, the last packet filled up");
	tl_prompt_unref(prompt);
}

static const uint8_t *first_payload(const struct tl_prompt *prompt)
{
	struct tl_prompt_packet packet;

	tl_prompt_packet(prompt, 0, &packet);
	return packet.payload;
}

Test(player, shares_one_encoding_among_all_who_hear_it)
{
	g_autofree char *path = write_tone("shared.wav", 8000, 1, 500);
	struct tl_prompt *a = load(path, "PCMA"), *b = load(path, "PCMA");
	struct tl_prompt *other = load(path, "PCMU");

	cr_expect_eq(first_payload(a), first_payload(b));
	cr_expect_neq(first_payload(a), first_payload(other));
	tl_prompt_unref(a);
	tl_prompt_unref(b);
	tl_prompt_unref(other);
}

Test(player, reads_a_file_that_changed_again_while_the_old_one_plays_on)
{
	g_autofree char *path = write_tone("news.wav", 8000, 1, 1000);
	struct tl_prompt *old = load(path, "PCMA"), *fresh;

	g_free(write_tone("news.wav", 8000, 1, 700));
	fresh = load(path, "PCMA");
	cr_expect_eq(tl_prompt_packets(fresh), 35);
	cr_expect_eq(tl_prompt_packets(old), 50);
	cr_expect_gt(alaw_snr_db(old), 30);
	tl_prompt_unref(old);
	tl_prompt_unref(fresh);
}

Test(player, finds_a_file_that_was_missing_before)
{
	g_autofree char *path = in_dir("later.wav");
	struct tl_prompt *before = load(path, "PCMA"), *after;

	cr_expect_eq(tl_prompt_state(before), TL_PROMPT_FAILED);
	g_free(write_tone("later.wav", 8000, 1, 100));
	after = load(path, "PCMA");
	expect_playing(after, "now it is there");
	tl_prompt_unref(before);
	tl_prompt_unref(after);
}

static void expect_failure(const char *path, const char *error)
{
	struct tl_prompt *prompt = load(path, "PCMA");

	cr_expect_eq(tl_prompt_state(prompt), TL_PROMPT_FAILED, "%s", path);
	cr_expect_eq(tl_prompt_packets(prompt), 0);
	cr_assert_not_null(tl_prompt_error(prompt));
	cr_expect(strstr(tl_prompt_error(prompt), path), "names the file: %s",
		  tl_prompt_error(prompt));
	cr_expect(strstr(tl_prompt_error(prompt), error), "%s: wanted \"%s\"",
		  tl_prompt_error(prompt), error);
	tl_prompt_unref(prompt);
}

Test(player, says_what_is_wrong_with_a_file)
{
	g_autofree char *missing = in_dir("missing.wav"), *text = in_dir("text.wav");
	g_autofree char *empty = in_dir("empty.wav"), *pipe_ = in_dir("pipe.wav");
	g_autofree char *mute = write_tone("mute.wav", 8000, 1, 0);

	g_file_set_contents(text, "Good day, and welcome.\n", -1, NULL);
	g_file_set_contents(empty, "", 0, NULL);
	cr_assert_eq(mkfifo(pipe_, 0600), 0);
	expect_failure(missing, "No such file");
	expect_failure(dir, "not a regular file");
	expect_failure(pipe_, "not a regular file");
	expect_failure(text, "not decodable");
	expect_failure(empty, "");
	expect_failure(mute, "");
}

Test(player, survives_random_bytes_behind_a_true_head)
{
	g_autofree char *path = in_dir("noise.wav");
	uint8_t bytes[4096];
	GRand *random = g_rand_new_with_seed(1);

	for (unsigned round = 0; round < 8; round++) {
		const char *file = path;
		struct tl_prompt *prompt;

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)g_rand_int(random);
		if (round % 2)
			tl_wav_head(bytes, 8000, 1, UINT32_MAX - 100);
		else
			memcpy(bytes, "fLaC\0\0\0\x22", 8);
		cr_assert(g_file_set_contents(path, (char *)bytes, sizeof bytes, NULL));
		prompt = load_list(&file, 1, "PCMA");
		if (tl_prompt_state(prompt) == TL_PROMPT_FAILED)
			cr_expect_not_null(tl_prompt_error(prompt));
		tl_prompt_unref(prompt);
	}
	g_rand_free(random);
}

Test(player, plays_the_rest_of_a_list_and_remembers_the_error)
{
	g_autofree char *missing = in_dir("missing.wav");
	g_autofree char *good = write_tone("good.wav", 8000, 1, 200);
	const char *const list[] = { missing, good };
	struct tl_prompt *prompt = load_list(list, 2, "PCMA");

	cr_expect_eq(tl_prompt_state(prompt), TL_PROMPT_READY);
	cr_expect_eq(tl_prompt_packets(prompt), 10);
	cr_assert_not_null(tl_prompt_error(prompt));
	cr_expect(strstr(tl_prompt_error(prompt), missing));
	tl_prompt_unref(prompt);
}

Test(player, fails_an_empty_list)
{
	struct tl_prompt *prompt = load_list(NULL, 0, "PCMA");

	cr_expect_eq(tl_prompt_state(prompt), TL_PROMPT_FAILED);
	cr_expect_not_null(tl_prompt_error(prompt));
	tl_prompt_unref(prompt);
}

static void wait_for_gate(void *user)
{
	g_mutex_lock(user);
	g_mutex_unlock(user);
}

Test(player, never_waits_for_the_disk)
{
	g_autofree char *path = write_tone("slow.wav", 8000, 1, 100);
	struct tl_format format = { .codec = tl_codec_by_name("PCMA") };
	const char *file = path;
	struct tl_prompt *early, *prompt;
	GMutex gate = { 0 };

	g_mutex_lock(&gate);
	tl_storage_post(storage, wait_for_gate, &gate);
	early = tl_prompts_get(prompts, &file, 1, &format, PTIME_MS, COMPLEXITY);
	cr_expect_eq(tl_prompt_state(early), TL_PROMPT_LOADING);
	while ((prompt = tl_prompts_get(prompts, &file, 1, &format, PTIME_MS, COMPLEXITY)))
		tl_prompt_unref(prompt); /* not heard to its end: the order is run all the same */
	g_mutex_unlock(&gate);
	tl_storage_free(storage);
	storage = NULL;
	expect_playing(early, "in the end");
	tl_prompt_unref(early);
}

static unsigned count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n - 2;
}

Test(player, leaves_no_thread_behind)
{
	g_autofree char *path = write_tone("threads.wav", 44100, 2, 500);
	unsigned before = count_threads();
	int64_t give_up_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

	tl_prompt_unref(load(path, "PCMA"));
	/* GLib's pool lets a thread that has ended its work linger for half a second. */
	while (count_threads() > before && g_get_monotonic_time() < give_up_us)
		g_usleep(10000);
	cr_expect_leq(count_threads(), before);
}

static void count_drop(void *value)
{
	++*(unsigned *)value;
}

Test(player_cache, drops_what_was_used_least_recently)
{
	struct tl_cache *cache = tl_cache_new(3000);
	unsigned dropped[4] = { 0 };

	tl_cache_put(cache, "a", &dropped[0], 900, count_drop);
	tl_cache_put(cache, "b", &dropped[1], 900, count_drop);
	cr_expect_eq(tl_cache_get(cache, "a"), &dropped[0]);
	tl_cache_put(cache, "c", &dropped[2], 900, count_drop);
	tl_cache_put(cache, "d", &dropped[3], 900, count_drop);
	cr_expect_null(tl_cache_get(cache, "b"));
	cr_expect_eq(dropped[1], 1);
	cr_expect_not_null(tl_cache_get(cache, "a"));
	tl_cache_put(cache, "a", &dropped[0], 900, count_drop);
	cr_expect_eq(dropped[0], 1, "the old one makes room for the new one");
	tl_cache_put(cache, "huge", &dropped[3], 5000, count_drop);
	cr_expect_not_null(tl_cache_get(cache, "huge"), "one value is kept, however large");
	tl_cache_free(cache);
	cr_expect_eq(dropped[0] + dropped[1] + dropped[2] + dropped[3], 6);
}
