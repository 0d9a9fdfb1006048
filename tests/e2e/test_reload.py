"""Calls of strangers that go on through reloads."""

import harness
from test_sipp import CARRIER, PHONE, Sipp
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"

def listen_line(w, *ports):
    return "listen = " + ", ".join([f"udp:{w.ip}:5060", f"tcp:{w.ip}:5060"] +
                                   [f"udp:{w.ip}:{port}" for port in ports])


def test_two_hundred_calls_by_sipp_go_through_reloads_and_none_fails():
    # by TCP: where the machine is busy SIPp is late, and what is sent again by UDP spoils its count
    with World(register=(), agents=False, carrier="transport = tcp",
               gateway="overload-lag = 0ms") as w:
        old = next(line for line in w.config().splitlines() if line.startswith("listen ="))
        Sipp(w, "registers", PHONE, tcp=True).finish()
        b = Sipp(w, "answers", PHONE, calls=200, tcp=True)
        w.wait_for_port(PHONE)
        a = Sipp(w, "caller_hangs_up", CARRIER, NUMBER, calls=200, rate=80, tcp=True)
        done = 0
        while a.process.poll() is None:
            extra = RING_ALICE.replace("support", "other") if done % 2 else ""
            text = w.config(RING_ALICE + extra)
            w.write_config(text.replace(old, listen_line(w, *((5070, 5071) if done % 2 else ()))))
            status, said = w.gateway.verb("reload")
            assert status == 0, said
            done += 1
            wait_until(lambda: harness.answers_options("udp", w.ip, 5060), what="OPTIONS")
        a.finish()
        b.finish()
        assert done > 3, f"only {done} reloads under way"
        assert w.gateway.control("registrations"), "the reloads lost a registration"
        assert "[route other] added" in w.gateway.log()
        assert "listen" in w.gateway.log().split("reload", 1)[1], "changes are logged"
