"""Reliable provisional responses (RFC 3262) and early media, in both roles and mixed; forks."""

from sip_message import make_sdp
from test_hold import check_silence
from test_modify import check_talks
from world import World, connect, wait_until

NUMBER = "+4930555100"
REQUIRED = [("Require", "100rel"), ("Supported", "100rel")]


def call(w, headers=(), offer=True, **sdp):
    """The carrier calls alice; both dialogs, before anybody has said a word."""
    media = w.rtp(w.carrier)
    body = make_sdp(w.carrier.ip, media.port, **sdp) if offer else ""
    a = w.carrier.invite(NUMBER, body, headers)
    b = w.alice.called()
    a.rtp, b.rtp = media, w.rtp(w.alice)
    b.rtp.remote = b.invite.sdp.audio.address
    return a, b


def progress_reliably(b, status, rseq, body="", tag=None):
    """A reliable response of alice's; the PRACK that came for it."""
    headers = [("Require", "100rel"), ("RSeq", rseq)]
    if tag:
        headers.append(("To", f"{b.invite.get('To')};tag={tag}"))
    b.reply(status, body, headers)
    prack = b.answer_request("PRACK")
    assert prack.get("RAck") == f"{rseq} {b.invite.get('CSeq')}", prack
    return prack


def prack(a, response, body="", number=0, headers=()):
    """Acknowledges a reliable response of the gateway's; the answer to the PRACK."""
    rseq = number or response.get("RSeq")
    a.request("PRACK", body, [("RAck", f"{rseq} {a.invite.get('CSeq')}"), *headers])
    return a.expect_any()


# --- one leg reliable, the other not ---

def test_a_caller_that_requires_it_gets_reliable_ones_from_a_callee_that_knows_nothing_of_it():
    with World() as w:
        a, b = call(w, REQUIRED)
        b.reply(180)
        ringing = a.expect(180)
        assert "100rel" in ringing.get("Require") and ringing.get("RSeq"), ringing
        assert prack(a, ringing).status == 200
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port))
        early = a.expect(183)
        assert int(early.get("RSeq")) == int(ringing.get("RSeq")) + 1
        assert prack(a, early).status == 200
        a.rtp.remote = early.sdp.audio.address
        check_talks(a, b)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_reliable_callee_and_a_caller_that_knows_nothing_of_it():
    with World() as w:
        a, b = call(w)
        progress_reliably(b, 180, 41)
        assert a.expect(180).get("RSeq") is None
        progress_reliably(b, 183, 42, make_sdp(w.alice.ip, b.rtp.port))
        early = a.expect(183)
        assert early.get("RSeq") is None and early.sdp, early
        a.rtp.remote = early.sdp.audio.address
        check_talks(a, b)
        connect(a, b)  # the answer was in the 183: this 200 has none
        check_talks(a, b)
        w.hang_up(a, b)


def test_both_reliable():
    with World() as w:
        a, b = call(w, REQUIRED)
        progress_reliably(b, 183, 7, make_sdp(w.alice.ip, b.rtp.port))
        early = a.expect(183)
        a.rtp.remote = early.sdp.audio.address
        assert prack(a, early).status == 200
        check_talks(a, b)
        connect(a, b)
        check_talks(a, b)
        w.hang_up(a, b)


def answer_early(w):
    """Alice has answered while the caller has still to acknowledge the 183 with her answer: both
    dialogs, and that 183."""
    a, b = call(w, REQUIRED)
    progress_reliably(b, 183, 7, make_sdp(w.alice.ip, b.rtp.port))
    early = a.expect(183)
    b.reply(200)
    b.expect("ACK")
    return a, b, early


def test_the_200_waits_for_the_prack_of_an_answer():
    # RFC 3262 3: no 2xx before a reliable response with SDP is acknowledged.
    with World() as w:
        a, b, early = answer_early(w)
        a.expect_nothing(0.3)
        a.rtp.remote = early.sdp.audio.address
        assert prack(a, early).status == 200
        a.expect(200)
        wait_until(lambda: a.repeats == ["200"], what="the 200 said again while no ACK comes")
        a.ack()
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_callee_that_leaves_while_the_200_waits():
    with World() as w:
        a, b, early = answer_early(w)
        b.request("BYE")
        b.expect(200)
        refusal = a.expect_any()
        assert refusal.status >= 400 and refusal.cseq[1] == "INVITE", refusal
        assert prack(a, early).status == 481


def test_a_caller_that_cancels_while_the_200_waits():
    with World() as w:
        a, b, _ = answer_early(w)
        a.cancel()
        assert sorted((a.expect_any().status, a.expect_any().status)) == [200, 487]
        b.answer_request("BYE")


def test_a_prack_for_nothing_is_481():
    with World() as w:
        a, b = call(w, REQUIRED)
        b.reply(180)
        ringing = a.expect(180)
        assert prack(a, ringing, number=int(ringing.get("RSeq")) + 5).status == 481
        assert prack(a, ringing).status == 200
        assert prack(a, ringing).status == 481, "once is enough"
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        w.hang_up(a, b)


def test_a_response_that_comes_again_or_too_soon_is_passed_over():
    # RFC 3262 4: each once, in order.
    with World() as w:
        a, b = call(w)
        progress_reliably(b, 180, 7)
        a.expect(180)
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port), [("Require", "100rel"), ("RSeq", 9)])
        b.reply(180, "", [("Require", "100rel"), ("RSeq", 7), ("X-Again", "yes")])
        b.expect_nothing(0.3)
        progress_reliably(b, 183, 8, make_sdp(w.alice.ip, b.rtp.port))
        a.expect(183)
        connect(a, b)
        w.hang_up(a, b)


# --- offers and answers elsewhere than usual ---

def test_an_offerless_caller_that_requires_it_is_offered_in_the_first_response():
    # RFC 3261 13.2.1, RFC 3262 5: the first reliable message offers, the PRACK answers.
    with World() as w:
        a, b = call(w, REQUIRED, offer=False)
        b.reply(180)
        ringing = a.expect(180)
        assert ringing.sdp, ringing
        assert ringing.sdp.audio.direction == "sendrecv"
        a.rtp.remote = ringing.sdp.audio.address
        assert prack(a, ringing, make_sdp(w.carrier.ip, a.rtp.port)).status == 200
        ok = connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        assert not ok.body, "the answer is made: this 200 would offer again"
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_prack_may_offer_anew():
    with World() as w:
        a, b = call(w, REQUIRED, codecs=("PCMA", "PCMU"))
        progress_reliably(b, 183, 7, make_sdp(w.alice.ip, b.rtp.port))
        early = a.expect(183)
        a.rtp.remote = early.sdp.audio.address
        offer = make_sdp(w.carrier.ip, a.rtp.port, codecs=("PCMU",), version=2)
        elsewhere = [("Contact", f"<sip:{w.net}.77:5060>")]  # RFC 3262 4: it says no such thing
        changed = prack(a, early, offer, headers=elsewhere)
        assert changed.status == 200 and changed.sdp.audio.codecs() == ["PCMU"], changed
        check_talks(a, b, "PCMU", "PCMA")
        ok = connect(a, b)
        check_talks(a, b, "PCMU", "PCMA")
        if ok.body:
            assert ok.sdp.audio.codecs() == ["PCMU"], "the 200 brings the old answer back"
        w.hang_up(b, a)


def test_a_2xx_does_not_undo_what_a_reliable_answer_has_settled():
    with World() as w:
        a, b = call(w)
        progress_reliably(b, 183, 7, make_sdp(w.alice.ip, b.rtp.port))
        a.rtp.remote = a.expect(183).sdp.audio.address
        stray = w.rtp(w.alice)
        connect(a, b, make_sdp(w.alice.ip, stray.port))
        check_talks(a, b)
        assert not stray.packets, "RFC 3261 13.2.1: the first answer counts"
        w.hang_up(a, b)


# --- forks ---

def test_of_several_early_dialogs_the_one_that_answers_counts():
    with World() as w:
        a, b = call(w)
        other = w.rtp(w.alice)
        other.remote = b.rtp.remote
        progress_reliably(b, 183, 7, make_sdp(w.alice.ip, b.rtp.port), tag="first")
        a.rtp.remote = a.expect(183).sdp.audio.address
        check_talks(a, b)
        progress_reliably(b, 183, 7, make_sdp(w.alice.ip, other.port), tag="second")
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port),
                [("Require", "100rel"), ("RSeq", 7), ("X-Again", "yes"),
                 ("To", f"{b.invite.get('To')};tag=first")])
        b.expect_nothing(0.3)  # a repetition of the first fork's: no PRACK
        b.local = f"{b.invite.get('To')};tag=first"
        b.reply(200, headers=[("To", b.local)])
        a.expect(200)
        a.ack()
        assert b.expect("ACK").to_tag == "first"
        before = len(other.packets)
        check_talks(a, b)
        assert len(other.packets) - before <= 2, "the losing fork is sent to"
        w.hang_up(a, b)


def test_the_late_200_of_a_losing_fork_is_acknowledged_and_ended():
    with World() as w:
        a, b = call(w)
        b.reply(180, headers=[("To", f"{b.invite.get('To')};tag=first")])
        a.expect(180)
        b.reply(180, headers=[("To", f"{b.invite.get('To')};tag=second")])
        b.local = f"{b.invite.get('To')};tag=first"
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port), [("To", b.local)])
        a.rtp.remote = a.expect(200).sdp.audio.address
        a.ack()
        assert b.expect("ACK").to_tag == "first"
        b.reply(200, make_sdp(w.alice.ip, b.rtp.port),
                [("To", f"{b.invite.get('To')};tag=second")])
        assert b.expect("ACK").to_tag == "second"
        assert b.answer_request("BYE").to_tag == "second"
        check_talks(a, b)
        a.expect_nothing(0.1)
        w.hang_up(a, b)


# --- before the answer ---

def test_update_in_the_early_dialog_from_both_sides():
    with World() as w:
        media = w.rtp(w.carrier)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port),
                             [("Require", "100rel"), ("Supported", "100rel")])
        b = w.alice.called()
        a.rtp, b.rtp = media, w.rtp(w.alice)
        b.rtp.remote = b.invite.sdp.audio.address
        b.reply(183, make_sdp(w.alice.ip, b.rtp.port), [("Require", "100rel"), ("RSeq", 1)])
        b.answer_request("PRACK")
        progress = a.expect(183)
        a.rtp.remote = progress.sdp.audio.address
        a.request("PRACK", headers=[("RAck", f"{progress.get('RSeq')} {a.invite.get('CSeq')}")])
        a.expect(200)
        check_talks(a, b)
        moved = w.rtp(w.alice)  # early media moves, then the caller holds
        moved.remote, b.rtp = b.rtp.remote, moved
        b.request("UPDATE", make_sdp(w.alice.ip, b.rtp.port, version=2))
        assert b.expect(200).sdp.audio.direction == "sendrecv"
        a.request("UPDATE", make_sdp(w.carrier.ip, a.rtp.port, direction="inactive", version=2))
        assert a.expect(200).sdp.audio.direction == "inactive"
        check_silence(a, b)
        a.request("UPDATE", make_sdp(w.carrier.ip, a.rtp.port, version=3))
        assert a.expect(200).sdp.audio.direction == "sendrecv"
        check_talks(a, b)
        b.reply(200)
        a.expect(200)
        a.ack()
        b.expect("ACK")
        check_talks(a, b)
        w.hang_up(a, b)
