#pragma once
/*
 * Presence documents (PIDF, RFC 3863, with the activities of RPID, RFC 4480).
 * A document that a phone publishes is read for what is known here, and watchers get
 * one written anew: nothing hostile crosses from one phone to another, and what
 * several phones of an extension publish becomes one document. Pure; any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TL_PIDF_BYTES = 16384, /* a longer document is not read */
	TL_PIDF_TUPLES = 8,    /* more are left out */
	TL_PIDF_NOTES = 4,
	TL_PIDF_TEXT_BYTES = 256, /* of a note or a URI; a longer one is cut or left out */
	TL_PIDF_DEPTH = 16,
};

struct tl_pidf_tuple {
	bool open;
	char *contact; /* URI, or NULL */
	char *note;    /* or NULL */
};

struct tl_pidf {
	struct tl_pidf_tuple tuples[TL_PIDF_TUPLES];
	size_t n_tuples;
	char *notes[TL_PIDF_NOTES];
	size_t n_notes;
	uint32_t activities; /* a bit for each that RPID knows */
};

/* A bit of activities by its element's name ("on-the-phone"); 0: none. */
uint32_t tl_pidf_activity(const char *name);

/* -EBADMSG: no PIDF, or not well-formed; -E2BIG: too long or too deep. Namespaces are not
 * looked up: an element is known by its local name. */
int tl_pidf_parse(const char *text, size_t bytes, struct tl_pidf **ret_pidf);
void tl_pidf_free(struct tl_pidf *pidf); /* NULL ok */

struct tl_pidf_facts {
	const char *entity; /* URI of whom it is about */
	bool registered;    /* tells whether he is there when nothing is published */
	bool on_the_phone;
	const struct tl_pidf *const *published; /* newest first */
	size_t n_published;
};
/* The document; the caller frees it with g_free(). */
char *tl_pidf_write(const struct tl_pidf_facts *facts);
