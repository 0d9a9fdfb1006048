#pragma once
/*
 * Who is calling: a trunk by its address, an extension by digest, nobody else.
 * One place for challenges, nonces and brute-force bans. Signalling thread.
 */
#include "dialplan/dialplan.h"

struct tl_request;
struct tl_access; /* nonces, failures by source */

struct tl_source {
	enum tl_source_kind kind;
	const struct tl_trunk_cfg *trunk;         /* of the dialplan given, or NULL */
	const struct tl_extension_cfg *extension; /* likewise */
};

int tl_access_new(struct tl_access **ret_access);
void tl_access_free(struct tl_access *access); /* NULL ok */
/*
 * Whether challenges offer SHA-256 (RFC 8760) after MD5; false at first, since Debian 12's
 * baresip gives up at the sight of a second challenge. Never offered while an
 * extension has only an ha1.
 */
void tl_access_offer_sha256(struct tl_access *access, bool offer);

/*
 * Admits a request or answers it. 0: *ret_source says who. -EACCES: it has been
 * challenged (407 for INVITE and others, 401 for REGISTER) or refused (403). Unknown users are
 * challenged like known ones. A trunk's address is admitted as the trunk unless the request bears
 * an extension's credentials.
 */
int tl_access_check(struct tl_access *access, const struct tl_dialplan *dp,
		    struct tl_request *request, struct tl_source *ret_source);
/* Digest for one user only (REGISTER): 401, realm = domain. Same results. */
int tl_access_check_extension(struct tl_access *access, const struct tl_dialplan *dp,
			      struct tl_request *request,
			      const struct tl_extension_cfg **ret_extension);
