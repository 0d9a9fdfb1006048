"""Closed hours, and what follows them; rewriting by captures; conditions beside the number."""

from rtp import sine, wav
from sip_message import make_sdp, uri_of, user_of
from world import RING_ALICE, World

NUMBER = "+4930555100"
TONE = {"tone.wav": wav(sine(700, 1.0))}
CLOSED = "[hours never]\nmon-sun = closed\n"


def closed(what, prompts=()):
    return World(routes=CLOSED + RING_ALICE + f"when = never\non-closed = {what}\n"
                 "[route night]\nto = 9999\nring = 1002\n", prompts=prompts)


def call(w, number=NUMBER, caller=None, headers=(), **sdp):
    caller = caller or w.carrier
    media = w.rtp(caller)
    a = caller.invite(number, make_sdp(caller.ip, media.port, **sdp), headers)
    a.rtp = media
    return a


def rung(phone):
    b = phone.called()
    return b


def refused(a, b, status=486):
    b.reply(status)
    b.expect("ACK")
    while a.expect_any().status < 400:
        pass


def test_an_announcement():
    with closed("play tone.wav", TONE) as w:
        a = call(w)
        a.rtp.remote = a.expect(200).sdp.audio.address
        a.ack()
        a.answer_request("BYE")
        assert a.rtp.heard(700) > 0.9
        w.alice.expect_no_call(0.1)


def test_another_route():
    with closed("route:night") as w:
        a = call(w)
        refused(a, rung(w.bob))


def test_a_rejection_with_status_and_reason_after_an_announcement():
    with closed("play tone.wav then reject 480 Come Tomorrow", TONE) as w:
        a = call(w)
        a.rtp.remote = a.expect(183).sdp.audio.address
        answer = a.expect_any()
        assert (answer.status, answer.phrase) == (480, "Come Tomorrow"), answer
        assert a.rtp.heard(700) > 0.9


def test_a_redirection_to_where_somebody_is():
    with closed("redirect 1002") as w:
        answer = call(w).expect(302)
        assert [uri_of(c) for c in answer.all("Contact")] == [uri_of(w.bob.contact)], answer


def test_without_it_the_next_route_takes_the_call():
    routes = CLOSED + RING_ALICE + "when = never\n[route next]\nto = +49X.\nring = 1002\n"
    with World(routes=routes) as w:
        refused(call(w), rung(w.bob))


def test_captures_make_numbers_callers_and_headers():
    routes = """
[route out]
from = extension
to = 0(XX)(X.)
from-number = 1(XX[0-9])
number = +49$1-$2
caller = +4930555$1
caller-name = Example Ltd
add-header X-Area = $1/$2 of $0
ring = trunk:carrier
"""
    with World(routes=routes) as w:
        a = call(w, "03012345", w.alice)
        b = rung(w.carrier)
        assert user_of(b.invite.uri) == "+4930-12345", b.invite
        assert user_of(uri_of(b.invite.get("From"))) == "+4930555001", b.invite
        assert "Example Ltd" in b.invite.get("From"), b.invite
        assert b.invite.get("X-Area") == "30/12345 of 03012345", b.invite
        refused(a, b)


TALL = """
[route tls]
transport = tls
reject = 488 By TLS
[route tcp]
transport = tcp, tls
reject = 488 By TCP
[route fax]
offers = fax
reject = 488 Fax
[route film]
offers = video
reject = 488 Film
[route any-value]
header X-Nobody = *
reject = 488 Any
[route summer]
header X-Season = summer*, autumn
reject = 488 Warm
[route without]
header X-Must = none
to = 55
reject = 488 Without
[route sound]
offers = audio
reject = 488 Sound
"""


def test_conditions_on_transport_media_and_headers():
    with World(routes=TALL, register=()) as w:
        def said(number="7", headers=(), extra=()):
            return call(w, number, headers=headers, extra=extra).expect_any().phrase

        w.carrier.transport = "tcp"
        assert said() == "By TCP"
        w.carrier.transport = "udp"
        assert said(extra=["m=image 6000 udptl t38"]) == "Fax"
        assert said(extra=["m=video 6000 RTP/AVP 96", "a=rtpmap:96 VP8/90000"]) == "Film"
        assert said(extra=["m=video 0 RTP/AVP 96"]) == "Sound", "port 0 asks for nothing"
        assert said(headers=[("X-Nobody", "at all")]) == "Any"
        assert said(headers=[("x-season", "summer 2026")]) == "Warm"
        assert said(headers=[("X-Season", "winter"), ("X-Season", "autumn")]) == "Warm"
        assert said(headers=[("X-Season", "winter")]) == "Sound"
        assert said("55") == "Without"
        assert said("55", headers=[("X-Must", "")]) == "Sound"
        a = w.carrier.invite("7")
        assert a.expect_any().phrase == "Sound", "without an offer, ours is for audio"
