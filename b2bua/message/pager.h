#pragma once
/*
 * MESSAGE outside calls (RFC 3428): from an extension or a trunk, by the
 * routes that calls take, to an extension (all its contacts at once) or a
 * trunk (its servers one after another, as calls try them). Nothing is stored: the sender learns
 * what became of it, and when nobody is there, that (404 no such number, 480 not registered).
 * Signalling thread.
 */
#include "b2bua/registrar/access.h"
#include "b2bua/sip/request.h"

enum {
	TL_PAGER_BYTES = 16384,     /* of a body; more is refused with 413 */
	TL_PAGER_DELIVERIES = 2000, /* under way; more are refused with 503 */
};

struct tl_pager;
struct tl_registrar;
struct tl_trunks;

struct tl_pager_cfg { /* lent till free; dp: referenced */
	struct tl_stack *stack;
	struct tl_access *access;
	struct tl_registrar *registrar;
	struct tl_trunks *trunks;
	struct tl_dialplan *dp;
};

struct tl_pager *tl_pager_new(const struct tl_pager_cfg *cfg);
/* Refuses those whose answer it still waits for. Before the stack. NULL ok. */
void tl_pager_free(struct tl_pager *pager);
/* After a reload; takes a reference. */
void tl_pager_configure(struct tl_pager *pager, struct tl_dialplan *dp);

/* A MESSAGE outside any dialog. */
void tl_pager_on_message(struct tl_pager *pager, struct tl_request *request);
