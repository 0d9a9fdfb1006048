"""No password is ever said: not in the log, however talkative, nor to the operator."""

import signal

import harness
from world import World, wait_until

TRUNK = "register = yes\nuser = ours\npassword = hunter2-trunk\nallow-user = theirs\n" \
    "allow-password = hunter2-allow\n"


class TalkativeWorld(World):
    def start(self):
        self.gateway = harness.Gateway(self.config_path)
        self.gateway.start(debug=True)


def test_no_password_is_said():
    extensions = {"1001": "", "1002": "", "1003": "like = 1004\n", "1004": ""}
    with TalkativeWorld(carrier=TRUNK, extensions=extensions) as w:
        w.hang_up(*w.talk(w.bob, "1001", w.alice))
        stranger = w.agent(40, "1001", password="hunter2-wrong", domain="pbx.test")
        assert stranger.register().status in (401, 403)
        said = [w.gateway.verb(verb)[1] for verb in ("status", "calls", "trunks", "registrations",
                                                     "bans", "subscriptions")]
        text = w.config().replace("secret1002", "hunter2-changed")
        w.write_config(text)
        said.append(w.gateway.verb("reload")[1])
        assert "[extension 1002] changed: password" in said[-1], said[-1]
        for spoilt in (text.replace("password = hunter2-trunk", "pasword = hunter2-trunk"),
                       text.replace("password = hunter2-trunk", "password hunter2-trunk"),
                       text.replace("= hunter2-trunk", '= "hunter2-trunk'),
                       text.replace("= hunter2-trunk", "= hunter2-trunk\x01")):
            w.write_config(spoilt)
            w.gateway.signal(signal.SIGHUP)
            said.append(harness.run_twinleg("check", w.config_path)[1])
            assert f"{w.config_path}:" in said[-1], said[-1]
        said.append(harness.run_twinleg("explain", w.config_path, "--from", "1001", "--to", "1002")[1])
        wait_until(lambda: "not loaded" in w.gateway.log(), what="the refused reload in the log")
        said.append(w.gateway.log())
        for text in said:
            for secret in ("hunter2", "secret100"):
                at = text.find(secret)
                assert at < 0, text[max(0, at - 300):at + 40]
