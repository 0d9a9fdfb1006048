"""How a call sounded: what the reports of a peer say of it, the round trip, and a score."""

import struct
import time

from world import World, wait_until

NUMBER = "+4930555100"


def report(rtp, about, lost=0, lsr=0, dlsr=0):
    """A receiver report, RFC 3550 6.4.2, to the port beside the gateway's RTP."""
    block = struct.pack("!II", about, lost & 0xffffff) + struct.pack("!IIII", 0, 80, lsr, dlsr)
    data = struct.pack("!BBHI", 0x81, 201, 7, rtp.ssrc) + block
    rtp.rtcp.sendto(data, (rtp.remote[0], rtp.remote[1] + 1))


def sender_report(rtp):
    """The middle of the NTP time of a sender report that came, or None."""
    for data in list(rtp.rtcp_packets):
        if data[1] == 200:
            return struct.unpack_from("!I", data, 10)[0]
    return None


def record_of(w, hang_up):
    call, = w.gateway.control("calls")
    hang_up()
    return wait_until(lambda: next((r for r in [w.gateway.control("show", call["id"])]
                                    if r.get("ended_ms")), None), what="record")


def test_what_the_peer_reports_is_in_the_record():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        tone = a.rtp.tone_start(440, 4.0)
        lsr = wait_until(lambda: sender_report(b.rtp), timeout=9, what="sender report")
        time.sleep(0.15)
        report(b.rtp, b.rtp.packets[0].ssrc, lost=20, lsr=lsr, dlsr=round(0.05 * 65536))
        b.rtp.tone(660, 0.3)
        tone.join()
        record = record_of(w, lambda: w.hang_up(a, b))
        side = record["b"]
        assert side["remote_lost_pkts"] == 20 and side["remote_jitter_us"] == 10000, side
        assert 80000 <= side["rtt_us"] <= 400000, side
        assert 4.2 < side["mos"] <= 4.5, side
        assert 2.0 < side["remote_mos"] < 4.0, side
        assert "remote_mos" not in record["a"], record["a"]


def test_loss_on_the_way_in_costs_score():
    with World() as w:
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        for i in range(60):
            a.rtp.tone(440, 0.02)
            if i % 5 == 4:
                a.rtp.seq = (a.rtp.seq + 1) & 0xffff
                a.rtp.ts += 160
        record = record_of(w, lambda: w.hang_up(a, b))
        assert record["a"]["lost_pkts"] >= 11 and 2.0 < record["a"]["mos"] < 3.6, record["a"]
