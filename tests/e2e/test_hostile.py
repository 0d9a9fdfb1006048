"""Peers that send SIP which they should not: an answer where SIP has one, and service goes on."""

import contextlib
import os
import random
import resource
import signal
import socket
import struct
import threading
import time

import torture
import torture_more
from bystander import NUMBER, STATUS, Bystander, StreamBystander, check_log_is_bounded, prove_service
from harness import is_sanitized
from sip_message import make_sdp, token
from world import World, wait_until


def check_cases(cases):
    """Each by UDP and by TCP, with the same answer where torture.py does not say otherwise."""
    with World() as w:
        ways, wrong = (("udp", Bystander(w)), ("tcp", StreamBystander(w))), []
        for name, statuses, text in cases:
            for way, bystander in ways:
                allowed = torture.BY_TCP.get(name, statuses) if way == "tcp" else statuses
                told = bystander.case(text) or [torture.NONE]
                if not set(told) <= {100, *allowed}:
                    wrong.append(f"{name} by {way}: {told}, allowed {allowed}")
                if not w.gateway.running():
                    raise AssertionError(f"the gateway died of {name} by {way}")
                drop_ringing(w)
        prove_service(w)
        assert not wrong, "\n".join(wrong)


def drop_ringing(world):
    """Refuses what rings at the phone, so that nothing piles up."""
    while not world.alice.arrivals.empty():
        world.alice.arrivals.get().reply(486)


def test_rfc_4475_valid_messages():
    check_cases(torture.VALID)


def test_rfc_4475_invalid_messages():
    check_cases(torture.INVALID)


def test_rfc_5118_messages():
    check_cases(torture_more.IPV6)


def test_remote_targets_that_cannot_be_used():
    check_cases(torture_more.TARGETS)


def test_dialogs_with_peers_that_cannot_be_reached():
    with World() as w:
        for contact in torture_more.UNREACHABLE:
            name, _, text = torture_more.with_contact("x", contact)
            bystander = Bystander(w)
            bystander.send(torture.render(text, bystander.peer, w.ip, NUMBER, token()))
            try:
                b = w.alice.incoming(timeout=0.5)
            except AssertionError:
                continue  # refused
            b.expect("INVITE")
            b.reply(200, make_sdp(w.alice.ip, 5000))
            b.expect("ACK")
            b.request("BYE")  # the gateway must now end the other leg, and can't
            b.expect(200)
        assert w.gateway.running()
        prove_service(w)


def end_subscription(b):
    while "terminated" not in b.answer_request("NOTIFY").get("Subscription-State"):
        pass


def test_refer_to_of_every_kind_in_a_call():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for value in torture_more.REFER_TO:
            for method in ("REFER", "NOTIFY"):
                b.request(method, "", [("Refer-To", value), ("Event", "refer")])
                status = b.expect_any().status
                if status == 202:  # well-formed, and leads nowhere
                    end_subscription(b)
                else:
                    assert status >= 400, (value, b.ladder)
        outside = w.carrier.dialog("REFER", w.carrier.uri(NUMBER), "", [("Refer-To", "<>")])
        assert outside.expect_any().status >= 400
        w.hang_up(a, b)
        prove_service(w)


def test_replies_with_a_contact_that_cannot_be_used():
    for contact in ("<tel:1>", "<sip:>", "<>", "<sip:a@b:99999>", "<sip:x@no-such.invalid>"):
        with World(gateway="ring-time = 2s") as w:  # what can't be read may count as not said
            a, b = w.ring(w.carrier, NUMBER, w.alice)
            b.reply(200, make_sdp(w.alice.ip, b.rtp.port), headers=[("Contact", contact)])
            answer = a.expect_any()
            if answer.status == 200:
                a.ack()
                a.request("BYE")
                a.expect(200)
            assert w.gateway.running()
            prove_service(w)


def test_unknown_methods_are_405_or_501():
    with World() as w:
        for method in torture_more.UNKNOWN_METHODS:
            dialog = w.carrier.dialog(method, w.carrier.uri(NUMBER))
            answer = dialog.expect_any()
            assert answer.status >= 400, (method, answer.status)
            if answer.status == 405:
                assert answer.get("Allow"), answer  # RFC 3261 21.4.6
        prove_service(w)


def test_garbage_over_udp():
    rng = random.Random(4)
    start = f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{rng.random()}"
    good = torture.render(torture.VALID[5][2], "127.0.0.1:9", "127.0.0.1", NUMBER, "g").decode()
    with World() as w:
        since, begun = len(w.gateway.log()), time.monotonic()
        bystander = Bystander(w)
        for i in range(3000):
            kind = i % 6
            if kind == 0:
                data = rng.randbytes(rng.randrange(1400))
            elif kind == 1:
                data = good[:rng.randrange(len(good))].encode()
            elif kind == 2:
                data = bytearray(good.encode())
                for _ in range(4):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            elif kind == 3:
                data = start.encode() + b"\r\n" + b"a" * rng.randrange(2000) + b"\r\n\r\n"
            elif kind == 4:
                data = b"\r\n" * rng.randrange(20)
            else:
                data = f"SIP/2.0 {rng.randrange(1000)} X\r\nVia: {'x' * (i % 60)}\r\n\r\n".encode()
            bystander.send(bytes(data))
            if i % 100 == 0:
                time.sleep(0.01)
        w.alive()
        check_log_is_bounded(w, since, time.monotonic() - begun)
        prove_service(w)


def test_oversized_messages():
    with World() as w:
        bystander = Bystander(w)
        text = torture.VALID[5][2]
        for size in (8000, 20000, 60000):
            filler = "X-Filler: " + "y" * size + "\n"
            bystander.case(text.replace("Max-Forwards", filler + "Max-Forwards"), 0.2)
        many = "".join(f"X-H{i}: {i}\n" for i in range(4000))
        bystander.case(text.replace("Max-Forwards", many + "Max-Forwards"), 0.2)
        vias = "".join(f"Via: SIP/2.0/UDP h{i}.invalid;branch=z9hG4bK{i}\n" for i in range(1200))
        bystander.case(text.replace("Max-Forwards", vias + "Max-Forwards"), 0.2)
        prove_service(w)


def heads_without_measure():
    """(name, lines): each of a size that a parser may take too long for."""
    yield "thousands of headers", "X-A: b\n" * 7000
    yield "thousands of Vias", "Via: SIP/2.0/UDP a\n" * 3000
    yield "thousands of empty ones", "a:\n" * 14000
    yield "thousands of parameters", "Session-Expires: 1" + ";a" * 28000 + "\n"
    yield "thousands of URIs", "Call-Info: " + "<a:>," * 11000 + "\n"
    yield "thousands of folds", "X-B: y\n" + " z\n" * 15000
    yield "a long line", "X-B: " + "y" * 60000 + "\n"


def test_heads_without_measure_are_refused_at_little_cost():
    with World() as w:
        text = f"OPTIONS sip:x@{{gw}} SIP/2.0\n{torture.HEAD}CSeq: 1 OPTIONS\n"
        for bystander in (Bystander(w), StreamBystander(w)):
            for name, lines in heads_without_measure():
                before = w.gateway.cpu_s()
                told = bystander.case(f"{text}{lines}Content-Length: 0\n\n", 0.5)
                spent_ms = 1000 * (w.gateway.cpu_s() - before)
                assert told == [400], (name, told)
                assert spent_ms < (400 if is_sanitized() else 40), f"{name}: {spent_ms} ms"
        # what is much, and not too much, is taken
        much = text + "X-A: b\n" * 400 + "X-B: " + "y" * 7000 + "\nl: 0\n\n"
        assert [Bystander(w).case(much), StreamBystander(w).case(much)] == [[200], [200]]
        prove_service(w)


def binding_request(transaction=b"123456789012", more=b""):
    return struct.pack("!HHI", 1, len(more), 0x2112A442) + transaction + more


def test_stun_gets_a_binding_and_garbage_of_its_kind_nothing():
    with World() as w:
        sock = Bystander(w).socket
        sock.settimeout(2)
        since = len(w.gateway.log())
        for data in (b"\0" * 20, b"\0\1" + b"x" * 30, b"\1\1" + b"x" * 40, b"\2\3" + b"x" * 40,
                     b"\0" * 2000, binding_request()[:19], b"\0\2" + binding_request()[2:]):
            for _ in range(50):
                sock.sendto(data, w.address)
        sock.sendto(binding_request(), w.address)
        answer = sock.recv(2000)
        assert answer[:8] == bytes.fromhex("0101000c2112a442"), answer
        assert answer[8:20] == b"123456789012"
        port, host = struct.unpack("!HI", answer[26:32])
        own, number = sock.getsockname()
        assert port ^ 0x2112 == number
        assert host ^ 0x2112A442 == int.from_bytes(socket.inet_aton(own), "big")
        assert w.gateway.log()[since:] == ""
        prove_service(w)


def test_a_stream_without_end_over_tcp():
    with World() as w:
        for head in (b"INVITE sip:x SIP/2.0\r\nX: ", b"", b"OPTIONS sip:x SIP/2.0\r\n"
                     b"Content-Length: 2000000000\r\n\r\n"):
            with socket.socket() as sock:
                sock.bind((w.carrier.ip, 0))
                sock.settimeout(5)
                sock.connect(w.address)
                try:
                    sock.sendall(head)
                    for _ in range(400):
                        sock.sendall(b"z" * 65536)
                except OSError:
                    pass  # it hung up on us: right so
            assert w.gateway.running()
        assert w.gateway.rss_kb() < 400_000, w.gateway.rss_kb()
        prove_service(w)


ASKED = """OPTIONS sip:x@{gw} SIP/2.0
Via: SIP/2.0/TCP {peer};branch=z9hG4bK{id}
Max-Forwards: 70
To: <sip:x@{gw}>
From: <sip:caller@example.net>;tag=33242
Call-ID: {id}
CSeq: 8 OPTIONS
Content-Length: 0

"""


def test_a_stream_that_we_are_behind_with_loses_nothing():
    # two thousand requests wait when we come to read them: far more bytes than one may have
    count, limit_s = 2000, 10
    with World() as w:
        with socket.socket() as sock:
            sock.bind((w.carrier.ip, 0))
            sock.settimeout(limit_s)
            sock.connect(w.address)
            data = b"".join(torture.render(ASKED, "127.0.0.1:9", w.ip, NUMBER, str(n))
                            for n in range(count))
            w.gateway.signal(signal.SIGSTOP)
            sock.setblocking(False)
            sent = sock.send(data)
            assert sent > 4 * 65536, sent
            w.gateway.signal(signal.SIGCONT)
            sock.settimeout(limit_s)
            threading.Thread(target=sock.sendall, args=(data[sent:],), daemon=True).start()
            heard, answered = b"", 0
            while answered < count:
                more = sock.recv(1 << 20)
                assert more, f"closed after {answered} answers: {heard[-500:]}"
                heard += more
                answered = len(STATUS.findall(heard))
            assert set(STATUS.findall(heard)) == {b"200"}, set(STATUS.findall(heard))
        prove_service(w)


def test_a_second_message_without_end_over_tcp():
    with World() as w:
        for tail in (b"INVITE sip:x SIP/2.0\r\nX: ", b"INVITE sip:", b"OPTIONS sip:x SIP/2.0\r\n"
                     b"Content-Length: 2000000000\r\n\r\n"):
            before = w.gateway.rss_kb()
            with socket.socket() as sock:
                sock.bind((w.carrier.ip, 0))
                sock.settimeout(5)
                sock.connect(w.address)
                sock.sendall(torture.render(ASKED, "127.0.0.1:9", w.ip, NUMBER, token()) + tail)
                with contextlib.suppress(OSError):  # it hangs up on us: right so
                    for _ in range(400):
                        sock.sendall(b"z" * 65536)
            grown = w.gateway.rss_kb() - before
            assert grown < 8192, f"{grown} kB more after {tail}"
        prove_service(w)


def test_many_idle_tcp_connections():
    with World() as w:
        idle = []
        for _ in range(300):
            sock = socket.socket()
            sock.bind((w.carrier.ip, 0))
            sock.settimeout(2)
            sock.connect(w.address)
            sock.sendall(b"INV")
            idle.append(sock)
        prove_service(w)
        for sock in idle:
            sock.close()
        prove_service(w)


def hold(world, last, count):
    """Connections from one address that stay open, each with a piece of a request sent."""
    held = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind((f"{world.net}.{last}", 0))
        sock.settimeout(2)
        sock.connect(world.address)
        sock.sendall(b"INV")
        held.append(sock)
    return held


def still_open(socks):
    count = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            count += bool(sock.recv(1))
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def test_connections_without_end_leave_room_for_calls():
    # half of the descriptors, and an eighth of these, but 64, for one source
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))
    with World(phones="tcp") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        one = hold(w, 77, 90)
        wait_until(lambda: still_open(one) == 64, what="64 of one source")
        prove_service(w)
        many = [sock for last in range(80, 84) for sock in hold(w, last, 50)]
        wait_until(lambda: 200 - 8 <= still_open(one + many) <= 200, what="200 of all")
        fds = len(os.listdir(f"/proc/{w.gateway.pid}/fd"))
        assert fds < 300, fds
        wait_until(lambda: "door: too many connections src=" in w.gateway.log(), what="it is told")
        a.rtp.tone(440, 0.3)
        assert b.rtp.heard(440) > 0.9
        w.hang_up(a, b)
        prove_service(w)
        for sock in one + many:
            sock.close()
        time.sleep(1.1)  # between two looks for those that are gone
        assert still_open(hold(w, 77, 20)) == 20
        prove_service(w)


def test_connections_without_a_descriptor_left_are_turned_away():
    """They would stay in the queue, and wake the gateway for ever."""
    with World(phones="tcp") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        limits = resource.prlimit(w.gateway.pid, resource.RLIMIT_NOFILE)
        used = w.gateway.descriptors()
        most = max(used) + 1
        resource.prlimit(w.gateway.pid, resource.RLIMIT_NOFILE, (most, limits[1]))
        held = hold(w, 77, 30)
        wait_until(lambda: still_open(held) <= most - len(used), what="no room for more")
        wait_until(lambda: "door: too many connections src=" in w.gateway.log(), what="it is told")
        cpu_s, begun = w.gateway.cpu_s(), time.monotonic()
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9
        cpu_s = w.gateway.cpu_s() - cpu_s
        assert cpu_s < (time.monotonic() - begun) / 3, f"{cpu_s} s of work for a call"
        w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000)).expect(503)
        w.hang_up(b, a)
        resource.prlimit(w.gateway.pid, resource.RLIMIT_NOFILE, limits)
        for sock in held:
            sock.close()
        assert still_open(hold(w, 78, 20)) == 20
        prove_service(w)


def test_a_guesser_of_passwords_does_not_fill_the_log():
    with World(gateway="ban-failures = 0") as w:
        guesser = w.agent(77, "1001", password="wrong", domain="pbx.test")
        since, begun = len(w.gateway.log()), time.monotonic()
        for _ in range(60):
            guesser.register(password=token())
        check_log_is_bounded(w, since, time.monotonic() - begun)
        prove_service(w)


def test_the_callee_floods_with_answers():
    with World() as w:
        a, b = w.ring(w.carrier, NUMBER, w.alice)
        for status in [180, 183, 199, 182] * 100:
            b.reply(status)
        b.reply(486)
        b.expect("ACK")
        wait_until(lambda: any(m.status == 486 for m in a.messages), what="486")
        prove_service(w)
