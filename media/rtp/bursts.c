#include "media/rtp/bursts.h"

#include "media/fetch.h"
#include "media/rtp/rtp.h"

enum { JUMP = 3000 }; /* RFC 3550 A.1: beyond this it is another sequence */

/* What has been open is as long as it will become. */
static void close_open(struct tl_bursts *bursts)
{
	if (bursts->losses == 1) {
		bursts->gap_losses++;
	} else if (bursts->losses > 1) {
		bursts->bursts++;
		bursts->burst_packets += bursts->last - bursts->first + 1;
		bursts->burst_losses += bursts->losses;
	}
	bursts->losses = 0;
}

static void note_loss(struct tl_bursts *bursts)
{
	uint64_t place = bursts->packets++;

	if (bursts->losses && place - bursts->last - 1 >= TL_BURSTS_GMIN)
		close_open(bursts);
	if (!bursts->losses)
		bursts->first = place;
	bursts->last = place;
	bursts->losses++;
}

TL_HOT(packet) void tl_bursts_note(struct tl_bursts *bursts, uint16_t seq)
{
	int missing = tl_rtp_seq_minus(seq, bursts->next_seq);

	if (!bursts->begun || missing > JUMP || missing < -JUMP)
		missing = 0;
	if (missing < 0)
		return; /* late: counted as lost already; or a duplicate */
	for (; missing > 0; missing--)
		note_loss(bursts);
	bursts->begun = true;
	bursts->packets++;
	bursts->next_seq = (uint16_t)(seq + 1);
}

static unsigned share(uint64_t part, uint64_t whole)
{
	uint64_t share = whole ? part * 256 / whole : 0;

	return share > 255 ? 255 : (unsigned)share;
}

void tl_bursts_sum(const struct tl_bursts *bursts, struct tl_bursts_sum *ret_sum)
{
	struct tl_bursts closed = *bursts;
	uint64_t gap_packets;

	close_open(&closed);
	gap_packets = closed.packets - closed.burst_packets;
	*ret_sum = (struct tl_bursts_sum) {
		.packets = closed.packets,
		.lost = closed.burst_losses + closed.gap_losses,
		.burst_density = share(closed.burst_losses, closed.burst_packets),
		.gap_density = share(closed.gap_losses, gap_packets),
		.mean_burst_packets = closed.bursts ? closed.burst_packets / closed.bursts : 0,
		/* One gap more than bursts: a call begins and ends with one. */
		.mean_gap_packets = gap_packets / (closed.bursts + 1),
	};
}
