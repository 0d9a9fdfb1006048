"""media = direct with telephones that we did not write (baresip): both hear each other, and the
kernel's own count of the line to the gateway shows that no media took that way."""

import contextlib
import copy
import json
import subprocess
import tempfile
import time

import harness
from harness_baresip import LEAD_S, Baresip
from harness_net import Island
from test_phones import expect_speech, length_s, loudest, speak

NET = "198.18.79"
CONFIG = """
[gateway]
listen = udp:{here}:5060
domain = {here}
state = {folder}
prompts = {folder}
recordings = {folder}
control = {folder}/control
[extension 1001]
password = secret
[extension 1002]
password = secret
[extension 1003]
password = secret
[route inside]
from = extension
ring = extension
media = direct
"""


def packets(island):
    """That came in over the line from over there."""
    text = subprocess.run(["ip", "-s", "-j", "link", "show", "dev", island.link], check=True,
                          stdout=subprocess.PIPE).stdout
    return json.loads(text)[0]["stats64"]["rx"]["packets"]


@contextlib.contextmanager
def office(numbers):
    """A gateway here, and the telephones together over there."""
    with contextlib.ExitStack() as things:
        folder = things.enter_context(tempfile.TemporaryDirectory(prefix="direct-"))
        island = things.enter_context(Island(NET))
        gateway = harness.Gateway.of_text(CONFIG.format(here=island.here, folder=folder), folder)
        things.enter_context(gateway)
        phones = []
        for i, number in enumerate(numbers):
            place = copy.copy(island)
            place.sip_port, place.media_ports = 5060 + 10 * i, (30000 + 1000 * i, 30999 + 1000 * i)
            phones.append(things.enter_context(Baresip(
                place, f"{number}@{island.here}", password="secret", codecs="PCMA",
                account_keys=f';outbound="sip:{island.here};transport=udp"')))
            phones[-1].wait_registered()
        yield gateway, island, phones, {who: speak(who, folder) for who in ("caller", "callee")}


def converse(island, a, b, speech):
    """Both speak; the packets that the gateway's line had meanwhile."""
    before = packets(island)
    a.say(speech["caller"])
    b.say(speech["callee"])
    time.sleep(LEAD_S + length_s(speech) + 0.5)
    return packets(island) - before


def check_heard(a, b):
    expect_speech("A to B", loudest(a.said_paths()), b.heard_paths())
    expect_speech("B to A", loudest(b.said_paths()), a.heard_paths())


def test_speech_goes_from_phone_to_phone():
    with office(("1001", "1002")) as (gateway, island, (a, b), speech):
        a.dial(f"sip:1002@{island.here}")
        b.wait("CALL_INCOMING")
        b.accept()
        a.wait("CALL_ESTABLISHED")
        time.sleep(0.5)
        seen = converse(island, a, b, speech)
        assert seen < 40, f"{seen} packets came to the gateway while they talked"
        a.command("hold")
        time.sleep(0.5)
        a.command("resume")
        time.sleep(0.5)
        b.hang_up()
        a.wait("CALL_CLOSED")
        check_heard(a, b)


def test_a_transfer_goes_from_phone_to_phone():
    with office(("1001", "1002", "1003")) as (gateway, island, (a, b, c), speech):
        a.dial(f"sip:1002@{island.here}")
        b.wait("CALL_INCOMING")
        b.accept()
        a.wait("CALL_ESTABLISHED")
        time.sleep(0.5)
        b.command("transfer", f"sip:1003@{island.here}")
        c.wait("CALL_INCOMING")
        c.accept()
        b.wait("CALL_CLOSED")
        time.sleep(0.5)
        seen = converse(island, a, c, speech)
        assert seen < 40, f"{seen} packets came to the gateway while they talked"
        a.hang_up()
        c.wait("CALL_CLOSED")
        check_heard(a, c)


for test in list(vars().values()):
    if callable(test) and getattr(test, "__name__", "").startswith("test_"):
        test.timeout_s = 150
