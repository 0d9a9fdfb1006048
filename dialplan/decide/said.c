#include "dialplan/decide/said.h"

#include <string.h>

char *tl_list_text(const char *const *items, size_t n)
{
	GString *out = n ? g_string_new(items[0]) : NULL;

	for (size_t i = 1; i < n; i++)
		g_string_append_printf(out, ", %s", items[i]);
	return out ? g_string_free(out, FALSE) : NULL;
}

char *tl_seconds_text(unsigned seconds)
{
	GString *out = g_string_new(NULL);

	if (seconds >= 3600)
		g_string_append_printf(out, "%uh", seconds / 3600);
	if (seconds / 60 % 60)
		g_string_append_printf(out, "%um", seconds / 60 % 60);
	if (seconds % 60 || !seconds)
		g_string_append_printf(out, "%us", seconds % 60);
	return g_string_free(out, FALSE);
}

/* The route that counts for the call; NULL: it needs none. */
static const struct tl_route_cfg *route_of(const struct tl_saying *s)
{
	return g_hash_table_lookup(s->dp->route_by_name, s->decision->route);
}

static char *say_closed(const struct tl_saying *s)
{
	return g_strdup(s->decision->closed ? "yes" : "no");
}

static char *say_answers(const struct tl_saying *s)
{
	if (s->decision->verdict == TL_VERDICT_ECHO)
		return g_strdup("echo");
	return s->decision->verdict == TL_VERDICT_ANSWER ? g_strdup("play") : NULL;
}

static char *say_rejects(const struct tl_saying *s)
{
	const struct tl_decision *d = s->decision;

	if (d->verdict != TL_VERDICT_REJECT)
		return NULL;
	return g_strdup_printf("%d%s%s", d->status, d->reason ? " " : "",
			       d->reason ? d->reason : "");
}

static char *say_redirects(const struct tl_saying *s)
{
	const struct tl_decision *d = s->decision;

	if (d->verdict != TL_VERDICT_REDIRECT)
		return NULL;
	return tl_redirects_text(d->redirects, d->n_redirects);
}

static char *say_plays(const struct tl_saying *s)
{
	return tl_list_text(s->decision->play, s->decision->n_play);
}

static char *say_play_as(const struct tl_saying *s)
{
	if (!s->decision->n_play)
		return NULL;
	return g_strdup(s->decision->play_answered ? "answer" : "early");
}

static char *say_dials(const struct tl_saying *s)
{
	return g_strdup(s->decision->callee);
}

static char *say_shows(const struct tl_saying *s)
{
	return g_strdup(*s->decision->caller ? s->decision->caller : "withheld");
}

static char *say_caller_name(const struct tl_saying *s)
{
	return g_strdup(s->decision->caller_name);
}

static char *say_privacy(const struct tl_saying *s)
{
	return g_strdup(tl_privacy_name(s->decision->privacy));
}

/* Where calls are shared out, what the route says rather than this call's lot. */
static char *say_rings(const struct tl_saying *s)
{
	const struct tl_decision *d = s->decision;
	const struct tl_route_cfg *route = route_of(s);
	struct tl_steps_words words = {
		.times = true,
		.shares = true,
		.ring_time_s = d->ring_time_s,
		.dialled = tl_dialplan_extension(s->dp, d->callee),
	};
	bool shared = false;

	for (size_t i = 0; i < d->n_steps; i++)
		shared = shared || d->steps[i].targets[0].weight;
	if (!d->n_steps)
		return NULL;
	return shared && route ? tl_steps_text(route->steps, route->n_steps, &words)
			       : tl_steps_text(d->steps, d->n_steps, &words);
}

static char *say_ring_time(const struct tl_saying *s)
{
	return s->decision->n_steps ? tl_seconds_text(s->decision->ring_time_s) : NULL;
}

static char *say_added(const struct tl_saying *s)
{
	return g_strdup(s->header->value);
}

static char *say_dropped(const struct tl_saying *s)
{
	return tl_list_text(s->decision->drop_headers, s->decision->n_drop_headers);
}

static char *say_carried(const struct tl_saying *s)
{
	return tl_list_text(s->decision->carry_headers, s->decision->n_carry_headers);
}

static char *say_ringback(const struct tl_saying *s)
{
	switch (s->decision->ringback) {
	case TL_RINGBACK_NONE:
		return g_strdup("none");
	case TL_RINGBACK_FILE:
		return g_strdup(s->decision->ringback_file);
	case TL_RINGBACK_AUTO:
	case _TL_RINGBACK_MAX:
	case _TL_RINGBACK_INVALID:
		break;
	}
	return g_strdup("auto");
}

static char *say_codecs(const struct tl_saying *s)
{
	return tl_list_text(s->decision->codecs, s->decision->n_codecs);
}

static char *say_dtmf(const struct tl_saying *s)
{
	return (int)s->decision->dtmf < 0 ? NULL : g_strdup(tl_dtmf_mode_name(s->decision->dtmf));
}

static char *say_srtp(const struct tl_saying *s)
{
	return (int)s->decision->srtp < 0 ? NULL : g_strdup(tl_srtp_policy_name(s->decision->srtp));
}

static char *say_t38(const struct tl_saying *s)
{
	return (int)s->decision->t38 < 0 ? NULL : g_strdup(tl_t38_mode_name(s->decision->t38));
}

static char *say_echo_cancel(const struct tl_saying *s)
{
	return g_strdup(tl_echo_at_name(s->decision->echo_cancel));
}

static char *say_media(const struct tl_saying *s)
{
	return g_strdup(tl_media_mode_name(s->decision->media));
}

static char *say_hold_music(const struct tl_saying *s)
{
	const char *music = s->decision->hold_music;

	return g_strdup(!music ? "default" : *music ? music : "none");
}

static char *say_transfer(const struct tl_saying *s)
{
	return (int)s->decision->transfer < 0
		       ? NULL
		       : g_strdup(tl_transfer_mode_name(s->decision->transfer));
}

static char *say_record(const struct tl_saying *s)
{
	return g_strdup(tl_record_mode_name(s->decision->record));
}

static char *say_max_duration(const struct tl_saying *s)
{
	return s->decision->max_duration_s ? tl_seconds_text(s->decision->max_duration_s) : NULL;
}

static char *say_on_busy(const struct tl_saying *s)
{
	return tl_follow_text(&s->decision->on_busy);
}

static char *say_on_no_answer(const struct tl_saying *s)
{
	return tl_follow_text(&s->decision->on_no_answer);
}

static char *say_on_failure(const struct tl_saying *s)
{
	return tl_follow_text(&s->decision->on_failure);
}

static char *say_on_closed(const struct tl_saying *s)
{
	const struct tl_route_cfg *route = route_of(s);

	return route ? tl_follow_text(&route->on_closed) : NULL;
}

static const struct tl_said rows[] = {
	{ "closed", say_closed, TL_SAID_OF_CALL, TL_SAID_TEXT, "no" },
	{ "plays", say_plays, TL_SAID_OF_CALL, TL_SAID_FILES, NULL },
	{ "play-as", say_play_as, TL_SAID_OF_CALL, TL_SAID_TEXT, NULL },
	{ "answers", say_answers, TL_SAID_OF_CALL, TL_SAID_TEXT, NULL },
	{ "rejects", say_rejects, TL_SAID_OF_CALL, TL_SAID_STATUS, NULL },
	{ "redirects", say_redirects, TL_SAID_OF_CALL, TL_SAID_LIST, NULL },
	{ "dials", say_dials, TL_SAID_OF_RUNG, TL_SAID_TEXT, NULL },
	{ "shows", say_shows, TL_SAID_OF_RUNG, TL_SAID_TEXT, NULL },
	{ "caller-name", say_caller_name, TL_SAID_OF_RUNG, TL_SAID_TEXT, NULL },
	{ "privacy", say_privacy, TL_SAID_OF_RUNG, TL_SAID_TEXT, "keep" },
	{ "rings", say_rings, TL_SAID_OF_RUNG, TL_SAID_RINGS, NULL },
	{ "ring-time", say_ring_time, TL_SAID_OF_RUNG, TL_SAID_TIME, NULL },
	{ "uri", tl_said_uri, TL_SAID_OF_TARGET, TL_SAID_LIST, NULL },
	{ "identity", tl_said_identity, TL_SAID_OF_TARGET, TL_SAID_LIST, NULL },
	{ "codecs", tl_said_offered_codecs, TL_SAID_OF_TARGET, TL_SAID_LIST, NULL },
	{ "path", tl_said_path, TL_SAID_OF_TARGET, TL_SAID_TEXT, NULL },
	{ "dtmf", tl_said_target_dtmf, TL_SAID_OF_TARGET, TL_SAID_TEXT, "auto" },
	{ "srtp", tl_said_target_srtp, TL_SAID_OF_TARGET, TL_SAID_TEXT, "optional" },
	{ "t38", tl_said_target_t38, TL_SAID_OF_TARGET, TL_SAID_TEXT, "accept" },
	{ "echo-cancel", tl_said_target_echo, TL_SAID_OF_TARGET, TL_SAID_TEXT, "off" },
	{ "add-header", say_added, TL_SAID_OF_HEADER, TL_SAID_TEXT, NULL },
	{ "drop-headers", say_dropped, TL_SAID_OF_RUNG, TL_SAID_LIST, NULL },
	{ "carry-headers", say_carried, TL_SAID_OF_RUNG, TL_SAID_LIST, NULL },
	{ "ringback", say_ringback, TL_SAID_OF_RUNG, TL_SAID_FILES, "auto" },
	{ "codecs", say_codecs, TL_SAID_OF_CALL, TL_SAID_LIST, NULL },
	{ "dtmf", say_dtmf, TL_SAID_OF_CALL, TL_SAID_TEXT, NULL },
	{ "srtp", say_srtp, TL_SAID_OF_CALL, TL_SAID_TEXT, NULL },
	{ "t38", say_t38, TL_SAID_OF_CALL, TL_SAID_TEXT, NULL },
	{ "echo-cancel", say_echo_cancel, TL_SAID_OF_RUNG, TL_SAID_TEXT, "leg" },
	{ "media", say_media, TL_SAID_OF_RUNG, TL_SAID_TEXT, "auto" },
	{ "hold-music", say_hold_music, TL_SAID_OF_RUNG, TL_SAID_FILES, "default" },
	{ "transfer", say_transfer, TL_SAID_OF_RUNG, TL_SAID_TEXT, NULL },
	{ "record", say_record, TL_SAID_OF_CALL, TL_SAID_TEXT, "off" },
	{ "max-duration", say_max_duration, TL_SAID_OF_CALL, TL_SAID_TIME, NULL },
	{ "on-busy", say_on_busy, TL_SAID_OF_RUNG, TL_SAID_FOLLOW, NULL },
	{ "on-no-answer", say_on_no_answer, TL_SAID_OF_RUNG, TL_SAID_FOLLOW, NULL },
	{ "on-failure", say_on_failure, TL_SAID_OF_RUNG, TL_SAID_FOLLOW, NULL },
	{ "on-closed", say_on_closed, TL_SAID_OF_CALL, TL_SAID_FOLLOW, NULL },
};

const struct tl_said *tl_said_rows(size_t *ret_n)
{
	*ret_n = G_N_ELEMENTS(rows);
	return rows;
}

const struct tl_said *tl_said_find(const char *key, const char **ret_named)
{
	size_t bytes = strcspn(key, " \t");

	*ret_named = key + bytes + strspn(key + bytes, " \t");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		bool named = rows[i].of == TL_SAID_OF_TARGET || rows[i].of == TL_SAID_OF_HEADER;

		if (named == (**ret_named != '\0') && strlen(rows[i].key) == bytes &&
		    strncmp(rows[i].key, key, bytes) == 0)
			return &rows[i];
	}
	return NULL;
}
