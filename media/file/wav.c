#include "media/file/wav.h"

#include <string.h>

static uint8_t *put_le16(uint8_t *at, uint16_t value)
{
	at[0] = value & 0xff;
	at[1] = value >> 8;
	return at + 2;
}

static uint8_t *put_le32(uint8_t *at, uint32_t value)
{
	return put_le16(put_le16(at, value & 0xffff), value >> 16);
}

static uint8_t *put_tag(uint8_t *at, const char tag[static 4])
{
	memcpy(at, tag, 4);
	return at + 4;
}

/*
 *   0 "RIFF" | all that follows | "WAVE"
 *  12 "fmt " | 16 | format 1 (PCM) | channels | rate | bytes/s | bytes/frame | bits
 *  36 "data" | bytes of samples
 */
void tl_wav_head(uint8_t ret_head[TL_WAV_HEAD_BYTES], unsigned rate_hz, unsigned channels,
		 uint32_t data_bytes)
{
	unsigned frame_bytes = channels * TL_WAV_SAMPLE_BYTES;
	uint8_t *at = ret_head;

	at = put_tag(at, "RIFF");
	at = put_le32(at, data_bytes + TL_WAV_HEAD_BYTES - 8);
	at = put_tag(at, "WAVE");
	at = put_tag(at, "fmt ");
	at = put_le32(at, 16);
	at = put_le16(at, 1);
	at = put_le16(at, channels);
	at = put_le32(at, rate_hz);
	at = put_le32(at, rate_hz * frame_bytes);
	at = put_le16(at, frame_bytes);
	at = put_le16(at, TL_WAV_SAMPLE_BYTES * 8);
	at = put_tag(at, "data");
	put_le32(at, data_bytes);
}
