"""media = direct before the answer: offers in UPDATE and PRACK go to the other party, whose answer
comes back (RFC 3311, RFC 3262); glare, preconditions (RFC 3312), forks."""

from sip_message import make_sdp
from test_direct import DIRECT, NUMBER, check_sound, same
from test_prack import prack
from world import World, wait_until

ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")
SUPPORTED = [("Supported", "100rel"), ALLOW]
PRECONDITION = [("Supported", "100rel"), ("Require", "precondition"), ALLOW]


def describe(agent, rtp, version=1, **more):
    return make_sdp(agent.ip, rtp.port, ("PCMU",), version=version, **more)


def ring(w, headers=SUPPORTED, extra=()):
    a_rtp = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, describe(w.carrier, a_rtp, extra=extra), headers)
    b = w.alice.called()
    a.rtp, b.rtp = a_rtp, w.rtp(w.alice)
    b.rtp.remote = b.invite.sdp.audio.address
    return a, b


def say_early(a, b, status=183, tag=None, rtp=None, rseq=7, required="100rel", extra=()):
    """A reliable response with the answer, acknowledged on both sides."""
    headers = [("Require", required), ("RSeq", rseq), ALLOW]
    if tag:
        b.local = f"{b.invite.get('To')};tag={tag}"
        headers.append(("To", b.local))
    answer = describe(b.agent, rtp or b.rtp, extra=extra)
    b.reply(status, answer, [*headers, ("Contact", b.agent.contact)])
    b.answer_request("PRACK")
    early = a.expect(status)
    same(early, answer)
    a.rtp.remote = early.sdp.audio.address
    return early


def exchange(asker, asked, offer, answer, headers=()):
    """An offer in an UPDATE, and its answer; the UPDATE as it arrived."""
    asker.request("UPDATE", offer, headers)
    update = asked.expect("UPDATE")
    same(update, offer)
    asked.reply(200, answer, to=update)
    ok = asker.expect(200)
    assert ok.cseq[1] == "UPDATE", ok
    same(ok, answer)
    return update


def pick_up(a, b):
    b.reply(200)
    ok = a.expect(200)
    assert not ok.body, "it is agreed already"
    a.ack()
    b.expect("ACK")


def test_updates_pass_both_ways_before_the_answer():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        assert prack(a, say_early(a, b)).status == 200
        check_sound(a, b)
        moved = w.rtp(w.carrier)
        exchange(a, b, describe(w.carrier, moved, 2, extra=["a=x-a:2"]),
                 describe(w.alice, b.rtp, 2, extra=["a=x-b:2"]))
        moved.remote, b.rtp.remote = a.rtp.remote, (w.carrier.ip, moved.port)
        a.rtp = moved
        check_sound(a, b)
        moved = w.rtp(w.alice)
        exchange(b, a, describe(w.alice, moved, 3), describe(w.carrier, a.rtp, 3))
        moved.remote, a.rtp.remote = b.rtp.remote, (w.alice.ip, moved.port)
        b.rtp = moved
        check_sound(a, b)
        b.reply(180)
        ringing = a.expect(180)
        assert prack(a, ringing).status == 200
        pick_up(a, b)
        a.request("INVITE", describe(w.carrier, a.rtp, 4))
        b.reply(200, describe(w.alice, b.rtp, 4), to=b.expect("INVITE"))
        a.expect(200)
        a.ack()
        b.expect("ACK")
        check_sound(a, b)
        w.hang_up(a, b)


def test_an_offer_in_a_prack_is_answered_by_the_other_party():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        early = say_early(a, b)
        offer = describe(w.carrier, a.rtp, 2, direction="sendonly")
        a.request("PRACK", offer, [("RAck", f"{early.get('RSeq')} {a.invite.get('CSeq')}")])
        update = b.expect("UPDATE")
        same(update, offer)
        answer = describe(w.alice, b.rtp, 2, direction="recvonly")
        b.reply(200, answer, to=update)
        ok = a.expect(200)
        assert ok.cseq[1] == "PRACK", ok
        same(ok, answer)
        pick_up(a, b)
        w.hang_up(b, a)


def test_offers_that_meet_or_are_refused_change_nothing():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        assert prack(a, say_early(a, b)).status == 200
        a.request("UPDATE", describe(w.carrier, a.rtp, 2))
        passed = b.expect("UPDATE")
        b.request("UPDATE", describe(w.alice, b.rtp, 2))  # RFC 3311 5.2
        b.expect(491)
        a.request("UPDATE", describe(w.carrier, a.rtp, 3))
        again = a.expect(500)
        assert 0 <= int(again.get("Retry-After")) <= 10, again
        b.reply(491, to=passed)
        a.expect(491)
        for status, told in ((488, 488), (580, 580), (501, 488)):
            a.request("UPDATE", describe(w.carrier, w.rtp(w.carrier), 4))
            b.reply(status, to=b.expect("UPDATE"))
            a.expect(told)
        check_sound(a, b)
        pick_up(a, b)
        check_sound(a, b)
        w.hang_up(a, b)


def test_offers_before_there_is_an_answer_may_come_again():
    # RFC 3311 5.1: who has had no reliable answer may not offer; 5.2: 500 with Retry-After.
    with World(routes=DIRECT) as w:
        a, b = ring(w, [("Supported", "100rel"), ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK")])
        b.reply(180)
        a.expect(180)
        a.request("UPDATE", describe(w.carrier, a.rtp, 2))
        assert a.expect(500).get("Retry-After")
        assert prack(a, say_early(a, b)).status == 200
        b.request("UPDATE", describe(w.alice, b.rtp, 2))  # the caller takes no UPDATE
        assert b.expect(500).get("Retry-After")
        check_sound(a, b)
        pick_up(a, b)
        check_sound(a, b)
        w.hang_up(a, b)


def test_a_target_that_leaves_with_an_offer_open():
    routes = DIRECT.replace("ring = 1001", "ring = 1001 then 1002")
    with World(routes=routes) as w:
        a, b = ring(w)
        assert prack(a, say_early(a, b)).status == 200
        a.request("UPDATE", describe(w.carrier, a.rtp, 2))
        update = b.expect("UPDATE")
        b.reply(486)
        assert a.expect(500).get("Retry-After")
        b.reply(487, to=update)
        c = w.bob.called()
        c.rtp = w.rtp(w.bob)
        check_moved(w, a, c)


def test_offers_that_are_open_at_the_end_get_487():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        assert prack(a, say_early(a, b)).status == 200
        a.request("UPDATE", describe(w.carrier, a.rtp, 2))
        update = b.expect("UPDATE")
        a.cancel()
        assert sorted((m.cseq[1], m.status) for m in (a.expect_any() for _ in range(3))) == \
            [("CANCEL", 200), ("INVITE", 487), ("UPDATE", 487)]
        b.answer_request("CANCEL")
        b.reply(487, to=update)
        b.reply(487)
        b.expect("ACK")
        a, b = ring(w)
        assert prack(a, say_early(a, b)).status == 200
        b.request("UPDATE", describe(w.alice, b.rtp, 2))
        update = a.expect("UPDATE")
        b.reply(486)
        a.reply(200, describe(w.carrier, a.rtp, 2), to=update)
        a.expect(486)
        assert sorted(b.expect_any().title for _ in range(2)) == ["487", "ACK"]


def check_told(w, a, c):
    """a, who has had another's answer, is told of c by a re-INVITE (RFC 3725 4.1)."""
    again = c.expect("INVITE")
    assert not again.body, again
    offer = describe(c.agent, c.rtp, 2)
    c.reply(200, offer, to=again)
    moved = a.expect("INVITE")
    same(moved, offer)
    answer = describe(w.carrier, a.rtp, 5)
    a.reply(200, answer, to=moved)
    a.expect("ACK")
    same(c.expect("ACK"), answer)
    a.rtp.remote, c.rtp.remote = (c.agent.ip, c.rtp.port), (w.carrier.ip, a.rtp.port)
    check_sound(a, c)
    w.hang_up(a, c)


def check_moved(w, a, c):
    """c answers instead of who has spoken to a."""
    c.rtp.remote = c.invite.sdp.audio.address
    c.reply(200, describe(c.agent, c.rtp))
    assert not a.expect(200).body
    a.ack()
    c.expect("ACK")
    check_told(w, a, c)


def test_of_several_forks_the_first_is_spoken_to_and_the_one_that_answers_counts():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        other = w.rtp(w.alice)
        early = say_early(a, b, tag="first")
        assert prack(a, early).status == 200
        first = b.local
        second = f"{b.invite.get('To')};tag=second"
        b.local = second
        b.reply(183, describe(w.alice, other), [("To", second), ("RSeq", 3), ALLOW,
                                                ("Require", "100rel")])
        assert b.answer_request("PRACK").to_tag == "second"
        b.request("UPDATE", describe(w.alice, other, 2))
        assert b.expect(500).get("Retry-After")
        b.local = first
        update = exchange(a, b, describe(w.carrier, a.rtp, 2), describe(w.alice, b.rtp, 2))
        assert update.to_tag == "first"
        b.reply(200, headers=[("To", first)])  # the last to speak was the other one
        assert not a.expect(200).body
        a.ack()
        assert b.expect("ACK").to_tag == "first"
        b.expect_nothing(0.2)
        check_sound(a, b)
        w.hang_up(a, b)


def test_another_fork_answers_than_the_one_that_was_spoken_to():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        assert prack(a, say_early(a, b, tag="first")).status == 200
        second = f"{b.invite.get('To')};tag=second"
        a.request("UPDATE", describe(w.carrier, a.rtp, 2))
        b.expect("UPDATE")
        b.local, b.rtp = second, w.rtp(w.alice)
        b.rtp.remote = a.rtp.remote
        b.reply(200, describe(w.alice, b.rtp), [("To", second)])
        assert a.expect(500).cseq[1] == "UPDATE"
        assert not a.expect(200).body
        a.ack()
        assert b.expect("ACK").to_tag == "second"
        check_told(w, a, b)


def test_a_callee_that_has_much_to_tell_is_told_on_in_measure():
    with World(routes=DIRECT) as w:
        a, b = ring(w)
        say_early(a, b)  # not yet acknowledged by the caller
        for rseq in range(8, 38):
            b.reply(180, "", [("Require", "100rel"), ("RSeq", rseq), ("X-Number", rseq)])
            b.answer_request("PRACK")
        early = a.messages[-1]
        assert prack(a, early).status == 200
        ringing = wait_until(lambda: len(numbers(w.carrier, 180)) > 6 and numbers(w.carrier, 180),
                             what="what was kept")
        assert len(ringing) == 7, "with the 183 before them, 8"
        a.expect(180)  # the others look like repetitions of it
        for number in sorted(ringing):
            assert prack(a, early, number=number).status == 200
        pick_up(a, b)
        w.hang_up(a, b)


def numbers(agent, status):
    """The RSeq of all responses of that status that came."""
    came = [data for way, _, data in list(agent.log) if way == "<" and b" %d " % status in data[:12]]
    return {int(data.split(b"RSeq:")[1].split()[0]) for data in came if b"RSeq:" in data}


def qos(local, remote):
    return [f"a=curr:qos local {local}", f"a=curr:qos remote {remote}",
            "a=des:qos mandatory local sendrecv", "a=des:qos mandatory remote sendrecv"]


def test_preconditions():
    # The flow of RFC 3312 13.1: segmented status, reserved in steps, only then it rings.
    with World(routes=DIRECT) as w:
        a, b = ring(w, PRECONDITION, extra=qos("none", "none"))
        assert "precondition" in b.invite.get("Require"), b.invite
        early = say_early(a, b, required="100rel, precondition", extra=qos("none", "none"))
        assert {"100rel", "precondition"} <= \
            set(",".join(early.all("Require")).replace(" ", "").split(",")), early
        assert prack(a, early).status == 200
        update = exchange(a, b, describe(w.carrier, a.rtp, 2, extra=qos("sendrecv", "none")),
                          describe(w.alice, b.rtp, 2, extra=qos("sendrecv", "sendrecv")),
                          [("Require", "precondition")])
        assert "precondition" in update.get("Require"), update
        b.reply(180)
        assert prack(a, a.expect(180)).status == 200
        pick_up(a, b)
        check_sound(a, b)
        w.hang_up(a, b)
        a, b = ring(w, PRECONDITION, extra=qos("none", "none"))
        b.reply(580)
        a.expect(580)
        b.expect("ACK")


def test_preconditions_are_between_the_parties_alone():
    """Where the gateway has to take part, it knows nothing of them."""
    with World(routes=DIRECT.replace("media = direct", "")) as w:
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000, extra=qos("none", "none")),
                             PRECONDITION)
        assert a.expect(420).get("Unsupported") == "precondition"
        w.alice.expect_no_call(0.1)
