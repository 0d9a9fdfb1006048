/* What a chain makes of packets that never came. */
#include "media/chain/chain.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>
#include <glib.h>

#include "tests/support/chain_line.h"

/* What the far end hears when every 10th packet is lost and filled (or left out as silence). */
static double snr_with_losses(const struct tl_format *format, const struct packets *packets,
			      const struct signal *said, bool fill, bool recover)
{
	static const int16_t nothing[960];
	g_autofree struct signal *heard = g_new0(struct signal, 1);
	struct tl_chain *chain = listening_chain(format, 8000, heard);
	double db;

	for (size_t i = 0; i < packets->n; i++) {
		size_t next = MIN(i + 1, packets->n - 1);

		if (i % 10 != 5)
			tl_chain_push(chain, packets->list[i].v, packets->list[i].bytes);
		else if (!fill)
			keep_pcm((int16_t *)nothing, 160, 8000, true, heard);
		else if (recover)
			tl_chain_recover(chain, 20, packets->list[next].v,
					 packets->list[next].bytes);
		else
			tl_chain_conceal(chain, 20);
	}
	db = snr(said, heard);
	cr_expect_eq(heard->n, said->n, "%zu samples", heard->n);
	tl_chain_free(chain);
	return db;
}

Test(chain_loss, holes_are_filled_with_something_alike, .init = setup)
{
	static const char *const names[] = { "PCMA", "G722", "GSM", "G726-32", "L16" };
	g_autofree struct signal *said = voice(8000);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct tl_format format = format_of(names[i]);
		g_autofree struct packets *packets = encode(said, &format, 20);
		double silent = snr_with_losses(&format, packets, said, false, false);
		double filled = snr_with_losses(&format, packets, said, true, false);

		cr_expect_geq(filled, silent + 1, "%s: %.1f dB with silence, %.1f filled", names[i],
			      silent, filled);
	}
}

/* dB by which the second half of each hole differs in loudness from what was said there: mean. */
static double loudness_off(const struct tl_format *format, const struct signal *said)
{
	g_autofree struct packets *packets = encode(said, format, 20);
	g_autofree struct signal *whole = decode(packets, format, 8000);
	g_autofree struct signal *heard = g_new0(struct signal, 1);
	struct tl_chain *chain = listening_chain(format, 8000, heard);
	double off = 0;
	unsigned holes = 0;

	for (size_t i = 0; i < packets->n; i++)
		if (i % 10 == 5)
			tl_chain_conceal(chain, 20);
		else
			tl_chain_push(chain, packets->list[i].v, packets->list[i].bytes);
	tl_chain_free(chain);
	for (size_t i = 5; i < packets->n; i += 10, holes++) {
		double here = 1, there = 1;

		for (size_t k = i * 160 + 80; k < (i + 1) * 160; k++) {
			here += (double)heard->v[k] * heard->v[k];
			there += (double)whole->v[k] * whole->v[k];
		}
		off += fabs(10 * log10(here / there));
	}
	return off / holes;
}

/* G.729 and AMR fade at once, by their standards. */
Test(chain_loss, holes_are_as_loud_as_the_voice, .init = setup)
{
	static const char *const names[] = { "PCMA", "G722",  "opus",   "GSM",
					     "iLBC", "speex", "AMR-WB", "G726-32" };
	g_autofree struct signal *narrow = voice(8000), *wide = voice(16000);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct tl_format format = format_of(names[i]);
		double off = loudness_off(&format, format.codec->rate_hz > 8000 ? wide : narrow);

		cr_expect_leq(off, 4, "%s: %.1f dB", names[i], off);
	}
}

/* Opus's own: a lost packet is made up, or taken from the redundancy in the next one. */
Test(chain_loss, opus_recovers_a_packet_from_the_next, .init = setup)
{
	struct tl_format format = format_of("opus");
	g_autofree struct signal *said = voice(8000);
	g_autofree struct packets *packets = g_new0(struct packets, 1);
	struct tl_chain *chain;
	double silent, made_up, recovered;

	g_strlcpy(format.fmtp, "useinbandfec=1", sizeof format.fmtp);
	chain = chain_new(&(struct tl_chain_cfg) {
		.out = &format,
		.out_ptime_ms = 20,
		.rate_hz = 8000,
		.opus_complexity = 5,
		.on_packet = keep_packet,
		.user = packets,
	});
	tl_chain_set_loss(chain, 20);
	tl_chain_push_pcm(chain, said->v, said->n);
	tl_chain_free(chain);

	silent = snr_with_losses(&format, packets, said, false, false);
	made_up = snr_with_losses(&format, packets, said, true, false);
	recovered = snr_with_losses(&format, packets, said, true, true);
	cr_expect_gt(made_up, silent, "%.1f %.1f", made_up, silent);
	cr_expect_gt(recovered, made_up + 0.3, "%.1f %.1f", recovered, made_up);
}

/* A hole in a stream that goes by the G.711 table: the audio for it must come from before it. */
Test(chain_loss, a_hole_between_two_laws_is_filled_from_what_went_before, .init = setup)
{
	struct tl_format in = format_of("PCMA"), out = format_of("PCMU");
	g_autofree struct signal *said = tone(8000, 400);
	g_autofree struct packets *came = encode(said, &in, 20);
	g_autofree struct packets *went = g_new0(struct packets, 1);
	g_autofree struct signal *heard = NULL;
	struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
		.in = &in,
		.out = &out,
		.out_ptime_ms = 20,
		.on_packet = keep_packet,
		.user = went,
	});

	for (size_t i = 0; i < came->n; i++)
		if (i == 20)
			tl_chain_conceal(chain, 20);
		else
			tl_chain_push(chain, came->list[i].v, came->list[i].bytes);
	tl_chain_free(chain);
	cr_assert_eq(went->n, came->n);
	heard = decode(went, &out, 8000);
	for (size_t i = 20 * 160; i < 21 * 160; i++)
		cr_expect_lt(abs(heard->v[i] - said->v[i]), 3000, "sample %zu", i);
}

enum { HOLE_AT = 30, HOLE_PACKETS = 3, JOINT = 1 }; /* packets; the last: of those after the hole */

/* What is heard from JOINT packets after a hole of HOLE_PACKETS on, which the packets from next on
 * follow. */
static struct signal *heard_after(const struct tl_format *format, const struct packets *packets,
				  void (*fill)(struct tl_chain *chain), size_t next)
{
	unsigned hz = format->codec->rate_hz;
	struct signal *heard = g_new0(struct signal, 1);
	struct tl_chain *chain = listening_chain(format, hz, heard);
	size_t skipped;

	for (size_t i = 0; i < HOLE_AT; i++)
		tl_chain_push(chain, packets->list[i].v, packets->list[i].bytes);
	fill(chain);
	for (size_t i = next; i < packets->n; i++)
		tl_chain_push(chain, packets->list[i].v, packets->list[i].bytes);
	tl_chain_free(chain);
	skipped = (size_t)(HOLE_AT + HOLE_PACKETS + JOINT) * hz / 50;
	cr_assert_gt(heard->n, skipped);
	heard->n -= skipped;
	memmove(heard->v, heard->v + skipped, heard->n * sizeof heard->v[0]);
	return heard;
}

static double likeness_db(const struct signal *a, const struct signal *b)
{
	double energy = 1, error = 1;

	cr_assert_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		double off = (double)a->v[i] - b->v[i];

		energy += (double)a->v[i] * a->v[i];
		error += off * off;
	}
	return 10 * log10(energy / error);
}

static void wait_in_vain(struct tl_chain *chain)
{
	tl_chain_wait(chain, 20 * HOLE_PACKETS);
}

static void wait_and_lose(struct tl_chain *chain)
{
	wait_in_vain(chain);
	tl_chain_lose(chain);
}

static void conceal(struct tl_chain *chain)
{
	tl_chain_conceal(chain, 20 * HOLE_PACKETS);
}

static const char *const that_remember[] = { "speex", "speex/16000", "AMR", "G729" };

/* As the chain that heard all of it without a hole. */
Test(chain_loss, what_was_late_is_heard_as_it_was_said, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(that_remember); i++) {
		struct tl_format format = format_of(that_remember[i]);
		unsigned hz = format.codec->rate_hz;
		size_t before = (size_t)(HOLE_AT + JOINT) * hz / 50;
		g_autofree struct signal *said = voice(hz);
		g_autofree struct packets *packets = encode(said, &format, 20);
		g_autofree struct signal *whole = decode(packets, &format, hz);
		g_autofree struct signal *heard =
			heard_after(&format, packets, wait_in_vain, HOLE_AT);
		double db;

		whole->n -= before;
		memmove(whole->v, whole->v + before, whole->n * sizeof whole->v[0]);
		db = likeness_db(whole, heard);
		cr_expect_gt(db, 40, "%s: %.1f dB", that_remember[i], db);
	}
}

/* As after a hole that the decoder was told of at once. */
Test(chain_loss, what_was_waited_for_and_lost_is_as_a_loss, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(that_remember); i++) {
		struct tl_format format = format_of(that_remember[i]);
		g_autofree struct signal *said = voice(format.codec->rate_hz);
		g_autofree struct packets *packets = encode(said, &format, 20);
		size_t next = HOLE_AT + HOLE_PACKETS;
		g_autofree struct signal *told = heard_after(&format, packets, conceal, next);
		g_autofree struct signal *waited =
			heard_after(&format, packets, wait_and_lose, next);
		double db = likeness_db(told, waited);

		cr_expect_gt(db, 40, "%s: %.1f dB", that_remember[i], db);
	}
}
