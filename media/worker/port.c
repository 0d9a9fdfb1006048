#include "media/worker/port.h"

#include <errno.h>
#include <glib.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <unistd.h>

enum {
	PAIRS = 1 << 15,
	DSCP_EF = 0xb8, /* RFC 3246, as the whole traffic class byte */
};

struct tl_ports {
	uint16_t first, last; /* RTP ports of the first and the last pair */
	bool used[PAIRS];
	unsigned n_used;
	/* free pairs, in the order in which they will be used */
	uint16_t *ring;
	unsigned ring_size, head, n_free;
};

static bool in_range(const struct tl_ports *ports, uint16_t port)
{
	return port >= ports->first && port <= ports->last;
}

static void append(struct tl_ports *ports, uint16_t port)
{
	ports->ring[(ports->head + ports->n_free++) % ports->ring_size] = port;
}

static uint16_t pop(struct tl_ports *ports)
{
	uint16_t port = ports->ring[ports->head];

	ports->head = (ports->head + 1) % ports->ring_size;
	ports->n_free--;
	return port;
}

/* In no order that an outsider could guess: who can't tell a call's port can't send to it. */
static void shuffle(struct tl_ports *ports)
{
	for (unsigned i = ports->n_free; i > 1; i--) {
		unsigned j = (unsigned)g_random_int_range(0, (gint32)i);
		uint16_t port = ports->ring[i - 1];

		ports->ring[i - 1] = ports->ring[j];
		ports->ring[j] = port;
	}
}

int tl_ports_resize(struct tl_ports *ports, uint16_t min, uint16_t max)
{
	unsigned first = (min + 1u) & ~1u, end = (max + 1u) & ~1u;

	if (first == 0)
		first = 2; /* port 0 would mean any */
	if (end <= first)
		return -EINVAL;
	if (ports->ring && ports->first == first && ports->last == end - 2)
		return 0;
	g_free(ports->ring);
	ports->first = (uint16_t)first;
	ports->last = (uint16_t)(end - 2);
	ports->ring_size = (end - first) / 2;
	ports->ring = g_new(uint16_t, ports->ring_size);
	ports->head = ports->n_free = 0;
	for (unsigned port = first; port < end; port += 2)
		if (!ports->used[port / 2])
			append(ports, (uint16_t)port);
	shuffle(ports);
	return 0;
}

int tl_ports_new(uint16_t min, uint16_t max, struct tl_ports **ret_ports)
{
	struct tl_ports *ports = g_new0(struct tl_ports, 1);
	int r = tl_ports_resize(ports, min, max);

	if (r < 0) {
		g_free(ports);
		return r;
	}
	*ret_ports = ports;
	return 0;
}

void tl_ports_free(struct tl_ports *ports)
{
	if (!ports)
		return;
	g_free(ports->ring);
	g_free(ports);
}

unsigned tl_ports_used(const struct tl_ports *ports)
{
	return ports->n_used;
}

unsigned tl_ports_free_count(const struct tl_ports *ports)
{
	return ports->n_free;
}

/* Voice goes first where routers look at it. Where this is not allowed, it goes anyway. */
static void mark_voice(int fd, int family)
{
	int class = DSCP_EF;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
	else
		setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof class);
}

static int open_bound(const union tl_address *ip, uint16_t port)
{
	union tl_address address = *ip;
	int fd, one = 1, family = ip->any.sa_family;

	tl_address_set_port(&address, port);
	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &address.any, tl_address_bytes(&address)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	mark_voice(fd, family);
	return fd;
}

static int open_pair(const union tl_address *ip, uint16_t port, struct tl_port_pair *ret_pair)
{
	int rtp_fd, rtcp_fd;

	rtp_fd = open_bound(ip, port);
	if (rtp_fd < 0)
		return rtp_fd;
	rtcp_fd = open_bound(ip, (uint16_t)(port + 1));
	if (rtcp_fd < 0) {
		close(rtp_fd);
		return rtcp_fd;
	}
	*ret_pair = (struct tl_port_pair) { port, rtp_fd, rtcp_fd };
	return 0;
}

int tl_ports_take(struct tl_ports *ports, const union tl_address *ip, struct tl_port_pair *ret_pair)
{
	int r;

	if (!tl_address_is_set(ip))
		return -EAFNOSUPPORT;
	for (unsigned tries = ports->n_free; tries > 0; tries--) {
		uint16_t port = pop(ports);

		r = open_pair(ip, port, ret_pair);
		if (r == 0) {
			ports->used[port / 2] = true;
			ports->n_used++;
			return 0;
		}
		append(ports, port);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRNOTAVAIL;
}

void tl_ports_give(struct tl_ports *ports, uint16_t port)
{
	if (!ports->used[port / 2])
		return;
	ports->used[port / 2] = false;
	ports->n_used--;
	if (in_range(ports, port))
		append(ports, port);
}
