"""Calls through a Kamailio proxy that stays in the dialog (Record-Route): every later request has to
take the route set back and forth, and loose routing has to be understood by both ends."""

import os
import shutil
import subprocess
import time

import harness
from sip_message import make_sdp
from world import World

NUMBER = "+4930555100"
PROXY = 3  # where a world's trunk "backup" lives
ROUTES = f"""
[route in]
from = trunk:backup
to = {NUMBER}
ring = 1001
[route out]
from = extension
to = 0X.
ring = trunk:backup
"""
CONFIG = """
listen=udp:{proxy}:5060
listen=tcp:{proxy}:5060
children=1
tcp_children=1
log_stderror=yes
auto_aliases=no
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("rr", "enable_double_rr", 1)
request_route {{
	if (has_totag()) {{
		if (loose_route()) {{
			t_relay();
		}} else if (is_method("ACK") && t_check_trans()) {{
			t_relay();
		}} else {{
			sl_send_reply("404", "Not here");
		}}
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) t_relay();
		exit;
	}}
	if (is_method("INVITE")) record_route();
	if ($si == "{gateway}") {{
		$du = "sip:{carrier}:5060;transport={transport}";
	}} else {{
		$du = "sip:{gateway}:5060";
	}}
	t_relay();
}}
"""


class Kamailio:
    """A proxy between a world's carrier and its gateway."""

    def __init__(self, world, transport="udp"):
        path = f"{world.dir}/kamailio.cfg"
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(proxy=f"{world.net}.{PROXY}", gateway=world.ip,
                                     carrier=f"{world.net}.2", transport=transport))
        os.mkdir(f"{world.dir}/run")
        self.process = harness.spawn(["kamailio", "-f", path, "-DD", "-E", "-m", "32", "-M", "8",
                                      "-Y", f"{world.dir}/run", "-w", world.dir,
                                      "-P", f"{world.dir}/kamailio.pid"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.wait_for_port(PROXY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # its children go with the test's session
        self.process.wait()


def world():
    if not shutil.which("kamailio"):
        raise harness.Skip("kamailio is not installed")
    return World(routes=ROUTES, spare_backup=True)


def through(w, caller):
    """The caller sends to the proxy instead of the gateway."""
    caller.gateway = (f"{w.net}.{PROXY}", 5060)
    return caller


def check_in(transport, first_to_hang_up):
    with world() as w, Kamailio(w, transport):
        w.carrier.transport = transport
        a, b = w.talk(through(w, w.carrier), NUMBER, w.alice)
        assert b.invite.get("Record-Route") is None, "the proxy shows on the other leg"
        assert a.route_set, "the 200 lost the Record-Route"
        a.request("INVITE", make_sdp(w.carrier.ip, a.rtp.port, version=2, direction="sendonly"))
        assert a.expect(200).sdp.audio.direction == "recvonly"
        a.ack()
        time.sleep(0.1)
        w.hang_up(*((a, b) if first_to_hang_up == "a" else (b, a)))
        assert not a.repeats and not b.repeats, (a.repeats, b.repeats)


def test_in_by_a_proxy_caller_hangs_up():
    check_in("udp", "a")


def test_in_by_a_proxy_callee_hangs_up():
    check_in("udp", "b")


def test_in_by_a_proxy_that_changes_the_transport():
    # Two Record-Route entries, one for each side of the proxy (RFC 5658).
    check_in("tcp", "b")


def test_out_by_a_proxy():
    with world() as w, Kamailio(w):
        a, b = w.talk(w.alice, "0123", w.carrier)
        assert len(b.invite.all("Via")) == 2 and b.invite.get("Record-Route"), b.invite
        b.request("OPTIONS")
        b.expect(200)
        w.hang_up(a, b)
        a, b = w.talk(w.alice, "0123", w.carrier)
        w.hang_up(b, a)


def test_cancel_by_a_proxy():
    with world() as w, Kamailio(w):
        a, b = w.ring(w.alice, "0123", w.carrier)
        a.cancel()
        b.answer_request("CANCEL")
        b.reply(487)
        b.expect("ACK")
        a.expect(200)
        a.expect(487)
