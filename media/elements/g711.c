#include "media/elements/g711.h"

#include <errno.h>

#include <spandsp.h>

#include "media/elements/element.h"

/*
 * ITU-T G.711. A-law looks at the 12 highest bits of a sample, mu-law, which
 * adds a bias of 132 first, at 14: tables of 4 and 16 kB, of which speech
 * touches little.
 */
enum { A_LAW_SHIFT = 4, MU_LAW_SHIFT = 2 };

struct law {
	unsigned shift;
	int16_t decoded[256];
	uint8_t mapped[256];                       /* to the other law */
	uint8_t encoded[1 << (16 - MU_LAW_SHIFT)]; /* by sample >> shift, as unsigned */
};

static void fill_encoded(struct law *law, uint8_t (*encode)(int))
{
	unsigned n = 1u << (16 - law->shift);

	for (unsigned i = 0; i < n; i++)
		law->encoded[i] = encode((int16_t)(uint16_t)(i << law->shift));
}

static const struct law *laws(void)
{
	static struct law laws[2]; /* A, mu */
	static gsize ready;

	if (!g_once_init_enter(&ready))
		return laws;
	laws[0].shift = A_LAW_SHIFT;
	laws[1].shift = MU_LAW_SHIFT;
	fill_encoded(&laws[0], linear_to_alaw);
	fill_encoded(&laws[1], linear_to_ulaw);
	for (int i = 0; i < 256; i++) {
		laws[0].decoded[i] = alaw_to_linear((uint8_t)i);
		laws[1].decoded[i] = ulaw_to_linear((uint8_t)i);
		laws[0].mapped[i] = linear_to_ulaw(laws[0].decoded[i]);
		laws[1].mapped[i] = linear_to_alaw(laws[1].decoded[i]);
	}
	g_once_init_leave(&ready, 1);
	return laws;
}

bool tl_g711_is(const struct tl_codec *codec)
{
	return codec->static_pt == 0 || codec->static_pt == 8;
}

static const struct law *law_of(const struct tl_codec *codec)
{
	return &laws()[codec->static_pt == 8 ? 0 : 1];
}

static void decode_law(const struct law *law, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
#pragma GCC unroll 8
	for (size_t i = 0; i < bytes; i++)
		pcm[i] = law->decoded[payload[i]];
}

void tl_g711_decode(const struct tl_codec *codec, const uint8_t *payload, size_t bytes,
		    int16_t *pcm)
{
	decode_law(law_of(codec), payload, bytes, pcm);
}

void tl_g711_map(const struct tl_codec *codec, const uint8_t *restrict payload, size_t bytes,
		 uint8_t *restrict out)
{
	const uint8_t *restrict mapped = law_of(codec)->mapped;

#pragma GCC unroll 8
	for (size_t i = 0; i < bytes; i++)
		out[i] = mapped[payload[i]];
}

/* tlg711dec */

typedef struct {
	TlDecoder parent;
	const struct law *law;
} TlG711Dec;
typedef TlDecoderClass TlG711DecClass;

G_DEFINE_TYPE(TlG711Dec, tl_g711_dec, tl_decoder_get_type())

static int decode_g711(TlDecoder *self, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes > TL_PCM_SAMPLES)
		return -EBADMSG;
	decode_law(((TlG711Dec *)self)->law, payload, bytes, pcm);
	return (int)bytes;
}

static int configure_dec(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlG711Dec *)self)->law = law_of(cfg->format->codec);
	return cfg->rate_hz == 8000 ? 0 : -ENOTSUP;
}

static void tl_g711_dec_init(TlG711Dec *self)
{
}

static void tl_g711_dec_class_init(TlG711DecClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.711 decoder", "Codec/Decoder/Audio");
	class->parent.configure = configure_dec;
	class->decode = decode_g711;
}

/* tlg711enc */

typedef struct {
	TlEncoder parent;
	const struct law *law;
} TlG711Enc;
typedef TlEncoderClass TlG711EncClass;

G_DEFINE_TYPE(TlG711Enc, tl_g711_enc, tl_encoder_get_type())

static int encode_g711(TlEncoder *self, const int16_t *pcm, size_t samples, uint8_t *payload)
{
	const struct law *law = ((TlG711Enc *)self)->law;
	unsigned shift = law->shift; /* or the compiler has each byte stored change it */

#pragma GCC unroll 8
	for (size_t i = 0; i < samples; i++)
		payload[i] = law->encoded[(uint16_t)pcm[i] >> shift];
	return (int)samples;
}

static int configure_enc(TlElement *self, const struct tl_element_cfg *cfg)
{
	((TlG711Enc *)self)->law = law_of(cfg->format->codec);
	if (cfg->rate_hz != 8000)
		return -ENOTSUP;
	return ((TlElementClass *)tl_g711_enc_parent_class)->configure(self, cfg);
}

static void tl_g711_enc_init(TlG711Enc *self)
{
}

static void tl_g711_enc_class_init(TlG711EncClass *class)
{
	tl_element_describe((GstElementClass *)class, "G.711 encoder", "Codec/Encoder/Audio");
	class->parent.configure = configure_enc;
	class->encode = encode_g711;
}
