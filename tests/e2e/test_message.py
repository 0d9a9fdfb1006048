"""MESSAGE, in and out of calls (RFC 3428)."""

from sip import Dialog
from sip_message import make_sdp
from world import RING_ALICE, World

ROUTES = RING_ALICE + """
[route out]
from = extension
to = 0X.
strip = 1
prefix = +49
caller = +4930555100
ring = trunk:carrier

[route team]
to = 700
ring = 1001, 1002 then trunk:backup

[route silent]
to = 701
play = hello.wav

[route closed]
to = 702
reject = 603 Not Today
"""
OPTIONS = {"routes": ROUTES, "prompts": [("hello.wav", b"")]}


def send(agent, number, text="Hello", kind="text/plain", headers=()):
    """Sends a MESSAGE; its dialog, credentials given if asked for."""
    headers = [("Content-Type", kind), ("Contact", None), *headers]
    dialog = agent.dialog("MESSAGE", agent.uri(number), text, headers)
    if agent.password:
        dialog.authenticate(dialog.expect(407), text, headers)
    return dialog


def take(agent, status=200, timeout=6):
    """The next MESSAGE that comes in, answered."""
    message = agent.others.get(timeout=timeout)
    assert message.method == "MESSAGE", message
    Dialog(agent, "uas", invite=message).reply(status)
    return message


def test_from_one_extension_to_another():
    with World(**OPTIONS) as w:
        text = "Grüße, <b>Bob</b>\r\n\0 and more"
        sent = send(w.alice, "1002", text, "text/plain;charset=utf-8",
                    [("Subject", "a word"), ("X-Mood", "good"), ("Content-Language", "de")])
        message = take(w.bob)
        sent.expect(200)
        assert message.body == text.encode() and message.get("Subject") == "a word", message
        assert message.get("Content-Type") == "text/plain;charset=utf-8", message
        assert message.get("X-Mood") == "good" and message.get("Content-Language") == "de"
        assert "sip:1001@" in message.get("From") and message.uri.startswith("sip:1002@"), message
        assert message.get("Max-Forwards") == "69" and message.get("Contact") is None, message


def test_to_a_trunk_and_back_by_the_routes_of_calls():
    with World(**OPTIONS) as w:
        sent = send(w.alice, "030123")
        message = take(w.carrier)
        sent.expect(200)
        assert message.uri.startswith("sip:+4930123@"), message
        assert "sip:+4930555100@" in message.get("From"), message
        sent = send(w.carrier, "+4930555100", '{"a": 1}', "application/json")
        message = take(w.alice, 202)
        sent.expect(202)
        assert message.body == b'{"a": 1}' and "+4917011122" in message.get("From"), message


def test_to_all_contacts_and_the_first_answer_counts():
    with World(**OPTIONS) as w:
        second = w.phone("1001", 21)
        sent = send(w.bob, "1001")
        first = w.alice.others.get(timeout=6)
        other = second.others.get(timeout=6)
        Dialog(w.alice, "uas", invite=first).reply(486)
        sent.expect_nothing(0.2)
        Dialog(second, "uas", invite=other).reply(200)
        sent.expect(200)


def test_to_a_group_and_then_elsewhere():
    with World(register=("1001",), **OPTIONS) as w:
        sent = send(w.alice, "700")
        take(w.alice, 486)
        take(w.backup)
        sent.expect(200)


def test_the_best_refusal_is_told():
    with World(**OPTIONS) as w:
        sent = send(w.carrier, "+4930555100")
        take(w.alice, 415)
        sent.expect(415)


def test_nobody_there():
    with World(register=("1001",), **OPTIONS) as w:
        send(w.alice, "1002").expect(480)  # not registered
        send(w.alice, "9999").expect(404)  # no such number
        send(w.carrier, "+49111").expect(404)
        send(w.alice, "701").expect(405)  # an announcement reads nothing
        refused = send(w.alice, "702").expect(603)
        assert refused.phrase == "Not Today", refused


def test_a_phone_that_says_nothing_is_nobody():
    with World(**OPTIONS) as w:
        sent = send(w.carrier, "+4930555100")
        w.alice.others.get(timeout=6)
        sent.expect(480, timeout=30)  # before the sender's own time is up (RFC 4320)


def test_who_may_send_and_what():
    with World(**OPTIONS) as w:
        stranger = w.agent(99, "1001")
        dialog = stranger.dialog("MESSAGE", stranger.uri("1002"), "x",
                                 [("Content-Type", "text/plain")])
        dialog.expect(407)
        send(w.alice, "1002", "").expect(400)
        send(w.alice, "1002", "x" * 20000).expect(413)
        send(w.alice, "1002", "x", headers=[("Content-Encoding", "gzip")]).expect(415)
        send(w.alice, "1002", "x", headers=[("Require", "nonsense")]).expect(420)
        send(w.alice, "1002", "x", headers=[("Max-Forwards", 0)]).expect(483)
        sent = send(w.alice, "1002", "x" * 16000)
        assert len(take(w.bob).body) == 16000
        sent.expect(200)


def test_a_trunk_that_asks_for_a_password_gets_it():
    account = "user = 4930555\npassword = geheim"
    with World(routes=ROUTES, prompts=OPTIONS["prompts"], carrier=account) as w:
        sent = send(w.alice, "030123")
        message = w.carrier.others.get(timeout=6)
        challenge = 'Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"'
        dialog = Dialog(w.carrier, "uas", invite=message)
        w.carrier.dialogs[message.call_id] = dialog
        dialog.take(message)
        dialog.expect("MESSAGE")
        dialog.reply(407, headers=[("Proxy-Authenticate", challenge)], to=message)
        again = dialog.expect("MESSAGE")
        assert 'username="4930555"' in again.get("Proxy-Authorization"), again
        assert again.body == b"Hello" and again.cseq[0] > message.cseq[0], again
        dialog.reply(200, to=again)
        sent.expect(200)


def test_in_a_call_it_goes_to_the_other_side():
    with World(**OPTIONS) as w:
        a, b = w.talk(w.carrier, "+4930555100", w.alice)
        a.request("MESSAGE", "psst", [("Content-Type", "text/plain;charset=utf-8")])
        heard = b.answer_request("MESSAGE", 202)
        a.expect(202)
        assert heard.body == b"psst" and heard.get("Content-Type") == "text/plain;charset=utf-8"
        b.request("MESSAGE", "<x/>", [("Content-Type", "application/x+xml")])
        a.answer_request("MESSAGE", 415)
        b.expect(415)
        b.request("MESSAGE", "x" * 20000, [("Content-Type", "text/plain")])
        b.expect(413)
        w.hang_up(a, b)


def test_in_a_call_that_is_answered_and_not_yet_acknowledged():
    with World(**OPTIONS) as w:
        a, b = w.ring(w.carrier, "+4930555100", w.alice)
        b.reply(200, make_sdp(b.agent.ip, b.rtp.port))
        a.expect(200)
        b.expect("ACK")
        for first, other in ((a, b), (b, a)):
            first.request("MESSAGE", "psst", [("Content-Type", "text/plain")])
            other.answer_request("MESSAGE")
            first.expect(200)
        a.ack()
        w.hang_up(a, b)


def test_in_a_call_that_rings_nobody_reads():
    with World(**OPTIONS) as w:
        a, _ = w.ring(w.carrier, "+4930555100", w.alice)
        a.request("MESSAGE", "psst", [("Content-Type", "text/plain")])
        a.expect(480)
