#include "b2bua/event/notifier.h"
#include <string.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include "b2bua/call/board.h"
#include "b2bua/event/archive.h"
#include "b2bua/event/subscription.h"
#include "b2bua/log.h"
#include "b2bua/sip/headers.h"

enum {
	EVENT_ID_BYTES = 64,
	RETRY_AFTER_S = 60,
};

#define TRUNK "trunk:"

struct tl_notifier {
	struct tl_notifier_cfg cfg; /* dp: a reference */
	struct tl_subscription_owner owner;
	GHashTable *by_resource; /* "event extension" -> GPtrArray of subscriptions; both owned */
	GHashTable *by_watcher;  /* "1002" -> how many */
	unsigned count;
};

static char *key_of(const struct tl_package *package, const char *extension)
{
	return g_strdup_printf("%s %s", package->name, extension);
}

/* --- the table --- */

static void count_watcher(struct tl_notifier *notifier, const char *watcher, int change)
{
	int n = GPOINTER_TO_INT(g_hash_table_lookup(notifier->by_watcher, watcher)) + change;

	notifier->count += (unsigned)change;
	if (n > 0)
		g_hash_table_replace(notifier->by_watcher, g_strdup(watcher), GINT_TO_POINTER(n));
	else
		g_hash_table_remove(notifier->by_watcher, watcher);
}

static void add(struct tl_notifier *notifier, struct tl_subscription *sub)
{
	g_autofree char *key = key_of(tl_subscription_package(sub), tl_subscription_extension(sub));
	GPtrArray *subs = g_hash_table_lookup(notifier->by_resource, key);

	if (!subs) {
		subs = g_ptr_array_new();
		g_hash_table_insert(notifier->by_resource, g_steal_pointer(&key), subs);
	}
	g_ptr_array_add(subs, sub);
	count_watcher(notifier, tl_subscription_watcher(sub), 1);
}

static void on_over(struct tl_subscription *sub, void *user)
{
	struct tl_notifier *notifier = user;
	g_autofree char *key = key_of(tl_subscription_package(sub), tl_subscription_extension(sub));
	GPtrArray *subs = g_hash_table_lookup(notifier->by_resource, key);

	g_message("subscription event=%s extension=%s watcher=%s over",
		  tl_subscription_package(sub)->name, tl_subscription_extension(sub),
		  tl_subscription_watcher(sub));
	g_ptr_array_remove_fast(subs, sub);
	if (subs->len == 0)
		g_hash_table_remove(notifier->by_resource, key);
	count_watcher(notifier, tl_subscription_watcher(sub), -1);
	tl_archive_remove(notifier->cfg.archive, tl_subscription_id(sub));
	tl_subscription_free(sub);
}

/* What outlives us; not what is but one answer. */
static void keep(struct tl_subscription *sub, void *user)
{
	struct tl_notifier *notifier = user;
	json_t *saved = tl_subscription_save(sub);
	struct tl_subscription_info info;

	tl_subscription_info(sub, &info);
	if (saved)
		tl_archive_put(notifier->cfg.archive, tl_subscription_id(sub),
			       g_get_real_time() / G_USEC_PER_SEC + info.expires_in_s, saved);
	else
		tl_archive_remove(notifier->cfg.archive, tl_subscription_id(sub));
}

/* --- the state --- */

static void fill_subject(const struct tl_notifier *notifier, const struct tl_package *package,
			 const char *extension, struct tl_event_subject *subject)
{
	const struct tl_notifier_cfg *cfg = &notifier->cfg;
	const struct tl_extension_cfg *ext = tl_dialplan_extension(cfg->dp, extension);

	*subject = (struct tl_event_subject) {
		.extension = extension,
		.domain = tl_dialplan_gateway(cfg->dp)->domain,
		.with_numbers = ext && ext->watch_numbers,
		.with_names = ext && ext->pickup,
		.calls = tl_board_find(cfg->board, extension),
	};
	subject->n_bindings = tl_registrar_lookup(cfg->registrar, extension, subject->bindings,
						  TL_SUBJECT_BINDINGS);
	subject->n_published = tl_publications_find(cfg->publications, package->name, extension,
						    g_get_monotonic_time() / G_USEC_PER_SEC,
						    subject->published, TL_PUBLICATIONS_EACH);
}

static char *write_state(const struct tl_subscription *sub, unsigned version, void *user)
{
	const struct tl_notifier *notifier = user;
	const struct tl_package *package = tl_subscription_package(sub);
	const char *extension = tl_subscription_extension(sub);
	g_autofree char *escaped = g_uri_escape_string(extension, "!$&'()*+,;=?/", FALSE);
	g_autofree char *uri = NULL;
	struct tl_event_subject subject;

	fill_subject(notifier, package, extension, &subject);
	uri = g_strdup_printf("sip:%s@%s", escaped, subject.domain);
	subject.uri = uri;
	return package->write(&subject, version);
}

void tl_notifier_touch(struct tl_notifier *notifier, const char *extension, unsigned origins,
		       const char *event)
{
	const struct tl_package *package;

	for (size_t i = 0; (package = tl_package_at(i)); i++) {
		g_autofree char *key = NULL;
		GPtrArray *subs;

		if (!(package->origins & origins) || (event && strcmp(event, package->name) != 0))
			continue;
		key = key_of(package, extension);
		subs = g_hash_table_lookup(notifier->by_resource, key);
		for (guint s = 0; subs && s < subs->len; s++)
			tl_subscription_touch(subs->pdata[s]);
	}
}

/* --- who may --- */

int64_t tl_event_grant(const struct tl_gateway *gateway, struct tl_request *request)
{
	const sip_expires_t *expires = request->sip->sip_expires;
	int64_t wanted_s = expires ? (int64_t)expires->ex_delta : gateway->subscribe_max_s;
	sip_min_expires_t min[1];

	if (wanted_s == 0 || wanted_s >= gateway->subscribe_min_s)
		return MIN(wanted_s, (int64_t)gateway->subscribe_max_s);
	sip_min_expires_init(min);
	min->me_delta = gateway->subscribe_min_s;
	tl_request_reply(request, SIP_423_INTERVAL_TOO_BRIEF, SIPTAG_MIN_EXPIRES(min), TAG_END());
	return -1;
}

void tl_event_refuse_event(struct tl_request *request)
{
	tl_request_reply(request, SIP_489_BAD_EVENT, SIPTAG_ALLOW_EVENTS_STR(TL_ALLOW_EVENTS),
			 TAG_END());
}

/* NULL: refused. */
static const struct tl_package *package_of(struct tl_request *request)
{
	const sip_event_t *event = request->sip->sip_event;
	const struct tl_package *package = event ? tl_package_find(event->o_type) : NULL;

	if (!package)
		tl_event_refuse_event(request);
	return package;
}

/* "dialog;id=7"; NULL: the id is none. */
static char *event_of(const struct tl_package *package, const sip_event_t *event)
{
	if (!event->o_id)
		return g_strdup(package->name);
	if (!*event->o_id || strlen(event->o_id) > EVENT_ID_BYTES)
		return NULL;
	for (const char *p = event->o_id; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("-.!%*_+`'~", *p))
			return NULL;
	return g_strdup_printf("%s;id=%s", package->name, event->o_id);
}

static bool accepts(const sip_t *sip, const struct tl_package *package)
{
	const sip_accept_t *accept = sip->sip_accept;

	if (!accept)
		return true; /* the package's default */
	for (; accept; accept = accept->ac_next)
		if (accept->ac_type &&
		    (g_ascii_strcasecmp(accept->ac_type, package->content_type) == 0 ||
		     strcmp(accept->ac_type, "*/*") == 0 ||
		     g_ascii_strcasecmp(accept->ac_type, "application/*") == 0))
			return true;
	return false;
}

static bool may_watch(const struct tl_dialplan *dp, const struct tl_package *package,
		      const char *extension, const char *watcher)
{
	const struct tl_extension_cfg *cfg = tl_dialplan_extension(dp, extension);
	const struct tl_trunk_cfg *trunk = NULL;

	if (g_str_has_prefix(watcher, TRUNK))
		trunk = tl_dialplan_trunk(dp, watcher + strlen(TRUNK));
	if (!cfg || (trunk ? !trunk->may_watch : !tl_dialplan_extension(dp, watcher)))
		return false;
	return strcmp(extension, watcher) == 0 || (!package->own && cfg->watchable);
}

/* The watcher's number, or "trunk:NAME"; NULL: refused. */
static char *watcher_of(struct tl_notifier *notifier, struct tl_request *request)
{
	struct tl_source source;

	if (tl_access_check(notifier->cfg.access, notifier->cfg.dp, request, &source) < 0)
		return NULL;
	if (source.kind == TL_SOURCE_EXTENSION)
		return g_strdup(source.extension->number);
	if (source.trunk->may_watch)
		return g_strconcat(TRUNK, source.trunk->name, NULL);
	tl_request_refuse(request, SIP_403_FORBIDDEN, NULL);
	return NULL;
}

static bool has_room(struct tl_notifier *notifier, struct tl_request *request, const char *watcher)
{
	static struct tl_log_limit limit;
	unsigned max = tl_dialplan_gateway(notifier->cfg.dp)->max_subscriptions, skipped;
	int his = GPOINTER_TO_INT(g_hash_table_lookup(notifier->by_watcher, watcher));
	g_autofree char *retry_after = g_strdup_printf("%d", RETRY_AFTER_S);

	if (his < TL_SUBSCRIPTIONS_EACH && notifier->count < max)
		return true;
	if (tl_log_allow(&limit, &skipped))
		g_warning("subscription refused watcher=%s has=%d all=%u skipped=%u", watcher, his,
			  notifier->count, skipped);
	tl_request_reply(request, 503, "Too many subscriptions",
			 SIPTAG_RETRY_AFTER_STR(retry_after), TAG_END());
	return false;
}

/* A refresh: as the first one, by the same watcher, for the same thing. */
static int64_t admit(const struct tl_subscription *sub, struct tl_request *request, void *user)
{
	struct tl_notifier *notifier = user;
	const struct tl_package *package = package_of(request);
	g_autofree char *event = package ? event_of(package, request->sip->sip_event) : NULL;
	g_autofree char *watcher = NULL;

	if (!package)
		return -1;
	if (g_strcmp0(event, tl_subscription_event(sub)) != 0) {
		/* RFC 6665 4.5.2: another subscription in the same dialog; each has its own here */
		tl_request_refuse(request, SIP_481_NO_TRANSACTION, NULL);
		return -1;
	}
	watcher = watcher_of(notifier, request);
	if (!watcher)
		return -1;
	if (strcmp(watcher, tl_subscription_watcher(sub)) != 0 ||
	    !may_watch(notifier->cfg.dp, package, tl_subscription_extension(sub), watcher)) {
		tl_request_refuse(request, SIP_403_FORBIDDEN, NULL);
		return -1;
	}
	return tl_event_grant(tl_dialplan_gateway(notifier->cfg.dp), request);
}

/* --- SUBSCRIBE --- */

static void subscribe(struct tl_notifier *notifier, struct tl_request *request,
		      const struct tl_subscription_cfg *cfg)
{
	const struct tl_gateway *gateway = tl_dialplan_gateway(notifier->cfg.dp);
	struct tl_subscription *sub;
	int64_t expires_s = tl_event_grant(gateway, request);

	if (expires_s < 0 || !has_room(notifier, request, cfg->watcher))
		return;
	if (tl_subscription_new(request, cfg, expires_s, &sub) < 0)
		return;
	add(notifier, sub);
	keep(sub, notifier);
	g_message("subscription event=%s extension=%s watcher=%s expires_s=%" G_GINT64_FORMAT,
		  cfg->event, cfg->extension, cfg->watcher, expires_s);
}

static void judge(struct tl_notifier *notifier, struct tl_request *request,
		  const struct tl_package *package, const char *extension)
{
	const struct tl_dialplan *dp = notifier->cfg.dp;
	g_autofree char *watcher = watcher_of(notifier, request);
	g_autofree char *event = event_of(package, request->sip->sip_event);

	if (!watcher)
		return;
	if (!event)
		tl_request_refuse(request, 400, "Bad Event Header", NULL);
	else if (!tl_dialplan_extension(dp, extension))
		tl_request_refuse(request, SIP_404_NOT_FOUND, NULL);
	else if (!may_watch(dp, package, extension, watcher))
		tl_request_refuse(request, SIP_403_FORBIDDEN, NULL);
	else if (!accepts(request->sip, package))
		tl_request_refuse(request, SIP_406_NOT_ACCEPTABLE, NULL);
	else
		subscribe(notifier, request,
			  &(struct tl_subscription_cfg) {
				  .package = package,
				  .extension = extension,
				  .watcher = watcher,
				  .event = event,
				  .user_agent = tl_dialplan_gateway(dp)->user_agent,
				  .owner = &notifier->owner,
			  });
}

void tl_notifier_on_subscribe(struct tl_notifier *notifier, struct tl_request *request)
{
	static const char *const supported[] = { "timer", "100rel", "path", NULL };
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const struct tl_package *package = package_of(request);

	if (package && !tl_request_refuse_required(request, supported))
		judge(notifier, request, package,
		      tl_user_of(home, request->sip->sip_request->rq_url));
	su_home_deinit(home);
}

/* --- life --- */

/* 500 a second: the watchers of a large house are not told all at once. */
static unsigned delay_of(const struct tl_notifier *notifier)
{
	return notifier->count * 2;
}

static void on_kept(const char *id, int64_t expires_s, const json_t *saved, void *user)
{
	struct tl_notifier *notifier = user;
	const struct tl_dialplan *dp = notifier->cfg.dp;
	const char *event = json_string_value(json_object_get(saved, "event"));
	const char *extension = json_string_value(json_object_get(saved, "extension"));
	const char *watcher = json_string_value(json_object_get(saved, "watcher"));
	g_autofree char *type = g_strndup(event ? event : "", event ? strcspn(event, ";") : 0);
	const struct tl_package *package = tl_package_find(type);
	struct tl_subscription *sub;

	if (package && extension && watcher && may_watch(dp, package, extension, watcher) &&
	    notifier->count < tl_dialplan_gateway(dp)->max_subscriptions &&
	    tl_subscription_restore(notifier->cfg.stack,
				    &(struct tl_subscription_cfg) {
					    .package = package,
					    .extension = extension,
					    .watcher = watcher,
					    .event = event,
					    .user_agent = tl_dialplan_gateway(dp)->user_agent,
					    .owner = &notifier->owner,
				    },
				    saved, expires_s, delay_of(notifier), &sub) == 0)
		add(notifier, sub);
	else
		tl_archive_remove(notifier->cfg.archive, id);
}

static void free_subs(gpointer data)
{
	g_ptr_array_free(data, TRUE);
}

struct tl_notifier *tl_notifier_new(const struct tl_notifier_cfg *cfg)
{
	struct tl_notifier *notifier = g_new0(struct tl_notifier, 1);

	notifier->cfg = *cfg;
	tl_dialplan_ref(cfg->dp);
	notifier->owner = (struct tl_subscription_owner) {
		.write = write_state,
		.admit = admit,
		.on_refreshed = keep,
		.on_over = on_over,
		.user = notifier,
	};
	notifier->by_resource = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_subs);
	notifier->by_watcher = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tl_archive_restore(cfg->archive, g_get_real_time() / G_USEC_PER_SEC, on_kept, notifier);
	if (notifier->count > 0)
		g_message("subscriptions loaded=%u", notifier->count);
	return notifier;
}

/* fn may not change the table. */
static void for_each(const struct tl_notifier *notifier,
		     void (*fn)(struct tl_subscription *sub, void *user), void *user)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, notifier->by_resource);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const GPtrArray *subs = value;

		for (guint i = 0; i < subs->len; i++)
			fn(subs->pdata[i], user);
	}
}

static void free_sub(struct tl_subscription *sub, void *user)
{
	tl_subscription_free(sub);
}

void tl_notifier_free(struct tl_notifier *notifier)
{
	if (!notifier)
		return;
	for_each(notifier, free_sub, NULL);
	g_hash_table_destroy(notifier->by_resource);
	g_hash_table_destroy(notifier->by_watcher);
	tl_dialplan_unref(notifier->cfg.dp);
	g_free(notifier);
}

static void review(struct tl_subscription *sub, void *user)
{
	const struct tl_dialplan *dp = ((struct tl_notifier *)user)->cfg.dp;
	const char *extension = tl_subscription_extension(sub);

	if (!tl_dialplan_extension(dp, extension))
		tl_subscription_end(sub, "noresource");
	else if (!may_watch(dp, tl_subscription_package(sub), extension,
			    tl_subscription_watcher(sub)))
		tl_subscription_end(sub, "rejected");
	else
		tl_subscription_touch(sub);
}

void tl_notifier_configure(struct tl_notifier *notifier, struct tl_dialplan *dp)
{
	struct tl_dialplan *old = notifier->cfg.dp;

	notifier->cfg.dp = tl_dialplan_ref(dp);
	tl_dialplan_unref(old);
	for_each(notifier, review, notifier);
}

static void deactivate(struct tl_subscription *sub, void *user)
{
	struct tl_notifier *notifier = user;

	tl_archive_remove(notifier->cfg.archive, tl_subscription_id(sub));
	tl_subscription_end(sub, "deactivated");
}

void tl_notifier_stop(struct tl_notifier *notifier)
{
	for_each(notifier, deactivate, notifier);
}

unsigned tl_notifier_count(const struct tl_notifier *notifier)
{
	return notifier->count;
}

static void add_json(struct tl_subscription *sub, void *user)
{
	struct tl_subscription_info info;

	tl_subscription_info(sub, &info);
	json_array_append_new(user, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "event",
					      tl_subscription_package(sub)->name, "extension",
					      tl_subscription_extension(sub), "watcher",
					      tl_subscription_watcher(sub), "source", info.source,
					      "state", info.ended ? "ending" : "active",
					      "expires_in_s", (json_int_t)info.expires_in_s,
					      "notifies", (json_int_t)info.notifies));
}

json_t *tl_notifier_json(const struct tl_notifier *notifier)
{
	json_t *list = json_array();

	for_each(notifier, add_json, list);
	return list;
}
