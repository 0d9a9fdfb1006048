"""A gateway with a carrier and some extensions around it, on addresses of their own.

    with World(routes=RING_ALICE) as world:
        a, b = world.talk(world.carrier, "+4930555100", world.alice)

Every world has a network 127.x.y.0/24 to itself, so that worlds run side by side on port 5060:
.1 is the gateway, .2 the carrier trunk, .3 a second trunk, .11 and up the extensions 1001, 1002 …
"""

import itertools
import os
import re
import shutil
import tempfile
import time

import harness
from rtp import Rtp
from sip import TIMEOUT_S, Agent
from sip_message import make_sdp

_networks = itertools.count(os.getpid() * 7)

CONFIG = """
[gateway]
listen = {listen}
domain = pbx.test
rtp-ports = {rtp_ports}
state = {dir}/state
recordings = {dir}/recordings
prompts = {dir}/prompts
control = {dir}/control
{gateway}

[trunk carrier]
host = {carrier}
allow = {carrier_ip}
{carrier_keys}

[trunk backup]
host = {backup}
allow = {backup_ip}
{backup_keys}
"""
EXTENSION = """
[extension {number}]
name = Phone {number}
password = secret{number}
{keys}
"""
RING_ALICE = """
[route support]
from = trunk:carrier
to = +4930555100
ring = 1001
"""


class World:
    """gateway, carrier, backup, alice (1001), bob (1002); keys are lines for a section."""

    def __init__(self, routes=RING_ALICE, gateway="", carrier="", backup="", extensions=None,
                 transport="udp", register=("1001", "1002"), phones="udp",
                 rtp_ports="20000-20999", agents=True, spare_backup=False,
                 prompts=(), process=None):
        number = next(_networks)
        self.net = f"127.{20 + number // 250 % 200}.{number % 250 + 1}"
        self.ip, self.address = f"{self.net}.1", (f"{self.net}.1", 5060)
        self.extensions = extensions if extensions is not None else {"1001": "", "1002": ""}
        self.keys = {"gateway": gateway, "carrier_keys": carrier, "backup_keys": backup,
                     "rtp_ports": rtp_ports}
        self.routes, self.transport, self.to_register = routes, transport, register
        self.phone_transport, self.with_agents = phones, agents
        self.process = process or {}  # how the gateway is started: see harness.Gateway
        self.spare_backup = spare_backup  # its address is for another program
        self.agents, self.media = [], []
        self.dir = tempfile.mkdtemp(prefix="twinleg-e2e-")
        for folder in ("state", "recordings", "prompts"):
            os.mkdir(f"{self.dir}/{folder}")
        for name, data in dict(prompts).items():
            with open(f"{self.dir}/prompts/{name}", "wb") as file:
                file.write(data)
        self.config_path = f"{self.dir}/twinleg.ini"

    def config(self, routes=None):
        """The text of the configuration."""
        text = CONFIG.format(
            listen=f"udp:{self.ip}:5060, tcp:{self.ip}:5060", dir=self.dir,
            carrier=f"{self.net}.2:5060", carrier_ip=f"{self.net}.2",
            backup=f"{self.net}.3:5060", backup_ip=f"{self.net}.3", **self.keys)
        for number, keys in self.extensions.items():
            text += EXTENSION.format(number=number, keys=keys)
        return text + (self.routes if routes is None else routes).replace("{net}", self.net)

    def write_config(self, text):
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        self.write_config(self.config())
        try:
            self.start()
            if self.with_agents:
                self.carrier = self.agent(2, "+4917011122", port=5060, transport=self.transport)
            if self.with_agents and not self.spare_backup:
                self.backup = self.agent(3, "backup", port=5060)
            for i, extension in enumerate(self.to_register):
                phone = self.phone(extension, 11 + i)
                setattr(self, ("alice", "bob", "carol", "dave")[i], phone)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        for peer in [*self.agents, *self.media]:
            peer.close()
        try:
            self.gateway.stop()
        except AssertionError as stop_error:
            if kind is None:
                raise
            print(stop_error)  # and the test's own failure goes on
            return
        if kind is None:
            shutil.rmtree(self.dir)

    # --- the gateway ---

    def start(self):
        self.gateway = harness.Gateway(self.config_path, **self.process)
        self.gateway.start()

    def alive(self):
        """Proof that it serves: OPTIONS is answered."""
        answer = self.carrier.options()
        assert answer.status == 200, f"OPTIONS answered {answer.status}"

    # --- peers ---

    def agent(self, last, user, port=0, **more):
        agent = Agent(f"{self.net}.{last}", self.address, user=user, port=port, **more)
        self.agents.append(agent)
        return agent

    def phone(self, extension, last, register=True, **more):
        more.setdefault("transport", self.phone_transport)
        phone = self.agent(last, extension, password=f"secret{extension}", domain="pbx.test",
                           **more)
        if register:
            answer = phone.register()
            assert answer.status == 200, f"REGISTER answered\n{answer}"
        return phone

    def wait_for_port(self, last, port=5060):
        """Until some program has bound it in UDP or TCP."""
        wanted = "".join(f"{int(part):02X}" for part in reversed(f"{self.net}.{last}".split(".")))

        def bound():
            for table, state in (("udp", "07"), ("tcp", "0A")):  # 0A: listening
                with open(f"/proc/net/{table}", encoding="ascii") as file:
                    if re.search(f" {wanted}:{port:04X} [0-9A-F]+:[0-9A-F]+ {state} ", file.read()):
                        return True
            return False

        wait_until(bound, what=f"port {port} at .{last}")

    def rtp(self, agent):
        media = Rtp(agent.ip)
        self.media.append(media)
        return media

    # --- whole calls ---

    def called(self, callee, timeout=TIMEOUT_S):
        """The call that comes to somebody: its dialog, with .rtp aimed at whom the INVITE names."""
        b = callee.called(timeout)
        b.rtp = self.rtp(callee)
        b.rtp.remote = b.invite.sdp.audio.address
        return b

    def ring(self, caller, number, callee, codecs=("PCMA",), **sdp):
        """A call that rings: both dialogs, with .rtp on each."""
        media = self.rtp(caller)
        a = caller.invite(number, make_sdp(caller.ip, media.port, codecs, **sdp))
        a.rtp = media
        b = self.called(callee)
        b.reply(180)
        a.expect(180)
        return a, b

    def talk(self, caller, number, callee, codecs=("PCMA",), answer=("PCMA",), answer_sdp=None,
             **sdp):
        """A call that talks: both dialogs, with .rtp on each, aimed at the gateway."""
        a, b = self.ring(caller, number, callee, codecs, **sdp)
        connect(a, b, make_sdp(callee.ip, b.rtp.port, answer, **(answer_sdp or {})))
        return a, b

    def hang_up(self, first, other):
        """first sends BYE, other gets it."""
        first.request("BYE")
        other.answer_request("BYE")
        first.expect(200)

    def record(self):
        """The last call's record, once it has ended."""
        def ended():
            ids = re.findall(r"call=(\S+)", self.gateway.log())
            if not ids:  # a thread writes the log
                return None
            assert re.fullmatch("[0-9a-f]{6}", ids[-1]), ids
            shown = self.gateway.control("show", ids[-1])
            return shown if shown["state"] == "ended" and "ended_ms" in shown else None

        shown = wait_until(ended, what="the record")
        times = [shown[k] for k in ("started_ms", "ringing_ms", "answered_ms", "ended_ms")
                 if k in shown]
        assert times == sorted(times), shown
        return shown


def connect(a, b, answer="", headers=(), to=None):
    """b answers its INVITE, or the request `to`, which a acknowledges; a's 200. a's .rtp, where it
    has one, is aimed at whom it names."""
    b.reply(200, answer, headers, to=to)
    ok = a.expect(200)
    if hasattr(a, "rtp") and ok.sdp:
        a.rtp.remote = ok.sdp.audio.address
    a.ack()
    b.expect("ACK")
    return ok


def wait_until(condition, timeout=15.0, what="condition"):
    """Polls; returns the first true value."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {timeout} s")
