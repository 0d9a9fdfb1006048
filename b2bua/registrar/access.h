#pragma once
/*
 * Who is calling: a trunk by its address or by digest, an extension by digest, nobody else.
 * One place for challenges, nonces and brute-force bans. Signalling thread.
 */
#include "dialplan/dialplan.h"

struct tl_request;
struct tl_store;
struct tl_warden;
struct tl_access; /* nonces, failures by source */

struct tl_source {
	enum tl_source_kind kind;
	const struct tl_trunk_cfg *trunk;         /* of the dialplan given, or NULL */
	const struct tl_extension_cfg *extension; /* likewise */
};

/* store is lent, for bans; NULL: they live in memory. */
struct tl_access *tl_access_new(struct tl_store *store, const struct tl_gateway *gateway);
void tl_access_free(struct tl_access *access); /* NULL ok */
/* After a reload. */
void tl_access_configure(struct tl_access *access, const struct tl_gateway *gateway);
struct tl_warden *tl_access_warden(struct tl_access *access); /* for bans; lent */

/*
 * Admits a request or answers it. 0: *ret_source says who. -EACCES: it has been
 * challenged (407 for INVITE and others, 401 for REGISTER), refused (403) or, while its source is
 * banned (b2bua/registrar/warden.h), passed over in silence. Unknown users are challenged like
 * known ones. A trunk's address is admitted as the trunk unless the request bears
 * an extension's credentials.
 */
int tl_access_check(struct tl_access *access, const struct tl_dialplan *dp,
		    struct tl_request *request, struct tl_source *ret_source);
/* Digest for one user only (REGISTER): 401, realm = domain. Same results. */
int tl_access_check_extension(struct tl_access *access, const struct tl_dialplan *dp,
			      struct tl_request *request,
			      const struct tl_extension_cfg **ret_extension);
