/* What the payload types of an m-line mean: a=rtpmap, a=fmtp and RFC 3551's static numbers. */
#include "b2bua/sip/sdp_priv.h"

#include <string.h>

static struct tl_sdp_map *map_of(struct tl_sdp_types *types, int pt)
{
	for (size_t i = 0; i < types->n_maps; i++)
		if (types->maps[i].pt == pt)
			return &types->maps[i];
	if (types->n_maps == TL_SDP_PTS)
		return NULL;
	types->maps[types->n_maps] = (struct tl_sdp_map) { .pt = pt };
	return &types->maps[types->n_maps++];
}

void tl_sdp_read_rtpmap(struct tl_sdp_types *types, const char *text)
{
	char word[64], *slash;
	struct tl_sdp_map *map;
	unsigned pt, clock_hz, channels = 1;

	if (!tl_sdp_read_number(text, " \t", 127, &pt))
		return;
	text += strcspn(text, " \t");
	if (!tl_sdp_take_word(&text, word, sizeof(word)))
		return;
	slash = strchr(word, '/');
	if (!slash || slash - word >= TL_CODEC_NAME_BYTES ||
	    !tl_sdp_read_number(slash + 1, "/", 1000000, &clock_hz) || clock_hz == 0)
		return;
	*slash = '\0';
	slash = strchr(slash + 1, '/');
	if (slash && !tl_sdp_read_number(slash + 1, "", 255, &channels))
		return;
	map = map_of(types, (int)pt);
	if (!map)
		return;
	g_strlcpy(map->name, word, sizeof(map->name));
	map->clock_hz = clock_hz;
	map->channels = channels;
}

void tl_sdp_read_fmtp(struct tl_sdp_types *types, const char *text)
{
	struct tl_sdp_map *map;
	unsigned pt;

	if (!tl_sdp_read_number(text, " \t", 127, &pt))
		return;
	text += strcspn(text, " \t");
	text += strspn(text, " \t");
	map = map_of(types, (int)pt);
	/* one that doesn't fit can't be told whole: better not at all */
	if (map && strlen(text) < sizeof(map->fmtp) && g_utf8_validate(text, -1, NULL))
		strcpy(map->fmtp, text);
}

static const struct tl_codec *codec_of(int pt, const struct tl_sdp_map *map)
{
	if (map && map->clock_hz)
		return tl_codec_find(map->name, map->clock_hz, map->channels);
	return tl_codec_by_static_pt(pt);
}

static bool is_repeated(const struct tl_sdp_types *types, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (types->v[i] == types->v[index])
			return true;
	return false;
}

/* Comfort noise: 13 needs no rtpmap, RFC 3551 6. */
static bool is_noise(int pt, const struct tl_sdp_map *map)
{
	if (map && map->clock_hz)
		return g_ascii_strcasecmp(map->name, "CN") == 0;
	return pt == 13;
}

static void add_format(const struct tl_sdp_types *types, int pt, struct tl_media_desc *desc)
{
	const struct tl_sdp_map *map = NULL;
	const struct tl_codec *codec;

	for (size_t i = 0; i < types->n_maps; i++)
		if (types->maps[i].pt == pt)
			map = &types->maps[i];
	if (map && g_ascii_strcasecmp(map->name, "telephone-event") == 0) {
		if (desc->n_events < TL_DESC_EVENTS)
			desc->events[desc->n_events++] =
				(struct tl_event_format) { .pt = (uint8_t)pt,
							   .clock_hz = map->clock_hz };
		return;
	}
	if (is_noise(pt, map)) {
		if (desc->n_noises < TL_DESC_NOISES)
			desc->noises[desc->n_noises++] = (struct tl_noise_format) {
				.pt = (uint8_t)pt,
				.clock_hz = map && map->clock_hz ? map->clock_hz : 8000,
			};
		return;
	}
	codec = codec_of(pt, map);
	if (!codec || desc->n_formats == TL_DESC_FORMATS)
		return;
	desc->formats[desc->n_formats] = (struct tl_format) { .codec = codec, .pt = (uint8_t)pt };
	if (map)
		strcpy(desc->formats[desc->n_formats].fmtp, map->fmtp);
	desc->n_formats++;
}

void tl_sdp_fill_formats(const struct tl_sdp_types *types, struct tl_media_desc *desc)
{
	for (size_t i = 0; i < types->n; i++)
		if (!is_repeated(types, i))
			add_format(types, types->v[i], desc);
}
