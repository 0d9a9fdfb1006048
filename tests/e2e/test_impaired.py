"""The main ladders over a network that loses a tenth, doubles a tenth and reorders: every call
succeeds and ends on both sides."""

from bad_world import (answer, bad_network, BadWorld, called, check_hears, hang_up, NUMBER, prack,
                       ring, ring_early, told_of_success, WithBob)
from impair import in_parallel, until
from sip_message import make_sdp, token
from world import wait_until

CALLS = 8


def check_audio(a, b, ok):
    a.rtp.remote = ok.sdp.audio.address
    for speaker, listener, hz in ((a, b, 440), (b, a, 660)):
        check_hears(speaker, listener, hz)


@bad_network(1, calls=CALLS)
def test_calls_succeed_and_either_side_ends_them(w, number):
    a, b = ring(w, number)
    b.reply(180)
    ok = answer(w, a, b)
    check_audio(a, b, ok)
    hang_up(*((a, b) if number % 2 else (b, a)))


@bad_network(2, calls=CALLS)
def test_calls_are_cancelled(w, number):
    a, b = ring(w, number)
    b.reply(180)
    a.cancel()
    b.reply(200, to=until(b, "CANCEL"))
    b.reply(487)
    until(a, 487)
    until(b, "ACK")


@bad_network(3, calls=CALLS)
def test_calls_are_refused(w, number):
    a, b = ring(w, number)
    b.reply(486)
    until(a, 486)
    until(b, "ACK")


def reinvite(dialog, version, direction):
    dialog.request("INVITE", make_sdp(dialog.agent.ip, dialog.rtp.port, version=version,
                                      direction=direction))
    ok = until(dialog, 200, 500)
    if ok.status == 500:  # the ACK of the one before is still on its way
        return reinvite(dialog, version, direction)
    dialog.ack()
    return ok.sdp.audio.direction


@bad_network(4, calls=CALLS)
def test_calls_are_held_and_resumed(w, number):
    a, b = ring(w, number)
    ok = answer(w, a, b)
    holder = a if number % 2 else b
    assert reinvite(holder, 2, "sendonly") == "recvonly"
    assert reinvite(holder, 3, None) == "sendrecv"
    check_audio(a, b, ok)
    hang_up(a, b)


@bad_network(5, carrier="hold = pass", calls=CALLS)
def test_a_hold_is_passed_on(w, number):
    a, b = ring(w, number)
    ok = answer(w, a, b)
    for version, direction, told in ((2, "sendonly", "recvonly"), (3, None, None)):
        reinvite(b, version, direction)
        request = until(a, "INVITE")
        assert request.sdp.audio.direction == (direction or "sendrecv")
        a.reply(200, make_sdp(w.carrier.ip, a.rtp.port, version=version,
                              direction=told), to=request)
        until(a, "ACK")
    check_audio(a, b, ok)
    hang_up(b, a)


@bad_network(6, calls=CALLS)
def test_reliable_provisional_responses(w, number):
    a, b, early = ring_early(w, number)
    prack(a, early)
    check_audio(a, b, early)
    answer(w, a, b, body=False)
    hang_up(a, b)


@bad_network(7, gateway="session-expires = 8s\nsession-min = 4s", calls=CALLS)
def test_session_timers_are_refreshed(w, number):
    grants = [("Allow", "INVITE, ACK, BYE, UPDATE"), ("Session-Expires", "8;refresher=uac")]
    a, b = ring(w, number)
    answer(w, a, b, grants)
    for _ in range(2):
        b.reply(200, headers=grants[1:], to=until(b, "UPDATE"))
    hang_up(a, b)


@bad_network(8, world=WithBob)
def test_a_blind_transfer(w, number):
    a, b = ring(w, number)
    answer(w, a, b)
    b.request("REFER", headers=[("Refer-To", "<sip:1002@pbx.test>")])
    c = called(w, w.bob, str(number))
    told_of_success(b)
    hang_up(c, a)


def bye_crosses_bye(w, a, b):
    answer(w, a, b)
    a.request("BYE")
    b.request("BYE")
    for leg in (a, b):
        met = until(leg, "BYE", 200, 481)
        if met.method:
            leg.reply(200, to=met)
            until(leg, 200, 481)  # its own BYE may come when all is over


def cancel_crosses_200(w, a, b):
    b.reply(180)
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    a.cancel()
    met = until(a, 487, 200)  # a 200 may be the INVITE's or the CANCEL's
    while met.status == 200 and met.cseq[1] != "INVITE":
        met = until(a, 487, 200)
    if met.status == 200:
        a.answer = met
        a.ack()
        until(b, "ACK")
        hang_up(a, b)
    else:  # answered too late: it is taken, and ended at once
        b.reply(200, to=until(b, "BYE"))


def bye_before_ack(w, a, b):
    b.reply(200, make_sdp(w.alice.ip, b.rtp.port))
    until(a, 200)
    a.request("BYE")
    b.reply(200, to=until(b, "BYE"))
    a.ack()
    met = until(a, 200)
    while met.cseq[1] != "BYE":
        met = until(a, 200)


def requests_after_the_end(w, a, b):
    answer(w, a, b)
    hang_up(b, a)
    for method in ("INFO", "UPDATE", "OPTIONS"):
        a.request(method)
        until(a, 481)


def too_much_asked(w, a, b):
    answer(w, a, b)
    for headers, status in (([("Require", "teleport")], 420), ([("Max-Forwards", "0")], 200)):
        a.request("OPTIONS", headers=headers)
        until(a, status)
    a.request("PRACK", headers=[("RAck", "4711 1 INVITE")])
    until(a, 481)
    hang_up(a, b)


def invite_by_two_ways(w, a, b):
    """RFC 3261 8.2.2.2: the copy that came by another way is refused, the call goes on."""
    other = a.invite.to_bytes().replace(a.invite.branch.encode(), f"z9hG4bK{token()}".encode())
    w.carrier.send(other)
    until(a, 482)
    answer(w, a, b)
    hang_up(a, b)


ODD = [bye_crosses_bye, cancel_crosses_200, bye_before_ack, requests_after_the_end, too_much_asked,
       invite_by_two_ways]


@bad_network(9, calls=2 * len(ODD))
def test_odd_turns(w, number):
    a, b = ring(w, number)
    ODD[number % len(ODD)](w, a, b)


def test_refusals_of_every_kind():
    asked = [([("Require", "teleport")], "v=0", 420), ([("Content-Type", "text/plain")], "x", 415),
             ([("Max-Forwards", "0")], "v=0", 483), ([("Accept", "text/html")], "v=0", 406)]
    with BadWorld(10) as w:
        def call(number):
            headers, body, status = asked[number % len(asked)]
            body = make_sdp(w.carrier.ip, 4000) if body == "v=0" else body
            until(w.carrier.invite(NUMBER, body, headers), status)

        in_parallel(call, 2 * len(asked))
        w.alice.expect_no_call(0.3)
        wait_until(lambda: not w.gateway.control("calls"), what="no call")
