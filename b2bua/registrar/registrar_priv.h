#pragma once
/* What registrar.c, which answers and is asked, shares with registrar_bindings.c, which keeps
 * the table, the database and the connections in step. Private to the registrar. */
#include <sofia-sip/su_wait.h>
#include "b2bua/log.h"
#include "b2bua/sip/flow.h"
#include "b2bua/registrar/location.h"
#include "b2bua/registrar/registrar.h"
#include "b2bua/registrar/ways.h"
#include "b2bua/store/store.h"

struct tl_registrar {
	struct tl_access *access;
	struct tl_store *store; /* NULL: memory only */
	struct tl_dialplan *dp; /* a reference */
	struct tl_location *location;
	struct tl_stack *stack;
	struct tl_ways *ways;
	struct tl_flows *flows;
	struct tl_pings *pings;
	su_timer_t *sweep;
	struct tl_log_limit foreign_limit;
};

int64_t tl_registrar_now_s(void); /* Unix time */

/* In the table and in the database. */
void tl_registrar_put(struct tl_registrar *reg, const struct tl_location_binding *binding);
void tl_registrar_remove(struct tl_registrar *reg, const char *extension, const char *contact);
/* binding, which has a way of its own, is about to take the place of the one with old_contact, or
 * of one that was lost: calls over the old way go over the new one. */
void tl_registrar_move_calls(struct tl_registrar *reg, const struct tl_location_binding *binding,
			     const char *old_contact);
void tl_registrar_log(const char *event, const struct tl_location_binding *binding);
/* At start: from the database to the table. */
void tl_registrar_load(struct tl_registrar *reg);
/* Extensions that the configuration doesn't have lose their bindings. */
void tl_registrar_drop_unknown(struct tl_registrar *reg);
/* su_timer_f; arg is the registrar: bindings that are over go. */
void tl_registrar_on_sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);
/* tl_flow_closed_fn; user is the registrar. */
void tl_registrar_on_flow_closed(const char *hop, void *user);
