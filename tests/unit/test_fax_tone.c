/* Fax tones as fax machines make them, and what is none. */
#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>
#include <spandsp.h>
#include <string.h>

#include "media/fax/fax_tone.h"

enum { FRAME = 160, SECOND = 50 };

/* When each kind was first heard, in frames; -1: never. */
struct heard {
	int at[_TL_FAX_TONE_MAX];
};

static void attend(struct tl_fax_ear *ear, const int16_t *pcm, int frame, struct heard *heard)
{
	unsigned tones = tl_fax_ear_hear(ear, pcm, FRAME);

	for (unsigned tone = 0; tone < _TL_FAX_TONE_MAX; tone++)
		if (tones & 1u << tone) {
			cr_expect_lt(heard->at[tone], 0, "told twice");
			heard->at[tone] = frame;
		}
}

/* A fax that nobody answers; what it says in ten seconds. */
static struct heard hear_fax(bool calling, bool flags)
{
	fax_state_t *fax = fax_init(NULL, calling);
	struct tl_fax_ear *ear = tl_fax_ear_new(flags);
	struct heard heard = { { -1, -1, -1 } };
	int16_t pcm[FRAME];

	fax_set_transmit_on_idle(fax, TRUE);
	for (int frame = 0; frame < 10 * SECOND; frame++) {
		int n = fax_tx(fax, pcm, FRAME);

		memset(pcm + n, 0, (size_t)(FRAME - n) * sizeof *pcm);
		/* as it is after A-law, and at a fifth of its level */
		for (int i = 0; i < FRAME; i++)
			pcm[i] = alaw_to_linear(linear_to_alaw((int16_t)(pcm[i] / 5)));
		attend(ear, pcm, frame, &heard);
		memset(pcm, 0, sizeof pcm);
		fax_rx(fax, pcm, FRAME);
	}
	tl_fax_ear_free(ear);
	fax_free(fax);
	return heard;
}

Test(fax_tone, a_calling_fax_is_heard_at_its_first_tone)
{
	for (int flags = 0; flags < 2; flags++) {
		struct heard heard = hear_fax(true, flags);
		int cng = heard.at[TL_FAX_TONE_CNG];

		cr_expect(cng >= 0 && cng < 2 * SECOND, "%d", cng);
		cr_expect_lt(heard.at[TL_FAX_TONE_CED], 0);
		cr_expect_lt(heard.at[TL_FAX_TONE_PREAMBLE], 0);
	}
}

Test(fax_tone, an_answering_fax_is_heard_by_tone_and_by_v21)
{
	struct heard heard = hear_fax(false, true), simply = hear_fax(false, false);
	int ced = heard.at[TL_FAX_TONE_CED], preamble = heard.at[TL_FAX_TONE_PREAMBLE];

	cr_expect(ced >= 0 && ced < 2 * SECOND, "%d", ced);
	cr_expect(preamble > ced && preamble < 5 * SECOND, "%d", preamble);
	cr_expect_lt(heard.at[TL_FAX_TONE_CNG], 0);
	ced = simply.at[TL_FAX_TONE_CED];
	cr_expect(ced >= 0 && ced < 2 * SECOND, "by the tone alone: %d", ced);
	cr_expect_lt(simply.at[TL_FAX_TONE_PREAMBLE], 0);
	cr_expect_lt(simply.at[TL_FAX_TONE_CNG], 0);
}

Test(fax_tone, the_tones_alone_are_listened_for_in_the_first_minute)
{
	struct tl_fax_ear *ear = tl_fax_ear_new(false);
	int16_t silence[FRAME] = { 0 };

	cr_expect_not(tl_fax_ear_is_done(NULL));
	for (int frame = 0; frame < 60 * SECOND; frame++) {
		cr_assert_not(tl_fax_ear_is_done(ear));
		tl_fax_ear_hear(ear, silence, FRAME);
	}
	cr_expect(tl_fax_ear_is_done(ear));
	tl_fax_ear_free(ear);
}

Test(fax_tone, nothing_else_is_one)
{
	static const double tones[][2] = { { 440, 0 },    { 425, 0 },    { 1004, 0 },
					   { 2000, 0 },   { 350, 440 },  { 697, 1209 },
					   { 941, 1477 }, { 770, 1633 }, { 1100, 1900 },
					   { 1200, 2100 } };
	GRand *rand = g_rand_new_with_seed(3);
	int16_t pcm[FRAME];

	for (size_t k = 0; k < 2 * (G_N_ELEMENTS(tones) + 1); k++) { /* the last: noise */
		size_t i = k / 2;
		struct tl_fax_ear *ear = tl_fax_ear_new(k % 2);
		struct heard heard = { { -1, -1, -1 } };

		for (int frame = 0; frame < 5 * SECOND; frame++) {
			for (int n = 0; n < FRAME; n++) {
				double t = 2 * M_PI * (frame * FRAME + n) / 8000;

				pcm[n] = i == G_N_ELEMENTS(tones)
						 ? (int16_t)g_rand_int_range(rand, -9000, 9000)
						 : (int16_t)(6000 * sin(tones[i][0] * t) +
							     6000 * sin(tones[i][1] * t));
			}
			attend(ear, pcm, frame, &heard);
		}
		for (int tone = 0; tone < _TL_FAX_TONE_MAX; tone++)
			cr_expect_lt(heard.at[tone], 0, "%g+%g Hz is taken for %d",
				     i < G_N_ELEMENTS(tones) ? tones[i][0] : 0,
				     i < G_N_ELEMENTS(tones) ? tones[i][1] : 0, tone);
		tl_fax_ear_free(ear);
	}
	g_rand_free(rand);
}
