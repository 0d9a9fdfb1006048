#pragma once
/*
 * G.711 by table: the elements are known by name (tlg711dec, tlg711enc); the
 * tables serve the chain as well, which maps payloads from one law to the other
 * without decoding, and may need the audio of what it mapped afterwards.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/plan/codec.h"

bool tl_g711_is(const struct tl_codec *codec);
void tl_g711_decode(const struct tl_codec *codec, const uint8_t *payload, size_t bytes,
		    int16_t *pcm);
/* The same audio in the other law. codec: of payload. */
void tl_g711_map(const struct tl_codec *codec, const uint8_t *restrict payload, size_t bytes,
		 uint8_t *restrict out);
