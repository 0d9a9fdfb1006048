#include "b2bua/registrar/ban.h"

#include <glib.h>
#include "b2bua/registrar/source_table.h"

struct offender {
	unsigned failures, bans;
	int64_t forgiven_us; /* failures is true for this moment */
	int64_t until_us;    /* end of the last ban */
};

struct tl_bans {
	struct tl_bans_cfg cfg;
	struct tl_source_table *offenders;
};

struct tl_bans *tl_bans_new(const struct tl_bans_cfg *cfg)
{
	struct tl_bans *bans = g_new0(struct tl_bans, 1);

	bans->cfg = *cfg;
	bans->offenders = tl_source_table_new(sizeof(struct offender), cfg->sources);
	return bans;
}

void tl_bans_free(struct tl_bans *bans)
{
	if (!bans)
		return;
	tl_source_table_free(bans->offenders);
	g_free(bans);
}

void tl_bans_configure(struct tl_bans *bans, const struct tl_bans_cfg *cfg)
{
	bans->cfg = *cfg;
}

static unsigned left_s(const struct offender *offender, int64_t now_us)
{
	if (offender->until_us <= now_us)
		return 0;
	return (unsigned)((offender->until_us - now_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

unsigned tl_bans_left_s(struct tl_bans *bans, const struct sockaddr *source, int64_t now_us)
{
	const struct offender *offender = tl_source_table_find(bans->offenders, source);

	return offender ? left_s(offender, now_us) : 0;
}

static void forgive(const struct tl_bans_cfg *cfg, struct offender *offender, int64_t now_us)
{
	int64_t interval_us = (int64_t)MAX(cfg->forgive_s, 1) * G_USEC_PER_SEC;
	int64_t times = (now_us - offender->forgiven_us) / interval_us;

	offender->forgiven_us += times * interval_us;
	offender->failures -= (unsigned)MIN(times, (int64_t)offender->failures);
	if (offender->failures == 0)
		offender->forgiven_us = now_us;
	if (now_us - offender->until_us >= (int64_t)cfg->ban_max_s * G_USEC_PER_SEC)
		offender->bans = 0;
}

static unsigned ban_length_s(const struct tl_bans_cfg *cfg, unsigned bans_before)
{
	guint64 length_s = (guint64)cfg->ban_s << MIN(bans_before, 31u);

	return (unsigned)MIN(length_s, (guint64)cfg->ban_max_s);
}

unsigned tl_bans_fail(struct tl_bans *bans, const struct sockaddr *source, bool doubles,
		      int64_t now_us, unsigned *ret_ban_s)
{
	int made;
	struct offender *offender = tl_source_table_touch(bans->offenders, source, &made);
	unsigned failures;

	if (made)
		offender->forgiven_us = offender->until_us = now_us;
	forgive(&bans->cfg, offender, now_us);
	failures = ++offender->failures;
	*ret_ban_s = 0;
	if (bans->cfg.max_failures > 0 && failures >= bans->cfg.max_failures) {
		*ret_ban_s = ban_length_s(&bans->cfg, doubles ? offender->bans : 0);
		offender->bans++;
		offender->until_us = now_us + (int64_t)*ret_ban_s * G_USEC_PER_SEC;
		offender->failures = 0;
	}
	return failures;
}

void tl_bans_restore(struct tl_bans *bans, const struct sockaddr *source, unsigned times,
		     int64_t until_us)
{
	int made;
	struct offender *offender = tl_source_table_touch(bans->offenders, source, &made);

	*offender = (struct offender) { .bans = times, .until_us = until_us };
}

bool tl_bans_lift(struct tl_bans *bans, const struct sockaddr *source)
{
	return tl_source_table_remove(bans->offenders, source);
}

struct listing {
	struct tl_ban *bans;
	size_t n, max;
	int64_t now_us;
};

static void list_one(const struct tl_address_key *key, void *record, void *user)
{
	const struct offender *offender = record;
	struct listing *listing = user;
	struct tl_ban *ban = &listing->bans[listing->n];

	if (listing->n >= listing->max || left_s(offender, listing->now_us) == 0)
		return;
	tl_address_key_text(key, ban->source);
	ban->times = offender->bans;
	ban->left_s = left_s(offender, listing->now_us);
	listing->n++;
}

size_t tl_bans_list(struct tl_bans *bans, int64_t now_us, struct tl_ban *ret_bans, size_t max)
{
	struct listing listing = { .bans = ret_bans, .max = max, .now_us = now_us };

	tl_source_table_each(bans->offenders, list_one, &listing);
	return listing.n;
}

unsigned tl_bans_times(struct tl_bans *bans, const struct sockaddr *source)
{
	const struct offender *offender = tl_source_table_find(bans->offenders, source);

	return offender ? offender->bans : 0;
}

unsigned tl_bans_count(const struct tl_bans *bans)
{
	return tl_source_table_count(bans->offenders);
}
