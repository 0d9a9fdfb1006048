#pragma once
/*
 * An INVITE may be answered more than once: a proxy forks it, and two
 * telephones are lifted. The first 2xx is the call; what any later one made is
 * acknowledged and ended (RFC 3261 13.2.2.4). NTA does that by itself, by a
 * function that frees a message twice when the second peer can't be reached; so
 * such a response never gets to it, and this file does it. Signalling thread.
 */
#include "b2bua/sip/stack_priv.h"

struct tl_forks;

struct tl_forks *tl_forks_new(struct tl_stack *stack);
void tl_forks_free(struct tl_forks *forks); /* NULL ok */

/* The transaction (call_id, cseq) has had its final response, with this To tag when it was a
 * 2xx, else NULL. Any other 2xx to it is one too many, for as long as NTA remembers it. */
void tl_forks_settled(struct tl_forks *forks, const char *call_id, uint32_t cseq, const char *tag);
/* That 2xx has been acknowledged. */
void tl_forks_acked(struct tl_forks *forks, const char *call_id, uint32_t cseq);
/* Looks at each response before NTA does. True: NTA must not see it; it is dealt with. */
bool tl_forks_take(struct tl_forks *forks, const sip_t *sip);
