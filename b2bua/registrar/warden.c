#include "b2bua/registrar/warden.h"

#include <errno.h>
#include <string.h>
#include <glib.h>
#include "b2bua/log.h"
#include "b2bua/registrar/source_table.h"
#include "b2bua/store/store.h"

enum {
	SOURCES = 8192,   /* remembered at once, of either kind */
	FRIEND_PORTS = 8, /* of one address: telephones behind a NAT */
};

/* An address that passwords have been proved from. */
struct friend_host {
	struct {
		uint16_t port;
		int64_t proved_us;
	} ports[FRIEND_PORTS];
};

struct tl_warden {
	struct tl_store *store;
	struct tl_bans *bans;
	struct tl_source_table *friends; /* struct friend_host */
	int64_t friendship_us;
	unsigned ban_max_s;
	struct tl_log_limit ban_limit, barred_limit;
};

static struct tl_bans_cfg bans_cfg(const struct tl_gateway *gateway)
{
	unsigned n = gateway->ban_failures;

	return (struct tl_bans_cfg) {
		.max_failures = n,
		.forgive_s = n > 0 ? MAX(gateway->ban_window_s / n, 1) : 1,
		.ban_s = gateway->ban_time_s,
		.ban_max_s = gateway->ban_max_s,
		.sources = SOURCES,
	};
}

static bool parse_source(const char *text, struct sockaddr_storage *ret_addr)
{
	g_autofree char *host = g_strndup(text, strcspn(text, "/"));

	return tl_address_parse(host, 0, ret_addr);
}

struct loading {
	struct tl_warden *warden;
	int64_t now_us, now_s;
	GPtrArray *past; /* char *, owned: sources that may start anew */
};

static void on_stored_ban(const char *source, int64_t until_s, unsigned times, void *user)
{
	struct loading *loading = user;
	struct tl_warden *warden = loading->warden;
	int64_t left_s = until_s - loading->now_s;
	struct sockaddr_storage addr;

	if (!parse_source(source, &addr) || left_s < -(int64_t)warden->ban_max_s) {
		g_ptr_array_add(loading->past, g_strdup(source));
		return;
	}
	/* nobody is banned for longer because the clock was turned back */
	left_s = MIN(left_s, (int64_t)warden->ban_max_s);
	tl_bans_restore(warden->bans, (struct sockaddr *)&addr, times,
			loading->now_us + left_s * G_USEC_PER_SEC);
}

static void load_bans(struct tl_warden *warden, int64_t now_us)
{
	g_autoptr(GPtrArray) past = g_ptr_array_new_with_free_func(g_free);
	struct loading loading = { .warden = warden,
				   .now_us = now_us,
				   .now_s = g_get_real_time() / G_USEC_PER_SEC,
				   .past = past };

	if (!warden->store)
		return;
	(void)tl_store_bans_load(warden->store, on_stored_ban, &loading);
	for (guint i = 0; i < past->len; i++)
		tl_store_ban_remove(warden->store, past->pdata[i]);
}

struct tl_warden *tl_warden_new(struct tl_store *store, const struct tl_gateway *gateway,
				int64_t now_us)
{
	struct tl_warden *warden = g_new0(struct tl_warden, 1);
	struct tl_bans_cfg cfg = bans_cfg(gateway);

	warden->store = store;
	warden->bans = tl_bans_new(&cfg);
	warden->friends = tl_source_table_new(sizeof(struct friend_host), SOURCES);
	tl_warden_configure(warden, gateway);
	load_bans(warden, now_us);
	return warden;
}

void tl_warden_free(struct tl_warden *warden)
{
	if (!warden)
		return;
	tl_bans_free(warden->bans);
	tl_source_table_free(warden->friends);
	g_free(warden);
}

void tl_warden_configure(struct tl_warden *warden, const struct tl_gateway *gateway)
{
	struct tl_bans_cfg cfg = bans_cfg(gateway);

	tl_bans_configure(warden->bans, &cfg);
	warden->ban_max_s = gateway->ban_max_s;
	warden->friendship_us = (int64_t)gateway->register_max_s * G_USEC_PER_SEC;
}

static bool is_never_banned(const struct tl_gateway *gateway, const struct sockaddr *source)
{
	for (size_t i = 0; i < gateway->n_ban_never; i++)
		if (tl_cidr_match(&gateway->ban_never[i], source))
			return true;
	return false;
}

/* --- those who have proved a password --- */

static bool is_fresh(const struct tl_warden *warden, const struct friend_host *host, int i,
		     int64_t now_us)
{
	return host->ports[i].proved_us &&
	       now_us - host->ports[i].proved_us < warden->friendship_us;
}

/* port 0: any of the host's. */
static bool has_friend(struct tl_warden *warden, const struct sockaddr *source, uint16_t port,
		       int64_t now_us)
{
	const struct friend_host *host = tl_source_table_find(warden->friends, source);

	for (int i = 0; host && i < FRIEND_PORTS; i++)
		if ((!port || host->ports[i].port == port) && is_fresh(warden, host, i, now_us))
			return true;
	return false;
}

void tl_warden_note_success(struct tl_warden *warden, const struct sockaddr *source, int64_t now_us)
{
	int made, oldest = 0;
	struct friend_host *host = tl_source_table_touch(warden->friends, source, &made);
	uint16_t port = tl_address_port(source);

	for (int i = 0; i < FRIEND_PORTS; i++) {
		if (host->ports[i].port == port) {
			oldest = i;
			break;
		}
		if (host->ports[i].proved_us < host->ports[oldest].proved_us)
			oldest = i;
	}
	host->ports[oldest].port = port;
	host->ports[oldest].proved_us = now_us;
}

static void end_friendship(struct tl_warden *warden, const struct sockaddr *source)
{
	struct friend_host *host = tl_source_table_find(warden->friends, source);

	for (int i = 0; host && i < FRIEND_PORTS; i++)
		if (host->ports[i].port == tl_address_port(source))
			host->ports[i].proved_us = 0;
}

/* --- those who fail --- */

bool tl_warden_bars(struct tl_warden *warden, const struct tl_gateway *gateway,
		    const struct sockaddr *source, int64_t now_us)
{
	unsigned left_s = tl_bans_left_s(warden->bans, source, now_us);
	char text[TL_ADDRESS_BYTES];
	unsigned skipped;

	if (left_s == 0 || is_never_banned(gateway, source) ||
	    has_friend(warden, source, tl_address_port(source), now_us))
		return false;
	if (tl_log_allow(&warden->barred_limit, &skipped))
		g_debug("access: still banned src=%s for_s=%u skipped=%u",
			tl_address_text(source, text), left_s, skipped);
	return true;
}

static void keep_ban(struct tl_warden *warden, const struct sockaddr *source, unsigned ban_s)
{
	struct tl_address_key key = tl_address_key(source);
	unsigned times = tl_bans_times(warden->bans, source), skipped;
	char text[TL_ADDRESS_BYTES];

	tl_address_key_text(&key, text);
	if (tl_log_allow(&warden->ban_limit, &skipped))
		g_message("access: banned src=%s for_s=%u times=%u skipped=%u", text, ban_s, times,
			  skipped);
	tl_store_ban_put(warden->store, text, g_get_real_time() / G_USEC_PER_SEC + ban_s, times);
}

unsigned tl_warden_note_failure(struct tl_warden *warden, const struct tl_gateway *gateway,
				const struct sockaddr *source, int64_t now_us)
{
	unsigned failures, ban_s;
	bool doubles;

	if (is_never_banned(gateway, source))
		return 0;
	end_friendship(warden, source);
	doubles = !has_friend(warden, source, 0, now_us);
	failures = tl_bans_fail(warden->bans, source, doubles, now_us, &ban_s);
	if (ban_s > 0)
		keep_ban(warden, source, ban_s);
	return failures;
}

/* --- the operator --- */

size_t tl_warden_list(struct tl_warden *warden, int64_t now_us, struct tl_ban *ret_bans, size_t max)
{
	return tl_bans_list(warden->bans, now_us, ret_bans, max);
}

int tl_warden_lift(struct tl_warden *warden, const char *address, int64_t now_us)
{
	struct sockaddr_storage addr;
	struct tl_address_key key;
	char text[TL_ADDRESS_BYTES];

	if (!parse_source(address, &addr))
		return -EINVAL;
	if (tl_bans_left_s(warden->bans, (struct sockaddr *)&addr, now_us) == 0)
		return -ENOENT;
	key = tl_address_key((struct sockaddr *)&addr);
	tl_bans_lift(warden->bans, (struct sockaddr *)&addr);
	tl_store_ban_remove(warden->store, tl_address_key_text(&key, text));
	g_message("access: ban lifted src=%s", text);
	return 0;
}
