"""From the INVITE to the answer over a network that loses a tenth, doubles a tenth and reorders:
reliable responses of one leg or the other, offers in PRACK, challenges, failover, groups."""

from bad_world import (aim, answer, bad_network, BadWorld, CALLS, dial, escape, finish, hang_up,
                       names_of, prack, released, RELIABLE, REQUIRED, ring, ring_early, send_prack,
                       until_of, WithBob)
from impair import in_parallel, until
from sip_message import make_sdp
from test_srtp import both_hear as check_talks
from world import RING_ALICE


@bad_network(41)
def test_only_the_caller_is_reliable(w, number):
    a, b = ring(w, number, REQUIRED)
    b.reply(183, make_sdp(w.alice.ip, b.rtp.port))  # may be lost: nothing follows of it
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    while True:
        message = until(a, 183, 200)
        if message.cseq[1] == "INVITE" and message.sdp:
            aim(a, message)
        if message.status == 183:
            send_prack(a, message)
        elif message.cseq[1] == "INVITE":
            break
    finish(a, b)


@bad_network(42)
def test_only_the_callee_is_reliable(w, number):
    a, b = ring(w, number)
    b.reply(183, make_sdp(w.alice.ip, b.rtp.port), RELIABLE)
    b.reply(200, to=until(b, "PRACK"))
    aim(a, answer(w, a, b, body=False))
    check_talks(a, b)
    hang_up(b, a)


@bad_network(43)
def test_a_prack_offers_anew(w, number):
    a, b, early = ring_early(w, number)
    moved = w.rtp(w.carrier)
    moved.remote, a.rtp = a.rtp.remote, moved
    changed = prack(a, early, make_sdp(w.carrier.ip, a.rtp.port, version=2))
    assert changed.sdp.audio.direction == "sendrecv", changed
    check_talks(a, b)
    b.reply(200)
    until_of(a, "INVITE")
    finish(a, b)


@bad_network(44)
def test_a_longer_session_is_asked_for(w, number):
    a, b = ring(w, number)
    b.reply(422, headers=[("Min-SE", "3600")])
    again = until(b, "INVITE")
    while again.get("Min-SE") != "3600":
        again = until(b, "INVITE")
    b.invite = again
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port), [("Session-Expires",
                                                     "3600;refresher=uac")])
    aim(a, until(a, 200))
    finish(a, b)


def test_one_of_two_that_ring_answers():
    routes = RING_ALICE.replace("ring = 1001", "ring = 1001, 1002")
    with WithBob(45) as w:
        w.write_config(w.config(routes))
        w.gateway.control("reload")

        def call(number):
            a, b = ring(w, number)
            c = w.bob.pick(str(number))
            c.rtp = w.rtp(w.bob)
            aim(c, c.invite)
            winner, loser = (b, c) if number % 2 else (c, b)
            loser.reply(180)
            winner.reply(200, make_sdp(winner.agent.ip, winner.rtp.port))
            cancel = until(loser, "CANCEL")
            assert "elsewhere" in cancel.get("Reason"), cancel
            loser.reply(200, to=cancel)
            loser.reply(487)
            until(loser, "ACK")
            aim(a, until(a, 200))
            finish(a, winner, ended_by=winner)

        in_parallel(call, CALLS)
        w.check_over()


def test_a_challenge_is_met_and_the_next_trunk_tried():
    out = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:backup then trunk:carrier\n"
    account = "user = 4930555100\npassword = out-secret\n"
    with WithBob(46, carrier=account) as w:
        w.write_config(w.config(RING_ALICE + out))
        w.gateway.control("reload")
        backup = w.stubborn(3, user="backup")

        def call(number):
            tag = str(number)
            a = dial(w, w.alice, f"012{number}", tag)
            first = backup.pick(tag)
            first.reply(500)  # a 503 would keep the other calls away from it
            until(first, "ACK")
            b = w.carrier.pick(tag)
            b.reply(407, headers=[("Proxy-Authenticate", 'Digest realm="carrier", nonce="n1", '
                                   'qop="auth", algorithm=MD5')])
            again = until(b, "INVITE")
            while not again.get("Proxy-Authorization"):
                again = until(b, "INVITE")
            b.invite, b.rtp = again, w.rtp(w.carrier)
            aim(b, again)
            b.reply(200, make_sdp(w.carrier.ip, b.rtp.port))
            aim(a, until(a, 200))
            finish(a, b)

        in_parallel(call, CALLS)
        w.check_over()


def test_a_transfer_that_is_passed_on():
    out = "[route out]\nfrom = extension\nto = 0X.\nstrip = 1\nring = trunk:carrier\n"
    with BadWorld(47, routes=out, extensions={"1001": "transfer = pass"}) as w:
        def call(number):
            b1, a = out_call(w, f"01{number}", f"first {number}")
            b2, c = out_call(w, f"02{number}", f"second {number}")
            b1.request("REFER", headers=[
                ("Refer-To", f"<sip:02{number}@pbx.test?Replaces={escape(names_of(b2))}>")])
            passed = until(a, "REFER")
            assert c.call_id in passed.get("Refer-To").replace("%40", "@"), passed
            a.reply(202, to=passed)
            a.request("NOTIFY", "SIP/2.0 200 OK\r\n",
                      [("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"),
                       ("Content-Type", "message/sipfrag;version=2.0")])
            while True:
                message = until(b1, 202, "NOTIFY")
                if message.method:
                    b1.reply(200, to=message)
                if b"200 OK" in message.body:
                    break
            for ours, theirs in ((b1, a), (b2, c)):
                theirs.request("BYE")
                released(ours)

        def out_call(w, number, tag):
            first = dial(w, w.alice, number, tag)
            second = w.carrier.pick(tag)
            second.rtp = w.rtp(w.carrier)
            aim(second, second.invite)
            second.reply(200, make_sdp(w.carrier.ip, second.rtp.port))
            aim(first, until(first, 200))
            first.ack()
            until(second, "ACK")
            return first, second

        in_parallel(call, CALLS)
        w.check_over()
