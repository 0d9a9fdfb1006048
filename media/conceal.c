#include "media/conceal.h"

#include <glib.h>
#include <spandsp.h>

struct tl_conceal {
	plc_state_t plc;
};

struct tl_conceal *tl_conceal_new(void)
{
	struct tl_conceal *conceal = g_new0(struct tl_conceal, 1);

	plc_init(&conceal->plc);
	return conceal;
}

void tl_conceal_free(struct tl_conceal *conceal)
{
	g_free(conceal);
}

void tl_conceal_heard(struct tl_conceal *conceal, int16_t *pcm, size_t samples)
{
	plc_rx(&conceal->plc, pcm, (int)samples);
}

void tl_conceal_fill(struct tl_conceal *conceal, int16_t *pcm, size_t samples)
{
	plc_fillin(&conceal->plc, pcm, (int)samples);
}
