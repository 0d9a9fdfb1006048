#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum {
	LOADING_POLL_US = 10000,
	LOADING_MAX_US = 3000000, /* a disk that hangs must not keep a caller waiting in silence */
	BEHIND_MAX_US = 200000,   /* later than this, it goes on from now instead of catching up */
};

static void stop(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;

	if (!player->order)
		return;
	tl_prompt_unref(player->prompt);
	tl_play_order_free(player->order);
	*player = (struct tl_flow_player) { 0 };
	tl_pack_pause(&end->out);
}

static void complain(struct tl_flow_end *end, const char *text)
{
	if (!end->player.complained)
		tl_flow_tell(end, TL_MEDIA_PLAY_FAILED, text);
	end->player.complained = true;
}

static void finish(struct tl_flow_end *end)
{
	stop(end);
	tl_flow_tell(end, TL_MEDIA_PLAYED, NULL);
}

/* Asks for the announcements in the encoding that the side now hears. */
static void load(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;
	struct tl_flow_pair *pair = end->pair;

	tl_prompt_unref(player->prompt);
	player->ptime_ms = end->plan->send_ptime_ms;
	player->asked_us = tl_flow_now(end);
	player->prompt =
		tl_prompts_get(pair->env->prompts, (const char *const *)player->order->paths,
			       player->order->n_paths, &end->plan->send_format, player->ptime_ms,
			       pair->cfg.opus_complexity);
	if (!player->prompt) {
		complain(end, "the storage thread is too busy");
		finish(end);
		return;
	}
	tl_flow_want(end, tl_flow_now(end) + LOADING_POLL_US);
}

void tl_flow_play(struct tl_flow_pair *pair, enum tl_side side, struct tl_play_order *order)
{
	struct tl_flow_end *end = &pair->ends[side];

	stop(end);
	tl_tape_finish(tl_flow_other(end)); /* what it said before is in the recording */
	end->player.order = order;
	if (!end->plan->open || end->plan->t38.on || !pair->env->prompts) {
		complain(end, "the side is not open");
		finish(end);
		return;
	}
	load(end);
}

void tl_flow_play_stop(struct tl_flow_pair *pair, enum tl_side side)
{
	stop(&pair->ends[side]);
}

void tl_flow_play_replan(struct tl_flow_end *end, const struct tl_side_plan *before)
{
	const struct tl_side_plan *plan = end->plan;
	struct tl_flow_player *player = &end->player;

	if (!player->order)
		return;
	if (!plan->open || plan->t38.on) {
		finish(end);
		return;
	}
	if (before->send_format.codec == plan->send_format.codec &&
	    before->send_ptime_ms == plan->send_ptime_ms &&
	    g_str_equal(before->send_format.fmtp, plan->send_format.fmtp))
		return;
	/* From where it was: packets have all the same length. */
	player->next = player->next * player->ptime_ms / MAX(plan->send_ptime_ms, 1u);
	load(end);
}

static void play_packet(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;
	unsigned clock_hz = end->plan->send_format.codec->clock_hz;
	struct tl_prompt_packet packet;

	tl_prompt_packet(player->prompt, player->next++, &packet);
	if (tl_dtmf_is_sending(&end->digits_out)) {
		if (!end->plan->tones)
			tl_pack_pause(&end->out);
	} else {
		tl_flow_send_audio(end, TL_FEEDER_PLAYER, packet.payload, packet.bytes,
				   packet.rtp_duration, NULL, 0);
	}
	tl_flow_hear(tl_flow_other(end), packet.pcm, packet.pcm_samples,
		     tl_prompt_pcm_rate_hz(player->prompt), player->next_us);
	player->next_us += tl_rtp_units_to_us(packet.rtp_duration, clock_hz);
}

TL_ASIDE static void play_due(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;
	size_t n = tl_prompt_packets(player->prompt);
	int64_t now_us = tl_flow_now(end);

	if (!player->begun || now_us - player->next_us > BEHIND_MAX_US) {
		player->begun = true;
		player->next_us = now_us;
	}
	while (player->next_us <= now_us) {
		if (player->next >= n && player->order->loop)
			player->next = 0;
		if (player->next >= n) {
			finish(end);
			return;
		}
		play_packet(end);
	}
	tl_flow_want(end, player->next_us);
}

/* Music may come later; for what ends, somebody waits. */
TL_ASIDE static void wait_for_storage(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;
	int64_t now_us = tl_flow_now(end);

	if (now_us - player->asked_us > LOADING_MAX_US) {
		complain(end, "the disk does not answer");
		if (!player->order->loop) {
			finish(end);
			return;
		}
	}
	tl_flow_want(end, now_us + LOADING_POLL_US);
}

TL_HOT(chain) void tl_flow_play_tick(struct tl_flow_end *end)
{
	struct tl_flow_player *player = &end->player;

	if (!player->order)
		return;
	switch (tl_prompt_state(player->prompt)) {
	case TL_PROMPT_LOADING:
		wait_for_storage(end);
		return;
	case TL_PROMPT_FAILED:
		complain(end, tl_prompt_error(player->prompt));
		finish(end);
		return;
	case TL_PROMPT_READY:
		if (tl_prompt_error(player->prompt))
			complain(end, tl_prompt_error(player->prompt));
		play_due(end);
		return;
	}
}
