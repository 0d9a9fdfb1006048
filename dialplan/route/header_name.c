#include "dialplan/header_name.h"

#include <glib.h>
#include <string.h>

/* Sorted by name in lower case. */
static const char *const ours[] = {
	"accept",
	"accept-contact",
	"accept-encoding",
	"allow",
	"allow-events",
	"authentication-info",
	"authorization",
	"call-id",
	"contact",
	"content-disposition",
	"content-encoding",
	"content-length",
	"content-transfer-encoding",
	"content-type",
	"cseq",
	"diversion",
	"event",
	"expires",
	"flow-timer",
	"from",
	"history-info",
	"identity",
	"identity-info",
	"info-package",
	"join",
	"max-forwards",
	"mime-version",
	"min-expires",
	"min-se",
	"p-asserted-identity",
	"p-preferred-identity",
	"path",
	"privacy",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-require",
	"rack",
	"reason",
	"record-route",
	"recv-info",
	"refer-sub",
	"refer-to",
	"referred-by",
	"reject-contact",
	"remote-party-id",
	"replaces",
	"request-disposition",
	"require",
	"retry-after",
	"route",
	"rseq",
	"server",
	"service-route",
	"session-expires",
	"sip-etag",
	"sip-if-match",
	"subscription-state",
	"supported",
	"target-dialog",
	"timestamp",
	"to",
	"unsupported",
	"user-agent",
	"via",
	"warning",
	"www-authenticate",
};

static const char *const crossing[] = { "User-to-User", "Alert-Info", "Call-Info" };

bool tl_header_name_ok(const char *name)
{
	size_t n = 0;

	for (; name[n]; n++)
		if (n == TL_HEADER_NAME_BYTES ||
		    (!g_ascii_isalnum(name[n]) && !strchr("-.!%*_+`'~", name[n])))
			return false;
	return n > 0;
}

bool tl_header_is_free(const char *name)
{
	size_t low = 0, high = G_N_ELEMENTS(ours);

	if (!tl_header_name_ok(name))
		return false;
	if (!name[1]) /* one letter is a compact form, and nearly all of them are ours */
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = g_ascii_strcasecmp(name, ours[middle]);

		if (order == 0)
			return false;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return true;
}

bool tl_header_crosses(const char *name)
{
	if (!tl_header_is_free(name))
		return false;
	if (g_ascii_strncasecmp(name, "X-", 2) == 0)
		return name[2] != '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(crossing); i++)
		if (g_ascii_strcasecmp(name, crossing[i]) == 0)
			return true;
	return false;
}
