#include "media/worker/io.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256,  /* ready sockets a wait */
	BATCH_IN = 16, /* packets a receive */
	ROUNDS = 4,    /* receives a socket and wait: no socket starves the others */
	BATCH_OUT = 256,
};

/* What epoll tells us back: a socket as tag and descriptor, or one of these. */
static const uint64_t IS_TIMER = UINT64_MAX, IS_WAKE = UINT64_MAX - 1;

struct outgoing {
	int fd;
	struct tl_packet *packet;
	union tl_address to;
	struct tl_side_counters *sender, *receiver;
};

struct tl_io {
	struct tl_pool *pool;
	tl_io_packet_fn *on_packet;
	tl_io_soon_fn *on_soon;
	void *user;
	int epoll_fd, timer_fd;
	int64_t timer_us; /* set in the kernel */

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

void tl_io_set_timer(struct tl_io *io, int64_t at_us)
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

static void deliver(struct tl_io *io, unsigned i, uint32_t tag, int64_t now_us)
{
	struct tl_packet *packet = io->in[i];

	packet->bytes = (uint16_t)io->in_head[i].msg_len;
	packet->arrived_us = now_us;
	if (io->in_head[i].msg_hdr.msg_flags & MSG_TRUNC)
		packet->bytes = 0; /* longer than anything that we take: not a packet */
	place(io, i);
	io->on_packet(packet, tag, io->user);
}

static void drain(struct tl_io *io, int fd, uint32_t tag, int64_t now_us)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		int n = recvmmsg(fd, io->in_head, BATCH_IN, MSG_DONTWAIT, NULL);

		for (int i = 0; i < n; i++)
			deliver(io, (unsigned)i, tag, now_us);
		if (n < BATCH_IN)
			return;
	}
}

/* The system takes its time to hand a packet over: enough to have memory fetched beside it. */
static void announce(struct tl_io *io, const struct epoll_event *events, int i, int n, bool near)
{
	if (i < n && events[i].data.u64 != IS_WAKE && events[i].data.u64 != IS_TIMER)
		io->on_soon((uint32_t)(events[i].data.u64 >> 32), near, io->user);
}

int64_t tl_io_wait(struct tl_io *io, bool *ret_woken)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(io->epoll_fd, events, EVENTS, -1);
	int64_t now_us = tl_now_us();

	*ret_woken = false;
	announce(io, events, 0, n, false);
	for (int i = 0; i < n; i++) {
		announce(io, events, i, n, true);
		announce(io, events, i + 1, n, false);
		uint64_t what = events[i].data.u64;

		if (what == IS_WAKE)
			*ret_woken = true;
		else if (what == IS_TIMER)
			io->timer_us = -1; /* expired; readable until it is set again */
		else
			drain(io, (int)(what & INT32_MAX), (uint32_t)(what >> 32), now_us);
	}
	return now_us;
}

void tl_io_send(struct tl_io *io, int fd, const union tl_address *to, struct tl_packet *packet,
		struct tl_side_counters *sender, struct tl_side_counters *receiver)
{
	if (io->n_out == BATCH_OUT)
		tl_io_flush(io);
	io->out[io->n_out++] = (struct outgoing) { fd, packet, *to, sender, receiver };
}

static void prepare(struct tl_io *io, unsigned i)
{
	struct outgoing *out = &io->out[i];

	io->out_iov[i] = (struct iovec) { out->packet->data + out->packet->at, out->packet->bytes };
	io->out_head[i].msg_hdr = (struct msghdr) {
		.msg_name = &out->to,
		.msg_namelen = tl_address_bytes(&out->to),
		.msg_iov = &io->out_iov[i],
		.msg_iovlen = 1,
	};
}

/* Sends out[from..from+n), all through one socket. Returns how many went. */
static unsigned send_run(struct tl_io *io, unsigned from, unsigned n)
{
	struct outgoing *out = &io->out[from];
	int sent;

	if (n == 1)
		return sendto(out->fd, out->packet->data + out->packet->at, out->packet->bytes,
			      MSG_DONTWAIT, &out->to.any, tl_address_bytes(&out->to)) >= 0;
	for (unsigned i = from; i < from + n; i++)
		prepare(io, i);
	sent = sendmmsg(out->fd, &io->out_head[from], n, MSG_DONTWAIT);
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

void tl_io_flush(struct tl_io *io)
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
