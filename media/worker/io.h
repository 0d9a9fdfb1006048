#pragma once
/*
 * A worker's door to the network, and all that a worker waits on: sockets,
 * wake-ups from other threads, one timer. Packets come in by callback and go
 * out in batches, so that another kernel interface than epoll can stand behind
 * the same few calls. One thread, except where noted. Private to media/.
 */
#include "media/rtp/packet.h"
#include "media/stats.h"

struct tl_io;

/* Takes packet; tag is the socket's. */
typedef void tl_io_packet_fn(struct tl_packet *packet, uint32_t tag, void *user);

/* Packets of the socket with this tag are about to come. Of several sockets each is announced
 * twice. */
enum tl_io_soon {
	TL_IO_SOON,  /* as early as may be */
	TL_IO_NEXT,  /* right before they are read */
	TL_IO_ALONE, /* the same, and no other socket has any */
};
typedef void tl_io_soon_fn(uint32_t tag, enum tl_io_soon when, void *user);

/* 0 or -errno. Lends pool. wake_fd: readable when another thread wants us. */
int tl_io_new(struct tl_pool *pool, int wake_fd, tl_io_packet_fn *on_packet, tl_io_soon_fn *on_soon,
	      void *user, struct tl_io **ret_io);
void tl_io_free(struct tl_io *io); /* NULL ok */

int tl_io_open(struct tl_io *io, int fd, uint32_t tag); /* lends fd */
/* After this no packet of fd is delivered, and none is waiting to be sent. */
void tl_io_close(struct tl_io *io, int fd);
/*
 * From now on fd is between us and at alone: the system drops what comes from elsewhere, and what
 * goes there needs no look for the way each time. NULL: for everybody again. fd keeps its port only
 * if that was asked for by number. 0 or -errno.
 */
int tl_io_aim(struct tl_io *io, int fd, const union tl_address *at);
/* Wakes up at this time (monotonic); INT64_MAX: not by time. */
void tl_io_set_timer(struct tl_io *io, int64_t at_us);

/* Waits, then delivers the packets that came. Returns the time after waiting; *ret_woken: wake_fd
 * is readable, and whatever it is for comes before packets that are still to be delivered. */
int64_t tl_io_wait(struct tl_io *io, bool *ret_woken);

/* Takes packet: bytes from at on go to `to` (NULL: where fd is aimed at) through fd with the next
 * flush. Counted as sent by sender, and if it has an arrival time its delay as one of receiver's;
 * both NULL: not counted. */
void tl_io_send(struct tl_io *io, int fd, const union tl_address *to, struct tl_packet *packet,
		struct tl_side_counters *sender, struct tl_side_counters *receiver);
void tl_io_flush(struct tl_io *io);

int64_t tl_now_us(void); /* monotonic; any thread */
