"""The service: what systemd hears of it (sd_notify), its unit, and what `cmake --install` puts where."""

import ctypes
import os
import select
import shlex
import signal
import socket
import shutil
import subprocess

import harness
from sip_message import make_sdp
from test_closed import rung
from world import World, wait_until

NUMBER = "+4930555100"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = f"{TREE}/systemd/twinleg.service"
WATCHDOG_S = 1.0
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000


class Manager:
    """The socket on which systemd hears what a service says of itself."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"twinleg-{os.getpid()}"
        self.socket.bind("\0" + name)
        self.socket.settimeout(harness.START_LIMIT_S)
        self.environment = {"NOTIFY_SOCKET": "@" + name}

    def told(self, but=""):
        """The next message, as {name: value}; those that are `but` left out."""
        while True:
            text = self.socket.recv(4096).decode()
            if text != but:
                return dict(line.split("=", 1) for line in text.split("\n") if line)

    def hears_nothing_for(self, seconds):
        """Whether; what has come before does not count."""
        self.socket.settimeout(seconds)
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(4096)
        try:
            return not self.socket.recv(4096)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(harness.START_LIMIT_S)


class WatchedWorld(World):
    watchdog_us = None

    def start(self):
        self.manager = Manager()
        os.environ.update(self.manager.environment)
        if self.watchdog_us:
            os.environ["WATCHDOG_USEC"] = str(self.watchdog_us)
        super().start()
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
            os.environ.pop(name, None)


def check_reload(manager):
    """What Type=notify of Debian 12's systemd, and Type=notify-reload of later ones, want."""
    begins = manager.told(but="WATCHDOG=1")
    assert begins["RELOADING"] == "1" and int(begins["MONOTONIC_USEC"]) > 0, begins
    assert manager.told(but="WATCHDOG=1") == {"READY": "1"}


def unit_lines():
    with open(UNIT, encoding="utf-8") as file:
        return dict(line.strip().split("=", 1) for line in file if "=" in line)


def test_systemd_hears_of_the_start_each_reload_and_the_end():
    with WatchedWorld() as w:
        told = w.manager.told()
        assert told["READY"] == "1" and told["MAINPID"] == str(w.gateway.pid), told
        w.gateway.signal(signal.SIGHUP)
        check_reload(w.manager)
        w.write_config(w.config() + "[route x]\nbogus = 1\n")
        w.gateway.signal(signal.SIGHUP)
        check_reload(w.manager)  # it goes on, with what it had
        w.gateway.terminate()
        assert w.manager.told()["STOPPING"] == "1"


def test_systemctl_reload_runs_a_command_that_tells_of_mistakes():
    with WatchedWorld() as w:
        assert w.manager.told()["READY"] == "1"
        words = shlex.split(unit_lines()["ExecReload"])
        assert words[0] == "twinleg", words
        words = [w.config_path if word.startswith("/etc/") else word for word in words[1:]]
        assert harness.run_twinleg(*words)[0] == 0
        check_reload(w.manager)
        w.write_config(w.config() + "[route x]\nring = trunk:carier\nbogus = 1\n")
        status, said = harness.run_twinleg(*words)
        assert status != 0, said
        check_reload(w.manager)
        for mistake in ('there is no [trunk] "carier" (did you mean "carrier"?)',
                        'unknown key "bogus" in [route]'):
            assert mistake in said and f"{w.config_path}:" in said, said
            assert mistake in w.gateway.log()
        a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
        b = rung(w.alice)
        b.reply(486)
        b.expect("ACK")
        a.expect(486)


# --- the watchdog ---

class Halted:
    """A thread of another process that hangs."""

    def __init__(self, thread):
        self.libc, self.thread = ctypes.CDLL(None, use_errno=True), thread
        self._ptrace(PTRACE_SEIZE)
        self._ptrace(PTRACE_INTERRUPT)
        os.waitpid(thread, WALL)

    def _ptrace(self, request):
        if self.libc.ptrace(request, self.thread, None, None) != 0:
            raise harness.Skip(f"ptrace: {os.strerror(ctypes.get_errno())}")

    def let_go(self):
        self._ptrace(PTRACE_DETACH)


def thread_named(pid, name):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return int(thread)
    raise AssertionError(f"no thread {name}")


def test_a_worker_that_hangs_is_not_told_to_be_well():
    seconds = unit_lines()["WatchdogSec"]
    assert 10 <= int(seconds) <= 60, seconds
    WatchedWorld.watchdog_us = int(WATCHDOG_S * 1e6)
    with WatchedWorld(register=()) as w:
        assert w.manager.told()["READY"] == "1"
        for _ in range(3):
            assert w.manager.told() == {"WATCHDOG": "1"}
        worker = Halted(thread_named(w.gateway.pid, "media-0"))
        wait_until(lambda: "media worker hangs" in w.gateway.log(), what="word of it")
        assert w.manager.hears_nothing_for(WATCHDOG_S), "systemd would have let it hang"
        w.alive()
        worker.let_go()
        assert w.manager.told() == {"WATCHDOG": "1"}


# --- the unit and what is installed ---

PLACE = """set -e
mount --make-rprivate /
cp -a /etc "$1/all-etc"
cp -a "$1/etc/." "$1/all-etc"
mount --bind "$1/all-etc" /etc
mount --bind "$1/usr/local" /usr/local
mount -t tmpfs none /var/lib
mount -t tmpfs none /run
cp "$HOME"/.cache/gstreamer-1.0/registry.*.bin /var/lib/registry.bin 2>&1 || true
chmod -f 644 /var/lib/registry.bin || true
systemd-sysusers /usr/local/lib/sysusers.d/twinleg.conf
systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/twinleg.conf
exec sleep 1000
"""


class Installed:
    """A machine on which `cmake --install` has been run: a mount namespace of its own."""

    def __init__(self, folder):
        for tool in ("cmake", "unshare", "nsenter", "setpriv", "systemd-analyze",
                     "systemd-sysusers", "systemd-tmpfiles"):
            if not shutil.which(tool):
                raise harness.Skip(f"{tool} is not installed")
        build = os.path.dirname(os.path.dirname(os.path.realpath(harness.binary())))
        os.umask(0o022)
        self._run(["cmake", "--install", build], env={**os.environ, "DESTDIR": folder})
        os.chmod(folder, 0o755)
        self.holder = harness.spawn(["unshare", "--mount", "sh", "-c", PLACE, "place", folder])
        wait_until(lambda: self.holder.poll() is not None or self._is_up(), timeout=20,
                   what="the installed machine")
        if self.holder.poll() is not None:
            raise harness.Skip("no right to mount here")

    def _is_up(self):
        with open(f"/proc/{self.holder.pid}/comm", encoding="ascii") as file:
            return file.read().strip() == "sleep"

    @staticmethod
    def _run(words, **more):
        done = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **more)
        return done.stdout.decode()

    def inside(self, *words):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", *words]

    def run(self, *words):
        """What a command says there."""
        return self._run(self.inside(*words))

    def close(self):
        self.holder.kill()


def test_the_unit_starts_what_is_installed():
    manager = Manager()
    machine = Installed(os.environ["TMPDIR"] + "/root")
    unit = unit_lines()
    faults = [line for line in machine.run(
        "systemd-analyze", "verify", "--recursive-errors=no",
        "/usr/local/lib/systemd/system/twinleg.service").splitlines() if "Command 'man" not in line]
    assert not faults, faults
    as_its_user = ["setpriv", f"--reuid={unit['User']}", f"--regid={unit['User']}",
                   "--clear-groups", "--no-new-privs", "--inh-caps=-all"]
    service = harness.spawn(machine.inside(*as_its_user, *shlex.split(unit["ExecStart"])),
                            env={**harness.environment(), **manager.environment,
                                 "GST_REGISTRY": "/var/lib/registry.bin"})
    try:
        assert manager.told()["READY"] == "1"
        assert harness.answers_options("udp", "127.0.0.1", 5060, timeout=2)
        assert "running" in machine.run("twinleg", "status")
        assert '"reloaded": true' in machine.run(*shlex.split(unit["ExecReload"]), "--json")
        check_reload(manager)
        service.terminate()
        assert manager.told()["STOPPING"] == "1"
        assert service.wait(harness.STOP_LIMIT_S) == 0
    finally:
        machine.close()
