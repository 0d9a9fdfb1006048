/*
 * Authorities, read once for all who trust the same file: the system's are some 150 certificates,
 * which take a megabyte and tens of milliseconds of the signalling thread each time.
 */
#include <glib.h>
#include <sys/stat.h>
#include <openssl/x509.h>
#include "b2bua/sip/tls_priv.h"

struct authorities {
	struct stat as_read; /* of the file: another one is read anew */
	X509_STORE *store;
};

static GHashTable *by_file; /* path -> struct authorities; both owned */

static void forget(gpointer data)
{
	struct authorities *authorities = data;

	X509_STORE_free(authorities->store);
	g_free(authorities);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static X509_STORE *read_store(const char *file)
{
	X509_STORE *store = X509_STORE_new();
	int ok = file ? X509_STORE_load_file(store, file) : X509_STORE_set_default_paths(store);

	if (ok == 1)
		return store;
	X509_STORE_free(store);
	return NULL;
}

X509_STORE *tl_tls_authorities(const char *file)
{
	const char *path = file ? file : X509_get_default_cert_file();
	struct authorities *known = by_file ? g_hash_table_lookup(by_file, path) : NULL;
	struct stat now = { 0 };

	(void)stat(path, &now);
	if (!known || !is_same_file(&known->as_read, &now)) {
		X509_STORE *store = read_store(file);

		if (!store)
			return NULL;
		if (!by_file)
			by_file = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, forget);
		known = g_new0(struct authorities, 1);
		known->as_read = now;
		known->store = store;
		g_hash_table_insert(by_file, g_strdup(path), known);
	}
	X509_STORE_up_ref(known->store);
	return known->store;
}

void tl_tls_forget_authorities(void)
{
	g_clear_pointer(&by_file, g_hash_table_destroy);
}
