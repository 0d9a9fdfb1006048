/* The names of the enums that settings and decisions have. */
#include "dialplan/decision.h"
#include "dialplan/facts.h"

#define NAME_OF(names, value)                                                                      \
	((value) >= 0 && (size_t)(value) < sizeof(names) / sizeof((names)[0]) ? (names)[value]     \
									      : "invalid")

const char *tl_dtmf_mode_name(enum tl_dtmf_mode m)
{
	static const char *const names[_TL_DTMF_MAX] = {
		[TL_DTMF_AUTO] = "auto",
		[TL_DTMF_RTP] = "rtp",
		[TL_DTMF_INFO] = "info",
		[TL_DTMF_INBAND] = "inband",
	};

	return NAME_OF(names, m);
}

const char *tl_srtp_policy_name(enum tl_srtp_policy p)
{
	static const char *const names[_TL_SRTP_MAX] = {
		[TL_SRTP_OFF] = "off",
		[TL_SRTP_OPTIONAL] = "optional",
		[TL_SRTP_OFFER] = "offer",
		[TL_SRTP_REQUIRED] = "required",
	};

	return NAME_OF(names, p);
}

const char *tl_t38_mode_name(enum tl_t38_mode mode)
{
	static const char *const names[_TL_T38_MAX] = {
		[TL_T38_OFF] = "off",
		[TL_T38_ACCEPT] = "accept",
		[TL_T38_OFFER] = "offer",
	};

	return NAME_OF(names, mode);
}

const char *tl_verdict_name(enum tl_verdict v)
{
	static const char *const names[_TL_VERDICT_MAX] = {
		[TL_VERDICT_RING] = "ring",         [TL_VERDICT_ANSWER] = "answer",
		[TL_VERDICT_ECHO] = "echo",         [TL_VERDICT_REJECT] = "reject",
		[TL_VERDICT_REDIRECT] = "redirect",
	};

	return NAME_OF(names, v);
}

const char *tl_privacy_name(enum tl_privacy privacy)
{
	static const char *const names[_TL_PRIVACY_MAX] = {
		[TL_PRIVACY_KEEP] = "keep",
		[TL_PRIVACY_OFF] = "off",
		[TL_PRIVACY_ID] = "id",
	};

	return NAME_OF(names, privacy);
}

const char *tl_echo_at_name(enum tl_echo_at at)
{
	static const char *const names[_TL_ECHO_AT_MAX] = {
		[TL_ECHO_AT_LEG] = "leg",       [TL_ECHO_AT_NONE] = "off",
		[TL_ECHO_AT_CALLER] = "caller", [TL_ECHO_AT_CALLEE] = "callee",
		[TL_ECHO_AT_BOTH] = "both",
	};

	return NAME_OF(names, at);
}

const char *tl_echo_cancel_name(enum tl_echo_cancel e)
{
	static const char *const names[_TL_ECHO_CANCEL_MAX] = {
		[TL_ECHO_CANCEL_OFF] = "off",
		[TL_ECHO_CANCEL_AUTO] = "auto",
		[TL_ECHO_CANCEL_SPEEXDSP] = "speexdsp",
		[TL_ECHO_CANCEL_SPANDSP] = "spandsp",
	};

	return NAME_OF(names, e);
}

const char *tl_media_mode_name(enum tl_media_mode m)
{
	static const char *const names[_TL_MEDIA_MAX] = {
		[TL_MEDIA_AUTO] = "auto",
		[TL_MEDIA_DIRECT] = "direct",
	};

	return NAME_OF(names, m);
}

const char *tl_transfer_mode_name(enum tl_transfer_mode m)
{
	static const char *const names[_TL_TRANSFER_MAX] = {
		[TL_TRANSFER_LOCAL] = "local",
		[TL_TRANSFER_PASS] = "pass",
		[TL_TRANSFER_OFF] = "off",
	};

	return NAME_OF(names, m);
}

const char *tl_offered_name(enum tl_offered kind)
{
	static const char *const names[_TL_OFFERED_MAX] = {
		[TL_OFFERED_AUDIO] = "audio",
		[TL_OFFERED_FAX] = "fax",
		[TL_OFFERED_VIDEO] = "video",
	};

	return NAME_OF(names, kind);
}

const char *tl_identity_mode_name(enum tl_identity_mode m)
{
	static const char *const names[_TL_IDENTITY_MAX] = {
		[TL_IDENTITY_FROM] = "from",
		[TL_IDENTITY_PAI] = "pai",
		[TL_IDENTITY_PPI] = "ppi",
		[TL_IDENTITY_RPID] = "rpid",
	};

	return NAME_OF(names, m);
}

const char *tl_record_mode_name(enum tl_record_mode m)
{
	static const char *const names[_TL_RECORD_MAX] = {
		[TL_RECORD_OFF] = "off",
		[TL_RECORD_STEREO] = "stereo",
		[TL_RECORD_MONO] = "mono",
	};

	return NAME_OF(names, m);
}
