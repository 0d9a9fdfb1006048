/* The bindings there are: in memory, their shadow in the database, and the connections that some
 * of them live by. */
#include "b2bua/registrar/registrar_priv.h"

#include <string.h>
#include "b2bua/clock.h"
#include "b2bua/registrar/registrar_plan.h"
#include "b2bua/sip/stack.h"

int64_t tl_registrar_now_s(void)
{
	return tl_clock_s();
}

void tl_registrar_put(struct tl_registrar *reg, const struct tl_location_binding *binding)
{
	const struct tl_store_binding row = {
		.extension = binding->extension,
		.contact = binding->contact,
		.route = binding->route,
		.call_id = binding->call_id,
		.user_agent = binding->user_agent,
		.instance = binding->instance,
		.reg_id = binding->reg_id,
		.received = binding->received,
		.cseq = binding->cseq,
		.q = binding->q,
		.expires_s = binding->expires_s,
	};

	/* the table lets go of the binding that it replaces, whose texts these may be */
	if (reg->store)
		tl_store_binding_put(reg->store, &row);
	tl_location_put(reg->location, binding);
}

void tl_registrar_remove(struct tl_registrar *reg, const char *extension, const char *contact)
{
	if (reg->store)
		tl_store_binding_remove(reg->store, extension, contact);
	tl_location_remove(reg->location, extension, contact, TL_LOCATION_REMOVED);
}

void tl_registrar_log(const char *event, const struct tl_location_binding *binding)
{
	char contact[TL_REGISTER_CONTACT_BYTES];

	g_message("register extension=%s %s contact=\"%s\"", binding->extension, event,
		  tl_log_quote(binding->contact, contact, sizeof(contact)));
}

/* The one that this one takes the place of, or NULL. */
static const struct tl_location_binding *find(struct tl_registrar *reg, const char *extension,
					      const char *contact)
{
	const GPtrArray *bindings = tl_location_find(reg->location, extension);

	for (guint i = 0; bindings && i < bindings->len; i++) {
		const struct tl_location_binding *binding = bindings->pdata[i];

		if (strcmp(binding->contact, contact) == 0)
			return binding;
	}
	return NULL;
}

void tl_registrar_move_calls(struct tl_registrar *reg, const struct tl_location_binding *binding,
			     const char *old_contact)
{
	const struct tl_location_binding *old = find(reg, binding->extension, old_contact);
	g_autofree char *hop =
		old && old->received ? g_strdup(old->route) : tl_ways_find(reg->ways, binding);

	if (hop && strcmp(hop, binding->route) != 0)
		tl_stack_rehop(reg->stack, hop, binding->route);
}

static bool drop_expired(const struct tl_location_binding *binding, void *user)
{
	struct tl_registrar *reg = user;

	if (binding->expires_s > tl_registrar_now_s())
		return false;
	tl_registrar_log("expired", binding);
	if (reg->store)
		tl_store_binding_remove(reg->store, binding->extension, binding->contact);
	return true;
}

static bool drop_unknown(const struct tl_location_binding *binding, void *user)
{
	struct tl_registrar *reg = user;

	if (tl_dialplan_extension(reg->dp, binding->extension))
		return false;
	tl_registrar_log("gone", binding);
	if (reg->store)
		tl_store_binding_remove(reg->store, binding->extension, binding->contact);
	return true;
}

void tl_registrar_drop_unknown(struct tl_registrar *reg)
{
	tl_location_filter(reg->location, drop_unknown, TL_LOCATION_WITHDRAWN, reg);
}

void tl_registrar_on_sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct tl_registrar *reg = (struct tl_registrar *)arg;

	tl_location_filter(reg->location, drop_expired, TL_LOCATION_EXPIRED, reg);
	tl_ways_sweep(reg->ways, tl_registrar_now_s());
}

/* Its connection went down with us: what names a place to call stays, without the hop. */
static void lose_connection(struct tl_registrar *reg, const struct tl_location_binding *binding)
{
	struct tl_location_binding bare = *binding;

	if (!tl_register_outlives(binding->contact, binding->route)) {
		tl_pings_mark_lost(reg->pings, binding->extension, binding->contact);
		return;
	}
	bare.route = NULL;
	bare.received = false;
	tl_location_put(reg->location, &bare);
}

struct closing {
	struct tl_registrar *reg;
	const char *hop;
	GPtrArray *outliving; /* struct tl_location_binding, lent */
};

static bool drop_closed(const struct tl_location_binding *binding, void *user)
{
	struct closing *closing = user;

	if (!binding->received || g_strcmp0(binding->route, closing->hop) != 0)
		return false;
	if (tl_register_outlives(binding->contact, binding->route)) {
		g_ptr_array_add(closing->outliving, (gpointer)binding);
		return false;
	}
	tl_registrar_log("disconnected", binding);
	tl_ways_lose(closing->reg->ways, binding, tl_registrar_now_s());
	if (closing->reg->store)
		tl_store_binding_remove(closing->reg->store, binding->extension, binding->contact);
	return true;
}

void tl_registrar_on_flow_closed(const char *hop, void *user)
{
	g_autoptr(GPtrArray) outliving = g_ptr_array_new();
	struct closing closing = { .reg = user, .hop = hop, .outliving = outliving };

	tl_location_filter(closing.reg->location, drop_closed, TL_LOCATION_WITHDRAWN, &closing);
	for (guint i = 0; i < outliving->len; i++) {
		struct tl_location_binding bare =
			*(const struct tl_location_binding *)outliving->pdata[i];

		tl_stack_rehop(closing.reg->stack, bare.route, NULL);
		tl_ways_lose(closing.reg->ways, &bare, tl_registrar_now_s());
		bare.route = NULL;
		bare.received = false;
		tl_registrar_put(closing.reg, &bare);
	}
}

static void on_stored_binding(const struct tl_store_binding *row, void *user)
{
	struct tl_registrar *reg = user;
	const struct tl_location_binding binding = {
		.extension = (char *)row->extension,
		.contact = (char *)row->contact,
		.route = (char *)row->route,
		.call_id = (char *)row->call_id,
		.user_agent = (char *)row->user_agent,
		.instance = (char *)row->instance,
		.reg_id = row->reg_id,
		.received = row->received,
		.cseq = row->cseq,
		.q = row->q,
		.expires_s = row->expires_s,
	};

	tl_location_put(reg->location, &binding);
	if (row->received && row->route && !strstr(row->route, ";transport=udp"))
		lose_connection(reg, &binding);
}

void tl_registrar_load(struct tl_registrar *reg)
{
	if (!reg->store)
		return;
	if (tl_store_bindings_load(reg->store, on_stored_binding, reg) < 0)
		g_warning("registrar: the bindings can't be read; extensions must register anew");
	tl_location_filter(reg->location, drop_expired, TL_LOCATION_EXPIRED, reg);
	tl_registrar_drop_unknown(reg);
	g_message("registrar: loaded bindings=%u", tl_location_count(reg->location));
}
