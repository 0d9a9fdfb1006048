/*
 * Replaces (RFC 3891): a dialog named by its Call-ID and tags, as the one who is
 * asked sees them: to-tag is ours, from-tag the peer's.
 *
 *   Replaces: 425928@phone.example.org;to-tag=7743;from-tag=6472;early-only
 */
#include "b2bua/leg/leg_priv.h"
#include <errno.h>
#include <string.h>
#include <sofia-sip/sip_header.h>

enum { PARAMS_MAX = 8, PART_BYTES = 256 };

/* What may stand in a Call-ID or a tag, and go into a header again. */
static bool is_word(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n == 0 || n >= PART_BYTES)
		return false;
	for (; *text; text++)
		if (!g_ascii_isgraph(*text) || *text == ';' || *text == ',')
			return false;
	return true;
}

static void read_param(su_home_t *home, char *param, const char *own, const char *peers,
		       struct tl_replaces *replaces)
{
	char *value = strchr(param, '=');

	if (value)
		*value++ = '\0';
	g_strstrip(param);
	if (g_ascii_strcasecmp(param, "early-only") == 0)
		replaces->early_only = true;
	else if (value && g_ascii_strcasecmp(param, own) == 0)
		replaces->to_tag = su_strdup(home, g_strstrip(value));
	else if (value && g_ascii_strcasecmp(param, peers) == 0)
		replaces->from_tag = su_strdup(home, g_strstrip(value));
}

/* own, peers: the parameters with our tag and the peer's. */
static int parse(su_home_t *home, const char *text, const char *own, const char *peers,
		 struct tl_replaces *ret_replaces)
{
	g_auto(GStrv) parts = g_strsplit(text, ";", PARAMS_MAX);
	struct tl_replaces replaces = { 0 };

	if (!parts[0])
		return -EBADMSG;
	replaces.call_id = su_strdup(home, g_strstrip(parts[0]));
	for (char **part = parts + 1; *part; part++)
		read_param(home, *part, own, peers, &replaces);
	if (!is_word(replaces.call_id) || !is_word(replaces.to_tag) || !is_word(replaces.from_tag))
		return -EBADMSG;
	*ret_replaces = replaces;
	return 0;
}

int tl_replaces_parse(su_home_t *home, const char *text, struct tl_replaces *ret_replaces)
{
	return parse(home, text, "to-tag", "from-tag", ret_replaces);
}

/* RFC 4538 7; its tags are those of the one who is asked, as RFC 5589 6.1 shows. */
int tl_target_dialog_read(su_home_t *home, const sip_t *sip, struct tl_replaces *ret_target)
{
	const sip_unknown_t *h = sip->sip_unknown;

	while (h && g_ascii_strcasecmp(h->un_name, "Target-Dialog") != 0)
		h = h->un_next;
	if (!h)
		return 0;
	return !h->un_value || parse(home, h->un_value, "local-tag", "remote-tag", ret_target) < 0
		       ? -EBADMSG
		       : 1;
}

int tl_replaces_read(su_home_t *home, const sip_t *sip, struct tl_replaces *ret_replaces)
{
	const sip_replaces_t *header = sip->sip_replaces;

	if (!header)
		return 0;
	*ret_replaces = (struct tl_replaces) {
		.call_id = su_strdup(home, header->rp_call_id),
		.to_tag = su_strdup(home, header->rp_to_tag),
		.from_tag = su_strdup(home, header->rp_from_tag),
		.early_only = header->rp_early_only,
	};
	if (!is_word(ret_replaces->call_id) || !is_word(ret_replaces->to_tag) ||
	    !is_word(ret_replaces->from_tag))
		return -EBADMSG;
	return 1;
}

char *tl_replaces_format(const struct tl_replaces *replaces)
{
	return g_strdup_printf("%s;to-tag=%s;from-tag=%s%s", replaces->call_id, replaces->to_tag,
			       replaces->from_tag, replaces->early_only ? ";early-only" : "");
}

void tl_leg_names(const struct tl_leg *leg, struct tl_replaces *ret_names)
{
	*ret_names = (struct tl_replaces) {
		.call_id = leg->info.call_id,
		.to_tag = nta_leg_get_rtag(leg->dialog),
		.from_tag = nta_leg_get_tag(leg->dialog),
	};
}

struct tl_leg *tl_leg_find(struct tl_stack *stack, const struct tl_replaces *replaces)
{
	sip_replaces_t wanted[1];
	struct tl_leg *leg;
	nta_leg_t *dialog;

	sip_replaces_init(wanted);
	wanted->rp_call_id = replaces->call_id;
	wanted->rp_to_tag = replaces->to_tag;
	wanted->rp_from_tag = replaces->from_tag;
	dialog = nta_leg_by_replaces(stack->agent, wanted);
	leg = dialog ? (struct tl_leg *)nta_leg_magic(dialog, tl_leg_on_request) : NULL;
	return leg && leg->dialog == dialog ? leg : NULL;
}
