"""What conf/quickstart.sh shows: calls by a baresip and a SIPp to a baresip, with everything that it
judges (ladders, digest, codecs, speech each way, digits, recording)."""

import os
import subprocess
import tempfile

import harness

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALONE = True  # speech is judged by the packet


def test_quickstart():
    build = os.path.dirname(os.path.dirname(harness.binary()))
    with tempfile.TemporaryDirectory(prefix="twinleg-demo-") as folder:
        done = subprocess.run(
            ["sh", f"{TREE}/conf/quickstart.sh", "--demo"], stdin=subprocess.DEVNULL,
            env=harness.environment() | {"TWINLEG_BUILD": build, "TWINLEG_FOLDER": folder},
            check=False)
        assert done.returncode == 0, f"quickstart.sh ended with status {done.returncode}"


test_quickstart.timeout_s = 180
