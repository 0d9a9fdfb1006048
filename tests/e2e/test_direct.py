"""media = direct: the peers' SDP passes through, and their RTP goes from one to the other."""

from sip_message import make_sdp
from world import RING_ALICE, World

NUMBER = "+4930555100"
DIRECT = RING_ALICE + "media = direct\n"


def lines(sdp, but="o="):
    return [line for line in sdp.text.split("\r\n") if not line.startswith(but)]


def talk(w, extra=()):
    offer = make_sdp(w.carrier.ip, (rtp_a := w.rtp(w.carrier)).port, ("PCMU", "iLBC"), extra=extra)
    a = w.carrier.invite(NUMBER, offer)
    b = w.alice.incoming()
    b.expect("INVITE")
    a.rtp, b.rtp = rtp_a, w.rtp(w.alice)
    assert "\r\n".join(lines(b.invite.sdp)) == \
        "\r\n".join(line for line in offer.split("\r\n") if line[:2] != "o="), b.invite
    b.rtp.remote = b.invite.sdp.audio.address
    b.reply(180)
    a.expect(180)
    answer = make_sdp(w.alice.ip, b.rtp.port, ("PCMU",), extra=["a=x-own:1"])
    b.reply(200, answer)
    ok = a.expect(200)
    assert lines(ok.sdp) == [li for li in answer.split("\r\n") if li[:2] != "o="], ok
    a.rtp.remote = ok.sdp.audio.address
    a.ack()
    b.expect("ACK")
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
        assert {p.source for p in a.rtp.packets} == {(w.alice.ip, b.rtp.port)}
        assert {p.source for p in b.rtp.packets} == {(w.carrier.ip, a.rtp.port)}
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
        a.request("INVITE", make_sdp(a.agent.ip, a.rtp.port, ("PCMU",), version=3))
        b.reply(488, to=b.expect("INVITE"))
        a.expect(488)
        b.expect("ACK")
        w.hang_up(b, a)


def test_early_media_passes_too_and_no_port_is_needed():
    with World(routes=DIRECT, rtp_ports="20000-20001") as w:
        calls = []
        for _ in range(3):
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
            b = w.alice.incoming()
            b.expect("INVITE")
            b.reply(183, make_sdp(w.alice.ip, 5000))
            assert a.expect(183).sdp.audio.address == (w.alice.ip, 5000)
            calls.append((a, b))
        for a, b in calls:
            b.reply(486)
            b.expect("ACK")
            a.expect(486)


def test_a_transfer_of_such_a_call_is_declined():
    with World(routes=DIRECT) as w:
        a, b = talk(w)
        b.request("REFER", "", [("Refer-To", "<sip:1002@pbx.test>")])
        b.expect(603)
        w.hang_up(a, b)
