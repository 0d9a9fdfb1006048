#include "b2bua/trunk/outbound.h"
#include <glib.h>

enum { SHA1_BYTES = 20 };

char *tl_outbound_params(const char *instance, const char *trunk)
{
	g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
	guint8 d[SHA1_BYTES];
	gsize bytes = sizeof(d);

	g_checksum_update(sha1, (const guchar *)instance, -1);
	g_checksum_update(sha1, (const guchar *)trunk, -1);
	g_checksum_get_digest(sha1, d, &bytes);
	d[6] = (d[6] & 0x0f) | 0x50; /* version 5 */
	d[8] = (d[8] & 0x3f) | 0x80; /* the variant of RFC 4122 */
	return g_strdup_printf(";reg-id=1;+sip.instance=\"<urn:uuid:"
			       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			       "%02x%02x%02x%02x%02x%02x>\"",
			       d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10],
			       d[11], d[12], d[13], d[14], d[15]);
}
