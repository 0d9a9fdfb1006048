#include "media/worker/io.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "media/fetch.h"

/*
 * epoll, recvfrom() and sendto(): tried against io_uring (receives in multishot with lent buffers,
 * sends in batches), that came to four fifths of the bare relay's CPU with 500 calls, as connected
 * sockets do; with 100 calls to as much, and with one call to half as much again.
 */

enum {
	EVENTS = 256,  /* ready sockets a wait */
	BATCH_IN = 16, /* packets a receive */
	BURST_US = 1000,
	BATCH_OUT = 32, /* the first does not wait until hundreds of others are ready */
};

/* What epoll tells us back: a socket as tag and descriptor, or one of these. */
static const uint64_t IS_TIMER = UINT64_MAX, IS_WAKE = UINT64_MAX - 1;

struct outgoing {
	int fd;
	struct tl_packet *packet;
	union tl_address to; /* none: the socket is aimed */
	struct tl_side_counters *sender, *receiver;
};

struct tl_io {
	struct tl_pool *pool;
	tl_io_packet_fn *on_packet;
	tl_io_soon_fn *on_soon;
	void *user;
	int epoll_fd, timer_fd;
	int64_t timer_us; /* set in the kernel */
	bool went_first;  /* the last wait ended with a wake-up, before any packet */
	/* who was read last, and when */
	int last_fd;
	int64_t last_us;

	struct tl_packet *in[BATCH_IN];
	struct mmsghdr in_head[BATCH_IN];
	struct iovec in_iov[BATCH_IN];

	unsigned n_out;
	struct outgoing out[BATCH_OUT];
	struct mmsghdr out_head[BATCH_OUT];
	struct iovec out_iov[BATCH_OUT];
};

int64_t tl_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int watch(struct tl_io *io, int fd, uint64_t what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = what };

	return epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void place(struct tl_io *io, unsigned i)
{
	io->in[i] = tl_pool_take(io->pool);
	io->in_iov[i] = (struct iovec) { io->in[i]->data, TL_PACKET_BYTES };
	io->in_head[i].msg_hdr = (struct msghdr) {
		.msg_name = &io->in[i]->from,
		.msg_namelen = sizeof io->in[i]->from,
		.msg_iov = &io->in_iov[i],
		.msg_iovlen = 1,
	};
}

int tl_io_new(struct tl_pool *pool, int wake_fd, tl_io_packet_fn *on_packet, tl_io_soon_fn *on_soon,
	      void *user, struct tl_io **ret_io)
{
	struct tl_io *io = g_new0(struct tl_io, 1);
	int r;

	io->pool = pool;
	io->on_packet = on_packet;
	io->on_soon = on_soon;
	io->user = user;
	io->timer_us = INT64_MAX;
	io->last_fd = -1;
	io->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < BATCH_IN; i++)
		place(io, i);
	r = io->timer_fd < 0 || io->epoll_fd < 0 ? -errno : watch(io, io->timer_fd, IS_TIMER);
	if (r == 0)
		r = watch(io, wake_fd, IS_WAKE);
	if (r < 0) {
		tl_io_free(io);
		return r;
	}
	*ret_io = io;
	return 0;
}

void tl_io_free(struct tl_io *io)
{
	if (!io)
		return;
	for (unsigned i = 0; i < BATCH_IN; i++)
		tl_pool_give(io->pool, io->in[i]);
	if (io->timer_fd >= 0)
		close(io->timer_fd);
	if (io->epoll_fd >= 0)
		close(io->epoll_fd);
	g_free(io);
}

int tl_io_open(struct tl_io *io, int fd, uint32_t tag)
{
	return watch(io, fd, (uint64_t)tag << 32 | (uint32_t)fd);
}

void tl_io_close(struct tl_io *io, int fd)
{
	tl_io_flush(io);
	epoll_ctl(io->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int tl_io_aim(struct tl_io *io, int fd, const union tl_address *at)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	tl_io_flush(io); /* what waits was sent by the old rule */
	if (connect(fd, at ? &at->any : &nobody, at ? tl_address_bytes(at) : sizeof nobody) < 0)
		return -errno;
	return 0;
}

TL_HOT(packet) void tl_io_set_timer(struct tl_io *io, int64_t at_us)
{
	struct itimerspec spec = { 0 };

	if (at_us == io->timer_us)
		return;
	io->timer_us = at_us;
	if (at_us != INT64_MAX) {
		spec.it_value.tv_sec = at_us / 1000000;
		spec.it_value.tv_nsec = at_us % 1000000 * 1000;
	}
	/* Setting also takes back an expiry: the timer needs no read. */
	if (timerfd_settime(io->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
		g_debug("timerfd: %s", g_strerror(errno));
}

/* Takes packet, which came from a socket with bytes, or more than it can hold. */
static void deliver(struct tl_io *io, struct tl_packet *packet, size_t bytes, uint32_t tag,
		    int64_t now_us)
{
	/* longer than anything that we take: not a packet */
	packet->bytes = (uint16_t)(bytes > TL_PACKET_BYTES ? 0 : bytes);
	packet->arrived_us = now_us;
	io->on_packet(packet, tag, io->user);
}

TL_HOT(packet) static void receive_one(struct tl_io *io, int fd, uint32_t tag, int64_t now_us)
{
	struct tl_packet *packet = tl_pool_take(io->pool);
	socklen_t from_bytes = sizeof packet->from;
	ssize_t bytes = recvfrom(fd, packet->data, TL_PACKET_BYTES, MSG_DONTWAIT | MSG_TRUNC,
				 &packet->from.any, &from_bytes);

	if (bytes < 0)
		tl_pool_give(io->pool, packet);
	else
		deliver(io, packet, (size_t)bytes, tag, now_us);
}

static void receive_many(struct tl_io *io, int fd, uint32_t tag, int64_t now_us)
{
	int n = recvmmsg(fd, io->in_head, BATCH_IN, MSG_DONTWAIT | MSG_TRUNC, NULL);

	for (unsigned i = 0; (int)i < n; i++) {
		struct tl_packet *packet = io->in[i];
		size_t bytes = io->in_head[i].msg_len;

		place(io, i);
		deliver(io, packet, bytes, tag, now_us);
	}
}

/*
 * Voice comes one packet at a time, and recvmmsg() looks for a second: recvfrom() does without a
 * tenth of a relay's whole work. What is left in a socket makes it readable again: one that is so
 * at once, as with a picture's packets, is read in batches.
 */
static void receive(struct tl_io *io, int fd, uint32_t tag, int64_t now_us)
{
	bool burst = fd == io->last_fd && now_us - io->last_us < BURST_US;

	io->last_fd = fd;
	io->last_us = now_us;
	(burst ? receive_many : receive_one)(io, fd, tag, now_us);
}

/* The system takes its time to hand a packet over: enough to have memory fetched beside it. */
static void announce(struct tl_io *io, const struct epoll_event *events, int i, int n,
		     enum tl_io_soon when)
{
	if (i < n && events[i].data.u64 != IS_WAKE && events[i].data.u64 != IS_TIMER)
		io->on_soon((uint32_t)(events[i].data.u64 >> 32), when, io->user);
}

/* What another thread has told us comes before packets that came after it: they are left to the
 * next wait, but not twice in a row. */
static bool goes_first(struct tl_io *io, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n && !io->went_first; i++)
		if (events[i].data.u64 == IS_WAKE)
			return io->went_first = true;
	return io->went_first = false;
}

TL_HOT(packet) int64_t tl_io_wait(struct tl_io *io, bool *ret_woken)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(io->epoll_fd, events, EVENTS, -1);
	int64_t now_us = tl_now_us();

	*ret_woken = goes_first(io, events, n);
	if (*ret_woken)
		return now_us;
	announce(io, events, 0, n, n > 1 ? TL_IO_SOON : TL_IO_ALONE);
	for (int i = 0; i < n; i++) {
		if (n > 1)
			announce(io, events, i, n, TL_IO_NEXT);
		announce(io, events, i + 1, n, TL_IO_SOON);
		uint64_t what = events[i].data.u64;

		if (what == IS_WAKE)
			*ret_woken = true;
		else if (what == IS_TIMER)
			io->timer_us = -1; /* expired; readable until it is set again */
		else
			receive(io, (int)(what & INT32_MAX), (uint32_t)(what >> 32), now_us);
	}
	return now_us;
}

void tl_io_send(struct tl_io *io, int fd, const union tl_address *to, struct tl_packet *packet,
		struct tl_side_counters *sender, struct tl_side_counters *receiver)
{
	struct outgoing *out;

	if (io->n_out == BATCH_OUT)
		tl_io_flush(io);
	out = &io->out[io->n_out++];
	out->fd = fd;
	out->packet = packet;
	out->sender = sender;
	out->receiver = receiver;
	if (to)
		out->to = *to;
	else
		out->to.any.sa_family = AF_UNSPEC;
}

/* For an aimed socket: NULL and 0. */
static struct sockaddr *name_of(struct outgoing *out, socklen_t *ret_bytes)
{
	bool named = tl_address_is_set(&out->to);

	*ret_bytes = named ? tl_address_bytes(&out->to) : 0;
	return named ? &out->to.any : NULL;
}

static void prepare(struct tl_io *io, unsigned i)
{
	struct outgoing *out = &io->out[i];
	struct msghdr *head = &io->out_head[i].msg_hdr;

	io->out_iov[i] = (struct iovec) { out->packet->data + out->packet->at, out->packet->bytes };
	*head = (struct msghdr) { .msg_iov = &io->out_iov[i], .msg_iovlen = 1 };
	head->msg_name = name_of(out, &head->msg_namelen);
}

static int send_one(struct outgoing *out)
{
	socklen_t name_bytes;
	const struct sockaddr *name = name_of(out, &name_bytes);

	return sendto(out->fd, out->packet->data + out->packet->at, out->packet->bytes,
		      MSG_DONTWAIT, name, name_bytes) < 0
		       ? -1
		       : 1;
}

/* Sends out[from..from+n), all through one socket. Returns how many went. */
TL_HOT(packet) static unsigned send_run(struct tl_io *io, unsigned from, unsigned n)
{
	struct outgoing *out = &io->out[from];
	int sent, tries = 0;

	for (unsigned i = from; n > 1 && i < from + n; i++)
		prepare(io, i);
	/* An aimed socket says by way of the next packet that nobody took one before: once. */
	do
		sent = n == 1 ? send_one(out)
			      : sendmmsg(out->fd, &io->out_head[from], n, MSG_DONTWAIT);
	while (sent < 0 && errno != EAGAIN && tries++ == 0);
	return sent < 0 ? 0 : (unsigned)sent;
}

static void count_sent(const struct outgoing *out, int64_t now_us)
{
	if (!out->sender)
		return;
	tl_counter_add(&out->sender->tx_pkts, 1);
	tl_counter_add(&out->sender->tx_bytes, out->packet->bytes);
	if (out->receiver && out->packet->arrived_us)
		tl_counters_add_delay(out->receiver, now_us - out->packet->arrived_us);
}

TL_HOT(packet) void tl_io_flush(struct tl_io *io)
{
	int64_t now_us;

	if (io->n_out == 0)
		return;
	now_us = tl_now_us();
	for (unsigned i = 0; i < io->n_out;) {
		unsigned n = 1, sent;

		while (i + n < io->n_out && io->out[i + n].fd == io->out[i].fd)
			n++;
		sent = send_run(io, i, n);
		for (unsigned k = i; k < i + sent; k++)
			count_sent(&io->out[k], now_us);
		/* What the socket refused is skipped, like a packet that the network lost. */
		i += sent < n ? sent + 1 : n;
	}
	for (unsigned i = 0; i < io->n_out; i++)
		tl_pool_give(io->pool, io->out[i].packet);
	io->n_out = 0;
}
