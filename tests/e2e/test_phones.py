"""Phones that we did not write (baresip) talk through the gateway on the configuration of the quick
start: codec against codec, an announcement, the echo test. Speech is judged by what each heard."""

import contextlib
import os
import re
import sys
import tempfile
import time

import harness
from harness_baresip import LEAD_S, Baresip
from harness_net import Island
from machine import Watch
from tls import Authority

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, "tests", "support"))

from capture import Capture  # noqa: E402
from demo import ATTEMPTS, prepare_config  # noqa: E402
from demo_call import length_s, loudest, wait_for_end  # noqa: E402
from demo_report import best_score  # noqa: E402
from score import read_wav  # noqa: E402
from speech import speak  # noqa: E402

NETS = ("198.18.73", "198.18.74")
PROMPTS = f"{TREE}/conf/prompts"


def listen_by_tls(config, folder):
    pair = Authority(folder).issue("gateway", *(f"{net}.1" for net in NETS))
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^(listen .*)$", rf"\1, tls:0.0.0.0:5061\ncertificate = "
                          rf"{pair.certificate}\nprivate-key = {pair.key}", text, count=1))


def allow_codecs(config, codecs):
    """Extensions may speak these, too."""
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^(codecs +=.* PCMU)$", lambda line: ", ".join(
            [line[1], *(c for c in codecs if c not in line[1].replace(",", "").split())]), text))


class Office:
    """The gateway and its two phones, each on an island; gateway, alice, bob, speech."""

    def __init__(self, alice=None, bob=None, encryption=(None, None), transport="udp",
                 island=Island):
        self.island = island  # what makes one of its net
        self.codecs = {"alice": alice, "bob": bob}
        self.encryption = encryption  # of each: None, "srtp" (offered), "srtp-mand"
        self.transport = transport
        self.things = contextlib.ExitStack()

    def __enter__(self):
        with self.things:
            folder = self.things.enter_context(tempfile.TemporaryDirectory(prefix="office-"))
            os.mkdir(f"{folder}/recordings")
            config, _ = prepare_config(f"{TREE}/conf/quickstart.ini", folder)
            if self.transport == "tls":
                listen_by_tls(config, folder)
            allow_codecs(config, [codec for codec in self.codecs.values() if codec])
            self.speech = {who: speak(who, folder) for who in ("caller", "callee")}
            islands = [self.things.enter_context(self.island(net)) for net in NETS]
            self.gateway = self.things.enter_context(harness.Gateway(config))
            self.alice = self._phone("1001", islands[0], self.codecs["alice"],
                                     self.encryption[0])
            self.bob = self._phone("1002", islands[1], self.codecs["bob"], self.encryption[1])
            self.things = self.things.pop_all()
        return self

    def _phone(self, number, island, codec, encryption):
        if codec is None:
            return None
        phone = Baresip(island, f"{number}@{island.here}", password=f"quickstart-{number}",
                        codecs=codec, modules=["srtp"] if encryption else [],
                        transport=self.transport,
                        account_keys=(f";mediaenc={encryption}" if encryption else "") +
                        f';outbound="sip:{island.here};transport={self.transport}"')
        self.things.callback(phone.close)
        phone.wait_registered()
        return phone

    def __exit__(self, *error):
        return self.things.__exit__(*error)


def expect_speech(what, said, heard_paths, **limits):
    """That one of the recordings holds what was said: (samples, rate). limits: of Score.faults()."""
    best = best_score(said, [read_wav(path) for path in heard_paths])
    assert best is not None, f"{what}: nothing was heard"
    assert not best.faults(**limits), f"{what}: {best.faults(**limits)}"


def in_office(conversation, alice, bob=None, encryption=(None, None), transport="udp",
              island=Island):
    """Runs conversation(office); once more when it fails while the phones themselves sent unevenly,
    or they or the gateway had no processor in time."""
    for _ in range(ATTEMPTS):
        with Office(alice, bob, encryption, transport, island) as office, \
                contextlib.ExitStack() as captures, \
                Watch([phone.process.pid for phone in (office.alice, office.bob) if phone]) as watch:
            watched = [captures.enter_context(Capture(phone.island))
                       for phone in (office.alice, office.bob) if phone]
            try:
                conversation(office)
                return
            except AssertionError as error:
                failure = error
                uneven = [f"a phone sent with {capture.unevenness()}" for capture in watched
                          if capture.unevenness()]
                why = [*uneven, *filter(None, [watch.hindrance()])]
                if not why:
                    raise
        print(f"once more, since {why[0]}: {failure}")
    if not uneven:
        raise failure
    raise harness.Skip(f"this machine is too busy for telephones: {uneven[0]}")


def converse(a, b, path, encryption=(None, None), transport="udp", **limits):
    """Alice, with codec a only, calls Bob, with codec b only; media takes a path."""
    in_office(lambda office: talk(office, path, **limits), a, b, encryption, transport)


def talk(office, path, **limits):
    alice, bob = office.alice, office.bob
    alice.dial(f"sip:1002@{alice.island.here}")
    bob.wait("CALL_INCOMING")
    bob.accept()
    alice.wait("CALL_ESTABLISHED")
    time.sleep(0.5)
    alice.say(office.speech["caller"])
    bob.say(office.speech["callee"])
    time.sleep(LEAD_S + length_s(office.speech) + 0.5)
    alice.press("1")
    bob.press("9")
    time.sleep(0.5)
    call, = office.gateway.control("calls")
    bob.hang_up()
    alice.wait("CALL_CLOSED")
    record = wait_for_end(office.gateway, call["id"])

    expect_speech("Alice to Bob", loudest(alice.said_paths()), bob.heard_paths(), **limits)
    expect_speech("Bob to Alice", loudest(bob.said_paths()), alice.heard_paths(), **limits)
    assert (alice.digits(), bob.digits()) == ("9", "1"), (alice.digits(), bob.digits())
    sides = [(record[side]["codec"], record[side]["path"]) for side in "ab"]
    wanted = [phone.codecs[0].lower().split("/")[0] for phone in (alice, bob)]
    assert [str(codec).lower() for codec, _ in sides] == wanted, sides
    assert {way for _, way in sides} == {path}, sides
    assert record["a"]["lost_pkts"] == record["b"]["lost_pkts"] == 0, record


def test_opus_and_opus_is_relayed():
    converse("opus", "opus", "relay")


def test_pcma_and_pcma_is_relayed():
    converse("PCMA", "PCMA", "relay")


def test_pcma_and_pcmu():
    converse("PCMA", "PCMU", "chain")


def test_pcmu_and_g722():
    converse("PCMU", "G722", "chain")


def test_g722_and_opus():
    converse("G722", "opus", "chain")


def test_an_encrypted_telephone_and_a_plain_one():
    converse("PCMA", "PCMA", "relay", ("srtp-mand", None))


def test_an_encrypted_telephone_and_a_plain_one_transcoded():
    converse("opus", "PCMU", "chain", ("srtp-mand", None))


def test_telephones_by_tls_with_encrypted_media():
    converse("G722", "PCMA", "chain", ("srtp-mand", "srtp-mand"), "tls")


def test_opus_and_pcmu():
    converse("opus", "PCMU", "chain")


def listen_to(codec, number, what, prompt=None):
    """Alice dials a number and hears a prompt, or what she says after it."""
    def listen(office):
        alice = office.alice
        alice.dial(f"sip:{number}@{alice.island.here}")
        alice.wait("CALL_ESTABLISHED")
        time.sleep(7)  # no prompt is longer
        if not prompt:
            alice.say(office.speech["caller"])
            time.sleep(LEAD_S + length_s(office.speech) + 0.5)
        alice.hang_up()
        said = read_wav(f"{PROMPTS}/{prompt}") if prompt else loudest(alice.said_paths())
        expect_speech(what, said, alice.heard_paths())

    in_office(listen, codec)


def test_an_announcement_in_opus():
    listen_to("opus", "100", "the announcement", "announcement.wav")


def test_an_announcement_in_g722():
    listen_to("G722", "100", "the announcement", "announcement.wav")


def test_the_echo_test_says_what_it_is():
    listen_to("opus", "9196", "the words of the echo test", "echo-test.wav")


def test_the_echo_test_in_opus():
    listen_to("opus", "9196", "the echo")


def test_the_echo_test_in_pcma():
    listen_to("PCMA", "9196", "the echo")


def test_an_address_that_comes_up_later_is_heard():
    with Office() as office, Island("198.18.75") as late:
        with Baresip(late, f"1001@{late.here}", password="quickstart-1001", codecs="opus") as phone:
            phone.wait_registered()
        assert office.gateway.running()


for test in list(vars().values()):
    if callable(test) and getattr(test, "__name__", "").startswith("test_"):
        test.timeout_s = 150  # of all attempts
