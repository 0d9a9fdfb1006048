#include "media/rtp/source.h"

#include <stddef.h>

#include "media/fetch.h"

enum {
	FIRST_MOMENTS_US = 3000000,
	LEAVING_US = 2000000, /* packets on their way when the other side moved */
};

void tl_source_announce(struct tl_source *source, const union tl_address *address, int64_t now_us)
{
	if (!tl_address_is_set(address) || tl_address_is_wildcard(address) ||
	    tl_address_equal(address, &source->announced))
		return;
	source->announced = *address;
	source->announced_us = now_us;
	if (tl_address_equal(address, &source->latched))
		return;
	source->left = source->latched;
	source->latched = (union tl_address) { 0 };
}

static enum tl_source_verdict latch(struct tl_source *source, const union tl_address *from,
				    int64_t now_us)
{
	source->latched = *from;
	source->latched_us = now_us;
	return TL_SOURCE_LATCHED;
}

TL_ASIDE static enum tl_source_verdict judge(struct tl_source *source, const union tl_address *from,
					     int64_t now_us)
{
	if (!tl_address_is_set(&source->latched)) {
		if (tl_address_equal(from, &source->left) &&
		    now_us - source->announced_us < LEAVING_US)
			return TL_SOURCE_STRANGER;
		return latch(source, from, now_us);
	}
	if (tl_address_equal(from, &source->announced) &&
	    now_us - source->latched_us < FIRST_MOMENTS_US)
		return latch(source, from, now_us);
	return TL_SOURCE_STRANGER;
}

TL_HOT(packet)
enum tl_source_verdict tl_source_check(struct tl_source *source, const union tl_address *from,
				       int64_t now_us)
{
	return tl_address_equal(from, &source->latched) ? TL_SOURCE_KNOWN
							: judge(source, from, now_us);
}

bool tl_source_is_settled(const struct tl_source *source, int64_t now_us)
{
	return tl_address_is_set(&source->latched) &&
	       (tl_address_equal(&source->latched, &source->announced) ||
		now_us - source->latched_us >= FIRST_MOMENTS_US);
}

const union tl_address *tl_source_destination(const struct tl_source *source)
{
	if (tl_address_is_set(&source->latched))
		return &source->latched;
	return tl_address_is_set(&source->announced) ? &source->announced : NULL;
}
