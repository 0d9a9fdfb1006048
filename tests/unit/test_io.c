/* A worker's door to the network: what comes in, what goes out, and who is let in. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/worker/io.h"

enum { TAG = 7, HEARD_MAX = 256, WAIT_US = 10000000 };

static struct {
	struct tl_pool pool;
	struct tl_io *io;
	int wake_fd, fd, peer_fd, stranger_fd;
	union tl_address here, peer, stranger;
	unsigned n_heard;
	struct {
		uint16_t bytes;
		uint8_t first;
	} heard[HEARD_MAX];
} world;

static int bind_at(in_port_t port, union tl_address *ret_at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t bytes = sizeof *ret_at;

	memset(ret_at, 0, sizeof *ret_at);
	ret_at->v4.sin_family = AF_INET;
	ret_at->v4.sin_port = htons(port);
	ret_at->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, &ret_at->any, sizeof ret_at->v4), 0);
	cr_assert_eq(getsockname(fd, &ret_at->any, &bytes), 0);
	return fd;
}

static void on_packet(struct tl_packet *packet, uint32_t tag, void *user)
{
	cr_assert_eq(tag, TAG);
	cr_assert_lt(world.n_heard, HEARD_MAX);
	world.heard[world.n_heard].bytes = packet->bytes;
	world.heard[world.n_heard++].first = packet->data[0];
	tl_pool_give(&world.pool, packet);
}

static void on_soon(uint32_t tag, enum tl_io_soon when, void *user)
{
}

static void start(void)
{
	world.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	cr_assert_eq(tl_io_new(&world.pool, world.wake_fd, on_packet, on_soon, NULL, &world.io), 0);
	close(bind_at(0, &world.here));
	world.fd = bind_at(tl_address_port(&world.here), &world.here); /* asked for, as a call's */
	world.peer_fd = bind_at(0, &world.peer);
	world.stranger_fd = bind_at(0, &world.stranger);
	cr_assert_eq(tl_io_open(world.io, world.fd, TAG), 0);
}

static void stop(void)
{
	tl_io_close(world.io, world.fd);
	close(world.fd);
	close(world.peer_fd);
	close(world.stranger_fd);
	close(world.wake_fd);
	tl_io_free(world.io);
	tl_pool_done(&world.pool);
}

TestSuite(io, .init = start, .fini = stop);

/* To the socket that is watched. False: the system has refused it. */
static bool say(int fd, uint8_t first, size_t bytes)
{
	uint8_t data[TL_PACKET_BYTES * 2] = { first };

	return sendto(fd, data, bytes, 0, &world.here.any, sizeof world.here.v4) == (ssize_t)bytes;
}

/* Until so many packets have been heard in all. */
static void hear(unsigned n)
{
	int64_t end_us = tl_now_us() + WAIT_US;
	bool woken;

	tl_io_set_timer(world.io, end_us);
	while (world.n_heard < n && tl_io_wait(world.io, &woken) < end_us)
		;
	cr_assert_eq(world.n_heard, n);
}

static void send_to(const union tl_address *to, uint8_t first)
{
	struct tl_packet *packet = tl_pool_take(&world.pool);

	packet->bytes = 1;
	packet->data[0] = first;
	tl_io_send(world.io, world.fd, to, packet, NULL, NULL);
}

/* The next packet that came to fd, or -1. */
static int next_at(int fd)
{
	uint8_t first;

	return recv(fd, &first, 1, 0) == 1 ? first : -1;
}

static void aim(const union tl_address *at)
{
	cr_assert_eq(tl_io_aim(world.io, world.fd, at), 0);
}

Test(io, all_that_comes_at_once_is_heard_in_its_order)
{
	for (unsigned i = 0; i < 100; i++)
		cr_assert(say(world.peer_fd, (uint8_t)i, 20));
	hear(100);
	for (unsigned i = 0; i < 100; i++)
		cr_expect_eq(world.heard[i].first, i);
}

Test(io, what_is_longer_than_a_packet_is_none)
{
	/* alone, and among others that are read with it */
	cr_assert(say(world.peer_fd, 1, TL_PACKET_BYTES + 1));
	hear(1);
	for (unsigned i = 0; i < 4; i++)
		cr_assert(say(world.peer_fd, 2, TL_PACKET_BYTES + i % 2));
	hear(5);
	cr_expect_eq(world.heard[0].bytes, 0);
	for (unsigned i = 0; i < 4; i++)
		cr_expect_eq(world.heard[i + 1].bytes, i % 2 ? 0 : TL_PACKET_BYTES);
}

Test(io, who_is_aimed_at_is_heard_alone)
{
	aim(&world.peer);
	say(world.stranger_fd, 1, 20);
	cr_assert(say(world.peer_fd, 2, 20));
	hear(1);
	cr_expect_eq(world.heard[0].first, 2);
}

Test(io, what_is_sent_to_nobody_goes_where_the_socket_is_aimed)
{
	aim(&world.peer);
	send_to(NULL, 1);
	tl_io_flush(world.io);
	for (uint8_t i = 2; i < 5; i++) /* as a batch */
		send_to(NULL, i);
	send_to(&world.stranger, 9); /* reports go elsewhere */
	tl_io_flush(world.io);
	for (int i = 1; i < 5; i++)
		cr_expect_eq(next_at(world.peer_fd), i);
	cr_expect_eq(next_at(world.stranger_fd), 9);
}

Test(io, an_aim_is_taken_back_and_set_anew)
{
	union tl_address at;
	socklen_t bytes = sizeof at;

	aim(&world.peer);
	send_to(NULL, 1); /* waits: goes where it was to go */
	aim(NULL);
	cr_expect_eq(next_at(world.peer_fd), 1);
	cr_assert_eq(getsockname(world.fd, &at.any, &bytes), 0);
	cr_expect(tl_address_equal(&at, &world.here), "it has kept its port");
	cr_assert(say(world.stranger_fd, 2, 20));
	hear(1);
	aim(&world.stranger);
	say(world.peer_fd, 3, 20);
	cr_assert(say(world.stranger_fd, 4, 20));
	hear(2);
	cr_expect_eq(world.heard[0].first, 2);
	cr_expect_eq(world.heard[1].first, 4);
	send_to(NULL, 5);
	tl_io_flush(world.io);
	cr_expect_eq(next_at(world.stranger_fd), 5);
}

/* "Port unreachable" of a packet before is told to the next: that one goes all the same. */
Test(io, who_was_away_is_sent_to_as_soon_as_he_is_back)
{
	in_port_t port = tl_address_port(&world.peer);

	aim(&world.peer);
	close(world.peer_fd);
	send_to(NULL, 1);
	tl_io_flush(world.io);
	world.peer_fd = bind_at(port, &world.peer);
	send_to(NULL, 2);
	tl_io_flush(world.io);
	cr_expect_eq(next_at(world.peer_fd), 2);
	cr_assert(say(world.peer_fd, 3, 20));
	hear(1);
}

/* A plan that was told before a packet came is the packet's. */
Test(io, what_another_thread_says_comes_before_packets)
{
	bool woken;

	cr_assert_eq(eventfd_write(world.wake_fd, 1), 0);
	cr_assert(say(world.peer_fd, 1, 100));
	tl_io_wait(world.io, &woken);
	cr_expect(woken);
	cr_expect_eq(world.n_heard, 0);
	/* but who is told more and more still hears */
	tl_io_wait(world.io, &woken);
	cr_expect(woken);
	cr_expect_eq(world.n_heard, 1);
}
