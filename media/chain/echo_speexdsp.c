#include <speex/speex_echo.h>

#include "media/chain/echo_filter.h"

static void *open_speexdsp(unsigned rate_hz, size_t step, size_t tail)
{
	SpeexEchoState *state = speex_echo_state_init((int)step, (int)tail);
	spx_int32_t hz = (spx_int32_t)rate_hz;

	if (state)
		speex_echo_ctl(state, SPEEX_ECHO_SET_SAMPLING_RATE, &hz);
	return state;
}

static void close_speexdsp(void *state)
{
	speex_echo_state_destroy(state);
}

static void forget_speexdsp(void *state)
{
	speex_echo_state_reset(state);
}

static void run_speexdsp(void *state, const int16_t *sent, const int16_t *heard, int16_t *clean)
{
	speex_echo_cancellation(state, heard, sent, clean);
}

const struct tl_echo_filter tl_echo_speexdsp = {
	.name = "speexdsp",
	.open = open_speexdsp,
	.close = close_speexdsp,
	.forget = forget_speexdsp,
	.run = run_speexdsp,
};
