#pragma once
/*
 * Digits as telephone-events, RFC 4733: what came in, told once a digit; and
 * digits of our own, sent as a proper event. Pure: time comes in as now_us.
 * Private to media/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TL_EVENT_BYTES = 4,
	TL_EVENT_SEGMENT =
		0xffff,       /* units; what lasts longer goes on in another, RFC 4733 2.5.1.3 */
	TL_EVENT_DIGITS = 16, /* events 0..15 are digits, RFC 4733 3.2 */
	TL_EVENT_END_REPEATS = 3, /* RFC 4733 2.5.1.4 */
	TL_DTMF_QUEUE = 32,
	TL_DTMF_STEP_MS = 20, /* between the packets that we send */
};

/* '\0': the event is no digit. */
char tl_dtmf_digit(uint8_t event);
/* -EINVAL: no digit. */
int tl_dtmf_event(char digit);

struct tl_event { /* the payload */
	uint8_t event;
	bool end;
	uint8_t volume; /* -dBm0 */
	uint16_t duration;
};
int tl_event_parse(const uint8_t *payload, size_t bytes, struct tl_event *ret_event); /* -EBADMSG */
void tl_event_write(uint8_t to[TL_EVENT_BYTES], const struct tl_event *event);

struct tl_dtmf_report {
	uint8_t event;
	uint32_t duration; /* RTP units */
};

struct tl_dtmf_rx {
	bool any;    /* something came: ts counts */
	bool active; /* no end seen yet */
	uint32_t ts; /* of the event, or of its present segment */
	struct tl_event event;
	uint32_t before; /* duration of earlier segments, RFC 4733 2.5.1.3 */
	int64_t seen_us;
	unsigned ends; /* packets that said so */
};

/* Are packets of an event still coming, or the repeats of its end? */
bool tl_dtmf_is_coming(const struct tl_dtmf_rx *rx, int64_t now_us);

enum tl_dtmf_news {
	TL_DTMF_OLD, /* of an event that is over and was told; nothing to pass on but a repeated end
		      */
	TL_DTMF_BEGINS, /* first packet of an event */
	TL_DTMF_GOES_ON,
	TL_DTMF_ENDS, /* its end, for the first time */
	TL_DTMF_END_REPEATED,
};

/*
 * A packet of an event came. True: *ret_report is a digit's end to be told,
 * either this packet's, or that of an event before whose end was lost. An event
 * that begins with its end packet both begins and ends: *ret_begins, if it is
 * the first packet of its event.
 */
bool tl_dtmf_receive(struct tl_dtmf_rx *rx, const struct tl_event *event, uint32_t ts,
		     int64_t now_us, enum tl_dtmf_news *ret_news, bool *ret_begins,
		     struct tl_dtmf_report *ret_report);
/* True: the event's packets stopped without an end; *ret_report is to be told. */
bool tl_dtmf_expire(struct tl_dtmf_rx *rx, int64_t now_us, struct tl_dtmf_report *ret_report);

struct tl_dtmf_tx {
	struct {
		uint8_t event;
		uint16_t duration_ms;
		bool held;
	} queue[TL_DTMF_QUEUE];
	uint8_t first, n;
	bool active;
	unsigned elapsed_ms, ends; /* of the first in the queue */
	int64_t next_us;
};

struct tl_dtmf_packet {
	bool first, last; /* of its event: first has the marker, and a new timestamp */
	struct tl_event event;
	uint32_t lasted; /* so far: its duration, of which event holds no more than a segment */
};

/* A digit whose end isn't known yet: it lasts until it is released, 6 s at most. -EAGAIN: as below.
 */
int tl_dtmf_hold(struct tl_dtmf_tx *tx, uint8_t event);
/* The digit held lasts this long; what it has lasted already is not taken back. */
void tl_dtmf_release(struct tl_dtmf_tx *tx, unsigned duration_ms);
/* -EAGAIN: the queue is full. */
int tl_dtmf_push(struct tl_dtmf_tx *tx, uint8_t event, unsigned duration_ms);
static inline bool tl_dtmf_is_sending(const struct tl_dtmf_tx *tx)
{
	return tx->n > 0;
}
/* True: *ret_packet is due. To be called until false; *ret_due_us is when next (INT64_MAX: never).
 */
bool tl_dtmf_take(struct tl_dtmf_tx *tx, unsigned clock_hz, int64_t now_us,
		  struct tl_dtmf_packet *ret_packet, int64_t *ret_due_us);
