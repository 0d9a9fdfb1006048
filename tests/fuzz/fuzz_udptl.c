/*
 * What strangers can send to a port that awaits fax: datagrams through UDPTL
 * with its recovery, and what comes out of it into spandsp's gateway, whose
 * modems run meanwhile. The first byte says what was agreed upon; then come
 * datagrams, each behind one byte of length and one of time.
 */
#include <stdlib.h>
#include <string.h>

#include "media/fax/fax_gateway.h"
#include "media/fax/udptl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FRAME = 160, TICKS_MAX = 400 };

struct bench {
	struct tl_udptl *udptl;
	struct tl_fax_gateway *gateway;
	unsigned version, ticks;
};

static void expect(bool true_always)
{
	if (!true_always)
		abort();
}

static void on_ifp_out(const uint8_t *ifp, size_t bytes, unsigned copies, void *user)
{
	struct bench *b = user;
	uint8_t datagram[TL_UDPTL_BYTES];

	expect(copies > 0 && bytes > 0 && bytes <= TL_IFP_BYTES);
	expect(tl_udptl_write(b->udptl, ifp, bytes, datagram) <= sizeof datagram);
}

static void on_ifp_in(const uint8_t *ifp, size_t bytes, unsigned lost, void *user)
{
	struct bench *b = user;

	expect(tl_ifp_measure(ifp, bytes, b->version) == (int)bytes);
	tl_fax_gateway_take(b->gateway, ifp, bytes, lost);
}

static void tick(struct bench *b)
{
	int16_t pcm[FRAME] = { 0 };

	if (b->ticks++ >= TICKS_MAX)
		return;
	tl_fax_gateway_rx(b->gateway, pcm, FRAME);
	tl_fax_gateway_tx(b->gateway, pcm, FRAME);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tl_t38 agreed = tl_t38_ours();
	struct bench b = { 0 };

	if (n < 1)
		return 0;
	agreed.recovery = (enum tl_t38_recovery)(data[0] % 3);
	agreed.version = b.version = data[0] & 0x10 ? 1 : 0;
	agreed.max_datagram_bytes = data[0] & 0x20 ? 100 : 0;
	b.udptl = tl_udptl_new(&agreed);
	expect(tl_fax_gateway_new(&agreed, on_ifp_out, &b, &b.gateway) == 0);
	for (data++, n--; n >= 2;) {
		size_t bytes = data[0] < n - 2 ? data[0] : n - 2;
		/* Of its own, so that a sanitizer sees a read beyond its end. */
		uint8_t *datagram = malloc(bytes + 1);

		for (unsigned ticks = data[1] % 16; ticks > 0; ticks--)
			tick(&b);
		memcpy(datagram, data + 2, bytes);
		tl_udptl_read(b.udptl, datagram, bytes, on_ifp_in, &b);
		free(datagram);
		data += 2 + bytes;
		n -= 2 + bytes;
	}
	tl_fax_gateway_free(b.gateway);
	tl_udptl_free(b.udptl);
	return 0;
}
