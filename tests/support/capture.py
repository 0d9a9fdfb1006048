"""What really went over a cable: UDP read off an interface, and SIP, SDP and RTP in it.

    with Capture(island) as capture: …
    for message in capture.sip(): print(message.at, message.start_line)
    for stream in capture.rtp(): print(stream.inward, stream.lost, stream.pcma())

Needs CAP_NET_RAW. It knows nothing of the gateway, so that it can bear witness.
"""

import collections
import re
import socket
import struct
import threading
import time

import numpy

from rtp import Packet, decode

Datagram = collections.namedtuple("Datagram", "at source target payload frame")
ETH_P_ALL, ETH_P_IP, UDP = 3, 0x0800, 17
UNEVEN_MS, UNEVEN_GAPS, STALL_MS = 40, 6, 120
PACKET_OUTGOING = 4  # the loopback interface shows each packet twice: going out, and coming in


class Capture:
    """All UDP over IPv4 from and to an island or a corner, from open to close."""

    def __init__(self, place):
        self.place, self.datagrams, self.open = place, [], True
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.bind((place.link, 0))
        self.sock.settimeout(0.1)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while self.open:
            try:
                frame, address = self.sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if self.place.link == "lo" and address[2] == PACKET_OUTGOING:
                continue
            datagram = parse_frame(frame, time.time())
            if datagram and (self.place.owns(datagram.source) or
                             self.place.owns(datagram.target)):
                self.datagrams.append(datagram)

    def close(self):
        self.open = False
        self.reader.join()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def sip(self):
        """SIP messages in order."""
        return [SipMessage(datagram, self.place.owns(datagram.target))
                for datagram in list(self.datagrams)
                if re.match(rb"(SIP/2\.0 \d|[A-Z]+ \S+ SIP/2\.0\r)", datagram.payload)]

    def rtp(self):
        """RTP streams to and from the addresses that SDP named, in order of their beginning;
        .inward: to the place."""
        media = {address for message in self.sip() for address in message.media}
        streams = {}
        for datagram in list(self.datagrams):
            payload = datagram.payload
            if len(payload) < 12 or payload[0] >> 6 != 2 or datagram.target not in media:
                continue
            key = (datagram.source, datagram.target, payload[8:12])
            streams.setdefault(key, RtpStream(self.place.owns(datagram.target))).add(datagram)
        return list(streams.values())


    def unevenness(self):
        """How those at the place sent, when it was so unevenly that what comes of it says nothing
        of the gateway: the machine was too busy for them. Otherwise None."""
        times = [[packet.at for packet in stream.packets if packet.payload[4:]]  # but digits
                 for stream in self.rtp() if not stream.inward]
        gaps = [1000 * (after - before) for stream in times
                for before, after in zip(stream, stream[1:])]
        wide = sum(gap > UNEVEN_MS for gap in gaps)
        if wide < UNEVEN_GAPS and max(gaps, default=0) < STALL_MS:
            return None
        return f"{wide} gaps of over {UNEVEN_MS} ms, the longest of {max(gaps):.0f} ms"


def parse_frame(frame, at):
    """The UDP datagram in an Ethernet frame, or None."""
    if len(frame) < 42 or struct.unpack_from("!H", frame, 12)[0] != ETH_P_IP:
        return None
    ip = frame[14:]
    head = 4 * (ip[0] & 0xf)
    if ip[9] != UDP or struct.unpack_from("!H", ip, 6)[0] & 0x3fff:  # fragments: left out
        return None
    from_port, to_port, size = struct.unpack_from("!HHH", ip, head)
    return Datagram(at, (socket.inet_ntoa(ip[12:16]), from_port),
                    (socket.inet_ntoa(ip[16:20]), to_port), ip[head + 8:head + size], frame)


def write_pcap(path, datagrams):
    """For tshark and the like."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for item in sorted(datagrams, key=lambda datagram: datagram.at):
            seconds = int(item.at)
            file.write(struct.pack("<IIII", seconds, int((item.at - seconds) * 1e6),
                                   len(item.frame), len(item.frame)))
            file.write(item.frame)


class SipMessage:
    """One message as it was seen."""

    def __init__(self, datagram, inward):
        self.inward = inward  # to the place that was watched
        self.at, self.source, self.target = datagram[:3]
        head, _, self.body = datagram.payload.decode("utf-8", "replace").partition("\r\n\r\n")
        self.start_line, *lines = head.split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1))
                        for line in lines if ":" in line]
        first, second = self.start_line.split(" ")[:2]
        self.status = int(second) if first == "SIP/2.0" else None
        self.method = (self.get("CSeq") or "0 ?").split()[-1]

    def get(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def title(self):
        """What stands on an arrow of a ladder."""
        if self.status:
            title = self.start_line[len("SIP/2.0 "):]
            title += "" if self.method == "INVITE" else f" ({self.method})"
        else:
            title = self.method
            if self.method == "INVITE":
                title += " " + re.sub(r"^.*sips?:([^@;>]+).*$", r"\1", self.get("To") or "")
        return title + (f" · {', '.join(self.codecs)}" if self.codecs else "")

    @property
    def codecs(self):
        """Names of the audio codecs in its SDP, in order."""
        line = re.search(r"(?m)^m=audio \d+ \S+ ([\d ]+)", self.body)
        if not line:
            return []
        names = dict(re.findall(r"(?m)^a=rtpmap:(\d+) ([^/\s]+)", self.body))
        names = {"0": "PCMU", "8": "PCMA", "9": "G722"} | names
        found = [names.get(pt, pt) for pt in line.group(1).split()]
        return [name for name in dict.fromkeys(found) if name != "telephone-event"]

    @property
    def media(self):
        """Addresses of RTP in its SDP."""
        host = re.search(r"(?m)^c=IN IP4 (\S+)", self.body)
        return [(host.group(1), int(port)) for port in
                re.findall(r"(?m)^m=audio (\d+)", self.body)] if host else []

    def event_type(self):
        """Payload type of telephone-event in its SDP, or None."""
        found = re.search(r"(?m)^a=rtpmap:(\d+) telephone-event/", self.body)
        return int(found.group(1)) if found else None


class RtpStream:
    """Packets of one SSRC from one address to another."""

    def __init__(self, inward):
        self.inward, self.packets = inward, []

    def add(self, datagram):
        self.packets.append(Packet(datagram.payload, datagram.source, datagram.at))

    @property
    def lost(self):
        """Sequence numbers that are missing between the first and the last."""
        seen, high = set(), None
        for packet in self.packets:
            high = 0x10000 + packet.seq if high is None else high
            number = high + ((packet.seq - high + 0x8000) % 0x10000) - 0x8000  # unwrapped
            high = max(high, number)
            seen.add(number)
        return max(seen) - min(seen) + 1 - len(seen) if seen else 0

    def pcma(self):
        """What an A-law telephone plays, in -1…1 at 8 kHz: silence where nothing came."""
        packets = [packet for packet in self.packets if packet.pt == 8]
        if not packets:
            return numpy.zeros(0)
        frames = [((packet.ts - packets[0].ts + 0x80000000) % 0x100000000 - 0x80000000,
                   packet.payload) for packet in packets]
        frames = [(at, payload) for at, payload in frames if 0 <= at < 8000 * 3600]
        out = numpy.zeros(max(at + len(payload) for at, payload in frames))
        for at, payload in frames:
            out[at:at + len(payload)] = numpy.array(decode(payload, "PCMA")) / 32768
        return out

    def digits(self, payload_type):
        """RFC 4733 digits: one for each timestamp whose end was seen."""
        ends = {}
        for packet in self.packets:
            event = packet.payload
            if packet.pt == payload_type and len(event) >= 4 and event[1] & 0x80 and event[0] < 16:
                ends.setdefault(packet.ts, "0123456789*#ABCD"[event[0]])
        return "".join(ends.values())


def ladder(messages, left, middle, right, width=40):
    """Lines of a ladder: left is the name and the place of one party, right and middle are names;
    what does not touch the left party is between the other two."""
    begun = messages[0].at if messages else 0
    name, place = left
    yield f"{'':9}{name:<{width}} {middle:^9} {right:>{width}}"
    for message in messages:
        from_left, to_left = place.owns(message.source), place.owns(message.target)
        rightwards = from_left or (not to_left and message.inward)
        line = f" {message.title[:width - 5]} ".center(width - 2, "─")
        arrow = f"─{line}►" if rightwards else f"◄{line}─"
        blank = " " * width
        cells = f"│{arrow}│{blank}│" if from_left or to_left else f"│{blank}│{arrow}│"
        yield f"{message.at - begun:7.3f}  {cells}"
