#pragma once
/*
 * The libraries of AMR behind one shape: frames of 20 ms as in files (RFC 4867
 * 5.3). Which are there was decided when this was built. Private to media/.
 */
#include "media/elements/element.h"

struct tl_amr_library {
	size_t samples; /* a frame */
	void *(*open_decoder)(void);
	void (*close_decoder)(void *state);
	void (*decode)(void *state, const uint8_t *frame, int16_t *pcm);
	void *(*open_encoder)(bool silence); /* leaves silence out */
	void (*close_encoder)(void *state);
	int (*encode)(void *state, unsigned mode, const int16_t *pcm, uint8_t *frame);
};

/* amr_library.c; NULL members: not built in */
extern const struct tl_amr_library tl_amr_narrow, tl_amr_wide;
