#pragma once
/* The inside of a dialplan, for the files that build and read it. */
#include <glib.h>
#include "dialplan/dialplan.h"
#include "dialplan/route/hours.h"
#include "dialplan/route/index.h"
#include "dialplan/text/pool.h"
#include "dialplan/route/route.h"

/* session-expires of a section that does not say it; 0 means none. */
enum { TL_SESSION_UNSAID = INT32_MAX };

/* One entry of a trunk's allow list, or its own address when it has none. */
struct tl_admission {
	struct tl_cidr cidr;
	const struct tl_trunk_cfg *trunk;
};

struct tl_dialplan {
	gint refs;
	struct tl_pool *pool; /* all that the settings point at */

	struct tl_gateway gateway;
	struct tl_trunk_cfg *trunks;
	struct tl_extension_cfg *extensions;
	struct tl_hours *hours;
	struct tl_route_cfg *routes; /* in file order */
	struct tl_group *groups;
	size_t n_trunks, n_extensions, n_hours, n_routes, n_groups;

	/* name -> element of the arrays above */
	GHashTable *trunk_by_name, *extension_by_number, *hours_by_name, *route_by_name,
		*group_by_name;
	struct tl_index *index;
	struct tl_admission *admissions; /* longest prefix first */
	size_t n_admissions;
	struct tl_diags *warnings;
	struct tl_kept_section *kept; /* what was written, for tl_dialplan_diff() */
	size_t n_kept;
};

struct tl_dialplan *tl_dialplan_new(void); /* empty, one reference */

/* The route that takes the call, or NULL. */
const struct tl_route_cfg *tl_dialplan_find_route(const struct tl_dialplan *dp,
						  const struct tl_facts *facts);
/* A route's steps for one call, from memory of the pool: the extension dialled in the place of
 * "extension", times filled in, and shares by weight in the order that lot draws. */
const struct tl_ring_step *tl_steps_draw(struct tl_pool *pool, const struct tl_ring_step *steps,
					 size_t n, unsigned ring_time_s,
					 const struct tl_extension_cfg *dialled, uint32_t lot,
					 size_t *ret_n);
/* How steps are told. */
struct tl_steps_words {
	bool times, shares;                     /* what is told of each target */
	unsigned ring_time_s;                   /* a time that goes without saying */
	const struct tl_extension_cfg *dialled; /* in the place of "extension"; or NULL */
};
/* "1001, 1002 for 10s then trunk:carrier"; the caller frees it. */
char *tl_steps_text(const struct tl_ring_step *steps, size_t n, const struct tl_steps_words *words);
