"""Islands: network namespaces, each joined to where we are by a veth pair.

    with Island("10.77.1") as island:       # here 10.77.1.1, there 10.77.1.2, default route to here
        island.spawn(["baresip", …])        # a process over there

A namespace lives as long as the process that holds it, so nothing named is left behind. Needs
root (CAP_NET_ADMIN and CAP_SYS_ADMIN).
"""

import os
import subprocess
import time

import harness


class Island:
    """A namespace with one address, and the other end of its cable here."""

    def __init__(self, net):
        self.net, self.here, self.there = net, f"{net}.1", f"{net}.2"
        part = "".join(f"{int(number):02x}" for number in net.split("."))
        self.link, self.far_link = f"tlh{part}", f"tlt{part}"
        self.children = []
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
        subprocess.run(["ip", "link", "del", self.link], stderr=subprocess.DEVNULL, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
