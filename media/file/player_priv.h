#pragma once
/*
 * What the files of the player share. All of it is for the storage thread,
 * but for an encoding's packets, which never change and any thread reads.
 */
#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "media/file/player.h"

/* A file's sound as it was decoded: mono, 16 bit, at 8, 16 or 48 kHz, whatever keeps it.
 * Reference counted. */
struct tl_sound {
	unsigned rate_hz;
	size_t samples;
	int16_t *pcm;
	bool cut; /* the file went on */
};
void tl_sound_unref(struct tl_sound *sound); /* NULL ok */

/* Reads a file of any format that GStreamer knows; gives up after some seconds.
 * NULL: *ret_error says why (g_free), without the path; *ret_again: another try may do better. */
struct tl_sound *tl_sound_decode(const char *path, char **ret_error, bool *ret_again);

/* A list of files in one encoding. Reference counted, any thread. */
struct tl_encoding {
	_Atomic unsigned refs;
	unsigned rate_hz; /* of pcm */
	size_t samples;
	int16_t *pcm;
	GByteArray *payload; /* packet after packet */
	GArray *packets;     /* struct tl_encoded_packet */
	char *error;         /* what could not be played, or NULL */
	char *stamp;         /* what the files looked like on the disk */
};
struct tl_encoded_packet {
	uint32_t at, bytes; /* in payload */
	uint32_t rtp_duration;
	size_t pcm_at, pcm_samples;
};
struct tl_encoding *tl_encoding_new(void); /* without packets */
struct tl_encoding *tl_encoding_ref(struct tl_encoding *encoding);
void tl_encoding_unref(struct tl_encoding *encoding); /* NULL ok */
size_t tl_encoding_bytes(const struct tl_encoding *encoding);

/* How a list is to be encoded. */
struct tl_encoding_cfg {
	struct tl_format format;
	unsigned ptime_ms;
	unsigned opus_complexity;
};
/* Encodes the sounds one after another, the last packet filled up with silence. Lends sounds.
 * -ENOTSUP: no encoder, or rates that can't be brought together; nothing is in it then. */
int tl_encoding_fill(struct tl_encoding *encoding, const struct tl_encoding_cfg *cfg,
		     struct tl_sound *const *sounds, size_t n_sounds);

/* Values by name, the least recently used of them dropped when all together grow too large. */
struct tl_cache;
struct tl_cache *tl_cache_new(size_t max_bytes);
void tl_cache_free(struct tl_cache *cache);                   /* NULL ok */
void *tl_cache_get(struct tl_cache *cache, const char *name); /* NULL: not there */
/* Takes value, in place of the one of that name. */
void tl_cache_put(struct tl_cache *cache, const char *name, void *value, size_t bytes,
		  GDestroyNotify destroy);
