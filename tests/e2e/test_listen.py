"""Listen addresses that come and go with a reload, while calls go on."""

import harness
from test_tls import TlsWorld
from world import World, wait_until

NUMBER = "+4930555100"


def listen(w, *places):
    """Reloads with these listen addresses: (transport, port)."""
    text = w.config()
    line = next(line for line in text.splitlines() if line.startswith("listen ="))
    addresses = ", ".join(f"{transport}:{w.ip}:{port}" for transport, port in places)
    w.write_config(text.replace(line, f"listen = {addresses}", 1))
    status, said = w.gateway.verb("reload")
    assert status == 0, said


def heard(w, transport, port, times=8):
    return any(harness.answers_options(transport, w.ip, port) for _ in range(times))


def test_an_address_comes_and_goes():
    with World() as w:
        for transport in ("udp", "tcp"):
            assert not heard(w, transport, 5070, 1)
            listen(w, ("udp", 5060), ("tcp", 5060), (transport, 5070))
            assert heard(w, transport, 5070)
            listen(w, ("udp", 5060), ("tcp", 5060))
            assert not heard(w, transport, 5070, 1), f"{transport}:5070 still answers"
        for _ in range(2):  # and again, with the very same address
            listen(w, ("udp", 5060), ("udp", 5070))
            assert heard(w, "udp", 5070) and not heard(w, "tcp", 5060, 1)
            listen(w, ("udp", 5060), ("tcp", 5060))
            assert heard(w, "tcp", 5060) and not heard(w, "udp", 5070, 1)
        w.hang_up(*w.talk(w.carrier, NUMBER, w.alice))


def test_a_call_keeps_its_address_to_its_end():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        listen(w, ("udp", 5070), ("tcp", 5060))
        a.rtp.tone(440, 0.5)
        assert b.rtp.heard(440) > 0.9, "the reload has hurt a call"
        a.request("OPTIONS")  # still heard where the dialog says
        a.expect(200)
        w.hang_up(b, a)
        wait_until(lambda: not heard(w, "udp", 5060, 1), what="udp:5060 closed")
        assert heard(w, "udp", 5070)
        assert not [c for c in w.gateway.control("calls")]


def test_a_tls_address_comes_and_goes():
    with TlsWorld(register=()) as w:
        listen(w, ("udp", 5060))
        w.carrier.transport = "udp"
        try:
            w.carrier.connect(w.tls_address)
            raise AssertionError("5061 still takes connections")
        except ConnectionRefusedError:
            pass
        listen(w, ("udp", 5060), ("tls", 5061))
        w.carrier.connect(w.tls_address)
