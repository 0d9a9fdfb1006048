/*
 * INFO: a digit, as telephones without telephone-event send it, or a body of
 * another known kind, which goes to the other leg and whose answer comes back:
 *
 *   a ── INFO ──► event, infos_in        infos_out, INFO ──► b
 *   a ◄── 200 ─── tl_leg_reply_info()  ◄── event  ◄── 200 ── b
 */
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

/* Bodies of RFC 2976's time that mean something to a telephone or a platform behind us. */
static bool is_carried(const sip_t *sip)
{
	static const char *const types[] = {
		"application/media_control+xml", /* RFC 5168: a picture is wanted */
		"application/isup",
		"application/qsig",
		"application/broadsoft",
		"application/json",
		"application/xml",
		"text/plain",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (tl_content_is(sip, types[i]))
			return sip->sip_payload->pl_len <= TL_LEG_INFO_BYTES &&
			       !sip->sip_content_encoding;
	return false;
}

static struct tl_leg_carried *find_info(struct tl_leg_carried *infos, unsigned serial)
{
	for (size_t i = 0; i < TL_LEG_INFOS; i++)
		if ((infos[i].irq || infos[i].orq) && infos[i].serial == serial)
			return &infos[i];
	return NULL;
}

static struct tl_leg_carried *free_info(struct tl_leg_carried *infos)
{
	for (size_t i = 0; i < TL_LEG_INFOS; i++)
		if (!infos[i].irq && !infos[i].orq)
			return &infos[i];
	return NULL;
}

static void carry_info(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_leg_carried *info = free_info(leg->infos_in);
	struct tl_header_set headers;
	const char *type;

	if (!info || leg->released || !leg->on_event) {
		tl_leg_refuse(leg, irq, SIP_500_INTERNAL_SERVER_ERROR);
		return;
	}
	type = sip_header_as_string(home, (const sip_header_t *)sip->sip_content_type);
	*info = (struct tl_leg_carried) { .irq = irq, .serial = ++leg->info_serial };
	tl_headers_collect(home, sip, &headers);
	tl_leg_emit(leg,
		    &(struct tl_leg_event) {
			    .type = TL_LEG_INFO,
			    .serial = info->serial,
			    .body = { .message = sip->sip_request->rq_method == sip_method_message,
				      .type = type,
				      .data = sip->sip_payload->pl_data,
				      .bytes = sip->sip_payload->pl_len },
			    .headers = headers.v,
			    .n_headers = headers.n,
		    });
	su_home_deinit(home);
}

void tl_leg_reply_info(struct tl_leg *leg, unsigned serial, int status)
{
	struct tl_leg_carried *info = find_info(leg->infos_in, serial);

	if (!info)
		return;
	/* 408 and 481 would end this dialog (RFC 5057 5.1), and it is the other one's trouble */
	if (status == 408 || status == 481 || status < 200 || status > 699)
		status = 500;
	tl_leg_refuse(leg, g_steal_pointer(&info->irq), status, NULL);
}

void tl_leg_drop_infos(struct tl_leg *leg)
{
	for (size_t i = 0; i < TL_LEG_INFOS; i++)
		if (leg->infos_in[i].irq)
			tl_leg_refuse(leg, g_steal_pointer(&leg->infos_in[i].irq),
				      SIP_481_NO_TRANSACTION);
}

static int on_info_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq, const sip_t *sip)
{
	struct tl_leg *leg = (struct tl_leg *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	tl_leg_enter(leg);
	for (size_t i = 0; i < TL_LEG_INFOS; i++) {
		struct tl_leg_carried *info = &leg->infos_out[i];

		if (info->orq != orq)
			continue;
		info->orq = NULL;
		tl_leg_emit(leg, &(struct tl_leg_event) { .type = TL_LEG_INFO_REPLY,
							  .serial = info->serial,
							  .status = status });
	}
	tl_leg_other_done(leg, orq);
	tl_leg_leave(leg);
	return 0;
}

int tl_leg_send_info(struct tl_leg *leg, const struct tl_leg_body *body,
		     const struct tl_header *headers, size_t n_headers, unsigned serial)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_leg_carried *info = free_info(leg->infos_out);
	nta_outgoing_t *orq;

	if (!tl_leg_has_dialog(leg))
		return -ENOTCONN;
	if (!info)
		return -EBUSY;
	orq = tl_leg_send(
		leg, on_info_response, body->message ? sip_method_message : sip_method_info,
		body->message ? sip_method_name_message : sip_method_name_info,
		SIPTAG_HEADER_STR(tl_headers_format(home, headers, n_headers)),
		SIPTAG_CONTENT_TYPE_STR(body->type),
		SIPTAG_PAYLOAD(sip_payload_create(home, body->data, (isize_t)body->bytes)),
		TAG_END());
	su_home_deinit(home);
	if (!orq)
		return -EIO;
	*info = (struct tl_leg_carried) { .orq = orq, .serial = serial };
	g_ptr_array_add(leg->others, orq);
	return 0;
}

/* RFC 6086 4.2.2: an INFO of a package that we did not say we would take. */
static void refuse_package(struct tl_leg *leg, nta_incoming_t *irq)
{
	nta_incoming_treply(irq, 469, "Bad Info Package", SIPTAG_HEADER_STR("Recv-Info: nil"),
			    SIPTAG_SERVER_STR(leg->stack->user_agent), TAG_END());
	nta_incoming_destroy(irq);
}

static bool has_package(const sip_t *sip)
{
	for (const sip_unknown_t *h = sip->sip_unknown; h; h = h->un_next)
		if (h->un_name && g_ascii_strcasecmp(h->un_name, "Info-Package") == 0)
			return true;
	return false;
}

void tl_leg_on_info(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct tl_leg_event event = { .type = TL_LEG_INFO_DTMF };
	bool digit = tl_content_is(sip, "application/dtmf-relay") ||
		     tl_content_is(sip, "application/dtmf");

	if (has_package(sip)) {
		refuse_package(leg, irq);
		return;
	}
	if (!tl_has_body(sip)) { /* a sign of life, RFC 2976 2 */
		tl_leg_refuse(leg, irq, SIP_200_OK);
		return;
	}
	if (!digit && is_carried(sip)) {
		carry_info(leg, irq, sip);
		return;
	}
	if (!digit) {
		tl_leg_refuse(leg, irq, SIP_415_UNSUPPORTED_MEDIA);
		return;
	}
	if (!read_dtmf(sip, &event.digit, &event.duration_ms)) {
		tl_leg_refuse(leg, irq, 400, "Bad Digit");
		return;
	}
	leg->plain_digits = tl_content_is(sip, "application/dtmf");
	tl_leg_refuse(leg, irq, SIP_200_OK);
	tl_leg_emit(leg, &event);
}

/* Whatever it bears: what a MESSAGE says is between the two who talk. */
void tl_leg_on_message(struct tl_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	if (!tl_has_body(sip) || !sip->sip_content_type)
		tl_leg_refuse(leg, irq, SIP_400_BAD_REQUEST);
	else if (sip->sip_content_encoding)
		tl_leg_refuse(leg, irq, SIP_415_UNSUPPORTED_MEDIA);
	else if (sip->sip_payload->pl_len > TL_LEG_INFO_BYTES)
		tl_leg_refuse(leg, irq, SIP_413_REQUEST_TOO_LARGE);
	else if (!tl_leg_has_dialog(leg))
		tl_leg_refuse(leg, irq, SIP_480_TEMPORARILY_UNAVAILABLE);
	else
		carry_info(leg, irq, sip);
}

int tl_leg_send_dtmf(struct tl_leg *leg, char digit, unsigned duration_ms)
{
	g_autofree char *body = NULL;

	if (!tl_leg_has_dialog(leg))
		return -ENOTCONN;
	if (!digit || !strchr(DIGITS, digit))
		return -EINVAL;
	if (leg->plain_digits)
		body = g_strdup_printf("%c\r\n", digit);
	else
		body = g_strdup_printf("Signal=%c\r\nDuration=%u\r\n", digit,
				       duration_ms ? duration_ms : DURATION_MS);
	return tl_leg_send_other(leg, SIP_METHOD_INFO,
				 SIPTAG_CONTENT_TYPE_STR(leg->plain_digits
								 ? "application/dtmf"
								 : "application/dtmf-relay"),
				 SIPTAG_PAYLOAD_STR(body), TAG_END());
}
