#pragma once
/*
 * What the files of the flow share.
 *
 *   flow.c         life, ports, plans, ticks
 *   flow_fetch.c   memory for a packet that is about to come
 *   flow_input.c   a packet came: is it ours, what is it, which way does it go
 *   flow_output.c  an end's outgoing stream
 *   flow_ear.c     jitter buffer and chain: what must be decoded
 *   flow_event.c   digits, in and out, as events
 *   flow_tone.c    digits, in and out, as tones
 *   flow_play.c    announcements
 *   flow_record.c  recordings
 *   flow_tape.c    what only a recorder hears has time
 *   flow_sound.c   line echo, loudness, meter
 *   flow_rtcp.c    reports
 *   flow_fax.c     T.38, and modems between it and audio
 */
#include "media/chain/chain.h"
#include "media/chain/gain.h"
#include "media/chain/tones.h"
#include "media/fax/fax_gateway.h"
#include "media/fax/fax_tone.h"
#include "media/fax/udptl.h"
#include "media/rtp/bursts.h"
#include "media/rtp/dtmf.h"
#include "media/flow/flow.h"
#include "media/rtp/jitter.h"
#include "media/rtp/pack.h"
#include "media/rtp/reception.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/source.h"
#include "media/rtp/srtp.h"

struct tl_flow_end;

/* Decodes what an end says, for the other end, for the recorder, or for both. */
struct tl_ear {
	struct tl_jitter *jitter;
	struct tl_chain *chain;    /* NULL until a packet needs it */
	struct tl_tone_ear *tones; /* NULL: nobody listens for digits */
	unsigned tones_hz;
	int64_t tones_us; /* when something was heard last */
	char digit;       /* now heard, '\0': none */
	int64_t digit_us; /* since when */
	bool encodes;     /* out counts */
	bool silence;     /* is left out of it */
	bool steady;      /* its delay stands still: modems talk */
	bool quiet;       /* what came last said that silence follows */
	unsigned out_ptime_ms;
	bool stale;               /* a plan or a recording came: is this still the right chain? */
	bool broken;              /* said once; until the next plan */
	int64_t joined_us;        /* what comes up to then goes on where the last left off */
	unsigned loss;            /* per cent of what is encoded here, as its hearer reports */
	int64_t arrived_us;       /* of what is being pushed; 0: made up */
	int64_t at_us;            /* when it was due */
	struct tl_format in, out; /* of the chain */
};

/* Packets that wait to be decoded, in the order in which they came. */
struct tl_tape {
	int64_t due_us; /* when they are; 0: the ear gets packets at once */
	size_t used;
	uint8_t *bytes; /* NULL until one is put */
};

struct tl_flow_player {
	struct tl_play_order *order; /* NULL: nothing plays */
	struct tl_prompt *prompt;
	bool begun, complained;
	int64_t asked_us; /* the storage thread, for the prompt */
	size_t next;      /* packet */
	int64_t next_us;  /* when */
	unsigned ptime_ms;
};

/* Digits that go out as tones: encoded in the format that the side hears. */
struct tl_flow_mouth {
	struct tl_chain *chain; /* NULL until the first digit, and after each plan */
	struct tl_tone_mouth tone;
	bool ended; /* the tone, not yet the pause after it */
};

struct tl_flow_rtcp {
	char cname[TL_RTCP_CNAME_BYTES];
	union tl_address source; /* where their reports come from; family 0: unknown */
	int64_t next_us;
	uint32_t sr_ntp_mid; /* of their last sender report, and when it came */
	int64_t sr_us;
	bool has_sr;
	uint64_t tx_before; /* packets sent, at the last report */
};

struct tl_flow_end {
	struct tl_flow_pair *pair;
	enum tl_side side;
	const struct tl_side_plan *plan; /* never NULL */
	struct tl_side_counters *counters;
	size_t n_ports;
	struct tl_flow_port ports[TL_PLAN_PORTS];
	const struct tl_flow_port *port; /* what is sent leaves by it; NULL: none yet */
	bool aimed;                      /* its RTP socket, at source */

	struct tl_srtp *srtp_in, *srtp_out; /* NULL: plain */
	bool deaf, dumb; /* the plan wants encryption, and it can't be had: nothing passes */

	/* in */
	struct tl_source source;
	struct tl_reception reception;
	struct tl_bursts bursts;
	struct tl_dtmf_rx digits_in;
	unsigned relayable;       /* bit i: receive_formats[i] can go out at the target untouched */
	unsigned relayable_alone; /* would, if the talker kept to such formats */
	int64_t mixed_us;         /* when it last did not */
	int64_t heard_us;         /* last RTP; or since when some is expected */
	struct tl_ear *ear;       /* NULL: nothing needs decoding */
	struct tl_tape tape;
	struct tl_fax_ear *fax_ear; /* NULL: nobody has listened for fax tones */
	struct tl_line *line;       /* NULL: its echo is not cancelled */
	struct tl_gain rx_gain, tx_gain;

	/* out */
	struct tl_pack out;
	struct tl_dtmf_tx digits_out;
	uint32_t event_ts;     /* of the event going out, or of its present segment */
	uint32_t event_before; /* duration of earlier segments */
	uint8_t event_out;
	uint8_t mode_asked; /* of what we send: AMR's mode request and 1; 0: none */
	uint16_t event_duration;
	bool event_open; /* passed on, its end not yet */
	struct tl_flow_mouth mouth;
	struct tl_flow_player player;
	struct tl_flow_rtcp rtcp;
};

struct tl_flow_pair {
	struct tl_flow_env *env;
	struct tl_media_id id;
	struct tl_media_cfg cfg;
	struct tl_session_counters *counters;
	struct tl_plan *plan;         /* never NULL */
	int64_t due_us[_TL_SIDE_MAX]; /* when each end wants its next tick */
	struct tl_flow_end ends[_TL_SIDE_MAX];
	struct tl_relay *relays[TL_STREAMS]; /* of other streams; NULL: none */
	struct tl_flow_fax *fax;             /* NULL: no side has T.38 */
	struct tl_recorder *recorder;        /* NULL: none */
	struct tl_record_ticket *ticket;
	bool timeout_told;
};

static inline struct tl_flow_end *tl_flow_other(struct tl_flow_end *end)
{
	return &end->pair->ends[tl_side_other(end->side)];
}

/* Who hears what this end says: the other one, itself in an echo test, or nobody. */
struct tl_flow_end *tl_flow_target(struct tl_flow_end *end);
/* Does something else than the other end's voice go out here: an announcement, a digit? */
bool tl_flow_is_taken(const struct tl_flow_end *end);
/* What a payload type of the end's plan stands for, or NULL. */
const struct tl_format *tl_flow_format(const struct tl_flow_end *end, uint8_t pt);
void tl_flow_tell(struct tl_flow_end *end, enum tl_media_event_type type, const char *text);
static inline int64_t tl_flow_now(const struct tl_flow_end *end)
{
	return end->pair->env->now_us;
}

/* The end's next tick comes no later. */
static inline void tl_flow_want(struct tl_flow_end *end, int64_t due_us)
{
	int64_t *wanted_us = &end->pair->due_us[end->side];

	if (due_us < *wanted_us)
		*wanted_us = due_us;
}

/* flow_output.c */
/* Encrypts a finished packet, if the plan wants that. False: it can't go out. */
bool tl_flow_seal(struct tl_flow_end *to, struct tl_packet *packet, bool rtcp);
/* Takes packet, parsed, as it came from `from`. Sends its payload on. */
void tl_flow_forward(struct tl_flow_end *to, struct tl_flow_end *from, struct tl_packet *packet);
/* The same for comfort noise, under the number that the target's plan has for it. */
void tl_flow_forward_noise(struct tl_flow_end *to, struct tl_flow_end *from,
			   struct tl_packet *packet);
/* Describes the silence that begins, in the place of a packet of our own making. */
void tl_flow_send_noise(struct tl_flow_end *to, const uint8_t *payload, size_t bytes,
			uint32_t duration);
/* Sends audio of our own making; bytes 0: so much silence that nothing is sent for. from,
 * arrived_us: whose delay to count, or NULL. */
void tl_flow_send_audio(struct tl_flow_end *to, enum tl_feeder feeder, const uint8_t *payload,
			size_t bytes, uint32_t duration, struct tl_flow_end *from,
			int64_t arrived_us);
/* Sends a small payload under a finished header. */
void tl_flow_send_small(struct tl_flow_end *to, const struct tl_rtp *rtp, const uint8_t *payload,
			size_t bytes);

/* flow_ear.c */
/* Takes packet, of a format of the end's plan. */
void tl_ear_put(struct tl_flow_end *end, struct tl_packet *packet, const struct tl_format *format);
/* From the tape: what is said next is played at once, where nothing is in its way; false: put it.
 * Then what has waited for it. */
bool tl_ear_hurry(struct tl_flow_end *end, const struct tl_rtp *rtp, const uint8_t *payload,
		  int64_t arrived_us);
void tl_ear_play_next(struct tl_flow_end *end);
/* Takes packet: comfort noise, at the clock of the format that it came beside. */
void tl_ear_put_noise(struct tl_flow_end *end, struct tl_packet *packet);
/* A sequence number that came and was no audio. */
void tl_ear_pass(struct tl_flow_end *end, uint16_t seq);
/* Another source speaks: what came from the one before is forgotten. */
void tl_ear_restart(struct tl_flow_end *end);
void tl_ear_tick(struct tl_flow_end *end);
/* What it holds is played now: packets that come are of another kind, or go another way. */
void tl_ear_play_rest(struct tl_flow_end *end);
/* Who hears what this end says loses so many per cent of it. */
void tl_ear_set_loss(struct tl_flow_end *end, unsigned percent);
void tl_ear_drop(struct tl_flow_end *end);
/* Nothing is due before another packet is put. */
bool tl_ear_is_idle(const struct tl_flow_end *end);
/* Is its delay to stand still, by the plan? */
bool tl_ear_is_steady(const struct tl_flow_end *end);
/* What the end's jitter buffer aims at; 0: it has none. */
unsigned tl_ear_delay_ms(const struct tl_flow_end *end);

/* flow_event.c */
void tl_flow_event_input(struct tl_flow_end *end, struct tl_packet *packet); /* takes */
void tl_flow_event_tick(struct tl_flow_end *end);
/* Tells signalling of a digit that has ended. */
void tl_flow_tell_digit(struct tl_flow_end *end, char digit, unsigned duration_ms);
/* flow_tone.c */
/* Must the end's audio be listened to for digits? */
bool tl_flow_listens(struct tl_flow_end *end);
/* Decoded audio: digits are taken out of it. */
void tl_flow_tone_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz);
/* The digit that is being heard is over: its audio ends here, or has stopped coming. */
void tl_flow_tone_stop(struct tl_flow_end *end);
void tl_flow_tone_expire(struct tl_flow_end *end);
/* What is in the end's queue of digits goes out as tones. */
void tl_flow_tone_tick(struct tl_flow_end *end);
/* A plan or the end of the call: states made for the old format are dropped. */
void tl_flow_tone_drop(struct tl_flow_end *end);
/* flow_play.c */
void tl_flow_play_tick(struct tl_flow_end *end);
void tl_flow_play_replan(struct tl_flow_end *end, const struct tl_side_plan *before);
/* flow_fax.c */
/* Takes packet, which came for a side with T.38. */
void tl_flow_fax_input(struct tl_flow_end *end, struct tl_packet *packet);
/* Must the end's audio be heard, by the gateway's modems or for fax tones? */
bool tl_flow_fax_listens(const struct tl_flow_end *end);
void tl_flow_fax_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz,
		      bool concealed);
void tl_flow_fax_tick(struct tl_flow_end *end);
void tl_flow_fax_replan(struct tl_flow_pair *pair);
void tl_flow_fax_drop(struct tl_flow_pair *pair);
/* flow_tape.c */
/* Copies packet, of a format of the end's plan: the ear gets it within a fifth of a second. */
void tl_tape_put(struct tl_flow_end *end, const struct tl_packet *packet);
/* Instead of tl_ear_tick() while tape.due_us is set. */
void tl_tape_tick(struct tl_flow_end *end);
/* The ear gets what is there now, and is in real time from here on. */
void tl_tape_finish(struct tl_flow_end *end);
void tl_tape_drop(struct tl_flow_end *end);
void tl_tape_fetch(const struct tl_flow_end *end); /* a packet will be put in a moment (fetch.h) */
/* flow_record.c */
/* For a recorder, if there is one: heard from this end at at_us. */
void tl_flow_hear(struct tl_flow_end *speaker, const int16_t *pcm, size_t samples, unsigned rate_hz,
		  int64_t at_us);
/* flow_sound.c */
/* Must what the end says be decoded, to be changed on its way? */
bool tl_flow_changes_sound(const struct tl_flow_end *end);
/* Its echo canceller, if it is to have one, works at this rate. */
bool tl_flow_can_cancel_at(const struct tl_flow_end *end, unsigned rate_hz);
void tl_flow_sound_replan(struct tl_flow_end *end);
void tl_flow_sound_drop(struct tl_flow_end *end);
/* Goes out there, not yet encrypted: may come back as echo. */
void tl_flow_sound_sent(struct tl_flow_end *to, const struct tl_packet *packet);
/* What is decoded next came with this timestamp. */
void tl_flow_sound_place(struct tl_flow_end *end, uint32_t ts, unsigned clock_hz);
/* Reads the meter by some of the packets that are not decoded. */
void tl_flow_sound_meter(struct tl_flow_end *end, const struct tl_packet *packet,
			 const struct tl_format *format);
/* Decoded audio is read by the meter, and loses its echo. */
void tl_flow_sound_hear(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz,
			bool concealed);
/* It gets the loudness that it is to have, as the end said it; and as another end hears it. */
void tl_flow_sound_level(struct tl_flow_end *end, int16_t *pcm, size_t samples, unsigned rate_hz);
void tl_flow_sound_tell(struct tl_flow_end *to, int16_t *pcm, size_t samples, unsigned rate_hz);
/* flow_input.c */
/* Decrypts what came in, if the plan wants that. False: it is not authentic. */
bool tl_flow_unseal(struct tl_flow_end *end, struct tl_packet *packet, bool rtcp);
/* A valid packet: is it from who is to be heard? Latches. */
bool tl_flow_accept_source(struct tl_flow_end *end, const struct tl_packet *packet);
/* flow_rtcp.c */
void tl_flow_rtcp_init(struct tl_flow_end *end);
void tl_flow_rtcp_second(struct tl_flow_end *end);
void tl_flow_rtcp_bye(struct tl_flow_end *end);
