"""The daemon itself: reload, check, control, and nothing left behind."""

import os
import signal
import socket
import tempfile
import time

import harness
from sip_message import make_sdp
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
RING_BOB = RING_ALICE.replace("ring = 1001", "ring = 1002")


# --- reload ---

def test_sighup_takes_a_good_file_and_calls_go_on():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.write_config(w.config(RING_BOB))
        w.gateway.signal(signal.SIGHUP)
        wait_until(lambda: "reload" in w.gateway.log().lower(), what="log of the reload")
        a.rtp.tone(440, 0.4)
        assert b.rtp.heard(440) > 0.9, "the running call was hurt"
        a2, b2 = w.talk(w.carrier, NUMBER, w.bob)
        w.hang_up(a2, b2)
        w.hang_up(b, a)


def test_sighup_refuses_a_broken_file_and_says_why():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        broken = w.config(RING_BOB) + "[route worse]\nring = trunk:carier\nbogus = 1\n"
        w.write_config(broken)
        lines = broken.split("\n")
        w.gateway.signal(signal.SIGHUP)
        for word in ("trunk:carier", "bogus"):
            number = 1 + next(i for i, line in enumerate(lines) if word in line)
            wait_until(lambda: f"twinleg.ini:{number}:" in w.gateway.log(),
                       what=f"file:line of {word} in the log")
        assert "carrier" in w.gateway.log().split("carier", 1)[1], "did you mean"
        w.hang_up(a, b)
        a, b = w.talk(w.carrier, NUMBER, w.alice)  # the old route still holds
        w.hang_up(a, b)


def test_reload_by_the_control_socket_tells_who_asked():
    with World() as w:
        w.write_config(w.config() + "[route x]\nbogus = 1\n")
        status, text = w.gateway.verb("reload")
        assert status == 1 and 'unknown key "bogus" in [route]' in text, (status, text)
        wait_until(lambda: "the old configuration stays" in w.gateway.log(), what="the log's word")
        assert 'unknown key "bogus" in [route]' in w.gateway.log(), "the log says it as well"
        assert len(w.gateway.control("trunks")) == 2, "a broken file stands in no other verb's way"
        w.write_config(w.config())
        status, text = w.gateway.verb("reload")
        assert status == 0, (status, text)
        w.write_config(w.config() + "[route x]\nto = 99\nreject = 404\n")
        status, text = w.gateway.verb("reload")
        assert status == 0 and "[route x] added" in text, (status, text)
        wait_until(lambda: "[route x] added" in w.gateway.log(),
                   what="what a reload changes, in the log")


def test_an_extension_that_a_reload_drops_is_gone():
    with World(routes=RING_ALICE) as w:
        w.extensions = {"1001": ""}
        w.write_config(w.config())
        w.gateway.signal(signal.SIGHUP)
        wait_until(lambda: len(w.gateway.control("registrations")) == 1, what="1002 dropped")
        assert w.bob.register().status in (401, 403, 404)


# --- check, explain ---

def check_file(w, text):
    path = f"{w.dir}/other.ini"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return harness.run_twinleg("check", path)


def test_check_names_every_mistake_with_its_line():
    with World() as w:
        status, text = check_file(w, w.config())
        assert status == 0, text
        bad = w.config("[route a]\nring = 1009\nring-tim = 5s\n[rout b]\nx = 1\n"
                       "[route c]\nto = [1\nring = 1001\nrecord = sterio\n")
        status, text = check_file(w, bad)
        assert status == 1, (status, text)
        lines = bad.split("\n")
        for word, hint in (("1009", "1001"), ("ring-tim ", "ring-time"), ("[rout b]", "route"),
                           ("to = [1", ""), ("sterio", "stereo")):
            number = 1 + next(i for i, line in enumerate(lines) if line.find(word) >= 0)
            found = [line for line in text.split("\n") if f"other.ini:{number}:" in line]
            assert found and hint in found[0], f"{word!r} on line {number}: {text}"


def test_check_of_no_file_is_told():
    status, text = harness.run_twinleg("check", "/nonexistent/twinleg.ini")
    assert status in (1, 2) and "/nonexistent/twinleg.ini" in text, (status, text)


def test_check_runs_the_expectations_beside_the_routes():
    with World() as w:
        good = (w.config() + f"[expect one]\ncall = trunk:carrier +49170 {NUMBER}\n"
                "route = support\nrings = 1001\n")
        status, text = check_file(w, good)
        assert status == 0, text
        status, text = check_file(w, good.replace("rings = 1001", "rings = 1002"))
        assert status == 1 and "1002" in text, (status, text)


def test_explain_says_which_route_and_why_not_the_others():
    with World(routes="[route first]\nto = 77\nring = 1002\n" + RING_ALICE) as w:
        status, text = harness.run_twinleg("explain", w.config_path, "--from", "trunk:carrier",
                                           "--to", NUMBER)
        assert status == 0, text
        assert "support" in text and "first" in text and "1001" in text, text


def test_a_broken_file_does_not_start():
    with World() as w:
        status, text = harness.run_twinleg("run", w.dir + "/nonexistent.ini")
        assert status in (1, 2), (status, text)


# --- control ---

def test_calls_show_and_hangup():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        call, = w.gateway.control("calls")
        shown = w.gateway.control("show", call["id"])
        assert NUMBER in str(shown) and a.call_id in str(shown), shown
        status, text = w.gateway.verb("hangup", call["id"])
        assert status == 0, text
        a.answer_request("BYE")
        b.answer_request("BYE")
        wait_until(lambda: not w.gateway.control("calls"), what="calls empty")


def test_wrong_verbs_and_calls_are_told_by_the_exit_status():
    with World(routes="") as w:
        status, text = w.gateway.verb("show", "nosuchcall")
        assert status in (1, 2) and text.strip(), (status, text)
        status, text = w.gateway.verb("frobnicate")
        assert status == 1 and text.strip(), (status, text)


def test_a_verb_starts_no_thread():
    # jemalloc's, beginning while the process ends, would complain among what the verb prints
    with socket.socket(socket.AF_UNIX) as gateway, tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/control"
        gateway.bind(path)
        gateway.listen()
        verb = harness.spawn([harness.binary(), "--control", path, "calls"])
        asked, _ = gateway.accept()
        assert b"calls" in asked.recv(100)
        threads = os.listdir(f"/proc/{verb.pid}/task")
        asked.close()
        assert verb.wait() == 2
        assert len(threads) == 1, threads


def test_status_and_registrations():
    with World(routes="") as w:
        registrations = str(w.gateway.control("registrations"))
        assert "1001" in registrations and w.alice.hostport in registrations, registrations
        assert w.gateway.control("status")


def test_drain_lets_calls_end_and_takes_no_new_ones():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        status, text = w.gateway.verb("drain")
        assert status == 0, text
        over = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        assert over.expect_any().status == 503, over.ladder
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9
        w.hang_up(a, b)


def test_stopping_hangs_up():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        w.gateway.terminate()
        a.answer_request("BYE")
        b.answer_request("BYE")


# --- what a call leaves behind: nothing ---

def state_of(gateway):
    """(threads, open files)"""
    return len(os.listdir(f"/proc/{gateway.pid}/task")), len(gateway.descriptors())


def udp_ports(ip):
    """UDP ports bound to an address of this machine."""
    wanted = "".join(f"{int(part):02X}" for part in reversed(ip.split(".")))
    with open("/proc/net/udp", encoding="ascii") as file:
        return sorted(int(line.split()[1].split(":")[1], 16) for line in file
                      if line.split()[1].startswith(wanted + ":"))


def test_twenty_calls_need_no_more_threads_and_leave_nothing():
    routes = RING_ALICE + "record = stereo\n"
    with World(routes=routes, carrier="codecs = PCMA",
               extensions={"1001": "codecs = PCMU", "1002": ""}) as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",))
        w.hang_up(a, b)
        wait_until(lambda: not w.gateway.control("calls"), what="calls empty")
        time.sleep(0.5)
        idle, ports = state_of(w.gateway), udp_ports(w.ip)
        assert ports == [5060], ports
        calls = [w.talk(w.carrier, NUMBER, w.alice, answer=("PCMU",)) for _ in range(20)]
        for a, b in calls:
            a.rtp.send(bytes([0xd5]) * 160, 8)
        time.sleep(0.1)
        assert state_of(w.gateway)[0] == idle[0], (state_of(w.gateway), idle)
        assert len(w.gateway.control("calls")) == 20
        assert len(udp_ports(w.ip)) == 1 + 80, len(udp_ports(w.ip))
        for a, b in calls:
            w.hang_up(a, b)
        wait_until(lambda: not w.gateway.control("calls"), what="calls empty")
        wait_until(lambda: state_of(w.gateway) == idle, what=f"{idle}, was {state_of(w.gateway)}")
        assert udp_ports(w.ip) == [5060], udp_ports(w.ip)


def test_calls_that_fail_leave_nothing():
    with World(register=("1001",)) as w:
        def refused():
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
            b = w.alice.called()
            b.reply(486)
            b.expect("ACK")
            a.expect(486)

        def cancelled():
            a, b = w.ring(w.carrier, NUMBER, w.alice)
            a.cancel()
            b.answer_request("CANCEL")
            b.reply(487)
            b.expect("ACK")

        refused()
        cancelled()
        time.sleep(0.3)
        idle = state_of(w.gateway)
        for _ in range(10):
            refused()
            cancelled()
        wait_until(lambda: state_of(w.gateway) == idle, what=f"{idle}")
        assert udp_ports(w.ip) == [5060], udp_ports(w.ip)
        assert not w.gateway.control("calls")


def test_a_call_whose_legs_fall_silent_is_ended():
    with World(gateway="rtp-timeout = 1s") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.rtp.tone(440, 0.3)
        a.answer_request("BYE", timeout=5)
        b.answer_request("BYE")


def test_the_longest_call():
    with World(routes=RING_ALICE + "max-duration = 1s\n") as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.answer_request("BYE", timeout=4)
        b.answer_request("BYE")
