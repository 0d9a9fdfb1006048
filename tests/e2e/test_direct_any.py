"""media = direct: whatever the parties agree on passes, also what the gateway could not take part in."""

from sip_message import make_sdp
from test_direct import DIRECT, NUMBER, refuse, same, talk
from test_prack import REQUIRED, prack, progress_reliably
from world import World

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
KINDS = {  # m-lines of which nothing is audio over RTP that we know, but for the peers
    "fax": ["m=image {port} udptl t38", "a=T38FaxVersion:0"],
    "fax by TCP": ["m=image {port} TCP t38", "a=setup:passive"],
    "text": ["m=message {port} TCP/MSRP *", "a=path:msrp://{ip}:{port}/x;tcp"],
    "browser": ["m=audio {port} UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", FINGERPRINT],
    "feedback": ["m=audio {port} RTP/SAVPF 0", FINGERPRINT, "a=setup:actpass"],
    "pictures": ["m=video {port} RTP/AVP 31"],
    "codec": ["m=audio {port} RTP/AVP 77", "a=rtpmap:77 x-ours/8000"],
    "nowhere": ["m=audio 0 RTP/AVP 0"],
}


def describe(agent, kind, port=6000, version=1):
    text = ["v=0", f"o=peer 4711 {version} IN IP4 {agent.ip}", "s=-", f"c=IN IP4 {agent.ip}",
            "t=0 0"] + KINDS[kind]
    return "".join(line.format(ip=agent.ip, port=port) + "\r\n" for line in text)


def exchange(asker, asked, kind, version, method="INVITE"):
    """An offer in the call, and its answer, each as it was said."""
    offer = describe(asker.agent, kind, 6000, version)
    answer = describe(asked.agent, kind, 7000, version)
    asker.request(method, offer)
    again = asked.expect("INVITE")
    same(again, offer)
    asked.reply(200, answer, to=again)
    same(asker.expect(200), answer)
    asked.expect("ACK")
    if method == "INVITE":
        asker.ack()


def test_an_offer_in_the_call_may_be_of_any_kind():
    with World(routes=DIRECT) as w:
        a, b = talk(w)
        for version, kind in enumerate(KINDS, 2):
            exchange(a, b, kind, version)
            exchange(b, a, kind, version)
        exchange(a, b, "fax by TCP", 30, method="UPDATE")
        refuse(a, b, describe(w.carrier, "text", version=31))
        w.hang_up(a, b)


def test_a_call_may_be_of_any_kind_from_the_start():
    with World(routes=DIRECT) as w:
        for kind in KINDS:
            offer, answer = describe(w.carrier, kind), describe(w.alice, kind, 7000)
            a = w.carrier.invite(NUMBER, offer)
            b = w.alice.called()
            same(b.invite, offer)
            b.reply(183, answer)
            same(a.expect(183), answer)
            b.reply(200, answer)
            same(a.expect(200), answer)
            a.ack()
            b.expect("ACK")
            w.hang_up(b, a)


def test_a_late_offer_may_be_of_any_kind_and_its_answer():
    with World(routes=DIRECT) as w:
        for kind in KINDS:
            offer, answer = describe(w.alice, kind), describe(w.carrier, kind, 7000)
            a = w.carrier.invite(NUMBER)
            b = w.alice.called()
            b.reply(200, offer)
            same(a.expect(200), offer)
            a.ack(answer)
            same(b.expect("ACK"), answer)
            b.request("INVITE")  # and again in the call, the other way round
            again = a.expect("INVITE")
            a.reply(200, answer, to=again)
            same(b.expect(200), answer)
            b.ack(offer)
            same(a.expect("ACK"), offer)
            w.hang_up(b, a)


def test_an_answer_that_a_prack_acknowledges_may_be_of_any_kind():
    with World(routes=DIRECT) as w:
        offer, answer = describe(w.carrier, "text"), describe(w.alice, "text", 7000)
        a = w.carrier.invite(NUMBER, offer, REQUIRED)
        b = w.alice.called()
        progress_reliably(b, 183, 7, answer)
        early = a.expect(183)
        same(early, answer)
        assert prack(a, early).status == 200
        b.reply(200)
        a.expect(200)
        a.ack()
        b.expect("ACK")
        exchange(b, a, "fax by TCP", 2)
        w.hang_up(a, b)


def test_what_ends_here_is_of_our_kind():
    """The same descriptions where the gateway has to take part: refused, and the call stays."""
    kinds = [kind for kind in KINDS if kind not in ("fax", "nowhere")]
    with World(routes=DIRECT.replace("media = direct", "")) as w:
        for kind in kinds:
            w.carrier.invite(NUMBER, describe(w.carrier, kind)).expect(488)
        w.alice.expect_no_call(0.1)
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for version, kind in enumerate(kinds, 2):
            for party in (a, b):
                party.request("INVITE", describe(party.agent, kind, version=version))
                party.expect(488)
        tone = a.rtp.tone_start(440, 0.5, "PCMA")
        tone.join()
        assert b.rtp.heard(440, "PCMA") > 0.9
        w.hang_up(a, b)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        b = w.alice.called()
        b.reply(183, describe(w.alice, "text"))
        b.reply(200, describe(w.alice, "text"))
        a.expect(488)
        b.expect("ACK")
        b.answer_request("BYE")
