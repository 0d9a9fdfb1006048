#include "media/fax/udptl.h"

#include <glib.h>
#include <string.h>

#include "media/cursor.h"

enum {
	LATE_MAX = 16,        /* packets; later than that it is another stream */
	KEPT = 32,            /* packets kept, each way: a power of two */
	SPANNED_MAX = 16,     /* packets that parity may cover */
	SECONDARIES_MAX = 16, /* of a peer's datagram: more of them say nothing new */
	SECONDARIES = 3,      /* of ours */
	SPAN = 3,
	ENTRIES = 3, /* of our parity: a loss of three in a row comes back */
	FEC_BIT = 0x80,
	HEADER_BYTES = 8, /* number, lengths, counts */
	ODD_SEQ = 0x8000, /* a stream begins below it; RTP that comes late does not */
};

struct kept {
	bool there;
	uint16_t seq, bytes;
	uint8_t ifp[TL_IFP_BYTES];
};

struct parity {
	unsigned span, entries;
	uint16_t bytes[SPANNED_MAX];
	const uint8_t *data[SPANNED_MAX];
};

struct tl_udptl {
	struct tl_t38 agreed;
	bool begun;
	uint16_t next; /* number expected */
	bool has_odd;  /* the last one was out of all order */
	uint16_t odd;  /* what would follow it */
	struct kept in[KEPT];
	uint16_t out_seq; /* of our next one */
	struct kept out[KEPT];
};

/* A datagram, read. */
struct datagram {
	uint16_t seq;
	const uint8_t *primary;
	size_t bytes;
	size_t n_secondaries;
	struct {
		const uint8_t *ifp;
		size_t bytes;
	} secondaries[SECONDARIES_MAX];
	struct parity parity;
};

struct tl_udptl *tl_udptl_new(const struct tl_t38 *agreed)
{
	struct tl_udptl *udptl = g_new0(struct tl_udptl, 1);

	udptl->agreed = *agreed;
	return udptl;
}

void tl_udptl_free(struct tl_udptl *udptl)
{
	g_free(udptl);
}

void tl_udptl_configure(struct tl_udptl *udptl, const struct tl_t38 *agreed)
{
	udptl->agreed = *agreed;
}

/* --- reading --- */

/* PER's length (X.691 10.9): one byte below 128, two below 16384; longer ones come in fragments,
 * which no datagram has room for. */
static int take_length(struct tl_cursor *c, size_t *ret_length)
{
	uint8_t high, low;

	if (tl_take_u8(c, &high) < 0)
		return -EBADMSG;
	*ret_length = high;
	if (!(high & 0x80))
		return 0;
	if (high & 0x40 || tl_take_u8(c, &low) < 0)
		return -EBADMSG;
	*ret_length = (size_t)(high & 0x3f) << 8 | low;
	return 0;
}

static int take_open(struct tl_cursor *c, const uint8_t **ret_data, size_t *ret_bytes)
{
	if (take_length(c, ret_bytes) < 0)
		return -EBADMSG;
	return tl_take_span(c, *ret_bytes, ret_data);
}

static int read_secondaries(struct tl_cursor *c, struct datagram *d)
{
	size_t count, bytes;
	const uint8_t *ifp;

	if (take_length(c, &count) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		if (take_open(c, &ifp, &bytes) < 0)
			return -EBADMSG;
		if (i >= SECONDARIES_MAX)
			continue;
		d->secondaries[i].ifp = ifp;
		d->secondaries[i].bytes = bytes;
		d->n_secondaries = i + 1;
	}
	return 0;
}

static int read_parity(struct tl_cursor *c, struct parity *parity)
{
	size_t entries, bytes;
	const uint8_t *data;
	uint8_t length, span;

	if (tl_take_u8(c, &length) < 0 || length != 1 || tl_take_u8(c, &span) < 0 ||
	    take_length(c, &entries) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < entries; i++) {
		if (take_open(c, &data, &bytes) < 0)
			return -EBADMSG;
		if (i >= SPANNED_MAX)
			continue;
		parity->data[i] = data;
		parity->bytes[i] = (uint16_t)MIN(bytes, (size_t)TL_IFP_BYTES);
	}
	if (span * entries <= SPANNED_MAX) { /* else it reaches farther back than we do */
		parity->span = span;
		parity->entries = (unsigned)entries;
	}
	return 0;
}

static int read_datagram(const uint8_t *data, size_t n, struct datagram *d)
{
	struct tl_cursor c = { data, n };
	uint8_t recovery;

	if (tl_take_be16(&c, &d->seq) < 0 || take_open(&c, &d->primary, &d->bytes) < 0)
		return -EBADMSG;
	if (c.left == 0)
		return 0; /* some leave out an empty rest */
	if (tl_take_u8(&c, &recovery) < 0)
		return -EBADMSG;
	return recovery & FEC_BIT ? read_parity(&c, &d->parity) : read_secondaries(&c, d);
}

static struct kept *slot(struct kept *ring, uint16_t seq)
{
	return &ring[seq % KEPT];
}

static const struct kept *find(struct kept *ring, uint16_t seq)
{
	const struct kept *kept = slot(ring, seq);

	return kept->there && kept->seq == seq ? kept : NULL;
}

static void keep(struct kept *ring, uint16_t seq, const uint8_t *ifp, size_t bytes)
{
	struct kept *kept = slot(ring, seq);

	kept->there = true;
	kept->seq = seq;
	kept->bytes = (uint16_t)bytes;
	memcpy(kept->ifp, ifp, bytes);
}

static bool keep_checked(struct tl_udptl *udptl, uint16_t seq, const uint8_t *ifp, size_t n)
{
	int bytes = tl_ifp_measure(ifp, n, udptl->agreed.version);

	if (bytes < 0)
		return false;
	keep(udptl->in, seq, ifp, (size_t)bytes);
	return true;
}

/* The one packet of a parity's that is missing. False: none, or several. */
static bool find_missing(struct tl_udptl *udptl, uint16_t first, const struct parity *parity,
			 uint16_t *ret_seq)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < parity->span; i++) {
		uint16_t seq = (uint16_t)(first + i * parity->entries);

		if (find(udptl->in, seq))
			continue;
		*ret_seq = seq;
		missing++;
	}
	return missing == 1;
}

/* Parity m of datagram seq. */
static void recover(struct tl_udptl *udptl, uint16_t seq, const struct parity *parity, unsigned m)
{
	uint16_t first = (uint16_t)(seq - parity->span * parity->entries + m), lost;
	uint8_t ifp[TL_IFP_BYTES];

	if (!find_missing(udptl, first, parity, &lost) || (int16_t)(lost - udptl->next) < 0)
		return;
	memcpy(ifp, parity->data[m], parity->bytes[m]);
	for (unsigned i = 0; i < parity->span; i++) {
		const struct kept *other = find(udptl->in, (uint16_t)(first + i * parity->entries));

		for (unsigned k = 0; other && k < MIN(other->bytes, parity->bytes[m]); k++)
			ifp[k] ^= other->ifp[k];
	}
	(void)keep_checked(udptl, lost, ifp, parity->bytes[m]);
}

/* Is it where the stream is? Far off it counts when another follows it. */
static bool is_in_order(struct tl_udptl *udptl, uint16_t seq)
{
	int ahead = (int16_t)(seq - udptl->next);
	bool follows = udptl->has_odd && seq == udptl->odd;

	if (udptl->begun ? ahead > -LATE_MAX && ahead < TL_UDPTL_GAP : seq < ODD_SEQ) {
		udptl->has_odd = false;
		return true;
	}
	udptl->has_odd = true;
	udptl->odd = (uint16_t)(seq + 1);
	if (!follows)
		return false;
	udptl->begun = udptl->has_odd = false;
	return true;
}

static void begin(struct tl_udptl *udptl, uint16_t seq)
{
	udptl->begun = true;
	udptl->next = seq;
	memset(udptl->in, 0, sizeof udptl->in);
}

/* All that has come or come back, up to the number seq. */
static int hand_out(struct tl_udptl *udptl, uint16_t seq, tl_udptl_fn *on_ifp, void *user)
{
	unsigned lost = 0;
	int n = 0;

	for (uint16_t at = udptl->next; at != (uint16_t)(seq + 1); at++) {
		const struct kept *kept = find(udptl->in, at);

		if (!kept) {
			lost++;
			continue;
		}
		on_ifp(kept->ifp, kept->bytes, lost, user);
		lost = 0;
		n++;
	}
	udptl->next = (uint16_t)(seq + 1);
	return n;
}

static int read_checked(const struct tl_udptl *udptl, const uint8_t *data, size_t n,
			struct datagram *d)
{
	if (read_datagram(data, n, d) < 0 ||
	    tl_ifp_measure(d->primary, d->bytes, udptl->agreed.version) < 0)
		return -EBADMSG;
	return 0;
}

int tl_udptl_check(const struct tl_udptl *udptl, const uint8_t *data, size_t n)
{
	struct datagram d = { 0 };

	if (read_checked(udptl, data, n, &d) < 0 || (!udptl->begun && d.seq >= ODD_SEQ))
		return -EBADMSG;
	return 0;
}

int tl_udptl_read(struct tl_udptl *udptl, const uint8_t *data, size_t n, tl_udptl_fn *on_ifp,
		  void *user)
{
	struct datagram d = { 0 };

	if (read_checked(udptl, data, n, &d) < 0 || !is_in_order(udptl, d.seq))
		return -EBADMSG;
	if (!udptl->begun)
		begin(udptl, d.seq);
	if ((int16_t)(d.seq - udptl->next) < 0)
		return 0; /* a repeat, or so late that its turn has passed */
	(void)keep_checked(udptl, d.seq, d.primary, d.bytes);
	for (size_t i = 0; i < d.n_secondaries; i++) {
		uint16_t seq = (uint16_t)(d.seq - 1 - i);

		if ((int16_t)(seq - udptl->next) >= 0 && !find(udptl->in, seq))
			(void)keep_checked(udptl, seq, d.secondaries[i].ifp,
					   d.secondaries[i].bytes);
	}
	for (unsigned m = 0; m < d.parity.entries; m++)
		recover(udptl, d.seq, &d.parity, m);
	return hand_out(udptl, d.seq, on_ifp, user);
}

/* --- writing --- */

static size_t length_bytes(size_t length)
{
	return length < 128 ? 1 : 2;
}

static uint8_t *put_open(uint8_t *to, const uint8_t *data, size_t bytes)
{
	if (bytes < 128)
		*to++ = (uint8_t)bytes;
	else
		to = tl_put_be16(to, (uint16_t)(0x8000 | bytes));
	memcpy(to, data, bytes);
	return to + bytes;
}

static size_t room(const struct tl_udptl *udptl)
{
	size_t theirs = udptl->agreed.max_datagram_bytes;

	return theirs ? MIN(theirs, (size_t)TL_UDPTL_BYTES) : TL_UDPTL_BYTES;
}

/* As many as there is room for, the latest first. */
static uint8_t *put_secondaries(struct tl_udptl *udptl, uint16_t seq, uint8_t *start, uint8_t *to)
{
	uint8_t *count = to + 1;

	to[0] = 0;
	to[1] = 0;
	to += 2;
	for (unsigned i = 1; i <= SECONDARIES; i++) {
		const struct kept *kept = find(udptl->out, (uint16_t)(seq - i));

		if (!kept ||
		    (size_t)(to - start) + length_bytes(kept->bytes) + kept->bytes > room(udptl))
			break;
		to = put_open(to, kept->ifp, kept->bytes);
		(*count)++;
	}
	return to;
}

/* The parity of SPAN packets from the number first on; its length, 0 when one is not there. */
static size_t make_parity(struct tl_udptl *udptl, uint16_t first, uint8_t *parity)
{
	size_t bytes = 0;

	memset(parity, 0, TL_IFP_BYTES);
	for (unsigned i = 0; i < SPAN; i++) {
		const struct kept *kept = find(udptl->out, (uint16_t)(first + i * ENTRIES));

		if (!kept)
			return 0;
		for (unsigned k = 0; k < kept->bytes; k++)
			parity[k] ^= kept->ifp[k];
		bytes = MAX(bytes, (size_t)kept->bytes);
	}
	return bytes;
}

/* All of them or none: their places say what they cover. */
static uint8_t *put_parity(struct tl_udptl *udptl, uint16_t seq, uint8_t *start, uint8_t *to)
{
	uint8_t parity[ENTRIES][TL_IFP_BYTES];
	size_t bytes[ENTRIES], all = (size_t)(to - start) + HEADER_BYTES;
	bool fits = true;

	for (unsigned m = 0; m < ENTRIES; m++) {
		bytes[m] = make_parity(udptl, (uint16_t)(seq - SPAN * ENTRIES + m), parity[m]);
		fits = fits && bytes[m];
		all += bytes[m] + length_bytes(bytes[m]);
	}
	fits = fits && all <= room(udptl);
	*to++ = FEC_BIT;
	*to++ = 1;
	*to++ = fits ? SPAN : 0;
	*to++ = fits ? ENTRIES : 0;
	for (unsigned m = 0; fits && m < ENTRIES; m++)
		to = put_open(to, parity[m], bytes[m]);
	return to;
}

size_t tl_udptl_write(struct tl_udptl *udptl, const uint8_t *ifp, size_t bytes, uint8_t *data)
{
	uint16_t seq = udptl->out_seq++;
	uint8_t *to = tl_put_be16(data, seq);

	to = put_open(to, ifp, bytes);
	switch (udptl->agreed.recovery) {
	case TL_T38_RECOVERY_NONE:
		*to++ = 0;
		*to++ = 0;
		break;
	case TL_T38_RECOVERY_REDUNDANCY:
		to = put_secondaries(udptl, seq, data, to);
		break;
	case TL_T38_RECOVERY_FEC:
		to = put_parity(udptl, seq, data, to);
		break;
	}
	keep(udptl->out, seq, ifp, bytes);
	return (size_t)(to - data);
}

void tl_udptl_skip(struct tl_udptl *udptl, unsigned lost)
{
	udptl->out_seq = (uint16_t)(udptl->out_seq + lost);
}
