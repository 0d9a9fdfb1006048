#pragma once
/*
 * The rig of the media benches. Three processes, so that each one's CPU is its
 * own:
 *
 *   phones  ------ RTP, 20 ms packets, both directions ------  gateway
 *      \                                                      /
 *       `-- window begins, ends, counts --  bench  -- CPU, memory, threads of it
 *
 * A gateway is what is measured: the media engine, or the floor under it. The
 * phones spread their packets evenly over the 20 ms, as unrelated callers do.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include "media/crypto.h"

enum {
	RIG_FRAME_MS = 20,
	RIG_LOOP_FRAMES = 200,   /* the phones repeat four seconds */
	RIG_MARKER_EVERY = 100,  /* frames from one tone burst to the next */
	RIG_MARKER_FRAME = 50,   /* the first */
	RIG_MARKER_LEVEL = 6000, /* no voice is as loud as this */
	RIG_SOCKETS = 8,         /* of the phones, a side; shared by the calls */
	RIG_CALLS_MAX = 2000,
	RIG_PAYLOAD_MAX = 400,
};

/* What all phones of one side say: four seconds of something like speech, encoded. */
struct rig_loop {
	const char *codec;
	uint8_t pt;
	uint32_t rtp_step; /* of the timestamp, a packet */
	struct {
		const uint8_t *payload;
		size_t bytes;
	} frames[RIG_LOOP_FRAMES];
};
/* codec: PCMA, PCMU, G722 or opus. Made once, kept; NULL: not one of these. */
const struct rig_loop *rig_loop_get(const char *codec);
/* Something like speech, with a tone burst every two seconds. Fills RIG_LOOP_FRAMES frames. */
void rig_voice(int16_t *pcm, unsigned rate_hz);

/* A call's bare codec functions between PCMA and codec, set up as the gateway does. */
struct rig_coder;
struct rig_coder *rig_coder_new(const char *codec, unsigned opus_complexity);
void rig_coder_free(struct rig_coder *coder);
/* Return the bytes in out; 0: it was no payload. */
size_t rig_coder_from_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			   uint8_t out[static RIG_PAYLOAD_MAX]);
size_t rig_coder_to_pcma(struct rig_coder *coder, const uint8_t *payload, size_t bytes,
			 uint8_t out[static RIG_PAYLOAD_MAX]);
/* CPU milliseconds that a call-second costs in bare codec functions, both directions between PCMA
 * and codec, in a loop that does nothing else. */
double rig_bare_codec_ms(const char *codec, unsigned opus_complexity);

/* libsrtp2 at one end of a call: the gateway's, or the phone's. */
struct rig_sealer;
struct rig_sealer *rig_sealer_new(enum tl_srtp_suite suite, bool phone);
/* At a phone: the gateway encrypts with a key of its own choice. */
void rig_sealer_expect(struct rig_sealer *sealer, const struct tl_crypto *crypto);
void rig_sealer_free(struct rig_sealer *sealer);
/* Encrypts a packet in place, which grows by SRTP_MAX_TRAILER_LEN at the most; decrypts one that
 * came. Returns its bytes, 0: it can't be done. */
size_t rig_seal(struct rig_sealer *sealer, uint8_t *packet, size_t bytes);
size_t rig_unseal(struct rig_sealer *sealer, uint8_t *packet, size_t bytes);
/* What the gateway encrypts with, or the phone: the same for each call, as no key costs more. */
void rig_key(struct tl_crypto *crypto, enum tl_srtp_suite suite, bool phone);
/* CPU milliseconds that a call-second costs in libsrtp2: one direction encrypted, one decrypted. */
double rig_bare_srtp_ms(enum tl_srtp_suite suite);

struct rig_load {
	unsigned calls;
	const char *codec;        /* of side B; side A speaks PCMA */
	enum tl_srtp_suite suite; /* of side B; side A is plain */
	struct tl_crypto *keys;   /* of the gateway, a call, in memory that all processes share:
				   * for one that is not content with rig_key() */
	const char *record_in;    /* each call is recorded into this directory; NULL: none is */
	unsigned warm_ms, window_ms;
	unsigned workers; /* 0: one a core */
	bool apart;       /* the phones have a core of their own, the gateway has the others */
	unsigned opus_complexity;
	struct sockaddr_storage phones[2][RIG_SOCKETS]; /* where each side's phones listen */
	int phone_fds[2][RIG_SOCKETS];
};

/* As rig_bare_codec_ms(), each frame at its time and on the gateway's cores: what load's codec
 * costs with so many calls. */
double rig_paced_codec_ms(const struct rig_load *load);

/* What a gateway says of itself at its end. */
struct rig_gateway_report {
	uint64_t lost_pkts, late_pkts, concealed_ms, junk_pkts;
	uint64_t late_ticks;
};
/*
 * A gateway, run in a process of its own. Over fd it: writes a byte when it
 * idles, reads one, opens its calls and writes uint16_t ports[calls][2]; serves
 * until fd is readable; writes its report.
 */
typedef void rig_gateway_fn(const struct rig_load *load, int fd);
rig_gateway_fn rig_floor;     /* recvmmsg on a socket, sendmmsg on its twin, and nothing else */
rig_gateway_fn rig_engine;    /* media/session.h */
rig_gateway_fn rig_rtpengine; /* rtpengine in userspace, as Debian packages it, for comparison */

struct rig_phones_report {
	uint64_t sent_pkts, received_pkts, lost_pkts;
	uint32_t delay_p50_us, delay_p99_us, delay_max_us; /* added by the gateway; 0: not seen */
	uint32_t late_p99_us; /* the phones' own timers; what this machine does to any process */
	uint32_t late_slots;  /* the phones themselves were late: too little CPU for them */
};
/* The phones, in a process of their own: writes a byte at the window's begin, one at its end,
 * and the report. Packets of a relay carry their time of sending; behind a codec it is the tone
 * burst that is timed, in what side A hears. */
void rig_phones(const struct rig_load *load, const uint16_t (*ports)[2], int fd);

struct rig_result {
	double cpu_ms; /* of the gateway, a call-second */
	double rss_kb; /* a call */
	unsigned threads_idle, threads;
	double workers_min, workers_max; /* of the media workers' CPU, the idlest's and the
					  * busiest's share in per cent; 0: it has none */
	struct rig_phones_report phones;
	struct rig_gateway_report gateway;
};
/* Runs gateway under load. load's phones are filled in. 0 or -errno. */
int rig_run(rig_gateway_fn *gateway, struct rig_load *load, struct rig_result *ret_result);

/* Before whatever else runs on this machine, as far as we may: only root can. */
void rig_go_first(void);
/* In the gateway's process, or in the phones': where load says so, they keep to their cores. */
void rig_take_cores(const struct rig_load *load, bool phones);

double rig_thread_cpu_ms(void);
/* What fn returns in a process of its own; 0 when that dies. */
double rig_in_child(double (*fn)(const void *), const void *argument);
/* Sends or receives all n bytes. */
void rig_write(int fd, const void *bytes, size_t n);
bool rig_read(int fd, void *bytes, size_t n);
