#include <errno.h>

#include "media/elements/element.h"
#include "media/elements/opus_states.h"

/* tlopusenc: mono speech at the rate of what comes in, as the remote's parameters (RFC 7587 6.1)
 * allow. */

enum {
	PAYLOAD_BYTES = 1400,
	BIT_RATE_MIN = 6000, /* RFC 7587 6.1, maxaveragebitrate */
	JOINED_MAX = 12,
	JOINED_BYTES = 700, /* half a packet: fewer than two are never joined */
};

typedef struct {
	TlEncoder parent;
	OpusEncoder *state;
	OpusRepacketizer *joiner; /* NULL: a packet is one frame */
	bool silence;             /* is left out */
} TlOpusEnc;
typedef TlEncoderClass TlOpusEncClass;

G_DEFINE_TYPE(TlOpusEnc, tl_opus_enc, tl_encoder_get_type())

/* Frames of 10 ms joined to one packet, RFC 6716 3.2.5. Those that differ in mode can't stand in
 * one: what was gathered goes out before. */
static int encode_joined(TlOpusEnc *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	uint8_t frames[JOINED_MAX][JOINED_BYTES];
	size_t step = self->parent.parent.rate_hz / 100, gathered = 0;
	int most = (int)MIN(JOINED_BYTES, PAYLOAD_BYTES / (samples / step) - 2);

	opus_repacketizer_init(self->joiner);
	for (size_t at = 0, i = 0; at < samples; at += step, i++) {
		int n = opus_encode(self->state, pcm + at, (int)step, frames[i], most);

		if (n <= 0)
			return -EIO;
		if (opus_repacketizer_cat(self->joiner, frames[i], n) != OPUS_OK) {
			int bytes = opus_repacketizer_out(self->joiner, payload, PAYLOAD_BYTES);

			if (bytes <= 0)
				return -EIO;
			tl_encoder_push(&self->parent, payload, (size_t)bytes, gathered);
			gathered = 0;
			opus_repacketizer_init(self->joiner);
			opus_repacketizer_cat(self->joiner, frames[i], n);
		}
		gathered += step;
	}
	return opus_repacketizer_out(self->joiner, payload, PAYLOAD_BYTES);
}

/* With DTX a packet of no more than its first byte or two says nothing and is not sent, RFC 7587
 * 3.1.3. */
static int encode_opus(TlEncoder *encoder, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	TlOpusEnc *self = (TlOpusEnc *)encoder;
	int bytes;

	if (self->joiner)
		return encode_joined(self, pcm, samples, payload);
	bytes = opus_encode(self->state, pcm, (int)samples, payload, PAYLOAD_BYTES);
	return self->silence && bytes > 0 && bytes <= 2 ? 0 : bytes;
}

static void set_loss_opus(TlEncoder *self, unsigned percent)
{
	opus_encoder_ctl(((TlOpusEnc *)self)->state,
			 OPUS_SET_PACKET_LOSS_PERC((int)MIN(percent, 100u)));
}

/* Where speech of a bandwidth stops gaining by more bits. */
static opus_int32 speech_bit_rate(unsigned rate_hz)
{
	if (rate_hz <= 8000)
		return 20000;
	if (rate_hz <= 16000)
		return 28000;
	return rate_hz <= 24000 ? 32000 : 40000;
}

static opus_int32 bandwidth_of(unsigned rate_hz)
{
	if (rate_hz <= 8000)
		return OPUS_BANDWIDTH_NARROWBAND;
	if (rate_hz <= 12000)
		return OPUS_BANDWIDTH_MEDIUMBAND;
	if (rate_hz <= 16000)
		return OPUS_BANDWIDTH_WIDEBAND;
	return rate_hz <= 24000 ? OPUS_BANDWIDTH_SUPERWIDEBAND : OPUS_BANDWIDTH_FULLBAND;
}

/* What the remote's decoder asks for: parameters that it gave describe what it receives. */
static void honour(OpusEncoder *state, const char *fmtp, unsigned rate_hz)
{
	opus_int32 bit_rate = speech_bit_rate(rate_hz);
	unsigned limit, flag;

	if (tl_fmtp_get_uint(fmtp, "maxaveragebitrate", &limit) && limit >= BIT_RATE_MIN)
		bit_rate = MIN(bit_rate, (opus_int32)MIN(limit, (unsigned)G_MAXINT32));
	opus_encoder_ctl(state, OPUS_SET_BITRATE(bit_rate));
	if (tl_fmtp_get_uint(fmtp, "maxplaybackrate", &limit) && limit >= 8000)
		opus_encoder_ctl(state, OPUS_SET_MAX_BANDWIDTH(bandwidth_of(limit)));
	if (tl_fmtp_get_uint(fmtp, "cbr", &flag) && flag)
		opus_encoder_ctl(state, OPUS_SET_VBR(0));
	/* Without a loss reported libopus adds no redundancy all the same. */
	if (tl_fmtp_get_uint(fmtp, "useinbandfec", &flag) && flag)
		opus_encoder_ctl(state, OPUS_SET_INBAND_FEC(1));
}

/* Frames that one opus_encode() makes. */
static bool is_frame_ms(unsigned ms)
{
	return ms == 10 || (ms <= 120 && ms % 20 == 0);
}

/* The remote prefers it (RFC 7587 6.1), or this side was told to where the codec can. */
static bool wants_silence_out(const struct tl_element_cfg *cfg)
{
	unsigned usedtx = 0;

	return cfg->silence || (tl_fmtp_get_uint(cfg->format->fmtp, "usedtx", &usedtx) && usedtx);
}

static int configure_enc(TlElement *element, const struct tl_element_cfg *cfg)
{
	TlOpusEnc *self = (TlOpusEnc *)element;

	if (cfg->ptime_ms % 10 || cfg->ptime_ms > JOINED_MAX * 10)
		return -ENOTSUP;
	if (!is_frame_ms(cfg->ptime_ms))
		self->joiner = opus_repacketizer_create();
	self->state = tl_opus_encoder_copy(cfg->rate_hz);
	if (!self->state)
		return -ENOTSUP;
	opus_encoder_ctl(self->state, OPUS_SET_COMPLEXITY((int)MIN(cfg->complexity, 10u)));
	opus_encoder_ctl(self->state, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	honour(self->state, cfg->format->fmtp, cfg->rate_hz);
	self->silence = !self->joiner && wants_silence_out(cfg);
	opus_encoder_ctl(self->state, OPUS_SET_DTX(self->silence));
	return ((TlElementClass *)tl_opus_enc_parent_class)->configure(element, cfg);
}

static void finalize_enc(GObject *object)
{
	g_free(((TlOpusEnc *)object)->state);
	g_clear_pointer(&((TlOpusEnc *)object)->joiner, opus_repacketizer_destroy);
	G_OBJECT_CLASS(tl_opus_enc_parent_class)->finalize(object);
}

static void tl_opus_enc_init(TlOpusEnc *self)
{
}

static void tl_opus_enc_class_init(TlOpusEncClass *class)
{
	tl_element_describe((GstElementClass *)class, "Opus encoder", "Codec/Encoder/Audio");
	G_OBJECT_CLASS(class)->finalize = finalize_enc;
	class->parent.configure = configure_enc;
	class->encode = encode_opus;
	class->set_loss = set_loss_opus;
}
