#include "media/fax/fax_tone.h"

#include <glib.h>

#include <spandsp.h>

#include "media/chain/modem_tones.h"

enum { TONES_ONLY_SAMPLES = 60 * TL_FAX_TONE_HZ }; /* a fax that calls gives up before that */

struct tl_fax_ear {
	bool flags;
	modem_connect_tones_rx_state_t *cng, *answer; /* flags */
	struct tl_modem_ear tones;                    /* or this */
	size_t heard;
	unsigned told, news; /* bits 1u << enum tl_fax_tone */
};

/* delay and level are of no use here. */
static void on_tone(void *user, int code, int level, int delay)
{
	struct tl_fax_ear *ear = user;

	switch (code) {
	case MODEM_CONNECT_TONES_FAX_CNG:
		ear->news |= 1u << TL_FAX_TONE_CNG;
		break;
	case MODEM_CONNECT_TONES_FAX_PREAMBLE:
		ear->news |= 1u << TL_FAX_TONE_PREAMBLE;
		break;
	case MODEM_CONNECT_TONES_ANS:
	case MODEM_CONNECT_TONES_ANS_PR:
	case MODEM_CONNECT_TONES_ANSAM:
	case MODEM_CONNECT_TONES_ANSAM_PR:
		ear->news |= 1u << TL_FAX_TONE_CED;
		break;
	default:
		break;
	}
}

struct tl_fax_ear *tl_fax_ear_new(bool flags)
{
	struct tl_fax_ear *ear = g_new0(struct tl_fax_ear, 1);

	ear->flags = flags;
	if (!flags) {
		tl_modem_ear_init(&ear->tones, TL_FAX_TONE_HZ);
		return ear;
	}
	ear->cng = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CNG, on_tone, ear);
	ear->answer = modem_connect_tones_rx_init(NULL, MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE,
						  on_tone, ear);
	return ear;
}

void tl_fax_ear_free(struct tl_fax_ear *ear)
{
	if (!ear)
		return;
	if (ear->cng)
		modem_connect_tones_rx_free(ear->cng);
	if (ear->answer)
		modem_connect_tones_rx_free(ear->answer);
	g_free(ear);
}

bool tl_fax_ear_is_done(const struct tl_fax_ear *ear)
{
	return ear && !ear->flags && ear->heard >= TONES_ONLY_SAMPLES;
}

static void hear_tones(struct tl_fax_ear *ear, const int16_t *pcm, size_t samples)
{
	enum tl_modem_tone tone = tl_modem_ear_hear(&ear->tones, pcm, samples);

	ear->heard += samples;
	if (tone == TL_MODEM_CALLING)
		ear->news |= 1u << TL_FAX_TONE_CNG;
	else if (tone != TL_MODEM_NONE)
		ear->news |= 1u << TL_FAX_TONE_CED;
}

unsigned tl_fax_ear_hear(struct tl_fax_ear *ear, const int16_t *pcm, size_t samples)
{
	unsigned news;

	if (!ear->flags)
		hear_tones(ear, pcm, samples);
	if (ear->cng)
		modem_connect_tones_rx(ear->cng, pcm, (int)samples);
	if (ear->answer)
		modem_connect_tones_rx(ear->answer, pcm, (int)samples);
	news = ear->news & ~ear->told;
	ear->told |= news;
	ear->news = 0;
	return news;
}
