/* The libraries under the codecs print nothing, whatever comes: what a peer sends must not fill a
 * journal. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/chain_line.h"

enum { ROUNDS = 4000 };

static const char *const codecs[] = {
	"PCMA", "G722",    "opus", "GSM",  "speex", "speex/16000",
	"L16",  "G726-24", "G729", "iLBC", "AMR",   "AMR-WB",
};

/* The next packets, damaged in one of the ways in which packets are. */
static size_t damage(GRand *dice, const struct packets *good, uint8_t *payload)
{
	size_t i = (size_t)g_rand_int_range(dice, 0, (int)good->n), n = good->list[i].bytes;

	memcpy(payload, good->list[i].v, n);
	switch (g_rand_int_range(dice, 0, 5)) {
	case 0: /* cut short */
		return (size_t)g_rand_int_range(dice, 1, (int)n + 1);
	case 1: /* bits turned over */
		for (int k = g_rand_int_range(dice, 1, 9); k > 0; k--)
			payload[g_rand_int_range(dice, 0, (int)n)] ^=
				(uint8_t)(1 << g_rand_int_range(dice, 0, 8));
		return n;
	case 2: /* two in one */
		memcpy(payload + n, good->list[(i + 1) % good->n].v,
		       good->list[(i + 1) % good->n].bytes);
		return n + good->list[(i + 1) % good->n].bytes;
	case 3: /* another head */
		payload[0] = (uint8_t)g_rand_int_range(dice, 0, 256);
		payload[n / 2] = (uint8_t)g_rand_int_range(dice, 0, 256);
		return n;
	default: /* noise */
		n = (size_t)g_rand_int_range(dice, 1, 200);
		for (size_t k = 0; k < n; k++)
			payload[k] = (uint8_t)g_rand_int_range(dice, 0, 256);
		return n;
	}
}

/* Two frames of Speex, each with an empty layer for wide band behind it: libspeex says of it "More
 * than two wideband layers". Found among damaged ones. */
static const uint8_t empty_layers[] = { 0x04, 0x02, 0x1e };

static void hear_damage(const char *name)
{
	struct tl_format format = format_of(name);
	g_autofree struct signal *said = voice(8000);
	g_autofree struct packets *good = encode(said, &format, 20);
	g_autofree struct signal *heard = g_new0(struct signal, 1);
	g_autoptr(GRand) dice = g_rand_new_with_seed(7);
	uint8_t payload[2 * TL_PAYLOAD_MAX];
	struct tl_chain *chain = chain_new(&(struct tl_chain_cfg) {
		.in = &format, .on_pcm = keep_pcm, .user = heard, .rate_hz = 8000 });

	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t n = damage(dice, good, payload);
		int r = tl_chain_push(chain, payload, n);

		cr_expect(r == 0 || r == -EBADMSG, "%s: %d", name, r);
		heard->n = 0;
	}
	cr_expect(tl_chain_push(chain, empty_layers, sizeof empty_layers) <= 0);
	tl_chain_free(chain);
}

/* Standard output and error both go to the file from here on; *ret_before: where they went. */
static void redirect(int fd, int ret_before[2])
{
	for (int i = 0; i < 2; i++) {
		fflush(i ? stderr : stdout);
		ret_before[i] = dup(i + 1);
		dup2(fd, i + 1);
	}
}

static void restore(const int before[2])
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		dup2(before[i], i + 1);
		close(before[i]);
	}
}

Test(chain_quiet, damaged_payloads_make_no_library_talk, .init = setup, .timeout = 60)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "twinleg-quiet-XXXXXX", NULL);
	int fd = g_mkstemp(path), before[2];

	cr_assert_geq(fd, 0);
	unlink(path);
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
		char text[400] = "";

		cr_assert_eq(ftruncate(fd, 0), 0);
		lseek(fd, 0, SEEK_SET);
		redirect(fd, before);
		hear_damage(codecs[i]);
		restore(before);
		cr_expect_eq(pread(fd, text, sizeof text - 1, 0), 0, "%s: %s", codecs[i], text);
	}
	close(fd);
}
