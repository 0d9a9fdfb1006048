/* A stream beside the audio: what goes through, from whom, and where to. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/flow/relay.h"
#include "media/rtp/srtp.h"

/* A pair of sockets that a telephone or the relay has. */
struct pair {
	int rtp_fd, rtcp_fd;
	struct sockaddr_in rtp, rtcp;
};

static struct {
	struct tl_pool pool;
	struct tl_flow_env env;
	struct tl_relay *relay;
	struct pair phone[_TL_SIDE_MAX], port[_TL_SIDE_MAX];
	int wake_fd;
} world;

static int bind_one(struct sockaddr_in *ret_addr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t bytes = sizeof *ret_addr;

	*ret_addr = (struct sockaddr_in) { .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	cr_assert_eq(bind(fd, (struct sockaddr *)ret_addr, sizeof *ret_addr), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)ret_addr, &bytes), 0);
	return fd;
}

static struct pair bind_pair(void)
{
	struct pair pair;

	pair.rtp_fd = bind_one(&pair.rtp);
	pair.rtcp_fd = bind_one(&pair.rtcp);
	return pair;
}

static void drop(struct tl_packet *packet, uint32_t tag, void *user)
{
	tl_pool_give(user, packet);
}

/* extra: of side A, beside the addresses; NULL: none. */
static void apply_with(bool a, bool b, const struct tl_stream_side *extra)
{
	struct tl_stream_plan plan = { 0 };
	const bool open[_TL_SIDE_MAX] = { a, b };

	if (extra)
		plan.side[TL_SIDE_A] = *extra;
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		plan.side[side].open = open[side];
		memcpy(&plan.side[side].rtp, &world.phone[side].rtp, sizeof world.phone[side].rtp);
		memcpy(&plan.side[side].rtcp, &world.phone[side].rtcp,
		       sizeof world.phone[side].rtcp);
	}
	tl_relay_apply(world.relay, &plan);
}

static void not_awaited(uint32_t tag, enum tl_io_soon when, void *user)
{
}

static void apply(bool a, bool b)
{
	apply_with(a, b, NULL);
}

static void start(void)
{
	cr_assert_eq(tl_srtp_init(), 0);
	world.wake_fd = eventfd(0, EFD_CLOEXEC);
	cr_assert_eq(tl_io_new(&world.pool, world.wake_fd, drop, not_awaited, &world.pool,
			       &world.env.io),
		     0);
	world.env.pool = &world.pool;
	world.env.now_us = 1000000;
	world.relay = tl_relay_new(&world.env);
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		world.phone[side] = bind_pair();
		world.port[side] = bind_pair();
		tl_relay_set_port(world.relay, (enum tl_side)side,
				  (struct tl_flow_port) { ntohs(world.port[side].rtp.sin_port),
							  world.port[side].rtp_fd,
							  world.port[side].rtcp_fd },
				  1, 2);
	}
	apply(true, true);
}

static void stop(void)
{
	tl_relay_free(world.relay);
	tl_io_free(world.env.io);
	tl_pool_done(&world.pool);
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		close(world.phone[side].rtp_fd);
		close(world.phone[side].rtcp_fd);
	}
	close(world.wake_fd);
}

TestSuite(relay, .init = start, .fini = stop);

/* A packet comes for a side from an address. True: it was from who should send there. */
static bool come_from(enum tl_side side, bool rtcp, const struct sockaddr_in *from,
		      const void *data, size_t bytes)
{
	struct tl_packet *packet = tl_pool_take(&world.pool);
	bool known;

	packet->arrived_us = world.env.now_us;
	packet->from = tl_address_from((const struct sockaddr *)from);
	packet->bytes = (uint16_t)bytes;
	memcpy(packet->data, data, bytes);
	known = tl_relay_input(world.relay, side, rtcp, packet);
	tl_io_flush(world.env.io);
	return known;
}

static const char rtp[] = "\x80\xe0\x12\x34"
			  "\0\0\0\1"
			  "\0\0\0\2"
			  "picture";
static const char pli[] = "\x81\xce\0\2"
			  "\0\0\0\1"
			  "\0\0\0\2";

/* What the telephone at a side has got; 0: nothing. */
static size_t get(enum tl_side side, bool rtcp, char *buf, size_t bytes,
		  struct sockaddr_in *ret_from)
{
	socklen_t length = sizeof *ret_from;
	ssize_t n = recvfrom(rtcp ? world.phone[side].rtcp_fd : world.phone[side].rtp_fd, buf,
			     bytes, 0, (struct sockaddr *)ret_from, &length);

	return n < 0 ? 0 : (size_t)n;
}

static bool got_nothing(enum tl_side side)
{
	struct sockaddr_in from;
	char buf[64];

	return !get(side, false, buf, sizeof buf, &from) &&
	       !get(side, true, buf, sizeof buf, &from);
}

Test(relay, passes_pictures_on_untouched_from_our_port)
{
	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++) {
		enum tl_side other = tl_side_other(side);
		struct sockaddr_in from;
		char buf[64];

		cr_expect(come_from(side, false, &world.phone[side].rtp, rtp, sizeof rtp));
		cr_expect_eq(get(other, false, buf, sizeof buf, &from), sizeof rtp);
		cr_expect_arr_eq(buf, rtp, sizeof rtp);
		cr_expect_eq(from.sin_port, world.port[other].rtp.sin_port);
		cr_expect(got_nothing(side));
	}
}

Test(relay, passes_feedback_to_the_other_sides_rtcp)
{
	struct sockaddr_in from;
	char buf[64];

	cr_expect(come_from(TL_SIDE_B, true, &world.phone[TL_SIDE_B].rtcp, pli, sizeof pli - 1));
	cr_expect_eq(get(TL_SIDE_A, true, buf, sizeof buf, &from), sizeof pli - 1);
	cr_expect_arr_eq(buf, pli, sizeof pli - 1);
	cr_expect_eq(from.sin_port, world.port[TL_SIDE_A].rtcp.sin_port);
}

Test(relay, passes_nothing_that_is_no_rtp)
{
	static const char stun[20] = { 0, 1 };

	cr_expect_not(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, stun, sizeof stun));
	cr_expect_not(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, 11));
	cr_expect_not(come_from(TL_SIDE_A, true, &world.phone[TL_SIDE_A].rtcp, pli, 7));
	cr_expect(got_nothing(TL_SIDE_B));
}

Test(relay, passes_nothing_of_strangers)
{
	struct pair stranger = bind_pair();
	struct sockaddr_in from;
	char buf[64];

	cr_expect(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, sizeof rtp));
	cr_expect_eq(get(TL_SIDE_B, false, buf, sizeof buf, &from), sizeof rtp);
	world.env.now_us += 10000000;
	cr_expect_not(come_from(TL_SIDE_A, false, &stranger.rtp, rtp, sizeof rtp));
	cr_expect(got_nothing(TL_SIDE_B));
	close(stranger.rtp_fd);
	close(stranger.rtcp_fd);
}

Test(relay, sends_where_the_packets_come_from)
{
	/* a NAT: it announced one address and sends from another */
	struct pair nat = bind_pair();
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	char buf[64];

	cr_expect(come_from(TL_SIDE_A, false, &nat.rtp, rtp, sizeof rtp));
	cr_expect(come_from(TL_SIDE_B, false, &world.phone[TL_SIDE_B].rtp, rtp, sizeof rtp));
	cr_expect_eq(recvfrom(nat.rtp_fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &length),
		     sizeof rtp);
	cr_expect(got_nothing(TL_SIDE_A));
	close(nat.rtp_fd);
	close(nat.rtcp_fd);
}

Test(relay, passes_nothing_while_a_side_is_closed)
{
	apply(true, false);
	cr_expect(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, sizeof rtp),
		  "he is there, though nobody sees him");
	cr_expect_not(come_from(TL_SIDE_B, false, &world.phone[TL_SIDE_B].rtp, rtp, sizeof rtp));
	cr_expect(got_nothing(TL_SIDE_A) && got_nothing(TL_SIDE_B));
	apply(true, true);
	cr_expect(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, sizeof rtp));
	cr_expect_not(got_nothing(TL_SIDE_B));
}

Test(relay, finds_feedback_on_the_port_of_the_pictures)
{
	const struct tl_stream_side mux = { .rtcp_mux = true };
	struct sockaddr_in from;
	char buf[64];

	apply_with(true, true, &mux);
	cr_expect(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, pli, sizeof pli - 1));
	cr_expect_eq(get(TL_SIDE_B, true, buf, sizeof buf, &from), sizeof pli - 1);
	cr_expect(come_from(TL_SIDE_B, true, &world.phone[TL_SIDE_B].rtcp, pli, sizeof pli - 1));
	cr_expect_eq(get(TL_SIDE_A, false, buf, sizeof buf, &from), sizeof pli - 1);
	cr_expect_eq(from.sin_port, world.port[TL_SIDE_A].rtp.sin_port);
}

Test(relay, encrypts_for_the_side_that_wants_it)
{
	const struct tl_stream_side keys = {
		.send_crypto = { .tag = 1,
				 .suite = TL_SRTP_AES_CM_128_HMAC_SHA1_80,
				 .key = "ours, thirty bytes of it......" },
		.receive_crypto = { .tag = 1,
				    .suite = TL_SRTP_AEAD_AES_128_GCM,
				    .key = "theirs, twenty-eight of them" },
	};
	struct tl_packet *packet = tl_pool_take(&world.pool);
	struct tl_srtp *out, *in;
	struct sockaddr_in from;
	char buf[64];

	cr_assert_eq(tl_srtp_new(&keys.receive_crypto, true, &out), 0);
	cr_assert_eq(tl_srtp_new(&keys.send_crypto, false, &in), 0);
	apply_with(true, true, &keys);
	memcpy(packet->data, rtp, sizeof rtp);
	packet->bytes = sizeof rtp;
	cr_assert_eq(tl_srtp_protect(out, packet, false), 0);
	cr_expect_not(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, sizeof rtp),
		      "in clear");
	cr_expect(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, packet->data,
			    packet->bytes));
	cr_expect_eq(get(TL_SIDE_B, false, buf, sizeof buf, &from), sizeof rtp);
	cr_expect_arr_eq(buf, rtp, sizeof rtp);
	apply_with(true, true, &keys);
	cr_expect_not(come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, packet->data,
				packet->bytes),
		      "replayed, after the same once more");
	cr_expect(come_from(TL_SIDE_B, true, &world.phone[TL_SIDE_B].rtcp, pli, sizeof pli - 1));
	packet->bytes = (uint16_t)get(TL_SIDE_A, true, (char *)packet->data, 64, &from);
	cr_expect_gt(packet->bytes, sizeof pli);
	cr_assert_eq(tl_srtp_unprotect(in, packet, true), 0);
	cr_expect_arr_eq(packet->data, pli, sizeof pli - 1);
	tl_pool_give(&world.pool, packet);
	tl_srtp_free(out);
	tl_srtp_free(in);
}

Test(relay, gives_its_packets_back)
{
	size_t before = 0, after = 0;

	for (int i = 0; i < 3; i++) { /* the pool grows by slabs, at first */
		cr_expect(
			come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, rtp, sizeof rtp));
		before = after;
		after = 0;
		for (struct tl_packet *p = world.pool.free; p; p = p->next)
			after++;
	}
	for (int i = 0; i < 500; i++)
		(void)come_from(TL_SIDE_A, false, &world.phone[TL_SIDE_A].rtp, "junk", 4);
	before = 0;
	for (struct tl_packet *p = world.pool.free; p; p = p->next)
		before++;
	cr_expect_eq(before, after, "%zu packets, then %zu", after, before);
}
