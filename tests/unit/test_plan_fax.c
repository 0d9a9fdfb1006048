/* Plans of fax: who may have T.38, what is passed on, what meets a modem on G.711. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>

#include "media/plan/plan.h"

static struct tl_media_desc place(const char *ip, uint16_t port)
{
	struct tl_media_desc desc = { .direction = TL_DIR_SENDRECV };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&desc.rtp;

	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	inet_pton(AF_INET, ip, &in4->sin_addr);
	return desc;
}

static struct tl_media_desc fax(uint16_t port)
{
	struct tl_media_desc desc = place("192.0.2.1", port);

	desc.t38 = tl_t38_ours();
	return desc;
}

static struct tl_media_desc audio(uint16_t port, int pt)
{
	struct tl_media_desc desc = place("192.0.2.1", port);

	desc.formats[desc.n_formats++] =
		(struct tl_format) { .codec = tl_codec_by_static_pt(pt), .pt = (uint8_t)pt };
	return desc;
}

static struct tl_media_policy policy(bool t38, const char *first, const char *second)
{
	struct tl_media_policy policy = { .t38 = t38 };

	policy.codecs[policy.n_codecs++] = tl_codec_by_name(first);
	policy.codecs[policy.n_codecs++] = tl_codec_by_name(second);
	return policy;
}

Test(plan_fax, is_passed_on_between_two_that_have_it)
{
	struct tl_media_desc a = fax(4000), b = fax(5000), ours = fax(6000);
	struct tl_plan plan;

	cr_assert_eq(tl_plan_make(&ours, &a, &ours, &b, &plan), 0);
	cr_expect_eq(plan.path[TL_SIDE_A], TL_PATH_RELAY);
	cr_expect_eq(plan.path[TL_SIDE_B], TL_PATH_RELAY);
	cr_expect(plan.side[TL_SIDE_A].t38.on && plan.side[TL_SIDE_A].send);
	b.t38.local_tcf = true;
	cr_expect_eq(tl_plan_make(&ours, &a, &ours, &b, &plan), -ENOENT, "they don't agree");
}

Test(plan_fax, meets_a_modem_on_g711_and_nothing_else)
{
	struct tl_media_desc a = fax(4000), ours = fax(6000), b = audio(5000, 0),
			     g722 = audio(5000, 9);
	struct tl_plan plan;

	cr_assert_eq(tl_plan_make(&ours, &a, &b, &b, &plan), 0);
	cr_expect_eq(plan.path[TL_SIDE_A], TL_PATH_FAX);
	cr_expect_eq(plan.path[TL_SIDE_B], TL_PATH_FAX);
	tl_plan_set_tones(&plan, true, true);
	cr_expect_not(plan.side[TL_SIDE_A].tones);
	cr_expect_eq(tl_plan_make(&ours, &a, &g722, &g722, &plan), -ENOENT);
	cr_expect_eq(tl_plan_make(&ours, &b, NULL, NULL, &plan), -ENOENT, "fax here, audio there");
}

Test(plan_fax, is_answered_by_who_may_have_it)
{
	struct tl_media_policy no = policy(false, "PCMA", "PCMU"),
			       yes = policy(true, "G722", "PCMU");
	struct tl_media_desc offer = fax(4000), peer = fax(5000), voice = audio(4000, 8), answer;

	cr_expect_eq(tl_plan_answer(&offer, &no, NULL, NULL, &answer), -ENOENT);
	offer.t38.version = 3;
	offer.t38.max_bit_rate = 33600;
	offer.t38.mmr = offer.t38.local_tcf = true;
	offer.t38.recovery = TL_T38_RECOVERY_FEC;
	cr_assert_eq(tl_plan_answer(&offer, &yes, NULL, NULL, &answer), 0);
	cr_expect(answer.t38.on);
	cr_expect_eq(answer.t38.version, 0, "spandsp's");
	cr_expect_eq(answer.t38.max_bit_rate, 14400);
	cr_expect_not(answer.t38.mmr);
	cr_expect_not(answer.t38.local_tcf);
	cr_expect_eq(answer.t38.recovery, TL_T38_RECOVERY_FEC);
	peer.t38.version = 2;
	peer.t38.mmr = true;
	cr_assert_eq(tl_plan_answer(&offer, &yes, &peer, NULL, &answer), 0);
	cr_expect_eq(answer.t38.version, 2, "what the other leg agreed to");
	cr_expect(answer.t38.mmr);
	cr_assert_eq(tl_plan_answer(&voice, &no, &peer, NULL, &answer), 0);
	cr_expect_eq(answer.formats[0].pt, 8, "audio beside fax");
}

Test(plan_fax, is_offered_by_the_others_words_or_g711_beside_it)
{
	struct tl_media_policy no = policy(false, "G722", "PCMU"),
			       yes = policy(true, "G722", "PCMU");
	struct tl_media_policy deaf = policy(false, "G722", "opus");
	struct tl_media_desc peer = fax(4000), offer;

	peer.t38.version = 2;
	peer.t38.max_datagram_bytes = 99;
	cr_expect_eq(tl_plan_offer_t38(&peer, &no, &offer), -ENOENT);
	cr_assert_eq(tl_plan_offer_t38(&peer, &yes, &offer), 0);
	cr_expect_eq(offer.t38.version, 2);
	cr_expect_eq(offer.t38.max_datagram_bytes, 400, "our own");
	cr_assert_eq(tl_plan_offer_t38(NULL, &yes, &offer), 0);
	cr_expect_eq(offer.t38.version, 0);
	cr_assert_eq(tl_plan_offer(&peer, &yes, &offer), 0);
	cr_expect_eq(offer.n_formats, 1);
	cr_expect_eq(offer.formats[0].pt, 0);
	cr_expect_eq(tl_plan_offer(&peer, &deaf, &offer), -ENOENT);
}
