#pragma once
/*
 * Event packages: one row for each event that may be subscribed to, with the
 * function that writes an extension's state as a body. Pure; any thread.
 */
#include <glib.h>
#include <stdbool.h>
#include "b2bua/event/publication.h"
#include "b2bua/registrar/registrar.h"

/* What makes a package's state change: bits. */
enum tl_event_origin {
	TL_ORIGIN_CALLS = 1,     /* the extension's calls */
	TL_ORIGIN_BINDINGS = 2,  /* its registrations */
	TL_ORIGIN_PUBLISHED = 4, /* a PUBLISH of this event, or a trunk's NOTIFY */
};

enum { TL_SUBJECT_BINDINGS = 16 };

/* All that is known of a watched extension; lent. */
struct tl_event_subject {
	const char *extension, *domain;
	const char *uri;        /* "sip:1001@pbx.example.net" */
	bool with_numbers;      /* watchers see with whom it talks */
	bool with_names;        /* and how to take a call that rings there (RFC 3891) */
	const GPtrArray *calls; /* struct tl_board_entry, or NULL */
	struct tl_binding bindings[TL_SUBJECT_BINDINGS];
	size_t n_bindings;
	const struct tl_publication *published[TL_PUBLICATIONS_EACH]; /* newest first */
	size_t n_published;
};

struct tl_package {
	const char *name, *content_type;
	unsigned origins;
	unsigned pace_ms; /* a subscription hears of changes no faster */
	bool own;         /* an extension hears of itself only */
	bool versioned;   /* the body bears the number of the NOTIFY */
	bool published;   /* there is a PUBLISH for it */
	/* The whole state; the caller frees it with g_free(). */
	char *(*write)(const struct tl_event_subject *subject, unsigned version);
};

/* NULL: none of that name. */
const struct tl_package *tl_package_find(const char *name);
/* i from 0; NULL: no more. */
const struct tl_package *tl_package_at(size_t i);
#define TL_ALLOW_EVENTS "presence, dialog, message-summary, reg"

/* One file each. */
char *tl_presence_write(const struct tl_event_subject *subject, unsigned version);
char *tl_dialog_info_write(const struct tl_event_subject *subject, unsigned version);
char *tl_message_summary_write(const struct tl_event_subject *subject, unsigned version);
char *tl_reg_info_write(const struct tl_event_subject *subject, unsigned version);
