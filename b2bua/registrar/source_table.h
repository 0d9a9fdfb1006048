#pragma once
/*
 * A bounded memory of source addresses: a zeroed record for each host (IPv6:
 * each /64), the least recently touched forgotten first. Signalling thread.
 */
#include <stddef.h>
#include <sys/socket.h>

struct tl_source_table;

/* record_bytes: of the owner's record; max: records at once. */
struct tl_source_table *tl_source_table_new(size_t record_bytes, unsigned max);
void tl_source_table_free(struct tl_source_table *table); /* NULL ok */
/* The record of a source, or NULL. Lent until the next touch. */
void *tl_source_table_find(struct tl_source_table *table, const struct sockaddr *source);
/* The same, made when there is none; *ret_made says so. Now the most recent one. */
void *tl_source_table_touch(struct tl_source_table *table, const struct sockaddr *source,
			    int *ret_made);
unsigned tl_source_table_count(const struct tl_source_table *table);
