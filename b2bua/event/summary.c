#include "b2bua/event/summary.h"
#include <errno.h>
#include <string.h>
#include <glib.h>

static const char *const class_names[_TL_SUMMARY_MAX] = {
	[TL_SUMMARY_VOICE] = "Voice-Message", [TL_SUMMARY_FAX] = "Fax-Message",
	[TL_SUMMARY_PAGER] = "Pager-Message", [TL_SUMMARY_MULTIMEDIA] = "Multimedia-Message",
	[TL_SUMMARY_TEXT] = "Text-Message",
};

enum { LINES_MAX = 64, COUNT_MAX = 999999 };

static bool take_number(const char **text, unsigned *ret)
{
	char *end;
	guint64 number;

	while (**text == ' ' || **text == '\t')
		(*text)++;
	if (!g_ascii_isdigit(**text))
		return false;
	number = g_ascii_strtoull(*text, &end, 10);
	*text = end;
	*ret = (unsigned)MIN(number, (guint64)COUNT_MAX);
	return true;
}

static bool take_mark(const char **text, char mark)
{
	while (**text == ' ' || **text == '\t')
		(*text)++;
	if (**text != mark)
		return false;
	(*text)++;
	return true;
}

/* "2/8 (0/2)": new/old (urgent new/urgent old) */
static void read_count(const char *text, struct tl_summary_count *ret)
{
	struct tl_summary_count count = { .known = true };

	if (!take_number(&text, &count.fresh) || !take_mark(&text, '/') ||
	    !take_number(&text, &count.old))
		return;
	if (!take_mark(&text, '(') || !take_number(&text, &count.urgent_fresh) ||
	    !take_mark(&text, '/') || !take_number(&text, &count.urgent_old))
		count.urgent_fresh = count.urgent_old = 0;
	*ret = count;
}

/* True: the line says whether messages wait. */
static bool read_line(char *line, struct tl_summary *summary)
{
	char *colon = strchr(line, ':');
	const char *name, *value;

	if (!colon)
		return false;
	*colon = '\0';
	name = g_strstrip(line);
	value = g_strstrip(colon + 1);
	for (int c = 0; c < _TL_SUMMARY_MAX; c++)
		if (g_ascii_strcasecmp(name, class_names[c]) == 0)
			read_count(value, &summary->counts[c]);
	if (g_ascii_strcasecmp(name, "Messages-Waiting") != 0)
		return false;
	summary->waiting = g_ascii_strcasecmp(value, "yes") == 0;
	return true;
}

int tl_summary_parse(const char *text, size_t bytes, struct tl_summary *ret_summary)
{
	struct tl_summary summary = { 0 };
	g_autofree char *copy = NULL;
	g_auto(GStrv) lines = NULL;
	bool said = false;

	if (bytes > TL_SUMMARY_BYTES)
		return -E2BIG;
	copy = g_strndup(text, bytes); /* ends at a NUL, if there is one */
	lines = g_strsplit_set(copy, "\r\n", LINES_MAX);
	for (char **line = lines; *line; line++)
		said |= read_line(*line, &summary);
	if (!said)
		return -EBADMSG;
	*ret_summary = summary;
	return 0;
}

char *tl_summary_write(const struct tl_summary *summary, const char *account)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "Messages-Waiting: %s\r\nMessage-Account: %s\r\n",
			       summary->waiting ? "yes" : "no", account);
	for (int c = 0; c < _TL_SUMMARY_MAX; c++) {
		const struct tl_summary_count *count = &summary->counts[c];

		if (count->known)
			g_string_append_printf(text, "%s: %u/%u (%u/%u)\r\n", class_names[c],
					       count->fresh, count->old, count->urgent_fresh,
					       count->urgent_old);
	}
	return g_string_free(text, FALSE);
}
