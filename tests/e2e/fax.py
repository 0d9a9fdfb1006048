"""Fax peers by Debian's libspandsp: a modem on G.711 audio, and a T.38 terminal. UDPTL (T.38 9.1) is
written here anew, in Python, so that the gateway's is judged by another one.

    page = make_page(path)                                 # a TIFF with one page
    fax = Modem(rtp, calling=False, receives=path2)        # rtp: of rtp.py, aimed at the gateway
    peer = Terminal("127.0.1.2", calling=True, sends=path, loss=0.02)
    peer.remote = (ip, port)
    run([fax, peer], until=60)                             # in real time, 20 ms at a time
    assert fax.result == peer.result == "OK"
    assert pages(path) == pages(path2)
"""

import ctypes
import random
import socket
import struct
import time

import rtp

STEP, STEP_S = 160, 0.020
V27TER, V29, V17 = 1, 2, 4
T4_1D, T4_2D, T6 = 1, 2, 4
CNG, CED = 1, 2  # indicators, T.38 table 5
WIDTH = 1728


def library(name):
    return ctypes.CDLL(name)


class Spandsp:
    """The library, loaded when the first peer is made."""

    _lib = None
    END = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    TX = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                          ctypes.POINTER(ctypes.c_uint8), ctypes.c_int, ctypes.c_int)

    @classmethod
    def get(cls):
        if cls._lib:
            return cls._lib
        lib = cls._lib = library("libspandsp.so.2")
        for name in ("fax_init", "fax_get_t30_state", "t38_terminal_init",
                     "t38_terminal_get_t30_state", "t38_terminal_get_t38_core_state",
                     "modem_connect_tones_tx_init"):
            getattr(lib, name).restype = ctypes.c_void_p
        lib.t30_completion_code_to_str.restype = ctypes.c_char_p
        lib.fax_rx.argtypes = lib.fax_tx.argtypes = (ctypes.c_void_p, ctypes.c_void_p,
                                                     ctypes.c_int)
        lib.t38_core_rx_ifp_packet.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int,
                                               ctypes.c_uint16)
        return lib


class _Fax:
    """What both kinds share: pages and the end."""

    def __init__(self, t30, sends, receives, ecm):
        lib, self.result = Spandsp.get(), None
        t30 = ctypes.c_void_p(t30)
        lib.t30_set_supported_modems(t30, V27TER | V29 | V17)
        lib.t30_set_supported_compressions(t30, T4_1D | T4_2D | (T6 if ecm else 0))
        lib.t30_set_ecm_capability(t30, int(ecm))
        if sends:
            lib.t30_set_tx_file(t30, sends.encode(), -1, -1)
        if receives:
            lib.t30_set_rx_file(t30, receives.encode(), -1)
        self._on_end = Spandsp.END(self._end)
        lib.t30_set_phase_e_handler(t30, self._on_end, None)

    def _end(self, _t30, _user, code):
        self.result = Spandsp.get().t30_completion_code_to_str(ctypes.c_int(code)).decode()


class Modem(_Fax):
    """A fax machine on an analogue adapter: RTP in, RTP out."""

    def __init__(self, media, calling, sends=None, receives=None, ecm=True, codec="PCMA"):
        lib = Spandsp.get()
        self.media, self.codec, self.next = media, codec, len(media.packets)
        self.fax = ctypes.c_void_p(lib.fax_init(None, int(calling)))
        lib.fax_set_transmit_on_idle(self.fax, 1)
        super().__init__(lib.fax_get_t30_state(self.fax), sends, receives, ecm)

    def step(self):
        lib, packets = Spandsp.get(), self.media.packets
        while self.next < len(packets):
            packet = packets[self.next]
            self.next += 1
            if packet.pt == rtp.TYPES[self.codec]:
                samples = rtp.decode(packet.payload, self.codec)
                lib.fax_rx(self.fax, (ctypes.c_int16 * len(samples))(*samples), len(samples))
        pcm = (ctypes.c_int16 * STEP)()
        lib.fax_tx(self.fax, pcm, STEP)
        self.media.send(rtp.encode(pcm, self.codec), rtp.TYPES[self.codec])


class Udptl:
    """One peer's numbering and recovery; fec: parity in place of repetition."""

    def __init__(self, fec=False, copies=3):
        self.fec, self.copies = fec, copies
        self.sent, self.seq, self.next, self.kept = {}, 0, None, {}

    @staticmethod
    def _open(data):
        assert len(data) < 0x4000
        return (bytes([len(data)]) if len(data) < 128
                else struct.pack("!H", 0x8000 | len(data))) + data

    def pack(self, ifp):
        seq, self.seq = self.seq, (self.seq + 1) & 0xffff
        out = struct.pack("!H", seq) + self._open(ifp)
        if self.fec:  # each packet covers the two before it: span 2, one entry
            before = [self.sent.get(seq - 2), self.sent.get(seq - 1)]
            if None in before:
                out += b"\x80\x01\x00\x00"
            else:
                size = max(map(len, before))
                parity = bytes(a ^ b for a, b in zip(*(p.ljust(size, b"\0") for p in before)))
                out += b"\x80\x01\x02\x01" + self._open(parity)
        else:
            earlier = [self.sent[seq - i] for i in range(1, self.copies + 1)
                       if seq - i in self.sent]
            out += bytes([0, len(earlier)]) + b"".join(map(self._open, earlier))
        self.sent[seq] = ifp
        return out

    def unpack(self, data):
        """[(number, packet)] that are new, those that came back by repetition included."""
        seq, at = struct.unpack_from("!H", data)[0], 2

        def take():
            nonlocal at
            size = data[at]
            at += 1
            if size & 0x80:
                size = (size & 0x3f) << 8 | data[at]
                at += 1
            at += size
            assert at <= len(data), "a datagram is shorter than it says"
            return data[at - size:at]

        found = {seq: take()}
        kind, at = data[at], at + 1
        if not kind & 0x80:
            count, at = data[at], at + 1
            found.update((seq - i, take()) for i in range(1, count + 1))
        else:
            span, entries, at = data[at + 1], data[at + 2], at + 3
            found.update(self._recover(seq, span, [take() for _ in range(entries)]))
        if self.next is None:
            self.next = seq
        new = sorted((s, p) for s, p in found.items() if s >= self.next)
        self.kept.update(new)
        self.next = max(self.next, seq + 1)
        return new

    def _recover(self, seq, span, parities):
        for m, parity in enumerate(parities):
            covered = [seq - (span - i) * len(parities) + m for i in range(span)]
            missing = [s for s in covered if s not in self.kept]
            for s in covered if len(missing) == 1 else ():
                if s in self.kept:
                    other = self.kept[s][:len(parity)].ljust(len(parity), b"\0")
                    parity = bytes(a ^ b for a, b in zip(parity, other))
            if len(missing) == 1:
                yield missing[0], parity


class Terminal(_Fax):
    """A fax server that speaks T.38. loss: the share of datagrams that its net loses, each way."""

    def __init__(self, ip, calling, sends=None, receives=None, ecm=True, loss=0.0, seed=1):
        lib = Spandsp.get()
        self.remote, self.loss, self.random = None, loss, random.Random(seed)
        self.lost, self.udptl, self.came = 0, Udptl(), 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, 0))
        self.sock.setblocking(False)
        self.ip, self.port = self.sock.getsockname()
        self._on_tx = Spandsp.TX(self._tx)
        self.terminal = ctypes.c_void_p(
            lib.t38_terminal_init(None, int(calling), self._on_tx, None))
        self.core = ctypes.c_void_p(lib.t38_terminal_get_t38_core_state(self.terminal))
        super().__init__(lib.t38_terminal_get_t30_state(self.terminal), sends, receives, ecm)

    def close(self):
        self.sock.close()

    def _is_lost(self):
        lost = self.random.random() < self.loss
        self.lost += lost
        return lost

    def _tx(self, _core, _user, data, size, count):
        datagram = self.udptl.pack(bytes(data[:size]))
        for _ in range(count):
            if self.remote and not self._is_lost():
                self.sock.sendto(datagram, self.remote)
        return 0

    def step(self):
        lib = Spandsp.get()
        while True:
            try:
                data = self.sock.recv(2000)
            except BlockingIOError:
                break
            self.came += 1
            if self._is_lost():
                continue
            for seq, ifp in self.udptl.unpack(data):
                lib.t38_core_rx_ifp_packet(self.core, ifp, len(ifp), seq & 0xffff)
        lib.t38_terminal_send_timeout(self.terminal, STEP)


def run(peers, until, done=None):
    """Steps all of them each 20 ms, till each has ended (or done() holds) and 0.3 s more."""
    start = due = time.monotonic()
    with rtp.in_time():  # one gap of 0.2 s in a training, and libspandsp gives up
        while due - start < until:
            for peer in peers:
                peer.step()
            due += STEP_S
            time.sleep(max(0.0, due - time.monotonic()))
            if done() if done else all(peer.result for peer in peers):
                until = min(until, due - start + 0.3)
    assert done or all(peer.result for peer in peers), [peer.result for peer in peers]


# --- pages ---

def make_page(path, rows=120, seed=1):
    """A TIFF of 204 x 98 dots an inch: runs of black in lines, as print has them."""
    draw = random.Random(seed)
    image = b""
    for number in range(rows):
        if number % 3 == 0:
            inner = bytes(draw.getrandbits(8) if draw.random() < 0.3 else 0
                          for _ in range(WIDTH // 8 - 20))
            row = bytes(10) + inner + bytes(10)
        image += row if number % 12 > 1 else bytes(WIDTH // 8)
    long, short, ratio = 4, 3, 5
    entries = [(256, long, WIDTH), (257, long, rows), (258, short, 1), (259, short, 1),
               (262, short, 0), (266, short, 1), (273, long, 8), (277, short, 1),
               (278, long, rows), (279, long, len(image)), (282, ratio, 8 + len(image)),
               (283, ratio, 16 + len(image)), (296, short, 2)]
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, 24 + len(image)) + image)
        file.write(struct.pack("<4I", 204, 1, 98, 1) + struct.pack("<H", len(entries)))
        for tag, kind, value in entries:
            file.write(struct.pack("<HHI", tag, kind, 1) +
                       (struct.pack("<HH", value, 0) if kind == short
                        else struct.pack("<I", value)))
        file.write(bytes(4))
    return path


def pages(path):
    """Of each page the rows of dots, black 1."""
    tiff = library("libtiff.so.6")
    tiff.TIFFOpen.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(tiff.TIFFOpen(path.encode(), b"r"))
    assert handle.value, f"{path} is no TIFF"
    found = []
    while True:
        values = {}
        for tag in (256, 257, 262):
            value = ctypes.c_uint32()
            tiff.TIFFGetField(handle, ctypes.c_uint32(tag), ctypes.byref(value))
            values[tag] = value.value & (0xffff if tag == 262 else 0xffffffff)
        row = ctypes.create_string_buffer((values[256] + 7) // 8)
        rows = []
        for number in range(values[257]):
            tiff.TIFFReadScanline(handle, row, ctypes.c_uint32(number), ctypes.c_uint16(0))
            rows.append(row.raw if values[262] == 0 else bytes(b ^ 0xff for b in row.raw))
        found.append(rows)
        if not tiff.TIFFReadDirectory(handle):
            break
    tiff.TIFFClose(handle)
    return found
