/* Opus both sides of a loss: the copy of a lost frame is used, and is sent to who loses. */
#include <opus.h>

#include "media/rtp/rtcp.h"
#include "tests/support/sound.h"

/* What follows a hole is there before its turn comes on a busy machine too. */
enum { PT_OPUS = 96, OPUS_FRAME = 960, RATE_HZ = 48000, DELAY_MS = 120 };

static struct call *open_opus_call(void)
{
	struct call *call;

	cr_assert_eq(tl_codec_init(), 0);
	start_engine_with(0, DELAY_MS);
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
	struct call *call = open_opus_call();
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
	struct call *call = open_opus_call();
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
