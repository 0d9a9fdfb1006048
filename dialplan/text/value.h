#pragma once
/*
 * Parsers of values: text with a place -> a field of a settings struct. All are
 * tl_parse_fn (keys.h). What each reads is said here once, for the manual too.
 */
#include "dialplan/keys/keys.h"
#include "dialplan/route/route.h"

tl_parse_fn tl_parse_text;       /* anything; double quotes around it don't count */
tl_parse_fn tl_parse_secret;     /* the same; never quoted in a message */
tl_parse_fn tl_parse_ha1;        /* 32 hex digits */
tl_parse_fn tl_parse_ha1_sha256; /* 64 of them */
tl_parse_fn tl_parse_token;      /* one word of letters, digits and . _ - + */
tl_parse_fn tl_parse_path;       /* relative to the directory of the main file */
tl_parse_fn tl_parse_flag;       /* yes, no */
tl_parse_fn tl_parse_word;       /* one of key->words, kept as an int */
tl_parse_fn tl_parse_number;     /* decimal, within the key's limits */
tl_parse_fn tl_parse_seconds;    /* 90s, 2m, 1h30m; limits in seconds */
tl_parse_fn tl_parse_ms;         /* 100ms; limits in milliseconds */
tl_parse_fn tl_parse_ms_range;   /* 20ms-200ms */
tl_parse_fn tl_parse_port_range; /* 16384-32767 */
tl_parse_fn tl_parse_gain;       /* -6dB; limits in dB */
tl_parse_fn tl_parse_loudness;   /* off, kept as 0, or -19dBm0; limits in dBm0 */
tl_parse_fn tl_parse_codecs;     /* a list of codec names */
tl_parse_fn tl_parse_record;     /* off, stereo, mono; yes is stereo, no is off */

/* address_parse.c */
tl_parse_fn tl_parse_listen; /* a list of transport:address[:port] */
tl_parse_fn tl_parse_host;   /* [transport:]host[:port] of a trunk */
tl_parse_fn tl_parse_port, tl_parse_transport;
tl_parse_fn tl_parse_advertise; /* an IP literal */
tl_parse_fn tl_parse_cidrs;     /* a list of address[/bits] */

/* hours.c */
tl_parse_fn tl_parse_days;
tl_parse_fn tl_parse_closed, tl_parse_open;
tl_parse_fn tl_parse_timezone;

/* route_parse.c */
tl_parse_fn tl_parse_sources, tl_parse_patterns, tl_parse_transports, tl_parse_when;
tl_parse_fn tl_parse_caller, tl_parse_number_text, tl_parse_template;

/* group.c */
tl_parse_fn tl_parse_members;

/* header_parse.c; header X-… = and add-header X-… = name the header in the key */
tl_parse_fn tl_parse_header_test, tl_parse_header_out, tl_parse_header_names, tl_parse_offers;
bool tl_key_is_header(const char *key), tl_key_adds_header(const char *key);

/* ring_parse.c */
tl_parse_fn tl_parse_music, tl_parse_music_later;
tl_parse_fn tl_parse_ring, tl_parse_play, tl_parse_ringback, tl_parse_answer;

/* follow_parse.c */
tl_parse_fn tl_parse_follow, tl_parse_reject, tl_parse_redirects;

/* Reads trunk:NAME, extension:NUMBER or NUMBER. False: a mistake was added. */
bool tl_source_read(struct tl_parse *p, const struct tl_value *item, struct tl_source *ret);
/* The [group] of this name; NULL: a mistake was added. */
const struct tl_group *tl_group_read(struct tl_parse *p, const struct tl_value *item,
				     const char *name);
/* Reads "1001, 1002 then trunk:carrier". False: a mistake was added. */
bool tl_ring_read(struct tl_parse *p, const struct tl_value *value,
		  const struct tl_ring_step **ret_steps, size_t *ret_n, bool *ret_dialled);
/* Reads a list of sound files as paths. False: a mistake was added. */
bool tl_prompts_read(struct tl_parse *p, const struct tl_value *value,
		     const char *const **ret_paths, size_t *ret_n);
/* Is text a template of a number or URI? False: a mistake was added. */
bool tl_template_read(struct tl_parse *p, const struct tl_value *value, const char *text);
/* The path of a prompt: relative names are in [gateway] prompts. */
const char *tl_play_path(struct tl_parse *p, const struct tl_value *item);

/* expect.c: keeps the value for the time when all routes are known. */
tl_parse_fn tl_parse_later, tl_parse_said, tl_parse_expect_header;
bool tl_key_is_said_of_one(const char *key);

/* Reads "25s" or "1m30s" as milliseconds. False: it isn't a duration. */
bool tl_duration_read(const char *text, int64_t *ret_ms);
/* Reads decimal digits, all of text. False: it isn't a number, or above max. */
bool tl_number_read(const char *text, uint64_t max, uint64_t *ret_number);

/* The field of object that a key writes, and its second one. */
static inline void *tl_field(void *object, const struct tl_key *key)
{
	return (char *)object + key->offset;
}

static inline void *tl_field2(void *object, const struct tl_key *key)
{
	return (char *)object + key->offset2;
}

/* Stores an array under construction as the list of a key: copied, then freed. */
void tl_list_store(struct tl_parse *p, const struct tl_key *key, GArray *list, void *object);
