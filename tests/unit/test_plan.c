#include "media/plan/plan.h"

#include <errno.h>

#include <criterion/criterion.h>
#include <glib.h>

#include "tests/support/media_words.h"

static void setup(void)
{
	cr_assert_eq(tl_codec_init(), 0);
}

static const struct {
	const char *why, *peer, *policy, *offer; /* offer NULL: -ENOENT */
} offers[] = {
	{ "nobody yet: the policy, in its order", NULL, "opus G722 PCMA te",
	  "opus=96:useinbandfec=1 G722=9 PCMA=8 te/48000=97 te/8000=101 ptime=20" },
	{ "nobody yet: what can't be decoded can't be played to", NULL, "G723 PCMA",
	  "PCMA=8 ptime=20" },
	{ "nobody yet, and nothing that we can do", NULL, "G723", NULL },
	{ "no policy", NULL, "te", NULL },
	{ "events only where the policy has them", NULL, "PCMA", "PCMA=8 ptime=20" },
	{ "common formats first, in the peer's order", "PCMU=0 PCMA=8 ptime=20", "G722 PCMA PCMU",
	  "PCMU=0 PCMA=8 G722=9 ptime=20" },
	{ "a trunk of PCMA, an extension of Opus", "PCMA=8 te/8000=101 ptime=20", "opus te",
	  "opus=96:useinbandfec=1 te/48000=97 te/8000=101 ptime=20" },
	{ "dynamic numbers of the peer are kept", "opus=107:stereo=1 te/48000=108 te/8000=103",
	  "opus PCMA te", "opus=107:stereo=1 PCMA=8 te/48000=108 te/8000=103 ptime=20" },
	{ "and ours keep clear of them", "iLBC=96:mode=20 speex=97 te/8000=98", "speex opus te",
	  "speex=97 opus=99:useinbandfec=1 te/8000=98 te/48000=100 ptime=20" },
	{ "101 is for events, whatever else is free",
	  "iLBC=96 iLBC=97 iLBC=98 iLBC=99 iLBC=100 PCMA=8", "opus te",
	  "opus=102:useinbandfec=1 te/48000=103 te/8000=101 ptime=20" },
	{ "the peer has 101 for something else", "opus=101 PCMA=8", "opus PCMA te",
	  "opus=101 PCMA=8 te/48000=96 te/8000=97 ptime=20" },
	{ "a static number for another codec is not kept", "opus=8 PCMA=0", "opus PCMA",
	  "opus=96 PCMA=8 ptime=20" },
	{ "a static codec under a dynamic number has its own", "PCMA=100", "PCMA",
	  "PCMA=8 ptime=20" },
	{ "and under both, too, once", "PCMA=100 PCMA=8 PCMU=8", "PCMA PCMU",
	  "PCMA=8 PCMU=0 ptime=20" },
	{ "the same number twice", "opus=100 speex=100", "opus speex",
	  "opus=100 speex=96 ptime=20" },
	{ "a format and an event under one number", "opus=100 te/48000=100", "opus te",
	  "opus=100 te/48000=96 te/8000=101 ptime=20" },
	{ "the same codec twice", "PCMA=8 PCMA=100", "PCMA", "PCMA=8 ptime=20" },
	{ "the same codec in two layouts is two", "AMR=100:octet-align=1 AMR=101", "AMR",
	  "AMR=100:octet-align=1 AMR=101 ptime=20" },
	{ "a number that RTCP would be mistaken for", "opus=72", "opus", "opus=96 ptime=20" },
	{ "relay only: offered on, and nothing else with it", "G723=4:annexa=no", "G723 PCMA",
	  "G723=4:annexa=no ptime=30" },
	{ "relay only, not allowed there", "G723=4", "PCMA", NULL },
	{ "relay only beside what can be transcoded", "G723=4 PCMA=8", "G723 opus",
	  "G723=4 opus=96:useinbandfec=1 ptime=30" },
	{ "events at each clock that is offered", "PCMA=8", "L16/16000 opus PCMA te",
	  "PCMA=8 L16/16000=96 opus=97:useinbandfec=1 te/8000=101 te/16000=98 te/48000=99 "
	  "ptime=20" },
	{ "hold goes through as it is meant", "PCMA=8 sendonly", "PCMA",
	  "PCMA=8 ptime=20 sendonly" },
	{ "inactive stays inactive", "PCMA=8 inactive", "PCMA", "PCMA=8 ptime=20 inactive" },
	{ "the peer's packet time", "PCMA=8 ptime=30", "PCMA", "PCMA=8 ptime=30" },
	{ "in frames of the first codec", "GSM=3 ptime=30", "GSM", "GSM=3 ptime=20" },
	{ "and within its limit", "PCMA=8 ptime=60 maxptime=40", "PCMA",
	  "PCMA=8 ptime=40 maxptime=40" },
	{ "an absurd one", "PCMA=8 ptime=65000", "PCMA", "PCMA=8 ptime=120" },
	{ "no more than a packet holds", "L16/16000=96 ptime=120", "L16/16000",
	  "L16/16000=96 ptime=43" },
	{ "iLBC's default", "iLBC=97", "iLBC", "iLBC=97 ptime=30" },
	{ "AMR in both layouts", NULL, "AMR", "AMR=96 AMR=97:octet-align=1 ptime=20" },
	{ "comfort noise of the peer is passed on", "PCMA=8 cn/8000=13", "PCMA",
	  "PCMA=8 cn/8000=13 ptime=20" },
	{ "not beside what has its own", "opus=96 cn/8000=13", "opus", "opus=96 ptime=20" },
	{ "nor unasked", "PCMA=8", "PCMA", "PCMA=8 ptime=20" },
	{ "but where silence may be left out", "PCMA=8", "PCMA G729 silence",
	  "PCMA=8 G729=18:annexb=yes cn/8000=13 ptime=20" },
};

Test(plan, an_offer_says_what_can_be_relayed_then_what_can_be_transcoded, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
		g_autofree struct tl_media_desc *peer = desc_of(offers[i].peer);
		g_autofree struct tl_media_policy *policy = policy_of(offers[i].policy);
		g_autofree char *text = NULL;
		struct tl_media_desc offer = { 0 };
		int r = tl_plan_offer(peer, policy, &offer);

		cr_expect_eq(r, offers[i].offer ? 0 : -ENOENT, "%s: %d", offers[i].why, r);
		if (r < 0 || !offers[i].offer)
			continue;
		text = text_of(&offer);
		cr_expect_str_eq(text, offers[i].offer, "%s: %s", offers[i].why, text);
	}
}

static const struct {
	const char *why, *offer, *policy, *peer, *peer_policy, *answer;
} answers[] = {
	/* Nobody on the other side: announcements, echo. */
	{ "first that is allowed", "opus=111 PCMA=8", "PCMA PCMU", NULL, NULL, "PCMA=8 ptime=20" },
	{ "in the offer's order, not the policy's", "PCMU=0 PCMA=8", "PCMA PCMU", NULL, NULL,
	  "PCMU=0 ptime=20" },
	{ "first that we can play", "G723=4 PCMA=8", "G723 PCMA", NULL, NULL, "PCMA=8 ptime=20" },
	{ "none that we can play", "G723=4", "G723 PCMA", NULL, NULL, NULL },
	{ "nothing in common", "PCMU=0", "PCMA", NULL, NULL, NULL },
	{ "only events left", "te/8000=101", "PCMA te", NULL, NULL, NULL },

	/* The other leg's own words. */
	{ "no transcoding if it can be", "opus=111 G722=9 PCMA=8", "opus G722 PCMA", "PCMA=8", NULL,
	  "PCMA=8 ptime=20" },
	{ "the other leg's order among those", "PCMA=8 PCMU=0", "PCMA PCMU", "PCMU=0 PCMA=8", NULL,
	  "PCMU=0 ptime=20" },
	{ "relay of what we can't decode", "PCMA=8 G723=4", "PCMA G723", "G723=4", NULL,
	  "G723=4 ptime=30" },
	{ "Annex B off binds both", "G729=18", "G729", "G729=18:annexb=no", NULL,
	  "G729=18:annexb=no ptime=20" },
	{ "AMR in another layout is another codec", "AMR=96 PCMA=8", "AMR PCMA",
	  "AMR=96:octet-align=1 PCMA=8", NULL, "PCMA=8 ptime=20" },
	{ "iLBC likewise", "iLBC=97:mode=20 PCMA=8", "iLBC PCMA", "iLBC=97 PCMU=0", NULL,
	  "PCMA=8 ptime=20" },
	{ "the offer's parameters are repeated", "AMR=96:octet-align=1", "AMR",
	  "AMR=100:octet-align=1", NULL, "AMR=96:octet-align=1 ptime=20" },
	{ "Opus: what the other leg receives", "opus=111:stereo=1", "opus",
	  "opus=96:maxplaybackrate=16000", NULL, "opus=111:maxplaybackrate=16000 ptime=20" },
	{ "transcoded: the best quality that both ends have", "GSM=3 PCMA=8 G722=9",
	  "GSM PCMA G722", "opus=96", NULL, "G722=9 ptime=20" },
	{ "no wide band for a narrow-band end: cheapest of the good", "opus=111 G722=9 PCMA=8",
	  "opus G722 PCMA", "PCMU=0", NULL, "PCMA=8 ptime=20" },
	{ "no loss of quality to save CPU", "GSM=3 opus=111", "GSM opus", "PCMA=8", NULL,
	  "opus=111:useinbandfec=1 ptime=20" },
	{ "equal worth: the offerer's order", "PCMU=0 PCMA=8", "PCMA PCMU", "G722=9", NULL,
	  "PCMU=0 ptime=20" },
	{ "transcoded from the first that it will speak and we decode", "PCMA=8", "PCMA",
	  "G723=4 G722=9", NULL, "PCMA=8 ptime=20" },
	{ "can't be transcoded", "PCMA=8", "PCMA", "G723=4", NULL, NULL },
	{ "can't be transcoded either", "G723=4", "G723", "PCMA=8", NULL, NULL },

	/* Only what configuration allows the other leg. */
	{ "what may be relayed later", "opus=111 G722=9 PCMA=8", "opus G722 PCMA", NULL,
	  "PCMA PCMU", "PCMA=8 ptime=20" },
	{ "by the offerer's order", "PCMA=8 opus=111", "opus PCMA", NULL, "opus PCMA",
	  "PCMA=8 ptime=20" },
	{ "or transcoded best", "PCMA=8 G722=9", "PCMA G722", NULL, "opus", "G722=9 ptime=20" },
	{ "announcements come first: not what we can't encode", "G723=4 PCMA=8", "G723 PCMA", NULL,
	  "G723 PCMA", "PCMA=8 ptime=20" },

	/* Events. */
	{ "events of the clock", "PCMA=8 te/8000=101", "PCMA te", NULL, NULL,
	  "PCMA=8 te/8000=101 ptime=20" },
	{ "Opus with both", "opus=111 te/8000=101 te/48000=110", "opus te", NULL, NULL,
	  "opus=111:useinbandfec=1 te/48000=110 ptime=20" },
	{ "Opus and events at 8000 only, as some phones say", "opus=111 te/8000=101", "opus te",
	  NULL, NULL, "opus=111:useinbandfec=1 te/8000=101 ptime=20" },
	{ "Opus with events of other clocks: those that everybody knows",
	  "opus=111 te/16000=100 te/8000=101", "opus te", NULL, NULL,
	  "opus=111:useinbandfec=1 te/8000=101 ptime=20" },
	{ "events at 48000 beside a chosen PCMA", "opus=111 PCMA=8 te/48000=110 te/8000=101",
	  "PCMA te", NULL, NULL, "PCMA=8 te/8000=101 ptime=20" },
	{ "not allowed", "PCMA=8 te/8000=101", "PCMA", NULL, NULL, "PCMA=8 ptime=20" },
	{ "under the number of the audio", "PCMA=8 te/8000=8", "PCMA te", NULL, NULL,
	  "PCMA=8 ptime=20" },

	/* Comfort noise. */
	{ "taken when what is relayed takes it too", "PCMA=8 cn/8000=13", "PCMA",
	  "PCMA=8 cn/8000=13", NULL, "PCMA=8 cn/8000=13 ptime=20" },
	{ "not when the other leg does not: it would have to be decoded", "PCMA=8 cn/8000=13",
	  "PCMA", "PCMA=8", NULL, "PCMA=8 ptime=20" },
	{ "taken where it is decoded anyhow", "PCMA=8 cn/8000=13", "PCMA", "PCMU=0", NULL,
	  "PCMA=8 cn/8000=13 ptime=20" },

	/* Numbers. */
	{ "our answer uses the offer's", "opus=120 te/48000=121", "opus te", "opus=96", NULL,
	  "opus=120:useinbandfec=1 te/48000=121 ptime=20" },
	{ "one number for two codecs is the first's", "opus=96 PCMA=96", "PCMA", NULL, NULL, NULL },
	{ "numbers above 127 are none", "PCMA=200 PCMU=0", "PCMA PCMU", NULL, NULL,
	  "PCMU=0 ptime=20" },
	{ "nor those of RTCP", "PCMA=73 PCMU=0", "PCMA PCMU", NULL, NULL, "PCMU=0 ptime=20" },
	{ "of which there are more on one port", "PCMA=80 PCMU=0 mux", "PCMA PCMU", NULL, NULL,
	  "PCMU=0 ptime=20 mux" },
	{ "than on two", "PCMA=80 PCMU=0", "PCMA PCMU", NULL, NULL, "PCMA=80 ptime=20" },

	/* Directions: from this offer, mirrored. */
	{ "silence is sendrecv", "PCMA=8", "PCMA", "PCMA=8 recvonly", NULL, "PCMA=8 ptime=20" },
	{ "sendonly", "PCMA=8 sendonly", "PCMA", "PCMA=8", NULL, "PCMA=8 ptime=20 recvonly" },
	{ "recvonly", "PCMA=8 recvonly", "PCMA", NULL, NULL, "PCMA=8 ptime=20 sendonly" },
	{ "inactive", "PCMA=8 inactive", "PCMA", NULL, NULL, "PCMA=8 ptime=20 inactive" },
	{ "held the old way", "PCMA=8 any", "PCMA", NULL, NULL, "PCMA=8 ptime=20 recvonly" },
	{ "held the old way, and said twice", "PCMA=8 any inactive", "PCMA", NULL, NULL,
	  "PCMA=8 ptime=20 inactive" },

	/* Packet time. */
	{ "as asked", "PCMA=8 ptime=30", "PCMA", NULL, NULL, "PCMA=8 ptime=30" },
	{ "in whole frames", "GSM=3 ptime=30", "GSM", NULL, NULL, "GSM=3 ptime=20" },
	{ "at least one frame", "opus=96 ptime=5", "opus", NULL, NULL,
	  "opus=96:useinbandfec=1 ptime=10" },
	{ "a limit without a wish", "PCMA=8 maxptime=10", "PCMA", NULL, NULL,
	  "PCMA=8 ptime=10 maxptime=10" },
	{ "no wish: what the other leg asked, so that it may be relayed", "PCMA=8", "PCMA",
	  "PCMA=8 ptime=30", NULL, "PCMA=8 ptime=30" },
	{ "no wish, and transcoded: the codec's own", "PCMA=8", "PCMA", "PCMU=0 ptime=30", NULL,
	  "PCMA=8 ptime=20" },
};

Test(plan, an_answer_takes_the_cheapest_good_pair, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autofree struct tl_media_desc *offer = desc_of(answers[i].offer);
		g_autofree struct tl_media_desc *peer = desc_of(answers[i].peer);
		g_autofree struct tl_media_policy *policy = policy_of(answers[i].policy);
		g_autofree struct tl_media_policy *other = policy_of(answers[i].peer_policy);
		g_autofree char *text = NULL;
		struct tl_media_desc answer = { 0 };
		int r = tl_plan_answer(offer, policy, peer, other, &answer);

		cr_expect_eq(r, answers[i].answer ? 0 : -ENOENT, "%s: %d", answers[i].why, r);
		if (r < 0 || !answers[i].answer)
			continue;
		text = text_of(&answer);
		cr_expect_str_eq(text, answers[i].answer, "%s: %s", answers[i].why, text);
	}
}

/* "relay chain  a>8:20 <8 te>101<101/8000  b>..." : what each side is sent, at what packet time,
 * what it is expected to send, and events. */
static char *text_of_plan(const struct tl_plan *plan)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%s %s", tl_path_name(plan->path[TL_SIDE_A]),
			       tl_path_name(plan->path[TL_SIDE_B]));
	for (int i = 0; i < _TL_SIDE_MAX; i++) {
		const struct tl_side_plan *side = &plan->side[i];

		if (!side->open)
			continue;
		g_string_append_printf(text, " | %s", tl_side_name(i));
		g_string_append(text, side->send ? " >" : " x");
		append_row(text, side->send_format.codec);
		g_string_append_printf(text, "=%u:%u", side->send_format.pt, side->send_ptime_ms);
		g_string_append(text, side->receive ? " <" : " x");
		for (size_t j = 0; j < side->n_receive_formats; j++) {
			g_string_append(text, j ? "," : "");
			append_row(text, side->receive_formats[j].codec);
			g_string_append_printf(text, "=%u", side->receive_formats[j].pt);
		}
		if (side->event_clock_hz)
			g_string_append_printf(text, " te/%u>%d<%d", side->event_clock_hz,
					       side->event_send_pt, side->event_receive_pt);
		else
			cr_expect(side->event_send_pt == -1 && side->event_receive_pt == -1);
	}
	return g_string_free(text, FALSE);
}

static const struct {
	const char *why, *local_a, *remote_a, *local_b, *remote_b, *plan;
} plans[] = {
	{ "nothing negotiated", NULL, NULL, NULL, NULL, "closed closed" },
	{ "one side", "PCMA=8", "PCMA=8", NULL, NULL, "closed closed | a >PCMA=8:20 <PCMA=8" },
	{ "our offer is not answered yet", "PCMA=8", "PCMA=8", "PCMA=8", NULL,
	  "closed closed | a >PCMA=8:20 <PCMA=8" },
	{ "one side that we can't decode", "G723=4", "G723=4", NULL, NULL,
	  "closed closed | a >G723=4:30 <G723=4" },
	{ "same codec", "PCMA=8", "PCMA=8", "PCMA=8", "PCMA=8",
	  "relay relay | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:20 <PCMA=8" },
	{ "same codec, other numbers", "opus=111", "opus=111", "opus=96", "opus=107",
	  "relay relay | a >opus=111:20 <opus=111 | b >opus=107:20 <opus=96,opus=107" },
	{ "other codecs", "PCMA=8", "PCMA=8", "opus=96", "opus=96",
	  "chain chain | a >PCMA=8:20 <PCMA=8 | b >opus=96:20 <opus=96" },
	{ "an answer of several: the one that is relayed", "PCMU=0", "PCMU=0", "PCMA=8 PCMU=0",
	  "PCMA=8 PCMU=0", "relay relay | a >PCMU=0:20 <PCMU=0 | b >PCMU=0:20 <PCMU=0,PCMA=8" },
	{ "relay of what we can't decode", "G723=4", "G723=4", "G723=4 PCMA=8", "G723=4",
	  "relay relay | a >G723=4:30 <G723=4 | b >G723=4:30 <G723=4" },
	{ "which we can't transcode", "G723=4", "G723=4", "PCMA=8", "PCMA=8", NULL },
	{ "a side's descriptions have nothing in common", "PCMA=8", "PCMU=0", NULL, NULL, NULL },
	{ "remote offered more than we answered", "PCMA=8", "opus=96 PCMA=8 PCMU=0", "PCMA=8",
	  "PCMA=8", "relay relay | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:20 <PCMA=8" },
	{ "iLBC in other frames", "iLBC=97:mode=20", "iLBC=97:mode=20", "iLBC=97", "iLBC=97",
	  "chain chain | a >iLBC=97:20 <iLBC=97 | b >iLBC=97:30 <iLBC=97" },
	{ "AMR in other layouts", "AMR=97:octet-align=1", "AMR=97:octet-align=1", "AMR=97",
	  "AMR=97", "chain chain | a >AMR=97:20 <AMR=97 | b >AMR=97:20 <AMR=97" },
	{ "iLBC: the modes differ, both use the longer", "iLBC=97:mode=20", "iLBC=97:mode=30", NULL,
	  NULL, "closed closed | a >iLBC=97:30 <iLBC=97" },
	{ "noise that the other side can't be told of", "PCMA=8 cn/8000=13", "PCMA=8 cn/8000=13",
	  "PCMA=8", "PCMA=8", "chain relay | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:20 <PCMA=8" },
	{ "noise that it can", "PCMA=8 cn/8000=13", "PCMA=8 cn/8000=13", "PCMA=8 cn/8000=13",
	  "PCMA=8 cn/8000=13", "relay relay | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:20 <PCMA=8" },
	{ "G.729 that may be silent to one that may not", "G729=18", "G729=18", "G729=18:annexb=no",
	  "G729=18:annexb=no", "chain relay | a >G729=18:20 <G729=18 | b >G729=18:20 <G729=18" },
	{ "AMR in a layout that we only relay", "AMR=97:crc=1", "AMR=97:crc=1", "AMR=97", "AMR=97",
	  NULL },

	/* Packet time. */
	{ "other packet times", "PCMA=8", "PCMA=8 ptime=20", "PCMA=8", "PCMA=8 ptime=30",
	  "chain chain | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:30 <PCMA=8" },
	{ "one not stated", "PCMA=8", "PCMA=8", "PCMA=8", "PCMA=8 ptime=30",
	  "relay relay | a >PCMA=8:20 <PCMA=8 | b >PCMA=8:30 <PCMA=8" },
	{ "Opus passes as it is", "opus=96", "opus=96 ptime=20", "opus=96", "opus=96 ptime=60",
	  "relay relay | a >opus=96:20 <opus=96 | b >opus=96:60 <opus=96" },
	{ "as does what we can't decode", "G723=4", "G723=4 ptime=30", "G723=4", "G723=4 ptime=60",
	  "relay relay | a >G723=4:30 <G723=4 | b >G723=4:60 <G723=4" },
	{ "a limit does not keep out what we can't decode", "G723=4", "G723=4 ptime=60", "G723=4",
	  "G723=4 maxptime=30", "relay relay | a >G723=4:60 <G723=4 | b >G723=4:30 <G723=4" },
	{ "our own wish where the remote has none", "PCMA=8 ptime=40", "PCMA=8", NULL, NULL,
	  "closed closed | a >PCMA=8:40 <PCMA=8" },
	{ "the remote's limit", "opus=96", "opus=96 ptime=60 maxptime=40", NULL, NULL,
	  "closed closed | a >opus=96:40 <opus=96" },

	/* Directions. */
	{ "they hold us", "PCMA=8 recvonly", "PCMA=8 sendonly", NULL, NULL,
	  "closed closed | a xPCMA=8:20 <PCMA=8" },
	{ "we hold them", "PCMA=8 sendonly", "PCMA=8 recvonly", NULL, NULL,
	  "closed closed | a >PCMA=8:20 xPCMA=8" },
	{ "nobody says anything", "PCMA=8 inactive", "PCMA=8 inactive", NULL, NULL,
	  "closed closed | a xPCMA=8:20 xPCMA=8" },
	{ "back again", "PCMA=8", "PCMA=8", NULL, NULL, "closed closed | a >PCMA=8:20 <PCMA=8" },
	{ "held the old way", "PCMA=8 recvonly", "PCMA=8 any", NULL, NULL,
	  "closed closed | a xPCMA=8:20 <PCMA=8" },
	{ "they answered less than we offered", "PCMA=8", "PCMA=8 sendonly", NULL, NULL,
	  "closed closed | a xPCMA=8:20 <PCMA=8" },
	{ "a path stays while on hold", "PCMA=8 recvonly", "PCMA=8 sendonly", "PCMA=8 sendonly",
	  "PCMA=8 recvonly", "relay relay | a xPCMA=8:20 <PCMA=8 | b >PCMA=8:20 xPCMA=8" },
	{ "a refused stream is not open", "PCMA=8", "PCMA=8", "PCMA=8", "PCMA=8 refused",
	  "closed closed | a >PCMA=8:20 <PCMA=8" },

	/* Events: a number and a clock for each leg. */
	{ "each side its own numbers", "PCMA=8 te/8000=101", "PCMA=8 te/8000=101",
	  "opus=96 te/48000=97 te/8000=101", "opus=107 te/48000=110",
	  "chain chain | a >PCMA=8:20 <PCMA=8 te/8000>101<101 | "
	  "b >opus=107:20 <opus=96,opus=107 te/48000>110<97" },
	{ "Opus with events at 8000 only", "opus=96 te/48000=97 te/8000=101", "opus=96 te/8000=101",
	  NULL, NULL, "closed closed | a >opus=96:20 <opus=96 te/8000>101<101" },
	{ "only one says events", "PCMA=8 te/8000=101", "PCMA=8", NULL, NULL,
	  "closed closed | a >PCMA=8:20 <PCMA=8" },
	{ "we did not offer any", "PCMA=8", "PCMA=8 te/8000=101", NULL, NULL,
	  "closed closed | a >PCMA=8:20 <PCMA=8" },
	{ "at clocks that don't meet", "opus=96 te/48000=97", "opus=96 te/8000=101", NULL, NULL,
	  "closed closed | a >opus=96:20 <opus=96" },
};

Test(plan, says_what_to_send_and_to_expect, .init = setup)
{
	for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
		g_autofree struct tl_media_desc *local_a = desc_of(plans[i].local_a);
		g_autofree struct tl_media_desc *remote_a = desc_of(plans[i].remote_a);
		g_autofree struct tl_media_desc *local_b = desc_of(plans[i].local_b);
		g_autofree struct tl_media_desc *remote_b = desc_of(plans[i].remote_b);
		g_autofree char *text = NULL;
		struct tl_plan plan;
		int r = tl_plan_make(local_a, remote_a, local_b, remote_b, &plan);

		cr_expect_eq(r, plans[i].plan ? 0 : -ENOENT, "%s: %d", plans[i].why, r);
		if (r < 0 || !plans[i].plan)
			continue;
		text = text_of_plan(&plan);
		cr_expect_str_eq(text, plans[i].plan, "%s: %s", plans[i].why, text);
	}
}

/* What an offer and its answer agree on must make a plan, whatever was offered: a walk through many
 * offers, policies and answerers. */
Test(plan, what_was_negotiated_can_be_done, .init = setup, .timeout = 60)
{
	static const char *const sets[] = {
		"opus=111 te/48000=110 te/8000=101",
		"PCMA=8 te/8000=101",
		"PCMU=0",
		"G722=9 PCMA=8 ptime=30",
		"G723=4 PCMU=0",
		"G723=4",
		"GSM=3 opus=96 ptime=40",
		"speex/16000=97 speex=98",
		"L16/16000=99 iLBC=100",
		"AMR-WB=101 G726-32=102 PCMA=8",
	};
	static const char *const policies[] = {
		"opus G722 PCMA PCMU te",
		"PCMA PCMU te",
		"G723 PCMA",
		"G723",
		"opus te",
		"AMR-WB iLBC GSM speex speex/16000 L16 L16/16000 G726-32",
	};

	for (size_t n = 0; n < G_N_ELEMENTS(sets) * G_N_ELEMENTS(sets); n++) {
		g_autofree struct tl_media_desc *from_a = desc_of(sets[n % G_N_ELEMENTS(sets)]);
		g_autofree struct tl_media_desc *from_b = desc_of(sets[n / G_N_ELEMENTS(sets)]);

		for (size_t p = 0; p < G_N_ELEMENTS(policies) * G_N_ELEMENTS(policies); p++) {
			g_autofree struct tl_media_policy *a =
				policy_of(policies[p % G_N_ELEMENTS(policies)]);
			g_autofree struct tl_media_policy *b =
				policy_of(policies[p / G_N_ELEMENTS(policies)]);
			struct tl_media_desc offer, answer_b, answer_a;
			struct tl_plan plan;

			/* A offers, we offer on to B, B answers by what it has, we answer A. */
			if (tl_plan_offer(from_a, b, &offer) < 0 ||
			    tl_plan_answer(&offer,
					   &(struct tl_media_policy) {
						   .codecs = { from_b->formats[0].codec },
						   .n_codecs = 1,
						   .telephone_event = true },
					   from_b, NULL, &answer_b) < 0 ||
			    tl_plan_answer(from_a, a, &answer_b, NULL, &answer_a) < 0)
				continue;
			answer_b.rtp = from_b->rtp;
			cr_expect_eq(tl_plan_make(&answer_a, from_a, &offer, &answer_b, &plan), 0,
				     "%s, %s", sets[n % G_N_ELEMENTS(sets)],
				     sets[n / G_N_ELEMENTS(sets)]);
			cr_expect(plan.side[TL_SIDE_A].open && plan.side[TL_SIDE_B].open);
			cr_expect_neq(plan.path[TL_SIDE_A], TL_PATH_CLOSED);
		}
	}
}

Test(plan, an_offer_is_full_rather_than_overrun, .init = setup)
{
	struct tl_media_desc peer = { .n_formats = TL_DESC_FORMATS, .n_events = TL_DESC_EVENTS };
	struct tl_media_policy policy = { .telephone_event = true };
	struct tl_media_desc offer;
	bool seen[128] = { false };

	for (size_t i = 0; i < TL_DESC_FORMATS; i++) {
		peer.formats[i].codec = tl_codec_by_name("AMR");
		peer.formats[i].pt = (uint8_t)(96 + i);
		g_snprintf(peer.formats[i].fmtp, TL_FMTP_BYTES, "mode-set=%zu", i);
	}
	for (size_t i = 0; i < TL_DESC_EVENTS; i++)
		peer.events[i] =
			(struct tl_event_format) { .pt = (uint8_t)(120 + i), .clock_hz = 8000 };
	peer.formats[TL_DESC_FORMATS - 1].codec = tl_codec_by_name("PCMA");
	for (size_t i = 0; tl_codec_row(i); i++)
		policy.codecs[policy.n_codecs++] = tl_codec_row(i);

	cr_assert_eq(tl_plan_offer(&peer, &policy, &offer), 0);
	cr_expect_eq(offer.n_formats, TL_DESC_FORMATS);
	for (size_t i = 0; i < offer.n_formats + offer.n_events; i++) {
		unsigned pt = i < offer.n_formats ? offer.formats[i].pt
						  : offer.events[i - offer.n_formats].pt;

		cr_expect_lt(pt, 128);
		cr_expect_not(seen[pt], "%u stands for two", pt);
		seen[pt] = true;
	}
}

Test(plan, tones_are_listened_for_where_the_other_side_has_none, .init = setup)
{
	struct tl_plan plan = { 0 }, fresh = { .path = { TL_PATH_RELAY, TL_PATH_RELAY } };

	fresh.side[TL_SIDE_A].send_format.codec = tl_codec_by_name("PCMA");
	fresh.side[TL_SIDE_B].send_format.codec = tl_codec_by_name("PCMA");
	plan = fresh;
	tl_plan_set_tones(&plan, true, false);
	cr_expect_eq(plan.path[TL_SIDE_A], TL_PATH_CHAIN);
	cr_expect_eq(plan.path[TL_SIDE_B], TL_PATH_RELAY);
	plan = fresh;
	tl_plan_set_tones(&plan, true, true);
	cr_expect_eq(plan.path[TL_SIDE_A], TL_PATH_RELAY, "tones pass by themselves");
	plan = fresh;
	plan.side[TL_SIDE_A].send_format.codec = tl_codec_by_name("G723");
	tl_plan_set_tones(&plan, true, false);
	cr_expect_eq(plan.path[TL_SIDE_A], TL_PATH_RELAY, "nobody here can hear it");
}
