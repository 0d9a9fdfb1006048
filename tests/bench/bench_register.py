#!/usr/bin/env python3
"""What registrations cost: thousands of extensions that refresh over UDP, with digest.

    bench_register.py [--twinleg PATH] [--extensions 10000] [--period 60] [--seconds 10]

First all of them register once, challenge and all, as fast as they are answered. Then they refresh
for some seconds at the rate that `--period` means, in two ways: with the nonce of before and a
higher count, as good clients do (one request), and without, as many telephones do (a challenge each
time). Printed: the gateway's CPU milliseconds for each refresh, the share of one core that all the
extensions take at that rate, database writing included, and resident memory: a binding's, as the
database gives them back after a restart, and that of a registration whose transaction lingers (32
seconds, RFC 3261's timer J).
"""

import argparse
import hashlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from bench_setup import cores, cpu_ms, spawn, status_of, wait_ready

GATEWAY, PHONES = ("127.0.77.1", 5060), ("127.0.77.2", 5062)
CONFIG = """
[gateway]
listen = udp:{ip}:5060
domain = bench.test
state = {dir}/state
prompts = {dir}
control = {dir}/control
workers = 1
request-rate = 0
register-default = 1h
"""
WINDOW = 64  # requests under way at a time


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Phone:
    """One extension. Makes its requests; the loop sends them."""

    def __init__(self, number):
        self.number, self.cseq, self.nonce, self.count = number, 0, None, 0
        self.ha1 = md5(f"{number}:bench.test:secret")
        self.ha2 = md5("REGISTER:sip:bench.test")

    def request(self):
        self.cseq += 1
        text = (f"REGISTER sip:bench.test SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {PHONES[0]}:{PHONES[1]};rport"
                f";branch=z9hG4bK{self.number}x{self.cseq}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{self.number}@bench.test>;tag=t\r\n"
                f"To: <sip:{self.number}@bench.test>\r\nCall-ID: call-{self.number}\r\n"
                f"CSeq: {self.cseq} REGISTER\r\nUser-Agent: bench phone 1.0\r\n"
                f"Contact: <sip:{self.number}@{PHONES[0]}:{PHONES[1]};line={self.number}>\r\n"
                f"Expires: 600\r\n")
        if self.nonce:
            self.count += 1
            nc = f"{self.count:08x}"
            response = md5(f"{self.ha1}:{self.nonce}:{nc}:c:auth:{self.ha2}")
            text += (f'Authorization: Digest username="{self.number}", realm="bench.test", '
                     f'nonce="{self.nonce}", uri="sip:bench.test", cnonce="c", nc={nc}, qop=auth, '
                     f'response="{response}", algorithm=MD5\r\n')
        return (text + "Content-Length: 0\r\n\r\n").encode()

    def take(self, answer):
        """True: registered; False: challenged, to be tried again."""
        if answer.startswith(b"SIP/2.0 200"):
            return True
        if not answer.startswith(b"SIP/2.0 401"):
            sys.exit(f"bench_register: unexpected answer:\n{answer.decode()}")
        self.nonce, self.count = answer.split(b'nonce="')[1].split(b'"')[0].decode(), 0
        return False


class Crowd:
    """All the extensions behind one socket."""

    def __init__(self, n):
        self.phones = [Phone(str(100000 + i)) for i in range(n)]
        self.by_number = {p.number.encode(): p for p in self.phones}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind(PHONES)

    def _receive(self, timeout):
        """Takes one answer; 1 when it ends a registration."""
        if not select.select([self.sock], [], [], timeout)[0]:
            return 0
        answer = self.sock.recv(8192)
        phone = self.by_number[answer.split(b"Call-ID: call-")[1].split(b"\r")[0]]
        if phone.take(answer):
            return 1
        self.sock.sendto(phone.request(), GATEWAY)
        return 0

    def register(self, phones, per_s=None):
        """Each once; per_s None: as fast as they are answered. Returns how long it took."""
        begun, sent, done, phones = time.monotonic(), 0, 0, list(phones)
        while done < len(phones):
            due = len(phones) if per_s is None else int((time.monotonic() - begun) * per_s) + 1
            while sent < min(due, len(phones)) and sent - done < WINDOW:
                self.sock.sendto(phones[sent].request(), GATEWAY)
                sent += 1
            done += self._receive(0.001)
            if time.monotonic() - begun > 120:
                sys.exit(f"bench_register: {len(phones) - done} of {len(phones)} without an answer")
        return time.monotonic() - begun


def refresh(gateway, crowd, arguments, forget):
    """Some seconds at the rate; CPU milliseconds of the gateway for each refresh."""
    rate = arguments.extensions / arguments.period
    phones = crowd.phones[:max(int(rate * arguments.seconds), 1)]
    for phone in phones if forget else ():
        phone.nonce = None
    before = cpu_ms(gateway.pid)
    crowd.register(phones, rate)
    time.sleep(0.3)  # the database, too
    return (cpu_ms(gateway.pid) - before) / len(phones)


class Gateway:
    """The real one, with a core to itself."""

    def __init__(self, arguments, folder):
        self.folder = folder
        self.args = [os.path.abspath(arguments.twinleg), "run", f"{folder}/twinleg.ini"]
        with open(f"{folder}/twinleg.ini", "w", encoding="ascii") as file:
            os.chmod(file.name, 0o600)
            file.write(CONFIG.format(ip=GATEWAY[0], dir=folder))
            for i in range(arguments.extensions):
                file.write(f"[extension {100000 + i}]\npassword = secret\n")
        self.start()

    def start(self):
        with open(f"{self.folder}/gateway.log", "wb") as log:
            self.process = spawn(self.args, cores()[0], self.folder, stdout=log, stderr=log)
        self.pid = self.process.pid
        wait_ready(self.process, self.folder)
        deadline = time.monotonic() + 20
        while b" ready" not in self.log() and time.monotonic() < deadline:
            time.sleep(0.05)

    def log(self):
        with open(f"{self.folder}/gateway.log", "rb") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def rss_kb(self):
        return status_of(self.pid, "VmRSS")


def say(name, text):
    print(f"{name:44s} {text}", flush=True)


def run(gateway, arguments):
    crowd, n = Crowd(arguments.extensions), arguments.extensions
    empty_kb, before_ms = gateway.rss_kb(), cpu_ms(gateway.pid)
    took = crowd.register(crowd.phones)
    say("first registration, with challenge",
        f"{(cpu_ms(gateway.pid) - before_ms) / n:8.3f} CPU-ms each, {n / took:.0f} a second here")
    say("resident memory, transactions lingering", f"{(gateway.rss_kb() - empty_kb) / n:8.2f} kB each")
    gateway.stop()
    gateway.start()
    say("resident memory of a binding, loaded", f"{(gateway.rss_kb() - empty_kb) / n:8.2f} kB each")
    for phone in crowd.phones:
        phone.nonce = None
    crowd.register(crowd.phones[:max(int(n / arguments.period * arguments.seconds), 1)])
    for name, forget in (("refresh with the nonce of before", False),
                         ("refresh with a challenge", True)):
        each = refresh(gateway, crowd, arguments, forget)
        say(name, f"{each:8.3f} CPU-ms each; {n} every {arguments.period} s: "
                  f"{each * n / arguments.period / 10:.1f} % of one core")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twinleg", default="build-bench/b2bua/twinleg")
    parser.add_argument("--extensions", type=int, default=10000)
    parser.add_argument("--period", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="twinleg-bench-")
    gateway = Gateway(arguments, folder)
    try:
        run(gateway, arguments)
    finally:
        gateway.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
