#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

/*
 * The floor: what a relay of packets between pairs of UDP sockets costs when it
 * does nothing but that. One thread, epoll, recvmmsg on the socket that is
 * readable, sendmmsg on its twin. With another codec at side B the bare codec
 * functions run in between, with encryption at side B libsrtp2: no jitter buffer, no clock, no
 * chain.
 */

enum { BATCH = 16, PACKET_BYTES = 2048, EVENTS = 64, HEAD_BYTES = 12 };

struct floor {
	const struct rig_load *load;
	int epoll_fd;
	int *sockets;                /* [call * 2 + side] */
	struct rig_coder **coders;   /* a call; NULL: PCMA on both sides */
	struct rig_sealer **sealers; /* a call; NULL: side B is plain, too */
	struct mmsghdr messages[BATCH];
	struct iovec spans[BATCH];
	uint8_t packets[BATCH][PACKET_BYTES];
};

static int open_socket(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
		exit(EXIT_FAILURE);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void open_coders(struct floor *floor)
{
	const struct rig_load *load = floor->load;

	if (strcmp(load->codec, "PCMA") == 0)
		return;
	floor->coders = g_new(struct rig_coder *, load->calls);
	for (unsigned i = 0; i < load->calls; i++)
		floor->coders[i] = rig_coder_new(load->codec, load->opus_complexity);
}

static void open_sealers(struct floor *floor)
{
	const struct rig_load *load = floor->load;

	if (load->suite == TL_SRTP_NONE)
		return;
	floor->sealers = g_new(struct rig_sealer *, load->calls);
	for (unsigned i = 0; i < load->calls; i++)
		floor->sealers[i] = rig_sealer_new(load->suite, false);
}

static void open_calls(struct floor *floor, uint16_t *ports)
{
	unsigned n = floor->load->calls * 2;

	floor->sockets = g_new(int, n);
	for (uint32_t i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		floor->sockets[i] = open_socket(&ports[i]);
		epoll_ctl(floor->epoll_fd, EPOLL_CTL_ADD, floor->sockets[i], &event);
	}
}

/* Rewrites a packet from a side for the other one. */
static size_t transcode(struct floor *floor, uint32_t from, uint8_t *packet, size_t bytes)
{
	struct rig_coder *coder = floor->coders[from / 2];
	uint8_t out[RIG_PAYLOAD_MAX];
	size_t n;

	if (bytes <= HEAD_BYTES)
		return bytes;
	n = (from % 2 ? rig_coder_to_pcma : rig_coder_from_pcma)(coder, packet + HEAD_BYTES,
								 bytes - HEAD_BYTES, out);
	packet[1] = rig_loop_get(from % 2 ? "PCMA" : floor->load->codec)->pt;
	memcpy(packet + HEAD_BYTES, out, n);
	return HEAD_BYTES + n;
}

static void relay(struct floor *floor, uint32_t from)
{
	uint32_t to = from ^ 1;
	const struct sockaddr_storage *phone = &floor->load->phones[to % 2][to / 2 % RIG_SOCKETS];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		floor->spans[i] = (struct iovec) { floor->packets[i], PACKET_BYTES };
		floor->messages[i].msg_hdr =
			(struct msghdr) { .msg_iov = &floor->spans[i], .msg_iovlen = 1 };
	}
	n = recvmmsg(floor->sockets[from], floor->messages, BATCH, 0, NULL);
	for (int i = 0; i < n; i++) {
		size_t bytes = floor->messages[i].msg_len;

		if (floor->coders)
			bytes = transcode(floor, from, floor->packets[i], bytes);
		if (floor->sealers)
			bytes = (from % 2 ? rig_unseal : rig_seal)(floor->sealers[from / 2],
								   floor->packets[i], bytes);
		floor->spans[i].iov_len = bytes;
		floor->messages[i].msg_hdr.msg_name = (void *)phone;
		floor->messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
	}
	if (n > 0)
		sendmmsg(floor->sockets[to], floor->messages, (unsigned)n, 0);
}

void rig_floor(const struct rig_load *load, int fd)
{
	struct floor *floor = g_new0(struct floor, 1);
	g_autofree uint16_t *ports = g_new(uint16_t, (size_t)load->calls * 2);
	struct rig_gateway_report report = { 0 };
	struct epoll_event events[EVENTS] = { { .events = EPOLLIN, .data.u32 = UINT32_MAX } };
	bool ending = false;
	char byte = 0;

	floor->load = load;
	floor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(floor->epoll_fd, EPOLL_CTL_ADD, fd, &events[0]);
	rig_write(fd, &byte, 1);
	rig_read(fd, &byte, 1);
	open_coders(floor);
	open_sealers(floor);
	open_calls(floor, ports);
	rig_write(fd, ports, load->calls * 2 * sizeof *ports);
	while (!ending) {
		int n = epoll_wait(floor->epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == UINT32_MAX)
				ending = true;
			else
				relay(floor, events[i].data.u32);
		}
	}
	rig_write(fd, &report, sizeof report);
}
