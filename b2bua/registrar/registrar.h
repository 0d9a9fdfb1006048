#pragma once
/*
 * The registrar (RFC 3261 10) and location service. Bindings live in memory,
 * and in SQLite so that they survive a restart. Signalling thread; writes to
 * the database go through the storage thread of b2bua/store/store.h.
 */
#include "b2bua/registrar/ping.h"
#include "dialplan/dialplan.h"

struct tl_request;
struct tl_stack;
struct tl_access;
struct tl_store;
struct tl_location;
struct tl_registrar;

/* Loads what the database holds. Copies nothing; all lent till free. Never NULL. */
struct tl_registrar *tl_registrar_new(struct tl_stack *stack, struct tl_access *access,
				      struct tl_store *store, struct tl_dialplan *dp);
void tl_registrar_free(struct tl_registrar *reg); /* NULL ok */
/* After a reload: extensions that are gone lose their bindings. Takes a reference. */
void tl_registrar_configure(struct tl_registrar *reg, struct tl_dialplan *dp);

/* tl_request_fn for REGISTER; user is the registrar. */
void tl_registrar_on_register(struct tl_request *request, void *user);

struct tl_binding {
	const char *extension;
	const char *contact; /* URI */
	/* Path ("sip:edge.example;lr", several as "<…>,<…>"); or, when it differs from the
	 * contact's (NAT, a connection), the address that the REGISTER came from, which is no
	 * proxy and so has no lr: "sip:192.0.2.1:40000;transport=udp". NULL: none */
	const char *route;
	const char *user_agent; /* "" unknown */
	double q;
	int64_t expires_s; /* Unix time */
	enum tl_reach reach;
	unsigned rtt_ms; /* of the last OPTIONS that it answered, or 0 */
};
/*
 * Bindings of an extension, best q first (RFC 3261 16.6: those of equal q together, the next
 * after them), without those that are unreachable; NULL extension: all of all. Lent until the
 * next event on this thread. Returns their number, at most max.
 */
size_t tl_registrar_lookup(struct tl_registrar *reg, const char *extension,
			   struct tl_binding *ret_bindings, size_t max);
/* For observers (b2bua/registrar/location.h); lent till tl_registrar_free(). */
struct tl_location *tl_registrar_location(struct tl_registrar *reg);
size_t tl_registrar_count(const struct tl_registrar *reg);
