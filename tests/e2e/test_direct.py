"""media = direct: the peers' SDP passes through, and their RTP goes from one to the other."""

from sip_message import make_sdp
from world import RING_ALICE, World, connect

NUMBER = "+4930555100"
DIRECT = RING_ALICE + "media = direct\n"


def lines(sdp, but="o="):
    return [line for line in sdp.text.split("\r\n") if not line.startswith(but)]


def same(message, said):
    """It brings what was said, with an o= of the gateway's."""
    assert lines(message.sdp) == [li for li in said.split("\r\n") if li[:2] != "o="], message


def refuse(asker, asked, offer=""):
    """An offer, or the wish for one, that the other party does not take."""
    asker.request("INVITE", offer)
    refused = asked.expect("INVITE")
    asked.reply(488, to=refused)
    asker.expect(488)
    asked.expect("ACK")
    return refused


def check_sources(a, b):
    """Nothing has come from the gateway."""
    assert {p.source for p in a.rtp.packets} == {(b.agent.ip, b.rtp.port)}
    assert {p.source for p in b.rtp.packets} == {(a.agent.ip, a.rtp.port)}


def talk(w, extra=(), answer_headers=()):
    offer = make_sdp(w.carrier.ip, (rtp_a := w.rtp(w.carrier)).port, ("PCMU", "iLBC"), extra=extra)
    a = w.carrier.invite(NUMBER, offer)
    b = w.alice.called()
    a.rtp, b.rtp = rtp_a, w.rtp(w.alice)
    same(b.invite, offer)
    b.rtp.remote = b.invite.sdp.audio.address
    b.reply(180)
    a.expect(180)
    answer = make_sdp(w.alice.ip, b.rtp.port, ("PCMU",), extra=["a=x-own:1"])
    ok = connect(a, b, answer, answer_headers)
    same(ok, answer)
    return a, b


def check_sound(a, b):
    marks = len(a.rtp.packets), len(b.rtp.packets)
    tone = a.rtp.tone_start(440, 0.5, "PCMU")
    b.rtp.tone(660, 0.5, "PCMU")
    tone.join()
    assert b.rtp.heard(440, "PCMU", since=marks[1]) > 0.9
    assert a.rtp.heard(660, "PCMU", since=marks[0]) > 0.9


def test_media_goes_end_to_end():
    with World(routes=DIRECT) as w:
        a, b = talk(w, ["a=x-peculiar:of the caller", "m=video 6000 RTP/AVP 96",
                        "a=rtpmap:96 VP8/90000"])
        check_sound(a, b)
        check_sources(a, b)
        w.hang_up(a, b)


def test_new_offers_pass_both_ways_and_versions_grow():
    with World(routes=DIRECT) as w:
        a, b = talk(w)
        for first, second in ((a, b), (b, a)):
            before = second.answer.sdp if second is a else second.invite.sdp
            moved = w.rtp(first.agent)
            first.request("INVITE", make_sdp(first.agent.ip, moved.port, ("PCMU",), version=2))
            again = second.expect("INVITE")
            assert again.sdp.audio.address == (first.agent.ip, moved.port), again
            assert again.sdp.origin[:2] == before.origin[:2], (again.sdp.origin, before.origin)
            assert again.sdp.version > before.version
            second.reply(200, make_sdp(second.agent.ip, second.rtp.port, ("PCMU",), version=2),
                         to=again)
            first.expect(200)
            first.ack()
            second.expect("ACK")
            moved.remote, second.rtp.remote = first.rtp.remote, (first.agent.ip, moved.port)
            first.rtp = moved
            check_sound(a, b)
        refuse(a, b, make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=3))
        w.hang_up(b, a)


def test_a_refused_offer_is_forgotten():
    """What is said without anything new, a refresh by re-INVITE, is what was agreed on."""
    with World(routes=DIRECT, gateway="session-expires = 4s\nsession-min = 4s") as w:
        a, b = talk(w, answer_headers=[("Require", "timer"),
                                       ("Session-Expires", "4;refresher=uac")])
        refused = refuse(a, b, make_sdp(a.agent.ip, w.rtp(a.agent).port, ("PCMA",), version=2))
        again = b.expect("INVITE", 10)
        assert lines(again.sdp) == lines(b.invite.sdp), again
        assert again.sdp.version > refused.sdp.version > b.invite.sdp.version, again
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port, ("PCMU",), version=2), to=again)  # no timer
        b.expect("ACK")
        offer = make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=3)
        a.request("INVITE", offer)
        accepted = b.expect("INVITE")
        same(accepted, offer)
        assert accepted.sdp.version > again.sdp.version, accepted
        connect(a, b, make_sdp(b.agent.ip, b.rtp.port, ("PCMU",), version=3), to=accepted)
        check_sound(a, b)
        w.hang_up(a, b)


def test_early_media_passes_too_and_no_port_is_needed():
    with World(routes=DIRECT, rtp_ports="20000-20001") as w:
        calls = []
        for _ in range(3):
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
            b = w.alice.called()
            b.reply(183, make_sdp(w.alice.ip, 5000))
            assert a.expect(183).sdp.audio.address == (w.alice.ip, 5000)
            calls.append((a, b))
        for a, b in calls:
            b.reply(486)
            b.expect("ACK")
            a.expect(486)


def test_hold_is_between_the_parties():
    with World(routes=DIRECT) as w:
        a, b = talk(w)
        for version, said, answered in ((2, "sendonly", "recvonly"), (3, "sendrecv", "sendrecv")):
            a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=version,
                                         direction=said))
            again = b.expect("INVITE")
            assert again.sdp.audio.direction == said, again
            b.reply(200, make_sdp(b.agent.ip, b.rtp.port, ("PCMU",), version=version,
                                  direction=answered), to=again)
            assert a.expect(200).sdp.audio.direction == answered
            a.ack()
            b.expect("ACK")
        check_sound(a, b)
        w.hang_up(a, b)


def late_offer(w):
    """A call whose caller lets the callee offer; both dialogs, with their media."""
    a = w.carrier.invite(NUMBER)
    b = w.alice.incoming()
    assert b.expect("INVITE").body == b"", b.invite
    a.rtp, b.rtp = w.rtp(w.carrier), w.rtp(w.alice)
    b.reply(180)
    a.expect(180)
    b.reply(200, offer := make_sdp(w.alice.ip, b.rtp.port, ("PCMU", "PCMA"), extra=["a=x-b:1"]))
    ok = a.expect(200)
    same(ok, offer)
    b.reply(200, offer)  # again: it has no ACK yet
    b.expect_nothing(0.2)
    a.ack(make_sdp(w.carrier.ip, a.rtp.port, ("PCMU",), extra=["a=x-a:1"]))
    answer = b.expect("ACK").sdp
    assert answer.audio.address == (w.carrier.ip, a.rtp.port) and "x-a:1" in answer.text, answer
    a.rtp.remote, b.rtp.remote = ok.sdp.audio.address, answer.audio.address
    return a, b


def test_an_invite_without_an_offer_lets_the_callee_offer():
    with World(routes=DIRECT) as w:
        a, b = late_offer(w)
        check_sound(a, b)
        check_sources(a, b)
        w.hang_up(b, a)


def test_a_late_offer_that_is_never_answered_ends_the_call():
    with World(routes=DIRECT) as w:
        a = w.carrier.invite(NUMBER)
        b = w.alice.called()
        connect(a, b, make_sdp(w.alice.ip, 5000))
        b.answer_request("BYE")
        a.answer_request("BYE")


def ask(asker, asked, version, answers=True):
    """A re-INVITE without an offer: who is asked offers a port of its own choice."""
    asker.request("INVITE")
    again = asked.expect("INVITE")
    assert again.body == b"", again
    offer = make_sdp(asked.agent.ip, asked.rtp.port, ("PCMU",), version=version)
    asked.reply(200, offer, to=again)
    ok = asker.expect(200)
    assert ok.sdp.audio.address == (asked.agent.ip, asked.rtp.port), ok
    asked.reply(200, offer, to=again)  # again: the ACK takes its time
    asked.expect_nothing(0.2)
    asker.ack(make_sdp(asker.agent.ip, asker.rtp.port, ("PCMU",), version=version)
              if answers else "")
    assert asked.expect("ACK").sdp.audio.address == (asker.agent.ip, asker.rtp.port)


def test_a_reinvite_without_an_offer_asks_the_other_party():
    with World(routes=DIRECT) as w:
        a, b = talk(w)
        ask(a, b, 2)
        ask(b, a, 3)
        ask(a, b, 4, answers=False)  # what was known stands for it
        check_sound(a, b)
        refuse(a, b)
        a.request("INVITE")
        again = b.expect("INVITE")
        a.cancel()
        a.expect(200)
        a.expect(487)
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port, ("PCMU",), version=5), to=again)
        assert b.expect("ACK").sdp.audio.address == (a.agent.ip, a.rtp.port)
        check_sound(a, b)
        check_sources(a, b)
        w.hang_up(a, b)
