"""Digits, messages, other hosts, a spiral and encrypted pictures over a network that loses a tenth,
doubles a tenth and reorders."""

from bad_world import aim, bad_network, BadWorld, CALLS, came, dial, hang_up, NUMBER, talk, WithBob
from impair import in_parallel, until
from sip import Dialog
from sip_message import make_sdp
from test_impaired_turns import add
from test_odd import LOOP, Proxy, call_through
from test_srtp import Key, both_hear as check_talks
from test_video import line_of, video
from test_video_secure import Camera, check_passes, keys_of, secure
from world import wait_until

HOSTS = """
[trunk busy]
host = {net}.51, {net}.52
[trunk silent]
host = {net}.53, {net}.52
failover-time = 1s
[route one]
from = extension
to = 01X.
ring = trunk:busy
[route two]
from = extension
to = 02X.
ring = trunk:silent
"""


def press(first, other, digit):
    first.request("INFO", f"Signal={digit}\r\nDuration=160\r\n",
                  [("Content-Type", "application/dtmf-relay")])
    got = until(other, "INFO")
    other.reply(200, to=got)
    assert f"Signal={digit}".encode() in got.body.replace(b" ", b""), got
    until(first, 200)


@bad_network(61, carrier="dtmf = info", extensions={"1001": "dtmf = info"})
def test_digits_in_info_arrive_once(w, number):
    a, b = talk(w, number)
    for digit in "47#":
        press(a, b, digit)
        press(b, a, digit)
    assert a.ladder.count("< INFO") == b.ladder.count("< INFO") == 3, (a.ladder, b.ladder)
    hang_up(a, b)


def test_messages_in_a_call_and_outside():
    with WithBob(62) as w:
        plain = [("Content-Type", "text/plain")]

        def call(number):
            a, b = talk(w, number)
            for first, other in ((a, b), (b, a)):
                first.request("MESSAGE", "psst", plain)
                got = until(other, "MESSAGE")
                other.reply(202, to=got)
                until(first, 202)
                assert got.body == b"psst"
            hang_up(b, a)

        in_parallel(call, CALLS)
        sent = w.alice.dialog("MESSAGE", w.alice.uri("1002"), "hello", plain)
        sent.authenticate(until(sent, 407), "hello", plain)
        heard = set()
        while not came(sent, 200):
            while not w.bob.others.empty():
                message = w.bob.others.get()
                Dialog(w.bob, "uas", invite=message).reply(200)
                if message.method == "MESSAGE":  # the gateway asks whether he is there, too
                    heard.add((message.body, message.branch))
        assert [body for body, _ in heard] == [b"hello"], heard  # sent once: it has one branch
        w.check_over()


def test_the_next_host_after_503_and_after_silence():
    with WithBob(63) as w:
        w.write_config(w.config(w.routes + HOSTS))
        w.gateway.control("reload")
        refuser, taker, silent = (w.stubborn(last, user="host") for last in (51, 52, 53))

        def call(number):
            tag = str(number)
            a = dial(w, w.alice, f"0{number + 1}23", tag)
            if number == 0:
                refuser.pick(tag).reply(503)
            else:
                silent.pick(tag).dead = True
            b = taker.pick(tag)
            b.rtp = w.rtp(taker)
            aim(b, b.invite)
            b.reply(200, make_sdp(taker.ip, b.rtp.port))
            aim(a, until(a, 200))
            a.ack()
            until(b, "ACK")
            check_talks(a, b)
            hang_up(a, b)

        in_parallel(call, 2)
        wait_until(lambda: not w.gateway.control("calls"), 40, "the end of every call")


class StatelessProxy(Proxy):
    """The same request goes on with the same branch (RFC 3261 16.11): loss is for the ends."""

    def take(self, data, source, connection):
        text = data.decode()
        if text.startswith("INVITE"):
            branch = text.split("branch=")[1].split(";")[0].split("\r\n")[0]
            self.agent.send, send = (lambda message: send(
                message.replace(message.split(b"branch=")[1].split(b";")[0],
                                f"{branch}on".encode(), 1))), self.agent.send
            super().take(data, source, connection)
            self.agent.send = send
        else:
            super().take(data, source, connection)


def test_a_spiral_through_ourselves():
    with BadWorld(64, routes=LOOP) as w:
        proxy = StatelessProxy(w, "1001")
        call_through(w, proxy)
        b = w.alice.incoming(20)
        b.reply(200, make_sdp(w.alice.ip, w.rtp(w.alice).port))
        until(b, "ACK")
        wait_until(lambda: proxy.statuses.count("200") >= 2, 20, "the answer at both ends")
        assert len(w.gateway.control("calls")) == 2


@bad_network(65, calls=40)
def test_an_unknown_scheme(w, _):
    dialog = Dialog(w.carrier, role="uac")
    w.carrier.dialogs[dialog.call_id] = dialog
    dialog.remote, dialog.remote_target = f"<{w.carrier.uri(NUMBER)}>", "mailto:x@y.example"
    dialog.route_set = [f"<sip:{w.ip};lr>"]
    dialog.request("INVITE", make_sdp(w.carrier.ip, 4000))
    until(dialog, 416)


@bad_network(66)
def test_encrypted_pictures_are_added(w, number):
    a, b = talk(w, number)
    key = Key(tag=3)
    a.video, b.video = w.rtp(w.carrier), w.rtp(w.alice)
    ok = add(a, b, secure(video(a.video.port), key))
    a.ack()
    answered = line_of(ok.sdp)
    a.video.remote = answered.address
    a.camera = Camera(a.video, key, keys_of(answered)[0])
    b.camera = Camera(b.video)
    a.camera.rtp, b.camera.rtp = a.video, b.video
    check_passes(a.camera, b.camera)
    check_passes(b.camera, a.camera)
    check_talks(a, b)
    hang_up(a, b)
