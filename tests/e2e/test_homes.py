"""A gateway on several networks: each leg is told the address that its own network reaches."""

import subprocess

from sip import Agent
from sip_message import make_sdp
from world import World, connect

NUMBER = "+4930555100"


class TwoHomes(World):
    """198.18.1.0/24 has the carrier and 1001, 198.18.2.0/24 has 1002; the gateway is .1 in both."""

    def __init__(self, ring):
        super().__init__(f"[route in]\nfrom = trunk:carrier\nto = {NUMBER}\nring = {ring}\n",
                         register=("1001",), agents=False)
        self.net, self.ip, self.address = "198.18.1", "198.18.1.1", ("198.18.1.1", 5060)
        # the first of a network is the source towards the others, also on lo
        for last in ("1.1", "1.2", "1.3", "1.11", "2.1", "2.11"):
            subprocess.run(["ip", "addr", "add", f"198.18.{last}/24", "dev", "lo"], check=True)

    def config(self, routes=None):
        return super().config(routes).replace(f"udp:{self.ip}:5060, tcp:{self.ip}:5060",
                                              "udp:0.0.0.0:5060")

    def __enter__(self):
        super().__enter__()
        # 5060 is the gateway's on every address that there is
        self.carrier = self.agent(2, "+4917011122")
        self.bob = Agent("198.18.2.11", ("198.18.2.1", 5060), user="1002", password="secret1002",
                         domain="pbx.test")
        self.agents.append(self.bob)
        assert self.bob.register().status == 200
        return self


def call(world):
    media = world.rtp(world.carrier)
    a = world.carrier.invite(NUMBER, make_sdp(world.carrier.ip, media.port))
    a.rtp = media
    return a


def arrives(world, phone, home):
    b = world.called(phone)
    assert b.rtp.remote[0] == home, b.invite.sdp.text
    assert home in b.invite.get("Contact"), b.invite.get("Contact")
    return b


def check_talk(world, a, b, home):
    connect(a, b, make_sdp(b.agent.ip, b.rtp.port))
    tone = a.rtp.tone_start(440, 0.5)
    b.rtp.tone(660, 0.5)
    tone.join()
    assert a.rtp.heard(660) > 0.9 and b.rtp.heard(440) > 0.9
    assert {p.source[0] for p in b.rtp.packets} == {home}, {p.source for p in b.rtp.packets}
    world.hang_up(a, b)


def test_phones_of_two_networks_ring_at_once_and_the_first_answers():
    with TwoHomes("1001, 1002") as w:
        a = call(w)
        b = arrives(w, w.alice, "198.18.1.1")
        arrives(w, w.bob, "198.18.2.1")
        check_talk(w, a, b, "198.18.1.1")


def test_phones_of_two_networks_ring_at_once_and_the_second_answers():
    with TwoHomes("1001, 1002") as w:
        a = call(w)
        arrives(w, w.alice, "198.18.1.1")
        b = arrives(w, w.bob, "198.18.2.1")
        check_talk(w, a, b, "198.18.2.1")


def test_phones_of_two_networks_ring_one_after_the_other():
    with TwoHomes("1001 then 1002") as w:
        a = call(w)
        first = arrives(w, w.alice, "198.18.1.1")
        first.reply(486)
        first.expect("ACK")
        check_talk(w, a, arrives(w, w.bob, "198.18.2.1"), "198.18.2.1")
