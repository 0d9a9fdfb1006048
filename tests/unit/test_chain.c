#include "media/chain/chain.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>

#include <criterion/criterion.h>
#include <glib.h>

#include "tests/support/chain_line.h"

/* What each codec keeps of the voice by itself, at the least. Opus at this bit rate, Speex and
 * the CELP coders match its spectrum rather than its wave: the figure only says that it is there.
 */
static const struct codec_case {
	const char *name;
	unsigned rate_hz;
	double snr_db;
} codecs[] = {
	{ "PCMA", 8000, 33 },    { "PCMU", 8000, 33 },         { "G722", 16000, 29 },
	{ "opus", 48000, 4 },    { "GSM", 8000, 14 },          { "speex", 8000, -4 },
	{ "L16", 8000, 80 },     { "speex/16000", 16000, 2 },  { "L16/16000", 16000, 80 },
	{ "G726-32", 8000, 18 }, { "G726-16", 8000, 4 },       { "G726-24", 8000, 11 },
	{ "G726-40", 8000, 19 }, { "AAL2-G726-32", 8000, 18 }, { "G729", 8000, -4 },
	{ "iLBC", 8000, -4 },    { "AMR", 8000, -4 },          { "AMR-WB", 16000, 6 },
};

Test(chain, every_codec_carries_voice, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format format = format_of(codecs[i].name);
		g_autofree struct signal *in = voice(codecs[i].rate_hz);
		g_autofree struct packets *packets = encode(in, &format, 20);
		g_autofree struct signal *out = decode(packets, &format, codecs[i].rate_hz);
		double db = snr(in, out);

		cr_expect_geq(packets->n, SECONDS * 50 - 2, "%s: %zu packets", codecs[i].name,
			      packets->n);
		cr_expect_eq(packets->duration, format.codec->clock_hz / 50);
		cr_expect_geq(db, codecs[i].snr_db, "%s: %.1f dB", codecs[i].name, db);
	}
}

Test(chain, every_pair_carries_a_tone, .init = setup, .timeout = 120)
{
	const double hz = 1004;
	g_autofree struct signal *said = tone(8000, hz);

	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format in = format_of(codecs[i].name);
		g_autofree struct packets *came = encode(said, &in, 20);

		for (size_t j = 0; j < G_N_ELEMENTS(codecs); j++) {
			struct tl_format out = format_of(codecs[j].name);
			g_autofree struct packets *went = transcode(came, &in, &out, 20);
			g_autofree struct signal *heard = decode(went, &out, 8000);
			double db = sine_snr(heard, hz);
			cr_expect_geq(went->n, SECONDS * 50 - 4, "%s -> %s", codecs[i].name,
				      codecs[j].name);
			cr_expect_geq(db, 12, "%s -> %s: %.1f dB", codecs[i].name, codecs[j].name,
				      db);
		}
	}
}

/* Packets of in through a chain to the other law, with a tap or without, in portions. */
static struct packets *transcode_tapped(const struct packets *from, const struct tl_format *in,
					const struct tl_format *out, tl_chain_pcm_fn *tap,
					unsigned tapped_every)
{
	struct packets *packets = g_new0(struct packets, 1);
	struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
		.in = in,
		.out = out,
		.out_ptime_ms = 20,
		.on_packet = keep_packet,
		.user = packets,
	});

	for (size_t i = 0; i < from->n; i++) {
		tl_chain_set_tap(chain, i % tapped_every ? NULL : tap);
		tl_chain_push(chain, from->list[i].v, from->list[i].bytes);
	}
	tl_chain_free(chain);
	return packets;
}

static void look(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	cr_expect_eq(samples, 160);
	cr_expect_eq(rate_hz, 8000);
}

static void silence(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	memset(pcm, 0, samples * sizeof *pcm);
}

Test(chain, a_tap_that_only_looks_changes_no_byte, .init = setup)
{
	struct tl_format in = format_of("PCMA"), out = format_of("PCMU");
	g_autofree struct signal *said = voice(8000);
	g_autofree struct packets *came = encode(said, &in, 20);
	g_autofree struct packets *untapped = transcode_tapped(came, &in, &out, NULL, 1);
	g_autofree struct packets *now_and_then = transcode_tapped(came, &in, &out, look, 3);

	cr_assert_eq(untapped->n, came->n);
	cr_assert_eq(now_and_then->n, came->n);
	for (size_t i = 0; i < came->n; i++)
		cr_expect_arr_eq(untapped->list[i].v, now_and_then->list[i].v, 160, "packet %zu",
				 i);
}

Test(chain, the_encoder_gets_what_the_tap_leaves, .init = setup)
{
	struct tl_format in = format_of("PCMA"), out = format_of("PCMU");
	g_autofree struct signal *said = voice(8000);
	g_autofree struct packets *came = encode(said, &in, 20);
	g_autofree struct packets *went = transcode_tapped(came, &in, &out, silence, 1);

	for (size_t i = 0; i < went->n; i++)
		cr_expect_eq(went->list[i].v[i % 160], 0xff, "mu-law zero");
}

/* Whatever comes: 0 or -EBADMSG, and the next good packet is decoded. */
Test(chain, garbage_is_refused_and_forgotten, .init = setup)
{
	g_autofree struct signal *said = tone(8000, 1000);
	uint8_t junk[2000];
	uint32_t seed = 1;

	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format in = format_of(codecs[i].name), out = format_of("PCMA");
		g_autofree struct packets *good = encode(said, &in, 20);
		g_autofree struct packets *went = g_new0(struct packets, 1);
		struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
			.in = &in,
			.out = &out,
			.out_ptime_ms = 100,
			.on_packet = keep_packet,
			.user = went,
		});

		for (size_t n = 0; n < sizeof junk; n += 1 + n / 20) {
			int r;

			for (size_t j = 0; j < n; j++)
				junk[j] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
			r = tl_chain_push(chain, junk, n);
			cr_expect(r == 0 || r == -EBADMSG, "%s: %d", codecs[i].name, r);
			went->n = 0;
		}
		cr_expect_eq(tl_chain_push(chain, junk, 0), -EBADMSG);
		cr_expect_eq(tl_chain_push(chain, junk, TL_PAYLOAD_MAX + 1), -EBADMSG);
		for (size_t j = 0; j < good->n; j++)
			cr_expect_eq(tl_chain_push(chain, good->list[j].v, good->list[j].bytes), 0,
				     "%s: packet %zu", codecs[i].name, j);
		tl_chain_free(chain);
		cr_expect_geq(went->n, SECONDS * 10 - 2, "%s", codecs[i].name);
	}
}

static unsigned count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n;
}

Test(chain, no_chain_has_a_thread, .init = setup)
{
	struct tl_chain *chains[G_N_ELEMENTS(codecs)][4];
	struct packets *went = g_new0(struct packets, 1);
	g_autofree struct signal *said = tone(8000, 1000);
	unsigned before = count_threads();

	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format in = format_of(codecs[i].name), out = format_of("opus");
		g_autofree struct packets *came = encode(said, &in, 20);

		for (size_t j = 0; j < G_N_ELEMENTS(chains[i]); j++) {
			chains[i][j] = chain_new(&(struct tl_chain_cfg) {
				.in = &in,
				.out = &out,
				.on_packet = keep_packet,
				.user = went,
			});
			cr_expect_eq(
				tl_chain_push(chains[i][j], came->list[0].v, came->list[0].bytes),
				0);
		}
	}
	cr_expect_eq(count_threads(), before);
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(chains[i]); j++)
			tl_chain_free(chains[i][j]);
	g_free(went);
}

/* Makes, uses and frees a chain of every codec. */
static void live_and_die(struct packets *came[], struct packets *went)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format in = format_of(codecs[i].name);
		struct tl_format out = format_of(codecs[(i + 1) % G_N_ELEMENTS(codecs)].name);
		struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
			.in = &in,
			.out = &out,
			.on_packet = keep_packet,
			.user = went,
		});

		tl_chain_push(chain, came[i]->list[0].v, came[i]->list[0].bytes);
		tl_chain_conceal(chain, 30);
		tl_chain_push(chain, (const uint8_t *)"junk", 4);
		tl_chain_free(chain);
		went->n = 0;
	}
}

/* By the allocator's own account (which says nothing under a sanitizer). */
Test(chain, nothing_is_left_of_chains_that_ended, .init = setup, .timeout = 60)
{
	struct packets *came[G_N_ELEMENTS(codecs)];
	g_autofree struct packets *went = g_new0(struct packets, 1);
	g_autofree struct signal *said = tone(8000, 1000);
	size_t before, after;

	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		struct tl_format format = format_of(codecs[i].name);

		came[i] = encode(said, &format, 20);
	}
	for (int i = 0; i < 20; i++)
		live_and_die(came, went);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100; i++)
		live_and_die(came, went);
	after = mallinfo2().uordblks;
	cr_expect_leq(after, before + 4096, "%zu bytes more", after - before);
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++)
		g_free(came[i]);
}

Test(chain, a_row_without_elements_makes_no_chain, .init = setup)
{
	struct tl_format in = format_of("G723"), out = format_of("PCMA");
	struct tl_chain *chain = NULL;
	struct packets packets;

	cr_expect_eq(tl_chain_new(&(struct tl_chain_cfg) { .in = &in,
							   .out = &out,
							   .on_packet = keep_packet,
							   .user = &packets },
				  &chain),
		     -ENOTSUP);
	cr_expect_null(chain);
}
