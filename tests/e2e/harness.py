"""What the end-to-end tests stand on: the real binary, real peers, and a clean end of each.

    gateway = Gateway.of_text("[gateway]\\nlisten = udp:127.0.0.1:5060\\n…")
    gateway.start()                  # returns once it answers OPTIONS
    gateway.control("calls")         # a control verb's JSON; verb() gives (exit status, text)
    gateway.stop()                   # SIGTERM; fails on a bad exit status or a sanitizer's report

The binary is the one that $TWINLEG names. Beside this file:

    harness_net.py      network namespaces with a veth pair (baresip will not use lo)
    harness_baresip.py  a baresip with its account, its speech, and what it heard
    harness_sipp.py     a SIPp with its scenario
    sip.py, rtp.py      peers by hand, to say and to spoil every single message
    run.py              runs test_*.py: each test_ function in a network namespace of its own

A test passes when it returns, fails when it raises, and is skipped when it raises Skip("why").
Processes that a test starts through spawn() die with it.
"""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

START_LIMIT_S = 20.0  # a sanitizer build on a busy machine takes its time
STOP_LIMIT_S = 20.0
REPORTS = ("ERROR: AddressSanitizer", "leak of ", "runtime error:",
           "AddressSanitizer:DEADLYSIGNAL", "-CRITICAL **", "Assertion `")
# GLib's first table of quarks, given up on purpose when GStreamer makes them more than 2048. LSan
# can't be told by a suppression: nothing but g_malloc stands on the stack.
QUARKS = re.compile(r"Direct leak of 16384 byte\(s\) in 1 object\(s\) allocated from:\n"
                    r" +#0 .* in (?:__interceptor_)?malloc .*\n +#1 .* in g_malloc .*\n\n")
CONTROL_CONNECTION = "connection of a control verb"
PR_SET_PDEATHSIG = 1
PRIORITY = -15
LIBC = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """Raised by a test that can't be run here; says why."""


def binary():
    return os.environ.get("TWINLEG", "twinleg")


def is_sanitized():
    """Whether the gateway is a sanitizer build."""
    with open(binary(), "rb") as file:
        return b"__asan_init" in file.read()


def environment():
    """Ours, with sanitizers told to say everything, see complaint(), and to keep little of what was
    freed, since tests watch the resident memory."""
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = "detect_leaks=1:disable_coredump=1:quarantine_size_mb=8"
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")
    env["LSAN_OPTIONS"] = f"exitcode=0:print_suppressions=0:suppressions={folder}/lsan.supp"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return env


def complaint(text):
    """What a sanitizer or GLib has to complain of in a log, with the lines around it; or None."""
    text = QUARKS.sub("", text)
    for report in REPORTS:
        if report in text:
            return excerpt(text, report)
    return None


def go_first():
    """This process goes before other work where that is allowed: a telephone that stutters makes
    every gateway sound bad."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    except OSError:
        pass


def spawn(args, **more):
    """A process that is killed when its parent dies, however that happens, and goes first."""
    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        go_first()

    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(args, preexec_fn=prepare, **more)


def run_twinleg(*args, timeout=30):
    """Runs a verb to its end; (exit status, what it printed on both outputs)."""
    done = subprocess.run([binary(), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment(), timeout=timeout,
                          check=False)
    text = done.stdout.decode("utf-8", "replace")
    found = complaint(text)
    assert found is None, f"twinleg {' '.join(args)}:\n{found}"
    return done.returncode, text


class Gateway:
    """One `twinleg run FILE`."""

    started = []  # all of this process, for the log lines of a failed test

    def __init__(self, config_path, name="gateway", env=None, stderr=None):
        self.config_path, self.name, self.env = config_path, name, env or {}
        self.stderr = stderr  # a descriptor in the place of the log file
        self.process, self.killed = None, False
        handle, self.log_path = tempfile.mkstemp(prefix="twinleg-e2e-", suffix=".log")
        os.close(handle)

    @classmethod
    def of_text(cls, text, folder=None):
        """A gateway whose configuration is text, written to a folder (a fresh one by default)."""
        folder = folder or tempfile.mkdtemp(prefix="twinleg-e2e-")
        path = os.path.join(folder, "twinleg.ini")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return cls(path)

    # --- life ---

    def start(self, wait=True, debug=False):
        """Starts it; with wait, returns once it answers OPTIONS on its first listen address."""
        args = [binary(), "run", *(["--debug"] if debug else []), self.config_path]
        with open(self.log_path, "ab") as log:
            self.process = spawn(args, stdout=log, stderr=self.stderr or log,
                                 env={**environment(), **self.env})
        self.killed = False
        Gateway.started.append(self)
        if wait:
            try:
                self._wait_ready()
            except BaseException:
                self.kill()
                raise
        return self

    def _wait_ready(self):
        transport, host, port = listens(self.config_path)[0]
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if not self.running():
                raise AssertionError(f"{self.name} ended at start, status "
                                     f"{self.process.returncode}:\n{self.tail()}")
            if answers_options(transport, host, port):
                return
        raise AssertionError(f"{self.name} gave no answer to OPTIONS on {transport}:{host}:{port} "
                             f"within {START_LIMIT_S} s:\n{self.tail()}")

    def stop(self, timeout=STOP_LIMIT_S):
        """An orderly end, checked. A gateway that never ran or was killed is left alone."""
        if self.process is None or self.killed:
            return
        if self.running():
            self.terminate()
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM:\n"
                                 f"{self.tail()}") from None
        self.process, text = None, self.log()
        found = complaint(text)
        assert found is None, f"{self.name} reported:\n{found}"
        assert status == 0, f"{self.name} ended with status {status}:\n{self.tail()}"

    def terminate(self):
        """SIGTERM, without waiting."""
        self.signal(signal.SIGTERM)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.killed = True

    def signal(self, number):
        self.process.send_signal(number)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- what it says of itself ---

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def rss_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def descriptors(self):
        """{number: what it is}; without those of control verbs: it is about to close them."""
        folder, found, names = f"/proc/{self.pid}/fd", {}, socket_names(self.pid)
        for number in os.listdir(folder):
            try:
                link = os.readlink(f"{folder}/{number}")
            except FileNotFoundError:
                continue
            found[int(number)] = names.get(link, link)
        return {number: name for number, name in found.items() if name != CONTROL_CONNECTION}

    def no_new_descriptors(self, before, timeout=5.0):
        """Fails, and says which are new, when it keeps more of them than it had."""
        deadline = time.monotonic() + timeout  # a file that is being written is closed soon
        while len(now := self.descriptors()) > len(before):
            new = {number: name for number, name in now.items() if before.get(number) != name}
            assert time.monotonic() < deadline, (
                f"{len(now)} descriptors, {len(before)} before; new are {new}, of {now}")
            time.sleep(0.1)

    def cpu_s(self):
        """The processor time that it has used: the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def verb(self, *words):
        """A control verb; (exit status, text)."""
        return run_twinleg("--config", self.config_path, *words)

    def control(self, *words):
        """A control verb's result, from its JSON."""
        status, text = self.verb("--json", *words)
        assert status == 0, f"twinleg {' '.join(words)} ended with status {status}:\n{text}"
        answer = json.loads(text)
        return answer["result"] if isinstance(answer, dict) and "result" in answer else answer


def excerpt(text, word, before=5, after=60):
    """The lines around a word."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if word in line)
    return "\n".join(lines[max(at - before, 0):at + after])


def socket_names(pid):
    """{link in /proc/PID/fd: what socket it is}, of a process's network namespace."""
    names = {}
    for kind, inode_at in (("tcp", 9), ("tcp6", 9), ("udp", 9), ("udp6", 9), ("unix", 6)):
        with open(f"/proc/{pid}/net/{kind}", encoding="utf-8", errors="replace") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                accepted = kind == "unix" and words[5] == "03" and words[-1].endswith("/control")
                names[f"socket:[{words[inode_at]}]"] = (
                    CONTROL_CONNECTION if accepted else " ".join([kind, *words[1:4], words[-1]]))
    return names


# --- is it there? ---

def listens(config_path):
    """[(transport, host, port)] of a configuration's `listen`; a wildcard becomes loopback."""
    with open(config_path, encoding="utf-8") as file:
        line = re.search(r"(?m)^\s*listen\s*=\s*([^;\n]+)", file.read())
    found = re.findall(r"(udp|tcp|tls):(\[[^]]+\]|[^:,\s]+)(?::(\d+))?",
                       line.group(1) if line else "udp:0.0.0.0:5060")
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    return [(transport, loopback.get(host.strip("[]"), host.strip("[]")), int(port or 5060))
            for transport, host, port in found]


def answers_options(transport, host, port, timeout=0.25):
    """Whether a SIP server answers there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    name = f"[{host}]" if family == socket.AF_INET6 else host
    begun = time.monotonic()
    with socket.socket(family, kind) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect((host, port))
            me, mine = sock.getsockname()[:2]
            me = f"[{me}]" if family == socket.AF_INET6 else me
            sock.sendall((f"OPTIONS sip:{name}:{port} SIP/2.0\r\n"
                          f"Via: SIP/2.0/{transport.upper()} {me}:{mine}"
                          f";branch=z9hG4bK{time.monotonic_ns():x};rport\r\n"
                          f"Max-Forwards: 70\r\nFrom: <sip:probe@{me}>;tag=1\r\n"
                          f"To: <sip:{name}:{port}>\r\nCall-ID: {time.monotonic_ns():x}\r\n"
                          "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode())
            if sock.recv(4096).startswith(b"SIP/2.0 "):
                return True
        except OSError:
            pass
    time.sleep(max(0.0, 0.05 - (time.monotonic() - begun)))
    return False
