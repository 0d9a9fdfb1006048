"""TLS with programs that others wrote: a Kamailio carrier that wants our certificate and shows its own,
`openssl s_client`, which says what versions and certificates it met, and linphonec as a telephone."""

import os
import re
import shutil
import signal
import subprocess

import harness
from sip_message import make_sdp
from test_registration_peers import Linphone, OFFER, need, registrations
from test_tls import NAME, TlsWorld
from tls import Authority
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
CARRIER = """
listen=tls:{ip}:5061
listen=udp:{ip}:5062
children=1
tcp_children=1
enable_tls=yes
log_stderror=yes
auto_aliases=no
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tls", "config", "{dir}/tls.cfg")
modparam("rr", "enable_double_rr", 1)
request_route {{
	if (has_totag()) {{
		if (!loose_route() && !t_check_trans()) sl_send_reply("404", "Not here");
		t_relay();
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) t_relay();
		exit;
	}}
	record_route();
	if ($proto == "tls") {{
		append_hf("X-Client: $tls_peer_subject_cn $tls_version\\r\\n");
		$du = "sip:{network}:5060";
	}} else {{
		$du = "sip:{gateway}:5061;transport=tls";
	}}
	t_relay();
}}
"""
TLS = """
[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {pair.key}
certificate = {pair.certificate}
ca_list = {ca}
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {pair.key}
certificate = {pair.certificate}
ca_list = {ca}
"""


class Carrier(TlsWorld):
    """Its carrier is a Kamailio; the network behind that is an agent."""

    def start(self):
        need("kamailio")
        World.start(self)
        self.tls_address = (self.ip, 5061)
        values = {"ip": f"{self.net}.2", "gateway": self.ip, "network": f"{self.net}.3",
                  "dir": self.dir, "pair": self.peer, "ca": self.ca.file}
        for name, text in (("kamailio.cfg", CARRIER), ("tls.cfg", TLS)):
            with open(f"{self.dir}/{name}", "w", encoding="ascii") as file:
                file.write(text.format(**values))
        os.mkdir(f"{self.dir}/run")
        with open(f"{self.dir}/kamailio.log", "wb") as log:
            self.kamailio = harness.spawn(
                ["kamailio", "-f", f"{self.dir}/kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "8",
                 "-Y", f"{self.dir}/run", "-w", self.dir, "-P", f"{self.dir}/pid"],
                stdout=log, stderr=log, start_new_session=True)
        self.wait_for_port(2, 5061)
        self.network = self.agent(3, "+4917011122", port=5060)
        self.network.gateway = (f"{self.net}.2", 5062)

    def __exit__(self, *args):
        if hasattr(self, "kamailio"):
            os.killpg(self.kamailio.pid, signal.SIGKILL)
            self.kamailio.wait()
        super().__exit__(*args)


def test_kamailio_is_the_carrier_and_both_show_certificates():
    with Carrier(phones="udp", register=("1001",)) as w:
        a, b = w.talk(w.alice, "0123", w.network)
        shown = b.invite.get("X-Client")
        assert shown.startswith(NAME) and "TLSv1.3" in shown, b.invite
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.5, "no sound"
        w.hang_up(b, a)
        a, b = w.talk(w.network, NUMBER, w.alice)
        w.hang_up(a, b)


def test_kamailio_refuses_a_stranger():
    """A gateway whose certificate is another authority's gets no call through, and says why."""
    with Carrier(phones="udp", register=("1001",)) as w:
        stranger = Authority(w.dir, "Stranger").issue("impostor", NAME, w.ip)
        for new, old in zip(stranger, w.pair):
            shutil.copy(new, old)
        assert w.gateway.verb("reload")[0] == 0
        a = w.alice.invite("0123", make_sdp(w.alice.ip, 4000))
        a.expect(480, timeout=10)
        assert "peer refuses: unknown CA" in w.gateway.log(), w.gateway.tail()


def s_client(w, *args):
    """What `openssl s_client` says of a connection that ends at once."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"{w.ip}:5061", "-servername", NAME,
                           "-CAfile", w.ca.file, "-cipher", "ALL:@SECLEVEL=0", *args],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=10, check=False)
    return done.stdout.decode("utf-8", "replace")


def test_openssl_sees_tls_1_2_and_1_3_only():
    with TlsWorld(register=()) as w:
        for version in ("tls1_2", "tls1_3"):
            said = s_client(w, f"-{version}", "-verify_return_error")
            assert f"New, TLSv{version[3:].replace('_', '.')}, Cipher is" in said, said
            assert "Verify return code: 0 (ok)" in said, said
        for version in ("tls1", "tls1_1"):
            said = s_client(w, f"-{version}")
            assert "alert protocol version" in said and "Cipher is (NONE)" in said, said


def serial_of(said):
    certificate = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", said, re.S)
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=certificate[0].encode(),
                          stdout=subprocess.PIPE, check=True).stdout


def test_openssl_sees_the_renewed_certificate_after_a_reload():
    with TlsWorld(register=()) as w:
        before = serial_of(s_client(w))
        w.ca.issue("gateway", NAME, w.ip)
        assert serial_of(s_client(w)) == before
        w.gateway.signal(signal.SIGHUP)
        wait_until(lambda: serial_of(s_client(w)) != before, what="the new certificate")
        said = s_client(w, "-verify_return_error", "-verify_hostname", NAME)
        assert "Verify return code: 0 (ok)" in said, said


def test_linphone_is_a_telephone_by_tls():
    need("linphonec")
    with TlsWorld(routes=RING_ALICE, register=()) as w:
        keys = f"root_ca={w.ca.file}\nverify_server_certs=1\nverify_server_cn=0\n"
        with Linphone(w, "tls", port=5061, keys=keys) as linphone:
            (there,) = wait_until(lambda: registrations(w), 15, "linphone's registration")
            assert ";transport=tls" in there["route"], there
            a = w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), OFFER.format(ip=w.carrier.ip))
            a.expect(180, timeout=10)
            linphone.say("terminate")
            assert a.expect_any().status in (480, 486, 603), a.ladder
            linphone.say("unregister")
            wait_until(lambda: not registrations(w), 10, "the end of the registration")
