/* Files for the INI reader: those that are named, and those that a glob finds. */
#include "dialplan/text/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, GByteArray *ret_text)
{
	guint8 block[65536];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret_text->len + n > TL_INI_FILE_BYTES)
			return -EFBIG;
		g_byte_array_append(ret_text, block, n);
	}
	return 0;
}

static int open_regular(const char *path, struct stat *ret_stat)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not hold us up */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_stat) < 0)
		r = -errno;
	else if (S_ISDIR(ret_stat->st_mode))
		r = -EISDIR;
	else if (!S_ISREG(ret_stat->st_mode))
		r = -EINVAL;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static unsigned add_file(struct tl_ini *ini, const struct tl_ini_file *file)
{
	g_array_append_val(ini->files, *file);
	return ini->files->len - 1;
}

static void set_open(struct tl_ini *ini, unsigned file_order, bool open)
{
	g_array_index(ini->files, struct tl_ini_file, file_order).open = open;
}

/* -ELOOP: it is being read already; -EEXIST: it was read before. */
static int check_new(const struct tl_ini *ini, const struct stat *st)
{
	for (unsigned i = 0; i < ini->files->len; i++) {
		const struct tl_ini_file *file = &g_array_index(ini->files, struct tl_ini_file, i);

		if (file->device == st->st_dev && file->inode == st->st_ino)
			return file->open ? -ELOOP : -EEXIST;
	}
	return 0;
}

int tl_ini_read_file(struct tl_ini *ini, const char *path, unsigned depth)
{
	g_autoptr(GByteArray) text = g_byte_array_new();
	g_autofree char *dir = g_path_get_dirname(path);
	struct tl_ini_file file = { 0 };
	struct stat st;
	unsigned order;
	int fd, r;

	fd = open_regular(path, &st);
	if (fd < 0)
		return fd;
	r = check_new(ini, &st);
	if (r == 0)
		r = read_all(fd, text);
	close(fd);
	if (r < 0)
		return r;

	file.path = tl_pool_strdup(ini->pool, path);
	file.dir = tl_pool_strdup(ini->pool, dir);
	file.device = st.st_dev;
	file.inode = st.st_ino;
	file.shared = st.st_mode & 0006;
	order = add_file(ini, &file);
	set_open(ini, order, true);
	tl_ini_read(ini, text->len ? (const char *)text->data : "", text->len, order, depth);
	set_open(ini, order, false);
	return 0;
}

void tl_ini_read_text(struct tl_ini *ini, const char *text, size_t bytes, const char *name,
		      const char *dir)
{
	struct tl_ini_file file = { 0 };

	file.path = tl_pool_strdup(ini->pool, name);
	file.dir = dir ? tl_pool_strdup(ini->pool, dir) : NULL;
	tl_ini_read(ini, text, bytes, add_file(ini, &file), 0);
}

static void include_file(struct tl_ini *ini, const struct tl_value *item, const char *path,
			 unsigned depth)
{
	g_autofree char *quoted = tl_quote(path);
	int r;

	if (ini->files->len >= TL_INI_FILES) {
		if (!ini->full)
			tl_diags_add(ini->diags, &item->at, "more than %d files", TL_INI_FILES);
		ini->full = true;
		return;
	}
	r = tl_ini_read_file(ini, path, depth + 1);
	if (r == -ELOOP)
		tl_diags_add(ini->diags, &item->at, "%s includes itself", quoted);
	else if (r == -EEXIST)
		tl_diags_add(ini->diags, &item->at, "%s is included a second time", quoted);
	else if (r == -EINVAL)
		tl_diags_add(ini->diags, &item->at, "%s is not a file", quoted);
	else if (r < 0)
		tl_diags_add(ini->diags, &item->at, "%s can't be read: %s", quoted, g_strerror(-r));
}

/* dir as a glob pattern that matches itself only. */
static char *glob_escape(const char *dir)
{
	GString *out = g_string_new(NULL);

	for (const char *c = dir; *c; c++) {
		if (strchr("*?[\\", *c))
			g_string_append_c(out, '\\');
		g_string_append_c(out, *c);
	}
	return g_string_free(out, FALSE);
}

static void include_glob(struct tl_ini *ini, const struct tl_value *item, const char *pattern,
			 unsigned depth)
{
	glob_t found = { 0 };
	int r;

	errno = 0;
	r = glob(pattern, GLOB_ERR, NULL, &found);
	if (r != 0 && errno == EACCES) {
		g_autofree char *quoted = tl_quote(pattern);

		tl_diags_add(ini->diags, &item->at, "%s can't be searched: %s", quoted,
			     g_strerror(EACCES));
	}
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		include_file(ini, item, found.gl_pathv[i], depth);
	globfree(&found);
}

static void include_item(struct tl_ini *ini, const struct tl_value *item, unsigned depth)
{
	const char *name = tl_value_unquote(ini->pool, item);
	const char *dir = g_array_index(ini->files, struct tl_ini_file, item->at.file_order).dir;
	g_autofree char *base = NULL, *path = NULL;
	bool is_glob = strpbrk(name, "*?[");

	if (!*name) {
		tl_diags_add(ini->diags, &item->at, "expected a file name");
		return;
	}
	base = is_glob ? glob_escape(dir) : g_strdup(dir);
	if (strcmp(dir, ".") == 0)
		path = g_strdup(name);
	else
		path = g_path_is_absolute(name) ? g_strdup(name)
						: g_build_filename(base, name, NULL);
	if (is_glob)
		include_glob(ini, item, path, depth);
	else
		include_file(ini, item, path, depth);
}

void tl_ini_include(struct tl_ini *ini, const struct tl_value *value, unsigned depth)
{
	struct tl_value rest = *value, item;

	if (!g_array_index(ini->files, struct tl_ini_file, value->at.file_order).dir) {
		tl_diags_add(ini->diags, &value->key_at, "include needs a file to start from");
		return;
	}
	if (depth + 1 > TL_INI_DEPTH) {
		tl_diags_add(ini->diags, &value->key_at, "more than %d includes within one another",
			     TL_INI_DEPTH);
		return;
	}
	while (!ini->full && tl_value_next(ini->pool, &rest, &item))
		include_item(ini, &item, depth);
}
