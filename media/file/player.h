#pragma once
/*
 * Announcements. A file is decoded once (any format that GStreamer decodes),
 * resampled once, and encoded once per (codec, fmtp, packet time) into an
 * immutable list of packets that all who hear it share: playing costs a worker
 * what relaying costs. Loading happens on the storage thread. Private to media/.
 */
#include "media/desc.h"
#include "media/file/storage.h"

struct tl_prompts; /* the cache: any thread; bounded, least recently used goes first */

int tl_prompts_new(struct tl_storage *storage, struct tl_prompts **ret_prompts);
void tl_prompts_free(struct tl_prompts *prompts); /* after the storage thread ended; NULL ok */

/* A list of files in one encoding; reference counted, any thread. */
struct tl_prompt;
enum tl_prompt_state { TL_PROMPT_LOADING, TL_PROMPT_READY, TL_PROMPT_FAILED };

/* Never waits: the prompt may still be LOADING. A file that changed on disk (times, size, inode)
 * is read again. Paths are absolute; copied. NULL: the storage queue is full. */
struct tl_prompt *tl_prompts_get(struct tl_prompts *prompts, const char *const *paths,
				 size_t n_paths, const struct tl_format *format, unsigned ptime_ms,
				 unsigned opus_complexity);
void tl_prompt_unref(struct tl_prompt *prompt);                       /* NULL ok */
enum tl_prompt_state tl_prompt_state(const struct tl_prompt *prompt); /* acquire */
/* Once it isn't LOADING: what could not be read; NULL: all was. A READY prompt may have one: the
 * others of its list are played. */
const char *tl_prompt_error(const struct tl_prompt *prompt);
size_t tl_prompt_packets(const struct tl_prompt *prompt); /* when READY */
struct tl_prompt_packet {
	const uint8_t *payload;
	size_t bytes;
	uint32_t rtp_duration;
	const int16_t *pcm; /* the same audio at tl_prompt_pcm_rate_hz, for a recorder */
	size_t pcm_samples;
};
void tl_prompt_packet(const struct tl_prompt *prompt, size_t i, struct tl_prompt_packet *ret);
unsigned tl_prompt_pcm_rate_hz(const struct tl_prompt *prompt);
