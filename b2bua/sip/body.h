#pragma once
/*
 * The session description in a SIP message: its body, or a part of it where a carrier sends more
 * along (RFC 5621): the location of the caller (RFC 6442), ISUP (RFC 3372).
 *
 *     Content-Type: multipart/mixed;boundary=b1
 *
 *     --b1
 *     Content-Type: application/sdp
 *
 *     v=0 …
 *     --b1
 *     Content-Type: application/isup
 *     Content-Disposition: signal;handling=optional
 */
#include <stddef.h>
#include <sofia-sip/sip.h>

/* 1: it has one, lent by sip; 0: none, nor anything that must be understood; -ENOTSUP: a body of
 * another kind (415). */
int tl_body_sdp(const sip_t *sip, const char **ret_text, size_t *ret_bytes);
