"""REFER in a dialog, carried out by Twinleg: blind and attended, with what everybody hears after it."""

from rtp import sine, wav
from sip_message import make_sdp
from test_modify import reinvite
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
THREE = {"1001": "", "1002": "", "1003": ""}


def three(**more):
    """alice, bob and carol."""
    more.setdefault("extensions", THREE)
    return World(register=("1001", "1002", "1003"), **more)


def refer(dialog, to, status=202, headers=(), replaces=None):
    """REFER to a number, or to the agent of a dialog that is to be replaced; its response."""
    uri = to if ":" in to else f"sip:{to}@pbx.test"
    if replaces:
        names = (f"{replaces.call_id};to-tag={tag(replaces.remote)};"
                 f"from-tag={replaces.local_tag}")
        uri += "?Replaces=" + names.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
    me = f"<sip:{dialog.agent.user}@pbx.test>"
    dialog.request("REFER", "", [("Refer-To", f"<{uri}>"), ("Referred-By", me), *headers])
    return dialog.expect(status)


def tag(value):
    return value.rpartition("tag=")[2]


def notified(dialog, fragment, state="active"):
    """The NOTIFY that says so, answered."""
    request = dialog.answer_request("NOTIFY")
    assert request.body.decode().startswith(f"SIP/2.0 {fragment}"), str(request)
    assert request.get("Content-Type").startswith("message/sipfrag"), str(request)
    assert request.get("Event").split(";")[0] == "refer", str(request)
    assert request.get("Subscription-State").startswith(state), str(request)
    return request


def hears(speaker, listener, codec_from="PCMA", codec_to="PCMA", hz=440, seconds=0.5):
    since = len(listener.rtp.packets)
    speaker.rtp.tone(hz, seconds, codec_from)
    listener.rtp.wait(since + round(seconds * 35), 1.0)
    return listener.rtp.heard(hz, codec_to, since=since, skip_ms=120)


def check_talks(a, b, codec_a="PCMA", codec_b="PCMA"):
    heard = hears(a, b, codec_a, codec_b), hears(b, a, codec_b, codec_a, 660)
    assert min(heard) > 0.9, heard


def target_rings(w, phone):
    """The INVITE of the transfer has come, and 180 is sent."""
    c = w.called(phone)
    c.reply(180)
    return c


def bob_rings(w, b):
    """b transfers its other side to 1002, and is told that it rings there."""
    refer(b, "1002")
    notified(b, "100")
    c = target_rings(w, w.bob)
    notified(b, "180")
    return c


def target_answers(c, codecs=("PCMA",), **sdp):
    c.reply(200, make_sdp(c.agent.ip, c.rtp.port, codecs, **sdp))
    c.expect("ACK")


def test_the_callee_transfers_blind():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_talks(a, b)
        refer(b, "1002")
        notified(b, "100")
        c = target_rings(w, w.bob)
        assert "+4917011122" in c.invite.get("From"), "the callee sees who stays"
        assert c.invite.get("Referred-By") == "<sip:1001@pbx.test>", c.invite
        notified(b, "180")
        target_answers(c)
        notified(b, "200", "terminated")
        bye = b.answer_request("BYE")
        assert "Transferred" in bye.get("Reason"), bye
        check_talks(a, c)
        a.expect_nothing(0.1)
        w.hang_up(a, c)


def test_the_caller_transfers_blind():
    with three() as w:
        a, b = w.talk(w.alice, "1002", w.bob)
        check_talks(a, b)
        refer(a, "1003")
        notified(a, "100")
        c = target_rings(w, w.carol)
        assert "1002" in c.invite.get("From"), "the callee sees who stays"
        notified(a, "180")
        target_answers(c)
        notified(a, "200", "terminated")
        a.answer_request("BYE")
        check_talks(b, c)
        w.hang_up(c, b)


def test_a_busy_target_returns_the_call():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        c.reply(486)
        c.expect("ACK")
        notified(b, "486", "terminated")
        check_talks(a, b)
        w.hang_up(a, b)


def test_attended_between_calls_of_ours():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        b2, c = w.talk(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        offer = a.expect("INVITE")
        a.rtp.remote = offer.sdp.audio.address
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port), to=offer)
        a.expect("ACK")
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_invite_with_replaces():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        media = w.rtp(w.bob)
        names = f"{b.call_id};to-tag={tag(b.remote)};from-tag={b.local_tag}"
        c = w.bob.invite("1001", make_sdp(w.bob.ip, media.port),
                         [("Replaces", names), ("Require", "replaces")])
        c.rtp = media
        c.rtp.remote = c.expect(200).sdp.audio.address
        c.ack()
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(c, a)


def shown(w, n):
    """What `twinleg calls` shows, once there are so many."""
    return wait_until(lambda: len(w.gateway.control("calls")) == n and (w.gateway.control("calls") or
                                                                       True),
                      what=f"{n} calls")


def record(w, call_id):
    """The record of a call that has ended."""
    return wait_until(lambda: w.gateway.control("show", call_id).get("ended_ms") and
                      w.gateway.control("show", call_id), what=f"end of {call_id}")


def test_records_say_who_went_where():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        first, = w.gateway.control("calls")
        c = bob_rings(w, b)
        target_answers(c)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        second, = shown(w, 1)
        w.hang_up(a, c)
        old, new = record(w, first["id"]), record(w, second["id"])
        assert (old["source"], old["target"], old["status"]) == ("trunk:carrier", "1001", 200), old
        assert (old["linked"], new["linked"]) == (new["id"], old["id"]), (old, new)
        assert (new["source"], new["callee"], new["target"], new["transferred_by"]) == \
            ("trunk:carrier", "1002", "1002", "extension:1001"), new
        assert (new["call_id_a"], new["call_id_b"]) == (a.call_id, c.call_id), new
        assert new["status"] == 200 and 0 < new["a"]["rx_pkts"] < 60, new


def test_who_transfers_may_hang_up_after_the_202():
    # RFC 5589 7; siphon #220: the survivor stays, and the target's 200 is acknowledged
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        refer(b, "1002")
        notified(b, "100")
        c = target_rings(w, w.bob)
        b.request("BYE")
        assert {b.answer_request("NOTIFY").method, b.expect(200).status} == {"NOTIFY", 200}
        target_answers(c)
        notified(b, "200", "terminated")
        a.expect_nothing(0.1)
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_busy_target_and_nobody_to_go_back_to():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        b.bye()
        c.reply(486)
        c.expect("ACK")
        assert "486" in a.answer_request("BYE").get("Reason")
        notified(b, "486", "terminated")


def test_the_route_of_a_failed_transfer_goes_on():
    routes = RING_ALICE + """
[route desk]
to = 1002
from = extension
ring = 1002
on-busy = route:third

[route third]
ring = 1003
"""
    with three(routes=routes) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        c.reply(486)
        c.expect("ACK")
        d = target_rings(w, w.carol)
        notified(b, "180")
        target_answers(d)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, d)
        w.hang_up(d, a)


def test_who_stays_hears_ringing_and_may_give_up():
    ring = wav(sine(425, 1.0))
    with three(prompts=[("ringback.wav", ring)]) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        since = len(a.rtp.packets)
        a.rtp.wait(since + 30, 2.0)
        assert a.rtp.heard(425, since=since) > 0.9
        a.request("BYE")
        a.expect(200)
        c.answer_request("CANCEL")
        c.reply(487)
        c.expect("ACK")
        notified(b, "487", "terminated")
        b.answer_request("BYE")


def test_a_held_call_is_transferred():
    # phones hold first; who stays must hear the target all the same
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        c = bob_rings(w, b)
        target_answers(c)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_held_call_comes_back_and_is_resumed():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        reinvite(b, direction="sendonly")
        refer(b, "1009")  # there is no such number
        notified(b, "100")
        notified(b, "404", "terminated")
        reinvite(b)
        check_talks(a, b)
        w.hang_up(b, a)


def test_other_codecs_and_digits_after_it():
    # signalwire/freeswitch #1763: telephone-event of the new leg, at its own clock
    keys = {"1001": "codecs = PCMA", "1002": "codecs = PCMU", "1003": ""}
    with three(carrier="codecs = PCMA", extensions=keys) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        target_answers(c, ("PCMU",), events=97)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c, "PCMA", "PCMU")
        a.rtp.digit("5", 101)
        c.rtp.digit("7", c.invite.sdp.audio.payload_type("telephone-event"))
        wait_until(lambda: [d for d, _ in c.rtp.digits(97)] == ["5"] and
                   [d for d, _ in a.rtp.digits(101)] == ["7"],
                   what="digits both ways")
        w.hang_up(a, c)


def test_digits_at_the_clock_of_opus_after_it():
    with three(carrier="codecs = PCMA") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        pt = c.invite.sdp.audio.payload_type("telephone-event/48000")
        assert pt, c.invite
        target_answers(c, ("opus",), events=110, event_clock=48000)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        a.rtp.digit("5", 101)
        c.rtp.digit("7", pt, clock=48000)
        wait_until(lambda: [d for d, _ in c.rtp.digits(110)] == ["5"] and
                   [d for d, _ in a.rtp.digits(101)] == ["7"],
                   what=f"digits both ways, {c.rtp.digits(110)}, {a.rtp.digits(101)}")
        w.hang_up(a, c)


def test_the_recording_goes_on():
    with three(routes=RING_ALICE + "record = stereo\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        path = w.gateway.control("show", shown(w, 1)[0]["id"])["recording"]
        c = bob_rings(w, b)
        target_answers(c)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        call = w.gateway.control("show", shown(w, 1)[0]["id"])
        assert call["recording"] == path, call
        w.hang_up(a, c)


def refused(status, refer_to, headers=(), **more):
    with three(**more) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        b.request("REFER", "", [("Refer-To", refer_to), *headers])
        b.expect(status)
        check_talks(a, b)
        w.hang_up(a, b)
        w.alive()


def test_a_malformed_refer_to_is_refused():
    refused(400, "<sip:")


def test_no_refer_to_is_refused():
    refused(400, None)


def test_two_refer_to_are_refused():
    refused(400, "<sip:1002@pbx.test>", [("Refer-To", "<sip:1003@pbx.test>")])


def test_a_malformed_replaces_is_refused():
    refused(400, "<sip:1002@pbx.test?Replaces=nothing%00>")


def test_an_unknown_scheme_is_refused():
    refused(416, "<mailto:bob@pbx.test>")


def test_a_refer_for_another_method_is_refused():
    refused(603, "<sip:1002@pbx.test;method=BYE>")


def test_extensions_of_refer_that_we_lack():
    refused(420, "<sip:1002@pbx.test>", [("Require", "multiple-refer")])


def test_who_may_not_transfer():
    refused(603, "<sip:1002@pbx.test>",
            extensions={**THREE, "1001": "transfer = off"})


def test_a_route_that_forbids_transfers():
    refused(603, "<sip:1002@pbx.test>", routes=RING_ALICE + "transfer = off\n")


def test_a_transfer_by_the_trunk_goes_where_the_trunk_may_call():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        refer(a, "1002")  # trunks reach no extension without a route
        notified(a, "100")
        notified(a, "404", "terminated")
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_transfer_without_a_subscription():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        accepted = refer(b, "1002", headers=[("Refer-Sub", "false"),
                                             ("Supported", "norefersub")])
        assert accepted.get("Refer-Sub") == "false", accepted
        c = target_rings(w, w.bob)
        target_answers(c)
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)
        # or with one that it ends itself (RFC 6665 4.2.2): no news from then on
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        refer(b, "1002")
        b.reply(481, to=b.expect("NOTIFY"))
        target_answers(target_rings(w, w.bob))
        b.answer_request("BYE")


def test_one_transfer_at_a_time():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        refer(b, "1003", 491)
        target_answers(c)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        w.hang_up(a, c)


def test_one_after_another_until_it_is_too_much():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        phones = [w.bob, w.alice]
        for i in range(8):
            phone = phones[i % 2]
            refer(b, phone.user)
            notified(b, "100")
            c = target_rings(w, phone)
            notified(b, "180")
            target_answers(c)
            notified(b, "200", "terminated")
            b.answer_request("BYE")
            b = c
        refer(b, phones[0].user, 603)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_second_transfer_in_a_dialog_has_an_id():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        refer(b, "1009")
        notified(b, "100")
        notified(b, "404", "terminated")
        refer(b, "1009")
        numbers = {notified(b, "100").get("Event"),
                   notified(b, "404", "terminated").get("Event")}
        assert numbers == {f"refer;id={b.cseq}"}, numbers
        w.hang_up(a, b)


def test_an_operator_stops_it():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        c = bob_rings(w, b)
        old, new = sorted(shown(w, 2), key=lambda call: call["started_ms"])
        assert (old["state"], new["state"]) == ("lent", "ringing"), (old, new)
        w.gateway.control("hangup", new["id"])
        c.answer_request("CANCEL")
        c.reply(487)
        c.expect("ACK")
        notified(b, "480", "terminated")
        check_talks(a, b)
        w.hang_up(a, b)
