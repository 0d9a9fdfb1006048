"""A Kamailio that we register with: it asks for a password, keeps our Contact, calls us by the
connection that we have made, and names the route that our calls are to take."""

import os
import signal

import harness
from sip_message import make_sdp
from test_registration_peers import need
from test_servers import state
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
CONFIG = """
listen=udp:{ip}:5060
listen=tcp:{ip}:5060
children=1
tcp_children=1
tcp_accept_no_cl=yes
log_stderror=yes
auto_aliases=no
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("rr", "enable_double_rr", 1)
modparam("usrloc", "db_mode", 0)
request_route {{
	if (is_method("REGISTER")) {{
		if (!pv_www_authenticate("carrier.test", "geheim", "0")) {{
			www_challenge("carrier.test", "1");
			exit;
		}}
		append_to_reply("Service-Route: <sip:{ip}:5060;transport=tcp;lr;from=reg>\\r\\n");
		save("location");
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
	if ($si == "{network}") {{
		record_route();
		if (!lookup("location")) {{
			sl_send_reply("404", "Not registered");
			exit;
		}}
		append_hf("X-Target: $ru $du\\r\\n");
		t_relay();
		exit;
	}}
	if (!pv_proxy_authenticate("carrier.test", "geheim", "0")) {{
		proxy_challenge("carrier.test", "1");
		exit;
	}}
	consume_credentials();
	append_hf("X-Came-By: $hdr(Route) $proto\\r\\n");
	loose_route();
	record_route();
	$du = "sip:{network}:5060";
	t_relay();
}}
"""
ROUTES = RING_ALICE.replace(NUMBER, "4930555100") + """
[route out]
from = extension
to = 0X.
ring = trunk:carrier
"""
ACCOUNT = """register = yes
user = 4930555100
password = geheim
transport = tcp
keep-alive = 1s
"""


class Carrier(World):
    def __init__(self):
        super().__init__(ROUTES, carrier=ACCOUNT, agents=False, register=("1001",))

    def start(self):
        need("kamailio")
        os.mkdir(f"{self.dir}/run")
        with open(f"{self.dir}/kamailio.cfg", "w", encoding="ascii") as file:
            file.write(CONFIG.format(ip=f"{self.net}.2", network=f"{self.net}.3"))
        self.start_kamailio()
        super().start()
        self.network = self.agent(3, "+4917011122", port=5060)
        self.network.gateway = (f"{self.net}.2", 5060)
        wait_until(lambda: state(self, "carrier") == "up", what="registered")

    def start_kamailio(self):
        with open(f"{self.dir}/kamailio.log", "ab") as log:
            self.kamailio = harness.spawn(
                ["kamailio", "-f", f"{self.dir}/kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "8",
                 "-Y", f"{self.dir}/run", "-w", self.dir, "-P", f"{self.dir}/pid"],
                stdout=log, stderr=log, start_new_session=True)
        self.wait_for_port(2)

    def stop_kamailio(self):
        os.killpg(self.kamailio.pid, signal.SIGKILL)
        self.kamailio.wait()

    def __exit__(self, *args):
        if self.kamailio.poll() is None:
            self.stop_kamailio()
        super().__exit__(*args)

    def is_called(self):
        a, b = self.talk(self.network, "4930555100", self.alice)
        target = b.invite.get("X-Target")
        assert f"sip:4930555100@{self.ip}:5060;transport=tcp" in target, target
        self.hang_up(a, b)


def test_calls_in_and_out_of_a_registered_trunk():
    with Carrier() as w:
        assert w.gateway.log().count("trunk=carrier registered") == 1
        w.is_called()
        a, b = w.talk(w.alice, "0123", w.network)
        came = b.invite.get("X-Came-By")
        assert "lr;from=reg" in came and came.endswith(" tcp"), came
        w.hang_up(b, a)


def test_a_kamailio_that_has_forgotten_us_is_told_again():
    with Carrier() as w:
        w.stop_kamailio()
        w.start_kamailio()  # with an empty memory
        wait_until(lambda: w.gateway.log().count("connection closed server=") == 1, what="the end")

        def known():
            a = w.network.dialog("OPTIONS", w.network.uri("4930555100"))
            return a.expect_any().status == 200

        wait_until(known, 10, "a new registration")
        w.is_called()
