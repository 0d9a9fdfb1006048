#include "media/fax/fax_tone.h"

#include <glib.h>

#include <spandsp.h>

struct tl_fax_ear {
	modem_connect_tones_rx_state_t *cng, *answer;
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

struct tl_fax_ear *tl_fax_ear_new(void)
{
	struct tl_fax_ear *ear = g_new0(struct tl_fax_ear, 1);

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

unsigned tl_fax_ear_hear(struct tl_fax_ear *ear, const int16_t *pcm, size_t samples)
{
	unsigned news;

	if (ear->cng)
		modem_connect_tones_rx(ear->cng, pcm, (int)samples);
	if (ear->answer)
		modem_connect_tones_rx(ear->answer, pcm, (int)samples);
	news = ear->news & ~ear->told;
	ear->told |= news;
	ear->news = 0;
	return news;
}
