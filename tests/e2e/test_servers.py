"""Where a trunk's servers are, by DNS and by list; which lives; what happens when one does not.

dnsmasq answers on loopback for the names; its hosts are the addresses of a world.
"""

import os
import re
import shutil
import socket
import subprocess
import time

import harness
from sip_message import make_sdp
from world import World, connect, wait_until

OUT = """
[route out]
from = extension
to = 0X.
ring = trunk:carrier then trunk:backup
"""
ONLY = OUT.replace(" then trunk:backup", "")


class Names:
    """A dnsmasq on 127.0.0.1:53, which the gateway asks when no server of /etc/resolv.conf can be
    reached, as in a test's namespace; and on those servers there that are loopback's own."""

    def __init__(self, *lines):
        if not shutil.which("dnsmasq"):
            raise harness.Skip("dnsmasq is not installed")
        self.lines = lines

    def __enter__(self):
        self.process = harness.spawn(
            ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
             *(f"--listen-address={ip}" for ip in self.addresses()), "--bind-interfaces", "--user=root", "--pid-file=",
             "--local-ttl=5", *(f"--{line}" for line in self.lines)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.bound() or self.process.poll() is not None, what="dnsmasq")
        if self.process.poll() is not None:
            raise harness.Skip("dnsmasq can't be started here")
        return self

    @staticmethod
    def addresses():
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            own = re.findall(r"(?m)^\s*nameserver\s+(127\.\S+)", file.read())
        return sorted({"127.0.0.1", *own})

    @staticmethod
    def bound():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind(("127.0.0.1", 53))
                return False
            except OSError:
                return True

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()




class Domain(World):
    """A world whose carrier is a name."""

    def __init__(self, host, routes=ONLY, carrier="", names=(), **more):
        super().__init__(routes=routes, carrier=carrier, agents=False, **more)
        self.host = host
        self.names = Names(*(line.format(net=self.net, dir=self.dir) for line in names))

    def config(self, routes=None):
        return super().config(routes).replace(f"host = {self.net}.2:5060",
                                              f"host = {self.host.format(net=self.net)}", 1)

    def start(self):
        self.names.__enter__()
        super().start()
        self.servers = {}

    def server(self, last, port=5060, **more):
        agent = self.agent(last, f"server{last}", port=port, **more)
        self.servers[last] = agent
        return agent

    def __exit__(self, *args):
        try:
            super().__exit__(*args)
        finally:
            self.names.__exit__()

    def known(self):
        """Until names are resolved, and somebody is there."""
        wait_until(lambda: servers(self, "carrier") and state(self, "carrier") != "down", 20,
                   "names resolved")


def trunk(w, name):
    return next(t for t in w.gateway.control("trunks") if t["name"] == name)


def state(w, name):
    return trunk(w, name)["state"]


def servers(w, name):
    return trunk(w, name)["servers"]


def taken(agent, timeout=6.0):
    dialog = agent.called(timeout)
    return dialog


def call(w, *places):
    """Alice calls; whoever gets it answers, at one of these addresses; hung up again. Who it was."""
    a = w.alice.invite("0123", make_sdp(w.alice.ip, w.rtp(w.alice).port))
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        for agent in places:
            if not agent.arrivals.empty():
                b = taken(agent)
                connect(a, b, make_sdp(agent.ip, w.rtp(agent).port))
                w.hang_up(a, b)
                return agent
        time.sleep(0.02)
    raise AssertionError(f"nobody was called; ladder {a.ladder}")


SRV = ("naptr-record=carrier.test,10,10,S,SIP+D2U,,_sip._udp.carrier.test",
       "srv-host=_sip._udp.carrier.test,one.carrier.test,5060,10,60",
       "srv-host=_sip._udp.carrier.test,two.carrier.test,5070,20,0",
       "host-record=one.carrier.test,{net}.51", "host-record=two.carrier.test,{net}.52")


def test_naptr_srv_and_failover_by_priority():
    # longer than a call is waited for: nobody may wait for an answer of who is gone
    with Domain("carrier.test", names=SRV, carrier="failover-time = 30s") as w:
        one, two = w.server(51), w.server(52, 5070)
        w.known()
        assert call(w, one, two) is one
        one.close()  # the kernel says so at once: ICMP
        assert call(w, two) is two
        assert call(w, two) is two  # and remembered


def test_a_silent_server_is_given_up_in_seconds():
    with Domain("carrier.test", names=SRV, carrier="failover-time = 1s") as w:
        one, two = w.server(51), w.server(52, 5070)
        w.known()
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        b = taken(one)  # and says nothing
        c = taken(two, 4)
        c.reply(200, make_sdp(two.ip, 4000))
        a.expect(200)
        a.ack()
        c.expect("ACK")
        # too late: acknowledged, and ended (RFC 3261 13.2.2.4)
        b.reply(200, make_sdp(one.ip, 4002))
        b.expect("ACK")
        b.answer_request("BYE")
        w.hang_up(a, c)


def test_503_takes_the_next_server_and_busy_does_not():
    with Domain("carrier.test", names=SRV) as w:
        one, two = w.server(51), w.server(52, 5070)
        w.known()
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        taken(one).reply(503)
        taken(two).reply(486)
        a.expect(486)


def test_weights_share_the_calls():
    names = ("srv-host=_sip._udp.carrier.test,one.carrier.test,5060,10,50",
             "srv-host=_sip._udp.carrier.test,two.carrier.test,5060,10,50",
             "host-record=one.carrier.test,{net}.51", "host-record=two.carrier.test,{net}.52")
    with Domain("udp:carrier.test", names=names) as w:
        servers = w.server(51), w.server(52)
        w.known()
        met = set()
        for _ in range(20):  # both unmet: 2 in a million
            met.add(call(w, *servers).ip)
            if len(met) == 2:
                return
        raise AssertionError(f"only {met}")


def test_a_name_with_an_address_alone_and_by_tcp():
    with Domain("tcp:plain.test", names=("host-record=plain.test,{net}.51",)) as w:
        one = w.server(51, transport="tcp")
        w.known()
        assert call(w, one) is one


def test_a_list_of_hosts_in_its_order():
    with Domain("{net}.51, {net}.52:5070", carrier="failover-time = 1s") as w:
        two = w.server(52, 5070)
        assert call(w, two) is two
        one = w.server(51)  # is back; the other is preferred for half a minute
        assert call(w, one, two) is two


def test_a_dead_trunk_is_gone_round_and_comes_back():
    with World(routes=OUT, carrier="ping = 1s", register=("1001",)) as w:
        def asked(answer):
            while not w.carrier.others.empty():
                request = w.carrier.others.get()
                if answer and request.method == "OPTIONS":
                    reply(w.carrier, request)

        w.carrier.close()
        wait_until(lambda: state(w, "carrier") == "down", timeout=12, what="carrier down")
        begun = time.monotonic()
        assert call(w, w.backup) is w.backup
        assert time.monotonic() - begun < 1.5, "the dead trunk was tried"
        w.agents.remove(w.carrier)
        w.carrier = w.agent(2, "carrier", port=5060)
        wait_until(lambda: asked(True) or state(w, "carrier") == "up", timeout=12, what="up again")
        assert call(w, w.carrier) is w.carrier
        log = w.gateway.log()
        assert log.count("trunk=carrier down") == 1 and log.count("trunk=carrier up") == 1, log


def reply(agent, request):
    from sip_message import Message
    headers = [(n, v) for n, v in request.headers
               if n.lower() in ("via", "from", "to", "call-id", "cseq")]
    agent.send(Message("SIP/2.0 200 OK", headers), *request.source, "udp", request.connection)


def test_calls_per_second_in_and_out():
    routes = OUT + "[route in]\nfrom = trunk:carrier\nto = X.\nring = 1001\n"
    with World(routes=routes, carrier="calls-per-second = 1", register=("1001",)) as w:
        assert call(w, w.carrier, w.backup) is w.carrier
        assert call(w, w.carrier, w.backup) is w.backup  # the next target is taken
        time.sleep(1.1)
        first = w.carrier.invite("100", make_sdp(w.carrier.ip, 4000))
        second = w.carrier.invite("100", make_sdp(w.carrier.ip, 4000))
        refused = second.expect(503)
        assert int(refused.get("Retry-After")) > 0, refused
        first.cancel()
        first.expect(200)
        first.expect(487)
