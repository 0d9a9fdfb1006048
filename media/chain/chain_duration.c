#include <string.h>

#include <glib.h>
#include <opus/opus.h>

#include "media/bits.h"
#include "media/chain/chain.h"
#include "media/plan/speex.h"

/* RFC 4867 4.3.2, 4.4.2: a request byte or half byte, then a table of contents with one entry a
 * frame, of which all but the last have the highest bit set. */
static unsigned amr_frames(const struct tl_format *format, struct tl_bits *bits)
{
	unsigned octet_align = 0, frames = 0;
	bool more = true;

	tl_fmtp_get_uint(format->fmtp, "octet-align", &octet_align);
	tl_bits_skip(bits, octet_align ? 8 : 4);
	while (more) {
		more = tl_bits_take(bits, 1);
		tl_bits_skip(bits, octet_align ? 7 : 5);
		if (bits->overrun)
			return 0;
		frames++;
	}
	return frames;
}

/* RFC 3952 4.3: 50 bytes hold 30 ms, 38 hold 20. */
static uint32_t ilbc_duration(const struct tl_format *format, size_t bytes)
{
	unsigned mode = 30;
	size_t frame_bytes;

	tl_fmtp_get_uint(format->fmtp, "mode", &mode);
	frame_bytes = mode == 20 ? 38 : 50;
	if (bytes % frame_bytes)
		return 0;
	return (uint32_t)(bytes / frame_bytes) * (mode == 20 ? 160 : 240);
}

static uint32_t opus_duration(const uint8_t *payload, size_t bytes)
{
	int samples = opus_packet_get_nb_samples(payload, (opus_int32)bytes, 48000);

	return samples > 0 ? (uint32_t)samples : 0;
}

uint32_t tl_format_duration(const struct tl_format *format, const uint8_t *payload, size_t bytes)
{
	const struct tl_codec *codec = format->codec;
	uint32_t frame_units = codec->clock_hz / 1000 * codec->frame_ms;
	size_t ends[TL_SPEEX_FRAMES];
	struct tl_bits bits = { .data = payload, .n = bytes * 8 };

	if (!bytes || bytes > TL_PAYLOAD_MAX)
		return 0;
	if (codec->frame_bytes) {
		/* RFC 3551 4.5.6: a comfort noise frame of 2 bytes may end a G.729 payload. */
		bool tail = bytes % codec->frame_bytes == 2 && g_str_equal(codec->name, "G729");

		if (bytes % codec->frame_bytes && !tail)
			return 0;
		return (uint32_t)(bytes / codec->frame_bytes + tail) * frame_units;
	}
	if (g_str_equal(codec->name, "opus"))
		return opus_duration(payload, bytes);
	if (g_str_equal(codec->name, "iLBC"))
		return ilbc_duration(format, bytes);
	if (g_str_equal(codec->name, "speex"))
		return (uint32_t)tl_speex_frames(payload, bytes, ends) * frame_units;
	if (g_str_has_prefix(codec->name, "AMR"))
		return amr_frames(format, &bits) * frame_units;
	return 0;
}
