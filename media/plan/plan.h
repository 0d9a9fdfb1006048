#pragma once
/*
 * Negotiation, and what the worker is to do with the result. Pure functions
 * from data to data: no socket, no thread, no clock. RFC 3264, RFC 4733 2.4.
 *
 * A call's two legs are side A (the caller) and side B. For each side "local"
 * is what we told it and "remote" what it told us.
 */
#include "media/desc.h"

enum tl_side { TL_SIDE_A, TL_SIDE_B, _TL_SIDE_MAX, _TL_SIDE_INVALID = -22 };
const char *tl_side_name(enum tl_side side); /* "a", "b" */
static inline enum tl_side tl_side_other(enum tl_side side)
{
	return side == TL_SIDE_A ? TL_SIDE_B : TL_SIDE_A;
}

/* What configuration allows on a leg. */
struct tl_media_policy {
	const struct tl_codec *codecs[TL_CODECS_MAX]; /* by preference */
	size_t n_codecs;
	bool telephone_event; /* offer and accept it */
	bool t38;             /* fax may be T.38 here */
	bool silence; /* what is sent there may leave silence out: offer and accept what that takes
		       */
	enum tl_srtp_mode srtp;
	enum tl_srtp_mode srtp_now;    /* what the leg has: our later offers keep it */
	struct tl_srtp_keys srtp_keys; /* ours; unused when it is off */
};

/*
 * Our offer to a leg. peer: what the other leg offered or answered, or NULL.
 * Formats that the peer has and the policy allows come first, in the peer's
 * order, then what we can transcode to, by the policy's order. Dynamic payload
 * types of the peer are kept, so that a relayed call maps nothing, but for those of codecs that
 * have a static one. Telephone-event is
 * offered at each clock rate that an offered format uses, and at 8000. rtp and rtcp of
 * *ret_offer are the caller's to fill. -ENOENT: nothing can be offered.
 * Encryption is the leg's own affair: policy alone decides.
 */
int tl_plan_offer(const struct tl_media_desc *peer, const struct tl_media_policy *policy,
		  struct tl_media_desc *ret_offer);
/* The same to a leg that has spoken: spoken is what both have said there, whose numbers keep their
 * meaning (RFC 3264 8.3.2), static or not. */
int tl_plan_offer_again(const struct tl_media_desc *spoken, const struct tl_media_policy *policy,
			struct tl_media_desc *ret_offer);

/*
 * Our answer to a leg's offer. peer: the other leg's remote description when
 * known (its first usable format is what it will speak), else NULL; peer_policy: what the
 * other leg may speak when peer is NULL, or NULL. Chooses the pair that needs
 * no transcoding if there is one, else the best by quality, then cost. Answers with one audio
 * format and its telephone-event, payload types of the offer, direction
 * mirrored, ptime kept. Computed from the offer at hand alone, never from an
 * earlier answer. -ENOENT: no common format, or encryption that one of both
 * wants and the other has not (SIP 488).
 */
int tl_plan_answer(const struct tl_media_desc *offer, const struct tl_media_policy *policy,
		   const struct tl_media_desc *peer, const struct tl_media_policy *peer_policy,
		   struct tl_media_desc *ret_answer);

/*
 * Fax. tl_plan_answer() takes an offer of T.38, if the policy does. Beside a peer that has it
 * tl_plan_offer() offers what a fax modem can be heard through, G.711; and this one offers T.38, by
 * the peer's words where it has some. -ENOENT: the policy has none.
 */
int tl_plan_offer_t38(const struct tl_media_desc *peer, const struct tl_media_policy *policy,
		      struct tl_media_desc *ret_offer);

int tl_plan_offer_g711(const struct tl_media_policy *policy, struct tl_media_desc *ret_offer);
/* Would a modem be heard through what a leg has agreed upon? */
bool tl_plan_hears_modems(const struct tl_media_desc *local, const struct tl_media_desc *remote);
/* What a leg has agreed upon, to be offered again: our words, as far as the remote has the same. */
void tl_plan_common(const struct tl_media_desc *local, const struct tl_media_desc *remote,
		    struct tl_media_desc *ret);

/* 0.0.0.0 or ::, which once meant hold (RFC 3264 8.4). */
bool tl_plan_is_any_address(const struct sockaddr_storage *address);

/* Would the offer's encryption, or its lack, be accepted? */
bool tl_plan_crypto_fits(const struct tl_media_desc *offer, const struct tl_media_policy *policy);

/* The leg goes to another session, whose packets are none of the stream that it had: keys of its
 * own, in policy and in local (NULL ok), what it is about to be told. Nothing when encryption is
 * off. */
void tl_plan_renew_keys(struct tl_media_policy *policy, struct tl_media_desc *local);

/* Whose echo canceller works on a leg. */
enum tl_echo_kind {
	TL_ECHO_OFF,
	TL_ECHO_SPEEXDSP,
	TL_ECHO_SPANDSP,
	_TL_ECHO_KIND_MAX,
	_TL_ECHO_KIND_INVALID = -22,
};
const char *tl_echo_kind_name(enum tl_echo_kind kind); /* "off", "speexdsp", "spandsp" */

/* What is done to a side's sound besides coding it. */
struct tl_sound {
	enum tl_echo_kind echo; /* of its line, in what it says */
	unsigned echo_tail_ms;
	int rx_gain_db, tx_gain_db; /* of what it says, and of what it hears of the other side */
	int agc_dbm0; /* what it says is brought to this loudness; 0: it is left alone */
};

enum { TL_PLAN_FORMATS = 8 }; /* formats that a side may switch between in mid-stream */

/* One side of a plan: what to send there and what to expect from there. */
enum { TL_PLAN_PORTS = 4 }; /* pairs of ports a side: one for each address of ours */

struct tl_side_plan {
	/* what each packet asks for: a cache line, and the beginnings of the formats */
	bool open;          /* the leg has been negotiated */
	bool send, receive; /* from the directions of both descriptions */
	bool rtcp_mux;
	bool fax_tones;      /* the caller's to set: TL_MEDIA_FAX for those of a fax or modem */
	bool modem_tones;    /* the same, but without V.21, in the first minute only, and cheap */
	bool tones;          /* digits are tones in the audio, both ways */
	uint16_t local_port; /* of RTP, as we described it: what is sent leaves by it */
	uint8_t event_receive_also_pt; /* by the number that its answer gave them; 0: none */
	int event_send_pt;             /* -1: none */
	int event_receive_pt;          /* -1: none */
	unsigned event_clock_hz;
	int noise_send_pt, noise_receive_pt; /* comfort noise at the audio's clock; -1: none */
	bool silence; /* the caller's to set: what is encoded for this side leaves silence out */
	unsigned send_ptime_ms;
	unsigned send_max_ms; /* no packet with more (a=maxptime); 0: any */
	struct tl_t38 t38;    /* on: fax over UDPTL, and no audio */
	size_t n_receive_formats;
	struct tl_format send_format; /* payload type as the remote wants it */
	struct tl_format
		receive_formats[TL_PLAN_FORMATS]; /* by our payload types, then by theirs */

	struct sockaddr_storage
		remote; /* where to send until a source is latched; family 0: wait for it */
	struct sockaddr_storage remote_rtcp;
	bool rtcp_xr;                                 /* VoIP metrics go along with reports */
	struct tl_crypto send_crypto, receive_crypto; /* suite TL_SRTP_NONE: plain */
	struct tl_sound sound;
};

enum tl_path {
	TL_PATH_CLOSED, /* nothing flows: one of the sides is not open */
	TL_PATH_RELAY,  /* packet in, packet out */
	TL_PATH_CHAIN,  /* jitter buffer, decode, encode */
	TL_PATH_FAX,    /* one of the sides speaks T.38, the other one is a fax modem on G.711 */
	_TL_PATH_MAX,
	_TL_PATH_INVALID = -22,
};
const char *tl_path_name(enum tl_path path);

struct tl_plan {
	struct tl_side_plan side[_TL_SIDE_MAX];
	enum tl_path path[_TL_SIDE_MAX]; /* path[A]: what comes in at A and goes out at B */
	bool echo; /* the caller's to set, when only side A is open: send back what it says */
	/* the caller's to set: modems talk; delays stand still and nothing is cancelled */
	bool modems;
};

/*
 * Digits to and from these sides are tones in the audio instead of telephone-events. A side's
 * audio is then decoded and listened to, unless the other side takes its digits as tones too.
 */
void tl_plan_set_tones(struct tl_plan *plan, bool side_a, bool side_b);

/*
 * What is to be done to the sound of either side (NULL: nothing). It is decoded for that, where the
 * codec can be: then nothing of it is relayed.
 */
void tl_plan_set_sound(struct tl_plan *plan, const struct tl_sound *side_a,
		       const struct tl_sound *side_b);
/* Is what comes from a side changed on its way to the other? */
bool tl_plan_changes_sound(const struct tl_plan *plan, enum tl_side from);

/* A stream beside the audio that is passed on packet for packet: see session.h. */
enum { TL_STREAMS = 3 }; /* of a call at the most */
struct tl_stream_side {
	bool open;                                    /* agreed upon with this leg */
	struct sockaddr_storage rtp, rtcp;            /* as it said; rtcp family 0: the next port */
	bool rtcp_mux;                                /* RTCP has RTP's port (RFC 5761) */
	struct tl_crypto send_crypto, receive_crypto; /* suite TL_SRTP_NONE: plain */
};
struct tl_stream_plan {
	struct tl_stream_side side[_TL_SIDE_MAX];
};

/* local/remote of a side may both be NULL: not open. Equal codec, fmtp-compatible,
 * equal packet time and none longer than is taken make a relay. 0, or -ENOENT when a side's two
 * descriptions share no format, or no key where one of both wants encryption. */
int tl_plan_make(const struct tl_media_desc *local_a, const struct tl_media_desc *remote_a,
		 const struct tl_media_desc *local_b, const struct tl_media_desc *remote_b,
		 struct tl_plan *ret_plan);
