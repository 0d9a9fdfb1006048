"""Transfers of calls with media = direct: the parties send to each other before and after."""

from sip_message import make_sdp
from test_direct import DIRECT, check_sound, check_sources, talk
from test_transfer import notified, refer, three

INSIDE = """
[route inside]
from = extension
to = 1XXX
ring = extension
media = direct
"""


def transferred(w, a, c):
    """Whoever was called offers; the party that stays gets that, and its answer goes back."""
    assert c.expect("INVITE").body == b"", c.invite
    c.reply(180)
    offer_to(w, a, c)


def offer_to(w, a, c, asked=None):
    """What c, who was asked for an offer, answers goes to a; what that answers goes to c."""
    c.rtp = w.rtp(c.agent)
    c.reply(200, make_sdp(c.agent.ip, c.rtp.port, ("PCMU",), version=2 if asked else 1), to=asked)
    again = a.expect("INVITE")
    assert again.sdp.audio.address == (c.agent.ip, c.rtp.port), again
    a.rtp = w.rtp(a.agent)
    a.reply(200, make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=2), to=again)
    a.expect("ACK")
    assert c.expect("ACK").sdp.audio.address == (a.agent.ip, a.rtp.port)
    a.rtp.remote, c.rtp.remote = (c.agent.ip, c.rtp.port), (a.agent.ip, a.rtp.port)


def test_blind():
    with three(routes=DIRECT) as w:
        a, b = talk(w)
        refer(b, "1002")
        notified(b, "100")
        transferred(w, a, c := w.bob.incoming())
        notified(b, "180")
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_sound(a, c)
        check_sources(a, c)
        refer(c, "1003")  # and once more
        notified(c, "100")
        transferred(w, a, d := w.carol.incoming())
        notified(c, "180")
        notified(c, "200", "terminated")
        c.answer_request("BYE")
        check_sound(a, d)
        check_sources(a, d)
        w.hang_up(a, d)


def test_passed_on_as_a_proxy_would():
    with three(routes=DIRECT + INSIDE + "transfer = pass\n") as w:
        _, b1, b2, c = both(w)
        refer(b2, "1003")
        passed = c.answer_request("REFER", 202)
        assert "1003@" in passed.get("Refer-To"), passed
        c.request("NOTIFY", "SIP/2.0 200 OK\r\n",
                  [("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"),
                   ("Content-Type", "message/sipfrag")])
        c.expect(200)
        notified(b2, "100")
        notified(b2, "200", "terminated")
        w.hang_up(b2, c)
        b1.request("BYE")


def test_a_busy_target_and_a_party_that_will_not_move_leave_the_call():
    with three(routes=DIRECT) as w:
        a, b = talk(w)
        refer(b, "1002")
        notified(b, "100")
        c = w.bob.called()
        c.reply(486)
        c.expect("ACK")
        notified(b, "486", "terminated")
        check_sound(a, b)
        refer(b, "1002")
        notified(b, "100")
        c = w.bob.called()
        c.reply(200, make_sdp(w.bob.ip, 5000))
        a.reply(488, to=a.expect("INVITE"))
        a.expect("ACK")
        c.expect("ACK")
        c.answer_request("BYE")
        notified(b, "4", "terminated")
        check_sound(a, b)
        check_sources(a, b)
        w.hang_up(b, a)


def test_a_route_that_needs_the_media_takes_no_such_transfer():
    routes = DIRECT + "[route recorded]\nto = 1002\nring = 1002\nrecord = stereo\n"
    with three(routes=routes) as w:
        a, b = talk(w)
        refer(b, "1002")
        notified(b, "100")
        notified(b, "480", "terminated")
        check_sound(a, b)
        w.hang_up(b, a)


def both(w):
    """carrier - alice, and alice - bob."""
    a, b1 = talk(w)
    b2 = w.alice.invite("1002", make_sdp(w.alice.ip, (rtp := w.rtp(w.alice)).port, ("PCMU",)))
    c = w.bob.called()
    b2.rtp, c.rtp = rtp, w.rtp(w.bob)
    c.reply(200, make_sdp(w.bob.ip, c.rtp.port, ("PCMU",)))
    b2.rtp.remote = b2.expect(200).sdp.audio.address
    b2.ack()
    c.expect("ACK")
    c.rtp.remote = c.invite.sdp.audio.address
    return a, b1, b2, c


def test_attended():
    with three(routes=DIRECT + INSIDE) as w:
        a, b1, b2, c = both(w)
        check_sound(b2, c)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        asked = c.expect("INVITE")
        assert asked.body == b"", asked
        offer_to(w, a, c, asked)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_sound(a, c)
        check_sources(a, c)
        w.hang_up(a, c)


def test_attended_that_fails_leaves_both_calls():
    with three(routes=DIRECT + INSIDE) as w:
        a, b1, b2, c = both(w)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port, ("PCMU",), version=2),
                to=c.expect("INVITE"))
        a.reply(488, to=a.expect("INVITE"))
        a.expect("ACK")
        assert c.expect("ACK").sdp.audio.address == (w.alice.ip, b2.rtp.port)
        notified(b1, "488", "terminated")
        check_sound(a, b1)
        check_sound(b2, c)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        c.reply(488, to=c.expect("INVITE"))
        c.expect("ACK")
        notified(b1, "488", "terminated")
        check_sound(b2, c)
        w.hang_up(a, b1)
        w.hang_up(b2, c)


def test_an_invite_with_replaces():
    with three(routes=DIRECT) as w:
        a, b = talk(w)
        names = f"{b.call_id};to-tag={b.remote.rpartition('tag=')[2]};from-tag={b.local_tag}"
        media = w.rtp(w.alice)
        x = w.alice.invite("1001", make_sdp(w.alice.ip, media.port, ("PCMU",)),
                           [("Replaces", names)])
        x.rtp = media
        again = a.expect("INVITE")
        assert again.sdp.audio.address == (w.alice.ip, media.port), again
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=2), to=again)
        a.expect("ACK")
        assert x.expect(200).sdp.audio.address == (a.agent.ip, a.rtp.port)
        x.ack()
        b.answer_request("BYE")
        x.rtp.remote, a.rtp.remote = (a.agent.ip, a.rtp.port), (w.alice.ip, media.port)
        check_sound(a, x)
        w.hang_up(a, x)
