"""MESSAGE to a trunk takes the servers that a call would take, in the same order (RFC 3263)."""

from sip import Dialog
from test_message import send, take
from test_servers import ONLY, SRV, Domain
from world import World, wait_until


def test_to_the_server_that_dns_names_and_the_next_when_it_is_gone():
    with Domain("carrier.test", names=SRV, routes=ONLY) as w:
        one, two = w.server(51), w.server(52, 5070)
        w.known()
        sent = send(w.alice, "0123")
        message = take(one)
        assert message.uri == "sip:0123@carrier.test", message.uri
        sent.expect(200)
        one.close()  # the kernel says so: ICMP
        for _ in range(2):  # and it is remembered
            sent = send(w.alice, "0123")
            assert take(two).body == b"Hello"
            sent.expect(200)


def test_a_silent_server_and_one_that_is_out_of_service():
    names = SRV + ("srv-host=_sip._udp.carrier.test,three.carrier.test,5060,30,0",
                   "host-record=three.carrier.test,{net}.53")
    keys = "failover-time = 1s\nuser = 4930\npassword = x\n"
    with Domain("carrier.test", names=names, routes=ONLY, carrier=keys) as w:
        silent, out, asks = w.server(51), w.server(52, 5070), w.server(53)
        w.known()
        sent = send(w.alice, "0123")
        assert silent.others.get(timeout=6).method == "MESSAGE"
        take(out, 503, timeout=3)
        message = asks.others.get(timeout=3)
        dialog = Dialog(asks, "uas", invite=message)
        asks.dialogs[message.call_id] = dialog
        challenge = 'Digest realm="carrier", nonce="abc", qop="auth-int"'
        dialog.reply(401, headers=[("WWW-Authenticate", challenge)], to=message)
        again = dialog.expect("MESSAGE")
        assert 'username="4930"' in again.get("Authorization"), again
        dialog.reply(200, to=again)
        sent.expect(200)
        assert out.others.empty(), "it had its turn"


def test_a_trunk_that_is_down_has_nobody_there():
    with World(routes=ONLY, carrier="ping = 1s", register=("1001",)) as w:
        w.carrier.close()
        wait_until(lambda: "trunk=carrier down" in w.gateway.log(), 12, "carrier down")
        send(w.alice, "0123").expect(480)


IDENTITIES = """
[route out]
from = extension
to = 0X.
caller = +4930555100
ring = trunk:carrier

[route in]
from = trunk:carrier
to = 4930
header X-Campaign = spring
ring = 1001

[route rest]
from = trunk:carrier
to = 4930
ring = 1002
"""


def test_the_sender_is_told_as_on_calls():
    with World(routes=IDENTITIES, carrier="identity = pai\ntrust = yes") as w:
        sent = send(w.alice, "0123")
        message = take(w.carrier)
        sent.expect(200)
        assert "sip:+4930555100@" in message.get("P-Asserted-Identity"), message
        assert "sip:+4930555100@" in message.get("From"), message
        sent = send(w.alice, "0123", headers=[("Privacy", "id")])
        message = take(w.carrier)
        sent.expect(200)
        assert "anonymous" in message.get("From") and message.get("Privacy") == "id", message
        assert "sip:+4930555100@" in message.get("P-Asserted-Identity"), "it is trusted"
        # and what a trusted trunk asserts is believed; a header may choose the route
        asserted = [("P-Asserted-Identity", '"Bea" <sip:+49170999@carrier>')]
        for headers, phone in (([*asserted, ("X-Campaign", "spring")], w.alice),
                               (asserted, w.bob)):
            sent = send(w.carrier, "4930", headers=headers)
            message = take(phone)
            sent.expect(200)
            assert "sip:+49170999@" in message.get("From") and "Bea" in message.get("From"), message
        sent = send(w.carrier, "4930", headers=[*asserted, ("Privacy", "id")])
        message = take(w.bob)
        sent.expect(200)
        assert "49170999" not in str(message), message
