"""For tests of hostile peers: raw messages, and the proof that the gateway serves on."""

import queue
import re
import socket
import time

import torture
from sip_message import Message, token

NUMBER = "+4930555100"
STATUS = re.compile(rb"(?m)^SIP/2\.0 (\d{3}) ")


def prove_service(world):
    """A call from end to end, and OPTIONS."""
    world.alive()
    try:
        while True:  # calls that a hostile message made, the last of them still on their way
            world.alice.arrivals.get(timeout=0.3)
    except queue.Empty:
        pass
    a, b = world.talk(world.carrier, NUMBER, world.alice)
    world.hang_up(a, b)


def check_log_is_bounded(world, since, seconds):
    """No kind of line more often than about once a second (kind: its words, numbers left out)."""
    kinds = {}
    for line in world.gateway.log()[since:].split("\n"):
        words = [w for w in line.split() if w.isalpha()]
        kind = " ".join(words[:6])
        kinds[kind] = kinds.get(kind, 0) + 1
    worst = max(kinds, key=kinds.get)
    assert kinds[worst] <= seconds * 2 + 5, f"{kinds[worst]} lines of {worst!r} in {seconds:.1f} s"


class Bystander:
    """A raw UDP socket at the carrier's address, for messages no agent would send."""

    def __init__(self, world, last=2):
        self.world = world
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"{world.net}.{last}", 0))
        self.peer = "{}:{}".format(*self.socket.getsockname())

    def send(self, data):
        self.socket.sendto(data, self.world.address)

    def case(self, text, wait_s=0.3):
        """Sends a case of torture.py; the statuses that came, refusals acknowledged."""
        serial = token()
        data = torture.render(text, self.peer, self.world.ip, NUMBER, serial)
        self.send(data)
        return self.statuses(serial, data, wait_s)

    def statuses(self, serial, data, wait_s):
        found, deadline = [], time.monotonic() + wait_s
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                answer = self.socket.recv(65535)
            except TimeoutError:
                break
            message = Message.parse(answer)
            if message.status and serial in message.call_id + (message.branch or ""):
                found.append(message.status)
                self._acknowledge(message, data)
        return found

    def _acknowledge(self, message, data):
        if message.status >= 200 and message.cseq[1] == "INVITE":
            uri = data.split(b" ", 2)[1].decode("utf-8", "replace")
            ack = Message(f"ACK {uri} SIP/2.0", [
                ("Via", message.all("Via")[0]), ("Max-Forwards", 70), ("Call-ID", message.call_id),
                ("From", message.get("From")), ("To", message.get("To")),
                ("CSeq", f"{message.cseq[0]} ACK")])
            self.send(ack.to_bytes())


class StreamBystander:
    """The same by TCP, a connection for each case, since the gateway closes what it can't read."""

    def __init__(self, world, last=2):
        self.world, self.ip = world, f"{world.net}.{last}"

    def case(self, text, wait_s=0.4, quiet_s=0.05):
        """The statuses that came within wait_s, or until it is quiet after the first."""
        with socket.socket() as sock:
            sock.bind((self.ip, 0))
            sock.settimeout(wait_s)
            sock.connect(self.world.address)
            peer = "{}:{}".format(*sock.getsockname())
            sock.sendall(torture.render(text, peer, self.world.ip, NUMBER, token()))
            return [int(status) for status in STATUS.findall(hear(sock, quiet_s))]


def hear(sock, quiet_s):
    """What a connection says until it is quiet, or its end."""
    heard = b""
    try:
        while data := sock.recv(65536):
            heard += data
            sock.settimeout(quiet_s)
    except OSError:
        pass
    return heard
