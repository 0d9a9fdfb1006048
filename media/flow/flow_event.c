#include <glib.h>

#include "media/fetch.h"
#include "media/flow/flow_priv.h"

enum { SEGMENTS_AT_ONCE = 8 }; /* one of the slowest clock fills six of the fastest */

void tl_flow_tell_digit(struct tl_flow_end *end, char digit, unsigned duration_ms)
{
	struct tl_media_news news = { .id = end->pair->id,
				      .type = TL_MEDIA_DTMF,
				      .side = end->side,
				      .digit = digit,
				      .duration_ms = duration_ms };

	end->pair->env->on_news(&news, end->pair->env->user);
}

static unsigned duration_ms(const struct tl_flow_end *end, const struct tl_dtmf_report *report)
{
	return (unsigned)((uint64_t)report->duration * 1000 /
			  MAX(end->plan->event_clock_hz, 1000u));
}

static void tell(struct tl_flow_end *end, const struct tl_dtmf_report *report)
{
	struct tl_flow_end *to = tl_flow_target(end);
	char digit = tl_dtmf_digit(report->event);

	if (!digit)
		return; /* flash hook and the like are passed on only */
	if (to && to->plan->tones)
		tl_dtmf_release(&to->digits_out, duration_ms(end, report));
	tl_flow_tell_digit(end, digit, duration_ms(end, report));
}

/* A digit that came as an event goes out as a tone from now on. */
static void hold_tone(struct tl_flow_end *to, uint8_t event)
{
	if (tl_dtmf_digit(event) && tl_dtmf_hold(&to->digits_out, event) == 0)
		tl_flow_want(to, tl_flow_now(to));
}

/* Can digits go out here, as events that somebody else sends? */
static bool can_pass(const struct tl_flow_end *to)
{
	return to && to->plan->send && to->plan->event_send_pt >= 0 && !to->plan->tones &&
	       !tl_dtmf_is_sending(&to->digits_out);
}

/* The same length of time, on the other side's clock. */
static uint32_t convert(const struct tl_flow_end *from, const struct tl_flow_end *to,
			uint32_t duration)
{
	uint64_t units =
		(uint64_t)duration * to->plan->event_clock_hz / MAX(from->plan->event_clock_hz, 1u);

	return (uint32_t)MIN(units, UINT32_MAX);
}

static void send_event(struct tl_flow_end *to, struct tl_rtp *rtp, const struct tl_event *event)
{
	uint8_t payload[TL_EVENT_BYTES];

	rtp->pt = (uint8_t)to->plan->event_send_pt;
	rtp->ts = to->event_ts;
	tl_event_write(payload, event);
	tl_flow_send_small(to, rtp, payload, sizeof payload);
}

/*
 * An event that has lasted so long: RFC 4733 2.5.1.3
 *
 *   ts        t     ...  t     | t + 65535 ...
 *   duration  960   ...  65535 | 945 ...           the segment's last, one that goes on
 */
static void send_lasting(struct tl_flow_end *to, struct tl_rtp *rtp, struct tl_event event,
			 uint32_t lasted)
{
	struct tl_event full = { event.event, false, event.volume, TL_EVENT_SEGMENT };

	for (int i = 0; i < SEGMENTS_AT_ONCE && lasted > to->event_before + TL_EVENT_SEGMENT; i++) {
		send_event(to, rtp, &full);
		to->event_ts += TL_EVENT_SEGMENT;
		to->event_before += TL_EVENT_SEGMENT;
		tl_pack_insert(&to->out, rtp);
		rtp->marker = false;
	}
	lasted = lasted > to->event_before ? lasted - to->event_before : 0;
	event.duration = (uint16_t)MIN(lasted, (uint32_t)TL_EVENT_SEGMENT);
	to->event_duration = event.duration;
	send_event(to, rtp, &event);
}

static void begin_event(struct tl_flow_end *to, unsigned clock_hz)
{
	to->event_ts = tl_pack_clock(&to->out, clock_hz, tl_flow_now(to));
	to->event_before = 0;
}

/* Is the outgoing stream the incoming one with other numbers, also for events? */
static bool is_mapped(struct tl_flow_end *from, const struct tl_flow_end *to)
{
	return from->relayable && !to->player.order &&
	       from->plan->event_clock_hz == to->plan->event_clock_hz &&
	       to->plan->event_clock_hz == to->plan->send_format.codec->clock_hz;
}

/*
 * Passes one packet of an event on. The timestamp of the first stays that of
 * all, whatever the packets of audio around it have (RFC 4733 2.5.1.2).
 */
static void pass(struct tl_flow_end *from, struct tl_flow_end *to, const struct tl_packet *packet,
		 struct tl_event event, bool begins)
{
	unsigned clock_hz = to->plan->send_format.codec->clock_hz;
	int64_t now_us = tl_flow_now(to);
	struct tl_rtp rtp = { 0 };

	if (is_mapped(from, to)) { /* its segments, too */
		if (tl_pack_relay(&to->out, &packet->rtp, false, 0, clock_hz, now_us, &rtp) < 0)
			return;
		to->event_ts = rtp.ts;
		to->event_before = from->digits_in.before;
	} else {
		tl_pack_skip(&to->out, &packet->rtp); /* its number is replaced, not added */
		if (begins)
			begin_event(to, clock_hz);
		tl_pack_insert(&to->out, &rtp);
		if (to->out.feeder == TL_FEEDER_CHAIN)
			tl_pack_pause(&to->out);
	}
	rtp.marker = begins;
	to->event_out = event.event;
	to->event_open = !event.end;
	send_lasting(to, &rtp, event, convert(from, to, from->digits_in.before + event.duration));
}

/* The end of an event that was passed on has not come: it is made up. */
TL_ASIDE static void close_event(struct tl_flow_end *to)
{
	struct tl_event event = {
		.event = to->event_out, .end = true, .volume = 10, .duration = to->event_duration
	};

	if (!to->event_open)
		return;
	to->event_open = false;
	for (int i = 0; can_pass(to) && i < TL_EVENT_END_REPEATS; i++) {
		struct tl_rtp rtp = { 0 };

		tl_pack_insert(&to->out, &rtp);
		send_event(to, &rtp, &event);
	}
}

TL_ASIDE void tl_flow_event_input(struct tl_flow_end *end, struct tl_packet *packet)
{
	struct tl_flow_end *to = tl_flow_target(end);
	struct tl_dtmf_report report;
	struct tl_event event;
	enum tl_dtmf_news news = TL_DTMF_OLD;
	bool begins = false, ended = false;

	tl_ear_pass(end, packet->rtp.seq);
	if (tl_event_parse(tl_packet_payload(packet), packet->rtp.payload_bytes, &event) == 0 &&
	    tl_dtmf_receive(&end->digits_in, &event, packet->rtp.ts, packet->arrived_us, &news,
			    &begins, &report))
		ended = true;
	if (begins && end->plan->receive && to && to->plan->send && to->plan->tones)
		hold_tone(to, event.event);
	if (ended)
		tell(end, &report);
	if (end->digits_in.active)
		tl_flow_want(end, packet->arrived_us + 250000);
	if (news != TL_DTMF_OLD && end->plan->receive && can_pass(to))
		pass(end, to, packet, event, begins);
	else if (to)
		tl_pack_skip(&to->out, &packet->rtp);
	tl_pool_give(end->pair->env->pool, packet);
}

TL_ASIDE static void send_own(struct tl_flow_end *to)
{
	unsigned clock_hz = to->plan->send_format.codec->clock_hz;
	struct tl_dtmf_packet packet;
	int64_t due_us;

	while (tl_dtmf_take(&to->digits_out, to->plan->event_clock_hz, tl_flow_now(to), &packet,
			    &due_us)) {
		struct tl_rtp rtp = { .marker = packet.first };

		if (packet.first)
			begin_event(to, clock_hz);
		tl_pack_insert(&to->out, &rtp);
		tl_pack_pause(&to->out);
		send_lasting(to, &rtp, packet.event, packet.lasted);
	}
	tl_flow_want(to, due_us);
}

TL_HOT(chain) void tl_flow_event_tick(struct tl_flow_end *end)
{
	struct tl_flow_end *to = tl_flow_target(end);
	struct tl_dtmf_report report;

	if (tl_dtmf_expire(&end->digits_in, tl_flow_now(end), &report)) {
		tell(end, &report);
		if (to)
			close_event(to);
	}
	if (end->digits_in.active)
		tl_flow_want(end, end->digits_in.seen_us + 250000);
	tl_flow_tone_expire(end);
	if (!tl_dtmf_is_sending(&end->digits_out))
		return;
	if (end->plan->open && end->plan->tones)
		tl_flow_tone_tick(end);
	else if (end->plan->open && end->plan->event_send_pt >= 0)
		send_own(end);
	else
		end->digits_out = (struct tl_dtmf_tx) { 0 }; /* a plan took the means away */
}

void tl_flow_send_dtmf(struct tl_flow_pair *pair, enum tl_side side, char digit,
		       unsigned duration_ms)
{
	struct tl_flow_end *end = &pair->ends[side];
	int event = tl_dtmf_event(digit);

	if (event < 0 || (end->plan->event_send_pt < 0 && !end->plan->tones) ||
	    tl_dtmf_push(&end->digits_out, (uint8_t)event, duration_ms) < 0)
		return;
	tl_flow_want(end, tl_flow_now(end));
}
