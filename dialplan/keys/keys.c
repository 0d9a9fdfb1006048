/* Rows of all sections but [route] and [expect], which are in keys_route.c. */
#include "dialplan/keys/keys.h"

#include <string.h>
#include "dialplan/keys/keys_table.h"
#include "dialplan/text/value.h"

const char *const tl_dtmf_words[] = { "auto", "rtp", "info", "inband", NULL };
const char *const tl_t38_words[] = { "off", "accept", "offer", NULL };
static const char *const silence_words[] = { "send", "leave-out", NULL };
const char *const tl_srtp_words[] = { "off", "optional", "offer", "required", NULL };
static const char *const digest_words[] = { "md5", "sha256", "both", NULL };
static const char *const echo_cancel_words[] = { "off", "auto", "speexdsp", "spandsp", NULL };
static const char *const connected_words[] = { "off", "update", "reinvite", NULL };
static const char *const hold_words[] = { "local", "pass", NULL };
static const char *const identity_words[] = { "from", "pai", "ppi", "rpid", NULL };
static const char *const diversion_words[] = { "no", "diversion", "history-info", "both", NULL };
static const char *const on_redirect_words[] = { "follow", "pass", "refuse", NULL };
const char *const tl_transfer_words[] = { "local", "pass", "off", NULL };

static const struct tl_key gateway_keys[] = {
	{ "listen", tl_parse_listen, LIST(tl_gateway, listen),
	  .initial = "udp:0.0.0.0:5060, tcp:0.0.0.0:5060",
	  .help = "Where SIP is heard: transport:address:port; transports udp, tcp, tls; "
		  "IPv6 as udp:[::]:5060" },
	{ "domain", tl_parse_token, AT(tl_gateway, domain), .example = "pbx.example.net",
	  .help = "The domain and digest realm that phones register in. "
		  "Default: the machine's host name" },
	{ "advertise", tl_parse_advertise, AT(tl_gateway, advertise), .example = "203.0.113.10",
	  .help = "Our address as others see it, behind NAT. Default: that of the socket" },
	{ "rtp-ports", tl_parse_port_range, AT(tl_gateway, rtp_port_min),
	  AND(tl_gateway, rtp_port_max), 1024, 65535, .initial = "16384-32767",
	  .help = "Ports for media: RTP on the even ones, RTCP one above" },
	{ "workers", tl_parse_number, AT(tl_gateway, workers), .max = 256, .initial = "0",
	  .help = "Media threads. 0: one a core" },
	{ "codecs", tl_parse_codecs, LIST(tl_gateway, codecs), .initial = "opus, G722, PCMA, PCMU",
	  .help = "Codecs of legs that name none of their own, the preferred first" },
	{ "opus-complexity", tl_parse_number, AT(tl_gateway, opus_complexity), .max = 10,
	  .initial = "5", .help = "Effort of the Opus encoder, 0 to 10" },
	{ "state", tl_parse_path, AT(tl_gateway, state), .initial = "/var/lib/twinleg",
	  .help = "Directory of the database. Paths in this section may be relative to this "
		  "file's directory" },
	{ "recordings", tl_parse_path, AT(tl_gateway, recordings),
	  .example = "/var/lib/twinleg/recordings",
	  .help = "Directory of recordings. Default: recordings in the state directory" },
	{ "prompts", tl_parse_path, AT(tl_gateway, prompts), .initial = "prompts",
	  .help = "Directory of the announcements that play = names" },
	{ "control", tl_parse_path, AT(tl_gateway, control), .initial = "/run/twinleg/control",
	  .help = "Socket that twinleg status, calls, reload and the like talk to" },
	{ "user-agent", tl_parse_text, AT(tl_gateway, user_agent), .initial = "Twinleg",
	  .help = "What User-Agent and Server headers say" },
	{ "certificate", tl_parse_path, AT(tl_gateway, certificate),
	  .example = "/etc/twinleg/tls/fullchain.pem",
	  .help = "For tls: our certificate and its chain, PEM. Read again at each reload" },
	{ "private-key", tl_parse_path, AT(tl_gateway, private_key),
	  .example = "/etc/twinleg/tls/privkey.pem",
	  .help = "Its key, PEM. Default: in the file of certificate" },
	{ "ca", tl_parse_path, AT(tl_gateway, ca), .example = "/etc/ssl/certs/ca-certificates.crt",
	  .help = "Authorities that certificates of trunks must come from, PEM. "
		  "Default: those of the system" },
	{ "max-calls", tl_parse_number, AT(tl_gateway, max_calls), .max = CALLS_MAX, .initial = "0",
	  .help = "Calls at a time; more are refused with 503. 0: no limit" },
	{ "request-rate", tl_parse_number, AT(tl_gateway, request_rate), .max = 100000,
	  .initial = "100",
	  .help = "Requests a second that one address may send before it has shown a password, "
		  "ten times as many at once; more get 503, then silence. Trunks are exempt. "
		  "0: no limit" },
	{ "overload-lag", tl_parse_ms, AT(tl_gateway, overload_lag_ms), .max = 10000,
	  .initial = "100ms",
	  .help = "When signalling or media are later than this for a second on end, new calls "
		  "get 503. 0ms: never" },
	{ "ring-time", tl_parse_seconds, AT(tl_gateway, ring_time_s), .min = 1, .max = 3600,
	  .initial = "30s", .help = "How long a target rings when its route does not say" },
	{ "rtp-timeout", tl_parse_seconds, AT(tl_gateway, rtp_timeout_s), .max = DAY_S,
	  .initial = "60s",
	  .help = "A call whose two sides both send no media so long is ended. 0s: never" },
	{ "jitter", tl_parse_ms_range, AT(tl_gateway, jitter_min_ms),
	  AND(tl_gateway, jitter_max_ms), 0, 2000, .initial = "0ms-200ms",
	  .help = "Least and most delay of the jitter buffer" },
	{ "register-min", tl_parse_seconds, AT(tl_gateway, register_min_s), .min = 1, .max = DAY_S,
	  .initial = "60s",
	  .help = "Shortest registration that is granted; less is refused with 423" },
	{ "register-max", tl_parse_seconds, AT(tl_gateway, register_max_s), .min = 1,
	  .max = 30 * DAY_S, .initial = "1h", .help = "Longest registration that is granted" },
	{ "register-default", tl_parse_seconds, AT(tl_gateway, register_default_s), .min = 1,
	  .max = 30 * DAY_S, .initial = "10m",
	  .help = "Registration time when a phone asks for none" },
	{ "service-route", tl_parse_text, AT(tl_gateway, service_route),
	  .example = "<sip:edge.example.net;lr>",
	  .help = "Service-Route told to phones (RFC 3608): the proxies that their calls are to "
		  "take. "
		  "Default: none" },
	{ "nat-ping", tl_parse_seconds, AT(tl_gateway, nat_ping_s), .max = 3600, .initial = "30s",
	  .help = "How often a phone behind NAT gets OPTIONS, which keeps the way to it open and "
		  "shows whether it is there. 0s: never" },
	{ "digest", tl_parse_word, AT(tl_gateway, digest), .words = digest_words, .initial = "md5",
	  .help = "How passwords are proved: md5, sha256 (RFC 8760), or both. Some older phones "
		  "give "
		  "up when they are offered both" },
	{ "ban-failures", tl_parse_number, AT(tl_gateway, ban_failures), .max = 1000,
	  .initial = "10",
	  .help = "So many wrong passwords within ban-window ban an address (IPv6: its /64). "
		  "0: never" },
	{ "ban-window", tl_parse_seconds, AT(tl_gateway, ban_window_s), .min = 1, .max = DAY_S,
	  .initial = "5m", .help = "Time in which as many failures are forgiven as make a ban" },
	{ "ban-time", tl_parse_seconds, AT(tl_gateway, ban_time_s), .min = 1, .max = 30 * DAY_S,
	  .initial = "1m", .help = "Length of a first ban; each further one is twice as long" },
	{ "ban-max", tl_parse_seconds, AT(tl_gateway, ban_max_s), .min = 1, .max = 365 * DAY_S,
	  .initial = "24h", .help = "Longest ban. Who is quiet for as long after one starts anew" },
	{ "ban-never", tl_parse_cidrs, LIST(tl_gateway, ban_never), .example = "192.0.2.0/24",
	  .help = "Addresses that are never banned. Those of trunks aren't, either" },
	{ "subscribe-min", tl_parse_seconds, AT(tl_gateway, subscribe_min_s), .min = 1,
	  .max = DAY_S, .initial = "60s",
	  .help = "Shortest subscription or publication that is granted; less is refused with "
		  "423" },
	{ "subscribe-max", tl_parse_seconds, AT(tl_gateway, subscribe_max_s), .min = 1,
	  .max = 30 * DAY_S, .initial = "1h",
	  .help = "Longest one that is granted, and the time of those who ask for none" },
	{ "max-subscriptions", tl_parse_number, AT(tl_gateway, max_subscriptions), .max = CALLS_MAX,
	  .initial = "20000",
	  .help = "Subscriptions at a time; more are refused with 503. 0: none" },
	{ "hold-music", tl_parse_music_later, AT(tl_gateway, hold_music), .example = "none",
	  .help = "Sound file that a party on hold hears. none, the default: whatever the holding "
		  "party sends, or silence" },
	{ "session-expires", tl_parse_seconds, AT(tl_gateway, session_expires_s), .max = DAY_S,
	  .initial = "30m",
	  .help = "Session timer (RFC 4028) that we ask for: a peer that is gone is found by "
		  "then. 0s: ask for none" },
	{ "session-min", tl_parse_seconds, AT(tl_gateway, session_min_s), .min = 4, .max = DAY_S,
	  .initial = "90s",
	  .help = "Shortest session timer that is granted; less is refused with 422. RFC 4028 "
		  "wants 90s or more" },
	{ "include", NULL, .example = "extensions.ini, routes.d/*.ini",
	  .help = "Files read as if they stood after this section; relative to this file, "
		  "* and ? as in a shell" },
};

static const struct tl_key trunk_keys[] = {
	LIKE("carrier"),
	{ "host", tl_parse_host, AT(tl_trunk_cfg, host), .example = "sip.carrier.example",
	  .required = true,
	  .help = "Where calls go: a domain (NAPTR, SRV, A), or an address; a port may follow: "
		  "198.51.100.7:5070, [2001:db8::7]:5070. A list: tried one after another" },
	{ "port", tl_parse_port, AT(tl_trunk_cfg, port), .example = "5060",
	  .help = "Default: by DNS, or the transport's own, 5060 or 5061" },
	{ "transport", tl_parse_transport, AT(tl_trunk_cfg, transport), .example = "udp",
	  .help = "udp, tcp or tls. Default: by DNS, then udp" },
	{ "register", tl_parse_flag, AT(tl_trunk_cfg, registers), .initial = "no",
	  .help = "Register there with user and password: yes or no" },
	{ "user", tl_parse_text, AT(tl_trunk_cfg, user), .example = "4930555100",
	  .help = "Our name there, for registering and when they ask for a password" },
	{ "password", tl_parse_secret, AT(tl_trunk_cfg, password), .example = "secret",
	  .help = "What we prove to be user with. A file with passwords that others may read is "
		  "refused: "
		  "chmod o= FILE" },
	{ "codecs", tl_parse_codecs, LIST(tl_trunk_cfg, codecs), .example = "PCMA, PCMU",
	  .help = "The preferred first. Default: those of [gateway]" },
	{ "max-calls", tl_parse_number, AT(tl_trunk_cfg, max_calls), .max = CALLS_MAX,
	  .initial = "0", .help = "Calls at a time, both directions. 0: no limit" },
	{ "allow", tl_parse_cidrs, LIST(tl_trunk_cfg, allow), .example = "198.51.100.0/24",
	  .help = "Addresses that may call as this trunk. Default: host, when that is an address" },
	{ "allow-user", tl_parse_text, AT(tl_trunk_cfg, allow_user), .example = "carrier7",
	  .help = "Who calls us with this name and allow-password may call as this trunk, from "
		  "any address" },
	{ "allow-password", tl_parse_secret, AT(tl_trunk_cfg, allow_password), .example = "secret",
	  .help = "What a caller by allow-user has to prove (digest)" },
	{ "srtp", tl_parse_word, AT(tl_trunk_cfg, srtp), .words = tl_srtp_words,
	  .initial = "optional",
	  .help = "Encrypted media: off, optional (taken when offered), offer (beside plain RTP) "
		  "or required" },
	{ "t38", tl_parse_word, AT(tl_trunk_cfg, t38), .words = tl_t38_words, .initial = "accept",
	  .help = "Fax: off (it stays audio), accept (T.38 when it asks for it, or when the other "
		  "party has it and it takes it) or offer (it is also asked to change to T.38 when "
		  "a "
		  "fax is heard)" },
	{ "silence", tl_parse_word, AT(tl_trunk_cfg, silence), .words = silence_words,
	  .initial = "send",
	  .help = "What is encoded for it: send silence as sound, or leave-out, where the codec "
		  "or comfort noise (RFC 3389) can tell of it" },
	{ "dtmf", tl_parse_word, AT(tl_trunk_cfg, dtmf), .words = tl_dtmf_words, .initial = "auto",
	  .help = "How digits travel: auto, rtp (telephone-event), info (SIP INFO), inband "
		  "(tones)" },
	{ "echo-cancel", tl_parse_word, AT(tl_trunk_cfg, sound.echo_cancel),
	  .words = echo_cancel_words, .initial = "off",
	  .help = "Take the echo of its line out of what it says: off, auto (whichever does it "
		  "better), speexdsp or spandsp" },
	{ "echo-tail", tl_parse_ms, AT(tl_trunk_cfg, sound.echo_tail_ms), .min = 8, .max = 128,
	  .initial = "64ms",
	  .help = "How long that echo lasts. How far away it is does not count; spandsp does best "
		  "with 32ms" },
	{ "rx-gain", tl_parse_gain, AT(tl_trunk_cfg, sound.rx_gain_db), .min = -24, .max = 24,
	  .initial = "0dB", .help = "What it says is made louder, or softer, by so much" },
	{ "tx-gain", tl_parse_gain, AT(tl_trunk_cfg, sound.tx_gain_db), .min = -24, .max = 24,
	  .initial = "0dB", .help = "What it hears of the other leg is made louder, or softer" },
	{ "agc", tl_parse_loudness, AT(tl_trunk_cfg, sound.agc_dbm0), .min = -40, .max = -6,
	  .initial = "off",
	  .help = "What it says is brought to this loudness, by 15 dB at the most: off or a level, "
		  "such as -19dBm0" },
	{ "on-redirect", tl_parse_word, AT(tl_trunk_cfg, on_redirect), .words = on_redirect_words,
	  .initial = "refuse",
	  .help = "When it answers a call of ours with 302: follow (call there by its account), "
		  "pass (tell the caller) or refuse" },
	{ "identity", tl_parse_word, AT(tl_trunk_cfg, identity), .words = identity_words,
	  .initial = "from",
	  .help = "Where it reads who calls: from (From alone), pai (also in P-Asserted-Identity), "
		  "ppi (P-Preferred-Identity) or rpid (Remote-Party-ID)" },
	{ "trust", tl_parse_flag, AT(tl_trunk_cfg, trust), .initial = "no",
	  .help = "Believe whom its P-Asserted-Identity or Remote-Party-ID names, and tell it who "
		  "a withheld caller is: yes or no" },
	{ "diversion", tl_parse_word, AT(tl_trunk_cfg, diversion), .words = diversion_words,
	  .initial = "no",
	  .help = "How it is told that a call was forwarded: no, diversion, history-info or both" },
	{ "hold", tl_parse_word, AT(tl_trunk_cfg, hold), .words = hold_words, .initial = "local",
	  .help = "When the other party holds: local (the trunk is told nothing) or pass (it gets "
		  "a re-INVITE that says so)" },
	{ "connected-identity", tl_parse_word, AT(tl_trunk_cfg, connected),
	  .words = connected_words, .initial = "update",
	  .help = "Who is at the other end after a transfer: off (it is not told), update (when it "
		  "says that it can take that) or reinvite (always, by a re-INVITE when it does "
		  "not "
		  "know UPDATE)" },
	{ "transfer", tl_parse_word, AT(tl_trunk_cfg, transfer), .words = tl_transfer_words,
	  .initial = "local",
	  .help = "When it asks for a transfer (REFER): local (Twinleg carries it out, by the "
		  "routes "
		  "that it may call by itself), pass (the other party gets the REFER, when it can "
		  "follow it) or off" },
	{ "hold-music", tl_parse_music, AT(tl_trunk_cfg, hold_music), .example = "none",
	  .help = "What those hear whom it puts on hold, or none. Default: that of [gateway]" },
	{ "session-expires", tl_parse_seconds, AT(tl_trunk_cfg, session_expires_s), .max = DAY_S,
	  .example = "30m", .help = "Session timer to ask for. Default: that of [gateway]" },
	{ "calls-per-second", tl_parse_number, AT(tl_trunk_cfg, calls_per_s), .max = CALLS_MAX,
	  .initial = "0",
	  .help = "Calls begun in a second, both directions; more are refused with 503, or take "
		  "the next target. 0: no limit" },
	{ "failover-time", tl_parse_seconds, AT(tl_trunk_cfg, failover_s), .min = 1, .max = 32,
	  .initial = "4s",
	  .help = "A server that has said nothing to a call for so long is given up for the next" },
	{ "ping", tl_parse_seconds, AT(tl_trunk_cfg, ping_s), .max = DAY_S, .initial = "0s",
	  .help = "How often each server is asked whether it lives (OPTIONS); calls go round those "
		  "that are silent. 0s: never" },
	{ "keep-alive", tl_parse_seconds, AT(tl_trunk_cfg, keep_alive_s), .max = 3600,
	  .initial = "25s",
	  .help = "While registered there: how often an empty line (CRLF CRLF, RFC 5626) keeps the "
		  "way open. A connection that is found dead is made anew, with a registration. "
		  "0s: never" },
	{ "verify", tl_parse_flag, AT(tl_trunk_cfg, verify), .initial = "yes",
	  .help = "By tls: only with a certificate that holds and names host: yes or no" },
	{ "tls-name", tl_parse_token, AT(tl_trunk_cfg, tls_name), .example = "sip.carrier.example",
	  .help = "By tls: asked for by SNI, and what the certificate must name. Default: host; of "
		  "several hosts each its own" },
	{ "certificate", tl_parse_path, AT(tl_trunk_cfg, certificate),
	  .example = "/etc/twinleg/tls/client.pem",
	  .help = "By tls: shown to a trunk that asks for one. Default: that of [gateway]" },
	{ "private-key", tl_parse_path, AT(tl_trunk_cfg, private_key),
	  .example = "/etc/twinleg/tls/client.key",
	  .help = "Its key. Default: in the file of certificate" },
	{ "ca", tl_parse_path, AT(tl_trunk_cfg, ca), .example = "/etc/twinleg/tls/carrier-ca.pem",
	  .help = "Authorities that its certificate must come from. Default: ca of [gateway]" },
	{ "may-watch", tl_parse_flag, AT(tl_trunk_cfg, may_watch), .initial = "no",
	  .help = "Its users may watch the extensions' presence and busy lamps: yes or no" },
};

static const struct tl_key extension_keys[] = {
	LIKE("1001"),
	{ "name", tl_parse_text, AT(tl_extension_cfg, name), .example = "Alice",
	  .help = "Shown to those whom the extension calls" },
	{ "password", tl_parse_secret, AT(tl_extension_cfg, password), .example = "secret",
	  .help = "What the phone registers with; its user name is the extension's number" },
	{ "ha1", tl_parse_ha1, AT(tl_extension_cfg, ha1),
	  .example = "d41d8cd98f00b204e9800998ecf8427e",
	  .help = "Instead of password: MD5 of number:domain:password, in hex" },
	{ "ha1-sha256", tl_parse_ha1_sha256, AT(tl_extension_cfg, ha1_sha256),
	  .example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  .help = "The same by SHA-256; digest = both wants this one and ha1" },
	{ "codecs", tl_parse_codecs, LIST(tl_extension_cfg, codecs), .example = "opus, G722, PCMA",
	  .help = "The preferred first. Default: those of [gateway]" },
	{ "max-contacts", tl_parse_number, AT(tl_extension_cfg, max_contacts), .min = 1, .max = 100,
	  .initial = "10", .help = "Phones that may be registered at a time" },
	{ "srtp", tl_parse_word, AT(tl_extension_cfg, srtp), .words = tl_srtp_words,
	  .initial = "optional",
	  .help = "Encrypted media: off, optional (taken when offered), offer (beside plain RTP) "
		  "or required" },
	{ "t38", tl_parse_word, AT(tl_extension_cfg, t38), .words = tl_t38_words,
	  .initial = "accept",
	  .help = "Fax: off (it stays audio), accept (T.38 when it asks for it, or when the other "
		  "party has it and it takes it) or offer (it is also asked to change to T.38 when "
		  "a "
		  "fax is heard)" },
	{ "silence", tl_parse_word, AT(tl_extension_cfg, silence), .words = silence_words,
	  .initial = "send",
	  .help = "What is encoded for it: send silence as sound, or leave-out, where the codec "
		  "or comfort noise (RFC 3389) can tell of it" },
	{ "dtmf", tl_parse_word, AT(tl_extension_cfg, dtmf), .words = tl_dtmf_words,
	  .initial = "auto",
	  .help = "How digits travel: auto, rtp (telephone-event), info (SIP INFO), inband "
		  "(tones)" },
	{ "echo-cancel", tl_parse_word, AT(tl_extension_cfg, sound.echo_cancel),
	  .words = echo_cancel_words, .initial = "off",
	  .help = "Take the echo of its line out of what it says: off, auto (whichever does it "
		  "better), speexdsp or spandsp" },
	{ "echo-tail", tl_parse_ms, AT(tl_extension_cfg, sound.echo_tail_ms), .min = 8, .max = 128,
	  .initial = "64ms",
	  .help = "How long that echo lasts. How far away it is does not count; spandsp does best "
		  "with 32ms" },
	{ "rx-gain", tl_parse_gain, AT(tl_extension_cfg, sound.rx_gain_db), .min = -24, .max = 24,
	  .initial = "0dB", .help = "What it says is made louder, or softer, by so much" },
	{ "tx-gain", tl_parse_gain, AT(tl_extension_cfg, sound.tx_gain_db), .min = -24, .max = 24,
	  .initial = "0dB", .help = "What it hears of the other leg is made louder, or softer" },
	{ "agc", tl_parse_loudness, AT(tl_extension_cfg, sound.agc_dbm0), .min = -40, .max = -6,
	  .initial = "off",
	  .help = "What it says is brought to this loudness, by 15 dB at the most: off or a level, "
		  "such as -19dBm0" },
	{ "on-redirect", tl_parse_word, AT(tl_extension_cfg, on_redirect),
	  .words = on_redirect_words, .initial = "follow",
	  .help = "When the phone answers with 302: follow (as far as it may call there itself), "
		  "pass (tell the caller) or refuse" },
	{ "hold", tl_parse_word, AT(tl_extension_cfg, hold), .words = hold_words,
	  .initial = "local",
	  .help = "When the other party holds: local (the extension is told nothing) or pass (it "
		  "gets "
		  "a re-INVITE that says so)" },
	{ "connected-identity", tl_parse_word, AT(tl_extension_cfg, connected),
	  .words = connected_words, .initial = "update",
	  .help = "Who is at the other end after a transfer: off (it is not told), update (by "
		  "UPDATE, when it knows that) or reinvite (else by a re-INVITE)" },
	{ "transfer", tl_parse_word, AT(tl_extension_cfg, transfer), .words = tl_transfer_words,
	  .initial = "local",
	  .help = "When it asks for a transfer (REFER): local (Twinleg carries it out, by the "
		  "routes "
		  "that it may call by itself), pass (the other party gets the REFER, when it can "
		  "follow it) or off" },
	{ "hold-music", tl_parse_music, AT(tl_extension_cfg, hold_music), .example = "none",
	  .help = "What those hear whom it puts on hold, or none. Default: that of [gateway]" },
	{ "session-expires", tl_parse_seconds, AT(tl_extension_cfg, session_expires_s),
	  .max = DAY_S, .example = "30m",
	  .help = "Session timer to ask for. Default: that of [gateway]" },
	{ "watchable", tl_parse_flag, AT(tl_extension_cfg, watchable), .initial = "yes",
	  .help = "The other extensions may see whether it is there and whether it talks: yes or "
		  "no" },
	{ "watch-numbers", tl_parse_flag, AT(tl_extension_cfg, watch_numbers), .initial = "no",
	  .help = "They also see with whom it talks: yes or no" },
	{ "pickup", tl_parse_flag, AT(tl_extension_cfg, pickup), .initial = "no",
	  .help = "They may take a call that rings there (INVITE with Replaces), and those who "
		  "watch it are told how: yes or no" },
};

static const struct tl_key hours_keys[] = {
	LIKE("office"),
	{ "mon-fri", tl_parse_days, .names = tl_hours_names_days, .example = "08:00-18:00",
	  .help = "Days: mon tue wed thu fri sat sun, or a range. Hours: a list, or closed; "
		  "a day that no line names is closed" },
	{ "closed", tl_parse_closed, LIST(tl_hours, closed),
	  .example = "2026-12-25, 2026-12-27..2026-12-31, 01-01",
	  .help = "Dates and ranges of dates; without a year, every year" },
	{ "open", tl_parse_open, LIST(tl_hours, open), .example = "2026-12-24 08:00-12:00",
	  .help = "Dates that count before closed and weekdays, with hours or all day" },
	{ "timezone", tl_parse_timezone, AT(tl_hours, timezone), .initial = "local",
	  .help = "Such as Europe/Berlin or UTC; local: the machine's" },
};

static const struct tl_key group_keys[] = {
	LIKE("sales"),
	{ "members", tl_parse_members, LIST(tl_group, members), .required = true,
	  .example = "trunk:carrier, 1001, 1002",
	  .help = "Trunks and extensions: trunk:NAME, extension:NUMBER or NUMBER; a list" },
};

#define TABLE(rows)                                                                                \
	{                                                                                          \
		rows, G_N_ELEMENTS(rows)                                                           \
	}
static const struct tl_key_table gateway_table = TABLE(gateway_keys),
				 trunk_table = TABLE(trunk_keys),
				 extension_table = TABLE(extension_keys),
				 group_table = TABLE(group_keys), hours_table = TABLE(hours_keys);

static const struct {
	const char *name, *example, *help;
	const struct tl_key_table *table;
} sections[_TL_SECTION_MAX] = {
	[TL_SECTION_GATEWAY] = { "gateway", NULL, "The gateway itself.", &gateway_table },
	[TL_SECTION_TRUNK] = { "trunk", "carrier",
			       "A carrier, or any other peer that calls go to and come from.",
			       &trunk_table },
	[TL_SECTION_EXTENSION] = { "extension", "1001",
				   "A phone of ours: its number is the section's name.",
				   &extension_table },
	[TL_SECTION_GROUP] = { "group", "sales",
			       "Trunks and extensions under one name: from = group:sales in a "
			       "route "
			       "holds for calls from each, ring = group:sales rings them all.",
			       &group_table },
	[TL_SECTION_HOURS] = { "hours", "office",
			       "When a place is open; routes refer to it with when = office.",
			       &hours_table },
	[TL_SECTION_ROUTE] = { "route", "support",
			       "Routes are asked in the order in which they stand: the first whose "
			       "conditions all hold takes the call. It has one of ring, answer, "
			       "reject, redirect, or play alone. A route that has no condition and "
			       "that another one names in on-busy and the like takes no call by "
			       "itself; any other route without conditions takes every call.",
			       &tl_route_table },
	[TL_SECTION_EXPECT] = { "expect", "a support call rings the desk",
				"A test of the dialplan: check runs it, and a reload that breaks "
				"it "
				"is refused. What is not said is not tested.",
				&tl_expect_table },
};

const char *tl_section_name(enum tl_section section)
{
	return section >= 0 && section < _TL_SECTION_MAX ? sections[section].name : "invalid";
}

const char *tl_section_help(enum tl_section section, const char **ret_example)
{
	*ret_example = sections[section].example;
	return sections[section].help;
}

const struct tl_key *tl_keys(enum tl_section section, size_t *ret_n)
{
	*ret_n = sections[section].table->n;
	return sections[section].table->keys;
}

const struct tl_key *tl_key_find(enum tl_section section, const char *name)
{
	const struct tl_key_table *table = sections[section].table;

	for (size_t i = 0; i < table->n; i++) {
		const struct tl_key *key = &table->keys[i];

		if (strcmp(key->name, name) == 0 || (key->names && key->names(name)))
			return key;
	}
	return NULL;
}
