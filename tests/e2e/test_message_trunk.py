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
