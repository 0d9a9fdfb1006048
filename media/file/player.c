#include "media/file/player.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "media/file/player_priv.h"

/*
 * Whoever asks for a prompt gets a handle at once and an order goes to the
 * storage thread, which alone knows the cache, so that no lock is needed:
 *
 *   worker    get ........ state? LOADING ... state? READY, packet, packet ...
 *                \                           /
 *   storage       stat the files, find or decode and encode
 *
 * The files are looked at each time; unchanged ones cost microseconds.
 */

enum {
	CACHE_MAX_BYTES = 256 << 20,
	LIST_MAX_S = 1200, /* of all its files together */
};

struct tl_prompts {
	struct tl_storage *storage;
	struct tl_cache *cache; /* storage thread */
};

struct tl_prompt {
	_Atomic unsigned refs; /* the asker's, and the order's until it is done */
	struct tl_prompts *prompts;
	char **paths;
	struct tl_encoding_cfg cfg;

	/* written by the storage thread before state says so */
	struct tl_encoding *encoding;
	_Atomic int state;
};

struct cached_sound {
	char *stamp;
	char *error; /* why there is no sound */
	struct tl_sound *sound;
};

static void cached_sound_free(void *value)
{
	struct cached_sound *cached = value;

	tl_sound_unref(cached->sound);
	g_free(cached->stamp);
	g_free(cached->error);
	g_free(cached);
}

static void drop_encoding(void *value)
{
	tl_encoding_unref(value);
}

int tl_prompts_new(struct tl_storage *storage, struct tl_prompts **ret_prompts)
{
	struct tl_prompts *prompts = g_new0(struct tl_prompts, 1);

	/* A decoding pipeline's threads go when it has ended, instead of idling for the next. */
	g_thread_pool_set_max_unused_threads(0);
	prompts->storage = storage;
	prompts->cache = tl_cache_new(CACHE_MAX_BYTES);
	*ret_prompts = prompts;
	return 0;
}

void tl_prompts_free(struct tl_prompts *prompts)
{
	if (!prompts)
		return;
	tl_cache_free(prompts->cache);
	g_free(prompts);
}

/* What a file looks like from outside. A change of its content changes this. */
static char *stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return g_strdup_printf("!%s", g_strerror(errno));
	if (!S_ISREG(st.st_mode)) /* a pipe or a device would block us */
		return g_strdup("!not a regular file");
	return g_strdup_printf(
		"%llx.%llx.%lld.%lld.%09ld.%lld.%09ld", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static void release_sound(void *sound)
{
	tl_sound_unref(sound);
}

static struct cached_sound *missing_sound(const char *stamp)
{
	struct cached_sound *cached = g_new0(struct cached_sound, 1);

	cached->stamp = g_strdup(stamp);
	cached->error = g_strdup(stamp + 1);
	return cached;
}

static struct cached_sound *decode_sound(const char *path, const char *stamp)
{
	struct cached_sound *cached = g_new0(struct cached_sound, 1);
	bool again = false;

	cached->sound = tl_sound_decode(path, &cached->error, &again);
	if (cached->sound && cached->sound->cut)
		cached->error = g_strdup("too long, only its beginning is played");
	/* What may do better next time matches no stamp, and so is tried again. */
	cached->stamp = g_strdup(again ? "" : stamp);
	return cached;
}

/* From the cache, or decoded. Lends until the next call. */
static const struct cached_sound *find_sound(struct tl_prompts *prompts, const char *path,
					     const char *stamp)
{
	g_autofree char *name = g_strconcat("sound ", path, NULL);
	struct cached_sound *cached = tl_cache_get(prompts->cache, name);
	size_t bytes;

	if (cached && strcmp(cached->stamp, stamp) == 0)
		return cached;
	cached = stamp[0] == '!' ? missing_sound(stamp) : decode_sound(path, stamp);
	bytes = cached->sound ? cached->sound->samples * sizeof(int16_t) : 0;
	tl_cache_put(prompts->cache, name, cached, bytes, cached_sound_free);
	return cached;
}

static void add_error(GString *errors, const char *path, const char *error)
{
	if (errors->len > 0)
		g_string_append(errors, "; ");
	g_string_append_printf(errors, "%s: %s", path, error);
}

/* The sounds of a list that can be had; what is wrong with the others goes to errors. A stamp is
 * emptied where the file is worth another look next time. */
static GPtrArray *gather_sounds(struct tl_prompt *prompt, char **stamps, GString *errors)
{
	GPtrArray *sounds = g_ptr_array_new_with_free_func(release_sound);
	size_t seconds = 0;

	for (size_t i = 0; prompt->paths[i]; i++) {
		const struct cached_sound *found =
			find_sound(prompt->prompts, prompt->paths[i], stamps[i]);

		if (!found->stamp[0])
			stamps[i][0] = '\0';
		if (found->error)
			add_error(errors, prompt->paths[i], found->error);
		if (!found->sound)
			continue;
		seconds += found->sound->samples / found->sound->rate_hz;
		if (seconds > LIST_MAX_S) {
			add_error(errors, prompt->paths[i], "too long with those before it");
			break;
		}
		g_ptr_array_add(sounds, g_rc_box_acquire(found->sound));
	}
	return sounds;
}

/* Always makes one: without packets when nothing can be played. */
static struct tl_encoding *make_encoding(struct tl_prompt *prompt, char **stamps)
{
	g_autoptr(GString) errors = g_string_new(NULL);
	g_autoptr(GPtrArray) sounds = gather_sounds(prompt, stamps, errors);
	struct tl_encoding *encoding = tl_encoding_new();
	int r;

	r = tl_encoding_fill(encoding, &prompt->cfg, (struct tl_sound *const *)sounds->pdata,
			     sounds->len);
	if (r < 0)
		g_string_printf(errors, "announcements can't be encoded as %s: %s",
				prompt->cfg.format.codec->name, g_strerror(-r));
	else if (encoding->packets->len == 0 && errors->len == 0)
		g_string_append(errors, "no announcement was named");
	if (errors->len > 0)
		encoding->error = g_strdup(errors->str);
	return encoding;
}

static char *encoding_name(const struct tl_prompt *prompt)
{
	const struct tl_encoding_cfg *cfg = &prompt->cfg;
	const struct tl_codec *codec = cfg->format.codec;
	g_autofree char *paths = g_strjoinv("\n", prompt->paths);

	return g_strdup_printf("packets %s/%u/%u %s\n%u %u\n%s", codec->name, codec->clock_hz,
			       codec->channels, cfg->format.fmtp, cfg->ptime_ms,
			       cfg->opus_complexity, paths);
}

static char **stamp_all(char *const *paths)
{
	GPtrArray *stamps = g_ptr_array_new();

	for (size_t i = 0; paths[i]; i++)
		g_ptr_array_add(stamps, stamp_of(paths[i]));
	g_ptr_array_add(stamps, NULL);
	return (char **)g_ptr_array_free(stamps, FALSE);
}

/* From the cache, or made; a reference for the caller. */
static struct tl_encoding *find_encoding(struct tl_prompt *prompt)
{
	struct tl_cache *cache = prompt->prompts->cache;
	g_autofree char *name = encoding_name(prompt);
	g_auto(GStrv) stamps = stamp_all(prompt->paths);
	g_autofree char *stamp = g_strjoinv("\n", stamps);
	struct tl_encoding *encoding = tl_cache_get(cache, name);

	if (encoding && strcmp(encoding->stamp, stamp) == 0)
		return tl_encoding_ref(encoding);
	encoding = make_encoding(prompt, stamps);
	encoding->stamp = g_strjoinv("\n", stamps); /* anew: see gather_sounds() */
	tl_cache_put(cache, name, tl_encoding_ref(encoding), tl_encoding_bytes(encoding),
		     drop_encoding);
	return encoding;
}

/* Storage thread. */
static void do_load(void *user)
{
	struct tl_prompt *prompt = user;
	bool playable;

	prompt->encoding = find_encoding(prompt);
	playable = prompt->encoding->packets->len > 0;
	atomic_store_explicit(&prompt->state, playable ? TL_PROMPT_READY : TL_PROMPT_FAILED,
			      memory_order_release);
	tl_prompt_unref(prompt);
}

static char **copy_paths(const char *const *paths, size_t n_paths)
{
	char **copy = g_new0(char *, n_paths + 1);

	for (size_t i = 0; i < n_paths; i++)
		copy[i] = g_strdup(paths[i]);
	return copy;
}

struct tl_prompt *tl_prompts_get(struct tl_prompts *prompts, const char *const *paths,
				 size_t n_paths, const struct tl_format *format, unsigned ptime_ms,
				 unsigned opus_complexity)
{
	struct tl_prompt *prompt = g_new0(struct tl_prompt, 1);

	prompt->refs = 2;
	prompt->prompts = prompts;
	prompt->paths = copy_paths(paths, n_paths);
	prompt->cfg.format = *format;
	prompt->cfg.ptime_ms = ptime_ms;
	prompt->cfg.opus_complexity = opus_complexity;
	prompt->state = TL_PROMPT_LOADING;
	if (tl_storage_post(prompts->storage, do_load, prompt) < 0) {
		prompt->refs = 1;
		tl_prompt_unref(prompt);
		return NULL;
	}
	return prompt;
}

void tl_prompt_unref(struct tl_prompt *prompt)
{
	if (!prompt || atomic_fetch_sub_explicit(&prompt->refs, 1, memory_order_acq_rel) != 1)
		return;
	tl_encoding_unref(prompt->encoding);
	g_strfreev(prompt->paths);
	g_free(prompt);
}

enum tl_prompt_state tl_prompt_state(const struct tl_prompt *prompt)
{
	return atomic_load_explicit(&prompt->state, memory_order_acquire);
}

const char *tl_prompt_error(const struct tl_prompt *prompt)
{
	return prompt->encoding->error;
}

size_t tl_prompt_packets(const struct tl_prompt *prompt)
{
	return prompt->encoding->packets->len;
}

void tl_prompt_packet(const struct tl_prompt *prompt, size_t i, struct tl_prompt_packet *ret)
{
	const struct tl_encoding *encoding = prompt->encoding;
	const struct tl_encoded_packet *packet =
		&g_array_index(encoding->packets, struct tl_encoded_packet, i);

	*ret = (struct tl_prompt_packet) {
		.payload = encoding->payload->data + packet->at,
		.bytes = packet->bytes,
		.rtp_duration = packet->rtp_duration,
		.pcm = encoding->pcm + packet->pcm_at,
		.pcm_samples = packet->pcm_samples,
	};
}

unsigned tl_prompt_pcm_rate_hz(const struct tl_prompt *prompt)
{
	return prompt->encoding->rate_hz;
}
