"""SRTP over time: the sequence number's rollover, which an index counts that no packet holds, across a
re-INVITE; and reports (SRTCP)."""

import struct
import time

from rtp import encode, sine
from test_quality import record_of
from test_srtp import Key, both_hear, secure_call, secure_sdp
from world import World

FRAME = encode(sine(500, 0.02), "PCMA")


def wraps(packets):
    """How often their numbers begin anew."""
    return sum(x.seq > y.seq for x, y in zip(packets, packets[1:]))


def hold_and_resume(w, a, key):
    for version, direction in ((2, "sendonly"), (3, None)):
        a.request("INVITE", secure_sdp(w.carrier, a.rtp, [key], version=version,
                                       direction=direction))
        a.expect(200)
        a.ack()


def check_rollover(suite):
    with World() as w:
        a, b, _, ours, _ = secure_call(w, [Key(suite)])
        a.rtp.seq = 65530
        both_hear(a, b)
        assert a.rtp.seq < 65530
        # what b sends is relayed: its losses go round the 16 bits, where a's own have gone already
        for _ in range(80):
            b.rtp.send(FRAME, 8)
            b.rtp.seq = (b.rtp.seq + 899) & 0xffff
            time.sleep(0.005)
        both_hear(a, b)
        assert wraps(a.rtp.packets) >= 1, [p.seq for p in a.rtp.packets]
        hold_and_resume(w, a, ours)
        both_hear(a, b)
        assert not getattr(a.rtp, "refused", 0)
        w.hang_up(a, b)


def test_both_ways_past_the_rollover_and_a_reinvite_in_counter_mode():
    check_rollover("AES_CM_128_HMAC_SHA1_80")


def test_both_ways_past_the_rollover_and_a_reinvite_in_galois_counter_mode():
    check_rollover("AEAD_AES_256_GCM")


def report(rtp, lost):
    """A receiver report, RFC 3550 6.4.2."""
    about = rtp.packets[0].ssrc
    return struct.pack("!BBHI", 0x81, 201, 7, rtp.ssrc) + struct.pack(
        "!IIIIII", about, lost, 0, 80, 0, 0)


def check_reports(suite):
    with World() as w:
        a, b, *_ = secure_call(w, [Key(suite)])
        both_hear(a, b)
        out, into = a.rtp.sessions
        beside = (a.rtp.remote[0], a.rtp.remote[1] + 1)
        a.rtp.rtcp.sendto(out.protect_rtcp(report(a.rtp, 20)), beside)
        a.rtp.rtcp.sendto(report(a.rtp, 21), beside)
        forged = bytearray(out.protect_rtcp(report(a.rtp, 22)))
        forged[20] ^= 1
        a.rtp.rtcp.sendto(bytes(forged), beside)
        time.sleep(0.1)
        record = record_of(w, lambda: w.hang_up(a, b))
        assert record["a"]["remote_lost_pkts"] == 20, record["a"]
        # the last one says goodbye
        opened = [into.unprotect_rtcp(data) for data in a.rtp.rtcp_packets]
        assert opened and opened[0][1] in (200, 201), opened
        assert struct.unpack_from("!I", opened[0], 4)[0] == a.rtp.packets[0].ssrc
        assert any(data[1] in (200, 201) for data in b.rtp.rtcp_packets), "plain to who is plain"


def test_reports_are_encrypted_and_only_such_believed():
    for suite in ("AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"):
        check_reports(suite)
