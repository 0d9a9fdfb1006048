#pragma once
/*
 * The records of the calls that have ended last, for `show`. Signalling thread only.
 *
 * They are kept as text: as trees of small pieces, made while hundreds of calls come and go, they
 * would hold a page of the heap each where a few kilobytes do.
 */
#include <jansson.h>

struct tl_recent;

struct tl_recent *tl_recent_new(unsigned max); /* older ones are forgotten */
void tl_recent_free(struct tl_recent *recent); /* NULL ok */
/* record: an object with a string "id"; lent. */
void tl_recent_add(struct tl_recent *recent, const json_t *record);
/* A new reference, or NULL. */
json_t *tl_recent_find(const struct tl_recent *recent, const char *id);
