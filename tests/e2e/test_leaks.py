"""Calls of every kind, many of them: afterwards nothing is left, of memory, of descriptors, of state."""

import os
import time

from bystander import NUMBER, prove_service
from harness import is_sanitized
from sip_message import make_sdp
from world import World, wait_until

WARM_UP, ROUNDS = 17, 12  # the last 200 calls are remembered, for `show`
LINGER_S = 6  # a refused INVITE is remembered for T4; by TCP nothing else is for longer
ROUTES = f"""
[route support]
from = trunk:carrier
to = {NUMBER}
ring = 1001

[route both]
from = trunk:carrier
to = 77
ring = 1001, 1002

[route echo]
from = trunk:carrier
to = 99
answer = echo
"""
PORT = 4000  # nobody hears there


def invite(w, number=NUMBER, **more):
    return w.carrier.invite(number, make_sdp(w.carrier.ip, PORT, **more))


def answered(w, codecs=("PCMA",)):
    """A call that talks, without media; both dialogs."""
    a = invite(w)
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(180)
    b.reply(200, make_sdp(w.alice.ip, PORT, codecs))
    a.expect(180)
    a.expect(200)
    a.ack()
    b.expect("ACK")
    return a, b


def transcoded(w):
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, PORT, ("PCMA",)))
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(200, make_sdp(w.alice.ip, PORT, ("PCMU",)))
    a.expect(200)
    a.ack()
    b.expect("ACK")
    w.hang_up(a, b)


def caller_hangs_up(w):
    a, b = answered(w)
    w.hang_up(a, b)


def callee_hangs_up(w):
    a, b = answered(w)
    w.hang_up(b, a)


def held_and_resumed(w):
    a, b = answered(w)
    for version, direction in ((2, "sendonly"), (3, None)):
        a.request("INVITE", make_sdp(w.carrier.ip, PORT, direction=direction, version=version))
        for _ in range(2):  # the other leg may hear of it before or after the answer
            if a.expect_any().status == 200:
                break
        a.ack()
        drain(w, b)
    a.request("BYE")
    drain(w, b)
    a.expect(200)


def drain(w, dialog):
    """Answers whatever request comes there, until none does for a moment."""
    try:
        while True:
            message = dialog.expect_any(timeout=0.1)
            if message.method == "INVITE":
                dialog.reply(200, make_sdp(w.alice.ip, PORT, version=9), to=message)
            elif message.method and message.method != "ACK":
                dialog.reply(200, to=message)
    except AssertionError:
        pass


def refused(w):
    a = invite(w)
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(486)
    b.expect("ACK")
    a.expect(486)


def cancelled(w):
    a = invite(w)
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(180)
    a.expect(180)
    a.cancel()
    a.expect(200)
    a.expect(487)
    b.answer_request("CANCEL")
    b.reply(487)
    b.expect("ACK")


def crossed(w):
    """An answer and a CANCEL."""
    a = invite(w)
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(180)
    a.expect(180)
    a.cancel()
    cancel = b.expect("CANCEL")
    b.reply(200, make_sdp(w.alice.ip, PORT))
    b.reply(200, to=cancel)
    b.expect("ACK")
    b.answer_request("BYE")


def both_rung_one_lifts(w):
    a = invite(w, "77")
    b, c = w.alice.incoming(), w.bob.incoming()
    b.expect("INVITE")
    c.expect("INVITE")
    c.reply(180)
    b.reply(200, make_sdp(w.alice.ip, PORT))
    c.answer_request("CANCEL")
    c.reply(487)
    while a.expect_any().status != 200:
        pass
    a.ack()
    b.expect("ACK")
    w.hang_up(b, a)


def to_nobody(w):
    invite(w, "4711").expect(404)


def echoed(w):
    a = invite(w, "99")
    a.expect(200)
    a.ack()
    a.bye()


def unusable(w):
    invite(w, codecs=("GSM",), payload_types={"GSM": 3}, events=None).expect(488)
    a = invite(w)
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(488)
    b.expect("ACK")
    a.expect(488)


def early_media_by_prack(w):
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, PORT), [("Supported", "100rel")])
    b = w.alice.incoming()
    b.expect("INVITE")
    b.reply(183, make_sdp(w.alice.ip, PORT), [("Require", "100rel"), ("RSeq", "1")])
    b.answer_request("PRACK")
    while a.expect_any().status != 183:
        pass
    a.cancel()
    b.answer_request("CANCEL")
    b.reply(487)


def out_of_dialog(w):
    w.carrier.options()
    w.bob.register()


KINDS = [caller_hangs_up, callee_hangs_up, transcoded, held_and_resumed, refused, cancelled, crossed,
         both_rung_one_lifts, to_nobody, echoed, unusable, early_media_by_prack, out_of_dialog]


def descriptors(w):
    return len(os.listdir(f"/proc/{w.gateway.pid}/fd"))


def settle(w):
    wait_until(lambda: not w.gateway.control("calls"), what="calls empty")
    time.sleep(LINGER_S)
    status = w.gateway.control("status")
    assert status["calls"] == 0 and status["legs"] == 0 and status["rtp_ports_used"] == 0, status
    for agent in w.agents:  # ours, not the gateway's
        agent.dialogs.clear()


def run(w, rounds):
    for _ in range(rounds):
        for kind in KINDS:
            kind(w)


def test_calls_of_every_kind_leave_nothing():
    with World(routes=ROUTES, transport="tcp", phones="tcp", carrier="transport = tcp") as w:
        run(w, WARM_UP)
        settle(w)
        memory, files = w.gateway.rss_kb(), descriptors(w)
        run(w, ROUNDS)
        settle(w)
        assert descriptors(w) == files, f"{descriptors(w)} descriptors, {files} before"
        grown = w.gateway.rss_kb() - memory
        limit = 65536 if is_sanitized() else 2048
        assert grown < limit, f"{grown} kB more after {ROUNDS * len(KINDS)} calls"
        prove_service(w)
