#pragma once
/*
 * A bounded memory of source addresses: a zeroed record for each host (IPv6:
 * each /64), the least recently touched forgotten first. Signalling thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include "b2bua/sip/address.h"

struct tl_source_table;

/* record_bytes: of the owner's record; max: records at once. */
struct tl_source_table *tl_source_table_new(size_t record_bytes, unsigned max);
void tl_source_table_free(struct tl_source_table *table); /* NULL ok */
/* The record of a source, or NULL. Lent until the next touch. */
void *tl_source_table_find(struct tl_source_table *table, const struct sockaddr *source);
/* The same, made when there is none; *ret_made says so. Now the most recent one. */
void *tl_source_table_touch(struct tl_source_table *table, const struct sockaddr *source,
			    int *ret_made);
/* False: there was none. */
bool tl_source_table_remove(struct tl_source_table *table, const struct sockaddr *source);
/* Each record, the least recently touched first; fn changes nothing in the table. */
typedef void tl_source_table_fn(const struct tl_address_key *key, void *record, void *user);
void tl_source_table_each(struct tl_source_table *table, tl_source_table_fn *fn, void *user);
unsigned tl_source_table_count(const struct tl_source_table *table);
