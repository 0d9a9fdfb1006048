#include "b2bua/log.h"
#include "b2bua/log_thread.h"

#include <string.h>
#include <unistd.h>
#include <glib.h>
#include <sofia-sip/su_log.h>

enum {
	LINE_BYTES = 4096, /* a longer line is cut */
	CALL_ID_BYTES = 32,
};
#define LIMIT_INTERVAL_US G_USEC_PER_SEC
#define END_PATIENCE_US   G_USEC_PER_SEC

static bool debug_wanted;
static bool to_journal;

static const char *level_name(GLogLevelFlags level)
{
	if (level & G_LOG_LEVEL_ERROR)
		return "error";
	if (level & G_LOG_LEVEL_CRITICAL)
		return "critical";
	if (level & G_LOG_LEVEL_WARNING)
		return "warning";
	if (level & G_LOG_LEVEL_MESSAGE)
		return "notice";
	if (level & G_LOG_LEVEL_INFO)
		return "info";
	return "debug";
}

/* syslog(3)'s, as the journal has it. */
static char priority_of(GLogLevelFlags level)
{
	if (level & G_LOG_LEVEL_ERROR)
		return '3';
	if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
		return '4';
	if (level & G_LOG_LEVEL_MESSAGE)
		return '5';
	return level & G_LOG_LEVEL_INFO ? '6' : '7';
}

static void append(char *buf, size_t bytes, size_t *len, const char *text, size_t n)
{
	if (n > bytes - *len)
		n = bytes - *len;
	memcpy(buf + *len, text, n);
	*len += n;
}

/*
 * Copies text so that it stays on one line and can't move a terminal's cursor:
 * controls and bytes that are not UTF-8 become \xNN. With quotes, a quotation
 * mark and a backslash are escaped too, so that key="value" can be read back.
 * Whole escapes and whole characters only; the result ends in NUL.
 */
static size_t copy_printable(const char *text, char *buf, size_t bytes, bool quotes)
{
	size_t len = 0;

	while (*text) {
		gunichar c = g_utf8_get_char_validated(text, -1);
		bool bad = (c == (gunichar)-1 || c == (gunichar)-2);
		size_t n = bad ? 1 : (size_t)(g_utf8_next_char(text) - text);
		char escape[8] = "";

		if (bad || c < 0x20 || c == 0x7f)
			g_snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)*text);
		else if ((c >= 0x80 && c < 0xa0) || g_unichar_type(c) == G_UNICODE_FORMAT)
			g_strlcpy(escape, "?", sizeof(escape)); /* C1, bidirectional overrides */
		else if (quotes && (c == '"' || c == '\\'))
			g_snprintf(escape, sizeof(escape), "\\%c", (char)c);

		if (len + (*escape ? strlen(escape) : n) + 1 > bytes)
			break;
		if (*escape)
			append(buf, bytes, &len, escape, strlen(escape));
		else
			append(buf, bytes, &len, text, n);
		text += n;
	}
	buf[len] = '\0';
	return len;
}

const char *tl_log_quote(const char *text, char *buf, unsigned long bytes)
{
	g_return_val_if_fail(bytes > 0, "");

	copy_printable(text ? text : "", buf, bytes, true);
	return buf;
}

/* One write a line, so that lines of several threads don't mix. */
static void write_stderr(GLogLevelFlags level, int64_t at_us, const char *message)
{
	char line[LINE_BYTES];
	time_t at_s = at_us / G_USEC_PER_SEC;
	struct tm tm;
	size_t len;
	ssize_t n;

	localtime_r(&at_s, &tm);
	len = strftime(line, sizeof(line), "%H:%M:%S", &tm);
	len += (size_t)g_snprintf(line + len, sizeof(line) - len, ".%03d %s ",
				  (int)(at_us % G_USEC_PER_SEC / 1000), level_name(level));
	len += copy_printable(message, line + len, sizeof(line) - len - 1, false);
	line[len++] = '\n';
	do
		n = write(STDERR_FILENO, line, len);
	while (n < 0 && errno == EINTR);
}

/* "call=6f1c03 leg=a …" also becomes a field, for `journalctl TWINLEG_CALL=6f1c03`. */
static bool find_call(const char *message, char *call, size_t bytes)
{
	size_t n;

	if (!g_str_has_prefix(message, "call="))
		return false;
	message += strlen("call=");
	n = strcspn(message, " ");
	if (n == 0 || n >= bytes)
		return false;
	memcpy(call, message, n);
	call[n] = '\0';
	return true;
}

static bool write_journal(GLogLevelFlags level, const char *message)
{
	char call[CALL_ID_BYTES], priority[] = { priority_of(level), '\0' };
	GLogField fields[] = {
		{ "PRIORITY", priority, -1 },
		{ "MESSAGE", message, -1 },
		{ "SYSLOG_IDENTIFIER", "twinleg", -1 },
		{ "TWINLEG_CALL", call, -1 },
	};
	size_t n = G_N_ELEMENTS(fields) - !find_call(message, call, sizeof(call));

	return g_log_writer_journald(level, fields, n, NULL) == G_LOG_WRITER_HANDLED;
}

static void write_line(GLogLevelFlags level, int64_t at_us, const char *message)
{
	if (!to_journal || !write_journal(level, message))
		write_stderr(level, at_us, message);
}

static GLogWriterOutput on_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
			       gpointer user)
{
	const char *message = "(no message)";
	int64_t now_us = g_get_real_time();

	if ((level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) && !debug_wanted)
		return G_LOG_WRITER_HANDLED;

	for (gsize i = 0; i < n_fields; i++)
		if (fields[i].length < 0 && strcmp(fields[i].key, "MESSAGE") == 0)
			message = fields[i].value;

	if (!tl_log_thread_put(level, now_us, message))
		write_line(level, now_us, message);
	if (level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR))
		tl_log_end(); /* the process is about to */
	return G_LOG_WRITER_HANDLED;
}

/* Sofia-SIP prints what it makes of broken messages; a peer can cause it, so debug only. */
G_GNUC_PRINTF(2, 0)
static void on_sofia_log(void *user, const char *format, va_list args)
{
	char line[LINE_BYTES / 2];

	if (!debug_wanted)
		return;
	g_vsnprintf(line, sizeof(line), format, args);
	g_strchomp(line);
	if (*line)
		g_debug("sofia: %s", line);
}

void tl_log_init(bool debug)
{
	static bool installed;

	debug_wanted = debug;
	if (installed) /* GLib takes one writer in a process's life */
		return;
	installed = true;
	to_journal = g_log_writer_is_journald(STDERR_FILENO);
	g_log_set_writer_func(on_log, NULL, NULL);
	su_log_redirect(NULL, on_sofia_log, NULL);
}

void tl_log_detach(void)
{
	if (tl_log_thread_start(write_line) < 0)
		g_warning("log: no thread of its own, so calls wait for whoever reads it");
}

void tl_log_end(void)
{
	tl_log_thread_end(END_PATIENCE_US);
}

bool tl_log_allow(struct tl_log_limit *limit, unsigned *ret_skipped)
{
	int64_t now_us = g_get_monotonic_time();

	if (now_us < limit->next_us) {
		limit->skipped++;
		return false;
	}
	*ret_skipped = limit->skipped;
	limit->skipped = 0;
	limit->next_us = now_us + LIMIT_INTERVAL_US;
	return true;
}
