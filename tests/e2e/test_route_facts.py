"""What routes state, carried out: headers, conditions on the INVITE, announcements, ringback."""

from rtp import sine, wav
from sip_message import make_sdp
from world import RING_ALICE, World, connect

NUMBER = "+4930555100"
TONE = {"tone.wav": wav(sine(700, 1.0))}
LONG = {"tone.wav": wav(sine(700, 3.0))}


def call(w, headers=(), extra=()):
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port, extra=extra), headers)
    a.rtp = media
    return a


def rung(phone):
    b = phone.called()
    return b


def refuse(a, b, status=486):
    b.reply(status)
    b.expect("ACK")
    while a.expect_any().status < 400:
        pass


def test_a_route_adds_drops_and_carries_headers():
    route = RING_ALICE + ("add-header X-Queue = support\nadd-header Alert-Info = <http://r.test/2>\n"
                          "drop-headers = X-Secret*\ncarry-headers = Subject\n")
    with World(routes=route) as w:
        a = call(w, [("X-Secret-1", "no"), ("X-Other", "yes"), ("Subject", "tea"),
                     ("Alert-Info", "<http://theirs.test>"), ("Organization", "stays")])
        b = rung(w.alice)
        got = {n: b.invite.all(n) for n in ("X-Queue", "Alert-Info", "X-Other", "Subject")}
        assert got == {"X-Queue": ["support"], "Alert-Info": ["<http://r.test/2>"],
                       "X-Other": ["yes"], "Subject": ["tea"]}, b.invite
        assert b.invite.get("X-Secret-1") is None and b.invite.get("Organization") is None
        b.reply(180, headers=[("X-Secret-2", "no"), ("X-Here", "1")])
        ringing = a.expect(180)
        assert ringing.get("X-Secret-2") is None and ringing.get("X-Here") == "1", ringing
        refuse(a, b)


def test_conditions_on_headers_and_on_media():
    routes = f"""
[route campaign]
to = {NUMBER}
header X-Campaign = spring
ring = 1002
[route film]
to = {NUMBER}
offers = video
reject = 488 No Film
""" + RING_ALICE
    with World(routes=routes) as w:
        a = call(w, [("x-campaign", "spring")])
        refuse(a, rung(w.bob))
        a = call(w, [("X-Campaign", "autumn")])
        refuse(a, rung(w.alice))
        assert call(w, extra=["m=video 6000 RTP/AVP 96", "a=rtpmap:96 VP8/90000"]) \
            .expect_any().phrase == "No Film"


def test_a_rejection_is_explained_first():
    routes = f"[route no]\nto = {NUMBER}\nplay = tone.wav\nreject = 603 Closed\n"
    with World(routes=routes, prompts=TONE) as w:
        a = call(w)
        a.rtp.remote = a.expect(183).sdp.audio.address
        answer = a.expect_any()
        assert (answer.status, answer.phrase) == (603, "Closed"), answer
        assert a.rtp.heard(700) > 0.9, a.rtp.heard(700)


def test_the_ringback_of_a_route_is_heard_until_the_answer():
    with World(routes=RING_ALICE + "ringback = tone.wav\n", prompts=LONG) as w:
        a = call(w)
        b = rung(w.alice)
        b.reply(180)
        early = a.expect(183)
        a.rtp.remote = early.sdp.audio.address
        a.rtp.wait(25)
        assert a.rtp.heard(700, skip_ms=40) > 0.9, a.rtp.heard(700)
        b.rtp = w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        since = len(a.rtp.packets)
        b.rtp.tone(440, 0.5)
        assert a.rtp.heard(440, since=since) > 0.8, a.rtp.heard(440, since=since)
        w.hang_up(a, b)


def follow(what, prompts=()):
    return World(routes=RING_ALICE + f"on-busy = {what}\n", prompts=prompts)


def test_what_follows_may_be_a_redirection_a_rejection_or_an_announcement():
    with follow("redirect sip:desk@other.test") as w:
        a = call(w)
        rung(w.alice).reply(486)
        assert a.expect_any().all("Contact") == ["<sip:desk@other.test>"], a.ladder
    with follow("reject 480 Come Back") as w:
        a = call(w)
        rung(w.alice).reply(603)
        assert a.expect_any().phrase == "Come Back", a.ladder
    with follow("play tone.wav", TONE) as w:
        a = call(w)
        rung(w.alice).reply(486)
        a.rtp.remote = a.expect(200).sdp.audio.address
        a.ack()
        a.answer_request("BYE")
        assert a.rtp.heard(700) > 0.9


def test_a_target_is_given_up_in_its_own_time():
    route = RING_ALICE.replace("ring = 1001", "ring = 1001 for 1s, 1002\nring-time = 20s")
    with World(routes=route) as w:
        a = call(w)
        b, second = rung(w.alice), rung(w.bob)
        b.reply(180)
        b.answer_request("CANCEL")
        b.reply(487)
        second.expect_nothing(0.2)
        second.reply(200, make_sdp(w.bob.ip, 5000))
        while a.expect_any().status != 200:
            pass
        a.ack()
        second.expect("ACK")
        w.hang_up(a, second)


def test_the_longest_call_says_why_it_ends():
    with World(routes=RING_ALICE + "max-duration = 1s\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for leg in (a, b):
            assert "maximum duration" in leg.answer_request("BYE").get("Reason", "")
