"""A place for peers to live in whose SIP has a bad network on its way here: for peers that we did
not write and that can't be told to take a relay.

    with BadIsland("10.77.1", seed=1) as island, Baresip(island, …) as phone:
        …
    island.weather.lost            # how many packets

Its cable is a pair of TUN devices with us in between: what has port 5060 at either end of UDP may
be lost, doubled or delayed; all else, the audio too, passes at once. Otherwise the same as an
Island, and heard() is what has been said to it in PCMA, for phones that can't keep it themselves.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import threading
import time

import harness
from harness_net import Island
from impair import Weather
from rtp import decode

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
SIP_PORT = struct.pack("!H", 5060)
UDP, RTP_AT, PCMA = 17, 28, 8


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def open_tun_there(name, pid):
    """The same in the network namespace of a process: a thread goes there, and ends there."""
    made = []

    def go():
        space = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(space, CLONE_NEWNET) == 0:
            made.append(open_tun(name))
        os.close(space)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    return made[0]


def is_sip(packet):
    """Whether an IPv4 packet holds UDP from or to port 5060; a later fragment has no ports."""
    head = 4 * (packet[0] & 15)
    return (packet[0] >> 4 == 4 and packet[9] == UDP and packet[6:8] in (b"\0\0", b"\x40\0") and
            SIP_PORT in (packet[head:head + 2], packet[head + 2:head + 4]))


class BadIsland(Island):
    def __init__(self, net, seed, **weather):
        self.weather, self.held, self.serial = Weather(seed, **weather), [], 0
        self.sound = []
        self.tuns, self.open, self.pump = [], True, threading.Thread(target=self._pump)
        super().__init__(net)

    def _connect(self):
        try:
            self.tuns = [open_tun(self.link), open_tun_there(self.far_link, self.holder.pid)]
        except OSError as error:
            raise harness.Skip(f"no TUN device can be made here: {error}") from None
        for command in (
                ["ip", "addr", "add", f"{self.here}/24", "dev", self.link],
                ["ip", "link", "set", self.link, "up"],
                self.inside("ip", "link", "set", "lo", "up"),
                self.inside("ip", "addr", "add", f"{self.there}/24", "dev", self.far_link),
                self.inside("ip", "link", "set", self.far_link, "up"),
                self.inside("ip", "route", "add", "default", "via", self.here)):
            subprocess.run(command, check=True)
        self.pump.start()

    def _pass_on(self, packet, tun):
        try:
            os.write(tun, packet)
        except OSError:
            pass  # the other end is down: so is the packet

    def _take(self, packet, tun):
        if not is_sip(packet):
            self._pass_on(packet, tun)
            if tun == self.tuns[1] and packet[9] == UDP and packet[RTP_AT + 1] & 0x7F == PCMA:
                self.sound.append(packet[RTP_AT + 12:])
            return
        for delay_s in self.weather.delays_s():
            self.serial += 1
            heapq.heappush(self.held, (time.monotonic() + delay_s, self.serial, packet, tun))

    def _pump(self):
        across = dict(zip(self.tuns, reversed(self.tuns)))
        while self.open:
            wait = min(max(self.held[0][0] - time.monotonic(), 0), 0.02) if self.held else 0.02
            for tun in select.select(self.tuns, [], [], wait)[0]:
                self._take(os.read(tun, 65536), across[tun])
            while self.held and self.held[0][0] <= time.monotonic():
                _, _, packet, tun = heapq.heappop(self.held)
                self._pass_on(packet, tun)

    def heard(self):
        """Samples, since the last time."""
        sound, self.sound = self.sound, []
        return decode(b"".join(sound), "PCMA")

    def close(self):
        self.open = False
        if self.pump.is_alive():
            self.pump.join()
        super().close()
        for tun in self.tuns:
            os.close(tun)
        self.tuns = []
