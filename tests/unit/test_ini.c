#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>
#include "dialplan/dialplan.h"
#include "dialplan/text/ini.h"

/* What the reader makes of text: "[kind name]" and "key=value@line:column", a line each,
 * then the mistakes. */
static char *read_back(const char *text, size_t bytes, const char *dir)
{
	struct tl_pool *pool = tl_pool_new();
	struct tl_diags *diags = tl_diags_new();
	GString *out = g_string_new(NULL);
	struct tl_ini ini;

	tl_ini_init(&ini, pool, diags);
	tl_ini_read_text(&ini, text, bytes, "t", dir);
	for (unsigned i = 0; i < ini.sections->len; i++) {
		const struct tl_ini_section *s =
			&g_array_index(ini.sections, struct tl_ini_section, i);

		g_string_append_printf(out, "[%s|%s]\n", s->kind, s->name);
		for (size_t k = 0; k < s->n; k++) {
			const struct tl_value *v =
				&g_array_index(ini.entries, struct tl_value, s->first + k);

			g_string_append_printf(out, "%s=%s@%u:%u\n", v->key, v->text, v->at.line,
					       v->at.column);
		}
	}
	tl_diags_close(diags);
	for (size_t i = 0; i < tl_diags_count(diags); i++)
		g_string_append_printf(out, "! %s\n", tl_diags_text(diags, i));
	tl_ini_done(&ini);
	tl_diags_free(diags);
	tl_pool_free(pool);
	return g_string_free(out, FALSE);
}

static const struct {
	const char *why, *text, *read;
} cases[] = {
	{ "nothing", "", "" },
	{ "a section and a line", "[a b]\nk = v\n", "[a|b]\nk=v@2:5\n" },
	{ "no line end at the end", "[a]\nk=v", "[a|]\nk=v@2:3\n" },
	{ "CRLF", "[a]\r\nk = v\r\n", "[a|]\nk=v@2:5\n" },
	{ "a byte order mark", "\xef\xbb\xbf[a]\n", "[a|]\n" },
	{ "indented", "  [a]\n\tk = v  \n", "[a|]\nk=v@2:6\n" },
	{ "comments", "; one\n# two\n[a] ; three\nk = v ; four\n", "[a|]\nk=v@4:5\n" },
	{ "';' within a word is itself", "[a]\nk = a;b\n", "[a|]\nk=a;b@2:5\n" },
	{ "'#' in a value is itself", "[a]\nk = *9 #\n", "[a|]\nk=*9 #@2:5\n" },
	{ "'=' in a value is itself", "[a]\nk = a=b\n", "[a|]\nk=a=b@2:5\n" },
	{ "';' in quotes is itself", "[a]\nk = \"a ; b\" ; c\n", "[a|]\nk=\"a ; b\"@2:5\n" },
	{ "in the quotes of an item", "[a]\nk = x, \"a ; b\" ; c\n", "[a|]\nk=x, \"a ; b\"@2:5\n" },
	{ "a quote in a word is itself", "[a]\nk = a\"b ; c\n", "[a|]\nk=a\"b@2:5\n" },
	{ "a quote that never closes", "[a]\nk = \"b ; c\n",
	  "[a|]\n! t:2:5: the quote is not closed: it ends with \" before a comma, white space or "
	  "the end of the line\n" },
	{ "Windows' own kind of text", "\xff\xfe[", "! t:1:1: UTF-16, expected UTF-8\n" },
	{ "names of many words", "[a  b c ]\n", "[a|b c]\n" },
	{ "no key", "[a]\n= v\n", "[a|]\n! t:2:1: expected \"key = value\" or \"[section]\"\n" },
	{ "no equals sign", "[a]\npassword secret\n",
	  "[a|]\n! t:2:1: expected \"key = value\" or \"[section]\"\n" },
	{ "no value", "[a]\nk =\n",
	  "[a|]\n! t:2:1: \"k\" has no value: give one, or leave the line out\n" },
	{ "a comment is no value", "[a]\nk = ; c\n",
	  "[a|]\n! t:2:1: \"k\" has no value: give one, or leave the line out\n" },
	{ "a key before sections", "k = v\n[a]\n",
	  "[a|]\n! t:1:1: only include may stand before the first [section]\n" },
	{ "a broken header, whose lines are skipped", "[a\nk = v\n[b]\n",
	  "[b|]\n! t:1:1: expected \"]\" at the end of a section's line\n" },
	{ "text behind a header", "[a] k = v\n",
	  "! t:1:1: expected \"]\" at the end of a section's line\n" },
	{ "a control character", "[a]\nk = \x1b[2J\n", "[a|]\n! t:2:5: control character 0x1b\n" },
	{ "not UTF-8", "[a]\nk = M\xfcller\n", "[a|]\n! t:2:6: not UTF-8\n" },
	{ "UTF-8", "[a]\nk = M\xc3\xbcller\n", "[a|]\nk=M\xc3\xbcller@2:5\n" },
	{ "keys are quoted safely", "[a]\nk\xe2\x80\xaex =\n",
	  "[a|]\n! t:2:1: \"k\\u202ex\" has no value: give one, or leave the line out\n" },
	{ "include elsewhere is a key like any other", "[a]\ninclude = x\n",
	  "[a|]\ninclude=x@2:11\n" },
	{ "include without a place to start from", "[gateway]\ninclude = x\n",
	  "[gateway|]\n! t:2:1: include needs a file to start from\n" },
};

Test(ini, reads_lines)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *read = read_back(cases[i].text, strlen(cases[i].text), NULL);

		cr_expect_str_eq(read, cases[i].read, "%s: %s", cases[i].why, read);
	}
}

Test(ini, a_nul_ends_no_text)
{
	static const char text[] = "[a]\nk = a\0b\nl = c\n";
	g_autofree char *read = read_back(text, sizeof(text) - 1, NULL);

	cr_expect_str_eq(read, "[a|]\nl=c@3:5\n! t:2:6: control character 0x00\n");
}

Test(ini, has_limits)
{
	g_autoptr(GString) text = g_string_new("[a]\nk = ");
	g_autofree char *long_line = NULL, *many = NULL;

	for (int i = 0; i < TL_INI_LINE_BYTES; i++)
		g_string_append_c(text, 'x');
	g_string_append(text, "\nl = v\n");
	long_line = read_back(text->str, text->len, NULL);
	cr_expect_str_eq(long_line,
			 "[a|]\nl=v@3:5\n! t:2:1: line of 16388 bytes; at most 16384 are read\n");

	g_string_truncate(text, 0);
	for (int i = 0; i < 1000000; i++)
		g_string_append(text, "[]\n");
	many = read_back(text->str, text->len, NULL);
	cr_expect(g_str_has_suffix(many, "! t:250001:1: more than 250000 sections\n"));
}

Test(ini, cuts_lists)
{
	static const struct {
		const char *text, *items;
	} lists[] = {
		{ "a", "a@1" },           { "a,b", "a@1 b@3" }, { " a , b ", "a@2 b@6" },
		{ "a,,b", "a@1 @3 b@4" }, { "a,", "a@1 @3" },   { "\"a,b\", c", "\"a,b\"@1 c@8" },
		{ "\"a,b", "\"a@1 b@4" }, { "\"\"", "\"\"@1" }, { "a b, c d", "a b@1 c d@6" },
	};
	struct tl_pool *pool = tl_pool_new();

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		struct tl_value rest = { .text = lists[i].text, .at.column = 1 }, item;
		g_autoptr(GString) items = g_string_new(NULL);

		while (tl_value_next(pool, &rest, &item))
			g_string_append_printf(items, "%s%s@%u", items->len ? " " : "", item.text,
					       item.at.column);
		cr_expect_str_eq(items->str, lists[i].items);
	}
	tl_pool_free(pool);
}

/* A directory of files, gone with files_done(). */
struct files {
	char *dir;
	GPtrArray *paths;
};

static void files_init(struct files *files)
{
	files->dir = g_dir_make_tmp(NULL, NULL);
	files->paths = g_ptr_array_new_with_free_func(g_free);
	cr_assert_not_null(files->dir);
}

static void file_add(struct files *files, const char *name, const char *text)
{
	char *path = g_build_filename(files->dir, name, NULL);
	g_autofree char *dir = g_path_get_dirname(path);

	g_mkdir_with_parents(dir, 0700);
	cr_assert(g_file_set_contents(path, text, -1, NULL));
	g_ptr_array_add(files->paths, path);
}

static void files_done(struct files *files)
{
	for (unsigned i = 0; i < files->paths->len; i++) {
		g_autofree char *dir = g_path_get_dirname(files->paths->pdata[i]);

		g_unlink(files->paths->pdata[i]);
		g_rmdir(dir);
	}
	g_rmdir(files->dir);
	g_ptr_array_unref(files->paths);
	g_free(files->dir);
}

/* The same as read_back, without the directory's name. */
static char *read_files(const struct files *files, const char *text)
{
	g_autofree char *read = read_back(text, strlen(text), files->dir);
	g_autofree char *prefix = g_strconcat(files->dir, "/", NULL);
	g_auto(GStrv) parts = g_strsplit(read, prefix, -1);

	return g_strjoinv("", parts);
}

Test(ini, includes_stand_after_their_section)
{
	struct files files;
	g_autofree char *read = NULL, *first = NULL;

	files_init(&files);
	file_add(&files, "one.ini", "[a]\nk = 1\n");
	file_add(&files, "d/b.ini", "include = c.ini\n[b]\n");
	file_add(&files, "d/a.ini", "[aa]\n");
	file_add(&files, "d/c.ini", "[c]\n");
	read = read_files(&files,
			  "[gateway]\ninclude = one.ini, d/[ab].ini, none/*.ini\nk = v\n[z]\n");
	cr_expect_str_eq(read, "[gateway|]\nk=v@3:5\n[a|]\nk=1@2:5\n[aa|]\n[c|]\n[b|]\n[z|]\n");
	first = read_files(&files, "include = one.ini\n[gateway]\n");
	cr_expect_str_eq(first, "[a|]\nk=1@2:5\n[gateway|]\n");
	files_done(&files);
}

Test(ini, includes_that_fail)
{
	struct files files;
	g_autofree char *read = NULL, *loop = NULL, *deep = NULL;

	files_init(&files);
	file_add(&files, "loop.ini", "include = loop.ini\n[l]\n");
	file_add(&files, "one.ini", "[a]\n");
	for (int i = 0; i < 9; i++) {
		g_autofree char *name = g_strdup_printf("deep%d.ini", i);
		g_autofree char *text = g_strdup_printf("include = deep%d.ini\n[d%d]\n", i + 1, i);

		file_add(&files, name, text);
	}
	read = read_files(&files, "include = one.ini, missing.ini, one.ini, ., \n");
	cr_expect_str_eq(read,
			 "[a|]\n"
			 "! t:1:20: \"missing.ini\" can't be read: No such file or directory\n"
			 "! t:1:33: \"one.ini\" is included a second time\n"
			 "! t:1:42: \".\" can't be read: Is a directory\n"
			 "! t:1:44: expected a file name\n",
			 "%s", read);
	loop = read_files(&files, "include = loop.ini\n");
	cr_expect_str_eq(loop, "[l|]\n! loop.ini:1:11: \"loop.ini\" includes itself\n");
	deep = read_files(&files, "include = deep0.ini\n");
	cr_expect(strstr(deep, "! deep7.ini:1:1: more than 8 includes within one another\n"), "%s",
		  deep);
	files_done(&files);
}

Test(ini, an_empty_file_holds_nothing)
{
	struct files files;
	g_autofree char *read = NULL;

	files_init(&files);
	file_add(&files, "empty.ini", "");
	read = read_files(&files, "include = empty.ini\n[a]\n");
	cr_expect_str_eq(read, "[a|]\n", "%s", read);
	files_done(&files);
}

Test(ini, devices_and_fifos_are_no_files)
{
	struct files files;
	g_autofree char *fifo = NULL, *read = NULL;

	files_init(&files);
	fifo = g_build_filename(files.dir, "fifo", NULL);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	read = read_files(&files, "include = fifo, /dev/zero\n");
	cr_expect_str_eq(
		read, "! t:1:11: \"fifo\" is not a file\n! t:1:17: \"/dev/zero\" is not a file\n");
	g_unlink(fifo);
	files_done(&files);
}

Test(ini, a_glob_starts_from_the_very_directory)
{
	struct files outer, files;
	g_autofree char *read = NULL;

	files_init(&outer);
	file_add(&outer, "[x]/a.ini", "[a]\n");
	files = (struct files) { .dir = g_build_filename(outer.dir, "[x]", NULL) };
	read = read_back("include = *.ini\n", 16, files.dir);
	cr_expect_str_eq(read, "[a|]\n");
	g_free(files.dir);
	files_done(&outer);
}

static const char *const names[] = { "carrier", "backup", "1001", "1002", "codecs" };

Test(ini, suggests_what_is_near)
{
	static const struct {
		const char *word, *nearest;
	} words[] = {
		{ "carier", "carrier" },
		{ "carrire", "carrier" },
		{ "bakcup", "backup" },
		{ "1003", "1001" },
		{ "codec", "codecs" },
		{ "zebra", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "carrier-of-another-kind", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const char *nearest = tl_suggest(words[i].word, names, G_N_ELEMENTS(names));

		cr_expect_str_eq(nearest ? nearest : "-", words[i].nearest ? words[i].nearest : "-",
				 "%s", words[i].word);
	}
}
