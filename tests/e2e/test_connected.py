"""Who is at the other end now (RFC 4916): told by UPDATE, by a re-INVITE, or not at all."""

from sip_message import make_sdp
from test_transfer import (NUMBER, THREE, bob_rings, check_talks, notified, tag, target_answers,
                           three)

UPDATES = ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE")
PLAIN = ("Allow", "INVITE, ACK, BYE, CANCEL")


def talk(w, caller, number, headers, acknowledged=True):
    """A call to alice whose caller says what it can."""
    media = w.rtp(caller)
    a = caller.invite(number, make_sdp(caller.ip, media.port), headers)
    a.rtp = media
    b = w.called(w.alice)
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    a.rtp.remote = a.expect(200).sdp.audio.address
    if acknowledged:
        a.ack()
    b.expect("ACK")
    return a, b


def transferred(w, b):
    """To bob, who is there."""
    c = bob_rings(w, b)
    target_answers(c)
    return c


def released(b):
    notified(b, "200", "terminated")
    b.answer_request("BYE")


def told_by_reinvite(a):
    """A re-INVITE that says who is there and changes nothing else."""
    offer = a.expect("INVITE")
    assert "sip:1002@pbx.test" in offer.get("P-Asserted-Identity"), offer
    assert offer.sdp.audio.address == a.answer.sdp.audio.address, "the same session"
    a.reply(200, make_sdp(a.agent.ip, a.rtp.port), to=offer)
    a.expect("ACK")


def test_a_telephone_without_update_gets_a_reinvite_where_it_is_to():
    keys = "connected-identity = reinvite"
    with three(extensions={**THREE, "1003": keys}) as w:
        a, b = talk(w, w.carol, "1001", [PLAIN])
        c = transferred(w, b)
        told_by_reinvite(a)
        released(b)
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_refused_reinvite_leaves_the_call_as_it_is():
    with three(extensions={**THREE, "1003": "connected-identity = reinvite"}) as w:
        a, b = talk(w, w.carol, "1001", [PLAIN])
        c = transferred(w, b)
        a.reply(488, to=a.expect("INVITE"))
        a.expect("ACK")
        released(b)
        check_talks(a, c)
        w.hang_up(a, c)


def check_untold(headers, **more):
    with three(**more) as w:
        a, b = talk(w, w.carol, "1001", headers)
        c = transferred(w, b)
        released(b)
        a.expect_nothing(0.2)
        check_talks(a, c)
        w.hang_up(a, c)


def test_nothing_is_sent_to_a_telephone_without_update_by_default():
    check_untold([PLAIN])


def test_who_acknowledges_late_is_told_then():
    with three() as w:
        a, b = talk(w, w.carol, "1001", [UPDATES], acknowledged=False)
        c = transferred(w, b)
        released(b)
        a.expect_nothing(0.2)
        a.ack()
        assert "sip:1002@pbx.test" in a.answer_request("UPDATE").get("P-Asserted-Identity")
        check_talks(a, c)
        w.hang_up(a, c)


def test_nobody_is_told_where_it_is_off():
    check_untold([UPDATES, ("Supported", "from-change")],
                 extensions={**THREE, "1003": "connected-identity = off"})


def test_a_trunk_is_told_when_it_says_that_it_can_take_it():
    with three() as w:
        a, b = talk(w, w.carrier, NUMBER, [UPDATES, ("Supported", "from-change")])
        c = transferred(w, b)
        update = a.answer_request("UPDATE")
        assert "1002" in update.get("From") and tag(update.get("From")) == tag(a.remote), update
        released(b)
        w.hang_up(a, c)


def test_a_trunk_is_not_told_by_default_and_always_where_it_is_to_be():
    with three() as w:
        a, b = talk(w, w.carrier, NUMBER, [UPDATES])
        c = transferred(w, b)
        released(b)
        a.expect_nothing(0.2)
        w.hang_up(a, c)
    with three(carrier="connected-identity = reinvite") as w:
        a, b = talk(w, w.carrier, NUMBER, [PLAIN])
        c = transferred(w, b)
        told_by_reinvite(a)
        released(b)
        check_talks(a, c)
        w.hang_up(a, c)
