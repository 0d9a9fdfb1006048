"""Calls that are answered: both sides' messages, exactly."""

from rtp import Rtp
from sip_message import make_sdp, param, uri_of, user_of
from world import RING_ALICE, World, connect

NUMBER = "+4930555100"
ASKED = ["> INVITE", "< 100", "< 180", "< 200", "> ACK"]
CHALLENGED = ["> INVITE", "< 407", "> ACK"]
RUNG = ["< INVITE", "> 180", "> 200", "< ACK"]

ROUTE_OUT = """
[route out]
from = extension
to = 0[1-9]X.
strip = 1
prefix = +49
caller = +4930555100
ring = trunk:carrier
"""


def test_trunk_calls_extension_caller_hangs_up():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)
        assert a.ladder == ASKED + ["> BYE", "< 200"], a.ladder
        assert b.ladder == RUNG + ["< BYE", "> 200"], b.ladder
        assert not a.repeats and not b.repeats, (a.repeats, b.repeats)


def test_trunk_calls_extension_callee_hangs_up():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(b, a)
        assert a.ladder == ASKED + ["< BYE", "> 200"], a.ladder
        assert b.ladder == RUNG + ["> BYE", "< 200"], b.ladder


def test_the_callee_is_told_who_calls_and_whom():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        assert user_of(uri_of(b.invite.get("From"))) == "+4917011122", b.invite
        assert user_of(uri_of(b.invite.get("To"))) == "1001", b.invite
        assert b.invite.uri.startswith(f"sip:1001@{w.alice.hostport}"), b.invite.uri
        assert int(b.invite.get("Max-Forwards")) == 69, b.invite
        assert b.invite.from_tag and not b.invite.to_tag
        a.cancel()
        b.answer_request("CANCEL")
        b.reply(487)


def test_the_to_tag_stays_the_same_from_ringing_to_answer():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        tags = {m.to_tag for m in a.messages if m.status and m.status > 100}
        assert len(tags) == 1 and None not in tags, tags
        w.hang_up(a, b)


def test_extension_calls_extension_without_a_route():
    with World(routes="") as w:
        a, b = w.talk(w.alice, "1002", w.bob)
        assert user_of(uri_of(b.invite.get("From"))) == "1001"
        assert "Phone 1001" in b.invite.get("From"), b.invite.get("From")
        w.hang_up(a, b)
        assert a.ladder == CHALLENGED + ASKED + ["> BYE", "< 200"], a.ladder
        assert b.ladder == RUNG + ["< BYE", "> 200"], b.ladder


def test_extension_calls_out_by_the_trunk_with_number_and_identity_rewritten():
    with World(routes=ROUTE_OUT) as w:
        a, b = w.talk(w.alice, "017099887", w.carrier)
        assert user_of(b.invite.uri) == "+4917099887", b.invite.uri
        assert user_of(uri_of(b.invite.get("To"))) == "+4917099887"
        assert user_of(uri_of(b.invite.get("From"))) == NUMBER, b.invite.get("From")
        w.hang_up(b, a)
        assert a.ladder == CHALLENGED + ASKED + ["< BYE", "> 200"], a.ladder
        assert b.ladder == RUNG + ["> BYE", "< 200"], b.ladder


def test_cancel_with_its_reason_reaches_the_other_leg():
    reason = 'SIP;cause=200;text="Call completed elsewhere"'
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.cancel(reason)
        a.expect(200)
        a.expect(487)
        cancel = b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        assert (cancel.get("Reason") or "").replace(" ", "") == reason.replace(" ", ""), cancel
        assert cancel.branch == b.invite.branch and cancel.cseq == (b.invite.cseq[0], "CANCEL")
        assert a.ladder == ["> INVITE", "< 100", "< 180", "> CANCEL", "< 200", "< 487", "> ACK"], \
            a.ladder
        assert b.ladder == ["< INVITE", "> 180", "< CANCEL", "> 200", "> 487", "< ACK"], b.ladder


def test_cancel_before_the_callee_said_anything_waits_for_its_first_answer():
    # RFC 3261 9.1: no CANCEL before a provisional response has come.
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        a.expect(100)
        a.cancel()
        a.expect(200)
        a.expect(487)
        b.expect_nothing(0.3)
        b.reply(100)
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        assert a.ladder == ["> INVITE", "< 100", "> CANCEL", "< 200", "< 487", "> ACK"], a.ladder


def test_answer_that_crosses_a_cancel_is_acknowledged_and_ended():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.cancel()
        a.expect(200)
        a.expect(487)
        cancel = b.expect("CANCEL")
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))  # lifted just before
        b.reply(200, to=cancel)
        b.expect("ACK")
        b.answer_request("BYE")
        assert b.ladder == ["< INVITE", "> 180", "< CANCEL", "> 200", "> 200", "< ACK", "< BYE",
                            "> 200"], b.ladder


def test_early_media_is_passed_on_as_183_with_sdp():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.called(w.alice)
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port))
        progress = a.expect(183)
        assert progress.sdp and progress.sdp.audio.port, "183 without early media"
        media.remote = progress.sdp.audio.address
        b.rtp.tone(440, 0.6)
        assert media.heard(440) > 0.9, media.heard(440)
        ok = connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        assert ok.sdp.audio.address == progress.sdp.audio.address, "the answer moved"
        w.hang_up(a, b)
        assert a.ladder == ["> INVITE", "< 100", "< 183", "< 200", "> ACK", "> BYE", "< 200"]


def test_early_media_then_refused():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        b.reply(183, make_sdp(w.alice.ip, 5000))
        a.expect(183)
        b.reply(486)
        b.expect("ACK")
        a.expect(486)
        assert a.ladder == ["> INVITE", "< 100", "< 183", "< 486", "> ACK"], a.ladder


def test_early_media_of_one_target_then_another_answers():
    routes = RING_ALICE.replace("ring = 1001", "ring = 1001 then 1002\nring-time = 1s")
    with World(routes=routes) as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        b.reply(183, make_sdp(w.alice.ip, 5000))
        media.remote = a.expect(183).sdp.audio.address
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        second = w.called(w.bob)
        second.reply(200, make_sdp(w.bob.ip, second.rtp.port))
        second.expect("ACK")
        assert a.expect_any().status == 200, a.ladder
        a.ack()
        tone = media.tone_start(440, 0.5)
        second.rtp.tone(660, 0.5)
        tone.join()
        assert media.heard(660) > 0.9 and second.rtp.heard(440) > 0.9
        w.hang_up(a, second)


def test_offerless_invite_gets_our_offer_in_the_200_and_answers_in_the_ack():
    with World() as w:
        a = w.carrier.invite(NUMBER)
        b = w.alice.called()
        assert b.invite.sdp, "our INVITE to the callee has no offer"
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(180)
        a.expect(180)
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
        offer = a.expect(200).sdp
        assert offer and "PCMA" in offer.audio.codecs(), "200 without an offer"
        media = w.rtp(w.carrier)
        media.remote = offer.audio.address
        a.ack(make_sdp(w.carrier.ip, media.port))
        b.expect("ACK")
        media.tone(440, 0.6)
        b.rtp.tone(660, 0.6)
        assert b.rtp.heard(440) > 0.9, b.rtp.heard(440)
        assert media.heard(660) > 0.9, media.heard(660)
        w.hang_up(a, b)
        assert a.ladder == ASKED + ["> BYE", "< 200"], a.ladder


def test_options_outside_a_call_says_what_we_can():
    with World(routes="") as w:
        answer = w.carrier.options()
        assert answer.status == 200
        allow = {m.upper() for m in answer.all("Allow")}
        assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"} <= allow, answer
        assert "application/sdp" in answer.get("Accept", ""), answer


def test_options_in_a_call_is_answered_and_changes_nothing():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for leg in (a, b):
            leg.request("OPTIONS")
            leg.expect(200)
        w.hang_up(a, b)
        assert a.ladder == ASKED + ["> OPTIONS", "< 200", "> BYE", "< 200"], a.ladder


def test_hold_and_resume_are_answered_from_the_offer_at_hand():
    # RFC 3264 6.1 and 8.4: sendonly -> recvonly, inactive -> inactive, none -> sendrecv.
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for version, (offered, answered) in enumerate((("sendonly", "recvonly"),
                                                       (None, "sendrecv"),
                                                       ("inactive", "inactive"),
                                                       ("sendrecv", "sendrecv")), 2):
            a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, direction=offered,
                                         version=version))
            answer_far_side(b, offered)
            ok = a.expect(200)
            a.ack()
            assert ok.sdp.audio.direction == answered, (offered, ok.sdp.audio.direction)
        a.rtp.tone(440, 0.5)
        b.rtp.tone(660, 0.5)
        assert b.rtp.heard(440) > 0.9 and a.rtp.heard(660) > 0.9, "no sound after the hold"
        w.hang_up(a, b)


def test_hold_by_address_zero_sends_to_nobody():
    # RFC 3264 8.4: the old way to hold. To 0.0.0.0 a datagram would go to our own machine.
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        here = Rtp("127.0.0.1")
        w.media.append(here)
        a.request("INVITE", make_sdp("0.0.0.0", here.port, version=2))
        answer_far_side(b, None)
        a.expect(200)
        a.ack()
        b.rtp.tone(660, 0.4)
        assert not here.packets, "sound went to 0.0.0.0"
        w.hang_up(a, b)


def answer_far_side(dialog, offered):
    """The gateway may or may not carry a hold across; if it does, it is answered properly."""
    try:
        request = dialog.expect("INVITE", timeout=0.5)
    except AssertionError:
        return
    mirror = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
    dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port, version=9,
                               direction=mirror.get(request.sdp.audio.direction)), to=request)
    dialog.expect("ACK")


def test_callee_may_hold_too():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        b.request("INVITE", make_sdp(b.agent.ip, b.rtp.port, direction="sendonly", version=2))
        answer_far_side(a, "sendonly")
        assert b.expect(200).sdp.audio.direction == "recvonly"
        b.ack()
        b.request("INVITE", make_sdp(b.agent.ip, b.rtp.port, version=3))
        answer_far_side(a, None)
        assert b.expect(200).sdp.audio.direction == "sendrecv"
        b.ack()
        w.hang_up(b, a)


def test_a_reinvite_without_offer_is_a_full_negotiation():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE")
        answer_far_side(b, None)
        offer = a.expect(200).sdp
        assert offer and offer.audio.direction == "sendrecv", "no offer in the 200"
        a.ack(make_sdp(a.agent.ip, a.rtp.port, version=2))
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9
        w.hang_up(a, b)


def test_a_reinvite_that_cannot_be_met_leaves_the_call_as_it_was():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, codecs=(), events=None, version=2,
                                     extra=("m=audio 9 RTP/AVP 77", "a=rtpmap:77 nonsense/8000")))
        answer_far_side(b, None)
        a.expect(488)
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9, "no sound after a refused re-INVITE"
        w.hang_up(a, b)


def test_the_origin_version_grows_only_when_the_description_changes():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        first = a.answer.sdp
        for version, direction, grows in ((1, None, False), (2, "sendonly", True)):
            a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, direction=direction,
                                         version=version))
            answer_far_side(b, direction)
            again = a.expect(200).sdp
            a.ack()
            assert again.origin[:2] == first.origin[:2], "another session"
            assert (again.version > first.version) == grows, (first.origin, again.origin)
        w.hang_up(a, b)


def test_a_second_invite_in_a_dialog_while_one_is_open_gets_491_or_500():
    # RFC 3261 14.2: 500 with Retry-After when the first is not answered yet.
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.invite, first = None, a.invite
        a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, version=2))
        refusal = a.expect_any()
        assert refusal.status in (491, 500), refusal
        a.invite = first
        a.cancel()
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")


def test_a_request_for_no_dialog_is_481():
    with World(routes="") as w:
        for method in ("BYE", "INFO"):
            dialog = w.carrier.dialog(method, w.carrier.uri("1001"),
                                      to=f"<{w.carrier.uri('1001')}>;tag=gone")
            assert dialog.expect_any().status == 481


def test_an_invite_for_no_dialog_is_481():
    with World() as w:
        dialog = w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), make_sdp(w.carrier.ip, 4000),
                                  to=f"<{w.carrier.uri(NUMBER)}>;tag=gone")
        dialog.expect(481)
        w.alice.expect_no_call(0.3)


def test_calls_side_by_side_do_not_mix():
    routes = RING_ALICE + RING_ALICE.replace("support", "other").replace("100\n", "200\n").replace(
        "ring = 1001", "ring = 1002")
    with World(routes=routes) as w:
        a1, b1 = w.talk(w.carrier, NUMBER, w.alice)
        a2, b2 = w.talk(w.carrier, "+4930555200", w.bob)
        tones = [leg.rtp.tone_start(hz, 0.6) for leg, hz in ((a1, 400), (b1, 500), (a2, 700),
                                                              (b2, 900))]
        for tone in tones:
            tone.join()
        for leg, hz in ((a1, 500), (b1, 400), (a2, 900), (b2, 700)):
            assert leg.rtp.heard(hz) > 0.9, (hz, leg.rtp.heard(hz))
        w.hang_up(a1, b1)
        w.hang_up(b2, a2)


def test_parameters_of_the_callers_contact_are_used_for_requests_to_it():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        b.request("BYE")
        bye = a.answer_request("BYE")
        b.expect(200)
        assert bye.uri == uri_of(w.carrier.contact), bye.uri
        assert bye.to_tag == a.local_tag
        assert bye.from_tag == param(a.answer.get("To"), "tag")
