#include "media/plan/plan.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <glib.h>

#include "media/address.h"
#include "media/plan/plan_priv.h"

const char *tl_side_name(enum tl_side side)
{
	static const char *const names[_TL_SIDE_MAX] = { "a", "b" };

	return side >= 0 && side < _TL_SIDE_MAX ? names[side] : "?";
}

const char *tl_path_name(enum tl_path path)
{
	static const char *const names[_TL_PATH_MAX] = {
		[TL_PATH_CLOSED] = "closed",
		[TL_PATH_RELAY] = "relay",
		[TL_PATH_CHAIN] = "chain",
		[TL_PATH_FAX] = "fax",
	};

	return path >= 0 && path < _TL_PATH_MAX ? names[path] : "?";
}

const char *tl_echo_kind_name(enum tl_echo_kind kind)
{
	static const char *const names[_TL_ECHO_KIND_MAX] = {
		[TL_ECHO_OFF] = "off",
		[TL_ECHO_SPEEXDSP] = "speexdsp",
		[TL_ECHO_SPANDSP] = "spandsp",
	};

	return kind >= 0 && kind < _TL_ECHO_KIND_MAX ? names[kind] : "?";
}

bool tl_plan_is_any_address(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY;
	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return false;
}

/* Port 0 refuses the stream, RFC 3264 6. An address that is not known yet refuses nothing. */
static bool refuses(const struct tl_media_desc *desc)
{
	if (desc->rtp.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&desc->rtp)->sin_port == 0;
	if (desc->rtp.ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)&desc->rtp)->sin6_port == 0;
	return false;
}

/* The format of desc that goes with another's, or NULL. */
static const struct tl_format *find_compatible(const struct tl_media_desc *desc,
					       const struct tl_format *format)
{
	for (size_t i = 0; i < desc->n_formats; i++)
		if (tl_format_compatible(&desc->formats[i], format))
			return &desc->formats[i];
	for (size_t i = 0; i < desc->n_formats; i++)
		if (tl_format_answers(&desc->formats[i], format))
			return &desc->formats[i];
	return NULL;
}

/* What the two descriptions of a format come to, in the words of the one. */
static struct tl_format agree(const struct tl_format *format, const struct tl_format *other)
{
	struct tl_format agreed = *format;
	char annexb[8] = "";

	tl_fmtp_get(other->fmtp, "annexb", annexb, sizeof annexb);
	if (g_str_equal(format->codec->name, "iLBC") &&
	    tl_format_frame_ms(format) != tl_format_frame_ms(other))
		strcpy(agreed.fmtp, "mode=30"); /* RFC 3952 5 */
	else if (g_str_equal(format->codec->name, "G729") && g_ascii_strcasecmp(annexb, "no") == 0)
		strcpy(agreed.fmtp, "annexb=no"); /* of either binds both, RFC 7261 3 */
	return agreed;
}

/* What can be sent: in the remote's words and order, as far as we described it too. agreed: room
 * for the formats. */
static void list_common(const struct tl_media_desc *local, const struct tl_media_desc *remote,
			struct tl_format agreed[TL_DESC_FORMATS], struct tl_plan_list *list)
{
	for (size_t i = 0; i < remote->n_formats; i++) {
		const struct tl_format *theirs = &remote->formats[i];
		const struct tl_format *ours = find_compatible(local, theirs);

		if (!ours || !tl_plan_pt_usable(theirs->pt, remote->rtcp_mux))
			continue;
		agreed[list->n] = agree(theirs, ours);
		list->v[list->n] = &agreed[list->n];
		list->n++;
	}
}

static bool names_payload_type(const struct tl_media_desc *desc, uint8_t pt)
{
	for (size_t i = 0; i < desc->n_formats; i++)
		if (desc->formats[i].pt == pt)
			return true;
	for (size_t i = 0; i < desc->n_events; i++)
		if (desc->events[i].pt == pt)
			return true;
	for (size_t i = 0; i < desc->n_noises; i++)
		if (desc->noises[i].pt == pt)
			return true;
	return false;
}

/* An answer may give payload types of its own, by which it is to be sent to, while it sends by ours
 * (RFC 3264 6.1). Many send by their own all the same: where those mean nothing else to us they
 * are understood, too. */
static void fill_receive_as_named_by(struct tl_side_plan *side, const struct tl_media_desc *local,
				     const struct tl_media_desc *remote)
{
	const size_t n = side->n_receive_formats;

	for (size_t i = 0; i < n && side->n_receive_formats < TL_PLAN_FORMATS; i++) {
		const struct tl_format *theirs = find_compatible(remote, &side->receive_formats[i]);
		struct tl_format *added = &side->receive_formats[side->n_receive_formats];

		if (!theirs || names_payload_type(local, theirs->pt) ||
		    !tl_plan_pt_usable(theirs->pt, remote->rtcp_mux))
			continue;
		*added = side->receive_formats[i];
		added->pt = theirs->pt;
		side->n_receive_formats++;
	}
}

/* What is understood: in our own words, as far as the remote has it too, first the counterpart of
 * what is sent: that is what will come, unless the remote uses its right to switch. */
static void fill_receive(struct tl_side_plan *side, const struct tl_media_desc *local,
			 const struct tl_media_desc *remote)
{
	const struct tl_format *expected = find_compatible(local, &side->send_format);

	side->receive_formats[side->n_receive_formats++] = agree(expected, &side->send_format);
	for (size_t i = 0; i < local->n_formats && side->n_receive_formats < TL_PLAN_FORMATS; i++) {
		const struct tl_format *ours = &local->formats[i];
		const struct tl_format *theirs = find_compatible(remote, ours);

		if (ours != expected && theirs)
			side->receive_formats[side->n_receive_formats++] = agree(ours, theirs);
	}
	fill_receive_as_named_by(side, local, remote);
}

/* Events go out as the remote numbers them and come in as we do; both must have them. */
static void fill_events(struct tl_side_plan *side, const struct tl_media_desc *local,
			const struct tl_media_desc *remote)
{
	const struct tl_event_format *theirs, *ours = NULL;

	theirs = tl_plan_event(remote, side->send_format.codec->clock_hz);
	for (size_t i = 0; theirs && !ours && i < local->n_events; i++)
		if (local->events[i].clock_hz == theirs->clock_hz)
			ours = &local->events[i];
	side->event_send_pt = ours ? theirs->pt : -1;
	side->event_receive_pt = ours ? ours->pt : -1;
	side->event_receive_also_pt =
		ours && !names_payload_type(local, theirs->pt) ? theirs->pt : 0;
	side->event_clock_hz = ours ? ours->clock_hz : 0;
}

/* As events, for comfort noise. */
static void fill_noise(struct tl_side_plan *side, const struct tl_media_desc *local,
		       const struct tl_media_desc *remote)
{
	const struct tl_noise_format *theirs = tl_plan_noise(remote, side->send_format.codec);
	const struct tl_noise_format *ours = tl_plan_noise(local, side->send_format.codec);

	side->noise_send_pt = ours && theirs ? theirs->pt : -1;
	side->noise_receive_pt = ours && theirs ? ours->pt : -1;
}

static void fill_side(struct tl_side_plan *side, const struct tl_format *format,
		      const struct tl_media_desc *local, const struct tl_media_desc *remote)
{
	unsigned wished_ms = remote->ptime_ms ? remote->ptime_ms : local->ptime_ms;
	union tl_address rtp = tl_address_from((const struct sockaddr *)&local->rtp);

	side->open = true;
	side->send = (local->direction & TL_DIR_SENDONLY) &&
		     (remote->direction & TL_DIR_RECVONLY) && !tl_plan_is_any_address(&remote->rtp);
	side->receive =
		(local->direction & TL_DIR_RECVONLY) && (remote->direction & TL_DIR_SENDONLY);
	side->remote = remote->rtp;
	side->remote_rtcp = remote->rtcp;
	side->local_port = tl_address_port(&rtp);
	side->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
	side->rtcp_xr = remote->rtcp_xr;
	side->send_format = *format;
	side->send_max_ms = remote->maxptime_ms;
	side->send_ptime_ms = tl_plan_ptime(&side->send_format, wished_ms, remote->maxptime_ms);
	fill_receive(side, local, remote);
	fill_events(side, local, remote);
	fill_noise(side, local, remote);
}

/* The descriptions of both sides, and of each what it can be sent. */
struct legs {
	const struct tl_media_desc *local[_TL_SIDE_MAX], *remote[_TL_SIDE_MAX];
	struct tl_format agreed[_TL_SIDE_MAX][TL_DESC_FORMATS];
	struct tl_plan_list list[_TL_SIDE_MAX]; /* of those */
	bool open[_TL_SIDE_MAX], fax[_TL_SIDE_MAX];
};

static int list_side(struct legs *legs, enum tl_side side)
{
	const struct tl_media_desc *local = legs->local[side], *remote = legs->remote[side];

	legs->open[side] = local && remote && !refuses(remote);
	if (!legs->open[side])
		return 0;
	if (local->t38.on || remote->t38.on) {
		legs->fax[side] = local->t38.on && remote->t38.on;
		return legs->fax[side] ? 0 : -ENOENT;
	}
	list_common(local, remote, legs->agreed[side], &legs->list[side]);
	return legs->list[side].n ? 0 : -ENOENT;
}

static const struct tl_format *first_decodable(const struct tl_plan_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (tl_format_can_transcode(list->v[i]))
			return list->v[i];
	return NULL;
}

/* One format for each side: a pair that is relayed if there is one, else the first of each that
 * can be transcoded. A lone side takes its first. */
static int choose_pair(const struct legs *legs, const struct tl_format *chosen[_TL_SIDE_MAX])
{
	const struct tl_plan_list *a = &legs->list[TL_SIDE_A], *b = &legs->list[TL_SIDE_B];

	for (size_t i = 0; i < a->n; i++) {
		for (size_t j = 0; j < b->n; j++) {
			if (!tl_format_compatible(a->v[i], b->v[j]))
				continue;
			chosen[TL_SIDE_A] = a->v[i];
			chosen[TL_SIDE_B] = b->v[j];
			return 0;
		}
	}
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		const struct tl_plan_list *list = &legs->list[side];

		chosen[side] = first_decodable(list);
		if (!chosen[side] && !legs->open[tl_side_other(side)] && list->n)
			chosen[side] = list->v[0];
	}
	if ((legs->open[TL_SIDE_A] && !chosen[TL_SIDE_A]) ||
	    (legs->open[TL_SIDE_B] && !chosen[TL_SIDE_B]))
		return -ENOENT;
	return 0;
}

/* A side with fax has none; the other one is to be heard by a fax modem. */
static int choose_beside_fax(const struct legs *legs, const struct tl_format *chosen[_TL_SIDE_MAX])
{
	for (int side = 0; side < _TL_SIDE_MAX; side++) {
		if (!legs->open[side] || legs->fax[side])
			continue;
		chosen[side] = tl_plan_find_g711(&legs->list[side]);
		if (!chosen[side])
			return -ENOENT;
	}
	return 0;
}

static int choose(const struct legs *legs, const struct tl_format *chosen[_TL_SIDE_MAX])
{
	if (legs->fax[TL_SIDE_A] || legs->fax[TL_SIDE_B])
		return choose_beside_fax(legs, chosen);
	return choose_pair(legs, chosen);
}

static int fill(struct tl_plan *plan, enum tl_side side, const struct legs *legs,
		const struct tl_format *format)
{
	struct tl_side_plan *to = &plan->side[side];

	to->event_send_pt = to->event_receive_pt = -1;
	to->event_receive_also_pt = 0;
	to->noise_send_pt = to->noise_receive_pt = -1;
	if (!legs->open[side])
		return 0;
	if (legs->fax[side]) {
		tl_plan_fill_t38(to, legs->local[side], legs->remote[side]);
		return 0;
	}
	fill_side(to, format, legs->local[side], legs->remote[side]);
	return tl_plan_crypto(to, legs->local[side], legs->remote[side]);
}

/* Would one leave out silence that the other can't be told of? Then it is filled here. */
static bool silence_is_lost(const struct tl_side_plan *from, const struct tl_side_plan *to)
{
	char annexb_from[8] = "yes", annexb_to[8] = "yes"; /* unless said, RFC 4856 2.1.9 */

	if (!tl_format_can_transcode(&from->send_format) ||
	    !tl_format_can_transcode(&to->send_format))
		return false;
	if (from->noise_receive_pt >= 0 && to->noise_send_pt < 0)
		return true;
	tl_fmtp_get(from->send_format.fmtp, "annexb", annexb_from, sizeof annexb_from);
	tl_fmtp_get(to->send_format.fmtp, "annexb", annexb_to, sizeof annexb_to);
	return g_str_equal(from->send_format.codec->name, "G729") &&
	       g_ascii_strcasecmp(annexb_to, "no") == 0 &&
	       g_ascii_strcasecmp(annexb_from, "no") != 0;
}

static enum tl_path path_from(const struct legs *legs, const struct tl_plan *plan,
			      enum tl_side from)
{
	enum tl_side to = tl_side_other(from);

	if (!legs->open[from] || !legs->open[to])
		return TL_PATH_CLOSED;
	if (legs->fax[from] || legs->fax[to])
		return legs->fax[from] && legs->fax[to] ? TL_PATH_RELAY : TL_PATH_FAX;
	if (tl_plan_relays(&plan->side[from].send_format, legs->remote[from]->ptime_ms,
			   &plan->side[to].send_format, legs->remote[to]->ptime_ms,
			   legs->remote[to]->maxptime_ms) &&
	    !silence_is_lost(&plan->side[from], &plan->side[to]))
		return TL_PATH_RELAY;
	return TL_PATH_CHAIN;
}

int tl_plan_make(const struct tl_media_desc *local_a, const struct tl_media_desc *remote_a,
		 const struct tl_media_desc *local_b, const struct tl_media_desc *remote_b,
		 struct tl_plan *ret_plan)
{
	struct tl_plan plan = { 0 };
	struct legs legs = { .local = { local_a, local_b }, .remote = { remote_a, remote_b } };
	const struct tl_format *chosen[_TL_SIDE_MAX] = { NULL };

	if (list_side(&legs, TL_SIDE_A) < 0 || list_side(&legs, TL_SIDE_B) < 0 ||
	    choose(&legs, chosen) < 0)
		return -ENOENT;
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		if (fill(&plan, side, &legs, chosen[side]) < 0)
			return -ENOENT;
	if (legs.fax[TL_SIDE_A] && legs.fax[TL_SIDE_B] &&
	    !tl_t38_passes(&plan.side[TL_SIDE_A].t38, &plan.side[TL_SIDE_B].t38))
		return -ENOENT;
	for (int side = 0; side < _TL_SIDE_MAX; side++)
		plan.path[side] = path_from(&legs, &plan, side);
	*ret_plan = plan;
	return 0;
}

void tl_plan_set_tones(struct tl_plan *plan, bool side_a, bool side_b)
{
	plan->side[TL_SIDE_A].tones = side_a && !plan->side[TL_SIDE_A].t38.on;
	plan->side[TL_SIDE_B].tones = side_b && !plan->side[TL_SIDE_B].t38.on;
	for (int from = 0; from < _TL_SIDE_MAX; from++) {
		const struct tl_side_plan *side = &plan->side[from],
					  *to = &plan->side[tl_side_other(from)];

		if (plan->path[from] == TL_PATH_RELAY && side->tones && !to->tones && !to->t38.on &&
		    tl_format_can_transcode(&side->send_format))
			plan->path[from] = TL_PATH_CHAIN;
	}
}

bool tl_plan_changes_sound(const struct tl_plan *plan, enum tl_side from)
{
	const struct tl_sound *said = &plan->side[from].sound;

	return said->echo != TL_ECHO_OFF || said->rx_gain_db || said->agc_dbm0 ||
	       plan->side[tl_side_other(from)].sound.tx_gain_db;
}

void tl_plan_set_sound(struct tl_plan *plan, const struct tl_sound *side_a,
		       const struct tl_sound *side_b)
{
	static const struct tl_sound as_it_is;

	plan->side[TL_SIDE_A].sound = side_a ? *side_a : as_it_is;
	plan->side[TL_SIDE_B].sound = side_b ? *side_b : as_it_is;
	for (int from = 0; from < _TL_SIDE_MAX; from++)
		if (plan->path[from] == TL_PATH_RELAY && tl_plan_changes_sound(plan, from) &&
		    tl_codec_can_transcode(plan->side[from].send_format.codec))
			plan->path[from] = TL_PATH_CHAIN;
}
