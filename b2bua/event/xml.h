#pragma once
/* Text into XML: format as for printf, every %s is valid UTF-8, and escaped. Any thread. */
#include <glib.h>

static inline void G_GNUC_PRINTF(2, 3) tl_xml_add(GString *xml, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_markup_vprintf_escaped(format, args);
	va_end(args);
	g_string_append(xml, text);
}
