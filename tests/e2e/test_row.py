"""Two gateways in a row: a branch registers by TLS at a head office, as one of its extensions, and
all calls between them are encrypted."""

import os
import time

import harness
from sip_message import make_sdp
from tls import Authority
from world import World, wait_until

NUMBER = "+4930555100"
BRANCH = """
[trunk head]
host = {head}:5061
transport = tls
register = yes
user = 2000
password = secret2000
srtp = required
hold = pass

[route in]
from = trunk:head
ring = 1001

[route out]
from = extension
to = 0X.
ring = trunk:head
"""
HEAD = """
[gateway]
listen = udp:{head}:5060, tls:{head}:5061
domain = head.test
rtp-ports = 30000-30999
state = {dir}/state
recordings = {dir}/recordings
control = {dir}/control
certificate = {pair.certificate}
private-key = {pair.key}
ca = {ca.file}

[trunk carrier]
host = {net}.2:5060
allow = {net}.2
hold = pass

[extension 2000]
password = secret2000
srtp = required
hold = pass

[route in]
from = trunk:carrier
to = +4930555100
ring = 2000
record = stereo

[route out]
from = extension:2000
to = 0X.
ring = trunk:carrier
"""


class Row(World):
    """carrier, .2 — head, .21 — our gateway, the branch — alice."""

    def __init__(self):
        super().__init__(routes=BRANCH, agents=False, register=("1001",))
        self.head_ip, folder = f"{self.net}.21", f"{self.dir}/head"
        ca = Authority(self.dir)
        self.pair, self.ca = ca.issue("branch", "branch.test", self.ip), ca
        for name in ("state", "recordings"):
            os.makedirs(f"{folder}/{name}")
        self.head = harness.Gateway.of_text(HEAD.format(
            head=self.head_ip, dir=folder, net=self.net, ca=ca,
            pair=ca.issue("head", "head.test", self.head_ip)), folder)

    def config(self, routes=None):
        text = super().config(routes).replace("{head}", self.head_ip)
        return text.replace("\ndomain =", f", tls:{self.ip}:5061\ncertificate = "
                            f"{self.pair.certificate}\nprivate-key = {self.pair.key}\n"
                            f"ca = {self.ca.file}\ndomain =", 1)

    def start(self):
        self.head.start()
        super().start()
        self.carrier = self.agent(2, "+4917011122", port=5060)
        self.carrier.gateway = (self.head_ip, 5060)
        self.binding, = wait_until(lambda: self.head.control("registrations"),
                                   what="the registration")

    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        self.head.stop()


def check_both_hear(a, b):
    before_a, before_b = len(a.rtp.packets), len(b.rtp.packets)
    speech = a.rtp.tone_start(440, 0.5)
    b.rtp.tone(660, 0.5)
    speech.join()
    b.rtp.wait(before_b + 24)
    a.rtp.wait(before_a + 24)
    assert a.rtp.heard(660, since=before_a) > 0.9, len(a.rtp.packets)
    assert b.rtp.heard(440, since=before_b) > 0.9, len(b.rtp.packets)


def change(holder, other, direction, mirrored, version):
    """A re-INVITE goes all the way, and its answer all the way back."""
    holder.request("INVITE", make_sdp(holder.agent.ip, holder.rtp.port, direction=direction,
                                      version=version))
    offer = other.expect("INVITE")
    assert offer.sdp.audio.direction == direction, offer
    other.reply(200, make_sdp(other.agent.ip, other.rtp.port, direction=mirrored,
                              version=version), to=offer)
    answer = holder.expect(200)
    assert answer.sdp.audio.direction == mirrored, answer
    holder.ack()
    other.expect("ACK")


def test_a_call_in_is_held_and_resumed_and_digits_arrive_once():
    with Row() as w:
        assert w.binding["route"].startswith(f"sip:{w.ip}:"), (
            f"it comes from where it listens: {w.binding}")
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        check_both_hear(a, b)
        change(b, a, "sendonly", "recvonly", 2)
        change(b, a, "sendrecv", "sendrecv", 3)
        check_both_hear(a, b)
        a.rtp.digit("5", 101)
        b.rtp.digit("#", 101)
        wait_until(lambda: a.rtp.digits(101) and b.rtp.digits(101), what="the digits")
        w.hang_up(b, a)
        assert [d for d, _ in a.rtp.digits(101) + b.rtp.digits(101)] == ["#", "5"]
        wait_until(lambda: not w.head.control("calls"), what="the end")


def test_a_call_out_is_transferred_to_another_number_outside():
    with Row() as w:
        a, b = w.talk(w.alice, "0123", w.carrier)
        check_both_hear(a, b)
        a.request("REFER", "", [("Refer-To", f"<sip:0555@{w.ip}>")])
        a.expect(202)
        a.answer_request("NOTIFY")
        c = w.carrier.incoming()
        assert c.expect("INVITE").uri.startswith("sip:0555@"), c.invite.uri
        c.rtp = w.rtp(w.carrier)
        c.rtp.remote = c.invite.sdp.audio.address
        c.reply(200, make_sdp(w.carrier.ip, c.rtp.port))
        c.expect("ACK")
        a.answer_request("NOTIFY")
        a.answer_request("BYE")
        check_both_hear(b, c)
        w.hang_up(c, b)
        wait_until(lambda: not w.gateway.control("calls") and not w.head.control("calls"),
                   what="the end of both calls")


def test_the_branch_finds_its_head_again_after_a_crash():
    with Row() as w:
        w.head.kill()
        w.head.start()
        deadline = time.monotonic() + 30
        while True:
            a = w.carrier.invite(NUMBER, make_sdp(w.carrier.ip, 4000))
            try:
                b = w.alice.incoming(timeout=1)
                break
            except AssertionError:
                assert time.monotonic() < deadline, w.gateway.tail()
                a.expect(480)
        b.expect("INVITE")
        b.reply(486)
        a.expect(486)
