#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

/*
 * What nobody but a recorder hears of a relayed call has time. It is put by as
 * it came, and decoded a fifth of a second at a time: jitter buffer, decoder and
 * recording are then in the processor's caches for ten packets, not for one.
 *
 *   | note | payload | note | payload | ...
 *
 * The clock is set back meanwhile to when each packet came, so that all that
 * follows is as if nothing had waited. Calls take turns within the period.
 */

enum {
	ROOM = 2560, /* a period of G.711, and some */
	PERIOD_US = 200000,
	TURNS = 20,
	TURN_US = PERIOD_US / TURNS,
	ALIGNMENT = 8,
	FETCHED = 192, /* a note and 20 ms of G.711 */
};

struct note {
	int64_t arrived_us;
	struct tl_rtp rtp;
};

static size_t room_of(size_t payload_bytes)
{
	return (sizeof(struct note) + payload_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int64_t next_turn_us(const struct tl_flow_end *end)
{
	int64_t shift_us = end->pair->id.slot % TURNS * (int64_t)TURN_US;

	return ((tl_flow_now(end) - shift_us) / PERIOD_US + 1) * PERIOD_US + shift_us;
}

static struct tl_packet *packet_of(struct tl_flow_end *end, const struct note *note)
{
	struct tl_packet *packet = tl_pool_take(end->pair->env->pool);

	packet->arrived_us = note->arrived_us;
	packet->rtp = note->rtp;
	packet->rtp.payload_at = 0;
	memcpy(packet->data, note + 1, note->rtp.payload_bytes);
	return packet;
}

/* Most are in order and in time: those go past the jitter buffer, which keeps their time. */
static void play_note(struct tl_flow_end *end, const struct note *note)
{
	if (tl_ear_hurry(end, &note->rtp, (const uint8_t *)(note + 1), note->arrived_us))
		return;
	tl_ear_tick(end);
	tl_ear_put(end, packet_of(end, note), tl_flow_format(end, note->rtp.pt));
	tl_ear_play_next(end);
}

static void play(struct tl_flow_end *end)
{
	struct tl_flow_env *env = end->pair->env;
	int64_t *wanted_us = &end->pair->due_us[end->side], due_us = *wanted_us;
	int64_t now_us = env->now_us;
	size_t used = end->tape.used;

	end->tape.used = 0; /* the ear may ask for the rest: it is on its way */
	for (size_t at = 0; at < used;) {
		const struct note *note = (const struct note *)(void *)(end->tape.bytes + at);

		env->now_us = note->arrived_us;
		play_note(end, note);
		at += room_of(note->rtp.payload_bytes);
	}
	env->now_us = now_us;
	tl_ear_tick(end);
	*wanted_us = due_us; /* what the ear wants has time, too */
}

void tl_tape_put(struct tl_flow_end *end, const struct tl_packet *packet)
{
	struct tl_tape *tape = &end->tape;
	size_t bytes = room_of(packet->rtp.payload_bytes);
	struct note *note;

	G_STATIC_ASSERT(ROOM >= sizeof *note + TL_PACKET_BYTES + ALIGNMENT);
	if (!tape->bytes)
		tape->bytes = g_malloc(ROOM);
	if (tape->used + bytes > ROOM)
		play(end);
	if (!tape->due_us)
		tape->due_us = next_turn_us(end);
	tl_flow_want(end, tape->due_us);
	note = (struct note *)(void *)(tape->bytes + tape->used);
	note->arrived_us = packet->arrived_us;
	note->rtp = packet->rtp;
	memcpy(note + 1, tl_packet_payload(packet), packet->rtp.payload_bytes);
	tape->used += bytes;
}

void tl_tape_tick(struct tl_flow_end *end)
{
	struct tl_tape *tape = &end->tape;

	if (tl_flow_now(end) >= tape->due_us) {
		play(end);
		tape->due_us = tl_ear_is_idle(end) ? 0 : next_turn_us(end);
	}
	if (tape->due_us)
		tl_flow_want(end, tape->due_us);
}

void tl_tape_finish(struct tl_flow_end *end)
{
	if (!end->tape.due_us)
		return;
	play(end);
	end->tape.due_us = 0;
	tl_flow_want(end, tl_flow_now(end)); /* the ear says when it is due */
}

void tl_tape_drop(struct tl_flow_end *end)
{
	g_free(end->tape.bytes);
	end->tape = (struct tl_tape) { 0 };
}

void tl_tape_fetch(const struct tl_flow_end *end)
{
	tl_fetch(end->tape.bytes + end->tape.used, FETCHED);
}
