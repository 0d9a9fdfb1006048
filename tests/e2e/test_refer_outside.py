"""REFER outside a call (RFC 3515 2.4): click to dial, and transfers of a call that another program
of the user's asks for (RFC 4538, RFC 5589)."""

from sip_message import make_sdp
from test_transfer import NUMBER, check_talks, hears, notified, record, shown, tag, three
from world import RING_ALICE

OUT = "\n[route out]\nfrom = extension\nto = 0X.\nstrip = 1\nring = trunk:carrier\n"


def ask(w, agent, to, status=202, headers=(), user=None, authenticate=True):
    """REFER of an extension's program; the dialog of its subscription. to: Refer-To."""
    uri = to if ":" in to else f"sip:{to}@pbx.test"
    headers = [("Refer-To", f"<{uri}>"), *headers]
    dialog = agent.dialog("REFER", agent.uri(agent.user if user is None else user), "", headers)
    answer = dialog.expect_any()
    if answer.status == 407 and agent.password and authenticate:
        dialog.authenticate(answer, "", headers)
        answer = dialog.expect_any()
    assert answer.status == status, f"{status} expected\n{answer}"
    dialog.remote = answer.get("To")
    return dialog


def program(w, extension="1001", last=30):
    """Another user agent of the extension, which is not registered."""
    return w.phone(extension, last, register=False)


def lifts(w, phone, codecs=("PCMA",)):
    """The telephone rings, and is lifted."""
    b = w.called(phone)
    b.reply(180)
    b.reply(200, make_sdp(phone.ip, b.rtp.port, codecs))
    b.expect("ACK")
    return b


def rings(w, phone):
    c = w.called(phone)
    c.reply(180)
    return c


def test_click_to_dial():
    with three(routes=RING_ALICE + OUT, extensions={"1001": "codecs = PCMA", "1002": "",
                                                    "1003": ""}) as w:
        r = ask(w, program(w), "04711")
        notified(r, "100")
        b = lifts(w, w.alice)
        assert "sip:04711@" in b.invite.get("From"), b.invite
        c = rings(w, w.carrier)
        assert "sip:4711@" in c.invite.get("To") and "1001" in c.invite.get("From"), c.invite
        notified(r, "180")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port, ("PCMU",)))
        c.expect("ACK")
        notified(r, "200", "terminated")
        r.expect_nothing(0.1)
        check_talks(b, c, "PCMA", "PCMU")
        call, = shown(w, 1)
        w.hang_up(b, c)
        done = record(w, call["id"])
        assert (done["source"], done["target"], done["callee"], done["status"]) == \
            ("extension:1001", "trunk:carrier", "04711", 200), done


def test_one_of_several_telephones_is_lifted():
    with three() as w:
        other = w.phone("1001", 31)
        r = ask(w, program(w), "1002")
        notified(r, "100")
        b = w.alice.called()
        b.reply(180)
        lifted = lifts(w, other)
        cancel = b.expect("CANCEL")
        assert "elsewhere" in cancel.get("Reason"), cancel
        b.reply(200, to=cancel)
        b.reply(487)
        b.expect("ACK")
        c = rings(w, w.bob)
        notified(r, "180")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port))
        c.expect("ACK")
        notified(r, "200", "terminated")
        check_talks(lifted, c)
        w.hang_up(c, lifted)


def test_the_target_is_busy():
    with three() as w:
        r = ask(w, program(w), "1002")
        notified(r, "100")
        b = lifts(w, w.alice)
        c = rings(w, w.bob)
        notified(r, "180")
        c.reply(486)
        c.expect("ACK")
        b.answer_request("BYE")
        notified(r, "486", "terminated")


def test_nobody_lifts_his_own_telephone():
    with three() as w:
        r = ask(w, program(w), "1002")
        notified(r, "100")
        b = w.alice.called()
        b.reply(603)
        b.expect("ACK")
        notified(r, "603", "terminated")
        w.bob.expect_no_call(0.1)


def test_he_hangs_up_before_the_target_answers():
    with three() as w:
        r = ask(w, program(w), "1002")
        notified(r, "100")
        b = lifts(w, w.alice)
        c = rings(w, w.bob)
        notified(r, "180")
        b.bye()
        cancel = c.expect("CANCEL")
        c.reply(200, to=cancel)
        c.reply(487)
        notified(r, "487", "terminated")


def test_without_a_subscription():
    with three() as w:
        r = ask(w, program(w), "1002", headers=[("Refer-Sub", "false"), ("Require", "norefersub")])
        b = lifts(w, w.alice)
        c = rings(w, w.bob)
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port))
        c.expect("ACK")
        check_talks(b, c)
        r.expect_nothing(0.1)
        w.hang_up(b, c)


# --- who may ---

def nobody_is_called(w):
    for phone in (w.alice, w.bob, w.carol, w.carrier):
        phone.expect_no_call(0.05)


def test_strangers_wrong_passwords_and_trunks_call_nobody():
    with three() as w:
        ask(w, program(w), "1002", 407, authenticate=False)
        liar = w.agent(32, "1001", password="wrong", domain="pbx.test")
        ask(w, liar, "1002", 407)
        ask(w, w.carrier, "1002", 403, user="1001")
        nobody_is_called(w)


def test_nobody_has_other_peoples_telephones_called():
    with three() as w:
        ask(w, program(w), "1003", 403, user="1002")
        nobody_is_called(w)


def test_nobody_is_called_whom_he_may_not_call():
    with three(routes=RING_ALICE) as w:
        ask(w, program(w), "0190999", 404)
        nobody_is_called(w)


def test_who_may_not_transfer():
    with three(extensions={"1001": "transfer = off", "1002": "", "1003": ""}) as w:
        ask(w, program(w), "1002", 603)
        nobody_is_called(w)


def test_what_can_not_be_read_is_refused():
    with three() as w:
        for to, headers, status in (
                ("http://x", (), 416), ("sip:1002@pbx.test;method=BYE", (), 603),
                ("1002", [("Target-Dialog", "x;local-tag=1")], 400),
                ("1002", [("Require", "teleport")], 420),
                ("1002", [("Contact", None)], 400)):
            ask(w, program(w), to, status, headers)
        nobody_is_called(w)


# --- a call that there is ---

def target(dialog, swap=False):
    """Target-Dialog: the tags as the one who is asked knows them (RFC 5589 6.1)."""
    ours, theirs = tag(dialog.remote), dialog.local_tag
    return ("Target-Dialog", f"{dialog.call_id};local-tag={ours};remote-tag={theirs}")


def test_a_call_is_transferred_from_outside_it():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        r = ask(w, program(w), "1002", headers=[target(b), ("Require", "tdialog")])
        notified(r, "100")
        c = rings(w, w.bob)
        notified(r, "180")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port))
        c.expect("ACK")
        notified(r, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_busy_target_leaves_the_call_as_it_was():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        r = ask(w, program(w), "1002", headers=[target(b)])
        notified(r, "100")
        c = rings(w, w.bob)
        notified(r, "180")
        c.reply(486)
        c.expect("ACK")
        notified(r, "486", "terminated")
        check_talks(a, b)
        w.hang_up(a, b)


def test_an_attended_transfer_from_outside_both_calls():
    with three() as w:
        a, b1 = w.talk(w.carrier, NUMBER, w.alice)
        b2, c = w.talk(w.alice, "1002", w.bob)
        names = f"{b2.call_id};to-tag={tag(b2.remote)};from-tag={b2.local_tag}"
        names = names.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        r = ask(w, program(w), f"sip:1002@pbx.test?Replaces={names}", headers=[target(b1)])
        notified(r, "100")
        offer = a.expect("INVITE")
        a.rtp.remote = offer.sdp.audio.address
        a.reply(200, make_sdp(a.agent.ip, a.rtp.port), to=offer)
        a.expect("ACK")
        notified(r, "200", "terminated")
        b1.answer_request("BYE")
        b2.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_call_is_fetched_to_another_telephone_of_ones_own():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.alice.register(expires=0)  # the one that talks; it is the other that rings
        other = w.phone("1001", 31)
        names = f"{b.call_id};to-tag={tag(b.remote)};from-tag={b.local_tag}"
        names = names.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        r = ask(w, program(w), f"sip:1001@pbx.test?Replaces={names}")
        notified(r, "100")
        c = rings(w, other)
        notified(r, "180")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port))
        c.expect("ACK")
        notified(r, "200", "terminated")
        b.answer_request("BYE")
        check_talks(a, c)
        w.hang_up(a, c)


def test_a_call_of_others_is_nobodys_to_transfer():
    with three() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        ask(w, program(w, "1002"), "1003", 403, [target(b)], user="1002")
        ask(w, w.backup, "1003", 403, [target(a)], user="1001")
        ask(w, program(w), "1003", 481, [("Target-Dialog", "no@where;local-tag=1;remote-tag=2")])
        assert hears(a, b) > 0.9
        w.hang_up(a, b)


def test_a_trunk_transfers_its_own_call_from_outside():
    with three(routes=RING_ALICE + "[route in]\nfrom = trunk:carrier\nto = 1002\nring = 1002\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        r = ask(w, w.carrier, "1002", headers=[target(a)], user="1001")
        notified(r, "100")
        c = rings(w, w.bob)
        notified(r, "180")
        c.reply(200, make_sdp(c.agent.ip, c.rtp.port))
        c.expect("ACK")
        notified(r, "200", "terminated")
        a.answer_request("BYE")
        check_talks(b, c)
        w.hang_up(b, c)
