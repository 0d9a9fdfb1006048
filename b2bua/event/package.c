#include "b2bua/event/package.h"

static const struct tl_package packages[] = {
	{
		/* RFC 3856 6.10: no faster than every five seconds */
		.name = "presence",
		.content_type = "application/pidf+xml",
		.origins = TL_ORIGIN_CALLS | TL_ORIGIN_BINDINGS | TL_ORIGIN_PUBLISHED,
		.pace_ms = 5000,
		.published = true,
		.write = tl_presence_write,
	},
	{
		/* RFC 4235 3.10: once a second */
		.name = "dialog",
		.content_type = "application/dialog-info+xml",
		.origins = TL_ORIGIN_CALLS,
		.pace_ms = 1000,
		.versioned = true,
		.write = tl_dialog_info_write,
	},
	{
		/* RFC 3842 3.9: once a second */
		.name = "message-summary",
		.content_type = "application/simple-message-summary",
		.origins = TL_ORIGIN_PUBLISHED,
		.pace_ms = 1000,
		.own = true,
		.published = true,
		.write = tl_message_summary_write,
	},
	{
		/* RFC 3680 4.10: every five seconds */
		.name = "reg",
		.content_type = "application/reginfo+xml",
		.origins = TL_ORIGIN_BINDINGS,
		.pace_ms = 5000,
		.own = true,
		.versioned = true,
		.write = tl_reg_info_write,
	},
};

const struct tl_package *tl_package_at(size_t i)
{
	return i < G_N_ELEMENTS(packages) ? &packages[i] : NULL;
}

const struct tl_package *tl_package_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(packages); i++)
		if (g_ascii_strcasecmp(packages[i].name, name) == 0)
			return &packages[i];
	return NULL;
}
