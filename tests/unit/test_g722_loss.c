/* What is left of a loss after it: in codecs that tell differences, those that came before. */
#include "tests/support/chain_line.h"

enum { EVERY = 12, WINDOW_MS = 20 };

/* The same packets, each EVERYth of them lost if losing. */
static struct signal *hear(const struct packets *from, const struct tl_format *format,
			   unsigned rate_hz, bool losing)
{
	struct signal *heard = g_new0(struct signal, 1);
	struct tl_chain *chain = listening_chain(format, rate_hz, heard);

	for (size_t i = 0; i < from->n; i++) {
		if (losing && i % EVERY == EVERY - 2)
			tl_chain_conceal(chain, 20);
		else
			tl_chain_push(chain, from->list[i].v, from->list[i].bytes);
	}
	tl_chain_free(chain);
	return heard;
}

/* dB of what a whole stream sounds like to what the holed one does differently, in the packets
 * right after a loss, or later ones. */
static double snr_after(const struct signal *whole, const struct signal *holed, size_t later)
{
	size_t frame = whole->rate_hz / 1000 * WINDOW_MS;
	double signal = 1, noise = 1;

	for (size_t p = EVERY - 1 + later; (p + 1) * frame <= MIN(whole->n, holed->n); p += EVERY) {
		for (size_t i = p * frame; i < (p + 1) * frame; i++) {
			double off = whole->v[i] - holed->v[i];

			signal += (double)whole->v[i] * whole->v[i];
			noise += off * off;
		}
	}
	return 10 * log10(signal / noise);
}

/* In the packet right after a loss, and the next: what the decoder had by itself was 5.8 and 8.6 dB
 * at 8000 Hz, 5.4 and 7.8 at 16000. */
Test(g722_loss, goes_on_where_the_concealment_ends, .init = setup)
{
	static const struct {
		unsigned rate_hz;
		double first_db, second_db;
	} rows[] = { { 8000, 8.5, 13 }, { 16000, 7, 11 } };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct tl_format format = format_of("G722");
		unsigned hz = rows[i].rate_hz;
		g_autofree struct signal *said = voice(hz);
		g_autofree struct packets *came = encode(said, &format, 20);
		g_autofree struct signal *whole = hear(came, &format, hz, false);
		g_autofree struct signal *holed = hear(came, &format, hz, true);

		cr_expect_geq(snr_after(whole, holed, 0), rows[i].first_db, "%u Hz: %.1f dB", hz,
			      snr_after(whole, holed, 0));
		cr_expect_geq(snr_after(whole, holed, 1), rows[i].second_db, "%u Hz: %.1f dB", hz,
			      snr_after(whole, holed, 1));
	}
}
