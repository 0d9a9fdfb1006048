#pragma once
/*
 * The typed configuration: what the INI files say, after every value has been
 * read and every name resolved. Immutable once loaded; any thread may read it
 * while it holds a reference on the struct tl_dialplan that owns it. Lists are
 * plain arrays with a count; strings are never NULL unless said so.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum tl_transport {
	TL_TRANSPORT_UDP,
	TL_TRANSPORT_TCP,
	TL_TRANSPORT_TLS,
	_TL_TRANSPORT_MAX,
	_TL_TRANSPORT_INVALID = -22,
};
const char *tl_transport_name(enum tl_transport t); /* "udp", "tcp", "tls" */

struct tl_listen {
	enum tl_transport transport;
	const char *host; /* an IP literal, without brackets */
	uint16_t port;
};

/* An address block in CIDR form; IPv4 is kept as IPv4. */
struct tl_cidr {
	struct sockaddr_storage addr;
	unsigned prefix_bits;
};
bool tl_cidr_match(const struct tl_cidr *cidr, const struct sockaddr *addr);

/* Key dtmf: how digits travel on a leg. */
enum tl_dtmf_mode {
	TL_DTMF_AUTO, /* telephone-event when negotiated, else tones in the audio */
	TL_DTMF_RTP,
	TL_DTMF_INFO,
	TL_DTMF_INBAND,
	_TL_DTMF_MAX,
	_TL_DTMF_INVALID = -22,
};
const char *tl_dtmf_mode_name(enum tl_dtmf_mode m);

/* Key hold: what a leg is told when the other leg of its call puts it on hold. */
enum tl_hold_mode {
	TL_HOLD_LOCAL, /* nothing: it goes on as it was, and hears music or silence */
	TL_HOLD_PASS,  /* the same, by a re-INVITE with the other's direction */
	_TL_HOLD_MAX,
	_TL_HOLD_INVALID = -22,
};

/* Key connected-identity: how a leg is told who is at the other end after a transfer or a pickup.
 */
enum tl_connected_mode {
	TL_CONNECTED_OFF,
	TL_CONNECTED_UPDATE, /* by UPDATE, and in what is sent anyway, where the peer can read it */
	TL_CONNECTED_REINVITE, /* by a re-INVITE, too, when it does not know UPDATE (RFC 4916 1) */
	_TL_CONNECTED_MAX,
	_TL_CONNECTED_INVALID = -22,
};

/* Key silence: what is encoded for a leg. */
enum tl_silence_mode {
	TL_SILENCE_SEND,
	TL_SILENCE_LEAVE_OUT,
};

/* Key srtp: what media on a leg must be. */
enum tl_srtp_policy {
	TL_SRTP_OFF,      /* plain RTP is offered; SRTP is refused */
	TL_SRTP_OPTIONAL, /* plain RTP is offered; an offer of SRTP is taken */
	TL_SRTP_OFFER,    /* SRTP is offered beside plain RTP (RFC 8643), and taken */
	TL_SRTP_REQUIRED, /* plain RTP is neither offered nor accepted */
	_TL_SRTP_MAX,
	_TL_SRTP_INVALID = -22,
};
const char *tl_srtp_policy_name(enum tl_srtp_policy p); /* "off", "optional", "offer", … */

/* Key t38: fax on a leg. */
enum tl_t38_mode {
	TL_T38_OFF,    /* it stays audio: T.38 is neither offered nor accepted */
	TL_T38_ACCEPT, /* when it asks for T.38, or the other leg has it and it takes it */
	TL_T38_OFFER,  /* and it is asked to change to T.38 when a fax is heard in the call */
	_TL_T38_MAX,
	_TL_T38_INVALID = -22,
};
const char *tl_t38_mode_name(enum tl_t38_mode mode); /* "off", "accept", "offer" */

/* Key echo-cancel: whose canceller takes the line's echo out of what a leg says. */
enum tl_echo_cancel {
	TL_ECHO_CANCEL_OFF,
	TL_ECHO_CANCEL_AUTO, /* whichever is the better one */
	TL_ECHO_CANCEL_SPEEXDSP,
	TL_ECHO_CANCEL_SPANDSP,
	_TL_ECHO_CANCEL_MAX,
	_TL_ECHO_CANCEL_INVALID = -22,
};
const char *tl_echo_cancel_name(enum tl_echo_cancel e);

/* How a leg sounds. */
struct tl_sound_cfg {
	enum tl_echo_cancel echo_cancel;
	unsigned echo_tail_ms;      /* that the line's echo may last */
	int rx_gain_db, tx_gain_db; /* of what it says, and of what it hears of the other leg */
	int agc_dbm0;               /* loudness that what it says is brought to; 0: left alone */
};

/* Key digest: which algorithms challenges of ours offer. */
enum tl_digest_offer {
	TL_DIGEST_MD5,
	TL_DIGEST_SHA256,
	TL_DIGEST_BOTH,
	_TL_DIGEST_MAX,
	_TL_DIGEST_INVALID = -22,
};

/* Key identity: in which header a trunk wants to read who calls. */
enum tl_identity_mode {
	TL_IDENTITY_FROM, /* From alone */
	TL_IDENTITY_PAI,  /* P-Asserted-Identity, RFC 3325 */
	TL_IDENTITY_PPI,  /* P-Preferred-Identity */
	TL_IDENTITY_RPID, /* Remote-Party-ID */
	_TL_IDENTITY_MAX,
	_TL_IDENTITY_INVALID = -22,
};
const char *tl_identity_mode_name(enum tl_identity_mode m); /* "from", "pai", "ppi", "rpid" */

/* Key diversion: how a trunk is told that a call has been forwarded. */
enum tl_diversion_mode {
	TL_DIVERSION_NONE,
	TL_DIVERSION_DIVERSION, /* RFC 5806 */
	TL_DIVERSION_HISTORY,   /* History-Info, RFC 7044 */
	TL_DIVERSION_BOTH,
	_TL_DIVERSION_MAX,
	_TL_DIVERSION_INVALID = -22,
};

/* Key on-redirect: what becomes of a 3xx that answers our call. */
enum tl_on_redirect {
	TL_ON_REDIRECT_FOLLOW, /* we call there: what an extension may dial itself; whatever a
				* trunk says, by the trunk's own account */
	TL_ON_REDIRECT_PASS,   /* the caller is told, contacts and all */
	TL_ON_REDIRECT_REFUSE, /* counts as 480 */
	_TL_ON_REDIRECT_MAX,
	_TL_ON_REDIRECT_INVALID = -22,
};

/* Key transfer: what becomes of a REFER. */
enum tl_transfer_mode {
	TL_TRANSFER_LOCAL, /* we carry it out */
	TL_TRANSFER_PASS,  /* the other leg gets it, when that leads anywhere */
	TL_TRANSFER_OFF,   /* it is refused */
	_TL_TRANSFER_MAX,
	_TL_TRANSFER_INVALID = -22, /* of a route: as the transferor's section says */
};
const char *tl_transfer_mode_name(enum tl_transfer_mode m); /* "local", "pass", "off" */

struct tl_gateway {
	const struct tl_listen *listen;
	size_t n_listen;
	const char *domain;
	const char *advertise;               /* NULL: the address of the socket */
	uint16_t rtp_port_min, rtp_port_max; /* even ports from this range carry RTP */
	unsigned workers;                    /* 0: one a core */
	const char *const *codecs; /* names, in order of preference; default for every leg */
	size_t n_codecs;
	const char *state;      /* directory: database */
	const char *recordings; /* directory */
	const char *prompts;    /* directory that relative play= files are in */
	const char *control;    /* path of the control socket */
	const char *user_agent;
	const char *certificate, *private_key,
		*ca;              /* PEM files; NULL: none, in certificate, system's */
	unsigned max_calls;       /* 0: no limit */
	unsigned request_rate;    /* a second and source, before we know who it is; 0: any */
	unsigned overload_lag_ms; /* so late all the time: no new calls; 0: never */
	unsigned ring_time_s;     /* default of a route's ring-time */
	unsigned rtp_timeout_s;   /* a call whose legs are both silent so long is ended; 0: never */
	unsigned jitter_min_ms, jitter_max_ms;
	unsigned register_min_s, register_max_s, register_default_s;
	const char *service_route; /* value of a Service-Route header, or NULL */
	unsigned nat_ping_s;       /* 0: never */
	enum tl_digest_offer digest;
	unsigned ban_failures; /* 0: nobody is banned */
	unsigned ban_window_s, ban_time_s, ban_max_s;
	const struct tl_cidr *ban_never;
	size_t n_ban_never;
	unsigned subscribe_min_s, subscribe_max_s; /* of a PUBLISH, too */
	unsigned max_subscriptions;
	unsigned opus_complexity;   /* 0..10 */
	const char *hold_music;     /* path; "" or NULL: what the holder sends */
	unsigned session_expires_s; /* session timer to ask for; 0: none */
	unsigned session_min_s;     /* less than this is refused with 422 */
};

/* One of a trunk's hosts. */
struct tl_trunk_host {
	const char *host;            /* domain name or IP literal, without brackets */
	uint16_t port;               /* 0: by DNS or the transport's default */
	enum tl_transport transport; /* _TL_TRANSPORT_INVALID: the trunk's */
};

struct tl_trunk_cfg {
	const char *name;
	const char *host;            /* domain name or IP literal, without brackets */
	uint16_t port;               /* 0: by DNS or the transport's default */
	enum tl_transport transport; /* _TL_TRANSPORT_INVALID: by DNS, then UDP */
	bool registers;              /* key register */
	const char *user;            /* NULL: none */
	const char *password;        /* NULL: none */
	const char *const *codecs;
	size_t n_codecs;
	unsigned max_calls; /* 0: no limit */
	const struct tl_trunk_host
		*places; /* all hosts, in order; of the first, port and transport above count */
	size_t n_places;
	const char *allow_user; /* calls with this name and allow_password; NULL: none may */
	const char *allow_password;
	const struct tl_cidr *allow; /* who may call as this trunk */
	size_t n_allow;
	enum tl_dtmf_mode dtmf;
	enum tl_srtp_policy srtp;
	enum tl_t38_mode t38;
	enum tl_silence_mode silence;
	enum tl_hold_mode hold;
	enum tl_connected_mode connected;
	enum tl_transfer_mode transfer; /* when this one asks for it */
	const char *hold_music;         /* of those whom it holds; NULL: not said */
	unsigned session_expires_s;     /* as in struct tl_gateway */
	enum tl_on_redirect on_redirect;
	const char *certificate, *private_key, *ca; /* PEM files; NULL: those of the gateway */
	unsigned calls_per_s;                       /* 0: no limit */
	unsigned failover_s, ping_s;                /* ping_s 0: never */
	unsigned keep_alive_s;                      /* while registered; 0: never */
	bool verify;                                /* its certificate must hold */
	const char *tls_name;                       /* whom it must name; NULL: host */
	bool may_watch; /* its users may subscribe to what the extensions may */
	enum tl_identity_mode identity;
	bool trust; /* what it asserts is believed; it is told who a withheld caller is */
	enum tl_diversion_mode diversion;
	struct tl_sound_cfg sound;
};

struct tl_extension_cfg {
	const char *number;     /* the section's name: [extension 1001] */
	const char *name;       /* display name; NULL: none */
	const char *password;   /* NULL when ha1 is given */
	const char *ha1;        /* MD5(user:realm:password) in hex, or NULL */
	const char *ha1_sha256; /* the same by SHA-256 */
	const char *const *codecs;
	size_t n_codecs;
	unsigned max_contacts;
	enum tl_dtmf_mode dtmf;
	enum tl_srtp_policy srtp;
	enum tl_t38_mode t38;
	enum tl_silence_mode silence;
	enum tl_on_redirect on_redirect;
	enum tl_hold_mode hold;
	enum tl_connected_mode connected;
	enum tl_transfer_mode transfer; /* when this one asks for it */
	const char *hold_music;         /* of those whom it holds; NULL: not said */
	unsigned session_expires_s;     /* as in struct tl_gateway */
	bool watchable;     /* the others may see whether it is there and whether it talks */
	bool watch_numbers; /* and with whom */
	bool pickup;        /* they may take a call that rings there */
	struct tl_sound_cfg sound;
};

enum tl_record_mode {
	TL_RECORD_OFF,
	TL_RECORD_STEREO, /* caller left, callee right */
	TL_RECORD_MONO,
	_TL_RECORD_MAX,
	_TL_RECORD_INVALID = -22,
};
const char *tl_record_mode_name(enum tl_record_mode m); /* "off", "stereo", "mono" */

struct tl_route_cfg; /* opaque here: route.h, private to dialplan/ */
