"""Places for peers to live in.

    with Island("10.77.1") as island:       # here 10.77.1.1, there 10.77.1.2, default route to here
        island.spawn(["baresip", …])        # a process over there

An Island is a network namespace, joined to where we are by a veth pair. It lives as long as the
process that holds it, so nothing named is left behind. Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN).

A Corner is for containers that have no right to make one: this machine's own address, and ports
that no other corner uses. Both have here (where we are reached from there), there, sip_port,
media_ports, link (the interface to watch), owns(address), spawn(), close().
"""

import os
import socket
import subprocess
import time

import harness


class Island:
    """A namespace with one address, and the other end of its cable here."""

    sip_port, media_ports = 5060, (30000, 30999)

    def __init__(self, net):
        self.net, self.here, self.there = net, f"{net}.1", f"{net}.2"
        part = "".join(f"{int(number):02x}" for number in net.split("."))
        self.link, self.far_link = f"tlh{part}", f"tlt{part}"
        self.children = []
        self.laid = False  # the cable, by us: another demonstration may have one of that name
        self.holder = harness.spawn(["unshare", "-n", "sleep", "infinity"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self._wait_namespace()
            self._connect()
        except BaseException:
            self.close()
            raise

    def _wait_namespace(self):
        ours = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.holder.poll() is not None:
                why = self.holder.stderr.read().decode("utf-8", "replace").strip()
                raise harness.Skip(f"no network namespace can be made here: {why}")
            if os.readlink(f"/proc/{self.holder.pid}/ns/net") != ours:
                return
            time.sleep(0.01)
        raise harness.Skip("no network namespace came up")

    def _connect(self):
        pid = str(self.holder.pid)
        commands = (
            ["ip", "link", "add", self.link, "type", "veth", "peer", "name", self.far_link,
             "netns", pid],
            ["ip", "addr", "add", f"{self.here}/24", "dev", self.link],
            ["ip", "link", "set", self.link, "up"],
            self.inside("ip", "link", "set", "lo", "up"),
            self.inside("ip", "addr", "add", f"{self.there}/24", "dev", self.far_link),
            self.inside("ip", "link", "set", self.far_link, "up"),
            self.inside("ip", "route", "add", "default", "via", self.here))
        for command in commands:
            done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
            if done.returncode:
                why = done.stderr.decode("utf-8", "replace").strip()
                raise harness.Skip(f"{' '.join(command)}: {why}")
            self.laid = True

    def owns(self, address):
        """Whether an (IP, port) is over there."""
        return address[0] == self.there

    def inside(self, *command):
        """The command line that runs a command over there."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "--", *command]

    def spawn(self, command, **more):
        """A process over there; ends with the island."""
        process = harness.spawn(self.inside(*command), **more)
        self.children.append(process)
        return process

    def close(self):
        for process in [*self.children, self.holder]:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.holder.stderr.close()
        # The kernel drops the pair with the namespace, but a little later than we may want it again.
        if self.laid:
            subprocess.run(["ip", "link", "del", self.link], stderr=subprocess.DEVNULL, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Corner:
    """Some ports of this machine's own address; number tells corners apart."""
    link = "lo"  # what a machine sends to itself takes that way, whatever its address

    def __init__(self, number):
        self.here = self.there = own_address()
        if self.here.startswith("127."):
            raise harness.Skip("neither a network namespace nor an address of our own to use")
        self.sip_port = 5070 + 10 * number
        self.media_ports = (30000 + 1000 * number, 30999 + 1000 * number)
        self.children = []

    def owns(self, address):
        low, high = self.media_ports
        return address[0] == self.there and (address[1] == self.sip_port or
                                             low <= address[1] <= high)

    def spawn(self, command, **more):
        process = harness.spawn(command, **more)
        self.children.append(process)
        return process

    def close(self):
        for process in self.children:
            if process.poll() is None:
                process.kill()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def own_address():
    """The address that others reach this machine at, as far as it can know."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # nothing is sent
            return sock.getsockname()[0]
        except OSError:
            return "127.0.0.1"
