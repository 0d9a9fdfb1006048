"""The registrar: the flows of RFC 3665 section 2, digest, and bindings that survive."""

import time

from sip import Dialog
from sip_message import credentials, make_sdp, param, uri_of
from world import RING_ALICE, World

NUMBER = "+4930555100"
ONLY_REGISTRAR = {"routes": "", "register": ()}


def bindings(answer):
    return {uri_of(c): int(param(c, "expires")) for c in answer.all("Contact")}


def query(phone):
    """REGISTER without Contact: what is bound (RFC 3261 10.2.3)."""
    return phone.register(expires=None)


def test_successful_registration():  # RFC 3665 2.1
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        answer = phone.register(expires=600)
        dialog = list(phone.dialogs.values())[-1]
        assert dialog.ladder == ["> REGISTER", "< 401", "> REGISTER", "< 200"], dialog.ladder
        (uri, expires), = bindings(answer).items()
        assert uri == f"sip:1001@{phone.hostport}" and 590 <= expires <= 600, answer
        challenge = dialog.messages[0].get("WWW-Authenticate")
        assert 'realm="pbx.test"' in challenge and "nonce=" in challenge, challenge


def test_update_of_the_contact_list():  # RFC 3665 2.2
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11)
        answer = phone.register(contact=f"<sip:second@{w.net}.12:5070>;expires=600")
        assert len(bindings(answer)) == 2, answer


def test_request_for_the_current_list():  # RFC 3665 2.3
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11)
        answer = query(phone)
        assert answer.status == 200 and len(bindings(answer)) == 1, answer


def test_cancellation_of_registration():  # RFC 3665 2.4
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11)
        phone.register(contact=f"<sip:second@{w.net}.12:5070>;expires=600")
        answer = phone.register(contact="*", expires=0)
        assert answer.status == 200 and not bindings(answer), answer
        assert not bindings(query(phone))


def test_removal_of_one_binding():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11)
        phone.register(contact=f"<sip:second@{w.net}.12:5070>;expires=600")
        answer = phone.register(expires=0)
        assert list(bindings(answer)) == [f"sip:second@{w.net}.12:5070"], answer


def test_unsuccessful_registration():  # RFC 3665 2.5
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        answer = phone.register(password="wrong")
        assert answer.status in (401, 403), answer
        assert not bindings(query(phone))
        assert phone.register().status == 200, "the right password after a wrong one"


def test_an_unknown_user_is_challenged_like_a_known_one():
    with World(**ONLY_REGISTRAR) as w:
        stranger = w.phone("1001", 11, register=False)
        answer = stranger.register(user="4711", password="x")
        dialog = list(stranger.dialogs.values())[-1]
        assert dialog.messages[0].status == 401 and answer.status in (401, 403), dialog.ladder


def test_nobody_registers_another_extension():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        dialog = Dialog(phone, role="uac", local="<sip:1002@pbx.test>")
        dialog.remote, dialog.remote_target = "<sip:1002@pbx.test>", "sip:pbx.test"
        phone.dialogs[dialog.call_id] = dialog
        headers = [("Contact", phone.contact), ("Expires", 600)]
        dialog.request("REGISTER", "", headers)
        dialog.authenticate(dialog.expect(401), "", headers)  # as 1001
        assert dialog.expect_any().status in (401, 403), dialog.ladder


def test_a_refresh_in_the_same_dialog_keeps_one_binding():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        phone.register(expires=300)
        dialog = list(phone.dialogs.values())[-1]
        answer = phone.register(expires=900, dialog=dialog)
        (expires,) = bindings(answer).values()
        assert 890 <= expires <= 900, answer


def test_an_old_cseq_changes_nothing():  # RFC 3261 10.3 step 7
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        phone.register(expires=900)
        dialog = list(phone.dialogs.values())[-1]
        challenge = dialog.messages[0]
        headers = [("Contact", phone.contact), ("Expires", 60)]
        value = credentials(challenge.get("WWW-Authenticate"), "REGISTER", dialog.remote_target,
                            "1001", "secret1001", count=2)
        dialog.request("REGISTER", "", [("Authorization", value), *headers], cseq=1)
        answer = dialog.expect_any()
        (expires,) = bindings(query(phone)).values()
        assert expires > 800, (answer.status, expires)


def test_too_brief_is_423_with_the_minimum():  # RFC 3261 10.3 step 7
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        answer = phone.register(expires=2)
        assert answer.status == 423 and int(answer.get("Min-Expires")) > 2, answer


def test_a_binding_ends_by_itself():
    with World(routes=RING_ALICE, register=(), gateway="register-min = 1s") as w:
        phone = w.phone("1001", 11, register=False)
        assert phone.register(expires=1).status == 200
        time.sleep(1.3)
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        a.expect(480)
        assert not bindings(query(phone)), "not listed, either, before it is cleared away"


def test_contacts_that_cannot_be_dialled_are_refused():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        for contact in ("<tel:110>", "<mailto:a@b>", "<sip:>", "<>", "<sip:a@b:99999>",
                        "<sip:a@[::1>", "<sip:\u00fc@x>"):
            answer = phone.register(contact=contact, expires=600)
            assert 400 <= answer.status < 500, (contact, answer.status)
        assert not bindings(query(phone))


def test_a_phone_may_not_fill_the_table():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        statuses = [phone.register(contact=f"<sip:c{i}@{w.net}.12:{5000 + i}>").status
                    for i in range(40)]
        assert statuses[0] == 200 and statuses[-1] >= 400, statuses


def check_survives(stop):
    with World() as w:
        w.alice.register(expires=1200)
        time.sleep(0.5)  # the store writes behind
        stop(w.gateway)
        w.start()
        (expires,) = bindings(query(w.alice)).values()
        assert 1100 < expires <= 1200, expires
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.hang_up(a, b)


def test_bindings_survive_a_restart():
    check_survives(lambda gateway: gateway.stop())


def test_bindings_survive_kill_9():
    check_survives(lambda gateway: gateway.kill())


def test_a_call_goes_where_the_phone_registered_last():
    with World(register=("1001",)) as w:
        w.alice.register(contact="*", expires=0)
        moved = w.phone("1001", 30)
        a, b = w.talk(w.carrier, NUMBER, moved)
        w.alice.expect_no_call(0.1)
        w.hang_up(a, b)


def test_a_phone_behind_nat_is_reached_where_it_registered_from():
    with World(register=()) as w:
        phone = w.phone("1001", 11, register=False)
        assert phone.register(contact="<sip:1001@192.168.77.7:5060>;expires=600").status == 200
        a, b = w.ring(w.carrier, NUMBER, phone)
        assert b.invite.uri.startswith("sip:1001@192.168.77.7"), b.invite.uri
        a.cancel()
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")


def test_an_invite_with_a_wrong_password_is_not_let_in():
    with World(routes="") as w:
        a = w.alice.invite("1002", make_sdp(w.alice.ip, 4000), authenticate=False)
        a.authenticate(a.expect(407), make_sdp(w.alice.ip, 4000), password="wrong")
        assert a.expect_any().status in (403, 407), a.ladder
        w.bob.expect_no_call(0.3)


def test_a_stranger_cannot_call():
    with World() as w:
        stranger = w.agent(99, "stranger")
        a = stranger.invite(NUMBER, make_sdp(stranger.ip, 4000))
        assert a.expect_any().status in (401, 403, 407), a.ladder
        w.alice.expect_no_call(0.3)


def test_a_nonce_of_our_own_making_is_not_accepted():
    with World(**ONLY_REGISTRAR) as w:
        phone = w.phone("1001", 11, register=False)
        forged = 'Digest realm="pbx.test", nonce="0123456789abcdef", qop="auth"'
        value = credentials(forged, "REGISTER", "sip:pbx.test", "1001", "secret1001")
        answer = phone.register(headers=[("Authorization", value)], password=None)
        dialog = list(phone.dialogs.values())[-1]
        assert dialog.messages[0].status == 401, answer
