/* Authorities that many trust are read once, and again when their file is another one. */
#include "b2bua/sip/tls_priv.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static X509 *make_authority(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
				   -1, 0);
	X509_set_issuer_name(cert, subject);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
	EVP_PKEY_free(key);
	return cert;
}

/* As a renewal does: a new file in the place of the old one. */
static void write_authorities(const char *path, int n)
{
	g_autofree char *fresh = g_strconcat(path, ".new", NULL);
	FILE *file = g_fopen(fresh, "w");

	cr_assert_not_null(file);
	for (int i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("Authority %d", i);
		X509 *cert = make_authority(name);

		PEM_write_X509(file, cert);
		X509_free(cert);
	}
	fclose(file);
	cr_assert_eq(g_rename(fresh, path), 0);
}

static int count(X509_STORE *store)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

Test(tls_authorities, are_shared_until_their_file_is_another_one)
{
	g_autofree char *path = NULL;
	X509_STORE *first, *second, *renewed;

	close(g_file_open_tmp(NULL, &path, NULL));
	write_authorities(path, 1);
	first = tl_tls_authorities(path);
	second = tl_tls_authorities(path);
	cr_assert_not_null(first);
	cr_expect_eq(first, second);
	cr_expect_eq(count(first), 1);
	write_authorities(path, 3);
	renewed = tl_tls_authorities(path);
	cr_assert_not_null(renewed);
	cr_expect_eq(count(renewed), 3);
	cr_expect_eq(count(first), 1, "who has it keeps it");
	g_unlink(path);
	cr_expect_null(tl_tls_authorities(path), "a file that is gone");
	X509_STORE_free(first);
	X509_STORE_free(second);
	X509_STORE_free(renewed);
	tl_tls_forget_authorities();
}

Test(tls_authorities, of_the_system_are_shared_too)
{
	X509_STORE *first = tl_tls_authorities(NULL), *second = tl_tls_authorities(NULL);

	cr_assert_not_null(first);
	cr_expect_eq(first, second);
	X509_STORE_free(first);
	X509_STORE_free(second);
	tl_tls_forget_authorities();
}
