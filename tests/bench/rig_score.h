#pragma once
/*
 * How much of a voice is left in another: aligned piece by piece, since a
 * jitter buffer stretches time, and compared where the first one talks.
 */
#include <stddef.h>
#include <stdint.h>

enum { RIG_HEARD_HZ = 8000 }; /* of both */

struct rig_voice {
	int16_t *pcm;
	size_t n, room;
};

struct rig_score {
	double lsd; /* dB between the spectra of talking frames, root mean square over bands */
	double snr; /* of the wave, segmental, dB; at most 35 */
};

struct rig_score rig_compare(const struct rig_voice *reference, const struct rig_voice *heard);
