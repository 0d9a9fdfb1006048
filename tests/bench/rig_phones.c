#include "rig.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <spandsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Time is cut into slots of a millisecond. In slot s of each 20, the calls whose
 * number is s (modulo 20) send from side A, and those ten further from side B:
 *
 *   slot     0     1     2  ...  10    11        19  |  0
 *   side A  0,20  1,21  2,22    10,30 11,31    19,39 | 0,20
 *   side B 10,30 11,31 12,32     0,20  1,21     9,29 | 10,30
 *
 * Phones with a core of their own do so by quarters of a millisecond and eighties of calls: what
 * they send at once has to wait for each other.
 *
 * A packet of a relay carries when it was sent, taken right before that. When it comes back is
 * the kernel's word: it may then wait here without harm.
 */

enum {
	MS_NS = 1000000,
	SLOTS_A_MS = 1,
	FINE_SLOTS_A_MS = 4,
	LATE_NS = 10000000,
	BATCH = 64,
	HEAD_BYTES = 12,
	PACKET_BYTES = 768,
	CONTROL_BYTES = 64,
	DELAYS_MAX = 1 << 20,
	DELAY_MAX_NS = 1000000000,
};

struct listener {                       /* one side of one call */
	uint16_t port;                  /* of the gateway */
	uint32_t frame;                 /* next to send */
	uint32_t received, first, last; /* extended sequence numbers in the window */
	bool heard;
	int64_t marker_sent_ns; /* by this side; 0: heard already */
};

struct phones {
	const struct rig_load *load;
	const struct rig_loop *loop[2];
	unsigned slots_a_ms, slots; /* in all: of a packet's time */
	bool timed_packets;         /* a relay: payloads carry the time */
	bool measuring;
	struct listener calls[RIG_CALLS_MAX][2];
	struct rig_sealer *sealers[RIG_CALLS_MAX]; /* of side B's phones; NULL: plain */
	struct {
		uint16_t call;
		bool known;
	} by_port[UINT16_MAX + 1];
	struct rig_phones_report report;
	uint32_t *delays_us;
	size_t n_delays;
	uint32_t *lates_us; /* a slot of the window */
	size_t n_lates;

	struct mmsghdr messages[BATCH];
	struct iovec spans[BATCH];
	struct sockaddr_in addresses[BATCH];
	uint8_t packets[BATCH][PACKET_BYTES];
	uint8_t controls[BATCH][CONTROL_BYTES];
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void put_be(uint8_t *at, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0) {
		at[bytes] = value & 0xff;
		value >>= 8;
	}
}

static size_t write_packet(struct phones *ph, unsigned call, unsigned side, uint8_t *packet,
			   int64_t sent_ns)
{
	struct listener *me = &ph->calls[call][side];
	const struct rig_loop *loop = ph->loop[side];
	unsigned at = me->frame % RIG_LOOP_FRAMES;
	size_t bytes = loop->frames[at].bytes;

	packet[0] = 0x80;
	packet[1] = loop->pt;
	put_be(packet + 2, me->frame & 0xffff, 2);
	put_be(packet + 4, me->frame * loop->rtp_step, 4);
	put_be(packet + 8, 0x10000 + call * 2 + side, 4);
	memcpy(packet + HEAD_BYTES, loop->frames[at].payload, bytes);
	if (ph->timed_packets)
		memcpy(packet + HEAD_BYTES, &sent_ns, sizeof sent_ns);
	else if (at % RIG_MARKER_EVERY == RIG_MARKER_FRAME)
		me->marker_sent_ns = sent_ns;
	me->frame++;
	if (side == 1 && ph->sealers[call])
		return rig_seal(ph->sealers[call], packet, HEAD_BYTES + bytes);
	return HEAD_BYTES + bytes;
}

static void say(struct phones *ph, unsigned call, unsigned side)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(ph->calls[call][side].port) };
	uint8_t packet[PACKET_BYTES];
	size_t bytes = write_packet(ph, call, side, packet, now_ns(CLOCK_REALTIME));

	sendto(ph->load->phone_fds[side][call % RIG_SOCKETS], packet, bytes, 0,
	       (struct sockaddr *)&to, sizeof to);
	ph->report.sent_pkts += ph->measuring;
}

/* What the calls of one slot say. */
static void say_all(struct phones *ph, unsigned side, unsigned slot)
{
	unsigned first = (slot + (side ? ph->slots / 2 : 0)) % ph->slots;

	for (unsigned call = first; call < ph->load->calls; call += ph->slots)
		say(ph, call, side);
}

static int64_t arrival_ns(struct msghdr *head)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof ts);
		return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
	}
	return now_ns(CLOCK_REALTIME);
}

static void keep_delay(struct phones *ph, int64_t delay_ns)
{
	if (ph->measuring && delay_ns >= 0 && delay_ns < DELAY_MAX_NS && ph->n_delays < DELAYS_MAX)
		ph->delays_us[ph->n_delays++] = (uint32_t)(delay_ns / 1000);
}

/* The burst that side B sent, in the A-law that side A hears. */
static void listen_for_marker(struct phones *ph, struct listener *sender, const uint8_t *payload,
			      size_t bytes, int64_t at_ns)
{
	if (sender->marker_sent_ns == 0)
		return;
	for (size_t i = 0; i < bytes; i++) {
		if (abs(alaw_to_linear(payload[i])) < RIG_MARKER_LEVEL)
			continue;
		keep_delay(ph, at_ns + (int64_t)i * 125000 - sender->marker_sent_ns);
		sender->marker_sent_ns = 0;
		return;
	}
}

static void count(struct phones *ph, struct listener *me, uint16_t seq)
{
	int16_t ahead = (int16_t)(seq - (uint16_t)me->last);

	if (!ph->measuring)
		return;
	if (!me->heard) {
		me->heard = true;
		me->first = me->last = seq;
	} else if (ahead > 0) {
		me->last += (uint16_t)ahead;
	}
	me->received++;
	ph->report.received_pkts++;
}

static void hear(struct phones *ph, unsigned side, uint8_t *packet, size_t bytes,
		 const struct sockaddr_in *from, int64_t at_ns)
{
	uint16_t port = ntohs(from->sin_port);
	unsigned call = ph->by_port[port].call;
	int64_t sent_ns;

	if (!ph->by_port[port].known || bytes <= HEAD_BYTES ||
	    (packet[1] & 0x7f) != ph->loop[side]->pt)
		return; /* RTCP comes from ports that we don't know */
	if (side == 1 && ph->sealers[call]) {
		bytes = rig_unseal(ph->sealers[call], packet, bytes);
		if (bytes <= HEAD_BYTES)
			return; /* counts as lost */
	}
	count(ph, &ph->calls[call][side], (uint16_t)(packet[2] << 8 | packet[3]));
	if (ph->timed_packets && bytes >= HEAD_BYTES + sizeof sent_ns) {
		memcpy(&sent_ns, packet + HEAD_BYTES, sizeof sent_ns);
		keep_delay(ph, at_ns - sent_ns);
	} else if (!ph->timed_packets && side == 0) {
		listen_for_marker(ph, &ph->calls[call][1], packet + HEAD_BYTES, bytes - HEAD_BYTES,
				  at_ns);
	}
}

static void receive_at(struct phones *ph, unsigned side, int fd)
{
	int n;

	do {
		for (unsigned i = 0; i < BATCH; i++) {
			ph->spans[i] = (struct iovec) { ph->packets[i], PACKET_BYTES };
			ph->messages[i].msg_hdr = (struct msghdr) {
				.msg_name = &ph->addresses[i],
				.msg_namelen = sizeof ph->addresses[i],
				.msg_iov = &ph->spans[i],
				.msg_iovlen = 1,
				.msg_control = ph->controls[i],
				.msg_controllen = CONTROL_BYTES,
			};
		}
		n = recvmmsg(fd, ph->messages, BATCH, 0, NULL);
		for (int i = 0; i < n; i++)
			hear(ph, side, ph->packets[i], ph->messages[i].msg_len, &ph->addresses[i],
			     arrival_ns(&ph->messages[i].msg_hdr));
	} while (n == BATCH);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorts. */
static uint32_t at_share(uint32_t *values, size_t n, unsigned percent)
{
	qsort(values, n, sizeof *values, compare);
	return n ? values[MIN(n * percent / 100, n - 1)] : 0;
}

/* Gaps in the sequence; or, where a stream ended or never began, what is missing of the window. */
static void finish(struct phones *ph)
{
	uint32_t wanted = ph->load->window_ms / RIG_FRAME_MS;

	for (unsigned i = 0; i < ph->load->calls * 2; i++) {
		const struct listener *me = &ph->calls[i / 2][i % 2];
		uint32_t gaps = me->heard ? me->last - me->first + 1 - me->received : 0;
		uint32_t missing = wanted > me->received + 3 ? wanted - me->received : 0;

		ph->report.lost_pkts += MAX((int32_t)MAX(gaps, missing), 0);
	}
	ph->report.late_p99_us = at_share(ph->lates_us, ph->n_lates, 99);
	ph->report.delay_p50_us = at_share(ph->delays_us, ph->n_delays, 50);
	ph->report.delay_p99_us = at_share(ph->delays_us, ph->n_delays, 99);
	ph->report.delay_max_us = at_share(ph->delays_us, ph->n_delays, 100);
}

static struct phones *prepare(const struct rig_load *load, const uint16_t (*ports)[2])
{
	struct phones *ph = g_new0(struct phones, 1);

	ph->load = load;
	ph->loop[0] = rig_loop_get("PCMA");
	ph->loop[1] = rig_loop_get(load->codec);
	ph->timed_packets = ph->loop[0] == ph->loop[1];
	ph->delays_us = g_new(uint32_t, DELAYS_MAX);
	ph->slots_a_ms = load->apart ? FINE_SLOTS_A_MS : SLOTS_A_MS;
	ph->slots = ph->slots_a_ms * RIG_FRAME_MS;
	ph->lates_us = g_new(uint32_t, (size_t)load->window_ms * ph->slots_a_ms);
	for (unsigned call = 0; call < load->calls; call++) {
		if (load->suite != TL_SRTP_NONE)
			ph->sealers[call] = rig_sealer_new(load->suite, true);
		if (load->keys[call].suite != TL_SRTP_NONE)
			rig_sealer_expect(ph->sealers[call], &load->keys[call]);
		for (unsigned side = 0; side < 2; side++) {
			uint16_t port = ports[call][side];

			ph->calls[call][side].port = port;
			ph->calls[call][side].frame = call * 7; /* not all loud at once */
			ph->by_port[port].call = (uint16_t)call;
			ph->by_port[port].known = true;
		}
	}
	return ph;
}

static void note_lateness(struct phones *ph, int64_t late_ns)
{
	if (!ph->measuring)
		return;
	ph->lates_us[ph->n_lates++] = (uint32_t)(MIN(late_ns, DELAY_MAX_NS) / 1000);
	ph->report.late_slots += late_ns > LATE_NS;
}

void rig_phones(const struct rig_load *load, const uint16_t (*ports)[2], int fd)
{
	struct phones *ph = prepare(load, ports);
	int64_t begin_ns = now_ns(CLOCK_MONOTONIC);
	unsigned warm = load->warm_ms * ph->slots_a_ms;
	unsigned slots = warm + load->window_ms * ph->slots_a_ms;
	char byte = 0;

	for (unsigned slot = 0; slot < slots; slot++) {
		int64_t due_ns = begin_ns + (int64_t)slot * MS_NS / ph->slots_a_ms;
		struct timespec due = { due_ns / 1000000000, due_ns % 1000000000 };

		if (slot == warm) {
			rig_write(fd, &byte, 1);
			ph->measuring = true;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		note_lateness(ph, now_ns(CLOCK_MONOTONIC) - due_ns);
		for (unsigned side = 0; side < 2; side++) {
			say_all(ph, side, slot % ph->slots);
			for (unsigned i = 0; i < RIG_SOCKETS && slot % ph->slots_a_ms == 0; i++)
				receive_at(ph, side, load->phone_fds[side][i]);
		}
	}
	rig_write(fd, &byte, 1);
	ph->measuring = false;
	finish(ph);
	rig_write(fd, &ph->report, sizeof ph->report);
	g_free(ph->delays_us);
	g_free(ph->lates_us);
	g_free(ph);
}
