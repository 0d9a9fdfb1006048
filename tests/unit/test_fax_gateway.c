/*
 * A fax machine on audio and one that speaks T.38, with the gateway and its
 * UDPTL between them, offline: pages go through, whoever sends, with error
 * correction and without, over a net that loses packets.
 *
 *   fax modem <-- PCM --> gateway <-- IFP --> UDPTL <-- net --> UDPTL <-- IFP --> terminal
 */
#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <spandsp.h>

#include "media/fax/fax_gateway.h"
#include "media/fax/udptl.h"
#include "tests/support/fax_page.h"

enum {
	FRAME = 160,
	FRAMES_MAX = 50 * 120, /* of a page */
	DELAY_FRAMES = 4,      /* of the net, each way */
	ROWS = 300,
	ROWS_OF_MANY = 200,
	WIRE = 64,
};

struct wire { /* one way: datagrams and when they arrive */
	struct {
		unsigned at;
		size_t bytes;
		uint8_t data[TL_UDPTL_BYTES];
	} v[WIRE];
	unsigned head, tail;
};

struct world {
	unsigned now; /* frames */
	double loss;
	GRand *rand;
	unsigned n_lost;
	struct tl_t38 agreed;

	fax_state_t *fax;
	struct tl_fax_gateway *gateway;
	struct tl_udptl *gateway_udptl, *terminal_udptl;
	struct wire to_terminal, to_gateway;
	t38_terminal_state_t *terminal;
	uint16_t terminal_seq;
	int fax_result, terminal_result; /* -1: not ended */
};

static void send_over(struct world *w, struct wire *wire, const uint8_t *data, size_t bytes)
{
	if (g_rand_double(w->rand) < w->loss) {
		w->n_lost++;
		return;
	}
	cr_assert_lt(wire->head - wire->tail, WIRE);
	wire->v[wire->head % WIRE].at = w->now + DELAY_FRAMES;
	wire->v[wire->head % WIRE].bytes = bytes;
	memcpy(wire->v[wire->head++ % WIRE].data, data, bytes);
}

static void send_ifp(struct world *w, struct tl_udptl *udptl, struct wire *wire, const uint8_t *ifp,
		     size_t bytes, unsigned copies)
{
	uint8_t data[TL_UDPTL_BYTES];
	size_t n = tl_udptl_write(udptl, ifp, bytes, data);

	for (unsigned i = 0; i < copies; i++)
		send_over(w, wire, data, n);
}

static void on_gateway_ifp(const uint8_t *ifp, size_t bytes, unsigned copies, void *user)
{
	struct world *w = user;

	send_ifp(w, w->gateway_udptl, &w->to_terminal, ifp, bytes, copies);
}

static int on_terminal_ifp(t38_core_state_t *core, void *user, const uint8_t *ifp, int n, int count)
{
	struct world *w = user;

	send_ifp(w, w->terminal_udptl, &w->to_gateway, ifp, (size_t)n, (unsigned)count);
	return 0;
}

static void to_gateway(const uint8_t *ifp, size_t bytes, unsigned lost, void *user)
{
	tl_fax_gateway_take(((struct world *)user)->gateway, ifp, bytes, lost);
}

static void to_terminal(const uint8_t *ifp, size_t bytes, unsigned lost, void *user)
{
	struct world *w = user;

	w->terminal_seq = (uint16_t)(w->terminal_seq + lost);
	t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(w->terminal), ifp, (int)bytes,
			       w->terminal_seq++);
}

static void arrive(struct world *w, struct wire *wire, struct tl_udptl *udptl, tl_udptl_fn *on_ifp)
{
	for (; wire->tail != wire->head && wire->v[wire->tail % WIRE].at <= w->now; wire->tail++)
		cr_assert_geq(tl_udptl_read(udptl, wire->v[wire->tail % WIRE].data,
					    wire->v[wire->tail % WIRE].bytes, on_ifp, w),
			      0);
}

static void on_fax_end(t30_state_t *t30, void *user, int result)
{
	((struct world *)user)->fax_result = result;
}

static void on_terminal_end(t30_state_t *t30, void *user, int result)
{
	((struct world *)user)->terminal_result = result;
}

static void prepare(t30_state_t *t30, const char *sends, const char *receives, bool ecm)
{
	t30_set_supported_modems(t30, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
	t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION |
						    T30_SUPPORT_T4_2D_COMPRESSION |
						    (ecm ? T30_SUPPORT_T6_COMPRESSION : 0));
	t30_set_ecm_capability(t30, ecm);
	if (sends)
		t30_set_tx_file(t30, sends, -1, -1);
	else
		t30_set_rx_file(t30, receives, -1);
}

static void tick(struct world *w)
{
	int16_t said[FRAME] = { 0 }, heard[FRAME];
	int n = fax_tx(w->fax, said, FRAME);

	memset(said + n, 0, (size_t)(FRAME - n) * sizeof *said);
	tl_fax_gateway_rx(w->gateway, said, FRAME);
	tl_fax_gateway_tx(w->gateway, heard, FRAME);
	fax_rx(w->fax, heard, FRAME);
	t38_terminal_send_timeout(w->terminal, FRAME);
	arrive(w, &w->to_gateway, w->gateway_udptl, to_gateway);
	arrive(w, &w->to_terminal, w->terminal_udptl, to_terminal);
	w->now++;
}

struct row {
	const char *why;
	bool terminal_sends, ecm;
	double loss;
	enum tl_t38_recovery recovery;
};

static void open_world(struct world *w, const struct row *row, const char *sent, const char *came)
{
	t30_state_t *fax, *terminal;

	*w = (struct world) { .loss = row->loss, .fax_result = -1, .terminal_result = -1 };
	w->rand = g_rand_new_with_seed(7);
	w->agreed = tl_t38_ours();
	w->agreed.recovery = row->recovery;
	w->gateway_udptl = tl_udptl_new(&w->agreed);
	w->terminal_udptl = tl_udptl_new(&w->agreed);
	cr_assert_eq(tl_fax_gateway_new(&w->agreed, on_gateway_ifp, w, &w->gateway), 0);
	w->fax = fax_init(NULL, !row->terminal_sends);
	w->terminal = t38_terminal_init(NULL, row->terminal_sends, on_terminal_ifp, w);
	fax = fax_get_t30_state(w->fax);
	terminal = t38_terminal_get_t30_state(w->terminal);
	prepare(fax, row->terminal_sends ? NULL : sent, came, row->ecm);
	prepare(terminal, row->terminal_sends ? sent : NULL, came, row->ecm);
	t30_set_phase_e_handler(fax, on_fax_end, w);
	t30_set_phase_e_handler(terminal, on_terminal_end, w);
	fax_set_transmit_on_idle(w->fax, TRUE);
}

static void close_world(struct world *w)
{
	fax_free(w->fax);
	t38_terminal_free(w->terminal);
	tl_fax_gateway_free(w->gateway);
	tl_udptl_free(w->gateway_udptl);
	tl_udptl_free(w->terminal_udptl);
	g_rand_free(w->rand);
}

static void send_pages(const struct row *row, unsigned pages)
{
	g_autofree char *dir = g_dir_make_tmp("tl-fax-XXXXXX", NULL);
	g_autofree char *sent = g_build_filename(dir, "sent.tif", NULL);
	g_autofree char *came = g_build_filename(dir, "came.tif", NULL);
	struct world w;

	fax_page_write(sent, pages, pages > 1 ? ROWS_OF_MANY : ROWS, 1);
	open_world(&w, row, sent, came);
	while ((w.fax_result < 0 || w.terminal_result < 0) && w.now < FRAMES_MAX * pages)
		tick(&w);
	cr_expect_eq(w.fax_result, T30_ERR_OK, "%s: fax ends with %s", row->why,
		     t30_completion_code_to_str(w.fax_result));
	cr_expect_eq(w.terminal_result, T30_ERR_OK, "%s: terminal ends with %s", row->why,
		     t30_completion_code_to_str(w.terminal_result));
	cr_expect_eq(tl_fax_gateway_pages(w.gateway), pages, "%s: %u pages", row->why,
		     tl_fax_gateway_pages(w.gateway));
	cr_expect_eq(row->loss > 0, w.n_lost > 0, "%s: %u lost", row->why, w.n_lost);
	close_world(&w);
	for (unsigned page = 0; page < pages; page++)
		cr_expect(fax_page_same(sent, came, page), "%s: page %u is another one", row->why,
			  page);
	g_unlink(sent);
	g_unlink(came);
	g_rmdir(dir);
}

/* From the telephone network to the fax over IP, and the other way. */
static void send_both_ways(bool ecm, double loss, enum tl_t38_recovery recovery, unsigned pages)
{
	for (int terminal_sends = 0; terminal_sends < 2; terminal_sends++) {
		g_autofree char *why = g_strdup_printf(
			"%u pages, %s%s, %.0f %% lost%s", pages,
			terminal_sends ? "T.38 to audio" : "audio to T.38", ecm ? ", ECM" : "",
			loss * 100, recovery == TL_T38_RECOVERY_FEC ? ", parity" : "");
		const struct row row = { why, terminal_sends, ecm, loss, recovery };

		send_pages(&row, pages);
	}
}

Test(fax_gateway, pages_go_through_dot_by_dot)
{
	for (int ecm = 0; ecm < 2; ecm++) {
		send_both_ways(ecm, 0, TL_T38_RECOVERY_REDUNDANCY, 1);
		send_both_ways(ecm, .02, TL_T38_RECOVERY_REDUNDANCY, 1);
		send_both_ways(ecm, .02, TL_T38_RECOVERY_FEC, 1);
	}
}

/* Each ten minutes and more in real time. */
Test(fax_gateway, thirty_pages_go_through_with_correction)
{
	send_both_ways(true, .02, TL_T38_RECOVERY_REDUNDANCY, 30);
}

Test(fax_gateway, thirty_pages_go_through_without)
{
	send_both_ways(false, .02, TL_T38_RECOVERY_REDUNDANCY, 30);
}
