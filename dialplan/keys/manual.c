#include "dialplan/manual.h"

#include <string.h>
#include "dialplan/text/value.h"

enum { SAMPLE_COLUMNS = 90 };

const char *tl_manual_form_name(enum tl_manual_form form)
{
	static const char *const names[_TL_MANUAL_MAX] = {
		[TL_MANUAL_TABLE] = "table",
		[TL_MANUAL_SAMPLE] = "sample",
		[TL_MANUAL_MAN] = "man",
	};

	return form >= 0 && form < _TL_MANUAL_MAX ? names[form] : "invalid";
}

/* What a value of the key is: by the parser that reads it. */
static const struct {
	tl_parse_fn *parse;
	const char *type;
} types[] = {
	{ tl_parse_text, "text" },
	{ tl_parse_secret, "text" },
	{ tl_parse_ha1, "32 hex digits" },
	{ tl_parse_ha1_sha256, "64 hex digits" },
	{ tl_parse_token, "word" },
	{ tl_parse_path, "path" },
	{ tl_parse_flag, "yes or no" },
	{ tl_parse_record, "off, stereo or mono" },
	{ tl_parse_gain, "gain, such as -6dB" },
	{ tl_parse_loudness, "off, or a level such as -19dBm0" },
	{ tl_parse_codecs, "list of codecs" },
	{ tl_parse_listen, "list of transport:address:port" },
	{ tl_parse_host, "host[:port]" },
	{ tl_parse_port, "port" },
	{ tl_parse_port_range, "port-port" },
	{ tl_parse_transport, "transport" },
	{ tl_parse_transports, "list of transports" },
	{ tl_parse_advertise, "IP address" },
	{ tl_parse_cidrs, "list of addresses" },
	{ tl_parse_days, "hours" },
	{ tl_parse_closed, "list of dates" },
	{ tl_parse_open, "list of dates" },
	{ tl_parse_timezone, "time zone" },
	{ tl_parse_members, "list of names" },
	{ tl_parse_sources, "list of sources" },
	{ tl_parse_patterns, "list of patterns" },
	{ tl_parse_offers, "list of media" },
	{ tl_parse_header_test, "list of values" },
	{ tl_parse_header_names, "list of headers" },
	{ tl_parse_header_out, "template" },
	{ tl_parse_when, "list of hours" },
	{ tl_parse_play, "list of sound files" },
	{ tl_parse_ringback, "auto, none or sound file" },
	{ tl_parse_music, "sound file or none" },
	{ tl_parse_music_later, "sound file or none" },
	{ tl_parse_ring, "targets" },
	{ tl_parse_follow, "what follows" },
	{ tl_parse_answer, "echo" },
	{ tl_parse_reject, "status and reason" },
	{ tl_parse_redirects, "list of URIs and extensions" },
	{ tl_parse_number_text, "number" },
	{ tl_parse_template, "template" },
	{ tl_parse_caller, "template" },
	{ tl_parse_later, "expectation" },
	{ tl_parse_said, "expectation" },
	{ tl_parse_expect_header, "text" },
};

/* The caller frees it. */
static char *type_of(const struct tl_key *key)
{
	g_autofree char *words = key->words ? g_strjoinv(", ", (char **)key->words) : NULL;

	if (words)
		return g_strdup_printf("one of %s", words);
	if (!key->parse)
		return g_strdup(strcmp(key->name, "like") == 0 ? "name" : "list of files");
	if (key->parse == tl_parse_number)
		return g_strdup_printf("number %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, key->min,
				       key->max);
	if (key->parse == tl_parse_seconds)
		return g_strdup("time, such as 25s, 2m, 1h30m");
	if (key->parse == tl_parse_ms)
		return g_strdup("time, such as 100ms");
	if (key->parse == tl_parse_ms_range)
		return g_strdup("two times, such as 20ms-200ms");
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (types[i].parse == key->parse)
			return g_strdup(types[i].type);
	return g_strdup("text");
}

static void print_table(FILE *out)
{
	fputs("section\tkey\ttype\tdefault\thelp\n", out);
	for (int section = 0; section < _TL_SECTION_MAX; section++) {
		const struct tl_key *keys;
		size_t n;

		keys = tl_keys(section, &n);
		for (size_t i = 0; i < n; i++) {
			g_autofree char *type = type_of(&keys[i]);

			fprintf(out, "%s\t%s\t%s\t%s\t%s\n", tl_section_name(section), keys[i].name,
				type,
				keys[i].initial    ? keys[i].initial
				: keys[i].required ? "(required)"
						   : "-",
				keys[i].help);
		}
	}
}

/* Text as comment lines. */
static void print_comment(const char *text, FILE *out)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	size_t column = 0;

	for (size_t i = 0; words[i]; i++) {
		size_t n = g_utf8_strlen(words[i], -1);
		bool next_line = column && column + 1 + n > SAMPLE_COLUMNS;

		if (!column || next_line)
			fputs(next_line ? "\n;" : ";", out);
		column = !column || next_line ? 1 : column;
		fprintf(out, " %s", words[i]);
		column += 1 + n;
	}
	fputc('\n', out);
}

static void print_sample(FILE *out)
{
	for (int section = 0; section < _TL_SECTION_MAX; section++) {
		const char *name, *help = tl_section_help(section, &name);
		const struct tl_key *keys;
		size_t n;

		print_comment(help, out);
		fprintf(out, "%s[%s%s%s]\n", name ? ";" : "", tl_section_name(section),
			name ? " " : "", name ? name : "");
		keys = tl_keys(section, &n);
		for (size_t i = 0; i < n; i++) {
			fputc('\n', out);
			print_comment(keys[i].help, out);
			fprintf(out, ";%s = %s\n", keys[i].name,
				keys[i].initial ? keys[i].initial : keys[i].example);
		}
		fputc('\n', out);
	}
}

/* Text for roff: no hyphen breaks a word that is to be typed, no line is a request. */
static void print_roff(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (const char *c = text; *c; c++) {
		if (*c == '\\')
			fputs("\\e", out);
		else if (*c == '-')
			fputs("\\-", out);
		else
			fputc(*c, out);
	}
}

static const char man_head[] =
	".\\\" Written by `twinleg keys man`; see tests/support/write_keys.sh.\n"
	".TH TWINLEG.INI 5 \"\" \"Twinleg\" \"File formats\"\n"
	".SH NAME\n"
	"twinleg.ini \\- configuration of twinleg(8)\n"
	".SH SYNOPSIS\n"
	".I /etc/twinleg/twinleg.ini\n"
	".SH DESCRIPTION\n"
	"Sections state facts, each about one thing; nothing in the file is a step. The order of\n"
	"lines inside a section never matters. The order of\n"
	".B [route]\n"
	"sections does: the first whose conditions all hold takes the call.\n"
	".PP\n"
	".nf\n"
	"[section name]        ; a comment, as is a line that starts with ; or #\n"
	"key = value\n"
	".fi\n"
	".PP\n"
	"In double quotes, semicolons and commas are plain characters. Lists are separated by\n"
	"commas. Times have units: 500ms, 25s, 2m, 1h30m. Every section but\n"
	".B [gateway]\n"
	"has a name. In all but [gateway]\n"
	".BI \"like = \" NAME\n"
	"takes over what another of its kind says; what the section says itself wins.\n"
	".PP\n"
	"A file that holds passwords must not be open to others (mode 0640 or stricter):\n"
	"it is refused otherwise.\n"
	".B twinleg check\n"
	"finds every mistake in one run;\n"
	".B twinleg explain\n"
	"says what a call would meet. A running gateway reads its files again with\n"
	".BR \"twinleg reload\" ;\n"
	"with a mistake in them it goes on with what it had.\n";

static const char man_tail[] = ".SH SEE ALSO\n"
			       ".BR twinleg (8)\n";

static void print_man_key(const struct tl_key *key, FILE *out)
{
	g_autofree char *type = type_of(key);

	fputs(".TP\n.B ", out);
	print_roff(key->name, out);
	fputs("\n", out);
	print_roff(key->help, out);
	fputs(".\n.br\n", out);
	print_roff(type, out);
	if (key->initial || key->required) {
		fputs(key->initial ? "; default " : "; required", out);
		print_roff(key->initial ? key->initial : "", out);
	}
	if (!key->initial) {
		fputs("; example: ", out);
		print_roff(key->example, out);
	}
	fputs("\n", out);
}

static void print_man(FILE *out)
{
	fputs(man_head, out);
	for (int section = 0; section < _TL_SECTION_MAX; section++) {
		const char *example, *help = tl_section_help(section, &example);
		const struct tl_key *keys;
		size_t n;

		fprintf(out, ".SH [%s%s]\n", tl_section_name(section), example ? " NAME" : "");
		print_roff(help, out);
		fputs("\n", out);
		keys = tl_keys(section, &n);
		for (size_t i = 0; i < n; i++)
			print_man_key(&keys[i], out);
	}
	fputs(man_tail, out);
}

void tl_manual_print(enum tl_manual_form form, FILE *out)
{
	switch (form) {
	case TL_MANUAL_TABLE:
		print_table(out);
		break;
	case TL_MANUAL_SAMPLE:
		print_sample(out);
		break;
	case TL_MANUAL_MAN:
		print_man(out);
		break;
	case _TL_MANUAL_MAX:
	case _TL_MANUAL_INVALID:
		break;
	}
}
