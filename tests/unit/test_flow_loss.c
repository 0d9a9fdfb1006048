/* Opus both sides of a loss: the copy of a lost frame is used, and is sent to who loses. */
#include <opus.h>

#include "media/rtp/rtcp.h"
#include "media/rtp/xr.h"
#include "tests/support/sound.h"

/* What follows a hole is there before its turn comes on a busy machine too. */
enum { PT_OPUS = 96, OPUS_FRAME = 960, RATE_HZ = 48000, DELAY_MS = 120, SHORT_MS = 5 };

static struct call *open_opus_call(unsigned jitter_min_ms)
{
	struct call *call;

	cr_assert_eq(tl_codec_init(), 0);
	start_engine_with(0, jitter_min_ms);
	call = open_call(AF_INET);
	speak_format(call, TL_SIDE_B, "opus", PT_OPUS);
	g_strlcpy(call->plan.side[TL_SIDE_B].send_format.fmtp, "useinbandfec=1",
		  sizeof call->plan.side[TL_SIDE_B].send_format.fmtp);
	set_path(call, TL_PATH_CHAIN);
	apply(call);
	return call;
}

/* Every tenth packet is lost, and it alone would have said what it did: nothing before it lets a
 * decoder guess. */
static bool is_lost(unsigned i)
{
	return i % 10 == 7;
}

static void sing(struct phone *phone, OpusEncoder *encoder, unsigned i)
{
	static double phase;
	unsigned hz = is_lost(i) ? 1900 : 300;
	int16_t pcm[OPUS_FRAME];
	uint8_t payload[500];
	int n;

	for (unsigned k = 0; k < OPUS_FRAME; k++, phase += 2 * G_PI * hz / RATE_HZ)
		pcm[k] = (int16_t)(8000 * sin(phase));
	n = opus_encode(encoder, pcm, OPUS_FRAME, payload, sizeof payload);
	cr_assert_gt(n, 0);
	if (is_lost(i))
		phone->seq++;
	else
		send_rtp(phone, phone->fd, PT_OPUS, false, payload, (size_t)n);
	phone->ts += OPUS_FRAME;
}

/* How many packets of a tape are this tone. */
static unsigned frames_of(const struct tape *tape, unsigned hz)
{
	unsigned found = 0;

	for (unsigned i = 0; i < tape->packets; i++) {
		int16_t pcm[FRAME];

		for (unsigned k = 0; k < FRAME; k++)
			pcm[k] = from_alaw(tape->payloads[i][k]);
		found += purity(pcm, FRAME, hz, 8000) > 0.4;
	}
	return found;
}

Test(flow_loss, takes_a_lost_frame_from_the_packet_after_it)
{
	struct tape *tape = g_new0(struct tape, 1);
	OpusEncoder *encoder = opus_encoder_create(RATE_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
	struct call *call = open_opus_call(DELAY_MS);
	const unsigned packets = 60;

	opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(20));
	opus_encoder_ctl(encoder, OPUS_SET_BITRATE(32000));
	opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(OPUS_BANDWIDTH_WIDEBAND));
	for (unsigned i = 0; i < packets; i++) {
		sing(&call->phone[TL_SIDE_B], encoder, i);
		drain(&call->phone[TL_SIDE_A], tape, PACE_MS);
	}
	drain(&call->phone[TL_SIDE_A], tape, 200 + DELAY_MS);
	cr_expect_geq(frames_of(tape, 1900), packets / 10 - 1, "%u", frames_of(tape, 1900));
	opus_encoder_destroy(encoder);
	close_call(call);
	stop_engine();
	g_free(tape);
}

static unsigned told_delay_ms(int fd, uint32_t ssrc)
{
	struct tl_xr_voip voip;
	struct tl_rtcp rtcp;
	uint8_t bytes[1500];
	ssize_t n;

	do {
		n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		cr_assert_gt(n, 0, "no goodbye");
		cr_assert_eq(tl_rtcp_parse(bytes, (size_t)n, &rtcp), 0);
	} while (!rtcp.bye);
	cr_assert_eq(tl_xr_read_voip(rtcp.xr, rtcp.xr_bytes, ssrc, &voip), 0);
	return voip.jitter_nominal_ms;
}

/* A copy comes a frame after what it is of should have come: with a delay of less than that it
 * would be of no use. A busy machine makes the delay longer, never shorter. */
Test(flow_loss, waits_for_copies)
{
	OpusEncoder *encoder = opus_encoder_create(RATE_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
	struct call *call = open_opus_call(SHORT_MS);
	struct phone *b = &call->phone[TL_SIDE_B];
	int fd = open_phone(AF_INET);
	struct heard heard;
	unsigned told;

	call->plan.side[TL_SIDE_B].remote_rtcp = name_of(fd);
	call->plan.side[TL_SIDE_B].rtcp_xr = true;
	apply(call);
	for (unsigned i = 0; i < 30; i++) {
		sing(b, encoder, i);
		listen_for(&call->phone[TL_SIDE_A], PACE_MS, &heard);
	}
	tl_session_close(call->session);
	wait_event(call, TL_MEDIA_CLOSED, 1);
	told = told_delay_ms(fd, b->ssrc);
	cr_expect_geq(told, 20, "the length of a frame, not %u ms", told);
	opus_encoder_destroy(encoder);
	close(fd);
	hang_up_phones(call);
	stop_engine();
}

/* RFC 6716 4.2.3: after the bit for voice activity of one 20 ms frame comes that for redundancy. */
static bool has_copy(const struct heard *heard)
{
	bool is_silk = heard->payload[0] >> 3 < 16;

	return is_silk && heard->rtp.payload_bytes > 1 && heard->payload[1] & 0x40;
}

static void report_loss(struct call *call, int fd, uint8_t fraction)
{
	struct tl_rtcp_block block = { .fraction_lost = fraction };
	struct tl_rtcp_out report = { .ssrc = 1001, .cname = "b", .block = &block };
	struct sockaddr_storage to = call->phone[TL_SIDE_B].engine;
	struct heard heard;
	uint8_t bytes[1500];

	hum(&call->phone[TL_SIDE_A], 400);
	heard = hear(&call->phone[TL_SIDE_B]);
	block.ssrc = heard.rtp.ssrc;
	((struct sockaddr_in *)&to)->sin_port =
		htons((uint16_t)(ntohs(((struct sockaddr_in *)&to)->sin_port) + 1));
	send_raw(fd, &to, bytes, tl_rtcp_write(&report, bytes));
}

static unsigned count_copies(struct call *call, unsigned packets)
{
	struct heard heard;
	unsigned copies = 0;

	for (unsigned i = 0; i < packets; i++) {
		hum(&call->phone[TL_SIDE_A], 200 + 100 * (i % 5));
		if (listen_for(&call->phone[TL_SIDE_B], PACE_MS, &heard))
			copies += has_copy(&heard);
	}
	return copies;
}

Test(flow_loss, sends_copies_to_who_reports_loss)
{
	struct call *call = open_opus_call(DELAY_MS);
	int fd = open_phone(AF_INET);

	cr_expect_eq(count_copies(call, 40), 0, "redundancy costs; nobody needs it");
	report_loss(call, fd, 256 / 5);
	cr_expect_geq(count_copies(call, 40), 20);
	for (int i = 0; i < 8; i++)
		report_loss(call, fd, 0);
	count_copies(call, 10);
	cr_expect_eq(count_copies(call, 20), 0, "nothing is lost any more");
	close(fd);
	close_call(call);
	stop_engine();
}
