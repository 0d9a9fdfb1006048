#include <criterion/criterion.h>
#include <string.h>

#include "media/rtp/bursts.h"

/* '.' came, 'o' was lost, '<' the one before it came late, '=' came twice. */
static struct tl_bursts_sum hear(const char *story, uint16_t seq)
{
	struct tl_bursts bursts = { 0 };
	struct tl_bursts_sum sum;

	for (; *story; story++) {
		if (*story == '<')
			tl_bursts_note(&bursts, (uint16_t)(seq - 2));
		else if (*story == '=')
			tl_bursts_note(&bursts, (uint16_t)(seq - 1));
		else if (*story == '.')
			tl_bursts_note(&bursts, seq++);
		else
			seq++;
	}
	tl_bursts_sum(&bursts, &sum);
	return sum;
}

#define TEN     ".........."
#define SIXTEEN "................"

Test(bursts, tell_gaps_from_bursts)
{
	static const struct {
		const char *story;
		struct tl_bursts_sum want;
	} rows[] = {
		{ "", { 0 } },
		{ SIXTEEN, { .packets = 16, .mean_gap_packets = 16 } },
		/* one lost in 33: no burst */
		{ SIXTEEN "o" SIXTEEN,
		  { .packets = 33, .lost = 1, .gap_density = 256 / 33, .mean_gap_packets = 33 } },
		/* o..........o is a burst of 12 */
		{ SIXTEEN "o" TEN "o" SIXTEEN,
		  { .packets = 44,
		    .lost = 2,
		    .burst_density = 2 * 256 / 12,
		    .mean_burst_packets = 12,
		    .mean_gap_packets = 16 } },
		/* sixteen between them are too many for one */
		{ SIXTEEN "o" SIXTEEN "o" SIXTEEN,
		  { .packets = 50,
		    .lost = 2,
		    .gap_density = 2 * 256 / 50,
		    .mean_gap_packets = 50 } },
		/* two bursts, three gaps */
		{ SIXTEEN "ooo" SIXTEEN "o.o" SIXTEEN,
		  { .packets = 54,
		    .lost = 5,
		    .burst_density = 5 * 256 / 6,
		    .mean_burst_packets = 3,
		    .mean_gap_packets = 16 } },
		/* out of order and twice is not lost again */
		{ SIXTEEN "=" TEN "=.", { .packets = 27, .mean_gap_packets = 27 } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned wrapping = 0; wrapping < 2; wrapping++) {
			struct tl_bursts_sum sum = hear(rows[i].story, wrapping ? 65530 : 100);

			cr_expect(memcmp(&sum, &rows[i].want, sizeof sum) == 0, "%s",
				  rows[i].story);
		}
	}
}

Test(bursts, another_sequence_is_no_loss)
{
	struct tl_bursts bursts = { 0 };
	struct tl_bursts_sum sum;

	tl_bursts_note(&bursts, 1);
	tl_bursts_note(&bursts, 30000);
	tl_bursts_note(&bursts, 30001);
	tl_bursts_sum(&bursts, &sum);
	cr_expect_eq(sum.packets, 3);
	cr_expect_eq(sum.lost, 0);
}
