#include "media/rtp/dtmf.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "media/cursor.h"
#include "media/rtp/rtp.h"

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     event     |E|R| volume    |          duration             |
 */
enum {
	END_BIT = 0x80,
	VOLUME_MASK = 0x3f,
	EXPIRE_US = 200000,
	REPEAT_US = 25000, /* senders repeat an end at once, or a packet time later */
	VOLUME = 10,
	PAUSE_MS = 40, /* between two digits: receivers need it to hear two */
	DURATION_MIN_MS = 40,
	DURATION_MAX_MS = 6000,
};

static const char digits[] = "0123456789*#ABCD";

char tl_dtmf_digit(uint8_t event)
{
	return event < TL_EVENT_DIGITS ? digits[event] : '\0';
}

int tl_dtmf_event(char digit)
{
	const char *at;

	if (digit >= 'a' && digit <= 'd')
		digit = (char)(digit - 'a' + 'A');
	at = digit ? strchr(digits, digit) : NULL;
	return at ? (int)(at - digits) : -EINVAL;
}

int tl_event_parse(const uint8_t *payload, size_t bytes, struct tl_event *ret_event)
{
	struct tl_cursor c = { payload, bytes };
	struct tl_event event;
	uint8_t flags;

	if (tl_take_u8(&c, &event.event) < 0 || tl_take_u8(&c, &flags) < 0 ||
	    tl_take_be16(&c, &event.duration) < 0)
		return -EBADMSG;
	event.end = flags & END_BIT;
	event.volume = flags & VOLUME_MASK;
	*ret_event = event;
	return 0;
}

void tl_event_write(uint8_t to[TL_EVENT_BYTES], const struct tl_event *event)
{
	to[0] = event->event;
	to[1] = (uint8_t)((event->end ? END_BIT : 0) | (event->volume & VOLUME_MASK));
	tl_put_be16(to + 2, event->duration);
}

static struct tl_dtmf_report report_of(const struct tl_dtmf_rx *rx)
{
	return (struct tl_dtmf_report) { rx->event.event, rx->before + rx->event.duration };
}

/* A long event goes on in a new segment, whose timestamp is where the one before ended; the last
 * packet of that one may have been lost. */
static bool is_next_segment(const struct tl_dtmf_rx *rx, const struct tl_event *event, uint32_t ts)
{
	return rx->active && rx->event.event == event->event && ts == rx->ts + TL_EVENT_SEGMENT;
}

static void begin(struct tl_dtmf_rx *rx, const struct tl_event *event, uint32_t ts)
{
	rx->any = true;
	rx->active = true;
	rx->ts = ts;
	rx->before = 0;
	rx->ends = 0;
	rx->event = *event;
}

/*
 * RFC 4733 2.5.1.4: the end packet is sent three times, with the same
 * timestamp and the duration frozen. The receiver must count one digit:
 *
 *   ts   1600  1600  1600 | 1600  1600  1600
 *   dur   160   320   480 |  480   480   480
 *   E       0     0     0 |    1     1     1
 *                            ^ report here, ignore the other two
 */
static enum tl_dtmf_news follow(struct tl_dtmf_rx *rx, const struct tl_event *event)
{
	rx->ends += event->end;
	if (!rx->active)
		return event->end ? TL_DTMF_END_REPEATED : TL_DTMF_OLD;
	if (!event->end && event->duration < rx->event.duration)
		return TL_DTMF_OLD; /* overtaken on its way */
	rx->event.duration = event->duration;
	rx->active = !event->end;
	return event->end ? TL_DTMF_ENDS : TL_DTMF_GOES_ON;
}

bool tl_dtmf_receive(struct tl_dtmf_rx *rx, const struct tl_event *event, uint32_t ts,
		     int64_t now_us, enum tl_dtmf_news *ret_news, bool *ret_begins,
		     struct tl_dtmf_report *ret_report)
{
	bool lost_end = false;

	*ret_begins = false;
	if (is_next_segment(rx, event, ts)) {
		rx->before += TL_EVENT_SEGMENT;
		rx->ts = ts;
		rx->event.duration = 0;
	} else if (!rx->any || ts != rx->ts) {
		if (rx->any && tl_rtp_ts_minus(ts, rx->ts) < 0 && now_us - rx->seen_us < 2000000) {
			*ret_news = TL_DTMF_OLD;
			return false;
		}
		lost_end = rx->active;
		*ret_report = report_of(rx);
		begin(rx, event, ts);
		*ret_begins = true;
	}
	rx->seen_us = now_us;
	*ret_news = follow(rx, event);
	if (*ret_begins && *ret_news == TL_DTMF_GOES_ON)
		*ret_news = TL_DTMF_BEGINS;
	if (lost_end) {
		/* One report a packet: a lone end packet right after a lost one waits for its
		 * repeat. */
		if (*ret_news == TL_DTMF_ENDS) {
			rx->active = true;
			*ret_news = TL_DTMF_BEGINS;
		}
		return true;
	}
	if (*ret_news != TL_DTMF_ENDS)
		return false;
	*ret_report = report_of(rx);
	return true;
}

bool tl_dtmf_is_coming(const struct tl_dtmf_rx *rx, int64_t now_us)
{
	return rx->active || (rx->ends > 0 && rx->ends < TL_EVENT_END_REPEATS &&
			      now_us - rx->seen_us < REPEAT_US);
}

bool tl_dtmf_expire(struct tl_dtmf_rx *rx, int64_t now_us, struct tl_dtmf_report *ret_report)
{
	if (!rx->active || now_us - rx->seen_us < EXPIRE_US)
		return false;
	rx->active = false;
	*ret_report = report_of(rx);
	return true;
}

static uint16_t bounded_ms(unsigned ms)
{
	return (uint16_t)CLAMP(ms, DURATION_MIN_MS, DURATION_MAX_MS);
}

int tl_dtmf_push(struct tl_dtmf_tx *tx, uint8_t event, unsigned duration_ms)
{
	unsigned at = (tx->first + tx->n) % TL_DTMF_QUEUE;

	if (tx->n == TL_DTMF_QUEUE)
		return -EAGAIN;
	tx->queue[at].event = event;
	tx->queue[at].duration_ms = bounded_ms(duration_ms);
	tx->queue[at].held = false;
	tx->n++;
	return 0;
}

int tl_dtmf_hold(struct tl_dtmf_tx *tx, uint8_t event)
{
	int r = tl_dtmf_push(tx, event, DURATION_MAX_MS);

	if (r == 0)
		tx->queue[(tx->first + tx->n - 1u) % TL_DTMF_QUEUE].held = true;
	return r;
}

void tl_dtmf_release(struct tl_dtmf_tx *tx, unsigned duration_ms)
{
	for (unsigned i = 0; i < tx->n; i++) {
		unsigned at = (tx->first + i) % TL_DTMF_QUEUE;
		unsigned lasted_ms = i == 0 && tx->active ? tx->elapsed_ms : 0;

		if (!tx->queue[at].held)
			continue;
		tx->queue[at].held = false;
		tx->queue[at].duration_ms = bounded_ms(MAX(duration_ms, lasted_ms));
		return;
	}
}

static void finish(struct tl_dtmf_tx *tx, int64_t now_us)
{
	tx->first = (tx->first + 1) % TL_DTMF_QUEUE;
	tx->n--;
	tx->active = false;
	tx->next_us = now_us + (int64_t)PAUSE_MS * 1000;
}

bool tl_dtmf_take(struct tl_dtmf_tx *tx, unsigned clock_hz, int64_t now_us,
		  struct tl_dtmf_packet *ret_packet, int64_t *ret_due_us)
{
	*ret_due_us = INT64_MAX;
	if (tx->n == 0)
		return false;
	*ret_due_us = tx->next_us;
	if (now_us < tx->next_us)
		return false;
	ret_packet->first = !tx->active;
	if (!tx->active) {
		tx->active = true;
		tx->elapsed_ms = tx->ends = 0;
		tx->next_us = now_us;
	}
	tx->next_us += (int64_t)TL_DTMF_STEP_MS * 1000;
	if (tx->elapsed_ms + TL_DTMF_STEP_MS < tx->queue[tx->first].duration_ms)
		tx->elapsed_ms += TL_DTMF_STEP_MS;
	else
		tx->elapsed_ms = tx->queue[tx->first].duration_ms;
	if (tx->elapsed_ms == tx->queue[tx->first].duration_ms && !ret_packet->first)
		tx->ends++;
	ret_packet->lasted = tx->elapsed_ms * (clock_hz / 1000);
	ret_packet->event = (struct tl_event) {
		.event = tx->queue[tx->first].event,
		.end = tx->ends > 0,
		.volume = VOLUME,
		.duration = (uint16_t)MIN(ret_packet->lasted, (uint32_t)TL_EVENT_SEGMENT),
	};
	ret_packet->last = tx->ends == TL_EVENT_END_REPEATS;
	if (ret_packet->last)
		finish(tx, now_us);
	return true;
}
