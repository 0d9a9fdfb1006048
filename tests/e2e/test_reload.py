"""Reloads: what systemd and the operator see of them, and calls of strangers that go on through them."""

import os
import shlex
import signal
import socket
import subprocess

import harness
from test_closed import rung
from sip_message import make_sdp
from test_sipp import CARRIER, PHONE, Sipp
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = f"{TREE}/systemd/twinleg.service"


class Manager:
    """The socket on which systemd hears what a service says of itself (sd_notify)."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{folder}/notify")
        self.socket.settimeout(harness.START_LIMIT_S)
        os.environ["NOTIFY_SOCKET"] = f"{folder}/notify"

    def told(self):
        """The next message, as {name: value}."""
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines if line)


class WatchedWorld(World):
    def start(self):
        self.manager = Manager(self.dir)
        super().start()
        del os.environ["NOTIFY_SOCKET"]


def check_told(w):
    """What Type=notify of Debian 12's systemd, and Type=notify-reload of later ones, want."""
    begins = w.manager.told()
    assert begins["RELOADING"] == "1" and int(begins["MONOTONIC_USEC"]) > 0, begins
    assert w.manager.told() == {"READY": "1"}


def test_systemd_hears_of_each_reload():
    with WatchedWorld() as w:
        told = w.manager.told()
        assert told["READY"] == "1" and told["MAINPID"] == str(w.gateway.pid), told
        w.gateway.signal(signal.SIGHUP)
        check_told(w)
        w.write_config(w.config() + "[route x]\nbogus = 1\n")
        w.gateway.signal(signal.SIGHUP)
        check_told(w)  # it goes on, with what it had
        w.gateway.terminate()
        assert w.manager.told()["STOPPING"] == "1"


def unit_line(key):
    with open(UNIT, encoding="utf-8") as file:
        return next(line.split("=", 1)[1].strip() for line in file if line.startswith(key + "="))


def test_systemctl_reload_runs_a_command_that_tells_of_mistakes():
    with World() as w:
        words = shlex.split(unit_line("ExecReload"))
        assert words[0] == "twinleg", words
        words = [w.config_path if word.startswith("/etc/") else word for word in words[1:]]
        assert harness.run_twinleg(*words)[0] == 0
        w.write_config(w.config() + "[route x]\nring = trunk:carier\nbogus = 1\n")
        status, said = harness.run_twinleg(*words)
        assert status != 0, said
        for mistake in ('there is no [trunk] "carier" (did you mean "carrier"?)',
                        'unknown key "bogus" in [route]'):
            assert mistake in said and f"{w.config_path}:" in said, said
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        b = rung(w.alice)
        b.reply(486)
        b.expect("ACK")
        a.expect(486)


def test_systemd_finds_no_fault_with_the_unit():
    if not os.path.exists("/usr/bin/systemd-analyze"):
        raise harness.Skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", UNIT], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = [line for line in done.stdout.decode().split("\n") if "twinleg.service:" in line and
            "is not executable" not in line and "Command 'man" not in line]  # not installed here
    assert not said, said


def listen_line(w, *ports):
    return "listen = " + ", ".join([f"udp:{w.ip}:5060", f"tcp:{w.ip}:5060"] +
                                   [f"udp:{w.ip}:{port}" for port in ports])


def test_two_hundred_calls_by_sipp_go_through_reloads_and_none_fails():
    # by TCP: where the machine is busy SIPp is late, and what is sent again by UDP spoils its count
    with World(register=(), agents=False, carrier="transport = tcp") as w:
        old = next(line for line in w.config().splitlines() if line.startswith("listen ="))
        Sipp(w, "registers", PHONE, tcp=True).finish()
        b = Sipp(w, "answers", PHONE, calls=200, tcp=True)
        w.wait_for_port(PHONE)
        a = Sipp(w, "caller_hangs_up", CARRIER, NUMBER, calls=200, rate=80, tcp=True)
        done = 0
        while a.process.poll() is None:
            extra = RING_ALICE.replace("support", "other") if done % 2 else ""
            text = w.config(RING_ALICE + extra)
            w.write_config(text.replace(old, listen_line(w, *((5070, 5071) if done % 2 else ()))))
            status, said = w.gateway.verb("reload")
            assert status == 0, said
            done += 1
            wait_until(lambda: harness.answers_options("udp", w.ip, 5060), what="OPTIONS")
        a.finish()
        b.finish()
        assert done > 3, f"only {done} reloads under way"
        assert w.gateway.control("registrations"), "the reloads lost a registration"
        assert "[route other] added" in w.gateway.log()
        assert "listen" in w.gateway.log().split("reload", 1)[1], "changes are logged"
