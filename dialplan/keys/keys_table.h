#pragma once
/* How rows of the key table are written: for keys.c and keys_*.c. */
#include <stddef.h>
#include "dialplan/dialplan_priv.h"
#include "dialplan/keys/keys.h"

enum {
	DAY_S = 24 * 3600,
	CALLS_MAX = 1000000,
};

/* Where a row writes: field of struct tl_gateway and so on. */
#define AT(type, field)   .offset = offsetof(struct type, field)
#define AND(type, field)  .offset2 = offsetof(struct type, field)
#define LIST(type, field) AT(type, field), AND(type, n_##field)

/* load.c has dealt with it before any value is read. */
#define LIKE(name_of_another)                                                                      \
	{                                                                                          \
		"like", NULL, .example = name_of_another,                                          \
			      .help = "Another section of this kind: what it says counts here "    \
				      "too, unless this "                                          \
				      "one says otherwise"                                         \
	}

struct tl_key_table {
	const struct tl_key *keys;
	size_t n;
};

/* keys_route.c */
extern const struct tl_key_table tl_route_table, tl_expect_table;

/* Words in the order of the enums that they stand for. */
extern const char *const tl_dtmf_words[], *const tl_srtp_words[],
						  *const tl_t38_words[], *const tl_transfer_words[];
