"""Telephones whose way changes while they are called: a connection that closes and is made again, a
NAT that gives another port, in the middle of a call or of a subscription."""

from sip import Agent
from sip_message import make_sdp
from test_flow import ELSEWHERE, NUMBER, behind_nat, registrations
from test_tls import TlsWorld
from world import World, connect, wait_until

INSTANCE = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1'


class Translated(Agent):
    """A telephone behind a NAT, which knows no other address of its own."""
    hostport = ELSEWHERE


def translated(w, register=True, transport="udp"):
    phone = Translated(f"{w.net}.11", w.address, user="1001", password="secret1001",
                       domain="pbx.test", transport=transport)
    w.agents.append(phone)
    if register:
        assert phone.register().status == 200
    return phone


def call(w, phone, contact):
    """The carrier's call to a telephone that names its Contact so."""
    media = w.rtp(w.carrier)
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, media.port))
    b = w.called(phone)
    b.reply(180)
    a.expect(180)
    connect(a, b, make_sdp(phone.ip, b.rtp.port), [("Contact", f"<{contact}>")])
    return a, b


def lose_connection(w, phone):
    """It is closed, and the gateway knows."""
    before = registrations(w)
    phone.disconnect()
    wait_until(lambda: registrations(w) != before, what="the end of the connection")


def hang_up_elsewhere(w, first, other, left):
    """As World.hang_up(), and the telephone that has moved gets nothing where it was."""
    seen = len(left.log)
    w.hang_up(first, other)
    assert len(left.log) == seen, "something went where nobody is"


def move(dialog, phone):
    """The telephone of a dialog has another socket now."""
    dialog.agent = phone
    phone.dialogs[dialog.call_id] = dialog


def test_a_call_goes_on_over_the_connection_that_is_made_anew():
    with World(register=()) as w:
        phone = behind_nat(w, transport="tcp")
        a, b = call(w, phone, phone.nat_contact)
        lose_connection(w, phone)
        phone.register(contact=f"<{phone.nat_contact}>;expires=600")
        w.hang_up(a, b)


def test_a_flow_is_known_by_its_instance_whatever_its_contact_says():
    with World(register=()) as w:
        phone = w.phone("1001", 11, register=False, transport="tcp")

        def register(port):
            contact = f"sip:1001@192.168.77.7:{port};transport=tcp;ob"
            answer = phone.register(contact=f"<{contact}>{INSTANCE};expires=600",
                                    headers=[("Supported", "outbound")])
            assert answer.status == 200, answer
            return contact

        a, b = call(w, phone, register(5071))
        lose_connection(w, phone)
        register(5072)
        w.hang_up(a, b)


def test_a_telephone_that_listens_is_connected_to_in_a_call():
    with World(register=()) as w:
        phone = w.phone("1001", 11, transport="tcp")  # its Contact names the port it listens at
        a, b = w.talk(w.carrier, NUMBER, phone)
        lose_connection(w, phone)
        w.hang_up(a, b)


def comes_back(w, phone):
    a, b = w.talk(w.carrier, NUMBER, phone)
    lose_connection(w, phone)
    assert phone.register().status == 200
    with phone.lock:
        ours = list(phone.connections.values())
    a.request("BYE")
    bye = b.answer_request("BYE")
    assert bye.connection in ours, "a connection that the telephone did not open"
    a.expect(200)


def test_a_telephone_that_listens_and_comes_back_is_called_by_its_own_connection():
    with World(register=()) as w:
        comes_back(w, w.phone("1001", 11, transport="tcp"))


def test_a_telephone_comes_back_by_tls():
    with TlsWorld(register=()) as w:
        comes_back(w, w.phone("1001", 11))


def test_a_nat_that_gives_another_port_in_a_call_is_followed_by_the_registration():
    with World(register=()) as w:
        phone, later = behind_nat(w), w.phone("1001", 11, register=False)
        a, b = call(w, phone, phone.nat_contact)
        later.register(contact=f"<{phone.nat_contact}>;expires=600")
        move(b, later)
        hang_up_elsewhere(w, a, b, phone)


def test_a_nat_that_gives_another_port_in_a_call_is_followed_by_a_request():
    with World(register=()) as w:
        phone, later = behind_nat(w), w.phone("1001", 11, register=False)
        a, b = call(w, phone, phone.nat_contact)
        move(b, later)
        b.request("OPTIONS")
        b.expect(200)
        hang_up_elsewhere(w, a, b, phone)


def test_another_telephones_registration_moves_no_call():
    with World(register=()) as w:
        phone, other = behind_nat(w), behind_nat(w, "1002", 12)
        a, b = call(w, phone, phone.nat_contact)
        other.register(contact=f"<{phone.nat_contact}>;expires=600")
        w.hang_up(a, b)


def test_a_nat_that_gives_another_port_to_a_caller_is_followed_by_a_request():
    with World(register=("1002",)) as w:
        phone, later = translated(w), translated(w, register=False)
        media = w.rtp(phone)
        a = phone.invite("1002", make_sdp(phone.ip, media.port))
        b = w.called(w.alice)
        b.reply(180)
        a.expect(180)
        connect(a, b, make_sdp(w.alice.ip, b.rtp.port))
        move(a, later)
        a.request("UPDATE")
        a.expect(200)
        hang_up_elsewhere(w, b, a, phone)


def test_a_subscription_refreshed_from_another_port_is_told_there():
    headers = [("Event", "message-summary"), ("Expires", "600")]
    with World(register=()) as w:
        phone, later = translated(w), translated(w, register=False)
        a = phone.dialog("SUBSCRIBE", phone.uri("1001"), "", headers)
        a.authenticate(a.expect_any(), "", headers)
        a.remote = a.expect(200).get("To")
        a.answer_request("NOTIFY")
        move(a, later)
        a.request("SUBSCRIBE", "", headers)
        a.authenticate(a.expect_any(), "", headers)
        a.expect(200)
        seen = len(phone.log)
        a.answer_request("NOTIFY")
        assert len(phone.log) == seen, "something went where nobody is"


def test_a_subscription_goes_on_over_the_connection_that_is_made_anew():
    headers = [("Event", "message-summary"), ("Expires", "600")]
    lamp = [("Event", "message-summary"), ("Content-Type", "application/simple-message-summary")]
    with World(register=(), routes="") as w:
        phone = translated(w, transport="tcp")
        a = phone.dialog("SUBSCRIBE", phone.uri("1001") + ";transport=tcp", "", headers)
        a.authenticate(a.expect_any(), "", headers)
        a.remote = a.expect(200).get("To")
        a.answer_request("NOTIFY")
        lose_connection(w, phone)
        assert phone.register().status == 200
        w.carrier.dialog("NOTIFY", w.carrier.uri("1001"), "Messages-Waiting: yes\r\n",
                         [*lamp, ("Subscription-State", "active")]).expect(200)
        assert b"Messages-Waiting: yes" in a.answer_request("NOTIFY").body
