"""REFER in a dialog, carried out by Twinleg: blind and attended, with what everybody hears after it."""

from sip_message import make_sdp
from world import World

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
    c = phone.incoming()
    c.expect("INVITE")
    c.rtp = w.rtp(phone)
    c.rtp.remote = c.invite.sdp.audio.address
    c.reply(180)
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
        refer(b, "1002")
        notified(b, "100")
        c = target_rings(w, w.bob)
        notified(b, "180")
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
