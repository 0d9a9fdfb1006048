"""Ways to telephones that only they can open: behind NAT, and over connections (RFC 5626)."""

import queue
import socket
import time

from sip_message import make_sdp, param, uri_of
from world import World, wait_until

NUMBER = "+4930555100"
ELSEWHERE = "192.168.77.7:5060"  # what a telephone behind NAT believes of itself


def registrations(w):
    return {r["contact"]: r for r in w.gateway.control("registrations")}


def contacts(answer):
    return {uri_of(c): int(param(c, "expires")) for c in answer.all("Contact")}


def behind_nat(w, extension="1001", last=11, transport="udp"):
    """A telephone that registers with an address that leads nowhere."""
    phone = w.phone(extension, last, register=False, transport=transport)
    more = ";transport=tcp" if transport == "tcp" else ""
    phone.nat_contact = f"sip:{extension}@{ELSEWHERE}{more}"
    answer = phone.register(contact=f"<{phone.nat_contact}>;expires=600")
    assert answer.status == 200, answer
    return phone


def call_reaches(w, phone):
    a, b = w.talk(w.carrier, NUMBER, phone)
    via = b.invite
    w.hang_up(a, b)
    return via


def expect_unreachable(w):
    a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
    a.expect(480)


def answer_pings(phone, seconds, status="200 OK"):
    """Answers OPTIONS for a while; how many came."""
    deadline, n = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        try:
            request = phone.others.get(timeout=max(0.01, deadline - time.monotonic()))
        except queue.Empty:
            break
        assert request.method == "OPTIONS", request
        answer_ping(phone, request, status)
        n += 1
    return n


def answer_ping(phone, request, status="200 OK"):
    lines = [f"SIP/2.0 {status}"]
    lines += [f"{name}: {value}" for name, value in request.headers
              if name in ("Via", "From", "To", "Call-ID", "CSeq")]
    text = "\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n"
    if request.connection:
        request.connection.sendall(text.encode())
    else:
        phone.udp.sendto(text.encode(), request.source)


def test_a_telephone_on_tcp_is_called_by_its_own_connection():
    with World(register=()) as w:
        phone = behind_nat(w, transport="tcp")
        with phone.lock:
            ours = set(phone.connections.values())
        invite = call_reaches(w, phone)
        assert invite.connection in ours, "a connection that the telephone did not open"
        assert ELSEWHERE in invite.uri, invite.uri


def test_a_connection_that_closes_takes_its_bindings_along():
    with World(register=()) as w:
        phone = behind_nat(w, transport="tcp")
        other = w.phone("1001", 12)
        assert len(registrations(w)) == 2
        phone.disconnect()
        wait_until(lambda: len(registrations(w)) == 1, what="the end of the binding")
        call_reaches(w, other)
        other.register(contact="*", expires=0)
        expect_unreachable(w)
        assert "disconnected" in w.gateway.log()


def test_a_telephone_that_listens_is_called_afresh_when_its_connection_has_closed():
    with World(register=()) as w:
        phone = w.phone("1001", 11, transport="tcp")  # its Contact names the port it listens at
        phone.disconnect()
        wait_until(lambda: "route" not in list(registrations(w).values())[0],
                   what="the end of the flow")
        call_reaches(w, phone)


def test_connections_do_not_survive_a_restart_and_places_do():
    with World(register=()) as w:
        nat = behind_nat(w, "1001", 11, "tcp")
        listening = w.phone("1001", 12, transport="tcp")
        time.sleep(0.4)  # the store writes behind
        w.gateway.kill()
        w.start()
        there = registrations(w)
        assert there[nat.nat_contact]["state"] == "unreachable", there
        call_reaches(w, listening)
        nat.register(contact=f"<{nat.nat_contact}>;expires=600")  # it opens a new one
        listening.register(contact="*", expires=0)
        nat.register(contact=f"<{nat.nat_contact}>;expires=600")
        call_reaches(w, nat)


def test_a_new_registration_takes_the_place_of_the_same_flow():  # RFC 5626 6
    instance = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'
    with World(routes="", register=()) as w:
        phone = w.phone("1001", 11, register=False)

        def flow(port, reg_id):
            answer = phone.register(
                contact=f"<sip:1001@{w.net}.11:{port};ob>{instance};reg-id={reg_id};expires=600",
                headers=[("Supported", "path, outbound")])
            assert answer.status == 200 and answer.get("Require") == "outbound", answer
            return {int(uri.split(":")[2].split(";")[0]) for uri in contacts(answer)}

        assert flow(5071, 1) == {5071}
        assert flow(5072, 2) == {5071, 5072}
        assert flow(5081, 1) == {5081, 5072}, "the first flow has a new port"


def test_outbound_through_a_proxy_that_does_not_keep_flows():  # RFC 5626 6: 439
    instance = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'
    with World(routes="", register=()) as w:
        phone = w.phone("1001", 11, register=False)
        contact = f"<sip:1001@{w.net}.77:5071>{instance};reg-id=1;expires=600"
        paths = ((None, 439), (f"<sip:{w.net}.88;lr>", 439), (f"<sip:{w.net}.88;lr;ob>", 200))
        for i, (path, status) in enumerate(paths):
            vias = [("Via", f"SIP/2.0/UDP {phone.hostport};branch=z9hG4bK{i};rport"),
                    ("Via", f"SIP/2.0/UDP {w.net}.77:5071;branch=z9hG4bKx")]
            headers = [("Supported", "path, outbound"), ("Path", path), *vias]
            answer = phone.register(contact=contact, headers=headers)
            assert answer.status == status, f"{path}\n{answer}"


def test_double_crlf_is_answered_on_a_connection():  # RFC 5626 3.5.1
    with World(routes="", register=()) as w:
        with socket.create_connection(w.address, timeout=5) as sock:
            for _ in range(3):
                sock.sendall(b"\r\n\r\n")
                assert sock.recv(100) == b"\r\n"


def test_crlf_over_udp_is_no_matter():
    with World(routes="", register=()) as w:
        phone = w.phone("1001", 11)
        for data in (b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"\0"):
            phone.udp.sendto(data, w.address)
        assert phone.register().status == 200
        assert not phone.strays


def test_a_telephone_behind_nat_is_asked_whether_it_is_there():
    with World(gateway="nat-ping = 1s", register=()) as w:
        phone = behind_nat(w)
        plain = w.phone("1001", 12)
        assert answer_pings(phone, 3.5, "404 Not Found") >= 2, "OPTIONS came"
        state = registrations(w)[phone.nat_contact]
        assert state["state"] == "reachable" and state["rtt_ms"] >= 1, state
        assert plain.others.empty(), "no NAT, no question"
        # it falls silent
        wait_until(lambda: registrations(w)[phone.nat_contact]["state"] == "unreachable", 8,
                   "unreachable")
        a, b = w.talk(w.carrier, NUMBER, plain)
        w.hang_up(a, b)
        phone.expect_no_call(0.05)
        plain.register(expires=0)
        expect_unreachable(w)
        # and it is back
        phone.register(contact=f"<{phone.nat_contact}>;expires=600")
        assert registrations(w)[phone.nat_contact]["state"] == "reachable"
        call_reaches(w, phone)
        # its NAT has forgotten it, says a proxy on the way (RFC 5626 11.5)
        answer_pings(phone, 3.5, "430 Flow Failed")
        assert registrations(w)[phone.nat_contact]["state"] == "unreachable"


def test_one_that_never_answered_is_called_all_the_same():
    with World(gateway="nat-ping = 1s", register=()) as w:
        phone = behind_nat(w)
        time.sleep(3.5)
        assert not phone.others.empty()
        assert registrations(w)[phone.nat_contact]["state"] == "unknown"
        call_reaches(w, phone)


def test_service_route_is_told_when_configured():  # RFC 3608
    with World(gateway="service-route = <sip:edge.test;lr>", register=()) as w:
        phone = w.phone("1001", 11, register=False)
        answer = phone.register()
        assert answer.get("Service-Route") == "<sip:edge.test;lr>", answer
    with World(register=()) as w:
        assert w.phone("1001", 11, register=False).register().get("Service-Route") is None


def test_a_call_goes_by_the_path_of_its_registration():  # RFC 3327
    with World(register=()) as w:
        edge = w.agent(50, "edge", port=5060)
        phone = w.phone("1001", 11, register=False)
        path = f"<sip:edge@{edge.hostport};lr>"
        answer = phone.register(contact=f"<sip:1001@{ELSEWHERE}>;expires=600",
                                headers=[("Path", path), ("Supported", "path")])
        assert answer.status == 200 and answer.get("Path") == path, answer
        assert registrations(w)[f"sip:1001@{ELSEWHERE}"]["route"] == path.strip("<>")
        w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        invite = edge.incoming().expect("INVITE")
        assert invite.uri == f"sip:1001@{ELSEWHERE}" and invite.get("Route") == path, invite
        phone.expect_no_call(0.05)
