"""SIP over TLS in both directions: telephones that connect to us, trunks that we connect to."""

import socket
import ssl

from sip_message import make_sdp
from tls import Authority
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
TRUNK_OUT = "[route out]\nfrom = extension\nto = 0X.\nring = trunk:carrier\n"
NAME = "sip.pbx.test"


class TlsWorld(World):
    """A world whose gateway listens by TLS at port 5061 too, with a certificate of an authority of
    its own; its carrier speaks TLS at port 5061. trunk: more lines for the carrier; issued: the
    names in the carrier's certificate; ask: it wants one of ours."""

    def __init__(self, routes=TRUNK_OUT + RING_ALICE, trunk="", issued=None, phones="tls",
                 ask=False, dial="", **more):
        super().__init__(routes=routes, phones=phones, agents=False, **more)
        self.ca = Authority(self.dir)
        self.pair = self.ca.issue("gateway", NAME, self.ip)
        self.peer = self.ca.issue("peer", *(issued or [f"{self.net}.2"]))
        self.ask, self.trunk, self.dial = ask, trunk, dial

    def config(self, routes=None):
        text = super().config(routes)
        text = text.replace("\ndomain =", f", tls:{self.ip}:5061\ndomain =", 1)
        text = text.replace("[trunk carrier]\n", f"certificate = {self.pair.certificate}\n"
                            f"private-key = {self.pair.key}\nca = {self.ca.file}\n"
                            f"[trunk carrier]\ntransport = tls\n{self.trunk}\n", 1)
        return text.replace(f"host = {self.net}.2:5060", f"host = {self.dial or self.net + '.2'}", 1)

    def start(self):
        super().start()
        self.tls_address = (self.ip, 5061)
        self.carrier = self.agent(2, "+4917011122", port=5061, transport="tls",
                                  tls=self.ca.contexts(self.peer, NAME, self.ask))
        self.carrier.gateway = self.tls_address

    def phone(self, extension, last, register=True, **more):
        if more.get("transport", self.phone_transport) == "tls":
            more["tls"] = self.ca.contexts(self.pair, NAME)
            phone = super().phone(extension, last, register=False, **more)
            phone.gateway = self.tls_address
            assert phone.register().status == 200
            return phone
        return super().phone(extension, last, register, **more)


def check_call(world, caller, number, callee):
    a, b = world.talk(caller, number, callee)
    a.rtp.tone(440, 0.5)
    b.rtp.tone(660, 0.5)
    assert b.rtp.heard(440) > 0.9 and a.rtp.heard(660) > 0.9, "no sound"
    return a, b


def test_phones_call_each_other_by_tls():
    with TlsWorld() as w:
        a, b = check_call(w, w.alice, "1002", w.bob)
        assert "transport=tls" in a.answer.get("Contact"), a.answer.get("Contact")
        assert b.invite.get("Via").startswith("SIP/2.0/TLS"), b.invite.get("Via")
        assert b.invite.connection is not None
        w.hang_up(b, a)
        assert len(w.bob.connections) == 1, "a second connection where one was open"


def test_in_and_out_by_a_tls_trunk():
    with TlsWorld(phones="udp") as w:
        a, b = check_call(w, w.alice, "0123", w.carrier)
        assert b.invite.get("Via").startswith(f"SIP/2.0/TLS {w.ip}:5061"), b.invite.get("Via")
        assert f"{w.ip}:5061;transport=tls" in b.invite.get("Contact"), b.invite.get("Contact")
        assert b.invite.source[0] == w.ip, "the connection comes from where it is listened"
        w.hang_up(b, a)
        a, b = check_call(w, w.carrier, NUMBER, w.alice)
        w.hang_up(b, a)
        # and when its connection has gone meanwhile, it is connected to
        a, b = check_call(w, w.carrier, NUMBER, w.alice)
        w.carrier.disconnect()
        wait_until(lambda: not w.carrier.connections, what="connections closed")
        b.request("BYE")
        a.answer_request("BYE")
        b.expect(200)


def refused_call(w, words):
    """The call is refused, the carrier has seen none of it, and the log says why."""
    a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
    a.expect(480)  # as for every trunk that is not there
    assert words in w.gateway.log(), w.gateway.tail()
    w.carrier.expect_no_call(0.05)


def test_a_certificate_for_another_name_is_refused():
    with TlsWorld(phones="udp", issued=["sip.other.test"]) as w:
        refused_call(w, "certificate refused: IP address mismatch")
    with TlsWorld(phones="udp", issued=["sip.other.test"], trunk="verify = no") as w:
        w.hang_up(*check_call(w, w.alice, "0123", w.carrier))


def test_a_certificate_of_another_authority_is_refused():
    with TlsWorld(phones="udp") as w:
        stranger = Authority(w.dir, "Stranger")
        w.carrier.tls = stranger.contexts(stranger.issue("impostor", f"{w.net}.2"))
        refused_call(w, "certificate refused: unable to get local issuer certificate")


def test_the_name_to_expect_is_asked_for_by_sni():
    asked = []
    with TlsWorld(phones="udp", issued=["sip.carrier.test"],
                  trunk="tls-name = sip.carrier.test") as w:
        w.carrier.tls[0].sni_callback = lambda sock, name, context: asked.append(name)
        w.hang_up(*check_call(w, w.alice, "0123", w.carrier))
    assert asked == ["sip.carrier.test"], asked


def test_a_trunk_that_asks_for_a_certificate_gets_ours():
    with TlsWorld(phones="udp", ask=True) as w:
        w.hang_up(*check_call(w, w.alice, "0123", w.carrier))
        shown = [sock.getpeercert() for sock in w.carrier.connections.values()]
        assert ("DNS", NAME) in shown[0]["subjectAltName"], shown


def handshake(w, low=None, high=None):
    """The version agreed, or the error."""
    context = w.ca.client()
    context.minimum_version = low or ssl.TLSVersion.TLSv1
    context.maximum_version = high or ssl.TLSVersion.TLSv1_3
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(w.tls_address, timeout=5) as sock:
        try:
            with context.wrap_socket(sock, server_hostname=NAME) as secure:
                return secure.version()
        except ssl.SSLError as error:
            return error.reason


def test_versions_that_a_peer_sees():
    version = ssl.TLSVersion
    with TlsWorld(register=()) as w:
        assert handshake(w) == "TLSv1.3"
        assert handshake(w, high=version.TLSv1_2) == "TLSv1.2"
        for old in (version.TLSv1, version.TLSv1_1):
            assert "VERSION" in handshake(w, high=old), handshake(w, high=old)


def test_a_via_that_names_another_transport_gets_its_answer_all_the_same():
    with TlsWorld(register=()) as w:
        with socket.create_connection(w.tls_address, timeout=5) as sock:
            with w.ca.client().wrap_socket(sock, server_hostname=NAME) as secure:
                for transport in ("TLS", "TCP", "UDP", "SCTP"):
                    secure.sendall(
                        f"OPTIONS sip:{w.ip} SIP/2.0\r\nVia: SIP/2.0/{transport} x.invalid;"
                        f"branch=z9hG4bK{transport}\r\nMax-Forwards: 9\r\nCSeq: 1 OPTIONS\r\n"
                        f"From: <sip:a@x.invalid>;tag=1\r\nTo: <sip:{w.ip}>\r\nCall-ID: x\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
                    answer = secure.recv(65536)
                    assert answer.startswith(b"SIP/2.0 200 "), (transport, answer)
                    assert b"branch=z9hG4bK" + transport.encode() in answer, answer


def serial(w):
    with socket.create_connection(w.tls_address, timeout=5) as sock:
        with w.ca.client().wrap_socket(sock, server_hostname=NAME) as secure:
            return secure.getpeercert()["serialNumber"]


def test_a_renewed_certificate_needs_a_reload_only():
    with TlsWorld() as w:
        a, b = check_call(w, w.alice, "1002", w.bob)
        before = serial(w)
        w.ca.issue("gateway", NAME, w.ip)
        assert serial(w) == before
        assert w.gateway.verb("reload")[0] == 0
        after = serial(w)
        assert after != before
        # one that is no good changes nothing
        with open(w.pair.certificate, "w", encoding="ascii") as file:
            file.write("no certificate\n")
        w.gateway.verb("reload")
        assert serial(w) == after
        assert f"certificate {w.pair.certificate}" in w.gateway.log()
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9, "the reload has hurt a call"
        w.hang_up(a, b)


def test_sips_in_a_call():
    with TlsWorld() as w:
        w.alice.uri = lambda user: f"sips:{user}@{w.ip}:5061"
        a, b = check_call(w, w.alice, "1002", w.bob)
        assert a.answer.get("Contact").startswith("<sips:"), a.answer.get("Contact")
        w.hang_up(a, b)


def test_double_crlf_is_answered():  # RFC 5626 3.5.1
    version = ssl.TLSVersion
    with TlsWorld(register=()) as w:
        for high, ciphers in ((version.TLSv1_3, ""), (version.TLSv1_2, "ECDHE+AESGCM"),
                              (version.TLSv1_2, "ECDHE+CHACHA20")):
            context = w.ca.client()
            context.maximum_version = high
            if ciphers:
                context.set_ciphers(ciphers)
            with socket.create_connection(w.tls_address, timeout=5) as sock:
                with context.wrap_socket(sock, server_hostname=NAME) as secure:
                    for _ in range(3):
                        secure.sendall(b"\r\n\r\n")
                        assert secure.recv(100) == b"\r\n", (high, ciphers)


def test_a_connection_that_closes_takes_its_binding_along():  # RFC 5626
    with TlsWorld(register=()) as w:
        phone = w.phone("1001", 11)
        phone.register(contact="<sip:1001@192.168.77.7:5061;transport=tls>;expires=600")
        phone.register(contact=f"{phone.contact};expires=0")
        assert len(w.gateway.control("registrations")) == 1
        a, b = w.talk(w.carrier, NUMBER, phone)
        w.hang_up(a, b)
        phone.disconnect()
        wait_until(lambda: not w.gateway.control("registrations"), what="the end of the binding")
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        a.expect(480)


def test_connections_leave_nothing_behind():
    """Handshakes that end well, badly, or not at all."""
    with TlsWorld(register=()) as w:
        def connect(n):
            for i in range(n):
                with socket.create_connection(w.tls_address, timeout=5) as sock:
                    if i % 3 == 0:
                        w.ca.client().wrap_socket(sock, server_hostname=NAME).close()
                    elif i % 3 == 1:
                        sock.sendall(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
                        sock.recv(100)
        connect(150)
        before = w.gateway.rss_kb()
        connect(600)
        grown = w.gateway.rss_kb() - before
        assert grown < 3000, f"{grown} kB for 600 connections"
