"""What is said of media before the answer stays said; an offer that is refused changes nothing."""

from sip_message import make_sdp
from world import World, connect

NUMBER = "+4930555100"


def provisional(w, a, b, body):
    """A reliable 183 of the callee, and its PRACK."""
    b.reply(183, body, [("Require", "100rel"), ("RSeq", "1")])
    b.answer_request("PRACK")
    a.expect(183)


def check_moved(with_sdp):
    """The callee answers in a 183, moves by UPDATE before the 200, which says nothing new."""
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        first, second = w.rtp(w.alice), w.rtp(w.alice)
        body = make_sdp(w.alice.ip, first.port)
        provisional(w, a, b, body)
        b.request("UPDATE", make_sdp(w.alice.ip, second.port, version=2))
        assert b.expect(200).sdp.audio.address
        ok = connect(a, b, body if with_sdp else "")
        media.remote = ok.sdp.audio.address
        second.remote = b.invite.sdp.audio.address
        media.tone(440, 0.6)
        second.wait(20)
        assert second.heard(440) > 0.8
        w.hang_up(a, b)


def test_an_update_before_a_200_without_sdp_stands():
    check_moved(False)


def test_an_update_before_a_200_that_repeats_the_first_answer_stands():
    check_moved(True)


def test_an_update_before_the_first_answer_is_told_when_to_come_again():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        a.request("UPDATE", make_sdp(w.carrier.ip, a.rtp.port, version=2))
        refused = a.expect(500)
        assert 0 <= int(refused.get("Retry-After")) <= 10, refused
        # the other one has our offer, and is to answer that
        b.request("UPDATE", make_sdp(w.alice.ip, b.rtp.port, version=2))
        b.expect(491)
        b.reply(486, to=b.invite)
        b.expect("ACK")
        a.expect(486)


PCMA_ONLY = {"1001": "codecs = PCMA\n", "1002": ""}


def test_a_refused_reinvite_moves_nothing():
    # RFC 6141 3: target and session timer change with the 2xx only
    with World(extensions=PCMA_ONLY) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        elsewhere = w.agent(40, "1001")
        contact = ("Contact", elsewhere.contact)
        b.request("INVITE", make_sdp(w.alice.ip, b.rtp.port, ("GSM",), version=2),
                  [contact, ("Session-Expires", "90;refresher=uac"), ("Supported", "timer")])
        b.expect(488)
        b.request("UPDATE", make_sdp(w.alice.ip, b.rtp.port, ("GSM",), version=3), [contact])
        b.expect(488)
        a.request("BYE")
        b.answer_request("BYE")
        a.expect(200)


def test_an_accepted_reinvite_moves_the_target():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        elsewhere = w.agent(40, "1001")
        b.request("UPDATE", "", [("Contact", elsewhere.contact)])
        b.expect(200)
        a.request("BYE")
        moved = elsewhere.others.get(timeout=5)
        assert moved.method == "BYE", moved
