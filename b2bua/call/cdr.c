#include "b2bua/call/cdr.h"

#include <math.h>
#include <stdlib.h>
#include <glib.h>
#include <jansson.h>
#include "b2bua/sip/address.h"
#include "b2bua/log.h"
#include "b2bua/store/store.h"

/* Text from the network need not be UTF-8; JSON must be. NULL and "" are left out. */
static void set_text(json_t *object, const char *key, const char *text)
{
	g_autofree char *valid = NULL;

	if (!text || !*text)
		return;
	valid = g_utf8_make_valid(text, -1);
	json_object_set_new(object, key, json_string(valid));
}

static void set_number(json_t *object, const char *key, int64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_moment(json_t *object, const char *key, int64_t moment_ms)
{
	if (moment_ms)
		set_number(object, key, moment_ms);
}

/* From INVITE to the first ringing, or the answer when nothing rang; -1: neither came. */
static int64_t setup_ms(const struct tl_cdr *cdr)
{
	int64_t until_ms = cdr->ringing_ms ? cdr->ringing_ms : cdr->answered_ms;

	return until_ms ? until_ms - cdr->started_ms : -1;
}

static int64_t talk_ms(const struct tl_cdr *cdr)
{
	if (!cdr->answered_ms || cdr->ended_ms < cdr->answered_ms)
		return 0;
	return cdr->ended_ms - cdr->answered_ms;
}

/* Unknown ones are left out. */
static void set_score(json_t *object, const char *key, unsigned hundredths)
{
	if (hundredths)
		json_object_set_new(object, key, json_real(hundredths / 100.0));
}

static void set_level(json_t *object, const char *key, double db)
{
	json_object_set_new(object, key, json_real(round(db * 10) / 10));
}

static json_t *side_json(const struct tl_side_stats *stats, enum tl_path path)
{
	json_t *side = json_object();
	char source[TL_ADDRESS_BYTES];

	set_text(side, "codec", stats->codec);
	set_text(side, "path", tl_path_name(path));
	if (stats->source.ss_family)
		set_text(side, "source",
			 tl_address_text((const struct sockaddr *)&stats->source, source));
	set_number(side, "rx_pkts", (int64_t)stats->rx_pkts);
	set_number(side, "rx_bytes", (int64_t)stats->rx_bytes);
	set_number(side, "tx_pkts", (int64_t)stats->tx_pkts);
	set_number(side, "tx_bytes", (int64_t)stats->tx_bytes);
	set_number(side, "lost_pkts", (int64_t)stats->lost_pkts);
	set_number(side, "late_pkts", (int64_t)stats->late_pkts);
	set_number(side, "concealed_ms", (int64_t)stats->concealed_ms);
	set_number(side, "junk_pkts", (int64_t)stats->junk_pkts);
	set_number(side, "jitter_us", stats->jitter_us);
	set_number(side, "delay_us", stats->delay_us);
	set_number(side, "delay_max_us", stats->delay_max_us);
	set_number(side, "rtt_us", stats->rtt_us);
	set_number(side, "remote_lost_pkts", (int64_t)stats->remote_lost_pkts);
	set_number(side, "remote_jitter_us", stats->remote_jitter_us);
	if (stats->is_metered) {
		set_level(side, "level_dbm0", stats->level_dbm0);
		set_level(side, "level_now_dbm0", stats->level_now_dbm0);
		set_level(side, "peak_dbfs", stats->peak_dbfs);
	}
	set_score(side, "mos", stats->mos);
	set_score(side, "remote_mos", stats->remote_mos);
	return side;
}

json_t *tl_cdr_json(const struct tl_cdr *cdr)
{
	const struct tl_session_stats *stats = &cdr->stats;
	json_t *record = json_object();

	set_text(record, "id", cdr->id);
	set_text(record, "source", cdr->source);
	set_text(record, "caller", cdr->caller);
	set_text(record, "callee", cdr->callee);
	set_text(record, "route", cdr->route);
	set_text(record, "target", cdr->target);
	set_text(record, "call_id_a", cdr->call_id_a);
	set_text(record, "call_id_b", cdr->call_id_b);
	set_moment(record, "started_ms", cdr->started_ms);
	set_moment(record, "ringing_ms", cdr->ringing_ms);
	set_moment(record, "answered_ms", cdr->answered_ms);
	set_moment(record, "ended_ms", cdr->ended_ms);
	if (setup_ms(cdr) >= 0)
		set_number(record, "setup_ms", setup_ms(cdr));
	set_number(record, "talk_s", (talk_ms(cdr) + 500) / 1000);
	set_number(record, "status", cdr->status);
	set_text(record, "ended_by", cdr->ended_by);
	set_text(record, "reason", cdr->reason);
	set_text(record, "recording", cdr->recording);
	set_text(record, "linked", cdr->linked);
	set_text(record, "transferred_by", cdr->transferred_by);
	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++)
		json_object_set_new(record, tl_side_name(side),
				    side_json(&stats->side[side], stats->path[side]));
	return record;
}

static void subtract(uint64_t *n, uint64_t base)
{
	*n = *n > base ? *n - base : 0;
}

void tl_cdr_since(struct tl_session_stats *stats, const struct tl_session_stats *base)
{
	for (enum tl_side side = TL_SIDE_A; side < _TL_SIDE_MAX; side++) {
		struct tl_side_stats *s = &stats->side[side];
		const struct tl_side_stats *b = &base->side[side];

		subtract(&s->rx_pkts, b->rx_pkts);
		subtract(&s->rx_bytes, b->rx_bytes);
		subtract(&s->tx_pkts, b->tx_pkts);
		subtract(&s->tx_bytes, b->tx_bytes);
		subtract(&s->lost_pkts, b->lost_pkts);
		subtract(&s->late_pkts, b->late_pkts);
		subtract(&s->concealed_ms, b->concealed_ms);
		subtract(&s->junk_pkts, b->junk_pkts);
	}
}

/* ` key="value"`, when there is one. */
static void append_text(GString *line, const char *key, const char *text)
{
	char quoted[256];

	if (text && *text)
		g_string_append_printf(line, " %s=\"%s\"", key,
				       tl_log_quote(text, quoted, sizeof(quoted)));
}

static const char *codec_of(const struct tl_side_stats *stats)
{
	return stats->codec ? stats->codec : "-";
}

static void log_record(const struct tl_cdr *cdr)
{
	const struct tl_side_stats *a = &cdr->stats.side[TL_SIDE_A];
	const struct tl_side_stats *b = &cdr->stats.side[TL_SIDE_B];
	g_autoptr(GString) line = g_string_new(NULL);

	g_string_append_printf(line,
			       "call=%s end by=%s status=%d setup_ms=%" G_GINT64_FORMAT
			       " talk_s=%" G_GINT64_FORMAT,
			       cdr->id, cdr->ended_by ? cdr->ended_by : "-", cdr->status,
			       setup_ms(cdr), (talk_ms(cdr) + 500) / 1000);
	append_text(line, "source", cdr->source);
	append_text(line, "caller", cdr->caller);
	append_text(line, "callee", cdr->callee);
	append_text(line, "route", cdr->route);
	append_text(line, "target", cdr->target);
	append_text(line, "reason", cdr->reason);
	if (cdr->answered_ms)
		g_string_append_printf(line,
				       " path=%s>%s lost=%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
				       " delay_us=%u/%u",
				       codec_of(a), codec_of(b), a->lost_pkts, b->lost_pkts,
				       a->delay_us, b->delay_us);
	append_text(line, "recording", cdr->recording);
	append_text(line, "linked", cdr->linked);
	append_text(line, "transferred_by", cdr->transferred_by);
	g_message("%s", line->str);
}

void tl_cdr_write(struct tl_store *store, const struct tl_cdr *cdr)
{
	json_t *record;
	char *text;

	if (!cdr->quiet)
		log_record(cdr);
	if (!store)
		return;
	record = tl_cdr_json(cdr);
	text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(record);
	if (text)
		tl_store_call_put(store, cdr->id, cdr->started_ms / 1000, text);
	free(text);
}
