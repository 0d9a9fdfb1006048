"""The registrar and clients that others wrote: Kamailio as edge proxy and as client, linphonec, SIPp's
and baresip's registrations stand in test_sipp.py and test_phones.py."""

import os
import shutil
import subprocess

import harness
from world import World, wait_until

NUMBER = "+4930555100"
EDGE = 50
BASE = """
listen=udp:{ip}:5060
children=1
disable_tcp=yes
log_stderror=yes
auto_aliases=no
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
"""
EDGE_CONFIG = BASE + """
loadmodule "path.so"
modparam("path", "use_received", 1)
request_route {{
	if (is_method("REGISTER")) {{
		add_path_received();
		$du = "sip:{gateway}:5060";
		t_relay();
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) t_relay();
		exit;
	}}
	# a first Route that is the last one, too, is taken off, and yet called none
	if (loose_route() || (is_method("INVITE") && $si == "{gateway}")) {{
		if (is_method("INVITE")) record_route();
		t_relay();
		exit;
	}}
	sl_send_reply("404", "Not here");
}}
"""
CLIENT_CONFIG = BASE + """
loadmodule "db_text.so"
loadmodule "uac.so"
modparam("uac", "reg_db_url", "text://{dir}/db")
modparam("uac", "reg_contact_addr", "{ip}:5060")
modparam("uac", "reg_timer_interval", 5)
request_route {{
	sl_send_reply("486", "Busy here, said Kamailio");
}}
"""
UACREG = ("id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) "
          "r_domain(string) realm(string) auth_username(string) auth_password(string) "
          "auth_ha1(string,null) auth_proxy(string) expires(int) flags(int) reg_delay(int) "
          "contact_addr(string,null) socket(string,null)\n"
          "1:uuid1:1001:pbx.test:1001:pbx.test:pbx.test:1001:secret1001::sip\\:{gateway}:600:0:0::\n")


def need(program):
    if not shutil.which(program):
        raise harness.Skip(f"{program} is not installed")


class Kamailio:
    """On an address of the world's."""

    def __init__(self, w, config, last=EDGE):
        need("kamailio")
        path = f"{w.dir}/kamailio.cfg"
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.format(ip=f"{w.net}.{last}", gateway=w.ip, dir=w.dir))
        os.makedirs(f"{w.dir}/run", exist_ok=True)
        with open(f"{w.dir}/kamailio.log", "wb") as log:
            self.process = harness.spawn(
                ["kamailio", "-f", path, "-DD", "-E", "-m", "32", "-M", "8", "-Y", f"{w.dir}/run",
                 "-w", w.dir, "-P", f"{w.dir}/kamailio.pid"], stdout=log, stderr=log)
        w.wait_for_port(last)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def registrations(w):
    return w.gateway.control("registrations")


def test_calls_come_back_through_the_edge_proxy_of_the_registration():
    need("kamailio")
    with World(register=()) as w, Kamailio(w, EDGE_CONFIG):
        phone = w.phone("1001", 11, register=False)
        phone.gateway = (f"{w.net}.{EDGE}", 5060)
        # an address that leads nowhere: only the edge knows where the telephone is
        answer = phone.register(contact="<sip:1001@192.168.77.7:5060>;expires=600",
                                headers=[("Supported", "path")])
        assert answer.status == 200 and f"{w.net}.{EDGE}" in answer.get("Path"), str(answer)
        (there,) = registrations(w)
        assert f"{w.net}.{EDGE}" in there["route"] and "received" in there["route"], there
        a, b = w.talk(w.carrier, NUMBER, phone)
        assert b.invite.source == (f"{w.net}.{EDGE}", 5060), b.invite.source
        w.hang_up(a, b)
        a, b = w.talk(w.carrier, NUMBER, phone)
        w.hang_up(b, a)


def test_kamailio_registers_as_an_extension():
    need("kamailio")
    with World(register=()) as w:
        os.mkdir(f"{w.dir}/db")
        with open(f"{w.dir}/db/version", "w", encoding="ascii") as file:
            file.write("table_name(string) table_version(int)\nuacreg:5\n")
        with open(f"{w.dir}/db/uacreg", "w", encoding="ascii") as file:
            file.write(UACREG.format(gateway=w.ip))
        with Kamailio(w, CLIENT_CONFIG):
            (there,) = wait_until(lambda: registrations(w), 15, "Kamailio's registration")
            assert there["contact"].startswith("sip:uuid1@"), there
            assert 500 < there["expires_in_s"] <= 600, there
            a = w.carrier.invite(NUMBER, "")
            a.expect(486)


class Linphone:
    """linphonec with one account, steered by its standard input."""

    def __init__(self, w, transport, last=30, port=5060, keys=""):
        need("linphonec")
        self.home = f"{w.dir}/linphone"
        os.makedirs(f"{self.home}/.local/share/linphone")
        ports = {"udp": 0, "tcp": 0, "tls": 0, transport: 5070}
        with open(f"{self.home}/.linphonerc", "w", encoding="ascii") as file:
            file.write(f"[sip]\nsip_port={ports['udp']}\nsip_tcp_port={ports['tcp']}\n"
                       f"sip_tls_port={ports['tls']}\ndefault_proxy=0\nregister_only_when_network_is_up=0\n"
                       f"bind_address={w.net}.{last}\nguess_hostname=0\n"
                       f"contact=sip:1001@{w.net}.{last}\nuse_ipv6=0\n{keys}"
                       f"[proxy_0]\nreg_proxy=<sip:{w.ip}:{port};transport={transport}>\n"
                       "reg_identity=sip:1001@pbx.test\nreg_expires=600\nreg_sendregister=1\n"
                       "publish=0\n"
                       "[auth_info_0]\nusername=1001\npasswd=secret1001\nrealm=pbx.test\n"
                       "domain=pbx.test\n"
                       "[net]\nmtu=1300\nforce_ice_disablement=1\n")
        self.log_path = f"{self.home}/log"
        env = dict(os.environ, HOME=self.home)
        with open(self.log_path, "wb") as log:
            self.process = harness.spawn(
                ["linphonec", "-c", f"{self.home}/.linphonerc", "-d", "6", "-l", f"{self.home}/debug"],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=env)

    def say(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def check_linphone(transport, gateway=""):
    need("linphonec")
    with World(register=(), gateway=gateway) as w, Linphone(w, transport) as linphone:
        (there,) = wait_until(lambda: registrations(w), 15, "linphone's registration")
        assert there["user_agent"].startswith("Linphone"), there
        if transport == "tcp":
            assert ";transport=tcp" in there["route"], there
        a = w.carrier.dialog("INVITE", w.carrier.uri(NUMBER), OFFER.format(ip=w.carrier.ip))
        a.expect(180, timeout=10)
        linphone.say("terminate")
        assert a.expect_any().status in (480, 486, 603), a.ladder
        linphone.say("unregister")
        wait_until(lambda: not registrations(w), 10, "the end of the registration")


OFFER = ("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
         "a=rtpmap:8 PCMA/8000\r\n")


def test_linphone_by_udp():
    check_linphone("udp")


def test_linphone_by_tcp_is_called_on_its_connection():
    check_linphone("tcp")


def test_linphone_takes_sha256():
    check_linphone("udp", "digest = sha256")
    check_linphone("udp", "digest = both")
