#pragma once
/*
 * Payloads of AMR and AMR-WB, RFC 4867: where their frames lie, and how they
 * are laid out. Pure. Private to media/.
 *
 *   bandwidth-efficient   | CMR 4 | F FT4 Q | F FT4 Q | speech bits ... | 0..7 padding |
 *   octet-aligned         | CMR 4, 0000 | F FT4 Q 00 | F FT4 Q 00 | whole bytes ... |
 *
 * A frame by itself stands as in files (RFC 4867 5.3): one byte, 0 FT4 Q 00,
 * and its bits in whole bytes.
 */
#include "media/desc.h"

enum {
	TL_AMR_FRAMES = 6,       /* in a payload: 120 ms, more than anybody sends */
	TL_AMR_FRAME_BYTES = 61, /* the longest of AMR-WB, as in files */
	TL_AMR_NO_REQUEST = 15,  /* a mode request (CMR) that asks for nothing */
	TL_AMR_NO_DATA = 15,     /* a frame type (FT): nothing was sent for this time */
	TL_AMR_NO_DATA_HEADER = TL_AMR_NO_DATA << 3 | 4,
};

/* What the parameters of a format say, RFC 4867 8.1 and 8.2. */
struct tl_amr {
	bool wide; /* AMR-WB */
	bool octet_align;
	unsigned modes;         /* bit i: mode i may be sent */
	unsigned change_period; /* frames: a mode lasts for a multiple of so many */
	bool change_neighbor;   /* from a mode only to the next one */
};

struct tl_amr_frame {
	uint8_t type;  /* FT: a mode, a description of silence, or TL_AMR_NO_DATA */
	bool good;     /* Q: not damaged on its way to the sender */
	size_t at_bit; /* where its bits begin */
};

/* False: crc, robust sorting, interleaving or more channels than one, which are relayed only; or a
 * set of no mode. */
bool tl_amr_read(const struct tl_format *format, struct tl_amr *ret_amr);
/* How many frames a payload has; 0: it is none, or is cut short. *ret_request is its CMR. */
size_t tl_amr_frames(const struct tl_amr *amr, const uint8_t *payload, size_t bytes,
		     struct tl_amr_frame frames[TL_AMR_FRAMES], unsigned *ret_request);
/* A frame of that payload as in files; returns its bytes, the header among them. */
size_t tl_amr_cut(const struct tl_amr *amr, const uint8_t *payload,
		  const struct tl_amr_frame *frame, uint8_t out[TL_AMR_FRAME_BYTES]);
/* A payload of n frames as in files. request: a mode that we ask for. Returns its bytes, at the
 * most n * TL_AMR_FRAME_BYTES + 1. */
size_t tl_amr_pack(const struct tl_amr *amr, unsigned request,
		   const uint8_t frames[][TL_AMR_FRAME_BYTES], size_t n, uint8_t *out);
/* The mode to send next: the best that is in the set and not above the request (or, without one,
 * not above the usual), reached as the parameters allow. now: the mode of the frame before, -1:
 * none yet. frame: counts from 0. */
unsigned tl_amr_mode(const struct tl_amr *amr, unsigned request, int now, unsigned frame);
