"""How a call sounded: what reports say of it, ours and a peer's, the round trip, and a score."""

import socket
import struct
import time

from world import World, wait_until

NUMBER = "+4930555100"


def receiver_report(rtp, about, lost=0, lsr=0, dlsr=0):
    """RFC 3550 6.4.2."""
    block = struct.pack("!II", about, lost & 0xffffff) + struct.pack("!IIII", 0, 80, lsr, dlsr)
    return struct.pack("!BBHI", 0x81, 201, 7, rtp.ssrc) + block


def report(rtp, *about, **what):
    """A receiver report to the port beside the gateway's RTP."""
    rtp.rtcp.sendto(receiver_report(rtp, *about, **what), (rtp.remote[0], rtp.remote[1] + 1))


def sender_report(rtp):
    """The middle of the NTP time of a sender report that came, or None."""
    for data in list(rtp.rtcp_packets):
        if data[1] == 200:
            return struct.unpack_from("!I", data, 10)[0]
    return None


def voip_metrics(rtp):
    """The fields of a VoIP metrics block (RFC 3611 4.7) in the newest compound packet that has one,
    or None."""
    for data in reversed(list(rtp.rtcp_packets)):
        while data:
            kind, words = data[1], struct.unpack_from("!H", data, 2)[0]
            body, data = data[4:4 + 4 * words], data[4 + 4 * words:]
            if kind == 207 and body[4] == 7:
                return struct.unpack("!I4B4H8BBx3H", body[8:])
    return None


def extended_report(rtp, about, mos_lq, mos_cq):
    """A receiver report without a block, and VoIP metrics behind it."""
    metrics = struct.pack("!I4B4H8BBx3H", about, 5, 0, 0, 5, 0, 900, 30, 60, 256 - 20, 127, 127, 16,
                          70, 127, mos_lq, mos_cq, 0xf0, 40, 200, 200)
    data = struct.pack("!BBHI", 0x80, 201, 1, rtp.ssrc)
    data += struct.pack("!BBHIBBH", 0x80, 207, 10, rtp.ssrc, 7, 0, 8) + metrics
    rtp.rtcp.sendto(data, (rtp.remote[0], rtp.remote[1] + 1))


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
        about = b.rtp.packets[0].ssrc
        report(b.rtp, about, lost=20, lsr=lsr, dlsr=round(0.05 * 65536))
        # what cannot be, is of another stream, or from another host, says nothing
        report(b.rtp, about, lost=20, lsr=lsr + 60 * 65536 & 0xffffffff)
        report(b.rtp, about ^ 1, lost=400)
        stranger = receiver_report(a.rtp, about, lost=300)
        a.rtp.rtcp.sendto(stranger, (b.rtp.remote[0], b.rtp.remote[1] + 1))
        b.rtp.tone(660, 0.3)
        tone.join()
        record = record_of(w, lambda: w.hang_up(a, b))
        side = record["b"]
        assert side["remote_lost_pkts"] == 20 and side["remote_jitter_us"] == 10000, side
        assert 80000 <= side["rtt_us"] <= 400000, side
        assert 4.2 < side["mos"] <= 4.5, side
        assert 2.0 < side["remote_mos"] < 4.0, side
        assert "remote_mos" not in record["a"], record["a"]


def reports_in(packets):
    """The payload types of sender and receiver reports, as RTP would read them (RFC 5761 4)."""
    return [p for p in packets if p.pt in (200 & 0x7f, 201 & 0x7f)]


def test_reports_beside_the_audio_and_on_its_own_port_and_elsewhere():
    with World() as w, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind((w.carrier.ip, 0))
        elsewhere.settimeout(10)
        place = elsewhere.getsockname()[1]
        a, b = w.talk(w.carrier, NUMBER, w.alice, extra=["a=rtcp-mux"])
        c, d = w.talk(w.carrier, NUMBER, w.alice, extra=[f"a=rtcp:{place}"])
        assert "rtcp-mux" in a.answer.sdp.audio.attributes
        assert "rtcp-mux" not in b.invite.sdp.audio.attributes, "each leg for itself"
        assert "rtcp-mux" not in c.answer.sdp.audio.attributes
        tones = [end.rtp.tone_start(440, 0.4) for end in (a, b, c, d)]
        for tone in tones:
            tone.join()
        for end in (a, b, c, d):
            assert {p.source for p in end.rtp.packets} == {end.rtp.remote}, "as the SDP names it"
        assert a.rtp.heard(440) > 0.9 and c.rtp.heard(440) > 0.9
        a.rtp.rtp.sendto(receiver_report(a.rtp, a.rtp.packets[0].ssrc, lost=30), a.rtp.remote)
        time.sleep(0.1)
        calls = w.gateway.control("calls")
        w.hang_up(a, b)
        w.hang_up(c, d)
        lost = [w.gateway.control("show", call["id"])["a"].get("remote_lost_pkts")
                for call in calls]
        assert lost.count(30) == 1, lost
        # each is told goodbye where it wants to be
        wait_until(lambda: reports_in(a.rtp.packets), what="report among the audio")
        assert not a.rtp.rtcp_packets and not reports_in(c.rtp.packets)
        assert elsewhere.recv(1500)[1] in (200, 201)
        assert not c.rtp.rtcp_packets
        wait_until(lambda: b.rtp.rtcp_packets, what="report beside the audio")


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


def test_voip_metrics_go_both_ways_where_a_peer_wants_them():
    with World() as w:
        wish = {"extra": ["a=rtcp-xr:rcvr-rtt=all voip-metrics"]}
        a, b = w.talk(w.carrier, NUMBER, w.alice, **wish)
        assert "rtcp-xr:voip-metrics" in a.answer.sdp.audio.attributes, "who gets them sends them"
        w.hang_up(a, b)
        a, b = w.talk(w.carrier, NUMBER, w.alice, answer_sdp=wish)
        assert "rtcp-xr:voip-metrics" in b.invite.sdp.audio.attributes, "we want them, too"
        for i in range(100):
            b.rtp.tone(440, 0.02)
            if i % 10 == 9 or i in (45, 46):
                b.rtp.seq = (b.rtp.seq + 1) & 0xffff
                b.rtp.ts += 160
        a.rtp.tone(660, 0.2)
        extended_report(b.rtp, b.rtp.packets[0].ssrc, mos_lq=38, mos_cq=31)
        metrics = wait_until(lambda: voip_metrics(b.rtp), timeout=9, what="extended report")
        (about, lost, late, burst, gap, burst_ms, gap_ms, _, delay_ms, *_, gmin, r, _, mos_lq,
         mos_cq, config, _, _, _) = metrics
        assert about == b.rtp.ssrc and late == 0 and gmin == 16, metrics
        assert 0.07 < lost / 256 < 0.14, metrics  # of 112 at the end 12
        assert burst / 256 > 0.07 and burst_ms >= 1000, metrics  # losses ten apart are one burst
        assert 40 < r < 80 and 10 <= mos_cq <= mos_lq < 40 and config == 0xf0, metrics
        assert voip_metrics(a.rtp) is None, "the other side has not asked"
        record = record_of(w, lambda: w.hang_up(a, b))
        assert record["b"]["remote_mos"] == 3.1, record["b"]
