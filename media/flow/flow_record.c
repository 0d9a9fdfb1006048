#include <glib.h>

#include "media/flow/flow_priv.h"
#include "media/worker/mailbox.h"

enum { RATE_NARROW_HZ = 8000, RATE_WIDE_HZ = 16000 };

/* What on_failed needs, on the storage thread, maybe after the call: it outlives both. */
struct tl_record_ticket {
	struct tl_mailbox *outbox;
	struct tl_media_id id;
};

/* Storage thread. */
static void on_failed(const char *why, void *user)
{
	const struct tl_record_ticket *ticket = user;
	struct tl_media_news news = { .id = ticket->id, .type = TL_MEDIA_RECORD_FAILED };

	g_strlcpy(news.text, why, sizeof news.text);
	if (tl_mailbox_post(ticket->outbox, &news, true) < 0)
		g_debug("recording failure lost: %s", why);
}

static unsigned widest_rate(const struct tl_plan *plan)
{
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		if (plan->side[side].open &&
		    plan->side[side].send_format.codec->rate_hz > RATE_NARROW_HZ)
			return RATE_WIDE_HZ;
	return RATE_NARROW_HZ;
}

static void make_ears_stale(struct tl_flow_pair *pair)
{
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		struct tl_flow_end *end = &pair->ends[side];

		if (end->ear && !pair->recorder && end->relayable)
			tl_ear_drop(end);
		if (end->ear)
			end->ear->stale = true;
	}
}

void tl_flow_record(struct tl_flow_pair *pair, const char *path, bool mono)
{
	struct tl_record_ticket *ticket;
	int r;

	tl_flow_record_stop(pair);
	ticket = g_new0(struct tl_record_ticket, 1);
	ticket->outbox = pair->env->outbox;
	ticket->id = pair->id;
	r = tl_recorder_new(pair->env->storage, path, mono, widest_rate(pair->plan),
			    pair->env->now_us, on_failed, ticket, &pair->recorder);
	if (r < 0) {
		g_free(ticket);
		tl_flow_tell(&pair->ends[TL_SIDE_A], TL_MEDIA_RECORD_FAILED, g_strerror(-r));
		return;
	}
	pair->ticket = ticket;
	make_ears_stale(pair);
}

void tl_flow_record_stop(struct tl_flow_pair *pair)
{
	if (!pair->recorder)
		return;
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		tl_tape_finish(&pair->ends[side]);
	tl_recorder_free(pair->recorder, pair->env->now_us);
	pair->recorder = NULL;
	/* Jobs run in their order: this one after the last that may use the ticket. With the queue
	 * full it can't be known when that is, and the ticket's 24 bytes stay. */
	if (tl_storage_post(pair->env->storage, g_free, pair->ticket) < 0)
		g_debug("a recording ended while the storage queue was full");
	pair->ticket = NULL;
	make_ears_stale(pair);
}

void tl_flow_hear(struct tl_flow_end *speaker, const int16_t *pcm, size_t samples, unsigned rate_hz,
		  int64_t at_us)
{
	struct tl_flow_pair *pair = speaker->pair;
	enum tl_channel channel = speaker->side == TL_SIDE_A ? TL_CHANNEL_LEFT : TL_CHANNEL_RIGHT;

	if (pair->recorder && samples > 0)
		tl_recorder_put(pair->recorder, channel, pcm, samples, rate_hz, at_us);
}
