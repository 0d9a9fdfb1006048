/*
 * Payloads that a peer may send, into every decoder, through to an encoder:
 *
 *   byte 0: codec row in    byte 1: codec row out    byte 2: flags
 *   then packets: two bytes of length, the payload (the last may be cut short)
 *
 * A length with the highest bit set is a hole, to be filled with the next
 * packet at hand or without.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

#include "media/chain/chain.h"

enum { FLAG_TAP = 1, FLAG_SWITCH = 2, FLAG_OCTET_ALIGN = 4, FLAG_PTIME_40 = 8, HOLE = 0x8000 };

static size_t bytes_out;

static void on_packet(const uint8_t *payload, size_t bytes, uint32_t duration, void *user)
{
	/* Reads all, so that a sanitizer sees what was not written. */
	for (size_t i = 0; i < bytes; i++)
		bytes_out += payload[i];
}

static void on_pcm(int16_t *pcm, size_t samples, unsigned rate_hz, bool concealed, void *user)
{
	for (size_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)(pcm[i] / 2);
}

static const struct tl_codec *pick_row(unsigned number)
{
	size_t n = 0;

	while (tl_codec_row(n))
		n++;
	return tl_codec_row(number % n);
}

static void push_all(struct tl_chain *chain, const struct tl_format *format, unsigned flags,
		     const uint8_t *data, size_t bytes)
{
	for (unsigned turn = 0; bytes >= 2; turn++) {
		size_t head = (size_t)data[0] << 8 | data[1];
		size_t n = MIN(head & ~(size_t)HOLE, bytes - 2);
		/* Of its exact size, so that a read past the end is seen. */
		g_autofree uint8_t *payload = g_memdup2(data + 2, n);

		if (flags & FLAG_SWITCH)
			tl_chain_set_tap(chain, turn % 3 ? NULL : on_pcm);
		tl_format_duration(format, payload, n);
		if (head & HOLE && turn % 4 == 3)
			tl_chain_noise(chain, payload, n, 20);
		else if (head & HOLE)
			tl_chain_recover(chain, (unsigned)n % 200, payload, n);
		else if (tl_chain_push(chain, payload, n) == -EPIPE)
			abort(); /* nothing that a peer sends may break a chain */
		data += 2 + n;
		bytes -= 2 + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static bool ready;
	struct tl_format in = { 0 }, out = { 0 };
	struct tl_chain *chain;

	if (!ready && tl_codec_init() < 0)
		abort();
	ready = true;
	if (bytes < 3)
		return 0;
	in.codec = pick_row(data[0]);
	out.codec = pick_row(data[1]);
	if (data[2] & FLAG_OCTET_ALIGN)
		g_strlcpy(in.fmtp, "octet-align=1;mode=20", sizeof in.fmtp);
	if (!tl_codec_can_transcode(in.codec) || !tl_codec_can_transcode(out.codec)) {
		tl_format_duration(&in, data + 3, bytes - 3);
		return 0;
	}
	if (tl_chain_new(&(struct tl_chain_cfg) { .in = &in,
						  .out = &out,
						  .out_ptime_ms = tl_format_ptime_ms(&out) *
								  (data[2] & FLAG_PTIME_40 ? 2 : 1),
						  .on_packet = on_packet,
						  .on_pcm = data[2] & FLAG_TAP ? on_pcm : NULL },
			 &chain) < 0)
		abort();
	push_all(chain, &in, data[2], data + 3, bytes - 3);
	tl_chain_free(chain);
	return 0;
}
