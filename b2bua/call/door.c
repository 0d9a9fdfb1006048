#include "b2bua/call/door.h"
#include <glib.h>
#include "b2bua/call/limits.h"

enum {
	BURST_S = 10, /* a house full of phones after a power cut */
	SOURCES = 16384,
};

struct tl_door {
	unsigned per_s;
	struct tl_limits *requests; /* that are looked at; NULL: all */
	struct tl_limits *refusals; /* that the others are worth */
};

static struct tl_limits *make_limits(unsigned per_s)
{
	return tl_limits_new(&(struct tl_limits_cfg) {
		.per_s = per_s, .burst = per_s * BURST_S, .sources = SOURCES });
}

static void clear(struct tl_door *door)
{
	g_clear_pointer(&door->requests, tl_limits_free);
	g_clear_pointer(&door->refusals, tl_limits_free);
}

void tl_door_configure(struct tl_door *door, unsigned per_s)
{
	if (door->per_s == per_s)
		return;
	clear(door);
	door->per_s = per_s;
	if (per_s == 0)
		return;
	door->requests = make_limits(per_s);
	door->refusals = make_limits(per_s);
}

struct tl_door *tl_door_new(unsigned per_s)
{
	struct tl_door *door = g_new0(struct tl_door, 1);

	tl_door_configure(door, per_s);
	return door;
}

void tl_door_free(struct tl_door *door)
{
	if (!door)
		return;
	clear(door);
	g_free(door);
}

enum tl_door_verdict tl_door_ask(struct tl_door *door, const struct sockaddr *source,
				 int64_t now_us)
{
	if (!door->requests || tl_limits_take(door->requests, source, now_us))
		return TL_DOOR_OPEN;
	return tl_limits_take(door->refusals, source, now_us) ? TL_DOOR_LATER : TL_DOOR_CLOSED;
}

void tl_door_forgive(struct tl_door *door, const struct sockaddr *source)
{
	if (door->requests)
		tl_limits_return(door->requests, source);
}
