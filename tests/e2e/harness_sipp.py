"""A SIPp that plays a scenario.

    sipp = Sipp(CALLER, target="127.0.0.1:5060", ip="127.0.0.2", service="+4930555100")
    sipp.wait()                 # its end; fails with its errors when a call failed
    sipp.messages()             # every message it sent and received

A scenario is the path of an XML file, or its text. With `island`, SIPp runs there.
"""

import os
import re
import shutil
import subprocess
import tempfile

import harness


class Sipp:
    """One SIPp; started by its constructor."""

    def __init__(self, scenario, target, ip, port=5060, service="service", calls=1, rate=10,
                 transport="u1", island=None, keys=None, args=()):
        self.folder = tempfile.mkdtemp(prefix="sipp-")
        path = scenario
        if scenario.lstrip().startswith("<"):
            path = f"{self.folder}/scenario.xml"
            with open(path, "w", encoding="utf-8") as file:
                file.write(scenario)
        command = ["sipp", target, "-sf", path, "-i", ip, "-mi", ip, "-p", str(port),
                   "-s", service, "-m", str(calls), "-r", str(rate), "-t", transport, "-nostdin",
                   "-trace_msg", "-message_file", f"{self.folder}/messages",
                   "-trace_err", "-error_file", f"{self.folder}/errors", "-timeout_error"]
        for key, value in (keys or {}).items():
            command += ["-key", key, value]
        spawn = island.spawn if island else harness.spawn
        with open(f"{self.folder}/output", "wb") as output:
            self.process = spawn([*command, *args], stdout=output, stderr=output,
                                 cwd=self.folder)

    def wait(self, timeout=30.0, status=0):
        """Its end; the exit status is 0 when all its calls succeeded, 1 when one failed."""
        try:
            got = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.close(keep=True)
            raise AssertionError(f"SIPp did not end within {timeout} s\n{self.trace()}") from None
        assert status is None or got == status, f"SIPp ended with status {got}\n{self.trace()}"
        return got

    def _read(self, name):
        path = f"{self.folder}/{name}"
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def messages(self):
        """[(sent, text)] in order."""
        found = re.split(r"(?m)^-{20,}.*\n", self._read("messages"))
        return [("message sent" in part.split("\n", 1)[0], part.split("\n", 1)[1].strip())
                for part in found if "\n" in part and "message " in part.split("\n", 1)[0]]

    def trace(self):
        return "\n".join(f"--- {name}\n{self._read(name)[-6000:]}"
                         for name in ("errors", "messages") if self._read(name))

    def close(self, keep=False):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
