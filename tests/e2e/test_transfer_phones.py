"""Transfers asked for by a phone that we did not write (baresip)."""

import time

from score import read_wav
from test_phones import PROMPTS, expect_speech, in_office


def test_a_phone_transfers_blind_to_an_announcement():
    def conversation(office):
        alice, bob = office.alice, office.bob
        alice.dial(f"sip:1002@{alice.island.here}")
        bob.wait("CALL_INCOMING")
        bob.accept()
        alice.wait("CALL_ESTABLISHED")
        time.sleep(0.5)
        bob.command("transfer", f"sip:100@{bob.island.here}")
        bob.wait("CALL_CLOSED")
        call, = office.gateway.control("calls")
        record = office.gateway.control("show", call["id"])
        assert (record["state"], record["transferred_by"]) == ("serving", "extension:1002"), record
        alice.wait("CALL_CLOSED")
        time.sleep(0.2)
        expect_speech("the announcement", read_wav(f"{PROMPTS}/announcement.wav"),
                      alice.heard_paths())

    in_office(conversation, "opus", "PCMA")


def test_who_called_transfers_the_callee():
    def conversation(office):
        alice, bob = office.alice, office.bob
        alice.dial(f"sip:1002@{alice.island.here}")
        bob.wait("CALL_INCOMING")
        bob.accept()
        alice.wait("CALL_ESTABLISHED")
        time.sleep(0.5)
        alice.command("transfer", f"sip:100@{alice.island.here}")
        alice.wait("CALL_CLOSED")
        time.sleep(7)
        bob.hang_up()
        expect_speech("the announcement", read_wav(f"{PROMPTS}/announcement.wav"),
                      bob.heard_paths())

    in_office(conversation, "G722", "opus")


for test in list(vars().values()):
    if callable(test) and getattr(test, "__name__", "").startswith("test_"):
        test.timeout_s = 150  # of all attempts
