#pragma once
/*
 * Headers between a message and the rest of the gateway: which ones cross from
 * one leg to the other, names and identities as text, the Reason of an end.
 * Whatever comes from the network is bounded and freed of control characters
 * here. What is returned is allocated from home. Signalling thread.
 */
#include <stdbool.h>
#include <sofia-sip/sip.h>
#include "b2bua/leg/leg.h"
#include "dialplan/header_name.h"

enum {
	TL_HEADER_BYTES = 512,   /* a longer one stays behind */
	TL_FIELDS_MAX = 64,      /* of a request that conditions may look at */
	TL_IDENTITY_BYTES = 256, /* user parts and display names are cut here */
};

/* Short, UTF-8, without control characters. */
bool tl_header_is_value(const char *value);
/* The headers that are not the gateway's own (dialplan/header_name.h): those that cross by
 * themselves first, then those that a route may ask for, each kind in the message's order. */
void tl_headers_collect(su_home_t *home, const sip_t *sip, struct tl_header_set *ret_set);
/* "Name: value\r\n…" for SIPTAG_HEADER_STR(); NULL when there is none. What is not free, or is no
 * header, is left out. */
char *tl_headers_format(su_home_t *home, const struct tl_header *headers, size_t n);

/* All fields of a request in their order, for the dialplan's conditions; their number. */
size_t tl_headers_fields(su_home_t *home, const sip_t *sip,
			 const struct tl_fact_header **ret_fields);
/* Bits of enum tl_offered for the media lines of a body, if that is SDP. */
unsigned tl_headers_offered(const sip_t *sip);

/* A URI's user part, unescaped; "" when it has none, or when it has a NUL or a control
 * character in it. */
char *tl_user_of(su_home_t *home, const url_t *url);
/* A display name without its quotes; NULL when there is none. */
char *tl_display_of(su_home_t *home, const char *display);
/* `"Alice" <sip:1001@example.net>` of a party; host stands in where it names none. A user
 * that is "" gives the anonymous identity of RFC 3323 4.1.1.3. */
char *tl_party_format(su_home_t *home, const struct tl_party *party, const char *host);
/* Escapes what may not stand in a user part (RFC 3261 25.1). */
char *tl_user_escape(su_home_t *home, const char *user);
/* "host", or "[2001:db8::1]" for an IPv6 literal without brackets. */
char *tl_host_format(su_home_t *home, const char *host);

/* The Reason header's value, `SIP;cause=200;text="…"`; NULL: none. */
char *tl_reason_of(su_home_t *home, const sip_t *sip);
/* The same for a cause; made of its status when it has no reason of its own. */
char *tl_reason_format(su_home_t *home, const struct tl_cause *cause);
/* Everything of a response, or of the BYE or CANCEL, that the other leg might like to know. */
void tl_cause_of(su_home_t *home, const sip_t *sip, struct tl_cause *ret_cause);

/* Is the message's body of this type ("application/sdp")? */
bool tl_content_is(const sip_t *sip, const char *type);
bool tl_has_body(const sip_t *sip);
