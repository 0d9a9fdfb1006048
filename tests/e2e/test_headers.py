"""Headers between the legs: what crosses, both ways, in every message that can bear it."""

from sip_message import make_sdp
from world import RING_ALICE, World

NUMBER = "+4930555100"


def fields(message, *names):
    return [message.get(name) for name in names]


def test_private_headers_cross_both_ways_in_every_message():
    ours = [("X-Campaign", "spring 1"), ("User-to-User", "0123ab;encoding=hex"),
            ("Call-Info", "<http://crm.test/1>;purpose=info"), ("Subject", "stays here"),
            ("P-Asserted-Identity", "<sip:+49666@evil.test>")]
    theirs = [("X-Agent", "blue"), ("Alert-Info", "<http://x.test/ring>")]
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port), ours)
        b = w.alice.called()
        assert fields(b.invite, "X-Campaign", "User-to-User", "Call-Info") == \
            [value for _, value in ours[:3]], b.invite
        assert fields(b.invite, "Subject", "P-Asserted-Identity") == [None, None], b.invite
        b.reply(180, headers=theirs)
        assert fields(a.expect(180), "X-Agent", "Alert-Info") == ["blue", "<http://x.test/ring>"]
        b.reply(200, make_sdp(w.alice.ip, 5000), headers=[("X-Answer", "yes")])
        assert a.expect(200).get("X-Answer") == "yes"
        a.ack()
        b.expect("ACK")
        a.request("BYE", headers=[("X-Score", "5"), ("Reason", 'Q.850;cause=16;text="bye"')])
        bye = b.answer_request("BYE")
        a.expect(200)
        assert bye.get("X-Score") == "5", bye
        assert bye.get("Reason").startswith("Q.850;cause=16"), bye


def test_headers_of_a_refusal_and_of_a_cancel_cross():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
        b = w.alice.called()
        b.reply(486, headers=[("X-Why", "meeting"), ("Via-Extra", "no")])
        b.expect("ACK")
        refusal = a.expect(486)
        assert fields(refusal, "X-Why", "Via-Extra") == ["meeting", None], refusal
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.request("BYE", headers=[("X-Gone", "1")])  # some end an early dialog so
        b.expect(200)
        assert a.expect_any().get("X-Gone") == "1"


PICTURE = ('<?xml version="1.0"?><media_control><vc_primitive><to_encoder>'
           '<picture_fast_update/></to_encoder></vc_primitive></media_control>')


def info(leg, body, kind, headers=()):
    leg.request("INFO", body, [("Content-Type", kind), *headers])


def test_info_of_a_known_kind_is_carried_and_its_answer_comes_back():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for first, second, status in ((a, b, 200), (b, a, 488)):
            info(first, PICTURE, "application/media_control+xml", [("X-Seq", "1")])
            request = second.expect("INFO")
            assert request.body.decode() == PICTURE and request.get("X-Seq") == "1", request
            assert request.get("Content-Type") == "application/media_control+xml"
            first.expect_nothing(0.1)
            second.reply(status, to=request)
            first.expect(status)
        w.hang_up(a, b)


def test_info_that_nobody_answered_ends_with_the_call():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        info(a, "hello", "text/plain")
        b.expect("INFO")
        b.request("BYE")
        answers = {a.expect_any().title for _ in range(2)}
        assert answers == {"481", "BYE"} or answers == {"487", "BYE"}, answers
        b.expect(200)


def test_info_of_a_package_or_of_an_unknown_kind_is_refused():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        info(a, "x", "application/x-unknown")
        a.expect(415)
        info(a, "hello", "text/plain", [("Info-Package", "example")])
        assert a.expect(469).get("Recv-Info") is not None
        a.request("INFO")
        a.expect(200)
        b.expect_nothing(0.1)
        w.hang_up(a, b)
