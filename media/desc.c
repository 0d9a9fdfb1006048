#include "media/desc.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "media/plan/amr.h"

enum tl_direction tl_direction_mirror(enum tl_direction d)
{
	bool sends = d & TL_DIR_SENDONLY, receives = d & TL_DIR_RECVONLY;

	return (receives ? TL_DIR_SENDONLY : 0) | (sends ? TL_DIR_RECVONLY : 0);
}

struct tl_media_desc *tl_media_desc_keep(const struct tl_media_desc *desc)
{
	return g_memdup2(desc, offsetof(struct tl_media_desc, formats) +
				       desc->n_formats * sizeof(desc->formats[0]));
}

/* Length of the parameter at p, without the white space around it; *ret_next is the one after. */
static size_t parameter_length(const char *p, const char **ret_next)
{
	const char *end = p + strcspn(p, ";");

	*ret_next = *end ? end + 1 : end;
	while (end > p && g_ascii_isspace(end[-1]))
		end--;
	return (size_t)(end - p);
}

bool tl_fmtp_get(const char *fmtp, const char *key, char *value, size_t bytes)
{
	size_t key_length = strlen(key);
	const char *next;

	for (const char *p = fmtp; *p; p = next) {
		while (g_ascii_isspace(*p))
			p++;
		size_t length = parameter_length(p, &next);

		if (length <= key_length || p[key_length] != '=' ||
		    g_ascii_strncasecmp(p, key, key_length) != 0)
			continue;
		length -= key_length + 1;
		if (length >= bytes)
			return false;
		memcpy(value, p + key_length + 1, length);
		value[length] = '\0';
		return true;
	}
	return false;
}

bool tl_fmtp_get_uint(const char *fmtp, const char *key, unsigned *ret_value)
{
	char text[16], *end;
	unsigned long value;

	if (!tl_fmtp_get(fmtp, key, text, sizeof text) || !g_ascii_isdigit(text[0]))
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*ret_value = (unsigned)value;
	return true;
}

/* RFC 3952 5: 30 ms unless the parameter says 20. */
static unsigned ilbc_mode(const struct tl_format *format)
{
	unsigned mode = 30;

	tl_fmtp_get_uint(format->fmtp, "mode", &mode);
	return mode;
}

/*
 * RFC 4867 8.1: these parameters change where the bits of a payload stand, so
 * both sides must mean the same. mode-set only narrows what is sent: two
 * different sets don't fit, but a side that states none takes every mode.
 */
static bool amr_compatible(const struct tl_format *a, const struct tl_format *b)
{
	static const char *const layout[] = { "octet-align", "crc", "robust-sorting",
					      "interleaving" };
	char set_a[TL_FMTP_BYTES], set_b[TL_FMTP_BYTES];

	for (size_t i = 0; i < G_N_ELEMENTS(layout); i++) {
		unsigned value_a = 0, value_b = 0;

		tl_fmtp_get_uint(a->fmtp, layout[i], &value_a);
		tl_fmtp_get_uint(b->fmtp, layout[i], &value_b);
		if (value_a != value_b)
			return false;
	}
	return !tl_fmtp_get(a->fmtp, "mode-set", set_a, sizeof set_a) ||
	       !tl_fmtp_get(b->fmtp, "mode-set", set_b, sizeof set_b) || strcmp(set_a, set_b) == 0;
}

bool tl_format_compatible(const struct tl_format *a, const struct tl_format *b)
{
	if (a->codec != b->codec)
		return false;
	if (g_str_equal(a->codec->name, "iLBC"))
		return ilbc_mode(a) == ilbc_mode(b);
	if (g_str_has_prefix(a->codec->name, "AMR"))
		return amr_compatible(a, b);
	/* What else they may say is a wish (Opus: each packet tells its own shape, RFC 7587
	 * 6.1) or may be ignored by a decoder (G.729 Annex B). */
	return true;
}

/* RFC 3952 5: where the modes differ both sides use 30 ms; the plan sees to that. */
bool tl_format_answers(const struct tl_format *a, const struct tl_format *b)
{
	return tl_format_compatible(a, b) ||
	       (a->codec == b->codec && g_str_equal(a->codec->name, "iLBC"));
}

bool tl_format_can_transcode(const struct tl_format *format)
{
	struct tl_amr amr;

	return tl_codec_can_transcode(format->codec) &&
	       (!g_str_has_prefix(format->codec->name, "AMR") || tl_amr_read(format, &amr));
}

unsigned tl_format_frame_ms(const struct tl_format *format)
{
	if (g_str_equal(format->codec->name, "iLBC"))
		return ilbc_mode(format) == 20 ? 20 : 30;
	return format->codec->frame_ms;
}

unsigned tl_format_ptime_ms(const struct tl_format *format)
{
	unsigned frame_ms = tl_format_frame_ms(format), usual_ms = format->codec->ptime_ms;

	return MAX(usual_ms - usual_ms % frame_ms, frame_ms);
}
