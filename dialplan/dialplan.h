#pragma once
/*
 * dialplan/: configuration and routing. Text in, decision out; pure. Nothing
 * here opens a socket, starts a thread or reads a clock; only
 * tl_dialplan_load() reads files.
 *
 * A struct tl_dialplan is one immutable snapshot of the whole configuration.
 * A reload loads a second one and swaps the pointer; calls in progress keep
 * theirs through the decision that they hold. References may be taken and
 * dropped on any thread.
 */
#include <stdio.h>
#include "dialplan/decision.h"
#include "dialplan/facts.h"
#include "dialplan/settings.h"

struct tl_dialplan;

/* Mistakes found while loading, in file order. */
struct tl_diags;
size_t tl_diags_count(const struct tl_diags *diags);
/* "file:line:column: what is wrong, what was expected (did you mean …?)";
 * lent until tl_diags_free(). */
const char *tl_diags_text(const struct tl_diags *diags, size_t i);
void tl_diags_free(struct tl_diags *diags); /* NULL ok */

/*
 * Reads the file and all that it includes, checks every value and name, and
 * runs its [expect] sections. On any mistake nothing is loaded: returns
 * -EINVAL (or -errno when the first file can't be read) and gives the caller
 * every mistake in *ret_diags, which the caller frees. On success 0, and
 * *ret_diags is NULL.
 */
int tl_dialplan_load(const char *path, struct tl_dialplan **ret_dialplan,
		     struct tl_diags **ret_diags);
/* The same from memory; name stands in for the file's name in messages, and
 * relative includes and paths are sought in dir (NULL: include is a mistake).
 * text need not end in NUL. */
int tl_dialplan_parse(const char *text, size_t bytes, const char *name, const char *dir,
		      struct tl_dialplan **ret_dialplan, struct tl_diags **ret_diags);

/*
 * Where a gateway that has loaded this file takes orders ([gateway] control), whatever mistakes
 * have come into the file since; the default where it does not say so in a way that can be read.
 * *ret_control is the caller's, to free. -errno: the file can't be read.
 */
int tl_dialplan_control(const char *path, char **ret_control);

/* What was loaded but deserves a word in the log: how many, and each as
 * tl_diags_text() gives it; lent while dp is held. */
size_t tl_dialplan_warnings(const struct tl_dialplan *dp);
const char *tl_dialplan_warning(const struct tl_dialplan *dp, size_t i);

struct tl_dialplan *tl_dialplan_ref(struct tl_dialplan *dp);
void tl_dialplan_unref(struct tl_dialplan *dp); /* NULL ok */

const struct tl_gateway *tl_dialplan_gateway(const struct tl_dialplan *dp);
const struct tl_trunk_cfg *tl_dialplan_trunks(const struct tl_dialplan *dp, size_t *ret_n);
const struct tl_extension_cfg *tl_dialplan_extensions(const struct tl_dialplan *dp, size_t *ret_n);
/* By name, in constant time; NULL: no such section. */
const struct tl_trunk_cfg *tl_dialplan_trunk(const struct tl_dialplan *dp, const char *name);
const struct tl_extension_cfg *tl_dialplan_extension(const struct tl_dialplan *dp,
						     const char *number);
/* The trunk that may call with this name, if it proves its allow_password. NULL: none. */
const struct tl_trunk_cfg *tl_dialplan_trunk_by_user(const struct tl_dialplan *dp,
						     const char *user);
/* The trunk that may call from this address: the longest matching allow entry.
 * A trunk without allow admits its own host when that is an IP literal. Of several
 * such entries that are equally long, the trunk whose port the call comes from is
 * taken, else the first in the file. */
const struct tl_trunk_cfg *tl_dialplan_trunk_by_address(const struct tl_dialplan *dp,
							const struct sockaddr *addr);

/*
 * Asks which route takes the call: the first in file order whose conditions
 * all hold. 0: *ret_decision is the caller's, to free. -ENOENT: no route takes
 * it (SIP 404). An extension's own number needs no route: a call from an
 * extension to one that no route took rings it.
 */
int tl_dialplan_decide(struct tl_dialplan *dp, const struct tl_facts *facts,
		       struct tl_decision **ret_decision);
/*
 * What follows (decision->on_busy and the like) as a decision of its own: with another
 * route, whatever its conditions, or a refusal, an announcement, a redirection.
 * -ENOENT: the route rings the extension dialled, and there is none of that number; or the
 * kind is TL_FOLLOW_NONE.
 */
int tl_dialplan_follow(struct tl_dialplan *dp, const struct tl_follow *follow,
		       const struct tl_facts *facts, struct tl_decision **ret_decision);
void tl_decision_free(struct tl_decision *decision); /* NULL ok */

/*
 * What a reload changes: a line a section that was added, removed or changed ("[trunk carrier]
 * changed: host, password"); names only, so that no secret is told. [expect] sections don't
 * count. Ends with NULL; g_strfreev().
 */
char **tl_dialplan_diff(const struct tl_dialplan *old, const struct tl_dialplan *fresh);

/* Prints, for a call, each route considered with the first condition that
 * failed, and what the winner would do. */
void tl_dialplan_explain(struct tl_dialplan *dp, const struct tl_facts *facts, FILE *out);

/* "trunk:carrier" or "extension:1001" or "1001" -> kind and name (lent from
 * text). -EINVAL: neither. */
int tl_source_parse(const char *text, enum tl_source_kind *ret_kind, const char **ret_name);
/* "2026-11-23 10:00[:00][ ZONE]" -> Unix time; ZONE as in "Europe/Berlin", without it
 * local time of the machine. -EINVAL: not so. */
int tl_time_parse(const char *text, int64_t *ret_at_s);
