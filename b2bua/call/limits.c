#include "b2bua/call/limits.h"

#include <glib.h>
#include "b2bua/registrar/source_table.h"

struct bucket {
	double tokens;
	int64_t filled_us; /* tokens is true for this moment */
};

struct tl_limits {
	struct tl_limits_cfg cfg;
	struct tl_source_table *buckets;
};

struct tl_limits *tl_limits_new(const struct tl_limits_cfg *cfg)
{
	struct tl_limits *limits = g_new0(struct tl_limits, 1);

	limits->cfg = *cfg;
	limits->buckets = tl_source_table_new(sizeof(struct bucket), cfg->sources);
	return limits;
}

void tl_limits_free(struct tl_limits *limits)
{
	if (!limits)
		return;
	tl_source_table_free(limits->buckets);
	g_free(limits);
}

bool tl_limits_take(struct tl_limits *limits, const struct sockaddr *source, int64_t now_us)
{
	int made;
	struct bucket *bucket = tl_source_table_touch(limits->buckets, source, &made);

	if (made)
		bucket->tokens = limits->cfg.burst;
	else
		bucket->tokens +=
			(double)(now_us - bucket->filled_us) * limits->cfg.per_s / G_USEC_PER_SEC;
	bucket->tokens = MIN(bucket->tokens, (double)limits->cfg.burst);
	bucket->filled_us = now_us;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}

void tl_limits_return(struct tl_limits *limits, const struct sockaddr *source)
{
	struct bucket *bucket = tl_source_table_find(limits->buckets, source);

	if (bucket)
		bucket->tokens = MIN(bucket->tokens + 1, (double)limits->cfg.burst);
}

unsigned tl_limits_count(const struct tl_limits *limits)
{
	return tl_source_table_count(limits->buckets);
}
