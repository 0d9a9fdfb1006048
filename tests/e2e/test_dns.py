"""NAPTR with its order, SIPS+D2T among them, and AAAA (RFC 3263), asked of a real dnsmasq."""

import time

from sip import Agent
from sip_message import make_sdp
from test_servers import Domain, call, state, taken
from tls import Authority
from world import wait_until

SIX = ("naptr-record=carrier.test,10,10,S,SIP+D2T,,_sip._tcp.carrier.test",
       "naptr-record=carrier.test,20,10,S,SIP+D2U,,_sip._udp.carrier.test",
       "srv-host=_sip._tcp.carrier.test,six.carrier.test,5070,10,1",
       "srv-host=_sip._udp.carrier.test,four.carrier.test,5060,10,1",
       "host-record=six.carrier.test,::1", "host-record=four.carrier.test,{net}.51")
SECURE = ("naptr-record=carrier.test,10,10,S,SIPS+D2T,,_sips._tcp.carrier.test",
          "naptr-record=carrier.test,20,10,S,SIP+D2U,,_sip._udp.carrier.test",
          "srv-host=_sips._tcp.carrier.test,one.carrier.test,5061,10,1",
          "srv-host=_sip._udp.carrier.test,two.carrier.test,5060,10,1",
          "host-record=one.carrier.test,{net}.51", "host-record=two.carrier.test,{net}.52")


class Both(Domain):
    """Listens on IPv6, too."""

    def config(self, routes=None):
        return super().config(routes).replace(
            "\ndomain =", ", udp:[::1]:5060, tcp:[::1]:5060\ndomain =", 1)

    def six(self, transport="udp"):
        agent = Agent("::1", ("::1", 5060), user="six", port=5070, transport=transport)
        self.agents.append(agent)
        return agent


def test_naptr_orders_transports_and_aaaa_is_followed():
    with Both("carrier.test", names=SIX) as w:
        four = w.server(51)
        six = w.six("tcp")
        w.known()
        assert call(w, six, four) is six
        assert six.log[0][1][0] == "::1", six.log[0]
        six.close()
        assert call(w, four) is four, "the second NAPTR"


def test_a_host_with_both_families():
    names = ("host-record=carrier.test,{net}.51,::1",)
    with Both("carrier.test:5070", names=names) as w:
        six = w.six()
        w.known()
        assert call(w, six) is six  # nobody is at the IPv4 address


class Secure(Domain):
    """The trunk names no transport; who answers by TLS is known by the name of the domain."""

    def config(self, routes=None):
        return super().config(routes).replace(
            "[trunk carrier]\n", f"ca = {self.dir}/test-authority.pem\n[trunk carrier]\n", 1)

    def start(self):
        self.ca = Authority(self.dir)
        super().start()


def test_sips_d2t_calls_by_tls_and_falls_back_as_dns_says():
    asked = []
    with Secure("carrier.test", names=SECURE) as w:
        pair = w.ca.issue("one", "carrier.test")
        one = w.server(51, 5061, transport="tls", tls=w.ca.contexts(pair))
        one.tls[0].sni_callback = lambda sock, name, context: asked.append(name)
        two = w.server(52)
        w.known()
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        b = taken(one)
        assert b.invite.get("Via").startswith("SIP/2.0/TLS"), b.invite
        b.reply(486)
        a.expect(486)
        assert asked == ["carrier.test"], asked
        # RFC 5922 5: the certificate must name the domain that was asked for, not the host
        one.disconnect()
        one.tls = w.ca.contexts(w.ca.issue("other", "one.carrier.test"))
        wait_until(lambda: not one.connections, what="connections closed")
        assert call(w, two) is two, "the next server of the list"
        assert "certificate refused" in w.gateway.log() and state(w, "carrier") != "down"


def test_a_family_that_we_do_not_speak_is_left_out():
    names = ("host-record=carrier.test,{net}.51,::1",)
    with Domain("carrier.test:5070", names=names) as w:
        four = w.server(51, 5070)
        w.known()
        for _ in range(4):
            begun = time.monotonic()
            assert call(w, four) is four
            assert time.monotonic() - begun < 1.5
        assert "failed" not in w.gateway.log(), "the other address was tried"
        assert "::1" not in w.gateway.verb("trunks")[1]


TWO_HOSTS = ("host-record=a.test,{net}.51", "host-record=b.test,{net}.52")


def refuse_at(w, agent):
    a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
    taken(agent).reply(486)
    a.expect(486)


def test_each_host_of_a_trunk_shows_a_certificate_of_its_own_name():
    asked = []
    with Secure("a.test, b.test", names=TWO_HOSTS, carrier="transport = tls") as w:
        for last, name in ((51, "a.test"), (52, "b.test")):
            server = w.server(last, 5061, transport="tls", tls=w.ca.contexts(w.ca.issue(name, name)))
            server.tls[0].sni_callback = lambda sock, name, context: asked.append(name)
        one, two = w.servers[51], w.servers[52]
        wait_until(lambda: len(w.gateway.control("trunks")[0]["servers"]) == 2, what="both known")
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        taken(one).reply(503)
        taken(two).reply(486)
        a.expect(486)
        assert asked == ["a.test", "b.test"], asked
        # the second with the certificate of the first is somebody else
        two.disconnect()
        two.tls = w.ca.contexts(w.ca.issue("a.test", "a.test"))
        wait_until(lambda: not two.connections, what="connections closed")
        refuse_at(w, one)  # which failed a moment ago, so the other has been tried before
        assert "certificate refused: hostname mismatch name=b.test" in w.gateway.log()
        # unless one name is to stand for all
        w.write_config(w.config().replace("transport = tls", "transport = tls\ntls-name = a.test"))
        assert w.gateway.verb("reload")[0] == 0
        one.close()
        refuse_at(w, two)
