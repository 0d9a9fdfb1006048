#pragma once
/*
 * G.711 by table: the elements are known by name (tlg711dec, tlg711enc,
 * tlg711map); the tables serve the chain, which needs the audio of a payload
 * that was mapped from one law to the other without decoding.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/plan/codec.h"

bool tl_g711_is(const struct tl_codec *codec);
void tl_g711_decode(const struct tl_codec *codec, const uint8_t *payload, size_t bytes,
		    int16_t *pcm);
