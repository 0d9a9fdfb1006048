"""More of what routes state, carried out: what follows on each kind of failure, groups, sections
like another, codecs, digits and encryption of a route."""

from sip_message import make_sdp
from test_closed import call, refused, rung
from world import RING_ALICE, World

NUMBER = "+4930555100"
FOLLOWS = RING_ALICE + """on-busy = reject 480 All Busy
on-no-answer = reject 480 Nobody Came
on-failure = reject 480 Broken
ring-time = 1s
"""


def last(a):
    """The final answer."""
    while (answer := a.expect_any()).status < 200:
        pass
    return answer


def test_each_kind_of_failure_has_its_own_consequence():
    with World(routes=FOLLOWS) as w:
        for status, phrase in ((486, "All Busy"), (600, "All Busy"), (500, "Broken"),
                               (404, "Broken")):
            a = call(w)
            b = rung(w.alice)
            b.reply(status)
            b.expect("ACK")
            assert last(a).phrase == phrase, (status, a.ladder)
        a = call(w)
        b = rung(w.alice)
        b.reply(180)
        b.answer_request("CANCEL")
        b.reply(487)
        assert last(a).phrase == "Nobody Came", a.ladder
        w.alice.register(expires=0)
        assert last(call(w)).phrase == "Broken", "nobody is registered"


GROUPS = """
[group carriers]
members = trunk:carrier, 1002
[group desk]
members = 1001, trunk:backup
[route model]
like = more
from = group:carriers
to = 5X
[route more]
to = 99
ring = group:desk
add-header X-Desk = $0
on-busy = reject 480 Desk Busy
"""


def test_groups_and_sections_like_another():
    with World(routes=GROUPS) as w:
        a = call(w, "55")
        first, second = rung(w.alice), rung(w.backup)
        assert first.invite.get("X-Desk") == second.invite.get("X-Desk") == "55"
        for b in (first, second):
            b.reply(486)
            b.expect("ACK")
        assert last(a).phrase == "Desk Busy", a.ladder
        a = call(w, "56", w.bob)
        rung(w.alice).reply(200, make_sdp(w.alice.ip, 5000))
        b = rung(w.backup)
        b.reply(180)
        assert "Call completed elsewhere" in b.answer_request("CANCEL").get("Reason", "")
        b.reply(487)
        assert last(a).status == 200
        a.ack()
        a.bye()
        assert last(call(w, "55", w.alice)).status == 404, "1001 is in no group of callers"


def test_targets_one_after_another_each_in_its_time():
    with World(routes=RING_ALICE.replace(
            "ring = 1001", "ring = 1001 for 1s then trunk:backup then 1002")) as w:
        a = call(w)
        b = rung(w.alice)
        b.reply(180)
        w.backup.expect_no_call(0.3)
        b.answer_request("CANCEL")
        b.reply(487)
        c = rung(w.backup)
        c.reply(503)
        c.expect("ACK")
        refused(a, rung(w.bob))


def test_the_codecs_of_a_route_bind_both_legs():
    with World(routes=RING_ALICE + "codecs = PCMA, opus\n") as w:
        a = call(w, codecs=("PCMU", "PCMA"))
        b = rung(w.alice)
        assert set(b.invite.sdp.audio.codecs()) == {"PCMA", "opus"}, b.invite
        b.reply(200, make_sdp(w.alice.ip, 5000, ("PCMA",)))
        assert last(a).sdp.audio.codecs() == ["PCMA"], a.answer
        a.ack()
        b.expect("ACK")
        w.hang_up(a, b)
        assert last(call(w, codecs=("PCMU",))).status == 488
        w.alice.expect_no_call(0.1)


def test_a_route_that_requires_encryption():
    with World(routes=RING_ALICE + "srtp = required\n") as w:
        assert last(call(w)).status == 488
        w.alice.expect_no_call(0.1)
        key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port, extra=[key]).replace(
            "RTP/AVP", "RTP/SAVP"))
        b = rung(w.alice)
        assert b.invite.sdp.audio.proto == "RTP/SAVP", b.invite
        assert any(line.startswith("crypto:") for line in b.invite.sdp.audio.attributes)
        refused(a, b)


def test_the_digits_of_a_route():
    with World(routes=RING_ALICE + "dtmf = info\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        assert 101 not in a.answer.sdp.audio.rtpmap(), "telephone-event was agreed upon"
        a.request("INFO", "Signal=7\r\nDuration=100\r\n",
                  [("Content-Type", "application/dtmf-relay")])
        a.expect(200)
        info = b.answer_request("INFO")
        assert "Signal=7" in info.body.decode().replace(" ", ""), info
        w.hang_up(a, b)
