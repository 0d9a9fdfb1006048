/* Every packet time to every other, through every codec. */
#include "media/plan/plan_priv.h"
#include "tests/support/chain_line.h"

static const unsigned times_ms[] = { 10, 20, 30, 40, 50, 60 };
enum { TIMES = G_N_ELEMENTS(times_ms) };

static const struct {
	const char *name;
	double snr_db; /* of a tone, behind A-law or before it */
} codecs[] = {
	{ "PCMA", 30 },      { "PCMU", 30 },    { "G722", 30 },        { "opus", 12 },
	{ "GSM", 12 },       { "speex", 12 },   { "speex/16000", 12 }, { "L16", 30 },
	{ "L16/16000", 30 }, { "G726-32", 18 }, { "G726-40", 18 },     { "AAL2-G726-24", 12 },
	{ "G729", 12 },      { "iLBC", 12 },    { "AMR", 12 },         { "AMR-WB", 12 },
};

/* Would the plan ask for it? Not for parts of frames, nor for more than fits a packet. */
static bool can_be(const struct tl_format *format, unsigned ms)
{
	return tl_plan_ptime(format, ms, 0) == ms;
}

static void repack(const char *from, unsigned in_ms, const char *to, unsigned out_ms, double snr_db)
{
	const double hz = 700;
	struct tl_format in = format_of(from), out = format_of(to);
	g_autofree struct signal *said = tone(8000, hz), *heard = NULL;
	g_autofree struct packets *came = NULL, *went = NULL;
	size_t want;
	uint32_t units = out.codec->clock_hz / 1000 * out_ms;

	if (!can_be(&in, in_ms) || !can_be(&out, out_ms))
		return;
	came = encode(said, &in, in_ms);
	went = transcode(came, &in, &out, out_ms);
	heard = decode(went, &out, 8000);
	want = came->n * in_ms / out_ms;
	cr_expect_geq(went->n + 2, want, "%s %u -> %s %u", from, in_ms, to, out_ms);
	cr_expect_leq(went->n, want, "%s %u -> %s %u", from, in_ms, to, out_ms);
	for (size_t i = 0; i < went->n; i++)
		cr_expect_eq(tl_format_duration(&out, went->list[i].v, went->list[i].bytes), units,
			     "%s %u -> %s %u: packet %zu", from, in_ms, to, out_ms, i);
	cr_expect_geq(sine_snr(heard, hz), snr_db, "%s %u -> %s %u: %.1f dB", from, in_ms, to,
		      out_ms, sine_snr(heard, hz));
}

/* A third of the pairs of times each codec, into it or out of it: all of them in turn. */
Test(chain_ptime, every_time_to_every_other, .init = setup, .timeout = 120)
{
	for (size_t c = 0; c < G_N_ELEMENTS(codecs); c++) {
		for (size_t i = c % 3; i < (size_t)TIMES * TIMES; i += 3) {
			unsigned in_ms = times_ms[i / TIMES], out_ms = times_ms[i % TIMES];

			repack("PCMA", in_ms, codecs[c].name, out_ms, codecs[c].snr_db);
			repack(codecs[c].name, out_ms, "PCMA", in_ms, codecs[c].snr_db);
		}
	}
}

Test(chain_ptime, wide_codecs_and_long_packets, .init = setup)
{
	repack("opus", 20, "opus", 120, 12);
	repack("opus", 60, "G722", 10, 12);
	repack("L16/16000", 30, "G722", 20, 30);
	repack("AMR-WB", 60, "G722", 50, 12);
	repack("PCMA", 120, "PCMU", 10, 30);
}
