/* An announcement that hundreds hear at once. */
#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "media/file/player.h"
#include "media/file/wav.h"
#include "media/plan/codec.h"

enum { CALLERS = 500, RATE_HZ = 8000, SECONDS = 2, PTIME_MS = 20, COMPLEXITY = 1 };

static void write_sound(const char *path)
{
	g_autoptr(GByteArray) file = g_byte_array_new();
	uint8_t head[TL_WAV_HEAD_BYTES];

	tl_wav_head(head, RATE_HZ, 1, RATE_HZ * SECONDS * TL_WAV_SAMPLE_BYTES);
	g_byte_array_append(file, head, sizeof head);
	for (size_t i = 0; i < RATE_HZ * SECONDS; i++) {
		int16_t sample = (int16_t)(i % 40 * 300 - 6000);

		g_byte_array_append(file, (uint8_t *)&sample, sizeof sample);
	}
	cr_assert(g_file_set_contents(path, (char *)file->data, file->len, NULL));
}

static void wait_for(struct tl_prompt *prompt)
{
	while (tl_prompt_state(prompt) == TL_PROMPT_LOADING)
		g_usleep(1000);
	cr_assert_eq(tl_prompt_state(prompt), TL_PROMPT_READY, "%s", tl_prompt_error(prompt));
}

static const uint8_t *payload_of(const struct tl_prompt *prompt)
{
	struct tl_prompt_packet packet;

	tl_prompt_packet(prompt, tl_prompt_packets(prompt) / 2, &packet);
	return packet.payload;
}

/* Times that the file was opened to be read. */
static unsigned count_readings(int watch)
{
	char events[4096] __attribute__((aligned(8)));
	unsigned n = 0;

	for (ssize_t got; (got = read(watch, events, sizeof events)) > 0;)
		for (ssize_t at = 0; at < got; n++)
			at += (ssize_t)sizeof(struct inotify_event) +
			      ((struct inotify_event *)(void *)(events + at))->len;
	return n;
}

Test(player_crowd, one_decoding_and_one_encoding_a_codec_serve_five_hundred)
{
	static const char *const codecs[] = { "PCMA", "PCMU", "G722", "opus" };
	g_autofree char *dir = g_dir_make_tmp("tl-crowd-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "welcome.wav", NULL);
	const char *paths[] = { path };
	struct tl_prompt *heard[CALLERS];
	struct tl_storage *storage;
	struct tl_prompts *prompts;
	int watch = inotify_init1(IN_NONBLOCK);

	gst_init(NULL, NULL);
	cr_assert_eq(tl_codec_init(), 0);
	write_sound(path);
	cr_assert_geq(inotify_add_watch(watch, path, IN_OPEN), 0);
	cr_assert_eq(tl_storage_new(&storage), 0);
	cr_assert_eq(tl_prompts_new(storage, &prompts), 0);
	for (size_t i = 0; i < CALLERS; i++) {
		struct tl_format format = {
			.codec = tl_codec_by_name(codecs[i % G_N_ELEMENTS(codecs)]),
		};

		heard[i] = tl_prompts_get(prompts, paths, 1, &format, PTIME_MS, COMPLEXITY);
		cr_assert_not_null(heard[i]);
	}
	for (size_t i = 0; i < CALLERS; i++) {
		wait_for(heard[i]);
		cr_expect_eq(payload_of(heard[i]), payload_of(heard[i % G_N_ELEMENTS(codecs)]),
			     "caller %zu has an encoding of his own", i);
	}
	for (size_t i = 1; i < G_N_ELEMENTS(codecs); i++)
		cr_expect_neq(payload_of(heard[i]), payload_of(heard[i - 1]));
	cr_expect_eq(count_readings(watch), 1, "the file is read again");
	for (size_t i = 0; i < CALLERS; i++)
		tl_prompt_unref(heard[i]);
	tl_storage_free(storage);
	tl_prompts_free(prompts);
	close(watch);
	g_remove(path);
	g_rmdir(dir);
}
