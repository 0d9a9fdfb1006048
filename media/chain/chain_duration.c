
#include <glib.h>
#include <opus/opus.h>

#include "media/chain/chain.h"
#include "media/fetch.h"
#include "media/plan/amr.h"
#include "media/plan/speex.h"

/* Asked for each packet, three times: names are compared only where sizes leave it open. L16 of
 * 44100 Hz has no frame that would be whole. */
static bool is_whole_frames(const struct tl_codec *codec, size_t bytes)
{
	return codec->frame_bytes && bytes % codec->frame_bytes == 0 && codec->clock_hz % 1000 == 0;
}

static size_t amr_frames(const struct tl_format *format, const uint8_t *payload, size_t bytes,
			 unsigned *ret_request)
{
	struct tl_amr_frame frames[TL_AMR_FRAMES];
	struct tl_amr amr;

	return tl_amr_read(format, &amr) ? tl_amr_frames(&amr, payload, bytes, frames, ret_request)
					 : 0;
}

/* Layouts that we don't read are relayed: a frame a packet is what is sent. */
static uint32_t amr_duration(const struct tl_format *format, const uint8_t *payload, size_t bytes,
			     uint32_t frame_units)
{
	struct tl_amr amr;
	unsigned request;

	if (!tl_amr_read(format, &amr))
		return frame_units;
	return (uint32_t)amr_frames(format, payload, bytes, &request) * frame_units;
}

TL_HOT(chain)
unsigned tl_format_request(const struct tl_format *format, const uint8_t *payload, size_t bytes)
{
	unsigned request = TL_AMR_NO_REQUEST;

	if (!is_whole_frames(format->codec, bytes) &&
	    g_str_has_prefix(format->codec->name, "AMR") &&
	    amr_frames(format, payload, bytes, &request) == 0)
		return TL_AMR_NO_REQUEST;
	return request;
}

TL_HOT(chain)
bool tl_format_ends_in_silence(const struct tl_format *format, const uint8_t *payload, size_t bytes)
{
	const char *name = format->codec->name;
	struct tl_amr_frame frames[TL_AMR_FRAMES];
	struct tl_amr amr;
	unsigned request;
	size_t n;

	if (is_whole_frames(format->codec, bytes))
		return false;
	if (g_str_equal(name, "G729"))
		return bytes % 10 == 2; /* RFC 3551 4.5.6 */
	if (g_str_equal(name, "opus"))
		return bytes <= 2; /* RFC 7587 3.1.3 */
	if (!g_str_has_prefix(name, "AMR") || !tl_amr_read(format, &amr))
		return false;
	n = tl_amr_frames(&amr, payload, bytes, frames, &request);
	return n && frames[n - 1].type == (amr.wide ? 9 : 8);
}

/* RFC 3952 4.3: 50 bytes hold 30 ms, 38 hold 20. */
static uint32_t ilbc_duration(const struct tl_format *format, size_t bytes)
{
	unsigned frame_ms = tl_format_frame_ms(format);
	size_t frame_bytes = frame_ms == 20 ? 38 : 50;

	return bytes % frame_bytes ? 0 : (uint32_t)(bytes / frame_bytes) * frame_ms * 8;
}

/* ITU-T G.723.1: the low bits of a frame's first byte tell which of four sizes it has. */
static uint32_t g723_duration(const uint8_t *payload, size_t bytes)
{
	static const size_t sizes[4] = { 24, 20, 4, 1 };
	uint32_t frames = 0;

	for (size_t at = 0; at < bytes; at += sizes[payload[at] & 3])
		frames++;
	return frames * 240;
}

static uint32_t opus_duration(const uint8_t *payload, size_t bytes)
{
	int samples = opus_packet_get_nb_samples(payload, (opus_int32)bytes, 48000);

	return samples > 0 ? (uint32_t)samples : 0;
}

/* Of what isn't a number of whole frames. */
TL_ASIDE static uint32_t uneven_duration(const struct tl_format *format, const uint8_t *payload,
					 size_t bytes, uint32_t frame_units)
{
	const struct tl_codec *codec = format->codec;
	size_t ends[TL_SPEEX_FRAMES];

	if (g_str_equal(codec->name, "L16"))
		return bytes % (2 * codec->channels) ? 0 : (uint32_t)(bytes / 2 / codec->channels);
	/* any number of samples is a packet, RFC 3551 4.3 */
	if (codec->frame_ms == 1 && bytes * frame_units % codec->frame_bytes == 0)
		return (uint32_t)(bytes * frame_units / codec->frame_bytes);
	if (codec->frame_bytes) {
		/* RFC 3551 4.5.6: a comfort noise frame of 2 bytes may end a G.729 payload. */
		if (bytes % codec->frame_bytes != 2 || !g_str_equal(codec->name, "G729"))
			return 0;
		return (uint32_t)(bytes / codec->frame_bytes + 1) * frame_units;
	}
	if (g_str_equal(codec->name, "opus"))
		return opus_duration(payload, bytes);
	if (g_str_equal(codec->name, "iLBC"))
		return ilbc_duration(format, bytes);
	if (g_str_equal(codec->name, "speex"))
		return (uint32_t)tl_speex_frames(payload, bytes, ends) * frame_units;
	if (g_str_has_prefix(codec->name, "AMR"))
		return amr_duration(format, payload, bytes, frame_units);
	if (g_str_equal(codec->name, "G723"))
		return g723_duration(payload, bytes);
	return 0;
}

TL_HOT(chain)
uint32_t tl_format_duration(const struct tl_format *format, const uint8_t *payload, size_t bytes)
{
	const struct tl_codec *codec = format->codec;
	uint32_t frame_units = codec->clock_hz / 1000 * codec->frame_ms;

	if (!bytes || bytes > TL_PAYLOAD_MAX)
		return 0;
	if (is_whole_frames(codec, bytes))
		return (uint32_t)(bytes / codec->frame_bytes) * frame_units;
	return uneven_duration(format, payload, bytes, frame_units);
}
