"""Pages by fax through the gateway, in real time: a TIFF leaves one machine and comes out of the other
dot by dot. The peers are Debian's libspandsp and a UDPTL of the tests' own (fax.py); every case of
correction, loss and direction is in tests/unit/test_fax_gateway.c, faster than real time. Modems do
not live with a machine that stands still: what it spoils is sent again, in a call of its own."""

import fax
from machine import on_time
from test_fax import NUMBER, fax_sdp, image, next_version
from test_modify import RECORD_OUT, check_talks
from world import World

LOSS = 0.02
ROWS = 90


def terminal(w, agent, **more):
    peer = fax.Terminal(agent.ip, loss=LOSS, **more)
    w.media.append(peer)
    return peer


def check_page(w, sent, came, *peers):
    results = [peer.result for peer in peers]
    assert results == ["OK"] * len(peers), results
    assert fax.pages(came) == fax.pages(sent), "another page has come"


def sent_in_time(**world):
    """A test of one call, f(w)."""
    def make(send):
        def test():
            with World(**world) as w:
                on_time(lambda: send(w), attempts=3)

        test.timeout_s = 180
        return test
    return make


@sent_in_time()
def test_a_page_from_t38_reaches_a_modem_whose_leg_refuses_t38(w):
    sent, came = fax.make_page(f"{w.dir}/sent.tif", ROWS), f"{w.dir}/came.tif"
    a, b = w.talk(w.carrier, NUMBER, w.alice)
    machine = fax.Modem(b.rtp, calling=False, receives=came)
    server = terminal(w, w.carrier, calling=True, sends=sent)
    # the fax server changes over at once, as those who only do fax do
    a.request("INVITE", fax_sdp(server.ip, server.port, next_version(a)))
    asked = b.expect("INVITE")
    b.reply(488, to=asked)
    b.expect("ACK")
    server.remote = image(a.expect(200).sdp).address
    a.ack()
    fax.run([machine, server], until=90)
    check_page(w, sent, came, machine, server)
    assert server.lost, "nothing was lost"
    w.hang_up(a, b)


@sent_in_time(routes=RECORD_OUT, carrier="t38 = offer")
def test_a_fax_that_is_heard_has_the_trunk_asked_for_t38(w):
    sent, came = fax.make_page(f"{w.dir}/sent.tif", ROWS, seed=2), f"{w.dir}/came.tif"
    a, b = w.talk(w.alice, "0555", w.carrier)
    machine = fax.Modem(a.rtp, calling=True, sends=sent, ecm=False)
    server = terminal(w, w.carrier, calling=False, receives=came, ecm=False)
    fax.run([machine], until=5, done=lambda: not b.inbox.empty())
    asked = b.expect("INVITE")
    server.remote = image(asked.sdp).address
    b.reply(200, fax_sdp(server.ip, server.port, next_version(b)), to=asked)
    b.expect("ACK")
    asked = a.expect("INVITE")  # now that the other one has it
    a.reply(488, to=asked)
    a.expect("ACK")
    fax.run([machine, server], until=90)
    a.expect_nothing(0.05)
    check_page(w, sent, came, machine, server)
    assert "fax tone=calling" in w.gateway.log()
    w.hang_up(a, b)


# two modems through the gateway, PCMA on one side and PCMU on the other: no delay may move
@sent_in_time(routes=RECORD_OUT, carrier="t38 = offer\ncodecs = PCMU",
              extensions={"1001": "codecs = PCMA"}, register=("1001",))
def test_a_refused_t38_leaves_the_fax_on_g711(w):
    sent, came = fax.make_page(f"{w.dir}/sent.tif", ROWS, seed=3), f"{w.dir}/came.tif"
    a, b = w.talk(w.alice, "0555", w.carrier, answer=("PCMU",))
    caller = fax.Modem(a.rtp, calling=True, sends=sent)
    callee = fax.Modem(b.rtp, calling=False, receives=came, codec="PCMU")
    fax.run([caller, callee], until=6, done=lambda: not b.inbox.empty())
    asked = b.expect("INVITE")
    b.reply(488, to=asked)
    b.expect("ACK")
    fax.run([caller, callee], until=90)
    check_page(w, sent, came, caller, callee)
    b.expect_nothing(0.05)
    check_talks(a, b, "PCMA", "PCMU")
    w.hang_up(a, b)
