#pragma once
/*
 * What a REGISTER asks for, and whether it may have it (RFC 3261 10.3, steps 6
 * and 7): from a request and the bindings there are to the changes that it
 * makes, or a refusal that makes none. Pure. Private to the registrar.
 */
#include <sofia-sip/sip.h>
#include <glib.h>
#include "dialplan/settings.h"

enum {
	TL_REGISTER_CONTACT_BYTES = 512, /* a longer URI is refused */
	TL_REGISTER_CONTACTS = 16,       /* in one request; more are refused */
	TL_REGISTER_INSTANCE_BYTES = 128,
};

struct tl_register_facts {
	const sip_t *sip;
	const GPtrArray *bindings; /* of the extension: struct tl_location_binding; NULL: none */
	unsigned min_s, max_s, default_s; /* expiry */
	unsigned max_contacts;
	int64_t now_s;
};

struct tl_register_change {
	/* The binding that goes, or that put takes the place of; "": none. */
	char old_contact[TL_REGISTER_CONTACT_BYTES];
	bool put;
	char contact[TL_REGISTER_CONTACT_BYTES];
	char instance[TL_REGISTER_INSTANCE_BYTES]; /* "": none */
	uint32_t reg_id;                           /* 0: none */
	const url_t *url;                          /* of contact; lent from the request */
	double q;
	int64_t expires_s; /* Unix time */
};

struct tl_register_plan {
	int status; /* 0: do the changes; else the refusal */
	const char *phrase;
	unsigned min_expires_s; /* for 423 */
	GArray *changes;        /* struct tl_register_change, in order */
	bool outbound; /* its flow is kept as RFC 5626 has it, which the answer is to say */
};

/* Always leaves a plan that tl_register_plan_done() must be called for. */
void tl_register_plan_make(const struct tl_register_facts *facts,
			   struct tl_register_plan *ret_plan);
void tl_register_plan_done(struct tl_register_plan *plan);

/* RFC 3261 19.1.4, as far as it matters for Contacts. */
bool tl_register_same_uri(const url_t *a, const url_t *b);

/*
 * The next hop for calls to a contact: what Path says (RFC 3327); else the
 * address that the REGISTER came from when a NAT stands between, or
 * when it came over a connection: that is the one to use again. NULL: the contact itself.
 * The caller frees it.
 */
char *tl_register_route(const sip_t *sip, const url_t *contact, const struct sockaddr *source,
			enum tl_transport transport);

/* Whether a contact can still be called when its connection has closed: it names the same host
 * (no NAT) and a port that the telephone seems to listen at. hop: the connection's. */
bool tl_register_outlives(const char *contact, const char *hop);
