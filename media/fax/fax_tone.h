#pragma once
/*
 * The tones by which a fax or another modem begins (ITU-T T.30 4, V.8), heard in
 * 8000 Hz audio, each kind told once. One worker thread; allocates at creation
 * only. Private to media/.
 *
 *   caller    CNG 1100 Hz, half a second in every three and a half
 *   answerer  CED 2100 Hz for three seconds (a data modem's is the same), then
 *             flags of V.21 at 300 bit/s, as before every frame: only a fax has those
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/session.h"

enum { TL_FAX_TONE_HZ = 8000 };

struct tl_fax_ear;

/* flags: all kinds, over spandsp, for 5 us of each 20 ms; else the two tones, for 0.3 us, and only
 * in the first minute. */
struct tl_fax_ear *tl_fax_ear_new(bool flags);
void tl_fax_ear_free(struct tl_fax_ear *ear); /* NULL ok */
/* Nothing more will be heard. NULL: false. */
bool tl_fax_ear_is_done(const struct tl_fax_ear *ear);
/* The kinds that have begun within pcm: bits 1u << enum tl_fax_tone. */
unsigned tl_fax_ear_hear(struct tl_fax_ear *ear, const int16_t *pcm, size_t samples);
