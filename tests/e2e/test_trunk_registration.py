"""Our registration with a carrier: the way that it names for calls (RFC 3608), the connection that
it is kept on (RFC 5626), and the server that it is with."""

import re
import signal
import uuid

from registrar import Line, take
from sip_message import make_sdp
from test_message import send, take as take_message
from test_servers import Domain, call, state
from tls import Authority
from world import World, wait_until

OUT = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
ACCOUNT = "register = yes\nuser = 4930\npassword = x\n"
IN = "[route in]\nfrom = trunk:carrier\nto = 4930\nring = 1001\n"


def up(w):
    wait_until(lambda: state(w, "carrier") == "up", what="registered")


def test_calls_and_messages_take_the_service_route():  # RFC 3608
    with World(OUT, carrier=ACCOUNT, register=("1001",)) as w:
        edge = w.agent(51, "edge", port=5070)
        route = f"<sip:{w.net}.51:5070;lr>, <sip:orig@scscf.carrier.test;lr>"
        register = take(w.carrier, headers=[("Service-Route", route)], contact=";expires=10")
        assert "path" in register.get("Supported"), register
        up(w)
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        b = edge.incoming()
        invite = b.expect("INVITE")
        assert ", ".join(invite.all("Route")) == route, invite
        assert invite.uri == f"sip:0123@{w.net}.2:5060", invite.uri
        b.reply(486)
        a.expect(486)
        sent = send(w.alice, "0123")
        message = take_message(edge)
        assert ", ".join(message.all("Route")) == route, message
        sent.expect(200)
        # each 200 says it anew; one without ends it
        take(w.carrier, timeout=9)
        wait_until(lambda: 'service-route="none"' in w.gateway.log(), what="its end")
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        b = w.carrier.incoming()
        assert not b.expect("INVITE").all("Route")
        b.reply(486)
        a.expect(486)


def test_a_service_route_may_be_a_name():
    names = ("host-record=carrier.test,{net}.51", "srv-host=_sip._udp.edge.test,sbc.edge.test,5070,1,1",
             "host-record=sbc.edge.test,{net}.52")
    with Domain("udp:carrier.test", OUT, ACCOUNT, register=("1001",), names=names) as w:
        one, edge = w.server(51), w.server(52, 5070)
        take(one, headers=[("Service-Route", "<sip:edge.test;lr>")], contact=";expires=10",
             timeout=15)
        up(w)
        assert call(w, edge) is edge
        # a name that nobody knows: by the server that we are registered with, and with the Route
        take(one, headers=[("Service-Route", "<sip:nowhere.test;lr>")], timeout=9)
        wait_until(lambda: "nowhere.test" in w.gateway.log(), what="the new route")
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        b = one.incoming()
        assert b.expect("INVITE").get("Route") == "<sip:nowhere.test;lr>"
        b.reply(486)
        a.expect(486)


def test_a_service_route_that_leads_nowhere_is_no_route():
    with World(OUT, carrier=ACCOUNT, register=("1001",)) as w:
        take(w.carrier, headers=[("Service-Route", "<sip:strict.carrier.test>")])  # no lr
        up(w)
        assert "Service-Route can't be followed" in w.gateway.log()
        assert call(w, w.carrier) is w.carrier


def check_keep_alive(transport):
    """One that answers keep-alives and ceases to is given up; one that never did is not."""
    keys = f"{ACCOUNT}transport = {transport}\nkeep-alive = 1s\nverify = no\n"
    with World(OUT, carrier=keys, backup=keys, agents=False, register=()) as w:
        context = None
        if transport == "tls":
            authority = Authority(w.dir)
            context = authority.server(authority.issue("carrier", f"{w.net}.2"))
        line, quiet = (Line(f"{w.net}.{last}", tls=context, pongs=last == 2) for last in (2, 3))
        try:
            line.wait_registers(0, 15)
            quiet.wait_registers(0, 15)
            wait_until(lambda: len(line.connections[0][1]) > 1, what="keep-alives")
            wait_until(lambda: quiet.connections[0][1], what="keep-alives")
            line.end()  # as a server does that restarts
            line.wait_registers(1)
            # RFC 5626 4.4.1: 10 s for the answer
            wait_until(lambda: len(line.connections[1][1]) > 1, 15, what="keep-alives")
            line.pongs = False
            line.wait_registers(2, 25)
            assert 1 in line.ended, "the dead connection is still open"
            line.pongs = True
            assert len(quiet.connections) == 1 and 0 not in quiet.ended, "it never had to answer"
        finally:
            line.close()
            quiet.close()


def test_a_registered_connection_is_kept_and_found_dead_by_tcp():
    check_keep_alive("tcp")


def test_a_registered_connection_is_kept_and_found_dead_by_tls():
    check_keep_alive("tls")


def test_calls_come_by_the_connection_of_the_registration():
    keys = ACCOUNT + "transport = tcp\n"
    with World(IN, carrier=keys, transport="tcp") as w:
        register = take(w.carrier)
        assert ";transport=tcp" in register.get("Contact"), register
        w.carrier.connections = {w.address: register.connection}  # a carrier that reuses it
        w.talk(w.carrier, "4930", w.alice)
        assert len(w.carrier.connections) == 1
        w.hang_up(*w.talk(w.carrier, "4930", w.alice))


def instance_of(register):
    """What RFC 5626 4.2 wants of a Contact, if it is there."""
    found = re.search(r'>;reg-id=1;\+sip\.instance="<urn:uuid:([0-9a-f-]{36})>"',
                      register.get("Contact"))
    return found and str(uuid.UUID(found.group(1)))


def test_a_registration_by_tcp_is_one_flow_whose_instance_outlives_us():
    keys = ACCOUNT + "transport = tcp\n"
    with World(OUT, carrier=keys, backup=ACCOUNT, transport="tcp", register=()) as w:
        first = take(w.carrier)
        instance = instance_of(first)
        assert instance and "outbound" in first.get("Supported"), first
        by_udp = take(w.backup)
        assert "outbound" not in by_udp.get("Supported") and not instance_of(by_udp), by_udp
        up(w)
        w.gateway.stop()
        gone = w.carrier.others.get(timeout=8)
        assert gone.get("Expires") == "0" and instance_of(gone) == instance, gone
        w.start()
        refused = take(w.carrier, 439)  # RFC 5626 11.6: no flow can be kept to here
        assert instance_of(refused) == instance, refused
        again = take(w.carrier)
        assert not instance_of(again) and "outbound" not in again.get("Supported"), again
        up(w)


def test_a_registration_by_udp_is_kept_by_empty_lines():
    with World(OUT, carrier=ACCOUNT + "keep-alive = 1s\n", register=()) as w:
        take(w.carrier)
        wait_until(lambda: ("<", w.address, b"\r\n\r\n") in w.carrier.log, what="CRLF CRLF")


def test_a_registration_leaves_a_server_that_is_down():
    with Domain("{net}.51, {net}.52:5070", OUT + IN, ACCOUNT + "ping = 1s", register=("1001",)) as w:
        two = w.server(52, 5070)
        take(two)  # the first is not there
        up(w)
        one = w.server(51)
        two.close()
        register = take(one, timeout=20)
        assert register.uri == f"sip:{w.net}.51", register
        wait_until(lambda: "leaves server" in w.gateway.log(), what="the reason")
        # calls go where we are registered
        assert call(w, one) is one


def test_a_registration_follows_dns():
    domain = Domain("carrier.test", OUT, ACCOUNT, register=(), names=("addn-hosts={dir}/hosts",))

    def lead_to(last):
        with open(f"{domain.dir}/hosts", "w", encoding="ascii") as file:
            file.write(f"{domain.net}.{last} carrier.test\n")

    lead_to(51)
    with domain as w:
        one, two = w.server(51), w.server(52)
        take(one, timeout=15)
        lead_to(52)
        w.names.process.send_signal(signal.SIGHUP)
        take(two, timeout=20)
        assert "leaves server" in w.gateway.log()


def test_a_refused_registration_is_tried_again_with_patience():
    with World(OUT, carrier=ACCOUNT, register=()) as w:
        at = []
        # the gateway's first one met nobody
        for status, headers in ((503, [("Retry-After", "6")]), (200, ())):
            at.append(take(w.carrier, status, headers, contact=";expires=10", timeout=15).at)
        up(w)
        at.append(take(w.carrier, timeout=9).at)
        assert 5.9 < at[1] - at[0] < 8, "as Retry-After says"
        assert 4.5 < at[2] - at[1] < 7, "refreshed when half of 10 s have passed"
        assert w.gateway.log().count("not registered") == 1, "said once"
