/* Rows of [route] and [expect]. */
#include "dialplan/load/expect.h"
#include "dialplan/keys/keys_table.h"
#include "dialplan/text/value.h"

/* Words in the order of the enums that they stand for. */
static const char *const play_as_words[] = { "early", "answer", NULL };
static const char *const privacy_words[] = { "keep", "off", "id", NULL };
static const char *const echo_words[] = { "leg", "off", "caller", "callee", "both", NULL };
static const char *const media_words[] = { "auto", "direct", NULL };

#define ROUTE(field)      AT(tl_route_cfg, field)
#define ROUTE_LIST(field) LIST(tl_route_cfg, field)

static const struct tl_key route_keys[] = {
	LIKE("voicebox"),
	{ "from", tl_parse_sources, ROUTE_LIST(from), .example = "trunk:carrier, extension:1001",
	  .help = "Who calls: trunk:NAME, extension:NUMBER, group:NAME, trunk, extension, any; a "
		  "list. Default: any" },
	{ "to", tl_parse_patterns, ROUTE_LIST(to), .example = "+4930555100, 0[1-9]X.",
	  .help = "Number dialled: X 0-9, Z 1-9, N 2-9, [a-z] a set, . one or more, ! none or "
		  "more, "
		  "( ) for $1. Default: any" },
	{ "from-number", tl_parse_patterns, ROUTE_LIST(from_number), .example = "+49170!",
	  .help = "The caller's number, a pattern like to. Default: any" },
	{ "transport", tl_parse_transports, ROUTE(transports), .example = "tls",
	  .help = "How the call came: udp, tcp, tls; a list. Default: any" },
	{ "offers", tl_parse_offers, ROUTE(offers), .example = "fax, video",
	  .help = "What the caller offers: audio, fax (T.38), video; a list, of which one must be "
		  "there. Default: any" },
	{ "header X-Campaign", tl_parse_header_test, ROUTE_LIST(header_tests),
	  .names = tl_key_is_header, .example = "spring, summer*",
	  .help = "A header of the INVITE, whichever name stands there: values, of which one must "
		  "be there; * any, none if it must not be there, text* its beginning" },
	{ "when", tl_parse_when, ROUTE_LIST(when), .example = "office, not holidays",
	  .help = "Names of [hours] sections: one must be open, and none of those after not. "
		  "Default: always" },
	{ "play", tl_parse_play, ROUTE_LIST(play), .example = "welcome.wav, recorded.wav",
	  .help = "Announcements, one after another, before ringing; without ring, all that there "
		  "is" },
	{ "play-as", tl_parse_word, ROUTE(play_as), .words = play_as_words, .example = "early",
	  .help = "early: before the call is answered (and paid for); answer: after. "
		  "Default: early when it rings then, else answer" },
	{ "ringback", tl_parse_ringback, ROUTE(ringback), .example = "auto",
	  .help = "What the caller hears while it rings: auto (where his phone makes no tone, "
		  "ringback.wav of prompts), none (never ours), or a sound file, in a loop" },
	{ "ring", tl_parse_ring, ROUTE(steps),
	  .example = "1001, 1002 for 10s then trunk:carrier 70% or trunk:backup 30%",
	  .help = "Whom: NUMBER, trunk:NAME, group:NAME, extension (the one dialled); \",\" all "
		  "at once, then one after another, or one of them by its share, the others if it "
		  "fails; for TIME how long each" },
	{ "ring-time", tl_parse_seconds, ROUTE(ring_time_s), .min = 1, .max = 3600,
	  .example = "25s",
	  .help = "Of each that has no time of its own. Default: that of [gateway]" },
	{ "on-busy", tl_parse_follow, ROUTE(on_busy), .example = "route:voicebox",
	  .help = "What follows when all are busy: route:NAME, reject 486 Busy Here, play FILE, "
		  "play FILE then reject 486, or redirect URI. Default: their answer goes to the "
		  "caller" },
	{ "on-no-answer", tl_parse_follow, ROUTE(on_no_answer), .example = "route:voicebox",
	  .help = "The same when nobody has answered in time" },
	{ "on-failure", tl_parse_follow, ROUTE(on_failure), .example = "reject 480 Nobody Here",
	  .help = "The same for any other failure" },
	{ "on-closed", tl_parse_follow, ROUTE(on_closed), .example = "play closed.wav",
	  .help = "The same when the hours of when are over. Default: the next route that fits "
		  "takes the call" },
	{ "answer", tl_parse_answer, ROUTE(echo), .example = "echo",
	  .help = "Instead of ring: echo answers and sends back what it hears" },
	{ "reject", tl_parse_reject, ROUTE(reject), .example = "403 Not From Here",
	  .help = "Instead of ring: refuse with a status from 400 to 699 and a reason" },
	{ "redirect", tl_parse_redirects, ROUTE_LIST(redirects), .example = "sip:$0@other.example",
	  .help = "Instead of ring: send the caller there with 302: URI ($0 the number dialled, "
		  "$1 a group), NUMBER or extension (where those are registered); a list" },
	{ "strip", tl_parse_number, ROUTE(strip), .max = 64, .initial = "0",
	  .help = "Characters taken off the front of the number dialled" },
	{ "prefix", tl_parse_number_text, ROUTE(prefix), .example = "+49",
	  .help = "Put before the number, after strip" },
	{ "number", tl_parse_template, ROUTE(number), .example = "+49$1",
	  .help = "Instead of strip and prefix: the number; $1 a group of to, $0 all of it" },
	{ "caller", tl_parse_caller, ROUTE(caller), .example = "+4930555100",
	  .help = "Number shown to the callee, or withheld; $0 the caller's own, $1 a group of "
		  "from-number. Default: the caller's own" },
	{ "caller-name", tl_parse_text, ROUTE(caller_name), .example = "Example Ltd",
	  .help = "Name shown to the callee. Default: the caller's own" },
	{ "privacy", tl_parse_word, ROUTE(privacy), .words = privacy_words, .initial = "keep",
	  .help = "keep: as the caller asks; off: he is shown whatever he asks; id: withheld, but "
		  "told to trunks that are trusted with it" },
	{ "add-header X-Customer", tl_parse_header_out, ROUTE_LIST(add_headers),
	  .names = tl_key_adds_header, .example = "$1",
	  .help = "A header, whichever name stands there, for those who are rung; $0 the number "
		  "dialled, $1 a group of to" },
	{ "drop-headers", tl_parse_header_names, ROUTE_LIST(drop_headers),
	  .example = "X-Internal-*, User-to-User",
	  .help = "Headers that don't go from one leg to the other, either way; a * at the end "
		  "stands for any ending" },
	{ "carry-headers", tl_parse_header_names, ROUTE_LIST(carry_headers), .example = "Subject",
	  .help = "Headers that do, beside X-*, User-to-User, Alert-Info and Call-Info" },
	{ "codecs", tl_parse_codecs, ROUTE_LIST(codecs), .example = "opus, PCMA",
	  .help = "Those allowed on this call, of what each leg has. Default: all of them" },
	{ "dtmf", tl_parse_word, ROUTE(dtmf), .words = tl_dtmf_words, .example = "rtp",
	  .help = "How digits travel on both legs. Default: as each leg has it" },
	{ "srtp", tl_parse_word, ROUTE(srtp), .words = tl_srtp_words, .example = "required",
	  .help = "Encrypted media on both legs: off, optional, offer, required. Default: as each "
		  "leg "
		  "has it" },
	{ "t38", tl_parse_word, ROUTE(t38), .words = tl_t38_words, .example = "offer",
	  .help = "Fax on both legs: off, accept, offer. Default: as each leg has it" },
	{ "echo-cancel", tl_parse_word, ROUTE(echo_cancel), .words = echo_words, .initial = "leg",
	  .help = "Whose line's echo is cancelled: off, caller, callee, both, or leg, as each leg "
		  "has it" },
	{ "media", tl_parse_word, ROUTE(media), .words = media_words, .initial = "auto",
	  .help = "auto: through the gateway; direct: between the parties, which then must "
		  "understand each other" },
	{ "transfer", tl_parse_word, ROUTE(transfer), .words = tl_transfer_words, .example = "pass",
	  .help = "Transfers of calls that this route takes: local, pass or off. Default: as the "
		  "section of whoever asks says" },
	{ "hold-music", tl_parse_music, ROUTE(hold_music), .example = "none",
	  .help = "What a party on hold hears, or none. Default: that of whoever holds, then "
		  "that of [gateway]" },
	{ "record", tl_parse_record, ROUTE(record), .initial = "off",
	  .help = "off, stereo (caller left, callee right; also yes) or mono" },
	{ "max-duration", tl_parse_seconds, ROUTE(max_duration_s), .max = 30 * DAY_S,
	  .initial = "0s", .help = "The call is ended after so long. 0s: no limit" },
};

#define LATER(field) tl_parse_later, AT(tl_expect, field)
/* Facts of a decision: decide/said.c has a row for each. */
#define SAID(key, value, text)                                                                     \
	{                                                                                          \
		key, tl_parse_said, .example = (value), .help = (text)                             \
	}
#define SAID_OF_ONE(key, value, text)                                                              \
	{                                                                                          \
		key, tl_parse_said, .names = tl_key_is_said_of_one, .example = (value),            \
				    .help = (text)                                                 \
	}

static const struct tl_key expect_keys[] = {
	LIKE("it rings"),
	{ "call", LATER(call), .required = true,
	  .example = "trunk:carrier +49170111222 +4930555100 at 2026-11-23 10:00",
	  .help = "Who calls, with which number (or withheld), what they dial, and when" },
	{ "header X-Campaign", tl_parse_expect_header, LIST(tl_expect, headers),
	  .names = tl_key_is_header, .example = "spring",
	  .help = "A header that the call has, whichever name stands there" },
	{ "offers", LATER(offers), .example = "audio, video",
	  .help = "What the call offers: audio, fax, video. Default: audio" },
	{ "transport", LATER(transport), .example = "tls",
	  .help = "How it comes: udp, tcp or tls. Default: udp" },
	{ "route", LATER(route), .example = "support", .help = "The route that takes it, or none" },
	SAID("closed", "yes",
	     "Whether the route's hours are over, and on-closed counts: yes or no"),
	SAID("plays", "welcome.wav", "As play of a route, or none"),
	SAID("play-as", "early", "Whether that is heard early or after the answer"),
	SAID("answers", "echo", "What Twinleg answers with itself: echo, play or none"),
	SAID("rejects", "403", "The status of the refusal; the reason too, if it is said"),
	SAID("redirects", "sip:100@other.example", "Where the caller is sent: a list"),
	SAID("dials", "+4930123", "The number after rewriting"),
	SAID("shows", "+4930555100", "The caller's number as the callee sees it, or withheld"),
	SAID("caller-name", "Alice", "The caller's name, or none"),
	SAID("privacy", "id", "As privacy of a route"),
	SAID("rings", "1001, 1002",
	     "As ring of a route, or none; times and shares count when they are said"),
	SAID("ring-time", "25s", "How long each rings that has no time of its own"),
	SAID_OF_ONE("uri trunk:carrier", "sip:+4930123@sip.carrier.example",
		    "How one that is rung is called; for several servers of a trunk, a list"),
	SAID_OF_ONE("identity trunk:carrier", "from, pai",
		    "Where that trunk reads who calls: from or anonymous, and pai, ppi or rpid "
		    "when it gets that header"),
	SAID_OF_ONE("codecs trunk:carrier", "PCMA, PCMU", "The codecs that it is offered"),
	SAID_OF_ONE("path trunk:carrier", "relay",
		    "What the media does, by the codecs of both sections: relay, transcode or "
		    "direct"),
	SAID_OF_ONE("dtmf 1001", "info", "How digits travel there"),
	SAID_OF_ONE("srtp 1001", "required", "Its encrypted media"),
	SAID_OF_ONE("t38 1001", "offer", "Fax there"),
	SAID_OF_ONE("echo-cancel trunk:carrier", "auto",
		    "What takes its line's echo out: off, auto, speexdsp or spandsp"),
	SAID_OF_ONE("add-header X-Customer", "3012",
		    "A header that they get, whichever name stands there, or none"),
	SAID("drop-headers", "X-Internal-*", "As drop-headers of a route, or none"),
	SAID("carry-headers", "Subject", "As carry-headers of a route, or none"),
	SAID("ringback", "none", "As ringback of a route"),
	SAID("codecs", "opus, PCMA", "As codecs of a route, or none when it allows all"),
	SAID("dtmf", "rtp", "As dtmf of a route, or none"),
	SAID("srtp", "required", "As srtp of a route, or none"),
	SAID("t38", "offer", "As t38 of a route, or none"),
	SAID("echo-cancel", "callee", "As echo-cancel of a route"),
	SAID("media", "direct", "As media of a route"),
	SAID("hold-music", "default", "As hold-music of a route; default when it does not say"),
	SAID("transfer", "off", "As transfer of a route, or none"),
	SAID("record", "stereo", "off, stereo or mono"),
	SAID("max-duration", "1h", "As max-duration of a route, or none"),
	SAID("on-busy", "route:voicebox",
	     "What follows then, or none; of a rejection the reason counts when it is said"),
	SAID("on-no-answer", "route:voicebox", "The same for no answer"),
	SAID("on-failure", "reject 480", "The same for other failures"),
	SAID("on-closed", "play closed.wav", "The same for closed hours"),
};

const struct tl_key_table tl_route_table = { route_keys, G_N_ELEMENTS(route_keys) };
const struct tl_key_table tl_expect_table = { expect_keys, G_N_ELEMENTS(expect_keys) };
