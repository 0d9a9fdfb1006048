#pragma once
/*
 * Media descriptions and policies as words, for tests to read and to compare.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>
#include <glib.h>

#include "media/plan/plan.h"

/*
 * Descriptions are written as words:
 *   PCMA=8  opus=111:useinbandfec=1  te/8000=101  ptime=20  maxptime=40
 *   cn/8000=13 (comfort noise)
 *   sendonly recvonly inactive (sendrecv goes without saying)  mux
 *   any (address 0.0.0.0)  refused (port 0)
 * and policies as names, "te" among them when telephone-event is allowed, "silence" when it may be
 * left out.
 */
static inline enum tl_direction direction_of(const char *word)
{
	static const char *const words[] = { "inactive", "sendonly", "recvonly", "sendrecv" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_equal(words[i], word))
			return (enum tl_direction)i;
	return (enum tl_direction) - 1;
}

static inline void set_address(struct tl_media_desc *desc, const char *ip, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&desc->rtp;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	inet_pton(AF_INET, ip, &in->sin_addr);
}

static inline void add_word(struct tl_media_desc *desc, char *word)
{
	char *fmtp = strchr(word, ':'), *value = strchr(word, '=');
	unsigned number = value ? (unsigned)strtoul(value + 1, NULL, 10) : 0;

	if (fmtp && fmtp > value)
		*fmtp++ = '\0';
	else
		fmtp = NULL;
	if (value)
		*value = '\0';
	if (g_str_equal(word, "ptime")) {
		desc->ptime_ms = number;
	} else if (g_str_equal(word, "maxptime")) {
		desc->maxptime_ms = number;
	} else if (g_str_equal(word, "mux")) {
		desc->rtcp_mux = true;
	} else if (g_str_equal(word, "any")) {
		set_address(desc, "0.0.0.0", 5004);
	} else if (g_str_equal(word, "refused")) {
		set_address(desc, "192.0.2.1", 0);
	} else if (g_str_has_prefix(word, "te/")) {
		desc->events[desc->n_events++] = (struct tl_event_format) {
			.pt = (uint8_t)number,
			.clock_hz = (unsigned)strtoul(word + 3, NULL, 10),
		};
	} else if (g_str_has_prefix(word, "cn/")) {
		desc->noises[desc->n_noises++] = (struct tl_noise_format) {
			.pt = (uint8_t)number,
			.clock_hz = (unsigned)strtoul(word + 3, NULL, 10),
		};
	} else if (!value) {
		desc->direction = direction_of(word);
		cr_assert_neq((int)desc->direction, -1, "%s", word);
	} else {
		struct tl_format *format = &desc->formats[desc->n_formats++];

		format->codec = tl_codec_by_name(word);
		cr_assert_not_null(format->codec, "%s", word);
		format->pt = (uint8_t)number;
		g_strlcpy(format->fmtp, fmtp ? fmtp : "", sizeof format->fmtp);
	}
}

static inline struct tl_media_desc *desc_of(const char *text)
{
	struct tl_media_desc *desc;
	g_auto(GStrv) words = NULL;

	if (!text)
		return NULL;
	desc = g_new0(struct tl_media_desc, 1);
	desc->direction = TL_DIR_SENDRECV;
	set_address(desc, "192.0.2.1", 5004);
	words = g_strsplit(text, " ", -1);
	for (size_t i = 0; words[i]; i++)
		if (*words[i])
			add_word(desc, words[i]);
	return desc;
}

static inline struct tl_media_policy *policy_of(const char *text)
{
	struct tl_media_policy *policy;
	g_auto(GStrv) words = NULL;

	if (!text)
		return NULL;
	policy = g_new0(struct tl_media_policy, 1);
	words = g_strsplit(text, " ", -1);
	for (size_t i = 0; words[i]; i++) {
		if (g_str_equal(words[i], "te")) {
			policy->telephone_event = true;
		} else if (g_str_equal(words[i], "silence")) {
			policy->silence = true;
		} else {
			policy->codecs[policy->n_codecs] = tl_codec_by_name(words[i]);
			cr_assert_not_null(policy->codecs[policy->n_codecs++], "%s", words[i]);
		}
	}
	return policy;
}

/* A row's name, with the clock where the name alone means another row. */
static inline void append_row(GString *text, const struct tl_codec *codec)
{
	g_string_append(text, codec->name);
	if (codec != tl_codec_by_name(codec->name))
		g_string_append_printf(text, "/%u", codec->clock_hz);
}

/* The words of a description that we made, addresses left out. */
static inline char *text_of(const struct tl_media_desc *desc)
{
	static const char *const directions[] = { " inactive", " sendonly", " recvonly", "" };
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < desc->n_formats; i++) {
		const struct tl_format *format = &desc->formats[i];

		append_row(text, format->codec);
		g_string_append_printf(text, "=%u%s%s ", format->pt, format->fmtp[0] ? ":" : "",
				       format->fmtp);
	}
	for (size_t i = 0; i < desc->n_events; i++)
		g_string_append_printf(text, "te/%u=%u ", desc->events[i].clock_hz,
				       desc->events[i].pt);
	for (size_t i = 0; i < desc->n_noises; i++)
		g_string_append_printf(text, "cn/%u=%u ", desc->noises[i].clock_hz,
				       desc->noises[i].pt);
	g_string_append_printf(text, "ptime=%u", desc->ptime_ms);
	if (desc->maxptime_ms)
		g_string_append_printf(text, " maxptime=%u", desc->maxptime_ms);
	g_string_append(text, directions[desc->direction]);
	if (desc->rtcp_mux)
		g_string_append(text, " mux");
	return g_string_free(text, FALSE);
}
