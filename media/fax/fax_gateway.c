#include "media/fax/fax_gateway.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include <spandsp.h>

#include "media/fax/ifp.h"

struct tl_fax_gateway {
	t38_gateway_state_t *t38;
	t38_core_state_t *core;
	uint16_t seq; /* of the next packet that comes */
	tl_fax_ifp_fn *on_ifp;
	void *user;
};

static int on_tx_packet(t38_core_state_t *core, void *user, const uint8_t *buf, int len, int count)
{
	struct tl_fax_gateway *gateway = user;

	if (len > 0 && len <= TL_IFP_BYTES)
		gateway->on_ifp(buf, (size_t)len, (unsigned)CLAMP(count, 1, 3), gateway->user);
	return 0;
}

/* What both the peer and the modems here can do. */
static int modems(unsigned max_bit_rate)
{
	int kinds = T30_SUPPORT_V27TER;

	if (!max_bit_rate || max_bit_rate >= 9600)
		kinds |= T30_SUPPORT_V29;
	if (!max_bit_rate || max_bit_rate >= 14400)
		kinds |= T30_SUPPORT_V17;
	return kinds;
}

int tl_fax_gateway_new(const struct tl_t38 *agreed, tl_fax_ifp_fn *on_ifp, void *user,
		       struct tl_fax_gateway **ret_gateway)
{
	struct tl_fax_gateway *gateway = g_new0(struct tl_fax_gateway, 1);

	gateway->on_ifp = on_ifp;
	gateway->user = user;
	gateway->t38 = t38_gateway_init(NULL, on_tx_packet, gateway);
	if (!gateway->t38) {
		g_free(gateway);
		return -ENOMEM;
	}
	gateway->core = t38_gateway_get_t38_core_state(gateway->t38);
	t38_set_t38_version(gateway->core, (int)agreed->version);
	t38_gateway_set_transmit_on_idle(gateway->t38, TRUE);
	t38_gateway_set_supported_modems(gateway->t38, modems(agreed->max_bit_rate));
	t38_gateway_set_ecm_capability(gateway->t38, TRUE);
	*ret_gateway = gateway;
	return 0;
}

void tl_fax_gateway_free(struct tl_fax_gateway *gateway)
{
	if (!gateway)
		return;
	t38_gateway_free(gateway->t38);
	g_free(gateway);
}

void tl_fax_gateway_rx(struct tl_fax_gateway *gateway, int16_t *pcm, size_t samples)
{
	t38_gateway_rx(gateway->t38, pcm, (int)samples);
}

void tl_fax_gateway_rx_lost(struct tl_fax_gateway *gateway, size_t samples)
{
	t38_gateway_rx_fillin(gateway->t38, (int)samples);
}

void tl_fax_gateway_tx(struct tl_fax_gateway *gateway, int16_t *pcm, size_t samples)
{
	int n = t38_gateway_tx(gateway->t38, pcm, (int)samples);

	n = CLAMP(n, 0, (int)samples);
	memset(pcm + n, 0, (samples - (size_t)n) * sizeof *pcm);
}

void tl_fax_gateway_take(struct tl_fax_gateway *gateway, const uint8_t *ifp, size_t bytes,
			 unsigned lost)
{
	gateway->seq = (uint16_t)(gateway->seq + lost);
	(void)t38_core_rx_ifp_packet(gateway->core, ifp, (int)bytes, gateway->seq++);
}

unsigned tl_fax_gateway_pages(struct tl_fax_gateway *gateway)
{
	t38_stats_t stats = { 0 };

	t38_gateway_get_transfer_statistics(gateway->t38, &stats);
	return (unsigned)MAX(stats.pages_transferred, 0);
}
