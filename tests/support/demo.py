"""The demonstration: calls through the gateway by independent phones, and what became of them.

    python3 demo.py --config conf/quickstart.ini --folder DIR [--stay]

A carrier (baresip, then SIPp) that speaks only PCMA calls a public number. It hears a welcome, then
a phone rings (baresip, registered by digest) that speaks only Opus, then one with only G.722. Both
talk, both press a digit, one hangs up. Then all of it is judged by what each side received, by the
recording, and by what was seen on the cables. Exit status 0 when everything was as it should be.

The carrier and the phones live in network namespaces of their own, or where none can be made (in
some containers) on other ports of this machine. --stay leaves the gateway running afterwards, for
phones of yours, until Ctrl-C. The binary is the one that $TWINLEG names.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

import harness  # noqa: E402
from demo_call import CALLS, place  # noqa: E402
from demo_report import judge, show  # noqa: E402
from harness_net import Corner, Island, own_address  # noqa: E402
from speech import speak  # noqa: E402

ATTEMPTS = 3  # for a call whose phones themselves did not get the processor in time

HOW_TO = """
Twinleg goes on running, for phones of yours:

    server, domain   {address}{port}   (UDP or TCP)
    user 1001        password quickstart-1001
    user 1002        password quickstart-1002

    dial 100         an announcement
    dial 9196        an echo test
    dial 1002        the other phone (from 1002: 1001)

    see it           {binary} --config {config} status     (or calls, registrations, show CALL)
    its log          {log}
    recordings       {recordings}

Ctrl-C ends it."""


def free_port(first=5060):
    """The first even port from 5060 on that is free in UDP and TCP."""
    for port in range(first, first + 100, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind(("0.0.0.0", port))
                tcp.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
    raise SystemExit(f"no SIP port is free from {first} on")


@contextlib.contextmanager
def places():
    """Where the carrier lives, and where the phones do; gone afterwards."""
    with contextlib.ExitStack() as things:
        try:
            found = [things.enter_context(Island(net)) for net in ("198.18.71", "198.18.72")]
        except harness.Skip as why:
            things.close()
            print(f"   ({why}: the peers live on other ports of this machine)")
            found = [things.enter_context(Corner(number)) for number in (0, 1)]
        yield found


def own_file(path, flags):
    return os.open(path, flags, 0o600)


def prepare_config(path, folder, carrier=None):
    """(configuration to run, its SIP port): a copy of the file that others can't read, since it
    holds passwords; with other ports and folders where those are taken or not wanted."""
    port = free_port()
    base = os.path.dirname(os.path.abspath(path))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text.replace(":5060", f":{port}").replace("../build/quickstart", folder)
    if isinstance(carrier, Corner):
        text = re.sub(r"(?m)^host(\s*)=.*", rf"host\1= {carrier.there}:{carrier.sip_port}", text)
        text = re.sub(r"(?m)^allow(\s*)=.*", rf"allow\1= {carrier.there}", text)
    text = re.sub(r"(?m)^prompts(\s*)=.*", rf"prompts\1= {base}/prompts", text)
    copy = os.path.join(folder, "quickstart.ini")
    with open(copy, "w", encoding="utf-8", opener=own_file) as file:
        file.write(text)
    return copy, port


def demonstrate(gateway, port, folder, prompts, peers):
    """Places the calls and shows them; how many things were not as they should be."""
    speech = {who: speak(who, folder) for who in ("caller", "callee")}
    wrong = 0
    for number, call in enumerate(CALLS, 1):
        print(f"\n══ Call {number} of {len(CALLS)}: {call.title}\n")
        for attempt in range(1, ATTEMPTS + 1):
            seen = place(call, gateway, port, folder, speech, print, peers)
            checks = judge(seen, f"{prompts}/welcome.wav")
            found = sum(not check.good for check in checks)
            uneven = seen.unevenness()
            if not found or not uneven or attempt == ATTEMPTS:
                break
            print(f"\n   This machine is too busy for the phones: {uneven}. Once more.\n")
        show(seen, checks, print)
        wrong += found
    return wrong


def stay(gateway, config, port):
    """Until Ctrl-C, or the gateway's own end."""
    folder = os.path.dirname(gateway.log_path)
    print(HOW_TO.format(address=own_address(), port="" if port == 5060 else f":{port}",
                        binary=harness.binary(), config=config, log=gateway.log_path,
                        recordings=os.path.join(folder, "recordings")), flush=True)
    try:
        gateway.process.wait()
    except KeyboardInterrupt:
        print("\nending …")


def run(args):
    folder = os.path.abspath(args.folder)
    os.makedirs(os.path.join(folder, "recordings"), exist_ok=True)
    with places() as peers:
        config, port = prepare_config(args.config, folder, carrier=peers[0])
        status, text = harness.run_twinleg("check", config)
        if status:
            print(text)
            return 1
        gateway = harness.Gateway(config)
        shutil.move(gateway.log_path, f"{folder}/gateway.log")
        gateway.log_path = f"{folder}/gateway.log"
        prompts = os.path.join(os.path.dirname(os.path.abspath(args.config)), "prompts")
        print(f"Twinleg starts: {harness.binary()} run {config}, SIP on port {port}")
        with gateway:
            wrong = demonstrate(gateway, port, folder, prompts, peers)
            print(verdict(wrong, gateway), flush=True)
            if args.stay:
                stay(gateway, config, port)
    return 1 if wrong else 0


def verdict(wrong, gateway):
    if not wrong:
        return "\nEverything was as it should be."
    what = "1 thing was" if wrong == 1 else f"{wrong} things were"
    return f"\n{what} not as it should be. The gateway's log: {gateway.log_path}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--config", required=True)
    options.add_argument("--folder", required=True)
    options.add_argument("--stay", action="store_true")
    # So that `with` and `finally` clean up when we are asked to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        return run(options.parse_args())
    except KeyboardInterrupt:
        return 130
    except harness.Skip as why:
        print(f"The demonstration can't be held here: {why}", file=sys.stderr)
    except AssertionError as error:
        print(f"\nThe demonstration failed: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
