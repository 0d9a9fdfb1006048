"""Calls that are not answered: what the caller is told, and what becomes of those that rang."""

import time

from sip_message import make_sdp
from world import RING_ALICE, World

NUMBER = "+4930555100"
REFUSED = ["> INVITE", "< 100", "< {}", "> ACK"]


def refused(caller_status):
    return [step.format(caller_status) for step in REFUSED]


def call(world, caller=None, number=NUMBER):
    caller = caller or world.carrier
    media = world.rtp(caller)
    a = caller.invite(number, make_sdp(caller.ip, media.port))
    a.rtp = media
    return a


def route(ring, **keys):
    lines = "".join(f"{name.replace('_', '-')} = {value}\n" for name, value in keys.items())
    return f"[route support]\nfrom = trunk:carrier\nto = {NUMBER}\nring = {ring}\n{lines}"


def check_refusal_passes(status, shown=None):
    with World() as w:
        a = call(w)
        b = w.alice.called()
        b.reply(status)
        b.expect("ACK")
        a.expect(shown or status)
        assert a.ladder == refused(shown or status), a.ladder
        assert b.ladder == ["< INVITE", f"> {status}", "< ACK"], b.ladder


def test_busy():
    check_refusal_passes(486)


def test_declined():
    check_refusal_passes(603)


def test_not_found_at_the_callee():
    check_refusal_passes(404)


def test_not_acceptable_at_the_callee():
    check_refusal_passes(488)


def test_refusal_after_ringing():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(486)
        b.expect("ACK")
        a.expect(486)
        assert a.ladder == ["> INVITE", "< 100", "< 180", "< 486", "> ACK"], a.ladder


def test_a_callees_challenge_is_not_the_callers_business():
    with World() as w:
        a = call(w)
        b = w.alice.called()
        b.reply(401, headers=[("WWW-Authenticate", 'Digest realm="x", nonce="y"')])
        b.expect("ACK")
        assert a.expect_any().status in (403, 480), a.ladder


def test_no_route_takes_the_number():
    with World() as w:
        a = call(w, number="+4999")
        a.expect(404)
        assert a.ladder in (refused(404), ["> INVITE", "< 404", "> ACK"]), a.ladder


def test_extension_dials_an_unknown_number():
    with World(routes="") as w:
        a = call(w, w.alice, "999")
        a.expect(404)


def test_not_registered_is_480():
    with World(register=()) as w:
        call(w).expect(480)


def test_nobody_at_the_registered_address():
    # A closed port answers by ICMP: RFC 3261 8.1.3.1 makes it a 503; our caller is told in seconds.
    with World(register=("1001",)) as w:
        w.alice.udp.close()
        w.alice.tcp.close()
        start = time.monotonic()
        answer = call(w).expect_any(timeout=12)
        assert answer.status in (408, 480, 503), answer
        assert time.monotonic() - start < 10, "an unreachable phone kept the caller waiting"


def test_a_silent_callee_is_given_up():
    # INVITE is retransmitted into silence until the no-answer timer; no CANCEL without a 1xx.
    with World(routes=route("1001", ring_time="2s")) as w:
        a = call(w)
        b = w.alice.called()
        answer = a.expect_any()
        assert answer.status in (408, 480), answer
        assert "INVITE" in b.repeats, "RFC 3261 17.1.1.2: Timer A"


def test_no_answer_is_cancelled_and_the_caller_told():
    with World(routes=route("1001", ring_time="1s")) as w:
        start = time.monotonic()
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.answer_request("CANCEL")
        took = time.monotonic() - start
        b.reply(487)
        b.expect("ACK")
        answer = a.expect_any()
        assert answer.status in (408, 480), answer
        assert 0.9 < took < 2, took
        assert b.ladder == ["< INVITE", "> 180", "< CANCEL", "> 200", "> 487", "< ACK"], b.ladder


def test_on_no_answer_rings_on():
    routes = route("1001", ring_time="1s", on_no_answer="route:second") + \
        "[route second]\nto = 9999\nring = 1002\n"
    with World(routes=routes) as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.answer_request("CANCEL")
        b.reply(487)
        second = w.bob.called()
        second.reply(200, make_sdp(w.bob.ip, 5000))
        a.expect(200)
        a.ack()
        second.expect("ACK")
        w.hang_up(a, second)


def test_on_busy_rings_on():
    routes = route("1001", on_busy="route:second") + "[route second]\nto = 9999\nring = 1002\n"
    with World(routes=routes) as w:
        a = call(w)
        b = w.alice.called()
        b.reply(486)
        b.expect("ACK")
        second = w.bob.called()
        second.reply(200, make_sdp(w.bob.ip, 5000))
        a.expect(200)
        a.ack()
        second.expect("ACK")
        w.hang_up(second, a)
        assert a.ladder == ["> INVITE", "< 100", "< 200", "> ACK", "< BYE", "> 200"], a.ladder


def test_all_at_once_one_wins():
    with World(routes=route("1001, 1002")) as w:
        a = call(w)
        first, second = w.alice.incoming(), w.bob.incoming()
        for b in (first, second):
            b.expect("INVITE")
            b.reply(180)
        second.reply(200, make_sdp(w.bob.ip, 5000))
        second.expect("ACK")
        cancel = first.answer_request("CANCEL")
        first.reply(487)
        first.expect("ACK")
        assert "200" in (cancel.get("Reason") or ""), "RFC 3326: completed elsewhere"
        a.expect(180)
        while a.expect_any().status != 200:
            pass
        a.ack()
        w.hang_up(a, second)
        assert [m.title for m in a.messages].count("200") == 2, a.ladder  # INVITE's and BYE's
        assert first.ladder == ["< INVITE", "> 180", "< CANCEL", "> 200", "> 487", "< ACK"]


def test_all_at_once_both_lift_the_second_is_hung_up():
    with World(routes=route("1001, 1002")) as w:
        a = call(w)
        first, second = w.alice.incoming(), w.bob.incoming()
        for b in (first, second):
            b.expect("INVITE")
            b.reply(180)
        for b in (first, second):
            b.reply(200, make_sdp(b.agent.ip, 5000))
        first.expect("ACK")
        a.expect(180)
        while a.expect_any().status != 200:
            pass
        a.ack()
        late = second.expect_any()
        if late.method == "CANCEL":  # crossed our 200
            second.reply(200, to=late)
            late = second.expect_any()
        assert late.method == "ACK", second.ladder
        second.answer_request("BYE")
        w.hang_up(a, first)


def test_all_at_once_the_best_refusal_is_told():
    # RFC 3261 16.7 step 6: when nobody answers, busy says more than "not found".
    with World(routes=route("1001, 1002")) as w:
        a = call(w)
        for phone, status in ((w.alice, 404), (w.bob, 486)):
            b = phone.called()
            b.reply(status)
            b.expect("ACK")
        assert a.expect_any().status == 486, a.ladder


def test_one_who_declines_leaves_the_others_ringing():
    # A proxy would end the search at a 6xx (RFC 3261 16.7); we are no proxy, and a key marked
    # "decline" on one telephone of a group is not the group's word.
    with World(routes=route("1001, 1002")) as w:
        a = call(w)
        first, second = w.alice.incoming(), w.bob.incoming()
        first.expect("INVITE")
        second.expect("INVITE")
        first.reply(603)
        first.expect("ACK")
        second.expect_nothing(0.3)
        second.reply(486)
        second.expect("ACK")
        assert a.expect_any().status in (486, 603), a.ladder


def test_one_after_another():
    with World(routes=route("1001 then 1002", ring_time="1s")) as w:
        a, first = w.ring(w.carrier, NUMBER, w.alice)
        w.bob.expect_no_call(0.5)
        first.answer_request("CANCEL")
        first.reply(487)
        first.expect("ACK")
        second = w.bob.called()
        second.reply(180)
        second.reply(200, make_sdp(w.bob.ip, 5000))
        second.expect("ACK")
        while a.expect_any().status != 200:
            pass
        a.ack()
        w.hang_up(second, a)


def test_next_trunk_when_the_first_refuses():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier then trunk:backup\n"
    with World(routes=routes) as w:
        a = call(w, w.alice, "0123")
        first = w.carrier.called()
        first.reply(503)
        first.expect("ACK")
        second = w.backup.called()
        second.reply(200, make_sdp(w.backup.ip, 5000))
        a.expect(200)
        a.ack()
        second.expect("ACK")
        w.hang_up(a, second)


def test_a_trunk_that_is_gone_is_skipped():
    routes = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:backup then trunk:carrier\n"
    with World(routes=routes) as w:
        w.backup.udp.close()
        w.backup.tcp.close()
        a = call(w, w.alice, "0123")
        second = w.carrier.called(timeout=12)
        second.reply(200, make_sdp(w.carrier.ip, 5000))
        a.expect(200)
        a.ack()
        second.expect("ACK")
        w.hang_up(a, second)


def test_no_codec_in_common_is_488_to_the_caller():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(
            w.carrier.ip, media.port, codecs=(), events=None,
            extra=(f"m=audio {media.port} RTP/AVP 77", "a=rtpmap:77 nonsense/8000")))
        assert a.expect_any().status == 488, a.ladder
        w.alice.expect_no_call(0.3)


def test_a_callee_that_answers_with_rubbish_is_hung_up():
    # RFC 3261 13.2.2.4: a 2xx is acknowledged; an answer that can't be used ends the call.
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        b.reply(200, "v=0\r\nthis is not a session description\r\n")
        b.expect("ACK")
        b.answer_request("BYE")
        assert a.expect_any().status in (480, 488, 500, 502, 503), a.ladder


def test_a_trunks_call_limit():
    with World(routes=RING_ALICE, carrier="max-calls = 1") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        second = call(w)
        assert second.expect_any().status in (486, 503), second.ladder
        w.hang_up(a, b)
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)


def test_a_trunks_call_limit_counts_both_ways():
    routes = RING_ALICE + """
[route out]
from = extension
to = 0X.
ring = trunk:carrier
"""
    with World(routes=routes, carrier="max-calls = 2") as w:
        into = w.talk(w.carrier, NUMBER, w.alice)
        out = w.talk(w.bob, "0123", w.carrier)
        refused = call(w)
        assert int(refused.expect(503).get("Retry-After")) > 0
        w.bob.invite("0124", make_sdp(w.bob.ip, 4000)).expect(503)
        w.carrier.expect_no_call(0.1)
        w.hang_up(*into)
        out2 = w.talk(w.bob, "0124", w.carrier)
        w.hang_up(*out)
        w.hang_up(*out2)


def test_a_route_that_rejects():
    with World(routes="[route no]\nto = +4930X.\nreject = 403 Not From Here\n") as w:
        a = call(w)
        answer = a.expect(403)
        assert answer.phrase == "Not From Here", answer.start
        assert a.ladder in (refused(403), ["> INVITE", "< 403", "> ACK"]), a.ladder


def test_a_route_that_redirects():
    with World(routes="[route moved]\nto = +4930X.\nredirect = sip:$0@other.example\n") as w:
        answer = call(w).expect(302)
        assert answer.all("Contact") == [f"<sip:{NUMBER}@other.example>"], answer


def test_a_callee_that_redirects_does_not_move_the_call_unasked():
    # A 3xx from a phone is passed on as a refusal or followed; it never leaks its address.
    with World() as w:
        a = call(w)
        b = w.alice.called()
        b.reply(302, headers=[("Contact", f"<sip:bob@{w.net}.250>")])
        b.expect("ACK")
        answer = a.expect_any()
        assert answer.status >= 300 and f"{w.net}.250" not in str(answer), answer
