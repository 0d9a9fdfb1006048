#pragma once
/*
 * What has been published (RFC 3903): the soft state of an extension's event,
 * each piece with an entity tag and an end. A table and nothing more; who may
 * publish what is for publish.c. Signalling thread; time comes in as now_s
 * (monotonic).
 */
#include <stddef.h>
#include <stdint.h>
#include "b2bua/event/pidf.h"
#include "b2bua/event/summary.h"

enum {
	TL_PUBLICATIONS_EACH = 4, /* of one extension's event; the one to end first makes room */
	TL_ETAG_BYTES = 24,
};

struct tl_publications;

struct tl_publication {
	char etag[TL_ETAG_BYTES];
	int64_t expires_s;
	struct tl_pidf *pidf;       /* presence; its own */
	struct tl_summary *summary; /* message-summary; its own */
};

struct tl_publications *tl_publications_new(void);
void tl_publications_free(struct tl_publications *publications); /* NULL ok */

/* A PUBLISH, read. */
struct tl_publish {
	const char *event, *extension;
	const char *etag;           /* SIP-If-Match, or NULL: something new */
	struct tl_pidf *pidf;       /* the new state: one of the two, or none to refresh */
	struct tl_summary *summary; /* both are taken, whatever comes of it */
	unsigned expires_s;         /* 0: ends now */
	int64_t now_s;
};
/* The SIP status: 200 with ret_etag, 400 (nothing to refresh, no state), 412 (no such tag). */
int tl_publications_take(struct tl_publications *publications, const struct tl_publish *publish,
			 char ret_etag[static TL_ETAG_BYTES]);

/* What is published now, newest first; their number, at most max. Lent until the next change. */
size_t tl_publications_find(struct tl_publications *publications, const char *event,
			    const char *extension, int64_t now_s,
			    const struct tl_publication **ret_found, size_t max);

/* event and extension are lent. */
typedef void tl_publication_fn(const char *event, const char *extension, void *user);
/* Drops what has ended, and tells fn of each extension's event that has changed by it. */
void tl_publications_sweep(struct tl_publications *publications, int64_t now_s,
			   tl_publication_fn *fn, void *user);
/* Drops what is published for extensions that is_gone(extension, user) says are no more. */
void tl_publications_prune(struct tl_publications *publications,
			   int (*is_gone)(const char *extension, void *user), void *user);
