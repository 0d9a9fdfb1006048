"""Telephones that we did not write, over a network that loses a tenth of the SIP packets, doubles a
tenth and reorders: baresip and linphonec give up, hold, resume, transfer and hang up; SIPp, whose
scenarios know no message that comes late, finds busy."""

import contextlib
import os
import tempfile
import time

import harness
from harness_baresip import LEAD_S
from demo_call import length_s
from demo_report import best_score
from harness_sipp import Sipp
from impair_cable import BadIsland
from score import read_wav
from test_transfer_linphone import attended, blind
from test_phones import PROMPTS, in_office
from world import wait_until

ISLANDS = []  # of this test
SCENARIOS = os.path.join(os.path.dirname(__file__), "sipp")
SIPP_NETS = ("198.18.91", "198.18.92")
SIPP_CALLS = 12
CONFIG = """
[gateway]
listen = udp:0.0.0.0:5060
domain = pbx.test
control = {folder}/control
[trunk carrier]
host = 198.18.91.2
allow = 198.18.91.2
[trunk phone]
host = 198.18.92.2
[route support]
from = trunk:carrier
to = +4930555100
ring = trunk:phone
"""


def check_heard(what, said, island):
    """It is these words; how well they sound is for test_phones.py, on a cable without detours."""
    found = best_score(said, [([s / 32768 for s in island.heard()], 8000)])
    assert found.correlation > 0.8, f"{what}: {found.line()}"


def check_talk(office, alice, bob):
    """By what came to each: after its own hold baresip keeps no more of what it hears."""
    alice.say(office.speech["caller"])
    bob.say(office.speech["callee"])
    for phone in (alice, bob):
        phone.island.heard()
    time.sleep(LEAD_S + length_s(office.speech) + 0.5)
    check_heard("Alice to Bob", read_wav(office.speech["caller"]), bob.island)
    check_heard("Bob to Alice", read_wav(office.speech["callee"]), alice.island)


def bad(seed):
    """What makes an island of its net, each with a weather of its own."""
    def make(net):
        ISLANDS.append(BadIsland(net, seed + int(net.rpartition(".")[2])))
        return ISLANDS[-1]

    return make


def check_weather():
    """It was as bad as it was to be."""
    for what in ("lost", "doubled"):
        assert sum(getattr(island.weather, what) for island in ISLANDS) > 1, what


def test_baresip_gives_up_calls_holds_resumes_and_transfers():
    def conversation(office):
        alice, bob = office.alice, office.bob
        for given_up in (True, False):
            alice.dial(f"sip:1002@{alice.island.here}")
            bob.wait("CALL_INCOMING", 30)
            if given_up:
                alice.command("hangup")
                bob.wait("CALL_CLOSED", 30)
        bob.accept()
        alice.wait("CALL_ESTABLISHED", 30)
        bob.wait("CALL_ESTABLISHED", 30)
        for holder in (bob, alice):
            holder.command("hold")
            time.sleep(1)
            holder.command("resume")
            time.sleep(1)
        check_talk(office, alice, bob)
        bob.command("transfer", f"sip:100@{bob.island.here}")
        bob.wait("CALL_CLOSED", 30)
        alice.wait("CALL_CLOSED", 30)
        check_heard("the announcement", read_wav(f"{PROMPTS}/announcement.wav"), alice.island)

    in_office(conversation, "PCMA", "PCMA", island=bad(1))
    check_weather()


def test_linphone_holds_and_transfers_attended():
    attended(bad(2))
    check_weather()


def test_linphone_transfers_blind():
    blind(bad(3))
    check_weather()


def sipp(island, name, calls, number="1001"):
    with open(f"{SCENARIOS}/{name}.xml", encoding="utf-8") as file:
        scenario = file.read().replace('response="100"', 'response="100" optional="true"')
    return Sipp(scenario, f"{island.here}:5060", island.there, service=number, calls=calls, rate=4,
                island=island, keys={"caller": "+4917011122"})


def test_sipp_finds_busy():
    with contextlib.ExitStack() as things, tempfile.TemporaryDirectory() as folder:
        carrier, phone = (things.enter_context(bad(4)(net)) for net in SIPP_NETS)
        gateway = harness.Gateway.of_text(CONFIG.format(folder=folder), folder)
        things.enter_context(gateway)
        # who is called takes a late copy of an INVITE for one more call
        with sipp(phone, "busy", 2 * SIPP_CALLS), \
                sipp(carrier, "caller_finds_busy", SIPP_CALLS, "+4930555100") as a:
            a.wait(60)
            wait_until(lambda: not gateway.control("calls"), 40, "the end of every call")
    check_weather()


for test in (test_baresip_gives_up_calls_holds_resumes_and_transfers,
             test_linphone_holds_and_transfers_attended, test_linphone_transfers_blind):
    test.timeout_s = 150  # of all attempts
