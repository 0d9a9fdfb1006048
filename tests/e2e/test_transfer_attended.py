"""Attended transfers through Twinleg, INVITE with Replaces, and what becomes of those who can't meet."""

from sip_message import make_sdp
from test_transfer import (NUMBER, THREE, bob_rings, check_talks, notified, record, refer, shown,
                           tag, target_answers, target_rings, three)
from world import connect


def moved(dialog, codecs=("PCMA",), **sdp):
    """The re-INVITE that takes a leg to another session, accepted."""
    offer = dialog.expect("INVITE")
    dialog.rtp.remote = offer.sdp.audio.address
    dialog.reply(200, make_sdp(dialog.agent.ip, dialog.rtp.port, codecs, **sdp), to=offer)
    dialog.expect("ACK")
    return offer


def both_calls(w, **more):
    """carrier - alice, and alice - bob."""
    a, b1 = w.talk(w.carrier, NUMBER, w.alice)
    b2, c = w.talk(w.alice, "1002", w.bob, **more)
    return a, b1, b2, c


def test_attended_and_the_records():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        first, = w.gateway.control("calls")
        b2, c = w.talk(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        moved(a)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_talks(a, c)
        c.expect_nothing(0.1)
        third, = shown(w, 1)
        w.hang_up(c, a)
        new = record(w, third["id"])
        assert (new["source"], new["target"], new["linked"], new["transferred_by"]) == \
            ("trunk:carrier", "1002", first["id"], "extension:1001"), new


def test_attended_by_one_who_was_called_twice():
    # alice is callee of both calls: nobody is where the plain model would have him
    with three(extensions={"1001": "", "1002": "", "1003": "codecs = PCMU"}) as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        c, b2 = w.talk(w.carol, "1001", w.alice, codecs=("PCMU",))
        refer(b1, "1003", replaces=b2)
        notified(b1, "100")
        moved(a)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_talks(a, c, "PCMA", "PCMU")
        w.hang_up(a, c)


def test_attended_by_one_who_called_twice():
    with three() as w:
        b1, a = w.talk(w.alice, "1003", w.carol)
        b2, c = w.talk(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        moved(a)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_leg_that_does_not_move_leaves_both_calls():
    with three() as w:
        a, b1, b2, c = both_calls(w)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        offer = a.expect("INVITE")
        a.reply(488, to=offer)
        a.expect("ACK")
        notified(b1, "488", "terminated")
        check_talks(a, b1)
        check_talks(b2, c)
        w.hang_up(a, b1)
        w.hang_up(b2, c)


def test_who_transfers_hangs_up_both_at_once():
    with three() as w:
        a, b1, b2, c = both_calls(w)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        offer = a.expect("INVITE")
        b1.bye()
        b2.bye()
        a.rtp.remote = offer.sdp.audio.address
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port), to=offer)
        a.expect("ACK")
        notified(b1, "200", "terminated")
        check_talks(a, c)
        w.hang_up(a, c)


def test_who_stays_hangs_up_while_it_moves():
    with three() as w:
        a, b1, b2, c = both_calls(w)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        a.expect("INVITE")
        a.request("BYE")
        a.expect(200)
        notified(b1, "487", "terminated")
        b1.answer_request("BYE")
        check_talks(b2, c)
        w.hang_up(b2, c)


def test_attended_before_the_answer():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        b2, c = w.ring(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        moved(a)
        notified(b1, "180")
        target_answers(c)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        assert b2.expect_any().status in (480, 487), b2.ladder
        check_talks(a, c)
        w.hang_up(a, c)


def test_attended_before_the_answer_and_who_transfers_cancels():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        b2, c = w.ring(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        b2.cancel()
        assert {b2.expect_any().title, b2.expect_any().title} == {"200", "487"}
        moved(a)
        notified(b1, "180")
        target_answers(c)
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_attended_before_the_answer_and_it_is_busy():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        b2, c = w.ring(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        moved(a)
        notified(b1, "180")
        c.reply(486)
        c.expect("ACK")
        back = moved(a)  # to the ports of the first call
        assert back.sdp.audio.address, back
        b2.expect(486)
        notified(b1, "486", "terminated")
        check_talks(a, b1)
        w.hang_up(a, b1)


def test_the_consulting_call_is_not_ours():
    # Replaces names a dialog that the phones have with each other: it goes to the target
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        uri = "sip:1002@pbx.test?Replaces=other%40elsewhere%3Bto-tag%3D1%3Bfrom-tag%3D2"
        refer(b, uri)
        notified(b, "100")
        c = target_rings(w, w.bob)
        assert c.invite.get("Replaces") == "other@elsewhere;to-tag=1;from-tag=2", c.invite
        assert "replaces" in c.invite.get("Require"), c.invite
        target_answers(c)
        while not notified_final(b):
            pass
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def notified_final(dialog):
    return dialog.answer_request("NOTIFY").get("Subscription-State").startswith("terminated")


# --- INVITE with Replaces, RFC 3891 3 ---

def replaces(dialog, early=False):
    names = f"{dialog.call_id};to-tag={tag(dialog.remote)};from-tag={dialog.local_tag}"
    return [("Replaces", names + (";early-only" if early else "")), ("Require", "replaces")]


def newcomer(w, phone, headers):
    media = w.rtp(phone)
    c = phone.invite("1001", make_sdp(phone.ip, media.port), headers)
    c.rtp = media
    return c


def test_replaces_of_either_side():
    for caller in (True, False):
        with three() as w:
            a, b = w.talk(w.carol, "1001", w.alice)
            gone, stays = (a, b) if caller else (b, a)
            c = newcomer(w, w.bob, replaces(gone))
            c.rtp.remote = c.expect(200).sdp.audio.address
            c.ack()
            gone.answer_request("BYE")
            check_talks(stays, c)
            w.hang_up(stays, c)


def test_replaces_of_nothing():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        headers = [("Replaces", f"{b.call_id};to-tag=none;from-tag={b.local_tag}")]
        newcomer(w, w.bob, headers).expect(481)
        check_talks(a, b)
        w.hang_up(a, b)


def test_replaces_of_an_early_dialog_only():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        newcomer(w, w.bob, replaces(b, early=True)).expect(486)
        w.hang_up(a, b)


def test_replaces_that_can_not_be_read():
    with three() as w:
        newcomer(w, w.bob, [("Replaces", "x;to-tag=1")]).expect(400)
        w.alive()


def test_replaces_without_a_codec_in_common():
    with three(gateway="codecs = PCMA, PCMU") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        media = w.rtp(w.bob)
        c = w.bob.invite("1001", make_sdp(w.bob.ip, media.port, ("G722",)), replaces(b))
        c.expect(488)
        check_talks(a, b)
        w.hang_up(a, b)


def test_a_trunk_does_not_replace_an_extension():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        media = w.rtp(w.backup)
        w.backup.invite("1001", make_sdp(w.backup.ip, media.port), replaces(b)).expect(403)
        check_talks(a, b)
        w.hang_up(a, b)


# --- who is there now, RFC 4916 ---

def test_who_stays_is_told_who_is_there_now():
    with three() as w:
        media = w.rtp(w.carol)
        a = w.carol.invite("1001", make_sdp(w.carol.ip, media.port),
                           [("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE"),
                            ("Supported", "from-change")])
        a.rtp = media
        b = w.alice.called()
        b.rtp = w.rtp(w.alice)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        c = bob_rings(w, b)
        target_answers(c)
        update = a.answer_request("UPDATE")
        assert "sip:1002@pbx.test" in update.get("P-Asserted-Identity"), update
        assert "sip:1002@pbx.test" in update.get("From"), update
        assert tag(update.get("From")) == tag(a.remote), update
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_who_is_moved_reads_it_in_the_re_invite():
    with three() as w:
        b1, a = w.talk(w.alice, "1003", w.carol)
        b2, c = w.talk(w.alice, "1002", w.bob)
        refer(b1, "1002", replaces=b2)
        notified(b1, "100")
        assert "sip:1002@pbx.test" in moved(a).get("P-Asserted-Identity")
        notified(b1, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        w.hang_up(a, c)


# --- transfer = pass ---

OUT = """
[route out]
from = extension
to = 0X.
strip = 1
ring = trunk:carrier
"""


def test_passed_on_to_the_trunk():
    with three(routes=OUT, carrier="transfer = off",
               extensions={**THREE, "1001": "transfer = pass"}) as w:
        b, a = w.talk(w.alice, "0123", w.carrier)
        refer(b, "0456")
        passed = a.expect("REFER")
        assert passed.get("Refer-To") == f"<sip:456@{w.net}.2:5060>", passed
        assert passed.get("Referred-By") == "<sip:1001@pbx.test>", passed
        a.reply(202, to=passed)
        notified(b, "100")
        for state, fragment in (("active;expires=60", "180 Ringing"),
                                ("terminated;reason=noresource", "200 OK")):
            a.request("NOTIFY", f"SIP/2.0 {fragment}\r\n",
                      [("Event", "refer"), ("Subscription-State", state),
                       ("Content-Type", "message/sipfrag;version=2.0")])
            a.expect(200)
            notified(b, fragment, state.partition(";")[0])
        w.hang_up(a, b)


def test_passed_on_with_the_dialog_that_the_trunk_knows():
    with three(routes=OUT, extensions={**THREE, "1001": "transfer = pass"}) as w:
        b1, a = w.talk(w.alice, "0123", w.carrier)
        b2, c = w.talk(w.alice, "0456", w.carrier)
        refer(b1, "0456", replaces=b2)
        passed = a.expect("REFER")
        to = passed.get("Refer-To").replace("%3D", "=").replace("%3B", ";").replace("%40", "@")
        assert to == (f"<sip:456@{w.net}.2:5060?Replaces={c.call_id};to-tag={c.local_tag};"
                      f"from-tag={tag(c.remote)}>"), to
        a.reply(603, to=passed)
        notified(b1, "100")
        notified(b1, "603", "terminated")
        check_talks(b1, a)
        w.hang_up(b1, a)
        w.hang_up(b2, c)


def test_what_can_not_be_passed_on_is_done_here():
    with three(routes=OUT, extensions={**THREE, "1001": "transfer = pass"}) as w:
        b, a = w.talk(w.alice, "0123", w.carrier)
        c = bob_rings(w, b)  # which the carrier can't reach
        target_answers(c)
        notified(b, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)
