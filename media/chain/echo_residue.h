#pragma once
/*
 * What an adaptive filter leaves of an echo is put under the noise of the line: the non-linear
 * processor of G.168 7.2.3. It closes while only the far side speaks and the filter has learnt,
 * opens at once when somebody speaks on the line, and puts noise as loud as the line's own in the
 * place of what it takes. Plain data; one thread. Private to media/chain/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tl_echo_residue {
	size_t hold_steps; /* steps that an echo may outlast what caused it */
	size_t active;     /* steps left in which there may be echo */
	size_t near;       /* steps left in which somebody is taken to speak on the line */
	float leak;        /* energy that the filter leaves, of what it takes */
	float echo;        /* energy, at its peak and fading */
	float noise;       /* mean square of the line at rest */
	float gain, hiss;  /* now; the noise filter's memory */
	uint32_t dice;
};

void tl_echo_residue_init(struct tl_echo_residue *residue, size_t hold_steps);
/* One step of 10 ms: heard and clean are what the filter got and gave; clean is changed. only: it
 * is learnt from, but not changed. */
void tl_echo_residue_step(struct tl_echo_residue *residue, const int16_t *sent,
			  const int16_t *heard, int16_t *clean, size_t n, bool only);
