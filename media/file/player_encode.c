#include <errno.h>

#include "media/chain/chain.h"
#include "media/file/player_priv.h"
#include "media/chain/resample.h"

struct tl_encoding *tl_encoding_new(void)
{
	struct tl_encoding *encoding = g_new0(struct tl_encoding, 1);

	encoding->refs = 1;
	encoding->payload = g_byte_array_new();
	encoding->packets = g_array_new(FALSE, FALSE, sizeof(struct tl_encoded_packet));
	return encoding;
}

struct tl_encoding *tl_encoding_ref(struct tl_encoding *encoding)
{
	atomic_fetch_add_explicit(&encoding->refs, 1, memory_order_relaxed);
	return encoding;
}

void tl_encoding_unref(struct tl_encoding *encoding)
{
	if (!encoding || atomic_fetch_sub_explicit(&encoding->refs, 1, memory_order_acq_rel) != 1)
		return;
	g_free(encoding->pcm);
	g_byte_array_unref(encoding->payload);
	g_array_unref(encoding->packets);
	g_free(encoding->error);
	g_free(encoding->stamp);
	g_free(encoding);
}

size_t tl_encoding_bytes(const struct tl_encoding *encoding)
{
	return sizeof *encoding + encoding->samples * sizeof *encoding->pcm +
	       encoding->payload->len + encoding->packets->len * sizeof(struct tl_encoded_packet);
}

/* The least rate the codec takes that keeps all of the sounds, or else its widest. */
static unsigned choose_rate_hz(const struct tl_codec *codec, struct tl_sound *const *sounds,
			       size_t n_sounds)
{
	unsigned sound_hz = 0, best = codec->rate_hz;

	for (size_t i = 0; i < n_sounds; i++)
		sound_hz = MAX(sound_hz, sounds[i]->rate_hz);
	for (size_t i = G_N_ELEMENTS(codec->rates_hz); i-- > 0;)
		if (codec->rates_hz[i] && codec->rates_hz[i] >= sound_hz &&
		    codec->rates_hz[i] < best)
			best = codec->rates_hz[i];
	return best;
}

static int append_sound(GArray *pcm, const struct tl_sound *sound, unsigned rate_hz)
{
	g_autofree int16_t *fitted = NULL;
	size_t samples;

	if (sound->rate_hz == rate_hz) {
		g_array_append_vals(pcm, sound->pcm, (guint)sound->samples);
		return 0;
	}
	fitted = tl_resample_all(sound->pcm, sound->samples, sound->rate_hz, rate_hz, &samples);
	if (!fitted)
		return -ENOTSUP;
	g_array_append_vals(pcm, fitted, (guint)samples);
	return 0;
}

struct encode {
	struct tl_encoding *encoding;
	unsigned clock_hz;
	size_t pcm_at;
};

static void on_packet(const uint8_t *payload, size_t bytes, uint32_t rtp_duration, void *user)
{
	struct encode *enc = user;
	struct tl_encoding *to = enc->encoding;
	size_t samples = (size_t)rtp_duration * to->rate_hz / enc->clock_hz;
	struct tl_encoded_packet packet = {
		.at = to->payload->len,
		.bytes = (uint32_t)bytes,
		.rtp_duration = rtp_duration,
		.pcm_at = enc->pcm_at,
		.pcm_samples = MIN(samples, to->samples - enc->pcm_at),
	};

	g_byte_array_append(to->payload, payload, (guint)bytes);
	g_array_append_val(to->packets, packet);
	enc->pcm_at += packet.pcm_samples;
}

static int encode_all(const struct tl_encoding_cfg *cfg, struct tl_encoding *to)
{
	size_t step = (size_t)to->rate_hz * cfg->ptime_ms / 1000;
	struct encode enc = { .encoding = to, .clock_hz = cfg->format.codec->clock_hz };
	struct tl_chain_cfg chain_cfg = {
		.out = &cfg->format,
		.out_ptime_ms = cfg->ptime_ms,
		.rate_hz = to->rate_hz,
		.opus_complexity = cfg->opus_complexity,
		.on_packet = on_packet,
		.user = &enc,
	};
	struct tl_chain *chain;
	int r = tl_chain_new(&chain_cfg, &chain);

	if (r < 0)
		return r;
	for (size_t at = 0; r >= 0 && at < to->samples; at += step)
		r = tl_chain_push_pcm(chain, to->pcm + at, step);
	tl_chain_free(chain);
	return MIN(r, 0);
}

static int join_sounds(struct tl_encoding *encoding, struct tl_sound *const *sounds,
		       size_t n_sounds, size_t packet_samples)
{
	GArray *pcm = g_array_new(FALSE, TRUE, sizeof(int16_t));
	int r = 0;

	for (size_t i = 0; i < n_sounds && r == 0; i++)
		r = append_sound(pcm, sounds[i], encoding->rate_hz);
	/* Whole packets, the end silent. */
	g_array_set_size(
		pcm, (guint)((pcm->len + packet_samples - 1) / packet_samples * packet_samples));
	encoding->samples = pcm->len;
	encoding->pcm = (int16_t *)g_array_free(pcm, FALSE);
	return r;
}

int tl_encoding_fill(struct tl_encoding *encoding, const struct tl_encoding_cfg *cfg,
		     struct tl_sound *const *sounds, size_t n_sounds)
{
	size_t packet_samples;
	int r;

	encoding->rate_hz = choose_rate_hz(cfg->format.codec, sounds, n_sounds);
	packet_samples = (size_t)encoding->rate_hz * cfg->ptime_ms / 1000;
	if (packet_samples == 0)
		return -EINVAL;
	r = join_sounds(encoding, sounds, n_sounds, packet_samples);
	if (r == 0 && encoding->samples > 0)
		r = encode_all(cfg, encoding);
	if (r < 0)
		g_array_set_size(encoding->packets, 0);
	return r;
}
