"""A carrier that is a pair of Kamailios, found by DNS with priorities: the first serves, and when it is
gone the second serves the next call and the one in set-up; OPTIONS tell who is there."""

import os
import re
import signal

import harness
from sip_message import make_sdp
from test_registration_peers import BASE, need
from test_servers import Domain, ONLY, SRV, servers, state, trunk
from world import wait_until

# Each says who it is, and sends calls on to the world's second trunk, which plays the network.
MEMBER = BASE + """
request_route {{
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "{name}");
		exit;
	}}
	if (has_totag()) {{
		if (!loose_route() && !t_check_trans()) sl_send_reply("404", "Not here");
		t_relay();
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) t_relay();
		exit;
	}}
	if (is_method("INVITE")) record_route();
	append_hf("X-Served-By: {name}\\r\\n");
	$du = "sip:{network}:5060";
	t_relay();
}}
"""
NO_WAITING = "failover-time = 30s\n"  # longer than a call is waited for


class Member:
    """One of the pair, with its children in a process group of their own."""

    def __init__(self, w, name, last, port):
        need("kamailio")
        self.w, self.name, self.last, self.port = w, name, last, port
        self.folder = f"{w.dir}/{name}"
        os.makedirs(f"{self.folder}/run")
        text = MEMBER.format(ip=f"{w.net}.{last}", name=name, network=f"{w.net}.3")
        with open(f"{self.folder}/kamailio.cfg", "w", encoding="ascii") as file:
            file.write(text.replace(":5060\n", f":{port}\n", 1))
        self.start()

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = harness.spawn(
                ["kamailio", "-f", f"{self.folder}/kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "8",
                 "-Y", f"{self.folder}/run", "-w", self.folder, "-P", f"{self.folder}/pid"],
                stdout=log, stderr=log, start_new_session=True)
        self.w.wait_for_port(self.last, self.port)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def stop(self):
        self.signal(signal.SIGKILL)
        self.process.wait()


class Pair(Domain):
    def __init__(self, **more):
        super().__init__("carrier.test", names=SRV, routes=ONLY, **more)
        self.members = []

    def __enter__(self):
        super().__enter__()
        self.network = self.server(3)
        self.members = [Member(self, "one", 51, 5060), Member(self, "two", 52, 5070)]
        self.known()
        return self

    def __exit__(self, *args):
        for member in self.members:
            if member.process.poll() is None:
                member.stop()
        super().__exit__(*args)

    def dial(self):
        return self.alice.invite("0123", make_sdp(self.alice.ip, self.rtp(self.alice).port))

    def answered(self, a):
        """Whose the call is; it is hung up again."""
        b = self.network.incoming()
        invite = b.expect("INVITE")
        b.reply(200, make_sdp(self.network.ip, self.rtp(self.network).port))
        a.expect(200)
        a.ack()
        b.expect("ACK")
        self.hang_up(b, a)
        return invite.get("X-Served-By")


def test_the_first_dies_and_the_second_serves_the_next_call():
    with Pair(carrier=NO_WAITING) as w:
        one, two = w.members
        assert w.answered(w.dial()) == "one"
        one.stop()
        assert w.answered(w.dial()) == "two"
        assert w.answered(w.dial()) == "two"
        two.stop()
        assert w.dial().expect_any(10).status == 480


def test_the_call_in_set_up_is_served_by_the_second():
    with Pair(carrier="failover-time = 1s") as w:
        one, _ = w.members
        one.signal(signal.SIGSTOP)  # a machine that hangs: no ICMP, no answer
        a = w.dial()
        assert w.answered(a) == "two"
        one.signal(signal.SIGCONT)


def test_options_find_the_dead_one_and_its_return():
    with Pair(carrier=NO_WAITING + "ping = 1s") as w:
        one, two = w.members
        addresses = f"{w.net}.51:5060;transport=udp", f"{w.net}.52:5070;transport=udp"
        wait_until(lambda: servers(w, "carrier") == [f"{at} up" for at in addresses],
                   what="health of the pair")
        one.signal(signal.SIGSTOP)
        wait_until(lambda: servers(w, "carrier")[0] == f"{addresses[0]} down", 15, "one down")
        assert trunk(w, "carrier")["state"] == "up", "the other one lives"
        assert servers(w, "carrier") == [f"{addresses[0]} down", f"{addresses[1]} up"]
        assert f"{addresses[0]} down, {w.net}.52" in w.gateway.verb("trunks")[1]
        assert w.answered(w.dial()) == "two", "and the dead one was not tried"
        one.signal(signal.SIGCONT)
        wait_until(lambda: servers(w, "carrier")[0] == f"{addresses[0]} up", 15, "one up again")
        assert w.answered(w.dial()) == "one"
        for member in (one, two):
            member.stop()
        wait_until(lambda: state(w, "carrier") == "down", 15, "trunk down")
        one.start()
        wait_until(lambda: state(w, "carrier") == "up", 15, "trunk up")
        said = w.gateway.log
        wait_until(lambda: re.search(r"trunk=carrier down(?s:.)*trunk=carrier up", said()), 15,
                   "what the log says of it")
        assert w.answered(w.dial()) == "one"
