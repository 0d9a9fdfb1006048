#pragma once
/*
 * Who a MESSAGE is from, as its receiver is to see it: by the rules of calls (call_identity.c),
 * since it takes their routes. Signalling thread.
 */
#include "b2bua/registrar/access.h"
#include "b2bua/sip/identity.h"

struct tl_decision;

struct tl_sender {               /* texts of the home given */
	const char *user, *name; /* the number shown, even if withheld; "": none */
	bool withheld;
};

/* The number that the dialplan goes by: what a trusted trunk asserts, From of another, and an
 * extension's own. */
const char *tl_sender_number(su_home_t *home, const sip_t *sip, const struct tl_source *source);
/* number: that. */
void tl_sender_read(su_home_t *home, const sip_t *sip, const struct tl_source *source,
		    const struct tl_decision *decision, const char *number,
		    struct tl_sender *ret_sender);
