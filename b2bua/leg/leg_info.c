/* INFO with a digit, as telephones without telephone-event send it. */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

enum {
	BODY_BYTES = 128,
	DURATION_MS = 160, /* when none is said */
	DURATION_MAX_MS = 8000,
};
#define DIGITS "0123456789*#ABCD" /* in the order of their event numbers, RFC 4733 3.2 */

/* "5", "*", "d", "10" (for *): the digit; 0: none of ours. */
static char read_digit(const char *text)
{
	char digit = (char)g_ascii_toupper(*text);

	if (digit && text[1] == '\0' && strchr(DIGITS, digit))
		return digit;
	if (g_ascii_isdigit(text[0]) && g_ascii_isdigit(text[1]) && text[2] == '\0' &&
	    atoi(text) < (int)strlen(DIGITS))
		return DIGITS[atoi(text)];
	return 0;
}

static void read_line(char *line, char *digit, unsigned *duration_ms)
{
	char *equals = strchr(line, '=');

	if (!equals) { /* application/dtmf is the digit alone */
		if (!*digit)
			*digit = read_digit(g_strstrip(line));
		return;
	}
	*equals = '\0';
	if (g_ascii_strcasecmp(g_strstrip(line), "Signal") == 0)
		*digit = read_digit(g_strstrip(equals + 1));
	else if (g_ascii_strcasecmp(line, "Duration") == 0)
		*duration_ms = (unsigned)MIN(g_ascii_strtoull(equals + 1, NULL, 10),
					     (guint64)DURATION_MAX_MS);
}

/* "Signal=5\r\nDuration=160\r\n" */
static bool read_dtmf(const sip_t *sip, char *ret_digit, unsigned *ret_duration_ms)
{
	g_autofree char *body = NULL;
	g_auto(GStrv) lines = NULL;
	unsigned duration_ms = DURATION_MS;
	char digit = 0;

	if (sip->sip_payload->pl_len >= BODY_BYTES ||
	    memchr(sip->sip_payload->pl_data, '\0', sip->sip_payload->pl_len))
		return false;
	body = g_strndup(sip->sip_payload->pl_data, sip->sip_payload->pl_len);
	lines = g_strsplit_set(body, "\r\n", 16);
	for (char **line = lines; *line; line++)
		if (**line)
			read_line(*line, &digit, &duration_ms);
	if (!digit)
		return false;
	*ret_digit = digit;
	*ret_duration_ms = duration_ms ? duration_ms : DURATION_MS;
	return true;
}

void tl_leg_on_info(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_leg_event event = { .type = TL_LEG_INFO_DTMF };

	if (!tl_has_body(sip)) { /* a sign of life, RFC 2976 2 */
		tl_leg_refuse(leg, irq, SIP_200_OK);
		return;
	}
	if (!tl_content_is(sip, "application/dtmf-relay") &&
	    !tl_content_is(sip, "application/dtmf")) {
		tl_leg_refuse(leg, irq, SIP_415_UNSUPPORTED_MEDIA);
		return;
	}
	if (!read_dtmf(sip, &event.digit, &event.duration_ms)) {
		tl_leg_refuse(leg, irq, 400, "Bad Digit");
		return;
	}
	tl_leg_refuse(leg, irq, SIP_200_OK);
	tl_leg_emit(leg, &event);
}

int tl_leg_send_dtmf(struct tl_leg *leg, char digit, unsigned duration_ms)
{
	g_autofree char *body = NULL;

	if (leg->state != TL_LEG_UP)
		return -ENOTCONN;
	if (!digit || !strchr(DIGITS, digit))
		return -EINVAL;
	body = g_strdup_printf("Signal=%c\r\nDuration=%u\r\n", digit,
			       duration_ms ? duration_ms : DURATION_MS);
	return tl_leg_send_other(leg, SIP_METHOD_INFO,
				 SIPTAG_CONTENT_TYPE_STR("application/dtmf-relay"),
				 SIPTAG_PAYLOAD_STR(body), TAG_END());
}
