#pragma once
/*
 * Finds the first route that takes a call without trying them all. Routes stand in
 * tries of their patterns, a trie for each source that a route can name: a call walks
 * the tries of its own source, of its kind, and of any. Routes without `to` are
 * looked up by the caller's number in the same way. Ten thousand routes so cost about
 * what ten cost; their order in the file decides as ever.
 */
#include "dialplan/route/route.h"

struct tl_index;

/* Lends the routes, which must outlive it. */
struct tl_index *tl_index_new(const struct tl_route_cfg *routes, size_t n);
void tl_index_free(struct tl_index *index); /* NULL ok */

/* Does a route do? */
typedef bool tl_index_fn(const struct tl_route_cfg *route, void *user);
/* The first of those whose patterns and sources match that does. */
const struct tl_route_cfg *tl_index_find_if(const struct tl_index *index,
					    const struct tl_facts *facts, tl_index_fn *does,
					    void *user);
/* The first that takes the call. */
const struct tl_route_cfg *tl_index_find(const struct tl_index *index, const struct tl_dialplan *dp,
					 const struct tl_facts *facts);
