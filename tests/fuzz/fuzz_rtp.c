/*
 * What strangers can send to a media port: RTP, telephone-events and RTCP
 * through their parsers, then through the jitter buffer and the outgoing
 * stream that they would feed. The input is a row of packets, each behind one
 * byte of length and one that says how time goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/rtp/dtmf.h"
#include "media/rtp/jitter.h"
#include "media/rtp/pack.h"
#include "media/rtp/reception.h"
#include "media/rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CLOCK = 8000, TICK_US = 10000 };

struct bench {
	struct tl_pool pool;
	struct tl_jitter *jb;
	struct tl_pack pack;
	struct tl_reception reception;
	struct tl_dtmf_rx digits;
	int64_t now_us;
};

static void expect(bool true_always)
{
	if (!true_always)
		abort();
}

static void play(struct bench *b)
{
	struct tl_slot slot = { 0 };
	int64_t due_us;
	unsigned slots = 0;

	while (tl_jitter_take(b->jb, b->now_us, &slot, &due_us) > 0) {
		tl_pool_give(&b->pool, slot.packet);
		expect(++slots < 1000);
	}
	expect(due_us > b->now_us - 5000);
}

static void buffer(struct bench *b, const struct tl_rtp *rtp)
{
	struct tl_packet *packet = tl_pool_take(&b->pool);
	int r;

	packet->rtp = *rtp;
	packet->arrived_us = b->now_us;
	r = tl_jitter_put(b->jb, packet, rtp->payload_bytes);
	if (r == -ENOBUFS) {
		tl_jitter_reset(b->jb, rtp->marker ? CLOCK : 48000, &b->pool);
		r = tl_jitter_put(b->jb, packet, rtp->payload_bytes);
	}
	if (r < 0)
		tl_pool_give(&b->pool, packet);
}

static void receive_event(struct bench *b, const uint8_t *payload, const struct tl_rtp *rtp)
{
	struct tl_dtmf_report report;
	struct tl_event event;
	enum tl_dtmf_news news;
	bool begins;

	if (tl_event_parse(payload, rtp->payload_bytes, &event) < 0)
		return;
	if (tl_dtmf_receive(&b->digits, &event, rtp->ts, b->now_us, &news, &begins, &report))
		tl_dtmf_digit(report.event);
	tl_jitter_pass(b->jb, rtp->seq);
}

static void receive(struct bench *b, const uint8_t *packet, size_t n)
{
	struct tl_rtp rtp, out = { 0 };
	struct tl_rtcp rtcp;

	if (tl_rtcp_parse(packet, n, &rtcp) == 0)
		expect(rtcp.n_blocks <= TL_RTCP_BLOCKS);
	if (tl_rtp_parse(packet, n, &rtp) < 0)
		return;
	expect(rtp.payload_at >= TL_RTP_HEADER_BYTES);
	expect((size_t)rtp.payload_at + rtp.payload_bytes <= n);
	tl_reception_note(&b->reception, &rtp, CLOCK, rtp.pt != 101, b->now_us);
	if (rtp.pt == 101)
		receive_event(b, packet + rtp.payload_at, &rtp);
	else if (rtp.pt == 13)
		tl_pack_skip(&b->pack, &rtp);
	else
		buffer(b, &rtp);
	tl_pack_relay(&b->pack, &rtp, rtp.pt != 101, 160, CLOCK, b->now_us, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct tl_jitter_cfg cfg = { CLOCK, 20, 20, 200 };
	struct bench b = { .jb = tl_jitter_new(&cfg) };
	struct tl_reception_report report;

	tl_pack_init(&b.pack, 1, 2, 3);
	while (n >= 2) {
		size_t bytes = data[0] < n - 2 ? data[0] : n - 2;
		/* Of its own, so that a sanitizer sees a read beyond its end. */
		uint8_t *packet = malloc(bytes + 1);

		for (unsigned ticks = data[1] % 64; ticks > 0; ticks--) {
			b.now_us += TICK_US;
			play(&b);
		}
		memcpy(packet + 1, data + 2, bytes);
		receive(&b, packet + 1, bytes);
		free(packet);
		data += 2 + bytes;
		n -= 2 + bytes;
	}
	tl_reception_report(&b.reception, &report);
	tl_reception_lost(&b.reception);
	tl_jitter_free(b.jb, &b.pool);
	tl_pool_done(&b.pool);
	return 0;
}
