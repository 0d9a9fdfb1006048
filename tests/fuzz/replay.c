/*
 * main() of a fuzzer where libFuzzer is not: feeds the fuzz target the empty
 * input, then each file named, and each file of each folder named, by name.
 *
 *     fuzz_ini tests/fuzz/corpus/ini      what ctest runs
 *     fuzz_ini crash-5ba93c9d             one input again, under a debugger
 *
 * Exit status 0: all went through; 1: a file could not be read, or a folder
 * held none (a corpus that is not found must not look like one that passes).
 */
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int replay_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree uint8_t *exact = NULL;
	gsize bytes;

	if (!g_file_get_contents(path, &text, &bytes, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return -EIO;
	}
	if (bytes == 0)
		return 1; /* main() has fed that one */
	/* GLib puts a NUL behind the file: an exact copy lets sanitizers see a read past the end.
	 */
	exact = g_memdup2(text, bytes);
	LLVMFuzzerTestOneInput(exact, bytes);
	return 1;
}

static int by_name(const void *a, const void *b)
{
	return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

/* How many files went through, or -errno. */
static int replay_folder(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	if (!dir) {
		fprintf(stderr, "%s\n", error->message);
		return -ENOENT;
	}
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(files, g_build_filename(path, name, NULL));
	g_ptr_array_sort(files, by_name);
	for (guint i = 0; i < files->len; i++) {
		int r = replay_file(g_ptr_array_index(files, i));

		if (r < 0)
			return r;
	}
	return (int)files->len;
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	int total = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		bool folder = g_file_test(argv[i], G_FILE_TEST_IS_DIR);
		int r = folder ? replay_folder(argv[i]) : replay_file(argv[i]);

		if (r <= 0) {
			fprintf(stderr, "%s: nothing replayed\n", argv[i]);
			return 1;
		}
		total += r;
	}
	printf("%d inputs replayed\n", total);
	return 0;
}
