/*
 * Fax in descriptions: ITU-T T.38 Annex D, as it is spoken. Names in any case;
 * a switch may stand alone or as :1.
 */
#include "b2bua/sip/sdp_priv.h"
#include <string.h>

enum { VALUE_MAX = 1000000 };

bool tl_sdp_is_t38(const struct tl_sdp_line *line, const char *formats)
{
	g_auto(GStrv) words = NULL;

	if (strcmp(line->media, "image") != 0 || g_ascii_strcasecmp(line->proto, "udptl") != 0)
		return false;
	words = g_strsplit_set(formats, " \t", -1);
	for (char **word = words; *word; word++)
		if (g_ascii_strcasecmp(*word, "t38") == 0)
			return true;
	return false;
}

static bool has_name(const char *text, const char *name)
{
	size_t n = strlen(name);

	return g_ascii_strncasecmp(text, name, n) == 0 && (text[n] == ':' || text[n] == '\0');
}

static const char *value_of(const char *text)
{
	const char *value = strchr(text, ':');

	return value ? value + 1 + strspn(value + 1, " \t") : "1";
}

static void read_number(const char *value, unsigned *number)
{
	guint64 read;

	if (!g_ascii_isdigit(*value))
		return;
	read = g_ascii_strtoull(value, NULL, 10);
	*number = (unsigned)MIN(read, (guint64)VALUE_MAX);
}

void tl_sdp_read_t38(const char *text, struct tl_t38 *t38)
{
	const char *value = value_of(text);
	unsigned number = 0;

	if (has_name(text, "T38FaxVersion")) {
		read_number(value, &number);
		t38->version = (uint8_t)MIN(number, 255u);
	} else if (has_name(text, "T38MaxBitRate"))
		read_number(value, &t38->max_bit_rate);
	else if (has_name(text, "T38FaxMaxBuffer"))
		read_number(value, &t38->max_buffer_bytes);
	else if (has_name(text, "T38FaxMaxDatagram"))
		read_number(value, &t38->max_datagram_bytes);
	else if (has_name(text, "T38FaxFillBitRemoval"))
		t38->fill_bit_removal = strcmp(value, "0") != 0;
	else if (has_name(text, "T38FaxTranscodingMMR"))
		t38->mmr = strcmp(value, "0") != 0;
	else if (has_name(text, "T38FaxTranscodingJBIG"))
		t38->jbig = strcmp(value, "0") != 0;
	else if (has_name(text, "T38FaxRateManagement"))
		t38->local_tcf = g_ascii_strcasecmp(value, "localTCF") == 0;
	else if (has_name(text, "T38FaxUdpEC"))
		t38->recovery = g_ascii_strcasecmp(value, "t38UDPFEC") == 0 ? TL_T38_RECOVERY_FEC
				: g_ascii_strcasecmp(value, "t38UDPRedundancy") == 0
					? TL_T38_RECOVERY_REDUNDANCY
					: TL_T38_RECOVERY_NONE;
}

static const char *recovery_name(enum tl_t38_recovery recovery)
{
	switch (recovery) {
	case TL_T38_RECOVERY_NONE:
		break;
	case TL_T38_RECOVERY_REDUNDANCY:
		return "t38UDPRedundancy";
	case TL_T38_RECOVERY_FEC:
		return "t38UDPFEC";
	}
	return "t38UDPNoEC";
}

void tl_sdp_append_t38(GString *s, const struct tl_media_desc *desc)
{
	const struct tl_t38 *t38 = &desc->t38;

	g_string_append_printf(s, "m=image %u udptl t38\r\n", tl_sdp_port_of(&desc->rtp));
	g_string_append_printf(s, "a=T38FaxVersion:%u\r\n", t38->version);
	if (t38->max_bit_rate)
		g_string_append_printf(s, "a=T38MaxBitRate:%u\r\n", t38->max_bit_rate);
	if (t38->fill_bit_removal)
		g_string_append(s, "a=T38FaxFillBitRemoval\r\n");
	if (t38->mmr)
		g_string_append(s, "a=T38FaxTranscodingMMR\r\n");
	if (t38->jbig)
		g_string_append(s, "a=T38FaxTranscodingJBIG\r\n");
	g_string_append_printf(s, "a=T38FaxRateManagement:%s\r\n",
			       t38->local_tcf ? "localTCF" : "transferredTCF");
	if (t38->max_buffer_bytes)
		g_string_append_printf(s, "a=T38FaxMaxBuffer:%u\r\n", t38->max_buffer_bytes);
	if (t38->max_datagram_bytes)
		g_string_append_printf(s, "a=T38FaxMaxDatagram:%u\r\n", t38->max_datagram_bytes);
	g_string_append_printf(s, "a=T38FaxUdpEC:%s\r\n", recovery_name(t38->recovery));
	if (desc->direction != TL_DIR_SENDRECV)
		g_string_append_printf(s, "a=%s\r\n", tl_sdp_direction_name(desc->direction));
}
