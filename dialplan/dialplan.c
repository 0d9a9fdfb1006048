#include "dialplan/dialplan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "dialplan/dialplan_priv.h"

struct tl_dialplan *tl_dialplan_new(void)
{
	struct tl_dialplan *dp = g_new0(struct tl_dialplan, 1);

	dp->refs = 1;
	dp->pool = tl_pool_new();
	dp->trunk_by_name = g_hash_table_new(g_str_hash, g_str_equal);
	dp->extension_by_number = g_hash_table_new(g_str_hash, g_str_equal);
	dp->hours_by_name = g_hash_table_new(g_str_hash, g_str_equal);
	dp->group_by_name = g_hash_table_new(g_str_hash, g_str_equal);
	dp->route_by_name = g_hash_table_new(g_str_hash, g_str_equal);
	dp->warnings = tl_diags_new();
	return dp;
}

static void dialplan_free(struct tl_dialplan *dp)
{
	tl_index_free(dp->index);
	for (size_t i = 0; i < dp->n_hours; i++)
		tl_hours_done(&dp->hours[i]);
	g_hash_table_unref(dp->trunk_by_name);
	g_hash_table_unref(dp->extension_by_number);
	g_hash_table_unref(dp->hours_by_name);
	g_hash_table_unref(dp->group_by_name);
	g_hash_table_unref(dp->route_by_name);
	tl_diags_free(dp->warnings);
	tl_pool_free(dp->pool);
	g_free(dp);
}

struct tl_dialplan *tl_dialplan_ref(struct tl_dialplan *dp)
{
	g_atomic_int_inc(&dp->refs);
	return dp;
}

void tl_dialplan_unref(struct tl_dialplan *dp)
{
	if (dp && g_atomic_int_dec_and_test(&dp->refs))
		dialplan_free(dp);
}

const struct tl_gateway *tl_dialplan_gateway(const struct tl_dialplan *dp)
{
	return &dp->gateway;
}

const struct tl_trunk_cfg *tl_dialplan_trunks(const struct tl_dialplan *dp, size_t *ret_n)
{
	*ret_n = dp->n_trunks;
	return dp->trunks;
}

const struct tl_extension_cfg *tl_dialplan_extensions(const struct tl_dialplan *dp, size_t *ret_n)
{
	*ret_n = dp->n_extensions;
	return dp->extensions;
}

const struct tl_trunk_cfg *tl_dialplan_trunk(const struct tl_dialplan *dp, const char *name)
{
	return g_hash_table_lookup(dp->trunk_by_name, name);
}

const struct tl_trunk_cfg *tl_dialplan_trunk_by_user(const struct tl_dialplan *dp, const char *user)
{
	for (size_t i = 0; i < dp->n_trunks; i++)
		if (g_strcmp0(dp->trunks[i].allow_user, user) == 0)
			return &dp->trunks[i];
	return NULL;
}

const struct tl_extension_cfg *tl_dialplan_extension(const struct tl_dialplan *dp,
						     const char *number)
{
	return g_hash_table_lookup(dp->extension_by_number, number);
}

size_t tl_dialplan_warnings(const struct tl_dialplan *dp)
{
	return tl_diags_count(dp->warnings);
}

const char *tl_dialplan_warning(const struct tl_dialplan *dp, size_t i)
{
	return tl_diags_text(dp->warnings, i);
}

static uint16_t port_of(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
}

const struct tl_trunk_cfg *tl_dialplan_trunk_by_address(const struct tl_dialplan *dp,
							const struct sockaddr *addr)
{
	const struct tl_admission *first = NULL;

	for (size_t i = 0; i < dp->n_admissions; i++) {
		const struct tl_admission *a = &dp->admissions[i];

		if (first && a->cidr.prefix_bits < first->cidr.prefix_bits)
			break;
		if (!tl_cidr_match(&a->cidr, addr))
			continue;
		/* two trunks behind one address are told apart by the port */
		if (a->trunk->port && a->trunk->port == port_of(addr))
			return a->trunk;
		first = first ? first : a;
	}
	return first ? first->trunk : NULL;
}

int tl_source_parse(const char *text, enum tl_source_kind *ret_kind, const char **ret_name)
{
	const char *colon = strchr(text, ':');
	enum tl_source_kind kind = TL_SOURCE_EXTENSION;
	const char *name = text;

	if (colon) {
		size_t bytes = colon - text;

		name = colon + 1;
		if (bytes == strlen("trunk") && strncmp(text, "trunk", bytes) == 0)
			kind = TL_SOURCE_TRUNK;
		else if (bytes != strlen("extension") || strncmp(text, "extension", bytes) != 0)
			return -EINVAL;
	} else if (strcmp(text, "trunk") == 0 || strcmp(text, "extension") == 0) {
		return -EINVAL;
	}
	if (!*name)
		return -EINVAL;
	*ret_kind = kind;
	*ret_name = name;
	return 0;
}

int tl_time_parse(const char *text, int64_t *ret_at_s)
{
	g_autoptr(GTimeZone) local = g_time_zone_new_local();

	return tl_moment_read(text, local, ret_at_s) ? 0 : -EINVAL;
}
