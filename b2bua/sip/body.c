#include "b2bua/sip/body.h"
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include "b2bua/sip/headers.h"

#define MULTIPART "multipart/"

enum { PARTS_MAX = 16, BOUNDARY_BYTES = 72 /* RFC 2046 5.1.1: 70 characters */ };

/* A piece of the body. */
struct span {
	const char *at;
	size_t bytes;
};

/* It stands at the beginning of a line. */
static const char *find(const char *at, size_t bytes, const char *body, const char *delimiter)
{
	const char *end = at + bytes, *found = at;

	while ((found = memmem(found, (size_t)(end - found), delimiter, strlen(delimiter)))) {
		if (found == body || found[-1] == '\n')
			return found;
		found++;
	}
	return NULL;
}

/* What follows the delimiter, up to the next one; rest becomes what begins with that. False: there
 * is none. The last delimiter has two more dashes, and nothing behind it. */
static bool take_part(struct span *rest, const char *body, const char *delimiter,
		      struct span *ret_part)
{
	const char *begin = find(rest->at, rest->bytes, body, delimiter), *end;
	size_t left;

	if (!begin)
		return false;
	begin += strlen(delimiter);
	left = rest->bytes - (size_t)(begin - rest->at);
	end = find(begin, left, body, delimiter);
	if (!end)
		return false;
	*ret_part = (struct span) { begin, (size_t)(end - begin) };
	*rest = (struct span) { end, left - (size_t)(end - begin) };
	return true;
}

/* The value of a header of the part, in lower case; to free. NULL: it has none. */
static char *header_of(const char *head, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(head, "\n", 32);

	for (char **line = lines; *line; line++) {
		char *colon = strchr(*line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		if (g_ascii_strcasecmp(g_strstrip(*line), name) == 0)
			return g_ascii_strdown(g_strstrip(colon + 1), -1);
	}
	return NULL;
}

static bool is_type(const char *value, const char *type)
{
	size_t n = strlen(type);

	return value && strncmp(value, type, n) == 0 && strchr("; \t", value[n]);
}

/* 1: the description; 0: it may be passed over; -ENOTSUP: it must be understood. */
static int read_part(const struct span *part, struct span *ret_sdp)
{
	const char *blank = memmem(part->at, part->bytes, "\r\n\r\n", 4);
	g_autofree char *head = NULL, *type = NULL, *disposition = NULL, *encoding = NULL;

	if (!blank)
		return 0;
	head = g_strndup(part->at, (gsize)(blank - part->at));
	type = header_of(head, "Content-Type");
	disposition = header_of(head, "Content-Disposition");
	encoding = header_of(head, "Content-Transfer-Encoding");
	if (is_type(type, "application/sdp") && (!disposition || is_type(disposition, "session")) &&
	    g_strcmp0(encoding, "base64") != 0 && g_strcmp0(encoding, "quoted-printable") != 0) {
		*ret_sdp =
			(struct span) { blank + 4, part->bytes - (size_t)(blank + 4 - part->at) };
		/* the last end of line is the delimiter's, if there is another one */
		if (ret_sdp->bytes > 4 &&
		    memcmp(ret_sdp->at + ret_sdp->bytes - 4, "\r\n\r\n", 4) == 0)
			ret_sdp->bytes -= 2;
		return 1;
	}
	/* RFC 5621 8.1 has it required when nothing is said; who says nothing hardly means it */
	return disposition && strstr(disposition, "handling=required") ? -ENOTSUP : 0;
}

/* Multipart of every kind: what isn't known of them is to be read as mixed (RFC 2046 5.1.3). */
static bool has_parts(const sip_t *sip)
{
	return sip->sip_content_type && sip->sip_content_type->c_type &&
	       g_ascii_strncasecmp(sip->sip_content_type->c_type, MULTIPART, strlen(MULTIPART)) ==
		       0;
}

static int read_parts(const sip_t *sip, struct span *ret_sdp)
{
	/* they say the same, and the sender likes the last one best */
	bool last_counts = tl_content_is(sip, MULTIPART "alternative");
	const char *param = msg_params_find(sip->sip_content_type->c_params, "boundary=");
	g_autofree char *boundary = param ? g_strdup(param) : NULL, *delimiter = NULL;
	const char *body = sip->sip_payload->pl_data;
	struct span rest = { body, sip->sip_payload->pl_len }, part;
	int found = 0;

	if (boundary && *boundary == '"')
		msg_unquote(boundary, param);
	if (!boundary || !*boundary || strlen(boundary) >= BOUNDARY_BYTES)
		return -ENOTSUP;
	delimiter = g_strconcat("--", boundary, NULL);
	for (unsigned n = 0; n < PARTS_MAX && take_part(&rest, body, delimiter, &part); n++) {
		struct span sdp;
		int r = read_part(&part, &sdp);

		if (r < 0)
			return r;
		if (r == 1 && (!found || last_counts)) {
			*ret_sdp = sdp;
			found = 1;
		}
	}
	return found;
}

static bool is_optional(const sip_t *sip)
{
	return sip->sip_content_disposition && sip->sip_content_disposition->cd_optional;
}

int tl_body_sdp(const sip_t *sip, const char **ret_text, size_t *ret_bytes)
{
	struct span sdp;
	int r = -ENOTSUP;

	if (!tl_has_body(sip))
		return 0;
	if (sip->sip_content_encoding) {
		r = -ENOTSUP;
	} else if (tl_content_is(sip, "application/sdp")) {
		sdp = (struct span) { sip->sip_payload->pl_data, sip->sip_payload->pl_len };
		r = 1;
	} else if (has_parts(sip)) {
		r = read_parts(sip, &sdp);
	}
	if (r == 1) {
		*ret_text = sdp.at;
		*ret_bytes = sdp.bytes;
	}
	return r < 0 && is_optional(sip) ? 0 : r; /* RFC 3261 20.11 */
}
